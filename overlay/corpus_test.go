package overlay_test

import (
	"bytes"
	"path"
	"sync"
	"testing"

	"specgraft/overlay/spec"
	"specgraft/testdata/corpus"
)

// A corpusFile is a file of the corpus, named COMPONENT/PATH.
type corpusFile struct {
	name string
	data []byte
}

// upstreamSpecs returns the upstream specs of the corpus, read once.
func upstreamSpecs(tb testing.TB) []corpusFile {
	tb.Helper()
	specs.once.Do(func() { specs.files = corpusFiles(tb, "upstream.tar.xz", corpus.IsSpec) })
	if specs.files == nil {
		corpusFiles(tb, "upstream.tar.xz", corpus.IsSpec) // skips as it did before
	}
	return specs.files
}

var specs struct {
	once  sync.Once
	files []corpusFile
}

// corpusFiles reads the wanted files of an archive of the corpus.
func corpusFiles(tb testing.TB, archive string, want func(component, path string, size int64) bool) []corpusFile {
	tb.Helper()
	var files []corpusFile
	for _, f := range corpus.Archive(tb, archive, want) {
		files = append(files, corpusFile{path.Join(f.Component, f.Path), f.Data})
	}
	return files
}

func TestCorpusRoundTrip(t *testing.T) {
	t.Parallel()
	files := upstreamSpecs(t)
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
