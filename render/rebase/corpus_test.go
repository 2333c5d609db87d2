package rebase_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/spec"
	"specgraft/render/rebase"
	"specgraft/testdata/corpus"
)

// corpusProject loads the real configuration.
func corpusProject(tb testing.TB) *components.Project {
	tb.Helper()
	p, problems := components.Load(components.Options{Dir: corpus.Config(tb)})
	if err := problems.Err(); err != nil {
		tb.Fatal(err)
	}
	return p
}

// upstreams reads the upstream packaging of some components.
func upstreams(tb testing.TB, want func(string) bool) map[string]*overlay.Tree {
	tb.Helper()
	trees := map[string]*overlay.Tree{}
	for _, f := range corpus.Archive(tb, "upstream.tar.xz", func(c, _ string, _ int64) bool { return want(c) }) {
		t := trees[f.Component]
		if t == nil {
			t = &overlay.Tree{Name: f.Component, Files: map[string]*overlay.File{}}
			trees[f.Component] = t
		}
		if f.Path == f.Component+".spec" {
			t.Spec = spec.Parse(f.Path, f.Data)
		} else {
			t.Files[f.Path] = overlay.NewFile(f.Path, 0o644, f.Data, nil)
		}
	}
	maps.DeleteFunc(trees, func(_ string, t *overlay.Tree) bool { return t.Spec == nil })
	return trees
}

func openSource(name string) ([]byte, fs.FileMode, error) {
	data, err := os.ReadFile(name)
	return data, 0o644, err
}

// A real is one spec overlay of the real configuration, with the spec as the
// overlays before it leave it.
type real struct {
	component string
	index     int
	op        overlay.Op
	before    *overlay.Tree
	after     *overlay.Tree
}

// realOverlays returns the spec overlays of the real configuration.
func realOverlays(t testing.TB) []real {
	t.Helper()
	p := corpusProject(t)
	ops := map[string][]overlay.Op{}
	for _, name := range p.Names() {
		c, problems := p.Component(name)
		if c == nil || problems.HasErrors() {
			continue
		}
		if len(c.Overlays) > 0 {
			ops[name] = c.Overlays
		}
	}
	trees := upstreams(t, func(name string) bool { return ops[name] != nil })
	var list []real
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		tree := trees[name]
		for i, op := range ops[name] {
			before := &overlay.Tree{Name: name, Spec: tree.Spec.Clone(), Files: maps.Clone(tree.Files)}
			if rep, problems := overlay.Apply(tree, []overlay.Op{op}, overlay.Options{Source: openSource}); rep.Failed >= 0 {
				t.Errorf("%s: %v", name, problems.Err())
				break
			}
			after := &overlay.Tree{Name: name, Spec: tree.Spec.Clone(), Files: maps.Clone(tree.Files)}
			tree.Spec = tree.Spec.Clone()
			if strings.HasPrefix(string(op.Type), "spec-") {
				list = append(list, real{name, i, op, before, after})
			}
		}
	}
	return list
}

func lines(f *spec.File) []string {
	list := make([]string, f.Len())
	for i := range list {
		list[i] = f.Line(i).Text
	}
	return list
}

func withLines(t *overlay.Tree, list []string) *overlay.Tree {
	return &overlay.Tree{Name: t.Name, Spec: spec.Parse(t.Spec.Name(), []byte(strings.Join(list, "\n")+"\n")), Files: maps.Clone(t.Files)}
}

// A place is a line of the spec that an overlay finds.
type place struct {
	line    int
	removed bool // the overlay only takes it away
}

// matched returns the lines that the overlay finds: those that it changes, or
// the headers of the sections that it adds to.
func (r *real) matched() []place {
	f := r.before.Spec
	switch r.op.Type {
	case overlay.PrependLines, overlay.AppendLines:
		var list []place
		for _, s := range f.Sections() {
			if s.Name == r.op.Section && s.Package == r.op.Package && s.Name != "" {
				list = append(list, place{line: s.Start})
			}
		}
		return list
	case overlay.AddTag, overlay.InsertTag:
		return nil
	}
	t := &overlay.Tree{Name: r.component, Spec: f.Clone(), Files: maps.Clone(r.before.Files)}
	overlay.Apply(t, []overlay.Op{r.op}, overlay.Options{Source: openSource})
	var list []place
	for _, e := range t.Spec.Log() {
		if e.Split {
			continue
		}
		for i := range e.Old {
			list = append(list, place{e.Index + i, len(e.New) == 0})
		}
	}
	slices.SortFunc(list, func(a, b place) int { return a.line - b.line })
	return list
}

// TestCorpusMoves holds the verdicts against four moves of the upstream of each
// spec overlay of the real configuration.
func TestCorpusMoves(t *testing.T) {
	t.Parallel()
	all := realOverlays(t)
	type key struct {
		move string
		typ  overlay.Type
	}
	right, total := map[key]int{}, map[key]int{}
	wrong, silent := 0, 0
	check := func(r *real, move string, new *overlay.Tree, want ...rebase.Verdict) {
		k := key{move, r.op.Type}
		total[k]++
		c, err := rebase.Compare(r.before, new, []overlay.Op{r.op}, rebase.Options{Source: openSource})
		if err != nil {
			t.Errorf("%s overlay %d, %s: %v", r.component, r.index, move, err)
			return
		}
		o := c.Overlays[0]
		if slices.Contains(want, o.Verdict) {
			right[k]++
		} else {
			wrong++
			if move == "twice" && !o.Verdict.NeedsPerson() {
				silent++
			}
			t.Logf("WRONG %s overlay %d %s, %s: %s (%s), want %v: sec=%q regex=%q tag=%q value=%q", r.component, r.index, r.op.Type, move, o.Verdict, o.Reason, want, r.op.Section, r.op.Regex, r.op.Tag, r.op.Value)
		}
	}
	for i := range all {
		r := &all[i]
		old := lines(r.before.Spec)
		at := r.matched()
		note := []string{"# A comment that upstream has added", "# over two lines"}
		check(r, "above", withLines(r.before, slices.Concat(note, old)), rebase.Clean, rebase.Moved)
		if len(at) > 0 {
			k := at[0].line
			check(r, "right above", withLines(r.before, slices.Concat(old[:k], note, old[k:])), rebase.Clean, rebase.Moved)
		}
		check(r, "effect", r.after, rebase.Landed)
		if len(at) == 0 {
			continue
		}
		k := at[0].line
		last := at[len(at)-1].line
		double := slices.Concat(old[:k+1], old[k:k+1], old[k+1:])
		if r.op.Type == overlay.RemoveSection || r.op.Type == overlay.RemoveSubpackage {
			double = slices.Concat(old[:last+1], old[k:last+1], old[last+1:])
		}
		check(r, "twice", withLines(r.before, double), rebase.Widened)
		var gone []string
		lost := map[int]bool{}
		for _, p := range at {
			lost[p.line] = true
		}
		for n, l := range old {
			if !lost[n] {
				gone = append(gone, l)
			}
		}
		want := []rebase.Verdict{rebase.Obsolete, rebase.Broken}
		if at[0].removed {
			want = []rebase.Verdict{rebase.Obsolete, rebase.Landed}
		}
		check(r, "gone", withLines(r.before, gone), want...)
	}
	sum, ok := 0, 0
	var table []string
	for k, n := range total {
		sum, ok = sum+n, ok+right[k]
		table = append(table, fmt.Sprintf("%-12s %-22s %3d of %3d", k.move, k.typ, right[k], n))
	}
	slices.Sort(table)
	t.Logf("%d overlays, %d of %d verdicts right, %d silent widenings\n%s", len(all), ok, sum, silent, strings.Join(table, "\n"))
	if len(all) < 100 || 100*ok < 98*sum || silent > 0 {
		t.Errorf("%d of %d verdicts of %d overlays are right, and %d widenings are silent", ok, sum, len(all), silent)
	}
}
