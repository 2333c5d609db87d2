package overlay

import (
	"cmp"
	"fmt"
	"go/token"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
	"specgraft/overlay/spec"
)

// explain adds to a diagnostic about an operation that found nothing what
// its author needs next and what needs a look at the whole spec: the earlier
// operation that took the thing away, where else it is, and the nearest lines.
func explain(t *Tree, op *Op, d *diag.Diagnostic) {
	if d.Code != "overlay/no-match" && d.Code != "overlay/no-section" {
		return
	}
	h := &helper{file: t.Spec, op: op, d: d}
	switch h.op.Type {
	case UpdateTag, RemoveTag:
		h.tag()
	case SearchReplace:
		h.expression()
	case FileSearchReplace:
		h.files(t)
	case AddTag, SetTag, InsertTag, PrependLines, AppendLines, RemoveSection, RemoveSubpackage:
		h.section()
	case PatchRemove:
		h.patch()
	}
}

// A helper collects related positions and a hint for one failed operation.
type helper struct {
	file *spec.File
	op   *Op
	d    *diag.Diagnostic
}

const maxRelated = 3

func (h *helper) hint(format string, args ...any) {
	if h.d.Hint == "" {
		h.d.Hint = fmt.Sprintf(format, args...)
	}
}

func (h *helper) related(pos token.Position, format string, args ...any) {
	h.d.Related = append(h.d.Related, diag.Related{Pos: pos, Message: fmt.Sprintf(format, args...)})
}

// removedBy looks through the edit log, newest first, for the operation that
// took away a line which gone accepts, and reports whether it found one.
func (h *helper) removedBy(gone func(*spec.Line) bool) bool {
	log := h.file.Log()
	for k := len(log) - 1; k >= 0; k-- {
		e := &log[k]
		if e.Origin == nil || e.Split {
			continue
		}
		for i := range e.Old {
			if !gone(&e.Old[i]) || slices.ContainsFunc(e.New, func(l spec.Line) bool { return gone(&l) }) {
				continue
			}
			verb := "removed"
			if i < len(e.New) {
				verb = "changed"
			}
			first := []diag.Related{{Pos: e.Origin.Pos, Message: fmt.Sprintf("an earlier overlay (%s) %s it: %s", e.Origin.Step, verb, short(e.Old[i].Text))}}
			if n := e.Old[i].Num; n > 0 {
				first = append(first, diag.Related{Pos: token.Position{Filename: h.file.Name(), Line: n, Column: 1}, Message: "it stood here upstream"})
			}
			h.d.Related = first
			h.d.Hint = "change or remove one of the two overlays"
			return true
		}
	}
	return false
}

// tag explains a tag that is not there.
func (h *helper) tag() {
	op := h.op
	same := func(name string) bool { return strings.EqualFold(name, op.Tag) }
	if h.removedBy(func(l *spec.Line) bool {
		name, value, ok := l.Tag()
		return ok && l.Kind() == spec.TagLine && same(name) && (op.Value == "" || op.Type != RemoveTag || strings.EqualFold(value, op.Value))
	}) {
		return
	}
	sections := h.file.Sections()
	for t := range h.file.Tags() {
		pkg := sections[t.Section].Package
		if !same(t.Name) || pkg == op.Package || len(h.d.Related) >= maxRelated {
			continue
		}
		if pkg == "" {
			h.related(h.file.Pos(t.Line), "the preamble has it: %s", short(h.file.Line(t.Line).Text))
			h.d.Hint = fmt.Sprintf("remove package = %q for the tag of the main package", op.Package)
		} else {
			h.related(h.file.Pos(t.Line), "package %q has it: %s", pkg, short(h.file.Line(t.Line).Text))
			h.d.Hint = fmt.Sprintf("set package = %q for that tag", pkg)
		}
	}
	s := h.file.Structure()
	for k := range s.Tags {
		t := &s.Tags[k]
		if !same(t.Name) || len(h.d.Related) >= maxRelated {
			continue
		}
		if name, _, ok := h.file.Line(t.Line).Tag(); !ok || !same(name) {
			h.related(h.file.Pos(t.Line), "rpm reads this as the tag, tag overlays do not: %s", short(h.file.Line(t.Line).Text))
			h.d.Hint = "use spec-search-replace on that line"
		}
	}
}

// section explains a section that is not there.
func (h *helper) section() {
	op := h.op
	wanted := func(name, pkg string) bool { return name == op.Section && pkg == op.Package }
	switch op.Type {
	case AddTag, SetTag, InsertTag:
		wanted = func(name, pkg string) bool { return name == "%package" && pkg == op.Package }
	case RemoveSubpackage:
		wanted = func(_, pkg string) bool { return pkg == op.Package }
	}
	if h.removedBy(func(l *spec.Line) bool {
		name, pkg, _, ok := l.Header()
		return ok && wanted(name, pkg)
	}) {
		return
	}
	for _, s := range h.file.Sections() {
		if s.Name != "" && s.Name != op.Section && strings.EqualFold(s.Name, op.Section) && s.Package == op.Package {
			h.related(h.file.Pos(s.Start), "the header is spelt differently: %s", short(h.file.Line(s.Start).Text))
			h.d.Hint = fmt.Sprintf("set section = %q", s.Name)
			return
		}
	}
	for _, p := range h.file.Structure().Parts {
		if p.Name != "" && p.Name == strings.ToLower(op.Section) && h.file.Line(p.Start).Kind() != spec.Header {
			h.related(h.file.Pos(p.Start), "line overlays do not know this section")
			h.d.Hint = "use spec-search-replace on a line of that section"
			return
		}
	}
}

// expression explains an expression that matched, or changed, nothing.
func (h *helper) expression() {
	op := h.op
	re, err := regexp.Compile(op.Regex)
	if err != nil {
		return
	}
	if tree, err := syntax.Parse(op.Regex, syntax.Perl); err != nil || regex.Size(tree) > smallExpression {
		return // searching the whole spec with it could take long
	}
	sections := h.file.Sections()
	if op.Section != "" && !slices.ContainsFunc(sections, func(s spec.Section) bool { return h.inScope(&s) }) {
		h.section()
		return
	}
	if h.removedBy(func(l *spec.Line) bool { return re.MatchString(l.Text) }) {
		return
	}
	var scope, other []int
	for k := range sections {
		s := &sections[k]
		for i := s.Start; i < s.End; i++ {
			text := h.file.Line(i).Text
			switch {
			case h.inScope(s) && h.file.Line(i).Kind() != spec.Header:
				scope = append(scope, i)
				if re.MatchString(text) {
					if len(h.d.Related) < maxRelated {
						h.related(h.file.Pos(i), "matches, but the replacement is what is there: %s", short(text))
					}
					h.hint("remove the overlay if upstream has caught up with it")
				}
			case re.MatchString(text):
				other = append(other, i)
			}
		}
	}
	if len(h.d.Related) > 0 {
		return
	}
	h.elsewhere(other, sections)
	if len(other) > 0 {
		return
	}
	if h.plainText(scope) {
		return
	}
	if strings.Contains(op.Regex, `\n`) && !op.Multiline {
		h.hint("the expression contains a line break but sees one line at a time: set multiline = true")
	}
	h.literally(scope)
	h.nothingNear("line of the spec")
}

// inScope reports whether the operation looks at a section.
func (h *helper) inScope(s *spec.Section) bool {
	name := h.op.Section
	if name == PreambleSection {
		return s.Name == ""
	}
	return (name == "" || s.Name == name) && (h.op.Package == "" || s.Package == h.op.Package)
}

// elsewhere shows the lines outside of its scope that an expression matches.
func (h *helper) elsewhere(lines []int, sections []spec.Section) {
	for _, i := range lines[:min(len(lines), maxRelated)] {
		if h.file.Line(i).Kind() == spec.Header {
			h.related(h.file.Pos(i), "matches, but section headers are never changed: %s", short(h.file.Line(i).Text))
			h.hint("aim at a line below the header")
			continue
		}
		s := sections[h.file.SectionAt(i)]
		name := cmp.Or(s.Name, "the preamble")
		if s.Package != "" {
			name += " " + s.Package
		}
		h.related(h.file.Pos(i), "matches in %s: %s", name, short(h.file.Line(i).Text))
		h.hint("set section = %q", cmp.Or(s.Name, PreambleSection))
	}
}

// literally shows the lines that are nearest to the text in an expression: of the
// scope, and where that has none, of the whole spec.
func (h *helper) literally(scope []int) {
	literal := literalText(h.op.Regex)
	if len(literal) < 3 {
		return
	}
	n := nearLines{literal: literal, budget: nearBudget}
	for _, i := range scope {
		n.look(h.file.Pos(i), h.file.Line(i).Text)
	}
	if len(n.hits) == 0 && h.op.Section != "" {
		for i := range h.file.Len() {
			n.look(h.file.Pos(i), h.file.Line(i).Text)
		}
	}
	h.nearest(&n)
}

// plainText explains an expression that is found as text: its special
// characters were not meant to be any.
func (h *helper) plainText(scope []int) bool {
	core := strings.TrimSuffix(strings.TrimPrefix(h.op.Regex, "^"), "$")
	quoted := regexpQuote(core)
	if core == "" || quoted == core {
		return false
	}
	escaped := strings.Replace(h.op.Regex, core, quoted, 1)
	re, err := regexp.Compile(escaped)
	if err != nil {
		return false
	}
	for _, i := range scope {
		if text := h.file.Line(i).Text; re.MatchString(text) {
			h.related(h.file.Pos(i), "matches as plain text: %s", short(text))
			h.hint("escape the characters that mean something in an expression: regex = %s", tomlText(escaped))
			return true
		}
	}
	return false
}

// files explains an expression that matched in no file.
func (h *helper) files(t *Tree) {
	literal := literalText(h.op.Regex)
	if len(literal) < 3 {
		return
	}
	n := nearLines{literal: literal, budget: nearBudget}
	for _, name := range slices.Sorted(maps.Keys(t.Files)) {
		f := t.Files[name]
		if ok, err := matchFile(h.op.File, name); err != nil || !ok || f.Size() > int64(n.budget) {
			continue
		}
		b, err := f.Bytes()
		if err != nil {
			return
		}
		line := 0
		for text := range strings.Lines(string(b)) {
			line++
			n.look(token.Position{Filename: name, Line: line, Column: 1}, strings.TrimRight(text, "\r\n"))
		}
	}
	h.nearest(&n)
	h.nothingNear("line")
}

// nearest names the lines that were found to be near.
func (h *helper) nearest(n *nearLines) {
	slices.SortStableFunc(n.hits, func(a, b nearLine) int { return cmp.Compare(a.distance, b.distance) })
	for _, l := range n.hits[:min(len(n.hits), maxRelated)] {
		h.related(l.pos, "nearest line: %s", excerpt(l.text, l.end-len(n.literal), l.end))
	}
	if len(n.hits) > 0 {
		h.hint("adapt the expression to what is there")
	}
}

// nothingNear is the last thing to say about an expression. Whether upstream
// once had what it looks for is not known; an overlay that stands in no file
// yet, being tried, cannot have become unnecessary.
func (h *helper) nothingNear(what string) {
	if h.op.Pos.Line == 0 {
		h.hint("no %s is like it: correct the expression", what)
		return
	}
	h.hint("no %s is like it: correct the expression, or remove the overlay if upstream has dropped the line", what)
}

// nearBudget bounds the bytes of text that are searched for near lines; the
// largest spec there is has 11 MB.
const nearBudget = 4 << 20

// nearLines are the lines that come near to what an expression says.
type nearLines struct {
	literal string
	budget  int
	hits    []nearLine
}

type nearLine struct {
	pos           token.Position
	text          string
	distance, end int
}

// look compares one line.
func (n *nearLines) look(pos token.Position, text string) {
	if n.budget -= len(text); n.budget < 0 {
		return
	}
	if d, end := within(n.literal, text); d*5 <= len(n.literal)*2 {
		n.hits = append(n.hits, nearLine{pos, text, d, end})
	}
}

// literalText returns what an expression says literally, with a blank for
// anything else in between.
func literalText(expr string) string {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return ""
	}
	var b strings.Builder
	var walk func(*syntax.Regexp)
	walk = func(re *syntax.Regexp) {
		switch re.Op {
		case syntax.OpLiteral:
			b.WriteString(string(re.Rune))
		case syntax.OpConcat, syntax.OpCapture, syntax.OpPlus:
			for _, s := range re.Sub {
				walk(s)
			}
		case syntax.OpAlternate:
			walk(re.Sub[0])
		case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpStar, syntax.OpRepeat:
			if s := b.String(); s != "" && !strings.HasSuffix(s, " ") {
				b.WriteByte(' ')
			}
		}
	}
	walk(re)
	s := strings.TrimSpace(b.String())
	if len(s) > 120 {
		for s = s[:120]; !utf8.ValidString(s) && s != ""; {
			s = s[:len(s)-1]
		}
	}
	return s
}

// excerpt returns text fit for a message like short, but with text[from:to] in
// it.
func excerpt(text string, from, to int) string {
	if to <= 56 || len(text) <= 60 {
		return short(text)
	}
	from = max(min(from, to-40), 0)
	for from > 0 && (text[from]&0xc0 == 0x80 || text[from-1] != ' ' && to-from < 56) {
		from--
	}
	return "..." + short(text[from:])
}

// within returns the least edit distance of word to any part of text, in
// bytes, and where that part ends (Sellers' algorithm). Only the first 4 KiB of
// text count.
func within(word, text string) (best, end int) {
	text = text[:min(len(text), 4096)]
	col := make([]int, len(word)+1)
	for i := range col {
		col[i] = i
	}
	best = col[len(word)]
	for j := range len(text) {
		diagonal := col[0]
		for i := range len(word) {
			up := diagonal
			if word[i] != text[j] {
				up++
			}
			diagonal = col[i+1]
			col[i+1] = min(up, col[i]+1, diagonal+1)
		}
		if col[len(word)] < best {
			best, end = col[len(word)], j+1
		}
	}
	return best, end
}

// patch explains a patch that the spec does not list.
func (h *helper) patch() {
	op := h.op
	matches := func(value string) bool {
		ok, err := matchFile(op.File, value)
		return err == nil && ok
	}
	h.removedBy(func(l *spec.Line) bool {
		name, value, ok := l.Tag()
		return ok && l.Kind() == spec.TagLine && len(name) > 5 && strings.EqualFold(name[:5], "patch") && matches(value)
	})
}
