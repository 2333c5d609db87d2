package revision

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/fedora/distgit"
	"specgraft/render"
)

// A File is one file or symbolic link in a component's rendered directory.
type File struct {
	Path       string // slash-separated, relative to the directory
	ID         string // object name of its content: equal names, equal content
	Link       bool   // a symbolic link; its content is where it leads to
	Executable bool
}

// Rendered returns the names of the components that have a rendered directory,
// sorted.
func (r *Revision) Rendered() ([]string, error) {
	trees, err := r.rendered()
	return slices.Sorted(maps.Keys(trees)), err
}

// listRendered returns the trees of the rendered directories by component; for
// the working tree their paths instead.
func (r *Revision) listRendered() (map[string]string, error) {
	h := r.history
	trees := map[string]string{}
	if r.id == "" {
		return trees, h.workRendered(trees)
	}
	dir, ok := h.Path(h.project.RenderedDir)
	if !ok {
		return trees, nil
	}
	letters, err := h.directory(r.id, dir)
	if err != nil {
		return nil, err
	}
	for _, l := range letters {
		if !l.IsDir() {
			continue
		}
		list, err := h.repo.Tree(l.ID)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if c.IsDir() && render.ComponentDir(c.Name) == l.Name+"/"+c.Name {
				trees[c.Name] = c.ID
			}
		}
	}
	return trees, nil
}

func (h *History) workRendered(trees map[string]string) error {
	top := h.project.RenderedDir
	letters, err := os.ReadDir(top)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, l := range letters {
		if !l.IsDir() {
			continue
		}
		list, err := os.ReadDir(filepath.Join(top, l.Name()))
		if err != nil {
			return err
		}
		for _, c := range list {
			if c.IsDir() && render.ComponentDir(c.Name()) == l.Name()+"/"+c.Name() {
				trees[c.Name()] = filepath.Join(top, l.Name(), c.Name())
			}
		}
	}
	return nil
}

// Tree returns the object name of a component's rendered directory, the empty
// string when there is none. Equal names are equal directories, also between a
// commit and the working tree.
func (r *Revision) Tree(component string) (string, error) {
	trees, err := r.rendered()
	if err != nil || trees[component] == "" || r.id != "" {
		return trees[component], err
	}
	w, err := r.workTree(component, trees[component])
	if err != nil {
		return "", err
	}
	return w.id, nil
}

// Files lists what is in a component's rendered directory, sorted by path. A
// component without one has no files.
func (r *Revision) Files(component string) ([]File, error) {
	trees, err := r.rendered()
	if err != nil || trees[component] == "" {
		return nil, err
	}
	if r.id == "" {
		w, err := r.workTree(component, trees[component])
		if err != nil {
			return nil, err
		}
		return slices.Clone(w.files), nil
	}
	list, err := r.history.repo.Files(trees[component], "")
	if err != nil {
		return nil, err
	}
	files := make([]File, len(list))
	for i, e := range list {
		files[i] = File{Path: e.Name, ID: e.ID, Link: e.IsSymlink(), Executable: e.IsRegular() && e.Mode&0o111 != 0}
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return files, nil
}

// ReadFile returns the content of a file in a component's rendered directory, by
// its path relative to it; of a symbolic link where it leads to. An error
// matches fs.ErrNotExist when there is no such file.
func (r *Revision) ReadFile(component, name string) ([]byte, error) {
	trees, err := r.rendered()
	if err != nil {
		return nil, err
	}
	missing := &fs.PathError{Op: "read", Path: path.Join(render.ComponentDir(component), name), Err: fs.ErrNotExist}
	if trees[component] == "" || !fs.ValidPath(name) {
		return nil, missing
	}
	if r.id != "" {
		data, err := r.history.repo.ReadFile(trees[component], name)
		if errors.Is(err, fs.ErrNotExist) {
			err = missing
		}
		return data, err
	}
	root, err := os.OpenRoot(trees[component])
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return readWork(root, name)
}

func readWork(root *os.Root, name string) ([]byte, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := root.Readlink(name)
		return []byte(filepath.ToSlash(target)), err
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("not a regular file")}
	}
	return root.ReadFile(name)
}

// Has reports whether data is the content of a file.
func (r *Revision) Has(f *File, data []byte) bool { return r.history.blobID(data) == f.ID }

// Prefetch reads the files called name of many components ahead of ReadFile, in
// few round trips. It is no more than a hint.
func (r *Revision) Prefetch(components []string, name func(component string) string) {
	trees, err := r.rendered()
	if err != nil || r.id == "" {
		return
	}
	repo := r.history.repo
	var ids []string
	for _, c := range components {
		if trees[c] != "" {
			ids = append(ids, trees[c])
		}
	}
	repo.Prefetch(ids...)
	ids = ids[:0]
	for _, c := range components {
		if trees[c] == "" {
			continue
		}
		if e, err := repo.Entry(trees[c], name(c)); err == nil {
			ids = append(ids, e.ID)
		}
	}
	repo.Prefetch(ids...)
}

// A workTree is a rendered directory of the working tree, named as git would.
type workTree struct {
	id    string
	files []File
}

func (r *Revision) workTree(component, dir string) (*workTree, error) {
	r.mu.Lock()
	w := r.hashed[component]
	r.mu.Unlock()
	if w != nil {
		return w, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	w = &workTree{}
	if w.id, err = r.history.hash(root, ".", 0, &w.files); err != nil {
		return nil, err
	}
	slices.SortFunc(w.files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	r.mu.Lock()
	r.hashed[component] = w
	r.mu.Unlock()
	return w, nil
}

// hash returns the object name that git would give to a directory, and adds its
// files. An empty directory has none, as in git.
func (h *History) hash(root *os.Root, dir string, depth int, files *[]File) (string, error) {
	const maxDepth = 64
	if depth > maxDepth {
		return "", fmt.Errorf("%s: more than %d levels of directories", dir, maxDepth)
	}
	list, err := fs.ReadDir(root.FS(), dir)
	if err != nil {
		return "", err
	}
	type item struct{ order, mode, name, id string }
	var items []item
	for _, e := range list {
		name := path.Join(dir, e.Name())
		if e.IsDir() {
			id, err := h.hash(root, name, depth+1, files)
			if err != nil {
				return "", err
			}
			if id != "" {
				items = append(items, item{e.Name() + "/", "40000", e.Name(), id})
			}
			continue
		}
		data, err := readWork(root, name)
		if err != nil {
			return "", err
		}
		info, err := e.Info()
		if err != nil {
			return "", err
		}
		f := File{Path: name, ID: h.blobID(data), Link: e.Type()&fs.ModeSymlink != 0}
		f.Executable = !f.Link && info.Mode()&0o100 != 0
		mode := "100644"
		switch {
		case f.Link:
			mode = "120000"
		case f.Executable:
			mode = "100755"
		}
		*files = append(*files, f)
		items = append(items, item{e.Name(), mode, e.Name(), f.ID})
	}
	if len(items) == 0 {
		return "", nil
	}
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.order, b.order) })
	var b bytes.Buffer
	for _, it := range items {
		raw, err := hex.DecodeString(it.id)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %s\x00", it.mode, it.name)
		b.Write(raw)
	}
	return distgit.Object{Kind: "tree", Data: b.Bytes()}.ID(h.wide), nil
}
