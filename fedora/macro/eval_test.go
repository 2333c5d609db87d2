package macro

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const head = "Name: x\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n"

// TestUnknown holds the rule that unknown is a value: it goes where it is used
// and nowhere else, with its reason and place.
func TestUnknown(t *testing.T) {
	t.Parallel()
	s := Eval("x.spec", []byte(head+`
%global host %(hostname)
%global plain known
%global both %{plain}-%{host}
URL: https://example.org/%{plain}
Source0: a-%{plain}.tar
Source1: b-%{both}.tar
%if "%{host}" == "build1"
%global inside 1
Patch0: only-there.patch
%else
%global inside 2
%endif
%if 0 && %{?host:1}
Patch1: never.patch
%endif
%if 1 || "%{host}" == "x"
Patch2: always.patch
%endif
Vendor: %{?inside}
Group: %{?plain}%{?host:y}
%description
`), Config{})
	got := map[string]string{}
	for _, tag := range s.Packages[0].Tags {
		got[tag.Name] = state(tag.Value, tag.Maybe)
	}
	for _, src := range s.Sources {
		got["Source"] += state(src.Value, src.Maybe) + ";"
	}
	for _, src := range s.Patches {
		got["Patch"] += state(src.Value, src.Maybe) + ";"
	}
	if diff := cmp.Diff(map[string]string{
		"Name": "x", "Version": "1", "Release": "1", "Summary": "s", "License": "MIT",
		"URL": "https://example.org/known", "Group": "knowny", "Vendor": "<?> unknown",
		"Source": "a-known.tar;b-known-<?>.tar unknown;", "Patch": "only-there.patch maybe;always.patch;",
	}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if s.Rejected() != nil {
		t.Errorf("rejected: %v", s.Rejected())
	}
	for _, u := range s.Unknown {
		if u.Reason == "" || u.Pos.Line != 7 && u.Pos.Line != 13 && u.Pos.Line != 15 {
			t.Errorf("unknown %q: %q at %v", u.Field, u.Reason, u.Pos)
		}
	}
}

func state(v Value, maybe bool) string {
	s := v.Text
	if !v.Known {
		s += " unknown"
	}
	if maybe {
		s += " maybe"
	}
	return s
}

// TestRejected lists what rpm does not accept, with the place and the reason.
func TestRejected(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"good", head + "%description\n", ""},
		{"no description", head + "%package sub\nSummary: s\n%description\n", `s:6:1: %description is missing for package "x-sub" [macro/section]`},
		{"two archs", head + "BuildArch: noarch\nBuildArchitectures: noarch\n", "s:7:1: the tag BuildArchitectures stands twice in one package [macro/duplicate-tag]"},
		{"second name", head + "%description\n%package a\nSummary: a\nName: b\n%description a\n", "s:9:1: a sub-package has its name from its %package line [macro/duplicate-tag]"},
		{"trigger", head + "%description\n%triggerin foo\n", "s:7:1: %triggerin: the packages or paths stand behind -- [macro/section]"},
		{"qualifiers", head + "Requires(pre, post): a\n", `s:6:1: "Requires(pre, post): a" is not a tag that rpm knows [macro/tag]`},
		{"upper case", head + "Requires(PRE): a\n", `s:6:1: Requires(PRE): "PRE" is not a qualifier that rpm knows [macro/tag]`},
		{"build qualifier", head + "BuildRequires(pre): a\n", `s:6:1: "BuildRequires(pre): a" is not a tag that rpm knows [macro/tag]`},
		{"prefix", head + "Prefix: /usr/\n", "s:6:1: Prefix /usr/ must not end with a slash [macro/bad-value]"},
		{"nosource", head + "Source1: a\nNoSource: 0\n", "s:7:1: NoSource 0: there is none with that number so far [macro/bad-value]"},
		{"build arch", head + "BuildArch: noarch\nBuildArch: noarch\n", "s:7:1: the tag BuildArch stands twice in one package [macro/duplicate-tag]"},
		{"no name", strings.Replace(head, "Name: x\n", "", 1), "s:1:1: the tag Name is missing [macro/missing-tag]"},
		{"no license", strings.Replace(head, "License: MIT\n", "", 1), "s:1:1: the tag License is missing [macro/missing-tag]"},
		{"dash", strings.Replace(head, "Version: 1", "Version: 1-2", 1), `s:2:1: Version "1-2" has the character "-", which rpm does not allow [macro/bad-value]`},
		{"blank", strings.Replace(head, "Version: 1", "Version: 1 2", 1), `s:2:1: Version takes one word, not "1 2" [macro/bad-value]`},
		{"dots", strings.Replace(head, "Release: 1", "Release: 1..2", 1), `s:3:1: Release "1..2" has two dots in a row, which rpm does not allow [macro/bad-value]`},
		{"epoch", head + "Epoch: -1\n", `s:6:1: Epoch must be a number, not "-1" [macro/bad-value]`},
		{"empty", head + "Epoch:\n", "s:6:1: the tag Epoch is empty [macro/bad-value]"},
		{"twice", head + "Version: 2\n", "s:6:1: the tag Version stands twice in one package [macro/duplicate-tag]"},
		{"source twice", head + "Source1: a\nSource: b\nSource2: c\n", "s:8:1: source2 stands twice [macro/duplicate-tag]"},
		{"macro line", head + "%foometa\n", "s:6:1: %foometa is not a macro of this set, and the line is no tag [macro/tag]"},
		{"behind end", head + "%description\n%post -p <lua>\n%end\n# fine\nx\n", `s:10:1: the line belongs to no section: "x" [macro/section]`},
		{"no macro", head + "Requires: %undefined_here >= 1\n", "s:6:1: Requires: %undefined_here is not a macro of this set [macro/bad-value]"},
		{"rich", head + "Supplements: (a if b)\n", `s:6:1: Supplements: "if" is not possible here, use "and" [macro/bad-value]`},
		{"conflict", head + "<<<<<<< HEAD\n", `s:6:1: "<<<<<<< HEAD" is not a tag that rpm knows [macro/tag]`},
		{"indented", head + " Epoch: 1\n", `s:6:1: "Epoch: 1" is not a tag that rpm knows [macro/tag]`},
		{"qualifier", head + "Requires(foo): a\n", `s:6:1: Requires(foo): "foo" is not a qualifier that rpm knows [macro/tag]`},
		{"if", head + "%if 1\n", "s:6:1: %if is never closed with %endif [macro/conditional]"},
		{"endif", head + "%endif\n", "s:6:1: %endif without %if [macro/conditional]"},
		{"else", head + "%if 0\n%else\n%else\n%endif\n", "s:8:1: %else behind %else [macro/conditional]"},
		{"bare word", head + "%if foo\n%endif\n", `s:6:1: bare words are not supported, put it in quotes: "foo" [macro/expression]`},
		{"types", head + "%if 1 == \"1\"\n%endif\n", `s:6:1: the types on both sides must be the same in expression "1 == \"1\"" [macro/expression]`},
		{"error", head + "%{error:stop here}\n", "s:6:1: stop here [macro/error]"},
		{"option", head + "%define f(a) x\n%f -b\n", `s:7:1: %f has no option -b (it takes "a") [macro/syntax]`},
		{"prep twice", head + "%prep\n%prep\n", "s:7:1: second %prep [macro/section]"},
		{"no package", head + "%files foo\n", `s:6:1: %files: there is no package "x-foo" [macro/section]`},
		{"package twice", head + "%package a\nSummary: a\n%package a\nSummary: a\n", `s:8:1: package "x-a" is declared twice [macro/section]`},
		{"no summary", head + "%package a\n%description a\n", `s:6:1: the tag Summary is missing in package "x-a" [macro/missing-tag]`},
		{"include", head + "%include gone\n", "s:6:1: %include gone: the component has no such file [macro/include]"},
		{"recursion", "%define a %a\n" + head + "URL: %a\n", "s:7:1: too many levels of macro recursion (64): a macro probably expands itself [macro/recursion]"},
	} {
		s := Eval("s", []byte(c.text), Config{FS: fstest.MapFS{}})
		got := ""
		if d := s.Rejected(); d != nil {
			got = d.Error()
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestReadAgain holds the second reading that a BuildArch causes: the target
// changes, and what the main preamble defined stays defined.
func TestReadAgain(t *testing.T) {
	t.Parallel()
	s := Eval("s", []byte("Source0: %{name}-%{later}.tar\n"+head+`BuildArch: noarch
%ifarch x86_64
Vendor: x86
%endif
%ifarch noarch
Packager: noarch
%endif
%global later 7
%description
%global toolate 1
%files
`), Config{})
	if got := s.Sources[0].Value.Text; got != "x-7.tar" {
		t.Errorf("Source0 is %q", got)
	}
	var tags []string
	for _, tag := range s.Packages[0].Tags {
		tags = append(tags, tag.Name)
	}
	if got := strings.Join(tags, " "); got != "Name Version Release Summary License BuildArch Packager" {
		t.Errorf("tags: %s", got)
	}
}

// TestReadAgainFromBuildArch holds the line at which the first reading ends.
func TestReadAgainFromBuildArch(t *testing.T) {
	t.Parallel()
	s := Eval("s", []byte("%global seen [%{?before}%{?behind}]\n"+head+"%global before 1\nBuildArch: noarch\n%global behind 2\nURL: %{seen}\n%description\n"), Config{})
	for _, tag := range s.Packages[0].Tags {
		if tag.Name == "URL" && tag.Value.Text != "[1]" {
			t.Errorf("seen in the second reading: %s", tag.Value.Text)
		}
	}
}

// TestMainPreamble holds what rpm does at the end of the main package's preamble:
// %buildroot keeps the version of the main package, and tags come from macros.
func TestMainPreamble(t *testing.T) {
	t.Parallel()
	s := Eval("s", []byte("%global bugurl https://example.org/bugs\n%global vendor_name x\n"+head+`%description
%package sub
Summary: sub
Version: 7
%description sub
%install
%{buildroot}/%{version}
%post
x
%post sub
x
`), Config{})
	for _, x := range s.Sections {
		switch x.Name {
		case "install":
			if got := strings.TrimSpace(x.Text.Text); got != "/builddir/build/BUILDROOT/x-1-1.x86_64/7" {
				t.Errorf("%%install has %s", got)
			}
			fallthrough
		case "post":
			if want := map[string]string{"": "x", "sub": "x-sub"}[x.Args]; x.Package.Text != want || !x.Package.Known {
				t.Errorf("%%%s %s belongs to %q, not to %q", x.Name, x.Args, x.Package.Text, want)
			}
		}
	}
	var got []string
	for _, tag := range s.Packages[0].Tags[5:] {
		got = append(got, tag.Name+" "+tag.Value.Text)
	}
	if d := cmp.Diff([]string{"BugURL https://example.org/bugs"}, got); d != "" {
		t.Errorf("tags (-want +got)\n%s", d)
	}
}

// TestUnknownLines tells lines that may hold more than is seen, packages for
// instance, from lines of which a word is not known.
func TestUnknownLines(t *testing.T) {
	t.Parallel()
	for text, open := range map[string]bool{
		"%{lua: io.open('x')}": true, "%{lua: io.open('x')} # more": true, "%(hostname)": true,
		"%(hostname)/file": false, "/etc/%(hostname)": false, "known": false,
	} {
		s := Eval("s", []byte(head+"%description\n%files\n"+text+"\n"), Config{})
		if got := len(s.Open) > 0; got != open {
			t.Errorf("%s: open %v, want %v", text, got, open)
		}
	}
}

// TestNumbering holds rpm's numbers for sources and patches.
func TestNumbering(t *testing.T) {
	t.Parallel()
	s := Eval("s", []byte(head+"Source: a\nSource5: b\nSource: c\nPatch: p\nPatch 3: q\nPATCH: r\n%description\n%sourcelist\nd\n\n# no\nhttp://x/e.tgz\n%patchlist\ns\n"), Config{})
	var got []string
	for _, l := range [][]Source{s.Sources, s.Patches} {
		for _, src := range l {
			got = append(got, src.Name+string(rune('0'+src.Number)))
		}
	}
	if want := "a0 b5 c6 d7 e.tgz8 p0 q1 r2 s3"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if s.Rejected() != nil {
		t.Error(s.Rejected())
	}
}

// TestProbe holds the two attempts of rpmautospec and its flags.
func TestProbe(t *testing.T) {
	t.Parallel()
	spec := "Name: x\nVersion: 1\nRelease: %autorelease -b 3 -e rc1 -p\nSummary: s\nLicense: MIT\n%description\n%prep\n%bogus\n%prep\n"
	s := Probe("s", []byte(spec), Config{})
	if s.Rejected() != nil || s.Release.Text != "Erc1_S_P1_B3" {
		t.Errorf("release %q, rejected: %v", s.Release.Text, s.Rejected())
	}
	s = Probe("s", []byte("%if 1\n"+spec[:len(spec)-len("%bogus\n%prep\n")]+"%endif\n"), Config{})
	if s.Rejected() != nil {
		t.Errorf("an %%if across %%prep: %v", s.Rejected())
	}
}

// TestConfine holds that nothing outside of the component is read.
func TestConfine(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"in.inc": {Data: []byte("%global got 1\n")}, "etc/passwd": {Data: []byte("%global got 2\n")}}
	for _, c := range []struct{ line, want string }{
		{"%include in.inc", "1"},
		{"%include %{_sourcedir}/in.inc", "1"},
		{"%{load:%{_sourcedir}/in.inc}", ""}, // %global is no definition in a macro file
		{"%include /etc/passwd", ""},
		{"%include %{_sourcedir}/../../../etc/passwd", ""},
		{"%include ../etc/passwd", ""},
		{"%{load:/etc/passwd}", ""},
		{"%include %{_sourcedir}/./x/../in.inc", "1"},
	} {
		e := Eval("s", []byte(c.line+"\n"+head+"URL: [%{?got}]\n%description\n"), Config{FS: files})
		got := ""
		for _, tag := range e.Packages[0].Tags {
			if tag.Name == "URL" {
				got = strings.Trim(tag.Value.Text, "[]")
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.line, got, c.want)
		}
	}
}

// TestFilter holds the rules of the file filter.
func TestFilter(t *testing.T) {
	t.Parallel()
	entries := []string{".gitignore", "a.patch", "dir", "sources", "x.spec", "y.tar"}
	for _, c := range []struct{ name, lines, want string }{
		{"nothing", "", "sources x.spec"},
		{"listed", "Source: y.tar\nPatch: a.patch\n", "a.patch sources x.spec y.tar"},
		{"first element", "Source: dir/file\n", "dir sources x.spec"},
		{"url", "Source: https://example.org/z/y.tar?x=1\n", "sources x.spec y.tar"},
		{"fragment", "Source: https://example.org/z#/y.tar\nPatch: https://example.org/q#a.patch\n", "sources x.spec y.tar"},
		{"outside", "Source: /abs/y.tar\nPatch: ../a.patch\n", "sources x.spec"},
		{"false branch", "%if 0%{?rhel}\nSource: y.tar\n%endif\n", "sources x.spec"},
		{"other arch", "%ifarch s390x\nSource: y.tar\n%endif\n", "sources x.spec"},
		{"not defined", "Source: https://example.org/%{stable_kf6}/y.tar\n", strings.Join(entries, " ")},
		{"not known", "Source: %(hostname).tar\n", strings.Join(entries, " ")},
		{"rejected", "%bogus\n", strings.Join(entries, " ")},
		{"perhaps", "%if %(hostname) > 1\nSource: y.tar\n%endif\n", "sources x.spec y.tar"},
	} {
		var keep []string
		for _, e := range Filter("x.spec", []byte(head+c.lines+"%description\n"), entries, Config{}) {
			if e.Reason == "" {
				t.Errorf("%s: no reason for %s", c.name, e.Name)
			}
			if e.Keep {
				keep = append(keep, e.Name)
			}
		}
		if got := strings.Join(keep, " "); got != c.want {
			t.Errorf("%s: kept %s, want %s", c.name, got, c.want)
		}
	}
}

// TestNatives holds what the macros computed in Go give for real projects.
func TestNatives(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ spec, expr, want string }{
		{"%global goipath github.com/stretchr/testify\nVersion: 1.9.0\n%gometa\n", "%{goname} %{gosource}",
			"golang-github-stretchr-testify https://github.com/stretchr/testify/archive/v1.9.0/testify-1.9.0.tar.gz"},
		{"%global goipath gopkg.in/yaml.v3\nVersion: 3.0.1\n%global forgeurl https://github.com/go-yaml/yaml\n%gometa\n", "%{goname} %{gourl}",
			"golang-gopkg-yaml-3 https://github.com/go-yaml/yaml"},
		{"%global forgeurl https://gitlab.com/a/b\n%global tag v2\nVersion: 2\n%forgemeta\n", "%{forgesource} %{forgesetupargs}",
			"https://gitlab.com/a/b/-/archive/v2/b-v2.tar.bz2 -n b-v2"},
		{"%global forgeurl https://github.com/a/b\n%global commit 0123456789abcdef\n%global date 20240102\nVersion: 2\n%forgemeta\n", "%{forgesource} %{forgeversion}",
			"https://github.com/a/b/archive/0123456789abcdef/b-0123456789abcdef.tar.gz 2^20240102git0123456"},
		{"Name: python-foo\nVersion: 1.0~rc1\n", "%{pypi_source} %{pypi_source foo 2 zip} %{py3_dist A_b.c d[x]}",
			"https://files.pythonhosted.org/packages/source/p/python-foo/python-foo-1.0rc1.tar.gz https://files.pythonhosted.org/packages/source/f/foo/foo-2.zip python3dist(a-b-c) python3dist(d[x]) "},
		{"%global crate foo\nVersion: 1.0.0~rc.1\n", "%{crates_source} %{version_no_tilde} %{version_no_tilde _}",
			"https://crates.io/api/v1/crates/foo/1.0.0-rc.1/download#/foo-1.0.0-rc.1.crate 1.0.0-rc.1 1.0.0_rc.1"},
	} {
		s := Eval("s", []byte(c.spec+"%global result "+c.expr+"\nURL: [%{result}]\n"), Config{})
		for _, m := range s.Macros {
			if m.Name == "result" && (m.Body.Text != strings.TrimRight(c.want, " ") && m.Body.Text != c.want || !m.Body.Known) {
				t.Errorf("%s: got %q, want %q", c.expr, m.Body.Text, c.want)
			}
		}
	}
}

// TestExpandInclude: the lines of an included file stand in place of the line
// that names it, which leaves nothing behind.
func TestExpandInclude(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"in.inc": {Data: []byte("%global v 1\nURL: http://e\n")}}
	s := Eval("s", []byte("Name: x\n%include in.inc\nVersion: %{v}\n"), Config{Set: evalBase(), FS: files, Lines: true})
	if got, want := s.Expanded.Text, "Name: x\n\nURL: http://e\nVersion: 1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
