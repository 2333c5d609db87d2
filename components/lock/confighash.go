package lock

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"specgraft/components"
	"specgraft/overlay"
)

// The configuration hash of a lock file's fingerprint is defined by the names,
// types and order of the fields in the data structures of the tool that
// introduced it, hashed as the Go module hashstructure (format 2) does. That
// makes those names part of the file format. They are written down here, as a
// tree of values beside the path that each has in TOML, so that the types of
// this package are free to change. Fields that only exist here are left out of
// the tree unless they are set, so they do not disturb the hash of a project
// that other tools understand.

// A hashNode is one value that goes into the configuration hash.
type hashNode struct {
	kind   hashKind
	text   string      // of a string; the type name of a struct
	flag   bool        // of a bool
	fields []hashField // of a struct, in declaration order; of a map, in any order
	items  []hashNode  // of a list
}

type hashKind uint8

const (
	hashString hashKind = iota
	hashBool
	hashList
	hashMap
	hashStruct
)

type hashField struct {
	name  string // field name as hashed, or map key
	toml  string // key in the configuration
	value hashNode
}

// configTree returns everything in the merged component that decides how it
// is rendered and built, apart from the files that overlays bring in.
func configTree(c *components.Component) hashNode {
	b := &c.Build
	build := structOf("ComponentBuildConfig",
		hashField{"With", "with", list(b.With)},
		hashField{"Without", "without", list(b.Without)},
		hashField{"Defines", "defines", textMap(b.Defines)},
		hashField{"Undefines", "undefines", list(b.Undefines)})
	if b.EmitUpstreamProvenance {
		build.add("EmitUpstreamProvenance", "emit-upstream-provenance", boolean(true))
	}
	build.add("Check", "check", structOf("CheckConfig", hashField{"Skip", "skip", boolean(b.Check.Skip)}))

	overlays := hashNode{kind: hashList}
	for i := range c.Overlays {
		overlays.items = append(overlays.items, overlayTree(&c.Overlays[i]))
	}
	sources := hashNode{kind: hashList}
	for i := range c.SourceFiles {
		sources.items = append(sources.items, sourceFileTree(&c.SourceFiles[i]))
	}
	packages := hashNode{kind: hashMap}
	for name := range c.Packages {
		// Nothing in the table counts, but that it is there does.
		packages.add(name, name, structOf("PackageConfig"))
	}
	spec := structOf("SpecSource",
		hashField{"SourceType", "type", text(c.Spec.Type)},
		hashField{"UpstreamDistro", "upstream-distro", structOf("DistroReference",
			hashField{"Name", "name", text(c.Spec.UpstreamDistro.Name)},
			hashField{"Version", "version", text(c.Spec.UpstreamDistro.Version)})},
		hashField{"UpstreamName", "upstream-name", text(c.Spec.UpstreamName)},
		hashField{"UpstreamCommit", "upstream-commit", text(c.Spec.UpstreamCommit)})
	if c.Spec.Source != "dist-git" {
		spec.addText("Source", "source", c.Spec.Source)
	}
	spec.addText("Template", "template", c.Spec.Template)

	config := structOf("ComponentConfig",
		hashField{"Spec", "spec", spec},
		hashField{"Release", "release", structOf("ReleaseConfig", hashField{"Calculation", "calculation", text(c.Release.Calculation)})},
		hashField{"Overlays", "overlays", overlays},
		hashField{"Build", "build", build},
		hashField{"Render", "render", structOf("ComponentRenderConfig", hashField{"SkipFileFilter", "skip-file-filter", boolean(c.Render.SkipFileFilter)})},
		hashField{"SourceFiles", "source-files", sources},
		hashField{"Packages", "packages", packages})
	own := structOf("OwnRelease")
	own.addText("Suffix", "suffix", c.Release.Suffix)
	own.addText("SuffixUntil", "suffix-until", c.Release.SuffixUntil)
	if c.Release.ChangelogEntry {
		own.add("ChangelogEntry", "changelog-entry", boolean(true))
	}
	if len(own.fields) > 0 {
		config.add("Own", "specgraft", structOf("Own", hashField{"Release", "release", own}))
	}
	if c.Spec.Type == "template" && c.Template != nil {
		if tree := c.Template.Tree(); tree != nil {
			config.add("Template", "template", valueTree(tree))
		}
	}
	return config
}

// valueTree is the tree of a table that only exists here and has no names
// beyond those in TOML.
func valueTree(v any) hashNode {
	switch v := v.(type) {
	case map[string]any:
		n := hashNode{kind: hashMap}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			n.add(name, name, valueTree(v[name]))
		}
		return n
	case []any:
		n := hashNode{kind: hashList}
		for _, el := range v {
			n.items = append(n.items, valueTree(el))
		}
		return n
	case bool:
		return boolean(v)
	}
	return text(fmt.Sprint(v))
}

func overlayTree(op *overlay.Op) hashNode {
	n := structOf("ComponentOverlay",
		hashField{"Type", "type", text(string(op.Type))},
		hashField{"Filename", "file", text(op.File)})
	n.addText("Archive", "archive", op.Archive)
	n.add("SectionName", "section", text(op.Section))
	n.add("PackageName", "package", text(op.Package))
	n.add("Tag", "tag", text(op.Tag))
	n.add("Value", "value", text(op.Value))
	n.add("Regex", "regex", text(op.Regex))
	n.add("Replacement", "replacement", text(op.Replacement))
	n.add("Lines", "lines", list(op.Lines))
	// From here on extensions. The number of places that is expected changes
	// nothing in the result, and is left out; so are defaults spelled out.
	if op.Branch != "all" {
		n.addText("Branch", "branch", op.Branch)
	}
	if op.ReplacementGroups {
		n.add("ReplacementGroups", "replacement-groups", boolean(true))
	}
	if op.Multiline {
		n.add("Multiline", "multiline", boolean(true))
	}
	if op.Mode != "0644" {
		n.addText("Mode", "mode", op.Mode)
	}
	return n
}

func sourceFileTree(f *components.SourceFile) hashNode {
	n := structOf("SourceFileReference",
		hashField{"Filename", "filename", text(f.Filename)},
		hashField{"Hash", "hash", text(f.Hash)},
		hashField{"HashType", "hash-type", text(f.HashType)})
	if o := &f.Origin; o.Script != "" || len(o.MockPackages) > 0 || len(o.Inputs) > 0 {
		origin := structOf("Origin")
		origin.addText("Script", "script", o.Script)
		if len(o.MockPackages) > 0 {
			origin.add("MockPackages", "mock-packages", list(o.MockPackages))
		}
		if len(o.Inputs) > 0 {
			origin.add("Inputs", "inputs", list(o.Inputs))
		}
		n.add("Origin", "origin", origin)
	}
	n.add("ReplaceUpstream", "replace-upstream", boolean(f.ReplaceUpstream))
	return n
}

func text(s string) hashNode  { return hashNode{kind: hashString, text: s} }
func boolean(b bool) hashNode { return hashNode{kind: hashBool, flag: b} }

func list(items []string) hashNode {
	n := hashNode{kind: hashList}
	for _, s := range items {
		n.items = append(n.items, text(s))
	}
	return n
}

func textMap(m map[string]string) hashNode {
	n := hashNode{kind: hashMap}
	for k, v := range m {
		n.add(k, k, text(v))
	}
	return n
}

func structOf(typeName string, fields ...hashField) hashNode {
	return hashNode{kind: hashStruct, text: typeName, fields: fields}
}

func (n *hashNode) add(name, toml string, value hashNode) {
	n.fields = append(n.fields, hashField{name, toml, value})
}

// addText adds a string field unless it is empty.
func (n *hashNode) addText(name, toml, s string) {
	if s != "" {
		n.add(name, toml, text(s))
	}
}

// hash returns the hash of a node: FNV-1 (64 bit) of a string's bytes or a bool's
// byte; a list folds its items into 0 from the left; maps and structs combine
// their pairs by exclusive or, so that order plays no part, a struct starting
// from the hash of its type name and mixing after every field.
func (n hashNode) hash() uint64 {
	switch n.kind {
	case hashString:
		return fnvString(n.text)
	case hashBool:
		if n.flag {
			return fnvBytes([]byte{1})
		}
		return fnvBytes([]byte{0})
	case hashList:
		h := uint64(0)
		for _, item := range n.items {
			h = fnvPair(h, item.hash())
		}
		return h
	case hashMap:
		h := uint64(0)
		for _, f := range n.fields {
			h ^= fnvPair(fnvString(f.name), f.value.hash())
		}
		return fnvWord(h)
	}
	h := fnvString(n.text)
	for _, f := range n.fields {
		h = fnvWord(h ^ fnvPair(fnvString(f.name), f.value.hash()))
	}
	return h
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func fnvString(s string) uint64 {
	h := uint64(fnvOffset)
	for i := range len(s) {
		h = h*fnvPrime ^ uint64(s[i])
	}
	return h
}

func fnvBytes(b []byte) uint64 {
	h := uint64(fnvOffset)
	for _, c := range b {
		h = h*fnvPrime ^ uint64(c)
	}
	return h
}

func fnvWord(a uint64) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], a)
	return fnvBytes(b[:])
}

func fnvPair(a, b uint64) uint64 {
	var buf [16]byte
	binary.LittleEndian.PutUint64(buf[:8], a)
	binary.LittleEndian.PutUint64(buf[8:], b)
	return fnvBytes(buf[:])
}
