package effect

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
)

func ShowCmd(g *cli.Globals) *cobra.Command {
	var upstream string
	cmd := &cobra.Command{
		Use:   "show [NAME... | --upstream NAME[@COMMIT]]",
		Short: "Show components as resolved, with the origin of every value",
		Long: `Show a component after all inheritance, as TOML, with the place and the layer
behind each value: built-in, distro, project, group, component or overlay file.

With --json the same as one object per component: "config" holds the values,
"origins" maps the path of each value to layer, file, line and column.

With --upstream it shows the packaging of a package that need not be in the
configuration, and writes nothing to the project: the commit that a new component
would have, or COMMIT, or the head of a branch of that name, its files and sources,
and what 'specgraft query' says of its spec.`,
		Example: `  specgraft show bash
  specgraft show kernel --json
  specgraft show --upstream zlib
  specgraft show --upstream zlib@0123abc --json`,
	}
	sel := g.SelectFlags(cmd)
	cmd.Flags().StringVar(&upstream, "upstream", "", "show the packaging of upstream's package `NAME[@COMMIT]`, whether the project has it or not")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "json", "table")
		if err != nil {
			return err
		}
		if upstream != "" {
			if sel.Given(args) {
				return cli.Usagef("--upstream names the package: leave other names out")
			}
			return showUpstream(cmd.Context(), g, upstream, format)
		}
		if !sel.Given(args) {
			return cli.Usagef("name a component to show; 'specgraft list' prints all names")
		}
		p, names, err := g.LoadSelected(sel, args)
		if err != nil {
			return err
		}
		failed := false
		var views []*components.View
		for _, name := range names {
			c, problems := p.Component(name)
			if c != nil {
				v, more := p.View(c)
				problems = append(problems[:len(problems):len(problems)], more...)
				views = append(views, v)
			}
			g.Report(problems)
			failed = failed || problems.HasErrors()
		}
		if format == "json" {
			var out any = views
			if len(views) == 1 && len(names) == 1 {
				out = views[0]
			}
			if views == nil {
				out = json.RawMessage("[]")
			}
			if err := cli.WriteJSON(g.Stdout, out); err != nil {
				return err
			}
		} else {
			for i, v := range views {
				text := v.Text()
				if i > 0 {
					text = append([]byte("\n"), text...)
				}
				if _, err := g.Stdout.Write(text); err != nil {
					return err
				}
			}
		}
		if failed {
			return cli.ExitError(cli.ExitProblems)
		}
		return nil
	}
	return cmd
}
