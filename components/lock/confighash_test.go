package lock

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
)

// What follows states the definition of the configuration hash once more, with
// the standard library's FNV and without looking at the production code. A
// value is already a hash here; the tests of fingerprints write each configuration
// out as an expression.

func sum(parts ...any) uint64 {
	h := fnv.New64()
	for _, p := range parts {
		if s, ok := p.(string); ok {
			h.Write([]byte(s))
			continue
		}
		binary.Write(h, binary.LittleEndian, p)
	}
	return h.Sum64()
}

func sText(s string) uint64 { return sum(s) }

func sBool(b bool) uint64 {
	if b {
		return sum(int8(1))
	}
	return sum(int8(0))
}

// sList folds from the left, starting at 0.
func sList(items ...string) uint64 {
	h := uint64(0)
	for _, s := range items {
		h = sum(h, sText(s))
	}
	return h
}

func sItems(items ...uint64) uint64 {
	h := uint64(0)
	for _, v := range items {
		h = sum(h, v)
	}
	return h
}

// sMap takes keys and values in turn.
func sMap(pairs ...any) uint64 {
	h := uint64(0)
	for i := 0; i < len(pairs); i += 2 {
		h ^= sum(sText(pairs[i].(string)), pairs[i+1])
	}
	return sum(h)
}

// sStruct takes the type name, then field names and values in turn.
func sStruct(name string, pairs ...any) uint64 {
	h := sText(name)
	for i := 0; i < len(pairs); i += 2 {
		h ^= sum(sText(pairs[i].(string)), pairs[i+1])
		h = sum(h)
	}
	return h
}

// sSpec is the spec of an upstream component.
func sSpec(version, name, commit string) uint64 {
	return sStruct("SpecSource", "SourceType", sText("upstream"),
		"UpstreamDistro", sStruct("DistroReference", "Name", sText("fedora"), "Version", sText(version)),
		"UpstreamName", sText(name), "UpstreamCommit", sText(commit))
}

func sRelease(calculation string) uint64 {
	return sStruct("ReleaseConfig", "Calculation", sText(calculation))
}

// sNoBuild is a build configuration in which nothing is set.
func sNoBuild() uint64 {
	return sStruct("ComponentBuildConfig", "With", sList(), "Without", sList(), "Defines", sMap(), "Undefines", sList(),
		"Check", sStruct("CheckConfig", "Skip", sBool(false)))
}

func sRender(skipFilter bool) uint64 {
	return sStruct("ComponentRenderConfig", "SkipFileFilter", sBool(skipFilter))
}

// sOverlay takes type, file, section, package, tag, value, regex, replacement
// and the lines.
func sOverlay(kind, file, section, pkg, tag, value, regex, replacement string, lines ...string) uint64 {
	return sStruct("ComponentOverlay", "Type", sText(kind), "Filename", sText(file), "SectionName", sText(section),
		"PackageName", sText(pkg), "Tag", sText(tag), "Value", sText(value), "Regex", sText(regex),
		"Replacement", sText(replacement), "Lines", sList(lines...))
}

// sConfig is a component; nil stands for a part in which nothing is set.
func sConfig(spec, release, overlays, build, render, sources, packages any) uint64 {
	or := func(v any, empty uint64) uint64 {
		if v == nil {
			return empty
		}
		return v.(uint64)
	}
	return sStruct("ComponentConfig",
		"Spec", or(spec, sSpec("43", "", "")),
		"Release", or(release, sRelease("auto")),
		"Overlays", or(overlays, sList()),
		"Build", or(build, sNoBuild()),
		"Render", or(render, sRender(false)),
		"SourceFiles", or(sources, sList()),
		"Packages", or(packages, sMap()))
}

// sRecords hashes labels and values, given in turn.
func sRecords(pairs ...string) string {
	var b bytes.Buffer
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%d:%s=%d:%s\n", len(pairs[i]), pairs[i], len(pairs[i+1]), pairs[i+1])
	}
	return "sha256:" + sHex(b.String())
}

func sHex(content string) string {
	d := sha256.Sum256([]byte(content))
	return hex.EncodeToString(d[:])
}
