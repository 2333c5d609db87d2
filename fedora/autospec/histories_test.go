package autospec

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"specgraft/fedora/distgit"
	"specgraft/fedora/macro"
)

// TestSharedHistories processes branches of real dist-git repositories.
func TestSharedHistories(t *testing.T) {
	t.Parallel()
	dir, err := filepath.Abs("../../../shared/autospec/histories")
	if err != nil {
		t.Fatal(err)
	}
	specs, _ := filepath.Glob(filepath.Join(dir, "expected", "*.spec"))
	if len(specs) == 0 {
		t.Skip("no shared histories beside the repository")
	}
	repos := map[string]*distgit.Repo{}
	for _, path := range specs {
		name, branch, ok := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".spec"), "@")
		if !ok {
			t.Fatalf("%s: no branch in the name", path)
		}
		repo := repos[name]
		if repo == nil {
			repo = cloneBundle(t, filepath.Join(dir, name+".bundle"))
			repos[name] = repo
		}
		t.Run(name+"@"+branch, func(t *testing.T) {
			head, err := repo.RevParse("refs/heads/" + branch)
			if err != nil {
				t.Fatal(err)
			}
			text, err := repo.ReadFile(head, name+".spec")
			if err != nil {
				t.Fatal(err)
			}
			res, err := Process(Input{
				Name: name, Spec: text, Evaluator: NewEvaluator(macro.Config{}), Now: time.Unix(0, 0),
				Graph: Upstream(NewLog(name+".spec", func() (History, error) { return repo, nil }), head),
			})
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(res.Apply(text))); diff != "" {
				t.Errorf("spec differs (-want +got):\n%s", diff)
			}
		})
	}
}

func cloneBundle(t *testing.T, bundle string) *distgit.Repo {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo.git")
	cmd := exec.Command("git", "clone", "--quiet", "--mirror", bundle, dir)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("clone %s: %v\n%s", bundle, err, out)
	}
	repo, err := distgit.OpenWorktree(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	return repo
}
