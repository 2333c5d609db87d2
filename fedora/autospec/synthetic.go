package autospec

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"slices"
	"time"

	"specgraft/fedora/cache"
	"specgraft/fedora/distgit"
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

	// Former marks a change from before the component's lock was removed. One
	// that came back has an import commit of its own, and what it was before
	// need not be upstream of that.
	Former bool
}

// ChangeFrom returns the change that a commit of the project stands for, with
// the upstream commit locked there. Texts are decoded from the encoding that
// the commit declares, as git log does.
func ChangeFrom(c *distgit.Commit, upstream string) Change {
	change := Change{Hash: c.ID, Name: c.Author.Name, Email: c.Author.Email, When: c.Author.When, Subject: c.Subject(), Upstream: upstream}
	decode, err := decoder(c.Encoding)
	for _, s := range []*string{&change.Name, &change.Email, &change.Subject} {
		if err == nil {
			if text, err := decode(*s); err == nil {
				*s = text
				continue
			}
		}
		*s = decodeUTF8(*s)
	}
	return change
}

// Root stands for the import commit of a component that has none: upstream's
// history is flattened down to its first commit.
const Root = "root"

// The identity under which azldev makes commits of its own.
const (
	toolName  = "azldev"
	toolEmail = "azldev@local"
)

// Dirty returns the change that stands for uncommitted changes.
func Dirty(upstream string, when time.Time) Change {
	return Change{Hash: "dirty", Name: toolName, Email: toolEmail, When: when,
		Subject: "Local changes (uncommitted)", Upstream: upstream}
}

// A Worktree is the content that the last synthetic commit carries.
type Worktree struct {
	Spec []byte // text of the spec
	// Changelog is the file of that name; nil means that there is none, an
	// empty slice that it is empty.
	Changelog []byte
	Files     fs.FS // all files, read by %include and %{load:}; nil means none
}

// A Graph is a commit graph with a HEAD: upstream's own, or one in which the
// changes of a component are interleaved with upstream's commits.
type Graph struct {
	log   *Log
	head  string
	extra map[string]*commit

	// Dropped holds changes that refer to an upstream commit which the history
	// does not contain.
	Dropped []Change

	sequence []*commit // what was made or made anew, oldest first
	base     string    // real commit below them, empty for none
}

// Upstream returns the history as it is, with the given commit as HEAD.
func Upstream(l *Log, head string) *Graph {
	return &Graph{log: l, head: head}
}

func (g *Graph) commit(id string) (*commit, error) {
	if c := g.extra[id]; c != nil {
		return c, nil
	}
	return g.log.commit(id)
}

// look fills in what a commit has at the top of its tree. Commits made here
// have the tree of the real commit below them, except for the last one.
func (g *Graph) look(c *commit) error {
	if !c.looked && c.sameTree != nil {
		if err := g.look(c.sameTree); err != nil {
			return err
		}
		below := c.sameTree
		c.tree, c.spec, c.changelog, c.work, c.looked = below.tree, below.spec, below.changelog, below.work, true
		if c.bare {
			c.author, c.time, c.encoding, c.message = below.author, below.time, below.encoding, below.message
			c.bare = false
		}
	}
	return g.log.look(c)
}

// changelogFile returns the content of the changelog file of a commit. The
// work tree mostly has the same file, which spares the Log a copy.
func (g *Graph) changelogFile(c *commit) ([]byte, error) {
	for _, with := range [...]*commit{c, g.extra[g.head]} {
		if with != nil && with.work != nil && with.changelog.id == c.changelog.id {
			return with.work.Changelog, nil
		}
	}
	return g.log.changelogFile(c.changelog.id)
}

// Synthesize interleaves changes, oldest first, with the first-parent history
// of the upstream commit head, as azldev does for a render: a change goes
// right behind the upstream commit that it locked, all others on top. From
// the import commit on, merges are flattened; what is older stays as it is. The
// last synthetic commit carries the work tree. Without changes the result is
// Upstream.
//
// An empty import commit means the upstream commit of the last change, Root the
// first commit of all. A
// component without upstream has an empty head; it starts with a commit "Initial
// sources", and l may be nil. The release of a static spec goes up by
// the number of changes, dropped ones included. The error is a
// *diag.Diagnostic with code autospec/history, or what reading gave.
func Synthesize(l *Log, head, imported string, changes []Change, work Worktree) (*Graph, error) {
	if l == nil {
		l = NewLog("", nil)
	}
	g := Upstream(l, head)
	if len(changes) == 0 && head != "" {
		return g, nil
	}
	g.extra = map[string]*commit{}
	tip := g.worktreeCommit(work)
	if head == "" {
		g.appendInitial(tip)
		for _, c := range changes {
			g.append(changeCommit(c))
		}
	} else if err := g.interleave(changes, imported); err != nil {
		return nil, err
	}
	last := g.sequence[len(g.sequence)-1]
	last.tree, last.spec, last.changelog, last.work = tip.tree, tip.spec, tip.changelog, tip.work
	last.looked, last.sameTree = true, nil
	return g, nil
}

// interleave puts the sequence together for a component with upstream.
func (g *Graph) interleave(changes []Change, imported string) error {
	start := changes[len(changes)-1].Upstream
	if start == "" {
		start = g.head
	}
	if imported == "" {
		imported = start
	}
	upstream, err := g.mainline(start, imported)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, c := range upstream {
		known[c.id] = true
	}
	behind := map[string][]Change{}
	var top []Change
	for _, c := range changes {
		switch {
		case c.Upstream == "" || c.Upstream == start:
			top = append(top, c)
		case known[c.Upstream]:
			behind[c.Upstream] = append(behind[c.Upstream], c)
		default:
			g.Dropped = append(g.Dropped, c)
		}
	}
	for i, c := range upstream {
		if i == 0 {
			g.base, g.head = c.id, c.id
		} else {
			again := *c
			again.sameTree, again.looked = c, false
			g.append(&again)
		}
		for _, change := range behind[c.id] {
			g.append(changeCommit(change))
		}
	}
	for _, change := range top {
		g.append(changeCommit(change))
	}
	return nil
}

// mainline returns the first-parent history from the import commit up to
// start, oldest first.
func (g *Graph) mainline(start, imported string) ([]*commit, error) {
	var list []*commit
	from, seen := g.head, map[string]bool{}
	for id := g.head; ; {
		c, err := g.log.commit(id)
		if err != nil {
			return nil, err
		}
		if id == start || len(list) > 0 {
			list = append(list, c)
		}
		if id == imported && len(list) > 0 {
			slices.Reverse(list)
			return list, nil
		}
		// A commit that comes up again exists in forged repositories only.
		if len(c.parents) == 0 && imported == Root && len(list) > 0 {
			slices.Reverse(list)
			return list, nil
		}
		if len(c.parents) == 0 || seen[id] {
			break
		}
		seen[id] = true
		id = c.parents[0]
	}
	if imported == Root {
		return nil, &diag.Diagnostic{Code: "autospec/history",
			Message: fmt.Sprintf("upstream-commit %s, which the last commit of the project pins, is not in the first-parent history of upstream commit %s", short(start), short(from)),
			Hint:    "commit the new pin, or pin a commit of upstream's branch with its full name"}
	}
	what, id := "import-commit", imported
	if len(list) == 0 {
		what, id = "upstream-commit", start
	}
	return nil, &diag.Diagnostic{Code: "autospec/history",
		Message: fmt.Sprintf("%s %s of the lock is not in the first-parent history of upstream commit %s", what, short(id), short(from)),
		Hint:    "fetch the full history, or write the lock anew with \"specgraft update\""}
}

// append puts a commit on top of the sequence.
func (g *Graph) append(c *commit) {
	c.id = fmt.Sprintf("synthetic-%d", len(g.sequence)+1)
	c.parents = nil
	if g.head != "" {
		c.parents = []string{g.head}
		if c.sameTree == nil {
			below := g.extra[g.head]
			if below == nil {
				below = g.log.commits[g.head]
			}
			c.sameTree = below
		}
	}
	g.sequence = append(g.sequence, c)
	g.extra[c.id] = c
	g.head = c.id
}

// appendInitial starts the history of a component without upstream.
func (g *Graph) appendInitial(tip *commit) {
	c := *tip
	c.author, c.message = toolName+" <"+toolEmail+">", "Initial sources"
	g.append(&c)
}

func changeCommit(c Change) *commit {
	return &commit{
		author:  c.Name + " <" + c.Email + ">",
		time:    c.When.Unix(),
		message: c.Subject + "\n\nProject commit: " + c.Hash,
	}
}

// worktreeCommit returns a commit with the content of a work tree.
func (g *Graph) worktreeCommit(work Worktree) *commit {
	newHash := sha1.New
	if len(g.head) == 2*sha256.Size {
		newHash = sha256.New
	}
	c := &commit{work: &work, looked: true}
	c.spec = entry{blobID(newHash(), work.Spec), distgit.ModeRegular}
	if work.Changelog != nil {
		c.changelog = entry{blobID(newHash(), work.Changelog), distgit.ModeRegular}
	}
	c.tree = "worktree-" + c.spec.id
	return c
}

// blobID returns the name that git gives to a file's content.
func blobID(h hash.Hash, data []byte) string {
	fmt.Fprintf(h, "blob %d\x00", len(data))
	cache.Digest(h, data)
	return hex.EncodeToString(h.Sum(nil))
}
