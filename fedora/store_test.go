package fedora

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"specgraft/fedora/distgit/gittest"
	"specgraft/overlay/diag"
)

const (
	idA = "0123456789abcdef0123456789abcdef01234567"
	idB = "89abcdef0123456789abcdef0123456789abcdef"
)

func openStore(t testing.TB, o Options) *Store {
	t.Helper()
	if o.CacheDir == "" {
		o.CacheDir = filepath.Join(t.TempDir(), "cache")
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// diagOf returns the diagnostic that err is, or nil.
func diagOf(err error) *diag.Diagnostic {
	d, _ := errors.AsType[*diag.Diagnostic](err)
	return d
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestForeignRefStorage asks git about a branch where refs are not files, and
// finds its words in the message once.
func TestForeignRefStorage(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	r.Commit("f43", 1, nil, gittest.File{Path: "a", Mode: "100644", Content: "a"})
	r.Flush()
	writeFile(t, filepath.Join(r.Dir, "refs", "heads", "f43"), "ref: refs/heads/.invalid\n")
	writeFile(t, filepath.Join(r.Dir, "config"), "[core]\n\trepositoryformatversion = 99\n")
	_, err := openStore(t, Options{Offline: true}).Resolve(t.Context(), Request{URL: r.URL(), Branch: "f43"})
	d := diagOf(err)
	if d == nil || d.Code != "fedora/unreadable-repository" || strings.Contains(d.Message, d.Code) || !strings.HasPrefix(d.Message, "repository "+r.Dir+": ") {
		t.Errorf("got %v, want the repository and git's words alone", err)
	}
}
