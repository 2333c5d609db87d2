package pin_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/components/pin"
	"specgraft/overlay/diag"
)

const (
	one = "1111111111111111111111111111111111111111"
	two = "2222222222222222222222222222222222222222"
)

// project loads a project with three upstream components, one of them pinned by
// hand, one from a source package and a local one. files come on top.
func project(t *testing.T, files map[string]string) *components.Project {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{
		"azldev.toml": `includes = ["base/upstream-commits/*.toml", "comps.toml"]
[project]
default-distro = { name = "harbor", version = "1" }
[project.specgraft]
profile = "azldev-1.0-without-lockfile"
[distros.harbor.versions.1]
release-ver = "1"
[distros.harbor.versions.1.default-component-config]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43" } }
[distros.fedora]
dist-git-base-uri = "https://git.example/$pkg.git"
lookaside-base-uri = "https://files.example/$pkg/$filename/$hash"
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
`,
		"comps.toml": `[components.a]
[components.'b++']
[components.hand]
spec = { upstream-commit = "` + one + `" }
[components.own]
spec = { type = "local", path = "own.spec" }
`,
		"own.spec": "Name: own\n",
	}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p, problems := components.Load(components.Options{Dir: dir, Permissive: true})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

// upstream answers with a commit for each component; "" is a failure.
type upstream map[string]string

func (u upstream) plan(t *testing.T, p *components.Project, names ...string) (*pin.Update, diag.List) {
	t.Helper()
	var mu sync.Mutex
	prune := len(names) == 0
	if prune {
		names = p.Names()
	}
	var done []int
	up, problems := pin.Plan(t.Context(), p, pin.Options{Names: names, Prune: prune, Jobs: 3,
		Resolve: func(_ context.Context, c *components.Component, at distro.Upstream) (string, error) {
			if at.Commit != "" {
				t.Errorf("%s: upstream is asked with the pin %s in hand", c.Name, at.Commit)
			}
			if u[c.Name] == "" {
				return "", errors.New("there is no such branch")
			}
			return u[c.Name], nil
		},
		Done: func(n int) { mu.Lock(); done = append(done, n); mu.Unlock() }})
	if slices.Sort(done); len(done) != len(names) || len(done) > 0 && done[len(done)-1] != len(names) {
		t.Errorf("progress %v for %d components", done, len(names))
	}
	return up, problems
}

func describe(up *pin.Update) []string {
	var out []string
	for i := range up.Pins {
		c := &up.Pins[i]
		s := fmt.Sprintf("%s %.1s>%.1s", c.Component, c.Old, c.New)
		switch {
		case c.Removed:
			s += " removed"
		case c.Skipped != "":
			s += " skipped: " + c.Skipped
		case c.Stale():
			s += " stale"
		}
		out = append(out, s)
	}
	return out
}

func text(name, commit string) string { return string(components.Pin(name, commit)) }

func TestPlan(t *testing.T) {
	t.Parallel()
	all := upstream{"a": two, "b++": two, "hand": two}
	const dir = "base/upstream-commits/"
	for _, test := range []struct {
		name  string
		files map[string]string
		up    upstream
		names []string
		want  []string
		codes []string
	}{
		{name: "nothing pinned yet", up: all, want: []string{"a >2 stale", "b++ >2 stale", "hand >2 stale", "own > skipped: not taken from upstream"}},
		{name: "up to date, moved", files: map[string]string{dir + "a.toml": text("a", two), dir + "b++.toml": text("b++", one)}, up: all,
			want: []string{"a 2>2", "b++ 1>2 stale", "hand >2 stale", "own > skipped: not taken from upstream"}},
		{name: "other bytes, same commit", files: map[string]string{dir + "a.toml": "[components.a]\nspec.upstream-commit = '" + two + "'\n"}, up: all, names: []string{"a"},
			want: []string{"a 2>2 stale"}},
		{name: "written by hand wins at load, and is not asked for", files: map[string]string{dir + "hand.toml": text("hand", two)}, up: all, names: []string{"hand"}, want: []string{"hand 2>2"}},
		{name: "a local component loses its file", files: map[string]string{dir + "own.toml": "[components.own.spec]\n"}, up: all, names: []string{"own"}, want: []string{"own > removed"}},
		{name: "orphans go, hidden files and directories stay", files: map[string]string{dir + "gone.toml": text("gone", one), dir + ".hidden.toml": "", dir + "notes.txt": "x", dir + "deep/x.toml": ""}, up: all,
			want: []string{"a >2 stale", "b++ >2 stale", "hand >2 stale", "own > skipped: not taken from upstream", "gone 1> removed"}},
		{name: "one fails: the others are kept, nothing is pruned", files: map[string]string{dir + "gone.toml": text("gone", one)}, up: upstream{"a": two, "hand": two},
			want: []string{"a >2 stale", "b++ >", "hand >2 stale", "own > skipped: not taken from upstream"}, codes: []string{"pin/unresolved"}},
		{name: "named ones prune nothing", files: map[string]string{dir + "gone.toml": text("gone", one)}, up: all, names: []string{"a"}, want: []string{"a >2 stale"}},
		{name: "a source package has no commit", files: map[string]string{"comps.toml": "[components.a]\nspec = { type = \"upstream\", source = \"srpm\", srpm = \"https://repo.example/a-1-1.src.rpm\" }\n"}, up: all, names: []string{"a"},
			want: []string{"a > skipped: taken from a source package, which has no commit"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := project(t, test.files)
			up, problems := test.up.plan(t, p, test.names...)
			if d := cmp.Diff(test.want, describe(up)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			var codes []string
			for _, d := range problems {
				codes = append(codes, d.Code)
				if d.Component == "" || d.Pos.Filename == "" {
					t.Errorf("%v names no component or place", d)
				}
			}
			if !slices.Equal(codes, test.codes) {
				t.Errorf("problems %v, want %v", problems, test.codes)
			}
		})
	}
}

// TestPlanInterrupted holds that an ended context leaves nothing to write.
func TestPlanInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	up, problems := pin.Plan(ctx, project(t, nil), pin.Options{Names: []string{"a"}, Resolve: func(context.Context, *components.Component, distro.Upstream) (string, error) {
		return one, nil
	}})
	if len(up.Stale()) > 0 || !problems.HasErrors() || !problems[0].Env {
		t.Errorf("%v, %v", up.Stale(), problems)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	const dir = "base/upstream-commits/"
	p := project(t, map[string]string{dir + "a.toml": text("a", two), dir + "gone.toml": text("gone", one), dir + ".specgraft-pin-b++": "half"})
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(p.PinPath("a"), old, old); err != nil {
		t.Fatal(err)
	}
	all := upstream{"a": two, "b++": two, "hand": one}
	up, problems := all.plan(t, p)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	if err := up.Write(); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	entries, err := os.ReadDir(p.PinsDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(p.PinsDir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(data)
		if info, _ := e.Info(); e.Name() != "a.toml" && info.Mode().Perm() != 0o644 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
	if d := cmp.Diff(map[string]string{"a.toml": text("a", two), "b++.toml": text("b++", two), "hand.toml": text("hand", one)}, files); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if info, err := os.Stat(p.PinPath("a")); err != nil || !info.ModTime().Equal(old) {
		t.Errorf("a file that is as it should be was written: %v, %v", info.ModTime(), err)
	}
	if again, _ := all.plan(t, p); len(again.Stale()) != 0 {
		t.Errorf("a second run would change %v", again.Stale())
	}
	// The bytes are azldev's: the name quoted where TOML needs it.
	if want := `# This file was generated by 'azldev component refresh-upstream-commit'
# Do not edit this file, changes will be lost
# For more details see 'azldev component refresh-upstream-commit --help'
[components]
[components.'b++']
[components.'b++'.spec]
upstream-commit = '` + two + "'\n"; files["b++.toml"] != want {
		t.Errorf("got\n%s\nwant\n%s", files["b++.toml"], want)
	}
}

// TestWriteBad holds that nothing is half written.
func TestWriteBad(t *testing.T) {
	t.Parallel()
	code := func(err error) string {
		if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
			return d.Code
		}
		return fmt.Sprint(err)
	}
	t.Run("a directory in the place of a file", func(t *testing.T) {
		t.Parallel()
		p := project(t, map[string]string{"base/upstream-commits/b++.toml/x": ""})
		up, problems := upstream{"a": two, "b++": two, "hand": one}.plan(t, p)
		if len(problems) != 1 || problems[0].Code != "pin/unreadable" || problems[0].Component != "b++" {
			t.Errorf("problems %v", problems)
		}
		if err := up.Write(); err != nil {
			t.Error(err)
		}
		if data, err := os.ReadFile(p.PinPath("hand")); err != nil || string(data) != text("hand", one) {
			t.Errorf("the others are not written: %v", err)
		}
	})
	t.Run("a link in the place of a file", func(t *testing.T) {
		t.Parallel()
		p := project(t, map[string]string{"precious.toml": "x = 1\n", "base/upstream-commits/a.toml": text("a", one)})
		if err := os.Remove(p.PinPath("a")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../../precious.toml", p.PinPath("a")); err != nil {
			t.Skip(err)
		}
		_, problems := upstream{"a": two}.plan(t, p, "a")
		if len(problems) != 1 || problems[0].Code != "pin/unreadable" {
			t.Errorf("problems %v", problems)
		}
		if data, _ := os.ReadFile(filepath.Join(p.Dir, "precious.toml")); string(data) != "x = 1\n" {
			t.Errorf("the link was followed: %q", data)
		}
	})
	t.Run("a link out of the project", func(t *testing.T) {
		t.Parallel()
		p := project(t, nil)
		outside := t.TempDir()
		if err := os.Symlink(outside, filepath.Join(p.Dir, "pins")); err != nil {
			t.Skip(err)
		}
		p.PinsDir = filepath.Join(p.Dir, "pins", "deep")
		ch, err := pin.Set(p, "a", two)
		if err != nil {
			t.Fatal(err)
		}
		if got := code(pin.NewUpdate(p, []pin.Change{ch}).Write()); got != "config/outside" {
			t.Errorf("%s, want config/outside", got)
		}
		if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
			t.Errorf("outside there is %v, %v", entries, err)
		}
	})
	t.Run("a file in the place of the directory", func(t *testing.T) {
		t.Parallel()
		p := project(t, map[string]string{"base/pins": "x"})
		p.PinsDir = filepath.Join(p.Dir, "base", "pins")
		if _, problems := (upstream{"a": two, "b++": two, "hand": two}).plan(t, p); !problems.HasErrors() {
			t.Error("nothing is wrong with it")
		}
	})
	t.Run("a name that leads elsewhere", func(t *testing.T) {
		t.Parallel()
		p := project(t, nil)
		ch, err := pin.Set(p, "a", two)
		if err != nil {
			t.Fatal(err)
		}
		bad := ch
		bad.Component = "../a"
		err = pin.NewUpdate(p, []pin.Change{ch, bad}).Write()
		if code(err) != "pin/write" || !strings.Contains(err.Error(), "not a file name") {
			t.Error(err)
		}
		if entries, err := os.ReadDir(p.PinsDir); err != nil || len(entries) > 0 {
			t.Errorf("half is written: %v, %v", entries, err)
		}
	})
}
