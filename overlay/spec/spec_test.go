package spec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/overlay/spec"
)

var samples = []string{
	"",
	"\n",
	"\r",
	"\r\n",
	"Name: a",
	"Name: a\r",
	"Name: a\n\n\n",
	"Name: a\r\nVersion: 1\r\n%description\r\ntext\r\n",
	"Name: a\r\r\nx\n\r\n",
	"Name: a\n%description\nno newline",
	"%package devel\nSummary: s\n%files -n foo -f list\n%doc\n",
	"Name: \xff\xfe\n\x00\n\xe2\x80\xa8%build\n\u00a0%prep\n",
	strings.Repeat("x", 200_000) + "\n" + strings.Repeat("Tag: y\n", 3),
	"%if 1\n  %Build x\n%endif\n%pac\u212Aage k\nT: v\n",
}

func TestParseKeepsEveryByte(t *testing.T) {
	t.Parallel()
	for i, s := range samples {
		if got := string(spec.Parse("x.spec", []byte(s)).Bytes()); got != s {
			t.Errorf("sample %d: Bytes differs: got %.80q, want %.80q", i, got, s)
		}
	}
}

func TestNormalized(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":             "",
		"a":            "a\n",
		"a\r\nb\r":     "a\nb\n",
		"a\r\r\nb\n":   "a\r\nb\n",
		"a\n\n":        "a\n\n",
		"a\rb\n":       "a\rb\n",
		"\xff\n\x00\n": "\xff\n\x00\n",
	} {
		if got := string(spec.Parse("x.spec", []byte(in)).Normalized()); got != want {
			t.Errorf("Normalized of %q = %q, want %q", in, got, want)
		}
	}
}

// view prints the compatible view of a spec, one line for each line.
func view(f *spec.File) string {
	var b strings.Builder
	for i := range f.Len() {
		l := f.Line(i)
		s := f.Sections()[f.SectionAt(i)]
		fmt.Fprintf(&b, "%s [%s|%s|%s]", l.Kind(), s.Name, s.Package, s.Kind)
		switch l.Kind() {
		case spec.TagLine:
			name, value, _ := l.Tag()
			fmt.Fprintf(&b, " %q=%q", name, value)
		case spec.Opaque:
			if c := l.Cond(); c != spec.CondNone {
				b.WriteString([...]string{"", " open", " close", " branch"}[c])
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestCompatibleView(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ line, want string }{
		{"# Name: x", "opaque [||package]"},
		{"  # Name: x", "opaque [||package]"},
		{" #foo: bar", `tag [||package] "#foo"="bar"`},
		{"Name: bash", `tag [||package] "Name"="bash"`},
		{"\tName:\t bash \t", `tag [||package] "Name"="bash"`},
		{"Name :x", "opaque [||package]"},
		{":x", "opaque [||package]"},
		{"Requires(post): /sbin/x:y", `tag [||package] "Requires(post)"="/sbin/x:y"`},
		{"%{?x:Requires: y}", `tag [||package] "%{?x"="Requires: y}"`},
		{"URL:", `tag [||package] "URL"=""`},
		{"\u00a0Name: x", `tag [||package] "Name"="x"`},
		{"N\u00a0ame: x", "opaque [||package]"},
		{"Näme: x", `tag [||package] "Näme"="x"`},
		{"", "opaque [||package]"},
		{"%global x y: z", "opaque [||package]"},
		{"%description", "header [%description||description]"},
		{"  %Description -n %{name}-x", "header [%Description|%{name}-x|description]"},
		{"%package devel", "header [%package|devel|package]"},
		{"%package -n devel", "header [%package|devel|package]"},
		{"%files -f list -n a b", "header [%files|a|files]"},
		{"%files -f list devel", "header [%files|devel|files]"},
		{"%files devel -f list", "header [%files|devel|files]"},
		{"%files -f", "header [%files||files]"},
		{"%files -n", "header [%files||files]"},
		{"%post -p <lua> libs", "header [%post|libs|script]"},
		{"%post -p/sbin/ldconfig libs", "header [%post|libs|script]"},
		{"%post -e libs", "header [%post|libs|script]"},
		{"%post \\", `header [%post|\|script]`},
		{"%filetriggerin -P 100 -- /usr/lib", "header [%filetriggerin||script]"},
		{"%triggerin doc -- pkg", "header [%triggerin|doc|script]"},
		{"%description -l de", "header [%description||description]"},
		{"%description -l de libs", "header [%description|libs|description]"},
		{"%changelog foo", "header [%changelog||changelog]"},
		{"%patchlist foo", "header [%patchlist||list]"},
		{"%sourcelist", "header [%sourcelist||list]"},
		{"%sepolicy", "opaque [||package]"},
		{"%verifyscript", "opaque [||package]"},
		{"%verify", "header [%verify||script]"},
		{"%trigger x", "opaque [||package]"},
		{"%transfiletriggerpostun -n x", "header [%transfiletriggerpostun|x|script]"},
		{"%transfiletriggerpostunx", "opaque [||package]"},
		{"%builds", "opaque [||package]"},
		{"%build{x}", "opaque [||package]"},
		{"%{build}", "opaque [||package]"},
		{"%pac\u212Aage x", "header [%pac\u212Aage|x|package]"},
		{"\u2003%build\u2003x", "header [%build|x|script]"},
		{"%", "opaque [||package]"},
		{"%if 1", "opaque [||package] open"},
		{"\t%IFARCH x86_64", "opaque [||package] open"},
		{"%ifos linux", "opaque [||package] open"},
		{"%ifnos linux", "opaque [||package] open"},
		{"%if(1)", "opaque [||package]"},
		{"%if!x", "opaque [||package]"},
		{"%endif # x", "opaque [||package] close"},
		{"%endif#x", "opaque [||package]"},
		{"%else", "opaque [||package] branch"},
		{"%elif 1", "opaque [||package] branch"},
		{"%elifarch x", "opaque [||package] branch"},
		{"%elifnos x", "opaque [||package] branch"},
	} {
		got := strings.TrimSuffix(view(spec.Parse("x.spec", []byte(tt.line+"\n"))), "\n")
		if got != tt.want {
			t.Errorf("%q:\n got %s\nwant %s", tt.line, got, tt.want)
		}
	}
}

func TestSections(t *testing.T) {
	t.Parallel()
	f := spec.Parse("x.spec", []byte(`Name: a
%define m() \
%description foo \
  text

%package devel
Summary: s
# for files
%files
x: y
`))
	want := []spec.Section{
		{End: 2},
		{Name: "%description", Package: "foo", Kind: spec.DescriptionSection, Start: 2, End: 5},
		{Name: "%package", Package: "devel", Start: 5, End: 8},
		{Name: "%files", Kind: spec.FilesSection, Start: 8, End: 10},
	}
	if d := cmp.Diff(want, f.Sections()); d != "" {
		t.Errorf("sections (-want +got):\n%s", d)
	}
	var tags []string
	for g := range f.Tags() {
		tags = append(tags, fmt.Sprint(g.Line, g.Section, g.Name, g.Value))
	}
	if d := cmp.Diff([]string{"0 0Namea", "6 2Summarys"}, tags); d != "" {
		t.Errorf("tags (-want +got):\n%s", d)
	}
	if got := spec.Parse("x.spec", nil).Sections(); len(got) != 1 {
		t.Errorf("an empty spec has %d sections, want the preamble", len(got))
	}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	o := &spec.Origin{Step: "test"}
	for _, tt := range []struct {
		name, in string
		edit     func(*spec.File)
		want     string
	}{
		{"before the first", "a\n", func(f *spec.File) { f.InsertBefore(0, o, "x", "y") }, "x\ny\na\n"},
		{"into nothing", "", func(f *spec.File) { f.InsertAfter(-1, o, "x") }, "x\n"},
		{"after a last line without ending", "a", func(f *spec.File) { f.InsertAfter(0, o, "x") }, "a\nx\n"},
		{"after a last line ending in CR", "a\r", func(f *spec.File) { f.InsertAfter(0, o, "x") }, "a\r\nx\n"},
		{"before a last line without ending", "a", func(f *spec.File) { f.InsertBefore(0, o, "x") }, "x\na"},
		{"replace keeps the ending", "a\r\nb", func(f *spec.File) { f.Replace(0, o, "x"); f.Replace(1, o, "y") }, "x\r\ny"},
		{"empty last line", "a\nb", func(f *spec.File) { f.Replace(1, o, "") }, "a\n\n"},
		{"embedded line breaks", "a\nb\n", func(f *spec.File) { f.Replace(0, o, "x\r\ny\nz") }, "x\r\ny\nz\nb\n"},
		{"embedded at the end", "a", func(f *spec.File) { f.Replace(0, o, "x\n") }, "x\n\n"},
		{"embedded CR at the end", "a", func(f *spec.File) { f.Replace(0, o, "x\n\r") }, "x\n\r"},
		{"delete", "a\nb\nc", func(f *spec.File) { f.Delete(2, o); f.Delete(0, o) }, "b\n"},
		{"delete all", "a\nb", func(f *spec.File) { f.DeleteRange(0, 2, o) }, ""},
		{"no lines", "a", func(f *spec.File) { f.InsertAfter(0, o) }, "a"},
	} {
		f := spec.Parse("x.spec", []byte(tt.in))
		tt.edit(f)
		f.Reclassify()
		if got := string(f.Bytes()); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		sameView(t, tt.name, f)
		f.Undo(0)
		if got := string(f.Bytes()); got != tt.in {
			t.Errorf("%s: undo gives %q, want %q", tt.name, got, tt.in)
		}
	}
}

// sameView holds an edited file against its own bytes, parsed anew.
func sameView(t *testing.T, name string, f *spec.File) {
	t.Helper()
	if d := cmp.Diff(view(spec.Parse("x.spec", f.Bytes())), view(f)); d != "" {
		t.Errorf("%s: the view of the edited file is not that of its bytes (-bytes +edited):\n%s", name, d)
	}
}

func TestViewsStandUntilReclassify(t *testing.T) {
	t.Parallel()
	f := spec.Parse("x.spec", []byte("Name: a\n%build\n"))
	f.InsertBefore(1, nil, "%prep\n%check")
	if n := len(f.Sections()); n != 2 {
		t.Errorf("%d sections within the operation, want 2", n)
	}
	f.Reclassify()
	if n := len(f.Sections()); n != 4 {
		t.Errorf("%d sections after the operation, want 4", n)
	}
}

func TestOriginsAndRemovedLines(t *testing.T) {
	t.Parallel()
	first, second := &spec.Origin{Step: "first"}, &spec.Origin{Step: "second", Index: 1}
	f := spec.Parse("x.spec", []byte("a\nb\nc\nd\ne\n"))
	f.Delete(1, first)
	f.Replace(1, first, "C\nCC")
	f.Reclassify()
	f.InsertBefore(0, second, "top")
	f.Delete(2, second)            // C, which was c
	f.InsertBefore(3, second, "x") // before d
	f.DeleteRange(4, 5, second)    // d
	f.Reclassify()
	var got []string
	for i := range f.Len() {
		l := f.Line(i)
		s := fmt.Sprintf("%d %s", l.Num, l.Text)
		if l.Origin != nil {
			s += " " + l.Origin.Step
		}
		got = append(got, s)
	}
	if d := cmp.Diff([]string{"0 top second", "1 a", "0 CC first", "0 x second", "5 e"}, got); d != "" {
		t.Errorf("lines (-want +got):\n%s", d)
	}
	got = nil
	for _, r := range f.Removed() {
		got = append(got, fmt.Sprintf("%d %s by %s before %d", r.Num, r.Text, r.By.Step, r.Before))
	}
	want := []string{"2 b by first before 2", "3 C by second before 2", "4 d by second before 4"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("removed (-want +got):\n%s", d)
	}
}
