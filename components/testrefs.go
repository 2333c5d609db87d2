package components

import (
	"fmt"
	"slices"
	"strings"
)

// checkTests holds the rules about references to tests.
func (p *Project) checkTests(c *checker) {
	tests, groups := p.root.get("tests"), p.root.get("test-groups")
	for _, g := range groups.entries() {
		seen := map[string]*value{}
		for _, ref := range g.val.get("tests").elements() {
			name := ref.get("name")
			if name == nil || name.str == "" {
				continue
			}
			if tests.entry(name.str) == nil {
				c.unknownName(name, "test", tests.names(), fmt.Sprintf(" in test group %q", g.name))
			}
			if first := seen[name.str]; first != nil {
				d := c.add(name, "config/duplicate", "test %q is in test group %q twice", name.str, g.name)
				d.Related = append(d.Related, relatedAt(first, "first given here"))
				continue
			}
			seen[name.str] = name
		}
	}
	for _, img := range p.root.get("images").entries() {
		refs := img.val.get("tests", "tests").elements()
		where := fmt.Sprintf("image %q", img.name)
		p.checkTestRefs(c, refs, where, true)
		p.checkSKUs(c, img.val, refs, where)
	}
	for _, e := range p.root.get("components").entries() {
		if refs := e.val.get("tests", "tests").elements(); refs != nil {
			p.checkTestRefs(c, refs, fmt.Sprintf("component %q", e.name), false)
		}
	}
	for _, tab := range p.defaultTables() {
		if refs := tab.get("tests", "tests").elements(); refs != nil {
			p.checkTestRefs(c, refs, "default-component-config", false)
		}
	}
}

// defaultTables returns all tables of defaults for components.
func (p *Project) defaultTables() []*value {
	list := []*value{p.root.get("default-component-config")}
	for _, d := range p.root.get("distros").entries() {
		for _, v := range d.val.get("versions").entries() {
			list = append(list, v.val.get("default-component-config"))
		}
	}
	for _, g := range p.root.get("component-groups").entries() {
		list = append(list, g.val.get("default-component-config"))
	}
	return slices.DeleteFunc(list, func(v *value) bool { return v == nil })
}

// A testUse is a test that a list of references stands for, and the reference.
type testUse struct {
	name string
	ref  *value
}

// testsOf expands references to tests; what is unknown stands for nothing.
func (p *Project) testsOf(refs []*value) []testUse {
	var uses []testUse
	for _, ref := range refs {
		if name := ref.text("name"); name != "" {
			uses = append(uses, testUse{name, ref})
		}
		if group := ref.text("group"); group != "" {
			for _, t := range p.root.get("test-groups", group, "tests").elements() {
				uses = append(uses, testUse{t.text("name"), ref})
			}
		}
	}
	return uses
}

// checkTestRefs checks one list of references: all must exist, and no test may
// come up twice. On images a test may come up once for each SKU group.
func (p *Project) checkTestRefs(c *checker, refs []*value, where string, image bool) {
	for _, ref := range refs {
		if v := ref.get("name"); v != nil && v.str != "" && p.root.get("tests").entry(v.str) == nil {
			c.unknownName(v, "test", p.root.get("tests").names(), " in "+where)
		}
		if v := ref.get("group"); v != nil && v.str != "" && p.root.get("test-groups").entry(v.str) == nil {
			c.unknownName(v, "test group", p.root.get("test-groups").names(), " in "+where)
		}
	}
	p.checkTestsTwice(c, refs, where, image)
}

func (p *Project) checkTestsTwice(c *checker, refs []*value, where string, image bool) {
	seen := map[string]*value{}
	for _, use := range p.testsOf(refs) {
		keys := []string{use.name}
		if image {
			if skus := skusOf(use.ref); len(skus) > 0 {
				keys = keys[:0]
				for _, sku := range skus {
					keys = append(keys, use.name+" on "+sku.str)
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
			d := c.add(use.ref, "config/duplicate", "test %q comes up twice in %s", use.name, where)
			if g := use.ref.text("group"); g != "" {
				d.Message = fmt.Sprintf("test %q, which is in test group %q, comes up twice in %s", use.name, g, where)
			}
			d.Related = append(d.Related, relatedAt(first, "it is here already"))
			break
		}
	}
}

// skusOf returns the SKU groups of a reference.
func skusOf(ref *value) []*value {
	if list := ref.get("sku-groups").elements(); list != nil {
		return list
	}
	if v := ref.get("sku-group"); v != nil && v.str != "" {
		return []*value{v}
	}
	return nil
}

// checkSKUs checks that the SKU groups of an image's tests exist and have an
// architecture that it is built for.
func (p *Project) checkSKUs(c *checker, image *value, refs []*value, where string) {
	groups := p.root.get("sku-groups")
	arches := image.get("architectures").strings()
	names := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}
	for _, ref := range refs {
		for _, sku := range skusOf(ref) {
			g := groups.get(sku.str)
			if g == nil {
				c.unknownName(sku, "SKU group", groups.names(), " in "+where)
				continue
			}
			arch := names[g.text("arch")]
			if len(arches) == 0 || arch == "" || slices.Contains(arches, arch) {
				continue
			}
			d := c.add(sku, "config/conflict", "SKU group %q has machines of %s, but %s is built for %s only", sku.str, arch, where, strings.Join(arches, " and "))
			d.Related = append(d.Related, relatedAt(g.get("arch"), "its architecture is given here"), relatedAt(image.get("architectures"), "the image's are given here"))
		}
	}
}

// Tests returns the names of the tests that a component refers to, by name or
// by group, in order.
func (p *Project) Tests(c *Component) []string {
	var names []string
	for _, use := range p.testsOf(c.merged.get("tests", "tests").elements()) {
		names = append(names, use.name)
	}
	return names
}

// TestGroups returns the names of the test groups that a component refers to,
// in order.
func (p *Project) TestGroups(c *Component) []string {
	var names []string
	for _, ref := range c.merged.get("tests", "tests").elements() {
		if g := ref.text("group"); g != "" {
			names = append(names, g)
		}
	}
	return names
}

// TestNames returns the names of all tests.
func (p *Project) TestNames() []string { return p.root.get("tests").names() }

// TestGroupNames returns the names of all test groups.
func (p *Project) TestGroupNames() []string { return p.root.get("test-groups").names() }
