package tools

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/overlay/diag"
)

const CodesName = "codes"

func CodesCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   CodesName + " [CODE...]",
		Short: "Explain diagnostic codes",
		Long: `Explain diagnostic codes such as overlay/no-match: when they are raised and what
to do. Without arguments all codes are explained; an argument is a code, or a
group of codes such as overlay/. 'specgraft help codes CODE' prints the same.`,
		Example: `  specgraft codes config/unknown-key
  specgraft codes overlay/
  specgraft codes --json`,
		ValidArgsFunction: func(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
			var ids []string
			for _, c := range cli.AllCodes() {
				if strings.HasPrefix(c.ID, prefix) {
					ids = append(ids, cobra.CompletionWithDesc(c.ID, c.Summary))
				}
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			format, err := g.FormatOf("text", "json", "table")
			if err != nil {
				return err
			}
			codes, err := chosenCodes(args)
			if err != nil {
				return err
			}
			if format != "json" {
				return writeCodes(g.Stdout, codes)
			}
			type record struct {
				Code     string        `json:"code"`
				Severity diag.Severity `json:"severity"`
				Summary  string        `json:"summary"`
				Doc      string        `json:"doc,omitempty"`
			}
			records := []record{}
			for _, c := range codes {
				records = append(records, record{c.ID, c.Default, c.Summary, c.Doc})
			}
			return cli.WriteJSON(g.Stdout, records)
		},
	}
	help := cmd.HelpFunc()
	cmd.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		help(cmd, args)
		fmt.Fprintln(cmd.OutOrStdout())
		_ = writeCodes(cmd.OutOrStdout(), cli.AllCodes())
	})
	return cmd
}

// chosenCodes returns the codes that arguments name.
func chosenCodes(args []string) ([]diag.Code, error) {
	all := cli.AllCodes()
	if len(args) == 0 {
		return all, nil
	}
	var chosen []diag.Code
	for _, arg := range args {
		n := len(chosen)
		arg = strings.Trim(arg, "[]") // as it stands behind a message
		for _, c := range all {
			if c.ID == arg || strings.HasPrefix(c.ID, strings.TrimSuffix(arg, "/")+"/") {
				chosen = append(chosen, c)
			}
		}
		if len(chosen) == n {
			return nil, cli.Usagef("there is no code %q%s", arg, nearestCode(arg, all))
		}
	}
	return chosen, nil
}

// nearestCode ends the message about a code that does not exist. The name may
// have been given without its group.
func nearestCode(arg string, all []diag.Code) string {
	ids, names, full := []string{}, []string{}, map[string]string{}
	for _, c := range all {
		_, name, _ := strings.Cut(c.ID, "/")
		ids, names = append(ids, c.ID), append(names, name)
		if full[name] == "" {
			full[name] = c.ID
		}
	}
	if hint := cli.DidYouMean(arg, ids); hint != "" {
		return hint
	}
	if n := diag.Nearest(arg, names); n != "" {
		return fmt.Sprintf("; did you mean %q?", full[n])
	}
	return "; 'specgraft codes' explains all there are"
}

// writeCodes prints codes with their explanations, wrapped at 79 columns.
func writeCodes(w io.Writer, codes []diag.Code) error {
	for i, c := range codes {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if _, err := fmt.Fprintf(w, "%s (%s)\n    %s\n", c.ID, c.Default, c.Summary); err != nil {
			return err
		}
		if c.Doc != "" {
			fmt.Fprint(w, wrap(c.Doc, "    ", 79))
		}
	}
	return nil
}

// wrap breaks text into lines of at most width columns, each with an indent.
func wrap(text, indent string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
			b.WriteString(indent)
			column = len(indent)
		case column+1+len(word) > width:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	b.WriteByte('\n')
	return b.String()
}
