package effect

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
)

func ShowCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show NAME...",
		Short: "Show components as resolved, with the origin of every value",
		Long: `Show a component after all inheritance, as TOML, with the place and the layer
behind each value: built-in, distro, project, group, component or overlay file.

With --json the same as one object per component: "config" holds the values,
"origins" maps the path of each value to layer, file, line and column.`,
		Example: `  specgraft show bash
  specgraft show kernel --json`,
	}
	sel := g.SelectFlags(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "json", "table")
		if err != nil {
			return err
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
