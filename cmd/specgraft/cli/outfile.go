package cli

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// ReplaceFile puts data in the place of a file at once: whoever looks sees the
// old content or the new, also when the disk is full or the process is killed.
// An existing file keeps its permissions, a new one gets those of mode that the
// umask leaves. A link stays a
// link, and what is no regular file, such as a pipe, is written to.
func ReplaceFile(path string, data []byte, mode fs.FileMode) error {
	info, err := os.Stat(path)
	exact := false
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return writeThrough(path, data)
	default:
		mode, exact = info.Mode().Perm(), true
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	tmp, err := writeAside(path, data, mode, exact)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return nil
}

// CreateFile is replaceFile for a file that must not exist yet: when there is
// one, the error matches fs.ErrExist.
func CreateFile(path string, data []byte) error {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	tmp, err := writeAside(path, data, 0o644, false)
	if err != nil {
		return err
	}
	err = os.Link(tmp, path) // unlike a rename, it does not replace
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(tmp, path) // a file system without links
	}
	if rerr := os.Remove(tmp); err == nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = rerr
	}
	return err
}

// writeAside writes data to a new file beside path and returns its name. With
// exact the umask does not count.
func writeAside(path string, data []byte, mode fs.FileMode, exact bool) (string, error) {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(path), TempPrefix+rand.Text()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if exact && err == nil {
		err = f.Chmod(mode)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// writeThrough writes to something that is no regular file.
func writeThrough(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

const TempPrefix = ".specgraft-"
