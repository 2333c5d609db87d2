package template

import (
	"fmt"
	"go/token"
)

// Kind says what a value may contain.
type Kind uint8

const (
	// Data is plain text on one line: every percent sign is doubled, so that
	// it can open neither a macro nor a section.
	Data Kind = iota
	// Block is plain text of several lines, escaped like Data.
	Block
	// Macros is one line in which macros are wanted. It still cannot open a
	// section, a conditional or a definition, nor leave a brace open.
	Macros
)

// Text is a leaf of the description with the place it was written.
type Text struct {
	S    string
	Pos  token.Position
	Kind Kind
}

// String returns the text as it stands in TOML, unescaped.
func (t Text) String() string { return t.S }

// A Source is one file that goes into the build: local ones stand next to the
// TOML file, remote ones are downloaded when sources are prepared.
type Source struct {
	Value Text // as written into the Source tag
	File  string
}

// A Bcond is a build conditional with its default.
type Bcond struct {
	Name Text
	On   bool
}

// A Global is a macro definition of the spec.
type Global struct {
	Name  Text
	Value Text
}

// A ConfigFile is a file carried next to the TOML and installed as it is.
type ConfigFile struct {
	Source    Text // file name next to the TOML
	Path      Text // absolute path in the package, may hold macros
	Mode      Text // octal, "" for 0644
	Owner     Text // "" for root
	Group     Text
	NoReplace bool // %config(noreplace) instead of %config
	Config    bool // false: an ordinary file
}

// A Change is one entry of a hand-written changelog.
type Change struct {
	Date    Text // YYYY-MM-DD
	Author  Text // Name <mail>
	Version Text // VERSION-RELEASE, may be empty
	Items   []Text
}

// A Package is the main package or a sub-package.
type Package struct {
	Name        Text // suffix; the full name when FullName
	FullName    bool
	Summary     Text
	Description Text
	Arch        Text // BuildArch, "" for the main package's
	Requires    []Text
	Recommends  []Text
	Suggests    []Text
	Supplements []Text
	Provides    []Text
	Conflicts   []Text
	Obsoletes   []Text
	Tags        []Global // further tags, such as Requires(meta)
	Files       []Text
	Licenses    []Text
	Docs        []Text
	Configs     []ConfigFile
	Units       []Source
	Sysusers    []Source
	Tmpfiles    []Source
}

// Header returns how sections of the package are addressed: nothing for the
// main package, "devel", or "-n libx".
func (p *Package) Header() Text {
	t := p.Name
	if p.FullName {
		t.S = "-n " + t.S
	}
	return t
}

// A Spec is what a template is given: the [components.NAME.template] table
// with its defaults filled in.
type Spec struct {
	Package // the main package

	Pos           token.Position // of the template table
	Version       Text
	Epoch         Text
	Release       Text // static release number, "" for %autorelease
	License       Text
	URL           Text
	Arches        []Text // ExclusiveArch
	Sources       []Source
	Patches       []Source
	BuildRequires []Text
	Bconds        []Bcond
	Globals       []Global
	Packages      []Package
	Options       []Text // for the build system's configuration step
	Prep          []Text // lines of shell at the end of that section
	Build         []Text
	Install       []Text
	Check         []Text
	Changelog     []Change
	OSRelease     []Global
	Presets       []Source // systemd preset files
	Extra         map[string]Text
	ExtraLists    map[string][]Text
}

// Option returns the value of a key that only some templates use, such as
// "import-path"; the empty text when it is not set.
func (s *Spec) Option(key string) Text { return s.Extra[key] }

// Needed is Option for a key without which the template makes no spec. The error
// ends the template, and is about the component's table.
func (s *Spec) Needed(key string) (Text, error) {
	if s.Extra[key].S == "" {
		return Text{}, &neededError{key}
	}
	return s.Extra[key], nil
}

// A neededError is a key that a template cannot do without.
type neededError struct{ key string }

func (e *neededError) Error() string { return fmt.Sprintf("the key %q is needed", e.key) }

// List returns the list under a key that only some templates use.
func (s *Spec) List(key string) []Text { return s.ExtraLists[key] }

// All returns the main package and the sub-packages, in this order.
func (s *Spec) All() []*Package {
	out := []*Package{&s.Package}
	for i := range s.Packages {
		out = append(out, &s.Packages[i])
	}
	return out
}

// Remote reports whether there is an archive to unpack: a source that is not
// carried next to the TOML.
func (s *Spec) Remote() bool {
	for _, src := range s.Sources {
		if src.File == "" {
			return true
		}
	}
	return false
}

// hasSystemdFiles reports whether any package carries units, sysusers or
// tmpfiles declarations, whose macros come with systemd-rpm-macros.
func (s *Spec) hasSystemdFiles() bool {
	for _, p := range s.All() {
		if len(p.Units)+len(p.Sysusers)+len(p.Tmpfiles) > 0 {
			return true
		}
	}
	return len(s.Presets) > 0
}

// NumberedSources returns every source in the order of its number.
func (s *Spec) NumberedSources() []Source {
	out := append([]Source(nil), s.Sources...)
	for _, p := range s.All() {
		for _, c := range p.Configs {
			out = append(out, Source{Value: c.Source, File: c.Source.S})
		}
		out = append(out, p.Units...)
		out = append(out, p.Sysusers...)
		out = append(out, p.Tmpfiles...)
	}
	return append(out, s.Presets...)
}

// number finds the Source number of a local file.
func (s *Spec) number(file string) int {
	for i, src := range s.NumberedSources() {
		if src.File == file {
			return i
		}
	}
	return -1
}
