package components

import (
	"go/token"
	"path"
	"strings"
)

// packageFieldKeys are the template fields of the main package and of
// sub-packages alike.
var packageFieldKeys = []Key{
	{Name: "summary", Type: String, Ext: true, Help: "Summary, one line without a full stop."},
	{Name: "description", Type: String, Ext: true, Help: "Description; paragraphs are wrapped."},
	{Name: "arch", Type: String, Ext: true, Help: "noarch, or an architecture to build for."},
	{Name: "requires", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Requires, may hold macros."},
	{Name: "recommends", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Recommends, may hold macros."},
	{Name: "suggests", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Suggests, may hold macros."},
	{Name: "supplements", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Supplements, may hold macros."},
	{Name: "provides", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Provides, may hold macros."},
	{Name: "conflicts", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Conflicts, may hold macros."},
	{Name: "obsoletes", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Obsoletes, may hold macros."},
	{Name: "tags", Type: Map, Ext: true, What: "tag", Elem: &Key{Type: String, Macros: true}, Help: "Further tags such as Requires(post), may hold macros."},
	{Name: "files", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Lines of %files, may hold macros."},
	{Name: "licenses", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String}, Help: "Licence files of the source, for %license."},
	{Name: "docs", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String}, Help: "Documents of the source, for %doc."},
	{Name: "config-files", Type: List, Merge: MergeAppend, Ext: true, Help: "Files carried next to the TOML file and installed as they are.", Elem: &Key{Type: Table, Ext: true, Keys: []Key{
		{Name: "source", Type: String, Required: true, Format: fileNameFormat, Ext: true, Help: "File next to the TOML file."},
		{Name: "path", Type: String, Required: true, Ext: true, Macros: true, Help: "Where it is installed; absolute, may hold macros such as %{_sysconfdir}."},
		{Name: "mode", Type: String, Ext: true, Default: "0644", Help: "Octal mode."},
		{Name: "owner", Type: String, Ext: true, Default: "root", Help: "Owning user."},
		{Name: "group", Type: String, Ext: true, Default: "root", Help: "Owning group."},
		{Name: "kind", Type: String, Ext: true, Default: "noreplace", Help: "How rpm treats local changes.", Enum: []Choice{
			{Value: "noreplace", Help: "%config(noreplace): a changed file stays."},
			{Value: "config", Help: "%config: a changed file is saved and replaced."},
			{Value: "file", Help: "An ordinary file."}}},
	}}},
	{Name: "units", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String}, Help: "systemd units next to the TOML file; their scriptlets are written."},
	{Name: "sysusers", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String}, Help: "sysusers.d declarations next to the TOML file."},
	{Name: "tmpfiles", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String}, Help: "tmpfiles.d declarations next to the TOML file."},
}

// templateKey is the [components.NAME.template] table. Text is data unless its
// key says that it may hold macros.
var templateKey = Key{Name: "template", Type: Table, Ext: true, Help: `What the spec is written from when spec.type is "template".`,
	Keys: append([]Key{
		{Name: "name", Type: String, Ext: true, Help: "Name of the package; the component's when absent."},
		{Name: "version", Type: String, Ext: true, Help: "Version."},
		{Name: "epoch", Type: Int, Ext: true, Help: "Epoch."},
		{Name: "release", Type: String, Ext: true, Help: "Release number without dist tag; %autorelease when absent."},
		{Name: "license", Type: String, Ext: true, Help: "Licence as an SPDX expression."},
		{Name: "url", Type: String, Ext: true, Help: "Home page."},
		{Name: "exclusive-arch", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String}, Help: "Architectures it can be built for."},
		{Name: "sources", Type: List, Merge: MergeAppend, Ext: true, Help: "Sources in order.", Elem: &Key{Type: Table, Ext: true, Keys: []Key{
			{Name: "url", Type: String, Ext: true, Macros: true, Help: "Address of a remote source, may hold macros."},
			{Name: "file", Type: String, Format: fileNameFormat, Ext: true, Help: "A file next to the TOML file."},
			{Name: "hash", Type: String, Ext: true, Help: "Checksum of a remote source, in hexadecimal digits."},
			{Name: "hash-type", Type: String, Ext: true, Help: "Kind of checksum.", Enum: []Choice{{Value: "SHA256"}, {Value: "SHA512"}}},
		}, Rules: []Rule{
			{Key: "file", Forbid: []string{"url", "hash", "hash-type"}},
			{Key: "file", Not: true, Need: []string{"url"}},
			{Key: "hash", Need: []string{"hash-type"}},
		}}},
		{Name: "patches", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Format: fileNameFormat}, Help: "Patches next to the TOML file, in order."},
		{Name: "build-requires", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "BuildRequires, may hold macros; the template adds those of its build system."},
		{Name: "build-options", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Options of the configuration step, may hold macros."},
		{Name: "bconds", Type: Map, Ext: true, What: "build condition", Elem: &Key{Type: Bool, Merge: MergePresent}, Help: "Build conditions with their default; a condition called tests guards %check."},
		{Name: "globals", Type: Map, Ext: true, What: "macro", Elem: &Key{Type: String, Macros: true}, Help: "Macro definitions at the top of the spec, may hold macros."},
		{Name: "presets", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String}, Help: "systemd preset files next to the TOML file."},
		{Name: "os-release", Type: Map, Ext: true, What: "variable", Elem: &Key{Type: String}, Help: "Variables of the os-release file."},
		{Name: "prep", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Further lines of %prep, may hold macros."},
		{Name: "build", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Further lines of %build, may hold macros."},
		{Name: "install", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Further lines of %install, may hold macros."},
		{Name: "check", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "Further lines of %check, may hold macros."},
		{Name: "changelog", Type: List, Merge: MergeAppend, Ext: true, Help: "Hand-written changelog; without one it is made from history when release is absent, too.", Elem: &Key{Type: Table, Ext: true, Keys: []Key{
			{Name: "date", Type: String, Required: true, Ext: true, Help: "Day as YYYY-MM-DD."},
			{Name: "author", Type: String, Required: true, Ext: true, Help: "Name and mail address."},
			{Name: "version", Type: String, Ext: true, Help: "Version and release, as 1.0-1."},
			{Name: "changes", Type: List, Required: true, Ext: true, Elem: &Key{Type: String}, Help: "What changed."},
		}}},
		{Name: "packages", Type: Map, Ext: true, What: "sub-package", Elem: &Key{Type: Table, Ext: true, Help: "A sub-package.", Keys: append([]Key{
			{Name: "full-name", Type: Bool, Ext: true, Default: "false", Help: "The key is the full name of the package, not a suffix."},
		}, packageFieldKeys...)}, Help: "Sub-packages by suffix, or by name with full-name."},
		{Name: "pypi-name", Type: String, Ext: true, Help: "python: name of the project, for the folder inside its archive."},
		{Name: "modules", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String}, Help: "python: importable modules that are installed."},
		{Name: "extras", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String}, Help: "python: extras whose requirements are build requirements, too."},
		{Name: "test-requires", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String, Macros: true}, Help: "python: BuildRequires of the tests, may hold macros."},
		{Name: "import-path", Type: String, Ext: true, Help: "go: import path of the module."},
		{Name: "commands", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String}, Help: "go: commands below cmd/ to build; the module itself when absent."},
		{Name: "crate", Type: String, Ext: true, Help: "rust: name of the crate; the package's when absent."},
		{Name: "features", Type: List, Merge: MergeAppend, Ext: true, Elem: &Key{Type: String}, Help: "rust: cargo features to build with."},
		{Name: "family", Type: String, Ext: true, Help: "font: name of the family."},
		{Name: "foundry", Type: String, Ext: true, Help: "font: name of the foundry."},
		{Name: "fonts", Type: String, Ext: true, Macros: true, Default: "*.ttf", Help: "font: pattern of the font files, may hold macros."},
		{Name: "fontconf", Type: String, Format: fileNameFormat, Ext: true, Help: "font: fontconfig file next to the TOML file."},
		{Name: "kernel-version", Type: String, Ext: true, Help: "kmod: version and release of the kernel it is built for."},
	}, packageFieldKeys...)}

// A Template is the [components.NAME.template] table, or a table inside it,
// merged from all layers. A nil Template reads as empty.
type Template struct {
	tab *value
	key *Key
}

// A Field is one text of a template table with the place it was written.
type Field struct {
	Value  string
	Pos    token.Position
	Macros bool // the key is declared to hold macros
}

// Pos returns where the table begins.
func (t *Template) Pos() token.Position {
	if t == nil || t.tab == nil {
		return noPos
	}
	return t.tab.pos()
}

func (t *Template) value(key string) (*value, *Key) {
	if t == nil || t.tab == nil {
		return nil, nil
	}
	k := t.key.find(key)
	v := t.tab.get(key)
	if k == nil || v == nil || !k.accepts(v) {
		return nil, nil
	}
	return v, k
}

// Text returns the string or number under key, the empty Field when it is not
// given.
func (t *Template) Text(key string) Field {
	v, k := t.value(key)
	if v == nil || v.kind != kindString && v.kind != kindInt {
		return Field{}
	}
	return Field{v.str, v.pos(), k.Macros}
}

// Flag returns the boolean under key.
func (t *Template) Flag(key string) bool {
	v, _ := t.value(key)
	return v != nil && v.kind == kindBool && v.str == "true"
}

// Texts returns the list of strings under key.
func (t *Template) Texts(key string) []Field {
	v, k := t.value(key)
	if v == nil || v.kind != kindList {
		return nil
	}
	var out []Field
	for _, el := range v.list {
		if el.kind == kindString {
			out = append(out, Field{el.str, el.pos(), k.Elem.Macros})
		}
	}
	return out
}

// Tables returns the list of tables under key.
func (t *Template) Tables(key string) []*Template {
	v, k := t.value(key)
	if v == nil || v.kind != kindList {
		return nil
	}
	var out []*Template
	for _, el := range v.list {
		if el.kind == kindTable {
			out = append(out, &Template{el, k.Elem})
		}
	}
	return out
}

// An Entry is one entry of a table with free key names.
type Entry struct {
	Name  Field     // the key
	Value Field     // a string, or a boolean as "true" and "false"
	Table *Template // set for a table
}

// Entries returns the entries of the map under key in the order in which they
// were first written.
func (t *Template) Entries(key string) []Entry {
	v, k := t.value(key)
	if v == nil || v.kind != kindTable {
		return nil
	}
	var out []Entry
	for i := range v.keys {
		e := &v.keys[i]
		if !k.Elem.accepts(e.val) {
			continue
		}
		n := Entry{Name: Field{Value: e.name, Pos: e.pos()}}
		if e.val.kind == kindTable {
			n.Table = &Template{e.val, k.Elem}
		} else {
			n.Value = Field{e.val.str, e.val.pos(), k.Elem.Macros}
		}
		out = append(out, n)
	}
	return out
}

// sourceFiles returns the remote sources of a templated component that have a
// checksum, as entries of source-files: they are what goes into its sources
// file and what preparing it downloads.
func (t *Template) sourceFiles(c *Component) []SourceFile {
	values := map[string]string{"name": t.Text("name").Value, "version": t.Text("version").Value, "url": t.Text("url").Value}
	if values["name"] == "" {
		values["name"] = c.Name
	}
	var out []SourceFile
	for _, s := range t.Tables("sources") {
		uri := s.Text("url").Value
		for name, v := range values {
			uri = strings.ReplaceAll(uri, "%{"+name+"}", v)
		}
		hash := s.Text("hash")
		if uri == "" || strings.Contains(uri, "%{") || hash.Value == "" {
			continue
		}
		name := path.Base(uri)
		if before, frag, ok := strings.Cut(uri, "#/"); ok {
			name, uri = frag, before
		}
		if plainFileName(name) {
			out = append(out, SourceFile{Pos: hash.Pos, Filename: name, Hash: hash.Value, HashType: s.Text("hash-type").Value,
				Origin: SourceOrigin{Type: "download", URI: uri}})
		}
	}
	return out
}

// Tree returns the table as plain data: map[string]any, []any, bool, and string
// for everything else, numbers as they were written. It is nil for an empty
// Template.
func (t *Template) Tree() any {
	if t == nil || t.tab == nil {
		return nil
	}
	return plain(t.tab)
}

func plain(v *value) any {
	switch v.kind {
	case kindTable:
		m := make(map[string]any, len(v.keys))
		for i := range v.keys {
			m[v.keys[i].name] = plain(v.keys[i].val)
		}
		return m
	case kindList:
		list := make([]any, len(v.list))
		for i, el := range v.list {
			list[i] = plain(el)
		}
		return list
	case kindBool:
		return v.str == "true"
	}
	return v.str
}
