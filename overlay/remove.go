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
	pairs, d := r.pairConditionals(key)
	if d != nil {
		return d
	}
	var lines []int
	for _, i := range at {
		s := &r.spec.Sections()[i]
		inside := func(line int) bool { return line >= s.Start && line < s.End }
		end := s.End
		for line := s.Start; line < end; line++ {
			p, ok := pairs[line]
			switch c := r.spec.Line(line).Cond(); {
			case !ok || inside(p.open) && inside(p.close):
			case c == spec.CondBranch:
				d := r.tornConditional(key, s, line)
				d.Related[0].Message = "this branch belongs to the conditional"
				d.Related = append(d.Related, diag.Related{Pos: r.spec.Pos(p.open), Message: quoteLine(r.spec.Line(p.open).Text)})
				return d
			default:
				end = line
			}
		}
		for line := end; line < s.End; line++ {
			l := r.spec.Line(line)
			t := strings.TrimSpace(l.Text)
			if t != "" && t[0] != '#' && l.Cond() != spec.CondOpen && l.Cond() != spec.CondClose {
				d := r.tornConditional(key, s, end)
				d.Related[0].Message = "this conditional reaches beyond the section"
				d.Related = append(d.Related, diag.Related{Pos: r.spec.Pos(line), Message: "and this line depends on it: " + quoteLine(l.Text)})
				return d
			}
		}
		for line := s.Start; line < end; line++ {
			lines = append(lines, line)
		}
	}
	r.spec.DeleteLines(lines, r.origin)
	r.rep.Places = len(at)
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

// pairConditionals pairs every %if line of the file with its %endif, as
// words, wherever they stand, and maps the lines of both and of the branch
// words between them to the pair. One end without the other is an error;
// branch words outside of conditionals are not.
func (r *run) pairConditionals(key string) (map[int]condPair, *diag.Diagnostic) {
	pairs := map[int]condPair{}
	var stack [][]int // lines of the open conditionals so far
	for i := range r.spec.Len() {
		n := len(stack) - 1
		switch r.spec.Line(i).Cond() {
		case spec.CondOpen:
			stack = append(stack, []int{i})
		case spec.CondBranch:
			if n >= 0 {
				stack[n] = append(stack[n], i)
			}
		case spec.CondClose:
			if n < 0 {
				return nil, r.unbalanced(key, i, "%endif without %if")
			}
			p := condPair{stack[n][0], i}
			for _, line := range append(stack[n], i) {
				pairs[line] = p
			}
			stack = stack[:n]
		}
	}
	if n := len(stack) - 1; n >= 0 {
		return nil, r.unbalanced(key, stack[n][0], "%if without %endif")
	}
	return pairs, nil
}

func (r *run) unbalanced(key string, line int, what string) *diag.Diagnostic {
	d := r.fail(key, "overlay/unbalanced", "cannot remove a section from a spec with unpaired conditionals")
	d.Related = []diag.Related{{Pos: r.spec.Pos(line), Message: what + ": " + quoteLine(r.spec.Line(line).Text)}}
	d.Hint = "words at the start of a line count wherever they stand; change that line with spec-search-replace first"
	return d
}
