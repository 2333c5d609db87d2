package components

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// An item is a value for output: ordered, without what the table of keys does
// not know, with paths relative to the project.
type item struct {
	kind   kind
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
		c = &item{kind: kindTable}
		n.add(name, c)
	}
	return c
}

// item converts a value by the table of keys: keys in the table's order, names
// of maps sorted.
func (p *Project) item(v *value, k *Key, origin func(*value) *Origin) *item {
	if v == nil || k.Type != 0 && !k.accepts(v) {
		return nil
	}
	n := &item{kind: v.kind, str: v.str}
	if origin != nil {
		n.origin = origin(v)
	}
	switch {
	case v.kind == kindList:
		for _, el := range v.list {
			elem := &Key{}
			if k.Elem != nil {
				elem = k.Elem
			}
			if c := p.item(el, elem, origin); c != nil {
				n.list = append(n.list, c)
			}
		}
	case v.kind == kindTable && k.Type == Table:
		for i := range k.Keys {
			sub := &k.Keys[i]
			if sub.Name != "includes" && sub.Name != "$schema" {
				n.add(sub.Name, p.item(v.get(sub.Name), sub, origin))
			}
		}
		for i := range v.keys {
			if e := &v.keys[i]; k.Open && k.find(e.name) == nil {
				n.add(e.name, p.item(e.val, &Key{}, origin))
			}
		}
	case v.kind == kindTable:
		names := v.names()
		slices.Sort(names)
		for _, name := range names {
			elem := &Key{}
			if k.Elem != nil {
				elem = k.Elem
			}
			n.add(name, p.item(v.get(name), elem, origin))
		}
	case v.kind == kindString && k.Path && v.str != "":
		n.str = p.paths.display(v.path())
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
	case kindTable:
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
	case kindList:
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
	case kindBool:
		b.WriteString(n.str)
	case kindInt:
		v := value{str: n.str}
		if i, ok := v.integer(); ok {
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
	case kindString:
		b.WriteString(literalString(n.str))
	case kindList:
		b.WriteByte('[')
		for i, el := range n.list {
			if i > 0 {
				b.WriteString(", ")
			}
			el.tomlValue(b)
		}
		b.WriteByte(']')
	case kindTable:
		b.WriteByte('{')
		for i, e := range n.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(" " + QuoteKey(e.name) + " = ")
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
		if e.item.kind != kindTable && !e.item.tables() {
			b.WriteString(QuoteKey(e.name) + " = ")
			e.item.tomlValue(b)
			b.WriteByte('\n')
		}
	}
	for _, e := range n.keys {
		sub := append(path[:len(path):len(path)], e.name)
		switch {
		case e.item.kind == kindTable:
			if e.item.needsHeader() {
				b.WriteString("\n[" + quotePath(sub) + "]\n")
			}
			e.item.toml(b, sub)
		case e.item.tables():
			for _, el := range e.item.list {
				b.WriteString("\n[[" + quotePath(sub) + "]]\n")
				for _, f := range el.keys {
					b.WriteString(QuoteKey(f.name) + " = ")
					f.item.tomlValue(b)
					b.WriteByte('\n')
				}
			}
		}
	}
}

// tables reports whether an item is a non-empty list of tables.
func (n *item) tables() bool {
	return n.kind == kindList && len(n.list) > 0 && n.list[0].kind == kindTable
}

// needsHeader reports whether a table has keys of its own, or is empty.
func (n *item) needsHeader() bool {
	for _, e := range n.keys {
		if e.item.kind != kindTable && !e.item.tables() {
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
	root := p.item(p.root, &rootKey, nil)
	proj := root.table("project")
	for _, d := range []struct{ key, path string }{
		{"log-dir", p.LogDir}, {"work-dir", p.WorkDir}, {"output-dir", p.OutputDir},
		{"rendered-specs-dir", p.RenderedDir}, {"lock-dir", p.LockDir},
	} {
		if proj.get(d.key) == nil {
			proj.add(d.key, &item{kind: kindString, str: p.paths.display(d.path)})
		}
	}
	order := func(e itemEntry) int {
		return slices.IndexFunc(projectKeys, func(k Key) bool { return k.Name == e.name })
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
