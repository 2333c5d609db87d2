package absorb

import (
	"slices"
	"strings"
	"unicode/utf8"

	"specgraft/overlay"
	"specgraft/overlay/spec"
)

// place looks for operations on one place where the texts differ.
func (s *search) place(h hunk) {
	switch {
	case h.oldStart == h.oldEnd:
		s.insertion(h)
	case h.newStart == h.newEnd:
		s.deletion(h)
	default:
		s.replacement(h)
	}
}

func (s *search) old(i int) string { return s.tree.Spec.Line(i).Text }
func (s *search) new(i int) string { return s.goal.Spec.Line(i).Text }

// texts returns lines of the goal.
func (s *search) texts(from, to int) []string {
	lines := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		lines = append(lines, s.new(i))
	}
	return lines
}

// section returns the section of the working text that line i is in.
func (s *search) section(i int) *spec.Section {
	f := s.tree.Spec
	return &f.Sections()[f.SectionAt(min(i, max(f.Len()-1, 0)))]
}

// tagOf divides a line that a tag operation can write.
func tagOf(line string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(line, ": ")
	if !ok || name == "" || value == "" || strings.ContainsAny(name, " \t%#:") || !utf8.ValidString(line) || strings.TrimSpace(value) == "" {
		return "", "", false
	}
	return name, value, true
}

// maxSlide bounds how far a difference is moved over equal lines.
const maxSlide = 200

// slides returns the ways to see the same insertion: lines that are put in may
// also be taken for ones further up or down that read the same. The first is
// the place furthest down, as the next line of a list usually follows the last.
func (s *search) slides(h hunk) []hunk {
	up, down := h, h
	list := []hunk{h}
	if h.oldStart == h.oldEnd {
		for n := 0; n < maxSlide && up.oldStart > 0 && up.newStart > 0 && s.have[up.oldStart-1] == s.want[up.newEnd-1]; n++ {
			up = hunk{up.oldStart - 1, up.oldEnd - 1, up.newStart - 1, up.newEnd - 1}
			list = append(list, up)
		}
		for n := 0; n < maxSlide && down.oldEnd < len(s.have) && down.newEnd < len(s.want) && s.have[down.oldEnd] == s.want[down.newStart]; n++ {
			down = hunk{down.oldStart + 1, down.oldEnd + 1, down.newStart + 1, down.newEnd + 1}
			list = slices.Insert(list, 0, down)
		}
		return list
	}
	for n := 0; n < maxSlide && up.oldStart > 0 && up.newStart > 0 && s.have[up.oldStart-1] == s.have[up.oldEnd-1] && s.have[up.oldStart-1] == s.want[up.newStart-1]; n++ {
		up = hunk{up.oldStart - 1, up.oldEnd - 1, up.newStart - 1, up.newEnd - 1}
		list = append(list, up)
	}
	for n := 0; n < maxSlide && down.oldEnd < len(s.have) && down.newEnd < len(s.want) && s.have[down.oldEnd] == s.have[down.oldStart] && s.have[down.oldEnd] == s.want[down.newEnd]; n++ {
		down = hunk{down.oldStart + 1, down.oldEnd + 1, down.newStart + 1, down.newEnd + 1}
		list = slices.Insert(list, 0, down)
	}
	return list
}

// insertion looks for an operation that puts lines in.
func (s *search) insertion(h hunk) {
	slides := s.slides(h)
	var tags, edges, lines []overlay.Op
	for _, v := range slides {
		tags = append(tags, s.insertTags(v)...)
		edges = append(edges, s.atEdge(v)...)
	}
	if best := s.bestAnchor(slides); !s.opt.NamedOnly {
		for _, v := range best {
			lines = append(lines, s.rewrite(v)...)
		}
	}
	if h.newEnd-h.newStart > 4 {
		tags, edges = edges, tags
	}
	tags = append(s.listPatches(h), tags...)
	s.first(slices.Concat(tags, edges, lines))
}

// insertTags returns operations for the first of the lines that are put in,
// when all are tags.
func (s *search) insertTags(h hunk) []overlay.Op {
	sec := s.sectionOfGap(h.oldStart)
	if sec == nil || sec.Kind != spec.PackageSection {
		return nil
	}
	for i := h.newStart; i < h.newEnd; i++ {
		if _, _, ok := tagOf(s.new(i)); !ok {
			return nil
		}
	}
	name, value, _ := tagOf(s.new(h.newStart))
	var ops []overlay.Op
	if op, ok := s.patchFor(name, value); ok {
		ops = append(ops, op)
	}
	for _, t := range []overlay.Type{overlay.InsertTag, overlay.AddTag} {
		ops = append(ops, overlay.Op{Type: t, Tag: name, Value: value, Package: sec.Package})
	}
	return ops
}

// listPatches returns operations for new lines of %patchlist.
func (s *search) listPatches(h hunk) []overlay.Op {
	var ops []overlay.Op
	if sec := s.sectionOfGap(h.oldStart); sec != nil && sec.Kind == spec.ListSection {
		for i := h.newStart; i < h.newEnd; i++ {
			if op, ok := s.patchFor("", s.new(i)); ok {
				ops = append(ops, op)
			}
		}
	}
	return ops
}

// sectionOfGap returns the section that lines put in before line i would
// belong to: the one that ends there, if one does.
func (s *search) sectionOfGap(i int) *spec.Section {
	all := s.tree.Spec.Sections()
	for n := range all {
		if all[n].Body() <= i && i <= all[n].End {
			return &all[n]
		}
	}
	return nil
}

// atEdge returns operations that put lines at the beginning or the end of a
// section or of the file.
func (s *search) atEdge(h hunk) []overlay.Op {
	at, lines := h.oldStart, s.texts(h.newStart, h.newEnd)
	all := s.tree.Spec.Sections()
	var ops, late []overlay.Op
	for n := range all {
		sec := &all[n]
		name := sec.Name
		if name == "" {
			name = overlay.PreambleSection
		}
		pre := overlay.Op{Type: overlay.PrependLines, Section: name, Package: sec.Package, Lines: lines}
		app := overlay.Op{Type: overlay.AppendLines, Section: name, Package: sec.Package, Lines: lines}
		if sec.Body() == at && sec.Name != "" {
			ops = append(ops, pre)
		}
		if sec.End == at {
			ops = append(ops, app)
		}
		if sec.Body() != at && sec.End != at {
			continue
		}
		if b := s.branch(n); b != "" {
			pre.Branch, app.Branch = b, b
			if sec.Body() == at && sec.Name != "" {
				late = append(late, pre)
			}
			if sec.End == at {
				late = append(late, app)
			}
		}
	}
	if at == 0 {
		ops = append(ops, overlay.Op{Type: overlay.PrependLines, Lines: lines})
	}
	if at == len(s.have) {
		ops = append(ops, overlay.Op{Type: overlay.AppendLines, Lines: lines})
	}
	return append(ops, late...)
}

// branch returns which conditional branch names section n, where several
// sections have its name; empty when that does not tell them apart.
func (s *search) branch(n int) string {
	all := s.tree.Spec.Sections()
	shapes := s.tree.Spec.Structure().Lines
	type place struct{ cond, branch int }
	seen := map[place]int{}
	found, same := "", 0
	for i := range all {
		if i == 0 || all[i].Name != all[n].Name || all[i].Package != all[n].Package {
			continue
		}
		same++
		p := place{shapes[all[i].Start].Cond, shapes[all[i].Start].Branch}
		if _, ok := seen[p]; !ok {
			seen[p] = len(seen) + 1
		}
		if i == n {
			found = itoa(seen[p])
		}
	}
	if same < 2 {
		return ""
	}
	return found
}

// deletion looks for an operation that takes lines out.
func (s *search) deletion(h hunk) {
	slides := s.slides(h)
	var ops []overlay.Op
	for _, v := range slides {
		ops = append(ops, s.removeSections(v)...)
	}
	for _, v := range slides {
		ops = append(ops, s.removeTags(v)...)
	}
	for i := h.oldStart; i < h.oldEnd; i++ {
		if op, ok := s.patchGone(strings.TrimSpace(s.old(i))); ok && s.section(i).Kind == spec.ListSection {
			ops = append(ops, op)
		}
	}
	if !s.opt.NamedOnly {
		ops = append(ops, s.blank(h)...)
		for _, v := range s.bestAnchor(slides) {
			ops = append(ops, s.rewrite(v)...)
		}
	}
	s.first(ops)
}

// blank returns expressions that empty a line, for one that seems to be taken
// out beside a blank line that seems to be put in.
func (s *search) blank(h hunk) []overlay.Op {
	var ops []overlay.Op
	for i := h.oldStart; i < min(h.oldEnd, h.oldStart+4); i++ {
		sec := s.section(i)
		if i < sec.Body() || !utf8.ValidString(s.old(i)) {
			continue
		}
		if c := s.scopeOf(sec); s.times(c, s.have[i:i+1]) == 1 {
			regex, _ := linesRegex([]string{s.old(i)}, false)
			ops = append(ops, overlay.Op{Type: overlay.SearchReplace, Section: c.name, Package: c.pkg, Regex: regex})
		}
	}
	return ops
}

// removeSections returns operations that remove the sections whose headers are
// taken out.
func (s *search) removeSections(h hunk) []overlay.Op {
	var ops []overlay.Op
	seen := map[string]bool{}
	for i := h.oldStart; i < h.oldEnd; i++ {
		name, pkg, _, ok := s.tree.Spec.Line(i).Header()
		if !ok || seen[name+" "+pkg] {
			continue
		}
		seen[name+" "+pkg] = true
		if pkg != "" && !seen[" "+pkg] {
			seen[" "+pkg] = true
			ops = append(ops, overlay.Op{Type: overlay.RemoveSubpackage, Package: pkg})
		}
		ops = append(ops, overlay.Op{Type: overlay.RemoveSection, Section: name, Package: pkg})
	}
	return ops
}

// removeTags returns operations that remove the tags that are taken out.
func (s *search) removeTags(h hunk) []overlay.Op {
	var named, all []overlay.Op
	f := s.tree.Spec
	for i := h.oldStart; i < h.oldEnd && len(named) < 16; i++ {
		l := f.Line(i)
		name, value, ok := l.Tag()
		if !ok || l.Kind() != spec.TagLine {
			continue
		}
		if op, ok := s.patchGone(value); ok {
			all = append(all, op)
		}
		pkg := s.section(i).Package
		if s.tagLines(name, pkg) == 1 {
			all = append(all, overlay.Op{Type: overlay.RemoveTag, Tag: name, Package: pkg})
		}
		if value != "" {
			named = append(named, overlay.Op{Type: overlay.RemoveTag, Tag: name, Value: value, Package: pkg})
		}
		if s.tagLines(name, pkg) > 1 {
			all = append(all, overlay.Op{Type: overlay.RemoveTag, Tag: name, Package: pkg})
		}
	}
	// A list of tags keeps the others in sight by naming the one.
	if len(named) > 0 && multiple(named[0].Tag) {
		patches := slices.DeleteFunc(slices.Clone(all), func(op overlay.Op) bool { return op.Type != overlay.PatchRemove })
		tags := slices.DeleteFunc(all, func(op overlay.Op) bool { return op.Type == overlay.PatchRemove || s.tagLines(op.Tag, op.Package) == 1 })
		return slices.Concat(patches, tags, named)
	}
	return append(all, named...)
}

// multiple reports whether a package usually has several tags of the name.
func multiple(tag string) bool {
	tag, _, _ = strings.Cut(strings.ToLower(tag), "(")
	return slices.Contains([]string{"buildrequires", "requires", "provides", "obsoletes", "conflicts", "recommends", "suggests",
		"supplements", "enhances", "buildconflicts", "orderwithrequires"}, tag)
}

// tagLines counts the tags of a name in a package.
func (s *search) tagLines(name, pkg string) int {
	n := 0
	f := s.tree.Spec
	for t := range f.Tags() {
		if strings.EqualFold(t.Name, name) && f.Sections()[t.Section].Package == pkg {
			n++
		}
	}
	return n
}

// replacement looks for an operation that puts other lines in the place of
// lines.
func (s *search) replacement(h hunk) {
	if s.replaceTags(h) {
		return
	}
	if ops := s.removeSections(h); s.first(ops) {
		return
	}
	if s.wholeSection(h) {
		return
	}
	if h.oldEnd-h.oldStart > 1 || h.newEnd-h.newStart > 1 {
		// Tags that go and tags that come, one behind the other.
		if s.first(s.removeTags(h)) {
			return
		}
		if sec := s.sectionOfGap(h.oldEnd); sec != nil && sec.Kind == spec.PackageSection {
			var ops []overlay.Op
			for _, at := range []int{h.oldStart, h.oldEnd} {
				for i := h.newStart; i < h.newEnd; i++ {
					ops = append(ops, s.insertTags(hunk{at, at, i, i + 1})...)
				}
			}
			if s.first(ops) {
				return
			}
		}
	}
	if s.opt.NamedOnly {
		return
	}
	s.first(slices.Concat(s.substitute(h), s.rewrite(h)))
}

// replaceTags looks for a tag that gets another value.
func (s *search) replaceTags(h hunk) bool {
	f := s.tree.Spec
	var ops []overlay.Op
	for _, p := range s.pairs(h) {
		name, value, ok := tagOf(s.new(p[1]))
		oldName, _, was := f.Line(p[0]).Tag()
		if !ok || !was || f.Line(p[0]).Kind() != spec.TagLine || !strings.EqualFold(name, oldName) {
			continue
		}
		pkg := s.section(p[0]).Package
		for _, t := range []overlay.Type{overlay.UpdateTag, overlay.SetTag} {
			ops = append(ops, overlay.Op{Type: t, Tag: name, Value: value, Package: pkg})
		}
		if b := s.tagBranch(p[0], name, pkg); b != "" {
			ops = append(ops, overlay.Op{Type: overlay.UpdateTag, Tag: name, Value: value, Package: pkg, Branch: b})
		}
	}
	return s.first(ops)
}

// tagBranch returns which conditional branch tells the tag on a line from
// others of its name.
func (s *search) tagBranch(line int, name, pkg string) string {
	f := s.tree.Spec
	shapes := f.Structure().Lines
	type place struct{ cond, branch int }
	seen := map[place]int{}
	found, same := "", 0
	for t := range f.Tags() {
		if !strings.EqualFold(t.Name, name) || f.Sections()[t.Section].Package != pkg {
			continue
		}
		same++
		p := place{shapes[t.Line].Cond, shapes[t.Line].Branch}
		if _, ok := seen[p]; !ok {
			seen[p] = len(seen) + 1
		}
		if t.Line == line {
			found = itoa(seen[p])
		}
	}
	if same < 2 {
		return ""
	}
	return found
}

// pairs returns which old line became which new one.
func (s *search) pairs(h hunk) [][2]int {
	var list [][2]int
	n, m := h.oldEnd-h.oldStart, h.newEnd-h.newStart
	if n == m {
		for i := range n {
			list = append(list, [2]int{h.oldStart + i, h.newStart + i})
		}
		return list
	}
	const most = 60
	if n > most || m > most {
		return nil
	}
	next := h.newStart
	for i := h.oldStart; i < h.oldEnd; i++ {
		best, at := 0.5, -1
		for k := next; k < h.newEnd; k++ {
			if v := alike(s.old(i), s.new(k)); v > best {
				best, at = v, k
			}
		}
		if at >= 0 {
			list = append(list, [2]int{i, at})
			next = at + 1
		}
	}
	return list
}

// alike says how much of two lines is the same at their ends, from 0 to 1.
func alike(a, b string) float64 {
	if a == "" || b == "" {
		return 0
	}
	p := commonPrefix(a, b)
	q := commonSuffix(a[p:], b[p:])
	return float64(p+q) / float64(max(len(a), len(b)))
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(a) && !utf8.RuneStart(a[n]) {
		n--
	}
	return n
}

func commonSuffix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	for n > 0 && !utf8.RuneStart(a[len(a)-n]) {
		n--
	}
	return n
}
