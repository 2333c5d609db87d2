package rebase

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// PatchID identifies what a patch does: two patches with the same lines in the
// same files have the same identity, whatever their line numbers, white space,
// dates and messages are, as with git patch-id. It is "" for text that is no
// unified diff.
func PatchID(data []byte) string {
	diffs := parsePatch(string(data))
	if len(diffs) == 0 {
		return ""
	}
	sum := sha256.New()
	slices.SortStableFunc(diffs, func(a, b fileDiff) int { return strings.Compare(a.name(), b.name()) })
	for _, d := range diffs {
		writeLine(sum, "file "+d.name())
		for _, h := range d.hunks {
			for _, l := range h.lines {
				if l.op != ' ' {
					writeLine(sum, string(l.op)+squeeze(l.text))
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

// A fileDiff is what a patch does to one file.
type fileDiff struct {
	old, new string // names as written, without a/ and b/
	hunks    []diffHunk
}

// name is the file that the patch leaves, without its first directory.
func (d *fileDiff) name() string {
	if d.new != "/dev/null" {
		return d.new
	}
	return d.old
}

type diffHunk struct {
	start int // line in the old file, from 1
	lines []diffLine
}

type diffLine struct {
	op   byte // ' ', '-' or '+'
	text string
}

var hunkHeader = regexp.MustCompile(`^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@`)

// parsePatch reads the files and hunks of a unified diff; what is not part of
// one is passed over.
func parsePatch(text string) []fileDiff {
	lines := strings.Split(text, "\n")
	var diffs []fileDiff
	for i := 0; i < len(lines); i++ {
		if !strings.HasPrefix(lines[i], "--- ") || i+1 >= len(lines) || !strings.HasPrefix(lines[i+1], "+++ ") {
			continue
		}
		d := fileDiff{old: diffName(lines[i]), new: diffName(lines[i+1])}
		i += 2
		for i < len(lines) {
			m := hunkHeader.FindStringSubmatch(lines[i])
			if m == nil {
				break
			}
			start, _ := strconv.Atoi(m[1])
			left, right := lineCount(m[2]), lineCount(m[4])
			h := diffHunk{start: start}
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
				h.lines = append(h.lines, diffLine{l[0], l[1:]})
			}
			d.hunks = append(d.hunks, h)
			for i < len(lines) && strings.HasPrefix(lines[i], `\`) {
				i++
			}
		}
		i--
		if len(d.hunks) > 0 {
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

// FitPatch applies a patch to files in memory, as patch does: each hunk at its
// line or as near as can be, and then with up to two lines of context less. The
// files are found by name; a nil slice is one that is not there.
func FitPatch(data []byte, file func(name string) ([]byte, bool)) Fit {
	diffs := parsePatch(string(data))
	if len(diffs) == 0 {
		return Fit{Reason: "it is no unified diff"}
	}
	fit := fitDiffs(diffs, file, false)
	if !fit.Applies && fitDiffs(diffs, file, true).Applies {
		return Fit{Landed: true}
	}
	return fit
}

func fitDiffs(diffs []fileDiff, file func(name string) ([]byte, bool), reverse bool) Fit {
	fit := Fit{Applies: true}
	for _, d := range diffs {
		from := d.old
		if reverse {
			from = d.new
		}
		if from == "/dev/null" {
			if _, there := file(d.name()); there {
				return Fit{Reason: d.name() + " exists already"}
			}
			continue
		}
		text, ok := file(from)
		if !ok {
			return Fit{Reason: "there is no file " + from}
		}
		lines := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
		shift, low := 0, 0
		for n, h := range d.hunks {
			at, fuzz, ok := h.find(lines, h.start-1+shift, low, reverse)
			if !ok {
				return Fit{Reason: fmt.Sprintf("hunk %d of %s does not fit", n+1, from)}
			}
			fit.Offset = max(fit.Offset, abs(at-(h.start-1+shift)))
			fit.Fuzz = max(fit.Fuzz, fuzz)
			old, new := h.sides(reverse)
			low = at + len(old)
			lines = slices.Concat(lines[:at], new, lines[at+len(old):])
			shift = at - (h.start - 1) + len(new) - len(old)
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

func (h *diffHunk) sides(reverse bool) (old, new []string) {
	for _, l := range h.lines {
		op := l.op
		if reverse && op != ' ' {
			op = '-' + '+' - op
		}
		if op != '+' {
			old = append(old, l.text)
		}
		if op != '-' {
			new = append(new, l.text)
		}
	}
	return old, new
}

// find looks for the place of a hunk, not above low, nearest to want.
func (h *diffHunk) find(lines []string, want, low int, reverse bool) (at, fuzz int, ok bool) {
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
func (h *diffHunk) context() (head, tail int) {
	for head < len(h.lines) && h.lines[head].op == ' ' {
		head++
	}
	for tail < len(h.lines)-head && h.lines[len(h.lines)-1-tail].op == ' ' {
		tail++
	}
	return head, tail
}

// A SourceTree is the unpacked archive that a spec's patches are for.
type SourceTree struct {
	Archive string // its name
	// File returns a file by its path below the archive's top directory.
	File func(name string) ([]byte, bool)
}

// holdPatch says how the overlay's patch fits the sources of the new upstream.
func (x *exchange) holdPatch(o *Overlay, name string, data []byte) {
	say := func(text string) {
		if o.Reason != "" {
			text = o.Reason + "; " + text
		}
		o.Reason = text
	}
	if x.opt.Sources == nil {
		say("whether the patch applies is not checked: the sources are not at hand")
		return
	}
	src, err := x.opt.Sources(x.b1)
	if err != nil || src == nil {
		why := "its sources are not in the cache"
		if err != nil {
			why = err.Error()
		}
		say("whether the patch applies is not checked: " + why)
		return
	}
	switch fit := FitPatch(data, src.File); {
	case fit.Landed:
		o.Verdict, o.Reason = Landed, fmt.Sprintf("%s has the change", src.Archive)
		o.Places = append(o.Places, filePlace(name, "old", "landed"))
	case !fit.Applies && fit.Reason == "it is no unified diff":
		say("whether the patch applies is not checked: " + fit.Reason)
	case !fit.Applies:
		o.Verdict = Broken
		say(fmt.Sprintf("the patch does not apply to %s: %s", src.Archive, fit.Reason))
		x.wanted = nil
	case fit.Offset > 0 || fit.Fuzz > 0:
		if o.Verdict == Clean {
			o.Verdict = Moved
		}
		say(fmt.Sprintf("the patch applies to %s with offset %d and fuzz %d", src.Archive, fit.Offset, fit.Fuzz))
	default:
		say("the patch applies to " + src.Archive)
	}
}
