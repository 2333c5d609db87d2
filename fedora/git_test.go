package fedora

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"specgraft/overlay/diag"

	"github.com/google/go-cmp/cmp"
)

// trap writes a program that leaves a mark when it is run.
func trap(t *testing.T, dir string) (program, mark string) {
	t.Helper()
	mark = filepath.Join(dir, "mark")
	program = filepath.Join(dir, "trap.sh")
	writeFile(t, program, "#!/bin/sh\necho \"$0 $*\" >>'"+mark+"'\nexit 1\n")
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	return program, mark
}

func noMark(t *testing.T, mark string) {
	t.Helper()
	if data, err := os.ReadFile(mark); err == nil {
		t.Errorf("a program was run: %s", data)
		os.Remove(mark)
	}
}

// TestHostileConfiguration reads a repository, and fetches, with every setting
// that makes git run a program set in the repository, for the user and in the
// environment.
func TestHostileConfiguration(t *testing.T) {
	base := t.TempDir()
	program, mark := trap(t, base)
	r := newTestRepo(t, filepath.Join(base, "r.git"))
	ids := r.history("f43", 0, 5)
	server := newGitServer(t)
	remote := server.repo(t, "pkg").history("f43", 0, 3)

	config := fmt.Sprintf(`
[core]
	fsmonitor = %[1]s
	sshCommand = %[1]s
	gitProxy = %[1]s
	alternateRefsCommand = %[1]s
	hooksPath = %[2]s/hooks
	pager = %[1]s
	editor = %[1]s
	askPass = %[1]s
[pager]
	log = %[1]s
	cat-file = %[1]s
[diff]
	external = %[1]s
[diff "x"]
	textconv = %[1]s
	command = %[1]s
[filter "x"]
	smudge = %[1]s
	clean = %[1]s
	process = %[1]s
[log]
	showSignature = true
[gpg]
	program = %[1]s
[alias]
	cat-file = !%[1]s
	fetch = !%[1]s
	log = !%[1]s
[uploadpack]
	packObjectsHook = %[1]s
[gc]
	auto = 1
[protocol "ext"]
	allow = always
`, program, base)
	for _, hook := range []string{"post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc", "post-merge", "fsmonitor-watchman"} {
		writeFile(t, filepath.Join(base, "hooks", hook), "#!/bin/sh\n"+program+" hook\n")
		os.Chmod(filepath.Join(base, "hooks", hook), 0o755)
	}
	own, err := os.ReadFile(filepath.Join(r.dir, "config"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(r.dir, "config"), string(own)+config)
	writeFile(t, filepath.Join(r.dir, "info", "attributes"), "* diff=x filter=x\n")
	home := filepath.Join(base, "home")
	writeFile(t, filepath.Join(home, ".gitconfig"), config)
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	for _, name := range []string{"GIT_EXTERNAL_DIFF", "GIT_PAGER", "PAGER", "GIT_EDITOR", "EDITOR", "GIT_PROXY_COMMAND"} {
		t.Setenv(name, program)
	}
	t.Setenv("GIT_DIR", filepath.Join(base, "nowhere"))
	t.Setenv("GIT_WORK_TREE", base)
	t.Setenv("GIT_OBJECT_DIRECTORY", filepath.Join(base, "nowhere"))
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
	t.Setenv("GIT_CONFIG_VALUE_0", program)
	t.Setenv("GIT_CONFIG_PARAMETERS", "'core.fsmonitor="+program+"'")
	t.Setenv("GIT_TRACE", filepath.Join(base, "trace"))

	s := openStore(t, fetchOptions(t))
	got, err := readSnapshot(t, s, r.url(), ids[3])
	if err != nil || !cmp.Equal(got, []string{"644 pkg.spec Version: 3\n"}) {
		t.Errorf("snapshot: %q, %v", got, err)
	}
	repo, err := OpenWorktree(t.Context(), r.dir)
	if err != nil {
		t.Fatal(err)
	}
	if logs, err := repo.PathLog(t.Context(), ids[4], "pkg.spec"); err != nil || len(logs["pkg.spec"]) != 5 {
		t.Errorf("log: %v, %v", logs, err)
	}
	repo.Close()
	if got, err := s.Fetch(t.Context(), Request{URL: server.url + "/pkg.git", Branch: "f43"}); err != nil || got.Commit != remote[2] {
		t.Errorf("fetch: %+v, %v", got, err)
	}
	verifyClean(t, s)
	noMark(t, mark)
	if _, err := os.Stat(filepath.Join(base, "trace")); err == nil {
		t.Error("a trace was written")
	}
}

// TestPromisor reads a partial clone whose missing objects would be fetched by
// a program.
func TestPromisor(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	program, mark := trap(t, base)
	for _, url := range []string{"ext::" + program, "ssh://example.invalid/x", "file://" + base + "/none"} {
		r := newTestRepo(t, filepath.Join(t.TempDir(), "r.git"))
		ids := r.history("f43", 0, 2)
		r.git("config", "core.repositoryFormatVersion", "1")
		r.git("config", "extensions.partialClone", "evil")
		r.git("config", "remote.evil.url", url)
		r.git("config", "remote.evil.promisor", "true")
		r.git("config", "remote.evil.uploadpack", program)
		r.git("config", "core.sshCommand", program)
		r.git("config", "protocol.allow", "always")
		commit := r.rawTree("f43", TreeEntry{"pkg.spec", ModeRegular, idA})
		for _, offline := range []bool{true, false} {
			s := openStore(t, Options{Offline: offline})
			if _, err := s.Snapshot(t.Context(), r.url(), commit); !diag.HasCode(err, "fedora/unreadable-repository") {
				t.Errorf("%s: %v", url, err)
			}
			if _, err := s.Snapshot(t.Context(), r.url(), ids[1]); err != nil {
				t.Errorf("%s: after a missing object: %v", url, err)
			}
		}
	}
	noMark(t, mark)
}

// TestReplacements holds that what a repository puts in place of objects is
// not believed.
func TestReplacements(t *testing.T) {
	t.Parallel()
	r := newTestRepo(t, filepath.Join(t.TempDir(), "r.git"))
	ids := r.history("f43", 0, 4)
	r.git("replace", ids[2], ids[0])
	writeFile(t, filepath.Join(r.dir, "info", "grafts"), ids[3]+"\n")
	s := openStore(t, Options{})
	if got, err := readSnapshot(t, s, r.url(), ids[2]); err != nil || !cmp.Equal(got, []string{"644 pkg.spec Version: 2\n"}) {
		t.Errorf("snapshot: %q, %v", got, err)
	}
	repo, err := s.Repo(t.Context(), r.url())
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	if logs, err := repo.PathLog(t.Context(), ids[3], "."); err != nil || len(logs["pkg.spec"]) != 4 {
		t.Errorf("log: %v, %v", logs, err)
	}
}

// TestCredentials asks a credential helper of the user for a password.
func TestCredentials(t *testing.T) {
	home := t.TempDir()
	writeFile(t, filepath.Join(home, ".gitconfig"), "[credential]\n\thelper = \"!f() { echo username=me; echo password=secret; }; f\"\n")
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	server := newGitServer(t)
	ids := server.repo(t, "pkg").history("f43", 0, 2)
	server.break_(func(_ int64, w *http.ResponseWriter, r *http.Request) bool {
		if user, pw, _ := r.BasicAuth(); user == "me" && pw == "secret" {
			return false
		}
		(*w).Header().Set("WWW-Authenticate", `Basic realm="x"`)
		http.Error(*w, "who?", http.StatusUnauthorized)
		return true
	})
	s := openStore(t, fetchOptions(t))
	if got, err := s.Fetch(t.Context(), Request{URL: server.url + "/pkg.git", Branch: "f43"}); err != nil || got.Commit != ids[1] {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNoGit(t *testing.T) {
	r := newTestRepo(t, filepath.Join(t.TempDir(), "r.git"))
	ids := r.history("f43", 0, 1)
	t.Setenv("PATH", t.TempDir())
	s := openStore(t, Options{})
	_, err := s.Snapshot(t.Context(), r.url(), ids[0])
	if d := diagOf(err); d == nil || d.Code != "fedora/no-git" || !d.Env {
		t.Errorf("without git: %v", err)
	}
}

func TestRepo(t *testing.T) {
	t.Parallel()
	r := newTestRepo(t, filepath.Join(t.TempDir(), "r.git"))
	a := r.commit("f43", 1_600_000_000, nil, testFile{path: "a b/ü", content: "1"}, testFile{path: "a b/deep/x", content: "2"},
		testFile{path: "link", mode: "120000", content: "a b"}, testFile{path: "mod", mode: "160000", content: idA})
	b := r.commit("side", 1_600_000_100, []int{a}, testFile{path: "side", content: "3"})
	m := r.commit("f43", 1_600_000_200, []int{a, b}, testFile{path: "a b/ü", content: "4"})
	ids := r.flush()
	r.git("tag", "-a", "-m", "tag", "v1", ids[a])
	repo, err := OpenWorktree(t.Context(), r.dir)
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

// TestShortNames holds that an abbreviation which fits two commits is refused.
func TestShortNames(t *testing.T) {
	t.Parallel()
	r := newTestRepo(t, filepath.Join(t.TempDir(), "r.git"))
	tree := runGit(t, r.dir, "", "mktree")
	seen := map[string]string{}
	var first, second string
	for i := 0; second == ""; i++ { // some twenty thousand are enough
		c := fmt.Sprintf("tree %s\nauthor A <a> 1600000000 +0000\ncommitter C <c> 1600000000 +0000\n\n%d\n", tree, i)
		sum := sha1.Sum(fmt.Appendf(nil, "commit %d\x00%s", len(c), c))
		id := hex.EncodeToString(sum[:4])[:7]
		if seen[id] != "" {
			first, second = seen[id], c
		}
		seen[id] = c
	}
	a := runGit(t, r.dir, first, "hash-object", "-t", "commit", "-w", "--stdin")
	b := runGit(t, r.dir, second, "hash-object", "-t", "commit", "-w", "--stdin")
	if a == b || a[:7] != b[:7] {
		t.Fatalf("names %s and %s", a, b)
	}
	s := openStore(t, Options{})
	if got, err := s.Resolve(t.Context(), Request{URL: r.url(), Commit: a[:7]}); !diag.HasCode(err, "fedora/ambiguous-commit") {
		t.Errorf("%s: %q, %v", a[:7], got, err)
	}
	for _, id := range []string{a, b} {
		if got, err := s.Resolve(t.Context(), Request{URL: r.url(), Commit: id[:20]}); err != nil || got != id {
			t.Errorf("%s: %q, %v", id[:20], got, err)
		}
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

// TestSSH fetches over ssh, with a program in ssh's place that runs the remote
// command here.
func TestSSH(t *testing.T) {
	base := t.TempDir()
	r := newTestRepo(t, filepath.Join(base, "pkg.git"))
	ids := r.history("f43", 0, 3)
	ssh := filepath.Join(base, "ssh")
	writeFile(t, ssh, "#!/bin/sh\nfor last; do :; done\necho \"$*\" >>'"+base+"/calls'\nexec sh -c \"$last\"\n")
	if err := os.Chmod(ssh, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_SSH_COMMAND", ssh)
	t.Setenv("GIT_SSH_VARIANT", "ssh")
	s := openStore(t, fetchOptions(t))
	got, err := s.Fetch(t.Context(), Request{URL: "ssh://git@host.invalid:2222" + r.dir, Branch: "f43"})
	if err != nil || got.Commit != ids[2] {
		t.Errorf("%+v, %v", got, err)
	}
	if calls, err := os.ReadFile(filepath.Join(base, "calls")); err != nil || !strings.Contains(string(calls), "-p 2222 git@host.invalid git-upload-pack ") {
		t.Errorf("called %q, %v", calls, err)
	}
	t.Setenv("GIT_SSH_COMMAND", "echo 'git@host.invalid: Permission denied (publickey).' >&2; false")
	_, err = s.Fetch(t.Context(), Request{URL: "ssh://git@host.invalid/other.git", Branch: "f43"})
	if d := diagOf(err); d == nil || d.Code != "fedora/refused" || !d.Env || !strings.Contains(d.Message, "publickey") {
		t.Errorf("without a key: %v", err)
	}
}
