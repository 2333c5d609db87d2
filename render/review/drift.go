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
	return DriftOf(changes, files, func(path string) (fs.FileMode, []byte, error) {
		if dir == nil {
			return 0o644, nil, nil
		}
		st, err := fs.Lstat(dir, path)
		if err != nil || !st.Mode().IsRegular() {
			var mode fs.FileMode
			if err == nil {
				mode = st.Mode()
			}
			return mode, nil, err
		}
		data, err := fs.ReadFile(dir, path)
		return st.Mode(), data, err
	})
}

// DriftOf is Drift for a directory that was compared already. old returns the mode
// of a file in it, and its content when it is a regular one.
func DriftOf(changes []render.Change, files []*overlay.File, old func(path string) (fs.FileMode, []byte, error)) ([]FileDiff, error) {
	wanted := map[string]*overlay.File{}
	for _, f := range files {
		wanted[f.Path] = f
	}
	var diffs []FileDiff
	for _, ch := range changes {
		if strings.HasPrefix(ch.Path, "../") {
			continue // an alias, which is a link
		}
		var before, after []byte
		oldMode, newMode := fs.FileMode(0o644), fs.FileMode(0o644)
		var err error
		if ch.Kind != render.Added {
			if oldMode, before, err = old(ch.Path); err != nil {
				return nil, err
			}
		}
		if f := wanted[ch.Path]; f != nil {
			newMode = f.Mode
			if after, err = f.Bytes(); err != nil {
				return nil, err
			}
		}
		d := CompareFiles(ch.Path, before, after, ch.Kind != render.Added, ch.Kind != render.Removed)
		d.OldMode, d.NewMode = oldMode, newMode
		diffs = append(diffs, d)
	}
	return diffs, nil
}
