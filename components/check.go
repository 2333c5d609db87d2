package components

import (
	"fmt"
	"slices"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"strings"
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
		return QuoteKey(t.name)
	}
	return up + "." + QuoteKey(t.name)
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
			if k.NameRule != nil && !k.NameRule.ok(e.name) && !c.azldev {
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
	case k.Type == Table && v.kind != kindTable && k.find("path") != nil && v.kind == kindString:
		return fmt.Sprintf("write a table: { path = %s }", quoteString(v.str))
	case k.Type == Table && v.kind != kindTable && len(k.Keys) > 0:
		var names []string
		for i := range k.Keys {
			names = append(names, k.Keys[i].Name)
		}
		return fmt.Sprintf("a table has keys and stands in braces: { %s = ... }; the keys are %s", names[0], strings.Join(names, ", "))
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
			} else if n := diag.Nearest(v.str, names); n != "" {
				d.Hint = fmt.Sprintf("did you mean %q? %s", n, d.Hint)
			}
		}
		return
	}
	if k.Format != nil && v.str != "" && !k.Format.ok(v.str) {
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

func (c *checker) table(t *value, k *Key, at *trail) {
	before := len(c.diags)
	for i := range t.keys {
		e := &t.keys[i]
		sub := k.find(e.name)
		if sub == nil {
			if !k.Open {
				c.unknown(t, e, k, at)
			}
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
	if c.azldev && k.ops {
		if v := t.get("section"); v != nil && v.str == overlay.PreambleSection {
			c.add(v, "config/extension", "azldev does not know the section %q%s", v.str, at.in()).Hint = "it is an extension of specgraft"
		}
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
		if k.Late && !c.lenient {
			break // other files may say the rest
		}
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
func (c *checker) unknown(t *value, e *entry, k *Key, at *trail) {
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
	if home := elsewhere(e.name, k); home != "" {
		if at.String() != "" {
			home = at.String() + "." + home
		}
		d.Hint = fmt.Sprintf("%q belongs into %s", e.name, home)
		return
	}
	if k.ops && componentKey.find(e.name) != nil && at.up != nil && at.up.up != nil {
		d.Hint = fmt.Sprintf("%q belongs into %s: lines below [[...overlays]] are the overlay's", e.name, at.up.up)
		return
	}
	if op := overlay.Lookup(overlay.Type(t.text("type"))); k.ops && op != nil {
		names = slices.DeleteFunc(names, func(name string) bool { return op.Key(name) == nil })
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

// elsewhere finds the one table below k that a misplaced key belongs to, such
// as "build" for "without" directly in a component.
func elsewhere(name string, k *Key) string {
	home, n := "", 0
	var walk func(keys []Key, path string)
	walk = func(keys []Key, path string) {
		for i := range keys {
			sub := &keys[i]
			if sub.Name == name && path != "" {
				home, n = path, n+1
			}
			if sub.Type == Table && !sub.Ext {
				p := sub.Name
				if path != "" {
					p = path + "." + p
				}
				walk(sub.Keys, p)
			}
		}
	}
	walk(k.Keys, "")
	if n != 1 {
		return ""
	}
	return home
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
	d.Hint = fmt.Sprintf("add %s = ... to that table", name)
	if d.Pos.Line > 0 && t.end > t.off {
		d.End = t.endPos()
	}
	return d
}

// validateOp checks the keys of an overlay's table; problems of a value reach
// to its end.
func validateOp(t *value) diag.List {
	op := decodeOp(t)
	list := op.Validate()
	for i := range list {
		for j := range t.keys {
			if v := t.keys[j].val; list[i].End.Line == 0 && v.end > v.off && v.pos() == list[i].Pos {
				list[i].End = v.endPos()
			}
		}
	}
	return list
}

// operation checks one overlay by the table of operations.
func (c *checker) operation(t *value) {
	list := validateOp(t)
	for i := range list {
		if c.lenient && list[i].Severity == diag.Error {
			list[i].Severity = diag.Warning
			list[i].Hint = strings.TrimPrefix(list[i].Hint+"; every component that inherits it fails", "; ")
		}
	}
	c.diags = append(c.diags, list...)
}

func (c *checker) profile(e *entry, at *trail, what, profile string) *diag.Diagnostic {
	d := c.addKey(e, "config/profile", "%s %s; the project's profile is %s", at, what, profile)
	d.Hint = "the profile is set with project.specgraft.profile or --profile"
	return d
}

// maxProposals bounds how often all names are searched for the nearest one: a
// file with thousands of wrong names needs another kind of help.
const maxProposals = 100

// unknownName reports a reference to something that is not defined.
func (c *checker) unknownName(v *value, what string, names []string, where string) {
	if v.kind != kindString {
		return // reported as a wrong type
	}
	d := c.add(v, "config/unknown-reference", "unknown %s %q%s", what, v.str, where)
	if c.proposals++; c.proposals > maxProposals {
		return
	}
	if n := diag.Nearest(v.str, names); n != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", n)
		return
	}
	switch slices.Sort(names); {
	case len(names) == 0:
		d.Hint = fmt.Sprintf("no %s is defined", what)
	case len(names) <= 12:
		d.Hint = fmt.Sprintf("defined are %s", strings.Join(names, ", "))
	}
}
