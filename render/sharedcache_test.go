package render

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/fedora/distgit/gittest"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/render/kept"
)

// A sharedCache is a project of two components whose renderers have one cache.
type sharedCache struct {
	t            *testing.T
	project, dir string
}

func newSharedCache(t *testing.T) *sharedCache {
	t.Helper()
	c := &sharedCache{t, filepath.Join(t.TempDir(), "project"), filepath.Join(t.TempDir(), "cache")}
	rpms := t.TempDir()
	config := `[project]
default-distro = { name = "harbor", version = "1" }
[distros.harbor.versions.1]
release-ver = "1"
default-component-config.spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43" } }
[distros.fedora]
dist-git-base-uri = "file://` + filepath.ToSlash(rpms) + `/$pkg.git"
lookaside-base-uri = "https://lookaside.example/$pkg/$filename"
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
[components.gull]
[components.tern]
`
	for _, name := range []string{"gull", "tern"} {
		repo := gittest.New(t, filepath.Join(rpms, name+".git"))
		spec := "Name: " + name + "\nVersion: 1\nRelease: 1\nSummary: A bird\nLicense: MIT\n\n%description\nA bird.\n\n%changelog\n"
		repo.Commit("f43", 1_700_000_000, nil, gittest.File{Path: name + ".spec", Content: spec}, gittest.File{Path: "unused.txt", Content: "x\n"})
		repo.Flush()
	}
	if err := os.MkdirAll(c.project, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.project, "azldev.toml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return c
}

// renderer is a version of the program.
func (c *sharedCache) renderer(build string) *Renderer {
	c.t.Helper()
	p, problems := components.Load(components.Options{Dir: c.project})
	if err := problems.Err(); err != nil {
		c.t.Fatal(err)
	}
	store, err := fedora.Open(fedora.Options{CacheDir: c.dir})
	if err != nil {
		c.t.Fatal(err)
	}
	r := &Renderer{Project: p, Store: store, CacheDir: c.dir, Build: build}
	c.t.Cleanup(func() { r.Close(); store.Close() })
	return r
}

// run renders into a tree and returns which components changed, and the files of
// the tree with their sizes.
func (c *sharedCache) run(r *Renderer, tree string) (changed, files string) {
	c.t.Helper()
	return c.runWith(r, tree, RunOptions{})
}

func (c *sharedCache) runWith(r *Renderer, tree string, opt RunOptions) (changed, files string) {
	c.t.Helper()
	out, err := OpenOutput(tree, OutputOptions{})
	if err != nil {
		c.t.Error(err)
		return "", ""
	}
	r.Run(c.t.Context(), out, r.Project.Names(), opt, func(o *Outcome) {
		if o.Status != OK {
			c.t.Errorf("%s: %s", o.Component, o.Error)
		}
		if o.Changed {
			changed += o.Component + " "
		}
	})
	out.Close()
	list, err := filepath.Glob(filepath.Join(tree, "?", "*", "*"))
	if err != nil {
		c.t.Error(err)
	}
	for _, f := range list {
		data, err := os.ReadFile(f)
		if err != nil {
			c.t.Error(err)
		}
		files += fmt.Sprintf("%s %d\n", filepath.Base(f), len(data))
	}
	return changed, files
}

// TestTwoVersions has two versions of the program, of which one renders something
// else, on one cache and one tree. Each has to know that the tree is not as it would
// write it when the other one was there, and must not take the other's results.
func TestTwoVersions(t *testing.T) {
	t.Parallel()
	c := newSharedCache(t)
	tree := filepath.Join(t.TempDir(), "specs")
	_, right := c.run(c.renderer("2"), filepath.Join(t.TempDir(), "specs"))
	if strings.Count(right, "\n") != 2 {
		t.Fatalf("rendered %q", right)
	}
	// keep has version 1 keep what it came to by a mistake, and demands that
	// nothing of it was kept.
	old := c.renderer("1")
	keep := func() {
		was := old.openResults()
		defer was.Close()
		for _, name := range old.Project.Names() {
			sum, ok := old.Inputs(t.Context(), name)
			commit, err := old.Store.Resolve(t.Context(), fedora.Request{URL: c.url(old, name), Branch: "f43"})
			if !ok || err != nil {
				t.Fatalf("%s: the inputs are known: %v, %v", name, ok, err)
			}
			in := &kept.Inputs{Sum: sum, Commit: commit}
			if was.Get(name, in) != nil {
				t.Errorf("%s of version 1 is kept", name)
			}
			was.Put(name, in, []*overlay.File{overlay.NewFile(name+".spec", 0o644, []byte("wrong\n"), nil)}, nil)
		}
	}
	const both, wrong = "gull tern ", "gull.spec 6\ntern.spec 6\n"
	for i, step := range []struct{ version, changed, files string }{
		{"1", both, wrong},
		{"1", "", wrong},
		{"2", both, right},
		{"2", "", right},
		{"1", both, wrong},
		{"2", both, right},
	} {
		if step.version == "1" && step.changed != "" {
			keep()
		}
		time.Sleep(60 * time.Millisecond) // more than a tick: what was written before is believed
		if changed, files := c.run(c.renderer(step.version), tree); changed != step.changed || files != step.files {
			t.Errorf("step %d: version %s changed %q to\n%s", i, step.version, changed, files)
		}
	}
}

func (c *sharedCache) url(r *Renderer, name string) string {
	comp, _ := r.Project.Component(name)
	u, _ := r.Project.Upstream(comp)
	return u.URL
}

// TestTwoRunsAtOnce has runs with one cache at the same time, of which two render
// something else: each tree is right every time. A tree that is being written is
// nobody else's.
func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	c := newSharedCache(t)
	settings := []func(*Renderer){
		func(*Renderer) {},
		func(r *Renderer) { r.Unfiltered = true },
		func(r *Renderer) { r.Build = "other"; r.Unfiltered = true },
	}
	rendered := func(set func(*Renderer), tree string) (string, string) {
		r := c.renderer("one")
		set(r)
		return c.run(r, tree)
	}
	var want []string
	for _, set := range settings {
		_, files := rendered(set, filepath.Join(t.TempDir(), "specs"))
		want = append(want, files)
	}
	if want[0] == want[1] {
		t.Fatal("the runs do not differ")
	}
	if err := os.RemoveAll(c.dir); err != nil {
		t.Fatal(err)
	}
	var runs sync.WaitGroup
	for i, set := range settings {
		tree := filepath.Join(t.TempDir(), "specs")
		runs.Go(func() {
			for round := range 4 {
				changed, files := rendered(set, tree)
				if files != want[i] || round > 0 && changed != "" {
					t.Errorf("run %d, round %d: changed %q, files\n%s", i, round, changed, files)
				}
			}
		})
	}
	runs.Wait()
	tree := filepath.Join(t.TempDir(), "specs")
	out, err := OpenOutput(tree, OutputOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := OpenOutput(tree, OutputOptions{}); !diag.HasCode(err, "render/output-locked") {
		t.Errorf("a second run of the same tree: %v", err)
	}
}

// TestVerifyKeeps holds that a run that verifies everything writes nothing where
// nothing changed, and what was damaged anew.
func TestVerifyKeeps(t *testing.T) {
	t.Parallel()
	c := newSharedCache(t)
	tree := filepath.Join(t.TempDir(), "specs")
	run := func(opt RunOptions) {
		t.Helper()
		r := c.renderer("1")
		c.runWith(r, tree, opt)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	state := func() map[string]os.FileInfo {
		all := map[string]os.FileInfo{}
		err := filepath.WalkDir(c.dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				all[path], err = d.Info()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	same := func(before, now map[string]os.FileInfo) (changed []string) {
		for path, st := range now {
			if was := before[path]; was == nil || !os.SameFile(was, st) || !was.ModTime().Equal(st.ModTime()) {
				changed = append(changed, path)
			}
		}
		return changed
	}
	run(RunOptions{})
	time.Sleep(60 * time.Millisecond) // more than a tick
	run(RunOptions{})
	before := state()
	run(RunOptions{Verify: true})
	run(RunOptions{Verify: true, Check: true})
	if changed := same(before, state()); len(changed) > 0 {
		t.Errorf("written anew though nothing changed: %q", changed)
	}
	packs, _ := filepath.Glob(filepath.Join(c.dir, kept.Dir, "*"))
	if len(packs) != 1 {
		t.Fatalf("packs: %q", packs)
	}
	data, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(packs[0], []byte(strings.Replace(string(data), "Name: gull", "Name: bull", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	run(RunOptions{Verify: true})
	if changed := same(before, state()); len(changed) != 2 {
		t.Errorf("written anew: %q, want the damaged pack and one in its place", changed)
	}
	if err := os.RemoveAll(tree); err != nil {
		t.Fatal(err)
	}
	if _, files := c.run(c.renderer("1"), tree); strings.Count(files, "\n") != 2 {
		t.Errorf("rendered %q", files)
	}
	for _, name := range []string{"gull", "tern"} {
		if data, err := os.ReadFile(filepath.Join(tree, ComponentDir(name), name+".spec")); err != nil || !strings.Contains(string(data), "Name: "+name+"\n") {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}
