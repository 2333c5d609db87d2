package revision

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"specgraft/components/lock"
	"specgraft/fedora/distgit"
)

// Locks returns the locks of the revision as object names of their files, by
// component; nil when it has no lock directory. Equal names are equal files.
// The map is shared.
func (r *Revision) Locks() (map[string]string, error) { return r.locks() }

func (r *Revision) listLocks() (map[string]string, error) {
	h := r.history
	if r.id == "" {
		return h.workLocks()
	}
	dir, ok := h.Path(h.project.LockDir)
	if !ok {
		return nil, nil
	}
	list, err := h.directory(r.id, dir)
	if list == nil {
		return nil, err
	}
	blobs := make(map[string]string, len(list))
	for _, f := range list {
		if name, ok := lockName(f.Name); ok && f.IsRegular() {
			blobs[name] = f.ID
		}
	}
	return blobs, nil
}

// lockName returns the component that a file of the lock directory belongs to.
func lockName(file string) (string, bool) {
	name, ok := strings.CutSuffix(file, lock.Suffix)
	return name, ok && !strings.HasPrefix(name, ".")
}

// workLocks is listLocks for the working tree.
func (h *History) workLocks() (map[string]string, error) {
	list, err := os.ReadDir(h.project.LockDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	blobs := make(map[string]string, len(list))
	for _, f := range list {
		name, ok := lockName(f.Name())
		if !ok || !f.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(h.project.LockDir, f.Name()))
		if err != nil {
			return nil, err
		}
		blobs[name] = h.blobID(data)
	}
	return blobs, nil
}

func (h *History) blobID(data []byte) string {
	return distgit.Object{Kind: "blob", Data: data}.ID(h.wide)
}

// Lock returns the lock of a component, nil when it has none.
func (r *Revision) Lock(component string) (*lock.Lock, error) {
	p := r.history.project
	if r.id == "" {
		return lock.Read(p, component)
	}
	locks, err := r.locks()
	if err != nil {
		return nil, err
	}
	blob, ok := locks[component]
	if !ok {
		return nil, nil
	}
	data, err := r.history.repo.Blob(blob)
	if err != nil {
		return nil, err
	}
	path := lock.Path(p, component)
	if rel, err := filepath.Rel(p.Dir, path); err == nil {
		path = filepath.ToSlash(rel)
	}
	l, err := lock.Parse(path, data)
	return l, r.Explain(err)
}

// directory lists a directory of a commit; nil when it is none.
func (h *History) directory(commit, dir string) ([]distgit.TreeEntry, error) {
	e, err := h.repo.Entry(commit, dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !e.IsDir() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := h.repo.Tree(e.ID)
	if list == nil && err == nil {
		list = []distgit.TreeEntry{}
	}
	return list, err
}
