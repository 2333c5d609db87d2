package toml

import (
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
)

// The accessors of this file read a value that may be absent or of a wrong
// type, which the checker has reported then, as empty.

// Text returns the string at a path of keys.
func (v *Value) Text(path ...string) string {
	if c := v.Get(path...); c != nil && c.Kind == KindString {
		return c.Str
	}
	return ""
}

// Flag returns the boolean at a path of keys.
func (v *Value) Flag(path ...string) bool {
	c := v.Get(path...)
	return c != nil && c.Kind == KindBool && c.Str == "true"
}

// Strings returns the elements of a list of strings.
func (v *Value) Strings() []string {
	if v == nil || v.Kind != KindList || len(v.List) == 0 {
		return nil
	}
	out := make([]string, 0, len(v.List))
	for _, el := range v.List {
		if el.Kind == KindString {
			out = append(out, el.Str)
		}
	}
	return out
}

// Integer returns the value of an integer literal.
func (v *Value) Integer() (int, bool) {
	n, err := strconv.ParseInt(strings.ReplaceAll(v.Str, "_", ""), 0, 0)
	return int(n), err == nil
}

// Path returns a string as an absolute path: relative ones refer to the
// directory of the file that they stand in. The empty string stays empty.
func (v *Value) Path() string {
	switch {
	case v == nil || v.Kind != KindString || v.Str == "":
		return ""
	case filepath.IsAbs(v.Str):
		return filepath.Clean(v.Str)
	}
	return filepath.Join(v.Src.Dir, v.Str)
}

// PathList returns a list of strings as absolute paths.
func (v *Value) PathList() []string {
	if v == nil || v.Kind != KindList {
		return nil
	}
	var out []string
	for _, el := range v.List {
		if p := el.Path(); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// StringMap returns a table of strings.
func (v *Value) StringMap() map[string]string {
	if v == nil || v.Kind != KindTable || len(v.Keys) == 0 {
		return nil
	}
	out := make(map[string]string, len(v.Keys))
	for i := range v.Keys {
		if s := v.Keys[i].Val; s.Kind == KindString {
			out[v.Keys[i].Name] = s.Str
		}
	}
	return out
}

func (s *Source) Builtin() bool { return s.Path == "" }

// Elements returns the elements of a list of tables.
func (v *Value) Elements() []*Value {
	if v == nil || v.Kind != KindList {
		return nil
	}
	return v.List
}

// RelatedAt is a related place of a diagnostic.
func RelatedAt(v *Value, message string) diag.Related {
	return diag.Related{Pos: v.Pos(), Message: message}
}

// EachSource calls f for the documents that a value comes from, in order.
func (v *Value) EachSource(f func(*Source)) {
	if v == nil {
		return
	}
	if v.Src != nil {
		f(v.Src)
	}
	for _, el := range v.List {
		el.EachSource(f)
	}
	for i := range v.Keys {
		v.Keys[i].Val.EachSource(f)
	}
}

// Child is get, but elements of lists of tables go by their index.
func (v *Value) Child(name string) *Value {
	if v != nil && v.Kind == KindList {
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(v.List) {
			return v.List[i]
		}
		return nil
	}
	return v.Get(name)
}

// FormMerged marks tables and lists that merging made and may still change.
// Everything else belongs to a document and is shared.
const FormMerged form = 255

// Copy returns a table of the same entries that may be changed.
func (v *Value) Copy(more int) *Value {
	c := &Value{Kind: v.Kind, Form: FormMerged, Off: v.Off, End: v.End, Src: v.Src}
	c.Keys = append(make([]Entry, 0, len(v.Keys)+more), v.Keys...)
	if v.index != nil {
		c.index = make(map[string]int, len(v.Keys)+more)
		for i := range c.Keys {
			c.index[c.Keys[i].Name] = i
		}
	}
	return c
}

func (e *Entry) Empty() bool { return e == nil || e.Val.Zero() }

// Frozen marks a merged value as shared, so that further merging copies it.
func (v *Value) Frozen() *Value {
	if v == nil || v.Form != FormMerged {
		return v
	}
	f := *v
	f.Form = FormValue
	for i := range f.Keys {
		if f.Keys[i].Val.Form == FormMerged {
			keys := slices.Clone(f.Keys)
			for j := range keys {
				keys[j].Val = keys[j].Val.Frozen()
			}
			f.Keys = keys
			break
		}
	}
	return &f
}

var NoPos token.Position

// Entries returns the entries of a table in a map, without those of a wrong type.
// They must not be changed.
func (v *Value) Entries() []Entry {
	if v == nil || v.Kind != KindTable {
		return nil
	}
	if !slices.ContainsFunc(v.Keys, func(e Entry) bool { return e.Val.Kind != KindTable }) {
		return slices.Clip(v.Keys)
	}
	list := make([]Entry, 0, len(v.Keys))
	for _, e := range v.Keys {
		if e.Val.Kind == KindTable {
			list = append(list, e)
		}
	}
	return list
}

func (v *Value) Names() []string {
	if v == nil {
		return nil
	}
	names := make([]string, len(v.Keys))
	for i := range v.Keys {
		names[i] = v.Keys[i].Name
	}
	return names
}
