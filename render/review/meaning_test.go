package review_test

import (
	"maps"
	"os"
	"strings"
	"testing"

	"specgraft/overlay"
	"specgraft/overlay/spec"
	"specgraft/render/review"
	"specgraft/render/review/semantic"
)

// TestOverlayMeaning compares, for every component with overlays of a project,
// the spec before and after each overlay: the semantic diff names a change where
// the overlay wrote or removed lines, and nowhere else.
func TestOverlayMeaning(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SPECGRAFT_PROJECT")
	if dir == "" {
		t.Skip("NOT CHECKED: set SPECGRAFT_PROJECT to a project whose upstream is local")
	}
	r := open(t, dir)
	r.WithoutHistory = true
	one, all, named, silent, astray := 0, 0, 0, 0, 0
	for _, name := range r.Project.Names() {
		c, problems := r.Project.Component(name)
		if problems.HasErrors() || len(c.Overlays) == 0 {
			continue
		}
		v := review.Open(t.Context(), r, name)
		if v.Before.Spec == nil || v.Result.Failed() {
			continue
		}
		if len(c.Overlays) == 1 {
			one++
		}
		tree := &overlay.Tree{Name: v.Before.Name, Spec: v.Before.Spec.Clone(), Files: maps.Clone(v.Before.Files)}
		for i := range v.Result.Ops {
			op := v.Result.Ops[i]
			before := packaging(t, tree)
			old := tree.Spec.Clone()
			rep, list := overlay.Apply(tree, []overlay.Op{op}, overlay.Options{Source: func(path string) ([]byte, os.FileMode, error) {
				b, err := os.ReadFile(path)
				return b, 0o644, err
			}})
			if list.HasErrors() || rep.Failed >= 0 {
				break
			}
			if op.Step != "" || op.File != "" && op.Type != overlay.PatchAdd && op.Type != overlay.PatchRemove {
				continue
			}
			all++
			after := packaging(t, tree)
			if string(before.Spec) == string(after.Spec) {
				continue
			}
			d := semantic.Compare(before, after, semantic.Options{})
			gone, came := touched(old, tree.Spec)
			told := false
			for _, ch := range d.Changes {
				switch {
				case ch.Follows():
				case ch.OldLine == 0 && ch.NewLine == 0: // a file
					told = true
				case ch.Order != "" && old.Line(ch.OldLine-1).Text == tree.Spec.Line(ch.NewLine-1).Text: // a macro in it
				case ch.Class == semantic.Patch && ch.Op == semantic.Changed: // applied elsewhere
				case near(gone, ch.OldLine) || near(came, ch.NewLine):
					told = true
				default:
					astray++
					t.Logf("ASTRAY %s overlay %d (%s): %s %s %s %s", name, i, op.Type, ch.Class, ch.Op, ch.What, ch.Summary())
				}
			}
			if told {
				named++
			} else if why := sameMeaning[name]; why != "" && len(d.Changes) == 0 {
				t.Logf("%s overlay %d (%s) changes nothing: %s", name, i, op.Type, why)
			} else if len(d.Changes) > 0 || !onlyWords(old, tree.Spec) {
				silent++
				t.Logf("SILENT %s overlay %d (%s) %q: %d changes, noise %s", name, i, op.Type, op.Description, len(d.Changes), d.Noise)
			}
		}
	}
	t.Logf("%d components with one overlay; %d overlays of specs: %d named, %d silent, %d changes astray", one, all, named, silent, astray)
	if all == 0 || silent > 0 || astray > 0 {
		t.Errorf("of %d overlays %d are silent and %d changes astray", all, silent, astray)
	}
}

// sameMeaning has the components of the corpus with an overlay that means
// nothing under Fedora's macros, and why.
var sameMeaning = map[string]string{
	"libyang":           "%{_vpath_builddir} is redhat-linux-build there, what it replaces",
	"oneapi-level-zero": "%{_vpath_builddir} is redhat-linux-build there, what it replaces",
}

func packaging(t *testing.T, tree *overlay.Tree) semantic.Packaging {
	t.Helper()
	p := semantic.Packaging{Name: "x.spec", Spec: tree.Spec.Normalized(), Files: map[string]string{}}
	fsys := semantic.Tree{}
	for path, f := range tree.Files {
		fsys[path] = f.Bytes
		if b, err := f.Bytes(); err == nil {
			p.Files[path] = semantic.Digest(b)
		}
	}
	p.FS = fsys
	return p
}

// touched returns the lines that differ, by number, with their neighbours.
func touched(old, new *spec.File) (gone, came map[int]bool) {
	count := func(f *spec.File) map[string]int {
		m := map[string]int{}
		for i := range f.Len() {
			m[f.Line(i).Text]++
		}
		return m
	}
	a, b := count(old), count(new)
	lines := func(f *spec.File, other map[string]int) map[int]bool {
		out := map[int]bool{}
		for i := range f.Len() {
			if text := f.Line(i).Text; other[text] > 0 {
				other[text]--
			} else {
				out[i+1] = true
			}
		}
		return out
	}
	return lines(old, b), lines(new, a)
}

// near reports whether a line, or one close by that the same statement may
// reach over, is in the set.
func near(set map[int]bool, line int) bool {
	if line == 0 {
		return false
	}
	for d := 0; d <= 40; d++ {
		if set[line+d] || set[line-d] {
			return true
		}
	}
	return false
}

// onlyWords reports whether nothing differs but comments and white space.
func onlyWords(old, new *spec.File) bool {
	gone, came := touched(old, new)
	plain := func(f *spec.File, set map[int]bool) bool {
		for l := range set {
			if text := strings.TrimSpace(f.Line(l - 1).Text); text != "" && text[0] != '#' {
				return false
			}
		}
		return true
	}
	return plain(old, gone) && plain(new, came)
}
