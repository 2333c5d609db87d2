package review

import (
	"io/fs"
	"os"
	"strings"

	"specgraft/overlay"
	"specgraft/render"
)

// Drift compares a component's directory in the output tree with the files that
// rendering gives and returns what would have to change there. It is empty when
// the directory is as it should be.
func Drift(out *render.Output, component string, files []*overlay.File) ([]FileDiff, error) {
	changes, err := out.Compare(component, files)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	var dir fs.FS
	if root, err := os.OpenRoot(out.Dir); err == nil {
		defer root.Close()
		if sub, err := fs.Sub(root.FS(), render.ComponentDir(component)); err == nil {
			dir = sub
		}
	}
	wanted := map[string]*overlay.File{}
	for _, f := range files {
		wanted[f.Path] = f
	}
	var diffs []FileDiff
	for _, ch := range changes {
		if strings.HasPrefix(ch.Path, "../") {
			continue // an alias, which is a link
		}
		var old, new []byte
		oldMode, newMode := fs.FileMode(0o644), fs.FileMode(0o644)
		if ch.Kind != render.Added && dir != nil {
			st, err := fs.Lstat(dir, ch.Path)
			if err != nil {
				return nil, err
			}
			oldMode = st.Mode()
			if st.Mode().IsRegular() {
				if old, err = fs.ReadFile(dir, ch.Path); err != nil {
					return nil, err
				}
			}
		}
		if f := wanted[ch.Path]; f != nil {
			newMode = f.Mode
			if new, err = f.Bytes(); err != nil {
				return nil, err
			}
		}
		d := CompareFiles(ch.Path, old, new, ch.Kind != render.Added, ch.Kind != render.Removed)
		d.OldMode, d.NewMode = oldMode, newMode
		diffs = append(diffs, d)
	}
	return diffs, nil
}
