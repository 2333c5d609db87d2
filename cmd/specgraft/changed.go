package main

import (
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/components"
	"specgraft/overlay/diag"
	"specgraft/render"
)

// changedRecord is one component in the output of changed.
type changedRecord struct {
	Component      string `json:"component"`
	ChangeType     string `json:"changeType"`     // added, changed, unchanged or deleted
	SourcesChange  bool   `json:"sourcesChange"`  // the rendered sources file differs
	RenderedChange bool   `json:"renderedChange"` // the rendered directory differs
}

func changedCmd(g *globals) *cobra.Command {
	var from, to string
	var unchanged bool
	cmd := &cobra.Command{
		Use:   "changed --from REF [--to REF] [NAME...]",
		Short: "List the components whose output changed between two commits",
		Long: `Changed compares two commits of the project by their lock files and rendered
trees, and lists the components that have to be built again: those whose
fingerprint differs, or, in a project without locks, whose rendered directory
does. Nothing is rendered and no upstream is asked. When a rendered sources file
changed although the fingerprint did not, the tree was not rendered from its
locks; that is an error.`,
		Example: `  specgraft changed --from HEAD~1 --json
  specgraft changed --from origin/main --to HEAD --include-unchanged`,
	}
	sel := g.selectFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "compare from commit `REF` (required)")
	f.StringVar(&to, "to", "HEAD", "compare to commit `REF`")
	f.BoolVar(&unchanged, "include-unchanged", false, "list components that did not change, too")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.formatOf(recordFormats...)
		if err != nil {
			return err
		}
		if from == "" {
			return usageError{errors.New("--from REF is missing: the commit to compare with")}
		}
		p, err := g.load()
		if err != nil {
			return err
		}
		h, err := g.openHistory(cmd.Context(), p)
		if err != nil {
			return err
		}
		before, err := h.outputs(from)
		if err != nil {
			return err
		}
		after, err := h.outputs(to)
		if err != nil {
			return err
		}
		names := map[string]bool{}
		for _, o := range []*outputs{before, after} {
			for n := range o.locks {
				names[n] = true
			}
			if !before.locked || !after.locked {
				for n := range o.rendered {
					names[n] = true
				}
			}
		}
		chosen, err := sel.among(p, args, slices.Sorted(maps.Keys(names)))
		if err != nil {
			return err
		}
		list := newRecords(g.stdout, format, []column[changedRecord]{
			{"COMPONENT", 0, func(r changedRecord) string { return r.Component }},
			{"CHANGE", 0, func(r changedRecord) string { return r.ChangeType }},
			{"SOURCES", 0, func(r changedRecord) string { return fmt.Sprint(r.SourcesChange) }},
			{"RENDERED", 0, func(r changedRecord) string { return fmt.Sprint(r.RenderedChange) }},
		})
		var problems diag.List
		for _, name := range chosen {
			rec, err := h.compareOutputs(name, before, after, &problems)
			if err != nil {
				return err
			}
			if rec.ChangeType == "unchanged" && !unchanged {
				continue
			}
			if err := list.Write(rec); err != nil {
				return err
			}
		}
		if err := list.Close(); err != nil {
			return err
		}
		return problems.Err()
	}
	return cmd
}

// among returns those of names that were chosen; all without a choice. Unlike
// names it also knows components that the project has no longer.
func (s *selection) among(p *components.Project, args, names []string) ([]string, error) {
	patterns := append(slices.Clone(s.patterns), args...)
	if s.all || len(patterns)+len(s.groups)+len(s.specPaths) == 0 {
		return names, nil
	}
	var rest []string // for the project to look up, or to complain about
	match := map[string]bool{}
	for _, pattern := range patterns {
		hit := false
		for _, n := range names {
			if ok, err := path.Match(pattern, n); n == pattern || ok && err == nil {
				match[n], hit = true, true
			}
		}
		if !hit {
			rest = append(rest, pattern)
		}
	}
	if len(rest)+len(s.groups)+len(s.specPaths) > 0 {
		found, problems := p.Select(components.Selector{Names: rest, Groups: s.groups, SpecPaths: s.specPaths})
		if err := problems.Err(); err != nil {
			return nil, err
		}
		for _, n := range found {
			match[n] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !match[n] }), nil
}

// outputs is what one commit has of locks and rendered specs, by object name.
type outputs struct {
	commit   string
	locked   bool              // there is a lock directory
	locks    map[string]string // component: blob of its lock
	rendered map[string]string // component: tree of its rendered directory
}

// outputs lists the results in a commit.
func (h *history) outputs(ref string) (*outputs, error) {
	id, err := h.commit(ref)
	if err != nil {
		return nil, err
	}
	o := &outputs{commit: id, rendered: map[string]string{}}
	if o.locks, err = h.lockBlobs(id); err != nil {
		return nil, err
	}
	o.locked = o.locks != nil
	dir, ok := h.rel(h.project.RenderedDir)
	if !ok {
		return o, nil
	}
	e, err := h.repo.Entry(id, dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !e.IsDir() {
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	letters, err := h.repo.Tree(e.ID)
	if err != nil {
		return nil, err
	}
	for _, l := range letters {
		if !l.IsDir() {
			continue
		}
		list, err := h.repo.Tree(l.ID)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if c.IsDir() && render.ComponentDir(c.Name) == l.Name+"/"+c.Name {
				o.rendered[c.Name] = c.ID
			}
		}
	}
	return o, nil
}

// lockBlobs returns the blobs of the locks in a commit by component, nil when it
// has no lock directory.
func (h *history) lockBlobs(commit string) (map[string]string, error) {
	dir, ok := h.rel(h.project.LockDir)
	if !ok {
		return nil, nil
	}
	e, err := h.repo.Entry(commit, dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !e.IsDir() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := h.repo.Tree(e.ID)
	if err != nil {
		return nil, err
	}
	blobs := make(map[string]string, len(list))
	for _, f := range list {
		if name, ok := strings.CutSuffix(f.Name, components.LockSuffix); ok && f.IsRegular() && !strings.HasPrefix(name, ".") {
			blobs[name] = f.ID
		}
	}
	return blobs, nil
}

// compareOutputs compares the results for one component.
func (h *history) compareOutputs(name string, before, after *outputs, problems *diag.List) (changedRecord, error) {
	rec := changedRecord{Component: name, RenderedChange: before.rendered[name] != after.rendered[name]}
	if rec.RenderedChange {
		a, err := h.sourcesBlob(before.rendered[name])
		if err != nil {
			return rec, err
		}
		b, err := h.sourcesBlob(after.rendered[name])
		if err != nil {
			return rec, err
		}
		rec.SourcesChange = a != b
	}
	kind := func(a, b string, changed bool) string {
		switch {
		case a == "" && b == "":
			return "unchanged"
		case a == "":
			return "added"
		case b == "":
			return "deleted"
		case changed:
			return "changed"
		}
		return "unchanged"
	}
	if !before.locked || !after.locked {
		rec.ChangeType = kind(before.rendered[name], after.rendered[name], rec.RenderedChange)
		return rec, nil
	}
	a, b := before.locks[name], after.locks[name]
	changed := false
	if a != "" && b != "" && a != b {
		old, err := h.fingerprint(name, a, before.commit)
		if err != nil {
			return rec, err
		}
		now, err := h.fingerprint(name, b, after.commit)
		if err != nil {
			return rec, err
		}
		changed = old != now
	}
	rec.ChangeType = kind(a, b, changed)
	if rec.SourcesChange && rec.ChangeType == "unchanged" {
		dir, _ := h.rel(h.project.RenderedDir)
		d := problems.Add(token.Position{Filename: path.Join(dir, render.ComponentDir(name), "sources")}, "history/sources",
			"the sources of %s changed between %.12s and %.12s, but its fingerprint did not", name, before.commit, after.commit)
		d.Component = name
		d.Hint = fmt.Sprintf("run `specgraft update %s` and `specgraft render %s`, and commit both results", name, name)
	}
	return rec, nil
}

// sourcesBlob returns the object name of the sources file in a directory, "" for none.
func (h *history) sourcesBlob(tree string) (string, error) {
	if tree == "" {
		return "", nil
	}
	e, err := h.repo.Entry(tree, "sources")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return e.ID, err
}

func (h *history) fingerprint(name, blob, commit string) (string, error) {
	b, err := h.repo.Blob(blob)
	if err != nil {
		return "", err
	}
	l, err := components.ParseLock(h.project.LockPath(name), b)
	if err != nil {
		return "", revision{commit: commit}.explain(err)
	}
	return l.InputFingerprint, nil
}

// historyCodes are the diagnostics about comparing commits of the project.
var historyCodes = []diag.Code{
	{ID: "history/none", Summary: "the project has no history",
		Doc: "Commands that compare commits need the project to be in a git repository with at least one commit."},
	{ID: "history/no-lock", Summary: "no commit has the component's lock",
		Doc: "Without --from, why starts at the commit that last wrote the lock. Name another commit with --from."},
	{ID: "history/no-project", Summary: "a commit does not have the project",
		Doc: "The commit has no azldev.toml where the project has it now."},
	{ID: "history/sources", Summary: "rendered sources changed, but the fingerprint did not",
		Doc: "A farm that builds what changed would miss the component. Update its lock and render it, and commit both."},
}
