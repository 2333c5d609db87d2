package lookaside

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"specgraft/overlay/diag"
)

// A fault is one answer of a misbehaving server.
type fault func(w http.ResponseWriter, r *http.Request, content []byte)

func serve(w http.ResponseWriter, r *http.Request, content []byte) {
	w.Header().Set("ETag", `"v1"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func status(code int, header ...string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ []byte) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// resetAt sends n bytes of the file and drops the connection.
func resetAt(n int) fault {
	return func(w http.ResponseWriter, r *http.Request, content []byte) {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		w.Write(content[:n])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// cut ends the answer properly after n bytes, without a length.
func cut(n int) fault {
	return func(w http.ResponseWriter, r *http.Request, content []byte) {
		w.(http.Flusher).Flush()
		w.Write(content[:n])
	}
}

func otherFile(w http.ResponseWriter, r *http.Request, content []byte) {
	w.Write(bytes.Repeat([]byte("x"), len(content)))
}

func silence(w http.ResponseWriter, r *http.Request, content []byte) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	w.Write(content[:10])
	w.(http.Flusher).Flush()
	select {
	case <-r.Context().Done():
	case <-time.After(10 * time.Second):
	}
}

func slow(w http.ResponseWriter, r *http.Request, content []byte) {
	for len(content) > 0 {
		n := min(len(content), 1+len(content)/4)
		w.Write(content[:n])
		content = content[n:]
		w.(http.Flusher).Flush()
		time.Sleep(5 * time.Millisecond)
	}
}

func circle(w http.ResponseWriter, r *http.Request, _ []byte) {
	http.Redirect(w, r, r.URL.Path, http.StatusFound)
}

func endless(w http.ResponseWriter, r *http.Request, _ []byte) {
	http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
}

func huge(w http.ResponseWriter, r *http.Request, _ []byte) {
	w.Header().Set("Content-Length", "1099511627776")
	w.WriteHeader(http.StatusOK)
}

func endlessBody(w http.ResponseWriter, r *http.Request, _ []byte) {
	block := make([]byte, 64<<10)
	for range 64 {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

func wrongRange(w http.ResponseWriter, r *http.Request, content []byte) {
	if r.Header.Get("Range") == "" {
		serve(w, r, content)
		return
	}
	w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(content)-1, len(content)))
	w.WriteHeader(http.StatusPartialContent)
	w.Write(content)
}

// testLookaside opens a lookaside with short waits on a new cache.
func testLookaside(t *testing.T, o Options) (*Client, *[]string) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.AllowHTTP = true
	o.Backoff = time.Millisecond
	if o.Stall == 0 {
		o.Stall = 500 * time.Millisecond
	}
	var mu sync.Mutex
	var lines []string
	o.Log = func(line string) {
		mu.Lock()
		lines = append(lines, line)
		mu.Unlock()
	}
	if o.PerHost == 0 {
		o.PerHost = 8
	}
	l := Open(o)
	t.Cleanup(func() { l.Close() })
	l.maxSize = 1 << 20
	return l, &lines
}

// checkCache fails the test when a file in the cache is not what its name says.
func checkCache(t *testing.T, l *Client) {
	t.Helper()
	filepath.WalkDir(l.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "/partial/") {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		rel, _ := filepath.Rel(l.dir, path)
		part := strings.Split(rel, string(filepath.Separator))
		h, _, err := newHash(part[0])
		if err != nil || len(part) != 3 {
			t.Errorf("%s does not belong into the cache", rel)
			return nil
		}
		h.Write(b)
		if hex.EncodeToString(h.Sum(nil)) != part[1]+part[2] {
			t.Errorf("%s holds another file", rel)
		}
		return nil
	})
}

func sha512Hex(b []byte) string {
	d := sha512.Sum512(b)
	return hex.EncodeToString(d[:])
}

func TestLookasideFaults(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("The quick brown fox. "), 5000)
	tests := []struct {
		name    string
		faults  []fault // answers before the server behaves; the last one stays if stuck
		stuck   bool
		retries int
		code    string // "" for success
		env     bool
		want    int // requests; 0 is not checked
	}{
		{name: "fine", want: 1},
		{name: "reset at the first byte", faults: []fault{resetAt(0)}, retries: 1, want: 2},
		{name: "reset in the middle", faults: []fault{resetAt(50000)}, retries: 1, want: 2},
		{name: "reset again and again", faults: []fault{resetAt(1), resetAt(7), resetAt(100)}, retries: 3, want: 4},
		{name: "reset without retries", faults: []fault{resetAt(50000)}, stuck: true, code: "lookaside/network", env: true, want: 1},
		{name: "500 then fine", faults: []fault{status(500), status(503)}, retries: 2, want: 3},
		{name: "500 for ever", faults: []fault{status(500)}, stuck: true, retries: 2, code: "lookaside/network", env: true, want: 3},
		{name: "404", faults: []fault{status(404)}, stuck: true, retries: 3, code: "lookaside/not-found", want: 1},
		{name: "403", faults: []fault{status(403)}, stuck: true, retries: 3, code: "lookaside/network", env: true, want: 1},
		{name: "429 with Retry-After", faults: []fault{status(429, "Retry-After", "0"), status(429, "Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT")}, retries: 2, want: 3},
		{name: "slow but steady", faults: []fault{slow}, want: 1},
		{name: "silence", faults: []fault{silence}, retries: 1, want: 2},
		{name: "silence for ever", faults: []fault{silence}, stuck: true, code: "lookaside/network", env: true, want: 1},
		{name: "truncated without a length", faults: []fault{cut(1000)}, want: 2},
		{name: "truncated for ever", faults: []fault{cut(1000)}, stuck: true, code: "lookaside/checksum", want: 2},
		{name: "another file once", faults: []fault{otherFile}, want: 2},
		{name: "another file for ever", faults: []fault{otherFile}, stuck: true, retries: 3, code: "lookaside/checksum", want: 2},
		{name: "other file, then the right one continued", faults: []fault{resetAt(10), cut(3)}, retries: 1, want: 3},
		{name: "wrong range", faults: []fault{resetAt(5000), wrongRange}, retries: 2, want: 3},
		{name: "range not satisfiable", faults: []fault{resetAt(5000), status(416)}, retries: 2, want: 3},
		{name: "redirect in a circle", faults: []fault{circle}, stuck: true, retries: 3, code: "lookaside/redirect"},
		{name: "redirects without end", faults: []fault{endless}, stuck: true, retries: 3, code: "lookaside/redirect"},
		{name: "a terabyte announced", faults: []fault{huge}, stuck: true, retries: 3, code: "lookaside/too-large", want: 1},
		{name: "more than is accepted", faults: []fault{endlessBody}, stuck: true, retries: 3, code: "lookaside/too-large", want: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			broken := atomic.Bool{}
			broken.Store(true)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := int(requests.Add(1)) - 1
				if tt.stuck {
					n = min(n, len(tt.faults)-1)
				}
				if broken.Load() && n < len(tt.faults) {
					tt.faults[n](w, r, content)
					return
				}
				serve(w, r, content)
			}))
			defer server.Close()
			l, _ := testLookaside(t, Options{Retries: tt.retries})
			d := Download{Name: "fox.txt", URLs: []string{server.URL + "/fox.txt"}, HashType: "sha512", Hash: strings.ToUpper(sha512Hex(content))}
			c, err := l.Get(t.Context(), d)
			if got := int(requests.Load()); tt.want > 0 && got != tt.want {
				t.Errorf("%d requests, want %d", got, tt.want)
			}
			checkCache(t, l)
			if tt.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				if b, err := os.ReadFile(c.Path); err != nil || !bytes.Equal(b, content) {
					t.Errorf("%d bytes, %v", len(b), err)
				}
			} else {
				found, ok := errors.AsType[*diag.Diagnostic](err)
				if !ok || found.Code != tt.code || found.Env != tt.env {
					t.Fatalf("got %v, want code %s, environment %v", err, tt.code, tt.env)
				}
				if strings.ContainsAny(found.Message, "\n\t") {
					t.Errorf("the message is not one line: %q", found.Message)
				}
				// The next run finds a server that works again.
				broken.Store(false)
				if c, err = l.Get(t.Context(), d); err != nil {
					t.Fatalf("the run after the fault: %v", err)
				}
			}
			if left, _ := os.ReadDir(filepath.Join(l.dir, "partial")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			before := requests.Load()
			if _, err := l.Get(t.Context(), d); err != nil || requests.Load() != before {
				t.Errorf("a second Get asks the server again (%v)", err)
			}
			if c.Size != int64(len(content)) {
				t.Errorf("size %d", c.Size)
			}
			checkCache(t, l)
		})
	}
}

// TestLookasideResume checks that a download goes on where an earlier process
// stopped, instead of fetching everything again.
func TestLookasideResume(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789"), 10000)
	var ranges []string
	first := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		if first {
			first = false
			resetAt(30000)(w, r, content)
			return
		}
		serve(w, r, content)
	}))
	defer server.Close()
	cache := t.TempDir()
	d := Download{Name: "digits", URLs: []string{server.URL}, HashType: "SHA512", Hash: sha512Hex(content)}
	l, _ := testLookaside(t, Options{Dir: cache})
	if _, err := l.Get(t.Context(), d); err == nil {
		t.Fatal("the interrupted download came out fine")
	}
	l, _ = testLookaside(t, Options{Dir: cache})
	var received int64
	d.Progress = func(n int64) { received += n }
	if _, err := l.Get(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"", "bytes=30000-"}, ranges); diff != "" {
		t.Errorf("ranges (-want +got):\n%s", diff)
	}
	if received != 70000 {
		t.Errorf("received %d bytes in the second run, want 70000", received)
	}
}

// TestLookasideFallback checks the order of addresses, other digests, and
// files without one.
func TestLookasideFallback(t *testing.T) {
	t.Parallel()
	content := []byte("content")
	m, s := md5.Sum(content), sha256.Sum256(content)
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.EscapedPath())
		if r.URL.Path == "/no" {
			http.NotFound(w, r)
			return
		}
		serve(w, r, content)
	}))
	defer server.Close()
	l, _ := testLookaside(t, Options{})
	template := server.URL + "/$pkg/$filename/$hashtype/$hash/$filename"
	for _, d := range []Download{
		{Name: "a", URLs: []string{server.URL + "/no", URL(template, "p/q", "a b", "MD5", hex.EncodeToString(m[:]))}, HashType: "MD5", Hash: hex.EncodeToString(m[:])},
		{Name: "b", URLs: []string{server.URL + "/b"}, HashType: "SHA256", Hash: hex.EncodeToString(s[:])},
		{Name: "c", URLs: []string{server.URL + "/c"}},
	} {
		if _, err := l.Get(t.Context(), d); err != nil {
			t.Error(err)
		}
	}
	want := []string{"/no", "/p%2Fq/a%20b/md5/" + hex.EncodeToString(m[:]) + "/a%20b", "/b", "/c"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	checkCache(t, l)
	if left, _ := os.ReadDir(filepath.Join(l.dir, "partial")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestLookasideTalk holds that each line said on the way names the file once,
// and has neither codes nor addresses with credentials.
func TestLookasideTalk(t *testing.T) {
	t.Parallel()
	content := []byte("content")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/no/") {
			http.NotFound(w, r)
			return
		}
		serve(w, r, content)
	}))
	defer server.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	l, lines := testLookaside(t, Options{Retries: 1})
	deaf := strings.Replace(gone.URL, "//", "//me:secret@", 1)
	_, err := l.Get(t.Context(), Download{Name: "boat.tar", HashType: "SHA512", Hash: sha512Hex(content),
		URLs: []string{deaf + "/x", server.URL + "/no/x", server.URL + "/yes"}})
	if err != nil {
		t.Fatal(err)
	}
	wants := []string{"; next attempt in ", " (2 attempts); trying the next address", "; trying the next address"}
	if len(*lines) != len(wants) {
		t.Fatalf("said %q", *lines)
	}
	for i, line := range *lines {
		if strings.Count(line, "boat.tar") != 1 || !strings.Contains(line, wants[i]) ||
			strings.Contains(line, "secret") || strings.Contains(line, "[lookaside/") {
			t.Errorf("said %q, want the name once and %q", line, wants[i])
		}
	}
}

func TestLookasideRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	sum := sha512Hex([]byte("x"))
	l, _ := testLookaside(t, Options{Dir: filepath.Join(dir, "cache")})
	l.allowHTTP = false
	offline, _ := testLookaside(t, Options{Dir: filepath.Join(dir, "cache"), Offline: true})
	tests := []struct {
		name string
		l    *Client
		d    Download
		code string
	}{
		{"http", l, Download{Name: "f", URLs: []string{"http://localhost/f"}, HashType: "SHA512", Hash: sum}, "lookaside/url"},
		{"ext", l, Download{Name: "f", URLs: []string{"ext::sh -c id"}, HashType: "SHA512", Hash: sum}, "lookaside/url"},
		{"ftp", l, Download{Name: "f", URLs: []string{"ftp://example.com/f"}, HashType: "SHA512", Hash: sum}, "lookaside/url"},
		{"no scheme", l, Download{Name: "f", URLs: []string{"/etc/passwd"}, HashType: "SHA512", Hash: sum}, "lookaside/url"},
		{"file on a host", l, Download{Name: "f", URLs: []string{"file://host/f"}, HashType: "SHA512", Hash: sum}, "lookaside/url"},
		{"directory", l, Download{Name: "f", URLs: []string{"file://" + dir}, HashType: "SHA512", Hash: sum}, "lookaside/url"},
		{"device", l, Download{Name: "f", URLs: []string{"file:///dev/zero"}, HashType: "SHA512", Hash: sum}, "lookaside/url"},
		{"slash", l, Download{Name: "../f", URLs: []string{"file://" + file}, HashType: "SHA512", Hash: sum}, "lookaside/name"},
		{"backslash", l, Download{Name: `..\f`, URLs: []string{"file://" + file}, HashType: "SHA512", Hash: sum}, "lookaside/name"},
		{"dots", l, Download{Name: "..", URLs: []string{"file://" + file}, HashType: "SHA512", Hash: sum}, "lookaside/name"},
		{"git", l, Download{Name: ".GIT", URLs: []string{"file://" + file}, HashType: "SHA512", Hash: sum}, "lookaside/name"},
		{"line feed", l, Download{Name: "a\nb", URLs: []string{"file://" + file}, HashType: "SHA512", Hash: sum}, "lookaside/name"},
		{"hash type", l, Download{Name: "f", URLs: []string{"file://" + file}, HashType: "CRC32", Hash: sum}, "lookaside/hash-type"},
		{"short hash", l, Download{Name: "f", URLs: []string{"file://" + file}, HashType: "SHA512", Hash: sum[:10]}, "lookaside/hash-type"},
		{"hash with a path", l, Download{Name: "f", URLs: []string{"file://" + file}, HashType: "MD5", Hash: "../../../../../../../../etc/pass"}, "lookaside/hash-type"},
		{"missing", l, Download{Name: "f", URLs: []string{"file://" + file + "x"}, HashType: "SHA512", Hash: sum}, "lookaside/not-found"},
		{"no address", l, Download{Name: "f", HashType: "SHA512", Hash: sum}, "lookaside/not-found"},
		{"offline", offline, Download{Name: "f", URLs: []string{"https://example.invalid/f"}, HashType: "SHA512", Hash: sum}, "fedora/offline"},
	}
	for _, tt := range tests {
		_, err := tt.l.Get(t.Context(), tt.d)
		if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || d.Code != tt.code {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.code)
		}
	}
	if _, err := offline.Get(t.Context(), Download{Name: "f", URLs: []string{"file://" + file}, HashType: "SHA512", Hash: sum}); err != nil {
		t.Errorf("a local file is refused when offline: %v", err)
	}
	// Credentials in an address must not get into messages.
	l.allowHTTP = true
	_, err := l.Get(t.Context(), Download{Name: "f", URLs: []string{"http://user:secret@127.0.0.1:1/f"}, HashType: "SHA512", Hash: sha512Hex(nil)})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

// TestLookasideRedirect checks that another host is reported.
func TestLookasideRedirect(t *testing.T) {
	t.Parallel()
	content := []byte("content")
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(w, r, content) }))
	defer target.Close()
	server := httptest.NewServer(http.RedirectHandler(target.URL+"/x", http.StatusFound))
	defer server.Close()
	l, lines := testLookaside(t, Options{})
	if _, err := l.Get(t.Context(), Download{Name: "f", URLs: []string{server.URL}, HashType: "SHA512", Hash: sha512Hex(content)}); err != nil {
		t.Fatal(err)
	}
	want := "redirected from " + strings.TrimPrefix(server.URL, "http://") + " to " + target.URL + "/x"
	if diff := cmp.Diff([]string{want}, *lines); diff != "" {
		t.Errorf("talk (-want +got):\n%s", diff)
	}
}

// TestLookasideTogether has many goroutines and two stores on one cache ask
// for the same files at once.
func TestLookasideTogether(t *testing.T) {
	t.Parallel()
	var open, most atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), open.Add(1)))
		defer open.Add(-1)
		slow(w, r, []byte("file "+r.URL.Path))
	}))
	defer server.Close()
	cache := t.TempDir()
	a, _ := testLookaside(t, Options{Dir: cache, PerHost: 2})
	b, _ := testLookaside(t, Options{Dir: cache, PerHost: 2})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			l := a
			if i%2 == 1 {
				l = b
			}
			name := fmt.Sprint(i / 4)
			d := Download{Name: name, URLs: []string{server.URL + "/" + name}, HashType: "SHA512", Hash: sha512Hex([]byte("file /" + name))}
			if _, err := l.Get(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	checkCache(t, a)
	if most.Load() > 4 {
		t.Errorf("%d connections at once, want at most 4", most.Load())
	}
}

func TestLookasideInterrupt(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { silence(w, r, make([]byte, 100)) }))
	defer server.Close()
	l, _ := testLookaside(t, Options{Retries: 5, Stall: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := l.Get(ctx, Download{Name: "f", URLs: []string{server.URL}, HashType: "SHA512", Hash: sha512Hex(make([]byte, 100))})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	checkCache(t, l)
}

func TestContentInstall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "src"), []byte("good"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, _ := testLookaside(t, Options{Dir: filepath.Join(dir, "cache")})
	d := Download{Name: "f", URLs: []string{"file://" + dir + "/src"}, HashType: "SHA512", Hash: sha512Hex([]byte("good"))}
	c, err := l.Get(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := c.Install(out, "f", 0o644); err != nil {
		t.Fatal(err)
	}
	if b, err := fs.ReadFile(out.FS(), "f"); err != nil || string(b) != "good" {
		t.Errorf("%q, %v", b, err)
	}
	// A cache that was damaged after the download must not be believed.
	if err := os.WriteFile(c.Path, []byte("evil"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.Install(out, "g", 0o644); err == nil {
		t.Error("a damaged cache file was installed")
	}
	if names, _ := fs.Glob(out.FS(), "*"); len(names) != 1 {
		t.Errorf("files %v, want only f", names)
	}
	if c, err = l.Get(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if err := c.Install(out, "../g", 0o644); err == nil {
		t.Error("a file was installed outside")
	}
}
