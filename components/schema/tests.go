package schema

import (
	"fmt"

	"specgraft/components/toml"
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
func checkTest(c *Checker, t *toml.Value, at *Trail) {
	for _, name := range []string{"pytest", "lisa", "tmt"} {
		if e := t.Entry(name); e != nil && name != t.Text("type") {
			d := c.AddKey(e, "config/conflict", "%q%s is not for type %q", name, at.In(), t.Text("type"))
			d.Hint = "a test has the one table that its type names"
		}
	}
}

func checkLisa(c *Checker, t *toml.Value, at *Trail) {
	if t.Entry("criteria") == nil && t.Entry("name") == nil && t.Entry("testcase-name") == nil && t.Entry("testcase-names") == nil {
		d := c.Missing(t, "criteria", at, "")
		d.Message = fmt.Sprintf("one of the keys \"criteria\", \"name\", \"testcase-name\" and \"testcase-names\" is needed%s", at.In())
		d.Hint = `say which test cases: criteria = { testcase-names = ["..."] }`
		return
	}
	v := t.Get("criteria")
	one := func(v *toml.Value, at *Trail) {
		if v.Kind != toml.KindTable {
			c.Add(v, "config/wrong-type", "%s must be a table, not %s %s", at, article(v.Kind), v.Kind)
			return
		}
		if len(v.Keys) == 0 {
			c.bad(v, "%s must not be empty", at)
			return
		}
		c.Value(v, &criteriaKey, at)
	}
	at = at.Key("criteria")
	switch {
	case v == nil:
	case v.Kind == toml.KindList && len(v.List) == 0:
		c.bad(v, "%s must not be empty", at)
	case v.Kind == toml.KindList:
		for i, el := range v.List {
			one(el, &Trail{Up: at, index: i})
		}
	default:
		one(v, at)
	}
}

// checkPriority allows one priority or several.
func checkPriority(c *Checker, t *toml.Value, at *Trail) {
	v := t.Get("priority")
	if v == nil {
		return
	}
	at = at.Key("priority")
	list := []*toml.Value{v}
	if v.Kind == toml.KindList {
		if list = v.List; len(list) == 0 {
			c.bad(v, "%s must not be empty", at)
		}
	}
	for _, el := range list {
		if n, ok := el.Integer(); el.Kind != toml.KindInt || !ok || n < 0 || n > 4 {
			c.bad(el, "%s: %s must be an integer from 0 to 4, or a list of those", at, Literal(el))
		}
	}
}

func checkGroupTest(c *Checker, t *toml.Value, at *Trail) {
	if e := t.Entry("group"); e != nil {
		c.AddKey(e, "config/conflict", "%q%s: a test group cannot hold groups", "group", at.In()).Hint = "name its tests one by one"
	} else if t.Entry("name") == nil {
		c.Missing(t, "name", at, "")
	}
}

func checkUniqueSKUs(c *Checker, t *toml.Value, at *Trail) {
	c.unique(t.Get("sku-groups"), "SKU group", at)
}

func checkSizes(c *Checker, t *toml.Value, at *Trail) { c.unique(t.Get("vm-sizes"), "size", at) }

// checkImage holds the rules of one image.
func checkImage(c *Checker, t *toml.Value, at *Trail) {
	c.unique(t.Get("architectures"), "architecture", at)
	var first *toml.Value
	var name string
	for _, kind := range []string{"machine-bootable", "container", "wsl", "installer-media"} {
		if !t.Flag("capabilities", kind) {
			continue
		}
		v := t.Get("capabilities", kind)
		if first == nil {
			first, name = v, kind
			continue
		}
		d := c.Add(v, "config/conflict", "%q cannot stand beside %q%s", kind, name, at.Key("capabilities").In())
		d.Hint = "an image is at most one of machine-bootable, container, wsl and installer-media"
		d.Related = append(d.Related, toml.RelatedAt(first, fmt.Sprintf("%q is given here", name)))
	}
}

// unique reports texts that a list has twice.
func (c *Checker) unique(list *toml.Value, what string, at *Trail) {
	if list == nil || list.Kind != toml.KindList {
		return
	}
	seen := map[string]*toml.Value{}
	for _, el := range list.List {
		if first := seen[el.Str]; first != nil {
			d := c.Add(el, "config/duplicate", "%s %q%s is given twice", what, el.Str, at.In())
			d.Related = append(d.Related, toml.RelatedAt(first, "first given here"))
			continue
		}
		seen[el.Str] = el
	}
}
