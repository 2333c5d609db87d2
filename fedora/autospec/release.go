package autospec

import "specgraft/overlay/spec"

// A Bumped says how a spec gets its new release. The zero Bumped means that
// the spec stays as it is.
type Bumped struct {
	// Value is the new value of every Release tag of the preamble, written as
	// the operation spec-update-tag writes it; empty when another line changes.
	Value string
	// Line and Text are the definition that changes instead: the line with
	// this index gets this text. Only release.calculation = "smart" does that.
	Line int
	Text string
}

// Bump raises the release of a spec by n as release.calculation asks for:
// "auto" (also when empty), "static", "smart", "autorelease" or "manual".
// The spec itself is not changed. With n = 0 there is nothing to do. The error
// is a *diag.Diagnostic with the position of the tag.
func Bump(f *spec.File, mode string, n int) (Bumped, error) { return Bumped{}, nil }
