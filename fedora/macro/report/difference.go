package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Difference is one value that two evaluations of a spec do not share. A nil
// side has no such value, or does not know it.
type Difference struct {
	Field  string  `json:"field"`
	Before *string `json:"before,omitempty"`
	After  *string `json:"after,omitempty"`
}

// Differences compares two reports of one spec under different settings.
func Differences(before, after *Report) []Difference {
	d := differences{}
	d.value("name", before.Name, after.Name)
	d.value("epoch", before.Epoch, after.Epoch)
	d.value("version", before.Version, after.Version)
	d.value("release", before.Release, after.Release)
	d.lines("packages", names(before), names(after))
	for _, name := range union(names(before), names(after)) {
		if a, b := findPackage(before, name), findPackage(after, name); a != nil && b != nil {
			d.lines("package "+name, a.lines(), b.lines())
		}
	}
	d.lines("sources", sourceLines(before.Sources), sourceLines(after.Sources))
	d.lines("patches", sourceLines(before.Patches), sourceLines(after.Patches))
	d.lines("bconds", before.bcondLines(), after.bcondLines())
	a, b := before.scripts(), after.scripts()
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		d.lines(k, splitLines(a[k]), splitLines(b[k]))
	}
	return d
}

// differences is a list that grows.
type differences []Difference

// value compares a value that there is one of.
func (d *differences) value(field, a, b string) {
	if a != b {
		*d = append(*d, Difference{field, ptr(a), ptr(b)})
	}
}

// lines compares two lists whose order does not matter: what the second lacks is
// first.
func (d *differences) lines(field string, a, b []string) {
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
		*d = append(*d, Difference{field, &x, nil})
	}
	for _, x := range b {
		if count[x] > 0 && !slices.Contains(gone, x) {
			count[x]--
			*d = append(*d, Difference{field, nil, &x})
		}
	}
}

func (r *Report) bcondLines() []string {
	var out []string
	for _, c := range r.Bconds {
		out = append(out, c.Name+" "+onOff(c.Value))
	}
	return out
}

// scripts are the texts of the scripts by their headers.
func (r *Report) scripts() map[string]string {
	m := map[string]string{}
	for _, s := range r.Scriptlets {
		if s.Text != nil {
			m[strings.TrimSpace("%"+s.Name+" "+s.Args)] += *s.Text
		}
	}
	return m
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

func findPackage(r *Report, name string) *Package {
	for i := range r.Packages {
		if r.Packages[i].Name == name {
			return &r.Packages[i]
		}
	}
	return nil
}

func sourceLines(list []Source) []string {
	var out []string
	for _, s := range list {
		if s.Value != nil {
			out = append(out, strconv.Itoa(s.Number)+" "+*s.Value)
		}
	}
	return out
}

// lines spells out the tags and dependencies of a package, one per line.
func (p *Package) lines() []string {
	var out []string
	for _, t := range p.Tags {
		if t.Value == nil || inHeading(t.Name) {
			continue
		}
		out = append(out, t.Name+": "+*t.Value)
	}
	for _, l := range p.dependencies() {
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
