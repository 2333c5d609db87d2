package render

import (
	"bytes"
	"errors"
	"fmt"
	"go/token"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// FailedName is the file that stands alone in the directory of a component
// that could not be rendered.
const FailedName = "RENDER_FAILED"

// FailedText is its content. It says where it comes from in the words of the
// reference tool, because the file is checked in and compared.
const FailedText = "Rendering failed. See azldev logs for details.\n"

// tempPrefix starts the name of everything temporary in an output tree. What
// bears it was left by a run that was killed and may be removed.
const tempPrefix = ".specgraft-"

// oldPrefix marks a component's directory that was moved away to be replaced,
// on file systems that cannot exchange two directories.
const oldPrefix = tempPrefix + "old-"

// ComponentDir returns the directory of a component inside the output tree,
// slash-separated: the first byte of its name in lower case, then the name.
func ComponentDir(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToLower(name[:1]) + "/" + name
}

// AliasName returns the name of the symbolic link that stands beside the
// directory of a component whose name is spelled differently in a URL, or the
// empty string when no link is needed.
func AliasName(name string) string {
	if alias := url.QueryEscape(name); alias != name {
		return alias
	}
	return ""
}

// FailedFiles is the content of the directory of a component that failed.
func FailedFiles() []*overlay.File {
	return []*overlay.File{overlay.NewFile(FailedName, 0o644, []byte(FailedText), nil)}
}

// An Output is the directory tree that rendered components are written to.
// Every component has one directory, which is old or new and never in between,
// whatever happens to the process. An Output may be used by several goroutines
// for different components.
type Output struct {
	Dir string // absolute

	root     *os.Root // nil while the directory does not exist
	readOnly bool
	force    bool
	lock     *os.File
	serial   atomic.Int64

	mu      sync.Mutex
	letters map[string]*letterDir

	noExchange atomic.Bool // the file system cannot exchange directories
}

// A letterDir is one of the directories between the tree and the components.
type letterDir struct {
	root *os.Root
	dir  *os.File // the same directory, for calls that want a descriptor
}

// OutputOptions say how an Output is opened.
type OutputOptions struct {
	ReadOnly bool // compare only; the directory need not exist
	Force    bool // write to directories that do not look like rendered ones
	// Protect are directories that must not be inside the tree: the project,
	// the top level of its repository, its locks.
	Protect []string
}

// OpenOutput opens the tree at dir. It is created if need be, locked against
// other runs, and what a killed run left behind is removed. A directory that
// holds something else than rendered components is refused. Errors are
// *diag.Diagnostic.
func OpenOutput(dir string, opt OutputOptions) (*Output, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, outputError(dir, err)
	}
	if err := checkOutputDir(abs, opt); err != nil {
		return nil, err
	}
	o := &Output{Dir: abs, readOnly: opt.ReadOnly, force: opt.Force, letters: map[string]*letterDir{}}
	if !opt.ReadOnly {
		if err := os.MkdirAll(abs, 0o755); err != nil {
			return nil, outputError(abs, err)
		}
	}
	o.root, err = os.OpenRoot(abs)
	if errors.Is(err, fs.ErrNotExist) && opt.ReadOnly {
		return o, nil
	}
	if err != nil {
		return nil, outputError(abs, err)
	}
	if o.lock, err = lockDir(abs, opt.ReadOnly); err != nil {
		o.root.Close()
		if errors.Is(err, errLocked) {
			return nil, &diag.Diagnostic{Code: "render/output-locked", Env: true,
				Message: fmt.Sprintf("another render is writing to %s", abs),
				Hint:    "wait for it to end, or render to another directory with -o"}
		}
		return nil, outputError(abs, err)
	}
	if !opt.ReadOnly {
		if err := o.sweep(); err != nil {
			o.Close()
			return nil, outputError(abs, err)
		}
	}
	return o, nil
}

// Close unlocks the tree.
func (o *Output) Close() error {
	for _, l := range o.letters {
		l.dir.Close()
		l.root.Close()
	}
	if o.lock != nil {
		o.lock.Close()
	}
	if o.root != nil {
		return o.root.Close()
	}
	return nil
}

// checkOutputDir refuses directories that cannot be meant.
func checkOutputDir(abs string, opt OutputOptions) error {
	refuse := func(code, hint, format string, args ...any) error {
		return &diag.Diagnostic{Code: code, Hint: hint,
			Message: fmt.Sprintf("output directory %s ", abs) + fmt.Sprintf(format, args...)}
	}
	resolved := abs
	if r, err := filepath.EvalSymlinks(abs); err == nil {
		resolved = r
	}
	if resolved == "/" || slices.Contains(strings.Split(resolved, "/"), ".git") {
		return refuse("render/output-unsafe", "choose a directory of its own with -o", "is unsafe")
	}
	for _, p := range opt.Protect {
		if r, err := filepath.EvalSymlinks(p); err == nil {
			p = r
		}
		if rel, err := filepath.Rel(resolved, p); err == nil && filepath.IsLocal(rel) {
			return refuse("render/output-unsafe", "choose a directory of its own with -o", "is unsafe: it contains %s", p)
		}
	}
	if opt.Force {
		return nil
	}
	entries, err := os.ReadDir(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil && !isDir(abs):
		return refuse("render/output-unsafe", "choose a directory with -o", "is not a directory")
	case err != nil:
		return outputError(abs, err)
	}
	for _, e := range entries {
		if e.IsDir() && len(e.Name()) > 1 && !strings.HasPrefix(e.Name(), ".") {
			return refuse("render/not-ours", "choose an empty directory with -o, or insist with --force",
				"is not a tree of rendered specs: it contains the directory %s", e.Name())
		}
	}
	return nil
}

func isDir(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.IsDir()
}

// sweep removes what a killed run left behind, and puts back a component that
// was moved away but not replaced.
func (o *Output) sweep() error {
	top, err := fs.ReadDir(o.root.FS(), ".")
	if err != nil {
		return err
	}
	for _, letter := range top {
		if !letter.IsDir() || len(letter.Name()) != 1 {
			continue
		}
		l, err := o.letter(letter.Name(), false)
		if err != nil {
			return err
		}
		names, err := l.dir.Readdirnames(-1)
		if err != nil {
			return err
		}
		l.dir.Seek(0, io.SeekStart)
		for _, name := range names {
			if !strings.HasPrefix(name, tempPrefix) {
				continue
			}
			if comp, ok := strings.CutPrefix(name, oldPrefix); ok && comp != "" {
				if _, err := l.root.Lstat(comp); errors.Is(err, fs.ErrNotExist) {
					if err := l.root.Rename(name, comp); err != nil {
						return err
					}
					continue
				}
			}
			if err := l.root.RemoveAll(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// letter returns the directory for components starting with a letter, nil when
// it does not exist and is not to be created.
func (o *Output) letter(name string, create bool) (*letterDir, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if l := o.letters[name]; l != nil {
		return l, nil
	}
	if o.root == nil {
		return nil, nil
	}
	if create {
		if err := o.root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	root, err := o.root.OpenRoot(name)
	if errors.Is(err, fs.ErrNotExist) && !create {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	dir, err := root.Open(".")
	if err != nil {
		root.Close()
		return nil, err
	}
	l := &letterDir{root: root, dir: dir}
	o.letters[name] = l
	return l, nil
}

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
		return nil, outputError(o.Dir, err)
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
	var root *os.Root
	if l != nil {
		st, err := l.root.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case !st.IsDir():
			return nil, notOurs(path.Join(o.Dir, ComponentDir(name)), "is not a directory")
		default:
			if root, err = l.root.OpenRoot(name); err != nil {
				return nil, err
			}
			defer root.Close()
			c.exists = true
		}
	}
	found := map[string]fs.FileInfo{}
	emptyDir := false
	if root != nil {
		var err error
		if emptyDir, err = listFiles(root, ".", found); err != nil {
			return nil, err
		}
		if len(found) > 0 && !o.force && !looksRendered(name, found) {
			return nil, notOurs(path.Join(o.Dir, ComponentDir(name)), "was not rendered: it has neither "+name+".spec nor "+FailedName)
		}
	}
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
			return nil, err
		case !equal:
			c.changes = append(c.changes, Change{f.Path, Changed})
		case st.Mode().Perm() != f.Mode.Perm():
			c.changes = append(c.changes, Change{f.Path, Mode})
		default:
			c.same[f.Path] = true
		}
	}
	for p := range found {
		c.changes = append(c.changes, Change{p, Removed})
	}
	slices.SortFunc(c.changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	c.rebuild = c.rebuild || emptyDir || !c.exists || len(c.changes) > 1 ||
		len(c.changes) == 1 && strings.Contains(c.changes[0].Path, "/") && c.changes[0].Kind != Changed && c.changes[0].Kind != Mode
	if !c.exists || emptyDir && len(c.changes) == 0 {
		// A directory without files is no difference that a repository sees.
		c.rebuild = !c.exists
	}
	if alias := AliasName(name); alias != "" {
		target := ""
		if l != nil {
			st, err := l.root.Lstat(alias)
			if err == nil && st.Mode()&fs.ModeSymlink == 0 {
				return c, nil // something of that name is in the way: leave it
			}
			target, _ = l.root.Readlink(alias)
		}
		if target != name {
			c.alias = true
			c.changes = append([]Change{{"../" + alias, Added}}, c.changes...)
		}
	}
	return c, nil
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
		return nil, outputError(o.Dir, err)
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
		err = o.link(l, AliasName(name), name)
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
		err := writeFile(l.root, tmp, files[i])
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
	defer func() {
		if rerr := l.root.RemoveAll(tmp); err == nil {
			err = rerr
		}
	}()
	root, err := l.root.OpenRoot(tmp)
	if err != nil {
		return err
	}
	defer root.Close()
	made := map[string]bool{".": true}
	for _, f := range files {
		if dir := path.Dir(f.Path); !made[dir] {
			if err := root.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			made[dir] = true
		}
		if c.same[f.Path] && l.root.Link(path.Join(name, f.Path), path.Join(tmp, f.Path)) == nil {
			continue
		}
		if err := writeFile(root, f.Path, f); err != nil {
			return err
		}
	}
	if !c.exists {
		return l.root.Rename(tmp, name)
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

// writeFile creates the file name with content and mode of f.
func writeFile(root *os.Root, name string, f *overlay.File) error {
	data, err := f.Bytes()
	if err != nil {
		return err
	}
	w, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.Mode.Perm())
	if err != nil {
		return err
	}
	if _, err = w.Write(data); err == nil {
		err = w.Chmod(f.Mode.Perm()) // the umask took its part
	}
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return err
}

// Orphans returns the directories in the tree that belong to none of the
// components, slash-separated and sorted. Only directories, and links that were
// aliases, exactly two levels deep below a directory with a name of one byte
// are considered.
func (o *Output) Orphans(components []string) ([]string, error) {
	if o.root == nil {
		return nil, nil
	}
	known := make(map[string]bool, len(components))
	for _, name := range components {
		known[ComponentDir(name)] = true
		if alias := AliasName(name); alias != "" && name != "" {
			known[strings.ToLower(name[:1])+"/"+alias] = true
		}
	}
	top, err := fs.ReadDir(o.root.FS(), ".")
	if err != nil {
		return nil, outputError(o.Dir, err)
	}
	var orphans []string
	for _, letter := range top {
		if !letter.IsDir() || len(letter.Name()) != 1 {
			continue
		}
		entries, err := fs.ReadDir(o.root.FS(), letter.Name())
		if err != nil {
			return nil, outputError(o.Dir, err)
		}
		for _, e := range entries {
			p := letter.Name() + "/" + e.Name()
			isLink := e.Type()&fs.ModeSymlink != 0
			if known[p] || strings.HasPrefix(e.Name(), tempPrefix) || !e.IsDir() && !isLink {
				continue
			}
			if isLink {
				// An alias leads to its sibling under the unescaped name.
				target, err := o.root.Readlink(p)
				if err != nil || AliasName(target) != e.Name() {
					continue
				}
			}
			orphans = append(orphans, p)
		}
	}
	return orphans, nil
}

// Remove deletes an orphan, each moved out of the way in one step first. The
// letter's directory goes with its last component.
func (o *Output) Remove(orphan string) error {
	letter, name := path.Split(orphan)
	l, err := o.letter(path.Clean(letter), false)
	if err != nil || l == nil {
		return outputError(o.Dir, err)
	}
	tmp := o.temp()
	if err := l.root.Rename(name, tmp); err != nil {
		return outputError(filepath.Join(o.Dir, orphan), err)
	}
	if err := l.root.RemoveAll(tmp); err != nil {
		return outputError(filepath.Join(o.Dir, orphan), err)
	}
	o.root.Remove(path.Clean(letter)) // fails, rightly, unless it is empty
	return nil
}

// notOurs is the error about a directory that somebody else made.
func notOurs(dir, why string) error {
	return &diag.Diagnostic{Code: "render/not-ours", Message: dir + " " + why,
		Hint: "move it out of the way, or insist with --force"}
}

// componentError wraps an error that arose while comparing or writing one
// component. Diagnostics (of the store, whose content is read here) pass.
func (o *Output) componentError(name string, err error) error {
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		return d
	}
	return outputError(filepath.Join(o.Dir, ComponentDir(name)), err)
}

// outputError makes a diagnostic of an error of the file system.
func outputError(dir string, err error) *diag.Diagnostic {
	d := &diag.Diagnostic{Code: "render/write", Env: true, Message: fmt.Sprintf("cannot write %s: %v", dir, cause(err))}
	switch {
	case isNoSpace(err):
		d.Hint = "make room on the disk and render again; what was there is unchanged"
	case errors.Is(err, fs.ErrPermission):
		d.Hint = "check owner and permissions of the directory"
	}
	return d
}

// cause strips the path off a file system error, which names a file inside a
// temporary directory that nobody knows.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}
