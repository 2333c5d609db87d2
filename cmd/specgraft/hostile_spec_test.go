//go:build unix

package main

import (
	"strings"
	"testing"
)

// TestHostileSpecs are specs that harm who evaluates them.
func TestHostileSpecs(t *testing.T) {
	var cases []hostile
	for name, preamble := range map[string]string{
		"shell-touch":    "%global a %(touch @/pwned)\nURL: %a",
		"shell-redirect": "%global a %(echo x > @/pwned)\nURL: %a",
		"lua-open":       "%{lua: local f=io.open('@/pwned','w'); f:write('x'); f:close()}",
		"escapes":        "Vendor: \x1b[31mx\x1b]0;title\x07\n%nosuch\x1b[31m\n%{error:\x1b[2J}\n%{warn:\u009b31m}",
		"expr-not":       "%global a %[" + strings.Repeat("!", 300_000) + "1]",
		"if-open":        strings.Repeat("%if 1\n", 100_000),
	} {
		cases = append(cases, hostileQuery(name, hostileSpec("x", preamble)))
	}
	runHostile(t, cases)
}
