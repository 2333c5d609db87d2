package prepare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"specgraft/fedora/macro"
	"specgraft/fedora/srpm"
	"specgraft/overlay/diag"
	"specgraft/render"
)

// A Package is a source package that was written.
type Package struct {
	Component string `json:"component"`
	File      string `json:"file"` // path
	Name      string `json:"name"`
	Epoch     string `json:"epoch,omitempty"`
	Version   string `json:"version"`
	Release   string `json:"release"`
	Commit    string `json:"upstreamCommit,omitempty"`
	BuildTime int64  `json:"buildTime"` // seconds since 1970
	BuildHost string `json:"buildHost"`
	Payload   string `json:"payload"` // mode of the payload, such as w9.gzdio
	Size      int64  `json:"size"`    // bytes
	SHA256    string `json:"sha256"`
	// Files are what is in it, by name.
	Files []PackageFile `json:"files"`
}

// A PackageFile is a file in a source package.
type PackageFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// PackageOptions say how source packages are made.
type PackageOptions struct {
	Dir  string      // where the package is put; made when it is not there
	Tree TreeOptions // what goes into it; Dir is not used
	// Config is what the spec is evaluated with. Without a set it is the one of
	// the component's distribution.
	Config macro.Config
	Host   string // build host when the macro set has no %_buildhost
	// BuildTime is the time of the build in seconds since 1970; nil means the time
	// of the project's commit.
	BuildTime *int64
}

// WritePackage writes the source package that rpmbuild -bs makes of a component.
// The file appears complete or not at all. What Prepare and the renderer's fields
// are to be for it is as for WriteTree.
func WritePackage(ctx context.Context, r *render.Renderer, name string, o PackageOptions) (*Package, diag.List) {
	c, problems := r.Project.Component(name)
	if problems.HasErrors() {
		return nil, problems
	}
	fail := func(err error) (*Package, diag.List) {
		return nil, append(problems, render.Diagnostics(err, c)...)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return fail(treeFailure(o.Dir, err))
	}
	_, err = os.Stat(dir)
	fresh := errors.Is(err, fs.ErrNotExist)
	temp, release, err := makeTreeTemp(filepath.Join(dir, "package"))
	if err != nil {
		return fail(treeFailure(dir, err))
	}
	defer func() {
		if release(); fresh {
			os.Remove(dir) // succeeds when nothing came of it
		}
	}()
	o.Tree.Dir = filepath.Join(temp, "tree")
	tree, list := WriteTree(ctx, r, name, o.Tree)
	for i := range list {
		if list[i].Code == "fedora/offline" {
			list[i].Hint = fmt.Sprintf("fetch it with `specgraft prepare %s -o DIR`, without --offline", name)
		}
	}
	if problems = append(problems, list...); problems.HasErrors() {
		return nil, problems
	}
	cfg, err := r.Evaluation(c, o.Config)
	if err != nil {
		return fail(err)
	}
	root, err := os.OpenRoot(o.Tree.Dir)
	if err != nil {
		return fail(treeFailure(o.Tree.Dir, err))
	}
	defer root.Close()
	cfg.FS = root.FS()
	specName := name + ".spec"
	text, err := root.ReadFile(specName)
	if err != nil {
		return fail(treeFailure(specName, err))
	}
	when := r.Clock().Unix()
	if o.BuildTime != nil {
		when = *o.BuildTime
	}
	m, list := srpm.Describe(specName, text, cfg, srpm.Options{Time: when, Host: o.Host})
	for _, d := range list {
		d.Component = name
		problems = append(problems, d)
	}
	if problems.HasErrors() {
		return nil, problems
	}
	files, err := packageFiles(root)
	if err != nil {
		return fail(treeFailure(o.Tree.Dir, err))
	}
	made := filepath.Join(temp, "package")
	out, err := os.OpenFile(made, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fail(treeFailure(made, err))
	}
	defer out.Close()
	written, err := srpm.Write(ctx, out, m, files)
	if l, ok := errors.AsType[diag.ListError](err); ok && o.Tree.SkipSources {
		for i := range l {
			l[i].Hint = "leave out --skip-sources, so that it is taken from the cache or downloaded"
		}
	}
	if err != nil {
		return fail(err)
	}
	if err := out.Sync(); err != nil {
		return fail(treeFailure(made, err))
	}
	final := filepath.Join(dir, m.FileName())
	if err := os.Rename(made, final); err != nil {
		return fail(treeFailure(final, err))
	}
	p := &Package{Component: name, File: final, Name: m.Name, Epoch: m.Epoch, Version: m.Version, Release: m.Release, Commit: tree.Commit,
		BuildTime: m.Time, BuildHost: m.Host, Payload: m.Payload, Size: written.Size, SHA256: written.SHA256, Files: []PackageFile{}}
	for _, f := range written.Files {
		p.Files = append(p.Files, PackageFile(f))
	}
	return p, problems
}

// packageFiles lists the files of a prepared tree that a source package may have:
// those at its top.
func packageFiles(root *os.Root) ([]srpm.File, error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var files []srpm.File
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			continue
		}
		mode := fs.FileMode(0o644) // whatever the umask left
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		files = append(files, srpm.File{Name: e.Name(), Mode: mode, Size: info.Size(),
			Open: func() (io.ReadCloser, error) {
				f, err := root.Open(e.Name())
				if err != nil {
					return nil, fmt.Errorf("read %s: %w", e.Name(), render.Cause(err))
				}
				return f, nil
			}})
	}
	return files, nil
}
