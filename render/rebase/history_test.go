package rebase_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/spec"
	"specgraft/render/rebase"
	"specgraft/testdata/corpus"
)

// versions returns the versions of a spec in a bundle of a real repository,
// oldest first.
func versions(t *testing.T, bundle, name string) [][]byte {
	t.Helper()
	dir := t.TempDir()
	git := func(args ...string) []byte {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return out
	}
	git("init", "-q", "--bare", ".")
	git("fetch", "-q", bundle, "refs/*:refs/bundle/*")
	var list [][]byte
	for id := range strings.FieldsSeq(string(git("log", "--reverse", "--topo-order", "--format=%H", "--all", "--", name+".spec"))) {
		cmd := exec.Command("git", "show", id+":"+name+".spec")
		cmd.Dir = dir
		if out, err := cmd.Output(); err == nil {
			list = append(list, out)
		}
	}
	return list
}

// TestHistories moves overlays along the real histories of three packages: what
// comes out clean does on the new upstream what it did on the old one, at the
// same lines, and everything else is explained.
func TestHistories(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("NOT CHECKED: histories are left out by -short")
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("NOT CHECKED: git is not installed")
	}
	dir := filepath.Join(corpus.Dir(t), "..", "autospec", "histories")
	bundles, _ := filepath.Glob(filepath.Join(dir, "*.bundle"))
	if len(bundles) == 0 {
		t.Skipf("NOT CHECKED: no histories at %s", dir)
	}
	counts := map[rebase.Verdict]int{}
	pairs, unexplained := 0, 0
	for _, bundle := range bundles {
		name := strings.TrimSuffix(filepath.Base(bundle), ".bundle")
		specs := versions(t, bundle, name)
		for i := range len(specs) - 1 {
			pairs++
			r := rand.New(rand.NewPCG(uint64(i), 5))
			old := &overlay.Tree{Name: name, Spec: spec.Parse(name+".spec", specs[i]), Files: map[string]*overlay.File{}}
			new := &overlay.Tree{Name: name, Spec: spec.Parse(name+".spec", specs[i+1]), Files: map[string]*overlay.File{}}
			edited := lines(old.Spec)
			for range 4 {
				k := r.IntN(len(edited))
				switch r.IntN(3) {
				case 0:
					edited[k] += " # ours"
				case 1:
					edited = slices.Insert(edited, k, fmt.Sprintf("BuildRequires: ours%d", k))
				case 2:
					edited = slices.Delete(edited, k, k+1)
				}
			}
			found, err := absorb.Search(old, withLines(old, edited), absorb.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, op := range found.Ops() {
				if rep, _ := overlay.Apply(withLines(old, lines(old.Spec)), []overlay.Op{op}, overlay.Options{}); rep.Failed >= 0 {
					continue // it builds on one before it
				}
				c, err := rebase.Compare(old, new, []overlay.Op{op}, rebase.Options{})
				if err != nil {
					t.Errorf("%s %d: %v", name, i, err)
					continue
				}
				o := c.Overlays[0]
				counts[o.Verdict]++
				if o.Verdict != rebase.Clean && o.Reason == "" {
					unexplained++
				}
				if o.Verdict != rebase.Clean {
					continue
				}
				// Upstream's own change must be the same with and without it.
				a2, b2 := withLines(old, lines(old.Spec)), withLines(new, lines(new.Spec))
				overlay.Apply(a2, []overlay.Op{op}, overlay.Options{})
				overlay.Apply(b2, []overlay.Op{op}, overlay.Options{})
				if x, y := change(lines(old.Spec), lines(new.Spec)), change(lines(a2.Spec), lines(b2.Spec)); x != y {
					t.Errorf("%s %d: %s %q is clean, but upstream changes %d lines, and %d with it", name, i, op.Type, op.Regex, x, y)
				}
			}
		}
	}
	t.Logf("%d moves, verdicts %v", pairs, counts)
	if unexplained > 0 || pairs < 20 {
		t.Errorf("%d verdicts of %d moves have no reason", unexplained, pairs)
	}
}

func change(a, b []string) int {
	n := 0
	for _, h := range absorb.Lines(a, b) {
		n += h.OldEnd - h.OldStart + h.NewEnd - h.NewStart
	}
	return n
}
