//go:build unix

package cache

import (
	"errors"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// A File is an open regular file, for reading or for writing. It costs no more
// calls of the system than are made here, where a file of package os is also put
// up for being waited for, which a regular file refuses. ReadAt is for
// several goroutines at a time, everything else for one, and nobody closes it who
// does not say so.
type File struct {
	fd   int
	path string
}

// OpenFile opens a file for reading. What is no regular file gives ErrIrregular;
// nobody is waited for: a pipe in the place of a file is none.
func OpenFile(path string) (*File, int64, error) {
	fd, err := open(path, unix.O_RDONLY, 0)
	if err != nil {
		return nil, 0, err
	}
	f := &File{fd, path}
	var st unix.Stat_t
	if _, err := again(func() (int, error) { return 0, unix.Fstat(fd, &st) }); err != nil {
		f.Close()
		return nil, 0, f.failed("stat", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		f.Close()
		return nil, 0, f.failed("open", ErrIrregular)
	}
	return f, st.Size, nil
}

// CreateFile makes a new file for writing.
func CreateFile(path string, mode fs.FileMode) (*File, error) {
	fd, err := open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, uint32(mode.Perm()))
	if err != nil {
		return nil, err
	}
	return &File{fd, path}, nil
}

func open(path string, flags int, mode uint32) (int, error) {
	fd, err := again(func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NONBLOCK, mode) })
	if err != nil {
		return 0, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// again repeats a call of the system that a signal interrupted.
func again(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

func (f *File) failed(op string, err error) error {
	return &fs.PathError{Op: op, Path: f.path, Err: err}
}

// ReadAt is that of io.ReaderAt.
func (f *File) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, f.failed("read", fs.ErrInvalid)
	}
	for n < len(p) {
		part := p[n:min(len(p), n+piece)]
		got, err := again(func() (int, error) { return unix.Pread(f.fd, part, off+int64(n)) })
		switch {
		case err != nil:
			return n, f.failed("read", err)
		case got <= 0:
			return n, io.EOF
		}
		n += got
	}
	return n, nil
}

// Write is that of io.Writer.
func (f *File) Write(p []byte) (n int, err error) {
	for n < len(p) {
		part := p[n:min(len(p), n+piece)]
		got, err := again(func() (int, error) { return unix.Write(f.fd, part) })
		if err == nil && got <= 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return n, f.failed("write", err)
		}
		n += got
	}
	return n, nil
}

// Close closes the file, once; afterwards nothing can be read or written.
func (f *File) Close() error {
	if f.fd < 0 {
		return fs.ErrClosed
	}
	// Linux lets the descriptor go whatever close returns.
	err := unix.Close(f.fd)
	f.fd = -1
	if err != nil && !errors.Is(err, unix.EINTR) {
		return f.failed("close", err)
	}
	return nil
}

// ReadInto reads the beginning of a regular file into buf and returns how much
// there was; full says that there may be more.
//
// What is no regular file is read as far as that goes without waiting for
// anybody: a pipe in the place of a file is an empty one.
func ReadInto(path string, buf []byte) (n int, full bool, err error) {
	fd, err := open(path, unix.O_RDONLY, 0)
	if err != nil {
		return 0, false, err
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
