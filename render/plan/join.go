package plan

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"specgraft/fedora/repodata"
	"specgraft/render/facts"
)

// Join makes one graph of those of several architectures, for engines that build a
// component everywhere at once: an edge is there when it is on one of them, and
// says on which. A component is excluded when it is on all of them.
func Join(arches []string, graphs []*Graph) *Graph {
	g := &Graph{facts: map[string]*facts.Facts{}, out: map[string][]int{}, in: map[string][]int{}, arches: arches, parts: graphs,
		index: &providers{byName: map[string][]provider{}, source: map[string]string{}}}
	edges := map[[2]string]*Edge{}
	missing := map[[2]string]int{}
	for i, part := range graphs {
		arch := arches[i]
		g.Components = append(g.Components, part.Components...)
		for _, name := range part.Components {
			f := part.facts[name]
			if have := g.facts[name]; have == nil || have.Excluded && f != nil && !f.Excluded {
				g.facts[name] = f
			}
		}
		for name, list := range part.index.byName {
			for _, p := range list {
				g.index.add(name, p)
			}
		}
		for pkg, component := range part.index.source {
			if g.index.source[pkg] == "" {
				g.index.source[pkg] = component
			}
		}
		for k := range part.Edges {
			e := &part.Edges[k]
			to := edges[[2]string{e.From, e.To}]
			if to == nil {
				to = &Edge{From: e.From, To: e.To}
				edges[[2]string{e.From, e.To}] = to
			}
			to.Architectures = append(to.Architectures, arch)
			for _, n := range e.Needs {
				at := slices.IndexFunc(to.Needs, func(m Need) bool { return m.same(&n) })
				if at < 0 {
					at = len(to.Needs)
					to.Needs = append(to.Needs, n)
				}
				to.Needs[at].Architectures = append(to.Needs[at].Architectures, arch)
			}
		}
		for _, m := range part.Missing {
			key := [2]string{m.Component, m.Requirement}
			at, there := missing[key]
			if !there {
				at = len(g.Missing)
				missing[key] = at
				g.Missing = append(g.Missing, m)
			}
			g.Missing[at].Architectures = append(g.Missing[at].Architectures, arch)
		}
	}
	slices.Sort(g.Components)
	g.Components = slices.Compact(g.Components)
	slices.SortStableFunc(g.Missing, func(a, b Missing) int { return strings.Compare(a.Component, b.Component) })
	for _, e := range edges {
		g.Edges = append(g.Edges, *e)
	}
	slices.SortFunc(g.Edges, func(a, b Edge) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	for i, e := range g.Edges {
		g.out[e.From] = append(g.out[e.From], i)
		g.in[e.To] = append(g.in[e.To], i)
	}
	return g
}

// same reports whether two needs are the same, wherever they are.
func (n *Need) same(m *Need) bool {
	return n.Requirement == m.Requirement && n.Package == m.Package && n.Via == m.Via && n.Unsatisfied == m.Unsatisfied
}

// builtOn returns the architectures of a joined graph on which a component is
// built.
func (g *Graph) builtOn(component string) []string {
	var on []string
	for i, part := range g.parts {
		if f := part.facts[component]; f != nil && !f.Excluded {
			on = append(on, g.arches[i])
		}
	}
	return on
}

// joinedUsers lists who needs something on any architecture of a joined graph.
func (g *Graph) joinedUsers(name string) (users []User, ok bool) {
	for i, part := range g.parts {
		list, there := part.WhatNeeds(name)
		ok = ok || there
		for _, u := range list {
			// whoever asks of one architecture wants to hear of others, too
			if f := part.facts[u.Component]; len(g.parts) > 1 && f != nil && f.Excluded {
				continue
			}
			at := slices.IndexFunc(users, func(o User) bool { return o.compare(&u) == 0 })
			if at < 0 {
				at = len(users)
				users = append(users, u)
			}
			o := &users[at]
			o.Architectures = append(o.Architectures, g.arches[i])
			for _, other := range u.Others {
				if !slices.Contains(o.Others, other) {
					o.Others = append(slices.Clip(o.Others), other)
				}
			}
			slices.Sort(o.Others)
		}
	}
	slices.SortStableFunc(users, func(a, b User) int { return a.compare(&b) })
	return users, ok
}

// Everywhere evaluates a component on several architectures: what it needs on one
// of them, it needs.
func Everywhere(list []Evaluate) Evaluate {
	return func(ctx context.Context, component string, with, without []string) *facts.Facts {
		var all *facts.Facts
		for _, evaluate := range list {
			f := evaluate(ctx, component, with, without)
			if f == nil || f.Rejected != "" {
				return nil
			}
			if f.Excluded {
				f = &facts.Facts{} // which needs nothing there
			}
			if all == nil {
				all = &facts.Facts{}
			}
			all.BuildRequires = append(all.BuildRequires, f.BuildRequires...)
		}
		return all
	}
}

// For returns the metadata of the packages that an architecture has: its own and
// noarch ones; of a repository without any for it, all.
func (md *Metadata) For(arch string) *Metadata {
	if md == nil {
		return nil
	}
	of := func(b repodata.Built) bool { return b.Arch == arch }
	if !slices.ContainsFunc(md.Packages, of) {
		return md
	}
	out := &Metadata{}
	for _, b := range md.Packages {
		if of(b) || b.Arch == "noarch" {
			out.Packages = append(out.Packages, b)
		}
	}
	return out
}
