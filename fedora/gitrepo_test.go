package fedora

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"specgraft/overlay/diag"
)

// A testRepo is a bare repository that a test writes through git fast-import,
// which makes any tree and any history possible, also forbidden ones.
type testRepo struct {
	t    testing.TB
	dir  string
	buf  bytes.Buffer
	mark int
}

// A testFile is one path of a commit: content with a git mode, or a deletion.
type testFile struct {
	path, mode, content string
}

func newTestRepo(t testing.TB, dir string) *testRepo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	r := &testRepo{t: t, dir: dir}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	r.git("init", "-q", "--bare", "-b", "f43")
	return r
}

func (r *testRepo) url() string { return "file://" + r.dir }

// git runs git in the repository and returns what it prints.
func (r *testRepo) git(args ...string) string {
	r.t.Helper()
	return runGit(r.t, r.dir, "", args...)
}

func runGit(t testing.TB, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(cleanEnvironment(nil), "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org",
		"GIT_AUTHOR_DATE=@1700000000 +0000", "GIT_COMMITTER_DATE=@1700000000 +0000")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSuffix(string(out), "\n")
}

// commit queues a commit on a branch at a time and returns its mark. The first
// of parents is the one whose files are kept; none starts from nothing.
func (r *testRepo) commit(branch string, when int, parents []int, files ...testFile) int {
	r.mark++
	msg := fmt.Sprintf("Change %d\n", r.mark)
	fmt.Fprintf(&r.buf, "commit refs/heads/%s\nmark :%d\nauthor Ann Other <ann@example.org> %d +0100\ncommitter Com Mitter <com@example.org> %d +0000\ndata %d\n%s",
		branch, r.mark, when, when, len(msg), msg)
	for i, p := range parents {
		fmt.Fprintf(&r.buf, "%s :%d\n", []string{"from", "merge"}[min(i, 1)], p)
	}
	if len(parents) == 0 {
		r.buf.WriteString("deleteall\n")
	}
	for _, f := range files {
		if f.mode == "" {
			f.mode = "100644"
		}
		if f.mode == "D" {
			fmt.Fprintf(&r.buf, "D %s\n", quoteC(f.path))
		} else if f.mode == "160000" {
			fmt.Fprintf(&r.buf, "M 160000 %s %s\n", f.content, quoteC(f.path))
		} else {
			fmt.Fprintf(&r.buf, "M %s inline %s\ndata %d\n%s\n", f.mode, quoteC(f.path), len(f.content), f.content)
		}
	}
	r.buf.WriteByte('\n')
	return r.mark
}

// flush writes the queued commits and returns their names by mark.
func (r *testRepo) flush() map[int]string {
	r.t.Helper()
	marks := filepath.Join(r.t.TempDir(), "marks")
	runGit(r.t, r.dir, r.buf.String(), "fast-import", "--quiet", "--force", "--export-marks="+marks)
	r.buf.Reset()
	data, err := os.ReadFile(marks)
	if err != nil {
		r.t.Fatal(err)
	}
	ids := map[int]string{}
	for _, l := range lines(string(data)) {
		mark, id, _ := strings.Cut(l, " ")
		n, _ := strconv.Atoi(strings.TrimPrefix(mark, ":"))
		ids[n] = id
	}
	return ids
}

// rawTree writes a tree object of exactly these entries, and a commit of it on
// a branch. Git's own commands would refuse some of them.
func (r *testRepo) rawTree(branch string, entries ...TreeEntry) string {
	r.t.Helper()
	var tree bytes.Buffer
	for _, e := range entries {
		fmt.Fprintf(&tree, "%o %s\x00", e.Mode, e.Name)
		var id [20]byte
		for i := range id {
			n, _ := strconv.ParseUint(e.ID[2*i:2*i+2], 16, 8)
			id[i] = byte(n)
		}
		tree.Write(id[:])
	}
	id := runGit(r.t, r.dir, tree.String(), "hash-object", "-t", "tree", "-w", "--stdin", "--literally")
	commit := runGit(r.t, r.dir, "", "commit-tree", "-m", "raw", id)
	r.git("update-ref", "refs/heads/"+branch, commit)
	return commit
}

// blob writes a blob and returns its name.
func (r *testRepo) blob(content string) string {
	r.t.Helper()
	return runGit(r.t, r.dir, content, "hash-object", "-w", "--stdin")
}

func openStore(t testing.TB, o Options) *Store {
	t.Helper()
	if o.CacheDir == "" {
		o.CacheDir = filepath.Join(t.TempDir(), "cache")
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// diagOf returns the diagnostic that err is, or nil.
func diagOf(err error) *diag.Diagnostic {
	d, _ := errors.AsType[*diag.Diagnostic](err)
	return d
}

// lines splits text and leaves out empty lines.
func lines(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return l == "" })
}

// quoteC quotes a path as git fast-import reads it, which has octal escapes.
func quoteC(p string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(p) {
		if c == '"' || c == '\\' || c < ' ' || c >= 0x7f {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
