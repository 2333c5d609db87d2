package semantic_test

import (
	"regexp"
	"testing"

	"specgraft/render/review/semantic"
)

// BenchmarkCompare compares real specs with the same ones after an edit: of a
// line that no evaluation sees, of the spelling of one, and of what it says.
func BenchmarkCompare(b *testing.B) {
	specs := corpusSpecs(b)
	names := sample(b, specs, 3)[:300]
	name := regexp.MustCompile(`(?mi)^name:[ \t]*`)
	summary := regexp.MustCompile(`(?mi)^(summary:.*\n)`)
	for _, edit := range []struct {
		name string
		of   func(string) string
	}{
		{"Comment", func(s string) string { return "# A comment\n" + s }},
		{"Spelling", func(s string) string { return name.ReplaceAllString(s, "name:     ") }},
		{"Dependency", func(s string) string { return summary.ReplaceAllString(s, "${1}Requires: foo >= 3\n") }},
	} {
		b.Run(edit.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				n := names[i%len(names)]
				old := semantic.Packaging{Name: n + ".spec", Spec: []byte(specs[n])}
				new := semantic.Packaging{Name: n + ".spec", Spec: []byte(edit.of(specs[n]))}
				semantic.Compare(old, new, semantic.Options{})
			}
		})
	}
}
