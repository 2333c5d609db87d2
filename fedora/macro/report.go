package macro

import (
	"fmt"
	"go/token"
	"io"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
)

// A Report is a Spec for a reader: what `specgraft query` prints. In JSON a
// value that is not known is absent; Unknown says why.
type Report struct {
	Spec     string `json:"spec"`
	Arch     string `json:"arch"`
	Name     string `json:"name,omitempty"`
	Epoch    string `json:"epoch,omitempty"`
	Version  string `json:"version,omitempty"`
	Release  string `json:"release,omitempty"`
	Accepted bool   `json:"accepted"` // whether rpm would take the spec

	Packages   []PackageReport   `json:"packages"`
	Sources    []SourceReport    `json:"sources"`
	Patches    []SourceReport    `json:"patches"`
	Bconds     []BcondReport     `json:"bconds"`
	Scriptlets []ScriptletReport `json:"scriptlets"`
	Macros     []MacroReport     `json:"macros"`
	Unknown    []UnknownReport   `json:"unknown"`
	Problems   []ProblemReport   `json:"problems"`
}

// A PackageReport is one package: its tags, and the dependencies among them
// one by one.
type PackageReport struct {
	Name          string             `json:"name,omitempty"`
	Epoch         string             `json:"epoch,omitempty"`
	Version       string             `json:"version,omitempty"`
	Release       string             `json:"release,omitempty"`
	Position      string             `json:"position"`
	Conditional   bool               `json:"conditional,omitempty"` // under a condition that is not known
	Tags          []TagReport        `json:"tags"`
	Provides      []DependencyReport `json:"provides,omitempty"`
	Requires      []DependencyReport `json:"requires,omitempty"`
	BuildRequires []DependencyReport `json:"buildrequires,omitempty"`
	Others        []DependencyReport `json:"dependencies,omitempty"` // all other kinds
}

// A TagReport is a tag that is no dependency.
type TagReport struct {
	Name        string  `json:"name"`
	Arg         string  `json:"arg,omitempty"`
	Value       *string `json:"value,omitempty"`
	Position    string  `json:"position"`
	Conditional bool    `json:"conditional,omitempty"`
}

// A DependencyReport is one dependency.
type DependencyReport struct {
	Kind        string  `json:"kind"`
	Qualifier   string  `json:"qualifier,omitempty"`
	Value       *string `json:"value,omitempty"`
	Position    string  `json:"position"`
	Conditional bool    `json:"conditional,omitempty"`
}

// A SourceReport is a Source or Patch.
type SourceReport struct {
	Number      int     `json:"number"`
	Value       *string `json:"value,omitempty"`
	Name        string  `json:"name,omitempty"`
	Position    string  `json:"position"`
	Conditional bool    `json:"conditional,omitempty"`
}

// A BcondReport is a build conditional; a nil bool is not known.
type BcondReport struct {
	Name     string `json:"name"`
	Default  *bool  `json:"default,omitempty"`
	Value    *bool  `json:"value,omitempty"`
	Position string `json:"position"`
}

// A ScriptletReport is a script that runs at build or installation time.
type ScriptletReport struct {
	Name     string  `json:"name"`
	Package  string  `json:"package,omitempty"`
	Args     string  `json:"args,omitempty"`
	Text     *string `json:"text,omitempty"`
	Position string  `json:"position"`
}

// A MacroReport is a definition in the spec.
type MacroReport struct {
	Name     string  `json:"name"`
	Kind     string  `json:"kind"` // define, global, undefine
	Options  *string `json:"options,omitempty"`
	Body     *string `json:"body,omitempty"`
	Position string  `json:"position"`
}

// An UnknownReport says what is not known and why.
type UnknownReport struct {
	Field    string `json:"field"`
	Position string `json:"position"`
	Reason   string `json:"reason"`
}

// A ProblemReport is something that is wrong with the spec.
type ProblemReport struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
	Position string `json:"position"`
}

// Report lays out the spec for a reader. name and arch are what it was
// evaluated as.
func (s *Spec) Report(name, arch string) *Report {
	if arch == "" {
		arch = "x86_64"
	}
	r := &Report{Spec: name, Arch: arch, Accepted: s.Rejected() == nil,
		Name: known(s.Name), Epoch: known(s.Epoch), Version: known(s.Version), Release: known(s.Release),
		Packages: []PackageReport{}, Sources: sourceReports(s.Sources), Patches: sourceReports(s.Patches),
		Bconds: []BcondReport{}, Scriptlets: []ScriptletReport{}, Macros: []MacroReport{},
		Unknown: []UnknownReport{}, Problems: []ProblemReport{}}
	for i := range s.Packages {
		r.Packages = append(r.Packages, s.packageReport(i))
	}
	for _, b := range s.Bconds {
		r.Bconds = append(r.Bconds, BcondReport{b.Name, flag(b.Default), flag(b.Value), place(b.Pos)})
	}
	for _, x := range s.Sections {
		switch x.Name {
		case "description", "files", "changelog", "sourcelist", "patchlist":
			continue
		}
		r.Scriptlets = append(r.Scriptlets, ScriptletReport{x.Name, known(x.Package), x.Args, text(x.Text), place(x.Pos)})
	}
	for _, m := range s.Macros {
		d := MacroReport{Name: m.Name, Kind: "define", Position: place(m.Pos)}
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
		r.Unknown = append(r.Unknown, UnknownReport{u.Field, place(u.Pos), u.Reason})
	}
	for _, d := range s.Problems {
		r.Problems = append(r.Problems, ProblemReport{d.Severity.String(), d.Code, d.Message, d.Hint, place(d.Pos)})
	}
	return r
}

func place(p token.Position) string { return diag.Position(p) }

func known(v Value) string {
	if v.Known {
		return v.Text
	}
	return ""
}

// text returns the text of a known value, else nil.
func text(v Value) *string {
	if !v.Known {
		return nil
	}
	return &v.Text
}

func flag(v Value) *bool {
	if !v.Known {
		return nil
	}
	b := v.Text != "0"
	return &b
}

func sourceReports(list []Source) []SourceReport {
	out := make([]SourceReport, len(list))
	for i, s := range list {
		out[i] = SourceReport{s.Number, text(s.Value), s.Name, place(s.Pos), s.Maybe}
	}
	return out
}

func (s *Spec) packageReport(i int) PackageReport {
	p := &s.Packages[i]
	r := PackageReport{Name: known(p.Name), Position: place(p.Pos), Conditional: p.Maybe, Tags: []TagReport{}}
	evr := func(name string, main Value) string {
		for _, t := range p.Tags {
			if t.Name == name && i > 0 {
				return known(t.Value)
			}
		}
		return known(main)
	}
	r.Epoch, r.Version, r.Release = evr("Epoch", s.Epoch), evr("Version", s.Version), evr("Release", s.Release)
	for _, t := range p.Tags {
		info := tagIndex[strings.ToLower(t.Name)]
		if info == nil || info.kind != kindDeps {
			r.Tags = append(r.Tags, TagReport{t.Name, t.Arg, text(t.Value), place(t.Pos), t.Maybe})
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
			*list = append(*list, DependencyReport{t.Name, t.Arg, nil, place(t.Pos), t.Maybe})
			continue
		}
		for _, d := range dependencies(t.Value.Text) {
			*list = append(*list, DependencyReport{t.Name, t.Arg, &d, place(t.Pos), t.Maybe})
		}
	}
	return r
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	or := func(s string) string {
		if s == "" {
			return "?"
		}
		return s
	}
	evr := func(epoch, version, release string) string {
		s := or(version) + "-" + or(release)
		if epoch != "" {
			s = epoch + ":" + s
		}
		return s
	}
	fmt.Fprintf(&b, "%s-%s (%s)\n", or(r.Name), evr(r.Epoch, r.Version, r.Release), r.Arch)
	val := func(p *string) string {
		if p == nil {
			return "?"
		}
		return *p
	}
	mark := func(c bool) string {
		if c {
			return "  [under a condition that is not known]"
		}
		return ""
	}
	skip := map[string]bool{"Name": true, "Epoch": true, "Version": true, "Release": true}
	for i, p := range r.Packages {
		if i > 0 {
			fmt.Fprintf(&b, "\npackage %s-%s%s\n", or(p.Name), evr(p.Epoch, p.Version, p.Release), mark(p.Conditional))
		}
		for _, t := range p.Tags {
			if skip[t.Name] {
				continue
			}
			name := t.Name
			if t.Arg != "" {
				name += "(" + t.Arg + ")"
			}
			fmt.Fprintf(&b, "  %-14s %s%s\n", name, val(t.Value), mark(t.Conditional))
		}
		for _, l := range [][]DependencyReport{p.Provides, p.Requires, p.Others, p.BuildRequires} {
			for _, d := range l {
				name := d.Kind
				if d.Qualifier != "" {
					name += "(" + d.Qualifier + ")"
				}
				fmt.Fprintf(&b, "  %-14s %s%s\n", name, val(d.Value), mark(d.Conditional))
			}
		}
	}
	for _, l := range []struct {
		title string
		list  []SourceReport
	}{{"sources", r.Sources}, {"patches", r.Patches}} {
		if len(l.list) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", l.title)
		for _, s := range l.list {
			v := val(s.Value)
			if s.Name != "" && s.Name != v {
				v = s.Name + "  " + v
			}
			fmt.Fprintf(&b, "  %5d  %s%s\n", s.Number, v, mark(s.Conditional))
		}
	}
	if len(r.Bconds) > 0 {
		b.WriteString("\nbuild conditionals\n")
		for _, c := range r.Bconds {
			fmt.Fprintf(&b, "  %-14s %s (default %s)\n", c.Name, onOff(c.Value), onOff(c.Default))
		}
	}
	if len(r.Scriptlets) > 0 {
		b.WriteString("\nscripts\n")
		for _, s := range r.Scriptlets {
			name := "%" + s.Name
			if s.Args != "" {
				name += " " + s.Args
			}
			size := "not known"
			if s.Text != nil {
				size = strconv.Itoa(strings.Count(*s.Text, "\n")) + " lines"
			}
			fmt.Fprintf(&b, "  %-30s %s, %s\n", name, s.Position, size)
		}
	}
	if len(r.Macros) > 0 {
		b.WriteString("\nmacros\n")
		for _, m := range r.Macros {
			name := m.Name
			if m.Options != nil {
				name += "(" + *m.Options + ")"
			}
			body := val(m.Body)
			if m.Kind == "undefine" {
				body = "(undefined)"
			}
			if first, _, more := strings.Cut(body, "\n"); more {
				body = first + " ..."
			}
			fmt.Fprintf(&b, "  %-20s %s  (%s)\n", name, body, m.Position)
		}
	}
	if len(r.Unknown) > 0 {
		b.WriteString("\nnot known\n")
		for _, u := range r.Unknown {
			fmt.Fprintf(&b, "  %s: %s: %s\n", u.Position, u.Field, u.Reason)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func onOff(b *bool) string {
	switch {
	case b == nil:
		return "not known"
	case *b:
		return "on"
	}
	return "off"
}

// A Difference is one value that two evaluations of a spec do not share. A nil
// side has no such value, or does not know it.
type Difference struct {
	Field  string  `json:"field"`
	Before *string `json:"before,omitempty"`
	After  *string `json:"after,omitempty"`
}

// Differences compares two reports of one spec under different settings.
func Differences(before, after *Report) []Difference {
	out := []Difference{}
	one := func(field, a, b string) {
		if a != b {
			out = append(out, Difference{field, ptr(a), ptr(b)})
		}
	}
	one("name", before.Name, after.Name)
	one("epoch", before.Epoch, after.Epoch)
	one("version", before.Version, after.Version)
	one("release", before.Release, after.Release)
	lines := func(field string, a, b []string) {
		count := map[string]int{}
		for _, x := range b {
			count[x]++
		}
		var gone []string
		for _, x := range a {
			if count[x] > 0 {
				count[x]--
				continue
			}
			gone = append(gone, x)
		}
		for _, x := range gone {
			out = append(out, Difference{field, &x, nil})
		}
		for _, x := range b {
			if count[x] > 0 && !slices.Contains(gone, x) {
				count[x]--
				out = append(out, Difference{field, nil, &x})
			}
		}
	}
	lines("packages", names(before), names(after))
	for _, name := range union(names(before), names(after)) {
		a, b := findPackage(before, name), findPackage(after, name)
		if a == nil || b == nil {
			continue
		}
		field := "package " + name
		lines(field, a.lines(), b.lines())
	}
	lines("sources", sourceLines(before.Sources), sourceLines(after.Sources))
	lines("patches", sourceLines(before.Patches), sourceLines(after.Patches))
	conds := func(r *Report) (l []string) {
		for _, c := range r.Bconds {
			l = append(l, c.Name+" "+onOff(c.Value))
		}
		return l
	}
	lines("bconds", conds(before), conds(after))
	scripts := func(r *Report) map[string]string {
		m := map[string]string{}
		for _, s := range r.Scriptlets {
			if s.Text != nil {
				m[strings.TrimSpace("%"+s.Name+" "+s.Args)] += *s.Text
			}
		}
		return m
	}
	a, b := scripts(before), scripts(after)
	var keys []string
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		if a[k] != b[k] {
			lines(k, splitLines(a[k]), splitLines(b[k]))
		}
	}
	return out
}

func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

func ptr(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func names(r *Report) []string {
	var out []string
	for _, p := range r.Packages {
		if p.Name != "" {
			out = append(out, p.Name)
		}
	}
	return out
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

func findPackage(r *Report, name string) *PackageReport {
	for i := range r.Packages {
		if r.Packages[i].Name == name {
			return &r.Packages[i]
		}
	}
	return nil
}

func sourceLines(list []SourceReport) []string {
	var out []string
	for _, s := range list {
		if s.Value != nil {
			out = append(out, strconv.Itoa(s.Number)+" "+*s.Value)
		}
	}
	return out
}

// lines spells out the tags and dependencies of a package, one per line.
func (p *PackageReport) lines() []string {
	var out []string
	for _, t := range p.Tags {
		if t.Value == nil || t.Name == "Name" || t.Name == "Epoch" || t.Name == "Version" || t.Name == "Release" {
			continue
		}
		out = append(out, t.Name+": "+*t.Value)
	}
	for _, l := range [][]DependencyReport{p.Provides, p.Requires, p.Others, p.BuildRequires} {
		for _, d := range l {
			if d.Value == nil {
				continue
			}
			name := d.Kind
			if d.Qualifier != "" {
				name += "(" + d.Qualifier + ")"
			}
			out = append(out, name+": "+*d.Value)
		}
	}
	return out
}
