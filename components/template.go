package components

import (
	"go/token"
	"path"
	"strings"
)

// A Template is the [components.NAME.template] table, or a table inside it,
// merged from all layers. A nil Template reads as empty.
type Template struct {
	tab *value
	key *Key
}

// A Field is one text of a template table with the place it was written.
type Field struct {
	Value  string
	Pos    token.Position
	Macros bool // the key is declared to hold macros
}

// Pos returns where the table begins.
func (t *Template) Pos() token.Position {
	if t == nil || t.tab == nil {
		return noPos
	}
	return t.tab.pos()
}

func (t *Template) value(key string) (*value, *Key) {
	if t == nil || t.tab == nil {
		return nil, nil
	}
	k := t.key.find(key)
	v := t.tab.get(key)
	if k == nil || v == nil || !k.accepts(v) {
		return nil, nil
	}
	return v, k
}

// Text returns the string or number under key, the empty Field when it is not
// given.
func (t *Template) Text(key string) Field {
	v, k := t.value(key)
	if v == nil || v.kind != kindString && v.kind != kindInt {
		return Field{}
	}
	return Field{v.str, v.pos(), k.Macros}
}

// Flag returns the boolean under key.
func (t *Template) Flag(key string) bool {
	v, _ := t.value(key)
	return v != nil && v.kind == kindBool && v.str == "true"
}

// Texts returns the list of strings under key.
func (t *Template) Texts(key string) []Field {
	v, k := t.value(key)
	if v == nil || v.kind != kindList {
		return nil
	}
	var out []Field
	for _, el := range v.list {
		if el.kind == kindString {
			out = append(out, Field{el.str, el.pos(), k.Elem.Macros})
		}
	}
	return out
}

// Tables returns the list of tables under key.
func (t *Template) Tables(key string) []*Template {
	v, k := t.value(key)
	if v == nil || v.kind != kindList {
		return nil
	}
	var out []*Template
	for _, el := range v.list {
		if el.kind == kindTable {
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
	if v == nil || v.kind != kindTable {
		return nil
	}
	var out []Entry
	for i := range v.keys {
		e := &v.keys[i]
		if !k.Elem.accepts(e.val) {
			continue
		}
		n := Entry{Name: Field{Value: e.name, Pos: e.pos()}}
		if e.val.kind == kindTable {
			n.Table = &Template{e.val, k.Elem}
		} else {
			n.Value = Field{e.val.str, e.val.pos(), k.Elem.Macros}
		}
		out = append(out, n)
	}
	return out
}

// sourceFiles returns the remote sources of a templated component that have a
// checksum, as entries of source-files: they are what goes into its sources
// file and what preparing it downloads.
func (t *Template) sourceFiles(c *Component) []SourceFile {
	values := map[string]string{"name": t.Text("name").Value, "version": t.Text("version").Value, "url": t.Text("url").Value}
	if values["name"] == "" {
		values["name"] = c.Name
	}
	var out []SourceFile
	for _, s := range t.Tables("sources") {
		uri := s.Text("url").Value
		for name, v := range values {
			uri = strings.ReplaceAll(uri, "%{"+name+"}", v)
		}
		hash := s.Text("hash")
		if uri == "" || strings.Contains(uri, "%{") || hash.Value == "" {
			continue
		}
		name := path.Base(uri)
		if before, frag, ok := strings.Cut(uri, "#/"); ok {
			name, uri = frag, before
		}
		if plainFileName(name) {
			out = append(out, SourceFile{Pos: hash.Pos, Filename: name, Hash: hash.Value, HashType: s.Text("hash-type").Value,
				Origin: SourceOrigin{Type: "download", URI: uri}})
		}
	}
	return out
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

func plain(v *value) any {
	switch v.kind {
	case kindTable:
		m := make(map[string]any, len(v.keys))
		for i := range v.keys {
			m[v.keys[i].name] = plain(v.keys[i].val)
		}
		return m
	case kindList:
		list := make([]any, len(v.list))
		for i, el := range v.list {
			list[i] = plain(el)
		}
		return list
	case kindBool:
		return v.str == "true"
	}
	return v.str
}
