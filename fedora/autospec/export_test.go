package autospec

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"specgraft/fedora/distgit"

	"github.com/google/go-cmp/cmp"
)

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// repository writes a history from memory to disk and opens it.
func repository(t *testing.T, m *memory, head string) *distgit.Repo {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo")
	if err := distgit.WriteRepository(t.Context(), dir, nil, nil, m.stored, head); err != nil {
		t.Fatal(err)
	}
	repo, err := distgit.OpenWorktree(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	return repo
}

// TestExport writes a synthetic history and reads it back with git.
func TestExport(t *testing.T) {
	t.Parallel()
	m := newMemory()
	ids := m.line(t,
		memoryCommit{"Import\n", map[string]string{"sample.spec": specOf("1"), "dir/data": "x"}},
		memoryCommit{"Update\n", map[string]string{"sample.spec": specOf("2")}},
		memoryCommit{"Rebuild\n", nil},
	)
	repo := repository(t, m, ids[2])
	when := time.Date(2026, 4, 30, 12, 0, 0, 0, time.UTC)
	changes := []Change{
		{Hash: "abc1", Name: "Lo Cker", Email: "lo@example.org", When: when, Subject: "Lock", Upstream: ids[0]},
		{Hash: "abc2", Name: "Lo Cker", Email: "lo@example.org", When: when, Subject: "Patch", Upstream: ids[2]},
	}
	work := specOf("2") + "# grafted\n"
	files := []File{{Path: "sample.spec", Data: []byte(work)}, {Path: "dir/tool", Data: []byte("#!/bin/sh\n"), Executable: true}}
	log := NewLog("sample.spec", func() (History, error) { return repo, nil })
	g, err := Synthesize(log, ids[2], ids[0], changes, Worktree{Spec: []byte(work)})
	if err != nil {
		t.Fatal(err)
	}
	wantRelease, wantLog := processed(t, g, work)
	dir := filepath.Join(t.TempDir(), "out")
	if err := g.Export(t.Context(), dir, repo, files); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("Patch\nRebuild\nUpdate\nLock\nImport\n", git(t, dir, "log", "--format=%s")); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("Patch\n\nProject commit: abc2\n", strings.TrimSuffix(git(t, dir, "log", "-1", "--format=%B"), "\n")); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
	if out := git(t, dir, "status", "--porcelain"); out != "" {
		t.Errorf("the work tree is not clean:\n%s", out)
	}
	git(t, dir, "fsck", "--strict")
	if info, err := os.Stat(filepath.Join(dir, "dir", "tool")); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("dir/tool: %v, %v", info, err)
	}
	checkout, err := OpenCheckout(t.Context(), filepath.Join(dir, "sample.spec"))
	if err != nil {
		t.Fatal(err)
	}
	defer checkout.Close()
	if checkout.Input.Dirty {
		t.Error("the checkout is dirty")
	}
	release, changelog := processed(t, checkout.Input.Graph, work)
	if release != wantRelease || changelog != wantLog {
		t.Errorf("from git: release %d\n%s\nin memory: release %d\n%s", release, changelog, wantRelease, wantLog)
	}
	if err := g.Export(t.Context(), dir, repo, files); err == nil {
		t.Error("a directory with files was overwritten")
	}
}

// TestExportLocal does the same for a component without upstream.
func TestExportLocal(t *testing.T) {
	t.Parallel()
	work := Worktree{Spec: []byte(specOf("1"))}
	g, err := Synthesize(nil, "", "", []Change{{Hash: "abc", Name: "A", Email: "a@b", When: time.Unix(86400, 0), Subject: "Change"}}, work)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	if err := g.Export(t.Context(), dir, nil, []File{{Path: "sample.spec", Data: work.Spec}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("Change 86400\nInitial sources 0\n", git(t, dir, "log", "--format=%s %ct")); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// TestCheckout reads the state of a work tree.
func TestCheckout(t *testing.T) {
	t.Parallel()
	m := newMemory()
	ids := m.line(t, memoryCommit{"Import\n", map[string]string{"sample.spec": specOf("1"), "data": "x", "changelog": "old"}})
	for _, test := range []struct {
		name           string
		change         func(dir string) error
		dirty, removed bool
		user           User
	}{
		{name: "clean", change: func(string) error { return nil }},
		{name: "untracked", change: func(dir string) error { return os.WriteFile(filepath.Join(dir, "new"), nil, 0o644) }},
		{name: "modified", change: func(dir string) error { return os.WriteFile(filepath.Join(dir, "data"), nil, 0o644) }, dirty: true},
		{name: "mode", change: func(dir string) error { return os.Chmod(filepath.Join(dir, "data"), 0o755) }, dirty: true},
		{name: "mode of no interest", change: func(dir string) error {
			git(t, dir, "config", "core.fileMode", "false")
			return os.Chmod(filepath.Join(dir, "data"), 0o755)
		}},
		{name: "deleted", change: func(dir string) error { return os.Remove(filepath.Join(dir, "data")) }, dirty: true},
		{name: "changelog deleted", change: func(dir string) error { return os.Remove(filepath.Join(dir, "changelog")) }, dirty: true, removed: true},
		{name: "link", change: func(dir string) error {
			if err := os.Remove(filepath.Join(dir, "data")); err != nil {
				return err
			}
			return os.Symlink("changelog", filepath.Join(dir, "data"))
		}, dirty: true},
		{name: "directory", change: func(dir string) error {
			if err := os.Remove(filepath.Join(dir, "data")); err != nil {
				return err
			}
			return os.Mkdir(filepath.Join(dir, "data"), 0o755)
		}, dirty: true},
		{name: "user", change: func(dir string) error {
			git(t, dir, "config", "user.name", "Ann")
			git(t, dir, "config", "user.email", "ann@example.org")
			return os.Remove(filepath.Join(dir, "data"))
		}, dirty: true, user: User{"Ann", "ann@example.org"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "sample")
			if err := distgit.WriteRepository(t.Context(), dir, nil, nil, m.stored, ids[0]); err != nil {
				t.Fatal(err)
			}
			if err := test.change(dir); err != nil {
				t.Fatal(err)
			}
			c, err := OpenCheckout(t.Context(), dir) // the directory stands for its spec
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if c.Input.Dirty != test.dirty || c.Input.ChangelogRemoved != test.removed || c.Input.Graph == nil || c.Input.Name != "sample" {
				t.Errorf("dirty %v, removed %v, graph %v, name %q", c.Input.Dirty, c.Input.ChangelogRemoved, c.Input.Graph, c.Input.Name)
			}
			if test.user != (User{}) && c.Input.User != test.user {
				t.Errorf("user is %+v", c.Input.User)
			}
		})
	}
	t.Run("below the top", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "repo")
		if err := distgit.WriteRepository(t.Context(), dir, nil, nil, m.stored, ids[0]); err != nil {
			t.Fatal(err)
		}
		sub := filepath.Join(dir, "sub")
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(sub, "sample.spec")
		if err := os.WriteFile(path, []byte(specOf("1")), 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := OpenCheckout(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if c.Input.Graph != nil {
			t.Error("a repository further up counts")
		}
	})
	for _, path := range []string{"nothing.spec", ".", "/dev/null"} {
		if c, err := OpenCheckout(t.Context(), path); err == nil {
			c.Close()
			t.Errorf("%s is a checkout", path)
		}
	}
}
