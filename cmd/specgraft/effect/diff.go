package effect

import (
	"fmt"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/overlay/diag"
	"specgraft/render/review"
)

func DiffCmd(g *cli.Globals) *cobra.Command {
	var stat bool
	cmd := &cobra.Command{
		Use:   "diff NAME...",
		Short: "Show what rendering changes in upstream's packaging, and why",
		Long: `Diff compares the packaging of each component as Fedora has it with the rendered
one and prints a unified diff. Each hunk is headed by its causes: the line of
the configuration and the kind of overlay, or a step of the renderer such as
"header" or "release". Patch and git apply take the output: applied to the
upstream files it gives the rendered ones. Files that only the file filter
leaves out are not shown.

With --semantic the meaning is compared instead of the text: both sides are
evaluated for each architecture, and what differs in version, packages,
dependencies, sources, patches, scripts and file lists is printed with its cause.
What was only moved, wrapped, spelled in another way or generated is counted as
noise. The JSON is one object with "changes", "noise" and "unknown", whatever the
number of components; each change has the "class" it belongs to, "op", "package",
"what", "old", "new", "arch", "old_line", "new_line" (0 for none) and "cause".
"arch" is empty for text under a condition that holds on none of the
architectures. --from and --to compare the rendered trees of two commits, which
are read from the repository: no checkout and no upstream is needed, and without
names all that differ are shown. --specs compares two spec files, or two directories of packaging,
in the same way; no project is needed. An EVR that goes down is an error.

Nothing is written. A component that fails is shown as far as it came.`,
		Example: `  specgraft diff bash
  specgraft diff bash --stat
  specgraft diff -a --stat --json
  specgraft diff bash | patch -p1 -d upstream/bash
  specgraft diff bash --semantic --json
  specgraft diff --from HEAD~1
  specgraft diff --specs old/bash.spec new/bash.spec --arch riscv64`,
	}
	sel := g.SelectFlags(cmd)
	sel.LockFlag(cmd)
	var meaning semanticFlags
	meaning.flags(cmd)
	cmd.Flags().BoolVar(&stat, "stat", false, "print the number of changed lines per file and cause instead of the lines")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "table", "json")
		if err != nil {
			return err
		}
		bySense, err := meaning.wanted(stat)
		if err != nil {
			return err
		}
		if meaning.specs {
			return diffSpecs(g, &meaning, args, format)
		}
		if meaning.from != "" {
			return diffRevisions(cmd.Context(), g, &meaning, sel, args, format)
		}
		v, err := g.Viewer(cmd.Context(), sel, args)
		if err != nil {
			return err
		}
		if bySense {
			return diffSemantic(cmd.Context(), v, &meaning, format)
		}
		type record struct {
			Component string            `json:"component"`
			Commit    string            `json:"commit,omitempty"`
			Failed    bool              `json:"failed,omitempty"`
			Files     []review.FileDiff `json:"files"`
		}
		out := cli.NewRecords(g.Stdout, "json", []cli.Column[record](nil))
		err = v.Each(cmd.Context(), func(view *review.View, files []review.FileDiff) (err error) {
			name := view.Result.Component
			switch {
			case format == "json":
				if stat {
					for i := range files {
						files[i].Hunks = nil
					}
				}
				if files == nil {
					files = []review.FileDiff{}
				}
				err = out.Write(record{name, view.Result.Upstream.Commit, view.Result.Failed(), files})
			case stat:
				if len(v.Names) > 1 {
					fmt.Fprintln(g.Stdout, name)
				}
				err = review.WriteStat(g.Stdout, files, g.Style())
			default:
				s := g.Style()
				if len(v.Names) > 1 {
					s.Prefix = name + "/"
				}
				for i := range files {
					if err = files[i].Write(g.Stdout, s); err != nil {
						break
					}
				}
			}
			if err != nil {
				return fmt.Errorf("cannot print the results: %w", err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if format == "json" {
			if err := out.Close(); err != nil {
				return fmt.Errorf("cannot print the results: %w", err)
			}
		}
		return v.Done()
	}
	return cmd
}

// unknownComponent is the error about a name that no component has.
func unknownComponent(p *components.Project, name string) error {
	d := &diag.Diagnostic{Code: "config/unknown-component", Message: fmt.Sprintf("no component %q in the project", name)}
	if n := diag.Nearest(name, p.Names()); n != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", n)
	}
	return d
}
