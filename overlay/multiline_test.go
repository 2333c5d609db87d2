package overlay_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"specgraft/overlay"
	"specgraft/overlay/spec"
)

// TestMultilineIsReplaceAll holds the edits of lines against what replacing in
// the text of the section gives.
func TestMultilineIsReplaceAll(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	applied := 0
	for range 20_000 {
		var text strings.Builder
		for range r.IntN(6) {
			text.WriteString(pick("a", "b", "ab", "", "aab", "ba") + "\n")
		}
		re := pick(`a`, `b\n`, `\n`, `a\n`, `(?m)^a$`, `(?m)^b?\n`, `\A`, `\z`, `(?m)$`, `(?m)^`, `(?s).*`, `[ab]\n[ab]`, `\n+`, `a*`, `(?m)^.*\n`, `\n\z`, `(a)|(b)\n`)
		with := pick("", "x", "\n", "x\n", "\nx", "x\ny", "ab", "a", "\n\n")
		want := regexp.MustCompile(re).ReplaceAllLiteralString(text.String(), with)
		if want == text.String() {
			continue // an error
		}
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		tree := &overlay.Tree{Spec: spec.Parse("w.spec", []byte("Name: w\n%build\n"+text.String()+"%files\n"))}
		rep, list := overlay.Apply(tree, []overlay.Op{{
			Type: overlay.SearchReplace, Section: "%build", Regex: re, Replacement: with, Multiline: true,
		}}, overlay.Options{})
		if got := string(tree.Spec.Normalized()); list.HasErrors() || got != "Name: w\n%build\n"+want+"%files\n" {
			t.Fatalf("%q with %s by %q: errors %v, got %q, want %q", text.String(), re, with, list, got, want)
		}
		applied += len(rep.Applied)
	}
	if applied < 5000 {
		t.Errorf("only %d replacements", applied)
	}
}
