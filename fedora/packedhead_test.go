package fedora

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestPackedHead moves a branch that stands in packed-refs in all ways; each time
// the store has to see it, in the same run and in a later one, though it reads the
// file only once while nothing happens.
func TestPackedHead(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	line := func(id string) string {
		return "# pack-refs with: peeled fully-peeled sorted \n" + id + " refs/heads/f43\n"
	}
	tests := map[string]struct {
		move func(dir string) error
		want string
	}{
		"nothing": {func(string) error { return nil }, a},
		"replaced": {func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/packed-refs.lock", []byte(line(b)), 0o666), os.Rename(dir+"/packed-refs.lock", dir+"/packed-refs"))
		}, b},
		"written over, time put back": {func(dir string) error {
			p := dir + "/packed-refs"
			st, err := os.Stat(p)
			if err != nil {
				return err
			}
			return errors.Join(os.WriteFile(p, []byte(line(b)), 0o666), os.Chtimes(p, st.ModTime(), st.ModTime()))
		}, b},
		"with another size": {func(dir string) error {
			return os.WriteFile(dir+"/packed-refs", []byte(line(b)+a+" refs/tags/v1\n"), 0o666)
		}, b},
		"a mode": {func(dir string) error { return os.Chmod(dir+"/packed-refs", 0o600) }, a},
		"written by a clock that is ahead": {func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/packed-refs", []byte(line(b)), 0o666), os.Chtimes(dir+"/packed-refs", time.Time{}, time.Now().Add(48*time.Hour)))
		}, b},
		"written by a clock that was set back": {func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/packed-refs", []byte(line(b)), 0o666), os.Chtimes(dir+"/packed-refs", time.Time{}, time.Unix(1, 0)))
		}, b},
		"a file of its own": {func(dir string) error { return os.WriteFile(dir+"/refs/heads/f43", []byte(b+"\n"), 0o666) }, b},
		"a symbolic ref": {func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/refs/heads/main", []byte(b+"\n"), 0o666), os.WriteFile(dir+"/refs/heads/f43", []byte("ref: refs/heads/main\n"), 0o666))
		}, b},
		"gone": {func(dir string) error { return os.Remove(dir + "/packed-refs") }, ""},
		"a link": {func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/other", []byte(line(b)), 0o666), os.Remove(dir+"/packed-refs"), os.Symlink("other", dir+"/packed-refs"))
		}, b},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, cacheDir := filepath.Join(t.TempDir(), "x.git"), t.TempDir()
			for _, d := range []string{"objects", "refs/heads"} {
				if err := os.MkdirAll(filepath.Join(dir, d), 0o777); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(os.WriteFile(dir+"/HEAD", []byte("ref: refs/heads/f43\n"), 0o666), os.WriteFile(dir+"/packed-refs", []byte(line(a)), 0o666)); err != nil {
				t.Fatal(err)
			}
			open := func() *Store {
				s, err := Open(Options{CacheDir: cacheDir, Offline: true})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { s.Close() })
				return s
			}
			head := func(s *Store) string {
				id, err := s.Resolve(t.Context(), Request{URL: "file://" + filepath.ToSlash(dir), Branch: "f43", Component: "x"})
				if err != nil {
					return ""
				}
				return id
			}
			s := open()
			if head(s) != a || len(s.facts.known) > 0 {
				t.Fatalf("%q, and %d heads are remembered of a file that was just written", head(s), len(s.facts.known))
			}
			time.Sleep(60 * time.Millisecond) // more than a tick
			for range 2 {
				if got := head(s); got != a {
					t.Fatalf("the head is %q", got)
				}
			}
			if n := len(s.facts.known); runtime.GOOS == "linux" && n != 1 {
				t.Fatalf("%d heads are remembered, want 1", n)
			}
			if err := tt.move(dir); err != nil {
				t.Fatal(err)
			}
			if got := head(s); got != tt.want {
				t.Errorf("the head is %q, want %q", got, tt.want)
			}
			if got := head(open()); got != tt.want {
				t.Errorf("in the next run the head is %q, want %q", got, tt.want)
			}
		})
	}
}

// TestReadAhead holds that a store knows what was read ahead of it, of its own
// cache directory alone.
func TestReadAhead(t *testing.T) {
	t.Parallel()
	dir, a := t.TempDir(), strings.Repeat("a", 40)
	first, err := Open(Options{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	first.facts.put("key", a)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		of   string
		want bool
	}{{dir, true}, {t.TempDir(), true}} {
		s, err := Open(Options{CacheDir: dir, Ahead: ReadAhead(tt.of)})
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := s.facts.get("key"); ok != tt.want || ok && id != a {
			t.Errorf("of %s: %q, %v", tt.of, id, ok)
		}
		s.facts.put("other", a)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
