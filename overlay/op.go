// Package overlay applies overlays, the edits that a distribution makes to
// upstream packaging, to one component's spec and sidecar files in memory.
//
// Ops is the one table of operations: names, keys, help and the function that
// does the work. Validation, schema, documentation and completion are made
// from it. Every operation has exactly the effect of the reference tool of the
// project format; what the extension keys add is marked as such in the table.
//
//	tree := &overlay.Tree{Name: "bash", Spec: spec.Parse("bash.spec", data)}
//	report, problems := overlay.Apply(tree, ops, overlay.Options{Source: open})
//
// The package knows neither TOML nor git, reads no file by itself and never
// executes anything.
package overlay

import (
	"go/token"
	"slices"

	"specgraft/overlay/spec"
)

// A Type is the name of an operation as written in `type`.
type Type string

// The operations.
const (
	AddTag            Type = "spec-add-tag"
	InsertTag         Type = "spec-insert-tag"
	SetTag            Type = "spec-set-tag"
	UpdateTag         Type = "spec-update-tag"
	RemoveTag         Type = "spec-remove-tag"
	PrependLines      Type = "spec-prepend-lines"
	AppendLines       Type = "spec-append-lines"
	SearchReplace     Type = "spec-search-replace"
	RemoveSection     Type = "spec-remove-section"
	RemoveSubpackage  Type = "spec-remove-subpackage"
	PatchAdd          Type = "patch-add"
	PatchRemove       Type = "patch-remove"
	FilePrependLines  Type = "file-prepend-lines"
	FileSearchReplace Type = "file-search-replace"
	FileAdd           Type = "file-add"
	FileRemove        Type = "file-remove"
	FileRename        Type = "file-rename"
)

// An Op is one overlay: the keys of its TOML table, and where they stand.
type Op struct {
	Type        Type
	Description string
	File        string   // path or glob below the component's directory
	Archive     string   // name of a source archive to work in
	Section     string   // section header as written, with %
	Package     string   // package as named in section headers
	Tag         string   // tag name without the colon
	Value       string   // tag value
	Regex       string   // RE2 expression
	Replacement string   // literal text, or the new name of a file
	Lines       []string // lines without line endings; embedded ones are kept
	Source      string   // absolute path of the file to copy, empty for none
	Metadata    *Metadata

	// Extensions.
	Expect            *int   // exact number of places, nil for any
	Branch            string // "first", "all", or a number from "1": which conditional branch; empty is all
	ReplacementGroups bool   // Replacement refers to groups of Regex as $1, ${name}
	Multiline         bool   // Regex sees a whole section body
	Mode              string // mode of an added file, "0644" or "0755"; empty is 0644

	Pos    token.Position            // of the overlay's table
	KeyPos map[string]token.Position // of its keys' values, by key
	Layer  string                    // where in the configuration the overlay comes from, for explanations
	Data   []byte                    // content for Source; nil: ask Options.Source
	Step   string                    // the renderer's step when it is no overlay of the user's, else empty
}

// Metadata says why an overlay exists. It never affects rendering.
type Metadata struct {
	Category       string
	UpstreamStatus string
	Commits, Bugs  []Link
	Retire         *Retire // extension: when the overlay can go; nil when nothing is said
	Pos            token.Position
}

// Retire says when an overlay can go: when one of the things has come that are
// given. What is not given is empty.
type Retire struct {
	Commit  string // full or abbreviated: the component's commit has it in its history
	Version string // the component has reached it
	Date    string // a day as 2006-01-02: from then on
	// With is another component that has reached WithVersion.
	With, WithVersion string
	// Link is a report that is to be closed. It is recorded only: nothing asks
	// the network.
	Link string
	Pos  token.Position
}

// A Link is an address with its position.
type Link struct {
	URL string
	Pos token.Position
}

// At returns the position of a key's value, or that of the overlay.
func (op *Op) At(key string) token.Position {
	if p, ok := op.KeyPos[key]; ok && p.Line > 0 {
		return p
	}
	return op.Pos
}

// Has reports whether a key is set, as far as the fields can tell.
func (op *Op) Has(key string) bool {
	if _, ok := op.KeyPos[key]; ok {
		return true
	}
	if s := op.Field(key); s != nil {
		return *s != ""
	}
	switch key {
	case "lines":
		return len(op.Lines) > 0
	case "metadata":
		return op.Metadata != nil
	case "expect":
		return op.Expect != nil
	case "replacement-groups":
		return op.ReplacementGroups
	case "multiline":
		return op.Multiline
	}
	return false
}

// Field returns the field of a key that holds a string, or nil for any other
// key.
func (op *Op) Field(key string) *string {
	switch key {
	case "type":
		return (*string)(&op.Type)
	case "description":
		return &op.Description
	case "file":
		return &op.File
	case "archive":
		return &op.Archive
	case "section":
		return &op.Section
	case "package":
		return &op.Package
	case "tag":
		return &op.Tag
	case "value":
		return &op.Value
	case "regex":
		return &op.Regex
	case "replacement":
		return &op.Replacement
	case "source":
		return &op.Source
	case "branch":
		return &op.Branch
	case "mode":
		return &op.Mode
	}
	return nil
}

// ExpectPlaces notes for how many places the operation is, where it looks for
// something and found it.
func (op *Op) ExpectPlaces(places int) {
	switch op.Type {
	case AddTag, InsertTag, PatchAdd, FileAdd, FileRename:
		return
	case PrependLines, AppendLines:
		if op.Section == "" {
			return
		}
	}
	if places > 0 {
		op.Expect = &places
	}
}

// Origin returns the origin of what the operation writes as number index of
// its list.
func (op *Op) Origin(index int) *spec.Origin {
	o := &spec.Origin{Pos: op.Pos, Step: string(op.Type), Index: index, Description: op.Description}
	if op.Step != "" {
		o.Step, o.Index = op.Step, -1
	}
	return o
}

// Name returns what messages call the operation: its type, or the renderer's
// step.
func (op *Op) Name() string {
	if op.Step != "" {
		return op.Step
	}
	return string(op.Type)
}

// Lookup returns the table entry of a type, or nil.
func Lookup(t Type) *OpInfo {
	if i := slices.IndexFunc(Ops, func(o OpInfo) bool { return o.Type == t }); i >= 0 {
		return &Ops[i]
	}
	return nil
}
