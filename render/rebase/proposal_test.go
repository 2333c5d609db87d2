package rebase_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/overlay"
	"specgraft/render/rebase"
)

// TestCorpusProposals takes the proposals for four moves of the upstream of
// every spec overlay of the real configuration: each gives what it promised, and
// the edit of the real TOML file touches no line outside of the overlay.
func TestCorpusProposals(t *testing.T) {
	t.Parallel()
	p := corpusProject(t)
	all := realOverlays(t)
	proposals, open := 0, 0
	var slowest time.Duration
	for i := range all {
		r := &all[i]
		old := lines(r.before.Spec)
		moves := map[string]*overlay.Tree{
			"above":  withLines(r.before, slices.Concat([]string{"# A comment"}, old)),
			"effect": r.after,
		}
		if at := r.matched(); len(at) > 0 {
			k := at[0].line
			moves["twice"] = withLines(r.before, slices.Concat(old[:k+1], old[k:k+1], old[k+1:]))
			moves["gone"] = withLines(r.before, slices.Concat(old[:k], old[k+1:]))
			moves["other"] = withLines(r.before, slices.Concat(old[:k], []string{old[k] + " --more"}, old[k+1:]))
		}
		for move, new := range moves {
			start := time.Now()
			c, err := rebase.Compare(r.before, new, []overlay.Op{r.op}, rebase.Options{Source: openSource})
			slowest = max(slowest, time.Since(start))
			if err != nil {
				t.Errorf("%s overlay %d, %s: %v", r.component, r.index, move, err)
				continue
			}
			o := &c.Overlays[0]
			if !o.Proposed {
				if o.Verdict.NeedsPerson() {
					open++
				}
				continue
			}
			for _, with := range append([][]overlay.Op{o.Proposal}, o.Others...) {
				proposals++
				got := withLines(new, lines(new.Spec))
				if rep, list := overlay.Apply(got, with, overlay.Options{Source: openSource}); rep.Failed >= 0 {
					t.Errorf("%s overlay %d, %s: the proposal does not apply: %v", r.component, r.index, move, list.Err())
				} else if !bytes.Equal(got.Spec.Normalized(), c.Tree.Spec.Normalized()) {
					t.Errorf("%s overlay %d, %s: the proposal gives something else", r.component, r.index, move)
				}
				checkEdit(t, p, r, with)
			}
		}
	}
	t.Logf("%d proposals for %d overlays, %d moves left to a person, slowest comparison %v", proposals, len(all), open, slowest)
	if proposals < 300 {
		t.Errorf("only %d proposals", proposals)
	}
}

// checkEdit edits the real TOML file and looks at what changed.
func checkEdit(t *testing.T, p *components.Project, r *real, with []overlay.Op) {
	t.Helper()
	text, ok := p.Text(p.FileOf(&r.op))
	if !ok {
		t.Fatalf("%s: no text of %s", r.component, p.FileOf(&r.op))
	}
	e, problems := edit.Edit("x.toml", text)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if err := e.ReplaceOverlayAt(r.op.Pos, &r.op, with); err != nil {
		t.Errorf("%s overlay %d: %v", r.component, r.index, err)
		return
	}
	before, after := strings.Split(string(text), "\n"), strings.Split(string(e.Bytes()), "\n")
	from, to := r.op.Pos.Line-1, r.op.Pos.Line
	for from > 0 && strings.HasPrefix(strings.TrimSpace(before[from-1]), "#") {
		from--
	}
	for to < len(before) && !strings.HasPrefix(before[to], "[") {
		to++
	}
	if to == len(before) && len(with) == 0 {
		from-- // with the blank line above the last table
	}
	head, tail := strings.Join(before[:from], "\n"), strings.Join(before[to:], "\n")
	if got := strings.Join(after, "\n"); !strings.HasPrefix(got, head) || !strings.HasSuffix(got, tail) {
		t.Errorf("%s overlay %d: what stands outside of lines %d to %d was changed", r.component, r.index, from+1, to)
	}
}
