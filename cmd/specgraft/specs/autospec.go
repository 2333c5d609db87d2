package specs

import (
	"errors"
	"go/token"
	"os"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/autospec"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
)

func AutospecCmd(g *cli.Globals) *cobra.Command {
	var output, now, toolVersion string
	var macros string
	var defines []string
	var lenient, allowShallow bool
	cmd := &cobra.Command{
		Use:   "autospec SPEC",
		Short: "Write release and changelog from git history into a spec",
		Long: `Autospec does to a spec in a git checkout what "rpmautospec process-distgit"
does, without running rpm or anything that the spec contains: %autorelease gets
its number, %autochangelog its entries. It needs no project.

SPEC is a spec file, or a directory with a spec of its own name. History counts
when the repository's top level is the directory of the spec. The processed spec
goes to stdout, or to a file with -o; when the spec uses none of the features
that file is not written. With --json the facts about each commit go to stdout.

Changes that are not committed get an entry with the date of the newest commit,
unless --now gives another one.`,
		Example: `  specgraft autospec bash.spec
  specgraft autospec bash.spec -o build/bash.spec --now 2026-02-24T00:00:00Z
  specgraft autospec . --json`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"spec"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", "", "write the processed spec to `FILE`")
	f.StringVar(&now, "now", "", "`TIME` of changes that are not committed, as RFC 3339 or @UNIX (default: the commit date of HEAD)")
	f.StringVar(&toolVersion, "tool-version", autospec.DefaultToolVersion, "rpmautospec `VERSION` that the header names")
	cli.ListVar(f, &defines, "define", "D", "evaluate with the macro `'NAME VALUE'`; may be repeated")
	f.StringVar(&macros, "macros", "", "evaluate with the macro set in `FILE`, made by 'specgraft macros import'")
	f.BoolVar(&lenient, "no-error-on-unparseable-spec", false, "go on when rpm would reject the newest spec")
	f.BoolVar(&allowShallow, "allow-shallow", false, "go on with the history that a shallow clone has")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("spec", "json")
		if err != nil {
			return err
		}
		c, err := autospec.OpenCheckout(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		g.Closers = append(g.Closers, c.Close)
		in := c.Input
		in.Now, in.ToolVersion, in.NoErrorOnUnparseable = c.HeadTime, toolVersion, lenient
		if now != "" {
			if in.Now, err = cli.ParseTime(now); err != nil {
				return cli.Usagef("--now: %w", err)
			}
		}
		var cfg macro.Config
		if macros != "" {
			if cfg.Set, err = cli.ReadMacroSet(macros); err != nil {
				return err
			}
		}
		for _, d := range defines {
			m, err := cli.ParseDefine(d)
			if err != nil {
				return err
			}
			cfg.Defines = append(cfg.Defines, m)
		}
		in.Evaluator = autospec.NewEvaluator(cfg)
		res, err := autospec.Process(in)
		if err != nil {
			return inSpec(c.Path, err)
		}
		if c.Shallow && res.Changed {
			d := diag.Diagnostic{Code: "autospec/shallow", Severity: diag.Error, Env: true, Pos: token.Position{Filename: c.Path},
				Message: "the repository is a shallow clone: the release counts the commits that it lacks, and the changelog lists them",
				Hint:    "run git fetch --unshallow there, or go on with --allow-shallow"}
			if !allowShallow {
				return diag.List{d}.Err()
			}
			d.Severity, d.Env, d.Hint = diag.Warning, false, "git fetch --unshallow gets the other commits"
			g.Report(diag.List{d})
		}
		if output != "" && res.Changed {
			if err := writeSpec(output, c.Path, res.Apply(in.Spec)); err != nil {
				return err
			}
		}
		switch {
		case format == "json":
			return cli.WriteJSON(g.Stdout, newAutospecReport(c, res))
		case output == "":
			_, err := g.Stdout.Write(res.Apply(in.Spec))
			return err
		case !res.Changed:
			g.Note("%s uses neither %%autorelease nor %%autochangelog, or was processed before; %s was not written", c.Path, output)
		}
		return nil
	}
	return cmd
}

// autospecReport is what --json prints.
type autospecReport struct {
	Spec     string                 `json:"spec"`
	Status   string                 `json:"status"` // "processed" or "unchanged"
	Features []string               `json:"features"`
	Release  int64                  `json:"release-number,omitempty"`
	Dirty    bool                   `json:"dirty"`
	Commits  []autospec.CommitFacts `json:"commits"`
}

func newAutospecReport(c *autospec.Checkout, res *autospec.Result) autospecReport {
	r := autospecReport{Spec: c.Path, Status: "unchanged", Features: []string{}, Release: res.Release,
		Dirty: c.Input.Dirty, Commits: []autospec.CommitFacts{}}
	if res.Changed {
		r.Status = "processed"
		r.Features = append(r.Features, res.Features...)
		r.Commits = append(r.Commits, res.Commits...)
	}
	return r
}

// inSpec gives an error without a position the one of the spec.
func inSpec(path string, err error) error {
	d, ok := errors.AsType[*diag.Diagnostic](err)
	if !ok || d.Pos.Filename != "" {
		return err
	}
	at := *d
	at.Pos.Filename = path
	return &at
}

// writeSpec puts the processed spec in place at once. An existing file keeps
// its permissions, a new one gets those of the source.
func writeSpec(path, source string, text []byte) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	return cli.ReplaceFile(path, text, info.Mode().Perm())
}
