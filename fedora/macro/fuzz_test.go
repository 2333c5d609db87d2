package macro

import (
	"go/token"
	"strings"
	"testing"
	"testing/fstest"
)

// FuzzEval holds the evaluator to its promises on any text: it returns, it
// reports positions inside of the text, and a value is known or has a reason.
func FuzzEval(f *testing.F) {
	for _, text := range hostile() {
		if len(text) < 2000 {
			f.Add(text)
		}
	}
	f.Add("Name: a\nVersion: %{lua: print(1)}\n%if %(true)\nRelease: 1\n%else\nEpoch: x\n%endif\n%package b\n%{expand:%%define c %%1}\n%c")
	f.Add("%define f(a:b-) %{-a*}%{!-b:%*}%**%#\n%f -a x -- y\n%[1 ? \"a\" : v\"1\"]%{S:0}%{gsub a b c}\n%include x\n%{load:y}")
	f.Add("%{?a:%{!?b:%undefine c}}%dnl x\n%bcond_with x\n%bcond y %{with x}\n%ifarch %ix86\n%elifarch x\n%endif\nSource: a\nPatch1: b\n%sourcelist\nc\n%gometa -z 1\n%fontpkg -a")
	f.Add("%define w() %00 %{00}\n%w x")
	f.Fuzz(func(t *testing.T, text string) {
		files := fstest.MapFS{"x": {Data: []byte(text)}, "y": {Data: []byte(text)}}
		s := Eval("fuzz.spec", []byte(text), Config{FS: files, Lines: true, Budget: Budget{Steps: 20_000, Output: 1 << 18, Total: 1 << 20}})
		lines := strings.Count(text, "\n") + 1
		for _, d := range s.Problems {
			if d.Pos.Line < 0 || d.Pos.Line > lines {
				t.Errorf("problem at line %d of %d: %s", d.Pos.Line, lines, d.Message)
			}
			if strings.ContainsAny(d.Message, "\n\x00") {
				t.Errorf("message is not one line: %q", d.Message)
			}
		}
		check := func(field string, v Value) {
			if v.Set && !v.Known && v.Reason == "" {
				t.Errorf("%s is not known without a reason: %q", field, v.Text)
			}
			if strings.ContainsRune(v.Text, 0) {
				t.Errorf("%s has a mark: %q", field, v.Text)
			}
		}
		check("name", s.Name)
		check("version", s.Version)
		check("expanded", s.Expanded)
		for _, p := range s.Packages {
			for _, tag := range p.Tags {
				check(tag.Name, tag.Value)
			}
		}
		for _, src := range append(s.Sources, s.Patches...) {
			check("source", src.Value)
		}
		for _, sect := range s.Sections {
			check("section", sect.Text)
		}
		FilterSpec("fuzz.spec", s, []string{"x", "sources"})
	})
}

// FuzzExpand compares a text with itself expanded twice: literal text stays.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{"%{?x}", "%%", "a%{b", "%[1+1]", "%(echo x)", "%{lua:print(1)}", "%{quote:a}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e := New(Config{Set: Load("none", "", nil), Budget: Budget{Steps: 5000}})
		v := e.Expand(token.Position{}, text)
		if !strings.ContainsAny(text, "%\x00") && v.Text != text {
			t.Errorf("%q became %q", text, v.Text)
		}
	})
}
