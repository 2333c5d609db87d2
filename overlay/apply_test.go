package overlay_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

const small = "Name: widget\nVersion: 1\nRelease: 1\n\n%description\nText.\n\n%build\nmake\n\n%files\n/x\n"

func smallTree(files ...string) *overlay.Tree {
	t := &overlay.Tree{Name: "widget", Spec: spec.Parse("widget.spec", []byte(small)), Files: map[string]*overlay.File{}}
	for _, name := range files {
		t.Files[name] = overlay.NewFile(name, 0o755, []byte("one\ntwo\n"), nil)
	}
	return t
}

func TestReport(t *testing.T) {
	t.Parallel()
	tree := smallTree("a.conf", "b.conf", "c.conf")
	rep, list := overlay.Apply(tree, []overlay.Op{
		{Type: overlay.SetTag, Tag: "Version", Value: "2", Description: "newer"},
		{Type: overlay.PrependLines, Section: "%build", Lines: []string{"a\nb", "c"}},
		{Type: overlay.RemoveSection, Section: "%files"},
		{Type: overlay.FileSearchReplace, File: "*.conf", Regex: "o", Replacement: "0"},
		{Type: overlay.FileRemove, File: "a.conf"},
		{Type: overlay.FileRename, File: "b.conf", Replacement: "d.conf"},
		{Type: overlay.FileRemove, File: "[cd].conf", Archive: "x.tar.gz"},
		{Type: overlay.PrependLines, Lines: []string{"# head"}, Step: "header"},
		{Type: overlay.SearchReplace, Regex: "(?m)^Text.\n\n?", Replacement: "One.\nTwo.\n", Section: "%description", Multiline: true},
	}, overlay.Options{})
	if list.HasErrors() {
		t.Fatal(list.Err())
	}
	var got []string
	for _, r := range rep.Applied {
		s := fmt.Sprintf("%d %s %d: places %d, +%d ~%d -%d, log %d", r.Index, r.Origin.Step, r.Origin.Index, r.Places, r.Added, r.Changed, r.Removed, r.To-r.From)
		for _, f := range r.Files {
			s += fmt.Sprintf(" %s %s %s %d", f.Change, f.Old, f.Path, f.Matches)
			if f.Before == nil || (f.After == nil) != (f.Change == overlay.FileDeleted) {
				t.Errorf("%s: before %v, after %v", f.Path, f.Before, f.After)
			}
		}
		if r.Skipped {
			s += " skipped"
		}
		got = append(got, s)
	}
	want := []string{
		"0 spec-set-tag 0: places 1, +0 ~1 -0, log 1",
		"1 spec-prepend-lines 1: places 1, +3 ~0 -0, log 2",
		"2 spec-remove-section 2: places 1, +0 ~0 -2, log 1",
		"3 file-search-replace 3: places 6, +0 ~0 -0, log 0 modified  a.conf 2 modified  b.conf 2 modified  c.conf 2",
		"4 file-remove 4: places 1, +0 ~0 -0, log 0 removed  a.conf 0",
		"5 file-rename 5: places 1, +0 ~0 -0, log 0 renamed b.conf d.conf 0",
		"6 file-remove 6: places 0, +0 ~0 -0, log 0 skipped",
		"7 header -1: places 1, +1 ~0 -0, log 1",
		"8 spec-search-replace 8: places 1, +0 ~2 -0, log 1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
	got = nil
	for _, f := range rep.Removed {
		got = append(got, f.Path+" by "+f.By.Step)
	}
	// Both files had been changed by an overlay before; they are upstream's all the same.
	if d := cmp.Diff([]string{"a.conf by file-remove", "b.conf by file-rename"}, got); d != "" {
		t.Errorf("removed files (-want +got):\n%s", d)
	}
	if f := tree.Files["d.conf"]; f.Mode != 0o755 || f.Origin.Step != "file-rename" {
		t.Errorf("d.conf has mode %v and origin %v", f.Mode, f.Origin)
	}
}

func TestApplyStopsAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	tree := smallTree()
	rep, list := overlay.Apply(tree, []overlay.Op{
		{Type: overlay.SetTag, Tag: "Version", Value: "2"},
		{Type: overlay.UpdateTag, Tag: "Vendor", Value: "us"},
		{Type: overlay.SetTag, Tag: "Version", Value: "3"},
	}, overlay.Options{})
	if rep.Failed != 1 || len(rep.Applied) != 1 || len(list) != 1 || list[0].Code != "overlay/no-match" || list[0].Component != "widget" {
		t.Errorf("failed at %d with %d applied: %v", rep.Failed, len(rep.Applied), list)
	}
	if got := string(tree.Spec.Bytes()); !strings.Contains(got, "Version: 2\n") {
		t.Errorf("the operation before the failure is gone:\n%s", got)
	}
	_, list = overlay.Apply(tree, []overlay.Op{{Type: "bogus"}}, overlay.Options{})
	if len(list) != 1 || list[0].Code != "overlay/unknown-type" {
		t.Errorf("unknown type: %v", list)
	}
	_, list = overlay.Apply(tree, []overlay.Op{{Type: overlay.AddTag}}, overlay.Options{})
	if len(list) != 2 || list[0].Code != "overlay/missing-key" {
		t.Errorf("missing keys: %v", list)
	}
}

func TestSourceErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		env  bool
		want string
	}{
		{&fs.PathError{Op: "open", Path: "/x/f", Err: fs.ErrNotExist}, false, `file-add: source file "/x/f" does not exist`},
		{&fs.PathError{Op: "open", Path: "/x/f", Err: fs.ErrPermission}, true, `file-add: source file "/x/f": permission denied`},
		{&diag.Diagnostic{Code: "config/outside", Message: "leads outside"}, false, "file-add: leads outside"},
	} {
		tree := smallTree()
		_, list := overlay.Apply(tree, []overlay.Op{{Type: overlay.FileAdd, File: "f", Source: "/x/f"}}, overlay.Options{
			Source: func(string) ([]byte, fs.FileMode, error) { return nil, 0, tt.err },
		})
		if len(list) != 1 || list[0].Message != tt.want || list[0].Env != tt.env || len(tree.Files) > 0 {
			t.Errorf("%v: got %+v", tt.err, list)
		}
	}
	_, list := overlay.Apply(smallTree(), []overlay.Op{{Type: overlay.FileAdd, File: "f", Source: "/x/f"}}, overlay.Options{})
	if len(list) != 1 || list[0].Code != "overlay/source" {
		t.Errorf("without a way to read sources: %v", list)
	}
}

func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	tree := smallTree()
	tree.Files["a"] = overlay.LazyFile("a", 0o644, 3, func() ([]byte, error) { return nil, errors.New("disk on fire") })
	_, list := overlay.Apply(tree, []overlay.Op{{Type: overlay.FilePrependLines, File: "a", Lines: []string{"x"}}}, overlay.Options{})
	if len(list) != 1 || list[0].Code != "overlay/file-content" || !list[0].Env || !strings.Contains(list[0].Message, "disk on fire") {
		t.Errorf("got %v", list)
	}
}

// TestLongLines is where the reference gives up: lines of 64 KiB and more.
func TestLongLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300_000)
	tree := &overlay.Tree{Spec: spec.Parse("w.spec", []byte("Name: w\nURL: "+long+"\n%build\n"+long+"y\n"))}
	_, list := overlay.Apply(tree, []overlay.Op{
		{Type: overlay.SearchReplace, Section: "%build", Regex: "y$", Replacement: "z"},
		{Type: overlay.RemoveTag, Tag: "URL", Value: long},
	}, overlay.Options{})
	if want := "Name: w\n%build\n" + long + "z\n"; list.HasErrors() || string(tree.Spec.Normalized()) != want {
		t.Errorf("errors %v, spec of %d bytes", list, len(tree.Spec.Normalized()))
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	for _, info := range overlay.Ops {
		if info.Help == "" || info.Counts == "" {
			t.Errorf("%s lacks help or what it counts", info.Type)
		}
		for _, k := range append(append([]overlay.Key{}, overlay.CommonKeys...), info.Keys...) {
			if k.Help == "" || k.Kind == "" || strings.HasSuffix(k.Help, ".") {
				t.Errorf("%s: key %q lacks help or kind", info.Type, k.Name)
			}
			if info.Key(k.Name) == nil {
				t.Errorf("%s: key %q is not found", info.Type, k.Name)
			}
		}
		if overlay.Lookup(info.Type) == nil {
			t.Errorf("%s is not found", info.Type)
		}
	}
	seen := map[string]bool{}
	for _, c := range overlay.Codes {
		if seen[c.ID] || c.Summary == "" || c.Doc == "" {
			t.Errorf("code %s is there twice or lacks its text", c.ID)
		}
		seen[c.ID] = true
	}
	// What the sources raise is documented, and what is documented is raised.
	used := map[string]bool{}
	paths, _ := filepath.Glob("*.go")
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(ID: )?"(overlay/[a-z-]+)"`).FindAllStringSubmatch(string(data), -1) {
			if m[1] == "" {
				used[m[2]] = true
			}
		}
	}
	for id := range used {
		if !seen[id] && id != "overlay/diag" && id != "overlay/spec" {
			t.Errorf("code %s is not documented", id)
		}
	}
	for id := range seen {
		if !used[id] {
			t.Errorf("code %s is never raised", id)
		}
	}
}
