package effect

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/fedora/macro"
	"specgraft/render"
	"specgraft/render/review"
	"specgraft/render/review/report"
	"specgraft/render/revision"
)

func ReviewCmd(g *cli.Globals) *cobra.Command {
	var from, to, output string
	var archs []string
	cmd := &cobra.Command{
		Use:   "review --from REF [--to REF] [-o DIR] [NAME...]",
		Short: "Report what a change means for what is rendered",
		Long: `Review compares the rendered trees of two commits and reports what the change
means: components that changed in meaning and why, those that changed in noise
only, versions and their order, the health of the overlays it touches, and which
other components need what goes. Without --to it looks at the working tree; --from
A...B compares B with the commit where it left A, as a pull request does.

With -o it writes review.md, review.html, review.sarif and review.json; without,
it prints the report as --format says: markdown (the default), json, sarif or
github. 'specgraft config schema review' describes the JSON.

The trees are read from the repository: no checkout, no upstream and no network
are needed. When the cache has what rendering needs, the later side is also
rendered in memory, from the files of the commit whatever is checked out: the
report then says where the checked-in tree is not what the configuration renders,
with a patch, and what is new about the overlays.

Exit code 1 says that a component fails, an EVR goes down, or the checked-in tree
has drifted.`,
		Example: `  specgraft review --from origin/main
  specgraft review --from v4.0 --to HEAD -o /tmp/review
  specgraft review --from main...HEAD
  specgraft review --from HEAD~1 --format json`,
	}
	sel := g.SelectFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "compare from commit `REF`, or with A...B from where B left A (required)")
	f.StringVar(&to, "to", "", "compare to commit `REF` (default: the working tree)")
	f.StringVarP(&output, "output-dir", "o", "", "write the report in all formats to `DIR`")
	cli.ListVar(f, &archs, "arch", "", "evaluate for the architecture `ARCH`; may be repeated (default x86_64 and aarch64)")
	_ = cmd.MarkFlagDirname("output-dir")
	_ = cmd.RegisterFlagCompletionFunc("arch", cobra.FixedCompletions(macro.Archs(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("markdown", "json", "sarif", "github")
		if err != nil {
			return err
		}
		if output != "" && g.Format != "" {
			return cli.Usagef("-o writes all formats, so leave out --format")
		}
		r, err := buildReport(cmd.Context(), g, sel, args, from, to, archs, true)
		if err != nil {
			return err
		}
		if output != "" {
			err = writeReport(g, r, output)
			if err == nil {
				g.Say("%s", r.Verdict.Line())
				g.Note("the report is in %s", output)
			}
		} else {
			err = printReport(g, g.Stdout, r, format)
		}
		if err != nil {
			return err
		}
		if !r.Verdict.Good() {
			return cli.ExitError(cli.ExitProblems)
		}
		return nil
	}
	return cmd
}

// between resolves the two ends of a comparison; an empty to is the working
// tree, unless from is a range.
func between(ctx context.Context, g *cli.Globals, p *components.Project, from, to string) (h *revision.History, before, after *revision.Revision, err error) {
	if from == "" {
		return nil, nil, nil, cli.Usagef("--from REF is missing: the commit to compare with")
	}
	if h, err = g.OpenHistory(ctx, p); err != nil {
		return nil, nil, nil, err
	}
	before, after, err = cli.ResolveRange(h, from, to, to != "")
	return h, before, after, err
}

// buildReport compares two revisions of the project.
func buildReport(ctx context.Context, g *cli.Globals, sel *cli.Selection, args []string, from, to string, archs []string, renders bool) (*report.Report, error) {
	for _, a := range archs {
		if err := g.CheckArch(a); err != nil {
			return nil, err
		}
	}
	p, err := g.Load()
	if err != nil {
		return nil, err
	}
	h, before, after, err := between(ctx, g, p, from, to)
	if err != nil {
		return nil, err
	}
	opt := report.Options{Archs: archs, Jobs: g.Jobs(0, 1)}
	opt.Rendered, _ = h.Path(p.RenderedDir)
	if sel.Given(args) && !sel.All {
		known := p.Names()
		for _, r := range []*revision.Revision{before, after} {
			names, err := r.Rendered()
			if err != nil {
				return nil, err
			}
			known = append(known, names...)
		}
		if opt.Names, err = sel.Among(p, args, known); err != nil {
			return nil, err
		}
	}
	if renders {
		opt.Views = func(ctx context.Context, names []string) (*report.Views, error) {
			return reviewViews(ctx, g, h, before, after, names)
		}
	}
	return report.Build(ctx, before, after, opt)
}

// reviewViews prepares to render what is in the cache, and nothing else.
func reviewViews(ctx context.Context, g *cli.Globals, h *revision.History, before, after *revision.Revision, names []string) (*report.Views, error) {
	g.Offline = true
	r, err := rendererAt(g, h, after)
	if err != nil {
		return nil, err
	}
	all := r.Project.Names()
	known := slices.DeleteFunc(slices.Clone(names), func(n string) bool {
		_, there := slices.BinarySearch(all, n)
		return !there
	})
	if err := r.Prepare(ctx, known, false).Err(); err != nil {
		return nil, err
	}
	v := &report.Views{Lint: lintOptions(ctx, r)}
	v.New = func(ctx context.Context, name string) *review.View { return review.Open(ctx, r, name) }
	if then, err := rendererAt(g, h, before); err == nil {
		then.WithoutHistory = true
		v.Old = func(ctx context.Context, name string) *review.View { return review.Open(ctx, then, name) }
	}
	return v, nil
}

// rendererAt returns a renderer for the project as a revision has it.
func rendererAt(g *cli.Globals, h *revision.History, rev *revision.Revision) (*render.Renderer, error) {
	p, err := rev.Project()
	if err != nil {
		return nil, err
	}
	r, err := g.Renderer(p)
	if err != nil {
		return nil, err
	}
	r.Lint, r.SkipLockValidation = true, true
	if !rev.IsWorktree() {
		r.At = &render.Commit{Top: h.Repo().Top(), ID: rev.ID()}
	}
	return r, nil
}

// printReport prints a report in one format.
func printReport(g *cli.Globals, w io.Writer, r *report.Report, format string) error {
	var err error
	switch format {
	case "json":
		err = r.WriteJSON(w)
	case "sarif":
		err = r.WriteSARIF(w, g.Printer(), g.Top, cli.AllCodes())
	case "github":
		err = g.Printer().GitHub(w, r.Diagnostics(g.Top))
	case "html":
		err = r.WriteHTML(w)
	default:
		err = r.WriteMarkdown(w, report.CommentLimit)
	}
	if err != nil {
		return fmt.Errorf("cannot print the report: %w", err)
	}
	return nil
}

// writeReport writes a report in all formats.
func writeReport(g *cli.Globals, r *report.Report, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return cli.FileProblem("review/output", dir, err)
	}
	for name, format := range map[string]string{"review.md": "markdown", "review.html": "html", "review.sarif": "sarif", "review.json": "json"} {
		var b bytes.Buffer
		if err := printReport(g, &b, r, format); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o666); err != nil {
			return cli.FileProblem("review/output", filepath.Join(dir, name), err)
		}
	}
	return nil
}
