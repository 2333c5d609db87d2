package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/components/lock"
	"specgraft/fedora"
	"specgraft/fedora/cache"
	"specgraft/fedora/snapshot"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// A Source says what a component was made from.
type Source struct {
	Local  bool
	Dir    string // directory of a local component
	Commit string // upstream commit, full
	// Request is what was asked of the store to find Commit.
	Request fedora.Request
	Lock    *lock.Lock // nil without one
	// Pristine is the text of the spec as it was found, Mode its permissions.
	Pristine []byte
	Mode     fs.FileMode
}

// Request says which commit of its dist-git repository a component is made from:
// the lock's, when there is one, else what the configuration asks for.
func Request(c *components.Component, u distro.Upstream, locked *lock.Lock) fedora.Request {
	req := fedora.Request{URL: u.URL, Mirrors: u.Mirrors, Branch: u.Branch, Commit: u.Commit, Snapshot: u.Snapshot, Component: c.Name}
	if locked != nil && locked.UpstreamCommit != "" {
		req.Commit = locked.UpstreamCommit
	}
	return req
}

// Source returns a component's packaging before anything is done to it: the
// spec, under the component's name, and all other files.
func (r *Renderer) Source(ctx context.Context, c *components.Component) (*overlay.Tree, Source, error) {
	r.setup()
	return r.source(ctx, c, nil)
}

// source is Source for a component whose inputs may be known already, else nil:
// then the commit is theirs, whatever happened to the branch in the meantime.
func (r *Renderer) source(ctx context.Context, c *components.Component, in *inputs) (*overlay.Tree, Source, error) {
	switch {
	case c.Spec.Type == "template":
		return r.templated(c)
	case !c.IsUpstream():
		return r.local(c)
	}
	u, problems := r.Project.Upstream(c)
	if err := problems.Err(); err != nil {
		return nil, Source{}, err
	}
	var locked *lock.Lock
	var err error
	if in != nil {
		locked = in.lock
	} else if locked, err = r.lock(c.Name); err != nil {
		return nil, Source{}, err
	}
	src := Source{Lock: locked, Request: Request(c, u, locked)}
	at := func(err error) error {
		d, ok := errors.AsType[*diag.Diagnostic](err)
		if !ok {
			return err
		}
		placed := *d
		switch d.Code {
		case "fedora/bad-ref", "fedora/missing-commit", "fedora/ambiguous-commit":
			if u.Commit == "" && src.Request.Commit != "" {
				placed.Pos.Filename = r.show(lock.Path(r.Project, c.Name))
				if !strings.Contains(placed.Hint, "specgraft update") && !strings.Contains(placed.Hint, "unshallow") {
					placed.Hint = fmt.Sprintf("the lock asks for it: restore the lock file from version control, or take what upstream has now: %s", fedora.AcceptRewritten(c.Name))
				}
			}
		}
		placed = c.PlaceUpstream(placed, u)
		return &placed
	}
	var snap *snapshot.Snapshot
	switch {
	case u.Source == "srpm":
		snap, err = r.sourcePackage(ctx, c, u, &src)
	case in != nil:
		src.Commit = in.commit
		snap, err = r.Store.Snapshot(ctx, u.URL, src.Commit)
	default:
		if src.Commit, err = r.Store.Resolve(ctx, src.Request); err == nil {
			snap, err = r.Store.Snapshot(ctx, u.URL, src.Commit)
		}
	}
	if err != nil {
		return nil, src, at(err)
	}
	tree := &overlay.Tree{Name: c.Name, Files: make(map[string]*overlay.File, len(snap.Files))}
	upstream := u.Name + ".spec"
	for i := range snap.Files {
		f := &snap.Files[i]
		if f.Path != upstream {
			tree.Files[f.Path] = overlay.LazyFile(f.Path, f.Mode, f.Size, f.Bytes)
			continue
		}
		if src.Pristine, err = f.Bytes(); err != nil {
			return nil, src, at(err)
		}
		src.Mode = f.Mode
		tree.Spec = spec.Parse(c.Name+".spec", src.Pristine)
	}
	if tree.Spec == nil {
		var specs []string
		for _, f := range snap.Files {
			if strings.HasSuffix(f.Path, ".spec") && !strings.Contains(f.Path, "/") {
				specs = append(specs, strings.TrimSuffix(f.Path, ".spec"))
			}
		}
		return nil, src, at(noSpec(fmt.Sprintf("%s at commit %.12s has no %s", u.URL, src.Commit, upstream), specs))
	}
	return tree, src, nil
}

// noSpec is the error about a missing spec, with what is there instead.
func noSpec(message string, specs []string) error {
	d := &diag.Diagnostic{Code: "render/no-spec", Message: message, Hint: "it has no spec at all; is it the right repository and commit?"}
	switch {
	case len(specs) == 1:
		d.Hint = fmt.Sprintf("it has %s.spec: set spec.upstream-name = %q, or correct the name", specs[0], specs[0])
	case len(specs) > 1:
		d.Hint = "it has " + strings.Join(specs, ".spec, ") + ".spec"
	}
	return d
}

// local reads a component whose packaging is in the project. Symbolic links
// become the files they lead to, inside the project.
func (r *Renderer) local(c *components.Component) (*overlay.Tree, Source, error) {
	pos := c.Pos
	if o, ok := c.Origin("spec.path"); ok && o.Pos.Line > 0 {
		pos = o.Pos
	}
	problem := func(format string, args ...any) error {
		return &diag.Diagnostic{Pos: pos, Code: "render/local", Message: fmt.Sprintf(format, args...)}
	}
	if c.Spec.Path == "" {
		return nil, Source{}, &diag.Diagnostic{Pos: pos, Code: "render/local",
			Message: fmt.Sprintf("component %s has neither an upstream nor a spec.path", c.Name),
			Hint:    `set spec = { type = "upstream" } or spec = { type = "local", path = "..." }`}
	}
	dir := filepath.Dir(c.Spec.Path)
	src := Source{Local: true, Dir: dir}
	var err error
	if src.Lock, err = r.lock(c.Name); err != nil {
		return nil, src, err
	}
	top, base := r.Project.Root, ""
	if rel, err := filepath.Rel(top, dir); err == nil && filepath.IsLocal(rel) {
		base = filepath.ToSlash(rel)
	} else {
		top, base = dir, "." // the loader was told to let it out of the project
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, src, problem("cannot read %s: %v", r.show(top), Cause(err))
	}
	defer root.Close()
	if _, err := root.Stat(base); errors.Is(err, fs.ErrNotExist) {
		return nil, src, &diag.Diagnostic{Pos: pos, Code: "render/local",
			Message: fmt.Sprintf("the directory %s of the local spec does not exist", r.show(dir)),
			Hint:    "spec.path is relative to the TOML file that it stands in"}
	}
	tree := &overlay.Tree{Name: c.Name, Files: map[string]*overlay.File{}}
	err = fs.WalkDir(root.FS(), base, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return problem("cannot read %s: %v", r.show(filepath.Join(top, p)), Cause(err))
		}
		if d.IsDir() {
			if d.Name() == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		stat, open := root.Stat, root.Open
		if r.AllowOutside {
			stat = func(p string) (fs.FileInfo, error) { return os.Stat(filepath.Join(top, p)) }
			open = func(p string) (*os.File, error) { return os.Open(filepath.Join(top, p)) }
		}
		st, err := stat(p)
		switch {
		case err != nil && d.Type()&fs.ModeSymlink != 0 && !errors.Is(err, fs.ErrNotExist):
			return problem("%s leads outside the project through a symbolic link", r.show(filepath.Join(top, p)))
		case err != nil:
			return problem("cannot read %s: %v", r.show(filepath.Join(top, p)), Cause(err))
		case st.IsDir():
			return problem("%s is a symbolic link to a directory", r.show(filepath.Join(top, p)))
		case !st.Mode().IsRegular():
			return problem("%s is not a regular file", r.show(filepath.Join(top, p)))
		}
		data, err := readFile(open, p, st.Size())
		if err != nil {
			return problem("cannot read %s: %v", r.show(filepath.Join(top, p)), Cause(err))
		}
		if r.Unsaved != nil {
			if text, ok := r.Unsaved(filepath.Join(top, filepath.FromSlash(p))); ok {
				data = text
			}
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(p, base), "/")
		if base == "." {
			rel = p
		}
		if rel == c.Name+".spec" {
			src.Pristine, src.Mode = data, gitMode(st.Mode())
			tree.Spec = spec.Parse(r.show(filepath.Join(dir, c.Name+".spec")), data)
			return nil
		}
		tree.Files[rel] = overlay.NewFile(rel, gitMode(st.Mode()), data, nil)
		return nil
	})
	if err != nil {
		return nil, src, err
	}
	if tree.Spec == nil {
		d := &diag.Diagnostic{Pos: pos, Code: "render/no-spec", Message: fmt.Sprintf("%s has no %s.spec", r.show(dir), c.Name),
			Hint: "a local spec bears the name of its component"}
		if name := path.Base(filepath.ToSlash(c.Spec.Path)); name != c.Name+".spec" {
			d.Hint = fmt.Sprintf("a local spec bears the name of its component: rename %s, or the component", name)
		}
		return nil, src, d
	}
	return tree, src, nil
}

// show shortens a path below the project for messages, so that they do not
// depend on where the project lies.
func (r *Renderer) show(p string) string {
	if rel, err := filepath.Rel(r.Project.Dir, p); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return p
}

// gitMode reduces permissions to what git records.
func gitMode(m fs.FileMode) fs.FileMode {
	if m&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

// A sourceOpener reads files that overlays bring in. Below the project's top
// level no symbolic link leads out of it; a path outside of it has been allowed
// by whoever loaded the configuration.
type sourceOpener struct {
	root string // top level of the project; empty: links may lead anywhere
	once sync.Once
	dir  *os.Root
	err  error
}

// overlaySource opens a file that an overlay brings in. One that is missing has
// the name that messages about the project have for it.
func (r *Renderer) overlaySource(name string) ([]byte, fs.FileMode, error) {
	data, mode, err := r.sources.open(name)
	if err == nil && r.Unsaved != nil {
		if text, ok := r.Unsaved(name); ok {
			data = text
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = &diag.Diagnostic{Code: "overlay/source", Message: fmt.Sprintf("source file %q does not exist", r.Project.Display(name)),
			Hint: "`source` is relative to the TOML file that holds the overlay"}
	}
	return data, mode, err
}

func (s *sourceOpener) open(name string) ([]byte, fs.FileMode, error) {
	stat, open := os.Stat, os.Open
	if rel, err := filepath.Rel(s.root, name); s.root != "" && err == nil && filepath.IsLocal(rel) {
		s.once.Do(func() { s.dir, s.err = os.OpenRoot(s.root) })
		if s.err != nil {
			return nil, 0, s.err
		}
		stat, open, name = s.dir.Stat, s.dir.Open, rel
	}
	// Asked before opening, as opening a pipe would wait for its writer.
	st, err := stat(name)
	if err != nil {
		return nil, 0, err
	}
	if !st.Mode().IsRegular() {
		return nil, 0, &diag.Diagnostic{Code: "overlay/source", Message: fmt.Sprintf("source file %q is not a regular file", filepath.Base(name))}
	}
	data, err := readFile(open, name, st.Size())
	return data, gitMode(st.Mode()), err
}

// readFile reads a file of about size bytes.
func readFile(open func(string) (*os.File, error), name string, size int64) ([]byte, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, min(size, 1<<30))
	n, err := io.ReadFull(cache.Pieces(f), data)
	if err != nil { // it is shorter by now, or cannot be read
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		}
		return data[:n], err
	}
	rest, err := io.ReadAll(cache.Pieces(f))
	if len(rest) > 0 {
		data = append(data, rest...)
	}
	return data, err
}
