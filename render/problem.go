package render

import (
	"errors"
	"go/token"
	"io/fs"
	"os"
	"slices"

	"specgraft/components"
	"specgraft/overlay/diag"
)

// Cause strips the path off a file system error, which names a file inside a
// temporary directory that nobody knows.
func Cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

// Diagnostics turns an error about a component into diagnostics.
func Diagnostics(err error, c *components.Component) diag.List {
	var list diag.List
	if l, ok := errors.AsType[diag.ListError](err); ok {
		list = slices.Clone(diag.List(l))
	} else if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		list = diag.List{*d}
	} else {
		list = diag.List{{Code: "prepare/failed", Message: err.Error(), Env: true}}
	}
	for i := range list {
		list[i].Component = c.Name
		if list[i].Pos == (token.Position{}) {
			list[i].Pos = c.Pos
		}
	}
	return list
}
