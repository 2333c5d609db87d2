package distgit

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"specgraft/fedora/distgit/gittest"

	"github.com/google/go-cmp/cmp"
)

func TestPathLog(t *testing.T) {
	t.Parallel()
	for seed := range 12 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(uint64(seed), 7))
			r := gittest.New(t, t.TempDir())
			gittest.RandomHistory(r, rnd, 60, seed > 0)
			r.Flush()
			repo, err := OpenWorktree(t.Context(), r.Dir)
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
				for _, id := range strings.Fields(r.Git("log", "--format=%H", "--", path)) {
					blob := ""
					if out := r.Git("ls-tree", id, path); out != "" {
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
				t.Errorf("logs of unexpected files: %v", slices.Collect(maps.Keys(logs)))
			}
		})
	}
}
