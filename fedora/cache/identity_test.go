package cache

import (
	"testing"
	"time"
)

// TestRacy holds which files are believed at which time.
func TestRacy(t *testing.T) {
	t.Parallel()
	second := int64(time.Second)
	for _, tt := range []struct {
		mtime, ctime, at int64
		want             bool
	}{
		{10*second + 1, 10*second + 1, 11 * second, false},
		{10*second + 1, 10*second + 1, 10*second + 1000, true},
		{second, 10*second + 1, 10*second + 1000, true},
		{20*second + 1, second, 11 * second, true}, // from the future
		{10 * second, 10 * second, 11 * second, true},
		{10 * second, 10 * second, 14 * second, false},
	} {
		id := Identity{Mtime: tt.mtime, Ctime: tt.ctime}
		if got := id.Racy(tt.at); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
