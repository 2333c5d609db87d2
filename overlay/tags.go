package overlay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// addTag puts the tag at the end of the preamble or of the %package section,
// behind blank lines, comments and conditionals there.
func (r *run) addTag() *diag.Diagnostic {
	return r.appendTag(r.op.Tag, r.op.Value)
}

func (r *run) appendTag(tag, value string) *diag.Diagnostic {
	name := ""
	if r.op.Package != "" {
		name = "%package"
	}
	at := r.sections(func(s *spec.Section) bool { return s.Name == name && s.Package == r.op.Package })
	if len(at) == 0 {
		return r.noSection("package", name, r.op.Package)
	}
	r.spec.InsertAt(r.ends(at), r.origin, tag+": "+value)
	r.rep.Places += len(at)
	return nil
}

// insertTag puts the tag behind the last one of its family, or the last tag
// at all, and moves it out of a conditional within the section.
func (r *run) insertTag() *diag.Diagnostic {
	family := tagFamily(r.op.Tag)
	var last, kin spec.Tag
	last.Line, kin.Line = -1, -1
	for t := range r.packageTags() {
		last = t
		if equalLower(strings.TrimRight(t.Name, digits), family) {
			kin = t
		}
	}
	if kin.Line < 0 {
		kin = last
	}
	if kin.Line < 0 {
		return r.appendTag(r.op.Tag, r.op.Value)
	}
	r.spec.InsertAfter(r.outside(kin), r.origin, r.insertedTag()+": "+r.op.Value)
	r.rep.Places = 1
	return nil
}

// insertedTag returns the name of the tag to insert. The renderer's own source
// is of no particular number.
func (r *run) insertedTag() string {
	family, digits, ok := listedTag(r.op.Tag)
	n, err := strconv.Atoi(digits)
	if r.op.Step == "" || !ok || err != nil {
		return r.op.Tag
	}
	return title(family) + strconv.Itoa(r.free(family, n))
}

// outside returns the line to insert behind: that of the tag, or when it lies
// in a conditional the one that closes it, if that is in the same section.
// The depth counts %if and %endif words from the top of the file.
func (r *run) outside(t spec.Tag) int {
	depth := 0
	for i, end := 0, r.spec.Sections()[t.Section].End; i < end; i++ {
		switch r.spec.Line(i).Cond() {
		case spec.CondOpen:
			depth++
		case spec.CondClose:
			depth--
		}
		if i >= t.Line && depth <= 0 {
			return i
		}
	}
	return t.Line
}

func (r *run) setTag() *diag.Diagnostic {
	lines, d := r.presentTags()
	if d != nil {
		return d
	}
	if len(lines) == 0 {
		return r.addTag()
	}
	return r.rewriteTags(lines)
}

// presentTags returns the lines of the tag, or else those without a number that have
// its number to rpm, which would refuse a second one of it.
func (r *run) presentTags() ([]int, *diag.Diagnostic) {
	lines, d := r.pickTags(nil)
	if d == nil && len(lines) == 0 {
		lines = r.bareTags(nil)
	}
	return lines, d
}

func (r *run) updateTag() *diag.Diagnostic {
	lines, d := r.presentTags()
	if d != nil {
		return d
	}
	if len(lines) == 0 {
		d := r.noTag()
		if d.Hint != "" {
			d.Hint += " "
		}
		d.Hint += "spec-set-tag adds the tag when it is missing"
		return d
	}
	return r.rewriteTags(lines)
}

// rewriteTags replaces whole lines: indentation and alignment go. A tag
// without number stays one, so that those below keep theirs.
func (r *run) rewriteTags(lines []int) *diag.Diagnostic {
	for _, i := range lines {
		name := r.op.Tag
		if was, _, _ := r.spec.Line(i).Tag(); !equalLower(was, name) {
			name = was
		}
		r.spec.Replace(i, r.origin, name+": "+r.op.Value)
	}
	r.rep.Places = len(lines)
	return nil
}

func (r *run) removeTag() *diag.Diagnostic {
	want := strings.TrimSpace(r.op.Value)
	fits := func(value string) bool { return r.op.Value == "" || equalLower(value, want) }
	lines, d := r.pickTags(fits)
	if d != nil {
		return d
	}
	if len(lines) == 0 {
		lines = r.bareTags(fits)
	}
	if len(lines) == 0 {
		return r.noTag()
	}
	r.spec.DeleteLines(lines, r.origin)
	r.rep.Places = len(lines)
	return nil
}

// packageTags yields the tags of the operation's package.
func (r *run) packageTags() func(func(spec.Tag) bool) {
	return func(yield func(spec.Tag) bool) {
		for t := range r.spec.Tags() {
			if r.spec.Sections()[t.Section].Package == r.op.Package && !yield(t) {
				return
			}
		}
	}
}

// pickTags returns the lines of the tags with the operation's name whose
// value fits, in the branches it asks for.
func (r *run) pickTags(fits func(value string) bool) ([]int, *diag.Diagnostic) {
	var lines []int
	for t := range r.packageTags() {
		if equalLower(t.Name, r.op.Tag) && (fits == nil || fits(t.Value)) {
			lines = append(lines, t.Line)
		}
	}
	return r.inBranch(lines)
}

// noTag says that the tag is missing, and what is there instead.
func (r *run) noTag() *diag.Diagnostic {
	where, start := "the preamble", 0
	if r.op.Package != "" {
		at := r.sections(func(s *spec.Section) bool { return s.Kind == spec.PackageSection && s.Package == r.op.Package })
		if len(at) == 0 {
			return r.noSection("package", "%package", r.op.Package)
		}
		where, start = fmt.Sprintf("package %q", r.op.Package), r.spec.Sections()[at[0]].Start
	}
	d := r.fail("tag", "overlay/no-match", "no tag %q in %s", r.op.Tag, where)
	if r.op.Type == RemoveTag && r.op.Value != "" {
		d.Message = fmt.Sprintf("%s: no tag %q with value %q in %s", r.op.Name(), r.op.Tag, r.op.Value, where)
	}
	var names, same []string
	for t := range r.packageTags() {
		if !equalLower(t.Name, r.op.Tag) {
			names = append(names, t.Name)
			continue
		}
		same = append(same, t.Value)
		if len(d.Related) < 5 {
			d.Related = append(d.Related, diag.Related{Pos: r.spec.Pos(t.Line), Message: quoteLine(r.spec.Line(t.Line).Text)})
		}
	}
	if len(same) > 0 {
		d.Pos = r.op.At("value")
		if d.Hint = r.oneOfSeveral(); d.Hint != "" {
			return d
		}
		if v := diag.Nearest(r.op.Value, same); v != "" {
			d.Hint = fmt.Sprintf("the nearest value is %q", v)
		}
		return d
	}
	if r.op.Package != "" {
		d.Related = append(d.Related, diag.Related{Pos: r.spec.Pos(start), Message: where + " starts here"})
	}
	if n := diag.Nearest(r.op.Tag, names); n != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", n)
	}
	if family, number, ok := listedTag(r.op.Tag); ok && number != "" {
		r.bareNumbers(family, d)
	}
	return d
}

// bareNumbers says which numbers the sources or patches without one have.
func (r *run) bareNumbers(family string, d *diag.Diagnostic) {
	list := entries(r.spec, r.tree.Files)
	for i := range list {
		if e := &list[i]; e.family == family && e.bare && !e.included() && len(d.Related) < 5 {
			d.Related = append(d.Related, diag.Related{Pos: r.spec.Pos(e.line), Message: fmt.Sprintf("it is number %d to rpm: %s", e.number, quoteLine(r.spec.Line(e.line).Text))})
			d.Hint = fmt.Sprintf("a %s without number has the one after the last above it, the first one 0, as the overlays so far have left them", family)
		}
	}
}

// oneOfSeveral says how to take one dependency out of a line that has several. A
// name stands for the dependency on it, whatever the version.
func (r *run) oneOfSeveral() string {
	want := strings.TrimSpace(r.op.Value)
	for t := range r.packageTags() {
		if !equalLower(t.Name, r.op.Tag) || !dependencyTag(t.Name) {
			continue
		}
		list := splitDependencies(t.Value)
		k := slices.IndexFunc(list, func(d string) bool { return strings.EqualFold(d, want) })
		if k < 0 {
			k = slices.IndexFunc(list, func(d string) bool { return strings.EqualFold(strings.Fields(d)[0], want) })
		}
		if k < 0 || len(list) < 2 {
			continue
		}
		line := r.spec.Line(t.Line).Text
		section := r.spec.Sections()[t.Section].Name
		if section == "" {
			section = PreambleSection
		}
		between := " "
		if strings.Contains(t.Value, ",") {
			between = ", "
		}
		rest := strings.TrimSuffix(strings.TrimRight(line, " \t\r"), t.Value) + strings.Join(slices.Delete(list, k, k+1), between)
		scope := fmt.Sprintf("section = %q, ", section)
		if r.op.Package != "" {
			scope += fmt.Sprintf("package = %q, ", r.op.Package)
		}
		return fmt.Sprintf("the line has several dependencies: use spec-search-replace with %sregex = %s, replacement = %q",
			scope, tomlRegex(line), rest)
	}
	return ""
}

// dependencyTag reports whether a tag, in any case, lists dependencies.
func dependencyTag(name string) bool { return slices.Contains(dependencyTags, strings.ToLower(name)) }

var dependencyTags = []string{
	"requires", "prereq", "provides", "conflicts", "obsoletes", "recommends", "suggests", "supplements", "enhances",
	"orderwithrequires", "buildrequires", "buildprereq", "buildconflicts",
}

// splitDependencies divides the value of a dependency tag as rpm does: at
// commas and blanks, but not around a comparison, inside of parentheses or of
// macros.
func splitDependencies(value string) []string {
	var words []string
	depth, start := 0, -1
	for i := 0; i <= len(value); i++ {
		if i < len(value) {
			switch value[i] {
			case '(', '{', '[':
				depth++
			case ')', '}', ']':
				depth--
			}
		}
		if i == len(value) || depth <= 0 && strings.IndexByte(" \t,", value[i]) >= 0 {
			if start >= 0 {
				words = append(words, value[start:i])
			}
			start = -1
		} else if start < 0 {
			start = i
		}
	}
	var list []string
	for i := 0; i < len(words); i++ {
		if strings.Trim(words[i], "<>=") == "" && len(list) > 0 && i+1 < len(words) {
			list[len(list)-1] += " " + words[i] + " " + words[i+1]
			i++
			continue
		}
		list = append(list, words[i])
	}
	return list
}

const digits = "0123456789"

// tagFamily is the tag without its number: Source for Source9999.
func tagFamily(tag string) string { return strings.TrimRight(tag, digits) }

// equalLower compares as the reference does, by strings.ToLower, which unlike
// strings.EqualFold keeps letters apart that share an upper case.
func equalLower(a, b string) bool {
	beyondASCII := func(r rune) bool { return r >= utf8.RuneSelf }
	if strings.IndexFunc(a, beyondASCII) < 0 && strings.IndexFunc(b, beyondASCII) < 0 {
		return strings.EqualFold(a, b)
	}
	low := strings.ToLower(a)
	return low == strings.ToLower(b)
}
