package review

import (
	"bytes"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"specgraft/overlay"
	"specgraft/overlay/spec"
)

// A FileDiff is what rendering did to one file.
type FileDiff struct {
	Path    string      `json:"path"`              // in the rendered directory, or upstream's for a removed file
	OldPath string      `json:"oldPath,omitempty"` // upstream's path when it is another
	Status  FileStatus  `json:"status"`
	OldMode fs.FileMode `json:"-"`
	NewMode fs.FileMode `json:"-"`
	Binary  bool        `json:"binary,omitempty"` // differs, but is no text
	Added   int         `json:"addedLines"`
	Removed int         `json:"removedLines"`
	Causes  []*Cause    `json:"causes"`
	Hunks   []Hunk      `json:"hunks,omitempty"`
}

// A FileStatus says what became of a file.
type FileStatus string

// The statuses.
const (
	Added    FileStatus = "added"
	Modified FileStatus = "modified"
	Deleted  FileStatus = "removed"
	Renamed  FileStatus = "renamed"
)

// A Hunk is a run of changed lines with the lines around it.
type Hunk struct {
	OldStart int      `json:"oldStart"` // first line, from 1; 0 when there is none
	OldLines int      `json:"oldLines"`
	NewStart int      `json:"newStart"`
	NewLines int      `json:"newLines"`
	Causes   []*Cause `json:"causes"` // in the order of the lines
	Lines    []Line   `json:"lines"`
}

// A Line is one line of a hunk.
type Line struct {
	Op    string `json:"op"` // " ", "-" or "+"
	Text  string `json:"text"`
	Cause *Cause `json:"cause,omitempty"` // of a changed line
	NoEOL bool   `json:"noNewline,omitempty"`
	// Earlier has the causes that changed the line before Cause did.
	Earlier []*Cause `json:"earlierCauses,omitempty"`
}

// Diff returns what rendering changed, file by file, the spec first. Files
// that the file filter leaves out are no changes.
func (v *View) Diff() ([]FileDiff, error) {
	if v.Before.Spec == nil {
		return nil, nil
	}
	var out []FileDiff
	if d := v.specDiff(); len(d.Hunks) > 0 || d.OldPath != "" {
		out = append(out, d)
	}
	after := map[string]*overlay.File{}
	for _, f := range v.Result.Files {
		if f.Path != v.Spec() {
			after[f.Path] = f
		}
	}
	gone := map[string]*spec.Origin{}
	if v.Result.Report != nil {
		for _, r := range v.Result.Report.Removed {
			gone[r.Path] = r.By
		}
	}
	renamed := v.renames()
	var paths []string
	moved := map[string]bool{} // where renamed files stood
	for p, f := range after {
		if f.Origin != nil {
			paths = append(paths, p)
			moved[renamed[p]] = true
		}
	}
	for p := range gone {
		if after[p] == nil && !moved[p] {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	for _, p := range paths {
		old, f, cause := v.Before.Files[p], after[p], gone[p]
		d := FileDiff{Path: p, Status: Modified}
		if f != nil {
			cause = f.Origin
			if from := renamed[p]; old == nil && from != "" && after[from] == nil {
				d.OldPath, d.Status, old = from, Renamed, v.Before.Files[from]
			}
		}
		var relabel func([]Line)
		if f != nil {
			if versions := v.versions(f); len(versions) > 2 { // several operations share it
				h, _, text, err := follow(versions)
				if err != nil {
					return nil, err
				}
				for _, ver := range versions {
					if ver.by != nil {
						d.Causes = addCause(d.Causes, causeOf(ver.by))
					}
				}
				if text {
					first := versions[0].file == old && versions[0].by == nil
					relabel = func(lines []Line) { h.relabel(lines, first) }
				}
			}
		}
		if ok, err := d.files(old, f, cause, relabel); err != nil {
			return nil, err
		} else if ok {
			out = append(out, d)
		}
	}
	return out, nil
}

// renames returns the upstream path of every renamed file.
func (v *View) renames() map[string]string {
	from := map[string]string{}
	if v.Result.Report == nil {
		return from
	}
	for i := range v.Result.Report.Applied {
		for _, c := range v.Result.Report.Applied[i].Files {
			if c.Change == overlay.FileRenamed {
				old := c.Old
				if up, ok := from[old]; ok {
					old = up
				}
				from[c.Path] = old
			}
		}
	}
	return from
}

// specDiff compares the spec with upstream's. What became of each line is
// known, so nothing is guessed.
func (v *View) specDiff() FileDiff {
	res := v.Result
	d := FileDiff{Path: v.Spec(), Status: Modified, OldMode: res.Upstream.Mode, NewMode: res.Upstream.Mode}
	if up := v.UpstreamSpec(); up != d.Path {
		d.OldPath, d.Status = up, Renamed
	}
	d.hunks(v.lines.diff(true))
	return d
}

// Spec returns the file name of the rendered spec.
func (v *View) Spec() string { return v.Result.Component + ".spec" }

// UpstreamSpec returns the file name that the spec has upstream.
func (v *View) UpstreamSpec() string {
	if c := v.Result.Config; c.IsUpstream() {
		return c.UpstreamName() + ".spec"
	}
	return v.Spec()
}

// files compares two files, either of which may be nil, and reports whether
// they differ. The cause is that of all lines, unless relabel knows better; it
// may be nil.
func (d *FileDiff) files(old, new *overlay.File, cause *spec.Origin, relabel func([]Line)) (bool, error) {
	var a, b []byte
	var err error
	if old != nil {
		d.OldMode = old.Mode
		if a, err = old.Bytes(); err != nil {
			return false, err
		}
	} else {
		d.Status = Added
	}
	if new != nil {
		d.NewMode = new.Mode
		if b, err = new.Bytes(); err != nil {
			return false, err
		}
	} else {
		d.Status = Deleted
	}
	if old != nil && new != nil && d.Status == Modified && d.OldMode == d.NewMode && bytes.Equal(a, b) {
		return false, nil
	}
	c := causeOf(cause)
	if c != nil && len(d.Causes) == 0 {
		d.Causes = []*Cause{c}
	}
	if isBinary(a) || isBinary(b) {
		d.Binary = !bytes.Equal(a, b)
		return true, nil
	}
	lines := textDiff(a, b, c)
	if relabel != nil {
		relabel(lines)
	}
	d.hunks(lines)
	return true, nil
}

// CompareFiles compares the content of a file before and after, by itself: no
// line has a cause. hadOld and hasNew say whether there is such a file.
func CompareFiles(path string, old, new []byte, hadOld, hasNew bool) FileDiff {
	d := FileDiff{Path: path, Status: Modified, OldMode: 0o644, NewMode: 0o644, Causes: []*Cause{}}
	switch {
	case !hadOld:
		d.Status = Added
	case !hasNew:
		d.Status = Deleted
	}
	if isBinary(old) || isBinary(new) {
		d.Binary = true
		return d
	}
	d.hunks(textDiff(old, new, nil))
	return d
}

// isBinary reports whether data has a zero byte near its beginning, which is
// what git goes by.
func isBinary(data []byte) bool {
	return bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0
}

// diff returns all lines, old and new ones, in order. With endings, the old
// lines count with theirs; otherwise both sides have LF.
func (h *history) diff(endings bool) []Line {
	var out []Line
	var pending []Line // added since the last line that both have
	next := 0          // old line to come
	minus := func(i int, by *spec.Origin) {
		l := &h.old[i]
		r := Line{Op: "-", Text: l.Text, Cause: causeOf(by)}
		if endings {
			r.Text += strings.TrimSuffix(l.EOL, "\n")
			r.NoEOL = !strings.HasSuffix(l.EOL, "\n")
		}
		out = append(out, r)
	}
	causes := map[*spec.Origin]*Cause{}
	for i := range h.new {
		l, was := &h.new[i], int(h.was[i])
		if was < 0 {
			c := causes[l.Origin]
			if c == nil {
				c = causeOf(l.Origin)
				causes[l.Origin] = c
			}
			pending = append(pending, Line{Op: "+", Text: l.Text, Cause: c, Earlier: h.earlier(h.was[i])})
			continue
		}
		for ; next < was; next++ {
			minus(next, h.gone[next])
		}
		next++
		old := &h.old[was]
		if old.Text == l.Text && (!endings || old.EOL == "\n") {
			out, pending = append(out, pending...), pending[:0]
			out = append(out, Line{Op: " ", Text: l.Text})
			continue
		}
		by := l.Origin
		if old.Text == l.Text || by == nil {
			by = lineEndings
		}
		minus(was, by)
		out[len(out)-1].Earlier = h.earlier(h.was[i])
		pending = append(pending, Line{Op: "+", Text: l.Text, Cause: causeOf(by)})
	}
	for ; next < len(h.old); next++ {
		minus(next, h.gone[next])
	}
	return settle(append(out, pending...))
}

// earlier returns the causes that changed a line before its last one did.
func (h *history) earlier(was int32) []*Cause {
	var out []*Cause
	for _, o := range h.also[was] {
		out = addCause(out, causeOf(o))
	}
	return out
}

// settle finds lines that were removed and written again with the same text
// at either end of a run of changes: they are no changes.
func settle(lines []Line) []Line {
	out := lines[:0:0]
	for i := 0; i < len(lines); {
		if lines[i].Op == " " {
			out = append(out, lines[i])
			i++
			continue
		}
		var minus, plus []Line
		for ; i < len(lines) && lines[i].Op != " "; i++ {
			if lines[i].Op == "-" {
				minus = append(minus, lines[i])
			} else {
				plus = append(plus, lines[i])
			}
		}
		same := func(a, b Line) bool { return a.Text == b.Text && !a.NoEOL && !b.NoEOL }
		head, tail := 0, 0
		for head < min(len(minus), len(plus)) && same(minus[head], plus[head]) {
			out = append(out, Line{Op: " ", Text: minus[head].Text})
			head++
		}
		for tail < min(len(minus), len(plus))-head && same(minus[len(minus)-1-tail], plus[len(plus)-1-tail]) {
			tail++
		}
		out = append(append(out, minus[head:len(minus)-tail]...), plus[head:len(plus)-tail]...)
		for _, l := range minus[len(minus)-tail:] {
			out = append(out, Line{Op: " ", Text: l.Text})
		}
	}
	return out
}

// textDiff compares two texts about whose lines nothing is known.
func textDiff(a, b []byte, c *Cause) []Line {
	var out []Line
	old := strings.SplitAfter(string(a), "\n")
	if old[len(old)-1] == "" {
		old = old[:len(old)-1]
	}
	at := 0 // old lines passed
	emit := func(op, text string) {
		l := Line{Op: op, Text: text}
		if op != " " {
			l.Cause = c
		}
		if !strings.HasSuffix(text, "\n") {
			l.NoEOL = true
		}
		l.Text = strings.TrimSuffix(text, "\n")
		out = append(out, l)
	}
	text := string(diff.Diff("a", a, "b", b))
	var hunk []string
	if text != "" {
		hunk = strings.SplitAfter(text, "\n")[3:]
	}
	for i := 0; i < len(hunk); i++ {
		l := hunk[i]
		switch {
		case l == "":
		case strings.HasPrefix(l, "@@ -"):
			start, _, _ := strings.Cut(l[len("@@ -"):], ",")
			n, _ := strconv.Atoi(start)
			for ; at < n-1; at++ {
				emit(" ", old[at])
			}
		case l[0] == '\\':
			out[len(out)-1].NoEOL = true
		default:
			if l[0] != '+' {
				at++
			}
			emit(l[:1], l[1:])
		}
	}
	for ; at < len(old); at++ {
		emit(" ", old[at])
	}
	return out
}

// around is the number of lines shown around a change.
const around = 3

// hunks cuts lines into hunks and counts.
func (d *FileDiff) hunks(lines []Line) {
	old, new := 0, 0
	var starts []struct{ old, new int }
	for i := range lines {
		starts = append(starts, struct{ old, new int }{old, new})
		if lines[i].Op != "+" {
			old++
		}
		if lines[i].Op != "-" {
			new++
		}
	}
	for i := 0; i < len(lines); i++ {
		if lines[i].Op == " " {
			continue
		}
		from := max(i-around, 0)
		to, same := i+1, 0
		for j := i + 1; j < len(lines) && same <= 2*around; j++ {
			if lines[j].Op == " " {
				same++
			} else {
				to, same = j+1, 0
			}
		}
		i = to - 1
		h := Hunk{OldStart: starts[from].old, NewStart: starts[from].new, Lines: lines[from:min(to+around, len(lines))]}
		for k := range h.Lines {
			l := &h.Lines[k]
			if l.Op != "+" {
				h.OldLines++
			}
			if l.Op != "-" {
				h.NewLines++
			}
			switch l.Op {
			case "+":
				d.Added++
			case "-":
				d.Removed++
			}
			for _, c := range l.Earlier {
				h.Causes = addCause(h.Causes, c)
				d.Causes = addCause(d.Causes, c)
			}
			if l.Cause != nil {
				h.Causes = addCause(h.Causes, l.Cause)
				d.Causes = addCause(d.Causes, l.Cause)
			}
		}
		if h.OldLines > 0 {
			h.OldStart++
		}
		if h.NewLines > 0 {
			h.NewStart++
		}
		d.Hunks = append(d.Hunks, h)
	}
}

func addCause(list []*Cause, c *Cause) []*Cause {
	if slices.ContainsFunc(list, func(x *Cause) bool { return *x == *c }) {
		return list
	}
	return append(list, c)
}
