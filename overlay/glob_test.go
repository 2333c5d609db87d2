package overlay_test

import (
	"strings"
	"testing"

	"specgraft/overlay"
)

func TestCheckGlob(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pattern, want string }{
		{"a.patch", ""},
		{"**/*.{c,h}", ""},
		{"a/**/b/**/c/**", ""},
		{`\{\*\*{a,b}`, ""},
		{"{a,{b,c},{d,e}}", ""},
		{"***/x", ""},
		{"[a", "not a valid glob pattern"},
		{"{a", "not a valid glob pattern"},
		{"**/a/**/b/**/c/**", "** stands in the pattern more than 3 times"},
		{strings.Repeat("{a,b}", 9), ""},
		{strings.Repeat("{a,b}", 10), "the braces stand for more than 512 texts"},
		{strings.Repeat("{a,", 8) + strings.Repeat("}", 8), ""},
		{strings.Repeat("{a,", 9) + strings.Repeat("}", 9), "braces are nested more than 8 deep"},
		{strings.Repeat("a", 5000), "a pattern has at most 4096 bytes, not 5000"},
	} {
		got := ""
		if err := overlay.CheckGlob(c.pattern); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%.40s: got %q, want %q", c.pattern, got, c.want)
		}
	}
}
