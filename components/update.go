package components

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"specgraft/overlay/diag"
)

// UpdateOptions say which locks to bring up to date, and how.
type UpdateOptions struct {
	Names []string // components, sorted
	// Prune also removes locks that belong to no component.
	Prune bool
	// Bump adds one to the manual bump of every named component that has a
	// lock, and does nothing else.
	Bump bool
	// Force resolves every component again, also where nothing says that
	// the answer may have changed.
	Force bool
	// Jobs bounds how many components are worked on at once; less than 1 is 1.
	Jobs int
	// Resolve finds the upstream commit of a component that has no pin. It
	// is called from several goroutines.
	Resolve func(ctx context.Context, c *Component, u Upstream) (commit string, err error)
	// Done, when set, is called after each component with the number of
	// those that are ready; from several goroutines.
	Done func(n int)
}

// An Update is a set of changes to the lock directory that belong together.
type Update struct {
	Locks   []LockUpdate // one per named component, in the order of the names
	Orphans []string     // names of locks to be removed

	project *Project
}

// A LockUpdate is what becomes of one component's lock.
type LockUpdate struct {
	Component string
	Old, New  *Lock // nil for none; New is nil when the component was skipped
	// Skipped says why nothing was done for the component, "" when it was
	// looked at.
	Skipped string
}

// Changed reports whether the component's commit or fingerprint changed, the
// two things that change what is built.
func (u *LockUpdate) Changed() bool {
	if u.New == nil {
		return false
	}
	return u.Old == nil || u.Old.UpstreamCommit != u.New.UpstreamCommit || u.Old.InputFingerprint != u.New.InputFingerprint
}

// Stale reports whether the lock file has to be written. That is so for every
// changed component, and where only the resolution hash changed.
func (u *LockUpdate) Stale() bool { return u.New != nil && !u.New.Equal(u.Old) }

// PlanUpdate computes the locks that the named components should have. It
// writes nothing. When any component fails, the list has errors and the
// returned update must not be written.
func (p *Project) PlanUpdate(ctx context.Context, o UpdateOptions) (*Update, diag.List) {
	up := &Update{project: p, Locks: make([]LockUpdate, len(o.Names))}
	root, err := os.OpenRoot(p.LockDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return up, diag.List{*p.lockDirProblem(err)}
	}
	if root != nil {
		defer root.Close()
	}
	problems := make([]diag.List, len(o.Names))
	var done atomic.Int64
	var pool errgroup.Group
	pool.SetLimit(max(1, o.Jobs))
	for i, name := range o.Names {
		if ctx.Err() != nil {
			break
		}
		pool.Go(func() error {
			up.Locks[i], problems[i] = p.planLock(ctx, root, name, &o)
			if n := done.Add(1); o.Done != nil {
				o.Done(int(n))
			}
			return nil
		})
	}
	pool.Wait()
	var diags diag.List
	if err := ctx.Err(); err != nil {
		diags = append(diags, diag.Diagnostic{Code: "lock/unresolved", Message: "interrupted; lock files not updated", Env: true})
		return up, diags
	}
	for _, l := range problems {
		diags = append(diags, l...)
	}
	if o.Prune && !o.Bump {
		orphans, err := p.OrphanLocks()
		if d := (*diag.Diagnostic)(nil); errors.As(err, &d) {
			diags = append(diags, *d)
		}
		up.Orphans = orphans
	}
	return up, diags
}

// planLock computes the lock of one component; root is nil when there is no
// lock directory yet.
func (p *Project) planLock(ctx context.Context, root *os.Root, name string, o *UpdateOptions) (LockUpdate, diag.List) {
	u := LockUpdate{Component: name}
	fail := func(c *Component, err error) (LockUpdate, diag.List) {
		if list := (diag.ListError)(nil); errors.As(err, &list) {
			return u, diag.List(list)
		}
		if d := (*diag.Diagnostic)(nil); errors.As(err, &d) {
			found := *d
			found.Component = name
			if found.Pos.Filename == "" && c != nil {
				found.Pos = p.originOf(c, "spec.upstream-commit")
			}
			return u, diag.List{found}
		}
		d := diag.Diagnostic{Code: "lock/unresolved", Component: name, Message: err.Error()}
		if c != nil {
			d.Pos = c.Pos
		}
		return u, diag.List{d}
	}
	if root != nil {
		l, err := p.lockIn(root, name)
		if err != nil {
			return fail(nil, err)
		}
		u.Old = l
	}
	if o.Bump && u.Old == nil {
		u.Skipped = "no lock file to bump"
		return u, nil
	}
	c, problems := p.Component(name)
	if problems.HasErrors() {
		return u, problems
	}
	next := Lock{Version: LockVersion}
	if u.Old != nil {
		next.ManualBump = u.Old.ManualBump
	}
	switch {
	case o.Bump:
		next = *u.Old
		next.ManualBump++
	case c.IsUpstream():
		next.ResolutionInputHash = p.ResolutionHash(c)
		commit, err := p.lockedCommit(ctx, c, u.Old, next.ResolutionInputHash, o)
		if err != nil {
			return fail(c, err)
		}
		next.UpstreamCommit = commit
		next.ImportCommit = commit
		if u.Old != nil && u.Old.ImportCommit != "" {
			next.ImportCommit = u.Old.ImportCommit
		}
	}
	fingerprint, err := p.Fingerprint(c, next.UpstreamCommit, next.ManualBump)
	if err != nil {
		return fail(c, err)
	}
	next.InputFingerprint = fingerprint
	u.New = &next
	return u, problems
}

// lockedCommit returns the commit for an upstream component's lock: the pin as
// written, or the one in the lock while nothing that led to it has changed, or
// what upstream has now. A component that follows the head of a branch is
// always resolved anew.
func (p *Project) lockedCommit(ctx context.Context, c *Component, old *Lock, resolution string, o *UpdateOptions) (string, error) {
	if pin := c.Spec.UpstreamCommit; pin != "" {
		return pin, nil
	}
	// A source package in the project may be another one by now.
	moves := c.Spec.UpstreamDistro.Snapshot == "" || c.Spec.SRPM != "" && !strings.Contains(c.Spec.SRPM, "://")
	if old != nil && old.UpstreamCommit != "" && old.ResolutionInputHash == resolution && !moves && !o.Force {
		return old.UpstreamCommit, nil
	}
	u, problems := p.Upstream(c)
	if err := problems.Err(); err != nil {
		return "", err
	}
	if o.Resolve == nil {
		return "", errors.New("the upstream commit is not known")
	}
	return o.Resolve(ctx, c, u)
}

// Stale returns the names of the components whose lock would be written.
func (u *Update) Stale() []string {
	var names []string
	for i := range u.Locks {
		if u.Locks[i].Stale() {
			names = append(names, u.Locks[i].Component)
		}
	}
	return names
}

// lockTemp is what the names of files begin with that Write has not renamed yet.
const lockTemp = ".specgraft-lock-"

// Write brings the lock directory up to date. All new files are written beside
// the old ones before the first is renamed over its predecessor; when a rename
// fails after all, those before it are taken back. Locks that are as they
// should be are not touched. The error is a *diag.Diagnostic.
func (u *Update) Write() error {
	p := u.project
	if len(u.Stale()) == 0 && len(u.Orphans) == 0 {
		return nil
	}
	problem := func(name string, err error) error {
		place := p.LockDir
		if name != "" {
			place = p.LockPath(name)
		}
		return &diag.Diagnostic{
			Code:      "lock/write",
			Component: name,
			Message:   fmt.Sprintf("cannot write %s: %v; no lock file was changed", p.display(place), plainError(err)),
			Env:       true,
		}
	}
	_, err := os.Lstat(p.LockDir)
	made := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(p.LockDir, 0o755); err != nil {
		return problem("", err)
	}
	if err := p.checkLockDir(); err != nil {
		return err
	}
	root, err := os.OpenRoot(p.LockDir)
	if err != nil {
		return problem("", err)
	}
	defer root.Close()
	if err := sweepLockTemps(root); err != nil {
		return problem("", err)
	}
	var temps []string
	discard := func() {
		for _, t := range temps {
			root.Remove(t)
		}
		if made {
			os.Remove(p.LockDir) // a directory without locks would ask for locks
		}
	}
	var stale []*LockUpdate
	for i := range u.Locks {
		l := &u.Locks[i]
		if !l.Stale() {
			continue
		}
		if !filepath.IsLocal(l.Component) || strings.ContainsAny(l.Component, `/\`) {
			discard()
			return problem(l.Component, errors.New("the component's name is not a file name"))
		}
		temp := lockTemp + l.Component
		temps = append(temps, temp)
		if err := root.WriteFile(temp, l.New.Bytes(), 0o644); err != nil {
			discard()
			return problem(l.Component, err)
		}
		stale = append(stale, l)
	}
	for i, l := range stale {
		err := root.Rename(lockTemp+l.Component, l.Component+LockSuffix)
		if err == nil {
			continue
		}
		for _, before := range stale[:i] {
			if before.Old == nil {
				root.Remove(before.Component + LockSuffix)
				continue
			}
			temp := lockTemp + before.Component
			if root.WriteFile(temp, before.Old.text, 0o644) == nil {
				root.Rename(temp, before.Component+LockSuffix)
			}
		}
		discard()
		return problem(l.Component, err)
	}
	for _, name := range u.Orphans {
		if err := root.Remove(name + LockSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &diag.Diagnostic{
				Code:    "lock/write",
				Message: fmt.Sprintf("cannot remove %s: %v", p.display(p.LockPath(name)), plainError(err)),
				Env:     true,
			}
		}
	}
	return nil
}

// checkLockDir refuses a lock directory that a symbolic link leads out of the
// project: whoever wrote the project must not choose where files are written
// and removed.
func (p *Project) checkLockDir() error { return p.checkInside(p.LockDir, "the lock directory") }

// CheckRenderedDir refuses a directory of rendered specs that a symbolic link
// leads out of the project, for the reason that lock directories are refused.
// The error is a *diag.Diagnostic.
func (p *Project) CheckRenderedDir() error {
	return p.checkInside(p.RenderedDir, "the directory of rendered specs")
}

func (p *Project) checkInside(dir, what string) error {
	if p.paths.free || !within(p.paths.root, dir) {
		return nil // the user chose it
	}
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil // still to be made
		}
	}
	if err == nil && within(p.paths.real, real) {
		return nil
	}
	return &diag.Diagnostic{
		Pos:     token.Position{Filename: p.display(dir)},
		Code:    "config/outside",
		Message: what + " leads outside the project through a symbolic link",
		Hint:    "make it a directory of the project; --allow-outside allows others",
	}
}

// sweepLockTemps removes what an interrupted Write left behind.
func sweepLockTemps(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), lockTemp) && !e.IsDir() {
			if err := root.Remove(e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}
