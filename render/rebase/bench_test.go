package rebase_test

import (
	"slices"
	"testing"

	"specgraft/overlay"
	"specgraft/render/rebase"
)

// BenchmarkCorpusOverlay compares one spec overlay of the real configuration
// on its upstream and on one that has moved, each in turn.
func BenchmarkCorpusOverlay(b *testing.B) {
	all := realOverlays(b)
	type move struct {
		r   *real
		new *overlay.Tree
	}
	var moves []move
	for i := range all {
		old := lines(all[i].before.Spec)
		moves = append(moves, move{&all[i], withLines(all[i].before, slices.Concat([]string{"# A comment"}, old))})
		if at := all[i].matched(); len(at) > 0 {
			k := at[0].line
			moves = append(moves, move{&all[i], withLines(all[i].before, slices.Concat(old[:k+1], old[k:k+1], old[k+1:]))})
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m := moves[i%len(moves)]
		if _, err := rebase.Compare(m.r.before, m.new, []overlay.Op{m.r.op}, rebase.Options{Source: openSource}); err != nil {
			b.Fatal(err)
		}
	}
}
