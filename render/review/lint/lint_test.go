package lint_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/review"
	"specgraft/render/review/lint"
)

const tide = `Name: tide
Version: 1
Release: 2
Summary: Tide
License: MIT
Source0: tide.tar.gz
%if 0%{?rhel}
Requires: old
%else
Requires: new
%endif
BuildRequires: gcc
BuildRequires: make

%description
Tide.

%build
make
make docs

%files
/usr/bin/tide

%changelog
* Mon Jan 05 2026 Tide Table <tide@example.com> - 1-2
- Begin
`

// open renders a local component with the TOML that is given.
func open(t *testing.T, toml string, files ...string) *review.View {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("tide/tide.spec", tide)
	write("tide/tide.tar.gz", "archive")
	for i := 0; i < len(files); i += 2 {
		write(files[i], files[i+1])
	}
	write("azldev.toml", "[project]\ndescription = \"x\"\nrendered-specs-dir = \"specs\"\ndefault-distro = { name = \"d\", version = \"1\" }\n\n[distros.d.versions.1]\nrelease-ver = \"1\"\n\n[components.tide]\nspec = { type = \"local\", path = \"tide/tide.spec\" }\n"+toml)
	p, problems := components.Load(components.Options{Dir: dir})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	store, err := fedora.Open(fedora.Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	r := &render.Renderer{Project: p, Store: store, Lint: true, Unfiltered: true}
	t.Cleanup(func() { r.Close(); store.Close() })
	if err := r.Prepare(t.Context(), []string{"tide"}, false).Err(); err != nil {
		t.Fatal(err)
	}
	return review.Open(t.Context(), r, "tide")
}

func codes(list diag.List) []string {
	out := []string{}
	for _, d := range list {
		out = append(out, d.Code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

const ov = "\n[[components.tide.overlays]]\n"

// replace is a search-replace without a fault.
const replace = ov + "type = \"spec-search-replace\"\ndescription = \"x\"\nsection = \"%build\"\nregex = '^make docs$'\nreplacement = \"make html\"\n"

func TestCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, toml string
		files      []string
		want       []string
	}{
		{"nothing", "", nil, []string{}},
		{"a good expression", replace, nil, []string{}},
		{"a good tag", ov + "type = \"spec-set-tag\"\ndescription = \"x\"\ntag = \"License\"\nvalue = \"ISC\"\n", nil, []string{}},
		{"no description", strings.Replace(replace, "description = \"x\"\n", "", 1), nil, []string{"lint/no-description"}},
		{"unscoped", strings.Replace(replace, "section = \"%build\"\n", "", 1), nil, []string{"lint/unscoped"}},
		{"unanchored", strings.Replace(replace, "'^make docs$'", "'make d.cs'", 1), nil, []string{"lint/unanchored"}},
		{"a whole line", strings.Replace(replace, "'^make docs$'", "'.*docs.*'", 1), nil, []string{}},
		{"up to the end", strings.Replace(replace, "'^make docs$'", "'make d.*'", 1), nil, []string{"lint/unanchored"}},
		{"confined to the preamble", ov + "type = \"spec-search-replace\"\ndescription = \"x\"\nsection = \"%preamble\"\nregex = '^(%if) 0%{[?]rhel}$'\nreplacement = \"%if 0%{?fedora}\"\n", nil, []string{}},
		{"several sections", ov + "type = \"spec-search-replace\"\ndescription = \"x\"\nregex = '^(Tide[.]|make docs)$'\nreplacement = \"x\"\n", nil, []string{"lint/unscoped", "overlay/wide-match"}},
		{"several sections are meant", ov + "type = \"spec-search-replace\"\ndescription = \"x\"\nregex = '^(Tide[.]|make docs)$'\nreplacement = \"x\"\nexpect = 2\n", nil, []string{}},
		{"typed", ov + "type = \"spec-search-replace\"\ndescription = \"x\"\nregex = '^License: MIT$'\nreplacement = \"License: ISC\"\n", nil,
			[]string{"lint/typed", "lint/unscoped"}},
		{"branches", ov + "type = \"spec-search-replace\"\ndescription = \"x\"\nregex = '^Requires: (old|new)$'\nreplacement = \"Requires: any\"\n", nil,
			[]string{"lint/branches", "lint/typed", "lint/unscoped"}},
		{"beside a conditional", ov + "type = \"spec-insert-tag\"\ndescription = \"x\"\ntag = \"Requires\"\nvalue = \"more\"\n", nil,
			[]string{"lint/beside-conditional"}},
		{"no effect", ov + "type = \"spec-set-tag\"\ndescription = \"x\"\ntag = \"License\"\nvalue = \"MIT\"\n", nil, []string{"overlay/no-effect"}},
		{"undone", replace + ov + "type = \"spec-search-replace\"\ndescription = \"x\"\nsection = \"%build\"\nregex = '^make html$'\nreplacement = \"make pdf\"\n", nil,
			[]string{"lint/undone"}},
		{"overlap", ov + "type = \"spec-append-lines\"\ndescription = \"x\"\nsection = \"%build\"\nlines = [\"a\", \"b\"]\n" +
			ov + "type = \"spec-search-replace\"\ndescription = \"x\"\nsection = \"%build\"\nregex = '^b$'\nreplacement = \"c\"\n", nil, []string{"lint/overlap"}},
		{"metadata", replace + "metadata = { category = \"azl-temp-workaround\", upstream-status = \"inapplicable\" }\n", nil, []string{"lint/metadata"}},
		{"good metadata", replace + "metadata = { category = \"upstream-backport\", upstream-status = \"upstreamed\", commits = [{ url = \"https://github.com/a/b/commit/0123456789abcdef\" }], bugs = [{ url = \"https://bugzilla.redhat.com/show_bug.cgi?id=12\" }] }\n", nil, []string{}},
		{"links", replace + "metadata = { category = \"upstream-backport\", upstream-status = \"upstreamed\", commits = [{ url = \"https://github.com/a/b\" }], bugs = [{ url = \"https://example.com/search\" }] }\n", nil, []string{"lint/link"}},
		{"names", "", []string{"tide/a:b", "", "tide/Case", "", "tide/case", ""}, []string{"render/file-name"}},
		{"shell names", "", []string{"tide/$(id)", ""}, []string{"render/file-name"}},
		{"lower EVR", ov + "type = \"spec-set-tag\"\ndescription = \"x\"\ntag = \"Version\"\nvalue = \"0.9\"\n", nil, []string{"lint/evr-down"}},
		{"unused source", "\n[[components.tide.source-files]]\nfilename = \"other.tar.gz\"\nhash = \"00\"\nhash-type = \"SHA512\"\norigin = { type = \"download\", uri = \"https://example.com/other.tar.gz\" }\n", nil,
			[]string{"lint/unused-source"}},
		{"used source", "\n[[components.tide.source-files]]\nfilename = \"tide.tar.gz\"\nhash = \"00\"\nhash-type = \"SHA512\"\norigin = { type = \"download\", uri = \"https://example.com/tide.tar.gz\" }\n", nil,
			[]string{}},
	}
	seen := map[string]bool{}
	for _, test := range tests {
		for _, c := range test.want {
			seen[c] = true
		}
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			res := lint.Component(open(t, test.toml, test.files...), lint.Options{Typed: absorb.Typed})
			if d := cmp.Diff(test.want, codes(res.Findings)); d != "" {
				t.Errorf("(-want +got)\n%s\n%v", d, res.Findings)
			}
		})
	}
	elsewhere := []string{"lint/baseline", "lint/unused-template", "lint/old-pin", "lint/name", "lint/due"}
	for _, c := range lint.Codes {
		if !seen[c.ID] && !slices.Contains(elsewhere, c.ID) {
			t.Errorf("no case has the code %s", c.ID)
		}
	}
}

func TestOldPin(t *testing.T) {
	t.Parallel()
	v := open(t, replace)
	v.Result.Config.Spec.UpstreamCommit = "0123456789abcdef"
	for _, older := range []bool{true, false} {
		res := lint.Component(v, lint.Options{Newer: func(*components.Component) (string, bool) { return "fedcba9876543210", older }})
		if got := slices.Contains(codes(res.Findings), "lint/old-pin"); got != older {
			t.Errorf("older %v: %v", older, codes(res.Findings))
		}
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	v := open(t, replace)
	for _, reasons := range []map[int]string{{0: "the day 2026-01-01 has come"}, {}, {7: "no such overlay"}, nil} {
		res := lint.Component(v, lint.Options{Due: func(*review.View) map[int]string { return reasons }})
		i := slices.IndexFunc(res.Findings, func(d diag.Diagnostic) bool { return d.Code == "lint/due" })
		switch want := reasons[0] != ""; {
		case want != (i >= 0):
			t.Errorf("%v: %v", reasons, codes(res.Findings))
		case want && (!strings.Contains(res.Findings[i].Message, reasons[0]) || res.Findings[i].Pos != v.Result.Config.Overlays[0].Pos):
			t.Errorf("%v", res.Findings[i])
		}
	}
}

// TestTyped pastes what the suggestion says and renders it.
func TestTyped(t *testing.T) {
	t.Parallel()
	before := open(t, ov+"type = \"spec-search-replace\"\ndescription = \"A \\\"licence\\\"\"\nregex = '^License: MIT$'\nreplacement = \"License: ISC\"\n")
	res := lint.Component(before, lint.Options{Typed: absorb.Typed})
	table := res.Overlays[0].Suggestion
	if table == "" || !slices.Contains(codes(res.Findings), "lint/typed") {
		t.Fatal("no suggestion")
	}
	after := open(t, "\n"+table+"\n")
	if !bytes.Equal(before.Result.Text(), after.Result.Text()) {
		t.Errorf("the suggestion gives other bytes:\n%s", table)
	}
	if ops := after.Result.Ops; !slices.ContainsFunc(ops, func(op overlay.Op) bool { return op.Step == "" && op.Type != overlay.SearchReplace }) {
		t.Errorf("the suggestion is no typed overlay:\n%s", table)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	res := lint.Component(open(t, replace+"expect = 1\n"), lint.Options{})
	one := 1
	want := []lint.Health{{Component: "tide", Type: "spec-search-replace", File: "azldev.toml", Line: 12, Description: "x", Matched: 1, Expected: &one, Scope: "section %build", Codes: []string{}}}
	if d := cmp.Diff(want, res.Overlays); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	v := open(t, strings.Replace(replace, "section = \"%build\"\n", "", 1))
	for level, want := range map[overlay.Level]string{overlay.LevelOff: "", overlay.LevelError: "error", overlay.LevelWarning: "warning"} {
		res := lint.Component(v, lint.Options{Levels: map[string]overlay.Level{"lint/unscoped": level}})
		got := ""
		if len(res.Findings) > 0 {
			got = res.Findings[0].Severity.String()
		}
		if got != want {
			t.Errorf("%s: got %q", level, got)
		}
	}
}

func TestBaseline(t *testing.T) {
	t.Parallel()
	res := lint.Component(open(t, strings.Replace(replace, "description = \"x\"\n", "", 1)), lint.Options{})
	b := lint.NewBaseline(res.Findings)
	data, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if b, err = lint.ParseBaseline("b.json", data); err != nil {
		t.Fatal(err)
	}
	if left := b.New(res.Findings); len(left) > 0 {
		t.Errorf("known findings are new: %v", left)
	}
	moved := slices.Clone(res.Findings)
	moved[0].Pos.Line += 40
	if left := b.New(moved); len(left) > 0 {
		t.Errorf("a finding is new because its line moved: %v", left)
	}
	if left := b.New(append(moved, moved[0])); len(left) != 1 {
		t.Errorf("a second finding of the kind is not new: %v", left)
	}
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for _, bad := range []string{"", "{}", "[]", `{"schema": 2}`, `{"schema": 1, "x": 1}`, deep, `{"schema": 1, "findings": ` + deep + "}", strings.Repeat(`{"findings":`, 1<<20),
		`{"schema": 1, "findings": [` + strings.Repeat("{},", 500_000) + "{}]}"} {
		if _, err := lint.ParseBaseline("b.json", []byte(bad)); err == nil || !strings.Contains(err.Error(), "lint/baseline") {
			t.Errorf("%.100q: error %v", bad, err)
		}
	}
}

// TestProject looks at what is no component's alone: templates that nobody uses,
// and components that share a directory where case does not count.
func TestProject(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"azldev.toml":              "[project]\ndescription = \"x\"\nrendered-specs-dir = \"specs\"\ndefault-distro = { name = \"d\", version = \"1\" }\n\n[distros.d.versions.1]\nrelease-ver = \"1\"\n\n[components.a]\nspec = { type = \"template\", template = \"used\" }\n[components.A]\nspec = { type = \"template\", template = \"used\" }\n[components.ab]\nspec = { type = \"template\", template = \"used\" }\n",
		"templates/used.spec.tmpl": "Name: a\n", "templates/lone.spec.tmpl": "Name: b\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p, problems := components.Load(components.Options{Dir: dir})
	if p == nil {
		t.Fatal(problems)
	}
	got := lint.Project(p, nil)
	want := map[string]string{"lint/unused-template": "lone", "lint/name": "the components A and a have one directory"}
	for _, d := range got {
		if part, ok := want[d.Code]; !ok || !strings.Contains(d.Message, part) {
			t.Errorf("%s: %s", d.Code, d.Message)
		}
	}
	if len(got) != len(want) {
		t.Errorf("findings: %v (loading: %v)", got, problems)
	}
}

// TestCell holds that nothing in a cell of a table is markup.
func TestCell(t *testing.T) {
	t.Parallel()
	got := lint.Cell("<script>|`x`|\n[a](b) @me #1 \u202eevil\x1b[31m")
	for _, bad := range []string{"<", "\n", "@", "\u202e", "\x1b"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q is in %q", bad, got)
		}
	}
	if strings.Contains(strings.ReplaceAll(got, `\|`, ""), "|") {
		t.Errorf("a bare | is in %q", got)
	}
}

// TestUnscopedHint holds that the hint is one that can be followed: what it says
// to add silences the finding.
func TestUnscopedHint(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ regex, hint, add string }{
		{"^make docs$", `all it matches is in %build: add section = "%build"`, `section = "%build"`},
		{"^%if 0.*", `all it matches is in the preamble: add section = "%preamble"`, `section = "%preamble"`},
		{"^Summary: Tide$", `all it matches are tags of the preamble: use an overlay for tags, or add section = "%preamble"`, `section = "%preamble"`},
		{"^(Tide[.]|make docs)$", "it changes lines of 2 sections: make it one overlay for each, or set expect = 2 when all are meant", "expect = 2"},
	} {
		toml := ov + "type = \"spec-search-replace\"\ndescription = \"x\"\nregex = '" + test.regex + "'\nreplacement = \"x\"\n"
		find := func(toml string) *diag.Diagnostic {
			list := lint.Component(open(t, toml), lint.Options{}).Findings
			for i := range list {
				if list[i].Code == "lint/unscoped" {
					return &list[i]
				}
			}
			return nil
		}
		if d := find(toml); d == nil || d.Hint != test.hint {
			t.Errorf("%s: %+v, want the hint %q", test.regex, d, test.hint)
		}
		if d := find(toml + test.add + "\n"); d != nil {
			t.Errorf("%s with %s: %s", test.regex, test.add, d.Hint)
		}
	}
}
