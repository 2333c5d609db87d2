package template

import (
	"strings"
	"testing"
)

// FuzzLicense asks what it takes to correct any licence expression.
func FuzzLicense(f *testing.F) {
	for _, s := range []string{"MIT", "GPLv2+ and (ASL 2.0 or BSD)", "MIT AND", "((((MIT))))", "LicenseRef-x WITH y", "MIT+ OR", strings.Repeat("(", 3000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		if hint := licenseHint(expr); hint == "" {
			t.Errorf("no hint for %q", expr)
		} else if written, ok := strings.CutPrefix(hint, `write "`); ok && !strings.Contains(written, `"`) {
			t.Errorf("%q", hint)
		}
	})
}
