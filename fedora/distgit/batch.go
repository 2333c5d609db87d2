package distgit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
)

// errSkip says that what is left of an answer is too much to read past it.
var errSkip = errors.New("an object is too large")

// An object is the header of one answer of git cat-file --batch.
type object struct {
	id, kind  string
	size      int64
	missing   bool
	ambiguous bool
}

// read returns the whole body, which must be within limit.
func (o object) read(body io.Reader, limit int64) ([]byte, error) {
	if o.size > limit {
		return nil, tooLarge(o)
	}
	return readDeclared(io.LimitReader(body, o.size), o.size)
}

// A batch is a running git cat-file --batch.
type batch struct {
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr Tail
	wait   func() error
	kill   context.CancelFunc
}

// requestBytes bounds how much is asked before the answers are read, so that
// both sides cannot block on full pipes, even where the system gives a pipe a
// single page.
const requestBytes = 4000

func startBatch(ctx context.Context, g *Git, dir string) (*batch, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd, err := g.Command(ctx, dir, "cat-file", "--batch")
	if err != nil {
		cancel()
		return nil, err
	}
	b := &batch{kill: cancel, wait: cmd.Wait}
	cmd.Stderr = &b.stderr
	stdin, err := cmd.StdinPipe()
	if err == nil {
		var stdout io.Reader
		if stdout, err = cmd.StdoutPipe(); err == nil {
			b.stdin, b.stdout = stdin, bufio.NewReaderSize(stdout, 32<<10)
			err = cmd.Start()
		}
	}
	if err != nil {
		cancel()
		return nil, diag.Environment(diag.Errorf("fedora/no-git", "git cannot be started: %v", err), "install git 2.32 or later")
	}
	return b, nil
}

// stop ends the process: politely by closing its input, which is all it takes
// unless it is in the middle of an answer.
func (b *batch) stop() {
	b.stdin.Close()
	b.kill()
	b.wait()
}

func (b *batch) complaint() string { return firstComplaint(b.stderr.String()) }

func (b *batch) exchange(reqs []string, answer func(int, object, io.Reader) error) error {
	buf := make([]byte, 0, min(requestBytes, len(reqs)*80))
	for next := 0; next < len(reqs); {
		buf = buf[:0]
		start := next
		for next < len(reqs) && (next == start || len(buf)+len(reqs[next])+1 <= requestBytes) {
			buf = append(append(buf, reqs[next]...), '\n')
			next++
		}
		if _, err := b.stdin.Write(buf); err != nil {
			return err
		}
		for i := start; i < next; i++ {
			o, err := b.header(reqs[i])
			if err != nil {
				return err
			}
			body := io.LimitedReader{R: b.stdout, N: o.size}
			if err := answer(i, o, &body); err != nil {
				return err
			}
			if o.missing || o.ambiguous {
				continue
			}
			if body.N > maxSkip {
				return errSkip
			}
			if _, err := b.stdout.Discard(int(body.N)); err != nil {
				return err
			}
			if c, err := b.stdout.ReadByte(); err != nil || c != '\n' {
				return errors.New("git cat-file gave an answer of the wrong length")
			}
		}
	}
	return nil
}

// header reads the line before an object: "ID KIND SIZE", or the request
// followed by a word that says why there is no object.
func (b *batch) header(req string) (object, error) {
	line, err := b.stdout.ReadSlice('\n')
	if err != nil {
		if err == io.EOF {
			err = errors.New("git cat-file ended without an answer")
		}
		return object{}, err
	}
	text := strings.TrimSuffix(string(line), "\n")
	switch rest, ok := strings.CutPrefix(text, req+" "); {
	case ok && rest == "missing":
		return object{missing: true}, nil
	case ok && rest == "ambiguous":
		return object{ambiguous: true}, nil
	}
	f := strings.Fields(text)
	if len(f) != 3 || !IsObjectID(f[0]) {
		return object{}, fmt.Errorf("git cat-file gave the unexpected answer %q", text)
	}
	size, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil || size < 0 {
		return object{}, fmt.Errorf("git cat-file gave the unexpected answer %q", text)
	}
	return object{id: f[0], kind: f[1], size: size}, nil
}
