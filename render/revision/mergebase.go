package revision

import (
	"container/heap"
	"fmt"
	"slices"

	"specgraft/fedora/distgit"
	"specgraft/overlay/diag"
)

// Between returns the two revisions that a comparison "A...B" is about: the
// best common ancestor of A and B, and B. An empty A or B stands for HEAD.
func (h *History) Between(a, b string) (from, to *Revision, err error) {
	ends := [2]*Revision{}
	for i, ref := range []string{a, b} {
		if ref == "" {
			ref = "HEAD"
		}
		if ends[i], err = h.Resolve(ref); err != nil {
			return nil, nil, err
		}
	}
	from, err = h.MergeBase(ends[0], ends[1])
	return from, ends[1], err
}

// MergeBase returns the best common ancestor of two revisions, the one that git
// merge-base prints: a commit that both have in their history and that is no
// ancestor of another such commit; the newest where there are several. The
// working tree counts as HEAD. Without one the error is a diagnostic with the
// code history/no-base.
func (h *History) MergeBase(a, b *Revision) (*Revision, error) {
	ids := [2]string{a.id, b.id}
	for i := range ids {
		if ids[i] == "" {
			head, err := h.repo.Head()
			if err != nil {
				return nil, err
			}
			ids[i] = head
		}
	}
	bases, err := h.commonAncestors(ids[0], ids[1])
	if err != nil {
		return nil, err
	}
	// The walk goes by dates, which may lie: what is behind another is no base.
	best := slices.Clone(bases)
	for _, x := range bases {
		for _, y := range bases {
			if x == y || len(bases) < 2 {
				continue
			}
			common, err := h.commonAncestors(x, y)
			if err != nil {
				return nil, err
			}
			if slices.Contains(common, x) { // x is an ancestor of y
				best = slices.DeleteFunc(best, func(id string) bool { return id == x })
				break
			}
		}
	}
	if len(best) == 0 {
		hint := "name two commits with a common history"
		if len(h.repo.Shallow()) > 0 {
			hint = "the project is a shallow clone; run git fetch --unshallow"
		}
		return nil, &diag.Diagnostic{Code: "history/no-base",
			Message: fmt.Sprintf("%s and %s have no ancestor in common", a, b), Hint: hint}
	}
	return h.at(best[0]), nil
}

// Sides of a walk, as bits.
const (
	ofA   = 1 << iota // an ancestor of the first commit
	ofB               // an ancestor of the second
	stale             // behind a common ancestor
	found
)

// commonAncestors walks back from two commits, newest first, and returns the
// commits where both walks meet, newest first.
func (h *History) commonAncestors(a, b string) ([]string, error) {
	if a == b {
		return []string{a}, nil
	}
	shallow := h.repo.Shallow()
	flags := map[string]int{}
	queue := &dateQueue{}
	push := func(id string, f int) error {
		if flags[id]&f == f {
			return nil
		}
		flags[id] |= f
		c, err := h.repo.Commit(id)
		if err == nil {
			heap.Push(queue, dated{c, len(flags)})
		}
		return err
	}
	if err := push(a, ofA); err != nil {
		return nil, err
	}
	if err := push(b, ofB); err != nil {
		return nil, err
	}
	var met []string
	for slices.ContainsFunc(*queue, func(d dated) bool { return flags[d.ID]&stale == 0 }) {
		if err := h.ctx.Err(); err != nil {
			return nil, err
		}
		c := heap.Pop(queue).(dated)
		f := flags[c.ID] & (ofA | ofB | stale)
		if f == ofA|ofB {
			if flags[c.ID]&found == 0 {
				flags[c.ID] |= found
				met = append(met, c.ID)
			}
			f |= stale
		}
		if shallow[c.ID] {
			continue
		}
		for _, p := range c.Parents {
			if err := push(p, f); err != nil {
				return nil, err
			}
		}
	}
	return slices.DeleteFunc(met, func(id string) bool { return flags[id]&stale != 0 }), nil
}

type dated struct {
	*distgit.Commit
	n int // order of arrival, for equal dates
}

// dateQueue is a heap with the newest commit on top.
type dateQueue []dated

func (q dateQueue) Len() int { return len(q) }
func (q dateQueue) Less(i, j int) bool {
	if a, b := q[i].Committer.When, q[j].Committer.When; !a.Equal(b) {
		return a.After(b)
	}
	return q[i].n < q[j].n
}
func (q dateQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *dateQueue) Push(x any)   { *q = append(*q, x.(dated)) }
func (q *dateQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}
