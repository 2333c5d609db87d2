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

// wanted are the files that the repository of the tests has, and others.
var wanted = []string{"/etc/other", "/nowhere", "/usr/bin/lib-config", "/usr/share/lib.txt", "/usr/share/x", "/x"}

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

	if _, err := k.Reader(server.URL)(wanted); !errors.Is(err, ErrNotKept) {
		t.Fatalf("before the fetch: %v", err)
	}
	fetch := func(new bool, want int64) {
		t.Helper()
		before := requests.Load()
		got, err := k.Fetch(ctx, server.URL, false)
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
		got, err := k.Reader(server.URL)(wanted)
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

	// Damage to the second form does no harm, and the next fetch mends it.
	index := func() keptIndex {
		t.Helper()
		x, err := k.index(server.URL)
		if err != nil || x.Packages == "" || x.Files == "" {
			t.Fatalf("%+v, %v", x, err)
		}
		return x
	}
	place := func(digest string) string {
		return filepath.Join(filepath.Dir(k.Dir), "lookaside", "sha512", digest[:2], digest[2:])
	}
	spoil := func(paths ...string) {
		t.Helper()
		for _, path := range paths {
			if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, digest := range []string{index().Packages, index().Files} {
		spoil(place(digest))
		if diff := cmp.Diff(want, read()); diff != "" {
			t.Errorf("without the second form (-want +got):\n%s", diff)
		}
	}
	fetch(false, 1)
	if _, err := k.indexed(index(), wanted); err != nil {
		t.Errorf("the second form is not mended: %v", err)
	}

	// Damage to all shows, and the next fetch mends that, too.
	stored, err := filepath.Glob(filepath.Join(filepath.Dir(k.Dir), "lookaside", "sha256", "*", "*"))
	if err != nil || len(stored) != 2 {
		t.Fatalf("%v, %v", stored, err)
	}
	spoil(append(stored, place(index().Packages))...)
	if _, err := k.Reader(server.URL)(wanted); diagnosticCode(err) != "repodata/bad" || !strings.Contains(err.Error(), "has the checksum") {
		t.Errorf("damaged: %v", err)
	}
	fetch(true, 3)
	read()
	spoil(place(index().SHA512), place(index().Packages))
	if _, err := k.Reader(server.URL)(wanted); diagnosticCode(err) != "repodata/bad" || !strings.Contains(err.Error(), "repomd.xml: ") {
		t.Errorf("damaged index: %v", err)
	}
	fetch(false, 1)
	// What prune has removed is as if it had never been fetched.
	for _, path := range []string{stored[0], stored[1], place(index().Packages)} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Reader(server.URL)(wanted); !errors.Is(err, ErrNotKept) {
		t.Errorf("removed: %v", err)
	}
	fetch(true, 3)

	// A repository that has gone bad takes nothing away.
	if err := os.WriteFile(filepath.Join(dir, "repodata", "repomd.xml"), []byte("<repomd>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Fetch(ctx, server.URL, false); diagnosticCode(err) != "repodata/bad" {
		t.Errorf("a bad index: %v", err)
	}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("after a failed fetch (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(k.path(server.URL), []byte(`{"address":"https://other.example"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Reader(server.URL)(nil); diagnosticCode(err) != "repodata/bad" {
		t.Errorf("an index of another repository: %v", err)
	}
}

// TestMetalink finds the mirrors of a repository, of which one is behind the others.
func TestMetalink(t *testing.T) {
	t.Parallel()
	dir := metadataDir(t, ".gz", map[string]string{"primary": primaryXML, "filelists": filelistsXML}, nil)
	repomd, err := os.ReadFile(filepath.Join(dir, "repodata", "repomd.xml"))
	if err != nil {
		t.Fatal(err)
	}
	link, files := "", http.StripPrefix("/good", http.FileServer(http.Dir(dir)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/metalink" && r.URL.RawQuery == "arch=x":
			fmt.Fprint(w, link)
		case strings.HasPrefix(r.URL.Path, "/old/"):
			fmt.Fprint(w, "<repomd/>")
		default:
			files.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	at := server.URL + "/metalink?arch=x"
	hash := fmt.Sprintf(`<hash type="md5">00</hash><hash type="sha256">%x</hash>`, sha256.Sum256(repomd))
	mirror := func(name string) string {
		return "<url protocol=\"http\">" + server.URL + name + "/repodata/repomd.xml</url>"
	}
	write := func(hash, urls string) string {
		return `<metalink version="3.0"><files><file name="repomd.xml"><verification>` + hash + `</verification><resources>` + urls + `</resources></file></files></metalink>`
	}
	link = write(hash, mirror("/old")+mirror("/gone")+mirror("/good"))
	k := newKept(t, lookaside.Options{Backoff: time.Millisecond})
	for i := range 2 {
		if got, err := k.Fetch(t.Context(), at, true); err != nil || got.Packages != 1 || got.New != (i == 0) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if got, err := k.Reader(at)(wanted); err != nil || len(got) != 1 || len(got[0].Files) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	for _, test := range []struct{ link, code, want string }{
		{write(strings.Replace(hash, `"sha256">`, `"sha256">0`, 1), mirror("/good")), "lookaside/hash-type", ""},
		{write(hash, mirror("/old")), "lookaside/checksum", ""},
		{write(hash, mirror("/gone")), "lookaside/not-found", ""},
		{write("<hash type=\"md5\">00</hash>", mirror("/good")), "repodata/bad", "neither a SHA-256"},
		{write(hash, "<url>file:///etc/repodata/repomd.xml</url><url>rsync://a/repodata/repomd.xml</url>"), "repodata/bad", "names no mirror"},
		{write(hash, "")[:60], "repodata/bad", "not readable"}, {"<metalink/>", "repodata/bad", "not about"},
		{`<!DOCTYPE x [<!ENTITY a "b">]><metalink>&a;</metalink>`, "repodata/bad", "not readable"},
		{strings.Repeat("x", maxRepomd+1), "lookaside/too-large", ""},
	} {
		link = test.link
		k := newKept(t, lookaside.Options{Backoff: time.Millisecond})
		if _, err := k.Fetch(t.Context(), at, true); diagnosticCode(err) != test.code || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.200s: %v, want %s %q", test.link, err, test.code, test.want)
		}
	}
	if m, err := parseMetalink([]byte(write(hash, mirror("/good"))), false); err == nil {
		t.Errorf("mirrors without encryption are taken: %v", m)
	}
}

// TestPackageLines writes packages in their second form and reads them back.
func TestPackageLines(t *testing.T) {
	t.Parallel()
	list := []Built{
		{Name: "a", Arch: "noarch", EVR: "1:2-3", Source: "a-2-3.src.rpm", Provides: []string{"x = 1", ""}, Files: []string{"/b", "/c"},
			Needs: map[string][]string{"Requires": {"r"}, "Recommends": {"c", "d"}, "Suggests": {"g"}, "Supplements": {"p"}, "Enhances": {"e"}}},
		{Name: "b"},
	}
	lines, err := packageLines(list)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readPackageLines(lines, map[string]bool{"/b": true, "/c": true})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(list, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, bad := range []Built{{Name: "a\tb"}, {Name: "a\nb"}, {Name: "a", Provides: []string{"x\ny"}}, {Name: "a", Files: []string{"/x\r"}}} {
		if _, err := packageLines([]Built{bad}); err == nil {
			t.Errorf("%+v is written", bad)
		}
	}
	for _, bad := range []string{"\n", "Px\n", "Na\tb\n", "Na\tb\tc\td\n?\n"} {
		if list, err := readPackageLines(strings.NewReader(bad), nil); err == nil {
			t.Errorf("%q is read as %v", bad, list)
		}
	}
}

// TestFileTable finds files of many packages.
func TestFileTable(t *testing.T) {
	t.Parallel()
	table := &fileTable{}
	for pkg := range 50 {
		table.add(pkg, "/usr/share/common")
		for i := range 20 {
			table.add(pkg, fmt.Sprintf("/usr/share/%d/%d", pkg, i))
		}
	}
	k := newKept(t, lookaside.Options{})
	digest, err := k.keep(t.Context(), table.reader())
	if err != nil {
		t.Fatal(err)
	}
	c, err := k.Lookaside.Lookup("SHA512", digest)
	if err != nil || c == nil {
		t.Fatal(c, err)
	}
	list := make([]Built, 50)
	paths := []string{"/usr/share/common", "/usr/share/0/0", "/usr/share/49/19", "/usr/share/50/0", ""}
	if err := findFiles(c, list, paths); err != nil {
		t.Fatal(err)
	}
	for i, b := range list {
		want := paths[:1]
		switch i {
		case 0:
			want = paths[:2]
		case 49:
			want = []string{paths[0], paths[2]}
		}
		if d := cmp.Diff(want, b.Files); d != "" {
			t.Errorf("package %d (-want +got):\n%s", i, d)
		}
	}
	if err := findFiles(c, list[:10], paths); err == nil {
		t.Error("a table of more packages is taken")
	}
}

// TestKeptLocal looks at a repository at a file:// address, which is not copied.
func TestKeptLocal(t *testing.T) {
	t.Parallel()
	dir := metadataDir(t, "", map[string]string{"primary": primaryXML, "filelists": filelistsXML}, nil)
	k := newKept(t, lookaside.Options{Offline: true})
	base := "file://" + filepath.ToSlash(dir)
	if got, err := k.Fetch(context.Background(), base, false); err != nil || !got.Local || got.Packages != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := k.Reader(base)(wanted); err != nil || len(got) != 1 || len(got[0].Files) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"file://host/x", base + "/nowhere", "https://%zz"} {
		if _, err := k.Fetch(context.Background(), bad, false); err == nil {
			t.Errorf("%s is fetched", bad)
		}
		if _, err := k.Reader(bad)(wanted); err == nil {
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
		_, err := k.Fetch(context.Background(), base, false)
		if diagnosticCode(err) != test.code || (err == nil) != (test.code == "") {
			t.Errorf("%s: %v, want %q", test.base, err, test.code)
		}
		if err != nil && !strings.Contains(err.Error(), base) {
			t.Errorf("%s is not named in %v", base, err)
		}
		if _, rerr := k.Reader(base)(wanted); (rerr == nil) != (err == nil) || err != nil && !errors.Is(rerr, ErrNotKept) {
			t.Errorf("%s: reading gives %v after %v", test.base, rerr, err)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := newKept(t, lookaside.Options{}).Fetch(ended, server.URL+"/good", false); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := newKept(t, lookaside.Options{Offline: true}).Fetch(context.Background(), server.URL+"/good", false); diagnosticCode(err) != "fedora/offline" {
		t.Errorf("offline: %v", err)
	}
}
