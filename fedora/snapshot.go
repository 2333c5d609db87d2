package fedora

import (
	"context"
	"errors"
	"io/fs"
)

// A Snapshot is the file tree of one upstream commit.
type Snapshot struct {
	Commit string // full object name
	// Files is sorted by path. Symbolic links inside the commit have become
	// the regular files they lead to; submodules are left out.
	Files []File
}

// Lookup returns the file at a slash-separated path, or nil.
func (s *Snapshot) Lookup(path string) *File { return nil }

// A File is one regular file of a snapshot. Its content is read on demand.
type File struct {
	Path string      // slash-separated, relative, clean
	Mode fs.FileMode // 0644 or 0755
	Size int64       // bytes
	ID   string      // git blob name, hexadecimal
}

// Bytes returns the content, checked against the checksum in the cache. The
// caller must not modify it.
func (f *File) Bytes() ([]byte, error) { return nil, errors.New("not there yet") }

// Snapshot returns the files of a commit, which must be a full object name.
// The first read starts one git process and keeps the result; later ones,
// also of later runs, read one file.
func (s *Store) Snapshot(ctx context.Context, url, commit string) (*Snapshot, error) {
	return nil, errors.New("not there yet")
}
