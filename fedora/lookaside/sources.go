package lookaside

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"go/token"
	"slices"
	"strings"

	"specgraft/overlay/diag"
)

// Sources is a dist-git "sources" file: the list of archives that live in the
// lookaside cache instead of in git, with their checksums. It keeps every byte
// of the file as read; only Set changes lines.
type Sources struct {
	lines []sourcesLine
}

type sourcesLine struct {
	text  string // without the line feed
	entry *Entry
}

// A Entry is one line of a sources file, either of the form
//
//	SHA512 (bash-5.3.tar.gz) = 426702c8...
//
// or the older form, which is always MD5,
//
//	4f5f3a3ba7ea2ff6a1c0ff2e3d2ae1b1  bash-4.2.tar.gz
type Entry struct {
	Name     string         // file name as written
	HashType string         // as written, "MD5" for the older form
	Hash     string         // hexadecimal digest as written
	Pos      token.Position // the line it stands on; zero in an entry passed to Set
	// Replace is only read by Set: the entry stands in for an existing one.
	Replace bool
}

// ParseSources reads a sources file. Blank lines and lines that start with "#"
// mean nothing and are kept. Every other line that is not an entry, and every
// second entry of one name, is reported; the returned file holds all lines
// nevertheless, the unreadable ones as opaque text.
func ParseSources(name string, b []byte) (*Sources, diag.List) {
	s := &Sources{}
	var diags diag.List
	first := map[string]token.Position{}
	offset := 0
	for num := 1; len(b) > 0; num++ {
		text, rest, found := bytes.Cut(b, []byte("\n"))
		line := sourcesLine{text: string(text)}
		pos := token.Position{Filename: name, Offset: offset, Line: num, Column: 1}
		offset += len(text)
		if found {
			offset++
		}
		b = rest
		trimmed := strings.TrimSpace(line.text)
		if trimmed != "" && trimmed[0] != '#' {
			entry, why := parseSourceLine(trimmed)
			switch {
			case why != "":
				d := diags.Add(pos, "sources/syntax", "not a sources entry: %s", why)
				d.Hint = "write HASHTYPE (file name) = HEX"
			case first[entry.Name].Line > 0:
				d := diags.Add(pos, "sources/duplicate", "%q is listed twice", entry.Name)
				d.Related = []diag.Related{{Pos: first[entry.Name], Message: "first listed here"}}
				d.Hint = "remove one of the two lines"
			default:
				first[entry.Name] = pos
				entry.Pos = pos
				line.entry = entry
			}
		}
		s.lines = append(s.lines, line)
	}
	return s, diags
}

// parseSourceLine reads one entry; why says in a few words what is wrong.
func parseSourceLine(text string) (entry *Entry, why string) {
	if kind, rest, ok := strings.Cut(text, " ("); ok && isWord(kind) {
		i := strings.LastIndex(rest, ") = ")
		if i < 0 {
			return nil, `no ") = " behind the file name`
		}
		entry = &Entry{Name: rest[:i], HashType: kind, Hash: strings.TrimSpace(rest[i+len(") = "):])}
	} else if hash, rest, ok := strings.Cut(text, " "); ok && len(hash) == 32 {
		entry = &Entry{Name: strings.TrimLeft(rest, " \t"), HashType: "MD5", Hash: hash}
	} else {
		return nil, "neither the form with a hash type nor an MD5 sum"
	}
	if entry.Name == "" {
		return nil, "the file name is empty"
	}
	if _, err := hex.DecodeString(entry.Hash); err != nil || entry.Hash == "" {
		return nil, fmt.Sprintf("the hash %q is not hexadecimal", entry.Hash)
	}
	return entry, ""
}

func isWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}

// Entries returns the entries in file order.
func (s *Sources) Entries() []Entry {
	var list []Entry
	for _, l := range s.lines {
		if l.entry != nil {
			list = append(list, *l.entry)
		}
	}
	return list
}

// Entry returns the entry for a file name.
func (s *Sources) Entry(name string) (Entry, bool) {
	if i := s.index(name); i >= 0 {
		return *s.lines[i].entry, true
	}
	return Entry{}, false
}

func (s *Sources) index(name string) int {
	return slices.IndexFunc(s.lines, func(l sourcesLine) bool { return l.entry != nil && l.entry.Name == name })
}

// Set writes the entry e, which comes from a component's source-files: with
// e.Replace in place of the entry of that name, which has to exist; otherwise
// behind the last line, and then no entry may have the name. The other lines
// stay as they are. The problem, if any, has no position of its own beyond a
// related one: the caller knows where e was configured.
func (s *Sources) Set(e Entry) *diag.Diagnostic {
	if e.Hash == "" {
		return &diag.Diagnostic{
			Code:    "sources/no-hash",
			Message: fmt.Sprintf("source file %q has no hash", e.Name),
			Hint:    `set hash and hash-type = "SHA512"`,
		}
	}
	line := sourcesLine{text: fmt.Sprintf("%s (%s) = %s", e.HashType, e.Name, e.Hash), entry: &e}
	i := s.index(e.Name)
	switch {
	case i < 0 && e.Replace:
		d := &diag.Diagnostic{
			Code:    "sources/nothing-to-replace",
			Message: fmt.Sprintf("replace-upstream is set for %q, but upstream's sources file does not list it", e.Name),
			Hint:    "remove replace-upstream and replace-reason",
		}
		var names []string
		for _, have := range s.Entries() {
			names = append(names, have.Name)
		}
		if near := diag.Nearest(e.Name, names); near != "" {
			d.Hint = fmt.Sprintf("upstream lists %q; correct filename, or remove replace-upstream", near)
		}
		return d
	case i >= 0 && !e.Replace:
		return &diag.Diagnostic{
			Code:    "sources/exists",
			Message: fmt.Sprintf("%q is already listed in upstream's sources file", e.Name),
			Hint:    "to use another file under this name set replace-upstream = true and replace-reason",
			Related: []diag.Related{{Pos: s.lines[i].entry.Pos, Message: "listed here"}},
		}
	case i >= 0:
		s.lines[i] = line
	default:
		s.lines = append(s.lines, line)
	}
	return nil
}

// Bytes returns the file: every line as read or set, each ended by one line
// feed. Only a missing line feed at the very end is added to what was read.
func (s *Sources) Bytes() []byte {
	var b bytes.Buffer
	for _, l := range s.lines {
		b.WriteString(l.text)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// SourcesCodes are the diagnostics about sources files.
var SourcesCodes = []diag.Code{
	{ID: "sources/syntax", Summary: "a line of a sources file is not an entry",
		Doc: "Each line of a sources file is blank, a comment that starts with \"#\", \"HASHTYPE (file name) = HEX\" or the older \"MD5SUM  file name\"."},
	{ID: "sources/duplicate", Summary: "a sources file lists one file twice",
		Doc: "Two entries with one name would be downloaded over each other. Remove one of them."},
	{ID: "sources/no-hash", Summary: "a source-files entry has no hash",
		Doc: "The rendered sources file names a checksum for every file. Set hash and hash-type in the component's source-files."},
	{ID: "sources/exists", Summary: "a source-files entry has the name of one of upstream's files",
		Doc: "A file of upstream is only exchanged when the component says so: set replace-upstream and replace-reason, or choose another file name."},
	{ID: "sources/nothing-to-replace", Summary: "replace-upstream names a file that upstream does not have",
		Doc: "The sources file at the locked commit has no such entry. Correct the name, or remove replace-upstream."},
}
