package diag

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestNearestSkipsNothing compares with a search that looks at every candidate.
func TestNearestSkipsNothing(t *testing.T) {
	t.Parallel()
	slow := func(word string, candidates []string) string {
		best, limit := "", min(max(1, len(word)/3), len(word)-1)
		for _, c := range candidates {
			if d := distance(strings.ToLower(word), strings.ToLower(c), len(word)+len(c)); d <= limit {
				best, limit = c, d-1
			}
		}
		return best
	}
	r := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		b := make([]rune, r.IntN(9))
		for i := range b {
			b[i] = []rune("abcABC-éÉ")[r.IntN(9)]
		}
		return string(b)
	}
	found := 0
	for range 3000 {
		candidates := make([]string, 6)
		for i := range candidates {
			candidates[i] = word()
		}
		w := word()
		got, want := Nearest(w, candidates), slow(w, candidates)
		if got != want {
			t.Fatalf("Nearest(%q, %q) = %q, want %q", w, candidates, got, want)
		}
		if got != "" {
			found++
		}
	}
	if found < 100 || found > 2900 {
		t.Errorf("%d of 3000 found something", found)
	}
	long := strings.Repeat("x", 300)
	if got := Nearest(long, []string{"y", long + "y"}); got != long+"y" {
		t.Errorf("of long words %.10q… is the nearest", got)
	}
}
