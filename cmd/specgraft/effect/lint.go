package effect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/rebase"
	"specgraft/render/review"
	"specgraft/render/review/lint"
)

func LintCmd(g *cli.Globals) *cobra.Command {
	var baseline, writeBaseline string
	cmd := &cobra.Command{
		Use:   "lint [NAME...]",
		Short: "Look at the health of overlays",
		Long: `Lint renders components in memory and says of each overlay how many places it
matched, how many it expects and what it is confined to, and what is fragile,
superfluous or incomplete about it. Each finding has a stable code that
'specgraft help codes lint/' explains; levels are set under
[project.specgraft.lint]. Where a typed overlay does what an expression does, it
is printed ready to paste; it was applied and gave the same bytes.

A baseline is a file of findings that are known: --write-baseline writes it, and
with --baseline only new findings are printed and counted. Errors are never
known. Without names all components with overlays are looked at, as with -a.

Exit code 1 says that there are errors; warnings and notes leave it at 0.`,
		Example: `  specgraft lint bash
  specgraft lint -a --format sarif
  specgraft lint -a --write-baseline .lint-baseline.json
  specgraft lint -a --baseline .lint-baseline.json --format github`,
	}
	sel := g.SelectFlags(cmd)
	sel.LockFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&baseline, "baseline", "", "leave out the findings that `FILE` knows")
	f.StringVar(&writeBaseline, "write-baseline", "", "write the findings to `FILE`, so that they are known")
	cmd.MarkFlagsMutuallyExclusive("baseline", "write-baseline")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "table", "json", "sarif", "github", "markdown")
		if err != nil {
			return err
		}
		if !sel.Given(args) {
			sel.All = true
		}
		var known *lint.Baseline
		if baseline != "" {
			if known, err = readBaseline(baseline); err != nil {
				return err
			}
		}
		v, err := g.Viewer(cmd.Context(), sel, args)
		if err != nil {
			return err
		}
		res, err := runLint(cmd.Context(), v, sel.All)
		if err != nil {
			return err
		}
		if writeBaseline != "" {
			b, err := lint.NewBaseline(res.Findings).Encode()
			if err != nil {
				return err
			}
			if err := os.WriteFile(writeBaseline, b, 0o666); err != nil {
				return cli.FileProblem("lint/baseline", writeBaseline, err)
			}
		}
		if known != nil {
			res.Keep(known.New(res.Findings))
		}
		if err := printLint(g, res, format); err != nil {
			return fmt.Errorf("cannot print the results: %w", err)
		}
		for _, d := range res.Findings {
			// A component that is expected to fail has its errors.
			if c, problems := v.Project.Component(d.Component); d.Severity == diag.Error && (d.Component == "" || problems.HasErrors() || !c.Build.Failure.Expected) {
				v.Code = cli.Worst(v.Code, cli.ExitProblems)
			}
		}
		return v.Done()
	}
	return cmd
}

func readBaseline(file string) (*lint.Baseline, error) {
	b, err := cli.ReadInput("lint/baseline", file, lint.MaxBaseline)
	if err != nil {
		return nil, err
	}
	return lint.ParseBaseline(file, b)
}

// lintOptions is how the components of a project are looked at.
func lintOptions(ctx context.Context, r *render.Renderer) lint.Options {
	levels := map[string]overlay.Level{}
	for code, level := range r.Project.Settings.Lint {
		levels[code] = overlay.Level(level)
	}
	dues := &rebase.Rebaser{Renderer: r, Today: rebase.Today(time.Now())}
	return lint.Options{
		Levels: levels,
		Due: func(v *review.View) map[int]string {
			reasons := map[int]string{}
			for _, d := range dues.Due(ctx, v.Result.Config, v.Before, v.Result.Upstream.Commit) {
				reasons[d.Index] = d.Reason
			}
			return reasons
		},
		Typed: absorb.Typed,
		Newer: func(c *components.Component) (string, bool) { return lint.Newer(ctx, r, c) },
	}
}

// runLint looks at the chosen components, several at a time.
func runLint(ctx context.Context, v *cli.Viewer, project bool) (*lint.Result, error) {
	v.Renderer.Lint = true
	opt := lintOptions(ctx, v.Renderer)
	slots := make([]*lint.Result, len(v.Names))
	codes := make([]int, len(v.Names))
	var group errgroup.Group
	group.SetLimit(v.Jobs(0, 1))
	for i, name := range v.Names {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			view := review.Open(ctx, v.Renderer, name)
			slots[i] = lint.Component(view, opt)
			if c := view.Result.Config; view.Result.Failed() && (c == nil || !c.Build.Failure.Expected) {
				codes[i] = cli.CodeOf(view.Result.Diags)
			}
			return nil
		})
	}
	if err := errors.Join(group.Wait(), ctx.Err()); err != nil {
		return nil, err
	}
	all := &lint.Result{Overlays: []lint.Health{}, Findings: diag.List{}}
	for i, r := range slots {
		all.Overlays = append(all.Overlays, r.Overlays...)
		all.Findings = append(all.Findings, r.Findings...)
		v.Code = cli.Worst(v.Code, codes[i])
	}
	if project {
		all.Findings = append(all.Findings, lint.Project(v.Project, opt.Levels)...)
	}
	return all, nil
}

// printLint prints the result in a format.
func printLint(g *cli.Globals, res *lint.Result, format string) error {
	switch format {
	case "json":
		return cli.WriteJSON(g.Stdout, res)
	case "markdown":
		return res.WriteMarkdown(g.Stdout)
	case "sarif", "github":
		return g.Printer().Print(g.Stdout, format, res.Findings, cli.AllCodes())
	}
	if err := res.WriteText(g.Stdout); err != nil {
		return err
	}
	p := g.Printer()
	p.Color = g.Colored(g.Stdout)
	if err := p.Text(g.Stdout, res.Findings); err != nil {
		return err
	}
	return res.WriteSuggestions(g.Stdout)
}
