// Package buffer has the texts of files as an editor has them: lines, places and
// edits, with the columns of its protocol.
package buffer

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Point is a place in a text: line and byte of the line, both from 0.
type Point struct{ Line, Col int }

// A Span is a range of a text.
type Span struct{ Start, End Point }

// A Place is a range in a file.
type Place struct {
	Path string // absolute
	Span Span
}

// A Text is the text of a file with its lines.
type Text struct {
	S     string
	lines []int // offset of each line's first byte
}

// New returns a text.
func New(s string) *Text {
	t := &Text{S: s, lines: []int{0}}
	for i := 0; ; {
		j := strings.IndexByte(s[i:], '\n')
		if j < 0 {
			return t
		}
		i += j + 1
		t.lines = append(t.lines, i)
	}
}

// Lines returns the number of lines; what is behind the last line feed is one.
func (t *Text) Lines() int { return len(t.lines) }

// Line returns a line, from 0, without its ending; "" for one that is not there.
func (t *Text) Line(n int) string {
	if n < 0 || n >= len(t.lines) {
		return ""
	}
	end := len(t.S)
	if n+1 < len(t.lines) {
		end = t.lines[n+1] - 1
	}
	return strings.TrimSuffix(t.S[t.lines[n]:end], "\r")
}

// Offset returns the byte offset of a point. One behind the end of its line, or
// of the text, is the end of it.
func (t *Text) Offset(p Point) int {
	switch {
	case p.Line < 0:
		return 0
	case p.Line >= len(t.lines):
		return len(t.S)
	}
	return t.lines[p.Line] + min(max(p.Col, 0), len(t.Line(p.Line)))
}

// Point returns the point of a byte offset.
func (t *Text) Point(off int) Point {
	off = min(max(off, 0), len(t.S))
	i, found := slices.BinarySearch(t.lines, off)
	if !found {
		i--
	}
	return Point{i, off - t.lines[i]}
}

// UTF16 returns the column of a point in UTF-16 code units.
func (t *Text) UTF16(p Point) int {
	n := 0
	line := t.Line(p.Line)
	for _, r := range line[:min(max(p.Col, 0), len(line))] {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// FromUTF16 returns the point of a line and a column in UTF-16 code units. A
// column inside of a character is its start.
func (t *Text) FromUTF16(line, col int) Point {
	s := t.Line(line)
	n := 0
	for i, r := range s {
		width := 1
		if r > 0xffff {
			width = 2
		}
		if n+width > col {
			return Point{line, i}
		}
		n += width
	}
	return Point{line, len(s)}
}

// FromUTF8 returns the point of a line and a column in bytes. A column inside of
// a character is its start.
func (t *Text) FromUTF8(line, col int) Point {
	s := t.Line(line)
	col = min(max(col, 0), len(s))
	for col > 0 && col < len(s) && !utf8.RuneStart(s[col]) {
		col--
	}
	return Point{line, col}
}

// Replace returns the text with a range replaced.
func (t *Text) Replace(s Span, with string) (*Text, error) {
	from, to := t.Offset(s.Start), t.Offset(s.End)
	if from > to {
		return nil, fmt.Errorf("range ends at %d:%d, before it starts", s.End.Line+1, s.End.Col+1)
	}
	return New(t.S[:from] + with + t.S[to:]), nil
}

// Span returns the range of two byte offsets.
func (t *Text) Span(from, to int) Span { return Span{t.Point(from), t.Point(max(from, to))} }

// An Edit replaces a range of a file.
type Edit struct {
	Span Span
	New  string
}

// Difference returns the one edit that makes new of old, as small as whole
// lines allow; none when they are equal.
func Difference(old, new string) []Edit {
	if old == new {
		return nil
	}
	a, b := strings.SplitAfter(old, "\n"), strings.SplitAfter(new, "\n")
	from := 0
	for from < len(a) && from < len(b) && a[from] == b[from] {
		from++
	}
	end := 0
	for end < len(a)-from && end < len(b)-from && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	t := New(old)
	start := len(strings.Join(a[:from], ""))
	stop := start + len(strings.Join(a[from:len(a)-end], ""))
	return []Edit{{t.Span(start, stop), strings.Join(b[from:len(b)-end], "")}}
}
