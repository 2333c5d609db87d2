package semantic

import (
	"strings"

	"specgraft/fedora/macro"
	"specgraft/overlay/regex"
)

// A unit is a part of a spec that is compared as text: the script of one
// section, the file list or description of one package.
type unit struct {
	class  Class
	pkg    string // identity of the package
	name   string // of the package
	what   string
	interp string // of a scriptlet, "" for the shell
	text   string // expanded
	known  bool
	line   int   // of the first header
	parts  []int // in Structure.Parts
}

type unitKey struct {
	class     Class
	pkg, what string
}

func (u *unit) key() unitKey { return unitKey{u.class, u.pkg, u.what} }

// units lists the texts of a spec. What rpm joins is one unit.
func (e *evaluation) units() []*unit {
	parts := map[int]int{}
	for i := range e.structure().Parts {
		p := &e.structure().Parts[i]
		if p.Name != "" {
			parts[p.Start+1] = i
		}
	}
	var out []*unit
	index := map[unitKey]*unit{}
	keys := e.packageKeys()
	for _, s := range e.spec.Sections {
		u := e.unitOf(s)
		if u.pkg != "" && !keys[u.pkg] {
			continue // of a package that there is not: rpm refuses it, and rest sees its text
		}
		if old := index[u.key()]; old != nil {
			old.text += "\n" + u.text
			old.known = old.known && u.known
			old.interp = u.interp
			u = old
		} else {
			index[u.key()] = u
			out = append(out, u)
		}
		if i, ok := parts[u.at(e, s)]; ok {
			u.parts = append(u.parts, i)
		}
	}
	return out
}

func (u *unit) at(e *evaluation, s macro.Section) int { return e.line(s.Pos) }

func (e *evaluation) unitOf(s macro.Section) *unit {
	u := &unit{pkg: e.keyOf(s.Package.Text), name: s.Package.Text, what: "%" + s.Name, text: s.Text.Text, known: s.Text.Known, line: e.line(s.Pos)}
	args := sectionArgs(s.Args)
	switch s.Name {
	case "description":
		u.class = Description
		u.what += args.option('l')
	case "files":
		u.class = Files
		for _, f := range args.lists {
			u.text += "\n-f " + f
		}
	case "changelog":
		u.class = Changelog
	case "prep", "conf", "build", "install", "check", "clean", "generate_buildrequires":
		u.class = Section
		u.pkg, u.name = "", e.main
		if s.Args != "" {
			u.what += " " + oneLine(s.Args)
		}
	default:
		u.class = Scriptlet
		u.interp = args.program
		if args.trigger != "" {
			u.what += " -- " + args.trigger
		}
	}
	return u
}

// headerArgs is what stands behind the name of a section.
type headerArgs struct {
	program, trigger string
	lists            []string // -f
	lang             string
}

func (a *headerArgs) option(letter byte) string {
	if letter == 'l' && a.lang != "" {
		return " -l " + a.lang
	}
	return ""
}

func sectionArgs(s string) headerArgs {
	var a headerArgs
	before, trigger, found := strings.Cut(" "+s+" ", " -- ")
	if found {
		a.trigger = oneLine(trigger)
	}
	words := strings.Fields(before)
	for i := 0; i < len(words); i++ {
		w := words[i]
		if len(w) < 2 || w[0] != '-' {
			continue
		}
		arg := w[2:]
		if arg == "" && strings.IndexByte("fplnP", w[1]) >= 0 && i+1 < len(words) {
			i++
			arg = words[i]
		}
		switch w[1] {
		case 'f':
			a.lists = append(a.lists, arg)
		case 'l':
			a.lang = arg
		case 'p':
			for strings.HasPrefix(arg, "<") && !strings.HasSuffix(arg, ">") && i+1 < len(words) {
				i++
				arg += " " + words[i]
			}
			a.program = strings.Trim(arg, `"`)
		}
	}
	return a
}

// lines reduces text of the unit to what means something.
func (u *unit) lines(list []numbered) []logical {
	switch {
	case u.class == Description:
		return prose(list)
	case u.class == Scriptlet && u.interp != "" && !strings.HasSuffix(u.interp, "sh"):
		return plainLines(list)
	case u.class == Section || u.class == Scriptlet:
		return shellLines(list)
	}
	return plainLines(list)
}

// prose joins the words of a text: where its lines end has no meaning.
func prose(list []numbered) []logical {
	var words []string
	for _, l := range list {
		words = append(words, strings.Fields(l.text)...)
	}
	if len(words) == 0 {
		return nil
	}
	return []logical{{strings.Join(words, " "), list[0].num, list[len(list)-1].num}}
}

// raw returns the physical lines of a unit as they are written, without
// conditions and definitions, which are compared by themselves.
func (e *evaluation) raw(u *unit) []numbered {
	var out []numbered
	str := e.structure()
	for _, p := range u.parts {
		for i := str.Parts[p].Start + 1; i < str.Parts[p].End; i++ {
			if e.isText(i) {
				out = append(out, numbered{e.lines[i], i + 1})
			}
		}
	}
	return out
}

// written returns the lines of a unit as they are, for telling whether anything
// differs at all.
func (e *evaluation) written(u *unit) string {
	var b strings.Builder
	str := e.structure()
	for _, p := range u.parts {
		for i := str.Parts[p].Start + 1; i < str.Parts[p].End; i++ {
			b.WriteString(e.lines[i])
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// isText reports whether a line is neither a condition nor a part of a
// definition.
func (s *side) isText(i int) bool {
	str := s.structure()
	sh := &str.Lines[i]
	switch {
	case isCondition(sh.Form), isDefine(s.lines[i]):
		return false
	}
	if b := sh.Block; b >= 0 && isDefine(s.lines[str.Blocks[b].Start]) {
		return false
	}
	return true
}

func isDefine(line string) bool {
	w := strings.TrimLeft(line, " \t")
	return strings.HasPrefix(w, "%define") || strings.HasPrefix(w, "%global") || strings.HasPrefix(w, "%undefine")
}

// texts compares scripts, file lists, descriptions and changelogs.
func (c *comparison) texts() {
	for _, p := range c.pairs {
		if p.like != nil {
			continue
		}
		old, new := p.old.units(), p.new.units()
		oldKeys, newKeys := map[unitKey]*unit{}, map[unitKey]*unit{}
		pkgs := [2]map[string]bool{p.old.packageKeys(), p.new.packageKeys()}
		for _, u := range old {
			oldKeys[u.key()] = u
		}
		for _, u := range new {
			newKeys[u.key()] = u
			c.unit(p, oldKeys[u.key()], u, pkgs)
		}
		for _, u := range old {
			if newKeys[u.key()] == nil {
				c.unit(p, u, nil, pkgs)
			}
		}
	}
}

func (e *evaluation) packageKeys() map[string]bool {
	out := map[string]bool{}
	for i := range e.spec.Packages {
		out[e.packageKey(i)] = true
	}
	return out
}

// unit compares one text; one of the units may be nil.
func (c *comparison) unit(p pair, old, new *unit, pkgs [2]map[string]bool) {
	u := new
	if u == nil {
		u = old
	}
	// Of packages that come or go the scripts alone are worth a word.
	if (pkgs[0][u.pkg] != pkgs[1][u.pkg]) && u.class != Scriptlet {
		return
	}
	if old != nil && new != nil && old.known && new.known && old.text == new.text && old.interp == new.interp &&
		(u.class != Changelog && u.what != "%prep" || p.old.written(old) == p.new.written(new)) {
		return // most are the same, byte for byte
	}
	switch {
	case u.class == Files:
		c.fileList(p, old, new)
		return
	case u.class == Changelog:
		c.changelog(p, old, new)
		return
	case old == nil || new == nil:
		c.wholeUnit(p, old, new)
		return
	}
	if old.interp != new.interp {
		x, y := interpreter(old.interp), interpreter(new.interp)
		c.found = append(c.found, Change{Class: u.class, Op: Changed, Package: u.name, What: u.what + " interpreter", Old: &x, New: &y,
			Arch: []string{p.new.arch}, OldLine: old.line, NewLine: new.line})
	}
	if old.known && new.known && joined(old.lines(physical(old.text))) == joined(new.lines(physical(new.text))) &&
		(u.what != "%prep" || unpacking(p.old.raw(old)) == unpacking(p.new.raw(new))) {
		return
	}
	if u.class == Description {
		c.description(p, old, new)
		return
	}
	if !c.hunks(p, old, new) && old.known && new.known {
		c.unled = append(c.unled, unled{p, old, new})
	}
}

func interpreter(s string) string {
	if s == "" {
		return "/bin/sh"
	}
	return s
}

// unled is a text whose expansion differs while its lines are the same: that
// follows from another change, unless there is none.
type unled struct {
	p        pair
	old, new *unit
}

// wholeUnit reports a text that only one side has.
func (c *comparison) wholeUnit(p pair, old, new *unit) {
	ch := Change{Op: Added, Arch: []string{p.new.arch}, whole: true}
	u, e := new, p.new
	if u == nil {
		u, e, ch.Op = old, p.old, Removed
	}
	text := joined(u.lines(e.raw(u)))
	if len(u.parts) == 0 {
		text = strings.TrimSpace(u.text)
	}
	if u.interp != "" {
		text = strings.TrimSpace("-p " + u.interp + "\n" + text)
	}
	last := u.line
	for _, i := range u.parts {
		last = max(last, e.structure().Parts[i].End)
	}
	ch.Class, ch.Package, ch.What = u.class, u.name, u.what
	if ch.Op == Added {
		ch.New, ch.NewLine, ch.newEnd = &text, u.line, last
	} else {
		ch.Old, ch.OldLine, ch.oldEnd = &text, u.line, last
	}
	c.found = append(c.found, ch)
}

func (c *comparison) description(p pair, old, new *unit) {
	a, b := joined(old.lines(physical(old.text))), joined(new.lines(physical(new.text)))
	if !old.known || !new.known {
		if a, b = joined(old.lines(p.old.raw(old))), joined(new.lines(p.new.raw(new))); a == b {
			return
		}
	}
	ch := Change{Class: Description, Op: Changed, Package: new.name, What: new.what, Old: &a, New: &b, Arch: []string{p.new.arch},
		OldLine: old.line, NewLine: new.line}
	x, y := p.old.raw(old), p.new.raw(new)
	h := align(rawTexts(x), rawTexts(y)).hunks()
	if len(h) > 0 { // point to what is different
		ch.OldLine, ch.oldEnd = spanOf(x, h[0].o0, h[len(h)-1].o1, old.line)
		ch.NewLine, ch.newEnd = spanOf(y, h[0].n0, h[len(h)-1].n1, new.line)
	}
	c.found = append(c.found, ch)
}

func rawTexts(list []numbered) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].text
	}
	return out
}

// spanOf returns the first and last line of list[i:j], or the fallback.
func spanOf(list []numbered, i, j, fallback int) (first, last int) {
	if i >= j {
		return fallback, fallback
	}
	return list[i].num, list[j-1].num
}

// hunks compares a script line by line as it is written and reports what does
// not expand to the same. It says whether it reported anything.
func (c *comparison) hunks(p pair, old, new *unit) (found bool) {
	x, y := old.lines(p.old.raw(old)), new.lines(p.new.raw(new))
	for _, h := range align(texts(x), texts(y)).hunks() {
		a, b := x[h.o0:h.o1], y[h.n0:h.n1]
		if c.alike(p, old, new, a, b) {
			continue
		}
		inA, inB := p.old.reads(a), p.new.reads(b)
		if !inA && !inB {
			continue // see rest
		}
		ch := Change{Class: new.class, Package: new.name, What: new.what, Op: Changed, Arch: []string{p.new.arch}}
		if len(a) > 0 {
			s := joined(a)
			ch.Old, ch.OldLine, ch.oldEnd = &s, a[0].line, a[len(a)-1].last
		}
		if len(b) > 0 {
			s := joined(b)
			ch.New, ch.NewLine, ch.newEnd = &s, b[0].line, b[len(b)-1].last
		}
		switch {
		case len(a) == 0:
			ch.Op = Added
		case len(b) == 0:
			ch.Op = Removed
		}
		c.found = append(c.found, ch)
		found = true
	}
	return found
}

// reads reports whether a line is read in this evaluation.
func (e *evaluation) reads(list []logical) bool {
	for _, l := range list {
		if !e.inactive[l.line-1] {
			return true
		}
	}
	return false
}

// unpacks finds the macros that unpack and patch. What they come to depends on
// files that may not be there to be read, so their text is compared as well.
var unpacks = regex.Once(`%\{?(auto)?(setup|patch)`)

// unpacking returns the lines with such macros.
func unpacking(list []numbered) string {
	var b strings.Builder
	for _, l := range shellLines(list) {
		if unpacks().MatchString(l.text) {
			b.WriteString(l.text + "\n")
		}
	}
	return b.String()
}

// alike reports whether two runs of lines expand to the same script.
func (c *comparison) alike(p pair, old, new *unit, a, b []logical) bool {
	if len(a) == 0 || len(b) == 0 || unpacks().MatchString(joined(a)) || unpacks().MatchString(joined(b)) {
		return false
	}
	s, ok := p.old.expand(joined(a))
	t, both := p.new.expand(joined(b))
	return ok && both && joined(old.lines(physical(s))) == joined(new.lines(physical(t)))
}

// leaderless reports the texts that differ while nothing else does: lines that
// went from one branch of a condition to another.
func (c *comparison) leaderless() {
	if len(c.diff.Changes) > 0 {
		c.diff.Noise.Follows += len(c.unled)
		return
	}
	for _, u := range c.unled {
		x, y := u.old.lines(physical(u.old.text)), u.new.lines(physical(u.new.text))
		for _, h := range align(texts(x), texts(y)).hunks() {
			a, b := joined(x[h.o0:h.o1]), joined(y[h.n0:h.n1])
			ch := Change{Class: u.new.class, Package: u.new.name, What: u.new.what, Op: Changed, Arch: []string{u.p.new.arch},
				OldLine: u.old.line, NewLine: u.new.line}
			if h.o0 < h.o1 {
				ch.Old = &a
			} else {
				ch.Op = Added
			}
			if h.n0 < h.n1 {
				ch.New = &b
			} else {
				ch.Op = Removed
			}
			c.found = append(c.found, ch)
		}
	}
	c.merge()
}
