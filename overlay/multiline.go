package overlay

import (
	"slices"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// A body is what an expression with `multiline` sees of a section: its lines
// below the header as one text with LF behind each.
type body struct {
	text   string
	starts []int // offsets of the lines, and last the length of the text
}

func newBody(f *spec.File, s *spec.Section) body {
	var b strings.Builder
	starts := make([]int, 0, s.End-s.Body()+1)
	for i := s.Body(); i < s.End; i++ {
		starts = append(starts, b.Len())
		b.WriteString(f.Line(i).Text)
		b.WriteByte('\n')
	}
	return body{b.String(), append(starts, b.Len())}
}

// lineAt returns the line that holds an offset. The end of the text is a line
// of its own.
func (b *body) lineAt(offset int) int {
	i, found := slices.BinarySearch(b.starts, offset)
	if !found {
		i--
	}
	return i
}

// A bodyMatch is a match with what takes its place.
type bodyMatch struct {
	start, end int
	with       string
}

// ranges returns the lines that replacing the matches changes, each with its
// new text.
func (b *body) ranges(matches []bodyMatch) []spec.Range {
	var list []spec.Range
	for len(matches) > 0 {
		first, last, n := b.lineAt(matches[0].start), 0, 0
		last = first
		// A replacement that leaves a line without its ending draws in the
		// next line, and that one's matches.
		for {
			if n < len(matches) && (n == 0 || matches[n].start < b.starts[last]) {
				last = max(last, b.lineBehind(matches[n]))
				n++
			} else if last < len(b.starts)-1 && b.isOpen(matches[:n], first, last) {
				last++
			} else {
				break
			}
		}
		list = append(list, spec.Range{Start: first, End: last, Text: b.replaced(matches[:n], first, last)})
		matches = matches[n:]
	}
	return list
}

// lineBehind returns the first line that a match does not touch.
func (b *body) lineBehind(m bodyMatch) int {
	if m.end > m.start {
		return b.lineAt(m.end-1) + 1
	}
	return min(b.lineAt(m.start)+1, len(b.starts)-1)
}

// isOpen reports whether the text for lines [first, last) would end within a
// line once the matches are replaced.
func (b *body) isOpen(matches []bodyMatch, first, last int) bool {
	end := b.starts[last]
	for _, m := range slices.Backward(matches) {
		if m.end < end {
			break
		}
		if m.with != "" {
			return !strings.HasSuffix(m.with, "\n")
		}
		end = m.start
	}
	return end > b.starts[first] && b.text[end-1] != '\n'
}

// replaced returns the lines [first, last) with the matches replaced.
func (b *body) replaced(matches []bodyMatch, first, last int) []string {
	var out strings.Builder
	from := b.starts[first]
	for _, m := range matches {
		out.WriteString(b.text[from:m.start])
		out.WriteString(m.with)
		from = m.end
	}
	out.WriteString(b.text[from:b.starts[last]])
	if out.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// replaceBodies lets the expression see the body of each section as a whole.
func (r *run) replaceBodies(m *matcher, at []int) *diag.Diagnostic {
	var ranges []spec.Range
	var same []int // lines
	for _, n := range at {
		s := &r.spec.Sections()[n]
		b := newBody(r.spec, s)
		if m.must != "" && !strings.Contains(b.text, m.must) {
			continue
		}
		if d := r.affords(m, b.text); d != nil {
			return d
		}
		var matches []bodyMatch
		for _, loc := range m.FindAllStringSubmatchIndex(b.text, -1) {
			if with := m.expand(b.text, loc); with != b.text[loc[0]:loc[1]] {
				matches = append(matches, bodyMatch{loc[0], loc[1], with})
			} else if line := s.Body() + b.lineAt(loc[0]); line < s.End {
				same = append(same, line)
			}
		}
		r.rep.Places += len(matches)
		for _, c := range b.ranges(matches) {
			c.Start, c.End = c.Start+s.Body(), c.End+s.Body()
			ranges = append(ranges, c)
		}
	}
	r.rep.Unchanged = len(same)
	if len(ranges) == 0 {
		return r.noReplacement(same)
	}
	if r.op.Branch != "" && r.op.Branch != "all" {
		lines := make([]int, len(ranges))
		for i, c := range ranges {
			lines[i] = min(c.Start, r.spec.Len()-1)
		}
		lines, d := r.inBranch(lines)
		if d != nil {
			return d
		}
		ranges = slices.DeleteFunc(ranges, func(c spec.Range) bool { return !contains(lines, min(c.Start, r.spec.Len()-1)) })
		r.rep.Places = len(ranges)
	}
	r.spec.Rewrite(ranges, r.origin)
	return nil
}
