package overlay

import (
	"slices"

	"specgraft/overlay/diag"
)

// An OpInfo describes one operation. Validation, the schema, help pages and
// completion are made from the table Ops.
type OpInfo struct {
	Type    Type
	Help    string // one line: the effect
	Counts  string // what one place is that `expect` counts
	Keys    []Key  // beyond those of CommonKeys
	Archive bool   // may work inside an archive

	apply func(*run) *diag.Diagnostic
}

// A Key is a key of an overlay table.
type Key struct {
	Name      string
	Kind      KeyKind
	Help      string // one line
	Required  bool
	Extension bool // not known to the reference tool
}

// A KeyKind is the type of a key's value.
type KeyKind string

// The kinds of values: string, list of strings, integer, boolean, path of a
// file relative to the TOML file, table, and "first"|"all"|integer.
const (
	KeyString  KeyKind = "string"
	KeyStrings KeyKind = "strings"
	KeyInteger KeyKind = "integer"
	KeyBoolean KeyKind = "boolean"
	KeyPath    KeyKind = "path"
	KeyTable   KeyKind = "table"
	KeyBranch  KeyKind = "branch"
)

// CommonKeys are the keys that every overlay takes.
var CommonKeys = []Key{
	{Name: "type", Kind: KeyString, Required: true, Help: "the operation"},
	{Name: "description", Kind: KeyString, Help: "why the overlay exists, for reviewers and messages"},
	{Name: "metadata", Kind: KeyTable, Help: "category, upstream status, commits and bugs; never affects rendering"},
	{Name: "expect", Kind: KeyInteger, Extension: true, Help: "exact number of places the overlay must change"},
}

// PreambleSection is the section name that stands for the preamble, where
// an operation allows it.
const PreambleSection = "%preamble"

var (
	keyTag       = Key{Name: "tag", Kind: KeyString, Required: true, Help: "tag name without the colon, in any case"}
	keyValue     = Key{Name: "value", Kind: KeyString, Required: true, Help: "tag value"}
	keyTagPkg    = Key{Name: "package", Kind: KeyString, Help: "package as its %package header names it; absent means the preamble"}
	keySection   = Key{Name: "section", Kind: KeyString, Help: "section header as written, such as \"%install\"; absent means the whole file; \"%preamble\" means the preamble"}
	keySecPkg    = Key{Name: "package", Kind: KeyString, Help: "package as the section header names it; absent means the main package"}
	keyLines     = Key{Name: "lines", Kind: KeyStrings, Required: true, Help: "lines to put there"}
	keyRegex     = Key{Name: "regex", Kind: KeyString, Required: true, Help: "RE2 expression"}
	keyReplace   = Key{Name: "replacement", Kind: KeyString, Help: "literal text for each match; absent removes the match"}
	keyGroups    = Key{Name: "replacement-groups", Kind: KeyBoolean, Extension: true, Help: "the replacement refers to groups of the expression as $1 or ${name}"}
	keyMultiline = Key{Name: "multiline", Kind: KeyBoolean, Extension: true, Help: "the expression sees the whole body of a section instead of one line; expect then counts matches"}
	keyBranch    = Key{Name: "branch", Kind: KeyBranch, Extension: true, Help: "which conditional branch to change where several match: \"first\", \"all\" or a number from 1"}
	keyFile      = Key{Name: "file", Kind: KeyString, Required: true, Help: "path or doublestar glob below the component's directory"}
	keyArchive   = Key{Name: "archive", Kind: KeyString, Help: "source archive in which to work instead of the component's directory"}
	keySource    = Key{Name: "source", Kind: KeyPath, Required: true, Help: "file to copy, relative to the TOML file"}
	keyMode      = Key{Name: "mode", Kind: KeyString, Extension: true, Help: "mode of the new file, \"0644\" (the default) or \"0755\""}
)

func need(k Key) Key { k.Required = true; return k }

func helped(k Key, help string) Key { k.Help = help; return k }

// Ops is the table of operations.
var Ops = []OpInfo{
	{
		Type: AddTag, Counts: "section", apply: (*run).addTag,
		Help: "add a tag as the last line of the preamble or of a sub-package, whether or not one exists",
		Keys: []Key{keyTag, keyValue, keyTagPkg},
	},
	{
		Type: InsertTag, Counts: "tag", apply: (*run).insertTag,
		Help: "insert a tag after the last one of its family (Source, Patch, Requires, ...), outside conditionals where possible",
		Keys: []Key{keyTag, keyValue, keyTagPkg},
	},
	{
		Type: SetTag, Counts: "tag", apply: (*run).setTag,
		Help: "replace every tag of that name, or add it when there is none",
		Keys: []Key{keyTag, keyValue, keyTagPkg, keyBranch},
	},
	{
		Type: UpdateTag, Counts: "tag", apply: (*run).updateTag,
		Help: "replace every tag of that name; an error when there is none",
		Keys: []Key{keyTag, keyValue, keyTagPkg, keyBranch},
	},
	{
		Type: RemoveTag, Counts: "tag", apply: (*run).removeTag,
		Help: "remove every tag of that name, or those with the given value",
		Keys: []Key{keyTag, {Name: "value", Kind: KeyString, Help: "remove only tags with this value, in any case"}, keyTagPkg, keyBranch},
	},
	{
		Type: PrependLines, Counts: "section", apply: (*run).prependLines,
		Help: "put lines below the header of every matching section, or at the top of the file",
		Keys: []Key{keySection, keySecPkg, keyLines, keyBranch},
	},
	{
		Type: AppendLines, Counts: "section", apply: (*run).appendLines,
		Help: "put lines behind the last line of every matching section, or at the end of the file",
		Keys: []Key{keySection, keySecPkg, keyLines, keyBranch},
	},
	{
		Type: SearchReplace, Counts: "line", apply: (*run).searchReplace,
		Help: "replace what matches an expression in every line that is no section header",
		Keys: []Key{
			keyRegex, keyReplace, keySection,
			helped(keySecPkg, "package as the section header names it; absent means any package"),
			keyGroups, keyMultiline, keyBranch,
		},
	},
	{
		Type: RemoveSection, Counts: "section", apply: (*run).removeSection,
		Help: "remove every matching section with its header, keeping conditionals balanced",
		Keys: []Key{helped(need(keySection), "section header as written, such as \"%check\""), keySecPkg},
	},
	{
		Type: RemoveSubpackage, Counts: "section", apply: (*run).removeSubpackage,
		Help: "remove every section of a sub-package, keeping conditionals balanced",
		Keys: []Key{need(helped(keySecPkg, "package as its section headers name it"))},
	},
	{
		Type: PatchAdd, Counts: "place", apply: (*run).patchAdd,
		Help: "copy a patch into the component and list it under the next free number or in %patchlist",
		Keys: []Key{
			keySource,
			{Name: "file", Kind: KeyString, Help: "path of the patch in the component; absent means the name of the source"},
			helped(keyTagPkg, "package whose tags get the new one; absent means the preamble"), keyMode,
		},
	},
	{
		Type: PatchRemove, Counts: "patch", apply: (*run).patchRemove,
		Help: "remove numbered patch tags, %patchlist lines and patch files that match a glob",
		Keys: []Key{helped(keyFile, "doublestar glob for the value in the spec and for the file, such as \"**/fix.patch\"")},
	},
	{
		Type: FilePrependLines, Counts: "file", apply: (*run).filePrependLines,
		Help: "put lines at the top of every matching file",
		Keys: []Key{keyFile, keyLines},
	},
	{
		Type: FileSearchReplace, Counts: "match", Archive: true, apply: (*run).fileSearchReplace,
		Help: "replace what matches an expression in every matching file, which it sees as a whole",
		Keys: []Key{keyFile, keyRegex, keyReplace, keyGroups, keyArchive},
	},
	{
		Type: FileAdd, Counts: "file", apply: (*run).fileAdd,
		Help: "copy a file into the component, where it must not exist yet",
		Keys: []Key{helped(keyFile, "path of the new file below the component's directory"), keySource, keyMode},
	},
	{
		Type: FileRemove, Counts: "file", Archive: true, apply: (*run).fileRemove,
		Help: "remove every matching file",
		Keys: []Key{keyFile, keyArchive},
	},
	{
		Type: FileRename, Counts: "file", apply: (*run).fileRename,
		Help: "give the one matching file a new name in its directory",
		Keys: []Key{keyFile, {Name: "replacement", Kind: KeyString, Required: true, Help: "new name, without directories"}},
	},
}

// Key returns the key of that name, common keys included, or nil.
func (o *OpInfo) Key(name string) *Key {
	for _, keys := range [][]Key{o.Keys, CommonKeys} {
		if i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == name }); i >= 0 {
			return &keys[i]
		}
	}
	return nil
}

// Types returns the names of all types in the order of the table.
func Types() []string {
	names := make([]string, len(Ops))
	for i := range Ops {
		names[i] = string(Ops[i].Type)
	}
	return names
}

// Keys returns the keys of all types, each name once: common keys first, then
// in the order of the table.
func Keys() []Key {
	keys := slices.Clone(CommonKeys)
	for i := range Ops {
		for _, k := range Ops[i].Keys {
			if !slices.ContainsFunc(keys, func(x Key) bool { return x.Name == k.Name }) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}
