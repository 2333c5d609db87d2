package overlay

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// A matcher is a compiled `regex` with its `replacement`.
type matcher struct {
	*regexp.Regexp
	replacement string
	groups      bool
	must        string // every match has this text in it
}

// matcher compiles the operation's expression, which has been checked.
func (op *Op) matcher() matcher {
	m := matcher{Regexp: regexp.MustCompile(op.Regex), replacement: op.Replacement, groups: op.ReplacementGroups}
	if tree, err := syntax.Parse(op.Regex, syntax.Perl); err == nil {
		m.must = literalIn(tree.Simplify())
	}
	return m
}

// literalIn returns the longest text that every match of the expression is
// bound to contain. Searching for it first is many times faster than the
// expression on the lines that do not match, which are nearly all.
func literalIn(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		// U+FFFD in an expression also matches bytes that are no UTF-8.
		if re.Flags&syntax.FoldCase != 0 || slices.Contains(re.Rune, '\uFFFD') {
			return ""
		}
		return string(re.Rune)
	case syntax.OpCapture, syntax.OpPlus:
		return literalIn(re.Sub[0])
	case syntax.OpConcat:
		best := ""
		for _, sub := range re.Sub {
			if s := literalIn(sub); len(s) > len(best) {
				best = s
			}
		}
		return best
	}
	return ""
}

// replaceString replaces every match in one line.
func (m *matcher) replaceString(s string) string {
	if m.groups {
		return m.ReplaceAllString(s, m.replacement)
	}
	return m.ReplaceAllLiteralString(s, m.replacement)
}

// expand returns what takes the place of one match, given by the indices
// that FindAllStringSubmatchIndex returns.
func (m *matcher) expand(text string, match []int) string {
	if m.groups {
		return string(m.ExpandString(nil, m.replacement, text, match))
	}
	return m.replacement
}

// searchReplace works line by line and never on section headers, or with
// `multiline` on the body of each section as a whole.
func (r *run) searchReplace() *diag.Diagnostic {
	all := r.spec.Sections()
	var at []int
	for i := range all {
		switch s := &all[i]; r.op.Section {
		case "":
		case PreambleSection:
			if i > 0 {
				continue
			}
		default:
			if s.Name != r.op.Section || r.op.Package != "" && s.Package != r.op.Package {
				continue
			}
		}
		at = append(at, i)
	}
	if len(at) == 0 {
		return r.noSection("section", r.op.Section, r.op.Package)
	}
	m := r.op.matcher()
	if r.op.Multiline {
		return r.replaceBodies(&m, at)
	}
	return r.replaceLines(&m, at)
}

type lineEdit struct {
	line int
	text string
}

func (r *run) replaceLines(m *matcher, at []int) *diag.Diagnostic {
	var edits []lineEdit
	var same []int
	for _, n := range at {
		s := &r.spec.Sections()[n]
		for i := s.Body(); i < s.End; i++ {
			text := r.spec.Line(i).Text
			if m.must != "" && !strings.Contains(text, m.must) || !m.MatchString(text) {
				continue
			}
			if with := m.replaceString(text); with != text {
				edits = append(edits, lineEdit{i, with})
			} else {
				same = append(same, i)
			}
		}
	}
	r.rep.Unchanged = len(same)
	if len(edits) == 0 {
		return r.noReplacement(same)
	}
	if r.op.Branch != "" {
		lines := make([]int, len(edits))
		for i, e := range edits {
			lines[i] = e.line
		}
		lines, d := r.inBranch(lines)
		if d != nil {
			return d
		}
		edits = slices.DeleteFunc(edits, func(e lineEdit) bool { return !contains(lines, e.line) })
	}
	for _, e := range edits {
		r.spec.Replace(e.line, r.origin, e.text)
	}
	r.rep.Places = len(edits)
	return nil
}

// noReplacement says why an expression had no effect.
func (r *run) noReplacement(same []int) *diag.Diagnostic {
	if len(same) == 0 {
		return r.fail("regex", "overlay/no-match", "nothing matches %s%s", quoteRegex(r.op.Regex), r.scope())
	}
	d := r.fail("replacement", "overlay/no-change", "what matches %s%s is already as wanted", quoteRegex(r.op.Regex), r.scope())
	for _, i := range same[:min(len(same), 5)] {
		d.Related = append(d.Related, diag.Related{Pos: r.spec.Pos(i), Message: quoteLine(r.spec.Line(i).Text)})
	}
	d.Hint = "remove the overlay, or correct its replacement"
	return d
}

// quoteRegex shows an expression as a TOML literal string where that is possible.
func quoteRegex(re string) string {
	for _, c := range re {
		if c == '\'' || !strconv.IsPrint(c) {
			return strconv.Quote(re)
		}
	}
	return "'" + re + "'"
}

// scope names the place that an expression was looked for in.
func (r *run) scope() string {
	switch {
	case r.op.Section == "":
		return ""
	case r.op.Section == PreambleSection:
		return " in the preamble"
	case r.op.Package != "":
		return " in " + r.op.Section + " of package \"" + r.op.Package + "\""
	}
	return " in " + r.op.Section
}

// A bodyMatch is a match in the joined body of a section.
type bodyMatch struct {
	start, end int
	with       string
}

// replaceBodies lets the expression see each section's body as one text with
// LF behind every line.
func (r *run) replaceBodies(m *matcher, at []int) *diag.Diagnostic {
	var edits []spec.Range
	var firsts, same []int
	for _, n := range at {
		s := &r.spec.Sections()[n]
		var b strings.Builder
		starts := make([]int, 0, s.End-s.Body()+1) // of the lines in the text
		for i := s.Body(); i < s.End; i++ {
			starts = append(starts, b.Len())
			b.WriteString(r.spec.Line(i).Text)
			b.WriteByte('\n')
		}
		text := b.String()
		if m.must != "" && !strings.Contains(text, m.must) {
			continue
		}
		lineAt := func(offset int) int {
			i, found := slices.BinarySearch(starts, offset)
			if !found {
				i--
			}
			return i
		}
		var group []bodyMatch
		flush := func(first, last int) {
			end := len(text)
			if last < len(starts) {
				end = starts[last]
			}
			var out strings.Builder
			from := starts[first]
			for _, g := range group {
				out.WriteString(text[from:g.start])
				out.WriteString(g.with)
				from = g.end
			}
			out.WriteString(text[from:end])
			with := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if out.Len() == 0 {
				with = nil
			}
			edits = append(edits, spec.Range{Start: s.Body() + first, End: s.Body() + last, Text: with})
			firsts = append(firsts, s.Body()+first)
			group = group[:0]
		}
		first, last := 0, 0
		for _, loc := range m.FindAllStringSubmatchIndex(text, -1) {
			with := m.expand(text, loc)
			if len(starts) == 0 || loc[0] == len(text) && loc[1] == len(text) && len(starts) > 0 && with == "" {
				continue
			}
			if text[loc[0]:loc[1]] == with {
				same = append(same, s.Body()+min(lineAt(loc[0]), len(starts)-1))
				continue
			}
			r.rep.Places++
			a := min(lineAt(loc[0]), len(starts)-1)
			z := a + 1 // behind the last line that is touched
			if loc[1] > loc[0] {
				z = min(lineAt(loc[1]-1), len(starts)-1) + 1
			}
			// A consumed line ending joins the next line, unless the
			// replacement brings one along or nothing is left before it.
			if loc[1] > loc[0] && text[loc[1]-1] == '\n' && !strings.HasSuffix(with, "\n") && (with != "" || loc[0] != starts[a]) && z < len(starts) {
				z++
			}
			if len(group) > 0 && a >= last {
				flush(first, last)
			}
			if len(group) == 0 {
				first, last = a, z
			}
			last = max(last, z)
			group = append(group, bodyMatch{loc[0], loc[1], with})
		}
		if len(group) > 0 {
			flush(first, last)
		}
	}
	r.rep.Unchanged = len(same)
	if len(edits) == 0 {
		return r.noReplacement(same)
	}
	if r.op.Branch != "" {
		lines, d := r.inBranch(firsts)
		if d != nil {
			return d
		}
		edits = slices.DeleteFunc(edits, func(e spec.Range) bool { return !contains(lines, e.Start) })
		r.rep.Places = len(edits)
	}
	r.spec.Rewrite(edits, r.origin)
	return nil
}
