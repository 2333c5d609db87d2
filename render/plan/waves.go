package plan

import (
	"cmp"
	"slices"
)

// A Step is a component in a plan.
type Step struct {
	Component string `json:"component"`
	Wave      int    `json:"wave"` // from 1 on
	// Reasons say why the component is in the plan, the first one first.
	Reasons []Reason `json:"reasons"`
	// After are the components of the plan that have to be built before it.
	After []string `json:"after"`
	// Seconds is how long the build takes, as far as --times says so.
	Seconds float64 `json:"seconds,omitempty"`
	// Architectures are those of the plan on which it is built.
	Architectures []string `json:"architectures,omitempty"`
}

// A Reason says why a component is in a plan.
type Reason struct {
	Kind string `json:"kind"` // named, added, changed, removed-dependency or needs
	// What changed, or for "needs" the requirement.
	What string `json:"what,omitempty"`
	// Of is the component whose rebuild is the reason.
	Of string `json:"of,omitempty"`
}

// A Plan is what to build in which order.
type Plan struct {
	Arch  string `json:"arch"`           // several are separated by commas
	From  string `json:"from,omitempty"` // commits that were compared
	To    string `json:"to,omitempty"`
	Steps []Step `json:"steps"` // by wave, then name

	Waves  [][]string `json:"waves"`  // names of the components by wave
	Width  int        `json:"width"`  // of the largest wave
	Cycles []Cycle    `json:"cycles"` // of components in the plan
	// Path is the longest chain, by the seconds of its components or, without
	// times, by their number.
	Path        []string `json:"path"`
	PathSeconds float64  `json:"pathSeconds,omitempty"`
	Seconds     float64  `json:"seconds,omitempty"` // of all builds together

	Removed []string   `json:"removed"` // components that are gone
	Skipped []Skip     `json:"skipped"` // that would be in the plan, and are not built
	Missing []Missing  `json:"missing"` // requirements of the steps that nothing provides
	Edges   []PlanEdge `json:"edges"`   // between the steps
}

// A Skip is a component that cannot be planned.
type Skip struct {
	Component string `json:"component"`
	Reason    string `json:"reason"`
}

// A PlanEdge is an edge between two steps.
type PlanEdge struct {
	Edge
	Cut bool `json:"cut,omitempty"` // left out of the order
}

// Order puts components into the fewest waves in which each is built behind those
// it needs. Of cycles the edges with the least cost are left out: one that
// suggests a bootstrap costs less. times has the seconds of builds; components
// that are not in it take the middle one of the others.
func (g *Graph) Order(arch string, set map[string][]Reason, times map[string]float64) *Plan {
	p := &Plan{Arch: arch, Steps: []Step{}, Waves: [][]string{}, Cycles: []Cycle{}, Path: []string{}, Removed: []string{},
		Skipped: []Skip{}, Missing: []Missing{}, Edges: []PlanEdge{}}
	var names []string
	for _, name := range g.Components {
		reasons, in := set[name]
		if !in {
			continue
		}
		switch f := g.facts[name]; {
		case f == nil:
			p.Skipped = append(p.Skipped, Skip{name, "it cannot be rendered"})
		case f.Excluded:
			p.Skipped = append(p.Skipped, Skip{name, "it is not built on " + arch})
		default:
			names = append(names, name)
			p.Steps = append(p.Steps, Step{Component: name, Reasons: reasons, After: []string{}, Seconds: times[name],
				Architectures: g.builtOn(name)})
		}
	}
	number := make(map[string]int, len(names))
	for i, n := range names {
		number[n] = i
	}
	d := &digraph{needs: make([][]int, len(names))}
	suggest := map[[2]int]string{}
	for i, name := range names {
		for _, e := range g.Dependencies(name) {
			if to, in := number[e.To]; in {
				d.needs[i] = append(d.needs[i], to)
				suggest[[2]int{i, to}] = e.Suggest
				p.Edges = append(p.Edges, PlanEdge{Edge: e})
			}
		}
	}
	gone := map[[2]int]bool{}
	for _, scc := range d.components(nil) {
		if len(scc) < 2 {
			continue
		}
		c := Cycle{Cut: []Edge{}}
		for _, v := range scc {
			c.Components = append(c.Components, names[v])
		}
		for _, e := range d.cuts(scc, func(from, to int) int {
			if suggest[[2]int{from, to}] != "" {
				return 1
			}
			return 16
		}) {
			gone[e] = true
			c.Cut = append(c.Cut, g.edge(names[e[0]], names[e[1]]))
		}
		p.Cycles = append(p.Cycles, c)
	}
	slices.SortFunc(p.Cycles, func(a, b Cycle) int { return slices.Compare(a.Components, b.Components) })
	for i := range p.Edges {
		e := &p.Edges[i]
		e.Cut = gone[[2]int{number[e.From], number[e.To]}]
	}
	p.layer(d, gone, times)
	for _, m := range g.Missing {
		if _, in := number[m.Component]; in {
			p.Missing = append(p.Missing, m)
		}
	}
	return p
}

func (g *Graph) edge(from, to string) Edge {
	for _, e := range g.Dependencies(from) {
		if e.To == to {
			return e
		}
	}
	return Edge{From: from, To: to}
}

// layer numbers the waves and finds the longest path. The edges that are left make
// no cycle.
func (p *Plan) layer(d *digraph, gone map[[2]int]bool, times map[string]float64) {
	alive := func(from, to int) bool { return !gone[[2]int{from, to}] }
	usual := middle(times)
	type way struct {
		seconds float64
		before  int // -1 for none
	}
	ways := make([]way, len(p.Steps))
	longest := -1
	for _, scc := range d.components(alive) { // each behind what it needs
		for _, v := range scc {
			s := &p.Steps[v]
			s.Wave = 1
			ways[v].before = -1
			for _, to := range d.needs[v] {
				if !alive(v, to) {
					continue
				}
				s.After = append(s.After, p.Steps[to].Component)
				s.Wave = max(s.Wave, p.Steps[to].Wave+1)
				if before := ways[v].before; before < 0 || ways[to].seconds > ways[before].seconds {
					ways[v].before = to
				}
			}
			slices.Sort(s.After)
			weight := 1.0
			if len(times) > 0 {
				if weight = s.Seconds; weight == 0 {
					weight = usual
				}
				s.Seconds = weight
				p.Seconds += weight
			}
			ways[v].seconds = weight
			if b := ways[v].before; b >= 0 {
				ways[v].seconds += ways[b].seconds
			}
		}
	}
	for v := range p.Steps {
		if longest < 0 || ways[v].seconds > ways[longest].seconds {
			longest = v
		}
	}
	if longest >= 0 && len(times) > 0 {
		p.PathSeconds = ways[longest].seconds
	}
	for v := longest; v >= 0; v = ways[v].before {
		p.Path = append(p.Path, p.Steps[v].Component)
	}
	slices.Reverse(p.Path)
	slices.SortFunc(p.Steps, func(a, b Step) int {
		return cmp.Or(cmp.Compare(a.Wave, b.Wave), cmp.Compare(a.Component, b.Component))
	})
	for _, s := range p.Steps {
		if s.Wave > len(p.Waves) {
			p.Waves = append(p.Waves, nil)
		}
		p.Waves[s.Wave-1] = append(p.Waves[s.Wave-1], s.Component)
	}
	for _, w := range p.Waves {
		p.Width = max(p.Width, len(w))
	}
}

// middle returns the middle one of the values, 0 for none.
func middle(times map[string]float64) float64 {
	var list []float64
	for _, t := range times {
		list = append(list, t)
	}
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2]
}

// Grow adds to a set the components that build-require something of those in it,
// directly or, with all, at any distance. changed has the packages that changed of
// a component where it is not all of them.
func (g *Graph) Grow(set map[string][]Reason, changed map[string]map[string]bool, all bool) {
	work := sortedKeys(set)
	for len(work) > 0 {
		var next []string
		for _, name := range work {
			for _, e := range g.Dependants(name) {
				need := slices.IndexFunc(e.Needs, func(n Need) bool { return changed[name] == nil || changed[name][n.Package] })
				if need < 0 {
					continue
				}
				if _, in := set[e.From]; in {
					continue
				}
				set[e.From] = []Reason{{Kind: "needs", What: e.Needs[need].Requirement, Of: name}}
				next = append(next, e.From)
			}
		}
		if !all {
			return
		}
		slices.Sort(next)
		work = next
	}
}
