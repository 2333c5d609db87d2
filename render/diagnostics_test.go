package render

import (
	"errors"
	"fmt"
	"testing"

	"specgraft/overlay/diag"
)

func TestListOf(t *testing.T) {
	t.Parallel()
	list := diag.List{{Code: "a/b", Message: "m", Component: "other"}, {Code: "a/c", Message: "n"}}
	if got := ListOf(fmt.Errorf("at once: %w", list.Err()), "x"); len(got) != 2 || got[0].Component != "other" || got[1].Component != "" {
		t.Errorf("of a list: %v", got)
	}
	one := &diag.Diagnostic{Code: "a/b", Message: "m"}
	if got := ListOf(one, "x"); len(got) != 1 || got[0].Component != "x" || one.Component != "" {
		t.Errorf("of a diagnostic: %v, which is %v now", got, one)
	}
	if got := ListOf(&diag.Diagnostic{Code: "a/b", Component: "other"}, "x"); got[0].Component != "other" {
		t.Errorf("of a diagnostic about another component: %v", got)
	}
	if got := ListOf(errors.New("broken"), "x"); len(got) != 1 || got[0].Code != "render/internal" || !got[0].Env || got[0].Component != "x" {
		t.Errorf("of any error: %v", got)
	}
}
