package absorb_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"specgraft/overlay/absorb"
)

// BenchmarkLarge absorbs a hundred changed places of a spec of 500 KB.
func BenchmarkLarge(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var lines []string
	for n := 0; len(lines) < 12000; n++ {
		lines = append(lines, fmt.Sprintf("%%package part%d", n), fmt.Sprintf("Summary: Part %d of a large package", n),
			"Requires: %{name}-common = %{version}", "", fmt.Sprintf("%%description part%d", n), "What it does is in its name.", "")
		for k := range 40 {
			lines = append(lines, fmt.Sprintf("This is line %d of a text that goes on for some lines.", (n*40+k)%700))
		}
		lines = append(lines, fmt.Sprintf("%%files part%d", n), fmt.Sprintf("%%{_libdir}/part%d/*", n), "")
	}
	before := []byte(strings.Join(lines, "\n") + "\n")
	for range 100 {
		i := r.IntN(len(lines))
		for strings.HasPrefix(lines[i], "%") {
			i = r.IntN(len(lines))
		}
		switch r.IntN(3) {
		case 0:
			lines[i] += " And more."
		case 1:
			lines = append(lines[:i], append([]string{fmt.Sprintf("A new line with number %d.", i)}, lines[i:]...)...)
		case 2:
			lines = append(lines[:i], lines[i+1:]...)
		}
	}
	after := []byte(strings.Join(lines, "\n") + "\n")
	b.ReportMetric(float64(len(before)), "bytes")
	b.ReportAllocs()
	for b.Loop() {
		found, err := absorb.Search(tree("large", before), tree("large", after), absorb.Options{})
		if err != nil || len(found.Problems) > 0 {
			b.Fatal(err, found.Problems)
		}
		b.ReportMetric(float64(len(found.Steps)), "steps")
	}
}
