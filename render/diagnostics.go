package render

import (
	"cmp"
	"errors"

	"specgraft/overlay/diag"
)

// ListOf makes diagnostics of an error about a component. One that is no diagnostic
// is a failure of the program or of the machine.
func ListOf(err error, component string) diag.List {
	if l, ok := errors.AsType[diag.ListError](err); ok {
		return diag.List(l)
	}
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		c := *d
		c.Component = cmp.Or(c.Component, component)
		return diag.List{c}
	}
	return diag.List{{Code: "render/internal", Component: component, Message: err.Error(), Env: true}}
}
