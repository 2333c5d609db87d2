//go:build unix

package cache

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// ReadInto reads the beginning of a regular file into buf and returns how much
// there was; full says that there may be more. It is three system calls, where a
// file of package os is also put up for being waited for.
//
// What is no regular file is read as far as that goes without waiting for
// anybody: a pipe in the place of a file is an empty one.
func ReadInto(path string, buf []byte) (n int, full bool, err error) {
	again := func(call func() (int, error)) (int, error) {
		for {
			if n, err := call(); !errors.Is(err, unix.EINTR) {
				return n, err
			}
		}
	}
	fd, err := again(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0) })
	if err != nil {
		return 0, false, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	for n < len(buf) {
		want := len(buf) - n
		got, err := again(func() (int, error) { return unix.Read(fd, buf[n:]) })
		if err != nil {
			return n, false, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		n += got
		if got < want {
			return n, false, nil // the end of a regular file
		}
	}
	return n, true, nil
}
