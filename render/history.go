package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/components/lock"
	"specgraft/fedora"
	"specgraft/fedora/autospec"
	"specgraft/fedora/distgit"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// Prepare checks the locks of the components that are about to be rendered and
// reads the project's own history, with a constant number of processes for all
// of them. With all, locks without a component are reported, too. Nothing
// should be rendered when the list has errors.
func (r *Renderer) Prepare(ctx context.Context, names []string, all bool) diag.List {
	r.setup()
	mode := r.Project.Settings.History
	pins := r.Project.WithoutLocks && mode == "locks"
	if !lock.Any(r.Project) && !pins && mode != "config" {
		return nil
	}
	var problems diag.List
	if lock.Any(r.Project) && !r.SkipLockValidation {
		problems = lock.Validate(r.Project, names, all)
	}
	if !problems.HasErrors() && mode != "none" {
		open := r.openHistory
		switch {
		case mode == "config":
			open = r.openConfigHistory
		case pins:
			open = r.openPinHistory
		}
		err := open(ctx, names)
		if d := r.cutOff; d != nil { // allowed
			problems = append(problems, *d)
		}
		if err != nil {
			d, ok := errors.AsType[*diag.Diagnostic](err)
			if !ok {
				d = &diag.Diagnostic{Code: "render/history", Env: true,
					Message: fmt.Sprintf("cannot read the project's history: %v", err)}
			}
			problems = append(problems, *d)
		}
	}
	return problems
}

// Close keeps what was found out for later runs and ends the child process that
// reads the project's history.
func (r *Renderer) Close() error {
	_ = r.verdicts.save() // a cache: what cannot be kept is found out again
	if r.history != nil {
		return r.history.close()
	}
	return nil
}

// lock returns the lock of a component, nil for none. A broken lock is an error
// unless locks are not to be validated.
func (r *Renderer) lock(name string) (*lock.Lock, error) {
	d := lock.Open(r.Project)
	defer d.Close()
	return r.lockIn(d, name)
}

// lockIn is lock for who reads many.
func (r *Renderer) lockIn(d *lock.Dir, name string) (*lock.Lock, error) {
	l, err := d.Read(name)
	if err != nil && r.SkipLockValidation {
		return nil, nil
	}
	return l, err
}

// Clock returns the time of what is not committed.
func (r *Renderer) Clock() time.Time {
	switch {
	case !r.Now.IsZero():
		return r.Now
	case r.history != nil:
		return r.history.when
	}
	return time.Unix(0, 0).UTC()
}

// A projectHistory is the project's repository as far as it concerns locks.
type projectHistory struct {
	repo    *distgit.Repo
	when    time.Time                       // committer date of HEAD
	dir     string                          // lock directory, slash-separated below the top level
	log     map[string][]distgit.PathChange // by path of a lock
	shallow map[string]bool
	config  *configHistory // instead of dir and log, when configuration counts
	pins    *pinHistory    // instead of dir and log, when there are pins and no locks

	mu      sync.Mutex            // not held while something is read
	locks   map[string]*lock.Lock // by blob; nil for one that cannot be read
	commits map[string]*distgit.Commit
	opened  int             // how many further readers were asked for, at most maxReaders
	others  []*distgit.Repo // those that could be opened
	idle    []*distgit.Repo // those of them that nobody uses
}

// maxReaders bounds how many read the project's repository at the same time.
const maxReaders = 8

// read calls f with a reader of the repository that nobody else uses, as long as
// there are enough.
func (h *projectHistory) read(f func(*distgit.Repo) error) error {
	h.mu.Lock()
	var reader *distgit.Repo
	if n := len(h.idle); n > 0 {
		reader, h.idle = h.idle[n-1], h.idle[:n-1]
	}
	more := reader == nil && h.opened < maxReaders
	if more {
		h.opened++
	}
	h.mu.Unlock()
	if more {
		if another, ok := h.repo.Another(); ok {
			reader = another
			h.mu.Lock()
			h.others = append(h.others, another)
			h.mu.Unlock()
		}
	}
	if reader == nil {
		return f(h.repo)
	}
	defer func() {
		h.mu.Lock()
		h.idle = append(h.idle, reader)
		h.mu.Unlock()
	}()
	return f(reader)
}

// close ends all readers.
func (h *projectHistory) close() error {
	for _, another := range h.others {
		another.Close()
	}
	return h.repo.Close()
}

// A Commit names a commit of a repository.
type Commit struct {
	Top string // top level of the repository's work tree, where something else may be checked out
	ID  string // full name
}

// openProject opens the repository that a directory of the project is in, nil when
// it is in none. Paths in it are those below top, and what counts is the history of
// head, which is empty while nothing is committed.
func (r *Renderer) openProject(ctx context.Context, dir string) (repo *distgit.Repo, top, head string, err error) {
	if at := r.At; at != nil {
		repo, err = distgit.OpenWorktree(ctx, at.Top)
		return repo, r.Project.Root, at.ID, err
	}
	top, err = distgit.RootOf(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", "", nil
	}
	if err != nil {
		return nil, "", "", err
	}
	if repo, err = distgit.OpenWorktree(ctx, top); err != nil {
		return nil, "", "", err
	}
	head, err = repo.Head()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", "", errors.Join(err, repo.Close())
	}
	return repo, top, head, nil
}

// openHistory reads which commits touched which lock. A project outside of git
// has no history.
func (r *Renderer) openHistory(ctx context.Context, names []string) error {
	repo, top, head, err := r.openProject(ctx, r.Project.LockDir)
	if repo == nil || err != nil {
		return err
	}
	if head == "" {
		return repo.Close()
	}
	h := &projectHistory{repo: repo, shallow: repo.Shallow(), locks: map[string]*lock.Lock{}, commits: map[string]*distgit.Commit{}}
	rel, err := filepath.Rel(top, r.Project.LockDir)
	if err == nil {
		h.dir = filepath.ToSlash(rel)
		var c *distgit.Commit
		if c, err = repo.Commit(head); err == nil {
			h.when = c.Committer.When
		}
	}
	if err == nil {
		paths := []string{h.dir}
		if len(names) <= 50 {
			paths = paths[:0]
			for _, n := range names {
				paths = append(paths, h.path(n))
			}
		}
		if len(paths) > 0 {
			h.log, err = repo.PathLog(ctx, head, paths...)
		}
	}
	if err == nil {
		if d := h.complete(names); d != nil {
			err = r.shallowClone(d)
		}
	}
	if err != nil {
		repo.Close()
		return err
	}
	r.history = h
	return nil
}

// complete reports whether the whole history of the locks is there: releases
// count its commits.
func (h *projectHistory) complete(names []string) *diag.Diagnostic {
	var cut []string
	for _, n := range names {
		if log := h.log[h.path(n)]; len(log) > 0 && h.shallow[log[len(log)-1].Commit] {
			cut = append(cut, n)
		}
	}
	if len(cut) == 0 {
		return nil
	}
	return cutOff("lock", "locks", cut)
}

// cutOff is the error about a history that begins too late.
func cutOff(one, many string, cut []string) *diag.Diagnostic {
	what := "the " + one + " of component " + cut[0]
	if len(cut) > 1 {
		what = fmt.Sprintf("the %s of %d components", many, len(cut))
	}
	return &diag.Diagnostic{Code: "render/history", Env: true,
		Message: fmt.Sprintf("the history of %s is cut off: the project is a shallow clone", what),
		Hint:    "releases count its commits; run git fetch --unshallow"}
}

// shallowClone makes a warning, which Prepare returns, of the error that history
// is cut off, when that is allowed.
func (r *Renderer) shallowClone(d *diag.Diagnostic) error {
	if !r.AllowShallow {
		d.Hint += ", or render with --allow-shallow"
		return d
	}
	d.Severity, d.Env = diag.Warning, false
	d.Hint = "releases count its commits, so that they are too low; git fetch --unshallow gets them"
	r.cutOff = d
	return nil
}

// path returns where a component's lock is in the project's repository.
func (h *projectHistory) path(component string) string {
	if h.dir == "." {
		return component + lock.Suffix
	}
	return h.dir + "/" + component + lock.Suffix
}

// lock returns the lock that is in a blob, nil when there is none or it cannot
// be read: what is history cannot be repaired.
func (h *projectHistory) lock(blob string) (*lock.Lock, error) {
	if blob == "" {
		return nil, nil
	}
	h.mu.Lock()
	l, ok := h.locks[blob]
	h.mu.Unlock()
	if ok {
		return l, nil
	}
	var data []byte
	err := h.read(func(repo *distgit.Repo) (err error) {
		data, err = repo.Blob(blob)
		return err
	})
	if err != nil {
		return nil, err
	}
	if l, err = lock.Parse(blob, data); err != nil {
		l = nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.locks[blob] = l
	return l, nil
}

func (h *projectHistory) commit(id string) (*distgit.Commit, error) {
	h.mu.Lock()
	c := h.commits[id]
	h.mu.Unlock()
	if c != nil {
		return c, nil
	}
	err := h.read(func(repo *distgit.Repo) (err error) {
		c, err = repo.Commit(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commits[id] = c
	return c, nil
}

// Changes returns the component's own history as far as the project's repository
// has it, oldest first: what a render makes releases of. Prepare must have been
// called for the component. No upstream is asked: for a component without lock
// and pin there is none.
func (r *Renderer) Changes(ctx context.Context, c *components.Component) ([]autospec.Change, error) {
	commit := c.Spec.UpstreamCommit
	l, err := r.lock(c.Name)
	if err != nil {
		return nil, err
	}
	if l != nil {
		commit = l.UpstreamCommit
	}
	return r.changes(ctx, c, commit)
}

// changes returns the component's own history, oldest first: the commits that
// changed the fingerprint in its lock, and what is not committed yet. A lock
// that HEAD does not have means that there is none.
func (r *Renderer) changes(ctx context.Context, c *components.Component, commit string) ([]autospec.Change, error) {
	h := r.history
	if h == nil {
		return nil, nil
	}
	if h.config != nil {
		return r.configChanges(c, commit)
	}
	if h.pins != nil {
		return r.pinChanges(c, commit)
	}
	p := h.path(c.Name)
	wrap := func(err error) error {
		if err == nil {
			return nil
		}
		if _, ok := errors.AsType[*diag.Diagnostic](err); ok {
			return err
		}
		return &diag.Diagnostic{Pos: c.Pos, Code: "render/history", Env: true,
			Message: fmt.Sprintf("cannot read the history of %s: %v", p, err)}
	}
	log := h.log[p]
	if len(log) == 0 {
		return nil, nil
	}
	current, err := h.lock(log[0].Blob)
	if err != nil || current == nil {
		return nil, wrap(err)
	}
	var changes []autospec.Change
	last := ""
	for _, e := range slices.Backward(log) {
		l, err := h.lock(e.Blob)
		if err != nil {
			return nil, wrap(err)
		}
		if e.Blob == "" { // the component was dropped there, and came back
			for i := range changes {
				changes[i].Former = true
			}
		}
		if l == nil || l.InputFingerprint == last {
			continue
		}
		last = l.InputFingerprint
		info, err := h.commit(e.Commit)
		if err != nil {
			return nil, wrap(err)
		}
		changes = append(changes, autospec.ChangeFrom(info, l.UpstreamCommit))
	}
	if commit == "" {
		return changes, nil
	}
	bump := current.ManualBump
	if l, err := r.lock(c.Name); err == nil && l != nil {
		bump = l.ManualBump
	}
	now, err := lock.Fingerprint(r.Project, c, commit, bump)
	if err != nil {
		return nil, err
	}
	if now != current.InputFingerprint {
		changes = append(changes, autospec.Dirty(commit, r.Clock()))
	}
	return changes, nil
}

// graph returns the history from which release and changelog are computed, nil
// when there is none, and what to call when done with it.
func (r *Renderer) graph(ctx context.Context, res *Result, tree *overlay.Tree, text []byte) (*autospec.Graph, func(), error) {
	src := &res.Upstream
	work := autospec.Worktree{Spec: text, Files: treeFS{tree}}
	if f := tree.Files["changelog"]; f != nil {
		data, err := f.Bytes()
		if err != nil {
			return nil, nil, err
		}
		work.Changelog = data
	}
	pins := r.history != nil && r.history.pins != nil
	if src.Local && pins {
		return nil, func() {}, nil // without synthetic commits there is no repository
	}
	if src.Local {
		g, err := autospec.Synthesize(nil, "", "", res.Changes, work)
		return g, func() {}, err
	}
	log, done := r.log(ctx, res.historyName(), src)
	if len(res.Changes) == 0 {
		return autospec.Upstream(log, src.Commit), done, nil
	}
	imported := ""
	if src.Lock != nil {
		imported = src.Lock.ImportCommit
	}
	if pins {
		imported = autospec.Root
	}
	g, err := autospec.Synthesize(log, src.Commit, imported, res.Changes, work)
	if err != nil {
		if d, ok := errors.AsType[*diag.Diagnostic](err); ok && d.Code == "autospec/history" && !pins {
			d.Hint = "upstream has rewritten its history, or the branch is another one: " + fedora.AcceptRewritten(res.Component) + " takes the nearest commits with the same files"
		}
		done()
		return nil, nil, err
	}
	for _, ch := range g.Dropped {
		if ch.Former {
			continue // it belongs to what was dropped
		}
		verb, chain := "locked", "those from the import commit to the locked one"
		if pins {
			verb, chain = "pinned", "the first-parent history of the pinned one"
		}
		d := diag.Diagnostic{Severity: diag.Warning, Code: "autospec/unknown-upstream", Component: res.Component, Pos: res.Config.Pos,
			Message: fmt.Sprintf("the change %.12s (%s) %s upstream commit %.12s, which is not among %s; it gets no changelog entry",
				ch.Hash, ch.Subject, verb, ch.Upstream, chain)}
		res.Diags = append(res.Diags, d)
	}
	return g, done, nil
}

// historyName returns the name under which the spec is looked for in history.
// Changes of our own end in a commit that has the spec under the component's
// name; without them the history is upstream's alone, and so is the name there.
func (res *Result) historyName() string {
	if res.Config.IsUpstream() && len(res.Changes) == 0 {
		return res.Config.UpstreamName()
	}
	return res.Component
}

// log returns what is known about the history of the component's spec, and what
// to call when done with it.
func (r *Renderer) log(ctx context.Context, name string, src *Source) (*autospec.Log, func()) {
	var repo *distgit.Repo
	log := r.logs.Log(src.Request.URL, name+".spec", func() (autospec.History, error) {
		if repo != nil {
			return repo, nil
		}
		req := src.Request
		req.Commit = src.Commit
		if _, err := r.Store.Resolve(ctx, req); err != nil { // makes sure it is there
			return nil, err
		}
		var err error
		repo, err = r.Store.Repo(ctx, req.URL)
		if err != nil {
			return nil, err
		}
		return repo, nil
	})
	return log, func() {
		if repo != nil {
			repo.Close()
		}
		// A cache of facts: what cannot be kept is found again.
		_ = r.logs.Save(log)
	}
}

// provenance returns the macros that name upstream's version and release. A
// release that cannot be computed is left out with a warning.
func (r *Renderer) provenance(ctx context.Context, res *Result) (map[string]string, error) {
	c, src := res.Config, &res.Upstream
	u, problems := r.Project.Upstream(c)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if !strings.EqualFold(u.DistroName, "fedora") || u.ReleaseVer == "" || strings.Trim(u.ReleaseVer, "0123456789") != "" {
		return nil, nil
	}
	facts := map[string]string{}
	version, release := upstreamTags(src.Pristine)
	if version != "" {
		facts["fedora_upstream_version"] = version
	}
	dist := ".fc" + u.ReleaseVer
	switch {
	case release == "":
	case !usesAutorelease(release):
		release = strings.ReplaceAll(release, "%{?dist}", dist)
		facts["fedora_upstream_release"] = strings.ReplaceAll(release, "%{dist}", dist)
	default:
		log, done := r.log(ctx, c.UpstreamName(), src)
		defer done()
		release, err := autospec.CalculateRelease(autospec.Input{Graph: autospec.Upstream(log, src.Commit), Evaluator: r.evaluator(ctx, res)})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			res.add(diag.List{{Pos: origin(c, "build.emit-upstream-provenance"), Severity: diag.Warning, Code: "render/provenance",
				Message: fmt.Sprintf("the release of upstream is left out: %v", err)}})
			break
		}
		facts["fedora_upstream_release"] = release + dist
	}
	return facts, nil
}

// usesAutorelease reports whether a Release value is computed from history.
func usesAutorelease(value string) bool {
	return strings.Contains(value, "%autorelease") || strings.Contains(value, "%{autorelease") ||
		strings.Contains(value, "%{?autorelease")
}

// upstreamTags returns the first Version and Release of the preamble as written.
func upstreamTags(text []byte) (version, release string) {
	for t := range spec.Parse("", text).Tags() {
		switch {
		case t.Section > 0:
			return version, release
		case version == "" && strings.EqualFold(t.Name, "Version"):
			version = t.Value
		case release == "" && strings.EqualFold(t.Name, "Release"):
			release = t.Value
		}
	}
	return version, release
}

// Remembered returns what the cache of histories still knows of a commit of a
// component's upstream.
func Remembered(cacheDir string, c *components.Component, u distro.Upstream, commit string) fedora.Known {
	logs := autospec.Cache{Dir: filepath.Join(cacheDir, logDir)}
	for _, name := range []string{c.Name, u.Name} {
		log := logs.Log(u.URL, name+".spec", func() (autospec.History, error) { return nil, fs.ErrNotExist })
		if tree, when := log.Remembered(commit); tree != "" {
			return fedora.Known{Tree: tree, When: when}
		}
	}
	return fedora.Known{}
}
