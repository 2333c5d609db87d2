package revision_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"specgraft/components"
	"specgraft/overlay/diag"
	"specgraft/render/revision"
)

// A repo is a project in a git repository.
type repo struct {
	t   *testing.T
	dir string
}

func newRepo(t *testing.T) *repo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	r := &repo{t, t.TempDir()}
	r.git("init", "-q", "-b", "main")
	return r
}

func (r *repo) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *repo) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repo) commit(message string) string {
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", message)
	return r.git("rev-parse", "HEAD")
}

func (r *repo) open() *revision.History {
	r.t.Helper()
	o := components.Options{Dir: r.dir}
	p, problems := components.Load(o)
	if err := problems.Err(); err != nil {
		r.t.Fatal(err)
	}
	h, err := revision.Open(r.t.Context(), p, o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := h.Close(); err != nil {
			r.t.Error(err)
		}
	})
	return h
}

const config = `[project]
rendered-specs-dir = "specs"
lock-dir = "locks"
default-distro = { name = "d", version = "1" }
[distros.d.versions.1]
release-ver = "1"
[components.one]
spec = { type = "local", path = "one.spec" }
`

const lockText = "version = 1\ninput-fingerprint = 'sha256:0000000000000000000000000000000000000000000000000000000000000000'\n"

func project(t *testing.T) (r *repo, first, second string) {
	r = newRepo(t)
	r.write("azldev.toml", config)
	r.write("one.spec", "Name: one\n")
	r.write("locks/one.lock", lockText)
	r.write("specs/o/one/one.spec", "Name: one\n")
	r.write("specs/o/one/sources", "")
	r.write("specs/o/one/sub/x", "x")
	r.write("specs/o/README", "no directory")
	r.write("specs/x/one/one.spec", "in the wrong place\n")
	first = r.commit("first")
	r.write("azldev.toml", config+"[components.two]\nspec = { type = \"local\", path = \"one.spec\" }\n")
	r.write("specs/o/one/one.spec", "Name: one\nVersion: 2\n")
	r.write("specs/t/two/two.spec", "Name: two\n")
	second = r.commit("second")
	return r, first, second
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	r, first, second := project(t)
	h := r.open()
	before, err := h.Resolve("HEAD~1")
	if err != nil {
		t.Fatal(err)
	}
	after, err := h.Resolve("main")
	if err != nil {
		t.Fatal(err)
	}
	if before.ID() != first || after.ID() != second || before.IsWorktree() || before.String() != first[:12] {
		t.Errorf("HEAD~1 is %s (%s), main is %s", before.ID(), before, after.ID())
	}
	if same, err := h.Resolve(first[:9]); err != nil || same != before {
		t.Errorf("a commit has two revisions, or the error %v", err)
	}
	work := h.Worktree()
	if !work.IsWorktree() || work.String() != "the working tree" {
		t.Errorf("the working tree is called %s", work)
	}
	for _, tt := range []struct {
		rev      *revision.Revision
		names    string
		rendered string
		files    string
	}{
		{before, "one", "one", "one.spec sources sub/x"},
		{after, "one two", "one two", "one.spec sources sub/x"},
		{work, "one two", "one two", "one.spec sources sub/x"},
	} {
		p, err := tt.rev.Project()
		if err != nil {
			t.Fatalf("%s: %v", tt.rev, err)
		}
		if got := strings.Join(p.Names(), " "); got != tt.names {
			t.Errorf("%s has the components %s, want %s", tt.rev, got, tt.names)
		}
		rendered, err := tt.rev.Rendered()
		if got := strings.Join(rendered, " "); err != nil || got != tt.rendered {
			t.Errorf("%s has the rendered directories %s (%v), want %s", tt.rev, got, err, tt.rendered)
		}
		files, err := tt.rev.Files("one")
		var paths []string
		for _, f := range files {
			paths = append(paths, f.Path)
		}
		if got := strings.Join(paths, " "); err != nil || got != tt.files {
			t.Errorf("%s has the files %s (%v), want %s", tt.rev, got, err, tt.files)
		}
		s, err := tt.rev.State("one")
		if err != nil || s.Component == nil || s.Lock == nil {
			t.Errorf("%s: state of one: %+v, %v", tt.rev, s, err)
		}
		if s, err := tt.rev.State("none"); err != nil || s.Component != nil {
			t.Errorf("%s has a component called none: %v", tt.rev, err)
		}
		if _, err := tt.rev.ReadFile("one", "none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a file that is not there gives %v", tt.rev, err)
		}
		if _, err := tt.rev.ReadFile("one", "../../../azldev.toml"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a path that leads outside gives %v", tt.rev, err)
		}
	}
	if data, err := before.ReadFile("one", "one.spec"); string(data) != "Name: one\n" {
		t.Errorf("the spec of the first commit is %q, %v", data, err)
	}
	if data, err := work.ReadFile("one", "one.spec"); string(data) != "Name: one\nVersion: 2\n" {
		t.Errorf("the spec of the working tree is %q, %v", data, err)
	}
	if c, err := after.Commit(); err != nil || c.Subject() != "second" {
		t.Errorf("the commit is %v, %v", c, err)
	}
	if at, err := h.LastLocked("one"); err != nil || at != before {
		t.Errorf("the lock was last written at %v, %v", at, err)
	}
	_, err = h.LastLocked("two")
	if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || d.Code != "history/no-lock" {
		t.Errorf("a component without a lock gives %v", err)
	}
	_, err = h.Resolve("nowhere")
	if _, ok := errors.AsType[*revision.UnknownError](err); !ok || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an unknown name gives %v", err)
	}
}

// The working tree names trees and files as git does.
func TestWorktreeNames(t *testing.T) {
	t.Parallel()
	r, _, _ := project(t)
	if err := os.Symlink("one.spec", filepath.Join(r.dir, "specs/o/one/link")); err != nil {
		t.Fatal(err)
	}
	r.write("specs/o/one/sub.d", "sorts before the directory sub")
	if err := os.Chmod(filepath.Join(r.dir, "specs/o/one/sub/x"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.commit("third")
	h := r.open()
	head, err := h.Resolve("HEAD")
	if err != nil {
		t.Fatal(err)
	}
	compare := func() (same bool) {
		t.Helper()
		a, aerr := head.Tree("one")
		b, berr := r.open().Worktree().Tree("one")
		if aerr != nil || berr != nil || a == "" || b == "" {
			t.Fatal(a, b, aerr, berr)
		}
		return a == b
	}
	if !compare() {
		t.Error("the working tree as committed has another name")
	}
	a, _ := head.Files("one")
	b, _ := h.Worktree().Files("one")
	if !slices.Equal(a, b) {
		t.Errorf("files differ: %v, %v", a, b)
	}
	locks, err := head.Locks()
	workLocks, werr := h.Worktree().Locks()
	if err != nil || werr != nil || len(locks) != 1 || locks["one"] != workLocks["one"] {
		t.Errorf("locks differ: %v, %v, %v, %v", locks, workLocks, err, werr)
	}
	r.write("specs/o/one/sub/x", "y")
	if compare() {
		t.Error("a changed working tree has the name of the commit")
	}
	if id, err := h.Worktree().Tree("none"); id != "" || err != nil {
		t.Errorf("a component without a directory has the tree %q, %v", id, err)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r, first, _ := project(t)
	h := r.open()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			rev, err := h.Resolve(first)
			if err != nil {
				t.Error(err)
				return
			}
			if s, err := rev.State("one"); err != nil || s.Component == nil {
				t.Errorf("state: %v", err)
			}
			if _, err := h.Worktree().Tree("one"); err != nil {
				t.Error(err)
			}
			rev.Prefetch([]string{"one", "none"}, func(string) string { return "sources" })
			if _, err := rev.ReadFile("one", "sources"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestBrokenRevision(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.write("azldev.toml", "[project\n")
	broken := r.commit("broken")
	r.git("rm", "-q", "azldev.toml")
	gone := r.commit("gone")
	r.write("azldev.toml", config)
	r.write("one.spec", "")
	r.write("locks/one.lock", "version = \n")
	bad := r.commit("bad lock")
	h := r.open()
	for id, want := range map[string]string{broken: "at commit " + broken[:12], gone: "has no azldev.toml"} {
		rev, err := h.Resolve(id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rev.Project(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("loading %s gives %v, want %q", id, err, want)
		}
	}
	rev, err := h.Resolve(bad)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rev.State("one"); err == nil || !strings.Contains(err.Error(), "locks/one.lock") || !strings.Contains(err.Error(), "at commit") {
		t.Errorf("a broken lock gives %v", err)
	}
}

func TestOutsideOfGit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "azldev.toml"), []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	if top, err := exec.Command("git", "-C", dir, "rev-parse", "--show-toplevel").Output(); err == nil {
		t.Skipf("the temporary directory is in the repository %s", top)
	}
	p, _ := components.Load(components.Options{Dir: dir})
	_, err := revision.Open(t.Context(), p, components.Options{})
	if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || d.Code != "history/none" {
		t.Errorf("a project outside of git gives %v", err)
	}
}

func TestMergeBase(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.write("azldev.toml", config)
	r.write("one.spec", "")
	base := r.commit("base")
	r.git("checkout", "-q", "-b", "side")
	side := r.commit("side 1")
	r.commit("side 2")
	r.git("checkout", "-q", "main")
	r.commit("main 1")
	r.git("branch", "fork")
	r.git("merge", "-q", "--no-ff", "-m", "merge", side)
	r.commit("main 2")
	// A criss-cross has two best ancestors.
	r.git("checkout", "-q", "-b", "left", "fork")
	r.git("merge", "-q", "--no-ff", "-m", "left", "side")
	r.git("checkout", "-q", "-b", "right", "side")
	r.git("merge", "-q", "--no-ff", "-m", "right", "fork")
	r.git("checkout", "-q", "--orphan", "other")
	r.commit("unrelated")
	r.git("checkout", "-q", "main")
	h := r.open()
	for _, tt := range [][2]string{{"main", "side"}, {"side", "main"}, {"main", "main"}, {"main~2", "side"}, {"main", base}, {"fork", "side"}, {"HEAD", "side~2"}} {
		want := r.git("merge-base", tt[0], tt[1])
		from, to, err := h.Between(tt[0], tt[1])
		if err != nil {
			t.Errorf("%s...%s: %v", tt[0], tt[1], err)
			continue
		}
		if from.ID() != want || to.ID() != r.git("rev-parse", tt[1]) {
			t.Errorf("%s...%s starts at %s and ends at %s, want %s", tt[0], tt[1], from.ID(), to.ID(), want)
		}
	}
	all := strings.Fields(r.git("merge-base", "--all", "left", "right"))
	if from, _, err := h.Between("left", "right"); err != nil || !slices.Contains(all, from.ID()) {
		t.Errorf("left...right starts at %v (%v), want one of %v", from, err, all)
	}
	if from, _, err := h.Between("", "side"); err != nil || from.ID() != r.git("merge-base", "HEAD", "side") {
		t.Errorf("...side starts at %v, %v", from, err)
	}
	_, _, err := h.Between("main", "other")
	if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || d.Code != "history/no-base" {
		t.Errorf("main...other gives %v", err)
	}
	if _, _, err := h.Between("main", "nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("main...nowhere gives %v", err)
	}
	work, err := h.MergeBase(h.Worktree(), h.Worktree())
	if err != nil || work.ID() != r.git("rev-parse", "HEAD") {
		t.Errorf("the working tree and itself meet at %v, %v", work, err)
	}
}

// TestElsewhere holds that a component made from files of a submodule, which the
// commit only names, is told apart.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.write("azldev.toml", config+`[components.two]
spec = { type = "local", path = "sub/deep/two.spec" }
[components.three]
spec = { type = "local", path = "one.spec" }
[[components.three.overlays]]
type = "file-add"
file = "x"
source = "sub/x"
`)
	r.write("one.spec", "Name: one\n")
	first := r.commit("first")
	r.write(".gitmodules", "[submodule \"sub\"]\n\tpath = sub\n\turl = ../sub\n")
	r.git("update-index", "--add", "--cacheinfo", "160000,"+first+",sub")
	r.git("add", ".gitmodules")
	r.git("commit", "-q", "-m", "second")
	h := r.open()
	for ref, want := range map[string]string{"HEAD~1": "", "HEAD": "three two"} {
		rev, err := h.Resolve(ref)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range []string{"one", "three", "two", "unknown"} {
			if rev.Elsewhere(name) {
				got = append(got, name)
			}
		}
		if s := strings.Join(got, " "); s != want || rev.HasSubmodules() != (want != "") {
			t.Errorf("at %s %q come from submodules, want %q", ref, s, want)
		}
	}
	if h.Worktree().Elsewhere("two") {
		t.Error("the working tree has what is checked out in it")
	}
}
