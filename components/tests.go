package components

import (
	"fmt"
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
