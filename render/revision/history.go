// Package revision reads a project as one commit of its repository has it, or
// as the working tree has: its configuration, its locks and its rendered specs,
// without checking anything out.
//
//	h, err := revision.Open(ctx, project, options)
//	defer h.Close()
//	before, err := h.Resolve("origin/main")
//	after := h.Worktree()
//
// A revision is cheap to have: each part of it is read when it is first asked
// for, and once. Everything may be used from several goroutines. Nothing is
// rendered, no upstream is asked, and the repository is not written to.
package revision

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"specgraft/components"
	"specgraft/components/lock"
	"specgraft/fedora/distgit"
	"specgraft/overlay/diag"
)

// A History is the git repository that a project is in, as far as the project
// is concerned. Where the rendered tree and the locks are is what the
// configuration of the working tree says, for all commits.
type History struct {
	// TempDir makes a directory for the files of a commit, which whoever sets it
	// removes. Nil means one that Close removes.
	TempDir func() (string, error)

	ctx     context.Context
	project *components.Project
	options components.Options
	repo    *distgit.Repo
	wide    bool // object names are those of SHA-256
	work    *Revision

	mu       sync.Mutex
	commits  map[string]*Revision // by full name
	cleanups []func() error

	lockLog func() (map[string][]distgit.PathChange, error)
}

// An UnknownError says that a name stands for no commit. It matches
// fs.ErrNotExist.
type UnknownError struct {
	Ref string // as given
	Top string // top level of the repository
	// Shallow says that the repository lacks older commits, which the name may be
	// of.
	Shallow bool
}

func (e *UnknownError) Error() string {
	s := fmt.Sprintf("no commit is called %q in %s", e.Ref, e.Top)
	if e.Shallow {
		s += ", which is a shallow clone: git fetch --unshallow gets older commits, and git fetch origin REF a branch or tag"
	}
	return s
}

// Is reports whether target is fs.ErrNotExist.
func (e *UnknownError) Is(target error) bool { return target == fs.ErrNotExist }

// Open opens the repository that a project of the working tree is in. The
// options, but for Dir, are those that other revisions are loaded with. Without
// a repository the error is a diagnostic with the code history/none. The context
// bounds everything that is asked of the history. It must be closed after use.
func Open(ctx context.Context, p *components.Project, o components.Options) (*History, error) {
	repo, err := distgit.OpenWorktree(ctx, p.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &diag.Diagnostic{
			Pos: token.Position{Filename: p.Dir}, Code: "history/none",
			Message: "the project is in no git repository, so there is nothing to compare with",
			Hint:    "commit the project first",
		}
	}
	if err != nil {
		return nil, err
	}
	h := &History{ctx: ctx, project: p, options: o, repo: repo, commits: map[string]*Revision{}}
	if head, err := repo.Head(); err == nil {
		h.wide = len(head) == 2*sha256.Size
	}
	h.work = h.newRevision("")
	h.work.project = func() (*components.Project, error) { return p, nil }
	h.lockLog = sync.OnceValues(h.readLockLog)
	return h, nil
}

// Close ends the use of the history and of all that came from it: the projects
// of its commits lose the files that they were loaded from.
func (h *History) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	errs := []error{h.repo.Close()}
	for _, clean := range h.cleanups {
		errs = append(errs, clean())
	}
	h.cleanups = nil
	return errors.Join(errs...)
}

func (h *History) tempDir() (string, error) {
	if h.TempDir != nil {
		return h.TempDir()
	}
	dir, err := os.MkdirTemp("", "specgraft-commit-")
	if err == nil {
		h.mu.Lock()
		h.cleanups = append(h.cleanups, func() error { return os.RemoveAll(dir) })
		h.mu.Unlock()
	}
	return dir, err
}

// Repo returns the repository, for what a History does not answer itself.
func (h *History) Repo() *distgit.Repo { return h.repo }

// Worktree returns the revision that is in the working tree, committed or not.
func (h *History) Worktree() *Revision { return h.work }

// Resolve returns the revision that a branch, a tag, HEAD, or the full or
// abbreviated name of a commit stands for, with ~N or ^ where wanted. A name
// that stands for none gives an *UnknownError.
func (h *History) Resolve(ref string) (*Revision, error) {
	id, err := h.repo.RevParse(ref)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &UnknownError{ref, h.repo.Top(), len(h.repo.Shallow()) > 0}
	}
	if err != nil {
		return nil, err
	}
	return h.at(id), nil
}

// at returns the revision of a commit by its full name.
func (h *History) at(id string) *Revision {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.commits[id]
	if r == nil {
		r = h.newRevision(id)
		h.commits[id] = r
	}
	return r
}

// LastLocked returns the revision that last wrote the lock of a component, as
// seen from HEAD. Without one the error is a diagnostic with the code
// history/no-lock.
func (h *History) LastLocked(component string) (*Revision, error) {
	path, ok := h.Path(lock.Path(h.project, component))
	if ok {
		log, err := h.lockLog()
		if err != nil {
			return nil, err
		}
		if r := h.newest(log[path]); r != nil {
			return r, nil
		}
	}
	return nil, noCommit(path, "lock", component)
}

// newest returns the revision of the first change that is not a removal, nil for
// none.
func (h *History) newest(changes []distgit.PathChange) *Revision {
	for _, c := range changes {
		if c.Blob != "" {
			return h.at(c.Commit)
		}
	}
	return nil
}

// noCommit says that no commit has what keeps a component's upstream commit.
func noCommit(path, what, component string) error {
	return &diag.Diagnostic{
		Pos: token.Position{Filename: path}, Code: "history/no-lock", Component: component,
		Message: fmt.Sprintf("no commit has a %s of %s to compare with", what, component),
		Hint:    "name a commit with --from REF",
	}
}

// LocksOf returns the locks that the commits of HEAD's history gave a component,
// newest first; nil stands for a commit that removed it, or whose lock cannot be
// read.
func (h *History) LocksOf(component string) ([]*lock.Lock, error) {
	path, ok := h.Path(lock.Path(h.project, component))
	if !ok {
		return nil, nil
	}
	log, err := h.lockLog()
	if err != nil {
		return nil, err
	}
	var locks []*lock.Lock
	for _, c := range log[path] {
		var l *lock.Lock
		if c.Blob != "" {
			data, err := h.repo.Blob(c.Blob)
			if err != nil {
				return nil, err
			}
			l, _ = lock.Parse(path, data)
		}
		locks = append(locks, l)
	}
	return locks, nil
}

// LastPinned returns the revision that last touched the file which supplies the
// upstream commit of a component without a lock, as seen from HEAD. Without one
// the error is a diagnostic with the code history/no-lock.
func (h *History) LastPinned(component string) (*Revision, error) {
	file := ""
	if c, diags := h.project.Component(component); c != nil && !diags.HasErrors() {
		file, _ = h.project.PinFile(c)
	}
	path, ok := h.Path(file)
	if file != "" && ok {
		head, err := h.repo.Head()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err == nil {
			log, err := h.repo.PathLog(h.ctx, head, path)
			if err != nil {
				return nil, err
			}
			if r := h.newest(log[path]); r != nil {
				return r, nil
			}
		}
	}
	return nil, noCommit(path, "pin", component)
}

// readLockLog reads which commits of HEAD's history changed which lock.
func (h *History) readLockLog() (map[string][]distgit.PathChange, error) {
	dir, ok := h.Path(h.project.LockDir)
	if !ok {
		return nil, nil
	}
	head, err := h.repo.Head()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return h.repo.PathLog(h.ctx, head, dir)
}

// Path returns a path of the project relative to the top of the repository,
// slash-separated; false when it is outside.
func (h *History) Path(path string) (string, bool) {
	rel, err := filepath.Rel(h.repo.Top(), path)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// results returns the directories, each with a slash at its end, that hold
// what specgraft makes and not what it reads.
func (h *History) results() []string {
	p := h.project
	return h.below(p.RenderedDir, p.OutputDir, p.WorkDir, p.LogDir, p.LockDir)
}

// lockDir returns the one of these that has the locks, if it is in the repository.
func (h *History) lockDir() []string { return h.below(h.project.LockDir) }

// below returns those of some directories that are in the repository, as results
// does.
func (h *History) below(paths ...string) []string {
	var dirs []string
	for _, d := range paths {
		if rel, ok := h.Path(d); ok && rel != "." {
			dirs = append(dirs, rel+"/")
		}
	}
	return dirs
}

// isBelow reports whether a path is in one of some directories.
func isBelow(path string, dirs []string) bool {
	for _, d := range dirs {
		if strings.HasPrefix(path, d) {
			return true
		}
	}
	return false
}

// Codes are the diagnostics about comparing revisions of a project.
var Codes = []diag.Code{
	{ID: "history/none", Summary: "the project has no history",
		Doc: "Commands that compare commits need the project to be in a git repository with at least one commit."},
	{ID: "history/no-lock", Summary: "no commit has the component's lock",
		Doc: "Without --from, why starts at the commit that last wrote the lock. Name another commit with --from."},
	{ID: "history/no-project", Summary: "a commit does not have the project",
		Doc: "The commit has no azldev.toml where the project has it now."},
	{ID: "history/no-base", Summary: "two commits have no ancestor in common",
		Doc: "A comparison A...B starts at the best common ancestor of both. In a shallow clone it may be cut off: git fetch --unshallow gets it."},
	{ID: "history/sources", Summary: "rendered sources changed, but the fingerprint did not",
		Doc: "A farm that builds what changed would miss the component. Update its lock and render it, and commit both."},
}
