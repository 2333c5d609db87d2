package revision

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"specgraft/components"
	"specgraft/components/lock"
	"specgraft/fedora/distgit"
	"specgraft/overlay/diag"
)

// A Revision is the project as one commit has it, or as the working tree has.
type Revision struct {
	history *History
	id      string // full name of the commit, "" for the working tree

	project  func() (*components.Project, error)
	names    func() (map[string]bool, error)
	locks    func() (map[string]string, error)
	rendered func() (map[string]string, error)

	mu     sync.Mutex
	hashed map[string]*workTree // rendered directories of the working tree, by component
}

func (h *History) newRevision(id string) *Revision {
	r := &Revision{history: h, id: id, hashed: map[string]*workTree{}}
	r.project = sync.OnceValues(r.load)
	r.names = sync.OnceValues(r.readNames)
	r.locks = sync.OnceValues(r.listLocks)
	r.rendered = sync.OnceValues(r.listRendered)
	return r
}

// ID returns the full name of the commit, the empty string for the working tree.
func (r *Revision) ID() string { return r.id }

// IsWorktree reports whether this is the working tree and no commit.
func (r *Revision) IsWorktree() bool { return r.id == "" }

// String names the revision for people.
func (r *Revision) String() string {
	if r.id == "" {
		return "the working tree"
	}
	return fmt.Sprintf("%.12s", r.id)
}

// Commit returns the commit: author, date, message, parents. It is nil for the
// working tree.
func (r *Revision) Commit() (*distgit.Commit, error) {
	if r.id == "" {
		return nil, nil
	}
	return r.history.repo.Commit(r.id)
}

// Project returns the configuration of the revision, loaded on the first call.
// The files of a commit are in a temporary directory, without those that are
// results of specgraft other than locks, until the history is closed. What a
// submodule has is not among them. Errors say which commit they are about.
func (r *Revision) Project() (*components.Project, error) { return r.project() }

func (r *Revision) load() (*components.Project, error) {
	h := r.history
	dir, err := h.tempDir()
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	results, locks := h.results(), h.lockDir()
	err = h.repo.Export(h.ctx, r.id, root, func(path string) bool { return isBelow(path, results) && !isBelow(path, locks) })
	if err != nil {
		return nil, err
	}
	// The loader confines paths to the repository, which it knows by this name.
	if err := root.Mkdir(".git", 0o777); err != nil {
		return nil, err
	}
	sub, ok := h.Path(h.project.Dir)
	if !ok {
		return nil, fmt.Errorf("%s is outside of its repository", h.project.Dir)
	}
	opt := h.options
	opt.Dir = filepath.Join(dir, filepath.FromSlash(sub))
	p, problems := components.Load(opt)
	if p == nil || !strings.HasPrefix(p.Dir, dir) {
		return nil, &diag.Diagnostic{Code: "history/no-project", Message: fmt.Sprintf("commit %.12s has no azldev.toml in %s", r.id, sub)}
	}
	if err := problems.Err(); err != nil {
		return nil, r.Explain(err)
	}
	return p, nil
}

func (r *Revision) readNames() (map[string]bool, error) {
	p, err := r.Project()
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, n := range p.Names() {
		names[n] = true
	}
	return names, nil
}

// State returns a component with its lock. A revision that has no such
// component gives a state without one.
func (r *Revision) State(name string) (lock.State, error) {
	p, err := r.Project()
	if err != nil {
		return lock.State{}, err
	}
	s := lock.State{Project: p}
	names, err := r.names()
	if err != nil || !names[name] {
		return s, err
	}
	c, problems := p.Component(name)
	if err := problems.Err(); err != nil {
		return s, r.Explain(err)
	}
	s.Component = c
	s.Lock, err = r.Lock(name)
	return s, err
}

// Explain adds to an error in which revision it is.
func (r *Revision) Explain(err error) error {
	if r.id == "" || err == nil {
		return err
	}
	l, ok := errors.AsType[diag.ListError](err)
	if !ok {
		if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
			l = diag.ListError{*d}
		} else {
			return fmt.Errorf("at commit %.12s: %w", r.id, err)
		}
	}
	out := make(diag.ListError, len(l))
	for i, d := range l {
		d.Message = fmt.Sprintf("at commit %.12s: %s", r.id, d.Message)
		out[i] = d
	}
	return out
}
