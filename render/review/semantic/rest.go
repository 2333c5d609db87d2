package semantic

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"specgraft/fedora/macro"
	"specgraft/overlay/spec"
)

// seen marks a line as accounted for and counts it.
func (s *side) seen(line int, count *int) {
	if line < 1 || line > len(s.lines) || s.counted[line-1] {
		return
	}
	s.counted[line-1] = true
	if count != nil {
		*count++
	}
}

// rest accounts for every line that differs and is in no change: it is noise of
// some class, or a change in text that no evaluation has seen.
func (c *comparison) rest() {
	for i := range c.diff.Changes {
		ch := &c.diff.Changes[i]
		for l := ch.OldLine; l > 0 && l <= max(ch.OldLine, ch.oldEnd); l++ {
			c.old.seen(l, nil)
		}
		for l := ch.NewLine; l > 0 && l <= max(ch.NewLine, ch.newEnd); l++ {
			c.new.seen(l, nil)
		}
	}
	m := c.alignment()
	var old, new []int // lines left, from 0
	for i := range m.toNew {
		if m.toNew[i] < 0 && !c.noise(c.old, i) {
			old = append(old, i)
		}
	}
	for i := range m.toOld {
		if m.toOld[i] < 0 && !c.noise(c.new, i) {
			new = append(new, i)
		}
	}
	old, new = c.twins(old, new)
	c.leftover(old, new)
	c.leaderless()
}

// noise reports whether a line means nothing, and counts it.
func (c *comparison) noise(s *side, i int) bool {
	n := &c.diff.Noise
	f := s.structure().Lines[i].Form
	switch {
	case s.counted[i]:
	case s.generated[i] || c.generatedBody(s, i):
		s.seen(i+1, &n.Generated)
	case strings.TrimSpace(s.lines[i]) == "":
		s.seen(i+1, &n.Blank)
	case f == spec.FormComment:
		s.seen(i+1, &n.Comment)
	case f == spec.FormEndif:
		s.seen(i+1, nil) // the condition has it
	default:
		return false
	}
	return true
}

// generatedBody reports whether a line stands in a changelog that autospec
// makes on both sides.
func (c *comparison) generatedBody(s *side, i int) bool {
	str := s.structure()
	return c.old.generatedLog && c.new.generatedLog && str.Parts[str.Lines[i].Part].Name == "%changelog"
}

// twins takes away the lines that both sides have in another spelling of the
// same words, or at another place.
func (c *comparison) twins(old, new []int) (a, b []int) {
	byText := map[string][]int{}
	for _, j := range new {
		k := plainest(c.new, j)
		byText[k] = append(byText[k], j)
	}
	gone := map[int]bool{}
	for _, i := range old {
		k := plainest(c.old, i)
		list := byText[k]
		if len(list) == 0 {
			a = append(a, i)
			continue
		}
		j := list[0]
		byText[k] = list[1:]
		gone[j] = true
		count := &c.diff.Noise.Spacing
		if c.old.lines[i] == c.new.lines[j] {
			count = &c.diff.Noise.Moved
		}
		c.old.seen(i+1, count)
		c.new.seen(j+1, nil)
	}
	return a, slices.DeleteFunc(new, func(j int) bool { return gone[j] })
}

// plainest spells a line so that spacing, the case of tags and braces around
// macro names make no difference. The part it stands in belongs to it.
func plainest(s *side, i int) string {
	str := s.structure()
	text := braced(oneLine(s.lines[i]))
	if str.Lines[i].Form == spec.FormTag {
		if name, value, ok := strings.Cut(text, ":"); ok {
			text = strings.ToLower(strings.ReplaceAll(name, " ", "")) + ":" + strings.TrimSpace(value)
		}
	}
	p := &str.Parts[str.Lines[i].Part]
	return p.Name + "\x00" + p.Package + "\x00" + text
}

// leftover deals with the lines that are left: text that no evaluation reads is
// compared as it is written, what one reads and finds the same is noise.
func (c *comparison) leftover(old, new []int) {
	var a, b []int
	for _, i := range old {
		if c.countRead(c.old, i, func(p pair) *evaluation { return p.old }) {
			continue
		}
		a = append(a, i)
	}
	for _, j := range new {
		if c.countRead(c.new, j, func(p pair) *evaluation { return p.new }) {
			continue
		}
		b = append(b, j)
	}
	// Lines of one hunk that could stand for each other are one change.
	hunk := map[int]int{} // of a new line
	where := map[int]int{}
	for n, h := range c.hunkList() {
		for i := h.o0; i < h.o1; i++ {
			where[i] = n
		}
		for j := h.n0; j < h.n1; j++ {
			hunk[j] = n
		}
	}
	used := map[int]bool{}
	for _, i := range a {
		k := slices.IndexFunc(b, func(j int) bool { return !used[j] && hunk[j] == where[i] && c.stands(i, j) })
		if k < 0 {
			c.textChange(i, -1)
			continue
		}
		used[b[k]] = true
		c.textChange(i, b[k])
	}
	for _, j := range b {
		if !used[j] {
			c.textChange(-1, j)
		}
	}
}

// countRead counts a line as noise when an evaluation read it and found nothing
// different.
func (c *comparison) countRead(s *side, i int, of func(pair) *evaluation) bool {
	str := s.structure()
	at := i
	if b := str.Lines[i].Block; b >= 0 {
		at = str.Blocks[b].Start
	}
	form := str.Lines[at].Form
	for _, p := range c.pairs {
		e := of(p)
		if e.partial || e.inactive[i] {
			continue
		}
		part := str.Parts[str.Lines[i].Part].Name
		preamble := part == "" || part == "%package"
		switch {
		case isCondition(form):
			s.seen(i+1, &c.diff.Noise.Spelling)
			return true
		case preamble && form == spec.FormText && !e.says(at+1):
			continue // a macro that says nothing we know of
		case (at != i || form == spec.FormText && !preamble) && c.rewrapped(s, i):
			s.seen(i+1, &c.diff.Noise.Wrapped)
			return true
		}
		s.seen(i+1, &c.diff.Noise.Spelling)
		return true
	}
	return false
}

// rewrapped reports whether the run of differing lines that a line stands in has
// the same words on both sides.
func (c *comparison) rewrapped(s *side, i int) bool {
	words := func(lines []string) string {
		var b strings.Builder
		for _, l := range lines {
			for _, w := range strings.Fields(strings.TrimSuffix(strings.TrimSpace(l), `\`)) {
				b.WriteString(w)
			}
		}
		return b.String()
	}
	for _, h := range c.hunkList() {
		if s == c.old && h.o0 <= i && i < h.o1 || s == c.new && h.n0 <= i && i < h.n1 {
			return words(c.old.lines[h.o0:h.o1]) == words(c.new.lines[h.n0:h.n1])
		}
	}
	return false
}

// hunkList returns the runs of lines that differ.
func (c *comparison) hunkList() []hunk {
	if c.runs == nil {
		c.runs = c.alignment().hunks()
	}
	return c.runs
}

// says reports whether the evaluation found anything at a line.
func (e *evaluation) says(line int) bool {
	if e.saying == nil {
		e.saying = map[int]bool{}
		note := func(l int) { e.saying[l] = true }
		for i := range e.spec.Packages {
			p := &e.spec.Packages[i]
			if i > 0 {
				note(e.line(p.Pos))
			}
			for _, t := range p.Tags {
				note(e.line(t.Pos))
			}
		}
		for _, s := range slices.Concat(e.spec.Sources, e.spec.Patches) {
			note(e.line(s.Pos))
		}
		for _, b := range e.spec.Bconds {
			note(e.line(b.Pos))
		}
		for _, m := range e.spec.Macros {
			note(e.line(m.Pos))
		}
		for _, s := range e.spec.Sections {
			note(e.line(s.Pos))
		}
	}
	return e.saying[line]
}

// stands reports whether a new line could stand for an old one.
func (c *comparison) stands(i, j int) bool {
	x, y := c.lineChange(c.old, i), c.lineChange(c.new, j)
	return x.Class == y.Class && (x.What == y.What || x.Class == Section || x.Class == Scriptlet || x.Class == Macro)
}

// lineChange says what a line is about by its text alone.
func (c *comparison) lineChange(s *side, i int) Change {
	str := s.structure()
	ch := Change{Package: c.pairs[0].new.main, Arch: []string{}}
	p := &str.Parts[str.Lines[i].Part]
	if p.Package != "" {
		ch.Package = p.Package
		if !p.FullName {
			ch.Package = c.pairs[0].new.main + "-" + p.Package
		} else if name, ok := c.pairs[0].new.expand(p.Package); ok {
			ch.Package = name
		}
	}
	at := i
	if b := str.Lines[i].Block; b >= 0 {
		at = str.Blocks[b].Start
	}
	line := strings.TrimSpace(s.lines[at])
	switch {
	case isDefine(line) || str.Lines[at].Form == spec.FormDefine:
		ch.Class, ch.What = Macro, line
		if f := strings.Fields(line); len(f) > 1 {
			ch.What, _, _ = strings.Cut(f[1], "(")
		}
		return ch
	case strings.HasPrefix(line, "%bcond"):
		ch.Class, ch.What = Option, line
		if f := strings.Fields(line); len(f) > 1 {
			ch.What = f[1]
		}
		return ch
	case isCondition(str.Lines[at].Form):
		ch.Class, ch.What = Condition, strings.Fields(line)[0]
		return ch
	case str.Lines[at].Form == spec.FormTag:
		ch.Class, ch.What = tagClass(line)
		return ch
	}
	ch.What = p.Name
	switch p.Name {
	case "", "%package":
		ch.Class, ch.What = Macro, firstWord(line)
		if str.Lines[at].Form == spec.FormHeader {
			ch.Class, ch.What = Package, "package"
		}
	case "%files":
		ch.Class = Files
	case "%description":
		ch.Class = Description
	case "%changelog":
		ch.Class = Changelog
	case "%patchlist":
		ch.Class = Patch
	case "%sourcelist":
		ch.Class = Source
	case "%prep", "%conf", "%build", "%install", "%check", "%clean", "%generate_buildrequires":
		ch.Class = Section
	default:
		ch.Class = Scriptlet
	}
	return ch
}

// textChange reports a line by its text; one of the indices may be -1.
func (c *comparison) textChange(i, j int) {
	var ch Change
	if j >= 0 {
		ch = c.lineChange(c.new, j)
	} else {
		ch = c.lineChange(c.old, i)
	}
	ch.Op = Changed
	if i >= 0 {
		s := strings.TrimSpace(c.old.lines[i])
		ch.Old, ch.OldLine = &s, i+1
	} else {
		ch.Op = Added
	}
	if j >= 0 {
		s := strings.TrimSpace(c.new.lines[j])
		ch.New, ch.NewLine = &s, j+1
	} else {
		ch.Op = Removed
	}
	for _, p := range c.pairs { // a spec that rpm refuses, or a macro that says nothing
		if i >= 0 && !p.old.inactive[i] || j >= 0 && !p.new.inactive[j] {
			ch.Arch = append(ch.Arch, p.new.arch)
		}
	}
	// Lines that follow each other are one change.
	if n := len(c.diff.Changes); n > 0 {
		last := &c.diff.Changes[n-1]
		if c.joins(last, &ch) {
			return
		}
	}
	ch.oldEnd, ch.newEnd = ch.OldLine, ch.NewLine
	ch.whole = true
	c.diff.Changes = append(c.diff.Changes, ch)
}

// joins adds a change to the one before when both are text of one run.
func (c *comparison) joins(last, ch *Change) bool {
	if !last.whole || last.Class != ch.Class || last.Op != ch.Op || last.Package != ch.Package || last.What != ch.What || !slices.Equal(last.Arch, ch.Arch) {
		return false
	}
	switch ch.Class {
	case Section, Scriptlet, Description, Changelog:
	default:
		return false
	}
	if ch.Old != nil && last.oldEnd+1 != ch.OldLine || ch.New != nil && last.newEnd+1 != ch.NewLine {
		return false
	}
	if ch.Old != nil {
		s := *last.Old + "\n" + *ch.Old
		last.Old, last.oldEnd = &s, ch.OldLine
	}
	if ch.New != nil {
		s := *last.New + "\n" + *ch.New
		last.New, last.newEnd = &s, ch.NewLine
	}
	return true
}

func firstWord(s string) string {
	if f := strings.Fields(s); len(f) > 0 {
		return f[0]
	}
	return s
}

// files compares the files beside the specs that are no sources or patches of
// both: those are compared there.
func (c *comparison) files() {
	if c.old.p.Files == nil || c.new.p.Files == nil {
		return
	}
	declared := map[string]bool{}
	for _, p := range c.pairs {
		for _, e := range []*evaluation{p.old, p.new} {
			for _, s := range slices.Concat(e.spec.Sources, e.spec.Patches) {
				declared[s.Name] = true
			}
		}
	}
	if len(c.pairs) == 0 && !c.opaque { // the specs are the same
		c.evaluateNames(declared)
	}
	names := map[string]bool{}
	for n := range c.old.digest {
		names[n] = true
	}
	for n := range c.new.digest {
		names[n] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		x, y := c.old.digest[name], c.new.digest[name]
		if x == y || declared[name] && len(c.pairs) > 0 {
			continue
		}
		ch := Change{Class: File, Op: Changed, Package: c.mainName(), What: name, Arch: append([]string{}, c.archs...)}
		if declared[name] {
			ch.Class = Source
			if c.patchFile[name] {
				ch.Class = Patch
			}
		}
		if x != "" {
			ch.Old = &x
		} else {
			ch.Op = Added
		}
		if y != "" {
			ch.New = &y
		} else {
			ch.Op = Removed
		}
		if c.opt.FileCause != nil {
			ch.Cause = c.opt.FileCause(name)
		}
		c.diff.Changes = append(c.diff.Changes, ch)
	}
}

// evaluateNames finds the sources and patches of specs that are the same, when
// files beside them differ.
func (c *comparison) evaluateNames(declared map[string]bool) {
	if maps.Equal(c.old.digest, c.new.digest) {
		return
	}
	c.patchFile = map[string]bool{}
	e := c.new.evaluate(c.opt, c.archs[0], c.opt.NewSet)
	c.name = e.main
	for _, s := range e.spec.Sources {
		declared[s.Name] = true
	}
	for _, s := range e.spec.Patches {
		declared[s.Name], c.patchFile[s.Name] = true, true
	}
	c.diff.OldEVR, c.diff.NewEVR = e.evr(0), e.evr(0)
}

func (c *comparison) mainName() string {
	if len(c.pairs) > 0 {
		return c.pairs[0].new.main
	}
	return c.name
}

// unknowns lists what the evaluations left open.
func (c *comparison) unknowns() {
	type key struct{ what, why string }
	index := map[key]int{}
	add := func(side, what, why, arch string, line int) {
		k := key{what, why}
		i, ok := index[k]
		if !ok {
			i = len(c.diff.Unknown)
			index[k] = i
			c.diff.Unknown = append(c.diff.Unknown, Unknown{Side: side, What: what, Why: why, Arch: []string{}})
		}
		u := &c.diff.Unknown[i]
		if u.Side != side {
			u.Side = "both"
		}
		u.Line = line
		if !slices.Contains(u.Arch, arch) {
			u.Arch = append(u.Arch, arch)
		}
	}
	const limit = 200
	one := func(side string, e *evaluation) {
		if d := e.spec.Rejected(); d != nil && e.p.Spec != nil {
			add(side, "spec", fmt.Sprintf("rpm would not accept the spec: %s", d.Message), e.arch, e.line(d.Pos))
		}
		for i, u := range e.spec.Unknown {
			if i < limit {
				add(side, u.Field, u.Reason, e.arch, e.line(u.Pos))
			}
		}
	}
	for _, p := range c.pairs {
		one("old", p.old)
	}
	for _, p := range c.pairs {
		one("new", p.new)
	}
}

// leader names the change that another one follows from.
func (c *comparison) leader(ch *Change) string {
	line := ""
	switch {
	case ch.NewLine > 0 && ch.NewLine <= len(c.new.lines):
		line = c.new.lines[ch.NewLine-1]
	case ch.OldLine > 0 && ch.OldLine <= len(c.old.lines):
		line = c.old.lines[ch.OldLine-1]
	}
	var first *Change
	rank := 0 // 3 for what the line names, 2 for a condition or option, 1 for anything
	for i := range c.diff.Changes {
		l := &c.diff.Changes[i]
		if l.follows {
			continue
		}
		r := 0
		switch l.Class {
		case Version, Release, Macro, Option:
			r = 1
			if strings.Contains(line, l.What) {
				r = 3
			} else if l.Class == Option {
				r = 2
			}
		case Condition:
			r = 2
		case Package:
			if r = 0; l.Op == Changed && strings.Contains(line, "name") {
				r = 3
			}
		}
		if r > rank {
			first, rank = l, r
		}
	}
	if first == nil {
		return ""
	}
	s := fmt.Sprintf("follows from the %s", first.Class)
	if first.Class == Macro || first.Class == Option {
		s += " " + first.What
	}
	if first.NewLine > 0 {
		s += fmt.Sprintf(" in line %d", first.NewLine)
	}
	if first.Cause != "" {
		s += ": " + first.Cause
	}
	return s
}

// tagClass returns class and what of a tag line by its text.
func tagClass(line string) (Class, string) {
	name, _, _ := strings.Cut(line, ":")
	name = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(name), " ", ""))
	base := strings.TrimRight(name, "0123456789")
	plain, _, _ := strings.Cut(name, "(")
	switch {
	case base == "source":
		return Source, name
	case base == "patch":
		return Patch, name
	case name == "version" || name == "epoch":
		return Version, name
	case name == "release":
		return Release, name
	case plain == "buildsystem" || plain == "buildoption":
		return Build, name
	case macro.IsDependency(plain):
		return Dependency, name
	}
	return Tag, name
}
