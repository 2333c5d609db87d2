package macro

import (
	"strings"
	"testing"
)

// TestDescriptionComment holds that a comment in the midst of a description is
// reported, and one in front of the next section is not.
func TestDescriptionComment(t *testing.T) {
	t.Parallel()
	const head = "Name: x\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\n%description\n"
	for _, tt := range []struct {
		text string
		line int // of the warning; 0 for none
	}{
		{"The tool is\n#1 among tools.\nBuy it.\n", 8},
		{"  # of items\nare counted.\n", 7},
		{"Text.\n# one\n# two\nMore text.\n", 8},
		{"Text.\n# The files\n%files\n", 0},
		{"Text.\n\n# The files\n\n%files\n", 0},
		{"Text.\n# gone\n\nMore text.\n", 0},
		{"C# and #1.\n", 0},
		{"Text.\n%prep\n# one\nmake\n", 0},
	} {
		s := Eval("x.spec", []byte(head+tt.text), Config{})
		line := 0
		for _, d := range s.Problems {
			if d.Code == "macro/description" {
				line = d.Pos.Line
			}
		}
		if line != tt.line {
			t.Errorf("%q: line %d, want %d: %v", strings.TrimSpace(tt.text), line, tt.line, s.Problems)
		}
	}
}

// TestElseIf holds that conditions which rpm does not look at are reported.
func TestElseIf(t *testing.T) {
	t.Parallel()
	const head = "Name: x\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\n"
	for text, want := range map[string]int{
		"%if 0\n%else if 1\n%endif\n":                1,
		"%if 1\n%elseif 1\n%endif\n":                 1,
		"%if 0\n%elsif 1\n%endif\n":                  1,
		"%if 0\n%elif 1\n%else\n%endif\n":            0,
		"%if 0\n%else # if not\n%endif # it\n":       0,
		"%if 0\n%if 1\n%else if 2\n%endif\n%endif\n": 0, // in what is left out
	} {
		n := 0
		s := Eval("x.spec", []byte(head+text+"%description\nx\n"), Config{})
		for _, d := range s.Problems {
			if d.Code == "macro/else-if" {
				n++
			}
		}
		if n != want {
			t.Errorf("%q: %v", text, s.Problems)
		}
	}
}
