package components

import (
	"path/filepath"
	"slices"

	"specgraft/components/toml"
)

// ConfigFiles returns the files that a component's effective configuration is
// made from, as sorted absolute paths: the TOML files that give one of its
// values or that define it, its overlay documents, the sources of its overlays
// and archives, and for a local or templated component the files beside it.
func (p *Project) ConfigFiles(c *Component) ([]string, error) {
	seen := map[string]bool{}
	add := func(path string) {
		if path != "" {
			seen[filepath.Clean(path)] = true
		}
	}
	var walk func(v *toml.Value)
	walk = func(v *toml.Value) {
		if v == nil {
			return
		}
		if v.Src != nil && (v.Kind != toml.KindTable && v.Kind != toml.KindList) {
			add(v.Src.Path)
		}
		for _, el := range v.List {
			walk(el)
		}
		for i := range v.Keys {
			walk(v.Keys[i].Val)
		}
	}
	add(c.File)
	walk(c.merged)
	for _, op := range c.ops {
		walk(op)
	}
	for i := range c.Overlays {
		add(c.Overlays[i].Source)
	}
	if !c.IsUpstream() {
		add(c.Spec.Path)
		files, err := p.LocalFiles(c)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			add(f.Path)
		}
	}
	files := make([]string, 0, len(seen))
	for f := range seen {
		files = append(files, f)
	}
	slices.Sort(files)
	return files, nil
}
