package lock

import (
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/overlay/diag"
)

// maxSize bounds what is read of a lock file; real ones have half a kilobyte.
const maxSize = 1 << 20

// Path returns the path of the lock file of the component called name.
func Path(p *components.Project, name string) string {
	return filepath.Join(p.LockDir, name+Suffix)
}

// Read reads a component's lock. It returns nil without an error when there is
// none, or when the project works without locks. The error is a
// *diag.Diagnostic.
func Read(p *components.Project, name string) (*Lock, error) {
	d := Open(p)
	defer d.Close()
	return d.Read(name)
}

// A Dir is a project's lock directory, opened for reading many locks. It is safe
// for concurrent use.
type Dir struct {
	project *components.Project
	root    *os.Root // nil without a directory
	err     error    // why there is none, if that is wrong
}

// Open opens the lock directory. Whether there is one is found out now, once.
func Open(p *components.Project) *Dir {
	d := &Dir{project: p}
	if p.WithoutLocks {
		return d
	}
	if _, err := os.Lstat(p.LockDir); errors.Is(err, fs.ErrNotExist) {
		return d // the usual case costs no more than this
	}
	root, err := os.OpenRoot(p.LockDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		d.err = dirProblem(p, err)
	default:
		d.root = root
	}
	return d
}

// Read reads a component's lock as the function of that name does.
func (d *Dir) Read(name string) (*Lock, error) {
	if d.root == nil {
		return nil, d.err
	}
	return readIn(d.project, d.root, name)
}

// Close closes the directory.
func (d *Dir) Close() {
	if d.root != nil {
		d.root.Close()
	}
}

// readIn reads a lock below the opened lock directory.
func readIn(p *components.Project, root *os.Root, name string) (*Lock, error) {
	shown := p.Display(Path(p, name))
	problem := func(err error) error {
		return &diag.Diagnostic{
			Pos:       token.Position{Filename: shown},
			Code:      "lock/unreadable",
			Component: name,
			Message:   fmt.Sprintf("cannot read the lock file: %v", diag.Reason(err)),
			Env:       true,
		}
	}
	// Not opened before it is known to be a plain file: a pipe would wait.
	info, err := root.Stat(name + Suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, problem(err)
	}
	if !info.Mode().IsRegular() {
		return nil, problem(errors.New("not a regular file"))
	}
	if info.Size() > maxSize {
		return nil, problem(fmt.Errorf("%d bytes are too many for a lock file", info.Size()))
	}
	b, err := root.ReadFile(name + Suffix)
	if err != nil {
		return nil, problem(err)
	}
	l, err := Parse(shown, b)
	if d := (*diag.Diagnostic)(nil); errors.As(err, &d) {
		d.Component = name
	}
	return l, err
}

func dirProblem(p *components.Project, err error) *diag.Diagnostic {
	return &diag.Diagnostic{
		Pos:     token.Position{Filename: p.Display(p.LockDir)},
		Code:    "lock/unreadable",
		Message: fmt.Sprintf("cannot read the lock directory: %v", diag.Reason(err)),
		Env:     true,
	}
}

// Any reports whether the project has a lock directory. One without is
// rendered from pins and snapshots.
func Any(p *components.Project) bool {
	if p.WithoutLocks {
		return false
	}
	info, err := os.Stat(p.LockDir)
	return err == nil && info.IsDir()
}

// Orphans returns the names of lock files, without their suffix, that
// belong to no component, sorted. Hidden files do not count.
func Orphans(p *components.Project) ([]string, error) {
	entries, err := os.ReadDir(p.LockDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, dirProblem(p, err)
	}
	names := p.Names()
	var orphans []string
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), Suffix)
		if !ok || e.IsDir() || strings.HasPrefix(name, ".") || name == "" {
			continue
		}
		if _, found := slices.BinarySearch(names, name); !found {
			orphans = append(orphans, name)
		}
	}
	slices.Sort(orphans)
	return orphans, nil
}

// Validate checks the locks of the named components before they are used:
// each upstream component has one that can be read, with an upstream commit
// that is the pinned one where there is a pin; with all, no lock is left over
// from a component that is gone. A project without a lock directory has
// nothing to check. Fingerprints are not compared; update does that.
func Validate(p *components.Project, names []string, all bool) diag.List {
	if !Any(p) {
		return nil
	}
	root, err := os.OpenRoot(p.LockDir)
	if err != nil {
		return diag.List{*dirProblem(p, err)}
	}
	defer root.Close()
	var diags diag.List
	for _, name := range names {
		c, problems := p.Component(name)
		if problems.HasErrors() {
			diags = append(diags, problems...)
			continue
		}
		if !c.IsUpstream() {
			continue
		}
		l, err := readIn(p, root, name)
		if d := (*diag.Diagnostic)(nil); errors.As(err, &d) {
			diags = append(diags, *d)
			continue
		}
		if d := validate(p, c, l); d != nil {
			diags = append(diags, *d)
		}
	}
	if all {
		orphans, err := Orphans(p)
		if d := (*diag.Diagnostic)(nil); errors.As(err, &d) {
			diags = append(diags, *d)
		}
		for _, name := range orphans {
			d := diags.Add(token.Position{Filename: p.Display(Path(p, name))}, "lock/orphan", "no component is called %q", name)
			d.Hint = "remove it with `specgraft update -a`"
			if near := diag.Nearest(name, p.Names()); near != "" {
				d.Hint += fmt.Sprintf(", or is component %q meant?", near)
			}
		}
	}
	diags.Sort()
	return diags
}

// validate compares a component with its lock, nil for none.
func validate(p *components.Project, c *components.Component, l *Lock) *diag.Diagnostic {
	update := "run `specgraft update " + c.Name + "`"
	if l == nil {
		return &diag.Diagnostic{
			Pos: c.Pos, Code: "lock/missing", Component: c.Name,
			Message: fmt.Sprintf("component %q has no lock file %s", c.Name, p.Display(Path(p, c.Name))),
			Hint:    update,
		}
	}
	if l.UpstreamCommit == "" {
		return &diag.Diagnostic{
			Pos: l.at("version"), Code: "lock/stale", Component: c.Name,
			Message: "the lock has no upstream-commit, but the component comes from upstream",
			Hint:    update,
			Related: []diag.Related{{Pos: originOf(p, c, "spec.type"), Message: "made an upstream component here"}},
		}
	}
	if pin := c.Spec.UpstreamCommit; pin != "" && pin != l.UpstreamCommit {
		return &diag.Diagnostic{
			Pos: l.at("upstream-commit"), Code: "lock/stale", Component: c.Name,
			Message: fmt.Sprintf("the lock has upstream-commit %s, but the component is pinned to %s", l.UpstreamCommit, pin),
			Hint:    update,
			Related: []diag.Related{{Pos: originOf(p, c, "spec.upstream-commit"), Message: "pinned here"}},
		}
	}
	return nil
}

// originOf returns where a value was set, or where the component was.
func originOf(p *components.Project, c *components.Component, path string) token.Position {
	if o, ok := c.Origin(path); ok {
		return o.Pos
	}
	return c.Pos
}
