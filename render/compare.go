package render

import (
	"bytes"
	"errors"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"specgraft/overlay"
)

// ChangeKind says what happened to a file.
type ChangeKind string

// The kinds of change.
const (
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
	Changed ChangeKind = "changed" // content or kind of file
	Mode    ChangeKind = "mode"    // only the permissions
)

// A Change is one difference between a component as rendered and as it is in
// the output tree.
type Change struct {
	Path string     `json:"path"` // below the component's directory; an alias beside it starts with "../"
	Kind ChangeKind `json:"kind"`
}

// Compare returns in what the files of a component differ from the output
// tree, sorted by path. Nil means that nothing does.
func (o *Output) Compare(name string, files []*overlay.File) ([]Change, error) {
	if !validName(name) {
		return nil, badName(name, token.Position{})
	}
	l, err := o.letter(strings.ToLower(name[:1]), false)
	if err != nil {
		return nil, o.componentError(name, err)
	}
	c, err := o.compare(l, name, files)
	if err != nil {
		return nil, o.componentError(name, err)
	}
	return c.changes, nil
}

// comparison is what compare finds out.
type comparison struct {
	changes []Change
	exists  bool            // the component's directory is there
	same    map[string]bool // files that need not be written
	rebuild bool            // one changed file renamed over the old is not enough
	alias   bool            // the alias is to be made
}

func (o *Output) compare(l *letterDir, name string, files []*overlay.File) (*comparison, error) {
	c := &comparison{same: make(map[string]bool, len(files))}
	root, err := o.openComponent(l, name)
	if err != nil {
		return nil, err
	}
	found, emptyDir := map[string]fs.FileInfo{}, false
	if root != nil {
		defer root.Close()
		c.exists = true
		if emptyDir, err = listFiles(root, ".", found); err != nil {
			return nil, err
		}
		if len(found) > 0 && !o.force && !looksRendered(name, found) {
			return nil, notOurs(path.Join(o.Dir, ComponentDir(name)), "was not rendered: it has neither "+name+".spec nor "+FailedName)
		}
	}
	if err := c.files(root, files, found); err != nil {
		return nil, err
	}
	c.rebuild = c.needsRebuild(emptyDir)
	c.compareAlias(l, name)
	return c, nil
}

// openComponent opens the directory of a component, nil when there is none. What
// stands in its place and is no directory is an error.
func (o *Output) openComponent(l *letterDir, name string) (*os.Root, error) {
	if l == nil {
		return nil, nil
	}
	st, err := l.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !st.IsDir():
		return nil, notDirectory(path.Join(o.Dir, ComponentDir(name)), st)
	}
	return l.root.OpenRoot(name)
}

// executable is all that git keeps of a file's mode. The rest is the umask of
// whoever checked the tree out, and no difference.
func executable(mode fs.FileMode) bool { return mode&0o100 != 0 }

// files compares the files of a component with those found in its directory.
func (c *comparison) files(root *os.Root, files []*overlay.File, found map[string]fs.FileInfo) error {
	for _, f := range files {
		st, ok := found[f.Path]
		delete(found, f.Path)
		switch {
		case !ok:
			c.changes = append(c.changes, Change{f.Path, Added})
			continue
		case !st.Mode().IsRegular():
			c.changes = append(c.changes, Change{f.Path, Changed})
			c.rebuild = true
			continue
		}
		equal, err := sameContent(root, f, st.Size())
		switch {
		case err != nil:
			return err
		case !equal:
			c.changes = append(c.changes, Change{f.Path, Changed})
		case executable(st.Mode()) != executable(f.Mode):
			c.changes = append(c.changes, Change{f.Path, Mode})
		default:
			c.same[f.Path] = true
		}
	}
	for p := range found {
		c.changes = append(c.changes, Change{p, Removed})
	}
	slices.SortFunc(c.changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return nil
}

// needsRebuild reports whether the directory is built anew beside the old one:
// renaming one file over its predecessor is not enough.
func (c *comparison) needsRebuild(emptyDir bool) bool {
	switch {
	case !c.exists:
		return true
	case emptyDir && len(c.changes) == 0:
		return false // a directory without files is no difference that a repository sees
	case emptyDir, c.rebuild, len(c.changes) > 1:
		return true
	case len(c.changes) == 0:
		return false
	}
	ch := c.changes[0]
	return strings.Contains(ch.Path, "/") && ch.Kind != Changed && ch.Kind != Mode
}

// compareAlias finds out whether the link beside the component is missing.
// Something of that name that is no link is in the way, and stays.
func (c *comparison) compareAlias(l *letterDir, name string) {
	alias := aliasName(name)
	if alias == "" {
		return
	}
	target := ""
	if l != nil {
		st, err := l.root.Lstat(alias)
		if err == nil && st.Mode()&fs.ModeSymlink == 0 {
			return
		}
		target, _ = l.root.Readlink(alias)
	}
	if target != name {
		c.alias = true
		c.changes = append([]Change{{"../" + alias, Added}}, c.changes...)
	}
}

// looksRendered reports whether the files of a directory are those of a
// rendered component.
func looksRendered(name string, found map[string]fs.FileInfo) bool {
	_, spec := found[name+".spec"]
	_, failed := found[FailedName]
	return spec || failed
}

// listFiles collects everything below dir that is not a directory, and reports
// whether there are directories without anything in them.
func listFiles(root *os.Root, dir string, found map[string]fs.FileInfo) (emptyDir bool, err error) {
	d, err := root.Open(dir)
	if err != nil {
		return false, err
	}
	infos, err := d.Readdir(-1)
	d.Close()
	if err != nil {
		return false, err
	}
	for _, st := range infos {
		p := path.Join(dir, st.Name())
		if !st.IsDir() {
			found[p] = st
			continue
		}
		n := len(found)
		if _, err := listFiles(root, p, found); err != nil {
			return false, err
		}
		emptyDir = emptyDir || len(found) == n
	}
	return emptyDir, nil
}

// sameContent reports whether a file in the tree has the content of f.
func sameContent(root *os.Root, f *overlay.File, size int64) (bool, error) {
	if size != f.Size() {
		return false, nil
	}
	want, err := f.Bytes()
	if err != nil {
		return false, err
	}
	r, err := root.Open(f.Path)
	if err != nil {
		return false, err
	}
	defer r.Close()
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		n, err := r.Read(*buf)
		if n > len(want) || !bytes.Equal((*buf)[:n], want[:n]) {
			return false, nil
		}
		want = want[n:]
		switch {
		case err == io.EOF || err == nil && n == 0:
			return len(want) == 0, nil
		case err != nil:
			return false, err
		}
	}
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}
