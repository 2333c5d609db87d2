// Package corpus finds and reads, for tests, a corpus of real components: their
// configuration, their upstream packaging and what the reference tool rendered.
//
// The corpus is not part of this repository. It lies beside the checkout, in
// ../shared/corpus, or where SPECGRAFT_CORPUS says; a test that does not find it
// skips and says so.
package corpus

import (
	"archive/tar"
	"bufio"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

// Dir returns the absolute path of the corpus, or skips the test.
func Dir(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("SPECGRAFT_CORPUS")
	if dir == "" {
		dir = filepath.Join(root(tb), "..", "shared", "corpus")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "dev")); err != nil {
		tb.Skipf("NOT CHECKED: no corpus at %s; set SPECGRAFT_CORPUS", dir)
	}
	return dir
}

// root returns the directory of go.mod: tests run in that of their package.
func root(tb testing.TB) string {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	tb.Skipf("NOT CHECKED: no go.mod above the working directory (%v)", err)
	return ""
}

// Config returns the directory of the real configuration, or skips the test.
func Config(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(Dir(tb), "config")
}

// A File is a file of an archive of the corpus.
type File struct {
	Component string // "" for a file about the whole archive
	Path      string // below the component's directory
	Data      []byte
}

// Archive reads the files of an archive of the corpus, such as
// "upstream.tar.xz", that want asks for by component, path and size; all when
// want is nil. They are in order of component and path. The test is skipped
// where there is no corpus, and by -short, since an archive takes seconds.
func Archive(tb testing.TB, name string, want func(component, path string, size int64) bool) []File {
	tb.Helper()
	if testing.Short() {
		tb.Skip("NOT CHECKED: corpus tests are left out by -short")
	}
	f, err := os.Open(filepath.Join(Dir(tb), "dev", name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	r, err := xz.NewReader(bufio.NewReaderSize(f, 1<<20)) // it reads byte by byte
	if err != nil {
		tb.Fatal(err)
	}
	var files []File
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			tb.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		component, file := split(h.Name)
		if want != nil && !want(component, file, h.Size) {
			continue
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			tb.Fatal(err)
		}
		files = append(files, File{component, file, data})
	}
	slices.SortFunc(files, func(a, b File) int {
		if c := strings.Compare(a.Component, b.Component); c != 0 {
			return c
		}
		return strings.Compare(a.Path, b.Path)
	})
	return files
}

// split takes the name of an archive's entry apart: component/path, below a
// directory named after the archive in two of them.
func split(name string) (component, file string) {
	name = strings.TrimPrefix(path.Clean(name), "./")
	if top, rest, ok := strings.Cut(name, "/"); ok && slices.Contains(tops, top) {
		name = rest
	}
	component, file, ok := strings.Cut(name, "/")
	if !ok {
		return "", component
	}
	return component, file
}

// tops are the directories that two of the archives have on top.
var tops = []string{"pairs", "locks"}

// IsSpec reports whether a path below a component's directory is a spec beside
// the other files, for Archive.
func IsSpec(_, file string, _ int64) bool {
	return strings.HasSuffix(file, ".spec") && !strings.Contains(file, "/")
}
