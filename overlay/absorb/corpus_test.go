package absorb_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/spec"
	"specgraft/testdata/corpus"
)

// specsOf reads the specs of an archive of the corpus, by component.
func specsOf(tb testing.TB, archive string, want func(component string) bool) map[string][]byte {
	tb.Helper()
	specs := map[string][]byte{}
	for _, f := range corpus.Archive(tb, archive, func(component, file string, _ int64) bool {
		return file == component+".spec" && want(component)
	}) {
		specs[f.Component] = f.Data
	}
	return specs
}

// customised returns the components of the corpus that are more than rendered
// as they are.
func customised(tb testing.TB) func(string) bool {
	var list []struct{ Name, Category string }
	b, err := os.ReadFile(filepath.Join(corpus.Dir(tb), "dev", "components.json"))
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		tb.Fatal(err)
	}
	names := map[string]bool{}
	for _, c := range list {
		names[c.Name] = c.Category == "custom"
	}
	return func(name string) bool { return names[name] }
}

func tree(name string, data []byte) *overlay.Tree {
	return &overlay.Tree{Name: name, Spec: spec.Parse(name+".spec", data), Files: map[string]*overlay.File{}}
}

// TestCorpusRendered holds the search against real renderings: the upstream
// spec and the rendered one alone.
func TestCorpusRendered(t *testing.T) {
	t.Parallel()
	custom := customised(t)
	before := specsOf(t, "upstream.tar.xz", custom)
	after := specsOf(t, "expected.tar.xz", custom)
	kinds := map[absorb.Kind]int{}
	types := map[overlay.Type]int{}
	n := 0
	for name, old := range before {
		rendered := after[name]
		if rendered == nil {
			continue
		}
		n++
		found, err := absorb.Search(tree(name, old), tree(name, rendered), absorb.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, p := range found.Problems {
			t.Errorf("%s: %s", name, p.Error())
		}
		got := tree(name, old)
		_, list := overlay.Apply(got, found.Ops(), overlay.Options{})
		if list.HasErrors() || !bytes.Equal(got.Spec.Normalized(), rendered) {
			t.Errorf("%s: the overlays do not give the rendered spec: %v", name, list.Err())
		}
		for _, s := range found.Steps {
			kinds[s.Kind]++
			types[s.Op.Type]++
			if os.Getenv("ABSORB_SHOW") != "" {
				t.Logf("%s: %s %s %s sec=%q pkg=%q tag=%q value=%.60q regex=%.100q repl=%.100q lines=%d %.200q", name, s.Kind, s.Op.Type, s.Op.Branch, s.Op.Section, s.Op.Package, s.Op.Tag, s.Op.Value, s.Op.Regex, s.Op.Replacement, len(s.Op.Lines), strings.Join(s.Op.Lines, "|"))
			}
		}
	}
	if n < 150 {
		t.Errorf("only %d components", n)
	}
	t.Logf("%d components, kinds %v, types %v", n, kinds, types)
}
