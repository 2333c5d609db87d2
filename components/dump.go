package components

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components/schema"
	"specgraft/components/toml"
)

// An item is a value for output: ordered, without what the table of keys does
// not know, with paths relative to the project.
type item struct {
	kind   toml.Kind
	str    string
	list   []*item
	keys   []itemEntry
	origin *Origin // nil for what no layer gave
}

type itemEntry struct {
	name string
	item *item
}

func (n *item) add(name string, child *item) {
	if child != nil {
		n.keys = append(n.keys, itemEntry{name, child})
	}
}

func (n *item) get(name string) *item {
	for i := range n.keys {
		if n.keys[i].name == name {
			return n.keys[i].item
		}
	}
	return nil
}

// table returns the child table of that name, which is made when missing.
func (n *item) table(name string) *item {
	c := n.get(name)
	if c == nil {
		c = &item{kind: toml.KindTable}
		n.add(name, c)
	}
	return c
}

// item converts a value by the table of keys: keys in the table's order, names
// of maps sorted.
func (p *Project) item(v *toml.Value, k *schema.Key, origin func(*toml.Value) *Origin) *item {
	if v == nil || k.Type != 0 && !k.Accepts(v) {
		return nil
	}
	n := &item{kind: v.Kind, str: v.Str}
	if origin != nil {
		n.origin = origin(v)
	}
	switch {
	case v.Kind == toml.KindList:
		for _, el := range v.List {
			elem := &schema.Key{}
			if k.Elem != nil {
				elem = k.Elem
			}
			if c := p.item(el, elem, origin); c != nil {
				n.list = append(n.list, c)
			}
		}
	case v.Kind == toml.KindTable && k.Type == schema.Table:
		for i := range k.Keys {
			sub := &k.Keys[i]
			if sub.Name != "includes" && sub.Name != "$schema" {
				n.add(sub.Name, p.item(v.Get(sub.Name), sub, origin))
			}
		}
		for i := range v.Keys {
			if e := &v.Keys[i]; k.Open && k.Find(e.Name) == nil {
				n.add(e.Name, p.item(e.Val, &schema.Key{}, origin))
			}
		}
	case v.Kind == toml.KindTable:
		names := v.Names()
		slices.Sort(names)
		for _, name := range names {
			elem := &schema.Key{}
			if k.Elem != nil {
				elem = k.Elem
			}
			n.add(name, p.item(v.Get(name), elem, origin))
		}
	case v.Kind == toml.KindString && k.Path && v.Str != "":
		n.str = p.paths.display(v.Path())
	}
	return n
}

// MarshalJSON keeps the order of keys.
func (n *item) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := n.json(&b)
	return b.Bytes(), err
}

func (n *item) json(b *bytes.Buffer) error {
	switch n.kind {
	case toml.KindTable:
		b.WriteByte('{')
		for i, e := range n.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := jsonString(b, e.name); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := e.item.json(b); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case toml.KindList:
		b.WriteByte('[')
		for i, el := range n.list {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := el.json(b); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case toml.KindBool:
		b.WriteString(n.str)
	case toml.KindInt:
		v := toml.Value{Str: n.str}
		if i, ok := v.Integer(); ok {
			fmt.Fprintf(b, "%d", i)
			return nil
		}
		return jsonString(b, n.str)
	default:
		return jsonString(b, n.str)
	}
	return nil
}

func jsonString(b *bytes.Buffer, s string) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1)
	return nil
}

// tomlValue writes an item as the right side of a key.
func (n *item) tomlValue(b *strings.Builder) {
	switch n.kind {
	case toml.KindString:
		b.WriteString(toml.LiteralString(n.str))
	case toml.KindList:
		b.WriteByte('[')
		for i, el := range n.list {
			if i > 0 {
				b.WriteString(", ")
			}
			el.tomlValue(b)
		}
		b.WriteByte(']')
	case toml.KindTable:
		b.WriteByte('{')
		for i, e := range n.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(" " + toml.QuoteKey(e.name) + " = ")
			e.item.tomlValue(b)
		}
		if len(n.keys) > 0 {
			b.WriteByte(' ')
		}
		b.WriteByte('}')
	default:
		b.WriteString(n.str)
	}
}

// toml writes a table: first the plain keys, then the tables below headers of
// their own.
func (n *item) toml(b *strings.Builder, path []string) {
	for _, e := range n.keys {
		if e.item.kind != toml.KindTable && !e.item.tables() {
			b.WriteString(toml.QuoteKey(e.name) + " = ")
			e.item.tomlValue(b)
			b.WriteByte('\n')
		}
	}
	for _, e := range n.keys {
		sub := append(path[:len(path):len(path)], e.name)
		switch {
		case e.item.kind == toml.KindTable:
			if e.item.needsHeader() {
				b.WriteString("\n[" + toml.QuotePath(sub) + "]\n")
			}
			e.item.toml(b, sub)
		case e.item.tables():
			for _, el := range e.item.list {
				b.WriteString("\n[[" + toml.QuotePath(sub) + "]]\n")
				for _, f := range el.keys {
					b.WriteString(toml.QuoteKey(f.name) + " = ")
					f.item.tomlValue(b)
					b.WriteByte('\n')
				}
			}
		}
	}
}

// tables reports whether an item is a non-empty list of tables.
func (n *item) tables() bool {
	return n.kind == toml.KindList && len(n.list) > 0 && n.list[0].kind == toml.KindTable
}

// needsHeader reports whether a table has keys of its own, or is empty.
func (n *item) needsHeader() bool {
	for _, e := range n.keys {
		if e.item.kind != toml.KindTable && !e.item.tables() {
			return true
		}
	}
	return len(n.keys) == 0
}

// Dump returns the merged configuration as "json" or "toml", as it is before
// components inherit from their defaults. Paths inside the project are
// relative to its directory, includes are gone, absent directories have their
// defaults. A TOML dump loads again as the project's only file.
func (p *Project) Dump(format string) ([]byte, error) {
	root := p.item(p.root, &schema.RootKey, nil)
	proj := root.table("project")
	for _, d := range []struct{ key, path string }{
		{"log-dir", p.LogDir}, {"work-dir", p.WorkDir}, {"output-dir", p.OutputDir},
		{"rendered-specs-dir", p.RenderedDir}, {"lock-dir", p.LockDir},
	} {
		if proj.get(d.key) == nil {
			proj.add(d.key, &item{kind: toml.KindString, str: p.paths.display(d.path)})
		}
	}
	order := func(e itemEntry) int {
		return slices.IndexFunc(schema.ProjectKeys, func(k schema.Key) bool { return k.Name == e.name })
	}
	slices.SortFunc(proj.keys, func(a, b itemEntry) int { return order(a) - order(b) })
	return root.format(format)
}

func (n *item) format(format string) ([]byte, error) {
	switch format {
	case "json":
		raw, err := n.MarshalJSON()
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := json.Indent(&b, raw, "", "  "); err != nil {
			return nil, err
		}
		b.WriteByte('\n')
		return b.Bytes(), nil
	case "toml":
		var b strings.Builder
		n.toml(&b, nil)
		return []byte(strings.TrimLeft(b.String(), "\n")), nil
	}
	return nil, fmt.Errorf("unknown format %q", format)
}

// Display returns a path as messages show it: relative to the project
// directory when it lies in the project's git repository.
func (p *Project) Display(path string) string { return filepath.ToSlash(p.paths.display(path)) }
