package lookaside

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"specgraft/fedora/cache"
	"specgraft/overlay/diag"
)

// maxRetryAfter bounds how long a server can make us wait.
const maxRetryAfter = 2 * time.Minute

// fetch downloads a file into the cache. want is nil when its digest is not
// known; the content is then kept under its SHA-512.
func (l *Client) fetch(ctx context.Context, d Download, want *Content) (*Content, error) {
	addresses := make([]*url.URL, 0, len(d.URLs))
	for _, raw := range d.URLs {
		u, err := url.Parse(raw)
		if err != nil {
			return nil, diag.Errorf("lookaside/url", "%q is not an address", raw)
		}
		if err := l.checkURL(u); err != nil {
			return nil, err
		}
		addresses = append(addresses, u)
	}
	if l.offline && !allLocal(addresses) {
		return nil, &diag.Diagnostic{
			Code:    "fedora/offline",
			Message: fmt.Sprintf("source file %s is not in the cache, and the network must not be used", d.Name),
			Hint:    "run the command once without --offline",
			Env:     true,
		}
	}
	select {
	case l.jobs <- struct{}{}:
		defer func() { <-l.jobs }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	part, err := l.openPart(ctx, want)
	if err != nil {
		return nil, err
	}
	defer part.Close()
	if want != nil {
		// Another process may have finished while this one waited for the lock.
		if want.present() {
			part.discard()
			return want, nil
		}
	}
	var last error
	for i, u := range addresses {
		last = l.fetchFrom(ctx, u, d, part)
		if last == nil {
			return l.keep(part, want)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if i+1 < len(addresses) {
			l.say("%s; trying the next address", named(d, last))
		}
	}
	if last == nil {
		last = diag.Errorf("lookaside/not-found", "source file %s has no address to download it from", d.Name)
	}
	return nil, last
}

func allLocal(addresses []*url.URL) bool {
	for _, u := range addresses {
		if u.Scheme != "file" {
			return false
		}
	}
	return true
}

// fetchFrom downloads from one address, with as many attempts as are allowed.
// A nil error means that part holds the whole file and its digest is right.
func (l *Client) fetchFrom(ctx context.Context, u *url.URL, d Download, part *Part) error {
	defer l.acquireHost(ctx, u.Host)()
	if err := ctx.Err(); err != nil {
		return err
	}
	wrong := 0
	for attempt := 0; ; attempt++ {
		err := l.attempt(ctx, u, d, part)
		if err == nil {
			if err = part.verify(); err == nil {
				return nil
			}
			// A download that was taken up may have been glued to the
			// beginning of another file, so one fresh attempt is due.
			if terr := part.restart(); terr != nil {
				return terr
			}
			if wrong++; wrong > 1 {
				bad, _ := errors.AsType[*checksumError](err)
				return &diag.Diagnostic{
					Code:    "lookaside/checksum",
					Message: fmt.Sprintf("%s from %s has %s %s, not %s", d.Name, u.Redacted(), bad.kind, bad.got, bad.want),
					Hint:    "correct the hash if the file is the right one; nothing was kept",
				}
			}
			l.say("%s: %v; downloading it again", d.Name, err)
			continue
		}
		if cerr := ctx.Err(); cerr != nil {
			return cerr
		}
		pause, again := retryable(err)
		if !again || attempt >= l.retries {
			return l.giveUp(u, d, err, attempt+1)
		}
		if pause == 0 {
			pause = l.backoff << min(attempt, 6)
			pause += mathrand.N(pause/2 + 1) // jitter keeps many clients from coming back together
		}
		l.say("%s: %v; next attempt in %s", d.Name, withoutURL(err), pause.Round(time.Millisecond))
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// acquireHost waits for one of the places that a host has and returns the
// function that frees it.
func (l *Client) acquireHost(ctx context.Context, host string) (release func()) {
	l.mu.Lock()
	places := l.hosts[host]
	if places == nil {
		places = make(chan struct{}, l.perHost)
		l.hosts[host] = places
	}
	l.mu.Unlock()
	select {
	case places <- struct{}{}:
		return func() { <-places }
	case <-ctx.Done():
		return func() {}
	}
}

// A statusError is an answer of a server that is not the file.
type statusError struct {
	code  int
	after time.Duration // from Retry-After, 0 for none
}

func (e *statusError) Error() string {
	return fmt.Sprintf("the server answered %d %s", e.code, http.StatusText(e.code))
}

// retryable reports whether another attempt may help, and how long the server
// asks to wait before it.
func retryable(err error) (pause time.Duration, again bool) {
	if s, ok := errors.AsType[*statusError](err); ok {
		switch s.code {
		case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return s.after, true
		}
		return 0, false
	}
	if _, ok := errors.AsType[*diag.Diagnostic](err); ok {
		return 0, false // a redirect or size that is refused stays so
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return 0, false
	}
	return 0, true
}

// withoutURL returns what is behind an error of the HTTP client, whose text has
// the address once more, with credentials.
func withoutURL(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}

// named returns the text of an error with the name of the file, which the
// messages of diagnostics have already.
func named(d Download, err error) string {
	if found, ok := errors.AsType[*diag.Diagnostic](err); ok {
		return found.Message
	}
	return fmt.Sprintf("%s: %v", d.Name, withoutURL(err))
}

// giveUp words the end of all attempts on one address.
func (l *Client) giveUp(u *url.URL, d Download, err error, attempts int) error {
	if found, ok := errors.AsType[*diag.Diagnostic](err); ok {
		named := *found
		named.Message = d.Name + ": " + named.Message
		return &named
	}
	s, isStatus := errors.AsType[*statusError](err)
	_, isPath := errors.AsType[*fs.PathError](err)
	switch {
	case isStatus && (s.code == http.StatusNotFound || s.code == http.StatusGone), isPath && errors.Is(err, fs.ErrNotExist):
		return &diag.Diagnostic{
			Code:    "lookaside/not-found",
			Message: fmt.Sprintf("%s is not at %s", d.Name, u.Redacted()),
			Hint:    "check the file name and hash, and lookaside-base-uri of the distribution",
		}
	case isPath:
		return diag.Environment(diag.Errorf("lookaside/network", "read %s: %v", d.Name, diag.Reason(err)), "")
	}
	err = withoutURL(err)
	times := "1 attempt"
	if attempts > 1 {
		times = strconv.Itoa(attempts) + " attempts"
	}
	return diag.Environment(diag.Errorf("lookaside/network", "download %s from %s: %v (%s)", d.Name, u.Redacted(), err, times),
		"run the command again to go on where it stopped")
}

// attempt downloads what is missing of one file, once.
func (l *Client) attempt(ctx context.Context, u *url.URL, d Download, part *Part) error {
	if u.Scheme == "file" {
		if err := part.restart(); err != nil {
			return err
		}
		info, err := os.Stat(u.Path)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return diag.Errorf("lookaside/url", "%s is not a regular file", u.Path)
		}
		f, err := os.Open(u.Path)
		if err != nil {
			return err
		}
		defer f.Close()
		return l.receive(f, d, part)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "specgraft")
	if part.size > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", part.size))
		if part.etag != "" {
			req.Header.Set("If-Range", part.etag)
		}
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		if err := part.restart(); err != nil { // all of it, whatever was asked for
			return err
		}
	case http.StatusPartialContent:
		if !strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", part.size)) {
			if err := part.restart(); err != nil {
				return err
			}
			return errors.New("the server sent another range than it was asked for")
		}
	case http.StatusRequestedRangeNotSatisfiable:
		// All of it is here already, or the file at the server is shorter.
		if resp.Header.Get("Content-Range") == fmt.Sprintf("bytes */%d", part.size) {
			return nil
		}
		if err := part.restart(); err != nil {
			return err
		}
		return errors.New("the server has fewer bytes than were received before")
	default:
		return &statusError{resp.StatusCode, retryAfter(resp.Header.Get("Retry-After"))}
	}
	part.etag = ""
	if etag := resp.Header.Get("ETag"); !strings.HasPrefix(etag, "W/") {
		part.etag = etag
	}
	if limit := l.limit(d); resp.ContentLength > 0 && part.size+resp.ContentLength > limit {
		return tooLarge(limit)
	}
	body := &watchedReader{r: resp.Body, stall: l.stall}
	body.timer = time.AfterFunc(l.stall, func() { cancel(fmt.Errorf("the server sent nothing for %s", l.stall)) })
	defer body.timer.Stop()
	err = l.receive(body, d, part)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the connection ended before the file did")
	}
	return err
}

// A watchedReader restarts a timer with every read that brings something.
type watchedReader struct {
	r     io.Reader
	timer *time.Timer
	stall time.Duration
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.timer.Reset(w.stall)
	}
	return n, err
}

// receive appends a body to part.
func (l *Client) receive(r io.Reader, d Download, part *Part) error {
	buf := make([]byte, 128<<10)
	limit := l.limit(d)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if part.size+int64(n) > limit {
				return tooLarge(limit)
			}
			if werr := part.write(buf[:n]); werr != nil {
				return diag.Environment(diag.Errorf("fedora/cache", "write to the cache: %v", diag.Reason(werr)), "")
			}
			if d.Progress != nil {
				d.Progress(int64(n))
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// limit returns how many bytes a file may have.
func (l *Client) limit(d Download) int64 {
	if d.MaxSize > 0 {
		return min(d.MaxSize, l.maxSize)
	}
	return l.maxSize
}

func tooLarge(limit int64) error {
	return diag.Errorf("lookaside/too-large", "larger than the %d bytes that are accepted", limit)
}

// retryAfter reads the header of that name, seconds or a date.
func retryAfter(value string) time.Duration {
	var wait time.Duration
	if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
		wait = time.Duration(min(max(n, 0), 1<<20)) * time.Second
	} else if t, err := http.ParseTime(value); err == nil {
		wait = max(time.Until(t), 0)
	}
	return min(wait, maxRetryAfter)
}

// A Part is a download in progress. One with a known digest has a fixed name,
// so that a later run finds it, and is locked against other processes.
type Part struct {
	of   *Client
	f    *os.File
	path string
	hash hash.Hash
	kind string
	want string // digest, "" for none
	size int64
	etag string
}

// openPart opens the file that a download is collected in, and hashes what an
// earlier run has left there.
func (l *Client) openPart(ctx context.Context, want *Content) (*Part, error) {
	p := &Part{of: l, kind: "SHA512"}
	name := ""
	if want != nil {
		p.kind, p.want, _ = strings.Cut(want.hash, ":")
		name = strings.ToLower(p.kind) + "-" + p.want
	} else {
		name = "unchecked-" + rand.Text()
	}
	p.hash, _, _ = newHash(p.kind)
	problem := func(err error) error {
		return diag.Environment(diag.Errorf("fedora/cache", "use the cache directory %s: %v", l.dir, diag.Reason(err)), "check its permissions, or choose another with --cache-dir")
	}
	dir := filepath.Join(l.dir, "partial")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, problem(err)
	}
	p.path = filepath.Join(dir, name)
	if st, err := os.Lstat(p.path); err == nil && !st.Mode().IsRegular() {
		// Not ours: through a link the download would be written elsewhere.
		if err := os.Remove(p.path); err != nil {
			return nil, problem(err)
		}
	}
	for {
		f, err := os.OpenFile(p.path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, problem(err)
		}
		if err := cache.Lock(ctx, f); err != nil {
			f.Close()
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, problem(err)
		}
		// The process that had the lock may have renamed or removed the file.
		held, err := f.Stat()
		named, nerr := os.Stat(p.path)
		if err == nil && nerr == nil && os.SameFile(held, named) {
			p.f = f
			break
		}
		f.Close()
	}
	n, err := io.Copy(p.hash, p.f)
	if err != nil {
		p.f.Close()
		return nil, problem(err)
	}
	p.size = n
	return p, nil
}

// Collect reads a file whose digest is not known yet. It belongs to the cache
// only once Keep has been called; Close the part in any case.
func (l *Client) Collect(ctx context.Context, r io.Reader) (*Part, error) {
	p, err := l.openPart(ctx, nil)
	if err != nil {
		return nil, err
	}
	if err := l.receive(r, Download{}, p); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// SHA512 returns the digest of what Collect has read, in hexadecimal.
func (p *Part) SHA512() string { return hex.EncodeToString(p.hash.Sum(nil)) }

// Keep gives what Collect has read its place in the cache.
func (p *Part) Keep() (*Content, error) { return p.of.keep(p, nil) }

func (p *Part) write(b []byte) error {
	n, err := p.f.Write(b)
	p.hash.Write(b[:n])
	p.size += int64(n)
	return err
}

// restart throws away what has been received.
func (p *Part) restart() error {
	if p.size == 0 {
		return nil
	}
	p.hash.Reset()
	p.size, p.etag = 0, ""
	if err := p.f.Truncate(0); err != nil {
		return err
	}
	_, err := p.f.Seek(0, io.SeekStart)
	return err
}

// A checksumError says that a complete file is not the wanted one.
type checksumError struct{ kind, got, want string }

func (e *checksumError) Error() string { return "the checksum is wrong" }

func (p *Part) verify() error {
	got := hex.EncodeToString(p.hash.Sum(nil))
	if p.want != "" && got != p.want {
		return &checksumError{p.kind, got, p.want}
	}
	return nil
}

// keep gives a verified part its place in the cache.
func (l *Client) keep(p *Part, want *Content) (*Content, error) {
	if want == nil {
		var err error
		if want, err = l.content(p.kind, hex.EncodeToString(p.hash.Sum(nil))); err != nil {
			return nil, err
		}
	}
	err := p.f.Sync()
	if err == nil {
		err = os.MkdirAll(filepath.Dir(want.Path), 0o777)
	}
	if err == nil {
		err = os.Rename(p.path, want.Path)
	}
	if err != nil {
		return nil, diag.Environment(diag.Errorf("fedora/cache", "keep a source file in the cache: %v", diag.Reason(err)), "")
	}
	want.Size = p.size
	return want, nil
}

func (p *Part) discard() { os.Remove(p.path) }

// Close ends the use of a part. What is worth going on with later stays.
func (p *Part) Close() {
	if p.want == "" || p.size == 0 {
		if held, err := p.f.Stat(); err == nil {
			if named, err := os.Stat(p.path); err == nil && os.SameFile(held, named) {
				os.Remove(p.path)
			}
		}
	}
	p.f.Close()
}
