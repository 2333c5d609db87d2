package tools

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/macro/fuel"
)

// LimitsCmd shows the bounds of an evaluation.
func LimitsCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "limits",
		Short: "Show what bounds the evaluation of a spec",
		Long: `A spec is evaluated within fixed bounds, so that no spec can take the whole run
down: a component that needs more fails alone, with a message at the line that
says which bound it is. The bounds are far above what real specs take, they are
no settings, and none is a time: a slow machine decides as a fast one does.
SIGINT and SIGTERM are obeyed at any moment, with exit code 3.`,
		Example: `  specgraft limits
  specgraft limits --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			format, err := g.FormatOf("table", "json")
			if err != nil {
				return err
			}
			if format == "json" {
				return cli.WriteJSON(g.Stdout, fuel.Limits())
			}
			return writeLimits(g.Stdout)
		},
	}
	// The table is made when somebody asks for it.
	cmd.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		var table strings.Builder
		writeLimits(&table)
		cmd.Long += "\n\n" + strings.TrimRight(table.String(), "\n")
		cmd.Parent().HelpFunc()(cmd, args)
	})
	return cmd
}

func writeLimits(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range fuel.Limits() {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", l.Of, l, l.Then)
	}
	return tw.Flush()
}
