package diag

import (
	"bufio"
	"fmt"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Printer writes lists of diagnostics for people and for machines. The zero
// value reads source lines relative to the working directory and uses no
// colour.
type Printer struct {
	// Dir is the directory that relative file names of positions refer to,
	// "" for the working directory.
	Dir string
	// Root is the directory that file names for code hosting services are
	// relative to, usually the git top level; "" for Dir.
	Root string
	// Color switches terminal colours on.
	Color bool
	// Source returns the text of a file that is not to be read from disk,
	// such as upstream's spec. It may be nil, and return nil.
	Source func(name string) []byte

	files map[string]*sourceFile
}

// maxExcerpt bounds a file that is read for excerpts.
const maxExcerpt = 64 << 20

type sourceFile struct {
	lines []string
	shown string // name for people, relative to the working directory
}

// file returns what is known about a file, read at most once.
func (p *Printer) file(name string) *sourceFile {
	if f := p.files[name]; f != nil {
		return f
	}
	if p.files == nil {
		p.files = map[string]*sourceFile{}
	}
	f := &sourceFile{shown: name}
	p.files[name] = f
	if name == "" {
		return f
	}
	if p.Source != nil {
		if b := p.Source(name); b != nil {
			f.lines = strings.Split(string(b), "\n")
			return f
		}
	}
	path := p.path(name)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxExcerpt {
		return f
	}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsAbs(path) && strings.Count(rel, "..") < 4 {
			f.shown = filepath.ToSlash(rel)
		}
	}
	if b, err := os.ReadFile(path); err == nil {
		f.lines = strings.Split(string(b), "\n")
	}
	return f
}

// path returns the place of a file on disk.
func (p *Printer) path(name string) string {
	if filepath.IsAbs(name) || p.Dir == "" {
		return filepath.FromSlash(name)
	}
	return filepath.Join(p.Dir, filepath.FromSlash(name))
}

// line returns a line of a file without its ending, and whether it is known.
func (p *Printer) line(pos token.Position) (string, bool) {
	if pos.Line < 1 {
		return "", false
	}
	f := p.file(pos.Filename)
	if pos.Line > len(f.lines) {
		return "", false
	}
	return strings.TrimSuffix(f.lines[pos.Line-1], "\r"), true
}

// The colours of text output.
const (
	bold   = "\x1b[1m"
	red    = "\x1b[1;31m"
	yellow = "\x1b[1;33m"
	cyan   = "\x1b[36m"
	dim    = "\x1b[2m"
	reset  = "\x1b[0m"
)

func (p *Printer) paint(color, s string) string {
	if !p.Color || s == "" {
		return s
	}
	return color + s + reset
}

// Text writes each diagnostic for people: one line with position, message and
// code, the source line with the place marked, related places and what to do
// next, indented.
//
//	bash.comp.toml:3:1: unknown key "spce" in components.bash [config/unknown-key]
//		spce = { type = "local" }
//		^~~~
//		did you mean "spec"?
func (p *Printer) Text(w io.Writer, l List) error {
	b := bufio.NewWriter(w)
	for i := range l {
		d := &l[i]
		if at := p.position(d.Pos); at != "" {
			b.WriteString(p.paint(bold, at+":") + " ")
		}
		switch {
		case d.Component != "" && d.Pos.Filename == "":
			b.WriteString(clean(d.Component) + ": ")
		}
		switch d.Severity {
		case Warning:
			b.WriteString(p.paint(yellow, "warning:") + " ")
		case Note:
			b.WriteString(p.paint(cyan, "note:") + " ")
		default:
			if p.Color {
				b.WriteString(p.paint(red, "error:") + " ")
			}
		}
		b.WriteString(clean(d.Message))
		if d.Code != "" {
			b.WriteString(p.paint(dim, fmt.Sprintf(" [%s]", d.Code)))
		}
		b.WriteByte('\n')
		p.excerpt(b, d.Pos, d.End)
		for _, r := range d.Related {
			b.WriteByte('\t')
			if at := p.position(r.Pos); at != "" {
				b.WriteString(at + ": ")
			}
			b.WriteString(clean(r.Message) + "\n")
		}
		if d.Hint != "" {
			b.WriteString("\t" + p.paint(cyan, clean(d.Hint)) + "\n")
		}
	}
	return b.Flush()
}

// position is Position with the file name as seen from the working directory.
func (p *Printer) position(pos token.Position) string {
	if pos.Filename != "" {
		pos.Filename = clean(p.file(pos.Filename).shown)
	}
	return Position(pos)
}

// The part of a long line that an excerpt shows around the marked place.
const (
	excerptWidth = 110
	excerptLead  = 30
)

// excerpt writes the line of pos and marks the place below it.
func (p *Printer) excerpt(b *bufio.Writer, pos, end token.Position) {
	line, ok := p.line(pos)
	if !ok || strings.TrimSpace(line) == "" {
		return
	}
	col := pos.Column - 1
	if col < 0 || col > len(line) {
		b.WriteString("\t" + clip(clean(line), 0) + "\n")
		return
	}
	width := 1
	switch {
	case end.Line == pos.Line && end.Column > pos.Column:
		width = end.Column - pos.Column
	case end.Line > pos.Line:
		width = len(strings.TrimRight(line[col:], " \t"))
	}
	width = min(width, len(line)-col) // a place may be behind the last byte
	before, marked := clean(line[:col]), clean(line[col:col+width])
	shown := clean(line)
	lead := utf8.RuneCountInString(before)
	cut := 0
	if lead > excerptWidth-excerptLead {
		cut = lead - excerptLead
		before = "..." + string([]rune(before)[cut:])
	}
	b.WriteString("\t" + clip(shown, cut) + "\n\t")
	// Tabs stay tabs, so that the mark stands below its place.
	for _, r := range before {
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	n := utf8.RuneCountInString(marked)
	if room := excerptWidth - utf8.RuneCountInString(before); n > room {
		n = max(room, 1)
	}
	mark := "^"
	if n > 1 {
		mark += strings.Repeat("~", n-1)
	}
	b.WriteString(p.paint(red, mark) + "\n")
}

// clip shortens a line to the excerpt's width, leaving out the first cut runes.
func clip(line string, cut int) string {
	runes := []rune(line)
	if cut > 0 {
		runes = append([]rune("..."), runes[min(cut, len(runes)):]...)
	}
	if len(runes) > excerptWidth {
		return string(runes[:excerptWidth]) + "..."
	}
	return string(runes)
}

// clean makes text safe for a terminal: control characters, which specs of
// strangers may hold, are shown as ? and bytes that are no UTF-8 as U+FFFD.
func clean(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\t' || s[i] >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
