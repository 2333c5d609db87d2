package report

import (
	"context"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"specgraft/components/lock"
	"specgraft/render/revision"
)

// unrendered returns the components whose configuration differs between the
// revisions in what is rendered from it, while their rendered directories, that
// are not among those that are touched, do not.
func (b *builder) unrendered(ctx context.Context, touched []string) ([]string, error) {
	b.same = map[string]bool{}
	if !b.configs || b.from.SameInputs(b.to) {
		return nil, nil
	}
	trees, err := b.to.Rendered()
	if err != nil || len(trees) == 0 {
		return nil, err // a project that does not check in what it renders
	}
	p, err := b.to.Project()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, n := range p.Names() {
		if _, found := slices.BinarySearch(touched, n); !found && (b.opt.Names == nil || slices.Contains(b.opt.Names, n)) {
			names = append(names, n)
		}
	}
	differs := make([]bool, len(names))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, n := range names {
		g.Go(func() error {
			differs[i] = configured(b.from, b.to, n)
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var out []string
	for i, n := range names {
		if differs[i] {
			out, b.same[n] = append(out, n), true
		}
	}
	return out, nil
}

// configured reports whether what a component is rendered from differs between
// two revisions. A component that cannot be read does not: loading it says so.
func configured(from, to *revision.Revision, name string) bool {
	old, err := from.State(name)
	if err != nil {
		return false
	}
	now, err := to.State(name)
	if err != nil || now.Component == nil {
		return false
	}
	if old.Component == nil {
		return true
	}
	changes, err := lock.Why(old, now)
	return err == nil && slices.ContainsFunc(changes, func(c lock.InputChange) bool { return !c.Resolution })
}
