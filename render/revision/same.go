package revision

import (
	"maps"
	"slices"
	"strings"

	"specgraft/fedora/distgit"
)

// SameInputs reports whether two commits differ in nothing but results, such as
// rendered specs, so that all components have the same configuration and locks.
// It says no where that would take more than to look at a few directories, as
// in the working tree.
func (r *Revision) SameInputs(o *Revision) bool {
	if r == o {
		return true
	}
	if r.id == "" || o.id == "" {
		return false
	}
	a, err := r.Commit()
	if err != nil {
		return false
	}
	b, err := o.Commit()
	if err != nil || !r.history.sameBeside(a.Tree, b.Tree, "", r.history.results()) {
		return false
	}
	x, err := r.Locks()
	if err != nil {
		return false
	}
	y, err := o.Locks()
	return err == nil && maps.Equal(x, y)
}

// sameBeside compares two trees but for what is below some directories. dir is
// where the trees are, with a slash at its end, "" for the top level.
func (h *History) sameBeside(a, b, dir string, results []string) bool {
	if a == b {
		return true
	}
	if !slices.ContainsFunc(results, func(res string) bool { return strings.HasPrefix(res, dir) }) {
		return false // all of it counts
	}
	x, err := h.repo.Tree(a)
	if err != nil {
		return false
	}
	y, err := h.repo.Tree(b)
	if err != nil {
		return false
	}
	beside := func(list []distgit.TreeEntry) []distgit.TreeEntry {
		return slices.DeleteFunc(slices.Clone(list), func(e distgit.TreeEntry) bool {
			return e.IsDir() && slices.Contains(results, dir+e.Name+"/")
		})
	}
	x, y = beside(x), beside(y)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		p, q := x[i], y[i]
		switch {
		case p == q:
		case p.Name != q.Name || !p.IsDir() || !q.IsDir() || !h.sameBeside(p.ID, q.ID, dir+p.Name+"/", results):
			return false
		}
	}
	return true
}
