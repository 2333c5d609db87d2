package plan

import (
	"cmp"
	"slices"
)

// A Cycle is a set of components that need each other, so that none of them can
// be the first.
type Cycle struct {
	Components []string `json:"components"` // sorted
	// Cut are edges without which the rest can be ordered. The needing component
	// has to be built a first time without, and again when the others are there.
	Cut []Edge `json:"cut"`
}

// A digraph is a set of nodes by number with the nodes that each needs.
type digraph struct {
	needs [][]int
}

// components returns the strongly connected components, each sorted, in an order
// in which each stands behind those that it needs. It does not recurse: a chain
// may have as many nodes as there are packages.
func (d *digraph) components(alive func(from, to int) bool) [][]int {
	n := len(d.needs)
	number, low := make([]int, n), make([]int, n)
	on := make([]bool, n)
	var stack []int
	var out [][]int
	next := 0
	type frame struct{ node, edge int }
	for root := range n {
		if number[root] != 0 {
			continue
		}
		work := []frame{{root, 0}}
		for len(work) > 0 {
			f := &work[len(work)-1]
			v := f.node
			if f.edge == 0 {
				next++
				number[v], low[v], on[v] = next, next, true
				stack = append(stack, v)
			}
			descended := false
			for f.edge < len(d.needs[v]) {
				w := d.needs[v][f.edge]
				f.edge++
				if alive != nil && !alive(v, w) {
					continue
				}
				if number[w] == 0 {
					work = append(work, frame{w, 0})
					descended = true
					break
				}
				if on[w] {
					low[v] = min(low[v], number[w])
				}
			}
			if descended {
				continue
			}
			if low[v] == number[v] {
				var scc []int
				for {
					w := stack[len(stack)-1]
					stack = stack[:len(stack)-1]
					on[w] = false
					scc = append(scc, w)
					if w == v {
						break
					}
				}
				slices.Sort(scc)
				out = append(out, scc)
			}
			work = work[:len(work)-1]
			if len(work) > 0 {
				p := &work[len(work)-1]
				low[p.node] = min(low[p.node], low[v])
			}
		}
	}
	return out
}

// cuts returns edges without which the nodes of a strongly connected component can
// be ordered; each is needed for that. cost says how bad it is to cut an edge: the
// cheap ones go first.
//
// The nodes are put in a row from both ends, those that need little of the others
// first, those that little needs last (Eades, Lin and Smyth); what leads forward is
// a candidate. Finding the smallest set is hard, and a farm is better off with
// edges that the packager meant to be cut.
func (d *digraph) cuts(scc []int, cost func(from, to int) int) [][2]int {
	in := map[int]bool{}
	for _, v := range scc {
		in[v] = true
	}
	type weights struct{ needs, needed int }
	w := map[int]*weights{}
	users := map[int][]int{}
	for _, v := range scc {
		w[v] = &weights{}
	}
	for _, v := range scc {
		for _, to := range d.needs[v] {
			if in[to] && to != v {
				w[v].needs += cost(v, to)
				w[to].needed += cost(v, to)
				users[to] = append(users[to], v)
			}
		}
	}
	left := map[int]bool{}
	for _, v := range scc {
		left[v] = true
	}
	take := func(v int) {
		delete(left, v)
		for _, to := range d.needs[v] {
			if left[to] {
				w[to].needed -= cost(v, to)
			}
		}
		for _, u := range users[v] {
			if left[u] {
				w[u].needs -= cost(u, v)
			}
		}
	}
	var first, last []int
	for len(left) > 0 {
		best := -1
		for _, v := range scc { // sorted, so that the choice is always the same
			if !left[v] {
				continue
			}
			if w[v].needs == 0 || w[v].needed == 0 {
				best = v
				break
			}
			if best < 0 || w[v].needed-w[v].needs > w[best].needed-w[best].needs {
				best = v
			}
		}
		if w[best].needs > 0 && w[best].needed == 0 {
			last = append(last, best)
		} else {
			first = append(first, best)
		}
		take(best)
	}
	slices.Reverse(last)
	place := map[int]int{}
	for i, v := range append(first, last...) {
		place[v] = i
	}
	var cut [][2]int
	gone := map[[2]int]bool{}
	for _, v := range scc {
		for _, to := range d.needs[v] {
			if in[to] && to != v && place[to] > place[v] {
				cut = append(cut, [2]int{v, to})
				gone[[2]int{v, to}] = true
			}
		}
	}
	// Give back what does no harm, the dearest first.
	back := slices.Clone(cut)
	slices.SortStableFunc(back, func(a, b [2]int) int { return cmp.Compare(cost(b[0], b[1]), cost(a[0], a[1])) })
	for _, e := range back {
		if !d.reaches(e[1], e[0], in, gone) {
			delete(gone, e)
		}
	}
	return slices.DeleteFunc(cut, func(e [2]int) bool { return !gone[e] })
}

// reaches reports whether a needs b, directly or not, within a set and without the
// edges that are gone.
func (d *digraph) reaches(a, b int, in map[int]bool, gone map[[2]int]bool) bool {
	seen := map[int]bool{a: true}
	work := []int{a}
	for len(work) > 0 {
		v := work[len(work)-1]
		work = work[:len(work)-1]
		if v == b {
			return true
		}
		for _, to := range d.needs[v] {
			if in[to] && !seen[to] && !gone[[2]int{v, to}] {
				seen[to] = true
				work = append(work, to)
			}
		}
	}
	return false
}
