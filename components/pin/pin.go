// Package pin keeps, in a project without lock files, which upstream commit
// each component is built from: one generated configuration file for each, which
// the project includes before its component files. It starts no process; who
// asks upstream is a function that the caller passes.
package pin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
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

// Options say which pins to bring up to date, and how.
type Options struct {
	Names []string // components, sorted
	// Prune also removes files that belong to no component, or to one that
	// is not taken from upstream.
	Prune bool
	// Jobs bounds how many components are worked on at once; less than 1 is 1.
	Jobs int
	// Resolve finds the upstream commit of a component, whatever it is pinned
	// to. It is called from several goroutines.
	Resolve func(ctx context.Context, c *components.Component, u distro.Upstream) (commit string, err error)
	// Done, when set, is called after each component with the number of
	// those that are ready; from several goroutines.
	Done func(n int)
}

// An Update is a set of changes to the directory of pins.
type Update struct {
	Pins []Change // one per named component, in the order of the names, then those that are pruned

	project *components.Project
}

// A Change is what becomes of one component's generated file.
type Change struct {
	Component string
	Old, New  string // commits, "" for none
	Removed   bool   // the file is to be removed
	// Skipped says why nothing was done for the component, "" when it was
	// looked at.
	Skipped string

	text, was []byte // the file as it should be, nil for none, and as it is
}

// Stale reports whether the file has to be written or removed.
func (c *Change) Stale() bool { return c.Removed || c.text != nil && !bytes.Equal(c.text, c.was) }

// Stale returns the names of the components whose file would be written or
// removed.
func (u *Update) Stale() []string {
	var names []string
	for i := range u.Pins {
		if u.Pins[i].Stale() {
			names = append(names, u.Pins[i].Component)
		}
	}
	return names
}

// Plan computes the pins that the named components should have. It writes
// nothing. A component that fails keeps what it has; the list has its problem.
// When any fails, nothing is pruned.
func Plan(ctx context.Context, p *components.Project, o Options) (*Update, diag.List) {
	up := &Update{project: p, Pins: make([]Change, len(o.Names))}
	problems := make([]diag.List, len(o.Names))
	var done atomic.Int64
	var pool errgroup.Group
	pool.SetLimit(max(1, o.Jobs))
	for i, name := range o.Names {
		up.Pins[i].Component = name
		if ctx.Err() != nil {
			break
		}
		pool.Go(func() error {
			up.Pins[i], problems[i] = planOne(ctx, p, name, &o)
			if n := done.Add(1); o.Done != nil {
				o.Done(int(n))
			}
			return nil
		})
	}
	pool.Wait()
	var diags diag.List
	if ctx.Err() != nil {
		up.Pins = nil
		return up, diag.List{{Code: "pin/unresolved", Message: "interrupted; no pin was written", Env: true}}
	}
	for _, l := range problems {
		diags = append(diags, l...)
	}
	if o.Prune && !diags.HasErrors() {
		orphans, err := Orphans(p)
		if err != nil {
			diags = append(diags, diag.Diagnostic{Code: "pin/unreadable", Env: true,
				Message: fmt.Sprintf("cannot read the directory of pins: %v", diag.Reason(err))})
		}
		for _, name := range orphans {
			commit, was, _ := p.GeneratedPin(name)
			up.Pins = append(up.Pins, Change{Component: name, Old: commit, Removed: true, was: was})
		}
	}
	return up, diags
}

func planOne(ctx context.Context, p *components.Project, name string, o *Options) (Change, diag.List) {
	ch := Change{Component: name}
	c, problems := p.Component(name)
	if c == nil || problems.HasErrors() {
		return ch, problems
	}
	fail := func(err error) (Change, diag.List) {
		if l, ok := errors.AsType[diag.ListError](err); ok {
			return ch, diag.List(l)
		}
		d := diag.Diagnostic{Code: "pin/unresolved", Message: err.Error(), Pos: c.Pos}
		if found, ok := errors.AsType[*diag.Diagnostic](err); ok {
			d = *found
		}
		if d.Pos.Filename == "" {
			d.Pos = c.Pos
		}
		d.Component = name
		return ch, diag.List{d}
	}
	var err error
	if ch.Old, ch.was, err = p.GeneratedPin(name); err != nil {
		return fail(err)
	}
	if !c.IsUpstream() {
		if ch.Removed = ch.was != nil; !ch.Removed {
			ch.Skipped = "not taken from upstream"
		}
		return ch, nil
	}
	u, more := p.Upstream(c)
	if err := more.Err(); err != nil {
		return fail(err)
	}
	if u.Source == "srpm" {
		ch.Skipped = "taken from a source package, which has no commit"
		return ch, nil
	}
	u.Commit = "" // what is pinned, by hand too, is forgotten
	commit, err := o.Resolve(ctx, c, u)
	if err != nil {
		return fail(err)
	}
	ch.set(commit)
	return ch, nil
}

func (c *Change) set(commit string) {
	c.New, c.text = commit, components.Pin(c.Component, commit)
}

// Set returns the change that pins a component to a commit.
func Set(p *components.Project, component, commit string) (Change, error) {
	ch := Change{Component: component}
	var err error
	ch.Old, ch.was, err = p.GeneratedPin(component)
	ch.set(commit)
	return ch, err
}

// NewUpdate returns an update of given changes.
func NewUpdate(p *components.Project, changes []Change) *Update {
	return &Update{project: p, Pins: changes}
}

// Orphans returns the names of the generated files, without ".toml", that belong
// to no component or to one that is not taken from upstream, sorted. Hidden
// files and what lies in directories below are left alone.
func Orphans(p *components.Project) ([]string, error) {
	entries, err := os.ReadDir(p.PinsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names := p.Names()
	var orphans []string
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".toml")
		if !ok || e.IsDir() || name == "" || strings.HasPrefix(name, ".") {
			continue
		}
		if _, found := slices.BinarySearch(names, name); found {
			if c, diags := p.Component(name); c == nil || diags.HasErrors() || c.IsUpstream() {
				continue
			}
		}
		orphans = append(orphans, name)
	}
	slices.Sort(orphans)
	return orphans, nil
}

// tempPrefix is what the names of files begin with that Write has not renamed
// yet.
const tempPrefix = ".specgraft-pin-"

// Write brings the directory of pins up to date. All new files are written
// beside the old ones before the first is renamed over its predecessor. Files
// that are as they should be are not touched. The error is a *diag.Diagnostic.
func (u *Update) Write() error {
	p := u.project
	if len(u.Stale()) == 0 {
		return nil
	}
	problem := func(name string, err error) error {
		place := p.PinsDir
		if name != "" {
			place = p.PinPath(name)
		}
		return &diag.Diagnostic{Code: "pin/write", Component: name, Env: true,
			Message: fmt.Sprintf("cannot write %s: %v", p.Display(place), diag.Reason(err))}
	}
	// Before and after: directories are made where the nearest one that is there
	// leads.
	there := p.PinsDir
	for {
		if _, err := os.Lstat(there); err == nil || filepath.Dir(there) == there {
			break
		}
		there = filepath.Dir(there)
	}
	if err := p.CheckInside(there, "the directory of pins"); err != nil {
		return err
	}
	if err := os.MkdirAll(p.PinsDir, 0o755); err != nil {
		return problem("", err)
	}
	if err := p.CheckInside(p.PinsDir, "the directory of pins"); err != nil {
		return err
	}
	root, err := os.OpenRoot(p.PinsDir)
	if err != nil {
		return problem("", err)
	}
	defer root.Close()
	if err := sweep(root); err != nil {
		return problem("", err)
	}
	var written []string
	for i := range u.Pins {
		c := &u.Pins[i]
		if !c.Stale() || c.Removed {
			continue
		}
		if !filepath.IsLocal(c.Component) || strings.ContainsAny(c.Component, `/\`) {
			err = errors.New("the component's name is not a file name")
		} else {
			written = append(written, c.Component)
			if err = root.WriteFile(tempPrefix+c.Component, c.text, 0o644); err == nil {
				err = root.Chmod(tempPrefix+c.Component, 0o644) // whatever the umask
			}
		}
		if err != nil {
			for _, name := range written {
				root.Remove(tempPrefix + name)
			}
			return problem(c.Component, err)
		}
	}
	for _, name := range written {
		if err := root.Rename(tempPrefix+name, name+".toml"); err != nil {
			_ = sweep(root)
			return problem(name, err)
		}
	}
	for i := range u.Pins {
		if c := &u.Pins[i]; c.Removed {
			if err := root.Remove(c.Component + ".toml"); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return problem(c.Component, err)
			}
		}
	}
	return nil
}

// sweep removes what an interrupted Write left behind.
func sweep(root *os.Root) error {
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
