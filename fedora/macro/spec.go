package macro

import (
	"go/token"
	"strings"

	"specgraft/overlay/diag"
)

// A Spec is what a spec file builds, as far as it can be known.
type Spec struct {
	Name, Epoch, Version, Release Value

	Packages []Package // the main package first, then the sub-packages in the order of the spec
	Sources  []Source  // in the order of the spec, with rpm's numbering
	Patches  []Source
	Bconds   []Bcond
	Macros   []Definition // every %define, %global and %undefine that was evaluated
	Sections []Section    // the parts that hold scripts, once per package
	Branches []Branch     // the conditions of the spec and what became of their text, in order

	Unknown  []Unknown // what could not be known
	Open     []Unknown // places in a preamble whose unknown text may add tags, sources or packages
	Problems diag.List // errors are what rpm would reject the spec for
	Stopped  bool      // the evaluation was told to stop: the rest is worth nothing

	// Expanded is the text after macro expansion, as rpmspec -P prints it. It
	// is there only when Config.Lines is set.
	Expanded Value

	// After has what each text of Config.After expands to.
	After []Value

	reads readsOf // see SameFor
}

// Rejected returns the first reason for which rpm would not accept the spec,
// or nil.
func (s *Spec) Rejected() *diag.Diagnostic {
	for i := range s.Problems {
		if s.Problems[i].Severity == diag.Error {
			return &s.Problems[i]
		}
	}
	return nil
}

// A Package is the main package or a sub-package.
type Package struct {
	Name  Value
	Pos   token.Position // of its %package line, of the Name tag for the main package
	Maybe bool           // stands under a condition that is unknown
	Tags  []Tag          // in the order of the spec

	raw       string // the name with unknown marks
	cond      string // unknown mark of the condition, when Maybe
	described bool   // has a %description
}

// A Tag is one preamble line.
type Tag struct {
	Name  string // in rpm's spelling, "BuildRequires"
	Arg   string // what stands in parentheses behind the name: "post", a language
	Value Value
	Pos   token.Position
	Maybe bool // stands under a condition that is unknown

	raw  string // the value with unknown marks
	cond string // unknown mark of the condition, when Maybe
}

// A Source is one Source or Patch.
type Source struct {
	Number int
	Value  Value  // the whole entry, such as a URL
	Name   string // the file name, empty when it is not known
	Pos    token.Position
	Maybe  bool // stands under a condition that is unknown

	raw  string // the value as the line has it, with unknown marks
	cond string // unknown mark of the condition, when Maybe
}

// HeaderName returns the file name as the header of a source package has it: with
// the macros that were defined at the line of the entry, those that were not left
// as they are written.
func (s *Source) HeaderName() string {
	text := plain(s.raw)
	return text[strings.LastIndexByte(text, '/')+1:]
}

// A Bcond is a build conditional that the spec declares.
type Bcond struct {
	Name    string
	Default Value // "1" or "0": what the spec says
	Value   Value // "1" or "0": what it is in this evaluation
	Pos     token.Position
}

// A Definition is one definition of a macro in the spec.
type Definition struct {
	Name   string
	Opts   string // between the parentheses, when Param
	Body   Value
	Param  bool // takes arguments
	Global bool
	Undef  bool // %undefine
	Pos    token.Position
	Maybe  bool
}

// A Section is a part of the spec that is not a preamble: %prep, %build, a
// scriptlet, %files, %changelog.
type Section struct {
	Name    string // without the percent sign
	Package Value  // full name of the package it belongs to
	Args    string // the rest of the header line
	Text    Value  // expanded
	Pos     token.Position
	Maybe   bool
}
