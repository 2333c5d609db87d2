package components

import (
	"cmp"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// An overlayDocument is a loaded overlay file.
type overlayDocument struct {
	root  *value
	ops   []overlay.Op
	vals  []*value
	diags diag.List
}

// addOverlayFiles appends the overlays of the component's overlay files.
func (p *Project) addOverlayFiles(c *Component, diags *diag.List) {
	list := c.merged.get("overlay-files")
	if list == nil || list.kind != kindList || len(list.list) == 0 {
		return
	}
	seen := map[string]bool{}
	for _, pattern := range list.list {
		if pattern.kind != kindString || pattern.str == "" {
			continue
		}
		if c.Dir == "" && c.origins()[pattern] != layerComponent && !filepath.IsAbs(pattern.str) {
			diags.Add(pattern.pos(), "config/overlay-file", "overlay file %q is relative, but the component is not defined in a file", pattern.str).End = pattern.endPos()
			continue
		}
		// Patterns of the component belong to the file that wrote them,
		// inherited ones to the component, wherever they come from.
		at := *pattern
		dir := c.Dir
		if c.origins()[pattern] == layerComponent && pattern.src.dir != "" {
			dir = pattern.src.dir
		}
		at.src = &source{name: pattern.src.name, path: pattern.src.path, text: pattern.src.text, dir: dir, trusted: pattern.src.trusted}
		if d := p.paths.confineGlob(&at); d != nil {
			*diags = append(*diags, *d)
			continue
		}
		files, err := glob(&at)
		if err != nil {
			diags.Add(pattern.pos(), "config/bad-value", "overlay-files: %q: %s", pattern.str, err).End = pattern.endPos()
			continue
		}
		if len(files) == 0 && !strings.ContainsAny(pattern.str, "*?[") {
			d := diags.Add(pattern.pos(), "config/overlay-file", "overlay file %q does not exist", pattern.str)
			d.End = pattern.endPos()
			d.Hint = "paths are relative to " + p.paths.display(dir) + string(filepath.Separator)
			continue
		}
		slices.SortFunc(files, func(a, b string) int {
			return cmp.Or(cmp.Compare(filepath.Base(a), filepath.Base(b)), cmp.Compare(a, b))
		})
		for _, file := range files {
			if seen[file] {
				continue
			}
			seen[file] = true
			if d := p.paths.confine(file, &at); d != nil {
				*diags = append(*diags, *d)
				continue
			}
			doc := p.overlayDocument(file, at.src.trusted)
			*diags = append(*diags, doc.diags...)
			for i := range doc.ops {
				c.Overlays = append(c.Overlays, doc.ops[i])
				c.ops = append(c.ops, doc.vals[i])
				c.opLayers = append(c.opLayers, layerDocument)
			}
		}
	}
}

// overlayDocument loads an overlay file once.
func (p *Project) overlayDocument(file string, trusted bool) *overlayDocument {
	f, ok := p.overlays.Load(docKey{file, trusted})
	if !ok {
		f, _ = p.overlays.LoadOrStore(docKey{file, trusted}, sync.OnceValue(func() *overlayDocument {
			src := &source{name: p.paths.display(file), path: file, dir: filepath.Dir(file), trusted: trusted}
			doc := &overlayDocument{}
			text, err := p.opt.text(file, maxDocument)
			if err != nil {
				d := doc.diags.Add(token.Position{Filename: src.name}, "config/read", "cannot read the overlay file: %s", reason(err))
				d.Env = environment(err)
				return doc
			}
			key := docKey{file, trusted}
			if known := p.opt.Cache.overlayDocument(key, text); known != nil {
				return known
			}
			src.text = text
			doc.read(src, p.opt.Permissive, true)
			for _, v := range doc.vals {
				p.confined(&doc.diags, v.get("source"))
			}
			p.opt.Cache.keepOverlays(key, doc)
			return doc
		}))
	}
	return f.(func() *overlayDocument)()
}

// read decodes an overlay document. A strict one has metadata of its own and
// none on its overlays.
func (doc *overlayDocument) read(src *source, permissive, strict bool) {
	root, diags := readDocument(src)
	doc.root, doc.diags = root, diags
	broken := len(diags) > 0
	overlays := root.entry("overlays")
	if overlays.empty() && !broken {
		d := doc.diags.Add(token.Position{Filename: src.name, Line: 1, Column: 1}, "config/overlay-file", "overlay file declares no overlays")
		if overlays != nil {
			d.Pos, d.End = overlays.pos(), overlays.endPos()
		}
		d.Hint = "each overlay has a header: [[overlays]]"
	}
	// Metadata is checked on its own: permissive loading does without when it
	// is bad. Missing overlays have been reported.
	key := documentKey
	key.Keys = slices.Clone(documentKey.Keys)
	metaKey := *key.find("metadata")
	*key.find("metadata") = Key{Name: "metadata"}
	key.find("overlays").Required = false
	c := &checker{permissive: permissive}
	c.value(root, &key, &trail{})
	doc.diags = append(doc.diags, c.diags...)
	m := &checker{permissive: permissive}
	at := (&trail{}).key("metadata")
	if v := root.get("metadata"); v != nil {
		m.value(v, &metaKey, at)
	} else if strict && !broken {
		m.missing(root, "metadata", &trail{}, "").Hint = "metadata: " + sentence(metaKey.Help)
	}
	meta := decodeMetadata(root.get("metadata"))
	if permissive && m.diags.HasErrors() {
		meta = nil
		for i := range m.diags {
			m.diags[i].Severity = diag.Warning
		}
	}
	doc.diags = append(doc.diags, m.diags...)
	list := root.get("overlays")
	if list == nil || list.kind != kindList {
		return
	}
	for _, o := range list.list {
		if o.kind != kindTable {
			continue
		}
		op := decodeOp(o)
		op.Layer = layerDocument
		if e := o.entry("metadata"); e != nil && strict {
			d := doc.diags.Add(e.pos(), "config/conflict", "metadata stands once in an overlay file, not on an overlay")
			d.End = e.endPos()
			d.Hint = "the file's [metadata] applies to all its overlays; use another file for another reason"
		}
		if op.Metadata == nil {
			op.Metadata = meta
		}
		doc.ops = append(doc.ops, op)
		doc.vals = append(doc.vals, o)
	}
}

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
