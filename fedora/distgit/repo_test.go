package distgit

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/fedora/distgit/gittest"
	"specgraft/overlay/diag"
)

func TestRepo(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	a := r.Commit("f43", 1_600_000_000, nil, gittest.File{Path: "a b/ü", Content: "1"}, gittest.File{Path: "a b/deep/x", Content: "2"},
		gittest.File{Path: "link", Mode: "120000", Content: "a b"}, gittest.File{Path: "mod", Mode: "160000", Content: idA})
	b := r.Commit("side", 1_600_000_100, []int{a}, gittest.File{Path: "side", Content: "3"})
	m := r.Commit("f43", 1_600_000_200, []int{a, b}, gittest.File{Path: "a b/ü", Content: "4"})
	ids := r.Flush()
	r.Git("tag", "-a", "-m", "tag", "v1", ids[a])
	repo, err := OpenWorktree(t.Context(), r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	for rev, want := range map[string]string{
		"HEAD": ids[m], "f43": ids[m], "refs/heads/side": ids[b], "v1": ids[a], "HEAD~1": ids[a], "HEAD^2": ids[b], ids[b]: ids[b], ids[b][:8]: ids[b],
		"none": "", idA: "", "HEAD~9": "",
	} {
		got, err := repo.RevParse(rev)
		if got != want || want == "" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is %q, %v, want %s", rev, got, err, want)
		}
	}
	for _, rev := range []string{"", "--all", "-1", "a b", "a\nb", "a\x00"} {
		if _, err := repo.RevParse(rev); !diag.HasCode(err, "fedora/bad-ref") {
			t.Errorf("%q: %v", rev, err)
		}
	}
	c, err := repo.Commit(ids[m])
	if err != nil || !cmp.Equal(c.Parents, []string{ids[a], ids[b]}) || c.Author.Name != "Ann Other" || c.Committer.When.Unix() != 1_600_000_200 || c.Subject() != "Change 3" {
		t.Errorf("commit: %+v, %v", c, err)
	}
	files, err := repo.Files(ids[m], "a b")
	if err != nil || len(files) != 2 || files[0].Name != "deep/x" || files[1].Name != "ü" {
		t.Errorf("files: %v, %v", files, err)
	}
	if files, err := repo.Files(ids[m], ""); err != nil || len(files) != 3 {
		t.Errorf("all files: %v, %v", files, err)
	}
	if files, err := repo.Files(ids[m], "none/x"); err != nil || len(files) != 0 {
		t.Errorf("files of nothing: %v, %v", files, err)
	}
	if e, err := repo.Entry(ids[m], "a b/deep"); err != nil || !e.IsDir() {
		t.Errorf("entry: %+v, %v", e, err)
	}
	for _, path := range []string{"none", "a b/ü/x", "a b/none", "link/ü"} {
		if e, err := repo.Entry(ids[m], path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("entry %s: %+v, %v", path, e, err)
		}
		if data, err := repo.ReadFile(ids[m], path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("file %s: %q, %v", path, data, err)
		}
	}
	if data, err := repo.ReadFile(ids[m], "a b/ü"); err != nil || string(data) != "4" {
		t.Errorf("file: %q, %v", data, err)
	}
	if _, err := repo.ReadFile(ids[m], "../x"); !diag.HasCode(err, "fedora/bad-ref") {
		t.Errorf("a path that leads out: %v", err)
	}
	for _, id := range []string{idA, c.Tree} {
		if got, err := repo.Commit(id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("commit %s: %v, %v", id, got, err)
		}
	}
	if _, err := repo.Blob(c.Tree); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a tree as blob: %v", err)
	}
	if _, err := repo.Tree(idB); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no tree: %v", err)
	}
	repo.Prefetch(ids[a], c.Tree, files[1].ID, idA, "nonsense")
	if data, err := repo.Blob(files[1].ID); err != nil || string(data) != "4" {
		t.Errorf("blob: %q, %v", data, err)
	}
	repo.Close()
	if _, err := repo.Blob(idB); err == nil {
		t.Error("a closed repository answers")
	}
}

func TestTooOld(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{
		"git version 2.39.5\n": false, "git version 2.32.0": false, "git version 3.0": false, "git version 2.50.1 (Apple Git-155)": false,
		"git version 2.31.8": true, "git version 1.8.3.1": true, "something else": false,
	} {
		if got := tooOld(version); got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
}
