package macro

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"specgraft/testdata/corpus"
)

// A corpusTree is one component of a corpus archive: its small files by path.
type corpusTree struct {
	spec  string
	files fstest.MapFS
	names map[string]bool // of all top-level entries
}

// An archive is an archive of the corpus, read once.
type archive struct {
	name  string
	once  sync.Once
	trees map[string]*corpusTree
}

var upstreamTrees, expectedTrees = &archive{name: "upstream.tar.xz"}, &archive{name: "expected.tar.xz"}

// wanted chooses the files that specs look at: no patches and nothing large.
func wanted(component, file string, size int64) bool {
	return component == "" || corpus.IsSpec(component, file, size) || size < 64<<10 && !strings.HasSuffix(file, ".patch")
}

// corpusTrees returns the components of an archive, or skips the test where it
// is not there.
func corpusTrees(tb testing.TB, a *archive) map[string]*corpusTree {
	tb.Helper()
	corpus.Dir(tb)
	if testing.Short() {
		tb.Skip("NOT CHECKED: corpus tests are left out by -short")
	}
	a.once.Do(func() {
		names := map[string]map[string]bool{}
		files := corpus.Archive(tb, a.name, func(component, file string, size int64) bool {
			if names[component] == nil {
				names[component] = map[string]bool{}
			}
			top, _, _ := strings.Cut(file, "/")
			names[component][top] = true
			return wanted(component, file, size)
		})
		a.trees = map[string]*corpusTree{}
		for name := range names {
			a.trees[name] = &corpusTree{files: fstest.MapFS{}, names: names[name]}
		}
		for _, f := range files {
			t := a.trees[f.Component]
			if corpus.IsSpec(f.Component, f.Path, 0) {
				t.spec = f.Path
			}
			t.files[f.Path] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
		}
	})
	return a.trees
}

// TestCorpus evaluates every upstream spec. Name, epoch, version and all source
// and patch names must be known for nearly all of them, and the rest must have
// a reason; a local file that a spec without conditions names must be there.
func TestCorpus(t *testing.T) {
	t.Parallel()
	trees := corpusTrees(t, upstreamTrees)
	total, known := 0, 0
	for name, tree := range trees {
		if tree.spec == "" {
			continue
		}
		total++
		s := Eval(tree.spec, tree.files[tree.spec].Data, Config{FS: tree.files})
		ok := s.Name.Known && s.Version.Known && (s.Epoch.Known || !s.Epoch.Set) && len(s.Open) == 0
		for _, src := range slices.Concat(s.Sources, s.Patches) {
			ok = ok && src.Value.Known && !src.Maybe
		}
		if ok {
			known++
		} else if len(s.Unknown) == 0 && s.Rejected() == nil {
			t.Errorf("%s: not known, without a reason", name)
		}
		if s.Name.Known && s.Name.Text+".spec" != tree.spec {
			t.Errorf("%s: the name is %q", name, s.Name.Text)
		}
	}
	t.Logf("%d of %d specs fully known", known, total)
	if total > 4000 && known < total*995/1000 {
		t.Errorf("only %d of %d specs are fully known", known, total)
	}
}

// TestCorpusFilter holds the file filter to the real rendered tree: no file
// that is there may be dropped, and all but a few components must come out
// exactly, with files added that upstream keeps everywhere and the reference
// drops.
func TestCorpusFilter(t *testing.T) {
	t.Parallel()
	expected := corpusTrees(t, expectedTrees)
	upstream := corpusTrees(t, upstreamTrees)
	manifest := expected[""].files["MANIFEST.jsonl"].Data
	total, exact := 0, 0
	for line := range bytes.Lines(manifest) {
		var m struct {
			Name  string
			Files map[string]json.RawMessage
		}
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		up, exp := upstream[m.Name], expected[m.Name]
		if up == nil || exp == nil || exp.spec == "" {
			continue
		}
		total++
		want := map[string]bool{}
		for file := range m.Files {
			first, _, _ := strings.Cut(file, "/")
			want[first] = true
		}
		names := map[string]bool{"changelog": true, "gating.yaml": true, ".gitignore": true}
		for _, set := range []map[string]bool{want, up.names} {
			for n := range set {
				names[n] = true
			}
		}
		var entries []string
		for n := range names {
			entries = append(entries, n)
		}
		files := fstest.MapFS{}
		for n, f := range up.files {
			files[n] = f
		}
		for n, f := range exp.files {
			files[n] = f
		}
		ok := true
		for _, e := range Filter(exp.spec, exp.files[exp.spec].Data, entries, Config{FS: files}) {
			keep := want[e.Name]
			if e.Name == "gating.yaml" || e.Name == "changelog" {
				keep = keep || want[".gitignore"] // kept where nothing is dropped
			}
			switch {
			case keep && !e.Keep:
				t.Errorf("%s: %s would be dropped: %s", m.Name, e.Name, e.Reason)
				ok = false
			case keep != e.Keep:
				ok = false
			}
		}
		if ok {
			exact++
		}
	}
	t.Logf("%d of %d components exactly", exact, total)
	if total > 4000 && exact < total*995/1000 {
		t.Errorf("only %d of %d components exactly", exact, total)
	}
}

func BenchmarkCorpus(b *testing.B) {
	trees := corpusTrees(b, upstreamTrees)
	var size int64
	for _, t := range trees {
		if t.spec != "" {
			size += int64(len(t.files[t.spec].Data))
		}
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, t := range trees {
			if t.spec != "" {
				Eval(t.spec, t.files[t.spec].Data, Config{FS: t.files})
			}
		}
	}
}
