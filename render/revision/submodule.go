package revision

import (
	"path"
	"path/filepath"
	"slices"
)

// HasSubmodules reports whether the revision is a commit with submodules, of whose
// files nothing is known here.
func (r *Revision) HasSubmodules() bool {
	if r.id == "" {
		return false
	}
	e, err := r.history.repo.Entry(r.id, ".gitmodules")
	return err == nil && e.IsRegular()
}

// Elsewhere reports whether a component is made from files of a submodule, so that
// it cannot be rendered as the commit has it.
func (r *Revision) Elsewhere(component string) bool {
	if !r.HasSubmodules() {
		return false
	}
	s, err := r.State(component)
	if err != nil || s.Component == nil {
		return false // trying it says why
	}
	c := s.Component
	set, _ := s.Project.MacroSet(c)
	files := []string{c.Spec.Path, set}
	for i := range c.Overlays {
		files = append(files, c.Overlays[i].Source)
	}
	if c.Spec.Type == "template" {
		files = append(files, s.Project.Settings.TemplatesDir)
		for name := range c.Template.FileNames() {
			files = append(files, filepath.Join(c.Dir, name))
		}
	}
	return slices.ContainsFunc(files, func(file string) bool {
		rel, err := filepath.Rel(s.Project.Root, file)
		return file != "" && err == nil && filepath.IsLocal(rel) && r.inSubmodule(filepath.ToSlash(rel))
	})
}

// inSubmodule reports whether a path of the repository is that of a submodule or
// of something in one.
func (r *Revision) inSubmodule(file string) bool {
	for ; file != "."; file = path.Dir(file) {
		if e, err := r.history.repo.Entry(r.id, file); err == nil {
			return e.IsSubmodule()
		}
	}
	return false
}
