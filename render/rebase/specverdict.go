package rebase

import (
	"fmt"
	"slices"
	"strings"

	"specgraft/overlay"
	"specgraft/overlay/spec"
)

// spec judges an overlay on the spec.
func (x *exchange) spec(o *Overlay) {
	if len(x.ea) == 0 {
		x.idle(o)
		return
	}
	if x.contained(x.ea) {
		x.landed(o, "upstream has made the same change")
		return
	}
	if reason := x.said(); reason != "" {
		x.landed(o, reason)
		return
	}
	if x.b2 == nil {
		x.fails(o)
		return
	}
	x.pair(o)
}

// idle judges an overlay that changed nothing on the old upstream.
func (x *exchange) idle(o *Overlay) {
	switch {
	case x.b2 == nil:
		o.Verdict, o.Reason = Obsolete, "it changed nothing before, and no longer applies: "+x.why()
	case len(x.eb) > 0:
		o.Verdict, o.Reason = Widened, "it changed nothing before"
		for _, e := range x.eb {
			o.Places = append(o.Places, x.specPlace("new", "added", e.at))
		}
	default:
		o.Verdict, o.Reason = Clean, "it changes nothing, as before"
	}
}

func (x *exchange) why() string {
	if x.problem == nil {
		return "it does not apply"
	}
	return strings.TrimPrefix(x.problem.Message, x.op.Name()+": ")
}

// landed sets the verdict of an overlay whose effect upstream has.
func (x *exchange) landed(o *Overlay, reason string) {
	o.Verdict, o.Reason = Landed, reason
	for _, e := range x.ea {
		name, pkg := sectionOf(x.a1.Spec, e.at, len(e.old) == 0)
		if len(e.new) == 0 {
			if x.op.Type != overlay.RemoveSection && x.op.Type != overlay.RemoveSubpackage && !hasSection(x.b1.Spec, name, pkg) {
				o.Verdict, o.Reason = Obsolete, fmt.Sprintf("what it removes is gone with %s", sectionName(name, pkg))
			}
			o.Places = append(o.Places, x.specPlace("old", "landed", e.at))
			continue
		}
		if i := indexOf(x.new, e.new); i >= 0 {
			o.Places = append(o.Places, x.specPlace("new", "landed", i))
		}
	}
}

func sectionName(name, pkg string) string {
	switch {
	case name == "":
		return "the preamble"
	case pkg != "":
		return name + " of package " + pkg
	}
	return name
}

// said reports why the new upstream says what the overlay says, in other words
// or at another place; "" when it does not.
func (x *exchange) said() string {
	op := x.op
	switch op.Type {
	case overlay.AddTag, overlay.InsertTag, overlay.SetTag, overlay.UpdateTag:
		if hasValue(x.b1.Spec, op) && !hasValue(x.a1.Spec, op) {
			return fmt.Sprintf("upstream has %s: %s", op.Tag, strings.TrimSpace(op.Value))
		}
	case overlay.PrependLines, overlay.AppendLines:
		if lines := trimBlank(op.Lines); len(lines) > 0 && inSection(x.b1.Spec, op, lines) && !inSection(x.a1.Spec, op, lines) {
			return "upstream has these lines"
		}
	case overlay.RemoveTag, overlay.RemoveSection, overlay.RemoveSubpackage:
		if x.b2 == nil && x.gone() {
			return "upstream has removed it, too"
		}
	}
	if x.opt.Same == nil || x.b2 == nil || len(x.eb) == 0 || len(x.hunks) == 0 {
		return ""
	}
	switch op.Type {
	case overlay.AddTag, overlay.InsertTag, overlay.SetTag, overlay.UpdateTag, overlay.RemoveTag:
		if x.opt.Same(x.b1, x.b2) && !x.opt.Same(x.a1, x.a2) {
			return "upstream means the same, in other words"
		}
	}
	return ""
}

// gone reports whether what the overlay removes is not there in any spelling,
// while the package it was in is.
func (x *exchange) gone() bool {
	for _, e := range x.ea {
		for _, l := range e.old {
			if strings.TrimSpace(l) != "" && slices.Contains(x.new, l) && x.op.Type == overlay.RemoveTag {
				return false
			}
		}
	}
	if x.op.Type != overlay.RemoveTag {
		return x.problem != nil && x.problem.Code == "overlay/no-section" && !x.renamed()
	}
	return x.op.Package == "" || hasSection(x.b1.Spec, "%package", x.op.Package)
}

// renamed reports whether most of a removed section's text still stands under
// another header.
func (x *exchange) renamed() bool {
	same, all := 0, 0
	for _, e := range x.ea {
		for _, l := range e.old {
			if len(strings.TrimSpace(l)) < 4 || strings.HasPrefix(l, "%") && l == e.old[0] {
				continue
			}
			all++
			if slices.Contains(x.new, l) {
				same++
			}
		}
	}
	return all > 0 && 2*same > all
}

// hasValue reports whether a spec has the tag with the value that an overlay
// gives it: the same text but for blanks, or for dependencies each of them
// wherever it stands.
func hasValue(f *spec.File, op *overlay.Op) bool {
	want := strings.Join(strings.Fields(op.Value), " ")
	var have []string
	for t := range f.Tags() {
		if f.Sections()[t.Section].Package != op.Package || !strings.EqualFold(family(t.Name), family(op.Tag)) {
			continue
		}
		value := strings.Join(strings.Fields(t.Value), " ")
		if value == want && (strings.EqualFold(t.Name, op.Tag) || numbered(op.Tag)) {
			return true
		}
		have = append(have, dependencies(value)...)
	}
	if !isDependency(op.Tag) {
		return false
	}
	deps := dependencies(want)
	return len(deps) > 0 && !slices.ContainsFunc(deps, func(d string) bool { return !slices.Contains(have, d) })
}

func family(tag string) string {
	if numbered(tag) {
		return strings.TrimRight(tag, "0123456789")
	}
	return tag
}

// numbered reports whether a tag may have a number.
func numbered(tag string) bool {
	t := strings.ToLower(strings.TrimRight(tag, "0123456789"))
	return t == "source" || t == "patch"
}

func isDependency(tag string) bool {
	tag, _, _ = strings.Cut(strings.ToLower(tag), "(")
	return slices.Contains([]string{"buildrequires", "requires", "provides", "obsoletes", "conflicts", "recommends", "suggests",
		"supplements", "enhances", "buildconflicts"}, tag)
}

// dependencies divides the value of a dependency tag: name, operator and
// version belong together, blanks and commas are between dependencies. Rich
// ones are one.
func dependencies(value string) []string {
	if strings.HasPrefix(value, "(") || strings.Contains(value, "%") && strings.Contains(value, "{?") {
		return []string{value}
	}
	var list []string
	fields := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
	for i := 0; i < len(fields); i++ {
		d := fields[i]
		if i+2 < len(fields)+0 && slices.Contains([]string{"=", "<", ">", "<=", ">="}, fields[i+1]) {
			d += " " + fields[i+1] + " " + fields[i+2]
			i += 2
		}
		list = append(list, d)
	}
	return list
}

func trimBlank(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// inSection reports whether lines stand, in this order, in a section that an
// overlay names, or in the file when it names none.
func inSection(f *spec.File, op *overlay.Op, part []string) bool {
	lines := linesOf(f)
	headers := slices.ContainsFunc(part, func(l string) bool {
		s := spec.Parse("", []byte(l+"\n"))
		return s.Len() > 0 && s.Line(0).Kind() == spec.Header
	})
	if op.Section == "" || headers {
		return indexOf(lines, part) >= 0
	}
	for _, s := range f.Sections() {
		name := s.Name
		if name == "" {
			name = overlay.PreambleSection
		}
		if name == op.Section && s.Package == op.Package && indexOf(lines[s.Body():s.End], part) >= 0 {
			return true
		}
	}
	return false
}

// A couple is a place of the overlay on the old upstream with the same one on
// the new.
type couple struct{ a, b *effect }

// pair judges an overlay that applies to both: which places are the same?
func (x *exchange) pair(o *Overlay) {
	couples, gone, added := x.couples()
	twice := 0
	for _, c := range couples {
		if len(x.ea) <= maxSingle && len(x.ea) > 1 && len(c.a.new) > 0 && x.contained([]effect{*c.a}) {
			twice++ // upstream has it there; the overlay would do it again
			o.Places = append(o.Places, x.specPlace("new", "added", c.b.at))
			continue
		}
		o.Places = append(o.Places, x.specPlace("new", "same", c.b.at))
	}
	for _, e := range added {
		o.Places = append(o.Places, x.specPlace("new", "added", e.at))
	}
	landed := 0
	for _, e := range gone {
		change := "gone"
		if x.contained([]effect{*e}) {
			change = "landed"
			landed++
		}
		o.Places = append(o.Places, x.specPlace("old", change, e.at))
	}
	switch {
	case len(added)+twice > 0:
		o.Verdict = Widened
		o.Reason = fmt.Sprintf("changes %s that it did not change before", places(len(added)+twice))
		if twice > 0 {
			o.Reason += ", where upstream has made the change already"
		}
		if len(gone) > 0 {
			o.Reason += fmt.Sprintf(", and %s no longer", places(len(gone)))
		}
		x.narrow(couples, added)
	case len(gone) > 0:
		o.Verdict = Narrowed
		o.Reason = fmt.Sprintf("changes %s fewer than before", places(len(gone)))
		if landed == len(gone) {
			o.Reason += ", where upstream has made the change"
		}
	default:
		o.Verdict, o.Reason = Clean, ""
		for _, c := range couples {
			if reason := x.moved(c); reason != "" {
				o.Verdict, o.Reason = Moved, reason
				break
			}
		}
	}
}

// maxSingle bounds for how many places each is compared by itself.
const maxSingle = 40

func places(n int) string {
	if n == 1 {
		return "1 place"
	}
	return fmt.Sprintf("%d places", n)
}

// couples finds the places of the overlay that are the same on both upstreams.
func (x *exchange) couples() (couples []couple, gone, added []*effect) {
	used := make([]bool, len(x.eb))
	mate := make([]*effect, len(x.ea))
	match := func(same func(a, b *effect) bool) {
		for i := range x.ea {
			for k := 0; mate[i] == nil && k < len(x.eb); k++ {
				if !used[k] && same(&x.ea[i], &x.eb[k]) {
					mate[i], used[k] = &x.eb[k], true
				}
			}
		}
	}
	section := func(a, b *effect) bool {
		n1, p1 := sectionOf(x.a1.Spec, a.at, len(a.old) == 0)
		n2, p2 := sectionOf(x.b1.Spec, b.at, len(b.old) == 0)
		return n1 == n2 && p1 == p2
	}
	// The line itself, then its text, then what stands where it stood.
	match(func(a, b *effect) bool { return len(a.old) > 0 && len(b.old) > 0 && x.counterpart(a.at) == b.at })
	match(func(a, b *effect) bool { return len(a.old) > 0 && slices.Equal(a.old, b.old) && section(a, b) })
	match(func(a, b *effect) bool { return len(a.old) > 0 && slices.Equal(a.old, b.old) })
	match(func(a, b *effect) bool {
		h, ok := x.hunkAt(a.at)
		if !ok || len(a.old) == 0 || len(b.old) == 0 || b.at < h.NewStart || b.at >= max(h.NewEnd, h.NewStart+1) {
			return false
		}
		return alike(strings.Join(a.old, "\n"), strings.Join(b.old, "\n")) >= 0.3 || slices.Equal(a.new, b.new)
	})
	if named(x.op.Type) {
		match(func(a, b *effect) bool { return section(a, b) && (len(a.old) == 0) == (len(b.old) == 0) })
	}
	match(func(a, b *effect) bool {
		return len(a.old) == 0 && len(b.old) == 0 && slices.Equal(a.new, b.new) && section(a, b)
	})
	for i := range x.ea {
		if mate[i] != nil {
			couples = append(couples, couple{&x.ea[i], mate[i]})
		} else {
			gone = append(gone, &x.ea[i])
		}
	}
	for k := range x.eb {
		if !used[k] {
			added = append(added, &x.eb[k])
		}
	}
	return couples, gone, added
}

// named reports whether an operation finds its place by a name.
func named(t overlay.Type) bool { return t != overlay.SearchReplace }

// moved says how a place differs from the one on the old upstream; "" when it
// does not but for its number.
func (x *exchange) moved(c couple) string {
	a, b := c.a, c.b
	n1, p1 := sectionOf(x.a1.Spec, a.at, len(a.old) == 0)
	n2, p2 := sectionOf(x.b1.Spec, b.at, len(b.old) == 0)
	line := func(lines []string, i int) string {
		if i < 0 || i >= len(lines) {
			return ""
		}
		return lines[i]
	}
	switch {
	case n1 != n2 || p1 != p2:
		return fmt.Sprintf("its place is now in %s, before in %s", sectionName(n2, p2), sectionName(n1, p1))
	case !slices.Equal(a.old, b.old):
		if n := len(a.old); n > 6 || n != len(b.old) {
			return "the text that it changes reads differently"
		}
		return "the line that it changes reads differently"
	case !slices.Equal(a.new, b.new):
		return "the line that it writes reads differently"
	case line(x.old, a.at-1) != line(x.new, b.at-1), line(x.old, a.at+len(a.old)) != line(x.new, b.at+len(b.old)):
		return "the text around it changed"
	}
	return ""
}

// fails judges an overlay that does not apply to the new upstream.
func (x *exchange) fails(o *Overlay) {
	landed, still, open := 0, 0, 0
	var mended []effect // on the new upstream
	for i := range x.ea {
		e := &x.ea[i]
		if len(x.ea) <= maxSingle && x.contained([]effect{*e}) {
			landed++
			o.Places = append(o.Places, x.specPlace("old", "landed", e.at))
			continue
		}
		o.Places = append(o.Places, x.specPlace("old", "gone", e.at))
		found := len(o.Places)
		there, m := x.look(o, e)
		mended = append(mended, m...)
		if there {
			still++
		}
		if len(o.Places) > found || !x.pointless(e) {
			open++
		}
	}
	switch {
	case open > 0:
		o.Verdict = Broken
		o.Reason = x.why()
		if still > 0 {
			o.Reason += "; what it changes still stands elsewhere"
		}
		x.threeWay(o)
		if len(mended) == len(x.ea)-landed {
			slices.SortStableFunc(mended, func(a, b effect) int { return a.at - b.at })
			x.want(mended)
		}
	case landed > 0:
		o.Verdict, o.Reason = Landed, "upstream has made the same change"
		if landed < len(x.ea) {
			o.Reason = "upstream has made the change where the text still stands"
		}
	default:
		o.Verdict, o.Reason = Obsolete, "what it changes is gone: "+x.why()
	}
}

// pointless reports whether nothing is left to do for the overlay at a place
// that is gone: it only took away or changed what stood there.
func (x *exchange) pointless(e *effect) bool {
	if len(e.old) == 0 {
		return false // something is to be put in
	}
	rest := slices.Clone(e.new)
	for _, l := range e.old {
		if i := slices.Index(rest, l); i >= 0 {
			return false // the old line was something to hold on to
		}
	}
	// More lines than there were: some are new, not changed.
	return len(rest) <= len(e.old)
}

// look finds what has become of a place that the overlay no longer finds. It
// reports whether the text still stands somewhere, and what the overlay would
// have to do there.
func (x *exchange) look(o *Overlay, e *effect) (there bool, mended []effect) {
	if len(e.old) > 0 {
		at := x.counterpart(e.at)
		if at < 0 || !slices.Equal(x.new[min(at, len(x.new)):min(at+len(e.old), len(x.new))], e.old) {
			at = -1
			if i := indexOf(x.new, e.old); i >= 0 && lineWorth(e.old) && indexOf(x.new[i+1:], e.old) < 0 {
				at = i
			}
		}
		if at >= 0 && lineWorth(e.old) {
			o.Places = append(o.Places, x.specPlace("new", "candidate", at))
			return true, []effect{{at, e.old, e.new}}
		}
	}
	if len(e.old) == 0 {
		// Something is put in: behind the same line, or before the same one.
		if e.at > 0 && lineWorth(x.old[e.at-1:e.at]) {
			if i := x.counterpart(e.at - 1); i >= 0 {
				o.Places = append(o.Places, x.specPlace("new", "candidate", i))
				return false, []effect{{i + 1, nil, e.new}}
			}
		}
		if e.at < len(x.old) && lineWorth(x.old[e.at:e.at+1]) {
			if i := x.counterpart(e.at); i >= 0 {
				o.Places = append(o.Places, x.specPlace("new", "candidate", i))
				return false, []effect{{i, nil, e.new}}
			}
		}
		return false, nil
	}
	cands := x.candidates(e)
	for _, i := range cands {
		o.Places = append(o.Places, x.specPlace("new", "candidate", i))
	}
	if len(cands) > 0 && len(e.old) == 1 {
		if text, ok := carry(e, x.new[cands[0]]); ok {
			return false, []effect{{cands[0], x.new[cands[0] : cands[0]+1], text}}
		}
	}
	return false, nil
}

// lineWorth reports whether lines say enough to know them again.
func lineWorth(lines []string) bool {
	return slices.ContainsFunc(lines, func(l string) bool {
		t := strings.TrimSpace(l)
		return len(t) >= 4 && t != "%endif" && t != "%else"
	})
}

// candidates returns the lines of the new upstream that are nearest to what
// the overlay looks for, the best first: those in the place where it was, then
// those of the section.
func (x *exchange) candidates(e *effect) []int {
	const least = 0.6
	type near struct {
		line  int
		score float64
	}
	want := e.old[0]
	for _, l := range e.old {
		if len(strings.TrimSpace(l)) > len(strings.TrimSpace(want)) {
			want = l
		}
	}
	var list []near
	h, inHunk := x.hunkAt(e.at)
	name, pkg := sectionOf(x.a1.Spec, e.at, false)
	for i, l := range x.new {
		s := alike(want, l)
		if inHunk && i >= h.NewStart && i < h.NewEnd {
			s += 0.15
		} else if !slices.Contains(x.old, l) {
			s += 0 // a line that is new
		} else {
			continue // it stood there before, and was not meant
		}
		if n, p := sectionOf(x.b1.Spec, i, false); n != name || p != pkg {
			s -= 0.2
		}
		if s >= least && x.b1.Spec.Line(i).Kind() != spec.Header {
			list = append(list, near{i, s})
		}
	}
	slices.SortStableFunc(list, func(a, b near) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	var lines []int
	for _, n := range list[:min(len(list), 3)] {
		lines = append(lines, n.line)
	}
	return lines
}

// carry does to another line what the effect does to its own: the words that
// it changes there it changes here.
func carry(e *effect, line string) ([]string, bool) {
	old := e.old[0]
	if i := slices.Index(e.new, old); i >= 0 {
		out := slices.Clone(e.new)
		out[i] = line
		return out, true // lines around it
	}
	if len(e.new) == 0 {
		return nil, true
	}
	if len(e.new) != 1 {
		return nil, false
	}
	new := e.new[0]
	if new == "" {
		return []string{""}, true
	}
	l, r := 0, 0
	for l < len(old) && l < len(new) && old[l] == new[l] {
		l++
	}
	for r < len(old)-l && r < len(new)-l && old[len(old)-1-r] == new[len(new)-1-r] {
		r++
	}
	word := func(c byte) bool { return c != ' ' && c != '\t' && c != '=' && c != '"' && c != '\'' && c != ',' }
	for l > 0 && word(old[l-1]) {
		l--
	}
	for r > 0 && word(old[len(old)-r]) {
		r--
	}
	tok, put := old[l:len(old)-r], new[l:len(new)-r]
	if strings.TrimSpace(tok) == "" {
		// Words are put in: hold on to the one before, or behind.
		if l == 0 {
			return nil, false
		}
		k := strings.LastIndexAny(strings.TrimRight(old[:l], " \t"), " \t=") + 1
		tok, put = old[k:len(old)-r], new[k:len(new)-r]
	}
	if strings.TrimSpace(tok) == "" || strings.Count(line, tok) != 1 {
		return nil, false
	}
	return []string{strings.Replace(line, tok, put, 1)}, true
}

// threeWay shows the place of an overlay that does not apply.
func (x *exchange) threeWay(o *Overlay) {
	const around, most = 2, 12
	e := x.ea[0]
	from, to := max(e.at-around, 0), min(e.at+len(e.old)+around, len(x.old))
	w := &ThreeWay{}
	w.Old = clip(x.old[from:to], most)
	w.Rendered = clip(slices.Concat(x.old[from:e.at], e.new, x.old[min(e.at+len(e.old), len(x.old)):to]), most)
	lo, hi := -1, -1
	for i := from; i < to; i++ {
		if k := x.counterpart(i); k >= 0 {
			if lo < 0 {
				lo = k
			}
			hi = k + 1
		}
	}
	if h, ok := x.hunkAt(e.at); ok {
		if lo < 0 || h.NewStart < lo {
			lo = h.NewStart
		}
		hi = max(hi, h.NewEnd)
	}
	if lo >= 0 && hi > lo {
		w.New = clip(x.new[lo:min(hi, len(x.new))], most)
	}
	o.ThreeWay = w
}

func clip(lines []string, most int) []string {
	if len(lines) > most {
		return append(slices.Clone(lines[:most]), "...")
	}
	return slices.Clone(lines)
}
