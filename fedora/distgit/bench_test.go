package distgit

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"specgraft/fedora/distgit/gittest"
)

// BenchmarkHistory walks 5,000 commits with the tree of each and a spec that
// changes in every fifth, as the release computation does.
func BenchmarkHistory(b *testing.B) {
	r := gittest.New(b, filepath.Join(b.TempDir(), "r.git"))
	for i := range 5000 {
		var p []int
		if i > 0 {
			p = []int{i}
		}
		r.Commit("f43", 1_600_000_000+i, p, gittest.File{Path: "pkg.spec", Content: gittest.Noise(i/5, 3000)}, gittest.File{Path: fmt.Sprint("p", i%20), Content: fmt.Sprint(i)})
	}
	r.Flush()
	b.ReportAllocs()
	for b.Loop() {
		repo, err := OpenWorktree(b.Context(), r.Dir)
		if err != nil {
			b.Fatal(err)
		}
		id, err := repo.Head()
		commits, last := 0, ""
		for ; err == nil && id != ""; commits++ {
			var c *Commit
			if c, err = repo.Commit(id); err != nil {
				break
			}
			var e TreeEntry
			if e, err = repo.Entry(c.Tree, "pkg.spec"); err != nil {
				break
			}
			if e.ID != last {
				last = e.ID
				_, err = repo.Blob(e.ID)
			}
			id = strings.Join(c.Parents, "")
		}
		if err != nil || commits != 5000 {
			b.Fatal(commits, err)
		}
		repo.Close()
	}
}

// BenchmarkPathLog lists the log of 2,000 lock files over 1,000 commits.
func BenchmarkPathLog(b *testing.B) {
	r := gittest.New(b, filepath.Join(b.TempDir(), "r.git"))
	var all []gittest.File
	for i := range 2000 {
		all = append(all, gittest.File{Path: fmt.Sprintf("locks/%d.lock", i), Content: "0"})
	}
	r.Commit("main", 1_600_000_000, nil, all...)
	for i := range 1000 {
		r.Commit("main", 1_600_000_001+i, []int{i + 1}, gittest.File{Path: fmt.Sprintf("locks/%d.lock", i*7%2000), Content: fmt.Sprint(i + 1)})
	}
	head := r.Flush()[1001]
	repo, err := OpenWorktree(b.Context(), r.Dir)
	if err != nil {
		b.Fatal(err)
	}
	defer repo.Close()
	b.ReportAllocs()
	for b.Loop() {
		logs, err := repo.PathLog(b.Context(), head, "locks")
		if err != nil || len(logs) != 2000 {
			b.Fatal(len(logs), errors.Join(err))
		}
	}
}
