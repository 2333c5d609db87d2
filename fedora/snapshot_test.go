package fedora

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"specgraft/overlay/diag"

	"github.com/google/go-cmp/cmp"
)

// TestResolveSnapshot compares with git rev-list on histories in which clocks
// run wrong and branches are merged.
func TestResolveSnapshot(t *testing.T) {
	t.Parallel()
	for seed := range 6 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 99))
		r := newTestRepo(t, filepath.Join(t.TempDir(), "r.git"))
		randomHistory(r, rnd, 80, true)
		r.flush()
		if seed%2 == 0 {
			r.git("pack-refs", "--all")
		}
		s := openStore(t, Options{Offline: true})
		for range 25 {
			at := time.Unix(int64(1_600_000_000-200+rnd.IntN(4500)), 0)
			want := r.git("rev-list", "-1", "--first-parent", fmt.Sprintf("--before=@%d", at.Unix()), "f43")
			got, err := s.Resolve(t.Context(), Request{URL: r.url(), Branch: "f43", Snapshot: at})
			if want == "" {
				if !diag.HasCode(err, "fedora/no-snapshot") {
					t.Errorf("seed %d at %d: %q, %v, want that there is no commit", seed, at.Unix(), got, err)
				}
				continue
			}
			if err != nil || got != want {
				t.Errorf("seed %d at %d: %q, %v, want %s", seed, at.Unix(), got, err, want)
			}
		}
		got, err := s.Resolve(t.Context(), Request{URL: r.url(), Branch: "f43"})
		if want := r.git("rev-parse", "f43"); err != nil || got != want {
			t.Errorf("head: %q, %v, want %s", got, err, want)
		}
	}
}

func TestResolveCommit(t *testing.T) {
	t.Parallel()
	r := newTestRepo(t, filepath.Join(t.TempDir(), "r.git"))
	for i := range 400 {
		var p []int
		if i > 0 {
			p = []int{i}
		}
		r.commit("f43", 1000+i, p, testFile{path: "x", content: fmt.Sprint(i)})
	}
	ids := r.flush()
	r.git("update-ref", "refs/heads/other", ids[100])
	s := openStore(t, Options{Offline: true})
	resolve := func(q Request) (string, error) {
		q.URL = r.url()
		return s.Resolve(t.Context(), q)
	}
	for _, c := range []string{ids[7], strings.ToUpper(ids[7]), ids[7][:12], strings.ToUpper(ids[7][:9])} {
		if got, err := resolve(Request{Branch: "f43", Commit: c}); err != nil || got != ids[7] {
			t.Errorf("commit %s: %q, %v", c, got, err)
		}
	}
	tests := []struct {
		name string
		req  Request
		code string
		hint string
	}{
		{"unknown abbreviation", Request{Branch: "f43", Commit: "0000000"}, "fedora/missing-commit", "upstream-commit"},
		{"too short", Request{Branch: "f43", Commit: "abc"}, "fedora/bad-ref", ""},
		{"no hex", Request{Branch: "f43", Commit: "--upload"}, "fedora/bad-ref", ""},
		{"no branch", Request{Branch: "f34"}, "fedora/no-branch", "f43"},
		{"option", Request{Branch: "--all"}, "fedora/bad-ref", ""},
		{"nothing", Request{}, "fedora/bad-ref", ""},
		{"too early", Request{Branch: "f43", Snapshot: time.Unix(999, 0)}, "fedora/no-snapshot", "later snapshot"},
	}
	for _, tt := range tests {
		_, err := resolve(tt.req)
		d := diagOf(err)
		if d == nil || d.Code != tt.code || !strings.Contains(d.Hint, tt.hint) {
			t.Errorf("%s: %v, want %s with a hint about %q", tt.name, err, tt.code, tt.hint)
		}
	}
	blob := r.blob("x")
	if got, err := resolve(Request{Branch: "f43", Commit: blob[:10]}); !diag.HasCode(err, "fedora/missing-commit") {
		t.Errorf("a blob as commit: %q, %v", got, err)
	}
}

func TestNoRepository(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "file"), "x")
	s := openStore(t, Options{})
	for _, name := range []string{"none.git", "file", "."} {
		_, err := s.Resolve(t.Context(), Request{URL: "file://" + filepath.Join(dir, name), Branch: "f43"})
		if d := diagOf(err); d == nil || d.Code != "fedora/no-repository" || d.Env {
			t.Errorf("%s: %v", name, err)
		}
		_, err = s.Snapshot(t.Context(), "file://"+filepath.Join(dir, name), idA)
		if !diag.HasCode(err, "fedora/no-repository") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// read returns the files of a commit as "mode path content".
func readSnapshot(t testing.TB, s *Store, url, commit string) ([]string, error) {
	t.Helper()
	snap, err := s.Snapshot(t.Context(), url, commit)
	if err != nil {
		return nil, err
	}
	var list []string
	for i := range snap.Files {
		f := &snap.Files[i]
		data, err := f.Bytes()
		if err != nil {
			return nil, err
		}
		if int64(len(data)) != f.Size || (Object{"blob", data}).ID(len(f.ID) == 64) != f.ID {
			t.Errorf("%s: size %d, id %s do not fit %q", f.Path, f.Size, f.ID, data)
		}
		list = append(list, fmt.Sprintf("%o %s %s", f.Mode, f.Path, data))
	}
	return list, nil
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	r := newTestRepo(t, filepath.Join(t.TempDir(), "r.git"))
	mark := r.commit("f43", 1000, nil,
		testFile{path: "pkg.spec", content: "spec"},
		testFile{path: "run.sh", mode: "100755", content: "#!"},
		testFile{path: "empty", content: ""},
		testFile{path: "back\\slash and blank", content: "b"},
		testFile{path: "line\nfeed", content: "l"},
		testFile{path: "latin-\xe9/\xff", content: "1"},
		testFile{path: "sub/deep/file", content: "deep"},
		testFile{path: "sub/up", mode: "120000", content: "../pkg.spec"},
		testFile{path: "link", mode: "120000", content: "chain"},
		testFile{path: "chain", mode: "120000", content: "./sub/../sub/deep/file"},
		testFile{path: "script", mode: "120000", content: "run.sh"},
		testFile{path: "dir", mode: "120000", content: "sub/deep"},
		testFile{path: "through", mode: "120000", content: "dir/file"},
		testFile{path: "module", mode: "160000", content: idA},
		testFile{path: "export", content: "$Format:%H$"},
		testFile{path: ".gitattributes", content: "export export-subst\nempty export-ignore\n* text eol=crlf\n"},
	)
	commit := r.flush()[mark]
	want := []string{
		"644 .gitattributes export export-subst\nempty export-ignore\n* text eol=crlf\n",
		"644 back\\slash and blank b",
		"644 chain deep",
		"644 dir/file deep",
		"644 empty ",
		"644 export $Format:%H$",
		"644 latin-\xe9/\xff 1",
		"644 line\nfeed l",
		"644 link deep",
		"644 pkg.spec spec",
		"755 run.sh #!",
		"755 script #!",
		"644 sub/deep/file deep",
		"644 sub/up spec",
		"644 through deep",
	}
	cache := t.TempDir()
	for _, round := range []string{"cold", "warm"} {
		s := openStore(t, Options{CacheDir: cache})
		if round == "warm" {
			s.git.once.Do(func() { s.git.err = errors.New("a process was started") })
		}
		got, err := readSnapshot(t, s, r.url(), commit)
		if err != nil {
			t.Fatalf("%s: %v", round, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", round, diff)
		}
		snap, err := s.Snapshot(t.Context(), r.url(), commit)
		if err != nil || snap.Tree != r.git("rev-parse", commit+"^{tree}") {
			t.Errorf("%s: tree %v, %v", round, snap, err)
		}
		if snap.Lookup("sub/up") == nil || snap.Lookup("sub") != nil || snap.Lookup("zzz") != nil {
			t.Errorf("%s: lookup is wrong", round)
		}
		s.Close()
	}
	s := openStore(t, Options{})
	if _, err := s.Snapshot(t.Context(), r.url(), idA); !diag.HasCode(err, "fedora/missing-commit") {
		t.Errorf("missing commit: %v", err)
	}
	if _, err := s.Snapshot(t.Context(), r.url(), "f43"); !diag.HasCode(err, "fedora/bad-ref") {
		t.Errorf("a branch in place of a commit: %v", err)
	}
}

// TestSnapshotHostile gives trees and links that a server can send but nobody
// may write to disk.
func TestSnapshotHostile(t *testing.T) {
	t.Parallel()
	r := newTestRepo(t, filepath.Join(t.TempDir(), "r.git"))
	blob := r.blob("x")
	link := func(target string) func() string {
		return func() string {
			return r.rawTree("b", TreeEntry{"link", ModeSymlink, r.blob(target)}, TreeEntry{"x", ModeRegular, blob})
		}
	}
	tree := func(entries ...TreeEntry) func() string {
		return func() string { return r.rawTree("b", entries...) }
	}
	subtree := func(entries ...TreeEntry) string {
		r.rawTree("b", entries...)
		return r.git("rev-parse", "b^{tree}")
	}
	deep := func(n int) string {
		id := subtree(TreeEntry{"f", ModeRegular, blob})
		for range n {
			id = subtree(TreeEntry{"d", ModeDir, id})
		}
		return id
	}
	wide := func() string {
		id := subtree(TreeEntry{"f", ModeRegular, blob})
		for range 9 { // 10^9 files in a few kilobytes
			var list []TreeEntry
			for i := range 10 {
				list = append(list, TreeEntry{fmt.Sprint(i), ModeDir, id})
			}
			id = subtree(list...)
		}
		return r.rawTree("b", TreeEntry{"d", ModeDir, id})
	}
	linkBomb := func() string {
		var list []TreeEntry
		for i := range 30 {
			var in []TreeEntry
			for k := range 10 {
				in = append(in, TreeEntry{fmt.Sprint(k), ModeSymlink, r.blob(fmt.Sprintf("../%02d", i+1))})
			}
			list = append(list, TreeEntry{fmt.Sprintf("%02d", i), ModeDir, subtree(in...)})
		}
		list = append(list, TreeEntry{"30", ModeDir, subtree(TreeEntry{"f", ModeRegular, blob})})
		return r.rawTree("b", list...)
	}
	tests := []struct {
		name string
		make func() string
		code string
	}{
		{"absolute link", link("/etc/passwd"), "fedora/bad-symlink"},
		{"link out of the commit", link("../../etc/passwd"), "fedora/bad-symlink"},
		{"link out and in", link("../x"), "fedora/bad-symlink"},
		{"link to itself", link("link"), "fedora/bad-symlink"},
		{"link to nothing", link("none"), "fedora/bad-symlink"},
		{"link through a file", link("x/y"), "fedora/bad-symlink"},
		{"empty link", link(""), "fedora/bad-symlink"},
		{"link to the directory it is in", link("."), "fedora/bad-symlink"},
		{"link with NUL", link("x\x00/../../etc/passwd"), "fedora/bad-symlink"},
		{"endless target", link(strings.Repeat("x/../", 2000) + "x"), "fedora/bad-symlink"},
		{"loop of two", tree(TreeEntry{"a", ModeSymlink, r.blob("b")}, TreeEntry{"b", ModeSymlink, r.blob("a")}), "fedora/bad-symlink"},
		{"link to a submodule", tree(TreeEntry{"a", ModeSymlink, r.blob("m/x")}, TreeEntry{"m", ModeSubmodule, idA}), "fedora/bad-symlink"},
		{"dot dot", tree(TreeEntry{"..", ModeRegular, blob}), "fedora/bad-tree"},
		{"dot dot directory", tree(TreeEntry{"..", ModeDir, subtree(TreeEntry{"f", ModeRegular, blob})}), "fedora/bad-tree"},
		{"dot", tree(TreeEntry{".", ModeRegular, blob}), "fedora/bad-tree"},
		{"git directory", tree(TreeEntry{".git", ModeDir, subtree(TreeEntry{"config", ModeRegular, blob})}), "fedora/bad-tree"},
		{"git directory in capitals", tree(TreeEntry{".GiT", ModeRegular, blob}), "fedora/bad-tree"},
		{"slash in a name", tree(TreeEntry{"../../etc/cron.d/x", ModeRegular, blob}), "fedora/bad-tree"},
		{"absolute name", tree(TreeEntry{"/etc/cron.d/x", ModeRegular, blob}), "fedora/bad-tree"},
		{"name twice", tree(TreeEntry{"a", ModeSymlink, r.blob("/etc")}, TreeEntry{"a", ModeDir, subtree(TreeEntry{"f", ModeRegular, blob})}), "fedora/bad-tree"},
		{"overlong name", tree(TreeEntry{strings.Repeat("n", 300), ModeRegular, blob}), "fedora/bad-tree"},
		{"deep", func() string { return r.rawTree("b", TreeEntry{"d", ModeDir, deep(70)}) }, "fedora/too-large"},
		{"wide", wide, "fedora/too-large"},
		{"links that multiply", linkBomb, "fedora/too-large"},
		{"missing file", tree(TreeEntry{"f", ModeRegular, idB}), "fedora/unreadable-repository"},
		{"missing directory", tree(TreeEntry{"d", ModeDir, idB}), "fedora/unreadable-repository"},
		{"commit as file", func() string { return r.rawTree("b", TreeEntry{"f", ModeRegular, r.git("rev-parse", "b")}) }, "fedora/unreadable-repository"},
	}
	cache := filepath.Join(t.TempDir(), "cache")
	s := openStore(t, Options{CacheDir: cache})
	for _, tt := range tests {
		commit := tt.make()
		_, err := s.Snapshot(t.Context(), r.url(), commit)
		if !diag.HasCode(err, tt.code) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.code)
		}
	}
	files, err := filesBelow(cache)
	if err != nil || len(files) > 0 {
		t.Errorf("left in the cache: %v, %v", files, err)
	}
}

// TestSnapshotDamage damages the cache file in every way that a disk or a
// killed process can, and expects the right bytes all the same.
func TestSnapshotDamage(t *testing.T) {
	t.Parallel()
	for _, size := range []int{200, 200_000} {
		r := newTestRepo(t, filepath.Join(t.TempDir(), "r.git"))
		mark := r.commit("f43", 1000, nil, testFile{path: "pkg.spec", content: "spec"}, testFile{path: "big", content: noise(1, size)}, testFile{path: "z", content: "z"})
		commit := r.flush()[mark]
		s := openStore(t, Options{})
		want, err := readSnapshot(t, s, r.url(), commit)
		if err != nil {
			t.Fatal(err)
		}
		path := snapPath(s.CacheDir(), commit)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		step := max(1, len(good)/40)
		check := func(what string, damaged []byte) {
			t.Helper()
			if err := os.WriteFile(path, damaged, 0o666); err != nil {
				t.Fatal(err)
			}
			if problem := verifySnapshot(path); problem == "" {
				t.Errorf("%s: verify sees nothing", what)
			}
			got, err := readSnapshot(t, s, r.url(), commit)
			if err != nil || !cmp.Equal(got, want) {
				t.Errorf("%s: %v", what, err)
			}
			if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, good) {
				t.Errorf("%s: the cache file was not made again", what)
			}
		}
		for n := 0; n < len(good); n += step {
			check(fmt.Sprintf("%d: cut at %d", size, n), good[:n])
			flipped := bytes.Clone(good)
			flipped[n] ^= 0x40
			check(fmt.Sprintf("%d: bit at %d", size, n), flipped)
		}
		for n := len(good) - 80; n < len(good); n += 7 {
			flipped := bytes.Clone(good)
			flipped[n] ^= 1
			check(fmt.Sprintf("%d: bit at %d", size, n), flipped)
		}
		check("appended", append(bytes.Clone(good), 'x'))
		check("empty", nil)

		// Gone while in use, as by a prune.
		snap, err := s.Snapshot(t.Context(), r.url(), commit)
		if err != nil {
			t.Fatal(err)
		}
		os.Remove(path)
		if data, err := snap.Lookup("big").Bytes(); err != nil || string(data) != noise(1, size) {
			t.Errorf("read after a prune: %d bytes, %v", len(data), err)
		}
	}
}

// TestSnapshotConcurrent lets several stores on one cache directory, as several
// processes would be, read the same and different commits at once.
func TestSnapshotConcurrent(t *testing.T) {
	t.Parallel()
	r := newTestRepo(t, filepath.Join(t.TempDir(), "r.git"))
	for i := range 8 {
		var p []int
		if i > 0 {
			p = []int{i}
		}
		r.commit("f43", 1000+i, p, testFile{path: "pkg.spec", content: fmt.Sprint("spec ", i)}, testFile{path: "data", content: noise(i, 90_000)})
	}
	ids := r.flush()
	cache := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		s := openStore(t, Options{CacheDir: cache})
		for k := range 16 {
			wg.Go(func() {
				i := k%8 + 1
				id, err := s.Resolve(t.Context(), Request{URL: r.url(), Branch: "f43", Snapshot: time.Unix(int64(1000+i-1), 0)})
				if err != nil || id != ids[i] {
					t.Errorf("resolved %q, %v, want %s", id, err, ids[i])
					return
				}
				got, err := readSnapshot(t, s, r.url(), id)
				want := []string{"644 data " + noise(i-1, 90_000), fmt.Sprint("644 pkg.spec spec ", i-1)}
				if err != nil || !cmp.Equal(got, want) {
					t.Errorf("commit %d: %v", i, err)
				}
			})
		}
	}
	wg.Wait()
	if files, err := filesBelow(filepath.Join(cache, "snapshots")); err != nil || len(files) != 8 {
		t.Errorf("%d files in the cache, %v", len(files), err)
	}
	if bad := verifyFacts(factsPath(cache)); bad > 0 {
		t.Errorf("%d bad lines of facts", bad)
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "facts")
	f := &facts{path: path}
	f.put("a", idA)
	f.put("b", idB)
	f.put("b", idB)
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Count(string(data), idB) != 1 {
		t.Errorf("file %q, %v", data, err)
	}
	// A line without its end, a forged line, rubbish.
	data = append(data, "00000000 c "+idA+"\nrubbish\n"+factLine("d", idA)[:30]...)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	f = &facts{path: path}
	f.put("e", idB)
	f.close()
	if bad := verifyFacts(path); bad != 3 {
		t.Errorf("%d bad lines, want 3", bad)
	}
	f = &facts{path: path}
	for key, want := range map[string]string{"a": idA, "b": idB, "c": "", "d": "", "e": idB} {
		if got, ok := f.get(key); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v, want %q", key, got, ok, want)
		}
	}
	if err := repairFacts(path); err != nil || verifyFacts(path) != 0 {
		t.Errorf("repair: %v, %d bad lines left", err, verifyFacts(path))
	}
}

// FuzzSnapFile reads arbitrary bytes as a snapshot file.
func FuzzSnapFile(f *testing.F) {
	for _, n := range []int{0, 1, 3} {
		var b bytes.Buffer
		w := newSnapWriter(&b)
		x := &snapIndex{commit: idA, tree: idB}
		for i := range n {
			content := noise(i, 10*i)
			e, err := w.blob(strings.NewReader(content), int64(len(content)))
			if err != nil {
				f.Fatal(err)
			}
			x.files = append(x.files, File{Path: fmt.Sprintf("dir/%d", i), Mode: 0o644 | fs.FileMode(i%2)*0o111, Size: int64(len(content)), ID: idA})
			x.where = append(x.where, e)
		}
		if err := w.finish(x); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), false)
		f.Add(x.encode(), true)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte, index bool) {
		if index { // behind the checksum
			x, err := decodeIndex(data, 1<<20)
			if err == nil {
				if again, err := decodeIndex(x.encode(), 1<<20); err != nil || !cmp.Equal(again.files, x.files, cmp.Comparer(func(a, b File) bool { return a.Path == b.Path && a.ID == b.ID && a.Mode == b.Mode && a.Size == b.Size })) {
					t.Fatalf("written again it reads %v", err)
				}
			}
			return
		}
		path := filepath.Join(dir, "snap")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := readSnapFile(path, "", make([]byte, smallSnap))
		if err != nil {
			return
		}
		for i := range s.files {
			if data, err := s.bytes(i); err == nil && int64(len(data)) != s.files[i].Size {
				t.Fatalf("%d bytes for a size of %d", len(data), s.files[i].Size)
			}
		}
	})
}
