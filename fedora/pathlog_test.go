package fedora

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// randomHistory writes a history of n commits with branches, merges (clean,
// taking one side, and evil ones), deletions and re-additions.
func randomHistory(r *testRepo, rnd *rand.Rand, n int, merges bool) {
	type state struct {
		mark  int
		files map[string]string
	}
	var all []state
	when := 1_600_000_000
	for i := range n {
		when += rnd.IntN(100)
		if rnd.IntN(10) == 0 {
			when -= 150 // clocks run wrong
		}
		var parents []state
		if i > 0 {
			parents = append(parents, all[len(all)-1-rnd.IntN(min(len(all), 3))])
			if merges && rnd.IntN(3) == 0 {
				for range 1 + rnd.IntN(8)/7 {
					other := all[len(all)-1-rnd.IntN(min(len(all), 8))]
					if other.mark != parents[0].mark {
						parents = append(parents, other)
					}
				}
			}
		}
		files := map[string]string{}
		var marks []int
		seen := map[int]bool{}
		for _, p := range parents {
			if !seen[p.mark] {
				marks = append(marks, p.mark)
			}
			seen[p.mark] = true
		}
		if len(parents) > 0 {
			for k, v := range parents[0].files {
				files[k] = v
			}
		}
		var edits []testFile
		set := func(path, content string) {
			files[path] = content
			edits = append(edits, testFile{path: path, content: content})
		}
		if len(marks) > 1 {
			for _, p := range parents[1:] {
				for k := range 6 {
					path := fmt.Sprintf("locks/%d.lock", k)
					if c, ok := p.files[path]; ok && rnd.IntN(2) == 0 {
						set(path, c)
					}
				}
			}
		}
		for range rnd.IntN(3) {
			path := fmt.Sprintf("locks/%d.lock", rnd.IntN(6))
			if rnd.IntN(5) == 0 {
				path = "other"
			}
			if _, ok := files[path]; ok && rnd.IntN(6) == 0 {
				delete(files, path)
				edits = append(edits, testFile{path: path, mode: "D"})
			} else if len(marks) < 2 || rnd.IntN(4) == 0 {
				set(path, fmt.Sprint(rnd.IntN(4)))
			}
		}
		mark := r.commit("f43", when, marks, edits...)
		all = append(all, state{mark, files})
	}
}

func TestPathLog(t *testing.T) {
	t.Parallel()
	for seed := range 12 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(uint64(seed), 7))
			r := newTestRepo(t, t.TempDir())
			randomHistory(r, rnd, 60, seed > 0)
			r.flush()
			repo, err := OpenWorktree(t.Context(), r.dir)
			if err != nil {
				t.Fatal(err)
			}
			defer repo.Close()
			head, err := repo.Head()
			if err != nil {
				t.Fatal(err)
			}
			logs, err := repo.PathLog(t.Context(), head, "locks")
			if err != nil {
				t.Fatal(err)
			}
			for k := range 7 {
				path := fmt.Sprintf("locks/%d.lock", k)
				var want []PathChange
				for _, id := range lines(r.git("log", "--format=%H", "--", path)) {
					blob := ""
					if out := r.git("ls-tree", id, path); out != "" {
						blob = strings.Fields(out)[2]
					}
					want = append(want, PathChange{id, blob})
				}
				if diff := cmp.Diff(want, logs[path]); diff != "" {
					t.Errorf("log of %s (-git +ours):\n%s", path, diff)
				}
				delete(logs, path)
			}
			if len(logs) > 0 {
				t.Errorf("logs of unexpected files: %v", sortedKeys(logs))
			}
		})
	}
}
