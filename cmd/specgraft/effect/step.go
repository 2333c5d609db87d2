package effect

import (
	"fmt"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/render/review"
)

func StepCmd(g *cli.Globals) *cobra.Command {
	var from, to, only int
	var output string
	cmd := &cobra.Command{
		Use:   "step NAME",
		Short: "Show what each overlay of a component does, one at a time",
		Long: `Step applies the operations on a component one by one and prints what each did
as a unified diff against the state before it: the overlays in their order, and
the renderer's own steps around them. Warnings stand below the operation that
they are about. It stops at the first operation that fails; -o writes the files
as the last operation shown left them, for a look or for trying another edit.`,
		Example: `  specgraft step bash
  specgraft step bash --only 3
  specgraft step bash --to 2 -o /tmp/bash`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: g.CompleteNames,
	}
	sel := &cli.Selection{}
	sel.LockFlag(cmd)
	f := cmd.Flags()
	f.IntVar(&from, "from", 1, "begin with operation `N`")
	f.IntVar(&to, "to", 0, "end with operation `N` (default: the last)")
	f.IntVar(&only, "only", 0, "show operation `N` only")
	f.StringVarP(&output, "output-dir", "o", "", "write the files as the last operation shown leaves them to the empty directory `DIR`")
	_ = cmd.MarkFlagDirname("output-dir")
	cmd.MarkFlagsMutuallyExclusive("only", "from")
	cmd.MarkFlagsMutuallyExclusive("only", "to")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "table", "json")
		if err != nil {
			return err
		}
		if from < 1 || to < 0 || only < 0 || to > 0 && to < from {
			return cli.Usagef("--from, --to and --only are numbers from 1, --from not above --to")
		}
		v, err := g.Viewer(cmd.Context(), sel, args)
		if err != nil {
			return err
		}
		v.Renderer.Lint = true
		if len(v.Names) != 1 {
			return cli.Usagef("step shows one component at a time, not %d", len(v.Names))
		}
		view := review.Open(cmd.Context(), v.Renderer, v.Names[0])
		steps, err := view.Steps()
		if err != nil {
			return err
		}
		total := len(steps)
		if only > 0 {
			from, to = only, only
		}
		if beyond := max(from, to); beyond > total && total > 0 {
			return cli.Usagef("%s has %d operation%s, and no number %d", v.Names[0], total, cli.Plural(total), beyond)
		}
		if to == 0 || to > total {
			to = total
		}
		shown := steps[min(from-1, total):to]
		if err := printSteps(g, view, shown, total, format); err != nil {
			return fmt.Errorf("cannot print the results: %w", err)
		}
		if output != "" {
			if err := view.WriteTree(output, to); err != nil {
				return err
			}
			g.Note("wrote %s as operation %d of %d leaves it to %s", v.Names[0], to, total, output)
		}
		// What is not about an operation shown belongs to the component.
		if to == total {
			v.Report(view.Without(shown).Result.Diags)
			v.Judge(view)
		}
		return v.Done()
	}
	return cmd
}

// printSteps prints steps with their diagnostics.
func printSteps(g *cli.Globals, view *review.View, steps []review.Step, total int, format string) error {
	if format == "json" {
		if steps == nil {
			steps = []review.Step{}
		}
		return cli.WriteJSON(g.Stdout, struct {
			Component string        `json:"component"`
			Commit    string        `json:"commit,omitempty"`
			Total     int           `json:"total"`
			Steps     []review.Step `json:"steps"`
		}{view.Result.Component, view.Result.Upstream.Commit, total, steps})
	}
	for i := range steps {
		if err := steps[i].Write(g.Stdout, g.Style(), total); err != nil {
			return err
		}
		g.Report(steps[i].Diags)
	}
	return nil
}
