package distgit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"specgraft/fedora/distgit/gittest"
	"specgraft/overlay/diag"
)

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestRefs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"HEAD":              "ref: refs/heads/main\n",
		"refs/heads/main":   idA + "\n",
		"refs/heads/sym":    "ref: refs/heads/packed\n",
		"refs/heads/loop":   "ref: refs/heads/loop\n",
		"refs/heads/escape": "ref: ../../secret\n",
		"refs/heads/broken": "zzz\n",
		"refs/heads/dir/x":  idB,
		"packed-refs": "# pack-refs with: peeled fully-peeled sorted \n" +
			idB + " refs/heads/main\n" + idB + " refs/heads/packed\n" + idA + " refs/heads/packed-more\n" +
			idA + " refs/heads/dir\n" + idB + " refs/tags/v1\n^" + idA + "\n",
	} {
		writeFile(t, filepath.Join(dir, name), content)
	}
	g := Dir{GitDir: dir, Common: dir}
	for name, want := range map[string]string{
		"HEAD": idA, "refs/heads/main": idA, "refs/heads/sym": idB, "refs/heads/packed": idB, "refs/heads/packed-more": idA,
		"refs/heads/dir": idA, "refs/heads/dir/x": idB, "refs/tags/v1": idB,
		"refs/heads/pack": "none", "refs/heads/none": "none", "refs/heads/loop": "error", "refs/heads/broken": "error", "refs/heads/escape": "error",
	} {
		id, err := g.Ref(name)
		switch want {
		case "none":
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %q, %v, want that it does not exist", name, id, err)
			}
		case "error":
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %q, %v, want an error", name, id, err)
			}
		default:
			if err != nil || id != want {
				t.Errorf("%s: %q, %v, want %s", name, id, err, want)
			}
		}
	}
	if got := strings.Join(g.Branches(), " "); got != "broken dir dir/x escape loop main packed packed-more sym" {
		t.Errorf("branches: %s", got)
	}
	if err := g.WriteRef("refs/specgraft/keep/"+idA, idA); err != nil {
		t.Fatal(err)
	}
	if id, err := g.Ref("refs/specgraft/keep/" + idA); err != nil || id != idA {
		t.Errorf("written ref reads %q, %v", id, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "refs/specgraft/keep/*.lock")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestCheckRefName(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"f43", "rawhide", "epel9-next", "user/branch", "a.b", "x@y", "ünï"} {
		if err := CheckRefName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "-f43", "--upload-pack=x", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "a@{1}", "@", "/a", "a/", "a//b",
		".a", "a/.b", "a.lock", "a.lock/b", "a.", "a\nb", "a\x7f", strings.Repeat("a", 2000)} {
		if err := CheckRefName(bad); !diag.HasCode(err, "fedora/bad-ref") {
			t.Errorf("%q: %v, want a refusal", bad, err)
		}
	}
}

func TestWorktreeLayouts(t *testing.T) {
	t.Parallel()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	main := filepath.Join(base, "main")
	writeFile(t, filepath.Join(main, "a/b/file"), "x")
	gittest.Run(t, base, "", "init", "-q", "-b", "trunk", main)
	gittest.Run(t, main, "", "add", ".")
	gittest.Run(t, main, "", "commit", "-q", "-m", "one")
	gittest.Run(t, main, "", "worktree", "add", "-q", "-b", "side", filepath.Join(base, "linked"))
	gittest.Run(t, filepath.Join(base, "linked"), "", "commit", "-q", "--allow-empty", "-m", "two")
	gittest.Run(t, base, "", "clone", "-q", "--bare", main, filepath.Join(base, "bare.git"))
	for _, dir := range []string{"main", "main/a/b", "linked", "linked/a", "bare.git"} {
		dir := filepath.Join(base, dir)
		r, err := OpenWorktree(t.Context(), dir)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		head, err := r.Head()
		if want := gittest.Run(t, dir, "", "rev-parse", "HEAD"); err != nil || head != want {
			t.Errorf("%s: HEAD is %q, %v, want %s", dir, head, err, want)
		}
		if c, err := r.Commit(head); err != nil || c.ID != head {
			t.Errorf("%s: commit %v, %v", dir, c, err)
		}
		if data, err := r.ReadFile(head, "a/b/file"); err != nil || string(data) != "x" {
			t.Errorf("%s: read %q, %v", dir, data, err)
		}
		r.Close()
		if !strings.HasSuffix(dir, ".git") {
			top := gittest.Run(t, dir, "", "rev-parse", "--show-toplevel")
			if got, err := RootOf(dir); err != nil || got != top {
				t.Errorf("%s: root %q, %v, want %s", dir, got, err, top)
			}
		}
	}
	if _, err := RootOf(base); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("root of a directory in no repository: %v", err)
	}
	if _, err := OpenWorktree(t.Context(), base); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening a directory in no repository: %v", err)
	}
}

func FuzzPackedRefs(f *testing.F) {
	f.Add([]byte("# pack-refs\n"+idA+" refs/heads/f43\n^"+idB+"\n"), "refs/heads/f43")
	f.Add([]byte(idA+" refs/heads/f43-x\r\n"), "refs/heads/f43")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		if CheckRefName(name) != nil {
			return
		}
		id, ok := findPackedRef(data, name)
		found := ""
		for line := range strings.SplitSeq(string(data), "\n") {
			if lid, rest, _ := strings.Cut(strings.TrimSuffix(line, "\r"), " "); IsObjectID(lid) && rest == name && found == "" {
				found = lid
			}
		}
		if ok != (found != "") && !strings.Contains(string(data), "\r") || ok && !IsObjectID(id) {
			t.Fatalf("found %q %v, want %q", id, ok, found)
		}
	})
}
