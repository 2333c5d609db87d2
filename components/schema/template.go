package schema

import (
	"go/token"

	"specgraft/components/toml"
)

// A Template is the [components.NAME.template] table, or a table inside it,
// merged from all layers. A nil Template reads as empty.
type Template struct {
	tab *toml.Value
	key *Key
}

// ReadTemplate returns the template table of a component.
func ReadTemplate(tab *toml.Value) *Template { return &Template{tab, &TemplateKey} }

// A Field is one text of a template table with the place it was written.
type Field struct {
	Value  string
	Pos    token.Position
	Macros bool // the key is declared to hold macros
}

// Pos returns where the table begins.
func (t *Template) Pos() token.Position {
	if t == nil || t.tab == nil {
		return toml.NoPos
	}
	return t.tab.Pos()
}

func (t *Template) value(key string) (*toml.Value, *Key) {
	if t == nil || t.tab == nil {
		return nil, nil
	}
	k := t.key.Find(key)
	v := t.tab.Get(key)
	if k == nil || v == nil || !k.Accepts(v) {
		return nil, nil
	}
	return v, k
}

// Text returns the string or number under key, the empty Field when it is not
// given.
func (t *Template) Text(key string) Field {
	v, k := t.value(key)
	if v == nil || v.Kind != toml.KindString && v.Kind != toml.KindInt {
		return Field{}
	}
	return Field{v.Str, v.Pos(), k.Macros}
}

// Flag returns the boolean under key.
func (t *Template) Flag(key string) bool {
	v, _ := t.value(key)
	return v != nil && v.Kind == toml.KindBool && v.Str == "true"
}

// Texts returns the list of strings under key.
func (t *Template) Texts(key string) []Field {
	v, k := t.value(key)
	if v == nil || v.Kind != toml.KindList {
		return nil
	}
	var out []Field
	for _, el := range v.List {
		if el.Kind == toml.KindString {
			out = append(out, Field{el.Str, el.Pos(), k.Elem.Macros})
		}
	}
	return out
}

// Tables returns the list of tables under key.
func (t *Template) Tables(key string) []*Template {
	v, k := t.value(key)
	if v == nil || v.Kind != toml.KindList {
		return nil
	}
	var out []*Template
	for _, el := range v.List {
		if el.Kind == toml.KindTable {
			out = append(out, &Template{el, k.Elem})
		}
	}
	return out
}

// An Entry is one entry of a table with free key names.
type Entry struct {
	Name  Field     // the key
	Value Field     // a string, or a boolean as "true" and "false"
	Table *Template // set for a table
}

// Entries returns the entries of the map under key in the order in which they
// were first written.
func (t *Template) Entries(key string) []Entry {
	v, k := t.value(key)
	if v == nil || v.Kind != toml.KindTable {
		return nil
	}
	var out []Entry
	for i := range v.Keys {
		e := &v.Keys[i]
		if !k.Elem.Accepts(e.Val) {
			continue
		}
		n := Entry{Name: Field{Value: e.Name, Pos: e.Pos()}}
		if e.Val.Kind == toml.KindTable {
			n.Table = &Template{e.Val, k.Elem}
		} else {
			n.Value = Field{e.Val.Str, e.Val.Pos(), k.Elem.Macros}
		}
		out = append(out, n)
	}
	return out
}

// FileNames returns the texts of the table that could name a file.
func (t *Template) FileNames() map[string]bool {
	names := map[string]bool{}
	if t != nil && t.tab != nil {
		fileNames(t.tab, names)
	}
	return names
}

func fileNames(v *toml.Value, names map[string]bool) {
	if v.Kind == toml.KindString && PlainFileName(v.Str) {
		names[v.Str] = true
	}
	for _, el := range v.List {
		fileNames(el, names)
	}
	for i := range v.Keys {
		fileNames(v.Keys[i].Val, names)
	}
}

// Tree returns the table as plain data: map[string]any, []any, bool, and string
// for everything else, numbers as they were written. It is nil for an empty
// Template.
func (t *Template) Tree() any {
	if t == nil || t.tab == nil {
		return nil
	}
	return plain(t.tab)
}

func plain(v *toml.Value) any {
	switch v.Kind {
	case toml.KindTable:
		m := make(map[string]any, len(v.Keys))
		for i := range v.Keys {
			m[v.Keys[i].Name] = plain(v.Keys[i].Val)
		}
		return m
	case toml.KindList:
		list := make([]any, len(v.List))
		for i, el := range v.List {
			list[i] = plain(el)
		}
		return list
	case toml.KindBool:
		return v.Str == "true"
	}
	return v.Str
}
