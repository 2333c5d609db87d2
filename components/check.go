package components

import (
	"fmt"
	"go/token"
	"slices"
	"strings"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// A trail is the dotted path to a value, built only when a message needs it.
type trail struct {
	up    *trail
	name  string
	index int // of a list element, when name is empty
}

func (t *trail) key(name string) *trail { return &trail{up: t, name: name} }

// String returns the path as a user writes it: components.bash.overlays[0].
func (t *trail) String() string {
	if t == nil || t.up == nil {
		return ""
	}
	up := t.up.String()
	switch {
	case t.name == "":
		return fmt.Sprintf("%s[%d]", up, t.index)
	case up == "":
		return quoteKey(t.name)
	}
	return up + "." + quoteKey(t.name)
}

// in completes a message with the table that it is about.
func (t *trail) in() string {
	if s := t.String(); s != "" {
		return " in " + s
	}
	return ""
}

// A checker holds values against the table of keys.
type checker struct {
	diags      diag.List
	permissive bool // unknown keys are fine
	azldev     bool // report what only specgraft knows, and nothing else
	proposals  int  // names searched for the nearest one so far
	lenient    bool // defaults of groups and distros: settings that nobody uses yet are only warned about
}

func (c *checker) add(v *value, code, format string, args ...any) *diag.Diagnostic {
	d := c.diags.Add(v.pos(), code, format, args...)
	if v.end > v.off {
		d.End = v.endPos()
	}
	return d
}

func (c *checker) addKey(e *entry, code, format string, args ...any) *diag.Diagnostic {
	d := c.diags.Add(e.pos(), code, format, args...)
	d.End = e.endPos()
	return d
}

// value checks v against k. at is the path of v.
func (c *checker) value(v *value, k *Key, at *trail) {
	if k.Type == 0 {
		return // free form
	}
	if !k.accepts(v) {
		if !c.azldev {
			d := c.add(v, "config/wrong-type", "%s must be %s, not %s %s", at, k.typeName(), article(v.kind), v.kind)
			d.Hint = typeHint(k, v)
		}
		return
	}
	switch k.Type {
	case String:
		c.text(v, k, at)
	case List:
		if k.Filled && len(v.list) == 0 {
			c.bad(v, "%s must not be empty", at)
		}
		for i, el := range v.list {
			c.value(el, k.Elem, &trail{up: at, index: i})
		}
	case Map:
		for i := range v.keys {
			e := &v.keys[i]
			if k.NameRule != nil && !k.NameRule.match(e.name) && !c.azldev {
				c.addKey(e, "config/bad-name", "%s name %q must be %s", k.What, e.name, k.NameRule.What)
			}
			c.value(e.val, k.Elem, at.key(e.name))
		}
	case Table:
		c.table(v, k, at)
	}
}

func article(k kind) string {
	if k == kindInt {
		return "an"
	}
	return "a"
}

// typeHint proposes how to write what was probably meant.
func typeHint(k *Key, v *value) string {
	switch {
	case k.Type == String && (v.kind == kindInt || v.kind == kindFloat || v.kind == kindBool || v.kind == kindDate):
		return fmt.Sprintf("write it in quotes: %q", v.str)
	case k.Type == List && k.Elem.Type == String && v.kind == kindString:
		return fmt.Sprintf("write it in brackets: [%s]", quoteString(v.str))
	case k.Type == List && k.Elem.Type == Table && v.kind == kindTable && v.form == formHeader:
		return "each element of a list of tables has a header in double brackets: [[...]]"
	case k.Type == Bool && v.kind == kindString && (v.str == "true" || v.str == "false"):
		return "write it without quotes: " + v.str
	}
	return ""
}

func (c *checker) bad(v *value, format string, args ...any) *diag.Diagnostic {
	if c.azldev {
		return &diag.Diagnostic{}
	}
	return c.add(v, "config/bad-value", format, args...)
}

func (c *checker) text(v *value, k *Key, at *trail) {
	if k.Filled && strings.TrimSpace(v.str) == "" {
		c.bad(v, "%s must not be empty", at)
		return
	}
	if len(k.Enum) > 0 {
		i := slices.IndexFunc(k.Enum, func(ch Choice) bool { return ch.Value == v.str })
		switch {
		case i >= 0 && k.Enum[i].Ext && c.azldev:
			c.add(v, "config/extension", "azldev does not know the value %q of %s", v.str, at).
				Hint = fmt.Sprintf("azldev allows %s", quoted(plainChoices(k.Enum), " and "))
		case i < 0 && !(v.str == "" && k.Required):
			names := choices(k.Enum)
			d := c.bad(v, "%q is not a value of %s", v.str, at)
			d.Hint = "allowed are " + quoted(names, " and ")
			if len(names) == 1 {
				d.Hint = fmt.Sprintf("the only value is %q", names[0])
			} else if n := nearestFold(v.str, names); n != "" {
				d.Hint = fmt.Sprintf("did you mean %q? %s", n, d.Hint)
			}
		}
		return
	}
	if k.Format != nil && v.str != "" && !k.Format.match(v.str) {
		c.bad(v, "%s: %q must be %s", at, v.str, k.Format.What)
	}
}

func plainChoices(list []Choice) []string {
	var plain []Choice
	for _, ch := range list {
		if !ch.Ext {
			plain = append(plain, ch)
		}
	}
	return choices(plain)
}

// nearestFold is diag.Nearest, but other letter case is the closest of all.
func nearestFold(word string, names []string) string {
	for _, n := range names {
		if strings.EqualFold(n, word) {
			return n
		}
	}
	return diag.Nearest(word, names)
}

func (c *checker) table(t *value, k *Key, at *trail) {
	before := len(c.diags)
	for i := range t.keys {
		e := &t.keys[i]
		sub := k.find(e.name)
		if sub == nil {
			c.unknown(e, k, at)
			continue
		}
		if sub.Ext && c.azldev {
			c.addKey(e, "config/extension", "azldev does not know the key %q%s", e.name, at.in()).
				Hint = "it is an extension of specgraft"
			continue
		}
		lenient := c.lenient
		if e.name == "default-component-config" {
			c.lenient = true
		}
		c.value(e.val, sub, at.key(e.name))
		c.lenient = lenient
	}
	if c.azldev || t.broken {
		return
	}
	if k.ops {
		wrong := func(d diag.Diagnostic) bool { return d.Code == "config/wrong-type" }
		if !slices.ContainsFunc(c.diags[before:], wrong) {
			c.operation(t)
		}
		return
	}
	broken := false
	for i := range k.Keys {
		if sub := &k.Keys[i]; sub.Required {
			e := t.entry(sub.Name)
			switch {
			case e == nil:
				broken = true
				c.missing(t, sub.Name, at, "").Hint = fmt.Sprintf("%s: %s", sub.Name, sentence(sub.Help))
			case e.val.zero():
				broken = true
				c.bad(e.val, "%s must not be empty", at.key(sub.Name))
			}
		}
	}
	for i := range k.Rules {
		if c.lenient && at.up != nil && at.up.name == "build" {
			continue // the reason may come from a later layer
		}
		broken = c.rule(t, k, &k.Rules[i], at) || broken
	}
	if k.Check != nil && !broken {
		k.Check(c, t, at)
	}
}

// unknown reports a key that the table does not have.
func (c *checker) unknown(e *entry, k *Key, at *trail) {
	if c.permissive || c.azldev {
		return
	}
	what := "key"
	if e.val.kind == kindTable && e.val.form != formValue {
		what = "table"
	}
	d := c.addKey(e, "config/unknown-key", "unknown %s %q%s", what, e.name, at.in())
	names := make([]string, len(k.Keys))
	for i := range k.Keys {
		names[i] = k.Keys[i].Name
	}
	if n := nearestKey(e.name, names); n != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", n)
		return
	}
	if home := elsewhere(e.name, at); home != "" {
		d.Hint = fmt.Sprintf("%q belongs into %s", e.name, home)
		return
	}
	slices.Sort(names)
	d.Hint = "keys here are " + strings.Join(names, ", ")
}

// nearestKey takes _ and - for the same before it looks for typing mistakes.
func nearestKey(name string, names []string) string {
	plain := strings.NewReplacer("_", "", "-", "")
	for _, n := range names {
		if strings.EqualFold(plain.Replace(n), plain.Replace(name)) {
			return n
		}
	}
	return diag.Nearest(name, names)
}

// elsewhere finds the one table of a component that a misplaced key belongs
// to, such as "without" directly in a component.
func elsewhere(name string, at *trail) string {
	if at == nil || at.up == nil || at.up.up == nil || at.up.name != "components" {
		return ""
	}
	home, n := "", 0
	var walk func(keys []Key, path string)
	walk = func(keys []Key, path string) {
		for i := range keys {
			k := &keys[i]
			if k.Name == name && path != "" {
				home, n = path, n+1
			}
			if k.Type == Table && !k.Ext {
				p := k.Name
				if path != "" {
					p = path + "." + p
				}
				walk(k.Keys, p)
			}
		}
	}
	walk(componentKeys, "")
	if n != 1 {
		return ""
	}
	return at.String() + "." + home
}

// sentence makes a help text the end of a line of another text.
func sentence(help string) string {
	help, _, _ = strings.Cut(help, "\n")
	if help != "" && !(len(help) > 1 && help[1] >= 'A' && help[1] <= 'Z') {
		help = strings.ToLower(help[:1]) + help[1:]
	}
	return strings.TrimSuffix(help, ".")
}

func (c *checker) missing(t *value, name string, at *trail, why string) *diag.Diagnostic {
	d := c.diags.Add(t.pos(), "config/missing-key", "missing key %q%s%s", name, at.in(), why)
	if d.Pos.Line > 0 && t.end > t.off {
		d.End = t.endPos()
	}
	return d
}

// rule applies one rule to a table and reports whether it is broken.
func (c *checker) rule(t *value, k *Key, r *Rule, at *trail) bool {
	cond := t.entry(r.Key)
	holds := cond != nil && !cond.val.zero()
	if r.Is != nil {
		holds = cond != nil && slices.Contains(r.Is, cond.val.str)
	}
	if holds == r.Not {
		return false
	}
	broken := false
	for _, name := range r.Need {
		e := t.entry(name)
		if e != nil && !e.val.zero() && (e.val.kind != kindString || strings.TrimSpace(e.val.str) != "") {
			continue
		}
		broken = true
		why := ""
		switch {
		case r.Not:
			d := c.diags.Add(t.pos(), "config/missing-key", "one of the keys %q and %q is needed%s", r.Key, name, at.in())
			if t.end > t.off {
				d.End = t.endPos()
			}
			continue
		case r.Is != nil:
			why = fmt.Sprintf(": needed when %q is %s", r.Key, literal(cond.val))
		default:
			why = fmt.Sprintf(": needed when %q is given", r.Key)
		}
		d := c.missing(t, name, at, why)
		d.Pos, d.End = cond.pos(), cond.endPos()
		if e != nil {
			d.Related = []diag.Related{{Pos: e.val.pos(), Message: fmt.Sprintf("%q is empty here", name)}}
		}
	}
	for _, name := range r.Forbid {
		e := t.entry(name)
		if e == nil || e.val.zero() {
			continue
		}
		broken = true
		sub := k.find(r.Key)
		switch {
		case r.Is == nil:
			d := c.addKey(e, "config/conflict", "%q cannot stand beside %q%s", name, r.Key, at.in())
			d.Related = []diag.Related{{Pos: cond.pos(), Message: fmt.Sprintf("%q is given here", r.Key)}}
		case r.Not:
			d := c.addKey(e, "config/conflict", "%q%s needs %q to be %s in the same table", name, at.in(), r.Key, wanted(sub, r.Is))
			d.Hint = fmt.Sprintf("add %s = %s beside it", r.Key, wanted(sub, r.Is[:1]))
			if cond != nil {
				d.Hint = ""
				d.Related = []diag.Related{{Pos: cond.val.pos(), Message: fmt.Sprintf("%q is %s here", r.Key, literal(cond.val))}}
			}
		default:
			d := c.addKey(e, "config/conflict", "%q%s is not for %s %s", name, at.in(), r.Key, literal(cond.val))
			d.Related = []diag.Related{{Pos: cond.val.pos(), Message: fmt.Sprintf("%q is %s here", r.Key, literal(cond.val))}}
		}
	}
	return broken
}

func literal(v *value) string {
	if v.kind == kindString {
		return quoteString(v.str)
	}
	return v.str
}

// wanted lists values as the TOML of their key has them.
func wanted(k *Key, values []string) string {
	if k.Type == Bool {
		return strings.Join(values, " or ")
	}
	return quoted(values, " or ")
}

// operation checks one overlay by the table of operations.
func (c *checker) operation(t *value) {
	op := decodeOp(t)
	list := op.Validate()
	for i := range list {
		if c.lenient && list[i].Severity == diag.Error {
			list[i].Severity = diag.Warning
			list[i].Hint = strings.TrimPrefix(list[i].Hint+"; every component that inherits it fails", "; ")
		}
	}
	c.diags = append(c.diags, list...)
}

// checkMetadata is the rule for backports.
func checkMetadata(c *checker, t *value, at *trail) {
	cat, status := t.get("category"), t.get("upstream-status")
	if cat.str != "upstream-backport" {
		return
	}
	if t.get("commits").zero() {
		d := c.missing(t, "commits", at, `: needed when "category" is "upstream-backport"`)
		d.Pos, d.End = t.entry("category").pos(), t.entry("category").endPos()
	}
	if s := status.str; s != "upstreamed" && s != "upstreamable" {
		d := c.add(status, "config/conflict", `%q must be "upstreamed" or "upstreamable" for a backport%s`, "upstream-status", at.in())
		d.Related = []diag.Related{{Pos: cat.pos(), Message: "category is given here"}}
	}
}

// checkSourceFile holds the rules that tie an entry to its origin.
func checkSourceFile(c *checker, t *value, at *trail) {
	origin := t.get("origin")
	typ := origin.get("type")
	if origin.text("type") == "overlay" && t.get("replace-upstream").zero() {
		d := c.missing(t, "replace-upstream", at, `: an archive of origin type "overlay" replaces upstream's`)
		d.Pos, d.End = typ.pos(), typ.endPos()
		d.Hint = `add replace-upstream = true and a replace-reason`
	}
	seen := map[string]*value{}
	if inputs := origin.get("inputs"); inputs != nil {
		for _, in := range inputs.list {
			if first := seen[in.str]; first != nil {
				d := c.bad(in, "input %q%s is given twice", in.str, at.in())
				d.Related = []diag.Related{{Pos: first.pos(), Message: "first given here"}}
			}
			seen[in.str] = in
			if s := origin.get("script"); s != nil && s.str == in.str {
				d := c.bad(in, "input %q%s is the script itself", in.str, at.in())
				d.Related = []diag.Related{{Pos: s.pos(), Message: "script is given here"}}
			}
		}
	}
}

// checkComponent holds the rules of a [components.NAME] table.
func checkComponent(c *checker, t *value, at *trail) {
	if e := t.get("spec", "upstream-distro").entry("snapshot"); e != nil && !e.val.zero() && !c.lenient {
		d := c.addKey(e, "config/conflict", "component %q cannot have a snapshot of its own", at.name)
		d.Hint = "the snapshot belongs into a default-component-config; pin a component with spec.upstream-commit"
	}
	checkSourceFiles(c, t, at)
}

// checkSourceFiles finds source files that are named twice.
func checkSourceFiles(c *checker, t *value, at *trail) {
	files := t.get("source-files")
	if files == nil {
		return
	}
	seen := map[string]*value{}
	for _, f := range files.list {
		name := f.get("filename")
		if name == nil || name.kind != kindString {
			continue
		}
		if first := seen[name.str]; first != nil {
			d := c.add(name, "config/duplicate", "source file %q%s is given twice", name.str, at.in())
			d.Related = []diag.Related{{Pos: first.pos(), Message: "first given here"}}
			continue
		}
		seen[name.str] = name
	}
}

// checkPackageGroup finds packages that are named twice.
func checkPackageGroup(c *checker, t *value, at *trail) {
	list := t.get("packages")
	if list == nil {
		return
	}
	seen := make(map[string]*value, len(list.list))
	for _, p := range list.list {
		if first := seen[p.str]; first != nil {
			d := c.add(p, "config/duplicate", "package %q%s is given twice", p.str, at.in())
			d.Related = []diag.Related{{Pos: first.pos(), Message: "first given here"}}
			continue
		}
		seen[p.str] = p
	}
}

// checkRepo is the rule that packages are verified unless said otherwise.
func checkRepo(c *checker, t *value, at *trail) {
	if t.get("gpg-key").zero() && t.get("disable-gpg-check").zero() {
		c.missing(t, "gpg-key", at, "").Hint = "give the key, or disable-gpg-check = true"
	}
}

// checkSetTemplate finds repositories that are named twice.
func checkSetTemplate(c *checker, t *value, at *trail) {
	seen := map[string]*value{}
	for _, sub := range t.get("subrepos").list {
		name := sub.get("name")
		if name == nil {
			continue
		}
		if first := seen[name.str]; first != nil {
			d := c.add(name, "config/duplicate", "repository %q%s is given twice", name.str, at.in())
			d.Related = []diag.Related{{Pos: first.pos(), Message: "first given here"}}
			continue
		}
		seen[name.str] = name
	}
}

// decodeOp turns an overlay's table into an operation. Values of a wrong type
// are left out; the checker has reported them.
func decodeOp(t *value) overlay.Op {
	op := overlay.Op{Pos: t.pos(), KeyPos: make(map[string]token.Position, len(t.keys))}
	for i := range t.keys {
		e := &t.keys[i]
		v := e.val
		op.KeyPos[e.name] = v.pos()
		switch v.kind {
		case kindString:
			switch e.name {
			case "type":
				op.Type = overlay.Type(v.str)
			case "description":
				op.Description = v.str
			case "file":
				op.File = v.str
			case "archive":
				op.Archive = v.str
			case "section":
				op.Section = v.str
			case "package":
				op.Package = v.str
			case "tag":
				op.Tag = v.str
			case "value":
				op.Value = v.str
			case "regex":
				op.Regex = v.str
			case "replacement":
				op.Replacement = v.str
			case "source":
				op.Source = v.path()
			case "branch":
				op.Branch = v.str
			case "mode":
				op.Mode = v.str
			}
		case kindInt:
			switch n, ok := v.integer(); {
			case e.name == "expect" && ok:
				op.Expect = &n
			case e.name == "branch":
				op.Branch = v.str
			}
		case kindBool:
			switch e.name {
			case "replacement-groups":
				op.ReplacementGroups = v.str == "true"
			case "multiline":
				op.Multiline = v.str == "true"
			}
		case kindList:
			if e.name == "lines" {
				op.Lines = v.strings()
			}
		case kindTable:
			if e.name == "metadata" {
				op.Metadata = decodeMetadata(v)
			}
		}
	}
	return op
}

func decodeMetadata(t *value) *overlay.Metadata {
	if t == nil || t.kind != kindTable {
		return nil
	}
	links := func(v *value) []overlay.Link {
		if v == nil || v.kind != kindList {
			return nil
		}
		var out []overlay.Link
		for _, l := range v.list {
			if u := l.get("url"); u != nil {
				out = append(out, overlay.Link{URL: u.str, Pos: u.pos()})
			}
		}
		return out
	}
	return &overlay.Metadata{
		Category: t.text("category"), UpstreamStatus: t.text("upstream-status"),
		Commits: links(t.get("commits")), Bugs: links(t.get("bugs")), Pos: t.pos(),
	}
}
