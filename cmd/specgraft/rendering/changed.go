package rendering

import (
	"context"
	"fmt"
	"go/token"
	"maps"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/facts"
	"specgraft/render/revision"
)

// changedRecord is one component in the output of changed.
type changedRecord struct {
	Component      string `json:"component"`
	ChangeType     string `json:"changeType"`     // added, changed, unchanged or deleted
	SourcesChange  bool   `json:"sourcesChange"`  // the rendered sources file differs
	RenderedChange bool   `json:"renderedChange"` // the rendered directory differs
}

var changedColumns = []cli.Column[changedRecord]{
	{Title: "COMPONENT", Cell: func(r changedRecord) string { return r.Component }},
	{Title: "CHANGE", Cell: func(r changedRecord) string { return r.ChangeType }},
	{Title: "SOURCES", Cell: func(r changedRecord) string { return fmt.Sprint(r.SourcesChange) }},
	{Title: "RENDERED", Cell: func(r changedRecord) string { return fmt.Sprint(r.RenderedChange) }},
}

func ChangedCmd(g *cli.Globals) *cobra.Command {
	var from, to string
	var unchanged, meaning bool
	cmd := &cobra.Command{
		Use:   "changed --from REF [--to REF] [NAME...]",
		Short: "List the components whose output changed between two commits",
		Long: `Changed compares two commits of the project by their lock files and rendered
trees, and lists the components that have to be built again: those whose
fingerprint differs, or, when a commit has no lock directory, whose rendered
directory does. Of a project that keeps pins instead of locks, the configuration
of both commits is loaded and compared: everything that decides what is built,
and neither documentation nor tests, channels and hints. Nothing is rendered and
no upstream is asked. --from A...B compares B with the commit where it left A, as
a pull request does: what happened on A since then is not listed.

When a rendered sources file changed although the fingerprint did not, the tree
was not rendered from its locks; that is an error.

With --meaning a component is unchanged when its rendered directory differs in
comments, spacing and the like alone, or its fingerprint changed and nothing that
is rendered did.`,
		Example: `  specgraft changed --from HEAD~1 --json
  specgraft changed --from HEAD~1 --meaning
  specgraft changed --from origin/main...HEAD --include-unchanged`,
	}
	sel := g.SelectFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "compare from commit `REF`, or with A...B from where B left A (required)")
	f.StringVar(&to, "to", "HEAD", "compare to commit `REF`")
	f.BoolVar(&meaning, "meaning", false, "count as unchanged what differs in comments, spacing and the like alone")
	f.BoolVar(&unchanged, "include-unchanged", false, "list components that did not change, too")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf(cli.RecordFormats...)
		if err != nil {
			return err
		}
		if from == "" {
			return cli.Usagef("--from REF is missing: the commit to compare with")
		}
		p, err := g.Load()
		if err != nil {
			return err
		}
		h, err := g.OpenHistory(cmd.Context(), p)
		if err != nil {
			return err
		}
		start, end, err := cli.ResolveRange(h, from, to, cmd.Flags().Changed("to"))
		if err != nil {
			return err
		}
		before, err := readOutputs(start)
		if err != nil {
			return err
		}
		after, err := readOutputs(end)
		if err != nil {
			return err
		}
		var loader *facts.Loader
		if meaning {
			r, err := g.Renderer(p)
			if err != nil {
				return err
			}
			loader = &facts.Loader{Renderer: r, Cache: &facts.Cache{}, Jobs: g.Jobs(0, 1)}
		}
		if p.WithoutLocks {
			return changedInputs(cmd.Context(), g, p, sel, args, before, after, loader, unchanged, format)
		}
		names := map[string]bool{}
		for _, o := range []*outputs{before, after} {
			for n := range o.locks {
				names[n] = true
			}
			if before.locks == nil || after.locks == nil {
				for _, n := range o.rendered {
					names[n] = true
				}
			}
		}
		if len(names) == 0 {
			g.Note("neither %s nor %s has locks or rendered specs, so there is nothing to compare; commit what 'specgraft update -a' or 'specgraft render -a' writes", start, end)
		}
		chosen, err := sel.Among(p, args, slices.Sorted(maps.Keys(names)))
		if err != nil {
			return err
		}
		list := cli.NewRecords(g.Stdout, format, changedColumns)
		var problems diag.List
		for _, name := range chosen {
			rec, err := compareOutputs(p, name, before, after, &problems)
			if err != nil {
				return err
			}
			rec.byMeaning(cmd.Context(), loader, before, after, &problems)
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
		if list.Empty() && len(names) > 0 && len(problems) == 0 {
			g.Note("nothing has to be built again")
		}
		return problems.Err()
	}
	return cmd
}

// byMeaning makes an unchanged component of one that differs in noise alone. A
// nil loader leaves it as it is.
func (rec *changedRecord) byMeaning(ctx context.Context, loader *facts.Loader, before, after *outputs, problems *diag.List) {
	if loader == nil || rec.ChangeType != "changed" {
		return
	}
	c, list := loader.Changed(ctx, before.Revision, after.Revision, rec.Component)
	*problems = append(*problems, list...)
	if len(c.What) == 0 && !list.HasErrors() {
		rec.ChangeType = "unchanged"
	}
}

// outputs is what one revision has of locks and rendered specs.
type outputs struct {
	*revision.Revision
	locks    map[string]string // component: object name of its lock; nil without locks
	rendered []string
}

func readOutputs(r *revision.Revision) (o *outputs, err error) {
	o = &outputs{Revision: r}
	if o.locks, err = r.Locks(); err == nil {
		o.rendered, err = r.Rendered()
	}
	return o, err
}

// compareOutputs compares the results for one component.
func compareOutputs(p *components.Project, name string, before, after *outputs, problems *diag.List) (changedRecord, error) {
	rec := changedRecord{Component: name}
	if err := rec.compareRendered(before.Revision, after.Revision); err != nil {
		return rec, err
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
	if before.locks == nil || after.locks == nil {
		oldTree, err := before.Tree(name)
		if err != nil {
			return rec, err
		}
		newTree, err := after.Tree(name)
		if err != nil {
			return rec, err
		}
		rec.ChangeType = kind(oldTree, newTree, rec.RenderedChange)
		return rec, nil
	}
	a, b := before.locks[name], after.locks[name]
	changed := false
	if a != "" && b != "" && a != b {
		old, err := fingerprint(before.Revision, name)
		if err != nil {
			return rec, err
		}
		now, err := fingerprint(after.Revision, name)
		if err != nil {
			return rec, err
		}
		changed = old != now
	}
	rec.ChangeType = kind(a, b, changed)
	if rec.SourcesChange && rec.ChangeType == "unchanged" {
		file := filepath.Join(p.RenderedDir, filepath.FromSlash(render.ComponentDir(name)), "sources")
		d := problems.Add(token.Position{Filename: p.Display(file)}, "history/sources",
			"the sources of %s changed between %s and %s, but its fingerprint did not", name, before, after)
		d.Component = name
		d.Hint = fmt.Sprintf("run `specgraft update %s` and `specgraft render %s`, and commit both results", name, name)
	}
	return rec, nil
}

// compareRendered compares the rendered directories of the component.
func (r *changedRecord) compareRendered(before, after *revision.Revision) error {
	old, err := before.Tree(r.Component)
	if err != nil {
		return err
	}
	now, err := after.Tree(r.Component)
	if err != nil {
		return err
	}
	if r.RenderedChange = old != now; !r.RenderedChange {
		return nil
	}
	a, err := sourcesOf(before, r.Component)
	if err != nil {
		return err
	}
	b, err := sourcesOf(after, r.Component)
	r.SourcesChange = a != b
	return err
}

// sourcesOf returns the object name of a component's rendered sources file, ""
// for none.
func sourcesOf(r *revision.Revision, name string) (string, error) {
	files, err := r.Files(name)
	for _, f := range files {
		if f.Path == "sources" {
			return f.ID, nil
		}
	}
	return "", err
}

func fingerprint(r *revision.Revision, name string) (string, error) {
	l, err := r.Lock(name)
	if err != nil || l == nil {
		return "", err
	}
	return l.InputFingerprint, nil
}
