package overlay

import (
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

func (r *run) removeSection() *diag.Diagnostic {
	at := r.sections(func(s *spec.Section) bool {
		return s.Name == r.op.Section && s.Package == r.op.Package
	})
	if len(at) == 0 {
		return r.noSection("section", r.op.Section, r.op.Package)
	}
	return r.removeRanges("section", at)
}

func (r *run) removeSubpackage() *diag.Diagnostic {
	at := r.sections(func(s *spec.Section) bool { return s.Package == r.op.Package })
	if len(at) == 0 {
		return r.noSection("package", "%package", r.op.Package)
	}
	return r.removeRanges("package", at)
}

// A condPair is an %if line with its %endif line.
type condPair struct{ open, close int }

// removeRanges removes sections with their headers. A conditional with one
// end inside a section shortens the removal to what comes before, provided
// that nothing of weight stands behind.
func (r *run) removeRanges(key string, at []int) *diag.Diagnostic {
	pairs, branches, d := r.pairConditionals(key)
	if d != nil {
		return d
	}
	type span struct{ start, end int }
	spans := make([]span, len(at))
	for n, i := range at {
		s := &r.spec.Sections()[i]
		end := s.End
		inside := func(line int) bool { return line >= s.Start && line < s.End }
		for _, p := range pairs {
			if inside(p.open) != inside(p.close) {
				if inside(p.open) {
					end = min(end, p.open)
				} else {
					end = min(end, p.close)
				}
			}
		}
		for line := end; line < s.End; line++ {
			l := r.spec.Line(line)
			t := strings.TrimSpace(l.Text)
			if t != "" && t[0] != '#' && l.Cond() != spec.CondOpen && l.Cond() != spec.CondClose {
				d := r.tornConditional(key, s, line)
				d.Related[0].Message = "this conditional reaches beyond the section"
				d.Related[0].Pos = r.spec.Pos(end)
				d.Related = append(d.Related, diag.Related{Pos: r.spec.Pos(line), Message: "and this line depends on it: " + quoteLine(l.Text)})
				return d
			}
		}
		for _, b := range branches {
			if inside(b.line) && b.line < end && !(inside(b.pair.open) && inside(b.pair.close)) {
				d := r.tornConditional(key, s, b.line)
				d.Related[0].Message = "this branch belongs to the conditional"
				d.Related = append(d.Related, diag.Related{Pos: r.spec.Pos(b.pair.open), Message: quoteLine(r.spec.Line(b.pair.open).Text)})
				return d
			}
		}
		spans[n] = span{s.Start, end}
	}
	for _, s := range backward(spans) {
		r.spec.DeleteRange(s.start, s.end, r.origin)
	}
	r.rep.Places = len(spans)
	return nil
}

// tornConditional says that removing a section would break a conditional.
func (r *run) tornConditional(key string, s *spec.Section, line int) *diag.Diagnostic {
	header := strings.TrimSpace(r.spec.Line(s.Start).Text)
	d := r.fail(key, "overlay/conditional", "cannot remove %q: a conditional spans beyond the section", quoteLine(header))
	d.Related = []diag.Related{
		{Pos: r.spec.Pos(line)},
		{Pos: r.spec.Pos(s.Start), Message: "the section starts here"},
	}
	d.Hint = "remove its lines with spec-search-replace, or change the conditional first"
	return d
}

// A branchWord is an %else or %elif line with the conditional it belongs to.
type branchWord struct {
	line int
	pair condPair
}

// pairConditionals pairs every %if line of the file with its %endif, as
// words, wherever they stand. One without the other is an error.
func (r *run) pairConditionals(key string) ([]condPair, []branchWord, *diag.Diagnostic) {
	var pairs []condPair
	var branches []branchWord
	type frame struct {
		open     int
		branches []int
	}
	var stack []frame
	for i := range r.spec.Len() {
		switch r.spec.Line(i).Cond() {
		case spec.CondOpen:
			stack = append(stack, frame{open: i})
		case spec.CondBranch:
			if n := len(stack); n > 0 {
				stack[n-1].branches = append(stack[n-1].branches, i)
			}
		case spec.CondClose:
			n := len(stack) - 1
			if n < 0 {
				return nil, nil, r.unbalanced(key, i, "%endif without %if")
			}
			p := condPair{stack[n].open, i}
			pairs = append(pairs, p)
			for _, b := range stack[n].branches {
				branches = append(branches, branchWord{b, p})
			}
			stack = stack[:n]
		}
	}
	if len(stack) > 0 {
		return nil, nil, r.unbalanced(key, stack[len(stack)-1].open, "%if without %endif")
	}
	return pairs, branches, nil
}

func (r *run) unbalanced(key string, line int, what string) *diag.Diagnostic {
	d := r.fail(key, "overlay/unbalanced", "cannot remove a section from a spec with unpaired conditionals")
	d.Related = []diag.Related{{Pos: r.spec.Pos(line), Message: what + ": " + quoteLine(r.spec.Line(line).Text)}}
	d.Hint = "words at the start of a line count wherever they stand; change that line with spec-search-replace first"
	return d
}
