package rebase

import (
	"slices"
	"strings"

	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/spec"
)

// An effect is what an operation does at one place of a spec: in the place of
// the lines [at, at+len(old)) stand new ones.
type effect struct {
	at       int
	old, new []string
}

// effects reads what the last operation on a file did from its log. Places are
// counted in the lines as they were before it.
func effects(f *spec.File) []effect {
	var list []effect
	for _, e := range f.Log() {
		if e.Split {
			continue // of lines that an edit before it wrote
		}
		x := effect{at: e.Index}
		for _, l := range e.Old {
			x.old = append(x.old, l.Text)
		}
		for _, l := range e.New {
			x.new = append(x.new, strings.Split(l.Text, "\n")...)
		}
		for len(x.old) > 0 && len(x.new) > 0 && x.old[0] == x.new[0] {
			x.at, x.old, x.new = x.at+1, x.old[1:], x.new[1:]
		}
		for len(x.old) > 0 && len(x.new) > 0 && x.old[len(x.old)-1] == x.new[len(x.new)-1] {
			x.old, x.new = x.old[:len(x.old)-1], x.new[:len(x.new)-1]
		}
		if len(x.old)+len(x.new) > 0 {
			list = append(list, x)
		}
	}
	slices.SortStableFunc(list, func(a, b effect) int { return a.at - b.at })
	return list
}

// divided takes removals apart into the places that the operation counts: tags
// are lines, sections begin with their headers.
func divided(list []effect, t overlay.Type, f *spec.File) []effect {
	if t != overlay.RemoveTag && t != overlay.RemoveSection && t != overlay.RemoveSubpackage && t != overlay.PatchRemove {
		return list
	}
	var out []effect
	for _, e := range list {
		if len(e.new) > 0 {
			out = append(out, e)
			continue
		}
		for k, l := range e.old {
			line := f.Line(e.at + k)
			starts := line.Kind() == spec.Header
			if t == overlay.RemoveTag || t == overlay.PatchRemove {
				starts = true
			}
			if k == 0 || starts {
				out = append(out, effect{at: e.at + k})
			}
			last := &out[len(out)-1]
			last.old = append(last.old, l)
		}
	}
	return out
}

// with returns lines after some effects, which ascend.
func with(lines []string, list []effect) []string {
	var out []string
	next := 0
	for _, e := range list {
		if e.at < next {
			continue
		}
		out = append(out, lines[next:e.at]...)
		out = append(out, e.new...)
		next = e.at + len(e.old)
	}
	return append(out, lines[next:]...)
}

// size is the number of lines that differ.
func size(hunks []absorb.Hunk) int {
	n := 0
	for _, h := range hunks {
		n += h.OldEnd - h.OldStart + h.NewEnd - h.NewStart
	}
	return n
}

// contained reports whether the difference between old and new upstream has the
// effects in it: whether the text with them lies on the way from the one to the
// other.
func (x *exchange) contained(list []effect) bool {
	mid := with(x.old, list)
	own := size(absorb.Lines(x.old, mid))
	all := size(x.hunks)
	return own > 0 && own <= all && own+size(absorb.Lines(mid, x.new)) <= all
}

// counterpart returns the line of the new upstream that line i of the old one
// is, -1 when it is gone or changed.
func (x *exchange) counterpart(i int) int {
	shift := 0
	for _, h := range x.hunks {
		if i < h.OldStart {
			break
		}
		if i < h.OldEnd {
			return -1
		}
		shift = h.NewEnd - h.OldEnd
	}
	return i + shift
}

// hunkAt returns the difference that line i of the old upstream lies in or
// touches.
func (x *exchange) hunkAt(i int) (absorb.Hunk, bool) {
	for _, h := range x.hunks {
		if i >= h.OldStart && i < h.OldEnd || i == h.OldStart && h.OldStart == h.OldEnd {
			return h, true
		}
	}
	return absorb.Hunk{}, false
}

// sectionOf names the section and package that line i of a spec belongs to. A
// place behind the last line of a section belongs to it when end is set.
func sectionOf(f *spec.File, i int, end bool) (name, pkg string) {
	if end && i > 0 {
		i--
	}
	if f.Len() == 0 {
		return "", ""
	}
	s := f.Sections()[f.SectionAt(min(max(i, 0), f.Len()-1))]
	return s.Name, s.Package
}

// hasSection reports whether a spec has a section of that name and package.
func hasSection(f *spec.File, name, pkg string) bool {
	return slices.ContainsFunc(f.Sections(), func(s spec.Section) bool { return s.Name == name && s.Package == pkg })
}

// alike says how much two lines have in common, from 0 to 1: of their words,
// and of their beginnings and ends.
func alike(a, b string) float64 {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	if a == "" || b == "" {
		return 0
	}
	p := 0
	for p < len(a) && p < len(b) && a[p] == b[p] {
		p++
	}
	q := 0
	for q < len(a)-p && q < len(b)-p && a[len(a)-1-q] == b[len(b)-1-q] {
		q++
	}
	ends := float64(p+q) / float64(max(len(a), len(b)))
	x, y := strings.Fields(a), strings.Fields(b)
	same := 0
	left := map[string]int{}
	for _, w := range x {
		left[w]++
	}
	for _, w := range y {
		if left[w] > 0 {
			left[w]--
			same++
		}
	}
	return max(ends, float64(2*same)/float64(len(x)+len(y)))
}

// containsWord reports whether a text has a word that is delimited by blanks or
// brackets.
func containsWord(text, word string) bool {
	return slices.Contains(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == '(' || r == ')' }), word)
}

// indexOf returns where some lines stand in others, -1 when they do not.
func indexOf(lines, part []string) int {
	if len(part) == 0 {
		return -1
	}
	for i := 0; i+len(part) <= len(lines); i++ {
		if slices.Equal(lines[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}
