package autospec

import (
	"fmt"

	"specgraft/overlay/diag"
)

// A walk computes release numbers and changelog entries over a graph. It
// follows the order in which rpmautospec goes through a history literally,
// because the order shows in the result: where a branch is entered decides
// whether counting goes on behind it.
//
// The first phase goes from HEAD to the roots, chain by chain, and decides for
// each commit whether its result is wanted. The second goes back and
// computes the results from those of the parents.
type walk struct {
	g             *Graph
	ev            Evaluator
	needChangelog bool

	nodes []*node // HEAD first
	index map[string]*node
}

// A node is a commit on its way through the walk.
type node struct {
	*commit
	parents  []*node
	children []*node

	state       nodeState
	in          walkInfo // what the children passed down
	releaseMore bool     // the release visitor wants the parents
	logMore     bool     // the changelog visitor wants the parents
	logRemoved  bool     // the changelog file was removed further up

	facts  *Facts
	change *changelogState

	done   bool
	result result
}

type nodeState uint8

const (
	unseen    nodeState = iota
	active              // the result is computed
	traversed           // passed only
)

// walkInfo is what the children of a commit tell it.
type walkInfo struct {
	releaseMore, logMore bool
	removed              bool
}

// changelogState is what a commit did to the changelog file.
type changelogState struct {
	changed      bool
	oursRemoved  bool
	follow       *node
	unresolvable bool
}

// A result is what a commit hands to its children.
type result struct {
	number  int64
	entries *entryList
}

// An entryList is a changelog, newest entry first. Lists share their tails.
type entryList struct {
	changelogEntry
	next *entryList
	len  int
}

func (l *entryList) length() int {
	if l == nil {
		return 0
	}
	return l.len
}

func cons(e changelogEntry, l *entryList) *entryList {
	return &entryList{changelogEntry: e, next: l, len: l.length() + 1}
}

// run walks the graph. removed says that the work tree lacks the changelog
// file that HEAD has.
func (w *walk) run(removed bool) error {
	if err := w.load(); err != nil {
		return err
	}
	snippets, err := w.down(walkInfo{releaseMore: true, logMore: true, removed: removed})
	if err != nil {
		return err
	}
	return w.up(snippets)
}

// load reads all commits that HEAD can reach.
func (w *walk) load() error {
	w.index = map[string]*node{}
	add := func(id string) (*node, error) {
		if n := w.index[id]; n != nil {
			return n, nil
		}
		c, err := w.g.commit(id)
		if err != nil {
			return nil, err
		}
		n := &node{commit: c}
		w.index[id] = n
		w.nodes = append(w.nodes, n)
		return n, nil
	}
	if _, err := add(w.g.head); err != nil {
		return err
	}
	for i := 0; i < len(w.nodes); i++ {
		n := w.nodes[i]
		for _, id := range n.commit.parents {
			p, err := add(id)
			if err != nil {
				return fmt.Errorf("parent of commit %s: %w", short(n.id), err)
			}
			n.parents = append(n.parents, p)
			p.children = append(p.children, n)
		}
	}
	return nil
}

// down is the first phase. It returns the chains in the order they were
// walked.
func (w *walk) down(seed walkInfo) ([][]*node, error) {
	heads := []*node{w.nodes[0]}
	var snippets [][]*node
	idle := 0 // heads that had to wait since a commit was reached
	for len(heads) > 0 {
		if idle > len(heads) {
			// Only a forged repository has commits that are their own
			// ancestors; git itself cannot make them.
			return nil, &diag.Diagnostic{Code: "autospec/history", Message: "the history has a cycle",
				Hint: "the repository is damaged; fetch it anew"}
		}
		n := heads[0]
		heads = heads[1:]
		var snippet []*node
		keep := true
		for n.state == unseen {
			if n == w.nodes[0] {
				n.in = seed
			} else {
				waiting := false
				n.in = walkInfo{removed: true}
				for _, c := range n.children {
					if c.state == unseen {
						waiting = true
						break
					}
					n.in.releaseMore = n.in.releaseMore || c.releaseMore
					n.in.logMore = n.in.logMore || c.logMore
					n.in.removed = n.in.removed && c.logRemoved
				}
				if waiting {
					heads = append(heads, n)
					idle++
					break
				}
				// Once a chain stopped it stays stopped, even where another
				// child of one of its commits would go on.
				keep = keep && (n.in.releaseMore || w.needChangelog && n.in.logMore)
			}
			snippet = append(snippet, n)
			if keep {
				n.state = active
				if err := w.enter(n); err != nil {
					return nil, err
				}
			} else {
				n.state = traversed
				n.logRemoved = true // says nothing, which leaves it to the others
			}
			if len(n.parents) == 0 {
				break
			}
			for _, p := range n.parents[1:] {
				if p.state == unseen {
					heads = append(heads, p)
				}
			}
			n = n.parents[0]
		}
		if len(snippet) > 0 {
			snippets = append(snippets, snippet)
			idle = 0
		}
	}
	return snippets, nil
}

// enter decides what a commit asks of its parents.
func (w *walk) enter(n *node) error {
	if err := w.enterRelease(n); err != nil {
		return err
	}
	if w.needChangelog {
		return w.enterChangelog(n)
	}
	return nil
}

// enterRelease goes on as long as the version stays the same. A commit without
// a version is a gap that is bridged.
func (w *walk) enterRelease(n *node) error {
	f, err := w.factsOf(n)
	if err != nil {
		return err
	}
	if len(n.parents) == 0 {
		return nil
	}
	if f.EpochVersion == "" {
		n.releaseMore = true
		return nil
	}
	same := false
	for _, p := range n.parents {
		pf, err := w.factsOf(p)
		if err != nil {
			return err
		}
		if pf.Error != "" {
			n.releaseMore = true
			return nil
		}
		same = same || pf.EpochVersion == f.EpochVersion
	}
	n.releaseMore = same
	return nil
}

// enterChangelog goes on until the changelog file holds the older entries, or
// a merge leaves it open which parent to follow.
func (w *walk) enterChangelog(n *node) error {
	if err := w.g.look(n.commit); err != nil {
		return err
	}
	s := &changelogState{changed: true}
	if len(n.parents) == 0 {
		s.changed = n.changelog.id != ""
	}
	for _, p := range n.parents {
		if err := w.g.look(p.commit); err != nil {
			return err
		}
		if p.changelog.id == n.changelog.id {
			s.changed = false
		}
		if n.changelog.id == "" && p.changelog.id != "" {
			s.oursRemoved = true
		}
	}
	if len(n.parents) == 1 {
		s.follow = n.parents[0]
	} else {
		for _, p := range n.parents {
			if p.tree == n.tree {
				s.follow = p
				break
			}
		}
	}
	s.unresolvable = len(n.parents) > 1 && s.follow == nil && !s.changed
	takesFile := s.changed && n.changelog.id != ""
	n.change = s
	n.logMore = !takesFile && !s.unresolvable && n.in.logMore
	n.logRemoved = !takesFile && (n.in.removed || s.oursRemoved)
	return nil
}

// up is the second phase.
func (w *walk) up(snippets [][]*node) error {
	for len(snippets) > 0 {
		s := snippets[0]
		snippets = snippets[1:]
		for len(s) > 0 {
			n := s[len(s)-1]
			if n.state == active {
				if !n.ready() {
					snippets = append(snippets, s)
					break
				}
				if err := w.leave(n); err != nil {
					return err
				}
			}
			s = s[:len(s)-1]
		}
	}
	return nil
}

// ready reports whether the results of all parents are there.
func (n *node) ready() bool {
	for _, p := range n.parents {
		if p.state == active && !p.done {
			return false
		}
	}
	return true
}

// leave computes the result of a commit.
func (w *walk) leave(n *node) error {
	f, err := w.factsOf(n)
	if err != nil {
		return err
	}
	m, err := n.magic()
	if err != nil {
		return err
	}
	for _, p := range n.parents {
		if !p.done {
			continue
		}
		ev := p.facts.EpochVersion
		if ev == "" || f.EpochVersion == "" || ev == f.EpochVersion {
			n.result.number = max(n.result.number, p.result.number)
		}
	}
	if n.spec.id != "" {
		n.result.number++
	}
	n.result.number = max(n.result.number, m.bump)
	if w.needChangelog {
		if err := w.leaveChangelog(n, m.skip || n.spec.id == ""); err != nil {
			return err
		}
	}
	n.done = true
	return nil
}

func (w *walk) leaveChangelog(n *node, skip bool) error {
	s := n.change
	e := changelogEntry{
		commit: n.commit, epochVersion: n.facts.EpochVersion,
		complete: n.complete(),
	}
	if s.unresolvable {
		e.problem = "unresolvable merge"
		n.result.entries = cons(e, nil)
		return nil
	}
	if s.changed && n.changelog.id != "" {
		if n.in.removed {
			return nil
		}
		if !n.changelog.isFile() {
			return &diag.Diagnostic{Code: "autospec/changelog-not-a-file",
				Message: fmt.Sprintf("%s: the entry named changelog is not a file", n.label()),
				Hint:    "give the directory or submodule another name in an ordinary commit"}
		}
		data, err := w.g.changelogFile(n.commit)
		if err != nil {
			return fmt.Errorf("changelog file of %s: %w", n.label(), err)
		}
		n.result.entries = cons(changelogEntry{data: data, isData: true}, nil)
		return nil
	}
	var older *entryList
	switch {
	case s.follow != nil:
		older = s.follow.result.entries
		skip = skip || len(n.parents) > 1
	case len(n.parents) > 1:
		return &diag.Diagnostic{Code: "autospec/merge-drops-changelog",
			Message: fmt.Sprintf("%s: the merge removes the changelog file and equals none of its parents", n.label()),
			Hint:    "remove the changelog file in an ordinary commit, or keep it in the merge"}
	}
	if skip {
		n.result.entries = older
	} else {
		n.result.entries = cons(e, older)
	}
	return nil
}

// complete returns the release of a commit as changelogs show it. A commit
// without facts counts as one without flags.
func (n *node) complete() string {
	if n.facts.Error != "" {
		return Flags{Base: 1}.complete(n.result.number)
	}
	return n.facts.Flags.complete(n.result.number)
}

// factsOf returns the facts of a commit, which are asked for once.
func (w *walk) factsOf(n *node) (*Facts, error) {
	if n.facts != nil {
		return n.facts, nil
	}
	if err := w.g.look(n.commit); err != nil {
		return nil, err
	}
	f, err := w.g.log.factsOf(n.commit, w.ev)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.label(), err)
	}
	if f.Unknown {
		return nil, &diag.Diagnostic{Code: "autospec/unknown-version",
			Message: fmt.Sprintf("%s: %s", n.label(), f.Reason),
			Hint:    "release numbers and changelog entries depend on it; write the value into the spec"}
	}
	n.facts = &f
	return n.facts, nil
}
