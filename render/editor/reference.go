package editor

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"specgraft/components/toml"
	"specgraft/render"
	"specgraft/render/editor/buffer"
)

// A refKind is a kind of thing with a name that others refer to.
type refKind int

const (
	refComponent refKind = iota + 1
	refGroup
	refDistro
	refVersion // of a distribution
	refTemplate
	refFile
)

// A ref is a name in a file that stands for something.
type ref struct {
	kind  refKind
	name  string
	owner string // of a version: the distribution
	def   bool   // the place that defines it
}

// refOf returns what the name at the cursor stands for.
func (s *Snapshot) refOf(c *cursor) (ref, bool) {
	r, ok := tokenRef(c.tok)
	if ok && r.kind == refVersion && r.owner == "" {
		at := c.tok.Path[:len(c.tok.Path)-1]
		r.owner = c.fields(at)["name"].Text
		if r.owner == "" {
			r.owner = s.Project.DefaultDistro.Name
		}
	}
	return r, ok
}

// tokenRef returns what a token refers to by its place in the format. It is the
// one list of places where names stand.
func tokenRef(t toml.Token) (ref, bool) {
	switch {
	case len(t.Path) == 0:
	case t.Kind == toml.TokenHeader, t.Kind == toml.TokenKey:
		return keyRef(t.Path)
	case t.Kind == toml.TokenValue:
		return valueRef(t.Path, t.Text)
	}
	return ref{}, false
}

// keyRef returns what a key defines.
func keyRef(p []string) (ref, bool) {
	switch n := len(p); {
	case n == 2 && p[0] == "components":
		return ref{refComponent, p[1], "", true}, true
	case n == 2 && p[0] == "component-groups":
		return ref{refGroup, p[1], "", true}, true
	case n == 2 && p[0] == "distros":
		return ref{refDistro, p[1], "", true}, true
	case n == 4 && p[0] == "distros" && p[2] == "versions":
		return ref{refVersion, p[3], p[1], true}, true
	}
	return ref{}, false
}

// valueRef returns what a value names.
func valueRef(p []string, text string) (ref, bool) {
	last, parent := lastTwo(p)
	ofDistro := parent == "default-distro" || parent == "upstream-distro"
	switch n := len(p); {
	case n == 4 && p[0] == "component-groups" && p[2] == "components",
		parent == "retire" && last == "with", parent == "retire-with" && last == "component":
		return ref{refComponent, text, "", false}, true
	case ofDistro && last == "name":
		return ref{refDistro, text, "", false}, true
	case ofDistro && last == "version":
		return ref{refVersion, text, "", false}, true
	case n == 3 && p[0] == "distros" && last == "default-version":
		return ref{refVersion, text, p[1], false}, true
	case parent == "spec" && last == "template":
		return ref{refTemplate, text, "", false}, true
	case parent == "includes", parent == "overlay-files", last == "source" && overlayPath(p) != nil, last == "macro-set",
		parent == "spec" && (last == "path" || last == "srpm"):
		return ref{refFile, text, "", false}, true
	}
	return ref{}, false
}

// Definition returns the places that define what stands at a point: the table of
// a component, group, distribution or version, a file, or for an overlay the
// rendered lines that it wrote.
func (s *Snapshot) Definition(ctx context.Context, path string, at buffer.Point) []buffer.Place {
	if s.Project == nil {
		return nil
	}
	c := s.cursor(path, at)
	if c == nil {
		return nil
	}
	r, ok := s.refOf(c)
	if !ok {
		if overlayPath(c.tok.Path) == nil && c.tok.List {
			c.tok = toml.TokenAt(c.text.S, c.headerEnd())
		}
		for _, u := range s.users(c) {
			if places := s.RenderedPlaces(ctx, u.name, u.index); len(places) > 0 {
				return places
			}
		}
		return nil
	}
	switch r.kind {
	case refFile:
		return s.filePlaces(c, r.name)
	case refTemplate:
		file := filepath.Join(s.Project.Settings.TemplatesDir, r.name+".spec.tmpl")
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return []buffer.Place{{Path: file}}
		}
		return nil
	}
	places := s.defined(r)
	here := func(p buffer.Place) bool { return p.Path == path && contains(p.Span, at) }
	if r.def && r.kind == refComponent && !slices.ContainsFunc(places, func(p buffer.Place) bool { return !here(p) }) {
		// At the definition of a component its rendered spec is what is meant.
		if rendered := s.RenderedPlaces(ctx, r.name, -1); rendered != nil {
			return rendered
		}
	}
	return places
}

func contains(s buffer.Span, p buffer.Point) bool {
	return !(p.Line < s.Start.Line || p.Line == s.Start.Line && p.Col < s.Start.Col) && !(p.Line > s.End.Line || p.Line == s.End.Line && p.Col > s.End.Col)
}

// filePlaces returns the files that a path or pattern names.
func (s *Snapshot) filePlaces(c *cursor, name string) []buffer.Place {
	if name == "" || strings.Contains(name, "://") {
		return nil
	}
	full := name
	if !filepath.IsAbs(full) {
		full = filepath.Join(filepath.Dir(c.path), name)
	}
	var places []buffer.Place
	add := func(file string) {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			places = append(places, buffer.Place{Path: file})
		}
	}
	if !strings.ContainsAny(name, "*?[{") {
		add(full)
		return places
	}
	known := append(s.Project.Files(), s.Project.OverlayDocuments()...)
	slices.Sort(known)
	for _, file := range slices.Compact(known) {
		if matchPath(filepath.ToSlash(full), filepath.ToSlash(file)) && file != c.path {
			add(file)
		}
	}
	return places
}

// matchPath reports whether a path matches a pattern.
func matchPath(pattern, path string) bool {
	ok, err := doublestar.Match(pattern, path)
	return ok && err == nil
}

// each calls f with every token of every configuration file and overlay
// document.
func (s *Snapshot) each(f func(path string, text *buffer.Text, t toml.Token)) {
	files := append(s.Project.Files(), s.Project.OverlayDocuments()...)
	slices.Sort(files)
	for _, path := range slices.Compact(files) {
		text := s.textOf(path)
		if text == nil {
			continue
		}
		toml.Tokens(text.S, func(t toml.Token) bool {
			f(path, text, t)
			return true
		})
	}
}

// defined returns the places where something is defined.
func (s *Snapshot) defined(r ref) []buffer.Place {
	var places []buffer.Place
	s.find(r, func(path string, text *buffer.Text, t toml.Token, def bool) {
		if def && (len(places) == 0 || places[len(places)-1].Path != path) {
			places = append(places, buffer.Place{Path: path, Span: text.Span(t.Start, t.End)})
		}
	})
	return places
}

// find calls f with every place where a name stands.
func (s *Snapshot) find(want ref, f func(path string, text *buffer.Text, t toml.Token, def bool)) {
	s.each(func(path string, text *buffer.Text, t toml.Token) {
		r, ok := tokenRef(t)
		if !ok || r.kind != want.kind || r.name != want.name {
			return
		}
		if r.kind == refVersion && want.owner != "" && r.owner != "" && r.owner != want.owner {
			return
		}
		f(path, text, t, r.def)
	})
}

// References returns all places where the name at a point stands.
func (s *Snapshot) References(path string, at buffer.Point, declaration bool) []buffer.Place {
	if s.Project == nil || filepath.Ext(path) != ".toml" {
		return nil
	}
	c := s.cursor(path, at)
	if c == nil {
		return nil
	}
	r, ok := s.refOf(c)
	if !ok || r.kind == refFile {
		return nil
	}
	var places []buffer.Place
	s.find(r, func(path string, text *buffer.Text, t toml.Token, def bool) {
		if !def || declaration {
			places = append(places, buffer.Place{Path: path, Span: text.Span(t.Start, t.End)})
		}
	})
	return places
}

// RenderedFile returns the path of a component's spec in the rendered tree.
func (s *Snapshot) RenderedFile(name string) string {
	return filepath.Join(s.Project.RenderedDir, filepath.FromSlash(render.ComponentDir(name)), name+".spec")
}
