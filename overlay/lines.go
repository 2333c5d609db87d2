package overlay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// prependLines puts lines below the header of every matching section. All
// places are found before the first insertion, so that a line that is itself
// a matching header is no new place.
func (r *run) prependLines() *diag.Diagnostic {
	return r.putLines(0, (*spec.Section).Body)
}

// appendLines puts lines behind the last line of every matching section,
// which is right before the next header.
func (r *run) appendLines() *diag.Diagnostic {
	return r.putLines(r.spec.Len(), func(s *spec.Section) int { return s.End })
}

func (r *run) putLines(whole int, place func(*spec.Section) int) *diag.Diagnostic {
	if r.op.Section == "" {
		r.spec.InsertBefore(whole, r.origin, r.op.Lines...)
		r.rep.Places = 1
		return nil
	}
	at, d := r.namedSections()
	if d != nil {
		return d
	}
	r.spec.InsertAt(r.placesIn(at, place), r.origin, r.op.Lines...)
	r.rep.Places = len(at)
	return nil
}

// placesIn returns a place in each of the sections.
func (r *run) placesIn(at []int, place func(*spec.Section) int) []int {
	lines := make([]int, len(at))
	for i, s := range at {
		lines[i] = place(&r.spec.Sections()[s])
	}
	return lines
}

// ends returns the places behind the last lines of the sections.
func (r *run) ends(at []int) []int {
	return r.placesIn(at, func(s *spec.Section) int { return s.End })
}

// sections returns the indices of the sections that fit.
func (r *run) sections(fits func(*spec.Section) bool) []int {
	var at []int
	for i := range r.spec.Sections() {
		if fits(&r.spec.Sections()[i]) {
			at = append(at, i)
		}
	}
	return at
}

// namedSections returns the sections that the operation names, in the
// branches it asks for; an error when there is none.
func (r *run) namedSections() ([]int, *diag.Diagnostic) {
	if r.op.Section == PreambleSection {
		return []int{0}, nil
	}
	all := r.spec.Sections()
	at := r.sections(func(s *spec.Section) bool {
		return s.Name == r.op.Section && s.Package == r.op.Package
	})
	if len(at) == 0 {
		return nil, r.noSection("section", r.op.Section, r.op.Package)
	}
	lines := make([]int, len(at))
	for i, s := range at {
		lines[i] = all[s].Start
	}
	lines, d := r.inBranch(lines)
	if d != nil {
		return nil, d
	}
	return slices.DeleteFunc(at, func(s int) bool { return !contains(lines, all[s].Start) }), nil
}

// inBranch keeps the lines in the conditional branch that the operation asks
// for. Lines with the same innermost branch form a group; groups count from 1
// in the order of their first lines.
func (r *run) inBranch(lines []int) ([]int, *diag.Diagnostic) {
	if r.op.Branch == "" || r.op.Branch == "all" || len(lines) == 0 {
		return lines, nil
	}
	type branch struct{ cond, n int }
	shapes := r.spec.Structure().Lines
	seen := map[branch]int{}
	groups := make([][]int, 0, 4)
	for _, i := range lines {
		b := branch{shapes[i].Cond, shapes[i].Branch}
		n, ok := seen[b]
		if !ok {
			n = len(seen)
			seen[b], groups = n, append(groups, nil)
		}
		groups[n] = append(groups[n], i)
	}
	want := 1
	if r.op.Branch != "first" {
		want, _ = strconv.Atoi(r.op.Branch)
	}
	if want > len(groups) {
		d := r.fail("branch", "overlay/branch", "branch %d is asked for, but what matches lies in %d %s", want, len(groups), plural(len(groups), "branch", "branches"))
		for _, g := range groups[:min(len(groups), 5)] {
			d.Related = append(d.Related, diag.Related{Pos: r.spec.Pos(g[0]), Message: quoteLine(r.spec.Line(g[0]).Text)})
		}
		return nil, d
	}
	return groups[want-1], nil
}

// noSection says that a section is missing, and which one was meant.
func (r *run) noSection(key, name, pkg string) *diag.Diagnostic {
	what := fmt.Sprintf("section %q", name)
	if pkg != "" {
		what += fmt.Sprintf(" of package %q", pkg)
	}
	if r.op.Type == RemoveSubpackage {
		what = fmt.Sprintf("sub-package %q", pkg)
	}
	d := r.fail(key, "overlay/no-section", "no %s in the spec", what)

	all := r.spec.Sections()[1:]
	var names, pkgs []string
	for i := range all {
		s := &all[i]
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
		if (s.Name == name || r.op.Type == RemoveSubpackage) && s.Package != "" && !slices.Contains(pkgs, s.Package) {
			pkgs = append(pkgs, s.Package)
		}
		if s.Name == name && len(d.Related) < 5 {
			d.Related = append(d.Related, diag.Related{Pos: r.spec.Pos(s.Start), Message: quoteLine(r.spec.Line(s.Start).Text)})
		}
	}
	switch {
	case slices.Contains(names, name) && pkg == "":
		d.Hint = fmt.Sprintf("the spec has it for other packages only: add package = %q", append(pkgs, "")[0])
	case r.op.Type == RemoveSubpackage || slices.Contains(names, name):
		d.Pos = r.op.At("package")
		d.Hint = "packages are compared with the text of the section header; macros are not expanded"
		if n := nearestPackage(pkg, r.tree.Name, pkgs); n != "" {
			d.Hint = fmt.Sprintf("did you mean package = %q?", n)
		}
	default:
		if n := diag.Nearest(name, names); n != "" {
			d.Hint = fmt.Sprintf("did you mean %q?", n)
		} else if name != "" && name[0] != '%' && slices.Contains(names, "%"+name) {
			d.Hint = fmt.Sprintf("section names have a percent sign: %q", "%"+name)
		} else if len(names) > 0 {
			d.Hint = "the sections are " + strings.Join(names[:min(len(names), 12)], ", ")
		}
	}
	return d
}

// nearestPackage guesses which package was meant: foo-devel for the header
// "%package devel" of component foo, libfoo for "%package -n lib%{name}", or
// the nearest spelling.
func nearestPackage(pkg, component string, pkgs []string) string {
	name := strings.NewReplacer("%{name}", component, "%name", component)
	for _, p := range pkgs {
		full := name.Replace(p)
		if want := name.Replace(pkg); want == full || want == component+"-"+full || component+"-"+pkg == full {
			return p
		}
	}
	return diag.Nearest(pkg, pkgs)
}

// contains reports whether a sorted list has a line.
func contains(lines []int, line int) bool {
	_, ok := slices.BinarySearch(lines, line)
	return ok
}
