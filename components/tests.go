package components

import (
	"fmt"
	"slices"
	"strings"
)

// The tables about tests. azldev runs tests and specgraft does not: what is in
// them is checked, kept and shown, and has no influence on a rendered byte, a
// fingerprint or what counts as changed.

var testKey = Key{Type: Table, Merge: MergeUnique, Check: checkTest, Help: "A test.", Keys: []Key{
	{Name: "type", Type: String, Required: true, Help: "What runs the test.", Enum: []Choice{{Value: "pytest"}, {Value: "lisa"}, {Value: "tmt", Help: "A plan of TMT."}}},
	{Name: "description", Type: String, Help: "What it is, for people."},
	{Name: "kind", Type: String, Help: "Kind of test.", Enum: []Choice{{Value: ""}, {Value: "functional"}, {Value: "performance"}}},
	{Name: "long-running", Type: Bool, Default: "false", Help: "It takes long."},
	{Name: "metrics-enabled", Type: Bool, Default: "false", Help: "It gives figures."},
	{Name: "required-capabilities", Type: List, Elem: &Key{Type: String}, Help: "What an image must be able to do for it; free words."},
	{Name: "pytest", Type: Table, Open: true, Help: "A test run by pytest.", Keys: []Key{
		{Name: "working-dir", Type: String, Required: true, Filled: true, Help: "Directory of the test, as written."},
		{Name: "test-paths", Type: List, Required: true, Elem: &Key{Type: String, Filled: true}, Help: "Paths or patterns below it."},
	}},
	{Name: "lisa", Type: Table, Open: true, Check: checkLisa, Help: "A test run by LISA. At least one of criteria, name, testcase-name and testcase-names says which.", Keys: []Key{
		{Name: "criteria", Help: "Which test cases: a table, or a list of tables, with name, area, category, priority, tags, testcase-name or testcase-names."},
		{Name: "name", Type: String, Filled: true, Help: "Name of a test."},
		{Name: "testcase-name", Type: String, Filled: true, Help: "Name of a test case."},
		{Name: "testcase-names", Type: List, Filled: true, Elem: &Key{Type: String, Filled: true}, Help: "Names of test cases."},
	}},
	{Name: "tmt", Type: Table, Open: true, Help: "A test run by TMT.", Keys: []Key{
		{Name: "plan", Type: String, Filled: true, Help: "Name of the plan."},
		{Name: "source", Type: Table, Open: true, Help: "Repository of the plan.", Keys: []Key{
			{Name: "git-url", Type: String, Filled: true, Help: "Its address."},
			{Name: "ref", Type: String, Format: refFormat, Help: "Its commit."},
		}},
	}},
}, Rules: []Rule{
	{Key: "type", Is: []string{"pytest"}, Need: []string{"pytest"}, Forbid: []string{"lisa", "tmt"}},
	{Key: "type", Is: []string{"lisa"}, Need: []string{"lisa"}, Forbid: []string{"pytest", "tmt"}},
	{Key: "type", Is: []string{"tmt"}, Need: []string{"tmt"}, Forbid: []string{"pytest", "lisa"}},
}}

// criteriaKey is one table of lisa.criteria.
var criteriaKey = Key{Type: Table, Check: checkPriority, Keys: []Key{
	{Name: "name", Type: String, Filled: true},
	{Name: "area", Type: String, Filled: true},
	{Name: "category", Type: String, Filled: true},
	{Name: "priority"},
	{Name: "tags", Type: List, Filled: true, Elem: &Key{Type: String, Filled: true}},
	{Name: "testcase-name", Type: String, Filled: true},
	{Name: "testcase-names", Type: List, Filled: true, Elem: &Key{Type: String, Filled: true}},
}}

var testGroupKey = Key{Type: Table, Merge: MergeUnique, Help: "A group of tests.", Keys: []Key{
	{Name: "description", Type: String, Help: "What it is, for people."},
	{Name: "tests", Type: List, Elem: &groupTestRefKey, Help: "Its tests, in this order."},
}}

// The references to tests differ by where they stand.
var (
	groupTestRefKey = Key{Type: Table, Check: checkGroupTest, Keys: []Key{
		{Name: "name", Type: String, Filled: true, Help: "Name of a test in [tests]."},
		{Name: "group", Type: String, Help: "Not allowed: a group holds tests only."},
	}}
	testRefKey = Key{Type: Table, Rules: exactlyOne("name", "group"), Keys: []Key{
		{Name: "name", Type: String, Help: "Name of a test in [tests]."},
		{Name: "group", Type: String, Help: "Name of a group in [test-groups]."},
	}}
	imageTestRefKey = Key{Type: Table, Rules: append(exactlyOne("name", "group"), Rule{Key: "sku-groups", Forbid: []string{"sku-group"}}), Check: checkUniqueSKUs, Keys: []Key{
		{Name: "name", Type: String, Help: "Name of a test in [tests]."},
		{Name: "group", Type: String, Help: "Name of a group in [test-groups]."},
		{Name: "sku-groups", Type: List, Since: "later", Elem: &Key{Type: String, Filled: true}, Help: "Groups of [sku-groups] to run it on."},
		{Name: "sku-group", Type: String, Since: "later", Help: "Older form of sku-groups, for one group."},
	}}
)

var skuGroupKey = Key{Type: Table, Merge: MergeUnique, Check: checkSizes, Help: "A group of sizes.", Keys: []Key{
	{Name: "description", Type: String, Help: "What it is, for people."},
	{Name: "arch", Type: String, Required: true, Help: "Architecture of its machines.", Enum: []Choice{{Value: "amd64", Help: "x86_64"}, {Value: "arm64", Help: "aarch64"}}},
	{Name: "vm-sizes", Type: List, Required: true, Elem: &Key{Type: String, Filled: true}, Help: "Its sizes."},
}}

var vmSKUKey = Key{Type: Table, Merge: MergeUnique, Open: true, Help: "A size of a virtual machine, kept as written."}

// checkTest looks at the subtable that the type does not name: an empty one is
// as wrong as a filled one.
func checkTest(c *checker, t *value, at *trail) {
	for _, name := range []string{"pytest", "lisa", "tmt"} {
		if e := t.entry(name); e != nil && name != t.text("type") {
			d := c.addKey(e, "config/conflict", "%q%s is not for type %q", name, at.in(), t.text("type"))
			d.Hint = "a test has the one table that its type names"
		}
	}
}

func checkLisa(c *checker, t *value, at *trail) {
	if t.entry("criteria") == nil && t.entry("name") == nil && t.entry("testcase-name") == nil && t.entry("testcase-names") == nil {
		d := c.missing(t, "criteria", at, "")
		d.Message = fmt.Sprintf("one of the keys \"criteria\", \"name\", \"testcase-name\" and \"testcase-names\" is needed%s", at.in())
		d.Hint = `say which test cases: criteria = { testcase-names = ["..."] }`
		return
	}
	v := t.get("criteria")
	one := func(v *value, at *trail) {
		if v.kind != kindTable {
			c.add(v, "config/wrong-type", "%s must be a table, not %s %s", at, article(v.kind), v.kind)
			return
		}
		if len(v.keys) == 0 {
			c.bad(v, "%s must not be empty", at)
			return
		}
		c.value(v, &criteriaKey, at)
	}
	at = at.key("criteria")
	switch {
	case v == nil:
	case v.kind == kindList && len(v.list) == 0:
		c.bad(v, "%s must not be empty", at)
	case v.kind == kindList:
		for i, el := range v.list {
			one(el, &trail{up: at, index: i})
		}
	default:
		one(v, at)
	}
}

// checkPriority allows one priority or several.
func checkPriority(c *checker, t *value, at *trail) {
	v := t.get("priority")
	if v == nil {
		return
	}
	at = at.key("priority")
	list := []*value{v}
	if v.kind == kindList {
		if list = v.list; len(list) == 0 {
			c.bad(v, "%s must not be empty", at)
		}
	}
	for _, el := range list {
		if n, ok := el.integer(); el.kind != kindInt || !ok || n < 0 || n > 4 {
			c.bad(el, "%s: %s must be an integer from 0 to 4, or a list of those", at, literal(el))
		}
	}
}

func checkGroupTest(c *checker, t *value, at *trail) {
	if e := t.entry("group"); e != nil {
		c.addKey(e, "config/conflict", "%q%s: a test group cannot hold groups", "group", at.in()).Hint = "name its tests one by one"
	} else if t.entry("name") == nil {
		c.missing(t, "name", at, "")
	}
}

func checkUniqueSKUs(c *checker, t *value, at *trail) { c.unique(t.get("sku-groups"), "SKU group", at) }

func checkSizes(c *checker, t *value, at *trail) { c.unique(t.get("vm-sizes"), "size", at) }

// checkImage holds the rules of one image.
func checkImage(c *checker, t *value, at *trail) {
	c.unique(t.get("architectures"), "architecture", at)
	var first *value
	var name string
	for _, kind := range []string{"machine-bootable", "container", "wsl", "installer-media"} {
		if !t.flag("capabilities", kind) {
			continue
		}
		v := t.get("capabilities", kind)
		if first == nil {
			first, name = v, kind
			continue
		}
		d := c.add(v, "config/conflict", "%q cannot stand beside %q%s", kind, name, at.key("capabilities").in())
		d.Hint = "an image is at most one of machine-bootable, container, wsl and installer-media"
		d.Related = append(d.Related, relatedAt(first, fmt.Sprintf("%q is given here", name)))
	}
}

// unique reports texts that a list has twice.
func (c *checker) unique(list *value, what string, at *trail) {
	if list == nil || list.kind != kindList {
		return
	}
	seen := map[string]*value{}
	for _, el := range list.list {
		if first := seen[el.str]; first != nil {
			d := c.add(el, "config/duplicate", "%s %q%s is given twice", what, el.str, at.in())
			d.Related = append(d.Related, relatedAt(first, "first given here"))
			continue
		}
		seen[el.str] = el
	}
}

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
