package components

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// golden compares got with a file below testdata, or rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "show", name)
	if *update {
		write(t, path, got)
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", path, diff)
	}
}

const showProject = `-- azldev.toml --
includes = ["distro.toml", "comps/*.toml"]
[project]
default-distro = { name = "mine" }

[default-component-config]
build.undefines = ["_debugsource"]
-- distro.toml --
[distros.mine]
default-version = "1"
[distros.mine.versions.1.default-component-config]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43", snapshot = "2026-01-02T03:04:05Z" } }

[distros.fedora]
dist-git-base-uri = "https://example.com/rpms/$pkg.git"
lookaside-base-uri = "https://example.com/$pkg/$filename"
[distros.fedora.versions.43]
dist-git-branch = "f43"
release-ver = "43"
-- comps/a.toml --
[components.plain]

[components.both]
release.calculation = "manual"
overlay-files = ["both.d/*.over"]

[components.both.build]
with = ["docs"]
defines = { vendor = "us" }

[[components.both.overlays]]
type = "spec-set-tag"
tag = "Vendor"
value = "Us"
description = 'say "us"'

[component-groups.quick]
components = ["both"]
default-component-config.build = { with = ["fast"], check = { skip = true, skip_reason = "slow" } }
default-component-config.overlays = [{ type = "spec-append-lines", section = "%install", lines = ["true", "a\nb"] }]

[component-groups.found]
specs = ["local/*.spec"]
default-component-config.render.skip-file-filter = true
-- comps/both.d/1.over --
[metadata]
category = "azl-pruning"
upstream-status = "inapplicable"

[[overlays]]
type = "file-add"
file = "x.conf"
source = "x.conf"
-- comps/local/tool.spec --
Name: tool
`

func TestShow(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, showProject)
	var text strings.Builder
	for _, name := range p.Names() {
		c, diags := p.Component(name)
		if diags != nil {
			t.Fatal(diags)
		}
		v, diags := p.View(c)
		if diags != nil {
			t.Fatal(diags)
		}
		text.Write(v.Text())
		text.WriteString("\n")
		if name != "both" {
			continue
		}
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "both.json", string(b)+"\n")
		// The table of origins and Origin say the same.
		var out struct {
			Origins map[string]viewOrigin
		}
		if err := json.Unmarshal(b, &out); err != nil {
			t.Fatal(err)
		}
		if len(out.Origins) < 20 {
			t.Errorf("only %d origins", len(out.Origins))
		}
		for path, want := range out.Origins {
			if want.Layer == layerBuiltin {
				continue
			}
			o, ok := c.Origin(path)
			if got := toViewOrigin(&o); !ok || got != want {
				t.Errorf("origin of %s: got %+v, want %+v", path, got, want)
			}
		}
	}
	golden(t, "project.txt", text.String())
}

func TestOriginAbsent(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, showProject)
	c, _ := p.Component("both")
	for _, path := range []string{"", "nothing", "build.nothing", "build.with[7]", "overlays[9].tag", "overlays[0].tag", "build.with.x", "spec.type[0]", "[", "[1]", `"`, "overlays[x]"} {
		if o, ok := c.Origin(path); ok && path != "" {
			t.Errorf("%q has the origin %+v", path, o)
		}
	}
}

// TestShowFoundSpec: of a spec that several groups find, the place and the group
// are those of the same pattern.
func TestShowFoundSpec(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, `-- azldev.toml --
[project]
default-distro = { name = "mine", version = "1" }
[distros.mine.versions.1]
[component-groups.b]
specs = ["*/here.spec"]
[component-groups.a]
specs = ["**/*.spec"]
[component-groups.c]
specs = ["nowhere/*.spec"]
components = ["here"]
[components.here]
-- here/here.spec --
`)
	c, diags := p.Component("here")
	if diags != nil {
		t.Fatal(diags)
	}
	v, diags := p.View(c)
	if diags != nil {
		t.Fatal(diags)
	}
	if want := "# azldev.toml:7:10 (group a)"; !strings.Contains(string(v.Text()), want) {
		t.Errorf("no %q in\n%s", want, v.Text())
	}
}

// TestShowRealComponents pins the origin of every value of components that
// inherit in different ways.
func TestShowRealComponents(t *testing.T) {
	t.Parallel()
	p, diags := Load(Options{Dir: corpus(t)})
	if diags != nil {
		t.Fatal(diags)
	}
	var text strings.Builder
	for _, name := range []string{
		"389-ds-base", "SDL3_image", "azurelinux-release", "azurelinux-rpm-config", "bash",
		"glibc", "gnutls", "golang", "kernel", "perl", "rust-nix", "sssd",
	} {
		c, diags := p.Component(name)
		if diags != nil {
			t.Fatal(diags)
		}
		v, diags := p.View(c)
		if diags != nil {
			t.Fatal(diags)
		}
		var out struct{ Origins map[string]viewOrigin }
		b, err := json.Marshal(v)
		if err == nil {
			err = json.Unmarshal(b, &out)
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s %s:%d:%d %s\n", name, c.Pos.Filename, c.Pos.Line, c.Pos.Column, strings.Join(c.Groups, ","))
		var paths []string
		for path := range out.Origins {
			paths = append(paths, path)
		}
		slices.Sort(paths)
		for _, path := range paths {
			o := out.Origins[path]
			fmt.Fprintf(&text, "\t%s %s:%d:%d (%s)\n", path, o.File, o.Line, o.Column, o.Layer)
			if o.Layer == layerBuiltin {
				continue
			}
			// The place must hold what it is said to hold.
			data, err := os.ReadFile(filepath.Join(p.Dir, o.File))
			if err != nil {
				t.Fatal(err)
			}
			line := strings.Split(string(data), "\n")[o.Line-1]
			if rest := line[o.Column-1:]; rest == "" || !strings.ContainsAny(rest[:1], "\"'[{tf0123456789") {
				t.Errorf("%s of %s: no value begins at %s:%d:%d", path, name, o.File, o.Line, o.Column)
			}
		}
	}
	golden(t, "real-origins.txt", text.String())
}

// TestDumpLoadsAgain checks that a dump means what the project means.
func TestDumpLoadsAgain(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, showProject)
	first, err := p.Dump("toml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, p.File, string(first))
	q, diags := Load(Options{Dir: p.Dir})
	if diags != nil {
		t.Fatalf("%v\n%s", diags, first)
	}
	second, err := q.Dump("toml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(first), string(second)); diff != "" {
		t.Errorf("(-first +second)\n%s", diff)
	}
	a, err := p.Dump("json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := q.Dump("json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(a), string(b)); diff != "" {
		t.Errorf("json (-first +second)\n%s", diff)
	}
}

// TestRealDumpLoadsAgain does the same for the real configuration.
func TestRealDumpLoadsAgain(t *testing.T) {
	t.Parallel()
	p, _ := Load(Options{Dir: corpus(t)})
	first, err := p.Dump("toml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, FileName), string(first))
	q, diags := Load(Options{Dir: dir})
	if diags != nil {
		t.Fatal(diags)
	}
	second, err := q.Dump("toml")
	if err != nil {
		t.Fatal(err)
	}
	if string(first) != string(second) {
		t.Error("the dump of the dump differs")
	}
	// Overlays of a dumped component are the same overlays.
	for _, name := range []string{"kernel", "bash", "grub2"} {
		a, _ := p.Component(name)
		b, _ := q.Component(name)
		if len(a.Overlays) != len(b.Overlays) {
			t.Fatalf("%s: %d and %d overlays", name, len(a.Overlays), len(b.Overlays))
		}
		for i := range a.Overlays {
			x, y := a.Overlays[i], b.Overlays[i]
			if x.Type != y.Type || x.Regex != y.Regex || x.Replacement != y.Replacement || !slices.Equal(x.Lines, y.Lines) || x.Value != y.Value {
				t.Errorf("%s: overlay %d differs", name, i)
			}
		}
	}
}
