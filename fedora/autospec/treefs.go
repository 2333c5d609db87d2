package autospec

import (
	"io/fs"
	"path"
	"strings"

	"specgraft/fedora/distgit"
	"specgraft/fedora/macro"
)

// treeFS serves the files of a git tree. Symbolic links are followed as long
// as they stay inside.
type treeFS struct {
	h    History
	root string
}

const maxLinks = 40

// Open implements fs.FS.
func (t treeFS) Open(name string) (fs.File, error) {
	fail := func(err error) (fs.File, error) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if !fs.ValidPath(name) {
		return fail(fs.ErrInvalid)
	}
	e, err := t.find(name)
	if err != nil {
		return fail(err)
	}
	if e.IsDir() {
		return macro.NewFile(name, fs.ModeDir|0o755, nil), nil
	}
	data, err := t.h.Blob(e.ID)
	if err != nil {
		return fail(err)
	}
	mode := fs.FileMode(0o644)
	if e.Mode&0o111 != 0 {
		mode = 0o755
	}
	return macro.NewFile(name, mode, data), nil
}

// find walks down to a name, through symbolic links.
func (t treeFS) find(name string) (distgit.TreeEntry, error) {
	at := distgit.TreeEntry{Mode: distgit.ModeDir, ID: t.root}
	dir, links := ".", 0
	todo := strings.Split(name, "/")
	if name == "." {
		todo = nil
	}
	for len(todo) > 0 {
		if !at.IsDir() {
			return at, fs.ErrNotExist
		}
		entries, err := t.h.Tree(at.ID)
		if err != nil {
			return at, err
		}
		found := false
		for _, e := range entries {
			if e.Name == todo[0] {
				at, found = e, true
				break
			}
		}
		if !found || at.IsSubmodule() {
			return at, fs.ErrNotExist
		}
		step := path.Join(dir, todo[0])
		todo = todo[1:]
		if !at.IsSymlink() {
			dir = step
			continue
		}
		if links++; links > maxLinks {
			return at, fs.ErrNotExist
		}
		target, err := t.h.Blob(at.ID)
		if err != nil {
			return at, err
		}
		to := path.Join(dir, string(target))
		if path.IsAbs(string(target)) || !fs.ValidPath(to) {
			return at, fs.ErrNotExist
		}
		// Start again from the top with the target in place of the link.
		at, dir = distgit.TreeEntry{Mode: distgit.ModeDir, ID: t.root}, "."
		if to != "." {
			todo = append(strings.Split(to, "/"), todo...)
		}
	}
	return at, nil
}
