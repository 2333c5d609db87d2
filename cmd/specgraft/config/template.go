package config

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/render"
	"specgraft/render/template"
)

// TemplateCmd is about the templates of specs that are written from TOML alone.
func TemplateCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "template",
		Short: "List, show and check the templates of specs written from TOML",
		Long: `A component with spec.type = "template" has no packaging upstream: its spec is
written from a template and its [components.NAME.template] table.

Templates are built in, or stand in the project's templates folder as
NAME.spec.tmpl. One that begins with {{/* extends python */}} defines only the
blocks in which it differs.`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.Group,
	}
	cmd.AddCommand(templateListCmd(g), templateShowCmd(g), templateCheckCmd(g))
	return cmd
}

// templateRecord is one template in list output.
type templateRecord struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
	File    string `json:"file"`
	Extends string `json:"extends,omitempty"`
	Builtin bool   `json:"builtin"`
}

// templates returns the templates of the project, or the built-in ones outside
// of a project.
func templates(g *cli.Globals) (*template.Set, error) {
	p, problems := components.Load(g.LoadOptions())
	if p == nil {
		if g.ProjectDir != "" {
			return nil, problems.Err()
		}
		return template.Builtin(), nil
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	set, problems := render.Templates(p, nil)
	return set, problems.Err()
}

func templateListCmd(g *cli.Globals) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Print a line for each template",
		Example: "  specgraft template list",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			format, err := g.FormatOf(cli.RecordFormats...)
			if err != nil {
				return err
			}
			set, err := templates(g)
			if err != nil {
				return err
			}
			out := cli.NewRecords(g.Stdout, format, []cli.Column[templateRecord]{
				{Title: "NAME", Cell: func(t templateRecord) string { return t.Name }},
				{Title: "FILE", Cell: func(t templateRecord) string { return t.File }},
				{Title: "SUMMARY", Cell: func(t templateRecord) string { return t.Summary }},
			})
			for _, t := range set.List() {
				rec := templateRecord{Name: t.Name, Summary: t.Summary, File: t.File, Builtin: t.Builtin}
				if !t.Builtin {
					rec.Extends = t.Extends
				}
				if err := out.Write(rec); err != nil {
					return err
				}
			}
			return out.Close()
		},
	}
}

func templateShowCmd(g *cli.Globals) *cobra.Command {
	var functions bool
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Print a template with those that it extends, or the functions of templates",
		Example: `  specgraft template show python
  specgraft template show --functions`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if functions {
				return writeFunctions(g.Stdout)
			}
			if len(args) == 0 {
				return cli.Usagef("name a template, or ask for --functions; 'specgraft template list' prints the names")
			}
			set, err := templates(g)
			if err != nil {
				return err
			}
			infos, texts, problem := set.Source(args[0])
			if problem != nil {
				return problem
			}
			for i := range infos {
				if _, err := fmt.Fprintf(g.Stdout, "{{/* %s */}}\n%s", infos[i].File, texts[i]); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&functions, "functions", false, "print the functions that templates may call")
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		set, err := templates(g)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return set.Names(), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

func writeFunctions(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range template.Funcs {
		fmt.Fprintf(tw, "%s %s\t%s\n", f.Name, f.Args, f.Help)
	}
	return tw.Flush()
}

func templateCheckCmd(g *cli.Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "check [NAME...]",
		Short: "Parse templates and try them on sample components",
		Long: `Parse templates and run each on two made-up components: one with a value under
every key and one with only the required keys. Without a name all templates are
checked, those of the project and the built-in ones.`,
		Example: "  specgraft template check",
		RunE: func(_ *cobra.Command, args []string) error {
			set, err := templates(g)
			if err != nil {
				return err
			}
			if err := set.Check(args...).Err(); err != nil {
				return err
			}
			n := len(args)
			if n == 0 {
				n = len(set.Names())
			}
			g.Note("%d templates are fine", n)
			return nil
		},
	}
}
