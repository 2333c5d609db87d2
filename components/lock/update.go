package lock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/overlay/diag"
)

// Options say which locks to bring up to date, and how.
type Options struct {
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
	Resolve func(ctx context.Context, c *components.Component, u distro.Upstream) (commit string, err error)
	// Successor, when set, finds the commit that took the place of one which
	// upstream's rewritten history has lost: the commit itself when it is still
	// there, "" when none is known. With head only its first-parent history
	// counts. Locks take what it finds.
	Successor func(ctx context.Context, c *components.Component, u distro.Upstream, head, commit string) (string, error)
	// Done, when set, is called after each component with the number of
	// those that are ready; from several goroutines.
	Done func(n int)
}

// An Update is a set of changes to the lock directory that belong together.
type Update struct {
	Locks   []Change // one per named component, in the order of the names
	Orphans []string // names of locks to be removed

	project *components.Project
}

// A Change is what becomes of one component's lock.
type Change struct {
	Component string
	Old, New  *Lock // nil for none; New is nil when the component was skipped
	// Skipped says why nothing was done for the component, "" when it was
	// looked at.
	Skipped string
}

// Changed reports whether the component's commit or fingerprint changed, the
// two things that change what is built.
func (u *Change) Changed() bool {
	if u.New == nil {
		return false
	}
	return u.Old == nil || u.Old.UpstreamCommit != u.New.UpstreamCommit || u.Old.InputFingerprint != u.New.InputFingerprint
}

// Stale reports whether the lock file has to be written. That is so for every
// changed component, and where only the resolution hash changed.
func (u *Change) Stale() bool { return u.New != nil && !u.New.Equal(u.Old) }

// Plan computes the locks that the named components should have. It
// writes nothing. When any component fails, the list has errors and the
// returned update must not be written.
func Plan(ctx context.Context, p *components.Project, o Options) (*Update, diag.List) {
	up := &Update{project: p, Locks: make([]Change, len(o.Names))}
	root, err := os.OpenRoot(p.LockDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return up, diag.List{*dirProblem(p, err)}
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
			up.Locks[i], problems[i] = planOne(ctx, p, root, name, &o)
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
		orphans, err := Orphans(p)
		if d := (*diag.Diagnostic)(nil); errors.As(err, &d) {
			diags = append(diags, *d)
		}
		up.Orphans = orphans
	}
	return up, diags
}

// planOne computes the lock of one component; root is nil when there is no
// lock directory yet.
func planOne(ctx context.Context, p *components.Project, root *os.Root, name string, o *Options) (Change, diag.List) {
	u := Change{Component: name}
	fail := func(c *components.Component, err error) (Change, diag.List) {
		if list := (diag.ListError)(nil); errors.As(err, &list) {
			return u, diag.List(list)
		}
		if d := (*diag.Diagnostic)(nil); errors.As(err, &d) {
			found := *d
			found.Component = name
			if found.Pos.Filename == "" && c != nil {
				found.Pos = originOf(p, c, "spec.upstream-commit")
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
		l, err := readIn(p, root, name)
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
	next := Lock{Version: Version}
	if u.Old != nil {
		next.ManualBump = u.Old.ManualBump
	}
	switch {
	case o.Bump:
		next = *u.Old
		next.ManualBump++
	case c.IsUpstream():
		next.ResolutionInputHash = ResolutionHash(p, c)
		commit, err := lockedCommit(ctx, p, c, u.Old, next.ResolutionInputHash, o)
		if err != nil {
			return fail(c, err)
		}
		next.UpstreamCommit = commit
		next.ImportCommit = commit
		if u.Old != nil && u.Old.ImportCommit != "" {
			next.ImportCommit = u.Old.ImportCommit
		}
		if o.Successor != nil && u.Old != nil {
			found, err := succeed(ctx, p, c, &next, o)
			if err != nil {
				return fail(c, err)
			}
			problems = append(problems, found...)
		}
	}
	fingerprint, err := Fingerprint(p, c, next.UpstreamCommit, next.ManualBump)
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
func lockedCommit(ctx context.Context, p *components.Project, c *components.Component, old *Lock, resolution string, o *Options) (string, error) {
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

// succeed replaces the commits of a lock that upstream's rewritten history has
// lost. An upstream commit of which nothing is known any more becomes what
// upstream has now, an import commit the upstream commit: both are said.
func succeed(ctx context.Context, p *components.Project, c *components.Component, next *Lock, o *Options) (diag.List, error) {
	u, problems := p.Upstream(c)
	if err := problems.Err(); err != nil || u.Source == "srpm" {
		return nil, err
	}
	lost := func(commit, instead string) {
		d := problems.Warn(originOf(p, c, "spec.upstream-commit"), "lock/lost-commit",
			"no commit with the files of %.12s is known, which upstream's history no longer has; %s", commit, instead)
		d.Component = c.Name
		d.Hint = "review what changes: specgraft diff " + c.Name
	}
	commit := next.UpstreamCommit
	found, err := o.Successor(ctx, c, u, "", commit)
	switch {
	case err != nil:
		return nil, err
	case found == "" && c.Spec.UpstreamCommit != "":
		return nil, &diag.Diagnostic{Code: "lock/lost-commit", Component: c.Name, Pos: originOf(p, c, "spec.upstream-commit"),
			Message: fmt.Sprintf("no commit with the files of %.12s is known, which upstream's history no longer has", commit),
			Hint:    "pin another commit: `specgraft rebase " + c.Name + "` shows what becomes of the overlays"}
	case found == "":
		if found, err = o.Resolve(ctx, c, u); err != nil {
			return nil, err
		}
		lost(commit, fmt.Sprintf("the lock takes %.12s, which the branch has now", found))
	}
	if !strings.HasPrefix(found, commit) { // which may be abbreviated in a pin
		next.UpstreamCommit = found
	}
	was := next.ImportCommit
	if was == commit {
		next.ImportCommit = next.UpstreamCommit
		return problems, nil
	}
	found, err = o.Successor(ctx, c, u, next.UpstreamCommit, was)
	if err != nil {
		return nil, err
	}
	if found == "" {
		found = next.UpstreamCommit
		lost(was, fmt.Sprintf("the import commit becomes %.12s, so that the changelog begins there", found))
	}
	next.ImportCommit = found
	return problems, nil
}

// Take plans locks of the named components at given upstream commits. old gives
// the lock that a component had, nil for none: its import commit and manual
// bump are kept.
func Take(p *components.Project, commits map[string]string, old func(name string) *Lock) (*Update, diag.List) {
	up := &Update{project: p}
	var diags diag.List
	for _, name := range slices.Sorted(maps.Keys(commits)) {
		u := Change{Component: name}
		c, problems := p.Component(name)
		diags = append(diags, problems...)
		if c == nil || problems.HasErrors() {
			up.Locks = append(up.Locks, u)
			continue
		}
		next := Lock{Version: Version}
		was := old(name)
		if was != nil {
			next.ManualBump = was.ManualBump
		}
		if c.IsUpstream() {
			next.ResolutionInputHash = ResolutionHash(p, c)
			next.UpstreamCommit, next.ImportCommit = commits[name], commits[name]
			if was != nil && was.ImportCommit != "" {
				next.ImportCommit = was.ImportCommit
			}
		}
		var err error
		if next.InputFingerprint, err = Fingerprint(p, c, next.UpstreamCommit, next.ManualBump); err != nil {
			diags.Take(err)
		} else {
			u.New = &next
		}
		if u.Old, err = Read(p, name); err != nil {
			diags.Take(err)
		}
		up.Locks = append(up.Locks, u)
	}
	return up, diags
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

// tempPrefix is what the names of files begin with that Write has not renamed yet.
const tempPrefix = ".specgraft-lock-"

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
			place = Path(p, name)
		}
		return &diag.Diagnostic{
			Code:      "lock/write",
			Component: name,
			Message:   fmt.Sprintf("cannot write %s: %v; no lock file was changed", p.Display(place), diag.Reason(err)),
			Env:       true,
		}
	}
	_, err := os.Lstat(p.LockDir)
	made := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(p.LockDir, 0o755); err != nil {
		return problem("", err)
	}
	if err := p.CheckInside(p.LockDir, "the lock directory"); err != nil {
		return err
	}
	root, err := os.OpenRoot(p.LockDir)
	if err != nil {
		return problem("", err)
	}
	defer root.Close()
	if err := sweepTemps(root); err != nil {
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
	var stale []*Change
	for i := range u.Locks {
		l := &u.Locks[i]
		if !l.Stale() {
			continue
		}
		if !filepath.IsLocal(l.Component) || strings.ContainsAny(l.Component, `/\`) {
			discard()
			return problem(l.Component, errors.New("the component's name is not a file name"))
		}
		temp := tempPrefix + l.Component
		temps = append(temps, temp)
		if err := root.WriteFile(temp, l.New.Bytes(), 0o644); err != nil {
			discard()
			return problem(l.Component, err)
		}
		stale = append(stale, l)
	}
	for i, l := range stale {
		err := root.Rename(tempPrefix+l.Component, l.Component+Suffix)
		if err == nil {
			continue
		}
		for _, before := range stale[:i] {
			if before.Old == nil {
				root.Remove(before.Component + Suffix)
				continue
			}
			temp := tempPrefix + before.Component
			if root.WriteFile(temp, before.Old.text, 0o644) == nil {
				root.Rename(temp, before.Component+Suffix)
			}
		}
		discard()
		return problem(l.Component, err)
	}
	for _, name := range u.Orphans {
		if err := root.Remove(name + Suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &diag.Diagnostic{
				Code:    "lock/write",
				Message: fmt.Sprintf("cannot remove %s: %v", p.Display(Path(p, name)), diag.Reason(err)),
				Env:     true,
			}
		}
	}
	return nil
}

// sweepTemps removes what an interrupted Write left behind.
func sweepTemps(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) && !e.IsDir() {
			if err := root.Remove(e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}
