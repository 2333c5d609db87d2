package components

import (
	"fmt"
	"slices"

	"specgraft/overlay/diag"
)

// This file holds the rules about components that several files define.

// checkOwn holds the rules of the tables inside a component that need keys of
// one another, for what all files together say about it. An upstream commit
// alone is fine when the type is inherited.
func (p *Project) checkOwn(c *checker) {
	specKey, buildKey := componentKey.find("spec"), componentKey.find("build")
	up := (&trail{}).key("components")
	for _, e := range p.root.get("components").entries() {
		if e.val.get("spec") == nil && e.val.get("build") == nil {
			continue
		}
		at := up.key(e.name)
		before := len(c.diags)
		if spec := e.val.get("spec"); spec != nil && spec.kind == kindTable && !spec.broken {
			if spec.get("type").zero() && len(spec.keys) > 0 {
				var m merger
				spec = m.into(p.inheritedType(e.name), spec, specKey)
			}
			for i := range specKey.Rules {
				c.rule(spec, specKey, &specKey.Rules[i], at.key("spec"))
			}
		}
		for _, name := range []string{"check", "failure"} {
			k := buildKey.find(name)
			if t := e.val.get("build", name); t != nil && t.kind == kindTable && !t.broken {
				for i := range k.Rules {
					c.rule(t, k, &k.Rules[i], at.key("build").key(name))
				}
			}
		}
		if len(c.diags) > before {
			p.relateParts(c.diags[before:], e.name)
		}
	}
}

// inheritedType returns a table with the spec.type that the layers below a
// component's own table give, nil for none.
func (p *Project) inheritedType(name string) *value {
	var typ *entry
	look := func(tab *value) {
		if e := tab.get("spec").entry("type"); e != nil && !e.val.zero() {
			typ = e
		}
	}
	for _, l := range p.base().layers {
		look(l.tab)
	}
	for _, g := range p.memberOf()[name] {
		look(p.root.get("component-groups", g, "default-component-config"))
	}
	if typ == nil {
		return nil
	}
	return &value{kind: kindTable, form: formValue, src: typ.src, off: typ.off, end: typ.off, keys: []entry{*typ}}
}

// relateParts adds to diagnostics about a component where else it is defined.
func (p *Project) relateParts(diags diag.List, name string) {
	for i := range diags {
		d := &diags[i]
		for _, e := range p.parts[name] {
			if pos := e.pos(); pos.Filename != d.Pos.Filename && !slices.ContainsFunc(d.Related, func(r diag.Related) bool { return r.Pos.Filename == pos.Filename }) {
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
		v    *value
	}
	set := map[string]*value{}
	for _, part := range c.parts {
		var now []place
		scalars(part.val, "", func(path string, v *value) { now = append(now, place{path, v}) })
		for _, n := range now {
			old := set[n.path]
			if n.v.zero() && old != nil {
				continue // changes nothing
			}
			if old != nil && old.str != n.v.str && !p.generated[old.src.path] && !p.generated[n.v.src.path] {
				d := diags.Warn(n.v.pos(), "config/overridden", "%s of component %q is %s here, but another file sets it to %s", n.path, c.Name, literal(n.v), literal(old))
				d.End = n.v.endPos()
				d.Related = []diag.Related{relatedAt(old, "it is set here, which does not count")}
				d.Hint = "remove one of the two"
			}
			if old != nil && old.str != n.v.str && n.path == "spec.upstream-commit" && !p.generated[old.src.path] && p.generated[n.v.src.path] {
				d := diags.Warn(old.pos(), "pin/ignored", "component %q is pinned here, but the generated pin is read later and counts", c.Name)
				d.End = old.endPos()
				d.Related = []diag.Related{relatedAt(n.v, "the generated pin")}
				d.Hint = "include the files with pins before the component files"
			}
			set[n.path] = n.v
		}
	}
	p.checkLostOverlays(c, diags)
	p.checkInheritedOverlays(c, diags)
}

// scalars calls f with each scalar below tables, and its path.
func scalars(v *value, path string, f func(path string, v *value)) {
	if v.kind != kindTable {
		if v.kind != kindList {
			f(path, v)
		}
		return
	}
	for i := range v.keys {
		sub := QuoteKey(v.keys[i].name)
		if path != "" {
			sub = path + "." + sub
		}
		scalars(v.keys[i].val, sub, f)
	}
}

// checkLostOverlays warns of patterns that azldev, without lock files, looks for
// in the directory of the file that defines the component last.
func (p *Project) checkLostOverlays(c *Component, diags *diag.List) {
	last := c.parts[len(c.parts)-1]
	list := c.merged.get("overlay-files")
	if !p.WithoutLocks || list == nil || len(c.opLayers) == 0 || last.src.dir == c.Dir && !slices.ContainsFunc(list.list, func(v *value) bool { return v.src.dir != last.src.dir }) {
		return
	}
	for _, pattern := range list.list {
		dir := c.Dir
		if c.origins()[pattern] == layerComponent {
			dir = pattern.src.dir
		}
		if pattern.kind != kindString || dir == last.src.dir || isAbs(pattern.str) {
			continue
		}
		d := diags.Warn(pattern.pos(), "config/lost-overlays", "azldev looks for the overlay files %q of component %q in the directory of %s, which defines it last", pattern.str, c.Name, last.src.name)
		d.End = pattern.endPos()
		d.Related = []diag.Related{{Pos: last.pos(), Message: "the last definition"}}
		d.Hint = "include the files with pins before the component files"
	}
}

// checkInheritedOverlays warns of overlay files that lie beside one of the files
// that define a component, but not beside the last of them, where an inherited
// pattern looks for them.
func (p *Project) checkInheritedOverlays(c *Component, diags *diag.List) {
	list := c.merged.get("overlay-files")
	for _, pattern := range list.elements() {
		if pattern.kind != kindString || pattern.str == "" || c.origins()[pattern] == layerComponent || isAbs(pattern.str) {
			continue
		}
		looked := []string{c.Dir}
		for _, part := range c.parts {
			dir := part.src.dir
			if dir == "" || p.generated[part.src.path] || slices.Contains(looked, dir) {
				continue
			}
			looked = append(looked, dir)
			at := *pattern
			at.src = &source{name: pattern.src.name, path: pattern.src.path, text: pattern.src.text, dir: dir, trusted: pattern.src.trusted}
			if p.paths.confineGlob(&at) != nil {
				continue
			}
			files, err := glob(&at)
			if err != nil || len(files) == 0 {
				continue
			}
			d := diags.Warn(part.pos(), "config/lost-overlays", "overlay file %s of component %q is left out: %q is looked for beside %s, which defines it last", p.paths.display(files[0]), c.Name, pattern.str, p.paths.display(c.File))
			d.End = part.endPos()
			d.Related = []diag.Related{{Pos: c.Pos, Message: "the last definition"}, {Pos: pattern.pos(), Message: "the pattern is inherited from here"}}
			d.Hint = "include this file after the other, or name its overlay files in it with overlay-files"
		}
	}
}
