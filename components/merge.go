package components

import (
	"fmt"
	"strings"

	"specgraft/overlay/diag"
)

// A merger joins layers by the rules of the table of keys.
type merger struct {
	diags diag.List
	// parts are the definitions of components that several files define, in
	// the order of merging.
	parts map[string][]entry
	lost  diag.List // what whole replacement left out
}

// into merges src, the later and stronger layer, into dst and returns the
// result, which is dst itself when dst was made by merging.
func (m *merger) into(dst, src *value, k *Key) *value {
	if dst == nil {
		return src
	}
	if src == nil || src.kind != dst.kind {
		// A wrong type has been reported; the checked value stays.
		if src != nil && k.accepts(src) {
			return src
		}
		return dst
	}
	switch k.Type {
	case Table, Map:
		if k.Merge == MergeWhole {
			return src
		}
		return m.tables(dst, src, k)
	case List:
		switch {
		case k.Merge == MergePresent:
			return src
		case len(src.list) == 0:
			return dst
		case k.Merge != MergeAppend || len(dst.list) == 0:
			return src
		}
		out := &value{kind: kindList, form: formMerged, off: src.off, end: src.end, src: src.src}
		out.list = append(append(make([]*value, 0, len(dst.list)+len(src.list)), dst.list...), src.list...)
		return out
	}
	if src.zero() && k.Merge != MergePresent {
		return dst
	}
	return src
}

func (m *merger) tables(dst, src *value, k *Key) *value {
	if len(src.keys) == 0 {
		return dst
	}
	if dst.form != formMerged {
		if len(dst.keys) == 0 {
			return src
		}
		dst = dst.copy(len(src.keys))
	}
	for i := range src.keys {
		e := &src.keys[i]
		sub := k.Elem
		if sub == nil {
			sub = &Key{}
		}
		if k.Type == Table {
			if sub = k.find(e.name); sub == nil && k.Open {
				sub = &Key{}
			} else if sub == nil {
				continue
			}
		}
		old := dst.entry(e.name)
		switch {
		case old == nil:
			dst.put(*e)
		case sub.Merge == MergeUnique:
			d := m.diags.Add(e.pos(), "config/duplicate", "duplicate %s %q", k.What, e.name)
			d.End = e.endPos()
			d.Related = []diag.Related{{Pos: old.pos(), Message: "first defined here"}}
			d.Hint = fmt.Sprintf("remove one of the two tables, or write all of the %s into one", k.What)
		default:
			if sub == &ownComponentKey {
				m.part(old, e)
			}
			if sub.Merge == MergeWhole && k.What != "" {
				m.replaced(old, e, k)
			}
			val := m.into(old.val, e.val, sub)
			if val == e.val {
				*old = *e // the key's position goes with its value
			} else {
				old.val = val
			}
		}
	}
	return dst
}

// part notes a further definition of a component.
func (m *merger) part(old, e *entry) {
	if m.parts == nil {
		m.parts = map[string][]entry{}
	}
	if m.parts[e.name] == nil {
		m.parts[e.name] = []entry{*old}
	}
	m.parts[e.name] = append(m.parts[e.name], *e)
}

// replaced notes the keys that an entry loses because a later one replaces it
// as a whole.
func (m *merger) replaced(old, e *entry, k *Key) {
	if old.val.kind != kindTable || e.val.kind != kindTable || old.src.builtin() {
		return
	}
	var lost []string
	for i := range old.val.keys {
		if name := old.val.keys[i].name; e.val.entry(name) == nil {
			lost = append(lost, name)
		}
	}
	if lost == nil {
		return
	}
	d := m.lost.Warn(e.pos(), "config/replaced", "%s %q replaces an earlier one as a whole, which loses %s", k.What, e.name, strings.Join(lost, ", "))
	d.End = e.endPos()
	d.Related = []diag.Related{{Pos: old.pos(), Message: "the earlier one"}}
	d.Hint = "repeat these keys here, or remove them there"
}

// A layer is one table that goes into a component, with the name users know
// it by.
type layer struct {
	name string
	tab  *value
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
