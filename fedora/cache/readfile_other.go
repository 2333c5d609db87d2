//go:build !unix

package cache

import (
	"errors"
	"io"
	"os"
)

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
