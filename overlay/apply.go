package overlay

import (
	"io/fs"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// A Source opens the file that an overlay's `source` names. What it may reach
// is the caller's decision.
type Source func(path string) (data []byte, mode fs.FileMode, err error)

// A Level is how a project wants a diagnostic code to be treated.
type Level string

// The levels.
const (
	LevelOff     Level = "off"
	LevelNote    Level = "note"
	LevelWarning Level = "warning"
	LevelError   Level = "error"
)

// Options says how to apply operations. The zero value applies those that
// need no source file.
type Options struct {
	Source Source           // opens `source` files; nil: only Op.Data serves
	Levels map[string]Level // severity by code, for codes whose default is not wanted
	Lint   bool             // take the structural second look after each operation
}

// Apply applies operations in order to the tree. It stops at the first one
// that fails, takes that one's partial edits back, and leaves the effect of
// those before it; the report says how far it came.
//
// Operations on archives are skipped with a warning: rendering does not have
// the archives. ApplyArchive applies them.
func Apply(t *Tree, ops []Op, opt Options) (*Report, diag.List) {
	return &Report{Failed: -1}, nil
}

// A run is one operation at work on the tree.
type run struct {
	tree   *Tree
	op     *Op
	opt    *Options
	spec   *spec.File
	origin *spec.Origin
	rep    *OpReport
}
