package components

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// Empty reports whether the selector chooses nothing at all.
func (s Selector) Empty() bool {
	return !s.All && len(s.Names) == 0 && len(s.Groups) == 0 && len(s.SpecPaths) == 0
}

// Select returns the names that a selector chooses, sorted. A pattern or group
// without members chooses nothing; an unknown name, group or path is an error,
// and so is a default distribution that does not exist.
// Members of a group are those it names and those its spec globs find.
func (p *Project) Select(s Selector) ([]string, diag.List) {
	var diags diag.List
	if s.All {
		return p.Names(), slices.Concat(p.discovered().diags, p.base().diags)
	}
	chosen := map[string]bool{}
	comps := p.root.Get("components")
	for _, name := range s.Names {
		switch {
		case strings.ContainsAny(name, "*?["):
			if _, err := filepath.Match(name, ""); err != nil {
				diags.Add(toml.NoPos, "config/bad-pattern", "component pattern %q is not valid", name).Hint = "shell patterns with *, ? and [...] are allowed"
				continue
			}
			for _, n := range p.names() {
				if ok, _ := filepath.Match(name, n); ok {
					chosen[n] = true
				}
			}
		case comps.Entry(name) != nil && !p.isOrphan(name):
			chosen[name] = true
		default:
			if _, ok := p.specFiles.Load(name); !ok && (!p.hasGlobs() || p.discovered().specs[name] == "") {
				d := diags.Add(toml.NoPos, "config/unknown-component", "there is no component %q", name)
				d.Hint = p.nearestComponent(name)
				continue
			}
			chosen[name] = true
		}
	}
	for _, name := range s.Groups {
		g := p.Groups[name]
		if g == nil {
			d := diags.Add(toml.NoPos, "config/unknown-group", "there is no component group %q", name)
			d.Hint = suggest(name, slices.Sorted(maps.Keys(p.Groups)), "component group")
			continue
		}
		for _, c := range g.Components {
			if comps.Entry(c) != nil && !p.isOrphan(c) {
				chosen[c] = true
			}
		}
		if len(g.Specs) > 0 {
			for c, groups := range p.discovered().groups {
				if slices.Contains(groups, name) {
					chosen[c] = true
				}
			}
		}
	}
	for _, path := range s.SpecPaths {
		if name := p.bySpecPath(path, &diags); name != "" {
			chosen[name] = true
		}
	}
	if len(chosen) > 0 {
		// Without a distribution no component can be resolved: that is one
		// problem, not one of each.
		diags = append(diags, p.base().diags...)
	}
	return slices.Sorted(maps.Keys(chosen)), diags
}

// bySpecPath returns the component of a spec file. A file that no component
// has yet becomes one, with the defaults of the groups whose globs match it.
func (p *Project) bySpecPath(path string, diags *diag.List) string {
	abs, err := filepath.Abs(path)
	if err == nil {
		var info os.FileInfo
		if info, err = os.Stat(abs); err == nil && info.IsDir() {
			err = fmt.Errorf("is a directory")
		}
	}
	if err != nil {
		diags.Add(toml.NoPos, "config/no-spec", "%s: %s", path, reason(err)).Hint = "give the path of a spec file"
		return ""
	}
	for _, e := range p.root.Get("components").Entries() {
		if v := e.Val.Get("spec", "path"); v != nil && v.Path() == abs {
			return e.Name
		}
	}
	name := strings.TrimSuffix(filepath.Base(abs), filepath.Ext(abs))
	if p.hasGlobs() && p.discovered().specs[name] == abs {
		return name
	}
	p.specFiles.Store(name, abs)
	return name
}
