// Package patch reads unified diffs: what they do, whether two do the same, and
// how one fits the files that it is for. It writes nothing.
package patch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"specgraft/overlay/regex"
)

// ID identifies what a patch does: two patches with the same lines in the
// same files have the same identity, whatever their line numbers, white space,
// dates and messages are, as with git patch-id. It is "" for text that is no
// unified diff.
func ID(data []byte) string {
	diffs := Parse(data)
	if len(diffs) == 0 {
		return ""
	}
	sum := sha256.New()
	slices.SortStableFunc(diffs, func(a, b File) int { return strings.Compare(a.Name(), b.Name()) })
	for _, d := range diffs {
		writeLine(sum, "file "+d.Name())
		for _, h := range d.Hunks {
			for _, l := range h.Lines {
				if l.Op != ' ' {
					writeLine(sum, string(l.Op)+squeeze(l.Text))
				}
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func writeLine(h hash.Hash, s string) { fmt.Fprintf(h, "%s\n", s) }

// squeeze removes white space.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// A File is what a patch does to one file.
type File struct {
	Old, New string // names as written, without their first directory; /dev/null for none
	Hunks    []Hunk
}

// Name is the file that the patch leaves, without its first directory.
func (d *File) Name() string {
	if d.New != "/dev/null" {
		return d.New
	}
	return d.Old
}

// A Hunk is a change at one place of a file.
type Hunk struct {
	Start int // line in the old file, from 1
	Lines []Line
}

// A Line is a line of a hunk.
type Line struct {
	Op   byte // ' ', '-' or '+'
	Text string
}

var hunkHeader = regex.Once(`^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@`)

// Parse reads the files and hunks of a unified diff; what is not part of
// one is passed over.
func Parse(data []byte) []File {
	lines := strings.Split(string(data), "\n")
	var diffs []File
	for i := 0; i < len(lines); i++ {
		if !strings.HasPrefix(lines[i], "--- ") || i+1 >= len(lines) || !strings.HasPrefix(lines[i+1], "+++ ") {
			continue
		}
		d := File{Old: diffName(lines[i]), New: diffName(lines[i+1])}
		i += 2
		for i < len(lines) {
			m := hunkHeader().FindStringSubmatch(lines[i])
			if m == nil {
				break
			}
			start, _ := strconv.Atoi(m[1])
			left, right := lineCount(m[2]), lineCount(m[4])
			h := Hunk{Start: start}
			for i++; i < len(lines) && (left > 0 || right > 0); i++ {
				l := strings.TrimSuffix(lines[i], "\r")
				if l == "" {
					l = " " // a blank context line whose blank was lost
				}
				switch l[0] {
				case ' ':
					left, right = left-1, right-1
				case '-':
					left--
				case '+':
					right--
				case '\\':
					continue
				default:
					left, right = 0, 0
					i--
					continue
				}
				h.Lines = append(h.Lines, Line{l[0], l[1:]})
			}
			d.Hunks = append(d.Hunks, h)
			for i < len(lines) && strings.HasPrefix(lines[i], `\`) {
				i++
			}
		}
		i--
		if len(d.Hunks) > 0 {
			diffs = append(diffs, d)
		}
	}
	return diffs
}

func lineCount(s string) int {
	if s == "" {
		return 1
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// diffName returns the name in a "--- " or "+++ " line, with its first
// directory taken off as patch -p1 does.
func diffName(line string) string {
	name, _, _ := strings.Cut(line[4:], "\t")
	name = strings.TrimSpace(name)
	if name == "/dev/null" {
		return name
	}
	if _, rest, ok := strings.Cut(name, "/"); ok {
		name = rest
	}
	return path.Clean(name)
}

// A Fit says how a patch fits the files that it is for.
type Fit struct {
	Applies bool
	Landed  bool // it fits in reverse: the files have the change
	Offset  int  // most lines that a hunk had to be moved
	Fuzz    int  // most lines of context that had to be left out, up to 2
	Reason  string
}

// FitFiles applies a patch to files in memory, as patch does: each hunk at its
// line or as near as can be, and then with up to two lines of context less. The
// files are found by name; a nil slice is one that is not there.
func FitFiles(data []byte, file func(name string) ([]byte, bool)) Fit {
	diffs := Parse(data)
	if len(diffs) == 0 {
		return Fit{Reason: "it is no unified diff"}
	}
	fit := fitDiffs(diffs, file, false)
	if !fit.Applies && fitDiffs(diffs, file, true).Applies {
		return Fit{Landed: true}
	}
	return fit
}

func fitDiffs(diffs []File, file func(name string) ([]byte, bool), reverse bool) Fit {
	fit := Fit{Applies: true}
	for _, d := range diffs {
		from := d.Old
		if reverse {
			from = d.New
		}
		if from == "/dev/null" {
			if _, there := file(d.Name()); there {
				return Fit{Reason: d.Name() + " exists already"}
			}
			continue
		}
		text, ok := file(from)
		if !ok {
			return Fit{Reason: "there is no file " + from}
		}
		lines := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
		shift, low := 0, 0
		for n, h := range d.Hunks {
			at, fuzz, ok := h.find(lines, h.Start-1+shift, low, reverse)
			if !ok {
				return Fit{Reason: fmt.Sprintf("hunk %d of %s does not fit", n+1, from)}
			}
			fit.Offset = max(fit.Offset, abs(at-(h.Start-1+shift)))
			fit.Fuzz = max(fit.Fuzz, fuzz)
			old, new := h.sides(reverse)
			low = at + len(old)
			lines = slices.Concat(lines[:at], new, lines[at+len(old):])
			shift = at - (h.Start - 1) + len(new) - len(old)
			low += len(new) - len(old)
		}
	}
	return fit
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// Sides returns the text that a hunk takes and the one that it gives.
func (h *Hunk) Sides() (old, new []string) { return h.sides(false) }

func (h *Hunk) sides(reverse bool) (old, new []string) {
	for _, l := range h.Lines {
		op := l.Op
		if reverse && op != ' ' {
			op = '-' + '+' - op
		}
		if op != '+' {
			old = append(old, l.Text)
		}
		if op != '-' {
			new = append(new, l.Text)
		}
	}
	return old, new
}

// find looks for the place of a hunk, not above low, nearest to want.
func (h *Hunk) find(lines []string, want, low int, reverse bool) (at, fuzz int, ok bool) {
	old, _ := h.sides(reverse)
	head, tail := h.context()
	for fuzz = 0; fuzz <= 2; fuzz++ {
		a, b := min(fuzz, head), min(fuzz, tail)
		if fuzz > 0 && a < fuzz && b < fuzz {
			break
		}
		part := old[a : len(old)-b]
		fits := func(at int) bool {
			i := at + a
			return at >= low && i >= 0 && i+len(part) <= len(lines) && at+len(old) <= len(lines) && slices.Equal(lines[i:i+len(part)], part)
		}
		for off := 0; off <= len(lines); off++ {
			if fits(want + off) {
				return want + off, fuzz, true
			}
			if fits(want - off) {
				return want - off, fuzz, true
			}
		}
	}
	return 0, 0, false
}

// context counts the unchanged lines at both ends.
func (h *Hunk) context() (head, tail int) {
	for head < len(h.Lines) && h.Lines[head].Op == ' ' {
		head++
	}
	for tail < len(h.Lines)-head && h.Lines[len(h.Lines)-1-tail].Op == ' ' {
		tail++
	}
	return head, tail
}
