package autospec

import (
	"specgraft/fedora"
)

// A History reads git objects. *fedora.Repo is one, and so is a Graph that was
// built in memory.
type History interface {
	Commit(id string) (*fedora.Commit, error)
	Tree(id string) ([]fedora.TreeEntry, error)
	Blob(id string) ([]byte, error)
	Shallow() map[string]bool
}

// A Log holds what is known about the history of one spec: commits, which blobs
// they have for the spec and the changelog file, and the facts of these specs.
// All of it is named by content, so a Log never becomes wrong, only larger. It
// serves one goroutine.
type Log struct {
	spec string // file name of the spec at the top of each commit
	open func() (History, error)
	h    History

	commits map[string]*commit
}

// NewLog returns an empty Log of the spec with the given file name. open is
// called when something is asked that the Log does not hold.
func NewLog(spec string, open func() (History, error)) *Log {
	return &Log{spec: spec, open: open, commits: map[string]*commit{}}
}

// A commit is what the walk needs to know about one.
type commit struct {
	id       string
	tree     string
	parents  []string
	author   string // value of the author header
	time     int64  // committer time, Unix seconds
	encoding string
	message  string

	looked    bool // whether the two below are filled in
	spec      entry
	changelog entry
}

// An entry is one name at the top of a commit's tree; no ID when it is absent.
type entry struct {
	id   string
	mode uint32
}
