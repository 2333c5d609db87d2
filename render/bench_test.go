package render_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"specgraft/testdata/corpus"

	"specgraft/render"
)

// scratch returns a directory, in memory where the system has such a place, so
// that benchmarks measure the program and not the disk.
func scratch(b *testing.B) string {
	b.Helper()
	for _, base := range []string{"/dev/shm", ""} {
		if dir, err := os.MkdirTemp(base, "specgraft-bench-"); err == nil {
			b.Cleanup(func() { os.RemoveAll(dir) })
			return dir
		}
	}
	b.Fatal("no place for scratch files")
	return ""
}

// renderTree does what the command does: load, render everything, write.
func renderTree(b *testing.B, project, cache, out string, names []string) {
	b.Helper()
	r := load(b, project, cache)
	defer r.Close()
	defer r.Store.Close()
	if names == nil {
		names = r.Project.Names()
	}
	o, err := render.OpenOutput(out, render.OutputOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer o.Close()
	if err := r.Prepare(b.Context(), names, true).Err(); err != nil {
		b.Fatal(err)
	}
	failed := 0
	r.Run(b.Context(), o, names, render.RunOptions{}, func(o *render.Outcome) {
		if o.Status != render.OK {
			failed++
		}
	})
	if failed*100 > len(names) {
		b.Fatalf("%d of %d components failed", failed, len(names))
	}
}

// BenchmarkCorpus renders the whole corpus: with empty caches, with warm caches
// into an empty directory, with nothing to do, and one component alone. The
// ratios to "cp -r" of the same tree come from runs that alternate with it.
func BenchmarkCorpus(b *testing.B) {
	project := filepath.Join(corpus.MakeDistgit(b), "project")
	dir := scratch(b)
	tree, cache := filepath.Join(dir, "tree"), filepath.Join(dir, "cache")
	renderTree(b, project, cache, tree, nil)

	copyTree := func(b *testing.B) time.Duration {
		start := time.Now()
		to := filepath.Join(dir, "copy")
		if msg, err := exec.Command("cp", "-r", tree, to).CombinedOutput(); err != nil {
			b.Fatalf("cp: %v\n%s", err, msg)
		}
		took := time.Since(start)
		os.RemoveAll(to)
		return took
	}
	// ratio alternates f with cp -r and reports the ratio of their medians.
	ratio := func(b *testing.B, prepare, f func()) {
		b.ReportAllocs()
		var own, cp []time.Duration
		for b.Loop() {
			b.StopTimer()
			cp = append(cp, copyTree(b))
			prepare()
			b.StartTimer()
			start := time.Now()
			f()
			own = append(own, time.Since(start))
		}
		slices.Sort(own)
		slices.Sort(cp)
		b.ReportMetric(float64(own[len(own)/2])/float64(cp[len(cp)/2]), "x-cp-r")
	}
	fresh := filepath.Join(dir, "fresh")
	b.Run("Cold", func(b *testing.B) {
		ratio(b, func() { os.RemoveAll(fresh) }, func() { renderTree(b, project, filepath.Join(fresh, "cache"), filepath.Join(fresh, "tree"), nil) })
	})
	b.Run("Warm", func(b *testing.B) {
		ratio(b, func() { os.RemoveAll(fresh) }, func() { renderTree(b, project, cache, fresh, nil) })
	})
	b.Run("Unchanged", func(b *testing.B) {
		ratio(b, func() {}, func() { renderTree(b, project, cache, tree, nil) })
	})
	b.Run("One", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			renderTree(b, project, cache, tree, []string{"bash"})
		}
	})
}

// BenchmarkComponent renders single components in memory, with everything else
// loaded: a plain one, a large one, one with a long changelog from history.
func BenchmarkComponent(b *testing.B) {
	project := filepath.Join(corpus.MakeDistgit(b), "project")
	r := load(b, project, scratch(b))
	for _, name := range []string{"acl", "bash", "389-ds-base", "rust"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if res := r.Render(b.Context(), name); res.Failed() {
					b.Fatal(res.Diags.Err())
				}
			}
		})
	}
}
