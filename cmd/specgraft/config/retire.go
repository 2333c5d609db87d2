package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"specgraft/cmd/specgraft/cli"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/rebase"
)

// retireRecord is an overlay that is due.
type retireRecord struct {
	Component string       `json:"component"`
	Index     int          `json:"index"`
	Type      overlay.Type `json:"type"`
	File      string       `json:"file"`
	Line      int          `json:"line"`
	Reason    string       `json:"reason"`
	Status    string       `json:"status"` // "due", "entangled" or "retired"
	Removes   []string     `json:"removes,omitempty"`
}

func RetireCmd(g *cli.Globals) *cobra.Command {
	var apply bool
	cmd := &cobra.Command{
		Use:   "retire [-a | NAME...]",
		Short: "Remove overlays whose time has come",
		Long: `Retire lists the overlays that are due by what their metadata says: the upstream
commit is in the history of the component's commit, a version is reached, a day
has come, another component is at a version. The keys stand in the overlay's
metadata:

  metadata = { category = "azl-temp-workaround", upstream-status = "upstreamed",
               specgraft = { retire-version = "2.5" } }

Before an overlay counts as one that can go, the component is rendered without
it, and must read as upstream does wherever it reads differently. --apply removes
the overlays from the configuration, and the files that they brought in where
nothing else uses them.`,
		Example: `  specgraft retire -a
  specgraft retire bash --apply`,
	}
	sel := g.SelectFlags(cmd)
	sel.LockFlag(cmd)
	cmd.Flags().BoolVar(&apply, "apply", false, "remove them from the configuration")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf(cli.RecordFormats...)
		if err != nil {
			return err
		}
		ctx := cmd.Context()
		p, names, err := g.LoadSelected(sel, args)
		if err != nil {
			return err
		}
		if err := rebase.Check(p.Dir); err != nil {
			return err
		}
		v, err := g.ViewerOf(ctx, p, sel, names)
		if err != nil {
			return err
		}
		v.Renderer.WithoutHistory = true
		b := &rebase.Rebaser{Renderer: v.Renderer, Today: rebase.Today(time.Now())}
		found := make([]*rebase.Retirement, len(names))
		problems := make([]diag.List, len(names))
		var pool errgroup.Group
		pool.SetLimit(g.Jobs(0, 1))
		for i, name := range names {
			pool.Go(func() error {
				c, list := p.Component(name)
				if c == nil || list.HasErrors() {
					problems[i] = list
					return nil
				}
				r, err := b.Retire(ctx, c)
				if err != nil && !c.Build.Failure.Expected {
					problems[i] = render.ListOf(err, name)
				}
				found[i] = r
				return ctx.Err()
			})
		}
		if err := pool.Wait(); err != nil {
			return err
		}
		for _, l := range problems {
			v.Report(l)
			v.Code = cli.Worst(v.Code, cli.CodeOf(l))
		}
		found = slices.DeleteFunc(found, func(r *rebase.Retirement) bool { return r == nil })
		edits, err := rebase.RetireEdits(p, found)
		if err != nil {
			return err
		}
		var removed []string
		for _, e := range edits {
			if e.After == nil {
				removed = append(removed, cli.Relative(e.Path))
			}
		}
		if apply && len(edits) > 0 {
			if err := rebase.Write(p.Dir, p.Root, "specgraft retire", edits); err != nil {
				return err
			}
		}
		out := cli.NewRecords(g.Stdout, format, []cli.Column[retireRecord]{
			{Title: "COMPONENT", Cell: func(r retireRecord) string { return r.Component }},
			{Title: "OVERLAY", Cell: func(r retireRecord) string { return fmt.Sprintf("%s:%d", r.File, r.Line) }},
			{Title: "TYPE", Cell: func(r retireRecord) string { return string(r.Type) }},
			{Title: "STATUS", Cell: func(r retireRecord) string { return r.Status }},
			{Title: "REASON", Cell: func(r retireRecord) string { return r.Reason }},
		})
		n := 0
		for _, r := range found {
			status := "due"
			switch {
			case !r.Proven:
				status = "entangled"
				v.Report(r.Problems)
				v.Code = cli.Worst(v.Code, cli.ExitProblems)
			case apply:
				status = "retired"
			}
			for _, d := range r.Due {
				rec := retireRecord{Component: r.Name, Index: d.Index, Type: d.Op.Type, File: d.File, Line: d.Line, Reason: d.Reason, Status: status}
				if d.Op.Source != "" && slices.Contains(removed, cli.Relative(d.Op.Source)) {
					rec.Removes = []string{cli.Relative(d.Op.Source)}
				}
				n++
				if err := out.Write(rec); err != nil {
					return fmt.Errorf("cannot print the results: %w", err)
				}
			}
		}
		if err := out.Close(); err != nil {
			return fmt.Errorf("cannot print the results: %w", err)
		}
		switch {
		case n == 0:
			g.Note("no overlay is due")
		case apply && len(edits) > 0:
			var files []string
			for _, e := range edits {
				files = append(files, cli.Relative(e.Path))
			}
			g.Note("edited or removed %s", strings.Join(files, ", "))
		default:
			g.Note("%d overlay%s due; --apply removes them", n, map[bool]string{true: " is", false: "s are"}[n == 1])
		}
		return v.Done()
	}
	return cmd
}
