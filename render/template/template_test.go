package template

import (
	"go/token"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"specgraft/overlay/spec"
)

func sample() *Spec {
	at := func(line int) token.Position { return token.Position{Filename: "x.comp.toml", Line: line, Column: 11} }
	s := &Spec{
		Package: Package{
			Name: Text{S: "tidepool"}, Summary: Text{S: "Shows 100% of the life between the tides", Pos: at(4)},
			Description: Text{S: "Tidepool shows what lives between high water and low water, and keeps a diary of it that can be read in the evening.\n\nIt needs no network.", Pos: at(5), Kind: Block},
			Requires:    []Text{{S: "hello-harbor%{?_isa}", Pos: at(8), Kind: Macros}},
			Files:       []Text{{S: "%{_bindir}/tidepool", Pos: at(9), Kind: Macros}},
			Licenses:    []Text{{S: "LICENSE", Pos: at(10)}},
			Configs:     []ConfigFile{{Source: Text{S: "tidepool.conf", Pos: at(12)}, Path: Text{S: "%{_sysconfdir}/tidepool.conf", Kind: Macros, Pos: at(13)}, Config: true, NoReplace: true}},
			Units:       []Source{{Value: Text{S: "tidepool.service", Pos: at(14)}, File: "tidepool.service"}},
		},
		Pos: at(2), Version: Text{S: "1.4", Pos: at(3)}, License: Text{S: "MIT", Pos: at(6)}, URL: Text{S: "https://tidepool.example/", Pos: at(7)},
		Sources:       []Source{{Value: Text{S: "%{url}tidepool-%{version}.tar.gz", Kind: Macros, Pos: at(15)}}},
		BuildRequires: []Text{{S: "pkgconfig(cairo)", Kind: Macros, Pos: at(16)}},
		Options:       []Text{{S: "--with-diary", Kind: Macros}, {S: "--disable-network", Kind: Macros}},
		Bconds:        []Bcond{{Name: Text{S: "tests"}, On: true}},
		Packages: []Package{{Name: Text{S: "libtidepool", Pos: at(20)}, FullName: true, Summary: Text{S: "Library of tidepool"}, Description: Text{S: "The library.", Kind: Block},
			Files: []Text{{S: "%{_libdir}/libtidepool.so.1*", Kind: Macros}}}},
		Extra: map[string]Text{"import-path": {S: "tidepool.example/go"}, "kernel-version": {S: "6.12.9-204.fc43"}},
	}
	return s
}

func TestEveryBuiltinRenders(t *testing.T) {
	set := Builtin()
	if len(set.Names()) != 11 {
		t.Errorf("built-in templates: %v", set.Names())
	}
	for _, name := range set.Names() {
		t.Run(name, func(t *testing.T) {
			tm, problem := set.Template(name)
			if problem != nil {
				t.Fatal(problem)
			}
			if tm.Summary == "" {
				t.Error("no summary at the top of the template")
			}
			out, problems := tm.Execute(sample())
			if name == "font" && problems.HasErrors() {
				s := sample()
				s.Summary.S = "Shows the life between the tides"
				out, problems = tm.Execute(s)
			}
			if problems.HasErrors() {
				t.Fatal(problems.Err())
			}
			t.Logf("%s", out.Text)
			if n := strings.Count(string(out.Text), "\n"); n != len(out.Lines) {
				t.Errorf("%d lines of text, %d origins", n, len(out.Lines))
			}
			for i, l := range out.Lines {
				if l.Template.Line == 0 || !strings.HasPrefix(l.Template.Filename, "built-in/") {
					t.Errorf("line %d has no origin", i+1)
				}
			}
			if strings.Contains(string(out.Text), "\n\n\n") || strings.Contains(string(out.Text), "<no value>") {
				t.Error("blank lines in a row, or a missing value")
			}
		})
	}
}

// TestValuesStayData gives random values to every key; whatever is accepted must
// leave the sections and conditionals as they were.
func TestValuesStayData(t *testing.T) {
	set := Builtin()
	shape := func(b []byte) string {
		f := spec.Parse("x.spec", b)
		var out []string
		for i := range f.Len() {
			l := f.Line(i)
			if name, _, _, ok := l.Header(); ok {
				out = append(out, name)
			}
			if w := strings.Fields(l.Text); len(w) > 0 && directives[strings.ToLower(w[0])] && w[0] != "%global" {
				out = append(out, w[0])
			}
		}
		return strings.Join(out, " ")
	}
	pieces := []string{"%", "%%", "%{", "}", "%(", ")", "%[", "]", "{", "\n", "\r\n", "\\", "\"", "'", "`", "$", "#", " ", "\t", "%files", "%if 1", "%endif", "%else",
		"%changelog", "%description -n x", "%package x", "%define a b", "%global a b", "%{lua:os.exit()}", "%(id)", "%include /etc/passwd", "Name: x", "\x00", "\x1b", "\xff",
		"ü", "漢", "\u2028", "\u0085", "%prep", "%post", "-", ":", "%dnl", "word", "1.0", "%{name}", "%autosetup"}
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func() string {
		var b strings.Builder
		for range rnd.IntN(6) + 1 {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
			if rnd.IntN(3) == 0 {
				b.WriteByte(' ')
			}
		}
		return b.String()
	}
	accepted := 0
	for _, name := range set.Names() {
		tm, problem := set.Template(name)
		if problem != nil {
			t.Fatal(problem)
		}
		base := sample()
		base.Summary.S = "Shows life"
		good, problems := tm.Execute(base)
		if problems.HasErrors() {
			t.Fatal(problems.Err())
		}
		want := shape(good.Text)
		for range 1000 {
			s := sample()
			s.Summary.S = "Shows life"
			targets := []*Text{&s.Summary, &s.Description, &s.URL, &s.Requires[0], &s.Files[0], &s.Package.Licenses[0],
				&s.Configs[0].Path, &s.Options[0], &s.Sources[0].Value, &s.BuildRequires[0], &s.Packages[0].Summary, &s.Packages[0].Description, &s.Version, &s.License}
			v := random()
			targets[rnd.IntN(len(targets))].S = v
			out, problems := tm.Execute(s)
			if problems.HasErrors() {
				for _, p := range problems {
					if p.Message == "" || strings.Contains(p.Message, "template.") {
						t.Fatalf("%q: bad message %q", v, p.Message)
					}
				}
				continue
			}
			accepted++
			if got := shape(out.Text); got != want {
				t.Fatalf("template %s: the value %q changed the structure:\nwant %s\ngot  %s\n%s", name, v, want, got, out.Text)
			}
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d values were accepted: the test says little", accepted)
	}
}

func TestCheckBuiltin(t *testing.T) {
	if problems := Builtin().Check(); len(problems) > 0 {
		t.Error(problems)
	}
}

// TestProjectTemplates covers what a project may do: override a block, extend a
// built-in template under its own name, and get it wrong.
func TestProjectTemplates(t *testing.T) {
	dir := fstest.MapFS{
		"python.spec.tmpl": {Data: []byte("{{/* extends python */}}\n{{/* Python here. */}}\n{{define \"check\"}}\n%check\n%pyproject_check_import -e '*.test'\n{{end}}\n")},
		"own.spec.tmpl":    {Data: []byte("{{tag \"Name\" .Name}}\nVersion: {{.Version}}\n{{tag \"Summary\" .Summary -}}\nLicense: {{.License}}\nRelease: 1\n")},
		"bare.spec.tmpl":   {Data: []byte("Name: x\nVersion: 1\nRelease: 1\nSummary: s\n")},
		"stray.tmpl":       {Data: []byte("Name: x\n")},
		"typo.spec.tmpl":   {Data: []byte("Name: x\nVersion: {{.Versoin}}\n")},
		"syntax.spec.tmpl": {Data: []byte("Name: x\n\n{{if}}\n")},
		"call.spec.tmpl":   {Data: []byte("{{call .Name}}\n")},
		"long.spec.tmpl":   {Data: []byte("{{range 100000000000}}{{end}}\n")},
		"orphan.spec.tmpl": {Data: []byte("{{/* extends pyhton */}}\n")},
		"loop.spec.tmpl":   {Data: []byte("{{/* extends circle */}}\n")},
		"circle.spec.tmpl": {Data: []byte("{{/* extends loop */}}\n")},
	}
	set, problems := Builtin().With(dir, "templates")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	tm, problem := set.Template("python")
	if problem != nil {
		t.Fatal(problem)
	}
	out, problems := tm.Execute(sample())
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	if s := string(out.Text); !strings.Contains(s, "-e '*.test'") || strings.Contains(s, "%pytest") || !strings.Contains(s, "%pyproject_wheel") {
		t.Errorf("the block is not overridden:\n%s", s)
	}
	for i, line := range strings.Split(string(out.Text), "\n") {
		if strings.Contains(line, "*.test") {
			want := Line{Template: token.Position{Filename: "templates/python.spec.tmpl", Line: 5}}
			if got := out.Lines[i].Template; got.Filename != want.Template.Filename || got.Line != want.Template.Line {
				t.Errorf("origin of the overridden line: %v", got)
			}
		}
		if strings.HasPrefix(line, "Version:") {
			if v := out.Lines[i].Values; len(v) != 1 || v[0].Line != 3 {
				t.Errorf("values of %q: %v", line, v)
			}
		}
	}
	for name, want := range map[string]string{
		"own":    "",
		"bare":   `templates/bare.spec.tmpl:1:1: rpm would reject the spec: the tag License is missing [macro/missing-tag]`,
		"stray":  `there is no template "stray" [template/unknown]`,
		"typo":   `templates/typo.spec.tmpl:2:12: can't evaluate field Versoin [template/failed]`,
		"call":   `templates/call.spec.tmpl:1:3: error calling call: non-function .Name [template/failed]`,
		"long":   `templates/long.spec.tmpl:1:9: the template goes on for more than 1000000 turns or 16 MiB [template/failed]`,
		"syntax": `templates/syntax.spec.tmpl:3: missing value for if [template/broken]`,
		"orphan": `templates/orphan.spec.tmpl:1:1: there is no template "pyhton" [template/unknown]`,
		"loop":   `templates/loop.spec.tmpl:1:1: template "loop" extends itself [template/broken]`,
	} {
		got := ""
		if l := set.Check(name); len(l) > 0 {
			got = l[0].Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{
		"typo":  "did you mean .Version?",
		"stray": "a template is called NAME.spec.tmpl: rename templates/stray.tmpl to templates/stray.spec.tmpl",
	} {
		if l := set.Check(name); len(l) == 0 || l[0].Hint != want {
			t.Errorf("%s: got %v, want the hint %q", name, l, want)
		}
	}
}

// TestRejectedValues gives values that rpm or Fedora's rules do not take.
func TestRejectedValues(t *testing.T) {
	t.Parallel()
	tm, problem := Builtin().Template("meta")
	if problem != nil {
		t.Fatal(problem)
	}
	for _, tt := range []struct {
		set        func(*Spec, string)
		good       []string
		bad        string
		want, hint string
	}{
		{func(s *Spec, v string) { s.URL.S = v }, []string{"https://example.com/a%20b", "%{forgeurl}"}, "https://example.com/a b", `url "https://example.com/a b" is not one word`, "write a blank in an address as %20"},
		{func(s *Spec, v string) { s.License.S = v }, []string{"MIT OR ISC"}, "MIT or ISC", `license "MIT or ISC" is not a valid SPDX expression`, `write "MIT OR ISC"`},
		{func(s *Spec, v string) { s.Requires[0].S = v }, []string{"a", "a = 1, b", "a >= 1 b < 2", "(a or b)", "a %{op} 1", "/usr/bin/env"}, "a >> 1", `requires: "a >> 1" compares with ">>"`, "the comparisons are < <= = >= >"},
		{func(s *Spec, v string) { s.Requires[0].S = v }, nil, "a =", `requires: "a =" has no version after =`, ""},
		{func(s *Spec, v string) { s.BuildRequires[0].S = v }, nil, ">= 1", `build-requires: ">= 1" has no name before >=`, ""},
	} {
		for _, v := range append(tt.good, tt.bad) {
			s := sample()
			s.Summary.S = "Shows life"
			tt.set(s, v)
			_, problems := tm.Execute(s)
			switch {
			case v != tt.bad && problems.HasErrors():
				t.Errorf("%q: %v", v, problems.Err())
			case v == tt.bad && (len(problems) != 1 || problems[0].Message != tt.want || problems[0].Hint != tt.hint):
				t.Errorf("%q: got %v, want %q and the hint %q", v, problems, tt.want, tt.hint)
			}
		}
	}
}

// TestFunctionsAreDocumented holds the table of functions to those there are.
func TestFunctionsAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range Funcs {
		if f.Help == "" || documented[f.Name] {
			t.Errorf("%s has no help, or stands in the table twice", f.Name)
		}
		documented[f.Name] = true
	}
	for name := range dummies() {
		if !strings.HasPrefix(name, "__") && engineFuncs[name] == nil && !documented[name] {
			t.Errorf("%s is not in the table", name)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("%s is in the table, but is no function", name)
	}
}
