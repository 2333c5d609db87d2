package components

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const selectProject = `-- azldev.toml --
[project]
default-distro = { name = "d", version = "1" }
[distros.d.versions.1]
mock-config = "m.cfg"
[components.alpha]
[components.beta]
[components.beta-tools]
[components.local]
spec = { type = "local", path = "specs/local/local.spec" }
[component-groups.named]
components = ["beta"]
[component-groups.globbed]
components = ["alpha"]
specs = ["specs/*/*.spec"]
excluded-paths = ["specs/old/**"]
default-component-config.build.with = ["globbed"]
[component-groups.also]
specs = ["specs/two/two.spec"]
default-component-config.build.with = ["also"]
-- specs/local/local.spec --
Name: local
-- specs/one/one.spec --
Name: one
-- specs/two/two.spec --
Name: two
-- specs/old/gone.spec --
Name: gone
-- other/adhoc.spec --
Name: adhoc
`

func TestSelect(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, selectProject)
	in := func(path string) string { return filepath.Join(p.Dir, path) }
	for _, tc := range []struct {
		name string
		sel  Selector
		want string
		errs []string
	}{
		{"all", Selector{All: true}, "alpha beta beta-tools local one two", nil},
		{"name", Selector{Names: []string{"beta"}}, "beta", nil},
		{"found by a glob", Selector{Names: []string{"one"}}, "one", nil},
		{"pattern", Selector{Names: []string{"b*", "?ne"}}, "beta beta-tools one", nil},
		{"pattern without match", Selector{Names: []string{"x*"}}, "", nil},
		{"bad pattern", Selector{Names: []string{"[b"}}, "", []string{`component pattern "[b" is not valid`}},
		{"group of names", Selector{Groups: []string{"named"}}, "beta", nil},
		{"group of names and globs", Selector{Groups: []string{"globbed"}}, "alpha local one two", nil},
		{"union", Selector{Names: []string{"alpha"}, Groups: []string{"named"}}, "alpha beta", nil},
		{"spec path", Selector{SpecPaths: []string{in("specs/local/local.spec")}}, "local", nil},
		{"spec path of a found one", Selector{SpecPaths: []string{in("specs/one/one.spec")}}, "one", nil},
		{"spec path of no component", Selector{SpecPaths: []string{in("other/adhoc.spec")}}, "adhoc", nil},
		{"spec path missing", Selector{SpecPaths: []string{in("no.spec")}}, "", []string{in("no.spec") + ": no such file or directory"}},
		{"unknown name", Selector{Names: []string{"alhpa", "zzz", "beta"}}, "beta", []string{`there is no component "alhpa"`, `there is no component "zzz"`}},
		{"unknown group", Selector{Groups: []string{"name"}}, "", []string{`there is no component group "name"`}},
		{"excluded", Selector{Names: []string{"gone"}}, "", []string{`there is no component "gone"`}},
		{"nothing", Selector{}, "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, diags := p.Select(tc.sel)
			if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			var errs []string
			for _, d := range diags {
				errs = append(errs, d.Message)
			}
			if diff := cmp.Diff(tc.errs, errs); diff != "" {
				t.Errorf("errors (-want +got)\n%s", diff)
			}
		})
	}
	_, diags := p.Select(Selector{Names: []string{"alhpa"}})
	if diags[0].Hint != `did you mean "alpha"?` {
		t.Errorf("hint %q", diags[0].Hint)
	}
}

// TestSpecPathRelative selects by a path relative to the working directory,
// which must not lose the group's defaults.
func TestSpecPathRelative(t *testing.T) {
	p := mustLoad(t, selectProject)
	t.Chdir(filepath.Join(p.Dir, "specs"))
	names, diags := p.Select(Selector{SpecPaths: []string{"one/one.spec"}})
	if len(names) != 1 || diags != nil {
		t.Fatal(names, diags)
	}
	c, diags := p.Component(names[0])
	if diags != nil || !cmp.Equal(c.Build.With, []string{"globbed"}) {
		t.Errorf("%v, build.with = %v", diags, c.Build.With)
	}
}

// TestTwoGlobs: a spec that two groups find inherits from both, in the order
// of their names.
func TestTwoGlobs(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, selectProject)
	c, diags := p.Component("two")
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"also", "globbed"}, c.Build.With); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if c.Spec.Type != "local" || c.Spec.Path != filepath.Join(p.Dir, "specs/two/two.spec") || c.Dir != filepath.Join(p.Dir, "specs/two") {
		t.Errorf("%+v in %s", c.Spec, c.Dir)
	}
	strict := p.StrictAzldev()
	if len(strict) < 1 || strict.HasErrors() {
		t.Errorf("strict: %v", strict)
	}
}

// TestConcurrent resolves all components from several goroutines.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, selectProject)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, name := range p.Names() {
				c, diags := p.Component(name)
				if c == nil || diags.HasErrors() {
					t.Error(diags)
					continue
				}
				if _, ok := c.Origin("build.with"); ok && name == "beta" {
					t.Error("beta has build.with")
				}
				p.View(c)
			}
		})
	}
	wg.Wait()
}

const overlayProject = `-- azldev.toml --
[project]
default-distro = { name = "d", version = "1" }
[distros.d.versions.1]
[components.c]
overlay-files = ["z/2.toml", "**/*.over", "z/2.toml"]
[[components.c.overlays]]
type = "spec-add-tag"
tag = "inline"
value = "1"
[components.broken]
overlay-files = ["broken.toml"]
[components.fine]
-- z/2.toml --
META
TAG:two
-- a/b.over --
META
TAG:b
[[overlays]]
type = "file-add"
file = "x"
source = "x"
-- c/a.over --
META
TAG:a
-- broken.toml --
META
[[overlays]]
type = "bogus"
`

// TestOverlayFiles checks order, what paths refer to, and that a broken
// document fails its own component alone.
func TestOverlayFiles(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(overlayProject, "META", "[metadata]\ncategory = \"azl-pruning\"\nupstream-status = \"unknown\"")
	for _, tag := range []string{"two", "a", "b"} {
		text = strings.ReplaceAll(text, "TAG:"+tag+"\n", "[[overlays]]\ntype = \"spec-add-tag\"\ntag = \""+tag+"\"\nvalue = \"1\"\n")
	}
	p := mustLoad(t, text)
	c, diags := p.Component("c")
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	var tags []string
	for _, op := range c.Overlays {
		tags = append(tags, op.Tag+op.File)
		if op.File != "" && op.Source != filepath.Join(p.Dir, "a", "x") {
			t.Errorf("source is %s", op.Source)
		}
		if op.Layer == layerDocument && (op.Metadata == nil || op.Metadata.Category != "azl-pruning") {
			t.Errorf("%s has no metadata", op.Tag)
		}
	}
	// Matches are sorted by base name: a.over before b.over.
	if diff := cmp.Diff([]string{"inline", "two", "a", "b", "x"}, tags); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if o, ok := c.Origin("overlays[4].source"); !ok || o.Layer != "overlay file" || o.Pos.Filename != "a/b.over" {
		t.Errorf("origin %+v", o)
	}
	if _, diags := p.Component("broken"); len(diags) != 1 || diags[0].Component != "broken" || diags[0].Pos.Filename != "broken.toml" {
		t.Errorf("broken: %v", diags)
	}
	if _, diags := p.Component("fine"); diags != nil {
		t.Errorf("fine: %v", diags)
	}
}

// TestConfinement follows symbolic links: nothing outside the repository may
// be read through one.
func TestConfinement(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	dir := filepath.Join(top, "repo", "project")
	outside := filepath.Join(top, "outside")
	write(t, filepath.Join(outside, "secret.toml"), "[components.leaked]\n")
	write(t, filepath.Join(outside, "secret"), "s\n")
	write(t, filepath.Join(top, "repo", "shared", "ok.toml"), "[components.shared]\n")
	write(t, filepath.Join(dir, FileName), `includes = ["link.toml", "dir/secret.toml", "../shared/ok.toml", "*.comp.toml"]
[project]
default-distro = { name = "d", version = "1" }
rendered-specs-dir = "dir/specs"
[distros.d.versions.1]
[components.a]
overlays = [{ type = "file-add", file = "x", source = "dir/secret" }]
[components.b]
overlays = [{ type = "file-add", file = "x", source = "dangling" }]
`)
	for link, target := range map[string]string{"link.toml": "../../outside/secret.toml", "glob.comp.toml": filepath.Join(outside, "secret.toml"), "dir": "../../outside", "dangling": "../../outside/not-there"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(top, "repo", ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	p, diags := Load(Options{Dir: dir})
	var got []string
	for _, d := range p.CheckAll(diags) {
		if d.Code != "config/outside" {
			t.Errorf("unexpected: %v", d.Error())
		}
		got = append(got, d.Pos.String())
	}
	want := []string{"azldev.toml:1:13", "azldev.toml:1:26", "azldev.toml:1:66", "azldev.toml:4:22", "azldev.toml:7:55", "azldev.toml:9:55"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "shared"}, p.Names()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if p.Root != filepath.Join(top, "repo") {
		t.Errorf("root is %s", p.Root)
	}
	_, diags = Load(Options{Dir: dir, AllowOutside: true})
	for _, d := range diags {
		if d.Code == "config/outside" {
			t.Errorf("allowed, but: %v", d.Error())
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, FileName), "")
	write(t, filepath.Join(dir, "a", "b", "file"), "")
	for _, from := range []string{dir, filepath.Join(dir, "a"), filepath.Join(dir, "a", "b")} {
		if got, err := Find(from); got != dir || err != nil {
			t.Errorf("from %s: %s, %v", from, got, err)
		}
	}
	p, diags := Load(Options{Dir: filepath.Join(dir, "no", "such")})
	if p != nil || !diags.HasErrors() || diags[0].Code != "config/no-project" {
		t.Errorf("%v", diags)
	}
}

// TestPermissive: unknown keys are ignored, and rules of the whole
// configuration only warn.
func TestPermissive(t *testing.T) {
	t.Parallel()
	text := "-- azldev.toml --\nunknown = 1\n[components.a]\nspec = { typ = 1 }\n[component-groups.g]\ncomponents = [\"b\"]\n"
	if _, diags := load(t, text, Options{}); len(diags) != 3 {
		t.Errorf("strict: %v", diags)
	}
	_, diags := load(t, text, Options{Permissive: true})
	if diags.HasErrors() || len(diags) != 1 {
		t.Errorf("permissive: %v", diags)
	}
	_, diags = load(t, "-- azldev.toml --\n[components.a]\nspec = { type = \"x\" }\n", Options{Permissive: true})
	if !diags.HasErrors() {
		t.Error("rules of one file are errors always")
	}
}

// TestNoDistro: a default distribution without version is one problem of the
// selection, whatever is selected.
func TestNoDistro(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, "-- azldev.toml --\n[project]\ndefault-distro = { name = \"d\" }\n[distros.d]\n[components.a]\n[components.b]\n")
	for _, s := range []Selector{{All: true}, {Names: []string{"a", "b"}}} {
		if _, diags := p.Select(s); len(diags) != 1 || diags[0].Code != "config/no-distro" || diags[0].Pos.Line != 2 {
			t.Errorf("%+v: %v", s, diags)
		}
	}
}

// TestPermissiveMetadata: overlays are kept when their metadata is bad.
func TestPermissiveMetadata(t *testing.T) {
	t.Parallel()
	for _, meta := range []string{"", "[metadata]\ncategory = \"x\"\nupstream-status = \"unknown\"\n"} {
		text := "-- azldev.toml --\n" + distroA + "[components.c]\noverlay-files = [\"o.toml\"]\n-- o.toml --\n" + meta + overlayText("1")
		p, _ := load(t, text, Options{Permissive: true})
		c, diags := p.Component("c")
		if diags.HasErrors() || len(diags) != 1 || len(c.Overlays) != 1 || c.Overlays[0].Metadata != nil {
			t.Errorf("%q: %v %+v", meta, diags, c.Overlays)
		}
		p, _ = load(t, text, Options{})
		if _, diags := p.Component("c"); !diags.HasErrors() {
			t.Errorf("%q: no error", meta)
		}
	}
}

func TestStrictExtensions(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, `-- azldev.toml --
[project]
default-distro = { name = "d", version = "1" }
specgraft.history = "none"
[distros.d.versions.1]
mock-config = "m.cfg"
[components.c]
release.calculation = "smart"
spec = { type = "upstream", source = "srpm" }
overlays = [{ type = "spec-append-lines", section = "%preamble", lines = ["x"], branch = 1 }]
`)
	var got []string
	for _, d := range p.StrictAzldev() {
		got = append(got, d.Pos.String()+" "+d.Code)
	}
	want := []string{
		"azldev.toml:3:1 config/extension", "azldev.toml:7:23 config/extension", "azldev.toml:8:29 config/extension",
		"azldev.toml:9:53 config/extension", "azldev.toml:9:81 config/extension",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestSelectCodes pins the codes of mistakes in selectors.
func TestSelectCodes(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, selectProject)
	_, diags := p.Select(Selector{Names: []string{"[b", "nobody"}, Groups: []string{"nobody"}, SpecPaths: []string{filepath.Join(p.Dir, "nobody.spec"), p.Dir}})
	var got []string
	for _, d := range diags {
		got = append(got, d.Code)
	}
	if diff := cmp.Diff([]string{"config/bad-pattern", "config/unknown-component", "config/unknown-group", "config/no-spec", "config/no-spec"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	c, _ := p.Component("local")
	if _, diags := p.Upstream(c); len(diags) != 1 || diags[0].Code != "config/no-upstream" || diags[0].Pos.Line != 9 {
		t.Errorf("upstream of a local component: %v", diags)
	}
	if c, diags := p.Component("nobody"); c != nil || len(diags) != 1 || diags[0].Code != "config/unknown-component" || diags[0].Component != "nobody" {
		t.Errorf("unknown component: %v", diags)
	}
}

// TestUnreadable: what is no regular file is not read, which is a problem of
// the project; one that may not be read is one of the environment.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, FileName), "includes = [\"null.toml\", \"locked.toml\"]\n")
	if err := os.Symlink(os.DevNull, filepath.Join(dir, "null.toml")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "locked.toml"), "")
	if err := os.Chmod(filepath.Join(dir, "locked.toml"), 0); err != nil {
		t.Fatal(err)
	}
	_, diags := Load(Options{Dir: dir, AllowOutside: true})
	n := 1
	if os.Getuid() != 0 {
		n = 2
	}
	if n == 2 && !diags[0].Env {
		t.Errorf("%v", diags)
	}
	if len(diags) != n || diags[n-1].Code != "config/read" || diags[n-1].Env || diags[n-1].Message != "cannot read the file: not a regular file" || diags[n-1].Related[0].Pos.Column != 13 {
		t.Errorf("%v", diags)
	}
}

// TestUpstream fills the address templates.
func TestUpstream(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, `-- azldev.toml --
[project]
default-distro = { name = "d", version = "1" }
[distros.d.versions.1]
default-component-config.spec.upstream-distro = { name = "f", snapshot = "2026-02-24T00:00:00-08:00" }
[distros.f]
default-version = "43"
dist-git-base-uri = "https://git.example/$pkg.git"
mirror-base-uri = ["https://mirror.example/$pkg", "file:///srv/$pkg.git"]
lookaside-base-uri = "https://l.example/$pkg/$filename/$hashtype/$hash/$filename"
[distros.f.versions.43]
dist-git-branch = "f43"
release-ver = "43"
[components.a]
spec = { type = "upstream", upstream-name = "lib a++" }
[components.b]
spec = { type = "upstream", upstream-commit = "0123456", source = "srpm", srpm = "b.src.rpm" }
`)
	c, _ := p.Component("a")
	u, diags := p.Upstream(c)
	if diags != nil {
		t.Fatal(diags)
	}
	got := []string{u.Name, u.URL, u.Mirrors[0], u.Mirrors[1], u.Branch, u.ReleaseVer, u.Version, u.RefVersion, u.Source, u.Snapshot.UTC().String(), u.Lookaside("x y.tar", "SHA512", "00")}
	want := []string{"lib a++", "https://git.example/lib%20a++.git", "https://mirror.example/lib%20a++", "file:///srv/lib%20a++.git", "f43", "43", "43", "", "dist-git",
		"2026-02-24 08:00:00 +0000 UTC", "https://l.example/lib%20a++/x%20y.tar/sha512/00/x%20y.tar"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	c, _ = p.Component("b")
	if u, _ = p.Upstream(c); u.Source != "srpm" || u.SRPM != filepath.Join(p.Dir, "b.src.rpm") || u.Commit != "0123456" {
		t.Errorf("%+v", u)
	}
}
