package components

import (
	"go/token"
	"slices"

	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay"
)

// Same reports whether the component says what it said in an earlier load of
// the project, and where it has moved to: moved maps every place of a key or
// value as it was to where it is now. What the component refers to by name, such
// as its distribution and the files of its overlays, is not compared.
func (c *Component) Same(old *Component) (moved map[token.Position]token.Position, same bool) {
	if old == nil || c.Name != old.Name || c.File != old.File || c.Dir != old.Dir || c.Spec.Path != old.Spec.Path ||
		!slices.Equal(c.Groups, old.Groups) || len(c.ops) != len(old.ops) || len(c.parts) != len(old.parts) {
		return nil, false
	}
	if !sameValue(old.merged, c.merged) {
		return nil, false
	}
	for i := range c.parts { // what another layer hides is not in merged
		if !sameValue(old.parts[i].Val, c.parts[i].Val) {
			return nil, false
		}
	}
	for i := range c.ops {
		if !sameValue(old.ops[i], c.ops[i]) || c.opLayers[i] != old.opLayers[i] {
			return nil, false
		}
		// The metadata of an overlay file is no part of the overlay's table.
		if m, o := c.Overlays[i].Metadata, old.Overlays[i].Metadata; (m == nil) != (o == nil) || m != nil && !sameMetadata(m, o) {
			return nil, false
		}
	}
	m := places{old: map[*toml.Value]bool{}, at: map[token.Position]token.Position{}}
	m.put(old.Pos, c.Pos)
	m.value(old.merged, c.merged)
	for i := range c.ops {
		m.value(old.ops[i], c.ops[i])
	}
	for i := range c.parts {
		m.entry(&old.parts[i], &c.parts[i])
	}
	return m.at, true
}

func sameMetadata(a, b *overlay.Metadata) bool {
	links := func(l []overlay.Link) (urls []string) {
		for _, x := range l {
			urls = append(urls, x.URL)
		}
		return urls
	}
	retire := func(m *overlay.Metadata) overlay.Retire {
		if m.Retire == nil {
			return overlay.Retire{}
		}
		r := *m.Retire
		r.Pos = token.Position{}
		return r
	}
	return a.Category == b.Category && a.UpstreamStatus == b.UpstreamStatus && slices.Equal(links(a.Commits), links(b.Commits)) &&
		slices.Equal(links(a.Bugs), links(b.Bugs)) && (a.Retire == nil) == (b.Retire == nil) && retire(a) == retire(b)
}

// sameValue compares values by what they say and by the files they are in.
func sameValue(a, b *toml.Value) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.Kind != b.Kind || a.Str != b.Str || a.Broken != b.Broken ||
		len(a.List) != len(b.List) || len(a.Keys) != len(b.Keys) || (a.Src == nil) != (b.Src == nil) || a.Src != nil && a.Src.Path != b.Src.Path {
		return false
	}
	for i := range a.List {
		if !sameValue(a.List[i], b.List[i]) {
			return false
		}
	}
	for i := range a.Keys {
		if a.Keys[i].Name != b.Keys[i].Name || !sameValue(a.Keys[i].Val, b.Keys[i].Val) {
			return false
		}
	}
	return true
}

// places maps old positions to new ones.
type places struct {
	old map[*toml.Value]bool
	at  map[token.Position]token.Position
}

func (m *places) put(old, now token.Position) { m.at[old] = now }

func (m *places) value(old, now *toml.Value) {
	if old == nil || now == nil || old.Src == nil || now.Src == nil || m.old[old] {
		return
	}
	m.old[old] = true
	m.put(old.Pos(), now.Pos())
	m.put(old.EndPos(), now.EndPos())
	for i := range old.List {
		m.value(old.List[i], now.List[i])
	}
	for i := range old.Keys {
		m.entry(&old.Keys[i], &now.Keys[i])
	}
}

func (m *places) entry(old, now *toml.Entry) {
	if old.Src == nil || now.Src == nil {
		return
	}
	m.put(old.Pos(), now.Pos())
	m.put(old.EndPos(), now.EndPos())
	m.value(old.Val, now.Val)
}

// OwnFiles returns the absolute paths of the files that define a component and
// its overlays, whoever else inherits from them.
func (c *Component) OwnFiles() []string {
	var files []string
	add := func(src *toml.Source) {
		if src != nil && src.Path != "" && !slices.Contains(files, src.Path) {
			files = append(files, src.Path)
		}
	}
	for i := range c.parts {
		add(c.parts[i].Src)
		add(c.parts[i].Val.Src)
	}
	for _, op := range c.ops {
		add(op.Src)
	}
	return files
}

// SameBut reports whether an earlier load of the project had the same files,
// and said the same of everything but single components.
func (p *Project) SameBut(old *Project) bool {
	if old == nil || p.Profile != old.Profile || len(p.documents) != len(old.documents) {
		return false
	}
	for i := range p.documents {
		if p.documents[i].src.Path != old.documents[i].src.Path {
			return false
		}
	}
	for _, k := range schema.RootKey.Keys {
		if k.Name != "components" && !sameValue(p.root.Get(k.Name), old.root.Get(k.Name)) {
			return false
		}
	}
	return true
}

// OverlayDocuments returns the absolute paths of the overlay documents that
// components resolved so far use.
func (p *Project) OverlayDocuments() []string {
	var files []string
	p.overlays.Range(func(key, _ any) bool {
		if path := key.(docKey).path; !slices.Contains(files, path) {
			files = append(files, path)
		}
		return true
	})
	slices.Sort(files)
	return files
}

// DefinedIn returns the absolute paths of the configuration files that have a
// table of the component.
func (p *Project) DefinedIn(name string) []string {
	var files []string
	for _, e := range p.definitions(name) {
		if e.Src != nil && e.Src.Path != "" {
			files = append(files, e.Src.Path)
		}
	}
	return files
}
