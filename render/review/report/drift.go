package report

import (
	"cmp"
	"io/fs"
	"slices"
	"strings"

	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/review"
	"specgraft/render/revision"
)

// drift returns the patch that makes the checked-in directory of a component what
// rendering gives, "" when it is. Its paths begin at the top of the repository.
func (b *builder) drift(component string, files []*overlay.File) (string, error) {
	found, err := b.to.Files(component)
	if err != nil {
		return "", err
	}
	known := map[string]*revision.File{}
	for i := range found {
		known[found[i].Path] = &found[i]
	}
	if len(known) > 0 && known[specName(component)] == nil && known[render.FailedName] == nil {
		return "", &diag.Diagnostic{Code: "render/not-ours", Message: b.directory(component) + " was not rendered: it has neither " + specName(component) + " nor " + render.FailedName}
	}
	changes, err := b.changes(known, files)
	if err != nil || len(changes) == 0 {
		return "", err
	}
	diffs, err := review.DriftOf(changes, files, func(path string) (fs.FileMode, []byte, error) {
		f := known[path]
		if f.Link {
			return fs.ModeSymlink | 0o777, nil, nil
		}
		data, err := b.to.ReadFile(component, path)
		return modeOf(f), data, err
	})
	if err != nil {
		return "", err
	}
	var patch strings.Builder
	for i := range diffs {
		if err := diffs[i].Write(&patch, review.Style{Prefix: b.directory(component) + "/"}); err != nil {
			return "", err
		}
	}
	return patch.String(), nil
}

// directory is where a component is rendered, in the repository.
func (b *builder) directory(component string) string {
	return strings.TrimPrefix(b.opt.Rendered+"/"+render.ComponentDir(component), "/")
}

// changes compares what is checked in with the files that rendering gives, as
// files of its directory.
func (b *builder) changes(known map[string]*revision.File, files []*overlay.File) ([]render.Change, error) {
	var changes []render.Change
	wanted := map[string]bool{}
	for _, w := range files {
		wanted[w.Path] = true
		f := known[w.Path]
		if f == nil {
			changes = append(changes, render.Change{Path: w.Path, Kind: render.Added})
			continue
		}
		data, err := w.Bytes()
		switch {
		case err != nil:
			return nil, err
		case f.Link || !b.to.Has(f, data):
			changes = append(changes, render.Change{Path: w.Path, Kind: render.Changed})
		case f.Executable != (w.Mode&0o100 != 0):
			changes = append(changes, render.Change{Path: w.Path, Kind: render.Mode})
		}
	}
	for path := range known {
		if !wanted[path] {
			changes = append(changes, render.Change{Path: path, Kind: render.Removed})
		}
	}
	slices.SortFunc(changes, func(x, y render.Change) int { return cmp.Compare(x.Path, y.Path) })
	return changes, nil
}

func modeOf(f *revision.File) fs.FileMode {
	if f.Executable {
		return 0o755
	}
	return 0o644
}
