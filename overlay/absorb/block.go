package absorb

import (
	"slices"

	"specgraft/overlay"
	"specgraft/overlay/spec"
)

// minWhole is the number of lines from which a section that keeps none of its
// lines is replaced as a whole.
const minWhole = 8

// wholeSection replaces a section of which no line stays: it is removed and
// put in again.
func (s *search) wholeSection(h hunk) bool {
	f := s.tree.Spec
	n := f.SectionAt(h.oldStart)
	sec := &f.Sections()[n]
	if sec.Name == "" || h.oldStart < sec.Body() || h.oldEnd > sec.End || max(h.newEnd-h.newStart, h.oldEnd-h.oldStart) < minWhole {
		return false
	}
	for i := sec.Body(); i < sec.End; i++ {
		if (i < h.oldStart || i >= h.oldEnd) && s.old(i) != "" {
			return false
		}
	}
	return s.sections(n, n, Named)
}

// sections replaces the sections first to last by what the goal has in their
// place.
func (s *search) sections(first, last int, kind Kind) bool {
	f := s.tree.Spec
	all := f.Sections()
	if first == 0 {
		return false
	}
	from, ok1 := s.counterpart(all[first].Start)
	to, ok2 := s.counterpart(all[last].End)
	if !ok1 || !ok2 || from > to {
		return false
	}
	var ops []overlay.Op
	for i := first; i <= last; i++ {
		name, pkg := all[i].Name, all[i].Package
		for k := range all {
			if k > 0 && (k < first || k > last) && all[k].Name == name && all[k].Package == pkg {
				return false
			}
		}
		op := overlay.Op{Type: overlay.RemoveSection, Section: name, Package: pkg}
		if !slices.ContainsFunc(ops, func(o overlay.Op) bool { return sameOp(&o, &op) }) {
			ops = append(ops, op)
		}
	}
	if lines := s.texts(from, to); len(lines) > 0 {
		app := overlay.Op{Type: overlay.AppendLines, Lines: lines}
		if last < len(all)-1 {
			prev := &all[first-1]
			app.Section, app.Package = prev.Name, prev.Package
			if prev.Name == "" {
				app.Section = overlay.PreambleSection
			}
			if b := s.branch(first - 1); b != "" {
				app.Branch = b
			}
		}
		ops = append(ops, app)
	}
	return s.together(ops, kind)
}

// counterpart returns where the boundary before line i stands in the goal: the
// line itself must be in both.
func (s *search) counterpart(i int) (int, bool) {
	shift := 0
	for _, h := range s.hunks {
		switch {
		case h.oldStart > i:
			return i + shift, true
		case h.oldStart <= i && i < h.oldEnd:
			// Within a difference: its start is a boundary in both.
			if i == h.oldStart {
				return h.newStart, true
			}
			return 0, false
		case h.oldStart == h.oldEnd && h.oldStart == i && i == len(s.have):
			return len(s.want), true
		}
		shift = h.newEnd - h.oldEnd
	}
	return i + shift, true
}

// together takes several operations if they bring the text nearer to the goal
// when all are applied.
func (s *search) together(ops []overlay.Op, kind Kind) bool {
	var trials []*trial
	done := func() {
		for _, t := range slices.Backward(trials) {
			s.undo(t)
		}
		s.recount()
	}
	var steps []Step
	for _, op := range ops {
		if !s.writable(&op) {
			done()
			return false
		}
		t, ok := s.apply(op)
		if !ok {
			done()
			return false
		}
		trials = append(trials, t)
		step := Step{Op: op, Kind: kind, Places: t.places}
		s.show(&step, t)
		steps = append(steps, step)
	}
	hunks := compare(s.have, s.want)
	if distance(hunks) >= s.dist {
		done()
		return false
	}
	s.hunks, s.dist = hunks, distance(hunks)
	s.res.Steps = append(s.res.Steps, steps...)
	return true
}

// blocks replaces wholesale what is left.
func (s *search) blocks() {
	for range 200 {
		if s.dist == 0 {
			return
		}
		before := s.dist
		for _, h := range slices.Clone(s.hunks) {
			if s.dist < before {
				break // places have moved
			}
			s.block(h)
		}
		if s.dist == before {
			break
		}
		for s.pass() {
		}
	}
}

// block replaces one difference, or the sections that it touches.
func (s *search) block(h hunk) {
	before := len(s.res.Steps)
	for _, op := range s.rewriteAny(h) {
		if t, ok := s.take(op); ok {
			s.add(t, Block, nil)
			return
		}
	}
	f := s.tree.Spec
	first, last := f.SectionAt(h.oldStart), f.SectionAt(max(h.oldEnd-1, h.oldStart))
	if h.oldStart == len(s.have) {
		first, last = len(f.Sections())-1, len(f.Sections())-1
	}
	for ; first >= 0 && before == len(s.res.Steps); first-- {
		if s.sections(max(first, 0), last, Block) || last-first > 6 {
			return
		}
	}
}

// everything replaces the whole spec: text, headers, and all lines anew.
func (s *search) everything() {
	ops := []overlay.Op{{Type: overlay.SearchReplace, Regex: "(?s).+", Multiline: true}}
	seen := map[[2]string]bool{}
	for _, sec := range s.tree.Spec.Sections()[1:] {
		if k := [2]string{sec.Name, sec.Package}; !seen[k] {
			seen[k] = true
			ops = append(ops, overlay.Op{Type: overlay.RemoveSection, Section: sec.Name, Package: sec.Package})
		}
	}
	if !slices.ContainsFunc(s.tree.Spec.Sections(), func(c spec.Section) bool { return c.Body() < c.End }) {
		ops = ops[1:]
	}
	ops = append(ops, overlay.Op{Type: overlay.AppendLines, Lines: s.texts(0, len(s.want))})
	s.together(ops, Block)
}
