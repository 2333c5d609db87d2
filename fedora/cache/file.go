// Package cache keeps files below the cache directory: written whole or not at
// all, read within bounds, locked against other processes, and used up by age.
package cache

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"specgraft/overlay/diag"
)

// TempPrefix begins the names of unfinished files; in the cache, prune removes
// old ones.
const TempPrefix = ".specgraft-"

// Write replaces a file below the cache directory, which is created if
// need be. Readers see the old content or the new; of several writers the last
// one wins. Errors are *diag.Diagnostic.
func Write(path string, data []byte) error {
	return WriteAtomic(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteAtomic writes a file under a temporary name and renames it, so that
// nobody sees half of it, and two writers at once do no harm. Who may read it
// is up to the user's umask, as for everything in the cache.
func WriteAtomic(path string, write func(io.Writer) error) error {
	dir := filepath.Dir(path)
	tmp := filepath.Join(dir, TempPrefix+rand.Text())
	f, err := CreateFile(tmp, 0o666)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(dir, 0o777); err == nil {
			f, err = CreateFile(tmp, 0o666)
		}
	}
	if err != nil {
		return Failure(err)
	}
	w := &diskWriter{f: f}
	err = write(w)
	if err == nil {
		err = w.flush()
	}
	if cerr := f.Close(); err == nil && cerr != nil {
		err = Failure(cerr)
	}
	if err == nil {
		if rerr := os.Rename(tmp, path); rerr != nil {
			err = Failure(rerr)
		}
	}
	if err != nil {
		os.Remove(tmp)
	}
	return err
}

// A diskWriter collects small writes and words what goes wrong on the disk.
type diskWriter struct {
	f   io.Writer
	buf []byte
}

func (w *diskWriter) Write(p []byte) (int, error) {
	if len(w.buf) == 0 && len(p) >= wholeWrite {
		if _, err := w.f.Write(p); err != nil {
			return 0, Failure(err)
		}
		return len(p), nil
	}
	w.buf = append(w.buf, p...)
	if len(w.buf) >= wholeWrite {
		if err := w.flush(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// wholeWrite is how many bytes are written at once.
const wholeWrite = 256 << 10

func (w *diskWriter) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.f.Write(w.buf)
	w.buf = w.buf[:0]
	if err != nil {
		return Failure(err)
	}
	return nil
}

// ErrTooLong says that a file is longer than what is read of its kind.
var ErrTooLong = errors.New("the file is too long")

// ErrIrregular says that a file is none that can be read to its end.
var ErrIrregular = errors.New("not a regular file")

// CheckRegular returns an error unless path leads to a regular file of at most
// limit bytes. It does not open the file: to open a pipe is to wait for it.
func CheckRegular(path string, limit int64) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: "open", Path: path, Err: ErrIrregular}
	case info.Size() > limit:
		return ErrTooLong
	}
	return nil
}

// buffers hold what most files of the cache fit into.
var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// ReadBounded reads a file of at most limit bytes, as whole files go into
// memory; a longer one gives ErrTooLong, and what is no regular file, such as a
// pipe that nobody writes to, ErrIrregular.
func ReadBounded(path string, limit int64) ([]byte, error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	n, full, err := ReadInto(path, *buf)
	switch {
	case err != nil:
		return nil, err
	case int64(n) > limit:
		return nil, ErrTooLong
	case !full:
		return bytes.Clone((*buf)[:n]), nil
	}
	return readLarge(path, limit)
}

func readLarge(path string, limit int64) ([]byte, error) {
	f, size, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > limit {
		return nil, ErrTooLong
	}
	b := make([]byte, size)
	n, err := f.ReadAt(b, 0)
	if errors.Is(err, io.EOF) { // it has just become shorter
		err = nil
	}
	return b[:n], err
}

// Failure words a failure of the cache directory.
func Failure(err error) error {
	return diag.Environment(diag.Errorf("fedora/cache", "cache: %v", err), "check space and permissions, or name another directory with --cache-dir")
}

// AsFailure makes a diagnostic of err unless it is one already, or says that
// the run was interrupted.
func AsFailure(err error) error {
	if _, ok := errors.AsType[*diag.Diagnostic](err); ok || err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return Failure(err)
}

// FileSHA256 returns the SHA-256 of a regular file in hexadecimal.
func FileSHA256(path string) (string, error) {
	// Asked before opening, as opening a pipe would wait for its writer.
	if info, err := os.Stat(path); err != nil {
		return "", err
	} else if !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
