package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/schema"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/render/review/report"
)

func ConfigCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check, print and describe the configuration",
		Args:  cobra.ArbitraryArgs,
		RunE:  cli.Group,
	}
	cmd.AddCommand(configCheckCmd(g), configDumpCmd(g), configKeysCmd(g), configSchemaCmd(g))
	return cmd
}

func configDumpCmd(g *cli.Globals) *cobra.Command {
	var short string
	cmd := &cobra.Command{
		Use:   "dump",
		Short: "Print the merged configuration",
		Long: `Print the configuration after includes and merging, before components inherit
from their defaults ('specgraft show' prints a component after that). The TOML
form loads again as the only file of the project.`,
		Example: `  specgraft config dump
  specgraft config dump --format json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if short != "" {
				if g.Format != "" && g.Format != short {
					return cli.Usagef("-f and --format exclude each other")
				}
				g.Format = short
			}
			format, err := g.FormatOf("toml", "json")
			if err != nil {
				return err
			}
			p, err := g.Load()
			if err != nil {
				return err
			}
			b, err := p.Dump(format)
			if err != nil {
				return err
			}
			_, err = g.Stdout.Write(b)
			return err
		},
	}
	cmd.Flags().StringVarP(&short, "dump-format", "f", "", "azldev's short form of --format")
	_ = cmd.Flags().MarkHidden("dump-format")
	return cmd
}

func configCheckCmd(g *cli.Globals) *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the whole configuration, every component included",
		Long: `Load the configuration, resolve every component with its overlay files and
upstream, and print all mistakes of all files. Nothing is fetched or rendered.

A project keeps to one state of azldev's format, its profile: azldev-0.2 (lock
files, a component in one file, test suites), azldev-1.0 (lock files, components
in several files, tests) or azldev-1.0-without-lockfile (generated pins instead of
lock files). It is found out from keys and files, or set with --profile or
project.specgraft.profile; what it does not know is reported.

With --strict-azldev also report what azldev would reject, ignore or decide by
chance, such as extension keys.

The formats sarif and github are for code hosting services, which show the
problems at the lines of a pull request.`,
		Example: `  specgraft config check
  specgraft config check --strict-azldev --format github`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			format, err := g.FormatOf(diag.Formats...)
			if err != nil {
				return err
			}
			p, problems := components.Load(g.LoadOptions())
			if p != nil {
				g.Base, g.Top = p.Dir, p.Root
				problems = append(p.CheckAll(problems), checkLint(p)...)
				profile := p.CheckProfile()
				if strict {
					problems = append(problems, p.StrictAzldev()...)
					for i := range profile {
						profile[i].Severity = diag.Error
					}
				}
				problems = overlay.Adjust(append(problems, profile...), lintLevels(p))
			}
			problems.Sort()
			printer := g.Printer()
			printer.Color = format == "text" && g.Colored(g.Stdout)
			if err := printer.Print(g.Stdout, format, problems, cli.AllCodes()); err != nil {
				return err
			}
			if code := cli.CodeOf(problems); code != cli.ExitOK {
				return cli.ExitError(code)
			}
			if p != nil && format == "text" {
				n := len(p.Names())
				g.Note("%d component%s checked, %d problem%s, profile %s (%s)", n, cli.Plural(n), len(problems), cli.Plural(len(problems)), p.Profile, p.ProfileReason)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&strict, "strict-azldev", false, "also report what azldev would reject or ignore")
	return cmd
}

func configSchemaCmd(g *cli.Globals) *cobra.Command {
	var document bool
	cmd := &cobra.Command{
		Use:     "schema [review]",
		Aliases: []string{"generate-schema"},
		Short:   "Print the JSON schema of configuration files",
		Long: `Print a JSON Schema (2020-12) of configuration files, or of overlay documents.
An editor with a TOML language server then completes and explains keys; name the
schema in the file, as  "$schema" = "specgraft.schema.json",  or in the editor's
settings. 'schema review' prints the schema of what 'specgraft review' writes as
JSON.`,
		Example: `  specgraft config schema > specgraft.schema.json
  specgraft config schema --overlay-document
  specgraft config schema review`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"review"},
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := g.FormatOf("json"); err != nil {
				return err
			}
			if len(args) > 0 {
				if document {
					return cli.Usagef("--overlay-document is about configuration; leave out \"review\"")
				}
				b, err := report.JSONSchema()
				if err == nil {
					_, err = g.Stdout.Write(b)
				}
				return err
			}
			return cli.WriteJSON(g.Stdout, schema.Schema(document))
		},
	}
	cmd.Flags().BoolVar(&document, "overlay-document", false, "the schema of overlay documents, which overlay-files names")
	return cmd
}

// lintLevels returns the levels that a project gives to the diagnostics about
// its configuration.
func lintLevels(p *components.Project) map[string]overlay.Level {
	levels := map[string]overlay.Level{}
	for code, level := range p.Settings.Lint {
		if strings.HasPrefix(code, "config/") || strings.HasPrefix(code, "pin/") {
			levels[code] = overlay.Level(level)
		}
	}
	return levels
}

// checkLint reports levels for codes that do not exist, which would have no
// effect.
func checkLint(p *components.Project) diag.List {
	var problems diag.List
	var ids []string
	for _, c := range cli.AllCodes() {
		ids = append(ids, c.ID)
	}
	for _, code := range slices.Sorted(maps.Keys(p.Settings.Lint)) {
		known := func(id string) bool {
			return id == code || code == "all" || strings.HasSuffix(code, "/") && strings.HasPrefix(id, code)
		}
		if slices.ContainsFunc(ids, known) {
			continue
		}
		d := problems.Warn(p.Pos("project", "specgraft", "lint", code), "config/unknown-reference", "there is no diagnostic code %q", code)
		d.Hint = "'specgraft codes' prints all codes"
		if n := diag.Nearest(code, ids); n != "" {
			d.Hint = fmt.Sprintf("did you mean %q?", n)
		}
	}
	return problems
}

func configKeysCmd(g *cli.Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "keys [TABLE]",
		Short: "Print the reference of all keys",
		Long: `Print the reference of the project format: every table with its keys, their
types, defaults and allowed values. TABLE narrows it to tables whose path
contains the text, such as components.COMPONENT.build or overlays.`,
		Example: `  specgraft config keys | less
  specgraft config keys source-files
  specgraft config keys overlays`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := g.FormatOf("text"); err != nil {
				return err
			}
			filter := ""
			if len(args) == 1 {
				filter = args[0]
			}
			n, err := schema.Reference(g.Stdout, filter)
			if err == nil && n == 0 {
				return cli.Usagef("no table has %q in its path; 'specgraft config keys' prints all", filter)
			}
			return err
		},
	}
}
