package overlay_test

import (
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"specgraft/overlay"
	"specgraft/overlay/spec"
)

// TestRemoveOneOfSeveral: spec-remove-tag with one dependency of a line leaves
// the spec alone and spells the overlay that takes the dependency out; that
// overlay does what it says.
func TestRemoveOneOfSeveral(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, line, value string
		want              string // the line after following the advice; empty when there is none
	}{
		{"the first", "BuildRequires:  meson, ninja-build", "meson", "BuildRequires:  ninja-build"},
		{"with its version", "Requires: sail >= 2.0, mast", "sail >= 2.0", "Requires: mast"},
		{"by the name alone", "Requires: mast sail>=2 sail-ng = 3", "sail-ng", "Requires: mast sail>=2"},
		{"in the middle, between blanks", "Recommends:\tmast sail keel", "sail", "Recommends:\tmast keel"},
		{"a rich one", "Requires: (oak or teak), rope%{?_isa} > 1", "(oak or teak)", "Requires: rope%{?_isa} > 1"},
		{"signs of expressions", "Requires: libstdc++, perl(Sail::Rig)", "perl(Sail::Rig)", "Requires: libstdc++"},
		{"not there", "Requires: mast, sails", "sail", ""},
		{"the only one", "Requires: sails", "sail", ""},
		{"no dependency", "Summary: mast and sail", "sail", ""},
	} {
		for _, pkg := range []string{"", "rig"} {
			in := "Name: x\n" + tt.line + "\n%description\nd\n"
			if pkg != "" {
				in = "Name: x\n%package rig\n" + tt.line + "\n%description rig\nd\n"
			}
			tag, _, _ := strings.Cut(tt.line, ":")
			tree := &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte(in))}
			op := overlay.Op{Type: overlay.RemoveTag, Tag: tag, Value: tt.value, Package: pkg}
			rep, problems := overlay.Apply(tree, []overlay.Op{op}, overlay.Options{})
			if rep.Failed != 0 || len(problems) != 1 || string(tree.Spec.Bytes()) != in {
				t.Errorf("%s: failed %d, %v:\n%s", tt.name, rep.Failed, problems, tree.Spec.Bytes())
				continue
			}
			_, advice, ok := strings.Cut(problems[0].Hint, "use spec-search-replace with ")
			if ok != (tt.want != "") {
				t.Errorf("%s: the hint is %q", tt.name, problems[0].Hint)
			}
			if !ok {
				continue
			}
			var next struct{ Section, Package, Regex, Replacement string }
			if err := toml.Unmarshal([]byte(strings.NewReplacer(", package =", "\npackage =", ", regex =", "\nregex =", ", replacement =", "\nreplacement =").Replace(advice)), &next); err != nil {
				t.Errorf("%s: %v in %s", tt.name, err, advice)
				continue
			}
			rep, problems = overlay.Apply(tree, []overlay.Op{{Type: overlay.SearchReplace, Section: next.Section, Package: next.Package, Regex: next.Regex, Replacement: next.Replacement}}, overlay.Options{})
			if want := strings.Replace(in, tt.line, tt.want, 1); rep.Failed >= 0 || string(tree.Spec.Bytes()) != want || next.Package != pkg {
				t.Errorf("%s: after following the advice %s: %v\n%s", tt.name, advice, problems, tree.Spec.Bytes())
			}
		}
	}
}
