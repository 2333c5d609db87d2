package absorb

// A hunk is a place where two lists of lines differ: the lines [OldStart,
// OldEnd) of the one stand where the other has [NewStart, NewEnd).
type hunk struct{ oldStart, oldEnd, newStart, newEnd int }

func (h *hunk) size() int { return h.oldEnd - h.oldStart + h.newEnd - h.newStart }

// maxEdits bounds the exact search for the shortest edit script, whose time
// and memory grow with its square. Ranges that differ in more lines are
// divided at lines that both have once.
const maxEdits = 1200

// compare returns the places where two lists differ, in order.
func compare(old, new []int32) []hunk {
	var hunks []hunk
	c := comparison{old: old, new: new, add: func(h hunk) {
		if n := len(hunks); n > 0 && hunks[n-1].oldEnd == h.oldStart && hunks[n-1].newEnd == h.newStart {
			hunks[n-1].oldEnd, hunks[n-1].newEnd = h.oldEnd, h.newEnd
			return
		}
		hunks = append(hunks, h)
	}}
	c.diff(hunk{0, len(old), 0, len(new)}, 0)
	return hunks
}

// distance returns the number of lines that differ.
func distance(hunks []hunk) int {
	n := 0
	for i := range hunks {
		n += hunks[i].size()
	}
	return n
}

type comparison struct {
	old, new []int32
	add      func(hunk)
}

// diff compares one range of both lists.
func (c *comparison) diff(h hunk, depth int) {
	for h.oldStart < h.oldEnd && h.newStart < h.newEnd && c.old[h.oldStart] == c.new[h.newStart] {
		h.oldStart, h.newStart = h.oldStart+1, h.newStart+1
	}
	for h.oldStart < h.oldEnd && h.newStart < h.newEnd && c.old[h.oldEnd-1] == c.new[h.newEnd-1] {
		h.oldEnd, h.newEnd = h.oldEnd-1, h.newEnd-1
	}
	if h.oldStart == h.oldEnd || h.newStart == h.newEnd {
		if h.size() > 0 {
			c.add(h)
		}
		return
	}
	if c.shortest(h) {
		return
	}
	anchors := c.anchors(h)
	if len(anchors) == 0 || depth > 20 {
		c.add(h)
		return
	}
	for _, a := range append(anchors, [2]int{h.oldEnd, h.newEnd}) {
		c.diff(hunk{h.oldStart, a[0], h.newStart, a[1]}, depth+1)
		h.oldStart, h.newStart = a[0], a[1]
	}
}

// shortest finds the shortest edit script of the range by Myers' algorithm, if
// it has no more than maxEdits lines.
func (c *comparison) shortest(h hunk) bool {
	a, b := c.old[h.oldStart:h.oldEnd], c.new[h.newStart:h.newEnd]
	most := min(len(a)+len(b), maxEdits)
	v := make([]int32, 2*most+3)
	off := most + 1
	var trace [][]int32
	for d := 0; d <= most; d++ {
		for k := -d; k <= d; k += 2 {
			var x int
			if k == -d || k != d && v[off+k-1] < v[off+k+1] {
				x = int(v[off+k+1])
			} else {
				x = int(v[off+k-1]) + 1
			}
			y := x - k
			for x < len(a) && y < len(b) && a[x] == b[y] {
				x, y = x+1, y+1
			}
			v[off+k] = int32(x)
			if x >= len(a) && y >= len(b) {
				c.walk(h, trace, d)
				return true
			}
		}
		trace = append(trace, append([]int32(nil), v[off-d:off+d+1]...))
	}
	return false
}

// walk follows the trace back and reports the edits in order.
func (c *comparison) walk(h hunk, trace [][]int32, d int) {
	x, y := h.oldEnd-h.oldStart, h.newEnd-h.newStart
	var back []hunk
	for ; d > 0; d-- {
		v := trace[d-1] // of round d-1, with middle d-1
		at := func(k int) int {
			if i := k + d - 1; i >= 0 && i < len(v) {
				return int(v[i])
			}
			return -1
		}
		k := x - y
		var px, py int
		if k == -d || k != d && at(k-1) < at(k+1) {
			px = at(k + 1)
			py = px - k - 1
			back = append(back, hunk{px, px, py, py + 1})
		} else {
			px = at(k - 1)
			py = px - k + 1
			back = append(back, hunk{px, px + 1, py, py})
		}
		x, y = px, py
	}
	for i := len(back) - 1; i >= 0; i-- {
		e := back[i]
		c.add(hunk{e.oldStart + h.oldStart, e.oldEnd + h.oldStart, e.newStart + h.newStart, e.newEnd + h.newStart})
	}
}

// anchors returns pairs of places of lines that stand once in both ranges, in
// ascending order in both: the longest such list.
func (c *comparison) anchors(h hunk) [][2]int {
	type count struct{ old, new, oldAt, newAt int }
	lines := map[int32]*count{}
	get := func(l int32) *count {
		n := lines[l]
		if n == nil {
			n = &count{}
			lines[l] = n
		}
		return n
	}
	for i := h.oldStart; i < h.oldEnd; i++ {
		n := get(c.old[i])
		n.old, n.oldAt = n.old+1, i
	}
	for i := h.newStart; i < h.newEnd; i++ {
		n := get(c.new[i])
		n.new, n.newAt = n.new+1, i
	}
	var pairs [][2]int
	for i := h.oldStart; i < h.oldEnd; i++ {
		if n := lines[c.old[i]]; n.old == 1 && n.new == 1 {
			pairs = append(pairs, [2]int{i, n.newAt})
		}
	}
	return longestRun(pairs)
}

// longestRun keeps the longest list of pairs that ascend in both places.
func longestRun(pairs [][2]int) [][2]int {
	var tops []int // index of the last pair of the best run of each length
	before := make([]int, len(pairs))
	for i, p := range pairs {
		lo, hi := 0, len(tops)
		for lo < hi {
			if m := (lo + hi) / 2; pairs[tops[m]][1] < p[1] {
				lo = m + 1
			} else {
				hi = m
			}
		}
		before[i] = -1
		if lo > 0 {
			before[i] = tops[lo-1]
		}
		if lo == len(tops) {
			tops = append(tops, i)
		} else {
			tops[lo] = i
		}
	}
	if len(tops) == 0 {
		return nil
	}
	run := make([][2]int, len(tops))
	for i, n := tops[len(tops)-1], len(tops)-1; n >= 0; i, n = before[i], n-1 {
		run[n] = pairs[i]
	}
	return run
}

// A lineSet numbers lines, so that equal lines have equal numbers.
type lineSet map[string]int32

func (s lineSet) number(text string) int32 {
	n, ok := s[text]
	if !ok {
		n = int32(len(s))
		s[text] = n
	}
	return n
}

// A Hunk is a place where two texts differ: the lines [OldStart, OldEnd) of the
// one stand where the other has [NewStart, NewEnd).
type Hunk struct{ OldStart, OldEnd, NewStart, NewEnd int }

// Lines returns the places where two texts, given as lines, differ, in order.
// The list is the shortest one where the texts differ in up to some thousand
// lines, and a good one beyond.
func Lines(old, new []string) []Hunk {
	set := lineSet{}
	number := func(lines []string) []int32 {
		ids := make([]int32, len(lines))
		for i, l := range lines {
			ids[i] = set.number(l)
		}
		return ids
	}
	found := compare(number(old), number(new))
	hunks := make([]Hunk, len(found))
	for i, h := range found {
		hunks[i] = Hunk{h.oldStart, h.oldEnd, h.newStart, h.newEnd}
	}
	return hunks
}
