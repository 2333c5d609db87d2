package overlay

import (
	"strings"
	"testing"

	"specgraft/overlay/spec"
)

// TestSearchBound holds that what a search costs and what a replacement gives
// are bounded before, and that neither is for ordinary overlays.
func TestSearchBound(t *testing.T) {
	t.Parallel()
	lines := strings.Repeat("Requires: aaaaaaaaaa\n", 20_000)
	for name, c := range map[string]struct{ regex, replacement, text, code string }{
		"ordinary":    {`a+$`, "b", lines, ""},
		"expensive":   {`(a?){1000}(a?){1000}[bc]`, "b", lines, "overlay/budget"},
		"not a match": {`(x?){1000}b`, "b", "Requires: a\n", "overlay/no-match"},
		"growth":      {`a`, strings.Repeat("b", 1<<20), "Requires: " + strings.Repeat("a", 100) + "\n", "overlay/budget"},
	} {
		tree := &Tree{Spec: spec.Parse("x.spec", []byte("Name: x\n"+c.text))}
		_, problems := Apply(tree, []Op{{Type: SearchReplace, Regex: c.regex, Replacement: c.replacement}}, Options{})
		got := ""
		if len(problems) > 0 {
			got = problems[0].Code
		}
		if got != c.code {
			t.Errorf("%s: %q, want %q: %v", name, got, c.code, problems)
		}
	}
}
