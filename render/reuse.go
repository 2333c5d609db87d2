package render

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"

	"specgraft/components"
	"specgraft/components/lock"
	"specgraft/fedora/autospec"
	"specgraft/fedora/cache"
	"specgraft/overlay"
	"specgraft/render/kept"
)

// inputs are what a rendered component follows from, as far as that is found out
// before it is rendered.
type inputs struct {
	sum    [sha256.Size]byte // of everything
	files  [sha256.Size]byte // of the files that the configuration names, which may change meanwhile
	commit string            // upstream
	lock   *lock.Lock        // nil without one
}

// kept returns the inputs as results are kept by.
func (in *inputs) kept() *kept.Inputs { return &kept.Inputs{Sum: in.sum, Commit: in.commit} }

// openResults returns what earlier runs rendered.
func (r *Renderer) openResults() *kept.Results {
	if r.CacheDir == "" {
		return kept.Open("")
	}
	return kept.Open(filepath.Join(r.CacheDir, kept.Dir))
}

// inputs finds out what a rendered component follows from. It is nil for
// components whose inputs are not all known before they are rendered (local ones,
// templates, source packages, smart releases) and for those with a problem: they
// are rendered.
func (r *Renderer) inputs(ctx context.Context, locks *lock.Dir, name string) *inputs {
	c, problems := r.Project.Component(name)
	if len(problems) > 0 || c == nil || !validName(name) || aliasName(name) != "" || !c.IsUpstream() || c.Spec.Type == "template" ||
		c.Release.Calculation == autospec.CalculationSmart {
		return nil
	}
	u, problems := r.Project.Upstream(c)
	if len(problems) > 0 || u.Source == "srpm" || r.AllowShallow { // a history that is cut off may grow
		return nil
	}
	r.setup()
	if r.wd == "" { // messages may be relative to it
		return nil
	}
	in := &inputs{}
	h := sha256.New()
	pins := r.history != nil && r.history.pins != nil
	fmt.Fprintf(h, "2 %t %t %q %t %t %t %t %t %q %d\n", r.Project.WithoutLocks, pins, r.Build, r.Lint, r.AllowOutside, r.SkipLockValidation, r.Unfiltered, r.WithoutHistory, r.Strict, r.Clock().UnixNano())
	fmt.Fprintf(h, "%q\n", r.wd)
	h.Write(r.Project.Digest(c))
	var err error
	if in.lock, err = r.lockIn(locks, name); err != nil {
		return nil
	}
	if in.lock != nil {
		fmt.Fprintf(h, "%+v\n", *in.lock)
	}
	if in.commit, err = r.Store.Resolve(ctx, Request(c, u, in.lock)); err != nil {
		return nil
	}
	fmt.Fprintf(h, "%q %q\n", u.URL, in.commit)
	if !r.WithoutHistory {
		changes, err := r.changes(ctx, c, in.commit)
		if err != nil {
			return nil
		}
		if err := json.NewEncoder(h).Encode(changes); err != nil {
			return nil
		}
	}
	var ok bool
	if in.files, ok = r.hashFiles(c); !ok {
		return nil
	}
	h.Write(in.files[:])
	h.Sum(in.sum[:0])
	return in
}

// Inputs returns a digest of everything that the rendered component follows from.
// It is false where that is not known before it is rendered.
func (r *Renderer) Inputs(ctx context.Context, name string) (sum [sha256.Size]byte, ok bool) {
	locks := lock.Open(r.Project)
	defer locks.Close()
	in := r.inputs(ctx, locks, name)
	if in == nil {
		return sum, false
	}
	return in.sum, true
}

// hashFiles returns a digest of the files that a component's configuration names.
func (r *Renderer) hashFiles(c *components.Component) (sum [sha256.Size]byte, ok bool) {
	names := r.namedFiles(c)
	if len(names) == 0 {
		return sum, true
	}
	h := sha256.New()
	for _, name := range names {
		data, mode, err := r.sources.open(name)
		if err != nil {
			return sum, false
		}
		fmt.Fprintf(h, "%q %o %d\n", name, mode, len(data))
		cache.Digest(h, data)
	}
	h.Sum(sum[:0])
	return sum, true
}

// namedFiles returns the files that a component's configuration names: its macro
// set and the sources of its overlays.
func (r *Renderer) namedFiles(c *components.Component) []string {
	var names []string
	if file, _ := r.Project.MacroSet(c); file != "" {
		names = append(names, file)
	}
	for i := range c.Overlays {
		if src := c.Overlays[i].Source; src != "" {
			names = append(names, src)
		}
	}
	return names
}

// stillThere reports whether the inputs of a component are what they were before
// it was rendered. Only files can have changed in the meantime.
func (r *Renderer) stillThere(c *components.Component, before *inputs) bool {
	now, ok := r.hashFiles(c)
	return ok && now == before.files
}

// reuse returns the outcome of a component that is known to be as it would be
// rendered, nil for one that has to be rendered.
func (r *Renderer) reuse(out *Output, x *treeIndex, name string, in *inputs) *Outcome {
	known := x.get(name, in.sum)
	if known == nil || !x.unchanged(out, name, known) {
		return nil
	}
	warnings, ok := kept.UnpackWarnings(known.diags)
	if !ok {
		return nil
	}
	return &Outcome{Component: name, Status: OK, Commit: known.commit, Diags: warnings}
}

// note takes down what became of a component: that it is in the tree as it should
// be, with inputs that are known, or nothing.
func (x *treeIndex) note(out *Output, o *Outcome, in *inputs, files []*overlay.File, opt RunOptions) {
	if x == nil {
		return
	}
	var known *indexed
	if in != nil && o.Status == OK && !(o.Changed && opt.Check) {
		packed, ok := kept.PackWarnings(o.Diags)
		if list := describe(out, o.Component, files); ok && list != nil {
			known = &indexed{inputs: in.sum, commit: in.commit, diags: packed, files: list}
		}
	}
	x.put(o.Component, known)
}
