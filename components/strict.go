package components

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// StrictAzldev reports what azldev would reject, ignore or decide by chance
// although it is fine here: extensions, files that are reached twice, group
// members that its -g leaves out, and specs that two groups find.
func (p *Project) StrictAzldev() diag.List {
	c := &schema.Checker{Azldev: true}
	for _, doc := range p.documents {
		c.Value(doc.root, &schema.RootKey, &schema.Trail{})
	}
	p.overlays.Range(func(_, f any) bool {
		if root := f.(func() *overlayDocument)().root; root != nil {
			c.Value(root, &schema.DocumentKey, &schema.Trail{})
		}
		return true
	})
	diags := c.Diags
	diags = append(diags, p.twice...)
	diags = append(diags, p.strictParts()...)
	for _, g := range p.root.Get("component-groups").Entries() {
		members, specs := g.Val.Get("components"), g.Val.Get("specs")
		if members.Zero() {
			continue
		}
		d := diags.Warn(members.Pos(), "config/azldev", "azldev's -g %s selects none of these members", g.Name)
		d.Hint = "it only selects what the group's specs patterns find"
		if !specs.Zero() {
			d.Message = fmt.Sprintf("azldev's -g %s does not select these members, only what the specs patterns find", g.Name)
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
				d := diags.Warn(found.where[name].Pos(), "config/azldev", "component %q is found by the groups %s: azldev takes the defaults of any one of them", name, strings.Join(groups, " and "))
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
	c := &schema.Checker{}
	specKey, buildKey := schema.ComponentKey.Find("spec"), schema.ComponentKey.Find("build")
	check := func(t *toml.Value, k *schema.Key, at *schema.Trail) {
		if t == nil || t.Kind != toml.KindTable {
			return
		}
		for i := range k.Rules {
			r := k.Rules[i]
			if r.Not && t.Get("type").Zero() { // a commit alone is fine
				r.Forbid = slices.DeleteFunc(slices.Clone(r.Forbid), func(name string) bool { return name == "upstream-commit" })
			}
			c.Rule(t, k, &r, at)
		}
	}
	for _, doc := range p.documents {
		if p.WithoutLocks {
			break
		}
		for _, e := range doc.root.Get("components").Entries() {
			at := (&schema.Trail{Up: &schema.Trail{}, Name: "components"}).Key(e.Name)
			check(e.Val.Get("spec"), specKey, at.Key("spec"))
			for _, name := range []string{"check", "failure"} {
				check(e.Val.Get("build", name), buildKey.Find(name), at.Key("build").Key(name))
			}
		}
	}
	for i := range c.Diags {
		c.Diags[i].Code = "config/azldev"
		c.Diags[i].Message = "azldev checks each file on its own: " + c.Diags[i].Message
	}
	for _, name := range p.orphans() {
		e := p.definitions(name)[0]
		d := c.AddKey(&e, "config/azldev", "azldev builds component %q, which only a generated pin defines", name)
		d.Hint = "`specgraft update -a` removes the file"
	}
	return c.Diags
}
