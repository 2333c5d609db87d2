package semantic

import "sort"

// An alignment says which lines of two texts are the same.
type alignment struct {
	toNew, toOld []int // index in the other text, -1 for none
}

// A hunk is a run of lines that differ: [o0, o1) became [n0, n1).
type hunk struct{ o0, o1, n0, n1 int }

// align matches the lines of two texts. Lines that are there once on both sides
// hold the match together, and equal lines beside matched ones join them; so the
// cost stays within n log n.
func align(a, b []string) *alignment {
	m := &alignment{toNew: make([]int, len(a)), toOld: make([]int, len(b))}
	for i := range m.toNew {
		m.toNew[i] = -1
	}
	for i := range m.toOld {
		m.toOld[i] = -1
	}
	m.span(a, b, 0, len(a), 0, len(b), 0)
	return m
}

// span aligns a[a0:a1] with b[b0:b1].
func (m *alignment) span(a, b []string, a0, a1, b0, b1, depth int) {
	set := func(i, j int) { m.toNew[i], m.toOld[j] = j, i }
	for a0 < a1 && b0 < b1 && a[a0] == b[b0] {
		set(a0, b0)
		a0, b0 = a0+1, b0+1
	}
	for a0 < a1 && b0 < b1 && a[a1-1] == b[b1-1] {
		a1, b1 = a1-1, b1-1
		set(a1, b1)
	}
	if a0 == a1 || b0 == b1 || depth > 100 {
		return
	}
	anchors := unique(a, b, a0, a1, b0, b1)
	if len(anchors) == 0 {
		m.small(a, b, a0, a1, b0, b1)
		return
	}
	i, j := a0, b0
	for _, p := range anchors {
		m.span(a, b, i, p[0], j, p[1], depth+1)
		set(p[0], p[1])
		i, j = p[0]+1, p[1]+1
	}
	m.span(a, b, i, a1, j, b1, depth+1)
}

// small finds the longest common subsequence of short runs. Long ones without
// a single unique line have none worth the time.
func (m *alignment) small(a, b []string, a0, a1, b0, b1 int) {
	n, k := a1-a0, b1-b0
	if n*k > 250_000 {
		return
	}
	table := make([]int32, (n+1)*(k+1))
	at := func(i, j int) *int32 { return &table[i*(k+1)+j] }
	for i := n - 1; i >= 0; i-- {
		for j := k - 1; j >= 0; j-- {
			if a[a0+i] == b[b0+j] {
				*at(i, j) = *at(i+1, j+1) + 1
			} else {
				*at(i, j) = max(*at(i+1, j), *at(i, j+1))
			}
		}
	}
	for i, j := 0, 0; i < n && j < k; {
		switch {
		case a[a0+i] == b[b0+j]:
			m.toNew[a0+i], m.toOld[b0+j] = b0+j, a0+i
			i, j = i+1, j+1
		case *at(i+1, j) >= *at(i, j+1):
			i++
		default:
			j++
		}
	}
}

// unique returns the longest rising sequence of pairs of lines that stand once
// in each of the spans.
func unique(a, b []string, a0, a1, b0, b1 int) [][2]int {
	type count struct{ a, b, at int }
	seen := map[string]*count{}
	for i := a0; i < a1; i++ {
		if c := seen[a[i]]; c != nil {
			c.a++
		} else {
			seen[a[i]] = &count{a: 1}
		}
	}
	for j := b0; j < b1; j++ {
		if c := seen[b[j]]; c != nil {
			c.b++
			c.at = j
		}
	}
	var pairs [][2]int
	for i := a0; i < a1; i++ {
		if c := seen[a[i]]; c.a == 1 && c.b == 1 {
			pairs = append(pairs, [2]int{i, c.at})
		}
	}
	return rising(pairs)
}

// rising returns a longest subsequence with rising second elements.
func rising(pairs [][2]int) [][2]int {
	var ends []int // index in pairs of the end of the best sequence of each length
	before := make([]int, len(pairs))
	for i, p := range pairs {
		k := sort.Search(len(ends), func(k int) bool { return pairs[ends[k]][1] >= p[1] })
		before[i] = -1
		if k > 0 {
			before[i] = ends[k-1]
		}
		if k == len(ends) {
			ends = append(ends, i)
		} else {
			ends[k] = i
		}
	}
	if len(ends) == 0 {
		return nil
	}
	out := make([][2]int, len(ends))
	for i, k := ends[len(ends)-1], len(ends)-1; i >= 0; i, k = before[i], k-1 {
		out[k] = pairs[i]
	}
	return out
}

// hunks returns the runs that differ.
func (m *alignment) hunks() []hunk {
	var out []hunk
	i, j := 0, 0
	for i < len(m.toNew) || j < len(m.toOld) {
		if i < len(m.toNew) && j < len(m.toOld) && m.toNew[i] == j {
			i, j = i+1, j+1
			continue
		}
		h := hunk{o0: i, n0: j}
		for i < len(m.toNew) && m.toNew[i] < 0 {
			i++
		}
		for j < len(m.toOld) && m.toOld[j] < 0 {
			j++
		}
		h.o1, h.n1 = i, j
		if h.o0 == h.o1 && h.n0 == h.n1 {
			return out // never for an alignment made by align
		}
		out = append(out, h)
	}
	return out
}
