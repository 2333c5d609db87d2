package rendering

import (
	"context"
	"slices"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/lock"
	"specgraft/overlay/diag"
	"specgraft/render/facts"
)

// changedInputs is changed for a project without locks: it compares what both
// commits resolve to.
func changedInputs(ctx context.Context, g *cli.Globals, p *components.Project, sel *cli.Selection, args []string, before, after *outputs, loader *facts.Loader, unchanged bool, format string) error {
	var names []string
	for _, o := range []*outputs{before, after} {
		then, err := o.Project()
		if err != nil {
			return err
		}
		names = append(names, then.Names()...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	chosen, err := sel.Among(p, args, names)
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		g.Say("no components were selected")
	}
	// Whoever names a component wants to hear about it.
	named := len(args)+len(sel.Patterns)+len(sel.Groups)+len(sel.SpecPaths) > 0
	list := cli.NewRecords(g.Stdout, format, changedColumns)
	var problems diag.List
	for _, name := range chosen {
		rec, err := compareResolved(name, before, after)
		if err != nil {
			if !problems.Take(err) {
				return err
			}
			continue
		}
		rec.byMeaning(ctx, loader, before, after, &problems)
		if rec.ChangeType == "unchanged" && !rec.SourcesChange && !unchanged && !named {
			continue
		}
		if err := list.Write(rec); err != nil {
			return err
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	if list.Empty() && len(chosen) > 0 && len(problems) == 0 {
		g.Note("nothing has to be built again")
	}
	problems.Sort()
	return problems.Err()
}

// compareResolved compares what decides a component at two revisions.
func compareResolved(name string, before, after *outputs) (changedRecord, error) {
	rec := changedRecord{Component: name}
	if err := rec.compareRendered(before.Revision, after.Revision); err != nil {
		return rec, err
	}
	inputs := func(o *outputs) ([]lock.Input, error) {
		s, err := o.State(name)
		if err != nil || s.Component == nil {
			return nil, err
		}
		list, err := s.Resolved()
		return list, o.Explain(err)
	}
	old, err := inputs(before)
	if err != nil {
		return rec, err
	}
	now, err := inputs(after)
	if err != nil {
		return rec, err
	}
	switch {
	case old == nil && now == nil:
		rec.ChangeType = "unchanged"
	case old == nil:
		rec.ChangeType = "added"
	case now == nil:
		rec.ChangeType = "deleted"
	case !slices.Equal(old, now):
		rec.ChangeType = "changed"
	default:
		rec.ChangeType = "unchanged"
	}
	return rec, nil
}
