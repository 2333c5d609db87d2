package fedora

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"specgraft/fedora/distgit"
	"specgraft/fedora/distgit/gittest"
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
	r := gittest.New(t, filepath.Join(base, "r.git"))
	ids := r.History("f43", 0, 5)
	server := newGitServer(t)
	remote := server.repo(t, "pkg").History("f43", 0, 3)

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
	own, err := os.ReadFile(filepath.Join(r.Dir, "config"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(r.Dir, "config"), string(own)+config)
	writeFile(t, filepath.Join(r.Dir, "info", "attributes"), "* diff=x filter=x\n")
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
	got, err := readSnapshot(t, s, r.URL(), ids[3])
	if err != nil || !cmp.Equal(got, []string{"644 pkg.spec Version: 3\n"}) {
		t.Errorf("snapshot: %q, %v", got, err)
	}
	repo, err := distgit.OpenWorktree(t.Context(), r.Dir)
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
		r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
		ids := r.History("f43", 0, 2)
		r.Git("config", "core.repositoryFormatVersion", "1")
		r.Git("config", "extensions.partialClone", "evil")
		r.Git("config", "remote.evil.url", url)
		r.Git("config", "remote.evil.promisor", "true")
		r.Git("config", "remote.evil.uploadpack", program)
		r.Git("config", "core.sshCommand", program)
		r.Git("config", "protocol.allow", "always")
		commit := r.RawTree("f43", gittest.Entry{Name: "pkg.spec", Mode: distgit.ModeRegular, ID: idA})
		for _, offline := range []bool{true, false} {
			s := openStore(t, Options{Offline: offline})
			if _, err := s.Snapshot(t.Context(), r.URL(), commit); !diag.HasCode(err, "fedora/unreadable-repository") {
				t.Errorf("%s: %v", url, err)
			}
			if _, err := s.Snapshot(t.Context(), r.URL(), ids[1]); err != nil {
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
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	ids := r.History("f43", 0, 4)
	r.Git("replace", ids[2], ids[0])
	writeFile(t, filepath.Join(r.Dir, "info", "grafts"), ids[3]+"\n")
	s := openStore(t, Options{})
	if got, err := readSnapshot(t, s, r.URL(), ids[2]); err != nil || !cmp.Equal(got, []string{"644 pkg.spec Version: 2\n"}) {
		t.Errorf("snapshot: %q, %v", got, err)
	}
	repo, err := s.Repo(t.Context(), r.URL())
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
	ids := server.repo(t, "pkg").History("f43", 0, 2)
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
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	ids := r.History("f43", 0, 1)
	foreign := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	others := foreign.History("f43", 5, 1)
	foreign.Git("config", "core.repositoryformatversion", "1")
	foreign.Git("config", "extensions.noop", "true")
	t.Setenv("PATH", t.TempDir())
	s := openStore(t, Options{})
	// What is kept as nearly all repositories are needs no git to be read.
	if _, err := s.Snapshot(t.Context(), r.URL(), ids[0]); err != nil {
		t.Errorf("without git: %v", err)
	}
	_, err := s.Snapshot(t.Context(), foreign.URL(), others[5])
	if d := diagOf(err); d == nil || d.Code != "fedora/no-git" || !d.Env {
		t.Errorf("without git: %v", err)
	}
}

// TestShortNames holds that an abbreviation which fits two commits is refused.
func TestShortNames(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	tree := gittest.Run(t, r.Dir, "", "mktree")
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
	a := gittest.Run(t, r.Dir, first, "hash-object", "-t", "commit", "-w", "--stdin")
	b := gittest.Run(t, r.Dir, second, "hash-object", "-t", "commit", "-w", "--stdin")
	if a == b || a[:7] != b[:7] {
		t.Fatalf("names %s and %s", a, b)
	}
	s := openStore(t, Options{})
	if got, err := s.Resolve(t.Context(), Request{URL: r.URL(), Commit: a[:7]}); !diag.HasCode(err, "fedora/ambiguous-commit") {
		t.Errorf("%s: %q, %v", a[:7], got, err)
	}
	for _, id := range []string{a, b} {
		if got, err := s.Resolve(t.Context(), Request{URL: r.URL(), Commit: id[:20]}); err != nil || got != id {
			t.Errorf("%s: %q, %v", id[:20], got, err)
		}
	}
}

// TestSSH fetches over ssh, with a program in ssh's place that runs the remote
// command here.
func TestSSH(t *testing.T) {
	base := t.TempDir()
	r := gittest.New(t, filepath.Join(base, "pkg.git"))
	ids := r.History("f43", 0, 3)
	ssh := filepath.Join(base, "ssh")
	writeFile(t, ssh, "#!/bin/sh\nfor last; do :; done\necho \"$*\" >>'"+base+"/calls'\nexec sh -c \"$last\"\n")
	if err := os.Chmod(ssh, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_SSH_COMMAND", ssh)
	t.Setenv("GIT_SSH_VARIANT", "ssh")
	s := openStore(t, fetchOptions(t))
	got, err := s.Fetch(t.Context(), Request{URL: "ssh://git@host.invalid:2222" + r.Dir, Branch: "f43"})
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
