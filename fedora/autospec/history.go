package autospec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"specgraft/fedora/distgit"
)

// A History reads git objects. *distgit.Repo is one.
type History interface {
	Commit(id string) (*distgit.Commit, error)
	Tree(id string) ([]distgit.TreeEntry, error)
	Blob(id string) ([]byte, error)
	Shallow() map[string]bool
}

// A Log holds what is known about the history of one spec: commits, which blobs
// they have for the spec and the changelog file, and the facts of these specs.
// All of it is named by content, so a Log never becomes wrong, only larger. It
// serves one goroutine.
type Log struct {
	spec string // file name of the spec at the top of each commit
	path string // where the Log is kept, empty for nowhere
	open func() (History, error)
	h    History
	err  error // of open

	commits map[string]*commit
	facts   map[string]*fact
	blobs   map[string][]byte // changelog files

	evaluator string // key of the evaluator that was asked last
	learned   bool   // whether something was added since it was read
}

// NewLog returns an empty Log of the spec with the given file name. open is
// called when something is asked that the Log does not hold, at most once.
func NewLog(spec string, open func() (History, error)) *Log {
	return &Log{
		spec: spec, open: open,
		commits: map[string]*commit{}, facts: map[string]*fact{}, blobs: map[string][]byte{},
	}
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

	bare bool // only id and parents are known; see Log.fill
	keep bool // more than id and parents was of interest

	looked    bool // whether the two below are filled in
	spec      entry
	changelog entry

	boundary bool // parents were not fetched

	sameTree *commit   // has the same tree; for synthetic commits
	work     *Worktree // content of a synthetic commit; nil for real ones
}

// An entry is one name at the top of a commit's tree; no id when it is absent.
type entry struct {
	id   string
	mode uint32
}

// isFile reports whether the entry has content. Symbolic links have one, too:
// the path they lead to.
func (e entry) isFile() bool {
	kind := e.mode & 0o170000
	return kind == 0o100000 || kind == distgit.ModeSymlink
}

func (l *Log) history() (History, error) {
	if l.h == nil && l.err == nil {
		if l.open == nil {
			l.err = errors.New("there is no history")
		} else {
			l.h, l.err = l.open()
		}
	}
	return l.h, l.err
}

// commit returns the commit with the given name. At the boundary of a shallow
// clone it has no parents.
func (l *Log) commit(id string) (*commit, error) {
	if c := l.commits[id]; c != nil {
		return c, nil
	}
	h, err := l.history()
	if err != nil {
		return nil, err
	}
	raw, err := h.Commit(id)
	if err != nil {
		return nil, err
	}
	c := newCommit(raw)
	if h.Shallow()[id] {
		// The boundary moves when more is fetched, so this is no fact to keep.
		c.parents, c.boundary = nil, true
		l.commits[id] = c
		return c, nil
	}
	l.commits[id] = c
	l.learned = true
	return c, nil
}

// fill reads the rest of a commit of which the Log kept only the name and the
// parents.
func (l *Log) fill(c *commit) error {
	if !c.bare {
		return nil
	}
	h, err := l.history()
	if err != nil {
		return err
	}
	raw, err := h.Commit(c.id)
	if err != nil {
		return err
	}
	full := newCommit(raw)
	c.tree, c.author, c.time, c.encoding, c.message = full.tree, full.author, full.time, full.encoding, full.message
	c.bare = false
	l.learned = true
	return nil
}

func newCommit(raw *distgit.Commit) *commit {
	// What follows a NUL is lost in libgit2, which hands out C strings, and
	// empty lines before the message do not count.
	message, _, _ := strings.Cut(raw.Message, "\x00")
	author, _, _ := strings.Cut(raw.AuthorLine, "\x00")
	when := raw.Committer.When
	if when.IsZero() {
		when = time.Unix(0, 0)
	}
	return &commit{
		id: raw.ID, tree: raw.Tree, parents: raw.Parents,
		author: author, time: when.Unix(), encoding: raw.Encoding,
		message: strings.TrimLeft(message, "\n"),
	}
}

// look finds the spec and the changelog file at the top of a commit.
func (l *Log) look(c *commit) error {
	c.keep = true
	if c.looked {
		return nil
	}
	if err := l.fill(c); err != nil {
		return err
	}
	h, err := l.history()
	if err != nil {
		return err
	}
	entries, err := h.Tree(c.tree)
	if err != nil {
		return fmt.Errorf("tree of commit %s: %w", short(c.id), err)
	}
	for _, e := range entries {
		switch e.Name {
		case l.spec:
			c.spec = entry{e.ID, e.Mode}
		case "changelog":
			c.changelog = entry{e.ID, e.Mode}
		}
	}
	c.looked = true
	l.learned = true
	return nil
}

// changelogFile returns the content of a changelog blob.
func (l *Log) changelogFile(id string) ([]byte, error) {
	if b, ok := l.blobs[id]; ok {
		return b, nil
	}
	h, err := l.history()
	if err != nil {
		return nil, err
	}
	b, err := h.Blob(id)
	if err != nil {
		return nil, err
	}
	l.blobs[id] = b
	l.learned = true
	return b, nil
}

// factsOf returns the facts of the spec in a commit, from the Log or from the
// evaluator. A spec is first evaluated alone; only when that does not give
// an answer and the spec asked for files, it is evaluated again beside the
// files of its commit.
func (l *Log) factsOf(c *commit, ev Evaluator) (Facts, error) {
	if c.spec.id == "" {
		return Facts{Error: ErrMissing, Reason: "the commit has no " + l.spec}, nil
	}
	key := ev.Key + " " + c.spec.id
	l.evaluator = ev.Key
	f := l.facts[key]
	var text []byte
	if f == nil {
		var err error
		if text, err = l.specText(c); err != nil {
			return Facts{}, err
		}
		asked := &emptyFS{}
		f = &fact{Facts: ev.Eval(l.spec, text, asked), AskedFiles: asked.asked}
		if f.Error == errStopped {
			return Facts{}, context.Canceled
		}
		l.facts[key] = f
		l.learned = true
	}
	f.used = true
	if !f.AskedFiles || f.Error == "" && !f.Unknown {
		return f.Facts, nil
	}
	key += " " + c.tree
	if f := l.facts[key]; f != nil && c.work == nil {
		f.used = true
		return f.Facts, nil
	}
	if text == nil {
		var err error
		if text, err = l.specText(c); err != nil {
			return Facts{}, err
		}
	}
	files, err := l.filesOf(c)
	if err != nil {
		return Facts{}, err
	}
	f = &fact{Facts: ev.Eval(l.spec, text, files)}
	if f.Error == errStopped {
		return Facts{}, context.Canceled
	}
	if c.work == nil {
		f.used = true
		l.facts[key] = f
		l.learned = true
	}
	return f.Facts, nil
}

// A fact is what is kept about one spec blob.
type fact struct {
	Facts
	AskedFiles bool // the evaluation looked for files beside the spec

	used bool // since the Log was read
}

func (l *Log) specText(c *commit) ([]byte, error) {
	if c.work != nil {
		return c.work.Spec, nil
	}
	if !c.spec.isFile() {
		return nil, nil // rpm cannot read a directory either
	}
	h, err := l.history()
	if err != nil {
		return nil, err
	}
	return h.Blob(c.spec.id)
}

func (l *Log) filesOf(c *commit) (fs.FS, error) {
	if c.work != nil {
		if c.work.Files == nil {
			return &emptyFS{}, nil
		}
		return c.work.Files, nil
	}
	h, err := l.history()
	if err != nil {
		return nil, err
	}
	return treeFS{h, c.tree}, nil
}

// emptyFS is a directory without files that remembers whether somebody looked.
type emptyFS struct{ asked bool }

func (e *emptyFS) Open(name string) (fs.File, error) {
	e.asked = true
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// label names a commit in a message.
func (c *commit) label() string {
	switch {
	case c.work != nil:
		return "the rendered spec"
	case c.sameTree != nil:
		return c.sameTree.label()
	}
	return "commit " + short(c.id)
}

// short abbreviates an object name for a message.
func short(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}

// Remembered returns what the log knows of a commit without asking the
// repository: its tree, "" for nothing, and its date.
func (l *Log) Remembered(id string) (tree string, when time.Time) {
	c := l.commits[id]
	if c == nil || c.tree == "" {
		return "", when
	}
	return c.tree, time.Unix(c.time, 0).UTC()
}
