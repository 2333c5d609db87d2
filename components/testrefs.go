package components

import (
	"fmt"
	"slices"
	"strings"

	"specgraft/components/schema"
	"specgraft/components/toml"
)

// checkTests holds the rules about references to tests.
func (p *Project) checkTests(c *schema.Checker) {
	tests, groups := p.root.Get("tests"), p.root.Get("test-groups")
	for _, g := range groups.Entries() {
		seen := map[string]*toml.Value{}
		for _, ref := range g.Val.Get("tests").Elements() {
			name := ref.Get("name")
			if name == nil || name.Str == "" {
				continue
			}
			if tests.Entry(name.Str) == nil {
				c.UnknownName(name, "test", tests.Names(), fmt.Sprintf(" in test group %q", g.Name))
			}
			if first := seen[name.Str]; first != nil {
				d := c.Add(name, "config/duplicate", "test %q is in test group %q twice", name.Str, g.Name)
				d.Related = append(d.Related, toml.RelatedAt(first, "first given here"))
				continue
			}
			seen[name.Str] = name
		}
	}
	for _, img := range p.root.Get("images").Entries() {
		refs := img.Val.Get("tests", "tests").Elements()
		where := fmt.Sprintf("image %q", img.Name)
		p.checkTestRefs(c, refs, where, true)
		p.checkSKUs(c, img.Val, refs, where)
	}
	for _, e := range p.root.Get("components").Entries() {
		if refs := e.Val.Get("tests", "tests").Elements(); refs != nil {
			p.checkTestRefs(c, refs, fmt.Sprintf("component %q", e.Name), false)
		}
	}
	for _, tab := range p.defaultTables() {
		if refs := tab.Get("tests", "tests").Elements(); refs != nil {
			p.checkTestRefs(c, refs, "default-component-config", false)
		}
	}
}

// defaultTables returns all tables of defaults for components.
func (p *Project) defaultTables() []*toml.Value {
	list := []*toml.Value{p.root.Get("default-component-config")}
	for _, d := range p.root.Get("distros").Entries() {
		for _, v := range d.Val.Get("versions").Entries() {
			list = append(list, v.Val.Get("default-component-config"))
		}
	}
	for _, g := range p.root.Get("component-groups").Entries() {
		list = append(list, g.Val.Get("default-component-config"))
	}
	return slices.DeleteFunc(list, func(v *toml.Value) bool { return v == nil })
}

// A testUse is a test that a list of references stands for, and the reference.
type testUse struct {
	name string
	ref  *toml.Value
}

// testsOf expands references to tests; what is unknown stands for nothing.
func (p *Project) testsOf(refs []*toml.Value) []testUse {
	var uses []testUse
	for _, ref := range refs {
		if name := ref.Text("name"); name != "" {
			uses = append(uses, testUse{name, ref})
		}
		if group := ref.Text("group"); group != "" {
			for _, t := range p.root.Get("test-groups", group, "tests").Elements() {
				uses = append(uses, testUse{t.Text("name"), ref})
			}
		}
	}
	return uses
}

// checkTestRefs checks one list of references: all must exist, and no test may
// come up twice. On images a test may come up once for each SKU group.
func (p *Project) checkTestRefs(c *schema.Checker, refs []*toml.Value, where string, image bool) {
	for _, ref := range refs {
		if v := ref.Get("name"); v != nil && v.Str != "" && p.root.Get("tests").Entry(v.Str) == nil {
			c.UnknownName(v, "test", p.root.Get("tests").Names(), " in "+where)
		}
		if v := ref.Get("group"); v != nil && v.Str != "" && p.root.Get("test-groups").Entry(v.Str) == nil {
			c.UnknownName(v, "test group", p.root.Get("test-groups").Names(), " in "+where)
		}
	}
	p.checkTestsTwice(c, refs, where, image)
}

func (p *Project) checkTestsTwice(c *schema.Checker, refs []*toml.Value, where string, image bool) {
	seen := map[string]*toml.Value{}
	for _, use := range p.testsOf(refs) {
		keys := []string{use.name}
		if image {
			if skus := skusOf(use.ref); len(skus) > 0 {
				keys = keys[:0]
				for _, sku := range skus {
					keys = append(keys, use.name+" on "+sku.Str)
				}
			}
		}
		for _, key := range keys {
			first := seen[key]
			if first == nil {
				seen[key] = use.ref
				continue
			}
			if first == use.ref {
				continue // a group that has it twice is reported there
			}
			d := c.Add(use.ref, "config/duplicate", "test %q comes up twice in %s", use.name, where)
			if g := use.ref.Text("group"); g != "" {
				d.Message = fmt.Sprintf("test %q, which is in test group %q, comes up twice in %s", use.name, g, where)
			}
			d.Related = append(d.Related, toml.RelatedAt(first, "it is here already"))
			break
		}
	}
}

// skusOf returns the SKU groups of a reference.
func skusOf(ref *toml.Value) []*toml.Value {
	if list := ref.Get("sku-groups").Elements(); list != nil {
		return list
	}
	if v := ref.Get("sku-group"); v != nil && v.Str != "" {
		return []*toml.Value{v}
	}
	return nil
}

// checkSKUs checks that the SKU groups of an image's tests exist and have an
// architecture that it is built for.
func (p *Project) checkSKUs(c *schema.Checker, image *toml.Value, refs []*toml.Value, where string) {
	groups := p.root.Get("sku-groups")
	arches := image.Get("architectures").Strings()
	names := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}
	for _, ref := range refs {
		for _, sku := range skusOf(ref) {
			g := groups.Get(sku.Str)
			if g == nil {
				c.UnknownName(sku, "SKU group", groups.Names(), " in "+where)
				continue
			}
			arch := names[g.Text("arch")]
			if len(arches) == 0 || arch == "" || slices.Contains(arches, arch) {
				continue
			}
			d := c.Add(sku, "config/conflict", "SKU group %q has machines of %s, but %s is built for %s only", sku.Str, arch, where, strings.Join(arches, " and "))
			d.Related = append(d.Related, toml.RelatedAt(g.Get("arch"), "its architecture is given here"), toml.RelatedAt(image.Get("architectures"), "the image's are given here"))
		}
	}
}

// Tests returns the names of the tests that a component refers to, by name or
// by group, in order.
func (p *Project) Tests(c *Component) []string {
	var names []string
	for _, use := range p.testsOf(c.merged.Get("tests", "tests").Elements()) {
		names = append(names, use.name)
	}
	return names
}

// TestGroups returns the names of the test groups that a component refers to,
// in order.
func (p *Project) TestGroups(c *Component) []string {
	var names []string
	for _, ref := range c.merged.Get("tests", "tests").Elements() {
		if g := ref.Text("group"); g != "" {
			names = append(names, g)
		}
	}
	return names
}

// TestNames returns the names of all tests.
func (p *Project) TestNames() []string { return p.root.Get("tests").Names() }

// TestGroupNames returns the names of all test groups.
func (p *Project) TestGroupNames() []string { return p.root.Get("test-groups").Names() }
