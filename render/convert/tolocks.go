package convert

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/components/lock"
	"specgraft/overlay/diag"
	"specgraft/render/revision"
)

// ToLocks plans the conversion of a project with pins. The options are those that
// the project was loaded with.
func ToLocks(ctx context.Context, p *components.Project, o components.Options) (*Conversion, error) {
	count, done, err := changeCounter(ctx, p, p.Names())
	if err != nil {
		return nil, err
	}
	defer done()
	without := o
	with := false
	without.IgnorePins, without.WithoutLocks, without.Profile = true, &with, ""
	after, problems := components.Load(without)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	c := &Conversion{project: p}
	h, err := revision.Open(ctx, p, o)
	if d, ok := errors.AsType[*diag.Diagnostic](err); err != nil && (!ok || d.Code != "history/none") {
		return nil, err
	}
	if h != nil {
		defer h.Close()
	}
	commits, err := c.pinned(count)
	if err != nil {
		return nil, err
	}
	old, err := formerLocks(p, after, h)
	if err != nil {
		return nil, err
	}
	c.locks, problems = lock.Take(after, commits, func(name string) *lock.Lock { return old[name].lock })
	if problems.HasErrors() {
		return nil, problems.Err()
	}
	for i := range c.Components {
		c.locked(&c.Components[i], after, c.locks.Locks[i].New, old[c.Components[i].Name])
	}
	if c.root, err = p.DropPins(); err != nil {
		return nil, err
	}
	c.remove, err = pinFiles(p)
	return c, err
}

// pinned lists the components as they are and returns their commits. It is an error
// when one that is taken from upstream has none.
func (c *Conversion) pinned(count func(*components.Component) (int, error)) (map[string]string, error) {
	commits := map[string]string{}
	var unpinned []string
	for _, name := range c.project.Names() {
		comp, problems := c.project.Component(name)
		if err := problems.Err(); err != nil {
			return nil, err
		}
		changes, err := count(comp)
		if err != nil {
			return nil, err
		}
		if comp.IsUpstream() && comp.Spec.UpstreamCommit == "" {
			unpinned = append(unpinned, name)
		}
		commits[name] = comp.Spec.UpstreamCommit
		c.Components = append(c.Components, Component{Name: name, UpstreamCommit: comp.Spec.UpstreamCommit, ChangesBefore: changes})
	}
	if len(unpinned) > 0 {
		return nil, &diag.Diagnostic{Code: "pin/unresolved",
			Message: fmt.Sprintf("%d component(s) have no pin that could become a lock: %s", len(unpinned), diag.Abridge(unpinned, 10)),
			Hint:    "run `specgraft update -a` first"}
	}
	return commits, nil
}

// locked fills in what a component has after the conversion: the changes that its
// former locks made, and one more when the new lock differs from the last of them.
func (c *Conversion) locked(rec *Component, after *components.Project, now *lock.Lock, was formerLock) {
	rec.ChangesAfter = was.changes
	if now != nil && now.InputFingerprint != was.last {
		rec.ChangesAfter++
	}
	if comp, _ := after.Component(rec.Name); comp != nil {
		c.release(rec, comp)
	}
}

// pinFiles returns the generated files of a project's pins.
func pinFiles(p *components.Project) ([]string, error) {
	entries, err := os.ReadDir(p.PinsDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".toml" && e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, filepath.Join(p.PinsDir, e.Name()))
		}
	}
	return files, nil
}

// A formerLock is what is known of the lock that a component had.
type formerLock struct {
	lock    *lock.Lock // nil for none
	changes int        // commits that changed its fingerprint
	last    string     // fingerprint in the last of them
}

// formerLocks finds the locks of a project that has none now: in the lock
// directory, where they may have stayed, else in its history.
func formerLocks(p, after *components.Project, h *revision.History) (map[string]formerLock, error) {
	found := map[string]formerLock{}
	for _, name := range p.Names() {
		l, err := lock.Read(after, name)
		if err != nil {
			return nil, err
		}
		var then []*lock.Lock
		if h != nil {
			if then, err = h.LocksOf(name); err != nil {
				return nil, err
			}
		}
		found[name] = former(l, then)
	}
	return found, nil
}

// former sums up the lock that stayed, nil for none, and those of the commits that
// changed it, the newest first; nil is one that removed it.
func former(stayed *lock.Lock, history []*lock.Lock) formerLock {
	f := formerLock{lock: stayed}
	for _, then := range slices.Backward(history) {
		if then == nil {
			continue
		}
		if then.InputFingerprint != f.last {
			f.changes++
		}
		f.last = then.InputFingerprint
	}
	for _, then := range history {
		if f.lock == nil {
			f.lock = then
		}
	}
	return f
}
