package plan

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/fedora/distgit/gittest"
	"specgraft/fedora/macro"
	"specgraft/render"
	"specgraft/render/facts"
	"specgraft/render/revision"
)

// specOf is a spec that build-requires something.
func specOf(name, summary, needs string) string {
	text := "Name: " + name + "\nVersion: 1\nRelease: 1\nSummary: " + summary + "\nLicense: MIT\n"
	if needs != "" {
		text += "BuildRequires: " + needs + "\n"
	}
	return text + "%description\nd\n%files\n"
}

// planned is a project in two commits, of which the later one is also the working
// tree, and a planner for it.
func planned(t *testing.T) (pl *Planner, from, to *revision.Revision) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("NOT CHECKED: git is not installed")
	}
	dir := t.TempDir()
	commit := func(files map[string]string) string {
		for name, text := range files {
			path := filepath.Join(dir, name)
			if text == "" {
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		gittest.Run(t, dir, "", "add", "-A")
		gittest.Run(t, dir, "", "commit", "-q", "-m", "x")
		return gittest.Run(t, dir, "", "rev-parse", "HEAD")
	}
	gittest.Run(t, dir, "", "init", "-q", "-b", "main")
	config := "[project]\nrendered-specs-dir = \"specs\"\ndefault-distro = { name = \"d\", version = \"1\" }\n[distros.d.versions.1]\nrelease-ver = \"1\"\n"
	for _, name := range []string{"base", "tool", "words"} {
		config += "[components." + name + "]\nspec = { type = \"local\", path = \"" + name + ".spec\" }\n"
	}
	config += "[components.broken]\nspec = { type = \"local\", path = \"broken.spec\" }\noverlays = [{ type = \"spec-remove-tag\", tag = \"BuildArch\" }]\n"
	first := commit(map[string]string{
		"azldev.toml":              config,
		"base.spec":                specOf("base", "s", ""),
		"tool.spec":                specOf("tool", "s", "base"),
		"words.spec":               specOf("words", "s", "tool"),
		"broken.spec":              specOf("broken", "s", ""),
		"specs/b/base/base.spec":   specOf("base", "s", "gone"),
		"specs/t/tool/tool.spec":   specOf("tool", "s", "base"),
		"specs/w/words/words.spec": specOf("words", "s", "tool"),
		"specs/g/gone/gone.spec":   specOf("gone", "s", ""),
	})
	commit(map[string]string{
		"specs/b/base/base.spec":   specOf("base", "s", ""),
		"specs/w/words/words.spec": "# a comment\n" + specOf("words", "s", "tool"),
		"specs/n/new/new.spec":     specOf("new", "s", ""),
		"specs/g":                  "",
	})
	o := components.Options{Dir: dir}
	p, problems := components.Load(o)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	h, err := revision.Open(t.Context(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	if from, err = h.Resolve(first); err != nil {
		t.Fatal(err)
	}
	if to, err = h.Resolve("HEAD"); err != nil {
		t.Fatal(err)
	}
	l := &facts.Loader{Renderer: &render.Renderer{Project: p, SkipLockValidation: true}, Config: macro.Config{Set: macro.Builtin()}, Cache: &facts.Cache{}}
	t.Cleanup(func() { _ = l.Renderer.Close() })
	return &Planner{Archs: []string{"x86_64"}, Loaders: l.For([]string{"x86_64"})}, from, to
}

func TestPlanner(t *testing.T) {
	t.Parallel()
	pl, from, to := planned(t)
	t.Run("Between", func(t *testing.T) { testBetween(t, pl, from, to) })
	t.Run("WorkingTree", func(t *testing.T) { testWorkingTree(t, pl) })
}

// testBetween plans what two commits have rendered differently, with and without
// what changed in nothing but comments.
func testBetween(t *testing.T, pl *Planner, from, to *revision.Revision) {
	names, err := Rendered(from, to)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"base", "gone", "new", "tool", "words"}, names); d != "" {
		t.Errorf("rendered (-want +got):\n%s", d)
	}
	for name, test := range map[string]struct {
		meaning, users bool
		want           string
	}{
		"all":     {false, false, "base: changed; new: added; words: changed"},
		"meaning": {true, false, "base: changed: base buildrequires: gone; new: added"},
		"users":   {true, true, "base: changed: base buildrequires: gone; new: added; tool: needs base of base"},
	} {
		pl.Meaning = test.meaning
		w, err := pl.Between(t.Context(), from, to, names)
		if err != nil {
			t.Fatal(err)
		}
		made, err := w.Order(t.Context(), test.users, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		var steps []string
		for _, s := range made.Steps {
			steps = append(steps, s.Component+": "+s.Reasons[0].String())
		}
		if got := strings.Join(steps, "; "); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		if made.From != from.ID() || made.To != to.ID() || !cmp.Equal(made.Removed, []string{"gone"}) || len(w.Failed) > 0 {
			t.Errorf("%s: from %s to %s, removed %v, failed %v", name, made.From, made.To, made.Removed, w.Failed)
		}
	}
	if _, err := Rendered(to, from); err != nil {
		t.Errorf("the other way round: %v", err)
	}
}

// testWorkingTree plans chosen components; the graph has the others, but what does
// not render, which is a problem only of who asks for it.
func testWorkingTree(t *testing.T, pl *Planner) {
	evaluated := 0
	pl.Evaluating = func(n int) { evaluated = n }
	w, err := pl.WorkingTree(t.Context(), []string{"words"})
	if err != nil {
		t.Fatal(err)
	}
	if evaluated != 4 || len(w.Set) != 1 || len(w.Failed) != 0 || !cmp.Equal(w.Unrendered, []string{"broken"}) {
		t.Errorf("%d evaluated, chosen %v, failed %v, not rendered %v", evaluated, w.Set, w.Failed, w.Unrendered)
	}
	if d := w.Graph.Dependencies("words"); len(d) != 1 || d[0].To != "tool" {
		t.Errorf("words needs %v", d)
	}
	w, err = pl.WorkingTree(t.Context(), []string{"broken", "tool"})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Failed) != 1 || w.Failed[0].Code != "overlay/no-match" {
		t.Errorf("broken fails with %v", w.Failed)
	}
}
