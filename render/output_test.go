package render

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// files makes rendered files of "path: content" pairs; a path ending in "*" is
// executable.
func files(pairs ...string) []*overlay.File {
	var list []*overlay.File
	for i := 0; i < len(pairs); i += 2 {
		name, mode := strings.TrimSuffix(pairs[i], "*"), fs.FileMode(0o644)
		if name != pairs[i] {
			mode = 0o755
		}
		list = append(list, overlay.NewFile(name, mode, []byte(pairs[i+1]), nil))
	}
	return list
}

func open(t *testing.T, dir string, opt OutputOptions) *Output {
	t.Helper()
	o, err := OpenOutput(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// inTree lists everything below dir as "path mode content" lines.
func inTree(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		if d.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(p)
			list = append(list, rel+" -> "+target)
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		b, err := os.ReadFile(p)
		list = append(list, fmt.Sprintf("%s %04o %s", rel, st.Mode().Perm(), b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWrite(t *testing.T) {
	t.Parallel()
	old := files("b.patch", "one", "bash.spec", "v1", "d/x", "x", "run.sh*", "#!")
	tests := []struct {
		name    string
		new     []*overlay.File
		changes []Change
		same    []string // files that must be the same inode afterwards
		tree    []string
	}{
		{"nothing", old, nil, []string{".", "b.patch", "bash.spec", "d/x", "run.sh"},
			[]string{"b/bash/b.patch 0644 one", "b/bash/bash.spec 0644 v1", "b/bash/d/x 0644 x", "b/bash/run.sh 0755 #!"}},
		{"content of one", files("b.patch", "one", "bash.spec", "v2", "d/x", "x", "run.sh*", "#!"),
			[]Change{{"bash.spec", Changed}}, []string{".", "b.patch", "d/x", "run.sh"},
			[]string{"b/bash/b.patch 0644 one", "b/bash/bash.spec 0644 v2", "b/bash/d/x 0644 x", "b/bash/run.sh 0755 #!"}},
		{"same length", files("b.patch", "two", "bash.spec", "v1", "d/x", "x", "run.sh*", "#!"),
			[]Change{{"b.patch", Changed}}, []string{"."},
			[]string{"b/bash/b.patch 0644 two", "b/bash/bash.spec 0644 v1", "b/bash/d/x 0644 x", "b/bash/run.sh 0755 #!"}},
		{"mode", files("b.patch", "one", "bash.spec", "v1", "d/x", "x", "run.sh", "#!"),
			[]Change{{"run.sh", Mode}}, []string{"."},
			[]string{"b/bash/b.patch 0644 one", "b/bash/bash.spec 0644 v1", "b/bash/d/x 0644 x", "b/bash/run.sh 0644 #!"}},
		{"one more", files("a", "", "b.patch", "one", "bash.spec", "v1", "d/x", "x", "run.sh*", "#!"),
			[]Change{{"a", Added}}, []string{".", "bash.spec"},
			[]string{"b/bash/a 0644 ", "b/bash/b.patch 0644 one", "b/bash/bash.spec 0644 v1", "b/bash/d/x 0644 x", "b/bash/run.sh 0755 #!"}},
		{"one less", files("bash.spec", "v1", "d/x", "x", "run.sh*", "#!"),
			[]Change{{"b.patch", Removed}}, []string{".", "bash.spec"},
			[]string{"b/bash/bash.spec 0644 v1", "b/bash/d/x 0644 x", "b/bash/run.sh 0755 #!"}},
		{"last of a directory", files("b.patch", "one", "bash.spec", "v1", "run.sh*", "#!"),
			[]Change{{"d/x", Removed}}, []string{"bash.spec", "b.patch"},
			[]string{"b/bash/b.patch 0644 one", "b/bash/bash.spec 0644 v1", "b/bash/run.sh 0755 #!"}},
		{"several", files("bash.spec", "v2", "c.patch", "new", "d/x", "x", "run.sh*", "#!"),
			[]Change{{"b.patch", Removed}, {"bash.spec", Changed}, {"c.patch", Added}}, []string{"d/x", "run.sh"},
			[]string{"b/bash/bash.spec 0644 v2", "b/bash/c.patch 0644 new", "b/bash/d/x 0644 x", "b/bash/run.sh 0755 #!"}},
		{"file becomes directory", files("b.patch/y", "y", "bash.spec", "v1", "d/x", "x", "run.sh*", "#!"),
			[]Change{{"b.patch", Removed}, {"b.patch/y", Added}}, []string{"bash.spec"},
			[]string{"b/bash/b.patch/y 0644 y", "b/bash/bash.spec 0644 v1", "b/bash/d/x 0644 x", "b/bash/run.sh 0755 #!"}},
		{"failed", failedFiles(),
			[]Change{{"RENDER_FAILED", Added}, {"b.patch", Removed}, {"bash.spec", Removed}, {"d/x", Removed}, {"run.sh", Removed}}, nil,
			[]string{"b/bash/RENDER_FAILED 0644 " + failedText}},
	}
	for _, tt := range tests {
		for _, exchange := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/exchange=%v", tt.name, exchange), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				o := open(t, dir, OutputOptions{})
				o.noExchange.Store(!exchange)
				if _, err := o.Write("bash", old); err != nil {
					t.Fatal(err)
				}
				before := map[string]os.FileInfo{}
				for _, p := range tt.same {
					before[p], _ = os.Lstat(filepath.Join(dir, "b/bash", p))
				}
				seen, err := o.Compare("bash", tt.new)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tt.changes, seen); d != "" {
					t.Errorf("Compare (-want +got):\n%s", d)
				}
				got, err := o.Write("bash", tt.new)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tt.changes, got); d != "" {
					t.Errorf("Write (-want +got):\n%s", d)
				}
				if d := cmp.Diff(tt.tree, inTree(t, dir)); d != "" {
					t.Errorf("tree (-want +got):\n%s", d)
				}
				for _, p := range tt.same {
					after, err := os.Lstat(filepath.Join(dir, "b/bash", p))
					if err != nil || !os.SameFile(before[p], after) {
						t.Errorf("%s was replaced", p)
					}
				}
				if again, err := o.Compare("bash", tt.new); err != nil || len(again) > 0 {
					t.Errorf("after writing, Compare = %v, %v", again, err)
				}
			})
		}
	}
}

// TestWriteModes holds that what git keeps of a file's permissions is what was
// asked for even where they were changed by hand, and that the rest, which is the
// umask of a checkout, is no change.
func TestWriteModes(t *testing.T) {
	t.Parallel()
	for mode, want := range map[os.FileMode][]Change{0o600: nil, 0o664: nil, 0o755: {{"bash.spec", Mode}}, 0o700: {{"bash.spec", Mode}}} {
		dir := t.TempDir()
		o := open(t, dir, OutputOptions{})
		if _, err := o.Write("bash", files("bash.spec", "v1")); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, "b/bash/bash.spec"), mode); err != nil {
			t.Fatal(err)
		}
		got, err := o.Write("bash", files("bash.spec", "v1"))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%o: %s", mode, d)
		}
		if want != nil {
			mode = 0o644
		}
		if d := cmp.Diff([]string{fmt.Sprintf("b/bash/bash.spec %04o v1", mode)}, inTree(t, dir)); d != "" {
			t.Error(d)
		}
	}
}

func TestAlias(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := open(t, dir, OutputOptions{})
	got, err := o.Write("libxml++", files("libxml++.spec", ""))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Change{{"../libxml%2B%2B", Added}, {"libxml++.spec", Added}}, got); d != "" {
		t.Error(d)
	}
	want := []string{"l/libxml%2B%2B -> libxml++", "l/libxml++/libxml++.spec 0644 "}
	if d := cmp.Diff(want, inTree(t, dir)); d != "" {
		t.Error(d)
	}
	if got, err := o.Compare("libxml++", files("libxml++.spec", "")); len(got) > 0 || err != nil {
		t.Error(got, err)
	}
	// Something else of that name is left alone.
	other := filepath.Join(dir, "l/a%2B%2B")
	if err := os.MkdirAll(other, 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := o.Write("LA++", files("LA++.spec", "")); len(got) != 2 || err != nil {
		t.Error(got, err)
	}
	if got, err := o.Write("la++", files("la++.spec", "")); len(got) != 2 || err != nil {
		t.Error(got, err)
	}
}

func TestOrphans(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := open(t, dir, OutputOptions{})
	for _, n := range []string{"bash", "Bar", "gone", "lib++", "old++"} {
		if _, err := o.Write(n, files(n+".spec", "")); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{"README", "b/README", ".git/x/y"} {
		plant(t, filepath.Join(dir, p), "")
	}
	got, err := o.Orphans([]string{"bash", "Bar", "lib++"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"g/gone", "o/old%2B%2B", "o/old++"}, got); d != "" {
		t.Fatal(d)
	}
	for _, p := range got {
		if err := o.Remove(p); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{".git/x/y 0644 ", "README 0644 ", "b/Bar/Bar.spec 0644 ", "b/README 0644 ", "b/bash/bash.spec 0644 ",
		"l/lib%2B%2B -> lib++", "l/lib++/lib++.spec 0644 "}
	if d := cmp.Diff(want, inTree(t, dir)); d != "" {
		t.Error(d)
	}
	if _, err := os.Stat(filepath.Join(dir, "g")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the letter's empty directory is still there")
	}
}

// plant writes a file of mode 0644, whatever the umask is.
func plant(t *testing.T, path, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err == nil {
		err = os.Chmod(path, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSweep holds that the leftovers of a killed run go, and that a component
// that was moved away but not replaced comes back.
func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for p, text := range map[string]string{
		"b/.specgraft-7/bash.spec":          "half",
		"b/.specgraft-8":                    "half",
		"b/.specgraft-old-bash/bash.spec":   "v1",
		"c/.specgraft-old-clang/clang.spec": "v1",
		"c/clang/clang.spec":                "v2",
	} {
		plant(t, filepath.Join(dir, p), text)
	}
	open(t, dir, OutputOptions{})
	want := []string{"b/bash/bash.spec 0644 v1", "c/clang/clang.spec 0644 v2"}
	if d := cmp.Diff(want, inTree(t, dir)); d != "" {
		t.Error(d)
	}
}

func TestOpenOutputRefuses(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	for _, d := range []string{"project/specs", "project/.git/x", "home/src", "rendered/b/bash", "rendered/.git"} {
		if err := os.MkdirAll(filepath.Join(base, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	os.WriteFile(filepath.Join(base, "file"), nil, 0o644)
	os.Symlink("..", filepath.Join(base, "project/up"))
	tests := []struct {
		dir   string
		force bool
		code  string
	}{
		{"/", true, "render/output-unsafe"},
		{base, true, "render/output-unsafe"},
		{"project", true, "render/output-unsafe"},
		{"project/up", true, "render/output-unsafe"},
		{"project/.git/x", true, "render/output-unsafe"},
		{"file", false, "render/output-unsafe"},
		{"home", false, "render/not-ours"},
		{"home", true, ""},
		{"project/specs", false, ""},
		{"rendered", false, ""},
		{"new/dir", false, ""},
	}
	for _, tt := range tests {
		dir := tt.dir
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(base, dir)
		}
		o, err := OpenOutput(dir, OutputOptions{Force: tt.force, Protect: []string{filepath.Join(base, "project")}})
		code := ""
		if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
			code = d.Code
		} else if err != nil {
			t.Errorf("%s: %v", tt.dir, err)
		}
		if code != tt.code {
			t.Errorf("%s: got %q (%v), want %q", tt.dir, code, err, tt.code)
		}
		if o != nil {
			o.Close()
		}
	}
}

func TestNotOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "b/bash/thesis.txt"), "years of work")
	o := open(t, dir, OutputOptions{})
	_, err := o.Write("bash", files("bash.spec", ""))
	if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || d.Code != "render/not-ours" || d.Env {
		t.Errorf("got %v", err)
	}
	if d := cmp.Diff([]string{"b/bash/thesis.txt 0644 years of work"}, inTree(t, dir)); d != "" {
		t.Error(d)
	}
	o.Close()
	o = open(t, dir, OutputOptions{Force: true})
	if _, err := o.Write("bash", files("bash.spec", "")); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]string{"b/bash/bash.spec 0644 "}, inTree(t, dir)); d != "" {
		t.Error(d)
	}
}

// TestSymlinkedComponent holds that nothing is written through a link.
func TestSymlinkedComponent(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	os.Mkdir(filepath.Join(dir, "b"), 0o755)
	os.Symlink(outside, filepath.Join(dir, "b/bash"))
	os.Symlink(outside, filepath.Join(dir, "c"))
	o := open(t, dir, OutputOptions{})
	for _, name := range []string{"bash", "clang"} {
		if _, err := o.Write(name, files(name+".spec", "")); err == nil {
			t.Errorf("%s: written through a symbolic link", name)
		}
	}
	if got := inTree(t, outside); len(got) > 0 {
		t.Error(got)
	}
}

func TestOutputLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := open(t, dir, OutputOptions{})
	for _, ro := range []bool{false, true} {
		_, err := OpenOutput(dir, OutputOptions{ReadOnly: ro})
		if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || d.Code != "render/output-locked" || !d.Env {
			t.Errorf("second render: %v", err)
		}
	}
	o.Close()
	open(t, dir, OutputOptions{ReadOnly: true})
	open(t, dir, OutputOptions{ReadOnly: true})
}

// TestFailingContent holds that a component whose content cannot be read is
// left as it was, without leftovers.
func TestFailingContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := open(t, dir, OutputOptions{})
	if _, err := o.Write("bash", files("bash.spec", "v1")); err != nil {
		t.Fatal(err)
	}
	bad := overlay.LazyFile("big.patch", 0o644, 3, func() ([]byte, error) { return nil, errors.New("cache gone") })
	for _, list := range [][]*overlay.File{{bad}, append(files("bash.spec", "v1"), bad), append(files("bash.spec", "v2"), bad)} {
		if _, err := o.Write("bash", list); err == nil || !strings.Contains(err.Error(), "cache gone") {
			t.Errorf("got %v", err)
		}
		if d := cmp.Diff([]string{"b/bash/bash.spec 0644 v1"}, inTree(t, dir)); d != "" {
			t.Error(d)
		}
	}
}

func TestBadNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := open(t, dir, OutputOptions{})
	if _, err := o.Write("bash", files("bash.spec", "v1")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "..", ".hidden", "b/../bash", "../x", "a b", "caf\u00e9", "a\nb", `a\b`, strings.Repeat("x", 300)} {
		if _, err := o.Write(name, failedFiles()); err == nil {
			t.Errorf("%q was written", name)
		}
		if _, err := o.Compare(name, failedFiles()); err == nil {
			t.Errorf("%q was compared", name)
		}
	}
	if d := cmp.Diff([]string{"b/bash/bash.spec 0644 v1"}, inTree(t, dir)); d != "" {
		t.Error(d)
	}
}
