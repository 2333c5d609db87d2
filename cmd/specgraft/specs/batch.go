package specs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"specgraft/cmd/specgraft/cli"
)

// A batch puts and removes files so that either all changes happen or none.
// New contents are written aside first; then each takes its place in one
// step, and a step that fails takes those before it back. Only a kill in the
// middle of the second phase can leave a part of the batch done; the former
// contents are then found beside the files, under names with tempPrefix.
type batch struct {
	swaps []*swap
	dirs  []*os.Root // closed with the batch
}

// A swap is one file of a batch.
type swap struct {
	root   *os.Root
	name   string
	tmp    string // where the new content is, empty for a removal
	backup string // where the old file is, empty when there was none
	placed bool
}

// put writes what is to become the file aside.
func (b *batch) put(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	if info, err := root.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return cli.ErrIrregular
	}
	s := &swap{root: root, name: name, tmp: aside(name)}
	f, err := root.OpenFile(s.tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	b.swaps = append(b.swaps, s)
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// remove plans to remove a file.
func (b *batch) remove(root *os.Root, name string) {
	b.swaps = append(b.swaps, &swap{root: root, name: name})
}

// aside returns a name for a temporary file in the same directory.
func aside(name string) string {
	return path.Join(path.Dir(name), cli.TempPrefix+rand.Text())
}

// commit carries the batch out.
func (b *batch) commit() error {
	for _, s := range b.swaps {
		if err := s.do(); err != nil {
			err = cli.FileProblem("apply/file", path.Join(s.root.Name(), s.name), err)
			for _, done := range slices.Backward(b.swaps) {
				if uerr := done.undo(); uerr != nil {
					err = errors.Join(err, fmt.Errorf("%s: cannot be put back, its content is in %s: %w", done.name, done.backup, uerr))
					done.backup = "" // the only copy is not to be cleaned up
				}
			}
			return err
		}
	}
	return nil
}

// do puts one file in place and keeps the old one.
func (s *swap) do() error {
	if info, err := s.root.Lstat(s.name); err == nil {
		if !info.Mode().IsRegular() {
			return cli.ErrIrregular
		}
		backup := aside(s.name)
		// A link leaves the name in place until the rename; not every file
		// system has links.
		if err := s.root.Link(s.name, backup); err != nil || s.tmp == "" {
			if err == nil {
				s.root.Remove(backup)
			}
			if err := s.root.Rename(s.name, backup); err != nil {
				return err
			}
		}
		s.backup = backup
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if s.tmp != "" {
		if err := s.root.Rename(s.tmp, s.name); err != nil {
			return err
		}
		s.tmp = ""
		s.placed = true
	}
	return nil
}

// undo takes the change back.
func (s *swap) undo() error {
	switch {
	case s.backup != "":
		if err := s.root.Rename(s.backup, s.name); err != nil {
			return err
		}
		// Where both names were links to one file, rename leaves both.
		s.root.Remove(s.backup)
		s.backup = ""
	case s.placed:
		return s.root.Remove(s.name)
	}
	return nil
}

// close removes what lies aside: new contents that were not used and old ones
// that are no longer needed.
func (b *batch) close() {
	defer func() {
		for _, dir := range b.dirs {
			dir.Close()
		}
	}()
	for _, s := range b.swaps {
		if s.tmp != "" {
			s.root.Remove(s.tmp)
		}
		if s.backup != "" {
			s.root.Remove(s.backup)
		}
	}
}
