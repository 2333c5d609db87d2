package overlay

import (
	"io/fs"

	"specgraft/overlay/spec"
)

// A Tree is one component in memory: its spec and its other files.
type Tree struct {
	Name  string           // component name
	Spec  *spec.File       // the component's spec; its Name is the file name
	Files map[string]*File // by slash path below the component's directory, without the spec
}

// A File is a sidecar file. Its content may be loaded when first needed.
type File struct {
	Path   string       // slash path below the component's directory
	Mode   fs.FileMode  // permission bits
	Origin *spec.Origin // who wrote or last changed it; nil for upstream files

	size int64
	data []byte
	load func() ([]byte, error)
}

// NewFile returns a file with its content.
func NewFile(path string, mode fs.FileMode, data []byte, o *spec.Origin) *File {
	return &File{Path: path, Mode: mode, Origin: o, size: int64(len(data)), data: data}
}

// LazyFile returns a file whose content of the given size in bytes is loaded
// on demand. The content is not kept.
func LazyFile(path string, mode fs.FileMode, size int64, load func() ([]byte, error)) *File {
	return &File{Path: path, Mode: mode, size: size, load: load}
}

// Bytes returns the content, which must not be changed.
func (f *File) Bytes() ([]byte, error) {
	if f.load != nil {
		return f.load()
	}
	return f.data, nil
}

// Size returns the size of the content in bytes.
func (f *File) Size() int64 { return f.size }

// renamed returns the file under another path.
func (f *File) renamed(path string, o *spec.Origin) *File {
	g := *f
	g.Path, g.Origin = path, o
	return &g
}
