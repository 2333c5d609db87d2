package overlay_test

import (
	"go/token"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// lint applies ops to a spec and returns the diagnostics.
func lint(t *testing.T, in string, ops []overlay.Op, levels map[string]overlay.Level) diag.List {
	t.Helper()
	for i := range ops {
		ops[i].Pos = token.Position{Filename: "x.toml", Line: i + 1, Column: 1}
		if ops[i].Type == overlay.PatchAdd {
			ops[i].Source = "/src/new.patch"
		}
	}
	tree := &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte(in))}
	rep, list := overlay.Apply(tree, ops, overlay.Options{Lint: true, Levels: levels, Source: func(string) ([]byte, fs.FileMode, error) {
		return []byte("--- a/src/x.c\n+++ b/src/x.c\n"), 0o644, nil
	}, Defined: func(name string) bool { return name == "theirs" },
		Lines: func(text string) int { return 1 + strings.Count(text, "%configure") }})
	if rep.Failed >= 0 {
		t.Fatalf("operation %d failed: %v", rep.Failed, list)
	}
	return list
}

// A lintCase says whether operations raise a code.
type lintCase struct {
	code, name string
	in         string
	ops        []overlay.Op
	raised     bool
	at         string // part of a related message, or of a hint
}

// lintCases has for every code specs and operations that raise it, and near
// misses that do not.
var lintCases = slices.Concat(placeCases, surpriseCases)

// placeCases are about where text lands.
var placeCases = []lintCase{
	{"unbalanced-conditional", "endif taken out", "Name: x\n%if 1\nA: b\n%endif\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%endif$"}}, true, "%if 1"},
	{"unbalanced-conditional", "both ends, two overlays", "Name: x\n%if 1\nA: b\n%endif\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%endif$"}, {Type: overlay.SearchReplace, Regex: "^%if 1$"}}, false, ""},
	{"unbalanced-conditional", "unbalanced before", "Name: x\n%if 1\nA: b\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "b", Replacement: "c"}}, false, ""},
	{"unbalanced-conditional", "lua block left open", "Name: x\n%{lua:\n x = 1\n}\nA: b\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: `^\}$`}}, true, "%{lua:"},

	{"inside-macro", "header in a macro body", "Name: x\n%define m() \\\n%description foo \\\n text \\\n%nil\n\n%description\ntext\n",
		[]overlay.Op{{Type: overlay.PrependLines, Section: "%description", Package: "foo", Lines: []string{"more"}}}, true, "macro definition starts here"},
	{"inside-macro", "tag after lua code", "Name: x\nVersion: 1\n%{lua:\n Requires: y\n}\n",
		[]overlay.Op{{Type: overlay.InsertTag, Tag: "Requires", Value: "z"}}, true, "%{lua:} block starts here"},
	{"inside-macro", "a whole macro is added", "Name: x\n%description\n",
		[]overlay.Op{{Type: overlay.PrependLines, Lines: []string{"%global x %{expand:", "a", "}"}}}, false, ""},

	{"inside-continuation", "appended to a section that ends in a backslash", "Name: x\n%build\nmake \\\n%install\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%build", Lines: []string{"echo"}}}, true, "make"},
	{"inside-continuation", "swallows the next line", "Name: x\n%build\nmake\n",
		[]overlay.Op{{Type: overlay.PrependLines, Section: "%build", Lines: []string{`export A=b \`}}}, true, "swallowed: make"},
	{"inside-continuation", "emptied in the middle", "Name: x\n%build\nmake \\\n  A=b \\\n  C=d\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: `^  A=b \\$`}}, true, "C=d"},
	{"inside-continuation", "last line emptied", "Name: x\n%build\nmake \\\n  A=b \\\n  C=d\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: `^  C=d$`}}, false, ""},
	{"inside-continuation", "changed in the middle", "Name: x\n%build\nmake \\\n  A=b \\\n  C=d\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: `A=b`, Replacement: "B=c \\\n  E=f"}}, false, ""},
	{"inside-continuation", "continued lines are added", "Name: x\n%build\nmake\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%build", Lines: []string{`a \`, ` b`}}}, false, ""},

	{"became-conditional", "add-tag behind an open %if", "Name: x\n%if 1\n%package doc\nSummary: s\n%endif\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "Requires", Value: "y"}}, true, "inside of: %if 1"},
	{"became-conditional", "patch-add behind an open %if", "Name: x\n%if 1\n%package doc\nSummary: s\n%endif\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, true, `spec-insert-tag with tag = "Patch0"`},
	{"became-conditional", "insert-tag with the %endif in another section", "Name: x\n%if 1\nSource1: t\n%description\n%endif\n",
		[]overlay.Op{{Type: overlay.InsertTag, Tag: "Source2", Value: "y"}}, true, "inside of: %if 1"},
	{"became-conditional", "insert-tag leaves the conditional", "Name: x\n%if 1\nSource1: t\n%endif\nURL: u\n",
		[]overlay.Op{{Type: overlay.InsertTag, Tag: "Source2", Value: "y"}}, false, ""},
	{"became-conditional", "append behind the next section's %if", "Name: x\n%build\nmake\n\n%if 1\n%check\nmake check\n%endif\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%build", Lines: []string{"echo"}}}, true, "inside of: %if 1"},
	{"became-conditional", "the whole section is conditional", "Name: x\n%if 1\n%check\nmake check\n%endif\n%files\n",
		[]overlay.Op{{Type: overlay.PrependLines, Section: "%check", Lines: []string{"echo"}}}, false, ""},
	{"became-conditional", "brings its own %if", "Name: x\n%description\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "A", Value: "b\n%if 1\nC: d\n%endif"}}, false, ""},

	{"several-branches", "update-tag", "Name: x\n%if 1\nRelease: 1\n%else\nRelease: 5\n%endif\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "Release", Value: "6"}}, true, "was: Release: 5"},
	{"several-branches", "branch is given", "Name: x\n%if 1\nRelease: 1\n%else\nRelease: 5\n%endif\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "Release", Value: "6", Branch: "all"}}, false, ""},
	{"several-branches", "same value", "Name: x\n%if 1\nURL: u\n%else\nURL: u\n%endif\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "URL", Value: "v"}}, false, ""},
	{"several-branches", "two conditionals", "Name: x\n%if 1\nRelease: 1\n%endif\n%if 2\nRelease: 5\n%endif\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "Release", Value: "6"}}, false, ""},

	{"after-comment", "append-lines", "Name: x\n%build\nmake\n\n# the tests\n%check\nmake check\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%build", Lines: []string{"echo"}}}, true, "the tests"},
	{"after-comment", "comment belongs to the code", "Name: x\n%build\nmake\n# done\n%check\nmake check\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%build", Lines: []string{"echo"}}}, false, ""},
	{"after-comment", "add-tag", "Name: x\n\n#-- doc --\n%package doc\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "Requires", Value: "y"}}, true, "%package doc"},

	{"duplicate-tag", "add-tag", "Name: x\nVersion: 1\n%description\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "version", Value: "2"}}, true, "Version: 1"},
	{"duplicate-tag", "other package", "Name: x\nSummary: s\n%package doc\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "Summary", Value: "t", Package: "doc"}}, false, ""},
	{"duplicate-tag", "other branch", "Name: x\n%if 1\nSummary: s\n%else\n%endif\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%else$", Replacement: "%else\nSummary: t"}}, false, ""},
	{"duplicate-tag", "many are fine", "Name: x\nRequires: s\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "Requires", Value: "t"}}, false, ""},
	{"duplicate-tag", "replaced", "Name: x\nVersion: 1\n",
		[]overlay.Op{{Type: overlay.SetTag, Tag: "version", Value: "2"}}, false, ""},

	{"duplicate-number", "bare patch after a numbered one", "Name: x\nPatch5: a.patch\nPatch: b.patch\n%prep\n%autosetup\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "Patch6", Value: "c.patch"}}, true, "Patch: b.patch"},
	{"duplicate-number", "patch-add takes a free number", "Name: x\nPatch5: a.patch\nPatch: b.patch\n%prep\n%autosetup\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, false, ""},
	{"duplicate-number", "numbered patches", "Name: x\nPatch5: a.patch\nPatch6: b.patch\n%prep\n%autosetup\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, false, ""},
	{"duplicate-number", "source", "Name: x\nSource: a\nSource1: b\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "Source0", Value: "c"}}, true, "Source: a"},

	{"misread-tag", "indented comment", "Name: x\n #foo: bar\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "#foo", Value: "b"}}, true, "#foo: bar"},
	{"misread-tag", "lua", "Name: x\n%{lua:\n y: z\n}\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "y", Value: "b"}}, true, "y: z"},
	{"misread-tag", "blank before the colon", "Name: x\nVCS : git\n",
		[]overlay.Op{{Type: overlay.SetTag, Tag: "VCS", Value: "b"}}, true, "VCS : git"},
	{"misread-tag", "inside a macro", "Name: x\nRequires: a\n%{?y:Requires: a}\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Requires", Value: "a"}}, true, "%{?y:Requires: a}"},
	{"misread-tag", "plain", "Name: x\nRequires: a\n%{?y:Requires: c}\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Requires", Value: "a"}}, false, ""},

	{"misread-section", "section that the reference does not know", "Name: x\n%install\nmake install\n%sepolicy\nx\n%files\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%install", Lines: []string{"echo"}}}, true, "%sepolicy starts here"},
	{"misread-section", "removed along", "Name: x\n%install\nmake install\n%sepolicy\nx\n%files\n",
		[]overlay.Op{{Type: overlay.RemoveSection, Section: "%install"}}, true, "%sepolicy"},
	{"misread-section", "indented header", "Name: x\n%description\ntext\n  %build is not for you\nmore\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Section: "%build", Regex: "more", Replacement: "less"}}, true, "%description starts here"},
	{"misread-section", "known", "Name: x\n%install\nmake install\n%check\nx\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%install", Lines: []string{"echo"}}}, false, ""},
	{"misread-section", "brings a header", "Name: x\n%install\nmake install\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%install", Lines: []string{"%check", "echo"}}}, false, ""},

	{"two-packages", "tag of both", "Name: x\n%package devel\nSummary: a\n%package -n devel\nSummary: b\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Package: "devel", Tag: "Summary", Value: "c"}}, true, "changed: Summary: c"},
	{"two-packages", "both removed", "Name: x\n%package devel\nSummary: a\n%package -n devel\nSummary: b\n",
		[]overlay.Op{{Type: overlay.RemoveSubpackage, Package: "devel"}}, true, "removed: %package -n devel"},
	{"two-packages", "one of them", "Name: x\n%package devel\nSummary: a\n%package -n devel\nURL: b\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Package: "devel", Tag: "Summary", Value: "c"}}, false, ""},

	{"no-effect", "tag has the value", "Name: x\nURL: u\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "URL", Value: "u"}}, true, "caught up"},
	{"no-effect", "spelling differs", "Name: x\nURL:  u\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "URL", Value: "u"}}, false, ""},

	{"wide-match", "command and changelog", "Name: x\n%build\nmake foo\n%changelog\n* x\n- make foo\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "foo", Replacement: "bar"}}, true, "a line of %changelog: - make bar"},
	{"wide-match", "two commands", "Name: x\n%build\nmake foo\n%install\nmake foo\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "foo", Replacement: "bar"}}, false, ""},
	{"wide-match", "expected", "Name: x\n%build\nmake foo\n%changelog\n* x\n- make foo\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "foo", Replacement: "bar", Expect: new(2)}}, false, ""},

	{"patch-not-applied", "explicit patch lines", "Name: x\nPatch1: a\n%prep\n%setup\n%patch -P 1 -p1\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, true, "%patch -P 1 -p1"},
	{"patch-not-applied", "a later overlay applies it", "Name: x\nPatch1: a\n%prep\n%setup\n%patch1 -p1\n",
		[]overlay.Op{{Type: overlay.PatchAdd}, {Type: overlay.AppendLines, Section: "%prep", Lines: []string{"%patch 2 -p1"}}}, false, ""},
	{"patch-not-applied", "autosetup", "Name: x\nPatch1: a\n%prep\n%autosetup -p1\ngrep -q x %{PATCH1}\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, false, ""},

	{"patch-missing", "still applied", "Name: x\nPatch1: a.patch\nPatch2: b.patch\n%prep\n%patch -p1 -P1\n%patch -p1 -P2\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Patch2"}}, true, "%patch -p1 -P2"},
	{"patch-missing", "taken out too", "Name: x\nPatch1: a.patch\nPatch2: b.patch\n%prep\n%patch1\n%patch2\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Patch2"}, {Type: overlay.SearchReplace, Regex: "^%patch2$"}}, false, ""},

	{"half-removed-package", "files left", "Name: x\n%package doc\nSummary: s\n%description doc\n%files doc\n",
		[]overlay.Op{{Type: overlay.RemoveSection, Section: "%package", Package: "doc"}}, true, "left: %description doc"},
	{"half-removed-package", "all removed", "Name: x\n%package doc\nSummary: s\n%files doc\n",
		[]overlay.Op{{Type: overlay.RemoveSection, Section: "%package", Package: "doc"}, {Type: overlay.RemoveSection, Section: "%files", Package: "doc"}}, false, ""},
	{"half-removed-package", "sub-package", "Name: x\n%package doc\nSummary: s\n%files doc\n",
		[]overlay.Op{{Type: overlay.RemoveSubpackage, Package: "doc"}}, false, ""},
}

func TestLint(t *testing.T) {
	t.Parallel()
	for _, tt := range lintCases {
		t.Run(tt.code+"/"+tt.name, func(t *testing.T) {
			t.Parallel()
			list := lint(t, tt.in, slices.Clone(tt.ops), nil)
			var found *diag.Diagnostic
			for i := range list { // a near miss of one code may well raise another
				if list[i].Code == "overlay/"+tt.code {
					if found != nil && found.Pos == list[i].Pos && tt.code == "inside-continuation" {
						t.Errorf("said twice: %v", list)
					}
					found = &list[i]
				}
			}
			if found == nil {
				if tt.raised {
					t.Fatalf("not raised; got %v", list)
				}
				return
			}
			if !tt.raised {
				t.Fatalf("raised: %v", found)
			}
			text := found.Message + "\n" + found.Hint
			for _, r := range found.Related {
				text += "\n" + r.Message
				if r.Pos.Filename != "x.spec" || r.Pos.Line == 0 {
					t.Errorf("related place %q has the position %v", r.Message, r.Pos)
				}
			}
			if !strings.Contains(text, tt.at) {
				t.Errorf("%q is missing in\n%s", tt.at, text)
			}
			want := overlay.LintCodes[slices.IndexFunc(overlay.LintCodes, func(c diag.Code) bool { return c.ID == found.Code })].Default
			if found.Severity != want || found.Pos.Filename != "x.toml" || found.Hint == "" {
				t.Errorf("severity, position or hint is wrong: %+v", found)
			}
		})
	}
}

// TestLintCodes holds the table of codes against the cases: each code is
// raised by one and has a near miss.
func TestLintCodes(t *testing.T) {
	t.Parallel()
	for _, c := range overlay.LintCodes {
		for _, raised := range []bool{true, false} {
			if !slices.ContainsFunc(lintCases, func(x lintCase) bool {
				return "overlay/"+x.code == c.ID && x.raised == raised
			}) {
				t.Errorf("%s: no case with raised = %v", c.ID, raised)
			}
		}
		if c.Doc == "" || c.Summary == "" {
			t.Errorf("%s is not documented", c.ID)
		}
	}
}

func TestLintLevels(t *testing.T) {
	t.Parallel()
	ops := []overlay.Op{{Type: overlay.UpdateTag, Tag: "URL", Value: "u"}}
	for level, want := range map[overlay.Level]string{
		"": "warning", overlay.LevelOff: "", overlay.LevelNote: "note", overlay.LevelWarning: "warning", overlay.LevelError: "error",
	} {
		for _, levels := range []map[string]overlay.Level{
			{"overlay/no-effect": level, "overlay/": overlay.LevelError}, {"overlay/": level, "overlay/wide-match": overlay.LevelOff},
		} {
			list := lint(t, "Name: x\nURL: u\n", slices.Clone(ops), levels)
			got := ""
			if len(list) > 0 {
				got = list[0].Severity.String()
			}
			if got != want {
				t.Errorf("levels %v: severity %q, want %q", levels, got, want)
			}
		}
	}
}

// TestLintLeavesTheRendererAlone: its own steps are never looked at.
func TestLintLeavesTheRendererAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range lintCases {
		ops := slices.Clone(tt.ops)
		for i := range ops {
			ops[i].Step = "header"
		}
		list := slices.DeleteFunc(lint(t, tt.in, ops, nil), func(d diag.Diagnostic) bool { return d.Code == "overlay/number-taken" })
		if len(list) > 0 {
			t.Errorf("%s: %v", tt.name, list)
		}
	}
}

// FuzzLint applies every operation to arbitrary specs: the second look accepts
// whatever comes out, and never changes it.
func FuzzLint(f *testing.F) {
	for i := range lintCases {
		op := lintCases[i].ops[0]
		k := slices.IndexFunc(overlay.Ops, func(o overlay.OpInfo) bool { return o.Type == op.Type })
		f.Add(lintCases[i].in, uint8(k), op.Tag, op.Value, op.Section, op.Package, op.Regex, op.Replacement, strings.Join(op.Lines, "|"))
	}
	f.Fuzz(func(t *testing.T, in string, kind uint8, tag, value, section, pkg, regex, replacement, lines string) {
		op := overlay.Op{
			Type: overlay.Ops[int(kind)%len(overlay.Ops)].Type, Tag: tag, Value: value, Section: section, Package: pkg,
			Regex: regex, Replacement: replacement, Lines: strings.Split(lines, "|"), File: "new.patch", Source: "/src/new.patch",
		}
		source := func(string) ([]byte, fs.FileMode, error) { return nil, 0o644, nil }
		var out [2][]byte
		for i, on := range []bool{false, true} {
			tree := &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte(in)), Files: map[string]*overlay.File{}}
			ops := []overlay.Op{op, {Type: overlay.AppendLines, Section: "%build", Lines: []string{"x"}}}
			_, list := overlay.Apply(tree, ops, overlay.Options{Lint: on, Source: source})
			out[i] = tree.Spec.Bytes()
			for _, d := range list {
				linted := slices.ContainsFunc(overlay.LintCodes, func(c diag.Code) bool { return c.ID == d.Code })
				if linted && strings.Contains(d.Message+d.Hint, "\n") {
					t.Errorf("more than one line: %q", d.Message)
				}
			}
		}
		if string(out[0]) != string(out[1]) {
			t.Errorf("with a second look: %q, without: %q", out[1], out[0])
		}
	})
}

// BenchmarkLint compares applying three overlays without and with the second
// look.
func BenchmarkLint(b *testing.B) {
	in := []byte("Name: x\nVersion: 1\nRelease: 1%{?dist}\n" + strings.Repeat("%if %{with x}\nBuildRequires: foo\n%endif\nRequires(post): bar >= 1\n", 40) +
		"%description\ntext\n%build\n" + strings.Repeat("%configure \\\n  --a \\\n  --b\nmake\n", 40) + "%install\n%make_install\n%changelog\n" + strings.Repeat("* entry\n- text\n\n", 200))
	ops := []overlay.Op{
		{Type: overlay.InsertTag, Tag: "BuildRequires", Value: "y"},
		{Type: overlay.SearchReplace, Section: "%build", Regex: "--b", Replacement: "--c"},
		{Type: overlay.AppendLines, Section: "%install", Lines: []string{"echo"}},
	}
	for _, on := range []bool{false, true} {
		b.Run(map[bool]string{false: "without", true: "with"}[on], func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				tree := &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", in)}
				if _, list := overlay.Apply(tree, ops, overlay.Options{Lint: on}); len(list) > 0 {
					b.Fatal(list)
				}
			}
		})
	}
}
