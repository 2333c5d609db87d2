// Package semantic compares what two versions of a packaging mean.
//
// Both specs are evaluated for each architecture and the results are compared:
// names, versions, packages, dependencies, sources and patches, scripts, file
// lists. What was only moved, wrapped, spelled in another way, numbered anew or
// generated is counted as noise. Where the text stands under a condition that
// holds on none of the architectures, or a value is not known, the text is
// compared in place of its meaning; nothing that was changed is left out.
//
//	old, err := semantic.Open("old/bash")
//	new, err := semantic.Open("new/bash")
//	d := semantic.Compare(old, new, semantic.Options{})
//	for _, c := range d.Changes {
//		fmt.Println(c.Class, c.Op, c.Package, c.What)
//	}
//
// The package is a pure function of the two packagings. It executes nothing,
// reads nothing but what it is given, and never panics: of a spec that rpm would
// refuse it compares as much as can be read, and says so.
package semantic

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"specgraft/fedora/macro"
)

// A Class says what kind of thing a change is about.
type Class string

// The classes, in the order in which changes are listed.
const (
	Version     Class = "version" // version and epoch
	Release     Class = "release"
	Package     Class = "package" // a package as a whole
	Dependency  Class = "dependency"
	Tag         Class = "tag"
	Option      Class = "option" // a build conditional
	Source      Class = "source"
	Patch       Class = "patch"
	Section     Class = "section"   // a script of the build
	Scriptlet   Class = "scriptlet" // a script of a package
	Files       Class = "files"
	Macro       Class = "macro"
	Condition   Class = "condition"
	Description Class = "description"
	Changelog   Class = "changelog"
	Build       Class = "build" // BuildSystem and BuildOption
	File        Class = "file"  // a file beside the spec
)

// Classes lists the classes in their order.
var Classes = []Class{Version, Release, Package, Dependency, Tag, Option, Source, Patch, Section, Scriptlet,
	Files, Macro, Condition, Description, Changelog, Build, File}

// What happens to a thing.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// A Change is one difference in meaning.
type Change struct {
	Component string  `json:"component,omitempty"` // set by who compares many
	Class     Class   `json:"class"`
	Op        string  `json:"op"`      // added, removed, changed
	Package   string  `json:"package"` // full name; the main package where nothing else is meant
	What      string  `json:"what"`    // the tag in lower case, the file, the section with its %
	Old       *string `json:"old"`     // nil when there was none
	New       *string `json:"new"`
	// Order is that of the EVR by rpm's comparison, epoch included: up, same or
	// down. Only versions and releases have it.
	Order string `json:"order,omitempty"`
	// Arch lists the architectures on which the change is seen. It is empty for
	// text under a condition that holds on none of them.
	Arch    []string `json:"arch"`
	OldLine int      `json:"old_line"` // in the old spec, 0 for none
	NewLine int      `json:"new_line"`
	Cause   string   `json:"cause"` // empty when nobody knows

	oldEnd, newEnd int  // last lines
	whole          bool // a whole section or package came or went
	follows        bool // the line itself is the same on both sides
	applies        bool // a patch is applied in another way, or no longer
}

// Follows reports whether the line itself is the same on both sides, so that
// the change follows from another one, such as that of the version.
func (c *Change) Follows() bool { return c.follows }

// Noise counts lines that differ, and mean the same, by what is different
// about them.
type Noise struct {
	Blank      int `json:"blank"`
	Comment    int `json:"comment"`
	Spacing    int `json:"spacing"`    // white space, case of tags
	Wrapped    int `json:"wrapped"`    // broken at other places
	Spelling   int `json:"spelling"`   // written in another way, expands to the same
	Moved      int `json:"moved"`      // stands elsewhere, where order has no meaning
	Renumbered int `json:"renumbered"` // sources and patches with another number
	Generated  int `json:"generated"`  // written by autospec or the renderer
	Follows    int `json:"follows"`    // the same script or macro, whose expansion follows from a change
}

// Total returns the number of lines.
func (n *Noise) Total() int {
	return n.Blank + n.Comment + n.Spacing + n.Wrapped + n.Spelling + n.Moved + n.Renumbered + n.Generated + n.Follows
}

// Add adds the counts of another comparison.
func (n *Noise) Add(o Noise) {
	n.Blank += o.Blank
	n.Comment += o.Comment
	n.Spacing += o.Spacing
	n.Wrapped += o.Wrapped
	n.Spelling += o.Spelling
	n.Moved += o.Moved
	n.Renumbered += o.Renumbered
	n.Generated += o.Generated
	n.Follows += o.Follows
}

// An Unknown is a value that an evaluation leaves open, so that its text was
// compared.
type Unknown struct {
	Component string   `json:"component,omitempty"`
	Side      string   `json:"side"` // old, new or both
	What      string   `json:"what"`
	Why       string   `json:"why"`
	Line      int      `json:"line"` // of the new spec when it is there
	Arch      []string `json:"arch"`
}

// A Diff is what two packagings differ in.
type Diff struct {
	Changes []Change  `json:"changes"`
	Noise   Noise     `json:"noise"`
	Unknown []Unknown `json:"unknown"`

	// OldEVR and NewEVR are what the first architecture builds, empty when that
	// is not known.
	OldEVR, NewEVR string `json:"-"`
}

// Down returns the changes by which an EVR goes down.
func (d *Diff) Down() []Change {
	var out []Change
	for _, c := range d.Changes {
		if c.Order == "down" {
			out = append(out, c)
		}
	}
	return out
}

// Options say how to compare.
type Options struct {
	Archs []string // nil means x86_64 and aarch64
	// Config is what both sides are evaluated with; Arch and FS are set here.
	Config macro.Config
	// OldSet and NewSet are the macro sets of the sides where they are not that
	// of Config.
	OldSet, NewSet *macro.Set
	// Cause names the cause of a change, by lines of the old and of the new
	// spec, 0 for none. Nil knows of none.
	Cause func(oldLine, newLine int) string
	// FileCause names the cause of a change in a file beside the spec.
	FileCause func(path string) string
}

// DefaultArchs are the architectures that specs are evaluated for.
var DefaultArchs = []string{"x86_64", "aarch64"}

// Compare returns what the packagings differ in. It gives the same answer for
// the same arguments.
func Compare(old, new Packaging, opt Options) *Diff {
	archs := opt.Archs
	if len(archs) == 0 {
		archs = DefaultArchs
	}
	c := &comparison{opt: &opt, archs: archs, old: newSide(old), new: newSide(new)}
	c.diff = &Diff{Changes: []Change{}, Unknown: []Unknown{}}
	if c.binary() {
		return c.diff
	}
	if c.sameText() {
		c.files()
		c.finish()
		return c.diff
	}
	c.shareAutorelease()
	c.evaluate()
	for i := range c.archs {
		if c.pairs[i].like == nil {
			c.facts(i)
		}
	}
	c.texts()
	c.likewise()
	c.conditions()
	c.files()
	c.merge()
	c.rest()
	c.unknowns()
	c.finish()
	return c.diff
}

// A comparison is a Diff in the making.
type comparison struct {
	opt      *Options
	archs    []string
	old, new *side
	pairs    []pair // evaluations by architecture
	diff     *Diff
	found    []Change // one architecture each
	unled    []unled
	aligned  *alignment
	runs     []hunk // see hunkList
	opaque   bool   // a spec is no text, so that nothing is evaluated
	// For specs that are the same: the name of the main package, and which
	// files are patches.
	name      string
	patchFile map[string]bool
}

// A pair is both sides evaluated for one architecture.
type pair struct {
	old, new *evaluation
	// like is the pair of an architecture before, when nothing in both specs
	// depends on which of the two it is; nil for a pair to look at by itself.
	like *pair
}

// evaluate evaluates both sides for the architectures: for the first one, and at
// once for those that are not like it.
func (c *comparison) evaluate() {
	c.old.structure()
	c.new.structure()
	c.pairs = make([]pair, len(c.archs))
	var wg sync.WaitGroup
	for i, arch := range c.archs {
		first, p := &c.pairs[0], &c.pairs[i]
		if i > 0 && first.old.spec.SameFor(arch) && first.new.spec.SameFor(arch) {
			*p = pair{first.old.as(arch), first.new.as(arch), first}
			continue
		}
		wg.Go(func() { p.old = c.old.evaluate(c.opt, arch, c.opt.OldSet) })
		wg.Go(func() { p.new = c.new.evaluate(c.opt, arch, c.opt.NewSet) })
		if i == 0 {
			wg.Wait()
		}
	}
	wg.Wait()
	c.diff.OldEVR, c.diff.NewEVR = c.pairs[0].old.evr(0), c.pairs[0].new.evr(0)
}

// likewise reports for an architecture what was found for the one that it is
// like.
func (c *comparison) likewise() {
	found, left := c.found, c.unled
	for i := range c.pairs {
		p := &c.pairs[i]
		if p.like == nil {
			continue
		}
		for _, ch := range found {
			if ch.Arch[0] == p.like.new.arch {
				ch.Arch = []string{p.new.arch}
				c.found = append(c.found, ch)
			}
		}
		for _, u := range left {
			if u.p.new.arch == p.like.new.arch {
				u.p = *p
				c.unled = append(c.unled, u)
			}
		}
	}
}

// merge joins changes that several architectures share.
func (c *comparison) merge() {
	type key struct {
		class            Class
		op, pkg, what    string
		old, new         string
		hasOld, hasNew   bool
		oldLine, newLine int
		order            string
	}
	str := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	index := map[key][]int{} // a change may be there several times
	used := map[int]map[string]bool{}
	out := c.diff.Changes
	for _, ch := range c.found {
		k := key{ch.Class, ch.Op, ch.Package, ch.What, str(ch.Old), str(ch.New), ch.Old != nil, ch.New != nil, ch.OldLine, ch.NewLine, ch.Order}
		at := -1
		for _, i := range index[k] {
			if len(ch.Arch) == 1 && !used[i][ch.Arch[0]] {
				at = i
				break
			}
		}
		if at < 0 {
			at = len(out)
			index[k] = append(index[k], at)
			used[at] = map[string]bool{}
			for _, a := range ch.Arch {
				used[at][a] = true
			}
			out = append(out, ch)
			continue
		}
		used[at][ch.Arch[0]] = true
		out[at].Arch = append(out[at].Arch, ch.Arch[0])
	}
	for i := range out { // those of one architecture may come behind those of a later one
		slices.SortFunc(out[i].Arch, func(a, b string) int {
			return cmp.Compare(slices.Index(c.archs, a), slices.Index(c.archs, b))
		})
	}
	c.diff.Changes, c.found = out, nil
}

// finish orders the changes, names their causes and bounds their text.
func (c *comparison) finish() {
	rank := map[Class]int{}
	for i, k := range Classes {
		rank[k] = i
	}
	list := c.diff.Changes
	slices.SortStableFunc(list, func(a, b Change) int {
		return cmp.Or(cmp.Compare(rank[a.Class], rank[b.Class]), cmp.Compare(max(a.NewLine, 0), max(b.NewLine, 0)),
			cmp.Compare(a.OldLine, b.OldLine), cmp.Compare(a.Package, b.Package), cmp.Compare(a.What, b.What), cmp.Compare(a.Op, b.Op))
	})
	for i := range list {
		ch := &list[i]
		if ch.Arch == nil {
			ch.Arch = []string{}
		}
		if ch.OldLine > 0 && ch.NewLine > 0 && ch.Op == Changed && ch.Order == "" && !ch.applies {
			ch.follows = c.unchangedLines(ch)
		}
		if (ch.Op == Removed || ch.Op == Added) && ch.Class != Condition && len(ch.Arch) > 0 {
			ch.follows = c.stays(ch)
		}
		if ch.Cause == "" && c.opt.Cause != nil && !ch.follows && ch.OldLine+ch.NewLine > 0 {
			ch.Cause = c.cause(ch)
		}
	}
	for i := range list {
		switch {
		case list[i].Cause != "":
		case list[i].follows:
			list[i].Cause = c.leader(&list[i])
			list[i].follows = list[i].Cause != "" || list[i].Op == Changed
		case list[i].applies:
			k := slices.IndexFunc(list, func(s Change) bool { return s.Class == Section && strings.HasPrefix(s.What, "%prep") })
			if k >= 0 {
				list[i].Cause = list[k].Cause
			}
		}
		list[i].Old, list[i].New = bounded(list[i].Old), bounded(list[i].New)
	}
}

// stays reports whether the line of something that came or went is there on
// both sides, so that another line decides about it.
func (c *comparison) stays(ch *Change) bool {
	if ch.Op == Removed {
		return ch.OldLine > 0 && ch.OldLine <= len(c.old.lines) && c.alignment().toNew[ch.OldLine-1] >= 0
	}
	return ch.NewLine > 0 && ch.NewLine <= len(c.new.lines) && c.alignment().toOld[ch.NewLine-1] >= 0
}

// cause asks for the cause of a change, line by line until one has one.
func (c *comparison) cause(ch *Change) string {
	const limit = 200
	if ch.NewLine > 0 {
		for l := ch.NewLine; l <= max(ch.NewLine, min(ch.newEnd, ch.NewLine+limit)); l++ {
			if s := c.opt.Cause(0, l); s != "" {
				return s
			}
		}
	}
	if ch.OldLine > 0 {
		for l := ch.OldLine; l <= max(ch.OldLine, min(ch.oldEnd, ch.OldLine+limit)); l++ {
			if s := c.opt.Cause(l, 0); s != "" {
				return s
			}
		}
	}
	return ""
}

// maxText bounds the text of one side of a change in bytes.
const maxText = 4000

// bounded cuts a text that no reader would look at to its end.
func bounded(p *string) *string {
	if p == nil || len(*p) <= maxText {
		return p
	}
	s := cutText(*p, maxText)
	return &s
}
