package plan

import (
	"cmp"
	"slices"
	"strings"

	"specgraft/fedora/macro"
	"specgraft/render/facts"
)

// A User is something that needs a package.
type User struct {
	Component   string `json:"component"`         // that has the requirement, "" when no component builds the package
	Package     string `json:"package,omitempty"` // "" for a build requirement
	Kind        string `json:"kind"`              // BuildRequires, Requires, Recommends and so on
	Requirement string `json:"requirement"`
	Provider    string `json:"provider"` // the package that is asked about
	Via         string `json:"via"`      // package, provides, file or metadata
	// Others are further packages that provide what is required.
	Others []string `json:"others"`
	// Architectures are those of a joined graph on which that is so.
	Architectures []string `json:"architectures,omitempty"`
}

// compare orders users by kind, component, package, requirement and provider.
func (u *User) compare(o *User) int {
	return cmp.Or(cmp.Compare(kindRank(u.Kind), kindRank(o.Kind)), strings.Compare(u.Component, o.Component),
		strings.Compare(u.Package, o.Package), strings.Compare(u.Requirement, o.Requirement), strings.Compare(u.Provider, o.Provider))
}

// WhatNeeds lists who needs a component, one of its packages, or anything that is
// provided under that name, directly and through what is provided. ok is false
// when there is no such thing. What needs it inside of the same component is left
// out.
func (g *Graph) WhatNeeds(name string) (users []User, ok bool) {
	if g.parts != nil {
		return g.joinedUsers(name)
	}
	s := g.search(name)
	if len(s.targets) == 0 && g.facts[name] == nil {
		return nil, false
	}
	for _, c := range g.Components {
		f := g.facts[c]
		if f == nil {
			continue
		}
		for _, text := range f.BuildRequires {
			s.add(c, "", "BuildRequires", text)
		}
		for i := range f.Packages {
			s.addNeeds(c, f.Packages[i].Name, f.Packages[i].Needs)
		}
	}
	if g.md != nil {
		for i := range g.md.Packages {
			p := &g.md.Packages[i]
			s.addNeeds(g.index.source[p.Name], p.Name, p.Needs)
		}
	}
	slices.SortStableFunc(s.users, func(a, b User) int { return a.compare(&b) })
	return s.users, true
}

// A search collects who needs what is asked about.
type search struct {
	g       *Graph
	name    string
	targets map[string]bool // packages that are asked about
	owner   string          // component that builds them, "" when a capability is asked about
	users   []User
}

// search finds out which packages a name means.
func (g *Graph) search(name string) *search {
	s := &search{g: g, name: name, targets: map[string]bool{}}
	if f := g.facts[name]; f != nil {
		s.owner = name
		for i := range f.Packages {
			s.targets[f.Packages[i].Name] = true
		}
		for pkg, component := range g.index.source {
			if component == name {
				s.targets[pkg] = true
			}
		}
	} else if component, there := g.index.source[name]; there {
		s.owner = component
		s.targets[name] = true
	} else {
		for _, p := range g.index.byName[name] {
			s.targets[p.pkg] = true
		}
	}
	return s
}

// addNeeds takes all that a package needs.
func (s *search) addNeeds(component, pkg string, needs map[string][]string) {
	for _, kind := range facts.NeedKinds {
		for _, text := range needs[kind] {
			s.add(component, pkg, kind, text)
		}
	}
}

// add takes one requirement.
func (s *search) add(component, pkg, kind, text string) {
	if component != "" && component == s.owner && (pkg == "" || s.targets[pkg] || s.g.facts[s.name] != nil) {
		return
	}
	if s.targets[pkg] {
		return
	}
	for _, d := range macro.ParseDependencies(text) {
		for _, w := range wanted(&d, nil) {
			if s.owner == "" && w.Name != s.name {
				continue
			}
			u, hit := s.g.user(w, s.targets)
			if !hit {
				continue
			}
			u.Component, u.Package, u.Kind, u.Requirement = component, pkg, kind, text
			if !slices.ContainsFunc(s.users, func(o User) bool { return o.compare(&u) == 0 }) {
				s.users = append(s.users, u)
			}
		}
	}
}

// user says how a requirement leads to one of the targets.
func (g *Graph) user(w *macro.Dependency, targets map[string]bool) (u User, hit bool) {
	list, _ := g.index.find(w)
	u.Others = []string{}
	for _, p := range list {
		switch {
		case targets[p.pkg] && !hit:
			u.Provider, u.Via, hit = p.pkg, p.via, true
		case !targets[p.pkg] && !slices.Contains(u.Others, p.pkg):
			u.Others = append(u.Others, p.pkg)
		}
	}
	slices.Sort(u.Others)
	return u, hit
}

func kindRank(kind string) int {
	if kind == "BuildRequires" {
		return -1
	}
	return slices.Index(facts.NeedKinds, kind)
}

// Names returns what WhatNeeds takes: components, packages and what is provided.
func (g *Graph) Names() []string {
	names := slices.Concat(g.Components, sortedKeys(g.index.byName))
	slices.Sort(names)
	return slices.Compact(names)
}
