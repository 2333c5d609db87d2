package spec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"specgraft/testdata/corpus"

	"github.com/google/go-cmp/cmp"

	"specgraft/overlay/spec"
)

var forms = map[spec.Form]string{
	spec.FormBlank: ".", spec.FormText: "text", spec.FormComment: "comment", spec.FormTag: "tag", spec.FormHeader: "header",
	spec.FormIf: "if", spec.FormElse: "else", spec.FormEndif: "endif", spec.FormDefine: "define", spec.FormBody: "body",
}

// TestStructure compares one letter-coded line of facts per line of the spec.
// The facts were checked against rpm 4.18.
func TestStructure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		in         string
		want       string // form/part/cond.branch per line
		unbalanced []int
	}{
		{"sections", "Name: x\n%description\ntext\n%sepolicy\n%Build\n %install\nx\n",
			"tag/0 header/1 text/1 header/2 header/3 text/3 text/3", nil},
		{"tag forms", "VCS : x\nRequires(post): a\n #No: tag\n%{?y:Requires: b}\n%{!?y:%{?z:URL: c}}\nnot a tag\nx y: z\n",
			"tag/0 tag/0 comment/0 tag/0 tag/0 text/0 text/0", nil},
		{"backslash ends a tag", "URL: x\\\nVendor: v\n", "tag/0 tag/0", nil},
		{"no tags in a script", "%build\nmake: all\n", "header/0 text/0", nil},
		{"define", "%define m() \\\n%description foo \\\nName: y\\\n\nName: x\n",
			"define/0 body/0 body/0 body/0 tag/0", nil},
		{"define with braces", "%global m %{expand:\n%if 1\nName: y\n}\nName: x\n",
			"define/0 body/0 body/0 body/0 tag/0", nil},
		{"lua", "%{lua:\n x: y\n%if 0\n}\nName: x\n", "text/0 body/0 body/0 body/0 tag/0", nil},
		{"open macro", "%{?with_x:\nURL: u\n}\n%{expand:%global a b\n%if 1\n}\n%endif\n",
			"text/0 tag/0 text/0 text/0 if/0 text/0@0.0 endif/0", nil},
		{"shell macro", "%global d %(echo \\\n Name: x)\nName: %(a\nURL: b\n)\n", "define/0 body/0 tag/0 body/0 body/0", nil},
		{"branches", "%if 1\nA: 1\n%elif 2\nA: 2\n%ifarch x\nA: 3\n%endif\n%else\nA: 4\n%endif\n",
			"if/0 tag/0@0.0 else/0 tag/0@0.1 if/0@0.1 tag/0@1.0 endif/0@0.1 else/0 tag/0@0.2 endif/0", nil},
		{"glued if", "%if(0)\n%if!1\n%IF 1\n%endif # x\n", "text/0 text/0 text/0 endif/0", []int{3}},
		{"else with a tail", "%if 1\n%else#\n%endif;\n", "if/0 else/0 endif/0", nil},
		{"unbalanced", "%else\n%if 1\n%ifos x\n%endif\n", "else/0 if/0 if/0@0.0 endif/0@0.0", []int{0, 1}},
		{"open bracket", "A: %{x\nB: 1\nC: %{y\n%if 1\n%endif\n", "tag/0 tag/0 tag/0 if/0 endif/0", []int{0}},
		{"comment with bracket", "# %{expand:\nURL: x\n}\nA: 1\n", "comment/0 tag/0 text/0 tag/0", nil},
		{"comment with backslash", "# a \\\nURL: x\n", "comment/0 tag/0", nil},
		{"percent percent", "A: %%{\nB: 1\n", "tag/0 tag/0", nil},
		{"continued command", "%build\n%configure \\\n%if 1\n  --a \\\n%endif\n  --b\nmake\n",
			"header/0 text/0 if/0 text/0@0.0 endif/0 text/0 text/0", nil},
		{"empty", "", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := spec.Parse("x.spec", []byte(tt.in)).Structure()
			var got []string
			parts := 0
			for _, l := range s.Lines {
				g := fmt.Sprintf("%s/%d", forms[l.Form], l.Part)
				if s.Lines[0].Part > 0 { // the preamble is empty
					g = fmt.Sprintf("%s/%d", forms[l.Form], l.Part-1)
				}
				if l.Cond >= 0 {
					g += fmt.Sprintf("@%d.%d", l.Cond, l.Branch)
				}
				got = append(got, g)
				parts = max(parts, l.Part)
			}
			if d := cmp.Diff(tt.want, strings.Join(got, " ")); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if !slices.Equal(s.Unbalanced, tt.unbalanced) {
				t.Errorf("unbalanced lines %v, want %v", s.Unbalanced, tt.unbalanced)
			}
		})
	}
}

func TestStructureBlocks(t *testing.T) {
	t.Parallel()
	in := "%define a \\\n b\nA: 1\n%{lua:\n}\n%build\nx \\\ny \\\nz\n%{?a:\nb}\n%cmake %{shrink:\n -a}\n%(a\n)\nend \\\n"
	s := spec.Parse("x.spec", []byte(in)).Structure()
	want := []spec.Block{
		{Kind: spec.BlockDefine, Start: 0, End: 2}, {Kind: spec.BlockLua, Start: 3, End: 5},
		{Kind: spec.BlockContinuation, Start: 6, End: 9}, {Kind: spec.BlockOpen, Start: 9, End: 11},
		{Kind: spec.BlockMacro, Start: 11, End: 13}, {Kind: spec.BlockShell, Start: 13, End: 15},
	}
	if d := cmp.Diff(want, s.Blocks); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if _, ok := s.Within(6); ok {
		t.Error("the first line of a block is within it")
	}
	if b, ok := s.Within(8); !ok || b.Start != 6 {
		t.Errorf("Within(8) = %v, %v", b, ok)
	}
}

func TestStructurePackages(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"%package devel": "devel", "%package -n foo": "-n foo", "%post -p /bin/sh devel": "devel", "%files -f x.lst -n foo-a": "-n foo-a",
		"%description -l de": "", "%triggerin -- bash": "", "%triggerin devel -- bash": "devel", "%install x": "", "%post \\": "",
	} {
		s := spec.Parse("x.spec", []byte(header+"\n")).Structure()
		got, full := s.Package(0)
		if full {
			got = "-n " + got
		}
		if got != want {
			t.Errorf("%s: package %q, want %q", header, got, want)
		}
	}
}

func TestExclusive(t *testing.T) {
	t.Parallel()
	s := spec.Parse("x.spec", []byte("%if 1\nA: 1\n%if 2\nA: 2\n%endif\n%else\nA: 3\n%endif\nA: 4\n")).Structure()
	for _, tt := range []struct {
		i, j int
		want bool
	}{{1, 6, true}, {3, 6, true}, {6, 3, true}, {1, 3, false}, {1, 8, false}, {8, 6, false}, {1, 1, false}} {
		if got := s.Exclusive(tt.i, tt.j); got != tt.want {
			t.Errorf("Exclusive(%d, %d) = %v", tt.i, tt.j, got)
		}
	}
}

// TestStructureCorpus holds the view against real specs: all of them are
// accepted by rpm, so conditionals balance and brackets close, but for the
// few that say otherwise in a comment or in prose.
func TestStructureCorpus(t *testing.T) {
	t.Parallel()
	files := corpus.Archive(t, "upstream.tar.xz", corpus.IsSpec)
	bad, differ := 0, 0
	for _, file := range files {
		name := file.Path
		f := spec.Parse(name, file.Data)
		s := f.Structure()
		if len(s.Unbalanced) > 0 {
			bad++
			t.Logf("%s:%d: unbalanced: %s", name, s.Unbalanced[0]+1, f.Line(s.Unbalanced[0]).Text)
		}
		for i := range f.Len() {
			if (f.Line(i).Kind() == spec.Header) != (s.Lines[i].Form == spec.FormHeader) {
				differ++
				break
			}
		}
	}
	t.Logf("%d specs, %d unbalanced, %d where the views differ about a header", len(files), bad, differ)
	if bad*200 > len(files) {
		t.Errorf("%d of %d specs are unbalanced", bad, len(files))
	}
}

func FuzzStructure(f *testing.F) {
	f.Add("%if 1\n%{lua:\n}\n%else\nA: %{x\n%endif\n")
	f.Add("%define a \\\n%description \\\n b\n%package -n x\nA(b) : c\n")
	f.Fuzz(func(t *testing.T, in string) {
		file := spec.Parse("x.spec", []byte(in))
		s := file.Structure()
		if len(s.Lines) != file.Len() {
			t.Fatalf("%d shapes for %d lines", len(s.Lines), file.Len())
		}
		end := 0
		for _, p := range s.Parts {
			if p.Start != end || p.End < p.Start {
				t.Fatalf("parts do not cover the lines: %+v", s.Parts)
			}
			end = p.End
		}
		if end != file.Len() {
			t.Fatalf("the last part ends at %d of %d", end, file.Len())
		}
		end = 0
		for _, b := range s.Blocks {
			if b.Start < end || b.End < b.Start+2 || b.End > file.Len() {
				t.Fatalf("bad block %+v", b)
			}
			end = b.End
		}
		ifs, endifs := 0, 0
		for i, l := range s.Lines {
			switch l.Form {
			case spec.FormIf:
				ifs++
			case spec.FormEndif:
				endifs++
			}
			if l.Cond >= len(s.Conds) || l.Block >= len(s.Blocks) || l.Part >= len(s.Parts) {
				t.Fatalf("line %d: bad index in %+v", i, l)
			}
		}
		if len(s.Unbalanced) == 0 && ifs != endifs {
			t.Fatalf("%d %%if and %d %%endif are called balanced", ifs, endifs)
		}
	})
}

func BenchmarkStructure(b *testing.B) {
	text := strings.Repeat("%if %{with x}\nBuildRequires: foo\n%endif\n%define a \\\n b\nRequires(post): %{name} = %{version}\n\n", 40) +
		"%prep\n" + strings.Repeat("%configure \\\n  --with-x \\\n  --y\nmake install DESTDIR=%{buildroot}\n", 40)
	f := spec.Parse("x.spec", []byte(text))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		f.InsertBefore(0, nil, "") // makes the view stale
		f.Structure()
		f.Undo(0)
	}
}
