package overlay

import (
	"testing"

	"specgraft/overlay/diag"
)

// TestAdjust holds that a level for many makes no warning or error of a note,
// while one for its own code does.
func TestAdjust(t *testing.T) {
	t.Parallel()
	tests := []struct {
		levels  map[string]Level
		in, out diag.Severity
		off     bool
	}{
		{map[string]Level{"all": LevelError}, diag.Warning, diag.Error, false},
		{map[string]Level{"all": LevelError}, diag.Note, diag.Note, false},
		{map[string]Level{"overlay/": LevelWarning}, diag.Note, diag.Note, false},
		{map[string]Level{"overlay/": LevelOff}, diag.Note, 0, true},
		{map[string]Level{"overlay/bare-tag": LevelError, "all": LevelOff}, diag.Note, diag.Error, false},
		{map[string]Level{"overlay/bare-tag": LevelNote}, diag.Warning, diag.Note, false},
		{map[string]Level{"all": LevelOff}, diag.Error, diag.Error, false},
	}
	for _, tt := range tests {
		got := Adjust(diag.List{{Code: "overlay/bare-tag", Severity: tt.in}}, tt.levels)
		if len(got) == 0 != tt.off || !tt.off && got[0].Severity != tt.out {
			t.Errorf("%v with %v: %v", tt.in, tt.levels, got)
		}
	}
}
