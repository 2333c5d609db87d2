package absorb

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"specgraft/overlay"
	"specgraft/overlay/spec"
)

func itoa(n int) string { return strconv.Itoa(n) }

// maxContext bounds the lines around a place that an expression takes in to
// tell it from others.
const maxContext = 12

// maxOld bounds the lines that an expression replaces; longer ones are blocks.
const maxOld = 24

// quoteMeta writes text as an expression on one line.
func quoteMeta(text string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(text), "\n", `\n`)
}

// A scope is where an expression looks: the sections of one name, and one
// package unless that is the main one.
type scope struct {
	name, pkg string // as keys of an operation
	ranges    [][2]int
}

// scopeOf returns the scope of section sec.
func (s *search) scopeOf(sec *spec.Section) scope {
	all := s.tree.Spec.Sections()
	if sec.Name == "" {
		return scope{name: overlay.PreambleSection, ranges: [][2]int{{sec.Body(), sec.End}}}
	}
	c := scope{name: sec.Name, pkg: sec.Package}
	for i := range all {
		if all[i].Name == sec.Name && (sec.Package == "" || all[i].Package == sec.Package) {
			c.ranges = append(c.ranges, [2]int{all[i].Body(), all[i].End})
		}
	}
	return c
}

// whole is the scope of the whole file, without section headers.
func (s *search) whole() scope {
	var c scope
	for _, sec := range s.tree.Spec.Sections() {
		c.ranges = append(c.ranges, [2]int{sec.Body(), sec.End})
	}
	return c
}

// times counts how often lines stand in the scope in this order, up to two.
func (s *search) times(c scope, lines []int32) int {
	n := 0
	for _, r := range c.ranges {
		for i := r[0]; i+len(lines) <= r[1] && n < 2; i++ {
			if s.have[i] == lines[0] && slices.Equal(s.have[i:i+len(lines)], lines) {
				n++
			}
		}
	}
	return n
}

// bestAnchor chooses a few of the ways to see a difference, those first whose
// neighbour lines say something.
func (s *search) bestAnchor(slides []hunk) []hunk {
	const most = 6
	if len(slides) > 2*most {
		slides = slices.Concat(slides[:most], slides[len(slides)-most:])
	}
	weight := func(h hunk) int {
		w := 0
		if h.oldStart > 0 {
			w = max(w, lineWeight(s.old(h.oldStart-1)))
		}
		if h.oldEnd < len(s.have) {
			w = max(w, lineWeight(s.old(h.oldEnd)))
		}
		return w
	}
	slides = slices.Clone(slides)
	slices.SortStableFunc(slides, func(a, b hunk) int { return weight(b) - weight(a) })
	return slides[:min(len(slides), most)]
}

// lineWeight says how good a line is to hold on to: 0 nothing, 3 best.
func lineWeight(line string) int {
	t := strings.TrimSpace(line)
	switch {
	case len(t) < 3:
		return 0
	case t[0] == '#' || strings.HasPrefix(t, "%if") || strings.HasPrefix(t, "%endif") || strings.HasPrefix(t, "%else"):
		return 1
	case len(t) < 6:
		return 2
	}
	return 3
}

// rewrite returns expressions that replace whole lines, with as many lines
// around them as it takes to match one place only.
func (s *search) rewrite(h hunk) []overlay.Op {
	if h.oldEnd-h.oldStart > maxOld {
		return nil
	}
	return s.rewriteAny(h)
}

func (s *search) rewriteAny(h hunk) []overlay.Op {
	var ops []overlay.Op
	all := s.tree.Spec.Sections()
	for n := range all {
		sec := &all[n]
		if h.oldStart < sec.Body() || h.oldEnd > sec.End || sec.Body() == sec.End {
			continue
		}
		c := s.scopeOf(sec)
		for _, v := range s.contexts(c, h, sec.Body(), sec.End) {
			ops = append(ops, s.exchange(c, v))
		}
	}
	return ops
}

// contexts widens the difference by lines around it until it stands once in
// the scope. It returns the ways with the fewest lines, the best first.
func (s *search) contexts(c scope, h hunk, from, to int) []hunk {
	for n := range maxContext + 1 {
		var found []hunk
		for up := n; up >= 0; up-- {
			v := hunk{h.oldStart - up, h.oldEnd + n - up, h.newStart - up, h.newEnd + n - up}
			if v.oldStart < from || v.oldEnd > to || v.oldStart == v.oldEnd || v.newStart < 0 || v.newEnd > len(s.want) {
				continue
			}
			if !s.sameAround(h, v) || !s.isUTF8(v) || s.times(c, s.have[v.oldStart:v.oldEnd]) != 1 {
				continue
			}
			found = append(found, v)
		}
		if len(found) == 0 {
			continue
		}
		// What is not blank is a better hold.
		weight := func(v hunk) int {
			w := 0
			for i := v.oldStart; i < v.oldEnd; i++ {
				w = max(w, lineWeight(s.old(i)))
			}
			return w
		}
		slices.SortStableFunc(found, func(a, b hunk) int { return weight(b) - weight(a) })
		if len(found) > 3 {
			found = found[:3]
		}
		return found
	}
	return nil
}

// sameAround reports whether the lines that v has around h are the same in both
// texts.
func (s *search) sameAround(h, v hunk) bool {
	return slices.Equal(s.have[v.oldStart:h.oldStart], s.want[v.newStart:h.newStart]) &&
		slices.Equal(s.have[h.oldEnd:v.oldEnd], s.want[h.newEnd:v.newEnd])
}

func (s *search) isUTF8(v hunk) bool {
	for i := v.oldStart; i < v.oldEnd; i++ {
		if !utf8.ValidString(s.old(i)) {
			return false
		}
	}
	return true
}

// exchange is the expression that turns the lines of one text into those of
// the other.
func (s *search) exchange(c scope, v hunk) overlay.Op {
	op := overlay.Op{Type: overlay.SearchReplace, Section: c.name, Package: c.pkg}
	old := make([]string, 0, v.oldEnd-v.oldStart)
	for i := v.oldStart; i < v.oldEnd; i++ {
		old = append(old, s.old(i))
	}
	op.Regex, op.Multiline = linesRegex(old, v.newStart == v.newEnd)
	op.Replacement = strings.Join(s.texts(v.newStart, v.newEnd), "\n")
	return op
}

// linesRegex returns an expression for whole lines, and whether it has to see
// more than one line. One that is to remove them takes the last line break.
func linesRegex(lines []string, remove bool) (regex string, multiline bool) {
	switch text := quoteMeta(strings.Join(lines, "\n")); {
	case remove:
		return "(?m)^" + text + `\n`, true
	case len(lines) > 1:
		return "(?m)^" + text + "$", true
	default:
		return "^" + text + "$", false
	}
}

// maxAnchored is the length of a line up to which an expression takes it
// whole.
const maxAnchored = 100

// substitute returns expressions that change a part of one line.
func (s *search) substitute(h hunk) []overlay.Op {
	var ops []overlay.Op
	pairs := s.pairs(h)
	if len(pairs) != 1 && h.oldEnd-h.oldStart != len(pairs) {
		return nil
	}
	if len(pairs) != 1 || h.newEnd-h.newStart != 1 || h.oldEnd-h.oldStart != 1 {
		return nil
	}
	p := pairs[0]
	a, b := s.old(p[0]), s.new(p[1])
	if !utf8.ValidString(a) {
		return nil
	}
	sec := s.section(p[0])
	if p[0] < sec.Body() {
		return nil
	}
	c := s.scopeOf(sec)
	whole := s.exchange(c, hunk{p[0], p[0] + 1, p[1], p[1] + 1})
	part, ok := s.part(c, a, b)
	unique := s.times(c, s.have[p[0]:p[0]+1]) == 1
	switch {
	case unique && len(a) <= maxAnchored:
		ops = append(ops, whole)
		if ok {
			ops = append(ops, part)
		}
	case ok:
		ops = append(ops, part)
		if unique {
			ops = append(ops, whole)
		}
	case unique:
		ops = append(ops, whole)
	}
	return ops
}

// part is an expression for the words of a line that change, with as many
// words around them as it takes to match no other line of the scope.
func (s *search) part(c scope, a, b string) (overlay.Op, bool) {
	l := commonPrefix(a, b)
	r := len(a) - commonSuffix(a[l:], b[l:])
	l, r = wordStart(a, l), wordEnd(a, r)
	for range 40 {
		if tok := a[l:r]; strings.TrimSpace(tok) != "" && strings.Count(a, tok) == 1 && s.linesWith(c, tok) == 1 {
			op := overlay.Op{Type: overlay.SearchReplace, Section: c.name, Package: c.pkg,
				Regex: quoteMeta(tok), Replacement: b[l : len(b)-(len(a)-r)]}
			if l == 0 {
				op.Regex = "^" + op.Regex
			}
			if r == len(a) {
				op.Regex += "$"
			}
			return op, true
		}
		switch {
		case l > 0:
			l = wordStart(a, l-1)
		case r < len(a):
			r = wordEnd(a, r+1)
		default:
			return overlay.Op{}, false
		}
	}
	return overlay.Op{}, false
}

// linesWith counts the lines of the scope that have a text in them, up to two.
func (s *search) linesWith(c scope, text string) int {
	n := 0
	for _, r := range c.ranges {
		for i := r[0]; i < r[1] && n < 2; i++ {
			if strings.Contains(s.old(i), text) {
				n++
			}
		}
	}
	return n
}

func wordByte(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-' || r == '.' || r == '+'
}

// wordStart moves a place to the left until it is no longer within a word.
func wordStart(a string, i int) int {
	for i > 0 {
		r, n := utf8.DecodeLastRuneInString(a[:i])
		if !wordByte(r) {
			break
		}
		i -= n
	}
	return i
}

// wordEnd moves a place to the right until it is no longer within a word.
func wordEnd(a string, i int) int {
	for i < len(a) {
		r, n := utf8.DecodeRuneInString(a[i:])
		if !wordByte(r) {
			break
		}
		i += n
	}
	return i
}

// A change is a line that became another one, or nothing.
type change struct {
	line    int
	a, b    string
	gone    bool // the line is taken out
	section int
}

// everywhere looks for expressions that make the same change in several
// places, and for the words that lines with the same fate have in common.
func (s *search) everywhere() {
	if s.opt.NamedOnly {
		return
	}
	for range 50 {
		if !s.first(s.common()) {
			return
		}
	}
}

// common returns expressions for changes of at least two lines.
func (s *search) common() []overlay.Op {
	var changes []change
	for _, h := range s.hunks {
		if h.newStart == h.newEnd {
			for i := h.oldStart; i < h.oldEnd && h.oldEnd-h.oldStart <= 4; i++ {
				changes = append(changes, change{line: i, a: s.old(i), gone: true, section: s.tree.Spec.SectionAt(i)})
			}
			continue
		}
		if h.oldEnd-h.oldStart != h.newEnd-h.newStart {
			continue
		}
		for _, p := range s.pairs(h) {
			changes = append(changes, change{line: p[0], a: s.old(p[0]), b: s.new(p[1]), section: s.tree.Spec.SectionAt(p[0])})
		}
	}
	changes = slices.DeleteFunc(changes, func(c change) bool {
		l := s.tree.Spec.Line(c.line)
		return l.Kind() == spec.Header || c.gone && l.Kind() == spec.TagLine || !utf8.ValidString(c.a) || !utf8.ValidString(c.b)
	})
	if len(changes) < 2 || len(changes) > 4000 {
		return nil
	}
	return slices.Concat(s.sameLines(changes), s.sameWords(changes), s.sameFate(changes))
}

// group divides changes by a key, in the order of their first members, and
// keeps the groups of two and more.
func group(changes []change, key func(change) string) [][]change {
	at := map[string]int{}
	var groups [][]change
	for _, c := range changes {
		k := key(c)
		if k == "" {
			continue
		}
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], c)
	}
	groups = slices.DeleteFunc(groups, func(g []change) bool { return len(g) < 2 })
	slices.SortStableFunc(groups, func(a, b []change) int { return len(b) - len(a) })
	return groups[:min(len(groups), 10)]
}

// sameLines returns expressions for a line that becomes the same other line
// wherever it stands.
func (s *search) sameLines(changes []change) []overlay.Op {
	var ops []overlay.Op
	for _, g := range group(changes, func(c change) string {
		if c.gone || c.a == "" {
			return ""
		}
		return c.a + "\n" + c.b
	}) {
		regex, _ := linesRegex([]string{g[0].a}, false)
		for _, c := range s.scopesOf(g) {
			ops = append(ops, overlay.Op{Type: overlay.SearchReplace, Section: c.name, Package: c.pkg, Regex: regex, Replacement: g[0].b})
		}
	}
	return ops
}

// sameWords returns expressions for words that are replaced by the same words
// on several lines.
func (s *search) sameWords(changes []change) []overlay.Op {
	var ops []overlay.Op
	words := func(c change) (tok, with string) {
		if c.gone || c.a == "" {
			return "", ""
		}
		l := commonPrefix(c.a, c.b)
		r := len(c.a) - commonSuffix(c.a[l:], c.b[l:])
		l, r = wordStart(c.a, l), wordEnd(c.a, r)
		if strings.TrimSpace(c.a[l:r]) == "" {
			if l == 0 {
				r = wordEnd(c.a, min(r+1, len(c.a)))
			} else {
				l = wordStart(c.a, l-1)
			}
		}
		return c.a[l:r], c.b[l : len(c.b)-(len(c.a)-r)]
	}
	for _, g := range group(changes, func(c change) string {
		tok, with := words(c)
		if strings.TrimSpace(tok) == "" {
			return ""
		}
		return tok + "\n" + with
	}) {
		tok, with := words(g[0])
		for _, c := range s.scopesOf(g) {
			ops = append(ops, overlay.Op{Type: overlay.SearchReplace, Section: c.name, Package: c.pkg, Regex: quoteMeta(tok), Replacement: with})
		}
	}
	return ops
}

// sameFate returns expressions for lines that all become the same line, or are
// all taken out, by a word that they have in common.
func (s *search) sameFate(changes []change) []overlay.Op {
	var ops []overlay.Op
	for _, g := range group(changes, func(c change) string {
		return strconv.FormatBool(c.gone) + c.b + "\n" + strconv.Itoa(c.section)
	}) {
		for _, c := range s.scopesOf(g) {
			tok := s.commonWord(c, g)
			if tok == "" {
				continue
			}
			op := overlay.Op{Type: overlay.SearchReplace, Section: c.name, Package: c.pkg,
				Regex: "^.*" + quoteMeta(tok) + ".*$", Replacement: g[0].b}
			if g[0].gone {
				op.Regex, op.Multiline = "(?m)^.*"+quoteMeta(tok)+`.*\n`, true
			}
			ops = append(ops, op)
		}
	}
	return ops
}

// scopesOf returns the narrowest scope that has all the changes, and the whole
// file when they lie in sections of several names.
func (s *search) scopesOf(g []change) []scope {
	all := s.tree.Spec.Sections()
	first := &all[g[0].section]
	same, named := true, true
	for _, c := range g {
		same = same && c.section == g[0].section
		named = named && all[c.section].Name == first.Name
	}
	switch {
	case same || named && first.Package == "":
		return []scope{s.scopeOf(first)}
	case named:
		c := s.scopeOf(first)
		c.pkg, c.ranges = "", nil
		for i := range all {
			if all[i].Name == first.Name {
				c.ranges = append(c.ranges, [2]int{all[i].Body(), all[i].End})
			}
		}
		return []scope{c}
	}
	return []scope{s.whole()}
}

// commonWord returns the longest word that all the lines of a group have and
// no other line of the scope.
func (s *search) commonWord(c scope, g []change) string {
	lines := map[int]bool{}
	for _, x := range g {
		lines[x.line] = true
	}
	words := strings.FieldsFunc(g[0].a, func(r rune) bool { return !wordByte(r) })
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	for _, w := range words[:min(len(words), 12)] {
		if len(w) < 3 || slices.ContainsFunc(g, func(x change) bool { return !strings.Contains(x.a, w) }) {
			continue
		}
		alone := true
		for _, r := range c.ranges {
			for i := r[0]; i < r[1] && alone; i++ {
				alone = lines[i] || !strings.Contains(s.old(i), w)
			}
		}
		if alone {
			return w
		}
	}
	return ""
}
