package schema

import (
	"fmt"
	"io"
	"strings"

	"specgraft/overlay"
)

// Reference writes the reference of all keys as text, one table after the
// other, made from the table of keys. Only tables whose path contains filter
// are written; it reports how many there were.
func Reference(w io.Writer, filter string) (int, error) {
	r := &reference{w: w, filter: filter, seen: map[*Key]string{}}
	r.table("", &RootKey)
	r.table("(overlay document)", &DocumentKey)
	return r.n, r.err
}

type reference struct {
	w      io.Writer
	filter string
	n      int
	err    error
	seen   map[*Key]string // first keys of shared tables, and where they are described
}

func (r *reference) printf(format string, args ...any) {
	if r.err == nil {
		_, r.err = fmt.Fprintf(r.w, format, args...)
	}
}

// table writes the keys of one table and then those of its tables.
func (r *reference) table(path string, k *Key) {
	if len(k.Keys) == 0 {
		return
	}
	if k.ops {
		if r.seen[&k.Keys[0]] == "" {
			r.seen[&k.Keys[0]] = path
			r.overlays(path, k)
		}
		return
	}
	show := strings.Contains(path, r.filter)
	if show {
		if r.n++; r.n > 1 {
			r.printf("\n")
		}
		switch {
		case path == "":
			r.printf("top of a file\n")
		default:
			r.printf("%s\n", path)
		}
		if k.Help != "" {
			r.printf("%s", fold(k.Help, 4))
		}
	}
	type sub struct {
		path string
		key  *Key
	}
	var below []sub
	for i := range k.Keys {
		key := &k.Keys[i]
		if show {
			r.key(key)
		}
		at := key.Name
		if path != "" {
			at = path + "." + key.Name
		}
		t := key
		for t != nil && (t.Type == List || t.Type == Map) {
			if t.Type == Map {
				at += "." + placeholder(t)
			} else if t.Elem.Type == Table {
				at += "[]"
			}
			t = t.Elem
		}
		if t == nil || t.Type != Table {
			continue
		}
		below = append(below, sub{at, t})
	}
	for _, b := range below {
		// Shared tables are written where they stand first.
		if len(b.key.Keys) == 0 {
			continue // free keys only
		}
		if first := r.seen[&b.key.Keys[0]]; first != "" && !b.key.ops {
			if strings.Contains(b.path, r.filter) {
				if r.n++; r.n > 1 {
					r.printf("\n")
				}
				r.printf("%s\n%s", b.path, fold("The keys of "+first+".", 4))
			}
			continue
		}
		if !b.key.ops {
			r.seen[&b.key.Keys[0]] = b.path
		}
		r.table(b.path, b.key)
	}
}

// placeholder stands for the free names of a map.
func placeholder(k *Key) string {
	words := strings.Fields(k.What)
	if len(words) == 0 {
		return "NAME"
	}
	return strings.ToUpper(words[len(words)-1])
}

func (r *reference) key(k *Key) {
	note := TypeNote(k)
	if k.Required {
		note += ", required"
	}
	if k.Default != "" {
		note += fmt.Sprintf(", default %s", k.Default)
	}
	switch {
	case k.Ext:
		note += ", extension"
	case k.Since == "later":
		note += ", later than azldev 1.0"
	case k.Since != "":
		note += ", since azldev " + k.Since
	}
	if k.Until != "" {
		note += ", gone in azldev " + k.Until
	}
	r.printf("    %s  (%s)\n%s", k.Name, note, fold(k.Help, 8))
	for _, c := range k.Enum {
		if c.Value == "" {
			continue
		}
		text := c.Value
		if c.Help != "" {
			text += ": " + c.Help
		}
		if c.Ext && !k.Ext {
			text += " Extension."
		}
		r.printf("%s", fold(text, 12))
	}
	if k.Format != nil {
		r.printf("%s", fold("Must be "+k.Format.What+".", 8))
	}
}

func TypeNote(k *Key) string {
	switch k.Type {
	case 0:
		return "any type"
	case String:
		if k.Path {
			return "path"
		}
		return "string"
	case Bool:
		return "boolean"
	case Int:
		return "integer"
	case Branch:
		return "string or integer"
	case List:
		switch {
		case k.Elem.Type == Table:
			return "list of tables"
		case k.Path:
			return "list of paths"
		}
		return "list of strings"
	}
	return "table"
}

// overlays writes the operations with their keys.
func (r *reference) overlays(path string, k *Key) {
	if !strings.Contains(path, r.filter) {
		return
	}
	if r.n++; r.n > 1 {
		r.printf("\n")
	}
	r.printf("%s\n%s", path, fold("One change of the packaging. All types take:", 4))
	for _, key := range overlay.CommonKeys {
		r.overlayKey(key, 8)
	}
	for i := range overlay.Ops {
		op := &overlay.Ops[i]
		r.printf("\n    type = %q\n%s", op.Type, fold(sentenceCase(op.Help), 8))
		for _, key := range op.Keys {
			r.overlayKey(key, 8)
		}
	}
}

func (r *reference) overlayKey(key overlay.Key, indent int) {
	note := string(key.Kind)
	if key.Kind == overlay.KeyStrings {
		note = "list of strings"
	}
	if key.Required {
		note += ", required"
	}
	if key.Extension {
		note += ", extension"
	}
	r.printf("%*s%s  (%s)\n%s", indent, "", key.Name, note, fold(sentenceCase(key.Help), indent+4))
}

func sentenceCase(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// fold wraps text at 79 columns with an indent.
func fold(text string, indent int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
			fmt.Fprintf(&b, "%*s", indent, "")
			column = indent
		case column+1+len(word) > 79:
			fmt.Fprintf(&b, "\n%*s", indent, "")
			column = indent
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	if column == 0 {
		return ""
	}
	return b.String() + "\n"
}
