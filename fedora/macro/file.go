package macro

import (
	"bytes"
	"io/fs"
	"path"
	"time"
)

// NewFile returns an open file of a file system that is kept in memory, as
// Config.FS mostly is: what Open returns for name. With fs.ModeDir in mode it is
// a directory, which cannot be read.
func NewFile(name string, mode fs.FileMode, data []byte) fs.File {
	return &memoryFile{Reader: bytes.NewReader(data), info: fileInfo{path.Base(name), mode, int64(len(data))}}
}

type memoryFile struct {
	*bytes.Reader
	info fileInfo
}

func (f *memoryFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *memoryFile) Close() error               { return nil }

func (f *memoryFile) Read(p []byte) (int, error) {
	if f.info.IsDir() {
		return 0, &fs.PathError{Op: "read", Path: f.info.name, Err: fs.ErrInvalid}
	}
	return f.Reader.Read(p)
}

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
