//go:build !unix

package cache

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// A File is an open regular file, for reading or for writing.
type File struct{ *os.File }

// OpenFile opens a file for reading. What is no regular file gives ErrIrregular.
func OpenFile(path string) (*File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: ErrIrregular}
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return &File{f}, st.Size(), nil
}

// CreateFile makes a new file for writing.
func CreateFile(path string, mode fs.FileMode) (*File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// ReadInto reads the beginning of a regular file into buf and returns how much
// there was; full says that there may be more.
func ReadInto(path string, buf []byte) (n int, full bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	n, err = io.ReadFull(f, buf)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return n, false, nil
	}
	return n, err == nil, err
}
