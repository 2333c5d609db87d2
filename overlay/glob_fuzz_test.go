package overlay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"specgraft/overlay"
)

// FuzzCheckGlob matches what is let through, which must not take long.
func FuzzCheckGlob(f *testing.F) {
	f.Add("**/*.{c,h}", "a/b/c.h")
	f.Add("{a,{b,c}*}**/[a-z]?"+strings.Repeat("{a,b}", 9), strings.Repeat("a", 40))
	f.Add(strings.Repeat("*a", 1000), strings.Repeat("a", 2000))
	f.Add(`\{\*[`, "{*")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if overlay.CheckGlob(pattern) != nil || len(name) > 4096 {
			return
		}
		start := time.Now()
		if _, err := doublestar.Match(pattern, name); err != nil {
			t.Errorf("%q was let through: %v", pattern, err)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%q takes %v", pattern, d)
		}
	})
}
