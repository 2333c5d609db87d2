package macro

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// hostile are specs that must end within the budget, each with a diagnostic.
func hostile() map[string]string {
	laughs := "%define l0 ha\n"
	for i := 1; i <= 40; i++ {
		laughs += fmt.Sprintf("%%define l%d %%l%d%%l%d\n", i, i-1, i-1)
	}
	eager := "%global g0 ha\n"
	for i := 1; i <= 60; i++ {
		eager += fmt.Sprintf("%%global g%d %%g%d%%g%d\n", i, i-1, i-1)
	}
	wide := "%define w() %{expand:%* %* %* %* %* %* %* %* %* %*}\n%define v() %{w %{w %{w %{w %{w %{w %{w %{w x}}}}}}}}\n"
	return map[string]string{
		"lazy laughs":     laughs + "Name: %l40\n",
		"eager laughs":    eager + "Name: %g60\n",
		"itself":          "%define me %me\nName: %me\n",
		"two":             "%define aa %bb\n%define bb %aa\nName: %aa\n",
		"doubling itself": "%define dd %dd%dd\nName: %dd\n",
		"wide arguments":  wide + "Name: %v\n",
		"rep":             "Name: %{rep:a 2000000000}\nVersion: %{rep aaaaaaaaaa 400000}%{rep aaaaaaaaaa 400000}\n",
		"rep of rep":      "%define r %{rep %{rep a 100000} 100000}\nName: %r\n",
		"gsub":            "Name: %{gsub " + strings.Repeat("a", 4000) + " (.-)(.-)(.-)(.-)(.-)b x}\n",
		"wide lines":      "%define w() %{expand:%* %* %* %* %* %* %* %* %* %*}\n%define v %w %w %w %w %w %w %w %w %w x\nName: %v\n",
		"lua gsub":        "Name: %{lua: print(string.gsub(string.rep('a', 4000), '(.-)(.-)(.-)(.-)(.-)b', 'x'))}\n",
		"lua loop":        "Name: %{lua: while true do end}\n",
		"lua string":      "Name: %{lua: local s='x' while true do s=s..s end}\n",
		"lua define":      "%{lua: while true do rpm.define('a b') end}\n",
		"lua expand":      "%define ex %{lua: print(rpm.expand('%ex%ex'))}\nName: %ex\n",
		"shell loop":      "Name: %(while :; do echo x; done)\n",
		"brackets":        "Name: " + strings.Repeat("%{?", 100_000) + "\n",
		"closed brackets": "%define xx 1\nName: " + strings.Repeat("%{?xx:", 20_000) + strings.Repeat("}", 20_000) + "\n",
		"expression":      "%if " + strings.Repeat("(", 100_000) + "\n%endif\n",
		"not":             "%if " + strings.Repeat("!", 1_000_000) + "1\n%endif\n",
		"ifs":             strings.Repeat("%if 1\n", 100_000),
		"include itself":  "%include me.inc\n",
		"load itself":     "%{load:me.macros}\n%again\n",
		"suffixes":        "%define fontfamily x\n" + strings.Repeat("%fontpkg -a\n", 2000),
		"many names":      manyNames(200_000),
		"undefine":        strings.Repeat("%undefine x\n", 200_000),
		"unknown ifs":     "%global u %(hostname)\n" + strings.Repeat("%if %u\n%global a b\n", 900) + strings.Repeat("%endif\n", 900),
		"setup":           prep("Source0: a\n", "%setup "+strings.Repeat("-a 0 ", 100_000)+"\n"),
		"patch":           prep("Patch0: a\n", "%patch "+strings.Repeat("0 ", 300_000)+"\n"),
		"autopatch":       prep(strings.Repeat("Patch: a\n", 20_000), strings.Repeat("%autopatch\n", 2000)),
		"packages":        manyPackages(60_000),
		"name last":       strings.Repeat("Requires: a\n", 90_000) + "Name: a\n%description\n" + strings.Repeat("%files\n", 50_000),
		"long condition":  "%if 1 \\\n" + strings.Repeat(" && 1 \\\n", 100_000) + "&&\n%endif\n",
		"open lines":      strings.Repeat("%{x\n", 100_000),
	}
}

// prep is a spec with a preamble and a %prep.
func prep(preamble, commands string) string {
	return "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n" + preamble + "%description\n%prep\n" + commands
}

func manyPackages(n int) string {
	var b strings.Builder
	b.WriteString(prep("", ""))
	for i := range n {
		fmt.Fprintf(&b, "%%package p%d\n%%description p%d\n", i, i)
	}
	return b.String()
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%%define n%d x\n", i)
	}
	return b.String()
}

// TestBudget runs hostile specs. The bound on the work is what is tested, in
// steps and bytes: a test must not depend on the clock.
func TestBudget(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"me.inc":    {Data: []byte("%include me.inc\n%include me.inc\n")},
		"me.macros": {Data: []byte("%again %{load:me.macros}%again%again\n")},
	}
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Eval("hostile.spec", []byte(text), Config{FS: files, Lines: true})
			if len(s.Problems) == 0 {
				t.Errorf("no diagnostic")
			}
			if len(s.Problems) > maxProblems || len(s.Unknown) > 3*maxProblems {
				t.Errorf("%d problems, %d unknowns", len(s.Problems), len(s.Unknown))
			}
			for _, d := range s.Problems {
				if len(d.Message) > 400 || strings.ContainsAny(d.Message, "\n\x00") {
					t.Fatalf("message is not one short line: %q", d.Message)
				}
			}
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	for name, text := range hostile() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Eval("hostile.spec", []byte(text), Config{})
			}
		})
	}
}
