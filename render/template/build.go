package template

import (
	"specgraft/components"
	"specgraft/components/schema"
)

// textKeys and listKeys are what only some templates use.
var (
	textKeys = []string{"pypi-name", "import-path", "crate", "family", "foundry", "fonts", "fontconf", "kernel-version"}
	listKeys = []string{"modules", "extras", "test-requires", "commands", "features"}
)

// New takes a component's [components.NAME.template] table apart and fills in
// the defaults: the package has the component's name, and a description that is
// not given repeats the summary as a sentence.
func New(c *components.Component) *Spec {
	t := c.Template
	s := &Spec{
		Package: packageOf(t, Text{S: c.Name, Pos: c.Pos}),
		Pos:     t.Pos(), Version: leaf(t, "version"), Epoch: leaf(t, "epoch"), Release: leaf(t, "release"),
		License: leaf(t, "license"), URL: leaf(t, "url"), Arches: leaves(t, "exclusive-arch"),
		BuildRequires: leaves(t, "build-requires"), Options: leaves(t, "build-options"),
		Prep: leaves(t, "prep"), Build: leaves(t, "build"), Install: leaves(t, "install"), Check: leaves(t, "check"),
		Patches: files(t, "patches"), Presets: files(t, "presets"),
		Extra: map[string]Text{}, ExtraLists: map[string][]Text{},
	}
	if !s.Pos.IsValid() {
		s.Pos = c.Pos
	}
	if n := leaf(t, "name"); n.S != "" {
		s.Name = n
	}
	for _, src := range t.Tables("sources") {
		if f := src.Text("file"); f.Value != "" {
			s.Sources = append(s.Sources, Source{Value: asText(f), File: f.Value})
		} else {
			s.Sources = append(s.Sources, Source{Value: leaf(src, "url")})
		}
	}
	for _, e := range t.Entries("bconds") {
		s.Bconds = append(s.Bconds, Bcond{Name: asText(e.Name), On: e.Value.Value == "true"})
	}
	s.Globals = definitions(t, "globals")
	s.OSRelease = definitions(t, "os-release")
	for _, e := range t.Tables("changelog") {
		s.Changelog = append(s.Changelog, Change{Date: leaf(e, "date"), Author: leaf(e, "author"), Version: leaf(e, "version"), Items: leaves(e, "changes")})
	}
	for _, e := range t.Entries("packages") {
		p := packageOf(e.Table, asText(e.Name))
		p.FullName = e.Table.Flag("full-name")
		s.Packages = append(s.Packages, p)
	}
	for _, k := range textKeys {
		if v := leaf(t, k); v.S != "" {
			s.Extra[k] = v
		}
	}
	for _, k := range listKeys {
		if v := leaves(t, k); len(v) > 0 {
			s.ExtraLists[k] = v
		}
	}
	return s
}

func packageOf(t *schema.Template, name Text) Package {
	p := Package{
		Name: name, Summary: leaf(t, "summary"), Description: leaf(t, "description"), Arch: leaf(t, "arch"),
		Requires: leaves(t, "requires"), Recommends: leaves(t, "recommends"), Suggests: leaves(t, "suggests"),
		Supplements: leaves(t, "supplements"), Provides: leaves(t, "provides"), Conflicts: leaves(t, "conflicts"),
		Obsoletes: leaves(t, "obsoletes"), Tags: definitions(t, "tags"), Files: leaves(t, "files"),
		Licenses: leaves(t, "licenses"), Docs: leaves(t, "docs"),
		Units: files(t, "units"), Sysusers: files(t, "sysusers"), Tmpfiles: files(t, "tmpfiles"),
	}
	p.Description.Kind = Block
	if p.Description.S == "" && p.Summary.S != "" {
		p.Description = Text{S: p.Summary.S + ".", Pos: p.Summary.Pos, Kind: Block}
	}
	for _, c := range t.Tables("config-files") {
		kind := c.Text("kind").Value
		p.Configs = append(p.Configs, ConfigFile{
			Source: leaf(c, "source"), Path: leaf(c, "path"), Mode: leaf(c, "mode"), Owner: leaf(c, "owner"), Group: leaf(c, "group"),
			Config: kind != "file", NoReplace: kind == "" || kind == "noreplace",
		})
	}
	return p
}

func asText(f schema.Field) Text {
	t := Text{S: f.Value, Pos: f.Pos}
	if f.Macros {
		t.Kind = Macros
	}
	return t
}

func leaf(t *schema.Template, key string) Text { return asText(t.Text(key)) }

func leaves(t *schema.Template, key string) []Text {
	var out []Text
	for _, f := range t.Texts(key) {
		out = append(out, asText(f))
	}
	return out
}

func files(t *schema.Template, key string) []Source {
	var out []Source
	for _, f := range t.Texts(key) {
		out = append(out, Source{Value: asText(f), File: f.Value})
	}
	return out
}

func definitions(t *schema.Template, key string) []Global {
	var out []Global
	for _, e := range t.Entries(key) {
		out = append(out, Global{Name: asText(e.Name), Value: asText(e.Value)})
	}
	return out
}

// LocalFiles returns the names of the files next to the TOML that the spec needs,
// in the order of their tags, each once.
func (s *Spec) LocalFiles() []Text {
	var out []Text
	seen := map[string]bool{}
	add := func(name string, pos Text) {
		if name != "" && !seen[name] {
			seen[name] = true
			out = append(out, Text{S: name, Pos: pos.Pos})
		}
	}
	for _, src := range append(s.NumberedSources(), s.Patches...) {
		add(src.File, src.Value)
	}
	add(s.Extra["fontconf"].S, s.Extra["fontconf"])
	return out
}
