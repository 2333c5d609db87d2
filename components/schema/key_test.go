package schema

import (
	"regexp"
	"slices"
	"testing"
)

// TestFormats holds the patterns of the JSON schema to what the loader checks:
// an editor must not refuse what specgraft takes.
func TestFormats(t *testing.T) {
	t.Parallel()
	words := []string{
		"", ".", "..", "a", "A-z_0.9:", "-a", ":a", "_a", "9a", "a b", "a/b", `a\b`, "ä", "a\n", "a?b", "a#b", "../a", "a/../b", "/a",
		"0123456", "012345", "0123456789abcdef0123456789abcdef01234567", "0123456789ABCDEF0123456789abcdef012345678", "012345g",
		"http://a", "HTTPS://a/b", "https:///b", "ftp://a", "https:a", "mailto:a", "1a:b", "a+b://c", "~!@", "[x]", "a]", "a^b", ".fc.1", ".x", "..1", "1-2", "1:1.2~rc1-3", ":1-2", "1-2-3", "1.",
	}
	for _, f := range []*Format{commitFormat, refFormat, FileNameFormat, channelFormat, uriFormat, httpFormat, repoNameFormat, subPathFormat, suffixFormat, evrFormat} {
		pattern := regexp.MustCompile(f.Pattern)
		taken := 0
		for _, w := range words {
			if !f.ok(w) {
				continue
			}
			taken++
			if !pattern.MatchString(w) || slices.Contains(f.Except, w) {
				t.Errorf("%s: the loader takes %q, the schema does not", f.What, w)
			}
		}
		if taken == 0 || taken == len(words) {
			t.Errorf("%s: takes %d of %d words", f.What, taken, len(words))
		}
	}
	same := regexp.MustCompile(repoNameFormat.Pattern)
	for _, w := range words {
		if repoNameFormat.ok(w) != same.MatchString(w) {
			t.Errorf("repository name %q: the loader and the schema disagree", w)
		}
	}
}
