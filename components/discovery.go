package components

import (
	"cmp"
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// discovery is what the groups' spec globs found.
type discovery struct {
	specs  map[string]string      // component name to spec file
	groups map[string][]string    // component name to groups whose globs found it
	where  map[string]*toml.Value // component name to the first pattern that found it
	diags  diag.List
}

// discover walks the spec globs of all groups, groups in order of their names.
func (p *Project) discover() *discovery {
	found := &discovery{specs: map[string]string{}, groups: map[string][]string{}, where: map[string]*toml.Value{}}
	groups := p.root.Get("component-groups").Entries()
	slices.SortFunc(groups, func(a, b toml.Entry) int { return cmp.Compare(a.Name, b.Name) })
	for _, g := range groups {
		patterns := g.Val.Get("specs")
		if patterns == nil || patterns.Kind != toml.KindList {
			continue
		}
		var excluded []string
		var listed []*toml.Value
		if v := g.Val.Get("excluded-paths"); v != nil && v.Kind == toml.KindList {
			listed = v.List
		}
		for _, x := range listed {
			if x.Path() == "" {
				continue // reported with the file
			}
			if err := overlay.CheckGlob(x.Str); err != nil {
				found.diags.Add(x.Pos(), "config/bad-value", "excluded-paths of component group %q: %q: %s", g.Name, x.Str, err).End = x.EndPos()
				continue
			}
			excluded = append(excluded, x.Path())
		}
		for _, pattern := range patterns.List {
			if pattern.Kind != toml.KindString || pattern.Str == "" || p.paths.confineGlob(pattern) != nil {
				continue // reported with the file
			}
			files, err := glob(pattern)
			if err != nil {
				found.diags.Add(pattern.Pos(), "config/bad-value", "specs of component group %q: %q: %s", g.Name, pattern.Str, err).End = pattern.EndPos()
				continue
			}
			for _, file := range files {
				if slices.ContainsFunc(excluded, func(x string) bool { ok, _ := doublestar.PathMatch(x, file); return ok }) {
					continue
				}
				if d := p.paths.confine(file, pattern); d != nil {
					d.Message = fmt.Sprintf("%q finds %s, which leads outside the project", pattern.Str, p.paths.display(file))
					found.diags = append(found.diags, *d)
					continue
				}
				name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
				if !schema.PlainFileName(name) {
					found.diags.Add(pattern.Pos(), "config/bad-name", "%s: component name %q must be %s", p.paths.display(file), name, schema.FileNameFormat.What).End = pattern.EndPos()
					continue
				}
				if first, ok := found.specs[name]; ok && first != file {
					d := found.diags.Add(pattern.Pos(), "config/duplicate", "component %q has two specs: %s and %s", name, p.paths.display(first), p.paths.display(file))
					d.End = pattern.EndPos()
					d.Related = []diag.Related{{Pos: found.where[name].Pos(), Message: "the first is found by this pattern"}}
					continue
				} else if !ok {
					found.specs[name], found.where[name] = file, pattern
				}
				if !slices.Contains(found.groups[name], g.Name) {
					found.groups[name] = append(found.groups[name], g.Name)
				}
			}
		}
	}
	return found
}

// hasGlobs reports whether any group discovers components by spec files.
func (p *Project) hasGlobs() bool {
	for _, g := range p.Groups {
		if len(g.Specs) > 0 {
			return true
		}
	}
	return false
}

// specFile returns the spec that discovery found for a component, and the
// groups that found it.
func (p *Project) specFile(name string, diags *diag.List) (string, []string) {
	if path, ok := p.specFiles.Load(name); ok {
		return path.(string), p.groupsOf(path.(string))
	}
	if !p.hasGlobs() {
		return "", nil
	}
	found := p.discovered()
	*diags = append(*diags, found.diags...)
	return found.specs[name], found.groups[name]
}

// groupsOf returns the groups whose spec globs match a file.
func (p *Project) groupsOf(file string) []string {
	var names []string
	for name, g := range p.Groups {
		match := func(x string) bool {
			if overlay.CheckGlob(x) != nil {
				return false
			}
			ok, _ := doublestar.PathMatch(x, file)
			return ok
		}
		if slices.ContainsFunc(g.Specs, match) && !slices.ContainsFunc(g.ExcludedPaths, match) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// useSpec makes a component one of the local spec file that was found for it.
func (p *Project) useSpec(c *Component, spec string, own *toml.Entry, diags *diag.List) {
	if own == nil {
		c.Dir = filepath.Dir(spec)
		c.Pos = token.Position{Filename: p.paths.display(spec)}
	} else if path := own.Val.Get("spec", "path"); path != nil && path.Path() != "" && path.Path() != spec {
		d := diags.Add(path.Pos(), "config/conflict", "component %q has the spec path %q, but a group finds %s", c.Name, path.Str, p.paths.display(spec))
		d.End = path.EndPos()
		if w := p.discovered().where[c.Name]; w != nil {
			d.Related = []diag.Related{{Pos: w.Pos(), Message: "found by this pattern"}}
		}
	}
	c.Spec = Spec{Type: "local", Path: spec}
}
