package components

import (
	"path/filepath"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
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
