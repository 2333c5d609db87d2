package components

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"specgraft/overlay/diag"
)

// StrictAzldev reports what azldev would reject, ignore or decide by chance
// although it is fine here: extensions, files that are reached twice, group
// members that its -g leaves out, and specs that two groups find.
func (p *Project) StrictAzldev() diag.List {
	c := &checker{azldev: true}
	for _, doc := range p.documents {
		c.value(doc.root, &rootKey, &trail{})
	}
	p.overlays.Range(func(_, f any) bool {
		if root := f.(func() *overlayDocument)().root; root != nil {
			c.value(root, &documentKey, &trail{})
		}
		return true
	})
	diags := c.diags
	diags = append(diags, p.twice...)
	diags = append(diags, p.strictParts()...)
	for _, g := range p.root.get("component-groups").entries() {
		members, specs := g.val.get("components"), g.val.get("specs")
		if members.zero() {
			continue
		}
		d := diags.Warn(members.pos(), "config/azldev", "azldev's -g %s selects none of these members", g.name)
		d.Hint = "it only selects what the group's specs patterns find"
		if !specs.zero() {
			d.Message = fmt.Sprintf("azldev's -g %s does not select these members, only what the specs patterns find", g.name)
			d.Hint = ""
		}
	}
	ref := p.DefaultDistro
	if d := p.Distros[ref.Name]; d != nil {
		if v := d.Versions[cmp.Or(ref.Version, d.DefaultVersion)]; v != nil && len(v.MockConfig) == 0 {
			d := diags.Add(v.Pos, "config/azldev", "azldev renders with mock: it needs a mock-config in version %q of distro %q", v.Name, d.Name)
			d.Hint = "specgraft renders without"
		}
	}
	if p.hasGlobs() {
		found := p.discovered()
		for _, name := range slices.Sorted(maps.Keys(found.groups)) {
			if groups := found.groups[name]; len(groups) > 1 {
				d := diags.Warn(found.where[name].pos(), "config/azldev", "component %q is found by the groups %s: azldev takes the defaults of any one of them", name, strings.Join(groups, " and "))
				d.Hint = "here it inherits from all, in the order of their names"
			}
		}
	}
	diags.Sort()
	return diags
}

// strictParts reports rules that azldev, with lock files, holds each file to on
// its own, and what it makes of leftover pins.
func (p *Project) strictParts() diag.List {
	c := &checker{}
	specKey, buildKey := componentKey.find("spec"), componentKey.find("build")
	check := func(t *value, k *Key, at *trail) {
		if t == nil || t.kind != kindTable {
			return
		}
		for i := range k.Rules {
			r := k.Rules[i]
			if r.Not && t.get("type").zero() { // a commit alone is fine
				r.Forbid = slices.DeleteFunc(slices.Clone(r.Forbid), func(name string) bool { return name == "upstream-commit" })
			}
			c.rule(t, k, &r, at)
		}
	}
	for _, doc := range p.documents {
		if p.WithoutLocks {
			break
		}
		for _, e := range doc.root.get("components").entries() {
			at := (&trail{up: &trail{}, name: "components"}).key(e.name)
			check(e.val.get("spec"), specKey, at.key("spec"))
			for _, name := range []string{"check", "failure"} {
				check(e.val.get("build", name), buildKey.find(name), at.key("build").key(name))
			}
		}
	}
	for i := range c.diags {
		c.diags[i].Code = "config/azldev"
		c.diags[i].Message = "azldev checks each file on its own: " + c.diags[i].Message
	}
	for _, name := range p.orphans() {
		e := p.definitions(name)[0]
		d := c.addKey(&e, "config/azldev", "azldev builds component %q, which only a generated pin defines", name)
		d.Hint = "`specgraft update -a` removes the file"
	}
	return c.diags
}
