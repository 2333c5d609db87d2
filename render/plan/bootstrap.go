package plan

import (
	"context"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"specgraft/fedora/macro"
	"specgraft/overlay/regex"
	"specgraft/render/facts"
)

// Build conditionals by which packagers break circles: those that take things
// away when they are on, and those that bring tests and documentation along.
var (
	bootstrapOn  = regex.Once(`^(bootstrap.*|.*_bootstrap|stage1|minimal)$`)
	bootstrapOff = regex.Once(`^(tests?|check|.*_tests?|testsuite|docs?|.*_docs?|documentation|manual|man|doxygen|sphinx|examples|gui|full)$`)
)

// settings returns what of a component's build conditionals may take requirements
// away, those for bootstrapping first.
func settings(f *facts.Facts) (with, without []string) {
	for _, b := range f.Bconds {
		switch {
		case bootstrapOn().MatchString(b):
			with = append(with, b)
		case bootstrapOff().MatchString(b):
			without = append(without, b)
		}
	}
	return with, without
}

// An Evaluate returns the facts of a component when the build conditionals are
// switched; nil when they are not known.
type Evaluate func(ctx context.Context, component string, with, without []string) *facts.Facts

// SuggestCuts looks for build conditionals that take edges of circles away, and
// notes them at the edges: only of components that are in a circle among those of
// the set.
func (g *Graph) SuggestCuts(ctx context.Context, evaluate Evaluate, set map[string][]Reason) error {
	var names []string
	for _, n := range g.Components {
		if _, in := set[n]; in && g.facts[n] != nil && !g.facts[n].Excluded {
			names = append(names, n)
		}
	}
	number := map[string]int{}
	for i, n := range names {
		number[n] = i
	}
	d := &digraph{needs: make([][]int, len(names))}
	for i, n := range names {
		for _, e := range g.out[n] {
			if to, in := number[g.Edges[e].To]; in {
				d.needs[i] = append(d.needs[i], to)
			}
		}
	}
	var pool errgroup.Group
	pool.SetLimit(runtime.GOMAXPROCS(0))
	for _, scc := range d.components(nil) {
		if len(scc) < 2 {
			continue
		}
		in := map[string]bool{}
		for _, v := range scc {
			in[names[v]] = true
		}
		for _, v := range scc {
			name := names[v]
			with, without := settings(g.facts[name])
			if len(with)+len(without) == 0 {
				continue
			}
			pool.Go(func() error { // writes edges of this component only
				for _, b := range with {
					g.suggest(name, in, "with "+b, evaluate(ctx, name, []string{b}, nil))
				}
				for _, b := range without {
					g.suggest(name, in, "without "+b, evaluate(ctx, name, nil, []string{b}))
				}
				return ctx.Err()
			})
		}
	}
	return pool.Wait()
}

// suggest notes a setting at the edges whose requirements it takes away.
func (g *Graph) suggest(name string, in map[string]bool, setting string, f *facts.Facts) {
	if f == nil || f.Rejected != "" {
		return
	}
	for _, i := range g.out[name] {
		e := &g.Edges[i]
		if !in[e.To] || e.Suggest != "" {
			continue
		}
		if !slices.ContainsFunc(e.Needs, func(n Need) bool { return slices.Contains(f.BuildRequires, n.Requirement) }) {
			e.Suggest = setting
		}
	}
}

// AddRemoved adds to a set the components that need something of components that
// are gone, which nothing else provides.
func (g *Graph) AddRemoved(gone []facts.Component, set map[string][]Reason) {
	index := &providers{byName: map[string][]provider{}, source: map[string]string{}}
	for _, c := range gone {
		index.addComponent(c.Name, c.Facts)
	}
	for _, m := range g.Missing {
		for _, d := range macro.ParseDependencies(m.Requirement) {
			list, _ := index.find(&d)
			if len(list) > 0 && len(set[m.Component]) == 0 {
				set[m.Component] = []Reason{{Kind: "removed-dependency", What: m.Requirement, Of: list[0].component}}
			}
		}
	}
}

// String returns the reason for people.
func (r Reason) String() string {
	switch r.Kind {
	case "needs":
		return "needs " + r.What + " of " + r.Of
	case "removed-dependency":
		return "needs " + r.What + " of " + r.Of + ", which is gone"
	}
	if r.What != "" {
		return r.Kind + ": " + r.What
	}
	return r.Kind
}
