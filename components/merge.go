package components

import (
	"fmt"
	"strings"

	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// A merger joins layers by the rules of the table of keys.
type merger struct {
	diags diag.List
	// parts are the definitions of components that several files define, in
	// the order of merging.
	parts map[string][]toml.Entry
	lost  diag.List // what whole replacement left out
}

// into merges src, the later and stronger layer, into dst and returns the
// result, which is dst itself when dst was made by merging.
func (m *merger) into(dst, src *toml.Value, k *schema.Key) *toml.Value {
	if dst == nil {
		return src
	}
	if src == nil || src.Kind != dst.Kind {
		// A wrong type has been reported; the checked value stays.
		if src != nil && k.Accepts(src) {
			return src
		}
		return dst
	}
	switch k.Type {
	case schema.Table, schema.Map:
		if k.Merge == schema.MergeWhole {
			return src
		}
		return m.tables(dst, src, k)
	case schema.List:
		switch {
		case k.Merge == schema.MergePresent:
			return src
		case len(src.List) == 0:
			return dst
		case k.Merge != schema.MergeAppend || len(dst.List) == 0:
			return src
		}
		out := &toml.Value{Kind: toml.KindList, Form: toml.FormMerged, Off: src.Off, End: src.End, Src: src.Src}
		out.List = append(append(make([]*toml.Value, 0, len(dst.List)+len(src.List)), dst.List...), src.List...)
		return out
	}
	if src.Zero() && k.Merge != schema.MergePresent {
		return dst
	}
	return src
}

func (m *merger) tables(dst, src *toml.Value, k *schema.Key) *toml.Value {
	if len(src.Keys) == 0 {
		return dst
	}
	if dst.Form != toml.FormMerged {
		if len(dst.Keys) == 0 {
			return src
		}
		dst = dst.Copy(len(src.Keys))
	}
	for i := range src.Keys {
		e := &src.Keys[i]
		sub := k.Elem
		if sub == nil {
			sub = &schema.Key{}
		}
		if k.Type == schema.Table {
			if sub = k.Find(e.Name); sub == nil && k.Open {
				sub = &schema.Key{}
			} else if sub == nil {
				continue
			}
		}
		old := dst.Entry(e.Name)
		switch {
		case old == nil:
			dst.Put(*e)
		case sub.Merge == schema.MergeUnique:
			d := m.diags.Add(e.Pos(), "config/duplicate", "duplicate %s %q", k.What, e.Name)
			d.End = e.EndPos()
			d.Related = []diag.Related{{Pos: old.Pos(), Message: "first defined here"}}
			d.Hint = fmt.Sprintf("remove one of the two tables, or write all of the %s into one", k.What)
		default:
			if sub == &schema.OwnComponentKey {
				m.part(old, e)
			}
			if sub.Merge == schema.MergeWhole && k.What != "" {
				m.replaced(old, e, k)
			}
			val := m.into(old.Val, e.Val, sub)
			if val == e.Val {
				*old = *e // the key's position goes with its value
			} else {
				old.Val = val
			}
		}
	}
	return dst
}

// part notes a further definition of a component.
func (m *merger) part(old, e *toml.Entry) {
	if m.parts == nil {
		m.parts = map[string][]toml.Entry{}
	}
	if m.parts[e.Name] == nil {
		m.parts[e.Name] = []toml.Entry{*old}
	}
	m.parts[e.Name] = append(m.parts[e.Name], *e)
}

// replaced notes the keys that an entry loses because a later one replaces it
// as a whole.
func (m *merger) replaced(old, e *toml.Entry, k *schema.Key) {
	if old.Val.Kind != toml.KindTable || e.Val.Kind != toml.KindTable || old.Src.Builtin() {
		return
	}
	var lost []string
	for i := range old.Val.Keys {
		if name := old.Val.Keys[i].Name; e.Val.Entry(name) == nil {
			lost = append(lost, name)
		}
	}
	if lost == nil {
		return
	}
	d := m.lost.Warn(e.Pos(), "config/replaced", "%s %q replaces an earlier one as a whole, which loses %s", k.What, e.Name, strings.Join(lost, ", "))
	d.End = e.EndPos()
	d.Related = []diag.Related{{Pos: old.Pos(), Message: "the earlier one"}}
	d.Hint = "repeat these keys here, or remove them there"
}

// A layer is one table that goes into a component, with the name users know
// it by.
type layer struct {
	name string
	tab  *toml.Value
}

// The names of layers.
const (
	layerBuiltin   = "built-in"
	layerProject   = "project"
	layerComponent = "component"
	layerDocument  = "overlay file"
)

func groupLayer(name string) string           { return "group " + name }
func distroLayer(name, version string) string { return fmt.Sprintf("distro %s %s", name, version) }
