package facts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"specgraft/overlay/diag"
	"specgraft/render"
)

// maxSpec bounds a rendered spec; real ones have less than one MiB.
const maxSpec = 64 << 20

// Tree evaluates the components as the project's rendered tree has them now, and
// renders nothing. A component that failed to render has neither facts nor an
// error, but a warning.
func (l *Loader) Tree(ctx context.Context, names []string) (*Loaded, error) {
	p := l.Renderer.Project
	root, err := os.OpenRoot(p.RenderedDir)
	if err != nil {
		d := &diag.Diagnostic{Code: "plan/no-tree", Message: "the project has no rendered tree: " + diag.Reason(err).Error(),
			Hint: "write it with `specgraft render -a`"}
		d.Pos.Filename = p.Display(p.RenderedDir)
		return nil, d
	}
	defer root.Close()
	return l.each(ctx, names, func(name string) (*Facts, diag.List) {
		return l.treeFacts(root, name)
	})
}

// treeFacts evaluates the spec of one component in the rendered tree.
func (l *Loader) treeFacts(root *os.Root, name string) (*Facts, diag.List) {
	dir := render.ComponentDir(name)
	at := l.Renderer.Project.Display(filepath.Join(l.Renderer.Project.RenderedDir, filepath.FromSlash(dir)))
	report := func(d *diag.Diagnostic) diag.List {
		d.Component, d.Pos.Filename = name, at
		return diag.List{*d}
	}
	if _, err := root.Lstat(dir + "/" + render.FailedName); err == nil {
		return nil, report(&diag.Diagnostic{Code: "plan/failed", Severity: diag.Warning, Message: fmt.Sprintf("%s failed to render: it is left out", name),
			Hint: "see why with `specgraft render " + name + "`"})
	}
	sub, err := root.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, report(&diag.Diagnostic{Code: "plan/not-in-tree", Message: name + " is not in the rendered tree",
			Hint: "write it with `specgraft render " + name + "`"})
	}
	if err != nil {
		return nil, report(&diag.Diagnostic{Code: "plan/read", Message: fmt.Sprintf("the rendered %s cannot be read: %v", name, diag.Reason(err)), Env: true})
	}
	defer sub.Close()
	files := sub.FS()
	text, err := readSpec(files, name+".spec")
	if err != nil {
		d := &diag.Diagnostic{Code: "plan/read", Message: fmt.Sprintf("%s.spec cannot be read: %v", name, diag.Reason(err)), Env: true}
		if errors.Is(err, fs.ErrNotExist) {
			d.Code, d.Env, d.Message = "plan/not-in-tree", false, "the rendered "+name+" has no "+name+".spec"
			d.Hint = "write it with `specgraft render " + name + "`"
		}
		return nil, report(d)
	}
	cfg, err := l.Evaluation(name, l.Config)
	if err != nil {
		return nil, problem(name, err)
	}
	cfg.FS = files
	return l.Cache.Facts(Spec{Name: name + ".spec", Text: text, Config: cfg}), nil
}

func readSpec(files fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > maxSpec:
		return nil, fmt.Errorf("it has more than %d MiB", maxSpec>>20)
	}
	return fs.ReadFile(files, name)
}
