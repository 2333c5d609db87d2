package components

import (
	"encoding/binary"
	"strconv"

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

// A node is one value that goes into the configuration hash.
type node struct {
	kind   nodeKind
	text   string  // of a string; the type name of a struct
	flag   bool    // of a bool
	fields []field // of a struct, in declaration order; of a map, in any order
	items  []node  // of a list
}

type nodeKind uint8

const (
	stringNode nodeKind = iota
	boolNode
	listNode
	mapNode
	structNode
)

type field struct {
	name  string // field name as hashed, or map key
	toml  string // key in the configuration
	value node
}

// configTree returns everything in the merged component that decides how it
// is rendered and built, apart from the files that overlays bring in.
func configTree(c *Component) node {
	b := &c.Build
	build := structOf("ComponentBuildConfig",
		field{"With", "with", list(b.With)},
		field{"Without", "without", list(b.Without)},
		field{"Defines", "defines", textMap(b.Defines)},
		field{"Undefines", "undefines", list(b.Undefines)})
	if b.EmitUpstreamProvenance {
		build.add("EmitUpstreamProvenance", "emit-upstream-provenance", boolean(true))
	}
	build.add("Check", "check", structOf("CheckConfig", field{"Skip", "skip", boolean(b.Check.Skip)}))

	overlays := node{kind: listNode}
	for i := range c.Overlays {
		overlays.items = append(overlays.items, overlayTree(&c.Overlays[i]))
	}
	sources := node{kind: listNode}
	for i := range c.SourceFiles {
		sources.items = append(sources.items, sourceFileTree(&c.SourceFiles[i]))
	}
	packages := node{kind: mapNode}
	for name := range c.Packages {
		// Nothing in the table counts, but that it is there does.
		packages.add(name, name, structOf("PackageConfig"))
	}
	spec := structOf("SpecSource",
		field{"SourceType", "type", text(c.Spec.Type)},
		field{"UpstreamDistro", "upstream-distro", structOf("DistroReference",
			field{"Name", "name", text(c.Spec.UpstreamDistro.Name)},
			field{"Version", "version", text(c.Spec.UpstreamDistro.Version)})},
		field{"UpstreamName", "upstream-name", text(c.Spec.UpstreamName)},
		field{"UpstreamCommit", "upstream-commit", text(c.Spec.UpstreamCommit)})
	spec.addText("Source", "source", c.Spec.Source)
	spec.addText("Template", "template", c.Spec.Template)

	return structOf("ComponentConfig",
		field{"Spec", "spec", spec},
		field{"Release", "release", structOf("ReleaseConfig", field{"Calculation", "calculation", text(c.Release.Calculation)})},
		field{"Overlays", "overlays", overlays},
		field{"Build", "build", build},
		field{"Render", "render", structOf("ComponentRenderConfig", field{"SkipFileFilter", "skip-file-filter", boolean(c.Render.SkipFileFilter)})},
		field{"SourceFiles", "source-files", sources},
		field{"Packages", "packages", packages})
}

func overlayTree(op *overlay.Op) node {
	n := structOf("ComponentOverlay",
		field{"Type", "type", text(string(op.Type))},
		field{"Filename", "file", text(op.File)})
	n.addText("Archive", "archive", op.Archive)
	n.add("SectionName", "section", text(op.Section))
	n.add("PackageName", "package", text(op.Package))
	n.add("Tag", "tag", text(op.Tag))
	n.add("Value", "value", text(op.Value))
	n.add("Regex", "regex", text(op.Regex))
	n.add("Replacement", "replacement", text(op.Replacement))
	n.add("Lines", "lines", list(op.Lines))
	// From here on extensions.
	if op.Expect != nil {
		n.addText("Expect", "expect", strconv.Itoa(*op.Expect))
	}
	n.addText("Branch", "branch", op.Branch)
	if op.ReplacementGroups {
		n.add("ReplacementGroups", "replacement-groups", boolean(true))
	}
	if op.Multiline {
		n.add("Multiline", "multiline", boolean(true))
	}
	n.addText("Mode", "mode", op.Mode)
	return n
}

func sourceFileTree(f *SourceFile) node {
	n := structOf("SourceFileReference",
		field{"Filename", "filename", text(f.Filename)},
		field{"Hash", "hash", text(f.Hash)},
		field{"HashType", "hash-type", text(f.HashType)})
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

func text(s string) node  { return node{kind: stringNode, text: s} }
func boolean(b bool) node { return node{kind: boolNode, flag: b} }

func list(items []string) node {
	n := node{kind: listNode}
	for _, s := range items {
		n.items = append(n.items, text(s))
	}
	return n
}

func textMap(m map[string]string) node {
	n := node{kind: mapNode}
	for k, v := range m {
		n.add(k, k, text(v))
	}
	return n
}

func structOf(typeName string, fields ...field) node {
	return node{kind: structNode, text: typeName, fields: fields}
}

func (n *node) add(name, toml string, value node) {
	n.fields = append(n.fields, field{name, toml, value})
}

// addText adds a string field unless it is empty.
func (n *node) addText(name, toml, s string) {
	if s != "" {
		n.add(name, toml, text(s))
	}
}

// hash returns the node's hash: FNV-1 (64 bit) of a string's bytes or a bool's
// byte; a list folds its items into 0 from the left; maps and structs combine
// their pairs by exclusive or, so that order plays no part, a struct starting
// from the hash of its type name and mixing after every field.
func (n node) hash() uint64 {
	switch n.kind {
	case stringNode:
		return fnvString(n.text)
	case boolNode:
		if n.flag {
			return fnvBytes([]byte{1})
		}
		return fnvBytes([]byte{0})
	case listNode:
		h := uint64(0)
		for _, item := range n.items {
			h = fnvPair(h, item.hash())
		}
		return h
	case mapNode:
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
