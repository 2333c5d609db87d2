package components

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"specgraft/components/distro"
	"specgraft/overlay/diag"
)

// load writes the files of a txtar text into a new project and loads it. The
// files "user.toml" and "extra.toml" are the user's and a --config-file.
func load(t *testing.T, text string, opt Options) (*Project, diag.List) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "project")
	for _, f := range txtar.Parse([]byte(text)).Files {
		path := filepath.Join(dir, f.Name)
		switch f.Name {
		case "user.toml":
			path = filepath.Join(filepath.Dir(dir), f.Name)
			opt.UserFile = path
		case "extra.toml":
			path = filepath.Join(filepath.Dir(dir), f.Name)
			opt.ConfigFiles = append(opt.ConfigFiles, path)
		}
		write(t, path, string(f.Data))
	}
	opt.Dir = dir
	return Load(opt)
}

func mustLoad(t *testing.T, text string) *Project {
	t.Helper()
	p, diags := load(t, text, Options{})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

const distroA = "[project]\ndefault-distro = { name = \"d\", version = \"1\" }\n[distros.d.versions.1]\n"

// TestMergeFiles has one case for each row of the table of section merge
// rules: what two files of a project become together. The included file is
// the later one. Each wanted line must be in the dump.
func TestMergeFiles(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, first, second string
		want, not           []string
		err                 string
	}{
		{name: "project: later non-zero value wins",
			first:  "[project]\ndescription = \"one\"\nlog-dir = \"l1\"\n",
			second: "[project]\ndescription = \"two\"\nlog-dir = \"\"\n",
			want:   []string{`description = "two"`, `log-dir = "l1"`}},
		{name: "project: default-distro field by field",
			first:  "[project]\ndefault-distro = { name = \"d\", version = \"1\" }\n[distros.d.versions.1]\n[distros.d.versions.2]\n",
			second: "[project]\ndefault-distro = { version = \"2\" }\n",
			want:   []string{"[project.default-distro]\nname = \"d\"\nversion = \"2\"\n"}},
		{name: "distros: scalars override",
			first:  "[distros.d]\ndescription = \"one\"\ndist-git-base-uri = \"u\"\n",
			second: "[distros.d]\ndescription = \"two\"\n[distros.e]\n",
			want:   []string{"[distros.d]\ndescription = \"two\"\ndist-git-base-uri = \"u\"\n", "[distros.e]\n"}},
		{name: "distros: false does not override",
			first:  "[distros.d]\ndisable-origins = true\n",
			second: "[distros.d]\ndisable-origins = false\n",
			want:   []string{"disable-origins = true"}},
		{name: "distros: repos are replaced by a non-empty list",
			first:  "[distros.d]\nrepos = [{ base-uri = \"a\" }, { base-uri = \"b\" }]\n[distros.e]\nrepos = [{ base-uri = \"e\" }]\n",
			second: "[distros.d]\nrepos = [{ base-uri = \"c\" }]\n[distros.e]\nrepos = []\n",
			want:   []string{"[[distros.d.repos]]\nbase-uri = \"c\"\n", "base-uri = \"e\""},
			not:    []string{`"a"`, `"b"`}},
		{name: "distros: a version is replaced as a whole",
			first:  "[distros.d.versions.1]\nrelease-ver = \"1\"\ndist-git-branch = \"f1\"\n[distros.d.versions.2]\nrelease-ver = \"2\"\n",
			second: "[distros.d.versions.1]\ndist-git-branch = \"g1\"\n[distros.d.versions.3]\nrelease-ver = \"3\"\n",
			want:   []string{"[distros.d.versions.1]\ndist-git-branch = \"g1\"\n", "[distros.d.versions.2]\nrelease-ver = \"2\"\n", "[distros.d.versions.3]\nrelease-ver = \"3\"\n"},
			not:    []string{`release-ver = "1"`}},
		{name: "components: different names join", first: "[components.a]\n", second: "[components.b]\n",
			want: []string{"[components.a]\n", "[components.b]\n"}},
		{name: "test-groups: duplicate", first: "[test-groups.a]\n", second: "[test-groups.a]\n", err: `duplicate test group "a"`},
		{name: "component-groups: duplicate", first: "[component-groups.a]\n", second: "[component-groups.a]\n", err: `duplicate component group "a"`},
		{name: "images: duplicate", first: "[images.a]\n", second: "[images.a]\n", err: `duplicate image "a"`},
		{name: "package-groups: duplicate", first: "[package-groups.a]\n", second: "[package-groups.a]\n", err: `duplicate package group "a"`},
		{name: "test-suites: duplicate", first: "[test-suites.a]\ntype = \"pytest\"\npytest = { working-dir = \"x\" }\n",
			second: "[test-suites.a]\ntype = \"pytest\"\npytest = { working-dir = \"x\" }\n", err: `duplicate test suite "a"`},
		{name: "default-component-config: component rules, lists append",
			first:  "[default-component-config]\nbuild = { with = [\"a\"], defines = { x = \"1\", y = \"1\" } }\nrender = { skip-file-filter = true }\n",
			second: "[default-component-config]\nbuild = { with = [\"b\"], defines = { x = \"2\" } }\nrender = { skip-file-filter = false }\n",
			want:   []string{`with = ["a", "b"]`, `x = "2"`, `y = "1"`, "skip-file-filter = true"}},
		{name: "default-package-config: later non-zero value wins",
			first:  "[default-package-config]\npublish = { rpm-channel = \"a\", debuginfo-channel = \"d\" }\n",
			second: "[default-package-config]\npublish = { rpm-channel = \"b\", debuginfo-channel = \"\" }\n",
			want:   []string{`rpm-channel = "b"`, `debuginfo-channel = "d"`}},
		{name: "tools: later non-zero value wins",
			first:  "[tools.imageCustomizer]\ncontainerTag = \"one\"\n",
			second: "[tools.imageCustomizer]\ncontainerTag = \"two\"\n",
			want:   []string{`containerTag = "two"`}},
		{name: "resources: same name replaces",
			first:  "[resources.rpm-repos.r]\nbase-uri = \"https://a.example\"\ndescription = \"one\"\ndisable-gpg-check = true\n",
			second: "[resources.rpm-repos.r]\nbase-uri = \"https://b.example\"\ndisable-gpg-check = true\n[resources.rpm-repos.s]\nmetalink = \"https://c.example\"\ndisable-gpg-check = true\n",
			want:   []string{"https://b.example", "[resources.rpm-repos.s]"},
			not:    []string{"https://a.example", `"one"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			text := "-- azldev.toml --\nincludes = [\"second.toml\"]\n" + tc.first + "-- second.toml --\n" + tc.second
			p, diags := load(t, text, Options{})
			if tc.err != "" {
				if len(diags) != 1 || diags[0].Message != tc.err || diags[0].Pos.Filename != "second.toml" || diags[0].Related[0].Pos.Filename != FileName {
					t.Errorf("got %v, want %s at the second place", diags, tc.err)
				}
				return
			}
			if err := diags.Err(); err != nil {
				t.Fatal(err)
			}
			dump, err := p.Dump("toml")
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tc.want {
				if !strings.Contains(string(dump), want) {
					t.Errorf("the dump lacks %q:\n%s", want, dump)
				}
			}
			for _, not := range tc.not {
				if strings.Contains(string(dump), not) {
					t.Errorf("the dump has %q:\n%s", not, dump)
				}
			}
		})
	}
}

// TestMergeLayers has one case for each row of the table of field merge rules:
// what a group's defaults and a component become together.
func TestMergeLayers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, lower, upper string
		got                func(c *Component) any
		want               any
	}{
		{"string: upper wins", `spec = { upstream-distro = { version = "1" } }`, `spec = { upstream-distro = { version = "2" } }`,
			func(c *Component) any { return c.Spec.UpstreamDistro.Version }, "2"},
		{"string: empty does not win", `release.calculation = "manual"`, `release.calculation = ""`,
			func(c *Component) any { return c.Release.Calculation }, "manual"},
		{"string: default", ``, ``, func(c *Component) any { return c.Release.Calculation }, "auto"},
		{"bool: upper wins", ``, `render.skip-file-filter = true`, func(c *Component) any { return c.Render.SkipFileFilter }, true},
		{"bool: false does not win", `render.skip-file-filter = true`, `render.skip-file-filter = false`, func(c *Component) any { return c.Render.SkipFileFilter }, true},
		{"bool: check.skip cannot be undone", `build.check = { skip = true, skip_reason = "r" }`, `build.check = { skip = false }`, func(c *Component) any { return []any{c.Build.Check.Skip, c.Build.Check.SkipReason} }, []any{true, "r"}},
		{"nested table: spec", `spec = { type = "upstream" }`, `spec = { type = "upstream", upstream-name = "x" }`,
			func(c *Component) any { return []string{c.Spec.Type, c.Spec.UpstreamName} }, []string{"upstream", "x"}},
		{"nested table: overriding the version keeps the snapshot", `spec.upstream-distro = { name = "f", version = "1", snapshot = "2026-01-01T00:00:00Z" }`, `spec.upstream-distro = { version = "2" }`,
			func(c *Component) any { return c.Spec.UpstreamDistro }, distro.Ref{Name: "f", Version: "2", Snapshot: "2026-01-01T00:00:00Z"}},
		{"nested table: build.check", `build.check = { skip = true, skip_reason = "lower" }`, `build.check.skip_reason = "upper"`, func(c *Component) any { return []any{c.Build.Check.Skip, c.Build.Check.SkipReason} }, []any{true, "upper"}},
		{"nested table: publish", `publish.rpm-channel = "a"`, `publish.srpm-channel = "b"`, func(c *Component) any { return c.Publish }, Publish{RPMChannel: "a", SRPMChannel: "b"}},
		{"list: overlays join, inherited first", `overlays = [{ type = "file-remove", file = "l" }]`, `overlays = [{ type = "file-remove", file = "u" }]`,
			func(c *Component) any { return []string{c.Overlays[0].File, c.Overlays[1].File} }, []string{"l", "u"}},
		{"list: with, without, undefines join without deduplication", `build = { with = ["a"], without = ["b"], undefines = ["c"] }`, `build = { with = ["a"], without = ["x"], undefines = [] }`,
			func(c *Component) any { return [][]string{c.Build.With, c.Build.Without, c.Build.Undefines} }, [][]string{{"a", "a"}, {"b", "x"}, {"c"}}},
		{"list: source-files join", `source-files = [{ filename = "l", origin = { type = "download", uri = "https://x" } }]`, `source-files = [{ filename = "u", origin = { type = "download", uri = "https://x" } }]`,
			func(c *Component) any { return []string{c.SourceFiles[0].Filename, c.SourceFiles[1].Filename} }, []string{"l", "u"}},
		{"map of strings: key by key", `build.defines = { a = "1", b = "1" }`, `build.defines = { b = "2", c = "2" }`,
			func(c *Component) any { return c.Build.Defines }, map[string]string{"a": "1", "b": "2", "c": "2"}},
		{"map of strings: an empty string wins", `build.defines = { a = "1" }`, `build.defines = { a = "" }`,
			func(c *Component) any { return c.Build.Defines }, map[string]string{"a": ""}},
		{"map of tables: whole entries are replaced", `packages = { p = { publish = { rpm-channel = "a", debuginfo-channel = "d" } }, q = { publish.rpm-channel = "q" } }`, `packages = { p = { publish.rpm-channel = "b" } }`,
			func(c *Component) any { return c.Packages }, map[string]Package{"p": {Publish{RPMChannel: "b"}}, "q": {Publish{RPMChannel: "q"}}}},
		{"overlay-files: upper replaces", `overlay-files = ["one.toml"]`, `overlay-files = ["two.toml"]`,
			func(c *Component) any { return len(c.Overlays) }, 2},
		{"overlay-files: inherited", `overlay-files = ["one.toml"]`, ``, func(c *Component) any { return len(c.Overlays) }, 1},
		{"overlay-files: an empty list disables", `overlay-files = ["one.toml"]`, `overlay-files = []`, func(c *Component) any { return len(c.Overlays) }, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			doc := "[metadata]\ncategory = \"azl-pruning\"\nupstream-status = \"unknown\"\n"
			p := mustLoad(t, "-- azldev.toml --\n"+distroA+"[components.c]\n"+tc.upper+
				"\n[component-groups.g]\ncomponents = [\"c\"]\n[component-groups.g.default-component-config]\n"+tc.lower+
				"\n-- one.toml --\n"+doc+overlayText("1")+"-- two.toml --\n"+doc+overlayText("1")+overlayText("2"))
			c, diags := p.Component("c")
			if err := diags.Err(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, tc.got(c)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func overlayText(value string) string {
	return "[[overlays]]\ntype = \"spec-add-tag\"\ntag = \"Vendor\"\nvalue = \"" + value + "\"\n"
}

// TestLayers checks the order of all layers, and of groups by name.
func TestLayers(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, `-- azldev.toml --
[project]
default-distro = { name = "d" }
[distros.d]
default-version = "1"
[distros.d.versions.1.default-component-config.build]
with = ["distro"]
[default-component-config.build]
with = ["project"]
[component-groups.z.default-component-config.build]
with = ["z"]
[component-groups.z]
components = ["c"]
[component-groups.b]
components = ["c"]
default-component-config.build.with = ["b"]
[components.c.build]
with = ["component"]
`)
	c, diags := p.Component("c")
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"distro", "project", "b", "z", "component"}, c.Build.With); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for i, want := range []string{"distro d 1", "project", "group b", "group z", "component"} {
		o, ok := c.Origin("build.with[" + string(rune('0'+i)) + "]")
		if !ok || o.Layer != want || o.Pos.Line == 0 {
			t.Errorf("element %d comes from %+v, want layer %s", i, o, want)
		}
	}
}

// TestPhases checks the order of files: the project, its includes, the user's
// file, files of the command line.
func TestPhases(t *testing.T) {
	t.Parallel()
	text := func(files ...string) string {
		s := ""
		for _, f := range files {
			s += "-- " + f + " --\n"
			if f == FileName {
				s += "includes = [\"inc.toml\"]\n"
			}
			s += "[project]\ndescription = \"" + f + "\"\n"
		}
		return s
	}
	for _, tc := range []struct {
		files []string
		want  string
	}{
		{[]string{FileName, "inc.toml"}, "inc.toml"},
		{[]string{FileName, "inc.toml", "user.toml"}, "user.toml"},
		{[]string{FileName, "inc.toml", "user.toml", "extra.toml"}, "extra.toml"},
	} {
		if p := mustLoad(t, text(tc.files...)); p.Description != tc.want {
			t.Errorf("%v: got %q, want %q", tc.files, p.Description, tc.want)
		}
	}
	p := mustLoad(t, text(FileName, "inc.toml"))
	if got := p.root.Text("project", "default-author-email"); got == "" {
		t.Error("built-in defaults are missing")
	}
	p, _ = load(t, text(FileName, "inc.toml"), Options{NoDefaults: true})
	if got := p.root.Text("project", "default-author-email"); got != "" {
		t.Error("built-in defaults are there although they were left out")
	}
}

// TestIncludes checks globs, diamonds and a file that its own glob matches.
func TestIncludes(t *testing.T) {
	t.Parallel()
	p, diags := load(t, `-- azldev.toml --
includes = ["*.toml", "sub/**/*.comp.toml", "none/*.toml", "{x,y}.inc"]
-- a.toml --
includes = ["shared.toml"]
-- b.toml --
includes = ["shared.toml"]
-- shared.toml --
[components.shared]
-- x.inc --
[components.x]
-- sub/p/q.comp.toml --
[components.q]
-- sub/r.comp.toml --
[components.r]
-- sub/s.toml --
[components.s]
`, Options{})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"q", "r", "shared", "x"}, p.Names()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	strict := p.StrictAzldev()
	if len(strict) != 3 || !strict.HasErrors() || strict[0].Code != "config/azldev" {
		t.Errorf("strict: %v", strict)
	}
}

// TestPaths checks what relative paths refer to.
func TestPaths(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, `-- azldev.toml --
includes = ["sub/a.toml"]
[project]
log-dir = "logs"
-- sub/a.toml --
[project]
rendered-specs-dir = "../specs"
[distros.d.versions.1]
mock-config-x86_64 = "m.cfg"
[project.default-distro]
name = "d"
version = "1"
[components.c]
spec = { type = "local", path = "c/c.spec" }
overlays = [{ type = "file-add", file = "f", source = "files/f" }]
`)
	rel := func(path string) string {
		r, err := filepath.Rel(p.Dir, path)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	c, diags := p.Component("c")
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	got := []string{rel(p.LogDir), rel(p.WorkDir), rel(p.OutputDir), rel(p.LockDir), rel(p.RenderedDir), rel(c.Spec.Path), rel(c.Overlays[0].Source), rel(c.Dir), rel(p.Distros["d"].Versions["1"].MockConfig["x86_64"])}
	want := []string{"logs", "build/work", "out", "locks", "specs", "sub/c/c.spec", "sub/files/f", "sub", "sub/m.cfg"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestReplaced: keys that get lost because a table is replaced as a whole are
// worth a warning of the check, but not of every command.
func TestReplaced(t *testing.T) {
	t.Parallel()
	p, diags := load(t, `-- azldev.toml --
includes = ["b.toml"]
[project]
default-distro = { name = "d", version = "1" }
[distros.d.versions.1]
release-ver = "1"
dist-git-branch = "f1"
[distros.d.versions.2]
release-ver = "2"
-- b.toml --
[distros.d.versions.1]
dist-git-branch = "g1"
[distros.d.versions.2]
release-ver = "3"
`, Options{})
	if diags != nil {
		t.Fatal(diags)
	}
	all := p.CheckAll(diags)
	if len(all) != 1 || all.HasErrors() || all[0].Code != "config/replaced" || all[0].Pos.String() != "b.toml:1:21" || !strings.HasSuffix(all[0].Message, "which loses release-ver") {
		t.Errorf("got %v", all)
	}
}
