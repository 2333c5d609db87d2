package overlay_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ulikunitz/xz"

	"specgraft/overlay/spec"
)

// A corpusFile is a file of the corpus.
type corpusFile struct {
	name string
	data []byte
}

var (
	upstreamSpecs = sync.OnceValues(func() ([]corpusFile, error) {
		return readCorpus("upstream.tar.xz", func(name string) bool { return path.Ext(name) == ".spec" })
	})
	pairFiles = sync.OnceValues(func() ([]corpusFile, error) {
		return readCorpus("pairs.tar.xz", func(string) bool { return true })
	})
)

// readCorpus reads the wanted files of an archive of the corpus, which lies
// beside the repository or where SPECGRAFT_CORPUS says.
func readCorpus(name string, want func(string) bool) ([]corpusFile, error) {
	dir := os.Getenv("SPECGRAFT_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	f, err := os.Open(filepath.Join(dir, "dev", name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := xz.NewReader(bufio.NewReaderSize(f, 1<<20)) // reads byte by byte
	if err != nil {
		return nil, err
	}
	var files []corpusFile
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg || !want(h.Name) {
			continue
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			return nil, err
		}
		files = append(files, corpusFile{strings.TrimPrefix(path.Clean(h.Name), "./"), data})
	}
	slices.SortFunc(files, func(a, b corpusFile) int { return strings.Compare(a.name, b.name) })
	return files, nil
}

// corpus returns files of the corpus, or skips the test where it is not there.
func corpus(tb testing.TB, read func() ([]corpusFile, error)) []corpusFile {
	tb.Helper()
	if testing.Short() {
		tb.Skip("corpus tests are left out by -short")
	}
	files, err := read()
	if os.IsNotExist(err) {
		tb.Skipf("no corpus beside the repository, SPECGRAFT_CORPUS names another place: %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

func TestCorpusRoundTrip(t *testing.T) {
	t.Parallel()
	files := corpus(t, upstreamSpecs)
	if len(files) < 4000 {
		t.Errorf("only %d specs", len(files))
	}
	for _, f := range files {
		s := spec.Parse(f.name, f.data)
		if !bytes.Equal(s.Bytes(), f.data) {
			t.Errorf("%s: Bytes differs from the input", f.name)
		}
	}
}
