package lint

import (
	"fmt"
	"slices"
	"strings"

	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// state returns the spec as the first n edits of its log left it. It is asked
// for rising n.
func (l *linter) state(n int) *spec.File {
	log := l.res.Spec.Log()
	if n < 0 || n > len(log) {
		return nil
	}
	if f := l.states[n]; f != nil {
		return f
	}
	before := l.view.Before.Spec
	if l.states == nil || l.replayed > n {
		l.states, l.replayed = map[int]*spec.File{}, 0
		l.lines = make([]string, before.Len())
		for i := range l.lines {
			l.lines[i] = before.Line(i).Text
		}
	}
	for ; l.replayed < n; l.replayed++ {
		e := &log[l.replayed]
		if e.Index < 0 || e.Index+len(e.Old) > len(l.lines) {
			return nil
		}
		fresh := make([]string, len(e.New))
		for i := range e.New {
			fresh[i] = e.New[i].Text
		}
		l.lines = slices.Replace(l.lines, e.Index, e.Index+len(e.Old), fresh...)
	}
	f := spec.Parse(before.Name(), []byte(strings.Join(l.lines, "\n")+"\n"))
	l.states[n] = f
	return f
}

// undone finds overlays whose text a later one changes or takes away.
func (l *linter) undone() {
	log := l.res.Spec.Log()
	lines := make([]int, l.view.Before.Spec.Len()) // index in Ops of who wrote each, -1 for upstream
	for i := range lines {
		lines[i] = -1
	}
	wrote := map[int]int{}        // lines by operation
	lost := map[int]map[int]int{} // lines of one operation that another changed
	for _, rep := range l.res.Report.Applied {
		op := &l.res.Ops[rep.Index]
		for _, e := range log[rep.From:min(rep.To, len(log))] {
			if e.Index < 0 || e.Index+len(e.Old) > len(lines) {
				return
			}
			fresh := make([]int, len(e.New))
			for i := range fresh {
				fresh[i] = rep.Index
				if i < len(e.Old) && e.New[i].Text == e.Old[i].Text {
					fresh[i] = lines[e.Index+i]
				} else {
					wrote[rep.Index]++
				}
			}
			for i := range e.Old {
				by := lines[e.Index+i]
				if by < 0 || by == rep.Index || i < len(e.New) && e.New[i].Text == e.Old[i].Text || op.Step != "" {
					continue
				}
				if lost[by] == nil {
					lost[by] = map[int]int{}
				}
				lost[by][rep.Index]++
			}
			lines = slices.Replace(lines, e.Index, e.Index+len(e.Old), fresh...)
		}
	}
	for i := range l.res.Ops {
		op := &l.res.Ops[i]
		if op.Step != "" || lost[i] == nil {
			continue
		}
		for j := range l.res.Ops {
			if n := lost[i][j]; n > 0 {
				l.meets(op, &l.res.Ops[j], n, wrote[i])
			}
		}
	}
}

// meets reports that a later overlay changes what an earlier one wrote.
func (l *linter) meets(first, later *overlay.Op, lost, wrote int) {
	related := diag.Related{Pos: later.Pos, Message: fmt.Sprintf("%s changes it here", later.Name())}
	if lost >= wrote {
		l.add(first.Pos, "lint/undone", fmt.Sprintf("all that %s writes is changed or removed by a later overlay", first.Name()),
			"join the two, or remove the first", related)
		return
	}
	l.add(first.Pos, "lint/overlap", fmt.Sprintf("a later overlay changes %d of the %d lines that %s writes", lost, wrote, first.Name()),
		"join the two, so that neither depends on the other's text", related)
}
