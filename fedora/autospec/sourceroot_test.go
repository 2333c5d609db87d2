package autospec

import (
	"testing"

	"specgraft/fedora/macro"
)

// TestSourceRoot holds that a spec is evaluated as in the root where source
// packages are made. It has no macros of systemd: what they define there is
// text, and would not be an expression.
func TestSourceRoot(t *testing.T) {
	t.Parallel()
	text := []byte("Name: a\nVersion: 1\nRelease: 1\n%if ! 0%{?_modulesloaddir:1}\n%global _modulesloaddir /usr/lib/modules-load.d\n%endif\n" +
		"%if ! 0%{?_modulesloaddir}\nSummary: s\n%endif\nLicense: MIT\n%description\n")
	bare := []byte("Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n%if ! 0%{?_modulesloaddir}\nEpoch: 2\n%endif\n%description\n")
	if f := NewEvaluator(macro.Config{}).Eval("a.spec", bare, nil); f.Error != "" || f.EpochVersion != "2:1" {
		t.Errorf("in the source root: %+v", f)
	}
	if f := NewEvaluator(macro.Config{Set: macro.Builtin()}).Eval("a.spec", bare, nil); f.Error != ErrParse {
		t.Errorf("where the macro is a path, the condition has bare words: %+v", f)
	}
	if f := NewEvaluator(macro.Config{}).Eval("a.spec", text, nil); f.Error != ErrParse {
		t.Errorf("a macro that the spec itself makes a path: %+v", f)
	}
}
