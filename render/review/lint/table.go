package lint

import (
	"go/token"
	"strings"

	"specgraft/components/edit"
	"specgraft/overlay"
)

// Table writes an operation as the TOML table of an overlay of a component,
// "" when TOML cannot hold it.
func Table(component string, op *overlay.Op) string {
	e, problems := edit.Edit("", []byte("[[overlays]]\n"))
	info := overlay.Lookup(op.Type)
	if problems.HasErrors() || info == nil {
		return ""
	}
	at := token.Position{Line: 1, Column: 1}
	set := func(name string, v any) bool { return e.SetAt(at, name, v) == nil }
	ok := set("type", string(op.Type))
	if op.Description != "" {
		ok = set("description", op.Description) && ok
	}
	for _, k := range append(append([]overlay.Key{}, info.Keys...), overlay.CommonKeys...) {
		if k.Name == "type" || k.Name == "description" {
			continue
		}
		switch p := op.Field(k.Name); {
		case p != nil && *p != "":
			ok = set(k.Name, *p) && ok
		case k.Name == "lines" && len(op.Lines) > 0:
			ok = set(k.Name, op.Lines) && ok
		case k.Name == "expect" && op.Expect != nil:
			ok = set(k.Name, *op.Expect) && ok
		case k.Name == "replacement-groups" && op.ReplacementGroups, k.Name == "multiline" && op.Multiline:
			ok = set(k.Name, true) && ok
		}
	}
	if !ok {
		return ""
	}
	name := component
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		name = `"` + name + `"`
	}
	return strings.Replace(string(e.Bytes()), "[[overlays]]", "[[components."+name+".overlays]]", 1)
}
