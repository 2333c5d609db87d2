package fedora

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"specgraft/fedora/distgit"
	"specgraft/fedora/distgit/gittest"
	"specgraft/overlay/diag"
)

func fetchOptions(t testing.TB) Options {
	return Options{CacheDir: filepath.Join(t.TempDir(), "cache"), AllowHTTP: true, Retries: 1, Backoff: time.Millisecond, Stall: 5 * time.Second}
}

// TestFetchOnce follows a repository from an empty mirror to offline work, and
// counts what goes over the network.
func TestFetchOnce(t *testing.T) {
	t.Parallel()
	server := newGitServer(t)
	repo := server.repo(t, "pkg")
	ids := repo.History("f43", 0, 10)
	opt := fetchOptions(t)
	url := server.url + "/pkg.git"
	at := func(i int) time.Time { return time.Unix(int64(1_600_000_000+100*i+50), 0) }

	// Offline there is nothing, and the way out is named.
	opt.Offline = true
	s := openStore(t, opt)
	req := Request{URL: url, Branch: "f43", Snapshot: at(4), Component: "my-pkg"}
	_, err := s.Resolve(t.Context(), req)
	d := diagOf(err)
	if d == nil || d.Code != "fedora/offline" || !d.Env || !strings.Contains(d.Hint, `"specgraft fetch my-pkg"`) {
		t.Errorf("offline: %v", err)
	}
	if _, err := s.Fetch(t.Context(), req); !diag.HasCode(err, "fedora/offline") {
		t.Errorf("fetch offline: %v", err)
	}
	if n := server.requests.Load(); n != 0 {
		t.Errorf("%d requests while offline", n)
	}
	s.Close()

	// Resolving and reading fetches what is missing, once.
	opt.Offline = false
	s = openStore(t, opt)
	if got, err := s.Resolve(t.Context(), req); err != nil || got != ids[4] {
		t.Fatalf("resolve: %q, %v", got, err)
	}
	n := server.requests.Load()
	if n == 0 {
		t.Fatal("nothing was fetched")
	}
	if _, err := readSnapshot(t, s, url, ids[4]); err != nil {
		t.Fatal(err)
	}
	got, err := s.Fetch(t.Context(), req)
	if err != nil || got.Network || got.Commit != ids[4] {
		t.Errorf("fetch of what is there: %+v, %v", got, err)
	}
	r, err := s.Repo(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := r.Commit(ids[0]); err != nil || c.ID != ids[0] {
		t.Errorf("history: %v", err)
	}
	r.Close()
	if server.requests.Load() != n {
		t.Errorf("%d requests after the first fetch", server.requests.Load()-n)
	}
	s.Close()

	// Upstream goes on: the snapshot stays, the branch moves on a refresh alone.
	repo.Commit("f43", 1_600_000_000+1000, nil, gittest.File{Path: "pkg.spec", Content: "Version: 10\n"})
	next := repo.Flush()[repo.Mark]
	s = openStore(t, opt)
	head := Request{URL: url, Branch: "f43"}
	if got, err := s.Resolve(t.Context(), head); err != nil || got != ids[9] {
		t.Errorf("head as last fetched: %q, %v, want %s", got, err, ids[9])
	}
	head.Refresh = true
	if got, err := s.Resolve(t.Context(), head); err != nil || got != next {
		t.Errorf("head after a refresh: %q, %v, want %s", got, err, next)
	}
	s.Close()

	// A snapshot between the last fetch and now needs another one; one in the
	// future stands for the head. What is there needs no leave to use http.
	opt.Offline, opt.AllowHTTP = true, false
	s = openStore(t, opt)
	mirror := filepath.Join(opt.CacheDir, mustAddress(t, url).mirror)
	future := Request{URL: url, Branch: "f43", Snapshot: time.Now().Add(time.Hour), Component: "pkg"}
	if got, err := s.Resolve(t.Context(), future); err != nil || got != next {
		t.Errorf("snapshot in the future: %q, %v, want %s", got, err, next)
	}
	if err := writeFetchState(mirror, 1_650_000_000, "f43"); err != nil {
		t.Fatal(err)
	}
	later := Request{URL: url, Branch: "f43", Snapshot: time.Unix(1_660_000_000, 0), Component: "pkg"}
	if _, err := s.Resolve(t.Context(), later); !diag.HasCode(err, "fedora/offline") || !strings.Contains(err.Error(), "last fetched before the snapshot") {
		t.Errorf("snapshot after the last fetch: %v", err)
	}
	// All that was used works without network, and without git once it is warm.
	warm := openStore(t, Options{CacheDir: s.CacheDir(), Offline: true})
	warm.git.Path = filepath.Join(mirror, "no", "git")
	if got, err := warm.Resolve(t.Context(), req); err == nil {
		t.Errorf("resolved %q though the branch was replaced", got) // needs git: the head is another one now
	}
	if _, err := readSnapshot(t, warm, url, ids[4]); err != nil {
		t.Errorf("warm and offline: %v", err)
	}
	verifyClean(t, openStore(t, opt))
}

// TestRewrittenHistory replaces a branch under a pin.
func TestRewrittenHistory(t *testing.T) {
	t.Parallel()
	server := newGitServer(t)
	repo := server.repo(t, "pkg")
	ids := repo.History("f43", 0, 5)
	opt := fetchOptions(t)
	url := server.url + "/pkg.git"
	pin := Request{URL: url, Branch: "f43", Commit: ids[2], Component: "pkg"}
	s := openStore(t, opt)
	if _, err := s.Fetch(t.Context(), pin); err != nil {
		t.Fatal(err)
	}
	if _, err := readSnapshot(t, s, url, ids[2]); err != nil {
		t.Fatal(err)
	}
	s.Close()

	// The same trees under other commits; the old ones are gone for good.
	for i := range 5 {
		var p []int
		if i > 0 {
			p = []int{repo.Mark}
		}
		repo.Commit("f43", 1_700_000_000+i, p, gittest.File{Path: "pkg.spec", Content: fmt.Sprint("Version: ", i, "\n")})
	}
	byMark := repo.Flush()
	twin := byMark[repo.Mark-2]
	repo.Git("reflog", "expire", "--expire=all", "--all")
	repo.Git("gc", "-q", "--prune=now")
	if out := gittest.Run(t, repo.Dir, ids[2]+"\n", "cat-file", "--batch-check"); !strings.HasSuffix(out, "missing") {
		t.Fatalf("the test's server still has the commit: %s", out)
	}

	// In the mirror the pinned commit lives on, also through a refresh and a repack.
	s = openStore(t, opt)
	pin.Refresh = true
	got, err := s.Fetch(t.Context(), pin)
	if err != nil || got.Commit != ids[2] {
		t.Errorf("fetch with a pin that upstream lost: %+v, %v", got, err)
	}
	mirror := s.upstreams[url].mirrorDir
	gittest.Run(t, mirror, "", "gc", "-q", "--prune=now")
	r, err := s.Repo(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := r.Commit(ids[i]); err != nil {
			t.Errorf("commit %d behind the pin: %v", i, err)
		}
	}
	r.Close()
	verifyClean(t, s)
	s.Close()

	// With a new mirror but the old content cache, the twin is named.
	if err := os.RemoveAll(filepath.Join(opt.CacheDir, "mirror")); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, opt)
	_, err = s.Fetch(t.Context(), pin)
	d := diagOf(err)
	if d == nil || d.Code != "fedora/missing-commit" || d.Env || !strings.Contains(d.Hint, twin) {
		t.Errorf("a lost pin: %v, %+v, want the hint to name %s", err, d, twin)
	}
	s.Close()

	// With nothing left it is an error without a twin.
	opt.CacheDir = filepath.Join(t.TempDir(), "cache")
	s = openStore(t, opt)
	_, err = s.Snapshot(t.Context(), url, ids[2])
	if !diag.HasCode(err, "fedora/missing-commit") {
		t.Errorf("a lost pin without a trace: %v", err)
	}
}

func TestFetchPins(t *testing.T) {
	t.Parallel()
	server := newGitServer(t)
	repo := server.repo(t, "pkg")
	ids := repo.History("f43", 0, 3)
	other := repo.History("rawhide", 100, 3)
	url := server.url + "/pkg.git"
	tests := []struct {
		name   string
		req    Request
		commit string
		code   string
		text   string
	}{
		{"on the branch", Request{Branch: "f43", Commit: ids[1]}, ids[1], "", ""},
		{"on another branch", Request{Branch: "f43", Commit: other[101]}, other[101], "", ""},
		{"abbreviated", Request{Branch: "f43", Commit: ids[0][:10]}, ids[0], "", ""},
		{"abbreviated, on another branch", Request{Branch: "f43", Commit: other[100][:10]}, other[100], "", ""},
		{"without a branch", Request{Commit: ids[1]}, ids[1], "", ""},
		{"branch is gone, commit is not", Request{Branch: "f41", Commit: ids[1]}, ids[1], "", ""},
		{"unknown commit", Request{Branch: "f43", Commit: idA}, "", "fedora/missing-commit", "0123456789ab"},
		{"unknown abbreviation", Request{Branch: "f43", Commit: idA[:9]}, "", "fedora/missing-commit", "012345678"},
		{"unknown branch", Request{Branch: "f44"}, "", "fedora/no-branch", "f43"},
	}
	for _, shallow := range []bool{false, true} {
		for _, tt := range tests {
			t.Run(fmt.Sprint(tt.name, " shallow=", shallow), func(t *testing.T) {
				t.Parallel()
				s := openStore(t, fetchOptions(t))
				tt.req.URL, tt.req.Shallow = url, shallow
				got, err := s.Fetch(t.Context(), tt.req)
				if tt.code != "" {
					d := diagOf(err)
					if d == nil || d.Code != tt.code || !strings.Contains(d.Message+d.Hint, tt.text) || d.Env {
						t.Errorf("%+v, %v %+v", got, err, d)
					}
					return
				}
				if err != nil || got.Commit != tt.commit {
					t.Fatalf("%+v, %v, want %s", got, err, tt.commit)
				}
				if _, err := readSnapshot(t, s, url, tt.commit); err != nil {
					t.Error(err)
				}
				verifyClean(t, s)
			})
		}
	}
}

// TestShallow fetches one commit alone, and the rest when somebody asks.
func TestShallow(t *testing.T) {
	t.Parallel()
	server := newGitServer(t)
	repo := server.repo(t, "pkg")
	ids := repo.History("f43", 0, 30)
	url := server.url + "/pkg.git"
	opt := fetchOptions(t)
	s := openStore(t, opt)
	req := Request{URL: url, Branch: "f43", Commit: ids[20], Shallow: true, Component: "pkg"}
	if got, err := s.Fetch(t.Context(), req); err != nil || got.Commit != ids[20] {
		t.Fatalf("%+v, %v", got, err)
	}
	mirror := s.upstreams[url].mirrorDir
	if n := gittest.Run(t, mirror, "", "rev-list", "--count", "--all"); n != "1" {
		t.Errorf("%s commits in a shallow mirror", n)
	}
	if _, err := readSnapshot(t, s, url, ids[20]); err != nil {
		t.Error(err)
	}
	verifyClean(t, s)
	s.Close()

	opt.Offline = true
	s = openStore(t, opt)
	if _, err := s.Resolve(t.Context(), req); err != nil {
		t.Error(err)
	}
	if _, err := s.Repo(t.Context(), url); !diag.HasCode(err, "fedora/offline") {
		t.Errorf("history of a shallow mirror, offline: %v", err)
	}
	s.Close()

	opt.Offline = false
	s = openStore(t, opt)
	if _, err := s.Resolve(t.Context(), req); err != nil {
		t.Error(err)
	}
	r, err := s.Repo(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Commit(ids[0]); err != nil {
		t.Errorf("the root after completing the history: %v", err)
	}
	if r.Shallow() != nil {
		t.Error("still shallow")
	}
	r.Close()
	if got, err := s.Resolve(t.Context(), Request{URL: url, Branch: "f43", Snapshot: time.Unix(1_600_000_000+550, 0)}); err != nil || got != ids[5] {
		t.Errorf("snapshot: %q, %v, want %s", got, err, ids[5])
	}
	verifyClean(t, s)
}

// TestMirrors puts mirrors in front of the address.
func TestMirrors(t *testing.T) {
	t.Parallel()
	origin, site := newGitServer(t), newGitServer(t)
	repo := origin.repo(t, "pkg")
	ids := repo.History("f43", 0, 5)
	copied := filepath.Join(site.root, "copy", "pkg.git")
	gittest.Run(t, site.root, "", "clone", "-q", "--mirror", repo.Dir, copied)
	url := origin.url + "/pkg.git"
	fetch := func(r Request) (Fetched, error) {
		s := openStore(t, fetchOptions(t))
		r.URL, r.Branch = url, "f43"
		got, err := s.Fetch(t.Context(), r)
		if err == nil {
			_, err = readSnapshot(t, s, url, got.Commit)
		}
		return got, err
	}
	if got, err := fetch(Request{Mirrors: []string{site.url + "/copy/pkg.git"}}); err != nil || got.Commit != ids[4] || origin.requests.Load() != 0 {
		t.Errorf("from the mirror: %+v, %v, %d requests to upstream", got, err, origin.requests.Load())
	}
	if got, err := fetch(Request{Mirrors: []string{"file://" + copied}}); err != nil || got.Commit != ids[4] || got.Network {
		t.Errorf("from a mirror on disk: %+v, %v", got, err)
	}
	if got, err := fetch(Request{Mirrors: []string{site.url + "/none/pkg.git", "file:///none/pkg.git"}}); err != nil || got.Commit != ids[4] {
		t.Errorf("with mirrors that lack it: %+v, %v", got, err)
	}
	site.break_(func(_ int64, w *http.ResponseWriter, _ *http.Request) bool {
		http.Error(*w, "down", http.StatusBadGateway)
		return true
	})
	if got, err := fetch(Request{Mirrors: []string{site.url + "/copy/pkg.git"}}); err != nil || got.Commit != ids[4] {
		t.Errorf("with a mirror that is down: %+v, %v", got, err)
	}
	site.break_(nil)
	// The mirror is behind upstream.
	repo.Commit("f43", 1_600_009_000, nil, gittest.File{Path: "pkg.spec", Content: "new"})
	pin := repo.Flush()[repo.Mark]
	for _, m := range []string{site.url + "/copy/pkg.git", "file://" + copied} {
		if got, err := fetch(Request{Mirrors: []string{m}, Commit: pin}); err != nil || got.Commit != pin {
			t.Errorf("with a mirror that is behind: %+v, %v", got, err)
		}
	}
	if _, err := fetch(Request{Mirrors: []string{"ext::sh -c true"}}); !diag.HasCode(err, "fedora/bad-url") {
		t.Errorf("a forbidden mirror: %v", err)
	}
}

// TestFetchShared lets several stores, as several processes would, fetch the
// same repositories into one mirror at once.
func TestFetchShared(t *testing.T) {
	t.Parallel()
	server := newGitServer(t)
	want := map[string]string{}
	for i := range 6 {
		name := fmt.Sprint("pkg", i)
		want[name] = server.repo(t, name).History("f43", 0, 4)[3]
	}
	opt := fetchOptions(t)
	var wg sync.WaitGroup
	for range 4 {
		s := openStore(t, opt)
		for name, id := range want {
			wg.Go(func() {
				got, err := s.Fetch(t.Context(), Request{URL: server.url + "/" + name + ".git", Branch: "f43", Snapshot: time.Unix(1_700_000_000, 0)})
				if err != nil || got.Commit != id {
					t.Errorf("%s: %+v, %v", name, got, err)
				}
			})
		}
	}
	wg.Wait()
	verifyClean(t, openStore(t, opt))
}

// TestFetchInterrupted cancels in the middle of a pack and goes on afterwards,
// also over what a killed git leaves behind.
func TestFetchInterrupted(t *testing.T) {
	t.Parallel()
	server := newGitServer(t)
	repo := server.repo(t, "pkg")
	ids := repo.History("f43", 0, 5)
	opt := fetchOptions(t)
	s := openStore(t, opt)
	ctx, cancel := context.WithCancel(t.Context())
	server.break_(func(n int64, w *http.ResponseWriter, r *http.Request) bool {
		if n == 3 {
			cancel()
			io.Copy(io.Discard, r.Body) // only then the server notices that the client is gone
			select {
			case <-r.Context().Done():
			case <-time.After(3 * time.Second):
			}
			return true
		}
		return false
	})
	req := Request{URL: server.url + "/pkg.git", Branch: "f43"}
	if _, err := s.Fetch(ctx, req); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted fetch: %v", err)
	}
	mirror := s.upstreams[req.URL].mirrorDir
	s.Close()
	server.break_(nil)
	for _, name := range []string{"packed-refs.lock", "refs/heads/f43.lock", "shallow.lock"} {
		writeFile(t, filepath.Join(mirror, name), "")
	}
	writeFile(t, filepath.Join(mirror, "objects", "pack", "tmp_pack_abc"), "half")
	s = openStore(t, opt)
	if got, err := s.Fetch(t.Context(), req); err != nil || got.Commit != ids[4] {
		t.Errorf("after an interruption: %+v, %v", got, err)
	}
	verifyClean(t, s)
}

// TestSecrets holds that passwords in addresses reach no message.
func TestSecrets(t *testing.T) {
	t.Parallel()
	server := newGitServer(t)
	server.repo(t, "pkg").History("f43", 0, 1)
	for _, status := range []int{401, 403, 404, 429, 500} {
		server.break_(func(_ int64, w *http.ResponseWriter, _ *http.Request) bool {
			http.Error(*w, "no", status)
			return true
		})
		var mu sync.Mutex
		var logged []string
		opt := fetchOptions(t)
		opt.Log = func(l string) {
			mu.Lock()
			defer mu.Unlock()
			logged = append(logged, l)
		}
		s := openStore(t, opt)
		_, err := s.Fetch(t.Context(), Request{URL: strings.Replace(server.url, "://", "://someone:hunter2@", 1) + "/pkg.git", Branch: "f43"})
		if err == nil {
			t.Fatalf("%d: no error", status)
		}
		all := fmt.Sprintf("%v %+v %q", err, diagOf(err), logged)
		if strings.Contains(all, "hunter2") || strings.Contains(all, "someone") {
			t.Errorf("%d: the password is in %s", status, all)
		}
		files, _ := filesBelow(opt.CacheDir)
		for _, f := range files {
			if data, _ := os.ReadFile(f); strings.Contains(string(data), "hunter2") || strings.Contains(f, "hunter2") {
				t.Errorf("%d: the password is in %s", status, f)
			}
		}
	}
}

func TestRedirectIsReported(t *testing.T) {
	t.Parallel()
	server, other := newGitServer(t), newGitServer(t)
	ids := other.repo(t, "pkg").History("f43", 0, 2)
	server.break_(func(_ int64, w *http.ResponseWriter, r *http.Request) bool {
		http.Redirect(*w, r, other.url+r.URL.String(), http.StatusMovedPermanently)
		return true
	})
	opt := fetchOptions(t)
	var mu sync.Mutex
	var logged []string
	opt.Log = func(l string) {
		mu.Lock()
		defer mu.Unlock()
		logged = append(logged, l)
	}
	s := openStore(t, opt)
	if got, err := s.Fetch(t.Context(), Request{URL: server.url + "/pkg.git", Branch: "f43"}); err != nil || got.Commit != ids[1] {
		t.Errorf("%+v, %v", got, err)
	}
	if all := strings.Join(logged, "\n"); !strings.Contains(all, "redirects to another host: "+other.url) {
		t.Errorf("logged: %s", all)
	}
}

func mustAddress(t *testing.T, url string) *address {
	t.Helper()
	a, err := parseAddress(url, true)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestHugeObject reads a repository with a file that declares a tebibyte.
func TestHugeObject(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	var loose bytes.Buffer
	z := zlib.NewWriter(&loose)
	io.WriteString(z, "blob 1099511627776\x00abc")
	z.Close()
	writeFile(t, filepath.Join(r.Dir, "objects", idA[:2], idA[2:]), loose.String())
	commit := r.RawTree("f43", gittest.Entry{Name: "huge", Mode: distgit.ModeRegular, ID: idA}, gittest.Entry{Name: "pkg.spec", Mode: distgit.ModeRegular, ID: r.Blob("x")})
	s := openStore(t, Options{})
	if _, err := s.Snapshot(t.Context(), r.URL(), commit); !diag.HasCode(err, "fedora/too-large") {
		t.Errorf("snapshot: %v", err)
	}
	repo, err := distgit.OpenWorktree(t.Context(), r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	if _, err := repo.Blob(idA); !diag.HasCode(err, "fedora/too-large") {
		t.Errorf("blob: %v", err)
	}
	repo.Prefetch(idA)
	if data, err := repo.ReadFile(commit, "pkg.spec"); err != nil || string(data) != "x" {
		t.Errorf("after a huge one: %q, %v", data, err)
	}
}

// TestServerDown fetches much from a server that is not there.
func TestServerDown(t *testing.T) {
	t.Parallel()
	server := newGitServer(t)
	var count atomic.Int64
	server.break_(func(_ int64, w *http.ResponseWriter, _ *http.Request) bool {
		count.Add(1)
		http.Error(*w, "down", http.StatusServiceUnavailable)
		return true
	})
	s := openStore(t, fetchOptions(t))
	for i := range 3 * maxLost {
		_, err := s.Fetch(t.Context(), Request{URL: fmt.Sprintf("%s/pkg%d.git", server.url, i), Branch: "f43"})
		d := diagOf(err)
		if d == nil || d.Code != "fedora/network" || !d.Env || strings.Contains(d.Message, "given up") != (i >= maxLost) {
			t.Errorf("fetch %d: %v", i, err)
		}
	}
	if n := count.Load(); n > 2*maxLost {
		t.Errorf("%d requests to a server that is down", n)
	}
}
