package overlay

import (
	"fmt"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
	"specgraft/overlay/spec"
)

// A listed is a source or patch with the number that rpm gives it: the one it
// bears, or the one after the last above it (rpm 4.15 and later, addSource in
// parsePreamble.c). Lines of %sourcelist and %patchlist bear none.
type listed struct {
	family string // "source" or "patch"
	number int
	value  string
	bare   bool
	line   int            // in the spec; of the line that includes the list, for one in a file
	pos    token.Position // in the file that lists it, for one that is included
}

// included reports whether the entry stands in a file that the spec includes.
func (l *listed) included() bool { return l.pos.IsValid() }

// listedTag splits the name of a Source or Patch tag; digits is "" for a bare
// one.
func listedTag(name string) (family, number string, ok bool) {
	family = strings.ToLower(name)
	number = strings.TrimLeft(family, "abcdefghijklmnopqrstuvwxyz")
	family = family[:len(family)-len(number)]
	return family, number, (family == "source" || family == "patch") && strings.Trim(number, digits) == ""
}

// entries returns the sources and patches of a spec in rpm's order, with those
// of the files that it includes as far as they are among the component's.
func entries(f *spec.File, files map[string]*File) []listed {
	return entriesOf(f.Structure(), func(i int) string { return f.Line(i).Text }, files)
}

// entriesOf does the same for a structure of which text returns the lines.
func entriesOf(s *spec.Structure, text func(i int) string, files map[string]*File) []listed {
	n := numberer{s: s, files: files, last: map[string]int{"source": -1, "patch": -1}}
	tag := 0
	for i := range s.Lines {
		sh := &s.Lines[i]
		for tag < len(s.Tags) && s.Tags[tag].Line < i {
			tag++
		}
		switch part := s.Parts[sh.Part].Name; {
		case sh.Form == spec.FormTag && tag < len(s.Tags) && s.Tags[tag].Line == i:
			n.add(s.Tags[tag].Name, s.Tags[tag].Value, i, token.Position{})
		case sh.Form != spec.FormText || part != "" && part != "%package" && part != "%sourcelist" && part != "%patchlist":
		case includeLine().MatchString(text(i)):
			n.include(includeLine().FindStringSubmatch(text(i)), i, part)
		case part == "%sourcelist" || part == "%patchlist":
			n.add(strings.TrimSuffix(part[1:], "list"), strings.TrimSpace(text(i)), i, token.Position{})
		}
	}
	return n.list
}

// includeLine finds %include FILE and %{load:FILE} that stand alone.
var includeLine = regex.Once(`^\s*%(?:include\s+(\S+)|\{load:\s*([^{}]*(?:\{[^{}]*\}[^{}]*)*)\})\s*$`)

// fileMacro finds the macros that stand for the file of a source or patch.
var fileMacro = regex.Once(`^%\{?(SOURCE|S:|PATCH|P:)(\d+)\}?$`)

type numberer struct {
	s     *spec.Structure
	files map[string]*File
	last  map[string]int
	list  []listed
}

func (n *numberer) add(name, value string, line int, pos token.Position) {
	family, digits, ok := listedTag(name)
	if !ok {
		return
	}
	number := n.last[family] + 1
	if digits != "" {
		var err error
		if number, err = strconv.Atoi(digits); err != nil {
			return
		}
	}
	n.last[family] = number
	n.list = append(n.list, listed{family, number, value, digits == "", line, pos})
}

// maxList bounds the size of an included list.
const maxList = 1 << 20

// include reads the tags of an included file, or its lines where the line that
// includes it is in a list. What it includes itself, and what its conditionals
// leave out, is not looked at.
func (n *numberer) include(m []string, line int, part string) {
	name := strings.TrimSpace(m[1] + m[2])
	if k := fileMacro().FindStringSubmatch(name); k != nil {
		name = n.fileOf(k[1], k[2])
	} else {
		name = strings.TrimPrefix(strings.TrimPrefix(name, "%{_sourcedir}/"), "%_sourcedir/")
	}
	f := n.files[name]
	if f == nil || f.Size() > maxList || len(n.list) > maxList {
		return
	}
	data, err := f.Bytes()
	if err != nil {
		return
	}
	if family, ok := strings.CutSuffix(strings.TrimPrefix(part, "%"), "list"); ok {
		inner := spec.Parse(name, slices.Concat([]byte(part+"\n"), data))
		s := inner.Structure()
		for i := range s.Lines {
			if sh := &s.Lines[i]; sh.Form == spec.FormText && s.Parts[sh.Part].Name == part {
				n.add(family, strings.TrimSpace(inner.Line(i).Text), line, token.Position{Filename: name, Line: i, Column: 1})
			}
		}
		return
	}
	inner := spec.Parse(name, data)
	tags := inner.Structure().Tags
	for i := range tags {
		n.add(tags[i].Name, tags[i].Value, line, inner.Pos(tags[i].Line))
	}
}

// fileOf returns the file name of the source or patch with a number.
func (n *numberer) fileOf(macro, number string) string {
	family := "source"
	if macro[0] == 'P' {
		family = "patch"
	}
	for i := range n.list {
		if e := &n.list[i]; e.family == family && strconv.Itoa(e.number) == number {
			return path.Base(n.plain(e.value))
		}
	}
	return ""
}

// plain replaces the tags that the names of files are made of.
func (n *numberer) plain(value string) string {
	if !strings.Contains(value, "%") {
		return value
	}
	for i := range n.s.Tags {
		t := &n.s.Tags[i]
		if low := strings.ToLower(t.Name); low == "name" || low == "version" {
			value = strings.ReplaceAll(strings.ReplaceAll(value, "%{"+low+"}", t.Value), "%"+low, t.Value)
		}
		if n.s.Lines[t.Line].Part > 0 {
			break
		}
	}
	return value
}

// taken returns the entry that certainly has a number, or nil: one that stands
// under a condition may not be there.
func taken(list []listed, s *spec.Structure, family string, number int) *listed {
	i := slices.IndexFunc(list, func(l listed) bool {
		return l.family == family && l.number == number && s.Lines[l.line].Cond < 0
	})
	if i < 0 {
		return nil
	}
	return &list[i]
}

// free returns the number that a new source or patch gets which the reference
// would number n. The reference counts the tags that it sees: where the number
// is in use, rpm refuses what it makes, and the first number above all others
// serves.
func (r *run) free(family string, n int) int {
	list, s := entries(r.spec, r.tree.Files), r.spec.Structure()
	other := taken(list, s, family, n)
	if other == nil {
		return n
	}
	number := n
	for i := range list {
		if list[i].family == family {
			number = max(number, list[i].number+1)
		}
	}
	pos, text := other.pos, ""
	if !other.included() {
		pos, text = r.spec.Pos(other.line), ": "+quoteLine(r.spec.Line(other.line).Text)
	}
	r.list = append(r.list, diag.Diagnostic{
		Pos: r.op.Pos, Severity: diag.Note, Code: "overlay/number-taken", Component: r.tree.Name,
		Message: fmt.Sprintf("%s: %s number %d is in use, so the new one is number %d", r.op.Name(), family, n, number),
		Related: []diag.Related{{Pos: pos, Message: fmt.Sprintf("%s %d is this one%s", family, n, text)}},
	})
	return number
}

// bareTags returns the lines of the tags without number that have the number
// of the operation's tag to rpm: a first bare Source: is source 0.
func (r *run) bareTags(fits func(value string) bool) []int {
	family, digits, ok := listedTag(r.op.Tag)
	if !ok || digits == "" {
		return nil
	}
	var lines []int
	list, s := entries(r.spec, r.tree.Files), r.spec.Structure()
	for i := range list {
		e := &list[i]
		if e.family != family || !e.bare || e.included() || strconv.Itoa(e.number) != digits || fits != nil && !fits(e.value) {
			continue
		}
		if _, _, ok := r.spec.Line(e.line).Tag(); !ok || r.op.Type == SetTag && s.Lines[e.line].Cond >= 0 {
			continue
		}
		if pkg, _ := s.Package(e.line); pkg == r.op.Package {
			lines = append(lines, e.line)
		}
	}
	if len(lines) > 0 {
		r.list = append(r.list, diag.Diagnostic{
			Pos: r.op.At("tag"), Severity: diag.Note, Code: "overlay/bare-tag", Component: r.tree.Name,
			Message: fmt.Sprintf("%s: %s is the tag without number here", r.op.Name(), r.op.Tag),
			Related: []diag.Related{{Pos: r.spec.Pos(lines[0]), Message: fmt.Sprintf("it is number %s to rpm: %s", digits, quoteLine(r.spec.Line(lines[0]).Text))}},
		})
	}
	return lines
}

// numberCodes are the codes about numbers of sources and patches.
var numberCodes = []diag.Code{
	{
		ID: "overlay/number-taken", Default: diag.Note, Summary: "a new source or patch has another number than it would have by counting tags",
		Doc: "The next number by the tags of the spec is in use: by a tag without number, by a line of a list, by a file that the spec includes, or by a source of the same number as the macros file has. rpm refuses two of one number, so the first number above all others is taken.",
	},
	{
		ID: "overlay/bare-tag", Default: diag.Note, Summary: "the overlay names a number, and the tag that has it bears none",
		Doc: "To rpm a Source: or Patch: tag without number has the number after the last one above it, the first one 0. An overlay that names the number means that tag when no other has it; the tag stays without number.",
	},
}
