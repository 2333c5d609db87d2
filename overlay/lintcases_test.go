package overlay_test

import (
	"slices"
	"strings"
	"testing"

	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// surpriseCases are about what an edit takes along, leaves behind or says
// otherwise than its author is likely to mean.
var surpriseCases = []lintCase{
	{"patch-not-applied", "plain setup", "Name: x\nSource0: x.tgz\n%prep\n%setup -q -n y\n%build\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, true, `replacement = "%setup -q -n y\n%patch -P 0 -p1"`},
	{"patch-not-applied", "autosetup -N alone", "Name: x\n%prep\n%autosetup -p1 -N\n%build\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, true, "behind this line: %autosetup -p1 -N"},
	{"patch-not-applied", "autosetup with -N among other letters", "Name: x\n%prep\n%autosetup -qN -n N\n%build\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, true, "%patch -P 0 -p1"},
	{"patch-not-applied", "the N is a directory", "Name: x\n%prep\n%autosetup -n N\n%build\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, false, ""},
	{"patch-not-applied", "above the range", "Name: x\nPatch7: a\n%prep\n%autosetup -N\n%autopatch -m 3 -M7 -p2\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, true, "%patch -P 8 -p2"},
	{"patch-not-applied", "in one of two ranges", "Name: x\nPatch7: a\n%prep\n%autosetup -N\n%autopatch -M 5\n%autopatch -m 6\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, false, ""},
	{"patch-not-applied", "named one by one to autopatch", "Name: x\nPatch1: a\n%prep\n%setup -q\n%autopatch -p1 1\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, true, "%patch -P 2 -p1"},
	{"patch-not-applied", "all in a loop", "Name: x\n%prep\n%setup -q\nfor p in %{patches}; do patch -p1 < $p; done\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, false, ""},
	{"patch-not-applied", "by git", "Name: x\n%prep\n%setup -q\ngit am ../*.patch\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, false, ""},
	{"patch-not-applied", "the overlay applies it", "Name: x\n%prep\n%setup -q\n%build\n",
		[]overlay.Op{{Type: overlay.PatchAdd}, {Type: overlay.SearchReplace, Section: "%prep", Regex: "^%setup -q$", Replacement: "%setup -q\n%patch -P 0 -p1"}}, false, ""},
	{"patch-not-applied", "patches are not applied any more", "Name: x\nPatch0: a\n%prep\n%autosetup -p1\n%build\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%autosetup -p1$", Replacement: "%setup -q"}}, true, "%patch -P 0 -p1"},
	{"patch-not-applied", "upstream applies one of two", "Name: x\nPatch0: a\nPatch1: b\n%prep\n%setup -q\n%patch -P0\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "URL", Value: "u"}}, false, ""},
	{"patch-not-applied", "a list", "Name: x\n%patchlist\na.patch\n%prep\n%setup -q\n%patch -P0\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, true, "%patch -P 1 -p1"},

	{"patch-level", "autosetup without -p", "Name: x\n%prep\n%autosetup -n y\n%build\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, true, `replacement = "%autosetup -n y -p1"`},
	{"patch-level", "autosetup with -p", "Name: x\n%prep\n%autosetup -p1 -n y\n%build\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, false, ""},
	{"changelog-macro", "a word of the language", "Name: x\n%changelog\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%changelog", Lines: []string{"* Thu Aug 22 2013 A <a@b>", "- Use %configure"}}}, true, "%%configure"},
	{"changelog-macro", "a definition", "Name: x\n%changelog\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%changelog", Lines: []string{"- drop %{?with_x:y}"}}}, true, "expands %{?with_x:y}"},
	{"changelog-macro", "doubled, a number, and the package's own", "Name: x\n%changelog\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%changelog", Lines: []string{"- Use %%configure, 100% of it, for %{version}-%{release}"}}}, false, ""},
	{"changelog-macro", "not a changelog", "Name: x\n%build\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%build", Lines: []string{"%configure"}}}, false, ""},

	{"source-missing", "in a script", "Name: x\nSource: a\nSource1: b\n%install\ninstall %{SOURCE1} x\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Source1"}}, true, "install %{SOURCE1} x"},
	{"source-missing", "of a list of files", "Name: x\nSource: a\nSource1: b\n%files -f %{S:1}\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Source1"}}, true, "%files -f %{S:1}"},
	{"source-missing", "by setup", "Name: x\nSource: a\nSource2: b\n%prep\n%setup -q -a 2\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Source2"}}, true, "%setup -q -a 2"},
	{"source-missing", "the first one", "Name: x\nSource0: a\nSource2: b\n%prep\n%setup -q\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Source0"}}, true, "%setup -q"},
	{"source-missing", "nothing is unpacked", "Name: x\nSource0: a\nSource2: b\n%prep\n%setup -q -T -c\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Source0"}}, false, ""},
	{"source-missing", "number 10 is not number 1", "Name: x\nSource1: a\nSource10: b\n%install\ninstall %{SOURCE10} x\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Source1"}}, false, ""},
	{"source-missing", "taken out too", "Name: x\nSource1: b\n%install\ninstall %{SOURCE1} x\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Source1"}, {Type: overlay.SearchReplace, Regex: "SOURCE1", Replacement: "SOURCE2"}}, false, ""},
	{"source-missing", "another takes the number", "Name: x\nSource1: b\n%install\ninstall %{SOURCE1} x\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Source1"}, {Type: overlay.AddTag, Tag: "Source1", Value: "c"}}, false, ""},

	{"number-shifted", "a bare tag below", "Name: x\nSource: a\nSource: b\n%install\ninstall %{SOURCE1} x\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Source", Value: "a"}}, true, "install %{SOURCE1} x"},
	{"number-shifted", "nobody uses numbers", "Name: x\nPatch: a\nPatch: b\n%prep\n%autosetup\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Patch", Value: "a"}}, false, ""},
	{"number-shifted", "the last one goes", "Name: x\nSource: a\nSource: b\n%install\ninstall %{SOURCE0} x\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Source", Value: "b"}}, false, ""},

	{"macro-lost", "of a sub-package", "Name: x\n%package t\nSummary: t\n%global dir /usr/t\n%description t\n%install\nmkdir %{dir}\n",
		[]overlay.Op{{Type: overlay.RemoveSubpackage, Package: "t"}}, true, "used here: mkdir %{dir}"},
	{"macro-lost", "a build conditional", "Name: x\n%bcond docs 1\n%build\n%if %{with docs}\nmake docs\n%endif\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%bcond docs 1$"}}, true, "%if %{with docs}"},
	{"macro-lost", "a tag is a macro, too", "Name: x\nEpoch: 1\n%package t\nSummary: t\nRequires: x = %{epoch}:1\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Epoch"}}, true, "Requires: x = %{epoch}:1"},
	{"macro-lost", "it may be missing", "Name: x\n%package t\nSummary: t\n%global dir /usr/t\n%description t\n%install\nmkdir %{?dir}\n",
		[]overlay.Op{{Type: overlay.RemoveSubpackage, Package: "t"}}, false, ""},
	{"macro-lost", "defined again", "Name: x\n%global dir /a\n%build\nmake %dir\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%global dir /a$", Replacement: "%define dir /b"}}, false, ""},
	{"macro-lost", "a fallback", "Name: x\n%{!?dir: %global dir /a}\n%build\nmake %dir\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%.*global.*$"}}, false, ""},
	{"macro-lost", "a longer name is another macro", "Name: x\n%global dir /a\n%build\nmake %dirs %{dir2} 100%%dir\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%global dir /a$"}}, false, ""},

	{"package-missing", "of a sibling", "Name: x\nRequires: y, %{name}-doc%{?_isa} = 1\n%package doc\nSummary: s\n%files\n",
		[]overlay.Op{{Type: overlay.RemoveSubpackage, Package: "doc"}}, true, "Requires: y, %{name}-doc%{?_isa} = 1"},
	{"package-missing", "with a name of its own", "Name: x\nRequires: pydoc\n%package -n pydoc\nSummary: s\n%files\n",
		[]overlay.Op{{Type: overlay.RemoveSubpackage, Package: "pydoc"}}, true, "Requires: pydoc"},
	{"package-missing", "provided by another", "Name: x\nRequires: x-doc\nProvides: x-doc = 2\n%package doc\nSummary: s\n%files\n",
		[]overlay.Op{{Type: overlay.RemoveSubpackage, Package: "doc"}}, false, ""},
	{"package-missing", "a longer name", "Name: x\nRequires: x-docs\n%package doc\nSummary: s\n%files\n",
		[]overlay.Op{{Type: overlay.RemoveSubpackage, Package: "doc"}}, false, ""},

	{"list-missing", "find_lang", "Name: x\n%install\nmake install\n%find_lang x\n%files -f x.lang\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%find_lang.*$"}}, true, "taken here: %files -f x.lang"},
	{"list-missing", "a list of the spec's own", "Name: x\n%install\nfind . > list\n%files -f list\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^find.*$", Replacement: "true"}}, true, "find . > list"},
	{"list-missing", "still made", "Name: x\n%install\n%find_lang x\n%files -f x.lang\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%find_lang x$", Replacement: "%find_lang x --with-man"}}, false, ""},

	{"left-branch", "behind %endif", "Name: x\n%if 1\n%package a\nSummary: a\n%files a\n/a\n%else\n%package b\nSummary: b\n%files b\n/b\n%endif\n%files\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%files", Package: "b", Lines: []string{"/b2"}}}, true, "otherwise it belongs to %files a"},
	{"left-branch", "without %else", "Name: x\n%description\n%if 1\n%package a\nSummary: a\n%endif\n%files\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "Requires", Value: "y", Package: "a"}}, true, "regex = '^Summary: a$'"},
	{"left-branch", "the same section in every branch", "Name: x\n%if 1\n%files -f a\n%else\n%files\n%endif\n/x\n%changelog\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%files", Branch: "2", Lines: []string{"/b2"}}}, false, ""},
	{"left-branch", "the whole conditional in the section", "Name: x\n%files\n%if 1\n/a\n%endif\n%changelog\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%files", Lines: []string{"/b2"}}}, false, ""},

	{"inside-continuation", "a comment without the backslash", "Name: x\n%build\nmake \\\n  A=b \\\n  C=d\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: `^  A=b .$`, Replacement: "  # A=b"}}, true, "take the line out with its line break"},
	{"inside-continuation", "a comment in the middle", "Name: x\n%build\nmake \\\n  A=b \\\n  C=d\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: `^  A=b`, Replacement: "  # A=b"}}, true, "C=d"},
	{"inside-continuation", "a comment at the end", "Name: x\n%build\nmake \\\n  A=b \\\n  C=d\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: `^  C=d`, Replacement: "  # C=d"}}, false, ""},
	{"inside-continuation", "the first line", "Name: x\n%build\nmake \\\n  A=b\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: `^make`, Replacement: "#make"}}, true, "A=b"},
	{"inside-continuation", "all its lines", "Name: x\n%build\nmake \\\n  A=b\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Section: "%build", Regex: `^(.)`, Replacement: "#$1", ReplacementGroups: true}}, false, ""},

	{"macro-in-comment", "several lines", "Name: x\n%build\n%configure\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%configure", Replacement: "# %configure"}}, true, "only the first is a comment"},
	{"macro-in-comment", "a definition", "Name: x\n%global y 1\n%build\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%global", Replacement: "#%global"}}, true, "%y is defined all the same"},
	{"macro-in-comment", "one line", "Name: x\n%build\nmake %{?_smp_mflags}\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^make", Replacement: "# make"}}, false, ""},
	{"macro-in-comment", "%dnl", "Name: x\n%build\n%configure\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "^%configure", Replacement: "%dnl %configure"}}, false, ""},

	{"values-lost", "update-tag", "Name: x\nBuildRequires: gcc\nBuildRequires: make\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "BuildRequires", Value: "gcc >= 12"}}, true, "was: BuildRequires: make"},
	{"values-lost", "set-tag", "Name: x\nRequires: a\nRequires: b\nRequires: c\n",
		[]overlay.Op{{Type: overlay.SetTag, Tag: "Requires", Value: "d"}}, true, "3 Requires tags"},
	{"values-lost", "all are meant", "Name: x\nRequires: a\nRequires: b\n",
		[]overlay.Op{{Type: overlay.SetTag, Tag: "Requires", Value: "d", Expect: new(2)}}, false, ""},
	{"values-lost", "the same value", "Name: x\nRequires: a\nRequires:   a\n",
		[]overlay.Op{{Type: overlay.SetTag, Tag: "Requires", Value: "d"}}, false, ""},

	{"literal-group", "a number", "Name: x\n%build\nmake all\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "(make) all", Replacement: "$1 most"}}, true, "replacement-groups = true"},
	{"literal-group", "with a backslash", "Name: x\n%build\nmake all\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "(make) all", Replacement: `\1 most`}}, true, "${1}"},
	{"literal-group", "a name", "Name: x\n%build\nmake all\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "(?P<tool>make) all", Replacement: "${tool} most"}}, true, "plain text"},
	{"literal-group", "a variable of the shell", "Name: x\n%build\nmake all\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "(make) all", Replacement: "make $HOME $3"}}, false, ""},
	{"literal-group", "groups are on", "Name: x\n%build\nmake all\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "(make) all", Replacement: "$1 most", ReplacementGroups: true}}, false, ""},
	{"literal-group", "no group", "Name: x\n%build\nmake all\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "make all", Replacement: "$1 most"}}, false, ""},

	{"unknown-macro", "misspelt", "Name: x\n%build\nmake\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%build", Lines: []string{"%if 0%{?fedroa}", "x", "%endif"}}}, true, `did you mean "fedora"?`},
	{"unknown-macro", "known to distributions", "Name: x\n%build\nmake\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%build", Lines: []string{"%if 0%{?suse_version} || 0%{?el9}", "x", "%endif"}}}, false, ""},
	{"unknown-macro", "known to the caller", "Name: x\n%build\nmake\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%build", Lines: []string{"%if %{defined theirs}", "x", "%endif"}}}, false, ""},
	{"unknown-macro", "known to the spec", "Name: x\n%bcond x 1\n%build\nmake\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%build", Lines: []string{"%if %{with_x}", "x", "%endif"}}}, false, ""},

	{"comment-left", "directly above", "Name: x\n\n# for the tests\nBuildRequires: y\n\nURL: u\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "BuildRequires"}}, true, "# for the tests"},
	{"comment-left", "above two", "Name: x\n# for the tests\nBuildRequires: y\nBuildRequires: z\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "BuildRequires", Value: "y"}}, false, ""},

	{"comment-taken", "of the next section", "Name: x\n%check\nmake check\n\n# what is installed\n%files\n/x\n",
		[]overlay.Op{{Type: overlay.RemoveSection, Section: "%check"}}, true, "# what is installed"},
	{"comment-taken", "of the section itself", "Name: x\n%check\nmake check\n# done\n%files\n/x\n",
		[]overlay.Op{{Type: overlay.RemoveSection, Section: "%check"}}, false, ""},
}

// followCases are findings whose hint is an overlay to add, and the operation
// that it spells.
var followCases = []struct {
	name, in string
	ops      []overlay.Op
	hint     string // what the hint has to say of the next operation
	next     overlay.Op
	want     string // a line of the result
}{
	{"patch", "Name: x\nSource0: x.tgz\n%prep\n%setup -q\n%build\n", []overlay.Op{{Type: overlay.PatchAdd}},
		`section = "%prep", regex = '^%setup -q$', replacement = "%setup -q\n%patch -P 0 -p1"`,
		overlay.Op{Type: overlay.SearchReplace, Section: "%prep", Regex: "^%setup -q$", Replacement: "%setup -q\n%patch -P 0 -p1"}, "%patch -P 0 -p1"},
	{"branch", "Name: x\n%if 1\n%package a\nSummary: a\n%files a\n/a\n%endif\n%files\n",
		[]overlay.Op{{Type: overlay.AppendLines, Section: "%files", Package: "a", Lines: []string{"/b"}}},
		`section %files of package "a" with regex = '^/a$'`,
		overlay.Op{Type: overlay.SearchReplace, Section: "%files", Package: "a", Regex: "^/a$", Replacement: "/a\n/b"}, "/b"},
	{"dependency", "Name: x\nRequires: x-doc\n%package doc\nSummary: s\n%files\n", []overlay.Op{{Type: overlay.RemoveSubpackage, Package: "doc"}},
		`spec-remove-tag and value = "x-doc"`, overlay.Op{Type: overlay.RemoveTag, Tag: "Requires", Value: "x-doc"}, "Name: x"},
}

// TestLintAdvice follows the advice of hints: the operations that they spell
// apply, and the finding is gone.
func TestLintAdvice(t *testing.T) {
	t.Parallel()
	for _, tt := range followCases {
		list := lint(t, tt.in, slices.Clone(tt.ops), nil)
		if len(list) != 1 || !strings.Contains(list[0].Hint, tt.hint) {
			t.Errorf("%s: the hint does not say %s: %v", tt.name, tt.hint, list)
			continue
		}
		ops := append(slices.Clone(tt.ops), tt.next)
		if tt.name == "branch" {
			ops = ops[1:] // instead of the first one
		}
		if list = lint(t, tt.in, ops, nil); len(list) > 0 {
			t.Errorf("%s: after following the hint: %v", tt.name, list)
		}
		tree := &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte(tt.in)), Files: map[string]*overlay.File{}}
		for i := range ops {
			ops[i].Data = []byte("diff\n")
		}
		overlay.Apply(tree, ops, overlay.Options{})
		if !strings.Contains("\n"+string(tree.Spec.Bytes()), "\n"+tt.want+"\n") {
			t.Errorf("%s: no line %q in\n%s", tt.name, tt.want, tree.Spec.Bytes())
		}
	}
}

// TestNumbersInLists: numbers of sources and patches follow the lists that a
// spec includes.
func TestNumbersInLists(t *testing.T) {
	t.Parallel()
	const list = "Patch0: a.patch\n# two\nPatch: b.patch\n"
	for _, tt := range []struct{ name, in, want string }{
		{"include", "Name: x\nSource1: %{name}.list\n%include %{SOURCE1}\n", "Patch2: new.patch"},
		{"load", "Name: x\nSource1: x.list\n%{load:%{S:1}}\n", "Patch2: new.patch"},
		{"a macro that the loaded file defines", "Name: x\nSource1: y.list\n%{load:%{SOURCE1}}\n%y_patches\n", "Patch2: new.patch"},
		{"in the source directory", "Name: x\n%{load:%{_sourcedir}/x.list}\n", "Patch2: new.patch"},
		{"a file that is not there", "Name: x\n%include %{_sourcedir}/z.list\n", "Patch0: new.patch"},
		{"numbers that are free", "Name: x\nPatch7: c\n%include x.list\n", "Patch8: new.patch"},
		{"under a condition", "Name: x\n%if 1\n%include x.list\n%endif\n", "Patch0: new.patch"},
	} {
		files := map[string]*overlay.File{
			"x.list": overlay.NewFile("x.list", 0o644, []byte(list), nil),
			"y.list": overlay.NewFile("y.list", 0o644, []byte("%y_patches \\\nPatch0: a.patch \\\nPatch1: b.patch\n"), nil),
		}
		tree := &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte(tt.in)), Files: files}
		rep, problems := overlay.Apply(tree, []overlay.Op{{Type: overlay.PatchAdd, Source: "/n/new.patch", Data: []byte("x")}}, overlay.Options{})
		if rep.Failed >= 0 || !strings.Contains(string(tree.Spec.Bytes()), tt.want+"\n") {
			t.Errorf("%s: no %s in\n%s%v", tt.name, tt.want, tree.Spec.Bytes(), problems)
		}
		if said := slices.ContainsFunc(problems, func(d diag.Diagnostic) bool { return d.Code == "overlay/number-taken" && d.Severity == diag.Note }); said != strings.HasSuffix(tt.want, "2: new.patch") {
			t.Errorf("%s: said that the number is taken: %v", tt.name, said)
		}
	}

	tree := &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte("Name: x\n%include x.list\n")),
		Files: map[string]*overlay.File{"x.list": overlay.NewFile("x.list", 0o644, []byte(list), nil)}}
	_, problems := overlay.Apply(tree, []overlay.Op{{Type: overlay.PatchRemove, File: "b.patch"}}, overlay.Options{})
	if len(problems) != 1 || !strings.Contains(problems[0].Hint, `file-search-replace and file = "x.list"`) || len(problems[0].Related) != 1 || problems[0].Related[0].Pos.Line != 3 {
		t.Errorf("patch-remove of a patch in a list: %+v", problems)
	}
}

// TestIncludedInList: a file that is included in %sourcelist or %patchlist holds
// names, not tags.
func TestIncludedInList(t *testing.T) {
	t.Parallel()
	const in = "Name: x\nSource4: macros\n%sourcelist\n%include %{_sourcedir}/names\nlast.tgz\n%patchlist\na.patch\n%include fixes\n"
	files := map[string]*overlay.File{
		"names": overlay.NewFile("names", 0o644, []byte("# two\nx.tgz\n\nSource9: y.tgz\n"), nil), // the name of a file here
		"fixes": overlay.NewFile("fixes", 0o644, []byte("%if 1\nb.patch\n%endif\nc.patch\n"), nil),
	}
	apply := func(op overlay.Op) (string, diag.List) {
		tree := &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte(in)), Files: files}
		_, problems := overlay.Apply(tree, []overlay.Op{op}, overlay.Options{})
		return string(tree.Spec.Bytes()), problems
	}
	text, problems := apply(overlay.Op{Type: overlay.InsertTag, Step: "macros-source", Tag: "Source7", Value: "x.macros"})
	if !strings.Contains(text, "\nSource8: x.macros\n") || len(problems) != 1 || !strings.Contains(problems[0].Related[0].Message, "last.tgz") {
		t.Errorf("a number that the list has: %v in\n%s", problems, text)
	}
	text, problems = apply(overlay.Op{Type: overlay.InsertTag, Step: "macros-source", Tag: "Source5", Value: "x.macros"})
	if !strings.Contains(text, "\nSource8: x.macros\n") || len(problems) != 1 || problems[0].Related[0].Pos.String() != "names:2:1" {
		t.Errorf("a number that the included list has: %v in\n%s", problems, text)
	}
	for file, want := range map[string]string{
		"c.patch":      `file-search-replace and file = "fixes"`,
		"deep/a.patch": `the spec has "a.patch"`,
		"q/b.patch":    `the spec has "b.patch"`,
		"bb.patch":     `did you mean "b.patch"?`,
	} {
		if text, problems = apply(overlay.Op{Type: overlay.PatchRemove, File: file}); text != in || len(problems) != 1 || !strings.Contains(problems[0].Hint, want) {
			t.Errorf("patch-remove of %s: %v", file, problems)
		}
	}
}

// TestBareNumbers: an overlay that names a number means the tag that has it
// without bearing it.
func TestBareNumbers(t *testing.T) {
	t.Parallel()
	const in = "Name: x\nSource: a\nSource5: b\nSource: c\nPatch: p\n"
	for _, tt := range []struct {
		name string
		op   overlay.Op
		want string
	}{
		{"set", overlay.Op{Type: overlay.SetTag, Tag: "Source0", Value: "n"}, "Name: x\nSource: n\nSource5: b\nSource: c\nPatch: p\n"},
		{"update", overlay.Op{Type: overlay.UpdateTag, Tag: "source6", Value: "n"}, "Name: x\nSource: a\nSource5: b\nSource: n\nPatch: p\n"},
		{"remove", overlay.Op{Type: overlay.RemoveTag, Tag: "Patch0"}, "Name: x\nSource: a\nSource5: b\nSource: c\n"},
		{"remove with another value", overlay.Op{Type: overlay.RemoveTag, Tag: "Patch0", Value: "q"}, in},
		{"set what is new", overlay.Op{Type: overlay.SetTag, Tag: "Source7", Value: "n"}, in + "Source7: n\n"},
		{"set the bare one", overlay.Op{Type: overlay.SetTag, Tag: "Patch", Value: "n"}, "Name: x\nSource: a\nSource5: b\nSource: c\nPatch: n\n"},
	} {
		tree := &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte(in))}
		overlay.Apply(tree, []overlay.Op{tt.op}, overlay.Options{})
		if got := string(tree.Spec.Bytes()); got != tt.want {
			t.Errorf("%s: got\n%s", tt.name, got)
		}
	}
}
