package diag

import "testing"

func TestAbridge(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c"}
	for n, want := range map[int]string{1: "a and 2 more", 2: "a, b and 1 more", 3: "a, b, c", 4: "a, b, c"} {
		if got := Abridge(names, n); got != want {
			t.Errorf("at most %d: %q, want %q", n, got, want)
		}
	}
	if got := Abridge(nil, 3); got != "" {
		t.Errorf("of none: %q", got)
	}
}
