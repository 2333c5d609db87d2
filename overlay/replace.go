package overlay

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
)

// A matcher is a compiled `regex` with its `replacement`.
type matcher struct {
	*regexp.Regexp
	replacement string
	groups      bool
	must        string // every match has this text in it

	size              int // of the program
	searched, written int // so far, see affords
}

// matcher compiles the operation's expression, which has been checked.
func (op *Op) matcher() matcher {
	m := matcher{Regexp: regexp.MustCompile(op.Regex), replacement: op.Replacement, groups: op.ReplacementGroups}
	if tree, err := syntax.Parse(op.Regex, syntax.Perl); err == nil {
		m.size = regex.Size(tree)
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
			if m.must != "" && !strings.Contains(text, m.must) {
				continue
			}
			if d := r.affords(m, text); d != nil {
				return d
			}
			if !m.MatchString(text) {
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
