package components

import (
	"cmp"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// An overlayDocument is a loaded overlay file.
type overlayDocument struct {
	root  *toml.Value
	ops   []overlay.Op
	vals  []*toml.Value
	diags diag.List
}

// addOverlayFiles appends the overlays of the component's overlay files.
func (p *Project) addOverlayFiles(c *Component, diags *diag.List) {
	list := c.merged.Get("overlay-files")
	if list == nil || list.Kind != toml.KindList || len(list.List) == 0 {
		return
	}
	seen := map[string]bool{}
	for _, pattern := range list.List {
		if pattern.Kind != toml.KindString || pattern.Str == "" {
			continue
		}
		if c.Dir == "" && c.origins()[pattern] != layerComponent && !filepath.IsAbs(pattern.Str) {
			diags.Add(pattern.Pos(), "config/overlay-file", "overlay file %q is relative, but the component is not defined in a file", pattern.Str).End = pattern.EndPos()
			continue
		}
		// Patterns of the component belong to the file that wrote them,
		// inherited ones to the component, wherever they come from.
		at := *pattern
		dir := c.Dir
		if c.origins()[pattern] == layerComponent && pattern.Src.Dir != "" {
			dir = pattern.Src.Dir
		}
		at.Src = &toml.Source{Name: pattern.Src.Name, Path: pattern.Src.Path, Text: pattern.Src.Text, Dir: dir, Trusted: pattern.Src.Trusted}
		if d := p.paths.confineGlob(&at); d != nil {
			*diags = append(*diags, *d)
			continue
		}
		files, err := glob(&at)
		if err != nil {
			diags.Add(pattern.Pos(), "config/bad-value", "overlay-files: %q: %s", pattern.Str, err).End = pattern.EndPos()
			continue
		}
		if len(files) == 0 && !strings.ContainsAny(pattern.Str, "*?[") {
			d := diags.Add(pattern.Pos(), "config/overlay-file", "overlay file %q does not exist", pattern.Str)
			d.End = pattern.EndPos()
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
			doc := p.overlayDocument(file, at.Src.Trusted)
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
			src := &toml.Source{Name: p.paths.display(file), Path: file, Dir: filepath.Dir(file), Trusted: trusted}
			doc := &overlayDocument{}
			text, err := p.opt.text(file, toml.MaxSize)
			if err != nil {
				d := doc.diags.Add(token.Position{Filename: src.Name}, "config/read", "cannot read the overlay file: %s", reason(err))
				d.Env = environment(err)
				return doc
			}
			key := docKey{file, trusted}
			if known := p.opt.Cache.overlayDocument(key, text); known != nil {
				return known
			}
			src.Text = text
			doc.read(src, p.opt.Permissive, true)
			for _, v := range doc.vals {
				p.confined(&doc.diags, v.Get("source"))
			}
			p.opt.Cache.keepOverlays(key, doc)
			return doc
		}))
	}
	return f.(func() *overlayDocument)()
}

// read decodes an overlay document. A strict one has metadata of its own and
// none on its overlays.
func (doc *overlayDocument) read(src *toml.Source, permissive, strict bool) {
	root, diags := toml.Read(src)
	doc.root, doc.diags = root, diags
	broken := len(diags) > 0
	overlays := root.Entry("overlays")
	if overlays.Empty() && !broken {
		d := doc.diags.Add(token.Position{Filename: src.Name, Line: 1, Column: 1}, "config/overlay-file", "overlay file declares no overlays")
		if overlays != nil {
			d.Pos, d.End = overlays.Pos(), overlays.EndPos()
		}
		d.Hint = "each overlay has a header: [[overlays]]"
	}
	// Metadata is checked on its own: permissive loading does without when it
	// is bad. Missing overlays have been reported.
	key := schema.DocumentKey
	key.Keys = slices.Clone(schema.DocumentKey.Keys)
	metaKey := *key.Find("metadata")
	*key.Find("metadata") = schema.Key{Name: "metadata"}
	key.Find("overlays").Required = false
	c := &schema.Checker{Permissive: permissive}
	c.Value(root, &key, &schema.Trail{})
	doc.diags = append(doc.diags, c.Diags...)
	m := &schema.Checker{Permissive: permissive}
	at := (&schema.Trail{}).Key("metadata")
	if v := root.Get("metadata"); v != nil {
		m.Value(v, &metaKey, at)
	} else if strict && !broken {
		m.Missing(root, "metadata", &schema.Trail{}, "").Hint = "metadata: " + schema.Sentence(metaKey.Help)
	}
	meta := schema.Metadata(root.Get("metadata"))
	if permissive && m.Diags.HasErrors() {
		meta = nil
		for i := range m.Diags {
			m.Diags[i].Severity = diag.Warning
		}
	}
	doc.diags = append(doc.diags, m.Diags...)
	list := root.Get("overlays")
	if list == nil || list.Kind != toml.KindList {
		return
	}
	for _, o := range list.List {
		if o.Kind != toml.KindTable {
			continue
		}
		op := schema.Overlay(o)
		op.Layer = layerDocument
		if e := o.Entry("metadata"); e != nil && strict {
			d := doc.diags.Add(e.Pos(), "config/conflict", "metadata stands once in an overlay file, not on an overlay")
			d.End = e.EndPos()
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
	src := &toml.Source{Name: name, Path: name, Dir: filepath.Dir(name), Text: string(data), Trusted: true}
	if abs, err := filepath.Abs(name); err == nil {
		src.Path, src.Dir = abs, filepath.Dir(abs)
	}
	var doc overlayDocument
	doc.read(src, false, false)
	doc.diags.Sort()
	return doc.ops, doc.diags
}
