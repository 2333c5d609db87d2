package overlay_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

var update = flag.Bool("update", false, "rewrite the expected results in testdata")

// TestGolden applies overlay.toml to in.spec and to the files below tree/ in
// each testdata/*.txtar. What comes out is want.diff, the unified diff of
// everything with carriage returns shown as \r, or want.err, the diagnostics.
// Files at the top are what `source` keys can name. The archive's comment may
// have the lines "crlf" and "no final newline", which txtar cannot express.
func TestGolden(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden cases: %v", err)
	}
	cases := map[overlay.Type]int{}
	for _, p := range paths {
		name := strings.TrimSuffix(filepath.Base(p), ".txtar")
		op, _, _ := strings.Cut(name, "_")
		cases[overlay.Type(op)]++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, p)
		})
	}
	for _, info := range overlay.Ops {
		if n := cases[info.Type]; n < 5 {
			t.Errorf("%s has %d golden cases, want at least 5", info.Type, n)
		}
	}
}

func golden(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range a.Files {
		files[f.Name] = f.Data
	}
	if files["in.spec"] == nil || files["overlay.toml"] == nil {
		t.Fatal("the archive needs in.spec and overlay.toml")
	}
	in := files["in.spec"]
	for line := range strings.Lines(string(a.Comment)) {
		switch strings.TrimSpace(line) {
		case "crlf":
			in = bytes.ReplaceAll(in, []byte("\n"), []byte("\r\n"))
		case "no final newline":
			in = bytes.TrimSuffix(in, []byte("\n"))
		}
	}
	tree := &overlay.Tree{Name: "widget", Spec: spec.Parse("widget.spec", in), Files: map[string]*overlay.File{}}
	before := map[string]string{"widget.spec": string(in)}
	for name, data := range files {
		if p, ok := strings.CutPrefix(name, "tree/"); ok {
			tree.Files[p] = overlay.NewFile(p, 0o644, data, nil)
			before[p] = string(data)
		}
	}
	ops, list := components.ParseOverlays("overlay.toml", files["overlay.toml"])
	dir, _ := filepath.Abs(".")
	if !list.HasErrors() {
		var more diag.List
		_, more = overlay.Apply(tree, ops, overlay.Options{Source: func(p string) ([]byte, fs.FileMode, error) {
			rel, err := filepath.Rel(dir, p)
			if data, ok := files[rel]; ok && err == nil {
				return data, 0o755, nil
			}
			return nil, 0, &fs.PathError{Op: "open", Path: p, Err: fs.ErrNotExist}
		}})
		list = append(list, more...)
	}
	got := map[string]string{}
	if len(list) > 0 {
		got["want.err"] = strings.ReplaceAll(describe(list), dir+string(filepath.Separator), "")
	}
	if !list.HasErrors() {
		got["want.diff"] = treeDiff(t, before, tree)
	}
	want := map[string]string{}
	for _, name := range []string{"want.diff", "want.err"} {
		if data, ok := files[name]; ok {
			want[name] = string(data)
		}
	}
	if cmp.Equal(want, got) {
		return
	}
	if !*update {
		t.Fatalf("result (-want +got):\n%s", cmp.Diff(want, got))
	}
	a.Files = slices.DeleteFunc(a.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want.") })
	for _, name := range slices.Sorted(maps.Keys(got)) {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(got[name])})
	}
	if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

// treeDiff shows what became of the spec and of the other files.
func treeDiff(t *testing.T, before map[string]string, tree *overlay.Tree) string {
	t.Helper()
	after := map[string]string{"widget.spec": string(tree.Spec.Normalized())}
	var b strings.Builder
	for name, f := range tree.Files {
		data, err := f.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if f.Path != name {
			t.Errorf("file %q has the path %q", name, f.Path)
		}
		after[name] = string(data)
		if f.Mode.Perm() != 0o644 {
			after[name] = fmt.Sprintf("(mode %04o)\n", f.Mode.Perm()) + after[name]
		}
	}
	names := slices.Collect(maps.Keys(before))
	for name := range after {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		old, was := before[name]
		now, is := after[name]
		from, to := "a/"+name, "b/"+name
		if !was {
			from = "/dev/null"
		}
		if !is {
			to = "/dev/null"
		}
		d := diff.Diff(from, []byte(old), to, []byte(now))
		_, d, _ = bytes.Cut(d, []byte("\n")) // the "diff" line
		b.Write(bytes.ReplaceAll(d, []byte("\r"), []byte(`\r`)))
	}
	return b.String()
}

// describe prints diagnostics as a user sees them.
func describe(list diag.List) string {
	var b strings.Builder
	for i := range list {
		d := &list[i]
		fmt.Fprintf(&b, "%s: %s\n", d.Severity, d.Error())
		for _, r := range d.Related {
			fmt.Fprintf(&b, "\t%s: %s\n", diag.Position(r.Pos), r.Message)
		}
		if d.Hint != "" {
			fmt.Fprintf(&b, "\thint: %s\n", d.Hint)
		}
	}
	return b.String()
}
