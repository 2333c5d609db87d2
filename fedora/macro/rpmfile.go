package macro

import (
	"maps"
	"slices"
	"strings"

	"specgraft/fedora/evr"
)

// RPM returns the set as a macro file that rpm itself can load on top of its own
// (rpmspec --load FILE), for Fedora 43 on x86_64: the set's text, what New adds
// for the distribution and the architecture, and stand-ins, mostly in rpm's Lua,
// for what is computed in Go here and has no body in the set. With it rpmspec -P
// gives what Spec.Expanded holds, but for unknown values (what depends on the
// machine or on the day rpm looks up) and the paths that the package comment
// names. ParseSet reads the file, too: as the set with that version of rpm.
//
// version is that of the rpm, such as "4.18"; "" stands for the newest. One
// before 4.19 lacks functions on strings, %sub and the like, and is given them.
func (s *Set) RPM(version string) string {
	var b strings.Builder
	if version != "" {
		b.WriteString(setFileRPM + version + "\n")
	}
	b.WriteString(s.Text())
	e := New(Config{Set: s})
	for _, n := range slices.Sorted(maps.Keys(e.table.layer)) {
		b.WriteString("%" + n + " " + escapeBody(e.text(n)) + "\n")
	}
	b.WriteString(setFileRest)
	for text := standIns(version); text != ""; {
		line := text[:logicalLine(text)]
		text = text[len(line):]
		if d, ok := standIn(line); ok {
			if own := s.macros[d.name]; own != nil && own.native == nil {
				continue
			}
		}
		b.WriteString(line)
	}
	return setHead(s.name, b.String())
}

// standInPrefix begins the names of the macros that only stand-ins call.
const standInPrefix = "__specgraft"

// standIns returns the stand-ins for natives and for the built-ins that are macros
// in rpm, or that the version of rpm does not have.
func standIns(version string) string {
	files := []string{"native.macros"}
	if version != "" && evr.CompareVersions(version, "4.19") < 0 {
		files = append(files, "older.macros")
	}
	var b strings.Builder
	for _, f := range files {
		text, err := data.ReadFile("data/" + f)
		if err != nil {
			panic(err) // the file is compiled in
		}
		b.Write(text)
	}
	return b.String()
}

// standIn reads one definition of the file of stand-ins; the other lines are
// comments.
func standIn(line string) (*def, bool) {
	if !strings.HasPrefix(line, "%") {
		return nil, false
	}
	return parseDefinition(line[1:])
}
