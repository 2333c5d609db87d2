// Package snapshot holds the files of one upstream commit, or of one source
// package, in a single file of the cache, checked by checksums whenever they are
// read and made again when they are damaged.
package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"

	"specgraft/fedora/cache"
	"specgraft/fedora/distgit"
	"specgraft/overlay/diag"
)

// A Snapshot is the file tree of one upstream commit.
type Snapshot struct {
	Commit string // full object name
	Tree   string // object name of the root tree
	// Files is sorted by path. Symbolic links inside the commit have become
	// the regular files they lead to; submodules are left out.
	Files []File

	cacheDir string
	again    func(context.Context) error // writes the cache file once more
	mu       sync.Mutex
	file     *stored
}

// Lookup returns the file at a slash-separated path, or nil.
func (s *Snapshot) Lookup(path string) *File {
	i, ok := slices.BinarySearchFunc(s.Files, path, func(f File, p string) int { return cmp.Compare(f.Path, p) })
	if !ok {
		return nil
	}
	return &s.Files[i]
}

// A File is one regular file of a snapshot. Its content is read on demand.
type File struct {
	Path string      // slash-separated, relative, clean
	Mode fs.FileMode // 0644 or 0755
	Size int64       // bytes
	ID   string      // git blob name, hexadecimal

	of    *Snapshot
	index int
}

// Bytes returns the content. It is checked against the checksum in the cache,
// and a damaged cache file is made again from the repository. The caller must
// not modify the bytes. It is safe for concurrent use.
func (f *File) Bytes() ([]byte, error) {
	s := f.of
	s.mu.Lock()
	file := s.file
	s.mu.Unlock()
	data, err := file.bytes(f.index)
	if err == nil {
		return data, nil
	}
	// Damaged, or pruned by somebody else in the meantime.
	if s.again == nil {
		return nil, cache.AsFailure(err)
	}
	if err = s.again(context.Background()); err != nil {
		return nil, err
	}
	if file, err = read(Path(s.cacheDir, s.Commit), s.Commit, make([]byte, smallFile)); err != nil {
		return nil, cache.AsFailure(err)
	}
	s.mu.Lock()
	s.file = file
	s.mu.Unlock()
	if f.index >= len(file.files) || file.files[f.index].ID != f.ID {
		return nil, diag.Environment(diag.Errorf("fedora/cache", "the snapshot of commit %s changed while it was in use", distgit.ShortID(s.Commit)), "run the command again")
	}
	if data, err = file.bytes(f.index); err != nil {
		return nil, cache.AsFailure(err)
	}
	return data, nil
}

// scratch holds buffers for reading small snapshot files.
var scratch = sync.Pool{New: func() any { b := make([]byte, smallFile); return &b }}

// Open returns the snapshot of a commit, or of the source package with that
// checksum, from the cache. Where the cache has none, again is called to write
// one, now or when the file turns out to be damaged; nil for doing without.
func Open(ctx context.Context, cacheDir, commit string, again func(context.Context) error) (*Snapshot, error) {
	path := Path(cacheDir, commit)
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	file, err := read(path, commit, *buf)
	if err != nil && again != nil {
		if err = again(ctx); err != nil {
			return nil, err
		}
		file, err = read(path, commit, *buf)
	}
	if err != nil {
		return nil, cache.AsFailure(err)
	}
	s := &Snapshot{Commit: commit, Tree: file.tree, Files: file.files, cacheDir: cacheDir, again: again, file: file}
	for i := range s.Files {
		s.Files[i].of, s.Files[i].index = s, i
	}
	return s, nil
}

// Verify returns in a line what is wrong with a snapshot file, checking its
// content against the git names too; the empty string when all is well.
func Verify(path string) string {
	commit := filepath.Base(filepath.Dir(path)) + filepath.Base(path)
	f, err := read(path, commit, make([]byte, smallFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "" // pruned meanwhile
	}
	if err != nil {
		return err.Error()
	}
	for i := range f.files {
		data, err := f.bytes(i)
		if err != nil {
			return fmt.Sprintf("%s: %v", f.files[i].Path, err)
		}
		if id := f.files[i].ID; (distgit.Object{Kind: "blob", Data: data}).ID(len(id) == 64) != id {
			return fmt.Sprintf("%s: content does not match its git name", f.files[i].Path)
		}
	}
	return ""
}
