package cli

import (
	"path/filepath"
	"strings"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/render"
	"specgraft/render/review"
)

// DriftText returns the patch that makes a component's directory what the files
// say, "" when it is. Its paths begin at the top of the project's repository, so
// that git apply takes it there.
func DriftText(out *render.Output, p *components.Project, component string, files []*overlay.File) (string, error) {
	diffs, err := review.Drift(out, component, files)
	if err != nil {
		return "", err
	}
	prefix := render.ComponentDir(component) + "/"
	if rel, err := filepath.Rel(p.Root, out.Dir); err == nil && filepath.IsLocal(rel) {
		prefix = filepath.ToSlash(rel) + "/" + prefix
	}
	var b strings.Builder
	for i := range diffs {
		if err := diffs[i].Write(&b, review.Style{Prefix: prefix}); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}
