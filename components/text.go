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

// Own reports whether an overlay stands in the component's own table or in an
// overlay document, so that changing it changes no other component.
func Own(op *overlay.Op) bool { return op.Layer == layerComponent || op.Layer == layerDocument }
