package components

import (
	"go/token"
	"path/filepath"
	"slices"
	"specgraft/overlay/diag"
	"strconv"
	"strings"
)

// The accessors of this file read a value that may be absent or of a wrong
// type, which the checker has reported then, as empty.

// text returns the string at a path of keys.
func (v *value) text(path ...string) string {
	if c := v.get(path...); c != nil && c.kind == kindString {
		return c.str
	}
	return ""
}

// flag returns the boolean at a path of keys.
func (v *value) flag(path ...string) bool {
	c := v.get(path...)
	return c != nil && c.kind == kindBool && c.str == "true"
}

// strings returns the elements of a list of strings.
func (v *value) strings() []string {
	if v == nil || v.kind != kindList || len(v.list) == 0 {
		return nil
	}
	out := make([]string, 0, len(v.list))
	for _, el := range v.list {
		if el.kind == kindString {
			out = append(out, el.str)
		}
	}
	return out
}

// integer returns the value of an integer literal.
func (v *value) integer() (int, bool) {
	n, err := strconv.ParseInt(strings.ReplaceAll(v.str, "_", ""), 0, 0)
	return int(n), err == nil
}

// path returns a string as an absolute path: relative ones refer to the
// directory of the file that they stand in. The empty string stays empty.
func (v *value) path() string {
	switch {
	case v == nil || v.kind != kindString || v.str == "":
		return ""
	case filepath.IsAbs(v.str):
		return filepath.Clean(v.str)
	}
	return filepath.Join(v.src.dir, v.str)
}

// pathList returns a list of strings as absolute paths.
func (v *value) pathList() []string {
	if v == nil || v.kind != kindList {
		return nil
	}
	var out []string
	for _, el := range v.list {
		if p := el.path(); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// stringMap returns a table of strings.
func (v *value) stringMap() map[string]string {
	if v == nil || v.kind != kindTable || len(v.keys) == 0 {
		return nil
	}
	out := make(map[string]string, len(v.keys))
	for i := range v.keys {
		if s := v.keys[i].val; s.kind == kindString {
			out[v.keys[i].name] = s.str
		}
	}
	return out
}

func (s *source) builtin() bool { return s.path == "" }

// elements returns the elements of a list of tables.
func (v *value) elements() []*value {
	if v == nil || v.kind != kindList {
		return nil
	}
	return v.list
}

// relatedAt is a related place of a diagnostic.
func relatedAt(v *value, message string) diag.Related {
	return diag.Related{Pos: v.pos(), Message: message}
}

// eachSource calls f for the documents that a value comes from, in order.
func (v *value) eachSource(f func(*source)) {
	if v == nil {
		return
	}
	if v.src != nil {
		f(v.src)
	}
	for _, el := range v.list {
		el.eachSource(f)
	}
	for i := range v.keys {
		v.keys[i].val.eachSource(f)
	}
}

// child is get, but elements of lists of tables go by their index.
func (v *value) child(name string) *value {
	if v != nil && v.kind == kindList {
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(v.list) {
			return v.list[i]
		}
		return nil
	}
	return v.get(name)
}

// formMerged marks tables and lists that merging made and may still change.
// Everything else belongs to a document and is shared.
const formMerged form = 255

// copy returns a table of the same entries that may be changed.
func (v *value) copy(more int) *value {
	c := &value{kind: v.kind, form: formMerged, off: v.off, end: v.end, src: v.src}
	c.keys = append(make([]entry, 0, len(v.keys)+more), v.keys...)
	if v.index != nil {
		c.index = make(map[string]int, len(v.keys)+more)
		for i := range c.keys {
			c.index[c.keys[i].name] = i
		}
	}
	return c
}

func (e *entry) empty() bool { return e == nil || e.val.zero() }

// frozen marks a merged value as shared, so that further merging copies it.
func (v *value) frozen() *value {
	if v == nil || v.form != formMerged {
		return v
	}
	f := *v
	f.form = formValue
	for i := range f.keys {
		if f.keys[i].val.form == formMerged {
			keys := slices.Clone(f.keys)
			for j := range keys {
				keys[j].val = keys[j].val.frozen()
			}
			f.keys = keys
			break
		}
	}
	return &f
}

var noPos token.Position

// entries returns the entries of a table in a map, without those of a wrong type.
func (v *value) entries() []entry {
	if v == nil || v.kind != kindTable {
		return nil
	}
	list := make([]entry, 0, len(v.keys))
	for _, e := range v.keys {
		if e.val.kind == kindTable {
			list = append(list, e)
		}
	}
	return list
}

func (v *value) names() []string {
	if v == nil {
		return nil
	}
	names := make([]string, len(v.keys))
	for i := range v.keys {
		names[i] = v.keys[i].name
	}
	return names
}
