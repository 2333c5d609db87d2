package upstream

import (
	"testing"
)

func TestParseAge(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"0": "0s", "30d": "720h0m0s", "12h": "12h0m0s", "x": "error", "-1d": "error", "-1h": "error", "d": "error", "": "error"} {
		got, err := parseAge(in)
		if text := got.String(); err == nil && text != want || (err != nil) != (want == "error") {
			t.Errorf("%q is %v, %v, want %s", in, got, err, want)
		}
	}
}
