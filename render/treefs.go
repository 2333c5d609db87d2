package render

import (
	"io/fs"
	"path"
	"strings"
	"time"

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
		return &openFile{strings.NewReader(string(data)), fileInfo{path.Base(name), f.Mode.Perm(), int64(len(data))}}, nil
	}
	if name == t.tree.Name+".spec" {
		data := t.tree.Spec.Normalized()
		return &openFile{strings.NewReader(string(data)), fileInfo{name, 0o644, int64(len(data))}}, nil
	}
	for p := range t.tree.Files {
		if name == "." || strings.HasPrefix(p, name+"/") {
			return &openFile{strings.NewReader(""), fileInfo{path.Base(name), fs.ModeDir | 0o755, 0}}, nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

type openFile struct {
	*strings.Reader
	info fileInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

type fileInfo struct {
	name string
	mode fs.FileMode
	size int64
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return i.mode }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) IsDir() bool        { return i.mode.IsDir() }
func (i fileInfo) Sys() any           { return nil }
