package autospec

import (
	"io/fs"
	"time"

	"specgraft/overlay/diag"
)

// A Change is one entry of a component's own history: a commit that changed the
// component's lock, or the state of the work tree that is not committed yet.
type Change struct {
	Hash     string // commit of the project, "dirty" for uncommitted changes
	Name     string // author
	Email    string
	When     time.Time // author time
	Subject  string
	Upstream string // upstream commit locked there, empty for none
}

// Dirty returns the change that stands for uncommitted changes.
func Dirty(upstream string, when time.Time) Change {
	return Change{Hash: "dirty", Name: "azldev", Email: "azldev@local", When: when,
		Subject: "Local changes (uncommitted)", Upstream: upstream}
}

// A Worktree is the content that the last synthetic commit carries.
type Worktree struct {
	Spec []byte // text of the spec
	// Changelog is the file of that name; nil means that there is none.
	Changelog []byte
	Files     fs.FS // all files, read by %include and %{load:}; nil means none
}

// A Graph is a commit graph with a HEAD: upstream's own, or one in which the
// changes of a component are interleaved with upstream's commits.
type Graph struct {
	log   *Log
	head  string
	extra map[string]*commit
	work  *Worktree

	// Dropped holds changes that refer to an upstream commit which the history
	// does not contain.
	Dropped []Change
}

// Upstream returns the history as it is, with the given commit as HEAD.
func Upstream(l *Log, head string) *Graph {
	return &Graph{log: l, head: head}
}

// Synthesize interleaves changes, oldest first, with the first-parent history
// of the upstream commit head, as azldev does for a render: a change goes
// right behind the upstream commit that it locked, all others on top. From
// the import commit on, merges are flattened; what is older stays as it is. The
// last synthetic commit carries the work tree.
//
// An empty import commit means head itself. A component without upstream
// has an empty head and a nil Log; it starts with a commit "Initial sources".
// The release of a static spec goes up by the number of changes, dropped ones
// included. The error is an *diag.Diagnostic with code autospec/history.
func Synthesize(l *Log, head, imported string, changes []Change, work Worktree) (*Graph, error) {
	return nil, &diag.Diagnostic{Code: "autospec/history", Message: "not there yet"}
}
