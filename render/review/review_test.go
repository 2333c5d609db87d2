package review_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/overlay"
	"specgraft/render"
	"specgraft/render/review"
	"specgraft/testdata/corpus"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// open loads a project and returns a renderer for it.
func open(t testing.TB, dir string) *render.Renderer {
	t.Helper()
	p, problems := components.Load(components.Options{Dir: dir})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	store, err := fedora.Open(fedora.Options{CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	r := &render.Renderer{Project: p, Store: store, CacheDir: cache}
	t.Cleanup(func() { r.Close(); store.Close() })
	if err := r.Prepare(t.Context(), p.Names(), true).Err(); err != nil {
		t.Fatal(err)
	}
	return r
}

// example is the example distribution of the repository.
func example(t testing.TB) *render.Renderer {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("NOT CHECKED: no git")
	}
	return open(t, filepath.Join("..", "..", "testdata", "example"))
}

// golden compares text with a file below testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("%s (-want +got)\n%s", name, d)
	}
}

func text(t testing.TB, v *review.View) string {
	t.Helper()
	files, err := v.Diff()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for i := range files {
		if err := files[i].Write(&b, review.Style{}); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	r := example(t)
	for _, name := range []string{"moorings", "sextant", "hello-harbor", "harbor-pilot"} {
		v := review.Open(t.Context(), r, name)
		if err := v.Result.Diags.Err(); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".diff", text(t, v))
		files, _ := v.Diff()
		var stat bytes.Buffer
		if err := review.WriteStat(&stat, files, review.Style{}); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".stat", stat.String())
	}
	v := review.Open(t.Context(), r, "moorings")
	var b bytes.Buffer
	if err := v.Blame(true).Write(&b, review.Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "moorings.blame", b.String())
	b.Reset()
	steps, err := v.Steps()
	if err != nil {
		t.Fatal(err)
	}
	for i := range steps {
		if err := steps[i].Write(&b, review.Style{}, len(steps)); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "moorings.steps", b.String())
}

// attributed checks that every line of the rendered spec has a cause and that
// the lines are those of the spec.
func attributed(t *testing.T, v *review.View) (lines int) {
	t.Helper()
	b := v.Blame(true)
	if i := slices.IndexFunc(b.Lines, func(l review.BlameLine) bool { return l.Cause == nil && l.Upstream == 0 }); i >= 0 {
		t.Errorf("%s: a line is neither upstream's nor any operation's: %+v", v.Result.Component, b.Lines[i])
	}
	var out strings.Builder
	num, up := 0, map[int]bool{}
	for _, l := range b.Lines {
		if l.Upstream > 0 {
			up[l.Upstream] = true
		}
		if l.Removed {
			if l.Cause == nil {
				t.Errorf("%s: upstream line %d was removed by nobody", v.Result.Component, l.Upstream)
			}
			continue
		}
		if num++; l.Num != num {
			t.Fatalf("%s: line %d comes as %d", v.Result.Component, num, l.Num)
		}
		out.WriteString(l.Text + "\n")
	}
	if out.String() != string(v.Result.Text()) {
		t.Errorf("%s: the lines of blame are not the rendered spec", v.Result.Component)
	}
	if len(up) != v.Before.Spec.Len() {
		t.Errorf("%s: blame accounts for %d of %d lines of upstream", v.Result.Component, len(up), v.Before.Spec.Len())
	}
	return num
}

// patched checks that the diff, applied to the files as found by tool, gives
// the rendered ones.
func patched(t *testing.T, v *review.View, tool ...string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for p, f := range v.Before.Files {
		data, err := f.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		write(p, data)
	}
	write(v.UpstreamSpec(), v.Before.Spec.Bytes())
	cmd := exec.Command(tool[0], tool[1:]...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(text(t, v))
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %s: %v\n%s", v.Result.Component, tool[0], err, msg)
		return
	}
	files, _ := v.Diff()
	for _, f := range v.Result.Files {
		want, err := f.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(files, func(d review.FileDiff) bool { return d.Path == f.Path && d.Binary }) {
			continue
		}
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Path)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: the diff does not give %s with %s (%v)", v.Result.Component, f.Path, tool[0], err)
		}
	}
	for _, d := range files {
		if d.Status == review.Deleted {
			if _, err := os.Lstat(filepath.Join(dir, d.Path)); err == nil {
				t.Errorf("%s: the diff does not remove %s with %s", v.Result.Component, d.Path, tool[0])
			}
		}
	}
}

var gitApply = []string{"git", "apply", "-p1"}

func TestExample(t *testing.T) {
	t.Parallel()
	r := example(t)
	for _, name := range r.Project.Names() {
		v := review.Open(t.Context(), r, name)
		if v.Result.Failed() {
			continue
		}
		attributed(t, v)
		patched(t, v, gitApply...)
		if _, err := exec.LookPath("patch"); err == nil {
			patched(t, v, "patch", "-p1", "-s")
		}
		consistent(t, v)
	}
}

// consistent checks the steps and trails against the rendered spec.
func consistent(t *testing.T, v *review.View) {
	t.Helper()
	steps, err := v.Steps()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := v.WriteTree(filepath.Join(dir, "all"), len(steps)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "all", v.Spec()))
	if err != nil || !bytes.Equal(got, v.Result.Text()) {
		t.Errorf("%s: the tree after the last step is not the rendered one (%v)", v.Result.Component, err)
	}
	for _, l := range v.Blame(false).Lines {
		trail := v.Trail(l.Num)
		switch {
		case l.Cause == nil && len(trail) > 0:
			t.Errorf("%s:%d: upstream's line has the trail %+v", v.Result.Component, l.Num, trail)
		case len(trail) > 0 && (trail[len(trail)-1].After != l.Text || trail[0].New != (l.Upstream == 0)):
			t.Errorf("%s:%d: trail %+v for %+v", v.Result.Component, l.Num, trail, l)
		}
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	v := review.Open(t.Context(), example(t), "driftwood")
	steps, err := v.Steps()
	if err != nil {
		t.Fatal(err)
	}
	last := steps[len(steps)-1]
	if last.Status != review.Failed || len(last.Diags) != 1 || last.Diags[0].Code != "overlay/no-section" || last.Cause.Index != 0 {
		t.Errorf("last step: %+v", last)
	}
	if rest := v.Without(steps).Result.Diags; len(rest) != 0 {
		t.Errorf("left over: %v", rest)
	}
}

// TestTry previews an overlay that the configuration does not have.
func TestTry(t *testing.T) {
	t.Parallel()
	r := example(t)
	c, problems := r.Project.Component("moorings")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	more := *c
	more.Overlays = append(slices.Clone(c.Overlays), overlay.Op{Type: overlay.SetTag, Tag: "Vendor", Value: "Harbor"})
	steps, err := review.OpenConfig(t.Context(), r, &more).Steps()
	if err != nil {
		t.Fatal(err)
	}
	k := slices.IndexFunc(steps, func(s review.Step) bool { return s.Cause.Index == len(c.Overlays) })
	if k < 0 || len(steps[k].Files) != 1 || steps[k].Files[0].Added != 1 || steps[k].Files[0].Removed != 0 {
		t.Fatalf("steps: %+v", steps)
	}
}

// TestCorpus holds the views against a real distribution: every line has a
// cause, and the diff gives the rendered files.
func TestCorpus(t *testing.T) {
	dir := corpus.Distgit(t)
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("NOT CHECKED: no patch")
	}
	project := t.TempDir()
	if err := os.CopyFS(project, os.DirFS(filepath.Join(dir, "project"))); err != nil {
		t.Fatal(err)
	}
	r := open(t, project)
	components, customised, lines := 0, 0, 0
	for _, name := range r.Project.Names() {
		c, _ := r.Project.Component(name)
		if c == nil {
			continue
		}
		custom := len(c.Overlays) > 0 || len(c.Build.With)+len(c.Build.Without)+len(c.Build.Defines) > 0 || c.Build.Check.Skip || len(c.SourceFiles) > 0
		if !custom && testing.Short() {
			continue
		}
		v := review.Open(t.Context(), r, name)
		if v.Result.Failed() {
			t.Logf("%s failed: %v", name, v.Result.Diags.Err())
			continue
		}
		components++
		lines += attributed(t, v)
		if custom {
			customised++
			patched(t, v, "patch", "-p1", "-s")
			consistent(t, v)
		}
	}
	t.Logf("%d components, %d of them customised, %d lines", components, customised, lines)
}

func BenchmarkDiff(b *testing.B) {
	v := review.Open(b.Context(), example(b), "moorings")
	b.SetBytes(int64(len(v.Result.Text())))
	for b.Loop() {
		if _, err := v.Diff(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	d := review.FileDiff{Path: "x", Hunks: []review.Hunk{{Lines: []review.Line{{Op: "+", Text: "a\tb\x1b]0;title\x07\r\x9b"}}}}}
	for visible, want := range map[bool]string{true: "+a\tb^[]0;title^G^M", false: "+a\tb\x1b]0;title\x07\r"} {
		var b bytes.Buffer
		if err := d.Write(&b, review.Style{Visible: visible}); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("visible %v: %q, %v", visible, b.String(), err)
		}
	}
}
