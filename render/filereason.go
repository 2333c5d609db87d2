package render

import (
	"slices"
	"strings"
)

// A FileReason says whether a file of a component's source tree is part of the
// rendered tree, and why.
type FileReason struct {
	Path   string `json:"path"` // slash-separated, below the component's directory
	Keep   bool   `json:"keep"`
	Reason string `json:"reason"` // one line
}

// gitOwn reports whether a file of a component is git's and not packaging.
func gitOwn(path string) bool { return path == ".git" || strings.HasPrefix(path, ".git/") }

// FileReasons returns the verdict over every file that the component had before
// the file filter, sorted by path; those it dropped are among them. There are
// none when the component failed before.
func (r *Result) FileReasons() []FileReason {
	why := map[string]string{r.Component + ".spec": "the spec", "sources": "the sources file"}
	for _, e := range r.Filter {
		why[e.Name] = e.Reason
	}
	list := make([]FileReason, 0, len(r.Files)+len(r.dropped))
	add := func(path string, keep bool) {
		first, _, _ := strings.Cut(path, "/")
		reason, ok := why[first]
		if !ok {
			reason = "nothing is dropped: the file filter is off (render.skip-file-filter)"
		}
		list = append(list, FileReason{path, keep, reason})
	}
	for _, f := range r.Files {
		add(f.Path, true)
	}
	for _, f := range r.dropped {
		if gitOwn(f.Path) {
			list = append(list, FileReason{f.Path, false, "git's own files are never part of a package"})
			continue
		}
		add(f.Path, false)
	}
	slices.SortFunc(list, func(a, b FileReason) int { return strings.Compare(a.Path, b.Path) })
	return list
}
