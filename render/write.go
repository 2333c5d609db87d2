package render

import (
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"specgraft/overlay"
)

// Write brings the component's directory to the given files and returns what
// changed. When it fails the directory is as it was before.
func (o *Output) Write(name string, files []*overlay.File) ([]Change, error) {
	if o.readOnly {
		return nil, fmt.Errorf("the output tree %s is open for reading only", o.Dir)
	}
	if !validName(name) {
		return nil, badName(name, token.Position{})
	}
	l, err := o.letter(strings.ToLower(name[:1]), true)
	if err != nil {
		return nil, o.componentError(name, err)
	}
	c, err := o.compare(l, name, files)
	if err != nil {
		return nil, o.componentError(name, err)
	}
	if len(c.changes) == 0 {
		return nil, nil
	}
	if c.rebuild {
		err = o.rebuild(l, name, files, c)
	} else {
		err = o.replaceFiles(l, name, files, c)
	}
	if err == nil && c.alias {
		err = o.link(l, aliasName(name), name)
	}
	if err != nil {
		return nil, o.componentError(name, err)
	}
	return c.changes, nil
}

// temp returns a name for something temporary that is not in use.
func (o *Output) temp() string {
	return fmt.Sprintf("%s%d", tempPrefix, o.serial.Add(1))
}

// replaceFiles makes the one change there is inside an existing directory.
func (o *Output) replaceFiles(l *letterDir, name string, files []*overlay.File, c *comparison) error {
	for _, ch := range c.changes {
		if strings.HasPrefix(ch.Path, "../") {
			continue
		}
		dst := path.Join(name, ch.Path)
		if ch.Kind == Removed {
			return l.root.Remove(dst)
		}
		i := slices.IndexFunc(files, func(f *overlay.File) bool { return f.Path == ch.Path })
		tmp := o.temp()
		err := writeFile(l, tmp, files[i])
		if err == nil {
			err = l.root.Rename(tmp, dst)
		}
		if err != nil {
			l.root.Remove(tmp)
		}
		return err
	}
	return nil
}

// rebuild builds the component's directory beside the old one and exchanges
// the two. Files that stay the same are the same files afterwards.
func (o *Output) rebuild(l *letterDir, name string, files []*overlay.File, c *comparison) (err error) {
	tmp := o.temp()
	if err := l.root.Mkdir(tmp, 0o755); err != nil {
		return err
	}
	gone := false // into the place of the component
	defer func() {
		if gone {
			return
		}
		if rerr := l.root.RemoveAll(tmp); err == nil {
			err = rerr
		}
	}()
	made := map[string]bool{".": true}
	for _, f := range files {
		if dir := path.Dir(f.Path); !made[dir] {
			if err := l.root.MkdirAll(path.Join(tmp, dir), 0o755); err != nil {
				return err
			}
			made[dir] = true
		}
		if c.same[f.Path] && l.root.Link(path.Join(name, f.Path), path.Join(tmp, f.Path)) == nil {
			continue
		}
		if err := writeFile(l, path.Join(tmp, f.Path), f); err != nil {
			return err
		}
	}
	if !c.exists {
		err := l.root.Rename(tmp, name)
		gone = err == nil
		return err
	}
	return o.exchange(l, tmp, name)
}

// exchange puts the directory tmp in the place of name, and what was there in
// the place of tmp. Where the file system cannot do that in one step, name is
// first moved away under a name from which sweep puts it back.
func (o *Output) exchange(l *letterDir, tmp, name string) error {
	if !o.noExchange.Load() {
		err := exchangeDirs(l.dir, tmp, name)
		if err == nil || !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		o.noExchange.Store(true)
	}
	old := oldPrefix + name
	if err := l.root.Rename(name, old); err != nil {
		return err
	}
	if err := l.root.Rename(tmp, name); err != nil {
		return errors.Join(err, l.root.Rename(old, name))
	}
	return l.root.RemoveAll(old)
}

// link makes the symbolic link alias that leads to its sibling name.
func (o *Output) link(l *letterDir, alias, name string) error {
	tmp := o.temp()
	if err := l.root.Symlink(name, tmp); err != nil {
		return err
	}
	if err := l.root.Rename(tmp, alias); err != nil {
		l.root.Remove(tmp)
		return err
	}
	return nil
}

// writeFile creates the file name below the letter's directory with content and
// mode of f.
func writeFile(l *letterDir, name string, f *overlay.File) error {
	data, err := f.Bytes()
	if err != nil {
		return err
	}
	return createFile(l.dir, l.root, name, f.Mode, data)
}

// createSlowly creates a file in a way that works everywhere.
func createSlowly(root *os.Root, name string, mode fs.FileMode, data []byte) error {
	w, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode.Perm())
	if err != nil {
		return err
	}
	if _, err = w.Write(data); err == nil {
		err = w.Chmod(mode.Perm()) // the umask took its part
	}
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return err
}
