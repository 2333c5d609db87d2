package components

import (
	"fmt"
	"slices"

	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// This file holds the rules about components that several files define.

// checkOwn holds the rules of the tables inside a component that need keys of
// one another, for what all files together say about it. An upstream commit
// alone is fine when the type is inherited.
func (p *Project) checkOwn(c *schema.Checker) {
	specKey, buildKey := schema.ComponentKey.Find("spec"), schema.ComponentKey.Find("build")
	up := (&schema.Trail{}).Key("components")
	for _, e := range p.root.Get("components").Entries() {
		if e.Val.Get("spec") == nil && e.Val.Get("build") == nil {
			continue
		}
		at := up.Key(e.Name)
		before := len(c.Diags)
		if spec := e.Val.Get("spec"); spec != nil && spec.Kind == toml.KindTable && !spec.Broken {
			if spec.Get("type").Zero() && len(spec.Keys) > 0 {
				var m merger
				spec = m.into(p.inheritedType(e.Name), spec, specKey)
			}
			for i := range specKey.Rules {
				c.Rule(spec, specKey, &specKey.Rules[i], at.Key("spec"))
			}
		}
		for _, name := range []string{"check", "failure"} {
			k := buildKey.Find(name)
			if t := e.Val.Get("build", name); t != nil && t.Kind == toml.KindTable && !t.Broken {
				for i := range k.Rules {
					c.Rule(t, k, &k.Rules[i], at.Key("build").Key(name))
				}
			}
		}
		if len(c.Diags) > before {
			p.relateParts(c.Diags[before:], e.Name)
		}
	}
}

// inheritedType returns a table with the spec.type that the layers below a
// component's own table give, nil for none.
func (p *Project) inheritedType(name string) *toml.Value {
	var typ *toml.Entry
	look := func(tab *toml.Value) {
		if e := tab.Get("spec").Entry("type"); e != nil && !e.Val.Zero() {
			typ = e
		}
	}
	for _, l := range p.base().layers {
		look(l.tab)
	}
	for _, g := range p.memberOf()[name] {
		look(p.root.Get("component-groups", g, "default-component-config"))
	}
	if typ == nil {
		return nil
	}
	return &toml.Value{Kind: toml.KindTable, Form: toml.FormValue, Src: typ.Src, Off: typ.Off, End: typ.Off, Keys: []toml.Entry{*typ}}
}

// relateParts adds to diagnostics about a component where else it is defined.
func (p *Project) relateParts(diags diag.List, name string) {
	for i := range diags {
		d := &diags[i]
		for _, e := range p.parts[name] {
			if pos := e.Pos(); pos.Filename != d.Pos.Filename && !slices.ContainsFunc(d.Related, func(r diag.Related) bool { return r.Pos.Filename == pos.Filename }) {
				d.Related = append(d.Related, diag.Related{Pos: pos, Message: fmt.Sprintf("component %q is also defined here", name)})
			}
		}
	}
}

// checkParts warns of what the files that define a component say differently.
func (p *Project) checkParts(c *Component, diags *diag.List) {
	if len(c.parts) < 2 {
		return
	}
	p.relateParts(*diags, c.Name)
	type place struct {
		path string
		v    *toml.Value
	}
	set := map[string]*toml.Value{}
	for _, part := range c.parts {
		var now []place
		scalars(part.Val, "", func(path string, v *toml.Value) { now = append(now, place{path, v}) })
		for _, n := range now {
			old := set[n.path]
			if n.v.Zero() && old != nil {
				continue // changes nothing
			}
			if old != nil && old.Str != n.v.Str && !p.generated[old.Src.Path] && !p.generated[n.v.Src.Path] {
				d := diags.Warn(n.v.Pos(), "config/overridden", "%s of component %q is %s here, but another file sets it to %s", n.path, c.Name, schema.Literal(n.v), schema.Literal(old))
				d.End = n.v.EndPos()
				d.Related = []diag.Related{toml.RelatedAt(old, "it is set here, which does not count")}
				d.Hint = "remove one of the two"
			}
			if old != nil && old.Str != n.v.Str && n.path == "spec.upstream-commit" && !p.generated[old.Src.Path] && p.generated[n.v.Src.Path] {
				d := diags.Warn(old.Pos(), "pin/ignored", "component %q is pinned here, but the generated pin is read later and counts", c.Name)
				d.End = old.EndPos()
				d.Related = []diag.Related{toml.RelatedAt(n.v, "the generated pin")}
				d.Hint = "include the files with pins before the component files"
			}
			set[n.path] = n.v
		}
	}
	p.checkLostOverlays(c, diags)
	p.checkInheritedOverlays(c, diags)
}

// scalars calls f with each scalar below tables, and its path.
func scalars(v *toml.Value, path string, f func(path string, v *toml.Value)) {
	if v.Kind != toml.KindTable {
		if v.Kind != toml.KindList {
			f(path, v)
		}
		return
	}
	for i := range v.Keys {
		sub := toml.QuoteKey(v.Keys[i].Name)
		if path != "" {
			sub = path + "." + sub
		}
		scalars(v.Keys[i].Val, sub, f)
	}
}

// checkLostOverlays warns of patterns that azldev, without lock files, looks for
// in the directory of the file that defines the component last.
func (p *Project) checkLostOverlays(c *Component, diags *diag.List) {
	last := c.parts[len(c.parts)-1]
	list := c.merged.Get("overlay-files")
	if !p.WithoutLocks || list == nil || len(c.opLayers) == 0 || last.Src.Dir == c.Dir && !slices.ContainsFunc(list.List, func(v *toml.Value) bool { return v.Src.Dir != last.Src.Dir }) {
		return
	}
	for _, pattern := range list.List {
		dir := c.Dir
		if c.origins()[pattern] == layerComponent {
			dir = pattern.Src.Dir
		}
		if pattern.Kind != toml.KindString || dir == last.Src.Dir || isAbs(pattern.Str) {
			continue
		}
		d := diags.Warn(pattern.Pos(), "config/lost-overlays", "azldev looks for the overlay files %q of component %q in the directory of %s, which defines it last", pattern.Str, c.Name, last.Src.Name)
		d.End = pattern.EndPos()
		d.Related = []diag.Related{{Pos: last.Pos(), Message: "the last definition"}}
		d.Hint = "include the files with pins before the component files"
	}
}

// checkInheritedOverlays warns of overlay files that lie beside one of the files
// that define a component, but not beside the last of them, where an inherited
// pattern looks for them.
func (p *Project) checkInheritedOverlays(c *Component, diags *diag.List) {
	list := c.merged.Get("overlay-files")
	for _, pattern := range list.Elements() {
		if pattern.Kind != toml.KindString || pattern.Str == "" || c.origins()[pattern] == layerComponent || isAbs(pattern.Str) {
			continue
		}
		looked := []string{c.Dir}
		for _, part := range c.parts {
			dir := part.Src.Dir
			if dir == "" || p.generated[part.Src.Path] || slices.Contains(looked, dir) {
				continue
			}
			looked = append(looked, dir)
			at := *pattern
			at.Src = &toml.Source{Name: pattern.Src.Name, Path: pattern.Src.Path, Text: pattern.Src.Text, Dir: dir, Trusted: pattern.Src.Trusted}
			if p.paths.confineGlob(&at) != nil {
				continue
			}
			files, err := glob(&at)
			if err != nil || len(files) == 0 {
				continue
			}
			d := diags.Warn(part.Pos(), "config/lost-overlays", "overlay file %s of component %q is left out: %q is looked for beside %s, which defines it last", p.paths.display(files[0]), c.Name, pattern.Str, p.paths.display(c.File))
			d.End = part.EndPos()
			d.Related = []diag.Related{{Pos: c.Pos, Message: "the last definition"}, {Pos: pattern.Pos(), Message: "the pattern is inherited from here"}}
			d.Hint = "include this file after the other, or name its overlay files in it with overlay-files"
		}
	}
}
