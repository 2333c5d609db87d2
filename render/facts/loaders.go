package facts

import (
	"context"
	"maps"
	"slices"

	"specgraft/overlay/diag"
	"specgraft/render/revision"
)

// Loaders evaluate the specs of one project, each for an architecture of its own.
type Loaders []*Loader

// For returns a loader for each architecture, which are as this one otherwise.
func (l *Loader) For(archs []string) Loaders {
	var list Loaders
	for _, arch := range archs {
		one := *l
		one.Config.Arch = arch
		list = append(list, &one)
	}
	return list
}

// Load evaluates components on each architecture, as a commit has them rendered or,
// when rev is nil, as they are rendered in memory. It returns what each loader
// found, and all of it together: what failed or is wrong on several architectures
// is there once.
func (ls Loaders) Load(ctx context.Context, rev *revision.Revision, names []string) (each []*Loaded, all *Loaded, err error) {
	all = &Loaded{}
	seen := map[string]bool{}
	for _, l := range ls {
		var loaded *Loaded
		if rev == nil {
			loaded, err = l.Render(ctx, names)
		} else {
			loaded, err = l.At(ctx, rev, names)
		}
		if err != nil {
			return nil, nil, err
		}
		each = append(each, loaded)
		all.Components = append(all.Components, loaded.Components...)
		all.Failed = append(all.Failed, loaded.Failed...)
		for _, d := range loaded.Problems {
			if text := d.Component + " " + d.Error(); !seen[text] {
				seen[text] = true
				all.Problems = append(all.Problems, d)
			}
		}
	}
	slices.Sort(all.Failed)
	all.Failed = slices.Compact(all.Failed)
	return each, all, nil
}

// Changed compares a component in two commits on all architectures: what changed
// on any of them.
func (ls Loaders) Changed(ctx context.Context, from, to *revision.Revision, name string) (Change, diag.List) {
	var all Change
	for _, l := range ls {
		c, problems := l.Changed(ctx, from, to, name)
		if problems.HasErrors() {
			return c, problems
		}
		all.add(c)
	}
	return all, nil
}

// add joins the change of one component on another architecture. Packages are
// those that changed on any, or all when it was all of them on one.
func (c *Change) add(other Change) {
	if len(other.What) == 0 {
		return
	}
	first := len(c.What) == 0
	for _, what := range other.What {
		if !slices.Contains(c.What, what) {
			c.What = append(c.What, what)
		}
	}
	switch {
	case first:
		c.Packages = other.Packages
	case other.Packages == nil:
		c.Packages = nil
	case c.Packages != nil:
		maps.Copy(c.Packages, other.Packages)
	}
}
