package diag

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Errorf makes an error that is a diagnostic without a position, which a caller
// that knows one fills in.
func Errorf(code, format string, args ...any) *Diagnostic {
	return &Diagnostic{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Environment marks d as a problem of the machine or the network, sets its hint
// and returns it.
func Environment(d *Diagnostic, hint string) *Diagnostic {
	d.Env, d.Hint = true, hint
	return d
}

// HasCode reports whether err is a diagnostic with one of the codes.
func HasCode(err error, codes ...string) bool {
	d, ok := errors.AsType[*Diagnostic](err)
	return ok && slices.Contains(codes, d.Code)
}

// Reason drops the path from an error about a file, for messages that name the
// file themselves.
func Reason(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// Message returns what an error says, of a diagnostic without its position and code.
func Message(err error) string {
	if d, ok := errors.AsType[*Diagnostic](err); ok {
		return d.Message
	}
	return err.Error()
}
