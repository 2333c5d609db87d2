package spec

import (
	"iter"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Kind is the class of a line in the compatible view.
type Kind uint8

// The classes of lines.
const (
	Opaque  Kind = iota // text without meaning to the view: blank lines, comments, scripts, conditionals
	Header              // opens a section
	TagLine             // NAME: VALUE in the preamble or a %package section
)

// String returns "opaque", "header" or "tag".
func (k Kind) String() string { return [...]string{"opaque", "header", "tag"}[k] }

// A SectionKind says what the lines of a section are.
type SectionKind uint8

// The kinds of sections. Preamble and %package sections hold tags; lists are
// %patchlist and %sourcelist.
const (
	PackageSection SectionKind = iota
	ScriptSection
	DescriptionSection
	FilesSection
	ChangelogSection
	ListSection
)

// String returns "package", "script", "description", "files", "changelog" or
// "list".
func (k SectionKind) String() string {
	return [...]string{"package", "script", "description", "files", "changelog", "list"}[k]
}

// A Section is a header with the lines up to the next header, or the
// preamble, which has none: the lines [Start, End). The line Start is the
// header except in the preamble.
type Section struct {
	Name       string // as written, with %; empty for the preamble
	Package    string // package named by the header, as text; empty for the main package
	Kind       SectionKind
	Start, End int
}

// Body returns the index of the first line behind the header.
func (s *Section) Body() int {
	if s.Name == "" {
		return s.Start
	}
	return s.Start + 1
}

// A CondRole says what a line does to conditionals.
type CondRole uint8

// The roles of a line in conditionals: none, %if and its kin, %endif, %else
// and its kin.
const (
	CondNone CondRole = iota
	CondOpen
	CondClose
	CondBranch
)

// Sections returns the preamble, which is always there, and the sections in
// file order as they stood at the last Reclassify.
func (f *File) Sections() []Section { return f.sections }

// SectionAt returns the index in Sections of the section that holds line i.
func (f *File) SectionAt(i int) int {
	// Behind the preamble, which may be empty, every section has a line.
	return sort.Search(len(f.sections)-1, func(n int) bool { return f.sections[n+1].Start > i })
}

// A Tag is a tag line of the preamble or of a %package section.
type Tag struct {
	Line    int // index of the line
	Section int // index in Sections
	Name    string
	Value   string // trimmed
}

// Tags yields the tag lines of all packages in file order.
func (f *File) Tags() iter.Seq[Tag] {
	return func(yield func(Tag) bool) {
		for n := range f.sections {
			s := &f.sections[n]
			if s.Kind != PackageSection {
				continue
			}
			for i := s.Body(); i < s.End && i < len(f.lines); i++ {
				if f.lines[i].kind != TagLine {
					continue
				}
				name, value, _ := cutTag(f.lines[i].Text)
				if !yield(Tag{Line: i, Section: n, Name: name, Value: value}) {
					return
				}
			}
		}
	}
}

// Header returns name, package and kind of the section that the line opens,
// and whether it opens one.
func (l *Line) Header() (name, pkg string, kind SectionKind, ok bool) {
	w := l.word
	if w == wordNew {
		w = wordOf(l.Text)
	}
	if !w.header() {
		return "", "", 0, false
	}
	name, rest := nextField(l.Text)
	kind = words[w].kind
	if kind != ChangelogSection && kind != ListSection {
		pkg = packageOf(rest)
	}
	return name, pkg, kind, true
}

// Tag returns name and value when the text has the shape of a tag line. It
// does not look at the section: see File.Tags and Kind for that.
func (l *Line) Tag() (name, value string, ok bool) {
	if l.word.header() {
		return "", "", false
	}
	return cutTag(l.Text)
}

// Cond returns what the line does to conditionals. Only whole words count:
// "%if(" and "%if!" are no openers.
func (l *Line) Cond() CondRole {
	w := l.word
	if w == wordNew {
		w = wordOf(l.Text)
	}
	return words[w].cond
}

// classify computes sections and kinds anew from the lines.
func (f *File) classify() {
	f.sections = append(f.sections[:0], Section{End: len(f.lines)})
	cur := &f.sections[0]
	for i := range f.lines {
		l := &f.lines[i]
		switch {
		case l.word.header():
			cur.End = i
			s := Section{Start: i, End: len(f.lines)}
			s.Name, s.Package, s.Kind, _ = l.Header()
			f.sections = append(f.sections, s)
			cur = &f.sections[len(f.sections)-1]
			l.kind = Header
		case cur.Kind == PackageSection && hasTagShape(l.Text):
			l.kind = TagLine
		default:
			l.kind = Opaque
		}
	}
	f.stale = false
}

// packageOf returns the package that the arguments of a section header name.
func packageOf(args string) string {
	var full, short string
	for {
		var tok string
		tok, args = nextField(args)
		switch tok {
		case "", "--":
			if full != "" {
				return full
			}
			return short
		case "-n":
			full, args = nextField(args)
		case "-f", "-p", "-l", "-P":
			_, args = nextField(args)
		default:
			if tok[0] != '-' && short == "" {
				short = tok
			}
		}
	}
}

// cutTag splits a tag line into name and trimmed value.
func cutTag(text string) (name, value string, ok bool) {
	if !hasTagShape(text) {
		return "", "", false
	}
	name, value, _ = strings.Cut(strings.TrimSpace(text), ":")
	return name, strings.TrimSpace(value), true
}

// hasTagShape reports whether a line is NAME: VALUE. A comment is one only
// when # stands in the first column, as in the reference.
func hasTagShape(text string) bool {
	if text == "" || text[0] == '#' {
		return false
	}
	i := 0
	for i < len(text) && asciiSpace(text[i]) {
		i++
	}
	for start := i; i < len(text); i++ {
		switch c := text[i]; {
		case c == ':':
			return i > start
		case asciiSpace(c):
			return false
		case c >= utf8.RuneSelf:
			return slowTagShape(text)
		}
	}
	return false
}

func slowTagShape(text string) bool {
	text = strings.TrimSpace(text)
	i := strings.IndexFunc(text, func(r rune) bool { return r == ':' || unicode.IsSpace(r) })
	return i > 0 && text[i] == ':'
}

// nextField returns the first field of s in the sense of strings.Fields, and
// what follows it.
func nextField(s string) (field, rest string) {
	s = strings.TrimLeftFunc(s, unicode.IsSpace)
	for i := 0; i < len(s); i++ {
		if asciiSpace(s[i]) {
			return s[:i], s[i:]
		}
		if s[i] >= utf8.RuneSelf {
			if i = strings.IndexFunc(s, unicode.IsSpace); i < 0 {
				break
			}
			return s[:i], s[i:]
		}
	}
	return s, ""
}

func asciiSpace(c byte) bool { return c == ' ' || c-'\t' < 5 }
