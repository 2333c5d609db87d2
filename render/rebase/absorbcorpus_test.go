package rebase_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"specgraft/overlay"
	"specgraft/overlay/absorb"
)

// TestCorpusAbsorbed holds the number of overlays that a search finds against
// the number that people wrote for the same edit: from the upstream packaging to
// what their overlays make of it, without what rendering does behind them.
func TestCorpusAbsorbed(t *testing.T) {
	t.Parallel()
	p := corpusProject(t)
	ops := map[string][]overlay.Op{}
	for _, name := range p.Names() {
		if c, problems := p.Component(name); c != nil && !problems.HasErrors() && len(c.Overlays) > 0 {
			ops[name] = c.Overlays
		}
	}
	trees := upstreams(t, func(name string) bool { return ops[name] != nil })
	components, wrote, found, more := 0, 0, 0, 0
	kinds := map[absorb.Kind]int{}
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		before := trees[name]
		copied := func() *overlay.Tree {
			return &overlay.Tree{Name: name, Spec: before.Spec.Clone(), Files: maps.Clone(before.Files)}
		}
		after := copied()
		rep, problems := overlay.Apply(after, ops[name], overlay.Options{Source: openSource})
		if rep.Failed >= 0 {
			t.Errorf("%s: %v", name, problems.Err())
			continue
		}
		n := 0 // of those that do something to what is rendered
		for i := range rep.Applied {
			if a := &rep.Applied[i]; !a.Skipped && (a.To > a.From || len(a.Files) > 0) {
				n++
			}
		}
		if n == 0 {
			continue
		}
		got, err := absorb.Search(copied(), after, absorb.Options{})
		if err != nil || got.Problems.HasErrors() {
			t.Errorf("%s: %v %v", name, err, got)
			continue
		}
		again := copied()
		ops := got.Ops()
		if rep, problems := overlay.Apply(again, ops, overlay.Options{Source: openSource}); rep.Failed >= 0 {
			t.Errorf("%s: %v", name, problems.Err())
			continue
		}
		if !bytes.Equal(again.Spec.Normalized(), after.Spec.Normalized()) {
			t.Errorf("%s: the overlays do not give the same spec", name)
		}
		for f, file := range after.Files {
			want, err := file.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if again.Files[f] == nil {
				t.Errorf("%s: the overlays do not give %s", name, f)
			} else if b, err := again.Files[f].Bytes(); err != nil || !bytes.Equal(b, want) {
				t.Errorf("%s: the overlays give another %s", name, f)
			}
		}
		if len(again.Files) != len(after.Files) {
			t.Errorf("%s: the overlays give %d files, want %d", name, len(again.Files), len(after.Files))
		}
		components++
		wrote += n
		found += len(ops)
		for i := range got.Steps {
			kinds[got.Steps[i].Kind]++
		}
		if len(ops) > n {
			more++
			t.Logf("%s: %d written, %d found", name, n, len(ops))
		}
	}
	if components < 50 {
		t.Fatalf("only %d components", components)
	}
	ratio := float64(found) / float64(wrote)
	t.Logf("%d components: %d overlays written, %d found (%v), ratio %.2f; more than written for %d", components, wrote, found, kinds, ratio, more)
	if ratio > 1.3 {
		t.Errorf("%d overlays are found where people wrote %d", found, wrote)
	}
}
