package overlay

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// patchAdd lists the patch in %patchlist, or under a number above all others,
// and copies it. %prep is left alone: %autosetup and %autopatch find it.
func (r *run) patchAdd() *diag.Diagnostic {
	name := r.op.File
	if name == "" {
		name = path.Base(r.op.Source)
	}
	lists := r.sections(func(s *spec.Section) bool { return s.Name == "%patchlist" })
	r.spec.InsertAt(r.ends(lists), r.origin, name)
	if len(lists) == 0 {
		if d := r.appendTag(fmt.Sprintf("Patch%d", r.nextPatch()), name); d != nil {
			return d
		}
	}
	r.rep.Places = max(len(lists), r.rep.Places)
	return r.addFile(name)
}

// nextPatch returns the number behind the highest one in any package, where
// tags without number count from 0, or another one when that is in use.
func (r *run) nextPatch() int {
	top, bare := -1, 0
	for t := range r.spec.Tags() {
		number, ok := patchNumber(t.Name)
		if !ok {
			continue
		}
		if number == "" {
			bare++
		} else if n, err := strconv.Atoi(number); err == nil {
			top = max(top, n)
		}
	}
	return r.free("patch", max(top, bare-1)+1)
}

// patchNumber returns the digits of a Patch tag, none for a bare one, and
// whether the tag is one.
func patchNumber(tag string) (string, bool) {
	const name = "patch"
	if len(tag) < len(name) || !equalLower(tag[:len(name)], name) {
		return "", false
	}
	number := tag[len(name):]
	return number, strings.Trim(number, digits) == ""
}

// patchRemove removes numbered patch tags of any package and %patchlist lines
// whose text matches the glob, and then the files. Bare Patch tags stay beside
// numbered ones that match, as in the reference, and go where no other matches,
// where the reference fails.
func (r *run) patchRemove() *diag.Diagnostic {
	var lines, bare []int
	fits := func(value string) bool {
		ok, err := doublestar.Match(r.op.File, value)
		return ok && err == nil
	}
	for t := range r.spec.Tags() {
		switch number, ok := patchNumber(t.Name); {
		case !ok || !fits(t.Value):
		case number == "":
			bare = append(bare, t.Line)
		default:
			lines = append(lines, t.Line)
		}
	}
	for _, s := range r.spec.Sections() {
		if s.Name != "%patchlist" {
			continue
		}
		for i := s.Body(); i < s.End; i++ {
			if t := strings.TrimSpace(r.spec.Line(i).Text); t != "" && fits(t) {
				lines = append(lines, i)
			}
		}
	}
	if len(lines) == 0 {
		lines = bare
	}
	if len(lines) == 0 {
		return r.noPatch()
	}
	slices.Sort(lines) // tags and list lines may take turns in the file
	r.spec.DeleteLines(lines, r.origin)
	r.rep.Places = len(lines)
	files, d := r.matchFiles()
	if d != nil {
		if d.Code == "overlay/no-match" {
			d.Message = fmt.Sprintf("%s: the spec lists a patch that matches %q, but no file does", r.op.Name(), r.op.File)
			d.Hint = "a patch that is not among the component's files is taken out of the spec with spec-remove-tag"
		}
		return d
	}
	for _, p := range files {
		r.deleteFile(p)
	}
	return nil
}

// noPatch says that no patch matches, and which ones are there.
func (r *run) noPatch() *diag.Diagnostic {
	d := r.fail("file", "overlay/no-match", "no patch in the spec matches %q", r.op.File)
	for _, e := range entries(r.spec, r.tree.Files) {
		if ok, err := doublestar.Match(r.op.File, e.value); ok && err == nil && e.included() && e.family == "patch" {
			d.Related = append(d.Related, diag.Related{Pos: e.pos, Message: fmt.Sprintf("the list %s, which the spec includes, has it: %s", e.pos.Filename, quoteLine(e.value))})
			d.Hint = fmt.Sprintf("take the line out of the list with file-search-replace and file = %q, and the patch with file-remove", e.pos.Filename)
			return d
		}
	}
	var values []string
	for _, e := range entries(r.spec, r.tree.Files) {
		if e.family == "patch" {
			values = append(values, e.value)
			if path.Base(e.value) == path.Base(r.op.File) {
				d.Hint = fmt.Sprintf("the spec has %q: %q matches it and the file", e.value, "**/"+path.Base(r.op.File))
			}
		}
	}
	if n := diag.Nearest(r.op.File, values); n != "" && d.Hint == "" {
		d.Hint = fmt.Sprintf("did you mean %q?", n)
	}
	if len(values) == 0 {
		d.Hint = "the spec has no patches"
	}
	return d
}
