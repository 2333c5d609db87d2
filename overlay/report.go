package overlay

import "specgraft/overlay/spec"

// A Report says what Apply did, operation by operation.
type Report struct {
	Applied []OpReport    // in order of application, skipped ones included
	Failed  int           // index in the list of the operation that failed, -1 when none did
	Removed []RemovedFile // files that were there before and are gone, in order of path
}

// An OpReport says what one operation did.
type OpReport struct {
	Index     int          // position in the list of operations given to Apply
	Origin    *spec.Origin // as found on the lines and files it wrote
	Places    int          // places changed, what `expect` counts
	Unchanged int          // places that match but read as wanted already (spec-search-replace)
	Added     int          // spec lines added
	Changed   int          // spec lines changed
	Removed   int          // spec lines removed
	// From and To delimit the operation's edits in the spec's log: [From, To).
	From, To int
	Files    []FileChange // in order of path
	Skipped  bool         // an archive operation, which rendering leaves out
}

// A FileChange is what an operation did to one file of the tree.
type FileChange struct {
	Change  Change
	Path    string // the new path for a renamed file
	Old     string // the former path of a renamed file
	Matches int    // matches replaced
	// Before and After are the file as it was and as it was left; nil for
	// none.
	Before, After *File
}

// A Change is what happened to a file.
type Change string

// The changes.
const (
	FileAdded    Change = "added"
	FileModified Change = "modified"
	FileDeleted  Change = "removed"
	FileRenamed  Change = "renamed"
)

// A RemovedFile is a file that was there before and is gone, with who
// removed or renamed it.
type RemovedFile struct {
	Path string
	By   *spec.Origin
}
