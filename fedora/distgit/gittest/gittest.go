// Package gittest makes bare git repositories for tests, also such as git's own
// commands would refuse to make.
package gittest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A Repo is a bare repository that a test writes through git fast-import,
// which makes any tree and any history possible, also forbidden ones.
type Repo struct {
	t    testing.TB
	Dir  string
	buf  bytes.Buffer
	Mark int // of the last commit
}

// A File is one path of a commit: content with a git mode, or a deletion.
type File struct {
	Path, Mode, Content string
}

// New makes an empty bare repository with the branch f43, or skips where there is
// no git.
func New(t testing.TB, dir string) *Repo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	r := &Repo{t: t, Dir: dir}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	r.Git("init", "-q", "--bare", "-b", "f43")
	return r
}

// URL returns the address of the repository.
func (r *Repo) URL() string { return "file://" + r.Dir }

// Git runs git in the repository and returns what it prints.
func (r *Repo) Git(args ...string) string {
	r.t.Helper()
	return Run(r.t, r.Dir, "", args...)
}

// Run runs git in a directory and returns what it prints without the last line
// feed. A failure ends the test.
func Run(t testing.TB, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(environment(), "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org",
		"GIT_AUTHOR_DATE=@1700000000 +0000", "GIT_COMMITTER_DATE=@1700000000 +0000")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSuffix(string(out), "\n")
}

// environment is the process's without what steers git.
func environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "GIT_") && !strings.HasPrefix(kv, "GIT_EXEC_PATH=") })
	return append(env, "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
}

// Commit queues a commit on a branch at a time and returns its mark. The first
// of parents is the one whose files are kept; none starts from nothing.
func (r *Repo) Commit(branch string, when int, parents []int, files ...File) int {
	r.Mark++
	msg := fmt.Sprintf("Change %d\n", r.Mark)
	fmt.Fprintf(&r.buf, "commit refs/heads/%s\nmark :%d\nauthor Ann Other <ann@example.org> %d +0100\ncommitter Com Mitter <com@example.org> %d +0000\ndata %d\n%s",
		branch, r.Mark, when, when, len(msg), msg)
	for i, p := range parents {
		fmt.Fprintf(&r.buf, "%s :%d\n", []string{"from", "merge"}[min(i, 1)], p)
	}
	if len(parents) == 0 {
		r.buf.WriteString("deleteall\n")
	}
	for _, f := range files {
		if f.Mode == "" {
			f.Mode = "100644"
		}
		if f.Mode == "D" {
			fmt.Fprintf(&r.buf, "D %s\n", quoteC(f.Path))
		} else if f.Mode == "160000" {
			fmt.Fprintf(&r.buf, "M 160000 %s %s\n", f.Content, quoteC(f.Path))
		} else {
			fmt.Fprintf(&r.buf, "M %s inline %s\ndata %d\n%s\n", f.Mode, quoteC(f.Path), len(f.Content), f.Content)
		}
	}
	r.buf.WriteByte('\n')
	return r.Mark
}

// Flush writes the queued commits and returns their names by mark.
func (r *Repo) Flush() map[int]string {
	r.t.Helper()
	marks := filepath.Join(r.t.TempDir(), "marks")
	Run(r.t, r.Dir, r.buf.String(), "fast-import", "--quiet", "--force", "--export-marks="+marks)
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

// An Entry is one name of a tree.
type Entry struct {
	Name string
	Mode uint32 // git's
	ID   string // of what it names
}

// RawTree writes a tree object of exactly these entries, and a commit of it on
// a branch. Git's own commands would refuse some of them.
func (r *Repo) RawTree(branch string, entries ...Entry) string {
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
	id := Run(r.t, r.Dir, tree.String(), "hash-object", "-t", "tree", "-w", "--stdin", "--literally")
	commit := Run(r.t, r.Dir, "", "commit-tree", "-m", "raw", id)
	r.Git("update-ref", "refs/heads/"+branch, commit)
	return commit
}

// Blob writes a blob and returns its name.
func (r *Repo) Blob(content string) string {
	r.t.Helper()
	return Run(r.t, r.Dir, content, "hash-object", "-w", "--stdin")
}

// History writes n commits of a package and returns the names by number.
func (r *Repo) History(branch string, from, n int) map[int]string {
	for i := range n {
		var p []int
		if i > 0 {
			p = []int{r.Mark}
		}
		r.Commit(branch, 1_600_000_000+100*(from+i), p, File{Path: "pkg.spec", Content: fmt.Sprint("Version: ", from+i, "\n")})
	}
	last := r.Mark
	ids := r.Flush()
	byNumber := map[int]string{}
	for i := range n {
		byNumber[from+i] = ids[last-n+1+i]
	}
	return byNumber
}

// Noise returns n bytes that do not compress well and depend on seed alone.
func Noise(seed, n int) string {
	var b strings.Builder
	x := uint64(seed)*2862933555777941757 + 3037000493
	for b.Len() < n {
		x = x*2862933555777941757 + 3037000493
		b.WriteByte("abcdefghijklmnopqrstuvwxyz012345"[x>>59])
	}
	return b.String()
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

// RandomHistory writes a history of n commits with branches, merges (clean,
// taking one side, and evil ones), deletions and re-additions.
func RandomHistory(r *Repo, rnd *rand.Rand, n int, merges bool) {
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
		var edits []File
		set := func(path, content string) {
			files[path] = content
			edits = append(edits, File{Path: path, Content: content})
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
				edits = append(edits, File{Path: path, Mode: "D"})
			} else if len(marks) < 2 || rnd.IntN(4) == 0 {
				set(path, fmt.Sprint(rnd.IntN(4)))
			}
		}
		mark := r.Commit("f43", when, marks, edits...)
		all = append(all, state{mark, files})
	}
}
