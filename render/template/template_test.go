package template

import (
	"go/token"
	"math/rand/v2"
	"strings"
	"testing"

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
