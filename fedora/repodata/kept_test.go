package repodata

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"specgraft/fedora/lookaside"
)

// newKept opens an empty cache.
func newKept(t *testing.T, o lookaside.Options) *Kept {
	t.Helper()
	dir := t.TempDir()
	o.Dir, o.AllowHTTP, o.PerHost, o.Stall = filepath.Join(dir, "lookaside"), true, 1, time.Minute
	client := lookaside.Open(o)
	t.Cleanup(func() { client.Close() })
	return &Kept{Dir: filepath.Join(dir, "repodata"), Lookaside: client}
}

// TestKept fetches a repository, reads it from the cache, and fetches what changed.
func TestKept(t *testing.T) {
	t.Parallel()
	dir := metadataDir(t, ".gz", map[string]string{"primary": primaryXML, "filelists": filelistsXML}, nil)
	var requests atomic.Int64
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	ctx := context.Background()
	k := newKept(t, lookaside.Options{})

	if _, err := k.Reader(server.URL)(true, nil); !errors.Is(err, ErrNotKept) {
		t.Fatalf("before the fetch: %v", err)
	}
	fetch := func(new bool, want int64) {
		t.Helper()
		before := requests.Load()
		got, err := k.Fetch(ctx, server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if got.Packages != 1 || got.Bytes < 100 || got.New != new || got.Local {
			t.Errorf("%+v, want new %v", got, new)
		}
		if n := requests.Load() - before; n != want {
			t.Errorf("%d requests, want %d", n, want)
		}
	}
	read := func() []Built {
		t.Helper()
		before := requests.Load()
		got, err := k.Reader(server.URL)(true, nil)
		if err != nil || requests.Load() != before {
			t.Fatalf("%d requests, %v", requests.Load()-before, err)
		}
		return got
	}
	fetch(true, 3)
	fetch(false, 1) // the index alone
	want, err := ReadDir(dir, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("the cache has something else (-want +got):\n%s", diff)
	}

	// Damage shows, and the next fetch mends it.
	stored, err := filepath.Glob(filepath.Join(filepath.Dir(k.Dir), "lookaside", "sha256", "*", "*"))
	if err != nil || len(stored) != 2 {
		t.Fatalf("%v, %v", stored, err)
	}
	for _, path := range stored {
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Reader(server.URL)(true, nil); diagnosticCode(err) != "repodata/bad" || !strings.Contains(err.Error(), "has the checksum") {
		t.Errorf("damaged: %v", err)
	}
	fetch(true, 3)
	read()
	// What prune has removed is as if it had never been fetched.
	if err := os.Remove(stored[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Reader(server.URL)(true, nil); !errors.Is(err, ErrNotKept) {
		t.Errorf("removed: %v", err)
	}
	fetch(true, 2)

	// A repository that has gone bad takes nothing away.
	if err := os.WriteFile(filepath.Join(dir, "repodata", "repomd.xml"), []byte("<repomd>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Fetch(ctx, server.URL); diagnosticCode(err) != "repodata/bad" {
		t.Errorf("a bad index: %v", err)
	}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("after a failed fetch (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(k.path(server.URL), []byte(`{"address":"https://other.example"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Reader(server.URL)(false, nil); diagnosticCode(err) != "repodata/bad" {
		t.Errorf("an index of another repository: %v", err)
	}
}

// TestKeptLocal looks at a repository at a file:// address, which is not copied.
func TestKeptLocal(t *testing.T) {
	t.Parallel()
	dir := metadataDir(t, "", map[string]string{"primary": primaryXML, "filelists": filelistsXML}, nil)
	k := newKept(t, lookaside.Options{Offline: true})
	base := "file://" + filepath.ToSlash(dir)
	if got, err := k.Fetch(context.Background(), base); err != nil || !got.Local || got.Packages != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := k.Reader(base)(true, nil); err != nil || len(got) != 1 || len(got[0].Files) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"file://host/x", base + "/nowhere", "https://%zz"} {
		if _, err := k.Fetch(context.Background(), bad); err == nil {
			t.Errorf("%s is fetched", bad)
		}
		if _, err := k.Reader(bad)(true, nil); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
	if _, err := os.Stat(filepath.Dir(k.Dir) + "/lookaside"); err == nil {
		t.Error("something was copied into the cache")
	}
}

// TestKeptHostile fetches from servers that do not mean it well. Whatever they do,
// it is an error that names the repository, and nothing can be read afterwards.
func TestKeptHostile(t *testing.T) {
	t.Parallel()
	entry := func(kind, href string, data []byte, more string) string {
		return fmt.Sprintf(`<data type="%s"><checksum type="sha256">%x</checksum><location href="%s"/>%s</data>`, kind, sha256.Sum256(data), href, more)
	}
	index := func(entries ...string) []byte { return []byte("<repomd>" + strings.Join(entries, "") + "</repomd>") }
	good := []byte(primaryXML)
	bomb := gzipped([]byte("<metadata>" + strings.Repeat(" ", 20<<20) + "</metadata>"))
	entities := []byte(`<!DOCTYPE x [<!ENTITY a "&b;&b;&b;"><!ENTITY b "lol">]><metadata><package><name>&a;</name></package></metadata>`)
	pages := metadata{
		"/good/repodata/repomd.xml": index(entry("primary", "p.xml", good, "")), "/good/p.xml": good,
		"/cut/repodata/repomd.xml":   index(entry("primary", "p.xml", good, ""))[:60],
		"/other/repodata/repomd.xml": index(entry("primary", "p.xml", good, "")), "/other/p.xml": good[1:],
		"/short/repodata/repomd.xml": index(entry("primary", "p.xml", good[:400], "")), "/short/p.xml": good[:400],
		"/lost/repodata/repomd.xml":  index(entry("primary", "p.xml", good, "")),
		"/out/repodata/repomd.xml":   index(entry("primary", "../good/p.xml", good, "")),
		"/away/repodata/repomd.xml":  index(entry("primary", "https://evil.example/p.xml", good, "")),
		"/lists/repodata/repomd.xml": index(entry("primary", "p.xml", good, ""), entry("filelists", "/etc/passwd", good, "")), "/lists/p.xml": good,
		"/bomb/repodata/repomd.xml": index(entry("primary", "p.xml.gz", bomb, "")), "/bomb/p.xml.gz": bomb,
		"/entity/repodata/repomd.xml": index(entry("primary", "p.xml", entities, "")), "/entity/p.xml": entities,
		"/large/repodata/repomd.xml": index(entry("primary", "p.xml", good, "<size>10</size>")), "/large/p.xml": good,
		"/open/repodata/repomd.xml": index(entry("primary", "p.xml.gz", gzipped(good), "<open-size>10</open-size>")), "/open/p.xml.gz": gzipped(good),
		"/weak/repodata/repomd.xml": []byte(strings.ReplaceAll(string(index(entry("primary", "p.xml", good, ""))), "sha256", "md5")),
	}
	endless := func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 256<<10)); err != nil {
				return
			}
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/circle/"):
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/file/"):
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/endless/"):
			endless(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	for _, test := range []struct{ base, code string }{
		{"good", ""}, {"cut", "repodata/bad"}, {"other", "lookaside/checksum"}, {"short", "repodata/bad"}, {"lost", "lookaside/not-found"},
		{"out", "repodata/bad"}, {"away", "repodata/bad"}, {"lists", "repodata/bad"}, {"bomb", "repodata/bad"}, {"entity", "repodata/bad"},
		{"large", "lookaside/too-large"}, {"open", "repodata/bad"}, {"weak", "repodata/bad"}, {"circle", "lookaside/redirect"},
		{"file", "lookaside/network"}, {"endless", "lookaside/too-large"},
	} {
		k := newKept(t, lookaside.Options{Backoff: time.Millisecond})
		base := server.URL + "/" + test.base
		_, err := k.Fetch(context.Background(), base)
		if diagnosticCode(err) != test.code || (err == nil) != (test.code == "") {
			t.Errorf("%s: %v, want %q", test.base, err, test.code)
		}
		if err != nil && !strings.Contains(err.Error(), base) {
			t.Errorf("%s is not named in %v", base, err)
		}
		if _, rerr := k.Reader(base)(true, nil); (rerr == nil) != (err == nil) || err != nil && !errors.Is(rerr, ErrNotKept) {
			t.Errorf("%s: reading gives %v after %v", test.base, rerr, err)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := newKept(t, lookaside.Options{}).Fetch(ended, server.URL+"/good"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := newKept(t, lookaside.Options{Offline: true}).Fetch(context.Background(), server.URL+"/good"); diagnosticCode(err) != "fedora/offline" {
		t.Errorf("offline: %v", err)
	}
}
