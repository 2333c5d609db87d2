package rebase

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/diff"

	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// A FileEdit is what becomes of one configuration file.
type FileEdit struct {
	Path   string // absolute
	Before []byte // as it was when the project was loaded
	After  []byte // nil: the file is removed
}

// Diff returns the edit as a unified diff.
func (e *FileEdit) Diff(shown string) string {
	return string(diff.Diff("a/"+shown, e.Before, "b/"+shown, e.After))
}

// editors are the files that are being edited.
type editors struct {
	project *components.Project
	files   map[string]*edit.Editor
	order   []string
}

func newEditors(p *components.Project) *editors {
	return &editors{project: p, files: map[string]*edit.Editor{}}
}

// open begins to edit a file of the project, as it was loaded.
func (e *editors) open(file string) (*edit.Editor, error) {
	if ed := e.files[file]; ed != nil {
		return ed, nil
	}
	text, ok := e.project.Text(file)
	if !ok {
		return nil, fmt.Errorf("%s is no file of the project", file)
	}
	shown := file
	if rel, err := filepath.Rel(e.project.Dir, file); err == nil && filepath.IsLocal(rel) {
		shown = filepath.ToSlash(rel)
	}
	ed, problems := edit.Edit(shown, text)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	e.files[file], e.order = ed, append(e.order, file)
	return ed, nil
}

// edits returns what was done.
func (e *editors) edits() []FileEdit {
	var list []FileEdit
	for _, file := range e.order {
		before, _ := e.project.Text(file)
		if after := e.files[file].Bytes(); !bytes.Equal(before, after) {
			list = append(list, FileEdit{Path: file, Before: before, After: after})
		}
	}
	return list
}

// replace puts operations in the place of an overlay.
func (e *editors) replace(op *overlay.Op, with []overlay.Op) error {
	if !components.Own(op) {
		return &diag.Diagnostic{Pos: op.Pos, Code: "rebase/shared", Message: "several components share this overlay; it is not changed for one of them",
			Hint: "change it by hand, or move it to the components that need it"}
	}
	ed, err := e.open(e.project.FileOf(op))
	if err != nil {
		return err
	}
	return ed.ReplaceOverlayAt(op.Pos, op, with)
}

// ProposalDiff returns the proposal for an overlay as a diff of the file that
// the overlay stands in.
func ProposalDiff(p *components.Project, o *Overlay, with []overlay.Op) (string, error) {
	e := newEditors(p)
	if err := e.replace(o.Op, with); err != nil {
		return "", err
	}
	var text string
	for _, f := range e.edits() {
		text += f.Diff(shownPath(p, f.Path))
	}
	return text, nil
}

func shownPath(p *components.Project, file string) string {
	if rel, err := filepath.Rel(p.Dir, file); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return file
}

// Edits returns the edits of configuration files that take the proposals for
// components and move their pins. Only components that are ready are edited.
func Edits(p *components.Project, list []*Component) ([]FileEdit, error) {
	e := newEditors(p)
	for _, c := range list {
		if !c.Ready() {
			continue
		}
		for i := range c.Overlays {
			if o := &c.Overlays[i]; o.Proposed {
				if err := e.replace(o.Op, o.Proposal); err != nil {
					return nil, err
				}
			}
		}
		if c.Config.Spec.UpstreamCommit == "" || c.From == c.To {
			continue
		}
		at, ok := c.Config.Origin("spec.upstream-commit")
		if !ok || at.Layer != "component" {
			continue // a pin that others share
		}
		file := filepath.FromSlash(at.Pos.Filename)
		if !filepath.IsAbs(file) {
			file = filepath.Join(p.Dir, file)
		}
		ed, err := e.open(file)
		if err != nil {
			return nil, err
		}
		if err := ed.Set([]string{"components", c.Name, "spec", "upstream-commit"}, c.To); err != nil {
			return nil, err
		}
	}
	return e.edits(), nil
}

// unchanged refuses files that somebody has edited since the project was
// loaded.
func unchanged(edits []FileEdit) error {
	var list diag.List
	for i := range edits {
		now, err := os.ReadFile(edits[i].Path)
		if err != nil {
			return journalProblem(edits[i].Path, err)
		}
		if !bytes.Equal(now, edits[i].Before) {
			d := list.Add(filePos(edits[i].Path), "rebase/changed", "the file has changed on disk meanwhile; no file was touched")
			d.Hint = "run the command again"
		}
	}
	return list.Err()
}

// sourceFiles returns the files of overlays that are dropped and that nothing
// else in the project refers to.
func sourceFiles(p *components.Project, dropped []*overlay.Op) []string {
	var files []string
	for _, op := range dropped {
		if op.Source == "" || slices.Contains(files, op.Source) {
			continue
		}
		if info, err := os.Lstat(op.Source); err != nil || info.Mode()&fs.ModeType != 0 {
			continue
		}
		if rel, err := filepath.Rel(p.Root, op.Source); err != nil || !filepath.IsLocal(rel) {
			continue
		}
		files = append(files, op.Source)
	}
	if len(files) == 0 {
		return nil
	}
	used := map[string]bool{}
	for _, name := range p.Names() {
		c, _ := p.Component(name)
		if c == nil {
			continue
		}
		for i := range c.Overlays {
			op := &c.Overlays[i]
			if !slices.ContainsFunc(dropped, func(d *overlay.Op) bool { return d.Pos == op.Pos }) {
				used[op.Source] = true
			}
		}
	}
	return slices.DeleteFunc(files, func(f string) bool { return used[f] })
}
