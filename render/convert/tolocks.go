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
	names := p.Names()
	count, done, err := changeCounter(ctx, p, names)
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
	commits := map[string]string{}
	var unpinned []string
	for _, name := range names {
		comp, problems := p.Component(name)
		if err := problems.Err(); err != nil {
			return nil, err
		}
		rec := Component{Name: name, UpstreamCommit: comp.Spec.UpstreamCommit}
		if rec.ChangesBefore, err = count(comp); err != nil {
			return nil, err
		}
		if comp.IsUpstream() && rec.UpstreamCommit == "" {
			unpinned = append(unpinned, name)
		}
		commits[name] = rec.UpstreamCommit
		c.Components = append(c.Components, rec)
	}
	if len(unpinned) > 0 {
		return nil, &diag.Diagnostic{Code: "pin/unresolved",
			Message: fmt.Sprintf("%d component(s) have no pin that could become a lock: %s", len(unpinned), diag.Abridge(unpinned, 10)),
			Hint:    "run `specgraft update -a` first"}
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
		rec := &c.Components[i]
		comp, _ := after.Component(rec.Name)
		f := old[rec.Name]
		rec.ChangesAfter = f.changes
		if now := c.locks.Locks[i].New; now != nil && now.InputFingerprint != f.last {
			rec.ChangesAfter++
		}
		if comp != nil {
			c.release(rec, comp)
		}
	}
	if c.root, err = p.DropPins(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(p.PinsDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".toml" && e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			c.remove = append(c.remove, filepath.Join(p.PinsDir, e.Name()))
		}
	}
	return c, nil
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
		f := formerLock{lock: l}
		if h != nil {
			locks, err := h.LocksOf(name)
			if err != nil {
				return nil, err
			}
			for _, then := range slices.Backward(locks) {
				if then == nil {
					continue
				}
				if then.InputFingerprint != f.last {
					f.changes++
				}
				f.last = then.InputFingerprint
			}
			for _, then := range locks {
				if f.lock == nil && then != nil {
					f.lock = then
				}
			}
		}
		found[name] = f
	}
	return found, nil
}
