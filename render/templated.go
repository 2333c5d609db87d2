package render

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
	"specgraft/render/template"
)

// templateStep is the origin of lines and files of a templated component.
const templateStep = "template"

// Templates returns the templates of a project: the built-in ones and those of
// its templates folder, which need not exist. Unsaved returns the text that an
// editor has of a file there in place of what is on the disk; it may be nil.
func Templates(p *components.Project, unsaved func(path string) ([]byte, bool)) (*template.Set, diag.List) {
	set := template.Builtin()
	dir := p.Settings.TemplatesDir
	if dir == "" {
		return set, nil
	}
	top, rel := p.Root, ""
	var err error
	if rel, err = filepath.Rel(top, dir); err != nil || !filepath.IsLocal(rel) {
		top, rel = dir, "." // the loader was told to let it out of the project
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return set, nil
	}
	defer root.Close()
	sub, err := fs.Sub(root.FS(), filepath.ToSlash(rel))
	if err != nil {
		return set, nil
	}
	shown := dir
	if r, err := filepath.Rel(p.Dir, dir); err == nil && filepath.IsLocal(r) {
		shown = r
	}
	if unsaved != nil {
		sub = unsavedFS{sub, dir, unsaved}
	}
	return set.With(sub, shown)
}

// An unsavedFS is a folder in which an editor has other texts of some files.
type unsavedFS struct {
	fs.FS
	dir  string
	text func(path string) ([]byte, bool)
}

func (f unsavedFS) ReadFile(name string) ([]byte, error) {
	if text, ok := f.text(filepath.Join(f.dir, filepath.FromSlash(name))); ok {
		return text, nil
	}
	return fs.ReadFile(f.FS, name)
}

func (f unsavedFS) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(f.FS, name)
	if text, ok := f.text(filepath.Join(f.dir, filepath.FromSlash(name))); ok && err == nil {
		info = unsavedInfo{info, int64(len(text))}
	}
	return info, err
}

type unsavedInfo struct {
	fs.FileInfo
	size int64
}

func (i unsavedInfo) Size() int64 { return i.size }

// templates are read once for all components.
func (r *Renderer) templates() (*template.Set, diag.List) {
	r.templateOnce.Do(func() { r.templateSet, r.templateProblems = Templates(r.Project, r.Unsaved) })
	return r.templateSet, r.templateProblems
}

// templated writes the spec of a component that is described in TOML alone. The
// files that it carries stand next to the TOML file.
func (r *Renderer) templated(c *components.Component) (*overlay.Tree, Source, error) {
	r.setup()
	src := Source{Local: true, Dir: c.Dir}
	pos := c.Pos
	if o, ok := c.Origin("spec.template"); ok && o.Pos.IsValid() {
		pos = o.Pos
	}
	set, problems := r.templates()
	if err := problems.Err(); err != nil {
		return nil, src, err
	}
	t, problem := set.Template(c.Spec.Template)
	if problem != nil {
		if !problem.Pos.IsValid() {
			problem.Pos = pos
		}
		return nil, src, problem
	}
	s := template.New(c)
	out, problems := t.Execute(s)
	if err := problems.Err(); err != nil {
		return nil, src, err
	}
	var err error
	if src.Lock, err = r.lock(c.Name); err != nil {
		return nil, src, err
	}
	src.Pristine, src.Mode = out.Text, 0o644
	tree := &overlay.Tree{Name: c.Name, Spec: spec.Parse(c.Name+".spec", out.Text), Files: map[string]*overlay.File{}}
	for i := range min(tree.Spec.Len(), len(out.Lines)) {
		l := out.Lines[i]
		tree.Spec.Line(i).Origin = &spec.Origin{Pos: l.Template, Step: templateStep, Index: -1, Description: c.Spec.Template, Values: l.Values}
	}
	for _, f := range s.LocalFiles() {
		data, mode, err := r.sources.open(filepath.Join(c.Dir, f.S))
		if err != nil {
			return nil, src, &diag.Diagnostic{Pos: f.Pos, Code: "render/local", Component: c.Name,
				Message: fmt.Sprintf("cannot read %s: %v", filepath.Join(c.Dir, f.S), Cause(err)), Hint: "files of a templated component stand next to its TOML file"}
		}
		tree.Files[f.S] = overlay.NewFile(f.S, mode, data, &spec.Origin{Pos: f.Pos, Step: templateStep, Index: -1, Description: c.Spec.Template})
	}
	return tree, src, nil
}
