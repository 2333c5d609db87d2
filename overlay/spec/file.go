// Package spec holds an RPM spec file as what it is: a list of lines.
//
// The flat slice of lines is the only state. Printing is concatenation, so
// Parse(name, b).Bytes() is b for any bytes; sections, packages, tags and
// conditionals are views computed from the lines. A tree would have to lie:
// in real specs conditionals and sections overlap, and macros expand to
// sections.
//
// Every line knows its number in the file as read and the Origin of its text:
// nil for upstream text, else the operation that wrote it. Edits go through
// four primitives (InsertBefore, InsertAfter, Replace, Delete) that take an
// origin and are logged; Undo takes them back one by one until the input
// stands again. Reclassify ends one operation: until then text with embedded
// line breaks counts as one line and the views stay as they were, so that no
// operation sees its own insertions.
//
//	f := spec.Parse("bash.spec", data)
//	for t := range f.Tags() {
//		if strings.EqualFold(t.Name, "Release") {
//			f.Replace(t.Line, origin, "Release: 2%{?dist}")
//		}
//	}
//	f.Reclassify()
//
// The package never executes and never expands anything. A macro is text.
//
// Two views stand side by side. The compatible view (Sections, Tags,
// Line.Header, Line.Cond) classifies lines exactly as the reference tool of
// the project format does, which knows neither continuation lines nor macro
// bodies. The structural view (Structure) knows them and serves warnings and
// explanations.
package spec

import (
	"go/token"
	"slices"
	"strings"
)

// An Origin says which operation wrote or removed a line or a file.
type Origin struct {
	Pos         token.Position // the operation in its TOML file; zero for a step without one
	Step        string         // overlay type, or the renderer's step such as "header"
	Index       int            // position in the component's list of operations from 0, -1 for a renderer step
	Description string         // the overlay's own description, may be empty
	// Values are the places of the values that went into the line, for a spec
	// written from a template; Pos is the template's line then.
	Values []token.Position
}

// A Line is one physical line. Lines are handed out by File.Line and must be
// changed through the File's edits only.
type Line struct {
	Text   string  // without the line ending
	EOL    string  // "\n", "\r\n", or at the end of the file "" or "\r"
	Num    int     // line number in the file as read, from 1; 0 for a new line
	Origin *Origin // who wrote Text; nil for upstream text

	word word // first token when it is a known header or a conditional
	kind Kind // class in the compatible view
}

// Kind returns the class of the line in the compatible view.
func (l *Line) Kind() Kind { return l.kind }

// A File is a spec as a list of lines. It is not safe for concurrent use.
type File struct {
	name      string
	lines     []Line
	sections  []Section
	log       []Edit
	stale     bool // edits happened since Reclassify
	structure *Structure
}

// Parse reads a spec of the given file name, which serves for positions only.
// It never fails and loses no byte.
//
// A line ends at LF. One CR before the LF, or at the very end of the file,
// belongs to the line ending.
func Parse(name string, b []byte) *File {
	s := string(b)
	n := strings.Count(s, "\n") + 1
	f := &File{name: name, lines: make([]Line, 0, n+n/16+16)}
	for num := 1; s != ""; num++ {
		l := Line{Num: num}
		if i := strings.IndexByte(s, '\n'); i < 0 {
			l.Text, s = s, ""
		} else {
			l.Text, l.EOL, s = s[:i], "\n", s[i+1:]
		}
		l.moveCR()
		l.word = wordOf(l.Text)
		f.lines = append(f.lines, l)
	}
	f.classify()
	return f
}

// endsInCR reports whether the text ends in a CR that belongs to the ending.
func (l *Line) endsInCR() bool {
	n := len(l.Text)
	return n > 0 && l.Text[n-1] == '\r' && (l.EOL == "" || l.EOL == "\n")
}

// moveCR puts one trailing CR of the text into the line ending.
func (l *Line) moveCR() {
	if l.endsInCR() {
		l.Text = l.Text[:len(l.Text)-1]
		if l.EOL == "" {
			l.EOL = "\r"
		} else {
			l.EOL = "\r\n"
		}
	}
}

// Name returns the name given to Parse.
func (f *File) Name() string { return f.name }

// Len returns the number of lines.
func (f *File) Len() int { return len(f.lines) }

// Line returns the line with index i, from 0. The pointer is valid until the
// next edit.
func (f *File) Line(i int) *Line { return &f.lines[i] }

// Pos returns the position of line i in the file as read. A new line stands
// at the nearest line above it that was read.
func (f *File) Pos(i int) token.Position {
	for ; i >= 0; i-- {
		if i < len(f.lines) && f.lines[i].Num > 0 {
			return token.Position{Filename: f.name, Line: f.lines[i].Num, Column: 1}
		}
	}
	return token.Position{Filename: f.name, Line: 1, Column: 1}
}

// Bytes returns the file with every line as it stands, endings included.
func (f *File) Bytes() []byte {
	n := 0
	for i := range f.lines {
		n += len(f.lines[i].Text) + len(f.lines[i].EOL)
	}
	b := make([]byte, 0, n)
	for i := range f.lines {
		b = append(b, f.lines[i].Text...)
		b = append(b, f.lines[i].EOL...)
	}
	return b
}

// Normalized returns the file with LF after every line, the last one
// included: what the reference tool writes. One CR per line is dropped.
func (f *File) Normalized() []byte {
	n := len(f.lines)
	for i := range f.lines {
		n += len(f.lines[i].Text)
	}
	b := make([]byte, 0, n)
	for i := range f.lines {
		b = append(b, f.lines[i].Text...)
		b = append(b, '\n')
	}
	return b
}

// Clone returns an independent copy with an empty edit log. Origins are
// shared.
func (f *File) Clone() *File {
	return &File{name: f.name, lines: slices.Clone(f.lines), sections: slices.Clone(f.sections)}
}
