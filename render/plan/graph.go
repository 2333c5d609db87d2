// Package plan finds out what has to be built of a distribution, and in which
// order.
//
// A Graph has the components as nodes; an edge says that one build-requires
// something of another. What a component builds and needs comes from its rendered
// spec, evaluated without running it; what only shows in built packages, such as
// pkgconfig() and sonames, from the metadata of a repository that has them.
//
// A Plan is a set of components in waves: whatever is in one wave can be built at
// once when the waves before are built. Nothing is built here: the plan is written
// in the language of an engine that does.
package plan

import (
	"cmp"
	"slices"
	"strings"

	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/render/facts"
)

// An Edge says that a component build-requires something of another one.
type Edge struct {
	From string `json:"from"` // who needs
	To   string `json:"to"`   // what is needed
	// Needs are the requirements behind it, in the order of the spec.
	Needs []Need `json:"needs"`
	// Suggest is a setting of the needing component under which the edge is not
	// there, such as "with bootstrap"; "" when none was found.
	Suggest string `json:"suggest,omitempty"`
	// Architectures are those of a joined graph on which the edge is.
	Architectures []string `json:"architectures,omitempty"`
}

// A Need is a requirement and what provides it.
type Need struct {
	Requirement string `json:"requirement"`
	Package     string `json:"package"` // that provides it
	// Via says how: "package" by its name, "provides" by a Provides of the spec,
	// "file" by %files of the spec, "metadata" by that of a repository.
	Via string `json:"via"`
	// Unsatisfied says that the version is not the required one.
	Unsatisfied bool `json:"unsatisfied,omitempty"`
	// Architectures are those of a joined graph on which it is needed.
	Architectures []string `json:"architectures,omitempty"`
}

// A Missing is a requirement that nothing provides.
type Missing struct {
	Component   string   `json:"component"`
	Requirement string   `json:"requirement"`
	Nearest     []string `json:"nearest"`
	// Architectures are those of a joined graph on which it is missing.
	Architectures []string `json:"architectures,omitempty"`
}

// A Graph is what components need of each other on one architecture.
type Graph struct {
	Components []string // sorted
	Edges      []Edge   // by From, then To
	Missing    []Missing

	facts map[string]*facts.Facts
	out   map[string][]int // edges by From
	in    map[string][]int // edges by To
	index *providers
	md    *Metadata

	// of a joined graph
	arches []string
	parts  []*Graph
}

// A provider is a package that provides a name in one version.
type provider struct {
	component, pkg string
	version        string // provided version, "" for none
	via            string
}

// providers finds packages by what they provide.
type providers struct {
	byName map[string][]provider
	source map[string]string // binary package: component
}

// NewGraph joins components by their build requirements. md may be nil. Components
// that are excluded from the architecture have no edges.
func NewGraph(list []facts.Component, md *Metadata) *Graph {
	g := &Graph{md: md, facts: map[string]*facts.Facts{}, out: map[string][]int{}, in: map[string][]int{},
		index: &providers{byName: map[string][]provider{}, source: map[string]string{}}}
	for _, c := range list {
		g.Components = append(g.Components, c.Name)
		g.facts[c.Name] = c.Facts
	}
	slices.Sort(g.Components)
	for _, name := range g.Components {
		g.index.addComponent(name, g.facts[name])
	}
	g.index.addMetadata(g, md)
	var near *nearest
	for _, name := range g.Components {
		f := g.facts[name]
		if f == nil || f.Excluded {
			continue
		}
		edges := map[string]*Edge{}
		for _, text := range f.BuildRequires {
			for _, d := range macro.ParseDependencies(text) {
				for _, m := range g.connect(name, text, &d, edges) {
					if near == nil {
						near = newNearest(g.index.byName)
					}
					g.Missing = append(g.Missing, Missing{Component: name, Requirement: m, Nearest: near.find(m)})
				}
			}
		}
		for _, to := range sortedKeys(edges) {
			g.out[name] = append(g.out[name], len(g.Edges))
			g.in[to] = append(g.in[to], len(g.Edges))
			g.Edges = append(g.Edges, *edges[to])
		}
	}
	return g
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// wanted returns the single dependencies of d that have to be there for it: not
// the conditions of a rich one. Of alternatives all count.
func wanted(d *macro.Dependency, out []*macro.Dependency) []*macro.Dependency {
	if !d.Rich() {
		return append(out, d)
	}
	for i := range d.Operands {
		switch {
		case i == 1 && (d.Op == "if" || d.Op == "unless" || d.Op == "without"):
		default:
			out = wanted(&d.Operands[i], out)
		}
	}
	return out
}

// connect adds the edges of one requirement, and returns what nothing provides. Of
// alternatives it is enough that one is provided.
func (g *Graph) connect(name, text string, d *macro.Dependency, edges map[string]*Edge) []string {
	var missing []string
	found := false
	for _, w := range wanted(d, nil) {
		if strings.HasPrefix(w.Name, "rpmlib(") {
			found = true
			continue
		}
		list, satisfied := g.index.find(w)
		if len(list) == 0 {
			missing = append(missing, w.String())
			continue
		}
		found = true
		for _, p := range list {
			if p.component == name || p.component == "" {
				continue // of its own, or of a package that no component builds
			}
			e := edges[p.component]
			if e == nil {
				e = &Edge{From: name, To: p.component}
				edges[p.component] = e
			}
			n := Need{Requirement: text, Package: p.pkg, Via: p.via, Unsatisfied: !satisfied}
			if !slices.ContainsFunc(e.Needs, func(m Need) bool { return m.same(&n) }) {
				e.Needs = append(e.Needs, n)
			}
		}
	}
	if found && anyOf(d) {
		return nil
	}
	return missing
}

// anyOf reports whether one operand is enough.
func anyOf(d *macro.Dependency) bool { return d.Op == "or" }

func (x *providers) add(name string, p provider) {
	list := x.byName[name]
	if !slices.Contains(list, p) {
		x.byName[name] = append(list, p)
	}
}

// addComponent adds what the spec of a component says its packages provide.
func (x *providers) addComponent(component string, f *facts.Facts) {
	if f == nil || f.Excluded {
		return
	}
	for i := range f.Packages {
		p := &f.Packages[i]
		x.source[p.Name] = component
		x.add(p.Name, provider{component, p.Name, p.EVR, "package"})
		for _, text := range p.Provides {
			for _, d := range macro.ParseDependencies(text) {
				x.add(d.Name, provider{component, p.Name, d.Version, "provides"})
			}
		}
		for _, file := range p.Files {
			x.add(file, provider{component, p.Name, "", "file"})
		}
	}
}

// addMetadata adds what built packages provide. They belong to the component that
// builds a package of their name, or that is called as their source package is.
func (x *providers) addMetadata(g *Graph, md *Metadata) {
	if md == nil {
		return
	}
	bySource := map[string]string{}
	for _, name := range g.Components {
		if f := g.facts[name]; f != nil && f.Name != "" {
			bySource[f.Name] = name
		}
	}
	for i := range md.Packages {
		p := &md.Packages[i]
		component := x.source[p.Name]
		if component == "" {
			component = bySource[sourceName(p.Source)]
		}
		if x.source[p.Name] == "" {
			x.source[p.Name] = component
			x.add(p.Name, provider{component, p.Name, p.EVR, "metadata"})
		}
		own := component != "" && g.facts[component] != nil
		for _, text := range p.Provides {
			name, version := splitProvide(text)
			if name == p.Name {
				continue
			}
			if own && slices.ContainsFunc(x.byName[name], func(q provider) bool { return q.pkg == p.Name && q.via != "metadata" }) {
				continue // the spec says so, in the version that it builds now
			}
			x.add(name, provider{component, p.Name, version, "metadata"})
		}
		for _, file := range p.Files {
			if !slices.ContainsFunc(x.byName[file], func(q provider) bool { return q.pkg == p.Name }) {
				x.add(file, provider{component, p.Name, "", "metadata"})
			}
		}
	}
}

// splitProvide splits "name = version".
func splitProvide(s string) (name, version string) {
	name, rest, ok := strings.Cut(s, " ")
	if !ok {
		return s, ""
	}
	_, version, _ = strings.Cut(rest, " ")
	return name, version
}

// sourceName returns the name in the file name of a source package.
func sourceName(file string) string {
	s := strings.TrimSuffix(strings.TrimSuffix(file, ".rpm"), ".src")
	for range 2 {
		if i := strings.LastIndexByte(s, '-'); i > 0 {
			s = s[:i]
		}
	}
	return s
}

// find returns who provides a dependency. When nobody does in the wanted version,
// those with another one come back, and satisfied is false.
func (x *providers) find(d *macro.Dependency) (list []provider, satisfied bool) {
	all := x.byName[d.Name]
	if len(all) == 0 && strings.HasSuffix(d.Name, ")") {
		// name(x86-64) is what every package provides for its architecture
		if i := strings.LastIndexByte(d.Name, '('); i > 0 && isISA(d.Name[i+1:len(d.Name)-1]) {
			all = x.byName[d.Name[:i]]
		}
	}
	for _, p := range all {
		if d.Compare == "" || p.version != "" && overlaps(d.Compare, d.Version, p.version) {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return all, len(all) == 0
	}
	return list, true
}

// isISA reports whether the text in parentheses names an architecture, as
// %{?_isa} does.
func isISA(s string) bool {
	name, bits, ok := strings.Cut(s, "-")
	return ok && name != "" && (bits == "64" || bits == "32")
}

// overlaps reports whether a provided version is one that is wanted. Where one of
// the two has no release, releases do not count, as in rpm.
func overlaps(compare, want, have string) bool {
	a, b := parseEVR(have), parseEVR(want)
	if a.Release == "" || b.Release == "" {
		a.Release, b.Release = "", ""
	}
	switch c := a.Compare(b); compare {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case "=":
		return c == 0
	case ">=":
		return c >= 0
	case ">":
		return c > 0
	}
	return true
}

// A nearest finds names that were meant by one that nothing provides. Names are
// compared with those that begin alike.
type nearest struct {
	alike map[string][]string
	known map[string][]string
}

func newNearest(names map[string][]provider) *nearest {
	n := &nearest{alike: map[string][]string{}, known: map[string][]string{}}
	for _, name := range sortedKeys(names) {
		n.alike[beginning(name)] = append(n.alike[beginning(name)], name)
	}
	return n
}

// beginning returns what names that are compared have in common: all before the
// parenthesis and a letter, or two letters.
func beginning(name string) string {
	i := strings.IndexByte(name, '(') // -1 for a plain name
	return name[:min(len(name), max(2, i+2))]
}

// find returns up to three names.
func (n *nearest) find(requirement string) []string {
	name, _, _ := strings.Cut(requirement, " ")
	if near, there := n.known[name]; there {
		return near
	}
	out := []string{}
	alike := n.alike[beginning(name)]
	if c := diag.Nearest(name, alike); c != "" {
		out = append(out, c)
	}
	var likely []string
	for _, c := range alike {
		if d := len(c) - len(name); d >= -4 && d <= 7 && (strings.HasPrefix(c, name) || strings.HasPrefix(name, c)) {
			likely = append(likely, c)
		}
	}
	slices.SortStableFunc(likely, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	for _, c := range likely {
		if len(out) < 3 && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	n.known[name] = out
	return out
}

// Facts returns what is known of a component, nil for nothing.
func (g *Graph) Facts(component string) *facts.Facts { return g.facts[component] }

// Dependants returns the edges that lead to a component.
func (g *Graph) Dependants(component string) []Edge { return g.edges(g.in[component]) }

// Dependencies returns the edges that leave a component.
func (g *Graph) Dependencies(component string) []Edge { return g.edges(g.out[component]) }

func (g *Graph) edges(at []int) []Edge {
	out := make([]Edge, len(at))
	for i, e := range at {
		out[i] = g.Edges[e]
	}
	return out
}

// ComponentOf returns the component that builds a binary package, "" for none.
func (g *Graph) ComponentOf(pkg string) string { return g.index.source[pkg] }
