// Package report lays out an evaluated spec for a reader: what 'specgraft query'
// prints, as text and as JSON, and what differs between two evaluations.
package report

import (
	"go/token"

	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
)

// A Report is a spec for a reader: what `specgraft query` prints. In JSON a
// value that is not known is absent; Unknown says why.
type Report struct {
	Spec     string `json:"spec"`
	Arch     string `json:"arch"`
	Name     string `json:"name,omitempty"`
	Epoch    string `json:"epoch,omitempty"`
	Version  string `json:"version,omitempty"`
	Release  string `json:"release,omitempty"`
	Accepted bool   `json:"accepted"` // whether rpm would take the spec

	Packages   []Package   `json:"packages"`
	Sources    []Source    `json:"sources"`
	Patches    []Source    `json:"patches"`
	Bconds     []Bcond     `json:"bconds"`
	Scriptlets []Scriptlet `json:"scriptlets"`
	Macros     []Macro     `json:"macros"`
	Unknown    []Unknown   `json:"unknown"`
	Problems   []Problem   `json:"problems"`
}

// A Package is one package: its tags, and the dependencies among them
// one by one.
type Package struct {
	Name          string       `json:"name,omitempty"`
	Epoch         string       `json:"epoch,omitempty"`
	Version       string       `json:"version,omitempty"`
	Release       string       `json:"release,omitempty"`
	Position      string       `json:"position"`
	Conditional   bool         `json:"conditional,omitempty"` // under a condition that is not known
	Tags          []Tag        `json:"tags"`
	Provides      []Dependency `json:"provides,omitempty"`
	Requires      []Dependency `json:"requires,omitempty"`
	BuildRequires []Dependency `json:"buildrequires,omitempty"`
	Others        []Dependency `json:"dependencies,omitempty"` // all other kinds
}

// A Tag is a tag that is no dependency.
type Tag struct {
	Name        string  `json:"name"`
	Arg         string  `json:"arg,omitempty"`
	Value       *string `json:"value,omitempty"`
	Position    string  `json:"position"`
	Conditional bool    `json:"conditional,omitempty"`
}

// A Dependency is one dependency.
type Dependency struct {
	Kind        string  `json:"kind"`
	Qualifier   string  `json:"qualifier,omitempty"`
	Value       *string `json:"value,omitempty"`
	Position    string  `json:"position"`
	Conditional bool    `json:"conditional,omitempty"`
}

// A Source is a Source or Patch.
type Source struct {
	Number      int     `json:"number"`
	Value       *string `json:"value,omitempty"`
	Name        string  `json:"name,omitempty"`
	Position    string  `json:"position"`
	Conditional bool    `json:"conditional,omitempty"`
}

// A Bcond is a build conditional; a nil bool is not known.
type Bcond struct {
	Name     string `json:"name"`
	Default  *bool  `json:"default,omitempty"`
	Value    *bool  `json:"value,omitempty"`
	Position string `json:"position"`
}

// A Scriptlet is a script that runs at build or installation time.
type Scriptlet struct {
	Name     string  `json:"name"`
	Package  string  `json:"package,omitempty"`
	Args     string  `json:"args,omitempty"`
	Text     *string `json:"text,omitempty"`
	Position string  `json:"position"`
}

// A Macro is a definition in the spec.
type Macro struct {
	Name     string  `json:"name"`
	Kind     string  `json:"kind"` // define, global, undefine
	Options  *string `json:"options,omitempty"`
	Body     *string `json:"body,omitempty"`
	Position string  `json:"position"`
}

// An Unknown says what is not known and why.
type Unknown struct {
	Field    string `json:"field"`
	Position string `json:"position"`
	Reason   string `json:"reason"`
}

// A Problem is something that is wrong with the spec.
type Problem struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
	Position string `json:"position"`
}

// New lays out a spec for a reader. name and arch are what it was evaluated as.
func New(s *macro.Spec, name, arch string) *Report {
	if arch == "" {
		arch = "x86_64"
	}
	r := &Report{Spec: name, Arch: arch, Accepted: s.Rejected() == nil,
		Name: known(s.Name), Epoch: known(s.Epoch), Version: known(s.Version), Release: known(s.Release),
		Packages: []Package{}, Sources: sources(s.Sources), Patches: sources(s.Patches),
		Bconds: []Bcond{}, Scriptlets: []Scriptlet{}, Macros: []Macro{},
		Unknown: []Unknown{}, Problems: []Problem{}}
	for i := range s.Packages {
		r.Packages = append(r.Packages, newPackage(s, i))
	}
	for _, b := range s.Bconds {
		r.Bconds = append(r.Bconds, Bcond{b.Name, flag(b.Default), flag(b.Value), place(b.Pos)})
	}
	for _, x := range s.Sections {
		switch x.Name {
		case "description", "files", "changelog", "sourcelist", "patchlist":
			continue
		}
		r.Scriptlets = append(r.Scriptlets, Scriptlet{x.Name, known(x.Package), x.Args, text(x.Text), place(x.Pos)})
	}
	for _, m := range s.Macros {
		d := Macro{Name: m.Name, Kind: "define", Position: place(m.Pos)}
		switch {
		case m.Undef:
			d.Kind = "undefine"
		case m.Global:
			d.Kind = "global"
		}
		if m.Param {
			d.Options = &m.Opts
		}
		if !m.Undef {
			d.Body = text(m.Body)
		}
		r.Macros = append(r.Macros, d)
	}
	for _, u := range s.Unknown {
		r.Unknown = append(r.Unknown, Unknown{u.Field, place(u.Pos), u.Reason})
	}
	for _, d := range s.Problems {
		r.Problems = append(r.Problems, Problem{d.Severity.String(), d.Code, d.Message, d.Hint, place(d.Pos)})
	}
	return r
}

func place(p token.Position) string { return diag.Position(p) }

func known(v macro.Value) string {
	if v.Known {
		return v.Text
	}
	return ""
}

// text returns the text of a known value, else nil.
func text(v macro.Value) *string {
	if !v.Known {
		return nil
	}
	return &v.Text
}

func flag(v macro.Value) *bool {
	if !v.Known {
		return nil
	}
	b := v.Text != "0"
	return &b
}

func sources(list []macro.Source) []Source {
	out := make([]Source, len(list))
	for i, s := range list {
		out[i] = Source{s.Number, text(s.Value), s.Name, place(s.Pos), s.Maybe}
	}
	return out
}

func newPackage(s *macro.Spec, i int) Package {
	p := &s.Packages[i]
	r := Package{Name: known(p.Name), Position: place(p.Pos), Conditional: p.Maybe, Tags: []Tag{}}
	evr := func(name string, main macro.Value) string {
		for _, t := range p.Tags {
			if t.Name == name && i > 0 {
				return known(t.Value)
			}
		}
		return known(main)
	}
	r.Epoch, r.Version, r.Release = evr("Epoch", s.Epoch), evr("Version", s.Version), evr("Release", s.Release)
	for _, t := range p.Tags {
		if !macro.IsDependency(t.Name) {
			r.Tags = append(r.Tags, Tag{t.Name, t.Arg, text(t.Value), place(t.Pos), t.Maybe})
			continue
		}
		list := &r.Others
		switch t.Name {
		case "Provides":
			list = &r.Provides
		case "Requires":
			list = &r.Requires
		case "BuildRequires":
			list = &r.BuildRequires
		}
		if !t.Value.Known {
			*list = append(*list, Dependency{t.Name, t.Arg, nil, place(t.Pos), t.Maybe})
			continue
		}
		for _, d := range macro.Dependencies(t.Value.Text) {
			*list = append(*list, Dependency{t.Name, t.Arg, &d, place(t.Pos), t.Maybe})
		}
	}
	return r
}
