package render

import (
	"io/fs"
	"strings"

	"specgraft/fedora/macro"
	"specgraft/overlay"
)

// treeFS is a tree as a file system, for evaluating macros that read files.
type treeFS struct{ tree *overlay.Tree }

// Open opens a file or directory of the tree. Directories cannot be listed.
func (t treeFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if f := t.tree.Files[name]; f != nil {
		data, err := f.Bytes()
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return macro.NewFile(name, f.Mode.Perm(), data), nil
	}
	if name == t.tree.Name+".spec" {
		return macro.NewFile(name, 0o644, t.tree.Spec.Normalized()), nil
	}
	for p := range t.tree.Files {
		if name == "." || strings.HasPrefix(p, name+"/") {
			return macro.NewFile(name, fs.ModeDir|0o755, nil), nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
