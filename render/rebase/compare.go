package rebase

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// A Verdict says what becomes of an overlay on a new upstream.
type Verdict string

// The verdicts.
const (
	Clean    Verdict = "clean"    // same lines, same effect
	Moved    Verdict = "moved"    // same effect at a changed place or around changed text
	Landed   Verdict = "landed"   // upstream has the effect now
	Widened  Verdict = "widened"  // changes more places than before
	Narrowed Verdict = "narrowed" // changes fewer places than before
	Obsolete Verdict = "obsolete" // what it removes or changes is gone, and nothing of its intent is left
	Broken   Verdict = "broken"   // does not apply
)

// Verdicts lists the verdicts, the most important first.
var Verdicts = []Verdict{Broken, Widened, Narrowed, Obsolete, Landed, Moved, Clean}

// NeedsPerson reports whether somebody has to look before the new upstream can
// be taken.
func (v Verdict) NeedsPerson() bool { return v != Clean && v != Moved }

// A Place is a line, or a file, that a verdict is about.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"` // from 1; 0 for a whole file
	Text string `json:"text,omitempty"`
	// Side is "new" for the new upstream and "old" for the one before.
	Side string `json:"side"`
	// Change is "same", "added" for a place that the overlay did not change
	// before, "gone" for one that it no longer changes, "landed" for one where
	// upstream has the effect, and "candidate" for the nearest thing to what
	// the overlay looks for.
	Change string `json:"change"`
}

// A ThreeWay shows an overlay that does not apply: its place in the old
// upstream, what it made of it, and the same place in the new upstream.
type ThreeWay struct {
	Old      []string `json:"old"`
	Rendered []string `json:"rendered"`
	New      []string `json:"new"`
}

// An Overlay is the verdict on one overlay.
type Overlay struct {
	Index    int
	Op       *overlay.Op
	Verdict  Verdict
	Reason   string
	Places   []Place
	ThreeWay *ThreeWay // for what is broken
	// Proposed says that Proposal is one: the operations that take the place
	// of the overlay, none for one to be dropped. They have been applied to
	// the new upstream.
	Proposed bool
	Proposal []overlay.Op
	// Others are other proposals of the same worth, for a person to choose.
	Others [][]overlay.Op
}

// Options say how to compare.
type Options struct {
	Source overlay.Source // opens `source` files
	// PatchIDs are the identities of patches in the history of the packaging
	// between old and new, with a word on where.
	PatchIDs func() map[string]string
	// Sources gives the archives to hold patches against; nil: they are not
	// checked.
	Sources func(t *overlay.Tree) (*SourceTree, error)
	// Same reports whether two packagings mean the same; nil leaves the
	// comparison to the text.
	Same func(a, b *overlay.Tree) bool
}

// A Comparison is the verdict on all overlays of a component.
type Comparison struct {
	Overlays []Overlay
	// Tree is the new upstream as the overlays with their proposals leave it.
	Tree *overlay.Tree
}

// Worst returns the most important verdict, Clean when there is none.
func (c *Comparison) Worst() Verdict {
	for _, v := range Verdicts {
		if slices.ContainsFunc(c.Overlays, func(o Overlay) bool { return o.Verdict == v }) {
			return v
		}
	}
	return Clean
}

// settled reports whether there is a proposal for each overlay that a person has to
// look at.
func (c *Comparison) settled() bool {
	return !slices.ContainsFunc(c.Overlays, func(o Overlay) bool { return o.Verdict.NeedsPerson() && !o.Proposed })
}

// Compare applies overlays to the upstream that they were made for and to a new
// one, each behind those before it, and says what becomes of each. Neither tree
// is changed. It is an error when the overlays do not fit the old upstream.
func Compare(old, new *overlay.Tree, ops []overlay.Op, opt Options) (*Comparison, error) {
	c := &comparison{a: clone(old), b: clone(new), opt: opt}
	res := &Comparison{}
	for i := range ops {
		o, err := c.one(i, &ops[i])
		if err != nil {
			return nil, err
		}
		res.Overlays = append(res.Overlays, *o)
	}
	res.Tree = c.b
	return res, nil
}

// A comparison is one call of Compare: both trees as the overlays so far leave
// them.
type comparison struct {
	a, b *overlay.Tree
	opt  Options
}

func clone(t *overlay.Tree) *overlay.Tree {
	c := &overlay.Tree{Name: t.Name, Spec: t.Spec.Clone(), Files: maps.Clone(t.Files)}
	if c.Files == nil {
		c.Files = map[string]*overlay.File{}
	}
	return c
}

// one compares one overlay and goes on behind it.
func (c *comparison) one(index int, op *overlay.Op) (*Overlay, error) {
	o := &Overlay{Index: index, Op: op, Places: []Place{}}
	if op.Archive != "" {
		c.archive(o)
		return o, nil
	}
	x, err := c.exchange(op)
	if err != nil {
		return nil, err
	}
	switch op.Type {
	case overlay.FileAdd, overlay.FileRemove, overlay.FileRename, overlay.FilePrependLines, overlay.FileSearchReplace:
		x.file(o)
	case overlay.PatchAdd:
		x.patchAdd(o)
	case overlay.PatchRemove:
		x.patchRemove(o)
	default:
		x.spec(o)
	}
	x.propose(o)
	c.a = x.a2
	c.b = x.next(o)
	return o, nil
}

// An exchange is one overlay at work on both trees.
type exchange struct {
	*comparison
	op       *overlay.Op
	a1, a2   *overlay.Tree // before and after, on the old upstream
	b1, b2   *overlay.Tree // the same on the new one; b2 is nil where it does not apply
	repA     overlay.OpReport
	repB     overlay.OpReport
	problem  *diag.Diagnostic // why it does not apply
	old, new []string         // lines of the specs of a1 and b1
	hunks    []absorb.Hunk    // where they differ
	ea, eb   []effect
	wanted   *overlay.Tree // b1 with the effect that is wanted, where it can be told
	variants []overlay.Op  // the overlay in other words, to be tried as proposals
}

// exchange applies the overlay to both trees.
func (c *comparison) exchange(op *overlay.Op) (*exchange, error) {
	x := &exchange{comparison: c, op: op, a1: c.a, b1: c.b, a2: clone(c.a)}
	rep, list := overlay.Apply(x.a2, []overlay.Op{*op}, overlay.Options{Source: c.opt.Source})
	if rep.Failed >= 0 || len(rep.Applied) == 0 {
		for i := range list {
			if list[i].Severity == diag.Error {
				list[i].Related = append(list[i].Related, diag.Related{Pos: c.a.Spec.Pos(0), Message: "in the upstream that the overlay was made for"})
			}
		}
		return nil, list.Err()
	}
	x.repA = rep.Applied[0]
	free := *op
	free.Expect = nil
	x.b2 = clone(c.b)
	rep, list = overlay.Apply(x.b2, []overlay.Op{free}, overlay.Options{Source: c.opt.Source})
	if rep.Failed >= 0 || len(rep.Applied) == 0 {
		x.b2 = nil
		for i := range list {
			if list[i].Severity == diag.Error {
				x.problem = &list[i]
			}
		}
		if x.problem != nil && x.problem.Env {
			return nil, x.problem
		}
	} else {
		x.repB = rep.Applied[0]
	}
	x.old, x.new = linesOf(x.a1.Spec), linesOf(x.b1.Spec)
	x.hunks = absorb.Lines(x.old, x.new)
	x.ea = divided(effects(x.a2.Spec), op.Type, x.a1.Spec)
	if x.b2 != nil {
		x.eb = divided(effects(x.b2.Spec), op.Type, x.b1.Spec)
	}
	return x, nil
}

// next returns the new upstream behind the overlay.
func (x *exchange) next(o *Overlay) *overlay.Tree {
	if o.Proposed {
		if len(o.Proposal) == 0 {
			return x.b1
		}
		t := clone(x.b1)
		if rep, _ := overlay.Apply(t, o.Proposal, overlay.Options{Source: x.opt.Source}); rep.Failed < 0 {
			return settle(t)
		}
	}
	if x.b2 != nil && o.Verdict != Landed {
		return settle(x.b2)
	}
	return x.b1
}

// settle forgets the log, so that the next overlay's edits stand alone.
func settle(t *overlay.Tree) *overlay.Tree {
	t.Spec = t.Spec.Clone()
	return t
}

// archive judges an overlay that works inside an archive, which can only be
// told from the name of the archive.
func (c *comparison) archive(o *Overlay) {
	before, was := sourceLine(c.a, o.Op.Archive)
	after, is := sourceLine(c.b, o.Op.Archive)
	switch {
	case is && was && before == after, is && !was:
		o.Verdict, o.Reason = Clean, "the archive is the same"
		if !was {
			o.Verdict, o.Reason = Moved, "the archive is not in the old sources file; not checked"
		}
	case is:
		o.Verdict, o.Reason = Moved, "the archive has the same name and another content; not checked inside"
	default:
		o.Verdict, o.Reason = Broken, fmt.Sprintf("upstream's sources file no longer names the archive %s; not checked", o.Op.Archive)
	}
	o.Places = append(o.Places, Place{File: "sources", Text: after, Side: "new", Change: "same"})
}

// sourceLine returns the line of the sources file that names an archive.
func sourceLine(t *overlay.Tree, name string) (string, bool) {
	f := t.Files["sources"]
	if f == nil {
		return "", false
	}
	data, err := f.Bytes()
	if err != nil {
		return "", false
	}
	s := spec.Parse("sources", data)
	for i := range s.Len() {
		if text := s.Line(i).Text; containsWord(text, name) {
			return text, true
		}
	}
	return "", false
}

// specPlace is a place in the spec of the new or the old upstream.
func (x *exchange) specPlace(side, change string, line int) Place {
	f := x.b1.Spec
	if side == "old" {
		f = x.a1.Spec
	}
	p := Place{File: path.Base(f.Name()), Side: side, Change: change}
	if f.Len() > 0 {
		line = min(max(line, 0), f.Len()-1)
		p.Line, p.Text = f.Pos(line).Line, f.Line(line).Text
	}
	return p
}
