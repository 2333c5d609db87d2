package components

import (
	"errors"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components/distro"
	"specgraft/overlay/diag"
)

// IsUpstream reports whether the component's packaging comes from a
// distribution rather than from the project.
func (c *Component) IsUpstream() bool { return c.Spec.Type == "upstream" }

// DistroVersion returns the distribution and version that ref names, either
// nil where it is not defined. A reference without a name is the project's
// default distribution.
func (p *Project) DistroVersion(ref distro.Ref) (*distro.Distro, *distro.Version) {
	if ref.Name == "" {
		ref = p.DefaultDistro
	}
	d := p.Distros[ref.Name]
	if d == nil {
		return nil, nil
	}
	version := ref.Version
	if version == "" {
		version = d.DefaultVersion
	}
	return d, d.Versions[version]
}

// ReleaseVer returns the release version of the distribution that the component
// is taken from, "" when that is not defined.
func (p *Project) ReleaseVer(c *Component) string {
	if _, v := p.DistroVersion(c.Spec.UpstreamDistro); v != nil {
		return v.ReleaseVer
	}
	return ""
}

// display shortens a path for messages and hashes, so that neither depends on
// where the project lies.
func (p *Project) display(path string) string { return p.paths.display(path) }

// A LocalFile is one file that a component without an upstream is made from.
type LocalFile struct {
	Name string // relative to the directory it is looked for in, with slashes
	Path string // absolute
}

// LocalFiles lists the files that a component without an upstream is made
// from, in the order of their paths: for a local spec all files below its
// directory; for a template the project's own templates, as one may build on
// another, and the files beside the TOML file that the template table names.
func (p *Project) LocalFiles(c *Component) ([]LocalFile, error) {
	var files []LocalFile
	add := func(dir, path string) error {
		rel, err := filepath.Rel(dir, path)
		files = append(files, LocalFile{filepath.ToSlash(rel), path})
		return err
	}
	if c.Spec.Type == "template" {
		if dir := p.Settings.TemplatesDir; dir != "" {
			names, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.spec.tmpl"))
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				if err := add(dir, name); err != nil {
					return nil, err
				}
			}
		}
		for name := range c.Template.FileNames() {
			path := filepath.Join(c.Dir, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				if err := add(c.Dir, path); err != nil {
					return nil, err
				}
			}
		}
	} else {
		if c.Spec.Path == "" {
			return nil, errors.New("the component has no spec.path")
		}
		dir := filepath.Dir(c.Spec.Path)
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return add(dir, path)
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(files, func(a, b LocalFile) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}

// escapeGlob makes a path match only itself.
func escapeGlob(path string) string {
	return strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`).Replace(path)
}

// CheckRenderedDir refuses a directory of rendered specs that a symbolic link
// leads out of the project.
// The error is a *diag.Diagnostic.
func (p *Project) CheckRenderedDir() error {
	return p.CheckInside(p.RenderedDir, "the directory of rendered specs")
}

// CheckInside refuses a directory of the project that a symbolic link leads out
// of it: whoever wrote the project must not choose where files are written and
// removed. what names the directory in the message. The error is a
// *diag.Diagnostic.
func (p *Project) CheckInside(dir, what string) error {
	if p.paths.free || !within(p.paths.root, dir) {
		return nil // the user chose it
	}
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil // still to be made
		}
	}
	if err == nil && within(p.paths.real, real) {
		return nil
	}
	return &diag.Diagnostic{
		Pos:     token.Position{Filename: p.display(dir)},
		Code:    "config/outside",
		Message: what + " leads outside the project through a symbolic link",
		Hint:    "make it a directory of the project; --allow-outside allows others",
	}
}
