package fedora

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"specgraft/fedora/distgit"
	"specgraft/fedora/distgit/gittest"
	"specgraft/fedora/snapshot"
	"specgraft/overlay/diag"

	"github.com/google/go-cmp/cmp"
)

// TestResolveSnapshot compares with git rev-list on histories in which clocks
// run wrong and branches are merged.
func TestResolveSnapshot(t *testing.T) {
	t.Parallel()
	for seed := range 6 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 99))
		r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
		gittest.RandomHistory(r, rnd, 80, true)
		r.Flush()
		if seed%2 == 0 {
			r.Git("pack-refs", "--all")
		}
		s := openStore(t, Options{Offline: true})
		for range 25 {
			at := time.Unix(int64(1_600_000_000-200+rnd.IntN(4500)), 0)
			want := r.Git("rev-list", "-1", "--first-parent", fmt.Sprintf("--before=@%d", at.Unix()), "f43")
			got, err := s.Resolve(t.Context(), Request{URL: r.URL(), Branch: "f43", Snapshot: at})
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
		got, err := s.Resolve(t.Context(), Request{URL: r.URL(), Branch: "f43"})
		if want := r.Git("rev-parse", "f43"); err != nil || got != want {
			t.Errorf("head: %q, %v, want %s", got, err, want)
		}
	}
}

func TestResolveCommit(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	for i := range 400 {
		var p []int
		if i > 0 {
			p = []int{i}
		}
		r.Commit("f43", 1000+i, p, gittest.File{Path: "x", Content: fmt.Sprint(i)})
	}
	ids := r.Flush()
	r.Git("update-ref", "refs/heads/other", ids[100])
	s := openStore(t, Options{Offline: true})
	resolve := func(q Request) (string, error) {
		q.URL = r.URL()
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
	blob := r.Blob("x")
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
		if int64(len(data)) != f.Size || (distgit.Object{Kind: "blob", Data: data}).ID(len(f.ID) == 64) != f.ID {
			t.Errorf("%s: size %d, id %s do not fit %q", f.Path, f.Size, f.ID, data)
		}
		list = append(list, fmt.Sprintf("%o %s %s", f.Mode, f.Path, data))
	}
	return list, nil
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	mark := r.Commit("f43", 1000, nil,
		gittest.File{Path: "pkg.spec", Content: "spec"},
		gittest.File{Path: "run.sh", Mode: "100755", Content: "#!"},
		gittest.File{Path: "empty", Content: ""},
		gittest.File{Path: "back\\slash and blank", Content: "b"},
		gittest.File{Path: "line\nfeed", Content: "l"},
		gittest.File{Path: "latin-\xe9/\xff", Content: "1"},
		gittest.File{Path: "sub/deep/file", Content: "deep"},
		gittest.File{Path: "sub/up", Mode: "120000", Content: "../pkg.spec"},
		gittest.File{Path: "link", Mode: "120000", Content: "chain"},
		gittest.File{Path: "chain", Mode: "120000", Content: "./sub/../sub/deep/file"},
		gittest.File{Path: "script", Mode: "120000", Content: "run.sh"},
		gittest.File{Path: "dir", Mode: "120000", Content: "sub/deep"},
		gittest.File{Path: "through", Mode: "120000", Content: "dir/file"},
		gittest.File{Path: "module", Mode: "160000", Content: idA},
		gittest.File{Path: "export", Content: "$Format:%H$"},
		gittest.File{Path: ".gitattributes", Content: "export export-subst\nempty export-ignore\n* text eol=crlf\n"},
	)
	commit := r.Flush()[mark]
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
			s.git.Path = filepath.Join(cache, "no", "git") // nothing may be started
		}
		got, err := readSnapshot(t, s, r.URL(), commit)
		if err != nil {
			t.Fatalf("%s: %v", round, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", round, diff)
		}
		snap, err := s.Snapshot(t.Context(), r.URL(), commit)
		if err != nil || snap.Tree != r.Git("rev-parse", commit+"^{tree}") {
			t.Errorf("%s: tree %v, %v", round, snap, err)
		}
		if snap.Lookup("sub/up") == nil || snap.Lookup("sub") != nil || snap.Lookup("zzz") != nil {
			t.Errorf("%s: lookup is wrong", round)
		}
		s.Close()
	}
	s := openStore(t, Options{})
	if _, err := s.Snapshot(t.Context(), r.URL(), idA); !diag.HasCode(err, "fedora/missing-commit") {
		t.Errorf("missing commit: %v", err)
	}
	if _, err := s.Snapshot(t.Context(), r.URL(), "f43"); !diag.HasCode(err, "fedora/bad-ref") {
		t.Errorf("a branch in place of a commit: %v", err)
	}
}

// TestSnapshotHostile gives trees and links that a server can send but nobody
// may write to disk.
func TestSnapshotHostile(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	blob := r.Blob("x")
	link := func(target string) func() string {
		return func() string {
			return r.RawTree("b", gittest.Entry{Name: "link", Mode: distgit.ModeSymlink, ID: r.Blob(target)}, gittest.Entry{Name: "x", Mode: distgit.ModeRegular, ID: blob})
		}
	}
	tree := func(entries ...gittest.Entry) func() string {
		return func() string { return r.RawTree("b", entries...) }
	}
	subtree := func(entries ...gittest.Entry) string {
		r.RawTree("b", entries...)
		return r.Git("rev-parse", "b^{tree}")
	}
	deep := func(n int) string {
		id := subtree(gittest.Entry{Name: "f", Mode: distgit.ModeRegular, ID: blob})
		for range n {
			id = subtree(gittest.Entry{Name: "d", Mode: distgit.ModeDir, ID: id})
		}
		return id
	}
	wide := func() string {
		id := subtree(gittest.Entry{Name: "f", Mode: distgit.ModeRegular, ID: blob})
		for range 9 { // 10^9 files in a few kilobytes
			var list []gittest.Entry
			for i := range 10 {
				list = append(list, gittest.Entry{Name: fmt.Sprint(i), Mode: distgit.ModeDir, ID: id})
			}
			id = subtree(list...)
		}
		return r.RawTree("b", gittest.Entry{Name: "d", Mode: distgit.ModeDir, ID: id})
	}
	linkBomb := func() string {
		var list []gittest.Entry
		for i := range 30 {
			var in []gittest.Entry
			for k := range 10 {
				in = append(in, gittest.Entry{Name: fmt.Sprint(k), Mode: distgit.ModeSymlink, ID: r.Blob(fmt.Sprintf("../%02d", i+1))})
			}
			list = append(list, gittest.Entry{Name: fmt.Sprintf("%02d", i), Mode: distgit.ModeDir, ID: subtree(in...)})
		}
		list = append(list, gittest.Entry{Name: "30", Mode: distgit.ModeDir, ID: subtree(gittest.Entry{Name: "f", Mode: distgit.ModeRegular, ID: blob})})
		return r.RawTree("b", list...)
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
		{"loop of two", tree(gittest.Entry{Name: "a", Mode: distgit.ModeSymlink, ID: r.Blob("b")}, gittest.Entry{Name: "b", Mode: distgit.ModeSymlink, ID: r.Blob("a")}), "fedora/bad-symlink"},
		{"link to a submodule", tree(gittest.Entry{Name: "a", Mode: distgit.ModeSymlink, ID: r.Blob("m/x")}, gittest.Entry{Name: "m", Mode: distgit.ModeSubmodule, ID: idA}), "fedora/bad-symlink"},
		{"dot dot", tree(gittest.Entry{Name: "..", Mode: distgit.ModeRegular, ID: blob}), "fedora/bad-tree"},
		{"dot dot directory", tree(gittest.Entry{Name: "..", Mode: distgit.ModeDir, ID: subtree(gittest.Entry{Name: "f", Mode: distgit.ModeRegular, ID: blob})}), "fedora/bad-tree"},
		{"dot", tree(gittest.Entry{Name: ".", Mode: distgit.ModeRegular, ID: blob}), "fedora/bad-tree"},
		{"git directory", tree(gittest.Entry{Name: ".git", Mode: distgit.ModeDir, ID: subtree(gittest.Entry{Name: "config", Mode: distgit.ModeRegular, ID: blob})}), "fedora/bad-tree"},
		{"git directory in capitals", tree(gittest.Entry{Name: ".GiT", Mode: distgit.ModeRegular, ID: blob}), "fedora/bad-tree"},
		{"slash in a name", tree(gittest.Entry{Name: "../../etc/cron.d/x", Mode: distgit.ModeRegular, ID: blob}), "fedora/bad-tree"},
		{"absolute name", tree(gittest.Entry{Name: "/etc/cron.d/x", Mode: distgit.ModeRegular, ID: blob}), "fedora/bad-tree"},
		{"name twice", tree(gittest.Entry{Name: "a", Mode: distgit.ModeSymlink, ID: r.Blob("/etc")}, gittest.Entry{Name: "a", Mode: distgit.ModeDir, ID: subtree(gittest.Entry{Name: "f", Mode: distgit.ModeRegular, ID: blob})}), "fedora/bad-tree"},
		{"overlong name", tree(gittest.Entry{Name: strings.Repeat("n", 300), Mode: distgit.ModeRegular, ID: blob}), "fedora/bad-tree"},
		{"deep", func() string { return r.RawTree("b", gittest.Entry{Name: "d", Mode: distgit.ModeDir, ID: deep(70)}) }, "fedora/too-large"},
		{"wide", wide, "fedora/too-large"},
		{"links that multiply", linkBomb, "fedora/too-large"},
		{"missing file", tree(gittest.Entry{Name: "f", Mode: distgit.ModeRegular, ID: idB}), "fedora/unreadable-repository"},
		{"missing directory", tree(gittest.Entry{Name: "d", Mode: distgit.ModeDir, ID: idB}), "fedora/unreadable-repository"},
		{"commit as file", func() string {
			return r.RawTree("b", gittest.Entry{Name: "f", Mode: distgit.ModeRegular, ID: r.Git("rev-parse", "b")})
		}, "fedora/unreadable-repository"},
	}
	cache := filepath.Join(t.TempDir(), "cache")
	s := openStore(t, Options{CacheDir: cache})
	for _, tt := range tests {
		commit := tt.make()
		_, err := s.Snapshot(t.Context(), r.URL(), commit)
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
		r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
		mark := r.Commit("f43", 1000, nil, gittest.File{Path: "pkg.spec", Content: "spec"}, gittest.File{Path: "big", Content: gittest.Noise(1, size)}, gittest.File{Path: "z", Content: "z"})
		commit := r.Flush()[mark]
		s := openStore(t, Options{})
		want, err := readSnapshot(t, s, r.URL(), commit)
		if err != nil {
			t.Fatal(err)
		}
		path := snapshot.Path(s.CacheDir(), commit)
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
			if problem := snapshot.Verify(path); problem == "" {
				t.Errorf("%s: verify sees nothing", what)
			}
			got, err := readSnapshot(t, s, r.URL(), commit)
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
		snap, err := s.Snapshot(t.Context(), r.URL(), commit)
		if err != nil {
			t.Fatal(err)
		}
		os.Remove(path)
		if data, err := snap.Lookup("big").Bytes(); err != nil || string(data) != gittest.Noise(1, size) {
			t.Errorf("read after a prune: %d bytes, %v", len(data), err)
		}
	}
}

// TestSnapshotConcurrent lets several stores on one cache directory, as several
// processes would be, read the same and different commits at once.
func TestSnapshotConcurrent(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	for i := range 8 {
		var p []int
		if i > 0 {
			p = []int{i}
		}
		r.Commit("f43", 1000+i, p, gittest.File{Path: "pkg.spec", Content: fmt.Sprint("spec ", i)}, gittest.File{Path: "data", Content: gittest.Noise(i, 90_000)})
	}
	ids := r.Flush()
	cache := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		s := openStore(t, Options{CacheDir: cache})
		for k := range 16 {
			wg.Go(func() {
				i := k%8 + 1
				id, err := s.Resolve(t.Context(), Request{URL: r.URL(), Branch: "f43", Snapshot: time.Unix(int64(1000+i-1), 0)})
				if err != nil || id != ids[i] {
					t.Errorf("resolved %q, %v, want %s", id, err, ids[i])
					return
				}
				got, err := readSnapshot(t, s, r.URL(), id)
				want := []string{"644 data " + gittest.Noise(i-1, 90_000), fmt.Sprint("644 pkg.spec spec ", i-1)}
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
