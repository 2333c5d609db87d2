package semantic

import (
	"io/fs"
	"strings"

	"specgraft/fedora/macro"
)

// A Tree is the files of a packaging as functions that read them, by their
// paths with slashes. It serves as Packaging.FS; directories cannot be listed.
type Tree map[string]func() ([]byte, error)

// Open implements fs.FS.
func (t Tree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if read := t[name]; read != nil {
		data, err := read()
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return macro.NewFile(name, 0o644, data), nil
	}
	for p := range t {
		if name == "." || strings.HasPrefix(p, name+"/") {
			return macro.NewFile(name, fs.ModeDir|0o755, nil), nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
