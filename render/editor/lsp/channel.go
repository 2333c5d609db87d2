package lsp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxMessage bounds one message of the client: a file of 64 MiB with every byte
// escaped.
const maxMessage = 256 << 20

// maxHeader bounds the lines before a message.
const maxHeader = 64 << 10

// A channel carries messages as the protocol frames them. Unlike the library's
// own it survives a header that makes no sense, and believes no length before
// the bytes are there.
type channel struct {
	r *bufio.Reader

	mu   sync.Mutex
	w    io.WriteCloser
	open int           // requests without an answer
	done chan struct{} // closed when there are none left after the last message, or when the channel is
	last bool          // nothing more comes
	once sync.Once

	closed    chan struct{}
	closeOnce sync.Once
}

func newChannel(r io.Reader, w io.WriteCloser) *channel {
	return &channel{r: bufio.NewReaderSize(r, 64<<10), w: w, done: make(chan struct{}), closed: make(chan struct{})}
}

// patience is how long requests are worked on after the client has closed its
// end.
const patience = 10 * time.Second

// count keeps the number of requests that have no answer yet; an answer without
// an id is to something that was no request. What is read
// through a pipe gets its answers although the other end is closed by then; the
// library would drop them.
func (c *channel) count(msg []byte, received bool) {
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	// What cannot be read is answered without a name.
	if json.Unmarshal(msg, &m) != nil || len(m.ID) == 0 || string(m.ID) == "null" || received == (m.Method == "") {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if received {
		c.open++
		return
	}
	if m.Method == "" && c.open > 0 {
		c.open--
	}
	if c.open == 0 && c.last {
		c.once.Do(func() { close(c.done) })
	}
}

// finish waits for the answers of what was asked before the end.
func (c *channel) finish() {
	c.mu.Lock()
	c.last = true
	open := c.open
	c.mu.Unlock()
	if open == 0 {
		return
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-c.done:
	case <-t.C:
	}
}

// How the library answers a request that was cancelled before it began, and how
// the protocol wants it.
var (
	libraryCancelled  = []byte(`"error":{"code":-32097,"message":"context canceled"}`)
	protocolCancelled = []byte(`"error":{"code":-32800,"message":"cancelled"}`)
)

// Send writes one message.
func (c *channel) Send(msg []byte) error {
	defer c.count(msg, false)
	if len(msg) < 300 {
		msg = bytes.Replace(msg, libraryCancelled, protocolCancelled, 1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	buf := make([]byte, 0, len(msg)+32)
	buf = fmt.Appendf(buf, "Content-Length: %d\r\n\r\n", len(msg))
	_, err := c.w.Write(append(buf, msg...))
	return err
}

// Recv returns the next message. What cannot be one comes out as text that is
// no JSON, for which the library answers with a parse error.
func (c *channel) Recv() ([]byte, error) {
	msg, err := c.read()
	if err != nil {
		c.finish()
		return nil, err
	}
	select {
	case <-c.closed:
		return nil, io.EOF // the library takes nothing any more
	default:
	}
	c.count(msg, true)
	return answered(msg), nil
}

// answered completes an answer of the client that has neither result nor error,
// as some clients send for nothing: the library takes it for a request.
func answered(msg []byte) []byte {
	if len(msg) > 100 {
		return msg
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(msg, &m) != nil || m["id"] == nil || m["method"] != nil || m["result"] != nil || m["error"] != nil {
		return msg
	}
	m["result"] = json.RawMessage("null")
	if full, err := json.Marshal(m); err == nil {
		return full
	}
	return msg
}

func (c *channel) read() ([]byte, error) {
	size, seen := -1, 0
	for {
		line, err := c.line()
		if err != nil {
			return nil, err
		}
		if seen += len(line); seen > maxHeader {
			return nil, fmt.Errorf("more than %d bytes and no message", maxHeader)
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			if size >= 0 {
				break
			}
			continue // blank lines between messages
		}
		name, value, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(strings.TrimSpace(name), "Content-Length") {
			n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 63)
			if err != nil {
				return []byte("a length that is no number"), nil
			}
			size = int(min(n, maxMessage+1))
			if n > maxMessage {
				_, err := io.CopyN(io.Discard, c.r, int64(min(n, 1<<62)))
				if err != nil {
					return nil, err
				}
				return []byte("a message that is too long"), nil
			}
		}
	}
	// Memory grows with what arrives, not with what was announced.
	var b strings.Builder
	if _, err := io.CopyN(&b, c.r, int64(size)); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// line reads a line of bounded length.
func (c *channel) line() (string, error) {
	var b []byte
	for {
		part, err := c.r.ReadSlice('\n')
		b = append(b, part...)
		if err == bufio.ErrBufferFull && len(b) <= maxHeader {
			continue
		}
		if err == bufio.ErrBufferFull {
			return "", fmt.Errorf("a header of more than %d bytes", maxHeader)
		}
		return string(b), err
	}
}

// Close ends the channel.
func (c *channel) Close() error {
	c.closeOnce.Do(func() { close(c.closed) })
	c.once.Do(func() { close(c.done) })
	return c.w.Close()
}
