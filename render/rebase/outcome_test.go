package rebase

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// TestJudge says what there is to do, of results of each kind.
func TestJudge(t *testing.T) {
	t.Parallel()
	one := func(v Verdict) *Component {
		return &Component{Proven: true, Comparison: &Comparison{Overlays: []Overlay{{Op: &overlay.Op{Type: overlay.AddTag}, Verdict: v}}}}
	}
	broken := one(Moved)
	broken.Proven, broken.Problems = false, diag.List{{Code: "a/b", Message: "it does not render"}}
	brokenAndOpen := one(Widened)
	brokenAndOpen.Proven, brokenAndOpen.Problems = false, broken.Problems
	for name, test := range map[string]struct {
		out     Outcome
		status  Status
		problem string
		summary string
	}{
		"clean":           {Outcome{Result: one(Clean)}, Free, "", "1 clean"},
		"moved":           {Outcome{Result: one(Moved)}, Free, "", "1 moved"},
		"none":            {Outcome{Result: &Component{Proven: true, Comparison: &Comparison{}}}, Free, "", "none"},
		"widened":         {Outcome{Result: one(Widened)}, Open, "", "1 widened"},
		"unrendered":      {Outcome{Result: broken}, Unrendered, "it does not render", "1 moved"},
		"open first":      {Outcome{Result: brokenAndOpen}, Open, "", "1 widened"},
		"failed":          {Outcome{Status: Failed, Problems: diag.List{{Code: "a/b", Message: "no upstream"}}}, Failed, "no upstream", "-"},
		"failed, allowed": {Outcome{Status: Expected, Problems: diag.List{{Code: "a/b", Message: "no upstream"}}}, Expected, "no upstream", "-"},
	} {
		test.out.Judge(nil)
		if test.out.Status != test.status || !strings.Contains(test.out.Error, test.problem) || (test.problem == "") != (test.out.Error == "") {
			t.Errorf("%s: %q, %q; want %q, %q", name, test.out.Status, test.out.Error, test.status, test.problem)
		}
		if got := test.out.Summary(); got != test.summary {
			t.Errorf("%s: summary %q, want %q", name, got, test.summary)
		}
	}
}

func TestByWork(t *testing.T) {
	t.Parallel()
	of := func(name string, status Status, v Verdict) *Outcome {
		return &Outcome{Component: name, Status: status, Result: &Component{Comparison: &Comparison{Overlays: []Overlay{{Verdict: v}}}}}
	}
	list := []*Outcome{
		{Component: "allowed", Status: Expected}, of("moved", Free, Moved), of("b", Open, Broken), of("a", Open, Broken),
		of("landed", Reviewable, Landed), of("u", Unrendered, Moved), {Component: "failed", Status: Failed},
	}
	slices.SortStableFunc(list, ByWork)
	var names []string
	for _, out := range list {
		names = append(names, out.Component)
	}
	if got, want := strings.Join(names, " "), "failed u a b landed moved allowed"; got != want {
		t.Errorf("order %s, want %s", got, want)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]*Component{"-": {}, "2": {FromVersion: "2", ToVersion: "2"}, "1 -> 2": {FromVersion: "1", ToVersion: "2"}} {
		out := Outcome{Result: c}
		if got := out.Versions(); got != want {
			t.Errorf("versions %q, want %q", got, want)
		}
	}
	var none Outcome
	if got := none.Versions(); got != "-" {
		t.Errorf("without a result: %q", got)
	}
}

// TestTakeNothing writes nothing where no outcome is ready.
func TestTakeNothing(t *testing.T) {
	t.Parallel()
	open := &Component{Proven: true, Comparison: &Comparison{Overlays: []Overlay{{Verdict: Broken}}}}
	files, unpinned, err := Take(&components.Project{Dir: t.TempDir()}, "specgraft rebase", []*Outcome{{Component: "a"}, {Component: "b", Result: open}})
	if len(files)+len(unpinned) > 0 || err != nil {
		t.Errorf("files %v, without pins %v, %v", files, unpinned, err)
	}
}

// TestOverlayFile rebases a file of overlays for plain specs, and writes it once.
func TestOverlayFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "overlays.toml")
	text := "[[overlays]]\ntype = \"spec-add-tag\"\ntag = \"BuildRequires\"\nvalue = \"cairo\"\n\n# Mine.\n[[overlays]]\ntype = \"spec-search-replace\"\nregex = \"^make$\"\nreplacement = \"make -s\"\n"
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	tree := func(file, build, needs string) *overlay.Tree {
		text := "Name: x\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n" + needs + "\n%description\nd\n\n%build\n" + build + "\n"
		return &overlay.Tree{Name: "x", Spec: spec.Parse(file, []byte(text)), Files: map[string]*overlay.File{}}
	}
	f, err := ParseOverlayFile(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if f.NeedsFiles() {
		t.Error("overlays of a spec want the files beside it")
	}
	out, err := f.Rebase(tree("old.spec", "make", ""), tree("new.spec", "make", "BuildRequires: cairo\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != Reviewable || out.From != "old.spec" || out.To != "new.spec" || out.Summary() != "1 landed, 1 clean" {
		t.Errorf("%s from %s to %s: %s", out.Status, out.From, out.To, out.Summary())
	}
	if p := out.Overlays[0].Proposal; !strings.Contains(p, "-value = \"cairo\"") || strings.Contains(p, "-regex") {
		t.Errorf("proposal %s", p)
	}
	if err := f.Write(out); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if err != nil || strings.Contains(string(got), "cairo") || !strings.Contains(string(got), "# Mine.") || !strings.Contains(string(got), "make -s") {
		t.Errorf("written %v: %s", err, got)
	}
	if err := f.Write(out); !diag.HasCode(err, "rebase/changed") {
		t.Errorf("written over what is new: %v", err)
	}
	out, err = f.Rebase(tree("old.spec", "make", ""), tree("new.spec", "ninja", ""), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != Open && out.Status != Reviewable {
		t.Errorf("of an overlay that has lost its place: %s, %s", out.Status, out.Summary())
	}
	if _, err := ParseOverlayFile("bad.toml", []byte("[[overlays]]\ntype = \"no-such\"\n")); err == nil {
		t.Error("a file with errors is taken")
	}
}
