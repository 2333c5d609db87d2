package rebase

import (
	"bytes"
	"slices"

	"specgraft/overlay"
	"specgraft/overlay/absorb"
)

// want notes which text the new upstream is to have, given the effects that the
// overlay is to have there.
func (x *exchange) want(list []effect) {
	t := clone(x.b1)
	t.Spec = parseLines(x.b1.Spec.Name(), with(x.new, list))
	x.wanted = t
}

// narrow notes that the overlay is to change the same places as before, and
// tries to say so by its scope.
func (x *exchange) narrow(couples []couple, added []*effect) {
	var keep []effect
	for _, c := range couples {
		if len(x.ea) > 1 && len(x.ea) <= maxSingle && len(c.a.new) > 0 && x.contained([]effect{*c.a}) {
			continue
		}
		keep = append(keep, *c.b)
	}
	slices.SortStableFunc(keep, func(a, b effect) int { return a.at - b.at })
	if len(keep) == 0 {
		return
	}
	x.want(keep)
	if x.op.Type != overlay.SearchReplace {
		return
	}
	name, pkg := sectionOf(x.b1.Spec, keep[0].at, false)
	if x.op.Section == "" {
		op := *x.op
		if op.Section = name; name == "" {
			op.Section = overlay.PreambleSection
		}
		x.variants = append(x.variants, op)
		if pkg != "" {
			op.Package = pkg
			x.variants = append(x.variants, op)
		}
	} else if x.op.Package == "" && pkg != "" {
		op := *x.op
		op.Package = pkg
		x.variants = append(x.variants, op)
	}
}

// propose finds what takes the place of an overlay that is not clean.
func (x *exchange) propose(o *Overlay) {
	switch o.Verdict {
	case Clean:
		return
	case Landed, Obsolete:
		o.Proposed, o.Proposal = true, nil
		return
	case Moved, Narrowed:
		x.keep(o)
		return
	}
	if x.wanted == nil {
		return
	}
	for _, op := range x.variants {
		if places, ok := x.gives([]overlay.Op{op}, x.wanted); ok {
			op.ExpectPlaces(places)
			x.offer(o, []overlay.Op{op})
		}
	}
	found, err := absorb.Search(x.b1, x.wanted, absorb.Options{})
	if err != nil || found.Problems.HasErrors() || len(found.Steps) == 0 || len(found.Steps) > 6 {
		return
	}
	ops := found.Ops()
	for i := range ops {
		ops[i].Description, ops[i].Metadata, ops[i].Pos, ops[i].Layer = x.op.Description, x.op.Metadata, x.op.Pos, x.op.Layer
		if found.Steps[i].Kind == absorb.Block {
			return
		}
	}
	if _, ok := x.gives(ops, x.wanted); ok {
		x.offer(o, ops)
	}
}

// offer adds a proposal; the first is the best.
func (x *exchange) offer(o *Overlay, ops []overlay.Op) {
	if !o.Proposed {
		o.Proposed, o.Proposal = true, ops
		return
	}
	o.Others = append(o.Others, ops)
}

// keep proposes the overlay as it is with the number of places that it has now,
// or a typed one that does the same.
func (x *exchange) keep(o *Overlay) {
	if x.b2 == nil {
		return
	}
	op := *x.op
	op.ExpectPlaces(x.repB.Places)
	if x.op.Type == overlay.SearchReplace {
		if typed := absorb.Typed(x.b1, op); len(typed) == 1 {
			typed[0].ExpectPlaces(placesOf(x.b1, typed[0]))
			x.offer(o, typed)
		}
	}
	if op.Expect != nil && (x.op.Expect == nil || *x.op.Expect != *op.Expect) {
		x.offer(o, []overlay.Op{op})
	}
}

// placesOf counts the places of an operation on a tree.
func placesOf(t *overlay.Tree, op overlay.Op) int {
	op.Expect = nil
	rep, _ := overlay.Apply(clone(t), []overlay.Op{op}, overlay.Options{})
	if rep.Failed >= 0 || len(rep.Applied) == 0 {
		return 0
	}
	return rep.Applied[0].Places
}

// gives reports whether operations turn the new upstream into what is wanted,
// and the number of places of the first.
func (x *exchange) gives(ops []overlay.Op, want *overlay.Tree) (int, bool) {
	t := clone(x.b1)
	ops = slices.Clone(ops)
	if len(ops) == 1 {
		ops[0].Expect = nil
	}
	rep, list := overlay.Apply(t, ops, overlay.Options{Source: x.opt.Source})
	if rep.Failed >= 0 || list.HasErrors() || !bytes.Equal(t.Spec.Normalized(), want.Spec.Normalized()) {
		return 0, false
	}
	return rep.Applied[0].Places, true
}
