package render_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/overlay/diag"
	"specgraft/render"
)

var update = flag.Bool("update", false, "rewrite the expected tree of the example distribution")

const example = "../testdata/example"

// openExample loads the example distribution with an empty cache of its own.
func openExample(t testing.TB, dir string) *render.Renderer {
	t.Helper()
	p, problems := components.Load(components.Options{Dir: dir})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	store, err := fedora.Open(fedora.Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return &render.Renderer{Project: p, Store: store}
}

// renderInto renders all components of a project into a directory and returns
// what went wrong, by component.
func renderInto(t testing.TB, r *render.Renderer, dir string, jobs int) map[string]diag.List {
	t.Helper()
	o, err := render.OpenOutput(dir, render.OutputOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	names := r.Project.Names()
	if err := r.Prepare(t.Context(), names, true).Err(); err != nil {
		t.Fatal(err)
	}
	problems := map[string]diag.List{}
	var order []string
	r.Run(t.Context(), o, names, render.RunOptions{Jobs: jobs}, func(o *render.Outcome) {
		order = append(order, o.Component)
		if len(o.Diags) > 0 {
			problems[o.Component] = o.Diags
		}
		if o.Status == render.Error && !o.Expected {
			t.Errorf("%s failed: %s", o.Component, o.Error)
		}
	})
	if d := cmp.Diff(names, order); d != "" {
		t.Errorf("outcomes are not in the order of names (-want +got):\n%s", d)
	}
	return problems
}

// readTree reads a rendered tree: content and permissions by path.
func readTree(t testing.TB, dir string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		if e.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(p)
			tree[rel] = "-> " + target
			return err
		}
		st, err := e.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(p)
		// A checkout keeps of the permissions whether a file is executable.
		tree[rel] = fmt.Sprintf("executable=%v\n%s", st.Mode()&0o100 != 0, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// TestRenderedBefore renders into two new directories with one cache. The second
// time nothing is read of what most components are made from, and what comes out,
// warnings included, is the same.
func TestRenderedBefore(t *testing.T) {
	t.Parallel()
	r := openExample(t, example)
	r.CacheDir, r.Lint = r.Store.CacheDir(), true
	first, again := filepath.Join(t.TempDir(), "specs"), filepath.Join(t.TempDir(), "specs")
	problems := renderInto(t, r, first, 0)
	snapshots := filepath.Join(r.CacheDir, "snapshots")
	read := func() (n int) {
		filepath.WalkDir(snapshots, func(_ string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				n++
			}
			return nil
		})
		return n
	}
	all := read()
	if err := os.RemoveAll(snapshots); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(problems, renderInto(t, r, again, 0)); d != "" {
		t.Errorf("other problems the second time (-first +second):\n%s", d)
	}
	if d := cmp.Diff(readTree(t, first), readTree(t, again)); d != "" {
		t.Errorf("another tree the second time (-first +second):\n%s", d)
	}
	unknown := 0
	for _, name := range r.Project.Names() {
		if _, ok := r.Inputs(t.Context(), name); !ok {
			unknown++
		}
	}
	if n := read(); n > unknown || n >= all {
		t.Errorf("%d of %d components were rendered again, where %d may have to be", n, all, unknown)
	}
}

// TestExample renders the example distribution and compares with the tree that
// is checked in.
func TestExample(t *testing.T) {
	t.Parallel()
	r := openExample(t, example)
	if *update {
		renderInto(t, r, r.Project.RenderedDir, 0)
	}
	dir := t.TempDir()
	renderInto(t, r, dir, 0)
	if d := cmp.Diff(readTree(t, r.Project.RenderedDir), readTree(t, dir)); d != "" {
		t.Errorf("the rendered example is not what is checked in (-want +got); if this is meant, run the test with -update:\n%s", d)
	}
}

// TestJobs holds that neither the number of components rendered at a time nor
// what an earlier run left in the caches changes a byte.
func TestJobs(t *testing.T) {
	t.Parallel()
	r := openExample(t, example)
	var first map[string]string
	for _, jobs := range []int{1, 16, 3, 1} {
		dir := t.TempDir()
		renderInto(t, r, dir, jobs)
		tree := readTree(t, dir)
		if first == nil {
			first = tree
		} else if d := cmp.Diff(first, tree); d != "" {
			t.Errorf("with -j %d the tree is another one:\n%s", jobs, d)
		}
		renderInto(t, r, dir, jobs)
		if d := cmp.Diff(first, readTree(t, dir)); d != "" {
			t.Errorf("rendering over the tree changed it:\n%s", d)
		}
	}
}

// TestEveryOverlayShows takes each overlay of the example away and expects a
// component to come out differently: otherwise the expected tree would not
// notice if that overlay stopped working.
func TestEveryOverlayShows(t *testing.T) {
	t.Parallel()
	r := openExample(t, example)
	types := map[string]int{}
	for _, name := range r.Project.Names() {
		c, problems := r.Project.Component(name)
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		if c.Build.Failure.Expected {
			continue
		}
		whole := r.Render(t.Context(), name)
		for i := range c.Overlays {
			op := c.Overlays[i]
			types[string(op.Type)]++
			if op.Archive != "" {
				continue // not applied by rendering
			}
			without := *c
			without.Overlays = append(append(without.Overlays[:0:0], c.Overlays[:i]...), c.Overlays[i+1:]...)
			res := r.RenderComponent(t.Context(), &without)
			if !res.Failed() && sameFiles(t, whole, res) {
				t.Errorf("%s: without %s the component is the same", diag.Position(op.Pos), op.Type)
			}
		}
	}
	for _, want := range strings.Fields(`spec-add-tag spec-insert-tag spec-set-tag spec-update-tag spec-remove-tag
		spec-prepend-lines spec-append-lines spec-search-replace spec-remove-section spec-remove-subpackage
		patch-add patch-remove file-prepend-lines file-search-replace file-add file-remove file-rename`) {
		if types[want] == 0 {
			t.Errorf("the example has no overlay of type %s", want)
		}
	}
}

func sameFiles(t *testing.T, a, b *render.Result) bool {
	t.Helper()
	if len(a.Files) != len(b.Files) {
		return false
	}
	for i := range a.Files {
		x, err := a.Files[i].Bytes()
		if err != nil {
			t.Fatal(err)
		}
		y, err := b.Files[i].Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if a.Files[i].Path != b.Files[i].Path || a.Files[i].Mode != b.Files[i].Mode || string(x) != string(y) {
			return false
		}
	}
	return true
}
