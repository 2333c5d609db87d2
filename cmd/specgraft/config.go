package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"specgraft/components"
	"specgraft/overlay/diag"
)

func configCmd(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check, print and describe the configuration",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.AddCommand(configCheckCmd(g), configDumpCmd(g), configSchemaCmd(g))
	return cmd
}

func configDumpCmd(g *globals) *cobra.Command {
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
				if g.format != "" && g.format != short {
					return usageError{errors.New("-f and --format exclude each other")}
				}
				g.format = short
			}
			format, err := g.formatOf("toml", "json")
			if err != nil {
				return err
			}
			p, err := g.load()
			if err != nil {
				return err
			}
			b, err := p.Dump(format)
			if err != nil {
				return err
			}
			_, err = g.stdout.Write(b)
			return err
		},
	}
	cmd.Flags().StringVarP(&short, "dump-format", "f", "", "azldev's short form of --format")
	_ = cmd.Flags().MarkHidden("dump-format")
	return cmd
}

func configCheckCmd(g *globals) *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the whole configuration, every component included",
		Long: `Load the configuration, resolve every component with its overlay files and
upstream, and print all mistakes of all files. Nothing is fetched or rendered.

With --strict-azldev also report what azldev would reject, ignore or decide by
chance, such as extension keys.

The formats sarif and github are for code hosting services, which show the
problems at the lines of a pull request.`,
		Example: `  specgraft config check
  specgraft config check --strict-azldev --format github`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			format, err := g.formatOf(diag.Formats...)
			if err != nil {
				return err
			}
			p, problems := components.Load(g.loadOptions())
			if p != nil {
				g.base, g.top = p.Dir, p.Root
				problems = append(problems, checkAll(p)...)
				if strict {
					problems = append(problems, p.StrictAzldev()...)
				}
			}
			problems.Sort()
			printer := g.printer()
			printer.Color = format == "text" && g.colored(g.stdout)
			if err := printer.Print(g.stdout, format, problems, allCodes()); err != nil {
				return err
			}
			if code := codeOf(problems); code != exitOK {
				return exitError(code)
			}
			if p != nil && format == "text" {
				g.note("%d components checked, %d problems", len(p.Names()), len(problems))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&strict, "strict-azldev", false, "also report what azldev would reject or ignore")
	return cmd
}

// checkAll resolves all components and returns their problems.
func checkAll(p *components.Project) diag.List {
	names := p.Names()
	lists := make([]diag.List, len(names))
	var wg sync.WaitGroup
	const chunk = 256
	for start := 0; start < len(names); start += chunk {
		wg.Go(func() {
			for i := start; i < min(start+chunk, len(names)); i++ {
				c, problems := p.Component(names[i])
				lists[i] = problems
				if c != nil && c.Spec.Type == "upstream" {
					_, more := p.Upstream(c)
					lists[i] = append(problems[:len(problems):len(problems)], more...)
				}
			}
		})
	}
	wg.Wait()
	_, problems := p.Select(components.Selector{All: true})
	// A problem of a shared place, such as a group's overlay, is one problem
	// however many components it fails.
	type key struct{ at, code, message string }
	seen := map[key]int{}
	var all diag.List
	for _, l := range append(lists, problems) {
		for _, d := range l {
			k := key{diag.Position(d.Pos), d.Code, d.Message}
			if _, ok := seen[k]; ok && k.at != "" {
				seen[k]++
				continue
			}
			seen[k] = 1
			all = append(all, d)
		}
	}
	for i := range all {
		d := &all[i]
		if n := seen[key{diag.Position(d.Pos), d.Code, d.Message}]; n > 1 && diag.Position(d.Pos) != "" {
			d.Related = append(slices.Clone(d.Related), diag.Related{Message: fmt.Sprintf("%d components are affected, the first is %s", n, d.Component)})
		}
	}
	return all
}

func configSchemaCmd(g *globals) *cobra.Command {
	var document bool
	cmd := &cobra.Command{
		Use:     "schema",
		Aliases: []string{"generate-schema"},
		Short:   "Print the JSON schema of configuration files",
		Long: `Print a JSON Schema (2020-12) of configuration files, or of overlay documents.
An editor with a TOML language server then completes and explains keys; name the
schema in the file, as  "$schema" = "specgraft.schema.json",  or in the editor's
settings.`,
		Example: `  specgraft config schema > specgraft.schema.json
  specgraft config schema --overlay-document`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if _, err := g.formatOf("json"); err != nil {
				return err
			}
			return writeJSON(g.stdout, components.Schema(document))
		},
	}
	cmd.Flags().BoolVar(&document, "overlay-document", false, "the schema of overlay documents, which overlay-files names")
	return cmd
}
