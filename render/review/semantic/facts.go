package semantic

import (
	"cmp"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"specgraft/fedora/evr"
	"specgraft/fedora/macro"
)

// A fact is one thing that a spec says, such as a dependency of a package.
type fact struct {
	class Class
	pkg   string // identity of the package, see evaluation.packageKey
	name  string // of the package, for the reader
	what  string
	id    string // what makes it the same thing on both sides, such as the name of a dependency
	value string
	show  string // value for the reader, when it is another
	text  string // the line as written
	known bool
	line  int
}

// shown returns the value for the reader.
func (f *fact) shown() *string {
	s := cmp.Or(f.show, f.value)
	if !f.known {
		s = f.text
	}
	return &s
}

// same reports whether two facts say the same. Of values that are not known the
// text counts.
func same(a, b *fact) bool {
	if a.known && b.known {
		return a.value == b.value
	}
	return a.text == b.text
}

// packageKey is the identity of a package: sub-packages that are named after
// the main package stay the same when that is renamed.
func (e *evaluation) packageKey(i int) string {
	if i == 0 {
		return ""
	}
	name := e.spec.Packages[i].Name.Text
	if rest, ok := strings.CutPrefix(name, e.main+"-"); ok {
		return "-" + rest
	}
	return "=" + name
}

// keyOf is packageKey for a full name.
func (e *evaluation) keyOf(name string) string {
	switch rest, ok := strings.CutPrefix(name, e.main+"-"); {
	case name == e.main:
		return ""
	case ok:
		return "-" + rest
	}
	return "=" + name
}

// line returns the line of the spec itself, 0 for one in an included file.
func (e *evaluation) line(v token.Position) int {
	if v.Filename != e.p.Name || v.Line > len(e.lines) {
		return 0
	}
	return v.Line
}

// evr returns what a package builds, "" when that is not known.
func (e *evaluation) evr(pkg int) string {
	v, ok := e.evrOf(pkg)
	if !ok {
		return ""
	}
	return v.String()
}

func (e *evaluation) evrOf(pkg int) (evr.EVR, bool) {
	ep, v, r := e.spec.Epoch, e.spec.Version, e.spec.Release
	if pkg > 0 && pkg < len(e.spec.Packages) {
		for _, t := range e.spec.Packages[pkg].Tags {
			switch t.Name {
			case "Epoch":
				ep = t.Value
			case "Version":
				v = t.Value
			case "Release":
				r = t.Value
			}
		}
	}
	if !v.Known || !r.Known || ep.Set && !ep.Known {
		return evr.EVR{}, false
	}
	return evr.EVR{Epoch: strings.TrimLeft(ep.Text, "0"), Version: v.Text, Release: r.Text}, true
}

// packageFacts lists what the preamble of each package says.
func (e *evaluation) packageFacts() []fact {
	var out []fact
	for i := range e.spec.Packages {
		p := &e.spec.Packages[i]
		key := e.packageKey(i)
		name := p.Name.Text
		if i == 0 {
			name = e.main
		}
		line := e.line(p.Pos)
		if name != "" { // else there is no spec, or it has no name
			out = append(out, fact{class: Package, pkg: key, name: name, what: "package", value: name, known: i == 0 || p.Name.Known, line: line, text: e.source(line)})
		}
		for _, t := range p.Tags {
			out = e.tagFacts(out, fact{pkg: key, name: name, line: e.line(t.Pos), known: t.Value.Known}, t, i)
		}
	}
	return out
}

// tagFacts lists what one tag says.
func (e *evaluation) tagFacts(out []fact, f fact, t macro.Tag, pkg int) []fact {
	f.what, f.text = strings.ToLower(t.Name), e.source(f.line)
	f.value = oneLine(t.Value.Text)
	if t.Arg != "" {
		f.what += "(" + strings.ToLower(strings.ReplaceAll(t.Arg, " ", "")) + ")"
	}
	switch t.Name {
	case "Source", "Patch":
		return out // see sourceFacts
	case "Name":
		if pkg == 0 {
			return out // the package has it
		}
	case "Version", "Epoch":
		f.class = Version
		return append(out, f)
	case "Release":
		f.class = Release
		return append(out, f)
	case "BuildSystem", "BuildOption":
		f.class = Build
		return append(out, f)
	case "ExclusiveArch", "ExcludeArch", "ExclusiveOS", "ExcludeOS", "BuildArch", "BuildArchitectures":
		words := strings.FieldsFunc(f.value, func(r rune) bool { return r == ' ' || r == ',' })
		slices.Sort(words)
		f.value = strings.Join(slices.Compact(words), " ")
	}
	if !macro.IsDependency(t.Name) {
		f.class = Tag
		return append(out, f)
	}
	f.class = Dependency
	if !t.Value.Known {
		f.id = f.text
		return append(out, f)
	}
	for _, d := range macro.Dependencies(t.Value.Text) {
		f.value, f.id = d, d
		if d[0] != '(' {
			f.id, _, _ = strings.Cut(d, " ")
		}
		out = append(out, f)
	}
	return out
}

// otherFacts lists build conditionals and macros.
func (e *evaluation) otherFacts() []fact {
	var out []fact
	for _, b := range e.spec.Bconds {
		f := fact{class: Option, name: e.main, what: b.Name, id: b.Name, known: b.Default.Known, line: e.line(b.Pos)}
		f.value = "off"
		if b.Default.Text != "0" {
			f.value = "on"
		}
		f.text = e.source(f.line)
		out = append(out, f)
	}
	options := map[int]bool{}
	for _, f := range out {
		options[f.line] = true
	}
	for _, m := range e.spec.Macros {
		line := e.line(m.Pos)
		if line == 0 || options[line] || e.generated[line-1] {
			continue // what an included file defines is a change of that file
		}
		f := fact{class: Macro, name: e.main, what: m.Name, id: m.Name, known: m.Body.Known, line: line, text: e.source(line), show: m.Body.Text}
		f.value = m.Body.Text
		switch {
		case m.Undef:
			f.value, f.show = "\x00undefined", "undefined"
		case m.Param:
			f.value = "(" + m.Opts + ")" + m.Body.Text
			f.show = f.value
		}
		if f.show == "" {
			f.show = "(nothing)"
		}
		out = append(out, f)
	}
	return out
}

// A source is a Source or Patch as both sides are compared by.
type source struct {
	fact
	number int
	file   string
}

// sources lists Sources or Patches.
func (e *evaluation) sources(class Class, list []macro.Source) []source {
	var out []source
	for _, s := range list {
		line := e.line(s.Pos)
		f := fact{class: class, name: e.main, what: s.Name, id: s.Name, value: s.Value.Text, known: s.Value.Known && s.Name != "", line: line, text: e.source(line)}
		if f.what == "" {
			f.what, f.id = f.text, f.text
		}
		out = append(out, source{f, s.Number, s.Name})
	}
	return out
}

// facts compares what both sides say for one architecture.
func (c *comparison) facts(i int) {
	p := c.pairs[i]
	old, new := p.old.packageFacts(), p.new.packageFacts()
	gone, came := packagesOf(old, new), packagesOf(new, old)
	old, new = without(old, gone), without(new, came)
	old, new = append(old, p.old.otherFacts()...), append(new, p.new.otherFacts()...)
	c.matchFacts(p, old, new)
	c.sources(p, Source)
	c.sources(p, Patch)
}

// packagesOf returns the sub-packages that only the first of two sides has.
func packagesOf(here, there []fact) map[string]bool {
	out := map[string]bool{}
	for _, f := range here {
		if f.class == Package && f.pkg != "" {
			out[f.pkg] = true
		}
	}
	for _, f := range there {
		if f.class == Package {
			delete(out, f.pkg)
		}
	}
	return out
}

// without leaves out what goes without saying of packages that come or go: all
// but their dependencies.
func without(list []fact, pkgs map[string]bool) []fact {
	return slices.DeleteFunc(list, func(f fact) bool {
		return pkgs[f.pkg] && f.class != Dependency && f.class != Package
	})
}

// matchFacts finds the facts that both sides have and reports the others.
func (c *comparison) matchFacts(p pair, old, new []fact) {
	type key struct {
		class         Class
		pkg, what, id string
	}
	keyOf := func(f *fact) key { return key{f.class, f.pkg, f.what, f.id} }
	byKey := map[key][]int{}
	for i := range new {
		k := keyOf(&new[i])
		byKey[k] = append(byKey[k], i)
	}
	taken := make([]bool, len(new))
	var left []int
	for i := range old {
		k := slices.IndexFunc(byKey[keyOf(&old[i])], func(j int) bool { return !taken[j] && same(&old[i], &new[j]) })
		if k < 0 {
			left = append(left, i)
			continue
		}
		taken[byKey[keyOf(&old[i])][k]] = true
	}
	for _, i := range left {
		f := &old[i]
		j := -1
		for _, k := range byKey[keyOf(f)] {
			if taken[k] {
				continue
			}
			if j < 0 || operator(f.value) == operator(new[k].value) && operator(f.value) != operator(new[j].value) {
				j = k
			}
		}
		if j < 0 {
			c.found = append(c.found, p.change(f, nil))
			continue
		}
		taken[j] = true
		if !c.spelled(p, f, &new[j]) {
			c.found = append(c.found, p.change(f, &new[j]))
		}
	}
	for j := range new {
		if !taken[j] {
			c.found = append(c.found, p.change(nil, &new[j]))
		}
	}
}

// operator returns the comparison of a simple dependency.
func operator(dep string) string {
	if f := strings.Fields(dep); len(f) == 3 {
		return f[1]
	}
	return ""
}

// spelled reports whether two definitions of a macro come to the same: the
// bodies expand alike with all macros of their spec.
func (c *comparison) spelled(p pair, old, new *fact) bool {
	if old.class != Macro || !old.known || !new.known || strings.HasPrefix(old.value, "(") || strings.HasPrefix(new.value, "(") {
		return false
	}
	a, ok := p.old.expand(old.value)
	b, both := p.new.expand(new.value)
	return ok && both && oneLine(a) == oneLine(b)
}

// change makes a change of facts; one of them may be nil.
func (p pair) change(old, new *fact) Change {
	f := new
	if f == nil {
		f = old
	}
	ch := Change{Class: f.class, Package: f.name, What: f.what, Op: Changed, Arch: []string{p.new.arch}}
	if old != nil {
		ch.Old, ch.OldLine, ch.oldEnd = old.shown(), old.line, p.old.blockEnd(old.line)
	}
	if new != nil {
		ch.New, ch.NewLine, ch.newEnd = new.shown(), new.line, p.new.blockEnd(new.line)
	}
	switch {
	case old == nil:
		ch.Op = Added
	case new == nil:
		ch.Op = Removed
	}
	if f.class == Version || f.class == Release {
		ch.Order = p.order(f.pkg)
	}
	return ch
}

// blockEnd returns the last line of the block that begins at a line.
func (s *side) blockEnd(line int) int {
	if line < 1 || line > len(s.lines) {
		return line
	}
	str := s.structure()
	if b := str.Lines[line-1].Block; b >= 0 && str.Blocks[b].Start == line-1 {
		return str.Blocks[b].End
	}
	return line
}

// order compares the EVRs of a package: "up", "same" or "down", "" when one is
// not known.
func (p pair) order(key string) string {
	find := func(e *evaluation) (evr.EVR, bool) {
		for i := range e.spec.Packages {
			if e.packageKey(i) == key {
				return e.evrOf(i)
			}
		}
		return evr.EVR{}, false
	}
	a, ok := find(p.old)
	b, both := find(p.new)
	if !ok || !both {
		return ""
	}
	return [...]string{"down", "same", "up"}[b.Compare(a)+1]
}

// sources compares Sources or Patches: by name, and what is left by number.
func (c *comparison) sources(p pair, class Class) {
	lists := func(e *evaluation) []source {
		if class == Patch {
			return e.sources(class, e.spec.Patches)
		}
		return e.sources(class, e.spec.Sources)
	}
	old, new := lists(p.old), lists(p.new)
	var oldUse, newUse map[string]string
	if class == Patch {
		oldUse, newUse = p.old.applied(old), p.new.applied(new)
	}
	match := make([]int, len(old))
	taken := make([]bool, len(new))
	pass := func(like func(a, b *source) bool) {
		for i := range old {
			if match[i] > 0 {
				continue
			}
			for j := range new {
				if !taken[j] && like(&old[i], &new[j]) {
					match[i], taken[j] = j+1, true
					break
				}
			}
		}
	}
	pass(func(a, b *source) bool { return a.file != "" && a.file == b.file && a.number == b.number })
	pass(func(a, b *source) bool { return a.file != "" && a.file == b.file })
	pass(func(a, b *source) bool { return a.number == b.number && a.text == b.text })
	pass(func(a, b *source) bool { return a.number == b.number && related(a.file, b.file) })
	var order [2][]string // of what both sides have
	for i := range old {
		a := &old[i]
		if match[i] == 0 {
			c.found = append(c.found, p.change(a.withUse(oldUse), nil))
			continue
		}
		b := &new[match[i]-1]
		if a.number != b.number {
			c.renumbered(a, b)
		}
		if !same(&a.fact, &b.fact) {
			ch := p.change(&a.fact, &b.fact)
			if a.file != b.file {
				ch.What = string(class) + strconv.Itoa(b.number)
			}
			c.found = append(c.found, ch)
		}
		c.content(p, class, a, b)
		if x, y := oldUse[a.file], newUse[b.file]; class == Patch && x != y && a.file != "" && x != "?" && y != "?" {
			ch := p.change(&a.fact, &b.fact)
			ch.Old, ch.New, ch.What, ch.applies = &x, &y, b.what, true
			c.found = append(c.found, ch)
		}
	}
	for j := range new {
		if !taken[j] {
			c.found = append(c.found, p.change(nil, new[j].withUse(newUse)))
		}
	}
	if class == Patch {
		order[0], order[1] = p.old.appliedOrder(old), p.new.appliedOrder(new)
		c.patchOrder(p, order)
	}
}

// related reports whether two file names are two versions of one thing: they
// share a stem. Sources that trade places are not.
func related(a, b string) bool {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n >= 3 || a == "" || b == ""
}

// withUse adds to a patch that comes or goes whether it is applied.
func (s *source) withUse(use map[string]string) *fact {
	f := s.fact
	if use != nil && use[s.file] == notApplied {
		f.show = f.value + " (" + notApplied + ")"
	}
	return &f
}

// renumbered counts a source whose number alone is another.
func (c *comparison) renumbered(a, b *source) {
	c.old.seen(a.line, &c.diff.Noise.Renumbered)
	c.new.seen(b.line, nil)
}

// content reports that the file behind a Source or Patch is another one.
func (c *comparison) content(p pair, class Class, a, b *source) {
	x, y := c.old.digest[a.file], c.new.digest[b.file]
	if a.file == "" || a.file != b.file || x == y || c.old.p.Files == nil || c.new.p.Files == nil && c.new.p.FS == nil {
		return
	}
	ch := Change{Class: class, Package: b.name, What: b.file, Op: Changed, OldLine: 0, NewLine: 0, Arch: []string{p.new.arch}}
	if x != "" {
		ch.Old = &x
	}
	if y != "" {
		ch.New = &y
	}
	if c.opt.FileCause != nil {
		ch.Cause = c.opt.FileCause(b.file)
	}
	c.found = append(c.found, ch)
}
