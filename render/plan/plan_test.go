package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/fedora/repodata"
	"specgraft/render/facts"
)

// graphOf makes a graph in which component i needs those listed.
func graphOf(needs map[string][]string) *Graph {
	var list []facts.Component
	for _, name := range sortedKeys(needs) {
		list = append(list, facts.Component{Name: name, Facts: &facts.Facts{Name: name, EVR: "1-1", BuildRequires: needs[name],
			Packages: []facts.Package{{Name: name, EVR: "1-1"}}}})
	}
	return NewGraph(list, nil)
}

func all(g *Graph) map[string][]Reason {
	set := map[string][]Reason{}
	for _, c := range g.Components {
		set[c] = []Reason{{Kind: "named"}}
	}
	return set
}

func TestOrder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		needs  map[string][]string
		waves  [][]string
		cycles int
		path   []string
	}{
		{"chain", map[string][]string{"c": {"b"}, "b": {"a"}, "a": nil}, [][]string{{"a"}, {"b"}, {"c"}}, 0, []string{"a", "b", "c"}},
		{"diamond", map[string][]string{"d": {"b", "c"}, "b": {"a"}, "c": {"a"}, "a": nil}, [][]string{{"a"}, {"b", "c"}, {"d"}}, 0, []string{"a", "b", "d"}},
		{"alone", map[string][]string{"a": {"not-there"}, "b": nil}, [][]string{{"a", "b"}}, 0, []string{"a"}},
		{"itself", map[string][]string{"a": {"a"}}, [][]string{{"a"}}, 0, []string{"a"}},
		{"two", map[string][]string{"a": {"b"}, "b": {"a"}, "c": {"a"}}, [][]string{{"a"}, {"b", "c"}}, 1, []string{"a", "b"}},
		{"empty", map[string][]string{}, [][]string{}, 0, []string{}},
	} {
		p := graphOf(test.needs)
		got := p.Order("x86_64", all(p), nil)
		if d := cmp.Diff(test.waves, got.Waves); d != "" {
			t.Errorf("%s: waves (-want +got):\n%s", test.name, d)
		}
		if len(got.Cycles) != test.cycles {
			t.Errorf("%s: cycles %v", test.name, got.Cycles)
		}
		if d := cmp.Diff(test.path, got.Path); d != "" {
			t.Errorf("%s: path (-want +got):\n%s", test.name, d)
		}
	}
}

// randomNeeds makes a graph of n components; the fewer back edges, the fewer
// cycles.
func randomNeeds(r *rand.Rand, n int, back float64) map[string][]string {
	needs := map[string][]string{}
	name := func(i int) string { return fmt.Sprintf("c%03d", i) }
	for i := range n {
		needs[name(i)] = nil
		for range r.IntN(4) {
			j := r.IntN(n)
			if j > i && r.Float64() > back {
				i, j = j, i
			}
			needs[name(i)] = append(needs[name(i)], name(j))
		}
	}
	return needs
}

// TestOrderProperties holds the order of random graphs to what it promises: no
// component stands before one that it needs, the cut edges of cycles apart; every
// wave is full, so that there cannot be fewer; each cut edge is needed; and the
// order of the input does not count.
func TestOrderProperties(t *testing.T) {
	t.Parallel()
	cycles := 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		g := graphOf(randomNeeds(r, 1+r.IntN(60), []float64{0, 0.02, 0.3, 1}[seed%4]))
		p := g.Order("x86_64", all(g), nil)
		wave := map[string]int{}
		for i, names := range p.Waves {
			for _, n := range names {
				wave[n] = i
			}
			if !slices.IsSorted(names) {
				t.Fatalf("seed %d: wave %d is not sorted: %v", seed, i, names)
			}
		}
		if len(wave) != len(g.Components) {
			t.Fatalf("seed %d: %d of %d components are in waves", seed, len(wave), len(g.Components))
		}
		inCycle := map[string]int{}
		for i, c := range p.Cycles {
			cycles++
			for _, n := range c.Components {
				inCycle[n] = i + 1
			}
			for _, e := range c.Cut {
				if inCycle[e.From] != i+1 || inCycle[e.To] != i+1 {
					t.Fatalf("seed %d: the cut edge %s -> %s is not of its cycle %v", seed, e.From, e.To, c.Components)
				}
			}
		}
		full := map[string]int{} // the latest need of each
		for _, e := range p.Edges {
			if e.Cut {
				if inCycle[e.From] == 0 || inCycle[e.From] != inCycle[e.To] {
					t.Fatalf("seed %d: %s -> %s is cut without a cycle", seed, e.From, e.To)
				}
				continue
			}
			if wave[e.From] <= wave[e.To] {
				t.Fatalf("seed %d: %s is in wave %d, and needs %s in wave %d", seed, e.From, wave[e.From], e.To, wave[e.To])
			}
			full[e.From] = max(full[e.From], wave[e.To]+1)
		}
		for n, w := range wave {
			if w != full[n] {
				t.Fatalf("seed %d: %s is in wave %d, and could be in %d", seed, n, w, full[n])
			}
		}
		if len(p.Path) != len(p.Waves) {
			t.Fatalf("seed %d: the longest path has %d components in %d waves", seed, len(p.Path), len(p.Waves))
		}
		checkCuts(t, seed, p)
		again := NewGraph(shuffled(r, g), nil)
		if d := cmp.Diff(p, again.Order("x86_64", all(again), nil)); d != "" {
			t.Fatalf("seed %d: another order of the input (-want +got):\n%s", seed, d)
		}
	}
	if cycles < 100 {
		t.Errorf("only %d cycles were looked at", cycles)
	}
}

// checkCuts puts each cut edge back, which must close a circle.
func checkCuts(t *testing.T, seed uint64, p *Plan) {
	t.Helper()
	for _, c := range p.Cycles {
		if len(c.Cut) == 0 {
			t.Fatalf("seed %d: no edge of the cycle %v is cut", seed, c.Components)
		}
		for _, cut := range c.Cut {
			seen := map[string]bool{cut.To: true}
			work := []string{cut.To}
			for len(work) > 0 && !seen[cut.From] {
				v := work[0]
				work = work[1:]
				for _, e := range p.Edges {
					if e.From == v && !e.Cut && !seen[e.To] {
						seen[e.To] = true
						work = append(work, e.To)
					}
				}
			}
			if !seen[cut.From] {
				t.Fatalf("seed %d: %s -> %s is cut for nothing", seed, cut.From, cut.To)
			}
		}
	}
}

func shuffled(r *rand.Rand, g *Graph) []facts.Component {
	var list []facts.Component
	for _, c := range g.Components {
		list = append(list, facts.Component{Name: c, Facts: g.facts[c]})
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// TestOneCycle orders a graph that is all one cycle, and a long chain.
func TestOneCycle(t *testing.T) {
	t.Parallel()
	for _, closed := range []bool{true, false} {
		needs := map[string][]string{}
		const n = 5000
		for i := range n {
			needs[fmt.Sprintf("c%05d", i)] = []string{fmt.Sprintf("c%05d", i+1)}
		}
		needs[fmt.Sprintf("c%05d", n)] = nil
		if closed {
			needs[fmt.Sprintf("c%05d", n)] = []string{"c00000"}
		}
		g := graphOf(needs)
		p := g.Order("x86_64", all(g), nil)
		if closed != (len(p.Cycles) == 1) || len(p.Waves) != n+1 || closed && len(p.Cycles[0].Cut) != 1 {
			t.Errorf("closed %v: %d cycles, %d waves", closed, len(p.Cycles), len(p.Waves))
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	g := graphOf(map[string][]string{"a": nil, "b": {"a"}, "slow": nil, "c": {"b"}, "d": {"slow"}})
	p := g.Order("x86_64", all(g), map[string]float64{"a": 1, "b": 2, "slow": 100, "c": 3})
	if d := cmp.Diff([]string{"slow", "d"}, p.Path); d != "" || p.PathSeconds != 103 || p.Seconds != 109 {
		t.Errorf("the longest path takes %v s of %v s (-want +got):\n%s", p.PathSeconds, p.Seconds, d)
	}
}

func TestGrow(t *testing.T) {
	t.Parallel()
	g := graphOf(map[string][]string{"a": nil, "b": {"a"}, "c": {"b"}, "d": nil})
	for _, test := range []struct {
		all     bool
		changed map[string]map[string]bool
		want    []string
	}{
		{false, nil, []string{"a", "b"}},
		{true, nil, []string{"a", "b", "c"}},
		{true, map[string]map[string]bool{"a": {"a-other": true}}, []string{"a"}},
		{true, map[string]map[string]bool{"a": {"a": true}}, []string{"a", "b", "c"}},
	} {
		set := map[string][]Reason{"a": {{Kind: "changed"}}}
		g.Grow(set, test.changed, test.all)
		if d := cmp.Diff(test.want, sortedKeys(set)); d != "" {
			t.Errorf("%+v (-want +got):\n%s", test, d)
		}
	}
	set := map[string][]Reason{"a": {{Kind: "changed"}}}
	g.Grow(set, nil, true)
	if d := cmp.Diff([]Reason{{Kind: "needs", What: "b", Of: "b"}}, set["c"]); d != "" {
		t.Errorf("the reason (-want +got):\n%s", d)
	}
}

func TestEdges(t *testing.T) {
	t.Parallel()
	list := []facts.Component{
		{Name: "lib", Facts: &facts.Facts{Name: "lib", EVR: "2-1", Packages: []facts.Package{
			{Name: "lib", EVR: "2-1", Files: []string{"/usr/bin/lib"}},
			{Name: "lib-devel", EVR: "1:2-1", Provides: []string{"lib-static = 2", "virtual"}, Needs: map[string][]string{"Requires": {"lib = 2-1"}}}}}},
		{Name: "other", Facts: &facts.Facts{Name: "other", EVR: "1-1", Packages: []facts.Package{{Name: "other", EVR: "1-1", Provides: []string{"virtual"},
			Needs: map[string][]string{"Recommends": {"lib-devel >= 1:2"}}}}}},
		{Name: "user", Facts: &facts.Facts{Name: "user", EVR: "1-1", Packages: []facts.Package{{Name: "user", EVR: "1-1"}}, BuildRequires: []string{
			"lib-devel(x86-64) >= 1:2", "/usr/bin/lib", "virtual", "(gone or lib-static)", "(lib if lacking)", "lib-static >= 3",
			"lib-devl", "user", "pkgconfig(lib)"}}},
		{Name: "arm", Facts: &facts.Facts{Name: "arm", Excluded: true, BuildRequires: []string{"lib"}}},
	}
	md := &Metadata{Packages: []repodata.Built{
		{Name: "lib-devel", EVR: "1:1-1", Source: "lib-1-1.src.rpm", Provides: []string{"pkgconfig(lib) = 1", "lib-static = 1"}},
		{Name: "foreign", EVR: "1-1", Source: "foreign-1-1.src.rpm", Needs: map[string][]string{"Requires": {"pkgconfig(lib)"}}},
	}}
	g := NewGraph(list, md)
	want := []Edge{
		{From: "user", To: "lib", Needs: []Need{
			{Requirement: "lib-devel(x86-64) >= 1:2", Package: "lib-devel", Via: "package"},
			{Requirement: "/usr/bin/lib", Package: "lib", Via: "file"},
			{Requirement: "virtual", Package: "lib-devel", Via: "provides"},
			{Requirement: "(gone or lib-static)", Package: "lib-devel", Via: "provides"},
			{Requirement: "(lib if lacking)", Package: "lib", Via: "package"},
			{Requirement: "lib-static >= 3", Package: "lib-devel", Via: "provides", Unsatisfied: true},
			{Requirement: "pkgconfig(lib)", Package: "lib-devel", Via: "metadata"},
		}},
		{From: "user", To: "other", Needs: []Need{{Requirement: "virtual", Package: "other", Via: "provides"}}},
	}
	if d := cmp.Diff(want, g.Edges); d != "" {
		t.Errorf("edges (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]Missing{{Component: "user", Requirement: "lib-devl", Nearest: []string{"lib-devel"}}}, g.Missing); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
	users, ok := g.WhatNeeds("lib-devel")
	var got []string
	for _, u := range users {
		got = append(got, fmt.Sprintf("%s/%s %s %s via %s %v", u.Component, u.Package, u.Kind, u.Requirement, u.Via, u.Others))
	}
	if d := cmp.Diff([]string{
		"user/ BuildRequires (gone or lib-static) via provides []",
		"user/ BuildRequires lib-devel(x86-64) >= 1:2 via package []",
		"user/ BuildRequires lib-static >= 3 via provides []",
		"user/ BuildRequires pkgconfig(lib) via metadata []",
		"user/ BuildRequires virtual via provides [other]",
		"/foreign Requires pkgconfig(lib) via metadata []",
		"other/other Recommends lib-devel >= 1:2 via package []",
	}, got); d != "" || !ok {
		t.Errorf("what needs lib-devel (-want +got):\n%s", d)
	}
	if _, ok := g.WhatNeeds("nothing"); ok {
		t.Error("something needs what is not there")
	}
	if users, ok := g.WhatNeeds("other"); !ok || len(users) != 1 {
		t.Errorf("what needs other: %v", users)
	}
	p := g.Order("x86_64", all(g), nil)
	if d := cmp.Diff([]Skip{{"arm", "it is not built on x86_64"}}, p.Skipped); d != "" {
		t.Errorf("skipped (-want +got):\n%s", d)
	}
}
