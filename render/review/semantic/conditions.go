package semantic

import (
	"strings"

	"specgraft/overlay/spec"
)

func isCondition(f spec.Form) bool {
	return f == spec.FormIf || f == spec.FormElse || f == spec.FormEndif
}

// A condition is one %if, %elif or %else in its plainest spelling.
type condition struct {
	text, what string
	line       int
	last       int // line of what closes it
}

// conditionList returns the conditions in the order of the spec.
func (s *side) conditionList() []condition {
	str := s.structure()
	end := map[int]int{}
	for i := range str.Conds {
		c := &str.Conds[i]
		for k, l := range c.Branches {
			last := c.Endif
			if k+1 < len(c.Branches) {
				last = c.Branches[k+1]
			}
			if last < 0 {
				last = len(s.lines) - 1
			}
			end[l] = last + 1
		}
	}
	var out []condition
	for i, line := range s.lines {
		if f := str.Lines[i].Form; f != spec.FormIf && f != spec.FormElse {
			continue
		}
		for k := i + 1; k < len(s.lines) && strings.HasSuffix(line, `\`); k++ {
			line = strings.TrimSuffix(line, `\`) + s.lines[k]
		}
		text := braced(oneLine(line))
		// braced also takes the directive itself for a macro
		text = strings.Replace(strings.Replace(text, "%{", "%", 1), "}", "", 1)
		word, _, _ := strings.Cut(text, " ")
		if word == "%else" {
			text = word // what stands behind is a comment
		}
		text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }), " ")
		out = append(out, condition{tightened(text), word, i + 1, end[i]})
	}
	return out
}

// tightened takes the blanks around operators and parentheses away, which mean
// nothing in an expression.
func tightened(s string) string {
	word, rest, ok := strings.Cut(s, " ")
	if !ok || word != "%if" && word != "%elif" {
		return s
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(rest); i++ {
		c := rest[i]
		if c == '"' {
			quoted = !quoted
		}
		if c == ' ' && !quoted {
			before, after := byte('x'), byte('x')
			if i > 0 {
				before = rest[i-1]
			}
			if i+1 < len(rest) {
				after = rest[i+1]
			}
			if strings.IndexByte("()&|=<>!+*/?:", before) >= 0 || strings.IndexByte("()&|=<>!+*/?:", after) >= 0 {
				continue
			}
		}
		b.WriteByte(c)
	}
	return word + " " + b.String()
}

// conditions compares the conditions of both sides by their text: what they
// decide elsewhere is a change of its own, and what they might decide on
// another machine is not seen here.
func (c *comparison) conditions() {
	a, b := c.old.conditionList(), c.new.conditionList()
	list := func(l []condition) []string {
		out := make([]string, len(l))
		for i := range l {
			out[i] = l[i].text
		}
		return out
	}
	hunks := align(list(a), list(b)).hunks()
	// What stands elsewhere now has only moved.
	spare := map[string]int{}
	for _, h := range hunks {
		for _, x := range b[h.n0:h.n1] {
			spare[x.text]++
		}
	}
	moved := map[string]int{}
	keep := func(l []condition, use map[string]int) (out []condition) {
		for _, x := range l {
			if use[x.text] > 0 {
				use[x.text]--
				moved[x.text]++
				continue
			}
			out = append(out, x)
		}
		return out
	}
	var olds, news [][]condition
	for _, h := range hunks {
		olds = append(olds, keep(a[h.o0:h.o1], spare))
	}
	back := map[string]int{}
	for k, n := range moved {
		back[k] = n
	}
	for _, h := range hunks {
		news = append(news, keep(b[h.n0:h.n1], back))
	}
	for i := range hunks {
		for k := range max(len(olds[i]), len(news[i])) {
			var x, y *condition
			if k < len(olds[i]) {
				x = &olds[i][k]
			}
			if k < len(news[i]) {
				y = &news[i][k]
			}
			c.condition(x, y)
		}
	}
}

func (c *comparison) condition(x, y *condition) {
	ch := Change{Class: Condition, Package: c.pairs[0].new.main, Op: Changed, Arch: append([]string{}, c.archs...)}
	if x != nil {
		if y == nil && c.covered(x.line, x.last, false) {
			return
		}
		s := c.old.source(x.line)
		ch.What, ch.Old, ch.OldLine = x.what, &s, x.line
	} else {
		ch.Op = Added
	}
	if y != nil {
		if x == nil && c.covered(y.line, y.last, true) {
			return
		}
		s := c.new.source(y.line)
		ch.What, ch.New, ch.NewLine = y.what, &s, y.line
	} else {
		ch.Op = Removed
	}
	c.diff.Changes = append(c.diff.Changes, ch)
}

// covered reports whether all that stands under a condition came or went with a
// whole package or section, so that the condition did with it.
func (c *comparison) covered(line, last int, new bool) bool {
	s, m := c.old, c.alignment().toNew
	if new {
		s, m = c.new, c.alignment().toOld
	}
	str := s.structure()
	header := false
	for i := line - 1; i < last && i < len(s.lines); i++ {
		if m[i] >= 0 && strings.TrimSpace(s.lines[i]) != "" && !isCondition(str.Lines[i].Form) {
			return false
		}
		header = header || str.Lines[i].Form == spec.FormHeader
	}
	if header {
		return true
	}
	// The condition stands within a part that is there on this side only.
	return m[str.Parts[str.Lines[line-1].Part].Start] < 0 && str.Parts[str.Lines[line-1].Part].Name != ""
}

// source returns a line as written, its words apart by one blank.
func (s *side) source(line int) string {
	if line < 1 || line > len(s.lines) {
		return ""
	}
	return oneLine(s.lines[line-1])
}

// alignment matches the lines of both specs as they are written.
func (c *comparison) alignment() *alignment {
	if c.aligned == nil {
		c.aligned = align(c.old.lines, c.new.lines)
	}
	return c.aligned
}

// unchangedLines reports whether the lines of a change are there on both sides as
// they are, so that it follows from another one.
func (c *comparison) unchangedLines(ch *Change) bool {
	m := c.alignment()
	stay := func(lines []string, to []int, first, last int) bool {
		for i := first - 1; i < max(first, last); i++ {
			if i >= len(lines) || to[i] < 0 {
				return false
			}
		}
		return true
	}
	if stay(c.old.lines, m.toNew, ch.OldLine, ch.oldEnd) && stay(c.new.lines, m.toOld, ch.NewLine, ch.newEnd) {
		return true
	}
	return ch.oldEnd <= ch.OldLine && ch.newEnd <= ch.NewLine && c.old.source(ch.OldLine) == c.new.source(ch.NewLine)
}
