package spec

import (
	"slices"
	"sort"
	"strings"
)

// An Edit is one entry of the log: at Index, the lines Old were replaced by
// the lines New. Either may be empty. Lines at the same place in both are the
// same line before and after; what is left over of the longer one was added
// or removed.
type Edit struct {
	Index  int
	Old    []Line
	New    []Line
	Origin *Origin
	Split  bool // Reclassify divided a line at its embedded line breaks
}

// InsertBefore puts new lines before line i; i may be Len.
func (f *File) InsertBefore(i int, o *Origin, text ...string) {
	if len(text) > 0 {
		f.splice(f.insertion(i, o, text))
	}
}

// InsertAfter puts new lines after line i; i may be -1.
func (f *File) InsertAfter(i int, o *Origin, text ...string) { f.InsertBefore(i+1, o, text...) }

// InsertAt puts the same new lines before each of the lines at, which ascend
// and count as they stand before the first insertion.
func (f *File) InsertAt(at []int, o *Origin, text ...string) {
	if len(text) == 0 {
		return
	}
	edits := make([]Edit, 0, len(at))
	for _, i := range slices.Backward(at) {
		edits = append(edits, f.insertion(i, o, text))
	}
	f.spliceAll(edits)
}

// insertion is the edit that puts new lines before line i.
func (f *File) insertion(i int, o *Origin, text []string) Edit {
	e := Edit{Index: i, New: make([]Line, 0, len(text)+1), Origin: o}
	// A last line without an ending gets one when something follows it.
	if i == len(f.lines) && i > 0 && !strings.HasSuffix(f.lines[i-1].EOL, "\n") {
		last := f.lines[i-1]
		e.Index, e.Old = i-1, []Line{last}
		last.EOL += "\n"
		e.New = append(e.New, last)
	}
	for _, t := range text {
		e.New = append(e.New, Line{Text: t, EOL: "\n", Origin: o, word: wordNew})
	}
	return e
}

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

// DeleteLines removes the lines at, which ascend; neighbours go as one edit.
func (f *File) DeleteLines(at []int, o *Origin) {
	var edits []Edit
	for end := len(at); end > 0; {
		start := end - 1
		for start > 0 && at[start-1] == at[start]-1 {
			start--
		}
		i, j := at[start], at[end-1]+1
		edits = append(edits, Edit{Index: i, Old: slices.Clone(f.lines[i:j]), Origin: o})
		end = start
	}
	f.spliceAll(edits)
}

// A Range is the text that lines [Start, End) are to have.
type Range struct {
	Start, End int
	Text       []string
}

// Rewrite gives ranges of lines, which ascend and do not overlap, a new text.
// Lines that have their text already keep their origin.
func (f *File) Rewrite(ranges []Range, o *Origin) {
	edits := make([]Edit, 0, len(ranges))
	for _, r := range slices.Backward(ranges) {
		for r.Start < r.End && len(r.Text) > 0 && f.lines[r.Start].Text == r.Text[0] {
			r.Start, r.Text = r.Start+1, r.Text[1:]
		}
		for r.Start < r.End && len(r.Text) > 0 && f.lines[r.End-1].Text == r.Text[len(r.Text)-1] {
			r.End, r.Text = r.End-1, r.Text[:len(r.Text)-1]
		}
		if r.Start == r.End && len(r.Text) == 0 {
			continue
		}
		if r.Start == r.End {
			edits = append(edits, f.insertion(r.Start, o, r.Text))
			continue
		}
		e := Edit{Index: r.Start, Old: slices.Clone(f.lines[r.Start:r.End]), Origin: o}
		for k, t := range r.Text {
			l := Line{EOL: "\n"}
			if k < len(e.Old) {
				l = e.Old[k]
				if k < len(e.Old)-1 || len(r.Text) > len(e.Old) || t == "" {
					if l.EOL == "" || l.EOL == "\r" {
						l.EOL += "\n"
					}
				}
			}
			if k >= len(e.Old) || l.Text != t {
				l.Text, l.Origin, l.word = t, o, wordNew
			}
			e.New = append(e.New, l)
		}
		edits = append(edits, e)
	}
	f.spliceAll(edits)
}

// splice carries out an edit and logs it.
func (f *File) splice(e Edit) {
	f.lines = slices.Replace(f.lines, e.Index, e.Index+len(e.Old), e.New...)
	f.log = append(f.log, e)
	f.stale, f.structure = true, nil
}

// spliceAll carries out edits that descend and do not overlap, in one pass.
func (f *File) spliceAll(edits []Edit) {
	if len(edits) < 4 {
		for _, e := range edits {
			f.splice(e)
		}
		return
	}
	size := len(f.lines)
	for i := range edits {
		size += len(edits[i].New) - len(edits[i].Old)
	}
	lines := make([]Line, 0, size+16)
	from := 0
	for i := len(edits) - 1; i >= 0; i-- {
		e := &edits[i]
		lines = append(append(lines, f.lines[from:e.Index]...), e.New...)
		from = e.Index + len(e.Old)
	}
	f.lines = append(lines, f.lines[from:]...)
	f.log = append(f.log, edits...)
	f.stale, f.structure = true, nil
}

// descending returns the start of the longest run of edits that ends at end
// and descends without overlap, as operations with many places make.
func descending(log []Edit, end int) int {
	start := end - 1
	for start > 0 && log[start-1].Index >= log[start].Index+len(log[start].Old) {
		start--
	}
	return start
}

// Reclassify ends one operation: text with embedded line breaks is divided
// into lines, and the views are computed again. The first part of a divided
// line keeps its number; all parts have its origin.
func (f *File) Reclassify() {
	if !f.stale {
		return
	}
	var splits []Edit
	for i := len(f.lines) - 1; i >= 0; i-- {
		if l := f.lines[i]; l.word == wordNew && (strings.IndexByte(l.Text, '\n') >= 0 || l.endsInCR()) {
			splits = append(splits, Edit{Index: i, Old: []Line{l}, New: divide(l), Origin: l.Origin, Split: true})
		}
	}
	f.spliceAll(splits)
	for i := range f.lines {
		if f.lines[i].word == wordNew {
			f.lines[i].word = wordOf(f.lines[i].Text)
		}
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
	for end := len(f.log); end > n; {
		start := max(descending(f.log, end), n)
		f.revert(f.log[start:end])
		end = start
	}
	f.log = f.log[:n]
	f.stale, f.structure = true, nil
	f.Reclassify()
}

// revert takes back edits that descend, in one pass.
func (f *File) revert(run []Edit) {
	if len(run) < 4 {
		for _, e := range slices.Backward(run) {
			f.lines = slices.Replace(f.lines, e.Index, e.Index+len(e.New), e.Old...)
		}
		return
	}
	lines := make([]Line, 0, len(f.lines))
	from, shift := 0, 0
	for _, e := range slices.Backward(run) {
		lines = append(append(lines, f.lines[from:e.Index+shift]...), e.Old...)
		from = e.Index + shift + len(e.New)
		shift += len(e.New) - len(e.Old)
	}
	f.lines = append(lines, f.lines[from:]...)
}

// Replay carries edits over to a list that has one item for each line as it
// stood before them, and returns the list for the lines behind them. For each
// edit, change gets the items of the old lines and returns those of the new
// ones; it is called once for each edit.
func Replay[T any](items []T, log []Edit, change func(e *Edit, old []T) []T) []T {
	for start := 0; start < len(log); {
		end := start + 1
		for end < len(log) && log[end-1].Index >= log[end].Index+len(log[end].Old) {
			end++
		}
		run := log[start:end]
		start = end
		if len(run) < 4 {
			for i := range run {
				e := &run[i]
				old := items[e.Index : e.Index+len(e.Old)]
				items = slices.Replace(items, e.Index, e.Index+len(e.Old), change(e, old)...)
			}
			continue
		}
		out := make([]T, 0, len(items)+len(run))
		from := 0
		for i := range slices.Backward(run) {
			e := &run[i]
			out = append(append(out, items[from:e.Index]...), change(e, items[e.Index:e.Index+len(e.Old)])...)
			from = e.Index + len(e.Old)
		}
		items = append(out, items[from:]...)
	}
	return items
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
	for start := 0; start < len(f.log); {
		end := start + 1
		for end < len(f.log) && f.log[end-1].Index >= f.log[end].Index+len(f.log[end].Old) {
			end++
		}
		run := f.log[start:end]
		follow(gone, run)
		shift := 0
		for k := len(run) - 1; k >= 0; k-- {
			e := &run[k]
			for _, l := range e.Old {
				if l.Num > 0 && !slices.ContainsFunc(e.New, func(n Line) bool { return n.Num == l.Num }) {
					gone = append(gone, Removed{Line: l, By: e.Origin, Before: e.Index + len(e.New) + shift})
				}
			}
			shift += len(e.New) - len(e.Old)
		}
		start = end
	}
	slices.SortStableFunc(gone, func(a, b Removed) int { return a.Num - b.Num })
	return gone
}

// follow moves the places of removed lines through edits that descend.
func follow(gone []Removed, run []Edit) {
	if len(gone) == 0 {
		return
	}
	// shifts[k] is what the k lowest edits add to the places above them.
	shifts := make([]int, len(run)+1)
	for k := range run {
		e := &run[len(run)-1-k]
		shifts[k+1] = shifts[k] + len(e.New) - len(e.Old)
	}
	for i := range gone {
		at := gone[i].Before
		k := sort.Search(len(run), func(k int) bool { return run[len(run)-1-k].Index >= at })
		if k > 0 { // the highest edit that begins below the place
			if e := &run[len(run)-k]; at < e.Index+len(e.Old) {
				at, k = e.Index+len(e.New), k-1
			}
		}
		gone[i].Before = at + shifts[k]
	}
}
