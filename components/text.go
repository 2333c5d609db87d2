package components

import (
	"path/filepath"

	"specgraft/overlay"
)

// Text returns the text of a configuration file or overlay document as it was
// when it was loaded, by absolute path.
func (p *Project) Text(path string) ([]byte, bool) {
	for _, doc := range p.documents {
		if doc.src.Path == path {
			return []byte(doc.src.Text), true
		}
	}
	for _, trusted := range []bool{false, true} {
		if f, ok := p.overlays.Load(docKey{path, trusted}); ok {
			if doc := f.(func() *overlayDocument)(); doc.root != nil {
				return []byte(doc.root.Src.Text), true
			}
		}
	}
	return nil, false
}

// FileOf returns the absolute path of the file that an overlay stands in.
func (p *Project) FileOf(op *overlay.Op) string {
	name := filepath.FromSlash(op.Pos.Filename)
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.Dir, name)
}

// LastOverlays returns the absolute path of the file behind whose overlays no
// others of a component come, "" for none, and where in it they stand: overlay
// documents come behind the component's own table.
func (p *Project) LastOverlays(c *Component) (file string, at []string) {
	if n := len(c.Overlays); n > 0 && InDocument(&c.Overlays[n-1]) {
		return p.FileOf(&c.Overlays[n-1]), []string{"overlays"}
	}
	return c.File, []string{"components", c.Name, "overlays"}
}

// InDocument reports whether an overlay stands in an overlay document.
func InDocument(op *overlay.Op) bool { return op.Layer == layerDocument }

// Own reports whether an overlay stands in the component's own table or in an
// overlay document, so that changing it changes no other component.
func Own(op *overlay.Op) bool { return op.Layer == layerComponent || InDocument(op) }
