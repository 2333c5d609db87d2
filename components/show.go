package components

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"specgraft/components/distro"
	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// A View is a resolved component for people and programs: every effective
// value with its origin.
type View struct {
	c        *Component
	p        *Project
	root     *item
	upstream *distro.Upstream
}

// View prepares a component for showing. Problems of its upstream are
// returned; the view is complete without it.
func (p *Project) View(c *Component) (*View, diag.List) {
	v := &View{c: c, p: p}
	layers := c.origins()
	origin := func(val *toml.Value) *Origin {
		layer := layers[val]
		if layer == "" {
			return nil // a table or list that several layers share
		}
		return &Origin{Layer: layer, Pos: val.Pos()}
	}
	merged := c.merged
	if merged == nil {
		merged = &toml.Value{Kind: toml.KindTable}
	}
	v.root = p.item(merged, &schema.ComponentKey, origin)
	if c.Spec.Type == "local" && c.Spec.Path != "" && v.root.table("spec").get("path") == nil {
		spec := v.root.table("spec")
		distro := spec.get("upstream-distro")
		spec.keys = nil
		pos := c.Pos
		pos.Line, pos.Column = 0, 0
		pos.Filename = p.Display(c.Spec.Path)
		layer := "found spec"
		if found := p.discovered(); found.where[c.Name] != nil {
			layer, pos = groupLayer(found.groups[c.Name][0]), found.where[c.Name].Pos()
		}
		o := &Origin{Layer: layer, Pos: pos}
		spec.add("type", &item{kind: toml.KindString, str: "local", origin: o})
		spec.add("path", &item{kind: toml.KindString, str: p.Display(c.Spec.Path), origin: o})
		if c.Spec.UpstreamDistro.Name != "" {
			spec.add("upstream-distro", distro)
		}
	}
	rel := v.root.table("release")
	if rel.get("calculation") == nil {
		rel.add("calculation", &item{kind: toml.KindString, str: c.Release.Calculation, origin: &Origin{Layer: layerBuiltin}})
	}
	// Overlay files are expanded: their overlays follow the others.
	if len(c.ops) > 0 {
		list := &item{kind: toml.KindList}
		for i, op := range c.ops {
			layer := c.opLayers[i]
			list.list = append(list.list, p.item(op, &schema.OverlayKey, func(val *toml.Value) *Origin {
				return &Origin{Layer: layer, Pos: val.Pos()}
			}))
		}
		replaced := false
		for i := range v.root.keys {
			if v.root.keys[i].name == "overlays" {
				v.root.keys[i].item, replaced = list, true
			}
		}
		if !replaced {
			v.root.add("overlays", list)
		}
	}
	if c.Spec.Type == "upstream" {
		u, diags := p.Upstream(c)
		v.upstream = &u
		return v, diags
	}
	return v, nil
}

// Config returns the effective configuration alone, which encodes itself as
// JSON.
func (v *View) Config() json.Marshaler { return v.root }

// Text writes the component as TOML with the origin of each value behind it.
func (v *View) Text() []byte {
	type line struct{ text, note string }
	var lines []line
	note := func(o *Origin) string {
		if o == nil {
			return ""
		}
		if at := diag.Position(o.Pos); at != "" {
			return at + " (" + o.Layer + ")"
		}
		return o.Layer
	}
	var walk func(n *item, path []string)
	walk = func(n *item, path []string) {
		for _, e := range n.keys {
			sub := append(path[:len(path):len(path)], e.name)
			switch {
			case e.item.kind == toml.KindTable && len(e.item.keys) > 0:
				walk(e.item, sub)
			case e.item.tables() || e.item.kind == toml.KindList && e.item.mixed():
				for i, el := range e.item.list {
					if el.kind == toml.KindTable {
						lines = append(lines, line{}, line{"[[" + toml.QuotePath(sub) + "]]", fmt.Sprintf("%s[%d] %s", toml.QuotePath(sub), i, note(el.origin))})
						walk(el, nil)
						continue
					}
					var b strings.Builder
					el.tomlValue(&b)
					lines = append(lines, line{fmt.Sprintf("%s[%d] = %s", toml.QuotePath(sub), i, b.String()), note(el.origin)})
				}
			default:
				var b strings.Builder
				e.item.tomlValue(&b)
				o := e.item.origin
				if o == nil && len(e.item.list) > 0 {
					o = e.item.list[0].origin
				}
				lines = append(lines, line{toml.QuotePath(sub) + " = " + b.String(), note(o)})
			}
		}
	}
	// Lists of tables come last, or plain keys would seem to belong to them.
	plain, tables := &item{kind: toml.KindTable}, &item{kind: toml.KindTable}
	for _, e := range v.root.keys {
		if e.item.tables() {
			tables.keys = append(tables.keys, e)
		} else {
			plain.keys = append(plain.keys, e)
		}
	}
	walk(plain, nil)
	walk(tables, nil)
	width := 0
	for _, l := range lines {
		if n := len(l.text); n <= 64 {
			width = max(width, n)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s", v.c.Name)
	if at := diag.Position(v.c.Pos); at != "" {
		fmt.Fprintf(&b, ", %s", at)
	}
	if len(v.c.Groups) > 0 {
		fmt.Fprintf(&b, ", in %s", strings.Join(v.c.Groups, ", "))
	}
	b.WriteByte('\n')
	for i := range v.c.parts {
		if pos := v.c.parts[i].Pos(); pos.Filename != v.c.Pos.Filename {
			note := ""
			if v.p.generated[v.c.parts[i].Src.Path] {
				note = ", a generated pin"
			}
			fmt.Fprintf(&b, "# also defined at %s%s\n", diag.Position(pos), note)
		}
	}
	if u := v.upstream; u != nil && u.URL != "" {
		fmt.Fprintf(&b, "# from %s, branch %s", u.URL, u.Branch)
		switch {
		case u.Commit != "":
			fmt.Fprintf(&b, ", pinned to %s", u.Commit)
		case u.SnapshotText != "":
			fmt.Fprintf(&b, ", as of %s", u.SnapshotText)
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	for _, l := range lines {
		b.WriteString(l.text)
		if l.note != "" {
			fmt.Fprintf(&b, "%*s  # %s", max(0, width-len(l.text)), "", l.note)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// mixed reports whether the elements of a list come from different places.
func (n *item) mixed() bool {
	for _, el := range n.list {
		if a, b := el.origin, n.list[0].origin; a != nil && b != nil && (a.Layer != b.Layer || a.Pos.Filename != b.Pos.Filename) {
			return true
		}
	}
	return false
}

type viewOrigin struct {
	Layer  string `json:"layer"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func toViewOrigin(o *Origin) viewOrigin {
	return viewOrigin{o.Layer, o.Pos.Filename, o.Pos.Line, o.Pos.Column}
}

// MarshalJSON writes the component's name, place, groups and effective
// configuration, and a table from the path of each value to its origin.
func (v *View) MarshalJSON() ([]byte, error) {
	origins := map[string]viewOrigin{}
	var walk func(n *item, path string)
	walk = func(n *item, path string) {
		if n.origin != nil && (n.kind != toml.KindTable || strings.HasSuffix(path, "]")) {
			origins[path] = toViewOrigin(n.origin)
		}
		for _, e := range n.keys {
			sub := toml.QuoteKey(e.name)
			if path != "" {
				sub = path + "." + sub
			}
			walk(e.item, sub)
		}
		for i, el := range n.list {
			walk(el, fmt.Sprintf("%s[%d]", path, i))
		}
	}
	walk(v.root, "")
	out := struct {
		Component string                `json:"component"`
		Defined   *viewOrigin           `json:"defined,omitempty"`
		Groups    []string              `json:"groups,omitempty"`
		Upstream  *viewUpstream         `json:"upstream,omitempty"`
		Config    *item                 `json:"config"`
		Origins   map[string]viewOrigin `json:"origins"`
		// Overridden has, for each path, the values that later layers or files
		// replaced, weakest first.
		Overridden map[string][]viewOverridden `json:"overridden,omitempty"`
		Tests      []string                    `json:"tests,omitempty"`
	}{Component: v.c.Name, Groups: v.c.Groups, Config: v.root, Origins: origins, Overridden: v.overridden(), Tests: v.p.Tests(v.c)}
	if v.c.Pos.IsValid() {
		out.Defined = &viewOrigin{layerComponent, v.c.Pos.Filename, v.c.Pos.Line, v.c.Pos.Column}
	}
	if u := v.upstream; u != nil {
		out.Upstream = &viewUpstream{u.Name, u.DistroName, u.Version, u.URL, u.Branch, u.Commit, u.SnapshotText, u.ReleaseVer}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(out)
	return b.Bytes(), err
}

// A viewOverridden is a value that does not count.
type viewOverridden struct {
	Value string `json:"value"`
	viewOrigin
}

// overridden finds the values of all layers that others replaced.
func (v *View) overridden() map[string][]viewOverridden {
	all := map[string][]viewOverridden{}
	last := map[string]*toml.Value{}
	for _, l := range v.c.layers {
		scalars(l.tab, "", func(path string, val *toml.Value) {
			if val.Zero() && last[path] != nil && !strings.HasPrefix(path, "build.defines.") {
				return // changes nothing
			}
			last[path] = val
			all[path] = append(all[path], viewOverridden{val.Str, viewOrigin{l.name, val.Src.Name, val.Pos().Line, val.Pos().Column}})
		})
	}
	for path, list := range all {
		if last[path] == v.c.effective(path) {
			list = list[:len(list)-1]
		}
		if all[path] = list; len(list) == 0 {
			delete(all, path)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// effective returns the value at a path of keys, nil for none.
func (c *Component) effective(path string) *toml.Value {
	at := c.merged
	for _, part := range splitPath(path) {
		at = at.Get(part.name)
	}
	return at
}

type viewUpstream struct {
	Name       string `json:"name"`
	Distro     string `json:"distro"`
	Version    string `json:"version"`
	URL        string `json:"url"`
	Branch     string `json:"branch"`
	Commit     string `json:"commit,omitempty"`
	Snapshot   string `json:"snapshot,omitempty"`
	ReleaseVer string `json:"releaseVer,omitempty"`
}
