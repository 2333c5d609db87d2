package diag

import (
	"errors"
	"fmt"
	"testing"
)

func TestMessage(t *testing.T) {
	t.Parallel()
	d := &Diagnostic{Code: "a/b", Message: "it is not so"}
	d.Pos.Filename, d.Pos.Line = "x.toml", 3
	for want, err := range map[string]error{"it is not so": fmt.Errorf("wrapped: %w", d), "plain": errors.New("plain")} {
		if got := Message(err); got != want {
			t.Errorf("%v says %q, want %q", err, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	list := List{{Code: "a/b", Message: "one"}, {Code: "a/w", Message: "careful", Severity: Warning}, {Code: "a/c", Message: "two"}}
	if got, want := list.Errors(), list[0].Error()+"\n"+list[2].Error(); got != want {
		t.Errorf("errors %q, want %q", got, want)
	}
	if got := list[1:2].Errors(); got != "" {
		t.Errorf("errors of a warning: %q", got)
	}
}
