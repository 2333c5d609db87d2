package schema

import (
	"fmt"
	"slices"
	"strings"

	"specgraft/components/toml"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// A Trail is the dotted path to a value, built only when a message needs it.
type Trail struct {
	Up    *Trail
	Name  string
	index int // of a list element, when name is empty
}

func (t *Trail) Key(name string) *Trail { return &Trail{Up: t, Name: name} }

// String returns the path as a user writes it: components.bash.overlays[0].
func (t *Trail) String() string {
	if t == nil || t.Up == nil {
		return ""
	}
	up := t.Up.String()
	switch {
	case t.Name == "":
		return fmt.Sprintf("%s[%d]", up, t.index)
	case up == "":
		return toml.QuoteKey(t.Name)
	}
	return up + "." + toml.QuoteKey(t.Name)
}

// In completes a message with the table that it is about.
func (t *Trail) In() string {
	if s := t.String(); s != "" {
		return " in " + s
	}
	return ""
}

// A Checker holds values against the table of keys.
type Checker struct {
	Diags      diag.List
	Permissive bool // unknown keys are fine
	Azldev     bool // report what only specgraft knows, and nothing else
	proposals  int  // names searched for the nearest one so far
	lenient    bool // defaults of groups and distros: settings that nobody uses yet are only warned about
}

func (c *Checker) Add(v *toml.Value, code, format string, args ...any) *diag.Diagnostic {
	d := c.Diags.Add(v.Pos(), code, format, args...)
	if v.End > v.Off {
		d.End = v.EndPos()
	}
	return d
}

func (c *Checker) AddKey(e *toml.Entry, code, format string, args ...any) *diag.Diagnostic {
	d := c.Diags.Add(e.Pos(), code, format, args...)
	d.End = e.EndPos()
	return d
}

// Value checks v against k. at is the path of v.
func (c *Checker) Value(v *toml.Value, k *Key, at *Trail) {
	if k.Type == 0 {
		return // free form
	}
	if !k.Accepts(v) {
		if !c.Azldev {
			d := c.Add(v, "config/wrong-type", "%s must be %s, not %s %s", at, k.typeName(), article(v.Kind), v.Kind)
			d.Hint = typeHint(k, v)
		}
		return
	}
	switch k.Type {
	case String:
		c.text(v, k, at)
	case List:
		if k.Filled && len(v.List) == 0 {
			c.bad(v, "%s must not be empty", at)
		}
		for i, el := range v.List {
			c.Value(el, k.Elem, &Trail{Up: at, index: i})
		}
	case Map:
		for i := range v.Keys {
			e := &v.Keys[i]
			if k.NameRule != nil && !k.NameRule.ok(e.Name) && !c.Azldev {
				c.AddKey(e, "config/bad-name", "%s name %q must be %s", k.What, e.Name, k.NameRule.What)
			}
			c.Value(e.Val, k.Elem, at.Key(e.Name))
		}
	case Table:
		c.table(v, k, at)
	}
}

func article(k toml.Kind) string {
	if k == toml.KindInt {
		return "an"
	}
	return "a"
}

// typeHint proposes how to write what was probably meant.
func typeHint(k *Key, v *toml.Value) string {
	switch {
	case k.Type == String && (v.Kind == toml.KindInt || v.Kind == toml.KindFloat || v.Kind == toml.KindBool || v.Kind == toml.KindDate):
		return fmt.Sprintf("write it in quotes: %q", v.Str)
	case k.Type == List && k.Elem.Type == String && v.Kind == toml.KindString:
		return fmt.Sprintf("write it in brackets: [%s]", toml.QuoteString(v.Str))
	case k.Type == List && k.Elem.Type == Table && v.Kind == toml.KindTable && v.Form == toml.FormHeader:
		return "each element of a list of tables has a header in double brackets: [[...]]"
	case k.Type == Table && v.Kind != toml.KindTable && k.Find("path") != nil && v.Kind == toml.KindString:
		return fmt.Sprintf("write a table: { path = %s }", toml.QuoteString(v.Str))
	case k.Type == Table && v.Kind != toml.KindTable && len(k.Keys) > 0:
		var names []string
		for i := range k.Keys {
			names = append(names, k.Keys[i].Name)
		}
		return fmt.Sprintf("a table has keys and stands in braces: { %s = ... }; the keys are %s", names[0], strings.Join(names, ", "))
	case k.Type == Bool && v.Kind == toml.KindString && (v.Str == "true" || v.Str == "false"):
		return "write it without quotes: " + v.Str
	}
	return ""
}

func (c *Checker) bad(v *toml.Value, format string, args ...any) *diag.Diagnostic {
	if c.Azldev {
		return &diag.Diagnostic{}
	}
	return c.Add(v, "config/bad-value", format, args...)
}

func (c *Checker) text(v *toml.Value, k *Key, at *Trail) {
	if k.Filled && strings.TrimSpace(v.Str) == "" {
		c.bad(v, "%s must not be empty", at)
		return
	}
	if len(k.Enum) > 0 {
		i := slices.IndexFunc(k.Enum, func(ch Choice) bool { return ch.Value == v.Str })
		switch {
		case i >= 0 && k.Enum[i].Ext && c.Azldev:
			c.Add(v, "config/extension", "azldev does not know the value %q of %s", v.Str, at).
				Hint = fmt.Sprintf("azldev allows %s", quoted(plainChoices(k.Enum), " and "))
		case i < 0 && !(v.Str == "" && k.Required):
			names := choices(k.Enum)
			d := c.bad(v, "%q is not a value of %s", v.Str, at)
			d.Hint = "allowed are " + quoted(names, " and ")
			if len(names) == 1 {
				d.Hint = fmt.Sprintf("the only value is %q", names[0])
			} else if n := diag.Nearest(v.Str, names); n != "" {
				d.Hint = fmt.Sprintf("did you mean %q? %s", n, d.Hint)
			}
		}
		return
	}
	if k.Format != nil && v.Str != "" && !k.Format.ok(v.Str) {
		c.bad(v, "%s: %q must be %s", at, v.Str, k.Format.What)
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

func (c *Checker) table(t *toml.Value, k *Key, at *Trail) {
	before := len(c.Diags)
	for i := range t.Keys {
		e := &t.Keys[i]
		sub := k.Find(e.Name)
		if sub == nil {
			if !k.Open {
				c.unknown(t, e, k, at)
			}
			continue
		}
		if sub.Ext && c.Azldev {
			c.AddKey(e, "config/extension", "azldev does not know the key %q%s", e.Name, at.In()).
				Hint = "it is an extension of specgraft"
			continue
		}
		lenient := c.lenient
		if e.Name == "default-component-config" {
			c.lenient = true
		}
		c.Value(e.Val, sub, at.Key(e.Name))
		c.lenient = lenient
	}
	if c.Azldev && k.ops {
		if v := t.Get("section"); v != nil && v.Str == overlay.PreambleSection {
			c.Add(v, "config/extension", "azldev does not know the section %q%s", v.Str, at.In()).Hint = "it is an extension of specgraft"
		}
	}
	if c.Azldev || t.Broken {
		return
	}
	if k.ops {
		wrong := func(d diag.Diagnostic) bool { return d.Code == "config/wrong-type" }
		if !slices.ContainsFunc(c.Diags[before:], wrong) {
			c.operation(t)
		}
		return
	}
	broken := false
	for i := range k.Keys {
		if sub := &k.Keys[i]; sub.Required {
			e := t.Entry(sub.Name)
			switch {
			case e == nil:
				broken = true
				c.Missing(t, sub.Name, at, "").Hint = fmt.Sprintf("%s: %s", sub.Name, Sentence(sub.Help))
			case e.Val.Zero():
				broken = true
				c.bad(e.Val, "%s must not be empty", at.Key(sub.Name))
			}
		}
	}
	for i := range k.Rules {
		if k.Late && !c.lenient {
			break // other files may say the rest
		}
		if c.lenient && at.Up != nil && at.Up.Name == "build" {
			continue // the reason may come from a later layer
		}
		broken = c.Rule(t, k, &k.Rules[i], at) || broken
	}
	if k.Check != nil && !broken {
		k.Check(c, t, at)
	}
}

// unknown reports a key that the table does not have.
func (c *Checker) unknown(t *toml.Value, e *toml.Entry, k *Key, at *Trail) {
	if c.Permissive || c.Azldev {
		return
	}
	what := "key"
	if e.Val.Kind == toml.KindTable && e.Val.Form != toml.FormValue {
		what = "table"
	}
	d := c.AddKey(e, "config/unknown-key", "unknown %s %q%s", what, e.Name, at.In())
	names := make([]string, len(k.Keys))
	for i := range k.Keys {
		names[i] = k.Keys[i].Name
	}
	if n := nearestKey(e.Name, names); n != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", n)
		return
	}
	if home := elsewhere(e.Name, k); home != "" {
		if at.String() != "" {
			home = at.String() + "." + home
		}
		d.Hint = fmt.Sprintf("%q belongs into %s", e.Name, home)
		return
	}
	if k.ops && ComponentKey.Find(e.Name) != nil && at.Up != nil && at.Up.Up != nil {
		d.Hint = fmt.Sprintf("%q belongs into %s: lines below [[...overlays]] are the overlay's", e.Name, at.Up.Up)
		return
	}
	if op := overlay.Lookup(overlay.Type(t.Text("type"))); k.ops && op != nil {
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

// Sentence makes a help text the end of a line of another text.
func Sentence(help string) string {
	help, _, _ = strings.Cut(help, "\n")
	if help != "" && !(len(help) > 1 && help[1] >= 'A' && help[1] <= 'Z') {
		help = strings.ToLower(help[:1]) + help[1:]
	}
	return strings.TrimSuffix(help, ".")
}

func (c *Checker) Missing(t *toml.Value, name string, at *Trail, why string) *diag.Diagnostic {
	d := c.Diags.Add(t.Pos(), "config/missing-key", "missing key %q%s%s", name, at.In(), why)
	d.Hint = fmt.Sprintf("add %s = ... to that table", name)
	if d.Pos.Line > 0 && t.End > t.Off {
		d.End = t.EndPos()
	}
	return d
}

// ValidateOp checks the keys of an overlay's table; problems of a value reach
// to its end.
func ValidateOp(t *toml.Value) diag.List {
	op := Overlay(t)
	list := op.Validate()
	for i := range list {
		for j := range t.Keys {
			if v := t.Keys[j].Val; list[i].End.Line == 0 && v.End > v.Off && v.Pos() == list[i].Pos {
				list[i].End = v.EndPos()
			}
		}
	}
	return list
}

// operation checks one overlay by the table of operations.
func (c *Checker) operation(t *toml.Value) {
	list := ValidateOp(t)
	for i := range list {
		if c.lenient && list[i].Severity == diag.Error {
			list[i].Severity = diag.Warning
			list[i].Hint = strings.TrimPrefix(list[i].Hint+"; every component that inherits it fails", "; ")
		}
	}
	c.Diags = append(c.Diags, list...)
}

func (c *Checker) Profile(e *toml.Entry, at *Trail, what, profile string) *diag.Diagnostic {
	d := c.AddKey(e, "config/profile", "%s %s; the project's profile is %s", at, what, profile)
	d.Hint = "the profile is set with project.specgraft.profile or --profile"
	return d
}

// maxProposals bounds how often all names are searched for the nearest one: a
// file with thousands of wrong names needs another kind of help.
const maxProposals = 100

// UnknownName reports a reference to something that is not defined.
func (c *Checker) UnknownName(v *toml.Value, what string, names []string, where string) {
	if v.Kind != toml.KindString {
		return // reported as a wrong type
	}
	d := c.Add(v, "config/unknown-reference", "unknown %s %q%s", what, v.Str, where)
	if c.proposals++; c.proposals > maxProposals {
		return
	}
	if n := diag.Nearest(v.Str, names); n != "" {
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
