package review

import (
	"go/token"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/spec"
	"specgraft/render"
)

// sides puts the two texts of a diff together again.
func sides(lines []Line) (old, new string) {
	var a, b strings.Builder
	for _, l := range lines {
		end := "\n"
		if l.NoEOL {
			end = ""
		}
		if l.Op != "+" {
			a.WriteString(l.Text + end)
		}
		if l.Op != "-" {
			b.WriteString(l.Text + end)
		}
	}
	return a.String(), b.String()
}

// FuzzHistory edits a spec by operations: the lines of the diff are those of
// the spec before and after, whatever was inserted, divided and removed, and
// the log of every single operation leads from one state to the next.
func FuzzHistory(f *testing.F) {
	f.Add("Name: x\nVersion: 1\n%build\nmake\n%files", "Name", "y\nz", "make", "a\nb\nc", "%build")
	f.Add("Name: x\r\nPatch1: a\r\n%prep\r\nmake\r\n\r\n", "Name", "", "a", "", "%prep")
	f.Add("%package a\nA: b\n%description a\n%files a\n", "A", "b", "^", "#", "%files")
	f.Fuzz(func(t *testing.T, in, tag, value, regex, replacement, section string) {
		tree := &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte(in)), Files: map[string]*overlay.File{}}
		before := tree.Spec.Clone()
		for _, op := range []overlay.Op{
			{Type: overlay.PrependLines, Lines: []string{value, "top"}},
			{Type: overlay.SetTag, Tag: tag, Value: value},
			{Type: overlay.SearchReplace, Regex: regex, Replacement: replacement},
			{Type: overlay.AppendLines, Section: section, Lines: []string{replacement, value}},
			{Type: overlay.SearchReplace, Regex: regex, Replacement: "x"},
			{Type: overlay.PatchAdd, Source: "/p.patch"},
			{Type: overlay.RemoveSection, Section: section},
			{Type: overlay.RemoveTag, Tag: tag},
			{Type: overlay.AppendLines, Lines: []string{"end"}},
		} {
			from, state := len(tree.Spec.Log()), tree.Spec.Clone()
			overlay.Apply(tree, []overlay.Op{op}, overlay.Options{Source: func(string) ([]byte, fs.FileMode, error) { return nil, 0o644, nil }})
			h := trace(state, tree.Spec.Log()[from:])
			old, new := sides(h.diff(false))
			if old != string(state.Normalized()) || new != string(tree.Spec.Normalized()) {
				t.Fatalf("%s: %q became %q; the diff says %q and %q", op.Type, state.Normalized(), tree.Spec.Normalized(), old, new)
			}
		}
		h := trace(before, tree.Spec.Log())
		old, new := sides(h.diff(true))
		if old != in || new != string(tree.Spec.Normalized()) {
			t.Fatalf("%q became %q; the diff says %q and %q", in, tree.Spec.Normalized(), old, new)
		}
		for i := range h.new {
			if h.new[i] != *tree.Spec.Line(i) && h.new[i].Text != tree.Spec.Line(i).Text {
				t.Fatalf("line %d is %q, traced as %q", i, tree.Spec.Line(i).Text, h.new[i].Text)
			}
			if h.was[i] < 0 && h.new[i].Origin == nil {
				t.Fatalf("new line %d has no origin", i)
			}
		}
	})
}

func FuzzTextDiff(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nc\nd")
	f.Add("", "x")
	f.Add("x\n", "")
	f.Add("-a\n\\ No\n@@ -1,1 +1,1 @@\n", "+a\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		old, new := sides(textDiff([]byte(a), []byte(b), nil))
		if old != a || new != b {
			t.Fatalf("%q and %q come out as %q and %q", a, b, old, new)
		}
	})
}

func TestLabel(t *testing.T) {
	t.Parallel()
	at := Cause{Step: "spec-set-tag", File: "x.toml", Line: 3}
	for description, want := range map[string]string{
		"":                       "x.toml:3 spec-set-tag",
		" why\n":                 "x.toml:3 spec-set-tag: why",
		"one\ntwo":               "x.toml:3 spec-set-tag: one ...",
		strings.Repeat("é ", 60): "x.toml:3 spec-set-tag: " + strings.Repeat("é ", 39) + "é ...",
		strings.Repeat("x", 81):  "x.toml:3 spec-set-tag: " + strings.Repeat("x", 80) + " ...",
		strings.Repeat("y", 80):  "x.toml:3 spec-set-tag: " + strings.Repeat("y", 80),
	} {
		c := at
		c.Description = description
		if got := c.Label(); got != want {
			t.Errorf("%q: %q, want %q", description, got, want)
		}
	}
	if got := (*Cause)(nil).String(); got != "upstream" {
		t.Errorf("no cause: %q", got)
	}
	if got := (&Cause{Step: "header"}).String(); got != "header" {
		t.Errorf("no place: %q", got)
	}
}

// FuzzSidecar lets operations add, change, rename and remove the same two files
// in any order: blame has the lines of each file as it is left, and the diff has
// a cause for every line that it adds.
func FuzzSidecar(f *testing.F) {
	f.Add("1\n2\n3\n", "x\n2\n", []byte("-a+aa"))
	f.Add("1\n2", "2\n3\n\n", []byte("-b*ab~ba"))
	f.Add("a\x00b", "1\n", []byte("a-a+ab*b"))
	f.Add("1\n2\n", "1\n", []byte("*-a+a*-b+b*"))
	f.Fuzz(func(t *testing.T, one, two string, steps []byte) {
		var ops []overlay.Op
		file := "a"
		for i, s := range steps[:min(len(steps), 20)] {
			op := overlay.Op{Type: overlay.FileSearchReplace, File: file, Regex: "(?m)^(.*)$", Replacement: "<$1", Pos: token.Position{Filename: "x.toml", Line: i + 1, Column: 1}}
			switch s {
			case 'a', 'b':
				file = string(s)
				op.File = file
				op.Type, op.Lines = overlay.FilePrependLines, []string{"top"}
			case '-':
				op.Type = overlay.FileRemove
			case '+':
				op.Type, op.Source = overlay.FileAdd, "/new"
			case '~':
				op.Type, op.Replacement = overlay.FileRename, map[string]string{"a": "b", "b": "a"}[file]
			}
			ops = append(ops, op)
		}
		files := func() map[string]*overlay.File {
			return map[string]*overlay.File{"a": overlay.NewFile("a", 0o644, []byte(one), nil), "b": overlay.NewFile("b", 0o644, []byte(two), nil)}
		}
		source := func(string) ([]byte, fs.FileMode, error) { return []byte(two), 0o644, nil }
		tree := &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", nil), Files: files()}
		res := &render.Result{Component: "x", Config: &components.Component{Name: "x"}, Report: &overlay.Report{}}
		for i, op := range ops { // one that fails is left out
			rep, list := overlay.Apply(tree, []overlay.Op{op}, overlay.Options{Source: source})
			if list.HasErrors() {
				continue
			}
			for k := range rep.Applied {
				rep.Applied[k].Origin.Index = i
			}
			res.Report.Applied = append(res.Report.Applied, rep.Applied...)
		}
		for _, name := range slices.Sorted(maps.Keys(tree.Files)) {
			res.Files = append(res.Files, tree.Files[name])
		}
		v := &View{Result: res, Before: &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", nil), Files: files()}}
		diffs, err := v.Diff()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range diffs {
			for _, h := range d.Hunks {
				for _, l := range h.Lines {
					if l.Op == "+" && l.Cause == nil {
						t.Errorf("%s: nothing is said to have written %q", d.Path, l.Text)
					}
				}
			}
		}
		for _, file := range res.Files {
			b, _, err := v.BlameFile(file.Path, false, 1)
			if err != nil {
				t.Fatal(err)
			}
			data, err := file.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range b.Lines {
				got = append(got, l.Text)
			}
			if want := strings.TrimSuffix(string(data), "\n"); !isBinary(data) && strings.Join(got, "\n") != want {
				t.Errorf("%s is %q, blamed as %q", file.Path, want, got)
			}
		}
	})
}
