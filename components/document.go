package components

import (
	"path/filepath"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// ParseOverlays reads a stand-alone TOML file with an [[overlays]] list, and
// optionally one [metadata] table for all of them. The name is used in
// positions and to find `source` files, which are relative to its directory.
// Every overlay is validated; the operations are only good to apply when the
// list has no errors.
func ParseOverlays(name string, data []byte) ([]overlay.Op, diag.List) {
	src := &source{name: name, path: name, dir: filepath.Dir(name), text: string(data), trusted: true}
	if abs, err := filepath.Abs(name); err == nil {
		src.path, src.dir = abs, filepath.Dir(abs)
	}
	var doc overlayDocument
	doc.read(src, false, false)
	doc.diags.Sort()
	return doc.ops, doc.diags
}
