package fedora

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"specgraft/fedora/distgit/gittest"
	"specgraft/overlay/diag"
)

// A gitServer serves the repositories below a directory over HTTP through git's
// own http-backend, with faults injected on the way.
type gitServer struct {
	root     string
	url      string
	requests atomic.Int64

	mu    sync.Mutex
	fault gitFault
}

// A gitFault is what goes wrong with one request; n counts them from 1. It
// returns false to let the request through to w, which it may have wrapped.
type gitFault func(n int64, w *http.ResponseWriter, r *http.Request) (handled bool)

func newGitServer(t testing.TB) *gitServer {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	out, err := exec.Command(path, "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	backend := filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		t.Skip("git http-backend is not installed")
	}
	s := &gitServer{root: t.TempDir()}
	handler := &cgi.Handler{Path: backend, Dir: s.root, InheritEnv: []string{"PATH"}, Env: []string{
		"GIT_PROJECT_ROOT=" + s.root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*", "GIT_CONFIG_KEY_1=pack.threads", "GIT_CONFIG_VALUE_1=1",
	}}
	devnull, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	handler.Stderr = devnull
	t.Cleanup(func() { devnull.Close() })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := s.requests.Add(1)
		s.mu.Lock()
		f := s.fault
		s.mu.Unlock()
		if f != nil && f(n, &w, r) {
			return
		}
		if v := r.Header.Get("Git-Protocol"); v != "" {
			h := *handler
			h.Env = append(h.Env[:len(h.Env):len(h.Env)], "GIT_PROTOCOL="+v)
			h.ServeHTTP(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = nil
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// break_ sets what goes wrong from now on, counting requests anew; nil for nothing.
func (s *gitServer) break_(f gitFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests.Store(0)
	s.fault = f
}

// repo makes a repository on the server.
func (s *gitServer) repo(t testing.TB, name string) *gittest.Repo {
	return gittest.New(t, filepath.Join(s.root, name+".git"))
}

// A cutWriter lets some bytes of a response through.
type cutWriter struct {
	http.ResponseWriter
	left int
	cut  func(http.ResponseWriter)
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if len(p) <= c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	if c.left >= 0 {
		c.ResponseWriter.Write(p[:c.left])
		if f, ok := c.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		c.left = -1
		c.cut(c.ResponseWriter)
	}
	return len(p), nil // a server that goes on talking to nobody
}

// resetAfter closes the connection with a reset at byte n of a response.
func resetAfter(w *http.ResponseWriter, n int) {
	*w = &cutWriter{*w, n, func(w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}}
}

// truncateAfter ends a response at byte n as if it were complete.
func truncateAfter(w *http.ResponseWriter, n int) {
	*w = &cutWriter{*w, n, func(http.ResponseWriter) {}}
}

// isPack reports whether a request is the one that is answered with a pack.
func isPack(r *http.Request) bool { return r.Method == http.MethodPost }

func TestFetchFaults(t *testing.T) {
	t.Parallel()
	const attempts = 3
	// first breaks the first requests that match, and lets all later ones through.
	first := func(n int, match func(*http.Request) bool, f gitFault) gitFault {
		var count atomic.Int64
		return func(i int64, w *http.ResponseWriter, r *http.Request) bool {
			if match(r) && count.Add(1) <= int64(n) {
				return f(i, w, r)
			}
			return false
		}
	}
	always := func(*http.Request) bool { return true }
	status := func(code int, header ...string) gitFault {
		return func(_ int64, w *http.ResponseWriter, _ *http.Request) bool {
			for i := 0; i+1 < len(header); i += 2 {
				(*w).Header().Set(header[i], header[i+1])
			}
			http.Error(*w, http.StatusText(code), code)
			return true
		}
	}
	cut := func(f func(*http.ResponseWriter, int), n int) gitFault {
		return func(_ int64, w *http.ResponseWriter, _ *http.Request) bool {
			f(w, n)
			return false
		}
	}
	slow := func(_ int64, w *http.ResponseWriter, _ *http.Request) bool {
		*w = &slowWriter{*w}
		return false
	}
	hang := func(_ int64, w *http.ResponseWriter, r *http.Request) bool {
		select {
		case <-r.Context().Done():
		case <-time.After(4 * time.Second):
		}
		return true
	}
	loop := func(_ int64, w *http.ResponseWriter, r *http.Request) bool {
		http.Redirect(*w, r, r.URL.String(), http.StatusFound)
		return true
	}
	elsewhere := func(to string) gitFault {
		return func(_ int64, w *http.ResponseWriter, r *http.Request) bool {
			http.Redirect(*w, r, to+r.URL.String(), http.StatusFound)
			return true
		}
	}
	tests := []struct {
		name  string
		fault gitFault
		code  string        // expected error; empty for success
		wait  time.Duration // least time it must have taken
	}{
		{name: "none"},
		{name: "reset at byte 0", fault: first(2, always, cut(resetAfter, 0))},
		{name: "reset at byte 1 of the pack", fault: first(2, isPack, cut(resetAfter, 1))},
		{name: "reset at byte 700", fault: first(2, isPack, cut(resetAfter, 700))},
		{name: "reset at byte 3000", fault: first(2, isPack, cut(resetAfter, 3000))},
		{name: "reset always", fault: first(1000, isPack, cut(resetAfter, 700)), code: "fedora/network"},
		{name: "truncated at byte 10", fault: first(2, always, cut(truncateAfter, 10))},
		{name: "truncated pack", fault: first(2, isPack, cut(truncateAfter, 900))},
		{name: "truncated always", fault: first(1000, isPack, cut(truncateAfter, 900)), code: "fedora/network"},
		{name: "500 twice", fault: first(2, always, status(500))},
		{name: "500 always", fault: status(500), code: "fedora/network"},
		{name: "503 on the pack", fault: first(1, isPack, status(503))},
		{name: "404", fault: status(404), code: "fedora/no-repository"},
		{name: "401", fault: status(401, "WWW-Authenticate", `Basic realm="x"`), code: "fedora/refused"},
		{name: "403", fault: status(403), code: "fedora/refused"},
		{name: "429 with Retry-After", fault: first(1, always, status(429, "Retry-After", "1")), wait: time.Second},
		{name: "429 always", fault: status(429), code: "fedora/network"},
		{name: "slow", fault: slow},
		{name: "hangs once", fault: first(1, isPack, hang), wait: time.Second},
		{name: "redirect loop", fault: loop, code: "fedora/network"},
		{name: "redirect to a forbidden protocol", fault: elsewhere("ftp://127.0.0.1:1"), code: "fedora/network"},
		{name: "redirect to a file", fault: elsewhere("file://"), code: "fedora/network"},
		{name: "not git", fault: func(_ int64, w *http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprint(*w, "<html>hello</html>")
			return true
		}, code: "fedora/no-branch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := newGitServer(t)
			repo := server.repo(t, "rpms/pkg")
			mark := 0
			for i := range 40 {
				var parents []int
				if mark > 0 {
					parents = []int{mark}
				}
				mark = repo.Commit("f43", 1000+i, parents, gittest.File{Path: "pkg.spec", Content: fmt.Sprintf("Version: %d\n%s", i, gittest.Noise(i, 400))})
			}
			want := repo.Flush()[mark]
			server.break_(tt.fault)
			opt := Options{CacheDir: t.TempDir(), Retries: attempts - 1, AllowHTTP: true, Backoff: 5 * time.Millisecond, Stall: time.Second}
			s := openStore(t, opt)
			r := Request{URL: server.url + "/rpms/pkg.git", Branch: "f43", Component: "pkg"}
			start := time.Now()
			got, err := s.Fetch(t.Context(), r)
			if tt.code == "" {
				if err != nil {
					t.Fatalf("fetch failed: %v", err)
				}
				if got.Commit != want || !got.Network {
					t.Errorf("fetched %+v, want commit %s", got, want)
				}
			} else if !diag.HasCode(err, tt.code) {
				t.Fatalf("error %v, want code %s", err, tt.code)
			} else {
				t.Logf("%v", err)
			}
			if d := time.Since(start); d < tt.wait {
				t.Errorf("took %v, should have waited %v", d, tt.wait)
			}
			verifyClean(t, s)
			s.Close()

			// The next run finds nothing in its way, and one after it needs no network.
			server.break_(nil)
			s = openStore(t, opt)
			if got, err = s.Fetch(t.Context(), r); err != nil || got.Commit != want {
				t.Errorf("second fetch: %+v, %v", got, err)
			}
			verifyClean(t, s)
			s.Close()
			opt.Offline = true
			s = openStore(t, opt)
			snap, err := s.Snapshot(t.Context(), r.URL, want)
			if err != nil {
				t.Fatal(err)
			}
			if f := snap.Lookup("pkg.spec"); f == nil || f.Size < 400 {
				t.Errorf("snapshot holds %v", snap.Files)
			}
		})
	}
}

// A slowWriter sends a few bytes at a time.
type slowWriter struct{ http.ResponseWriter }

func (s *slowWriter) Write(p []byte) (int, error) {
	for i := 0; i < len(p); i += 2000 {
		if _, err := s.ResponseWriter.Write(p[i:min(i+2000, len(p))]); err != nil {
			return i, err
		}
		s.ResponseWriter.(http.Flusher).Flush()
		time.Sleep(20 * time.Millisecond)
	}
	return len(p), nil
}

func verifyClean(t *testing.T, s *Store) {
	t.Helper()
	v, err := s.Verify(context.Background(), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range v.Damages {
		t.Errorf("cache: %s: %s", d.Path, d.Problem)
	}
}
