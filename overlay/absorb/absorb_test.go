package absorb_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/spec"
)

// brief writes the keys of an operation that say what it does.
func brief(op *overlay.Op) string {
	var b strings.Builder
	b.WriteString(string(op.Type))
	for _, k := range []string{"section", "package", "branch", "tag", "value", "file", "source", "regex", "replacement"} {
		if v := *op.Field(k); v != "" {
			fmt.Fprintf(&b, " %s=%q", k, v)
		}
	}
	if len(op.Lines) > 0 {
		fmt.Fprintf(&b, " lines=%q", op.Lines)
	}
	if op.Multiline {
		b.WriteString(" multiline")
	}
	if op.Expect != nil {
		fmt.Fprintf(&b, " expect=%d", *op.Expect)
	}
	return b.String()
}

// TestSearch shows what is found for one edit of the sample each.
func TestSearch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, old, new string // what is replaced in the sample
		want           []string
	}{
		{"value", "Version:        1.2\n", "Version:        1.3\n", []string{`spec-update-tag tag="Version" value="       1.3" expect=1`}},
		{"other value", "Requires: glibc\n", "Requires: musl\n", []string{`spec-update-tag package="libs" tag="Requires" value="musl" expect=1`}},
		{"new tag", "BuildRequires: pkgconfig(cairo)\n", "BuildRequires: pkgconfig(cairo)\nBuildRequires: pango\n",
			[]string{`spec-insert-tag tag="BuildRequires" value="pango"`}},
		{"last tag", "= %{version}\n\n%description\n", "= %{version}\n\nBuildArch: noarch\n%description\n", []string{`spec-add-tag tag="BuildArch" value="noarch"`}},
		{"gone tag", "BuildRequires: make\n", "", []string{`spec-remove-tag tag="BuildRequires" value="make" expect=1`}},
		{"only tag", "URL:            https://example.org/harbor\n", "", []string{`spec-remove-tag tag="URL" expect=1`}},
		{"section", "%check\nmake check\n\n", "", []string{`spec-remove-section section="%check" expect=1`}},
		{"top of section", "%check\n", "%check\nexit 0\n", []string{`spec-prepend-lines section="%check" lines=["exit 0"] expect=1`}},
		{"end of section", "\n%files libs\n", "%{_datadir}/harbor\n\n%files libs\n",
			[]string{`spec-search-replace section="%files" regex="^%\\{_bindir\\}/harbor$" replacement="%{_bindir}/harbor\n%{_datadir}/harbor" expect=1`}},
		{"very end of section", "%{_bindir}/harbor\n\n%files libs\n", "%{_bindir}/harbor\n\n%{_datadir}/harbor\n%files libs\n",
			[]string{`spec-append-lines section="%files" lines=["%{_datadir}/harbor"] expect=1`}},
		{"line", "%configure --disable-static --enable-tides\n", "%configure --disable-static\n",
			[]string{`spec-search-replace section="%build" regex="^%configure --disable-static --enable-tides$" replacement="%configure --disable-static" expect=1`}},
		{"line gone", "%make_build\n", "", []string{`spec-search-replace section="%build" regex="(?m)^%make_build\\n" multiline expect=1`}},
		{"header", "%files devel\n", "%files -n harbor-devel\n", []string{
			`spec-remove-section section="%files" package="devel" expect=1`,
			`spec-append-lines section="%files" package="libs" lines=["%files -n harbor-devel" "%{_includedir}/harbor" "%{_libdir}/libharbor.so" ""] expect=1`}},
		{"nothing", "", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if n := strings.Count(sample, tt.old); n != 1 && tt.old != "" {
				t.Fatalf("%q stands %d times in the sample", tt.old, n)
			}
			found := checkEdit(t, "sample", []byte(sample), []byte(strings.Replace(sample, tt.old, tt.new, 1)))
			var got []string
			for _, s := range found.Steps {
				got = append(got, brief(&s.Op))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// TestSubpackage finds the one operation that removes all of a package.
func TestSubpackage(t *testing.T) {
	t.Parallel()
	after := sample
	for _, part := range []string{
		"%package devel\nSummary: Headers of harbor\nRequires: %{name}-libs = %{version}\n\n",
		"%description devel\nHeaders.\n\n", "%files devel\n%{_includedir}/harbor\n%{_libdir}/libharbor.so\n\n",
	} {
		after = strings.Replace(after, part, "", 1)
	}
	found := checkEdit(t, "sample", []byte(sample), []byte(after))
	if len(found.Steps) != 1 || found.Steps[0].Op.Type != overlay.RemoveSubpackage {
		t.Errorf("%d steps, the first %s", len(found.Steps), brief(&found.Steps[0].Op))
	}
}

// files makes a tree of the sample with files.
func files(text string, files map[string]string) *overlay.Tree {
	t := tree("harbor", []byte(text))
	for p, data := range files {
		t.Files[p] = overlay.NewFile(p, 0o644, []byte(data), nil)
	}
	return t
}

func TestFiles(t *testing.T) {
	t.Parallel()
	var long, other strings.Builder
	for i := range 60 {
		fmt.Fprintf(&long, "line %d of a file\n", i)
		fmt.Fprintf(&other, "another line, with number %d\n", i)
	}
	patched := strings.Replace(sample, "BuildRequires: gcc\n", "", 1)
	tests := []struct {
		name          string
		before, after *overlay.Tree
		want          []string
	}{
		{"new patch", files(sample, nil), files(strings.Replace(sample, "= %{version}\n\n%description\n", "= %{version}\n\nPatch2: new.patch\n%description\n", 1), map[string]string{"new.patch": "x"}),
			[]string{`patch-add source="new.patch"`}},
		{"patch gone", files(sample, map[string]string{"fix-tests.patch": "x"}), files(strings.Replace(sample, "Patch1:         fix-tests.patch\n", "", 1), nil),
			[]string{`patch-remove file="**/fix-tests.patch" expect=1`}},
		{"new file", files(sample, nil), files(sample, map[string]string{"a.conf": ""}), []string{`file-add file="a.conf" source="a.conf"`}},
		{"file gone", files(sample, map[string]string{"a[1].conf": "x"}), files(sample, nil), []string{`file-remove file="a\\[1\\].conf" expect=1`}},
		{"renamed", files(sample, map[string]string{"a.conf": "x"}), files(sample, map[string]string{"b.conf": "x"}), []string{`file-rename file="a.conf" replacement="b.conf"`}},
		{"prepended", files(sample, map[string]string{"a": "x\n"}), files(sample, map[string]string{"a": "y\nx\n"}), []string{`file-prepend-lines file="a" lines=["y"] expect=1`}},
		{"one word", files(sample, map[string]string{"a": "dir redhat\nsub redhat/x\n"}), files(sample, map[string]string{"a": "dir here\nsub here/x\n"}),
			[]string{`file-search-replace file="a" regex="redhat" replacement="here" expect=2`}},
		{"lines", files(sample, map[string]string{"a": "1\n2\n3\n4\n5\n"}), files(sample, map[string]string{"a": "1\n3\n4\nfour\n5\n"}),
			[]string{`file-search-replace file="a" regex="(?m)^2\\n" expect=1`, `file-search-replace file="a" regex="(?m)^4$" replacement="4\nfour" expect=1`}},
		{"another file", files(sample, map[string]string{"a": long.String()}), files(sample, map[string]string{"a": other.String()}),
			[]string{`file-remove file="a" expect=1`, `file-add file="a" source="a"`}},
		{"spec and file", files(sample, map[string]string{"a": "x"}), files(patched, nil),
			[]string{`spec-remove-tag tag="BuildRequires" value="gcc" expect=1`, `file-remove file="a" expect=1`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, err := absorb.Search(tt.before, tt.after, absorb.Options{})
			if err != nil || len(found.Problems) > 0 {
				t.Fatal(err, found.Problems)
			}
			var got []string
			for _, s := range found.Steps {
				got = append(got, brief(&s.Op))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if _, list := overlay.Apply(tt.before, found.Ops(), overlay.Options{}); list.HasErrors() {
				t.Fatal(list.Err())
			}
			if !bytes.Equal(tt.before.Spec.Bytes(), tt.after.Spec.Bytes()) || len(tt.before.Files) != len(tt.after.Files) {
				t.Error("the result differs")
			}
			for p, f := range tt.after.Files {
				want, _ := f.Bytes()
				got, _ := tt.before.Files[p].Bytes()
				if !bytes.Equal(got, want) {
					t.Errorf("%s is %q, want %q", p, got, want)
				}
			}
		})
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		tree *overlay.Tree
		want []string
	}{
		{"carriage returns", tree("x", []byte(strings.ReplaceAll(sample, "\n", "\r\n"))), []string{"absorb/line-endings"}},
		{"no last line ending", tree("x", []byte(strings.TrimSuffix(sample, "\n"))), []string{"absorb/line-endings"}},
		{"not UTF-8", tree("x", []byte(sample+"- caf\xe9\n")), []string{"absorb/encoding"}},
		{"new directory", files(sample, map[string]string{"a/b/c": "x"}), []string{"absorb/file"}},
		{"second spec", files(sample, map[string]string{"b.spec": "x"}), []string{"absorb/file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, err := absorb.Search(tree("x", []byte(sample)), tt.tree, absorb.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var codes []string
			for _, d := range found.Problems {
				codes = append(codes, d.Code)
			}
			if !slices.Equal(codes, tt.want) {
				t.Errorf("problems %v, want %v", codes, tt.want)
			}
		})
	}
}

func TestTyped(t *testing.T) {
	t.Parallel()
	tests := []struct {
		op   overlay.Op
		want []string
	}{
		{overlay.Op{Type: overlay.SearchReplace, Regex: `^Version: .*`, Replacement: "Version: 2"}, []string{`spec-update-tag tag="Version" value="2"`}},
		{overlay.Op{Type: overlay.SearchReplace, Regex: `^%check$`, Replacement: "%check"}, nil},
		{overlay.Op{Type: overlay.SearchReplace, Regex: `make check`, Replacement: "true"}, nil},
		{overlay.Op{Type: overlay.SearchReplace, Regex: `no such line`, Replacement: "true"}, nil},
		{overlay.Op{Type: overlay.SearchReplace, Section: "%check", Regex: `^make check$`, Replacement: "exit 0\nmake check"}, []string{`spec-prepend-lines section="%check" lines=["exit 0"]`}},
		{overlay.Op{Type: overlay.SearchReplace, Regex: "(?m)^BuildRequires: make\\n", Multiline: true}, []string{`spec-remove-tag tag="BuildRequires" value="make"`}},
		{overlay.Op{Type: overlay.RemoveTag, Tag: "URL"}, nil},
	}
	for _, tt := range tests {
		before := tree("harbor", []byte(sample))
		var got []string
		for _, op := range absorb.Typed(before, tt.op) {
			got = append(got, brief(&op))
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", brief(&tt.op), d)
		}
		if string(before.Spec.Bytes()) != sample {
			t.Error("the tree was changed")
		}
	}
}

func TestEquivalents(t *testing.T) {
	t.Parallel()
	after := strings.Replace(sample, "Version:        1.2\n", "Version:        1.3\n", 1)
	found, err := absorb.Search(tree("x", []byte(sample)), tree("x", []byte(after)), absorb.Options{Equivalents: true})
	if err != nil {
		t.Fatal(err)
	}
	s := found.Steps[0]
	if len(s.Equivalents) == 0 || s.Equivalents[0].Type != overlay.SetTag {
		t.Fatalf("equivalents %v", s.Equivalents)
	}
	for _, op := range s.Equivalents {
		got := tree("x", []byte(sample))
		if _, list := overlay.Apply(got, []overlay.Op{op}, overlay.Options{}); list.HasErrors() || string(got.Spec.Bytes()) != after {
			t.Errorf("%s gives something else", brief(&op))
		}
	}
}

// FuzzSearch turns any text into any other, or says why not.
func FuzzSearch(f *testing.F) {
	f.Add(sample, strings.ReplaceAll(sample, "devel", "static"))
	f.Add("Name: x\n%if 1\n%files\n%endif\n", "%files\n%files\nName: x\n")
	f.Add("", sample)
	f.Add(sample, "")
	f.Add("%check\n%check\na\n", "a\n%check\n\n%check\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		if len(before) > 1<<11 || len(after) > 1<<11 {
			t.Skip()
		}
		want := spec.Parse("x.spec", []byte(after)).Normalized()
		found, err := absorb.Search(tree("x", []byte(before)), tree("x", []byte(after)), absorb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if found.Problems.HasErrors() {
			return
		}
		got := tree("x", []byte(before))
		_, list := overlay.Apply(got, found.Ops(), overlay.Options{})
		if list.HasErrors() || !bytes.Equal(got.Spec.Normalized(), want) {
			t.Errorf("the overlays give %q, want %q: %v", got.Spec.Normalized(), want, list.Err())
		}
	})
}
