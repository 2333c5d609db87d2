package render

import (
	"errors"
	"fmt"
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

	"golang.org/x/sync/errgroup"
)

// FailedName is the file that stands alone in the directory of a component
// that could not be rendered.
const FailedName = "RENDER_FAILED"

// failedText is its content. It says where it comes from in the words of the
// reference tool, because the file is checked in and compared.
const failedText = "Rendering failed. See azldev logs for details.\n"

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

// aliasName returns the name of the symbolic link that stands beside the
// directory of a component whose name is spelled differently in a URL, or the
// empty string when no link is needed.
func aliasName(name string) string {
	if alias := url.QueryEscape(name); alias != name {
		return alias
	}
	return ""
}

// failedFiles is the content of the directory of a component that failed.
func failedFiles() []*overlay.File {
	return []*overlay.File{overlay.NewFile(FailedName, 0o644, []byte(failedText), nil)}
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

	mu      sync.Mutex // not held while the file system is asked
	letters map[string]*letterDir

	noExchange atomic.Bool // the file system cannot exchange directories
}

// A letterDir is one of the directories between the tree and the components.
type letterDir struct {
	open sync.Mutex // held while the others are set
	root *os.Root   // nil until then
	dir  *os.File   // the same directory, for calls that want a descriptor
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
	if err := CheckOutputDir(abs, opt); err != nil {
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
	if o.lock, err = LockDir(abs, opt.ReadOnly); err != nil {
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
		if l.root != nil {
			l.dir.Close()
			l.root.Close()
		}
	}
	if o.lock != nil {
		UnlockDir(o.lock)
	}
	if o.root != nil {
		return o.root.Close()
	}
	return nil
}

// CheckOutputDir refuses directories that cannot be meant.
func CheckOutputDir(abs string, opt OutputOptions) error {
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
	return o.eachLetter(func(_ string, l *letterDir, names []string) error {
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
		return nil
	})
}

// eachLetter calls f for each directory between the tree and the components with
// the names in it, for several at a time. Names alone are read: package os asks for
// more about each entry of a directory that was opened through a root.
func (o *Output) eachLetter(f func(letter string, l *letterDir, names []string) error) error {
	top, err := o.root.Open(".")
	if err != nil {
		return err
	}
	letters, err := top.Readdirnames(-1)
	top.Close()
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(16)
	for _, letter := range letters {
		if len(letter) != 1 {
			continue
		}
		group.Go(func() error {
			l, err := o.letter(letter, false)
			if _, ok := errors.AsType[*diag.Diagnostic](err); ok || l == nil && err == nil {
				return nil // something else, or somebody was faster
			}
			if err != nil {
				return err
			}
			if _, err := l.dir.Seek(0, io.SeekStart); err != nil {
				return err
			}
			names, err := l.dir.Readdirnames(-1)
			if err != nil {
				return err
			}
			return f(letter, l, names)
		})
	}
	return group.Wait()
}

// letter returns the directory for components starting with a letter, nil when
// it does not exist and is not to be created. Something else in its place is
// the problem of the components that belong there.
func (o *Output) letter(name string, create bool) (*letterDir, error) {
	if o.root == nil {
		return nil, nil
	}
	o.mu.Lock()
	l := o.letters[name]
	if l == nil {
		l = &letterDir{}
		o.letters[name] = l
	}
	o.mu.Unlock()
	l.open.Lock()
	defer l.open.Unlock()
	if l.root != nil {
		return l, nil
	}
	if create {
		if err := o.root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	if st, err := o.root.Lstat(name); err == nil && !st.IsDir() {
		return nil, notDirectory(filepath.Join(o.Dir, name), st)
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
	l.root, l.dir = root, dir
	return l, nil
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
		if alias := aliasName(name); alias != "" && name != "" {
			known[strings.ToLower(name[:1])+"/"+alias] = true
		}
	}
	var orphans []string
	var mu sync.Mutex
	err := o.eachLetter(func(letter string, l *letterDir, names []string) error {
		for _, name := range names {
			p := letter + "/" + name
			if known[p] || strings.HasPrefix(name, tempPrefix) {
				continue
			}
			st, err := l.root.Lstat(name)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				continue
			case err != nil:
				return err
			case st.Mode()&fs.ModeSymlink != 0:
				// An alias leads to its sibling under the unescaped name.
				if target, err := l.root.Readlink(name); err != nil || aliasName(target) != name {
					continue
				}
			case !st.IsDir():
				continue
			}
			mu.Lock()
			orphans = append(orphans, p)
			mu.Unlock()
		}
		return nil
	})
	if err != nil {
		return nil, outputError(o.Dir, err)
	}
	slices.Sort(orphans)
	return orphans, nil
}

// Remove deletes an orphan, each moved out of the way in one step first. The
// letter's directory goes with its last component.
func (o *Output) Remove(orphan string) error {
	letter, name := path.Split(orphan)
	l, err := o.letter(path.Clean(letter), false)
	if err != nil {
		return outputError(o.Dir, err)
	}
	if l == nil {
		return nil // somebody was faster
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

// notDirectory is the error about something that stands in the place of a
// directory. It is never replaced, --force or not: a link leads to what somebody
// keeps elsewhere.
func notDirectory(path string, st fs.FileInfo) error {
	what := "is not a directory"
	if st.Mode()&fs.ModeSymlink != 0 {
		what = "is a symbolic link, not a directory"
	}
	return &diag.Diagnostic{Code: "render/not-ours", Message: path + " " + what,
		Hint: "move it out of the way"}
}

// aliasTaken returns a warning when something else than a symbolic link stands
// where the alias of a component belongs, which is left alone then, or nil.
func (o *Output) aliasTaken(name string) *diag.Diagnostic {
	alias := aliasName(name)
	if alias == "" || o.root == nil {
		return nil
	}
	p := path.Join(path.Dir(ComponentDir(name)), alias)
	st, err := o.root.Lstat(p)
	if err != nil || st.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	return &diag.Diagnostic{Severity: diag.Warning, Code: "render/alias-taken", Component: name,
		Message: fmt.Sprintf("%s stands in the place of the link to %s", path.Join(o.Dir, p), name),
		Hint:    "move it out of the way and render again; links are what URLs with the escaped name lead to"}
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
	d := &diag.Diagnostic{Code: "render/write", Env: true, Message: fmt.Sprintf("cannot write %s: %v", dir, Cause(err))}
	switch {
	case isNoSpace(err):
		d.Hint = "make room on the disk and render again; what was there is unchanged"
	case errors.Is(err, fs.ErrPermission):
		d.Hint = "check owner and permissions of the directory"
	}
	return d
}
