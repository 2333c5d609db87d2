package fedora

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"specgraft/fedora/cache"
	"specgraft/fedora/distgit/gittest"
	"specgraft/fedora/snapshot"
)

// TestVerify damages each kind of thing in the cache and expects it to be
// found, removed, and made again.
func TestVerify(t *testing.T) {
	t.Parallel()
	server := newGitServer(t)
	ids := server.repo(t, "pkg").History("f43", 0, 20)
	opt := fetchOptions(t)
	url := server.url + "/pkg.git"
	req := Request{URL: url, Branch: "f43", Snapshot: time.Unix(1_600_000_950, 0)}
	fill := func() {
		t.Helper()
		s := openStore(t, opt)
		defer s.Close()
		if got, err := s.Fetch(t.Context(), req); err != nil || got.Commit != ids[9] {
			t.Fatalf("%+v, %v", got, err)
		}
		if got, err := readSnapshot(t, s, url, ids[9]); err != nil || len(got) != 1 {
			t.Fatalf("%q, %v", got, err)
		}
		src := filepath.Join(opt.CacheDir, "lookaside", "md5", "5d", "41402abc4b2a76b9719d911017c592")
		writeFile(t, src, "hello")
	}
	fill()
	s := openStore(t, opt)
	v, err := s.Verify(t.Context(), false, nil)
	if err != nil || v.Repositories != 1 || v.Snapshots != 1 || v.Sources != 1 || len(v.Damages) != 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	flip := func(path string, at int) {
		t.Helper()
		os.Chmod(path, 0o666)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[(at+len(data))%len(data)] ^= 1
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cut := func(path string, at int64) {
		t.Helper()
		os.Chmod(path, 0o666) // packs are not for writing
		if err := os.Truncate(path, at); err != nil {
			t.Fatal(err)
		}
	}
	one := func(pattern string) string {
		t.Helper()
		list, err := filepath.Glob(filepath.Join(opt.CacheDir, pattern))
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %v, %v", pattern, list, err)
		}
		return list[0]
	}
	const mirror = "mirror/v1/http/*/pkg.git/"
	tests := []struct {
		name   string
		damage func()
		part   string // of the damaged path
	}{
		{"snapshot content", func() { flip(one("snapshots/v1/*/*"), 12) }, "snapshots/"},
		{"snapshot index", func() { flip(one("snapshots/v1/*/*"), -30) }, "snapshots/"},
		{"snapshot cut off", func() { cut(one("snapshots/v1/*/*"), 20) }, "snapshots/"},
		{"source", func() { flip(one("lookaside/md5/*/*"), 1) }, "lookaside/"},
		{"pack", func() { flip(one(mirror+"objects/pack/*.pack"), 100) }, "mirror/"},
		{"pack cut off", func() { cut(one(mirror+"objects/pack/*.pack"), 200) }, "mirror/"},
		{"pack index", func() { flip(one(mirror+"objects/pack/*.idx"), 1100) }, "mirror/"},
		{"pack gone", func() { os.Remove(one(mirror + "objects/pack/*.pack")); os.Remove(one(mirror + "objects/pack/*.idx")) }, "mirror/"},
		{"ref", func() { writeFile(t, one(mirror+"refs/heads/f43"), "zzz\n") }, "mirror/"},
		{"ref to nothing", func() { writeFile(t, one(mirror+"refs/heads/f43"), idA+"\n") }, "mirror/"},
		{"no repository", func() { os.Remove(one(mirror + "HEAD")) }, "mirror/"},
		{"facts", func() { flip(factsPath(opt.CacheDir), 20) }, "commits"},
	}
	for _, tt := range tests {
		tt.damage()
		v, err := s.Verify(t.Context(), false, nil)
		if err != nil || !slices.ContainsFunc(v.Damages, func(d Damage) bool { return strings.HasPrefix(d.Path, tt.part) && d.Problem != "" && !d.Repaired }) {
			t.Errorf("%s: %+v, %v", tt.name, v, err)
		}
		v, err = s.Verify(t.Context(), true, nil)
		if err != nil || len(v.Damages) == 0 || !v.Damages[0].Repaired {
			t.Errorf("%s: repair: %+v, %v", tt.name, v, err)
		}
		verifyClean(t, s)
		fill()
		verifyClean(t, s)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	ids := r.History("f43", 0, 2)
	s := openStore(t, Options{})
	for _, id := range ids {
		if _, err := readSnapshot(t, s, r.URL(), id); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-100 * 24 * time.Hour)
	old := func(path string) {
		t.Helper()
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	leftover := filepath.Join(s.CacheDir(), "snapshots", "v1", "ab", cache.TempPrefix+"123")
	fresh := filepath.Join(s.CacheDir(), "snapshots", "v1", "ab", cache.TempPrefix+"456")
	pack := filepath.Join(s.CacheDir(), "mirror", "v1", "https", "h", "p.git", "objects", "pack", "tmp_pack_x")
	for _, path := range []string{leftover, fresh, pack} {
		writeFile(t, path, "half")
	}
	old(leftover)
	old(pack)
	old(snapshot.Path(s.CacheDir(), ids[0]))
	p, err := s.Prune(t.Context(), 0)
	if err != nil || p.Files != 2 || p.Bytes != 8 {
		t.Errorf("%+v, %v", p, err)
	}
	p, err = s.Prune(t.Context(), 30*24*time.Hour)
	if err != nil || p.Files != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	for path, want := range map[string]bool{leftover: false, pack: false, fresh: true, snapshot.Path(s.CacheDir(), ids[0]): false, snapshot.Path(s.CacheDir(), ids[1]): true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got, err := readSnapshot(t, s, r.URL(), ids[0]); err != nil || len(got) != 1 {
		t.Errorf("after pruning: %q, %v", got, err)
	}
	if list, err := s.Usage(); err != nil || len(list) != 2 || list[1].Part != "snapshots" || list[1].Files != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	empty := openStore(t, Options{})
	if p, err := empty.Prune(t.Context(), 0); err != nil || *p != (Pruned{}) {
		t.Errorf("%+v, %v", p, err)
	}
	if list, err := empty.Usage(); err != nil || list != nil {
		t.Errorf("%+v, %v", list, err)
	}
	if v, err := empty.Verify(t.Context(), true, nil); err != nil || len(v.Damages) > 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestRepack fetches a branch that is rewritten again and again, prunes, and
// finds all of it in one pack.
func TestRepack(t *testing.T) {
	t.Parallel()
	server := newGitServer(t)
	repo := server.repo(t, "pkg")
	opt := fetchOptions(t)
	url := server.url + "/pkg.git"
	var commits []string
	for i := range maxPacks + 1 {
		repo.Commit("f43", 1_600_000_000+i, nil, gittest.File{Path: "pkg.spec", Content: gittest.Noise(i, 300)})
		commits = append(commits, repo.Flush()[repo.Mark])
		s := openStore(t, opt)
		if _, err := s.Fetch(t.Context(), Request{URL: url, Branch: "f43", Refresh: true}); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	s := openStore(t, opt)
	p, err := s.Prune(t.Context(), 0)
	if err != nil || p.Repacked != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	for i, id := range commits {
		got, err := readSnapshot(t, s, url, id)
		if err != nil || !bytes.Contains([]byte(got[0]), []byte(gittest.Noise(i, 300))) {
			t.Errorf("commit %d after a repack: %v", i, err)
		}
	}
	verifyClean(t, s)
}
