package overlay

import "specgraft/overlay/diag"

// explain adds to the diagnostic of operation i, which failed and is undone,
// what helps to mend it.
func explain(t *Tree, ops []Op, i int, d *diag.Diagnostic) {}
