package report

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s-%s (%s)\n", cmp.Or(r.Name, "?"), evr(r.Epoch, r.Version, r.Release), r.Arch)
	for i, p := range r.Packages {
		if i > 0 {
			fmt.Fprintf(&b, "\npackage %s-%s%s\n", cmp.Or(p.Name, "?"), evr(p.Epoch, p.Version, p.Release), mark(p.Conditional))
		}
		p.text(&b)
	}
	sourcesText(&b, "sources", r.Sources)
	sourcesText(&b, "patches", r.Patches)
	if len(r.Bconds) > 0 {
		b.WriteString("\nbuild conditionals\n")
		for _, c := range r.Bconds {
			fmt.Fprintf(&b, "  %-14s %s (default %s)\n", c.Name, onOff(c.Value), onOff(c.Default))
		}
	}
	if len(r.Scriptlets) > 0 {
		b.WriteString("\nscripts\n")
		for _, s := range r.Scriptlets {
			s.text(&b)
		}
	}
	if len(r.Macros) > 0 {
		b.WriteString("\nmacros\n")
		for _, m := range r.Macros {
			m.text(&b)
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

// evr spells out epoch, version and release, with a question mark for what is
// not known.
func evr(epoch, version, release string) string {
	s := cmp.Or(version, "?") + "-" + cmp.Or(release, "?")
	if epoch != "" {
		s = epoch + ":" + s
	}
	return s
}

// orUnknown is a value, or a question mark.
func orUnknown(p *string) string {
	if p == nil {
		return "?"
	}
	return *p
}

// mark says of something that a condition decides whether it is there.
func mark(conditional bool) string {
	if conditional {
		return "  [under a condition that is not known]"
	}
	return ""
}

func (p *Package) text(b *strings.Builder) {
	line := func(name, arg string, value *string, conditional bool) {
		if arg != "" {
			name += "(" + arg + ")"
		}
		fmt.Fprintf(b, "  %-14s %s%s\n", name, orUnknown(value), mark(conditional))
	}
	for _, t := range p.Tags {
		if !inHeading(t.Name) {
			line(t.Name, t.Arg, t.Value, t.Conditional)
		}
	}
	for _, l := range p.dependencies() {
		for _, d := range l {
			line(d.Kind, d.Qualifier, d.Value, d.Conditional)
		}
	}
}

// inHeading reports whether the value of a tag stands above the others.
func inHeading(tag string) bool {
	return tag == "Name" || tag == "Epoch" || tag == "Version" || tag == "Release"
}

// dependencies are all dependencies of a package, those of the build last.
func (p *Package) dependencies() [][]Dependency {
	return [][]Dependency{p.Provides, p.Requires, p.Others, p.BuildRequires}
}

func sourcesText(b *strings.Builder, title string, list []Source) {
	if len(list) > 0 {
		fmt.Fprintf(b, "\n%s\n", title)
	}
	for _, s := range list {
		v := orUnknown(s.Value)
		if s.Name != "" && s.Name != v {
			v = s.Name + "  " + v
		}
		fmt.Fprintf(b, "  %5d  %s%s\n", s.Number, v, mark(s.Conditional))
	}
}

func (s *Scriptlet) text(b *strings.Builder) {
	name := "%" + s.Name
	if s.Args != "" {
		name += " " + s.Args
	}
	size := "not known"
	if s.Text != nil {
		size = strconv.Itoa(strings.Count(*s.Text, "\n")) + " lines"
	}
	fmt.Fprintf(b, "  %-30s %s, %s\n", name, s.Position, size)
}

func (m *Macro) text(b *strings.Builder) {
	name := m.Name
	if m.Options != nil {
		name += "(" + *m.Options + ")"
	}
	body := orUnknown(m.Body)
	if m.Kind == "undefine" {
		body = "(undefined)"
	}
	if first, _, more := strings.Cut(body, "\n"); more {
		body = first + " ..."
	}
	fmt.Fprintf(b, "  %-20s %s  (%s)\n", name, body, m.Position)
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
