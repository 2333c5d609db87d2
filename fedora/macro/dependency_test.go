package macro

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDependencies(t *testing.T) {
	t.Parallel()
	name := func(s string) Dependency { return Dependency{Name: s} }
	for _, test := range []struct {
		in   string
		want []Dependency
		text string // joined by ", "
	}{
		{"a", []Dependency{name("a")}, "a"},
		{"a >= 1, b => 2:3-4\tc", []Dependency{{Name: "a", Compare: ">=", Version: "1"}, {Name: "b", Compare: ">=", Version: "2:3-4"}, name("c")}, "a >= 1, b >= 2:3-4, c"},
		{"pkgconfig(x) = 3", []Dependency{{Name: "pkgconfig(x)", Compare: "=", Version: "3"}}, "pkgconfig(x) = 3"},
		{"(a or b)", []Dependency{{Op: "or", Operands: []Dependency{name("a"), name("b")}}}, "(a or b)"},
		{"(a)", []Dependency{{Operands: []Dependency{name("a")}}}, "(a)"},
		{"((perl(A) >= 1 with perl(A) < 2) if gcc else (b and c(d)))", []Dependency{{Op: "if", Operands: []Dependency{
			{Op: "with", Operands: []Dependency{{Name: "perl(A)", Compare: ">=", Version: "1"}, {Name: "perl(A)", Compare: "<", Version: "2"}}},
			name("gcc"),
			{Op: "and", Operands: []Dependency{name("b"), name("c(d)")}}}}}, "((perl(A) >= 1 with perl(A) < 2) if gcc else (b and c(d)))"},
		{"", []Dependency{}, ""},
		{"(a or", []Dependency{name("(a or")}, "(a or"},
		{"(", []Dependency{name("(")}, "("},
		{strings.Repeat("(", 500) + "a", nil, ""},
	} {
		got := ParseDependencies(test.in)
		if test.want == nil {
			continue // must end, no more
		}
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", test.in, d)
		}
		var texts []string
		for i := range got {
			texts = append(texts, got[i].String())
		}
		if s := strings.Join(texts, ", "); s != test.text {
			t.Errorf("%q is written %q, want %q", test.in, s, test.text)
		}
	}
}

func FuzzParseDependencies(f *testing.F) {
	for _, s := range []string{"a >= 1", "(a or (b if c else d))", "((", "(a", "a =", "x)(y", "(a >= )"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, d := range ParseDependencies(s) {
			text := d.String()
			if again := ParseDependencies(text); len(again) == 1 && again[0].String() != text {
				t.Errorf("%q is read as %q, then as %q", s, text, again[0].String())
			}
		}
	})
}
