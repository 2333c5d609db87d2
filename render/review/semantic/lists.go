package semantic

import (
	"slices"
	"strings"
)

// An entry is one line of a file list, or one entry of a changelog.
type entry struct {
	id    string // the path, or the first line
	value string
	line  int
	last  int
}

// fileEntries reads a %files section: one entry for each path with its
// attributes. %defattr, where it says what goes without saying, is left out.
func (e *evaluation) fileEntries(u *unit) []entry {
	if u == nil {
		return nil
	}
	var out []entry
	defattr := ""
	for line := range strings.Lines(u.text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		attrs, paths := fileLine(line)
		rest := attrs[:0]
		for _, a := range attrs {
			if !strings.HasPrefix(a, "%defattr(") {
				rest = append(rest, a)
				continue
			}
			switch a {
			case "%defattr(-,root,root)", "%defattr(-,root,root,-)":
				defattr = ""
			default:
				defattr = a
			}
		}
		if len(paths) == 0 && len(rest) > 0 {
			paths = []string{""}
		}
		if defattr != "" {
			rest = append(rest, defattr)
		}
		slices.Sort(rest)
		for _, p := range paths {
			out = append(out, entry{id: p, value: strings.TrimSpace(strings.Join(rest, " ") + " " + p)})
		}
	}
	return out
}

// fileLine takes a line of a file list apart. A word with a blank in quotes is
// one.
func fileLine(line string) (attrs, paths []string) {
	for line != "" {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			break
		}
		var w string
		switch {
		case line[0] == '%' && attrEnd(line) > 0:
			w = line[:attrEnd(line)]
			w = strings.Join(strings.FieldsFunc(w, func(r rune) bool { return r == ' ' || r == '\t' }), "")
		case line[0] == '"' && strings.IndexByte(line[1:], '"') >= 0:
			w = line[:strings.IndexByte(line[1:], '"')+2]
		default:
			w = line
			if i := strings.IndexAny(line, " \t"); i >= 0 {
				w = line[:i]
			}
		}
		if line[0] == '%' && attrEnd(line) > 0 {
			line = line[attrEnd(line):]
		} else {
			line = line[len(w):]
		}
		switch {
		case w == "-f":
			return nil, []string{"-f " + strings.TrimSpace(line)}
		case w[0] == '%' && len(w) > 1 && w[1] != '{':
			attrs = append(attrs, w)
		default:
			paths = append(paths, w)
		}
	}
	return attrs, paths
}

// attrEnd returns the length of "%name( ... )" at the start of a line, or 0.
func attrEnd(line string) int {
	i := 1
	for i < len(line) && isWord(line[i]) {
		i++
	}
	if i == 1 {
		return 0
	}
	j := i
	for j < len(line) && (line[j] == ' ' || line[j] == '\t') {
		j++
	}
	if j < len(line) && line[j] == '(' {
		if k := strings.IndexByte(line[j:], ')'); k >= 0 {
			return j + k + 1
		}
	}
	return 0
}

// fileList compares the file lists of a package. Their order has no meaning.
func (c *comparison) fileList(p pair, old, new *unit) {
	u := new
	if u == nil {
		u = old
	}
	if old != nil && new != nil && (!old.known || !new.known) {
		if joined(plainLines(p.old.raw(old))) == joined(plainLines(p.new.raw(new))) {
			return
		}
	}
	c.entries(p, old, new, p.old.fileEntries(old), p.new.fileEntries(new), u, func(e *entry) string {
		if e.id == "" {
			return u.what
		}
		return e.id
	})
	if (old == nil) != (new == nil) && strings.TrimSpace(u.text) == "" {
		c.wholeUnit(p, old, new) // an empty list makes a package all the same
	}
}

// entries matches two lists whose order has no meaning.
func (c *comparison) entries(p pair, old, new *unit, a, b []entry, u *unit, what func(*entry) string) {
	taken := make([]bool, len(b))
	byValue, byID := map[string][]int{}, map[string][]int{}
	for j := range b {
		byValue[b[j].value] = append(byValue[b[j].value], j)
		byID[b[j].id] = append(byID[b[j].id], j)
	}
	take := func(list []int) int {
		for _, j := range list {
			if !taken[j] {
				taken[j] = true
				return j
			}
		}
		return -1
	}
	var left []int
	for i := range a {
		if take(byValue[a[i].value]) < 0 {
			left = append(left, i)
		}
	}
	report := func(x, y *entry) {
		ch := Change{Class: u.class, Package: u.name, Op: Changed, Arch: []string{p.new.arch}}
		if x != nil {
			ch.What, ch.Old = what(x), &x.value
			ch.OldLine, ch.oldEnd = p.old.locate(old, x)
		} else {
			ch.Op = Added
		}
		if y != nil {
			ch.What, ch.New = what(y), &y.value
			ch.NewLine, ch.newEnd = p.new.locate(new, y)
		} else {
			ch.Op = Removed
		}
		c.found = append(c.found, ch)
	}
	for _, i := range left {
		if j := take(byID[a[i].id]); j >= 0 && a[i].id != "" {
			report(&a[i], &b[j])
		} else {
			report(&a[i], nil)
		}
	}
	for j := range b {
		if !taken[j] {
			report(nil, &b[j])
		}
	}
}

// locate finds the lines of an entry in the text as written: the line that
// expands to it, else the header.
func (e *evaluation) locate(u *unit, x *entry) (first, last int) {
	if x.line > 0 {
		return x.line, x.last
	}
	raw := e.raw(u)
	if len(raw) > 5000 {
		return u.line, u.line
	}
	for _, l := range raw {
		if e.inactive[l.num-1] || strings.TrimSpace(l.text) == "" {
			continue
		}
		text := l.text
		if strings.Contains(text, "%") && !strings.Contains(text, x.id) {
			text, _ = e.expand(text)
		}
		if i := strings.Index(text, x.id); i >= 0 && endsWord(text, i+len(x.id)) {
			return l.num, l.num
		}
	}
	return u.line, u.line
}

func endsWord(s string, i int) bool {
	return i >= len(s) || strings.IndexByte(" \t\n", s[i]) >= 0
}

// logEntries reads a changelog: one entry for each line that begins with '*'.
func (e *evaluation) logEntries(u *unit) []entry {
	if u == nil {
		return nil
	}
	var out []entry
	for _, l := range e.raw(u) {
		text := strings.TrimSpace(l.text)
		if text == "" || text[0] == '#' {
			continue
		}
		if text[0] == '*' || len(out) == 0 {
			text = oneLine(text)
			out = append(out, entry{id: text, value: text, line: l.num, last: l.num})
			continue
		}
		x := &out[len(out)-1]
		x.last = l.num
		switch {
		case text[0] == '-' || text[0] == '+':
			x.value += "\n" + oneLine(text)
		default: // the line above goes on
			x.value += " " + oneLine(text)
		}
	}
	return out
}

// changelog compares changelogs by their entries. One that autospec writes
// differs in meaning only when the version or release does.
func (c *comparison) changelog(p pair, old, new *unit) {
	if c.old.generatedLog && c.new.generatedLog || (c.old.generatedLog || c.new.generatedLog) && c.old.hasMacroLog() != c.new.hasMacroLog() {
		if p.order("") == "same" || c.old.hasMacroLog() || c.new.hasMacroLog() {
			return
		}
	}
	u := new
	if u == nil {
		u = old
	}
	c.entries(p, old, new, p.old.logEntries(old), p.new.logEntries(new), u, func(e *entry) string {
		return strings.TrimSpace(strings.TrimPrefix(e.id, "*"))
	})
}

// hasMacroLog reports whether the changelog is still to be generated.
func (s *side) hasMacroLog() bool {
	for i, line := range s.lines {
		if s.generated[i] && strings.Contains(line, "autochangelog") && !strings.HasPrefix(line, "## ") {
			return true
		}
	}
	return false
}
