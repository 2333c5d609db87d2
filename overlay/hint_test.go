package overlay_test

import (
	"go/token"
	"strings"
	"testing"

	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// TestExplain holds what an author reads when an operation finds nothing.
func TestExplain(t *testing.T) {
	t.Parallel()
	in := `Name: x
Version: 1
VCS : git
Requires: foo
%package devel
Summary: headers
Requires: bar
%package -n libx
%Build
make all
%install
%make_install
install -m 0644 conf %{buildroot}%{_sysconfdir}/x.conf
%sepolicy
x
%files
%{_bindir}/x
%attr(0755,root,root) %{_libexecdir}/x/a/rather/long/path/that/leads/nowhere/helper.bin %dir
`
	for _, tt := range []struct {
		name string
		ops  []overlay.Op
		want []string // lines that related places and the hint contain
	}{
		{"removed earlier", []overlay.Op{
			{Type: overlay.RemoveTag, Tag: "Requires"}, {Type: overlay.UpdateTag, Tag: "Requires", Value: "y"},
		}, []string{"x.toml:1:1: an earlier overlay (spec-remove-tag) removed it: Requires: foo", "x.spec:4:1: it stood here upstream", "one of the two"}},
		{"changed earlier", []overlay.Op{
			{Type: overlay.SearchReplace, Regex: "make all", Replacement: "ninja"}, {Type: overlay.SearchReplace, Regex: "^make all", Replacement: "y"},
		}, []string{"x.toml:1:1: an earlier overlay (spec-search-replace) changed it: make all", "x.spec:10:1: it stood here upstream"}},
		{"number of a bare patch that moved", []overlay.Op{
			{Type: overlay.AddTag, Tag: "Patch", Value: "a"}, {Type: overlay.AddTag, Tag: "Patch", Value: "b"}, {Type: overlay.RemoveTag, Tag: "Patch", Value: "a"}, {Type: overlay.RemoveTag, Tag: "Patch1"},
		}, []string{"x.spec:4:1: it is number 0 to rpm: Patch: b", "as the overlays so far have left them"}},
		{"tag elsewhere", []overlay.Op{{Type: overlay.UpdateTag, Tag: "Summary", Value: "y"}},
			[]string{`x.spec:6:1: package "devel" has it: Summary: headers`, `set package = "devel"`}},
		{"tag in the preamble", []overlay.Op{{Type: overlay.UpdateTag, Tag: "Version", Value: "y", Package: "devel"}},
			[]string{`x.spec:2:1: the preamble has it: Version: 1`, `remove package = "devel"`}},
		{"tag only for rpm", []overlay.Op{{Type: overlay.UpdateTag, Tag: "VCS", Value: "y"}},
			[]string{"x.spec:3:1: rpm reads this as the tag", "spec-search-replace"}},
		{"section in another case", []overlay.Op{{Type: overlay.AppendLines, Section: "%build", Lines: []string{"y"}}},
			[]string{"x.spec:9:1: the header is spelt differently: %Build", `set section = "%Build"`}},
		{"section of rpm", []overlay.Op{{Type: overlay.AppendLines, Section: "%sepolicy", Lines: []string{"y"}}},
			[]string{"x.spec:14:1: line overlays do not know this section"}},
		{"removed section", []overlay.Op{{Type: overlay.RemoveSection, Section: "%files"}, {Type: overlay.PrependLines, Section: "%files", Lines: []string{"y"}}},
			[]string{"x.toml:1:1: an earlier overlay (spec-remove-section) removed it: %files"}},
		{"nearest line", []overlay.Op{{Type: overlay.SearchReplace, Section: "%install", Regex: `^install -m 0755 conf .*x\.conf$`, Replacement: "y"}},
			[]string{"x.spec:13:1: nearest line: install -m 0644 conf", "adapt the expression"}},
		{"nearest part of a long line", []overlay.Op{{Type: overlay.SearchReplace, Regex: `nowhere/helper\.sh`, Replacement: "y"}},
			[]string{"x.spec:18:1: nearest line: ...execdir}/x/a/rather/long/path/that/leads/nowhere/helper.bin ..."}},
		{"nearest line elsewhere", []overlay.Op{{Type: overlay.SearchReplace, Section: "%files", Regex: "make allx", Replacement: "y"}},
			[]string{"x.spec:10:1: nearest line: make all"}},
		{"matches elsewhere", []overlay.Op{{Type: overlay.SearchReplace, Section: "%files", Regex: "^make all", Replacement: "y"}},
			[]string{"x.spec:10:1: matches in %Build: make all", `set section = "%Build"`}},
		{"header", []overlay.Op{{Type: overlay.SearchReplace, Regex: "^%files$", Replacement: "y"}},
			[]string{"x.spec:16:1: matches, but section headers are never changed: %files"}},
		{"line break", []overlay.Op{{Type: overlay.SearchReplace, Regex: `zzzz\nyyyy`, Replacement: "y"}},
			[]string{"multiline = true"}},
		{"nothing like it", []overlay.Op{{Type: overlay.SearchReplace, Regex: `completely different`, Replacement: "y"}},
			[]string{"no line of the spec is like it: correct the expression, or remove the overlay if upstream has dropped the line"}},
		{"nearest line of a file", []overlay.Op{{Type: overlay.FileSearchReplace, File: "*.conf", Regex: `colour = red`, Replacement: "y"}},
			[]string{"x.conf:2:1: nearest line: color = red", "adapt the expression"}},
		{"nothing like it in a file", []overlay.Op{{Type: overlay.FileSearchReplace, File: "*.conf", Regex: `completely different`, Replacement: "y"}},
			[]string{"no line is like it: correct the expression"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for i := range tt.ops {
				tt.ops[i].Pos = token.Position{Filename: "x.toml", Line: i + 1, Column: 1}
			}
			files := map[string]*overlay.File{"x.conf": overlay.NewFile("x.conf", 0o644, []byte("[x]\ncolor = red\n"), nil)}
			_, list := overlay.Apply(&overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte(in)), Files: files}, tt.ops, overlay.Options{})
			if len(list) != 1 || list[0].Severity != diag.Error {
				t.Fatalf("got %v, want one error", list)
			}
			d := list[0]
			text := "hint: " + d.Hint
			for _, r := range d.Related {
				text += "\n" + diag.Position(r.Pos) + ": " + r.Message
			}
			for _, w := range tt.want {
				if !strings.Contains(text, w) {
					t.Errorf("%q is missing in\n%s\n%s", w, d.Error(), text)
				}
			}
		})
	}
}

// TestExplainTried holds that an overlay which stands in no file yet is not
// called outdated.
func TestExplainTried(t *testing.T) {
	t.Parallel()
	ops := []overlay.Op{{Type: overlay.SearchReplace, Regex: "completely different", Replacement: "y", Pos: token.Position{Filename: "command line"}}}
	_, list := overlay.Apply(&overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte("Name: x\n"))}, ops, overlay.Options{})
	if want := "no line of the spec is like it: correct the expression"; len(list) != 1 || list[0].Hint != want {
		t.Errorf("got %v, want the hint %q", list, want)
	}
}
