package spec

import (
	"slices"
	"strings"
)

// An Edit is one entry of the log: at Index, the lines Old were replaced by
// the lines New. Either may be empty.
type Edit struct {
	Index  int
	Old    []Line
	New    []Line
	Origin *Origin
	Split  bool // Reclassify divided a line at its embedded line breaks
}

// InsertBefore puts new lines before line i; i may be Len.
func (f *File) InsertBefore(i int, o *Origin, text ...string) {
	if len(text) == 0 {
		return
	}
	lines := make([]Line, 0, len(text)+1)
	at, old := i, []Line(nil)
	// A last line without an ending gets one when something follows it.
	if i == len(f.lines) && i > 0 && !strings.HasSuffix(f.lines[i-1].EOL, "\n") {
		last := f.lines[i-1]
		at, old = i-1, []Line{last}
		last.EOL += "\n"
		lines = append(lines, last)
	}
	for _, t := range text {
		lines = append(lines, Line{Text: t, EOL: "\n", Origin: o, word: wordNew})
	}
	f.splice(Edit{Index: at, Old: old, New: lines, Origin: o})
}

// InsertAfter puts new lines after line i; i may be -1.
func (f *File) InsertAfter(i int, o *Origin, text ...string) { f.InsertBefore(i+1, o, text...) }

// Replace gives line i a new text and origin. The line keeps its number and
// its ending.
func (f *File) Replace(i int, o *Origin, text string) {
	l := f.lines[i]
	old := l
	l.Text, l.Origin, l.word = text, o, wordNew
	if text == "" && l.EOL == "" {
		l.EOL = "\n" // an empty last line needs an ending to exist
	}
	f.splice(Edit{Index: i, Old: []Line{old}, New: []Line{l}, Origin: o})
}

// Delete removes line i.
func (f *File) Delete(i int, o *Origin) { f.DeleteRange(i, i+1, o) }

// DeleteRange removes the lines [i, j) as one edit.
func (f *File) DeleteRange(i, j int, o *Origin) {
	if i < j {
		f.splice(Edit{Index: i, Old: slices.Clone(f.lines[i:j]), Origin: o})
	}
}

// splice carries out an edit and logs it.
func (f *File) splice(e Edit) {
	f.lines = slices.Replace(f.lines, e.Index, e.Index+len(e.Old), e.New...)
	f.log = append(f.log, e)
	f.stale, f.structure = true, nil
}

// Reclassify ends one operation: text with embedded line breaks is divided
// into lines, and the views are computed again. The first part of a divided
// line keeps its number; all parts have its origin.
func (f *File) Reclassify() {
	if !f.stale {
		return
	}
	for i := 0; i < len(f.lines); i++ {
		if f.lines[i].word != wordNew {
			continue
		}
		if l := f.lines[i]; strings.IndexByte(l.Text, '\n') >= 0 || l.endsInCR() {
			f.splice(Edit{Index: i, Old: []Line{l}, New: divide(l), Origin: l.Origin, Split: true})
		}
		f.lines[i].word = wordOf(f.lines[i].Text) // further parts are new lines, too
	}
	f.classify()
}

// divide splits a line at its embedded line breaks.
func divide(l Line) []Line {
	var parts []Line
	num, eol, rest := l.Num, l.EOL, l.Text
	for {
		p := Line{Text: rest, EOL: eol, Num: num, Origin: l.Origin, word: wordNew}
		i := strings.IndexByte(rest, '\n')
		if i >= 0 {
			p.Text, p.EOL, rest = rest[:i], "\n", rest[i+1:]
		}
		p.moveCR()
		if p.Text == "" && p.EOL == "" {
			p.EOL = "\n"
		}
		parts = append(parts, p)
		if i < 0 {
			break
		}
		num = 0
	}
	return parts
}

// Log returns the edits since Parse, oldest first. The slice must not be
// changed; it is valid until the next edit.
func (f *File) Log() []Edit { return f.log }

// Undo takes back edits, newest first, until n are left, and classifies the
// lines again. n should be the length of the log at the end of an operation.
func (f *File) Undo(n int) {
	if n >= len(f.log) {
		return
	}
	for i := len(f.log) - 1; i >= n; i-- {
		e := f.log[i]
		f.lines = slices.Replace(f.lines, e.Index, e.Index+len(e.New), e.Old...)
	}
	f.log = f.log[:n]
	f.stale, f.structure = true, nil
	f.Reclassify()
}

// A Removed is a line of the file as read that is gone.
type Removed struct {
	Line           // as it last stood; Num is its number in the file as read
	By     *Origin // the operation that removed it
	Before int     // index of the line it stood before, Len at the end of the file
}

// Removed returns the lines of the file as read that are gone, in their order
// in the file as read.
func (f *File) Removed() []Removed {
	var gone []Removed
	for k := range f.log {
		e := &f.log[k]
		for _, l := range e.Old {
			if l.Num == 0 || slices.ContainsFunc(e.New, func(n Line) bool { return n.Num == l.Num }) {
				continue
			}
			at := e.Index + len(e.New)
			for _, later := range f.log[k+1:] {
				switch {
				case at <= later.Index:
				case at >= later.Index+len(later.Old):
					at += len(later.New) - len(later.Old)
				default:
					at = later.Index + len(later.New)
				}
			}
			gone = append(gone, Removed{Line: l, By: e.Origin, Before: at})
		}
	}
	slices.SortStableFunc(gone, func(a, b Removed) int { return a.Num - b.Num })
	return gone
}
