package template

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// TestHostileTemplates runs templates that would go on, grow or recurse without
// end. Each stops at the bound that is meant for it, at its place.
func TestHostileTemplates(t *testing.T) {
	t.Parallel()
	nested := func(open string, n int) string { return strings.Repeat(open, n) + strings.Repeat("{{end}}", n) }
	tree := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "{{define \"a%d\"}}{{template \"a%d\"}}{{template \"a%d\"}}{{end}}", i, i+1, i+1)
		}
		return b.String() + fmt.Sprintf("{{define \"a%d\"}}{{end}}{{template \"a0\"}}", n)
	}
	const long, much, calls, deep = "goes on for more than", "functions of the template make more than", "call each other more than 100 deep", "nests more than 100 levels deep"
	for name, tt := range map[string]struct{ text, want string }{
		"turns":                   {"{{range 100000000000}}{{end}}", long},
		"turns of much":           {"{{range 999999}}" + strings.Repeat("{{$x := 1}}", 20_000) + "{{end}}", long},
		"turns of long pipes":     {"{{range 999999}}{{$x := 1" + strings.Repeat(" | or 0", 20_000) + "}}{{end}}", long},
		"loops in loops":          {strings.Repeat("{{range 100}}", 20) + strings.Repeat("{{end}}", 20), long},
		"output":                  {"{{range 900000}}" + strings.Repeat("x", 1000) + "{{end}}", long},
		"calls that double":       {tree(60), long},
		"recursion":               {`{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`, calls},
		"recursion through ifs":   {`{{define "a"}}` + strings.Repeat("{{if 1}}", 90) + `{{template "a"}}` + strings.Repeat("{{end}}", 90) + `{{end}}{{template "a"}}`, calls},
		"ifs":                     {nested("{{if 1}}", 15_000), deep},
		"else ifs":                {"{{if 0}}" + strings.Repeat("{{else if 0}}", 15_000) + "{{end}}", deep},
		"withs":                   {nested("{{with 1}}", 15_000), deep},
		"ranges":                  {nested("{{range 1}}", 12_000), deep},
		"parentheses":             {"{{" + strings.Repeat("(", 9000) + "1" + strings.Repeat(")", 9000) + "}}", deep},
		"fields of parentheses":   {"{{" + strings.Repeat("(", 4000) + ".Name" + strings.Repeat(").S", 4000) + "}}", deep},
		"parentheses of too many": {"{{" + strings.Repeat("(", 100_000), "max expression depth"},
		"text that doubles":       {`{{$x := "aaaa"}}{{range 60}}{{$x = printf "%s%s" $x $x}}{{end}}`, much},
		"print that doubles":      {`{{$x := "aaaa"}}{{range 60}}{{$x = print $x $x}}{{end}}`, much},
		"html that grows":         {`{{$x := "<<<<"}}{{range 60}}{{$x = html $x $x}}{{end}}`, much},
		"lists that double":       {`{{$x := list "a"}}{{range 60}}{{$x = concat $x $x}}{{end}}`, much},
		"joined that doubles":     {`{{$x := list "aa"}}{{range 60}}{{$x = joined (list $x $x)}}{{end}}`, much},
		"quotes that double":      {`{{$x := "'"}}{{range 60}}{{$x = shellquote $x}}{{end}}`, much},
		"often a long text":       {`{{$x := "` + strings.Repeat("a", 100_000) + `"}}{{range 100000}}{{$y := print $x}}{{end}}`, much},
		"print the component":     {`{{range 900000}}{{$y := print $}}{{end}}`, "not lists or tables"},
		"printf the component":    {`{{printf "%v" $}}`, "not lists or tables"},
		"width":                   {`{{printf "%1000000d" 1}}`, "at most 99 columns"},
		"width by an argument":    {`{{printf "%*d" 1000000 1}}`, "at most 99 columns"},
		"verbs":                   {`{{$x := "` + strings.Repeat("a", 100_000) + `"}}{{printf "` + strings.Repeat("%[1]s", 20_000) + `" $x}}`, much},
		"a large template":        {strings.Repeat("x", maxSource+1), "at most 256 KiB"},
		"many actions":            {strings.Repeat("{{1}}", 50_000), "rpm would reject"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, problems := Builtin().With(fstest.MapFS{"x.spec.tmpl": {Data: []byte(tt.text)}}, "templates")
			if len(problems) == 0 {
				problems = set.Check("x")
			}
			if len(problems) == 0 || !strings.Contains(problems[0].Error(), tt.want) {
				t.Fatalf("got %.300v, want %s", problems, tt.want)
			}
			if d := problems[0]; d.Pos.Filename != "templates/x.spec.tmpl" || len(d.Message) > 300 {
				t.Errorf("%v: %.500s", d.Pos, d.Message)
			}
		})
	}
}

// TestHostileLicenses reads expressions of SPDX that are deep or long.
func TestHostileLicenses(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		strings.Repeat("(", longestLicense),
		strings.Repeat("(", 4000) + "MIT" + strings.Repeat(")", 4000),
		strings.Repeat("MIT AND ", 1000) + "MIT",
		strings.Repeat("nothing of it and ", 400) + "x",
		strings.Repeat("a)", 4000),
		strings.Repeat("MIT WITH ", 900),
		strings.Repeat("x", longestLicense+1),
	} {
		validLicense(expr)
		if hint := licenseHint(expr); hint != noLicense && expr[:3] != "MIT" {
			t.Errorf("%.40q: %.300s", expr, hint)
		}
	}
}
