package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/overlay/diag"
)

func AddCmd(g *cli.Globals) *cobra.Command {
	var file, upstreamName, commit, distroVersion string
	cmd := &cobra.Command{
		Use:   "add NAME...",
		Short: "Add components to the configuration",
		Long: `Add components to the configuration. Each gets a table of its own, which takes
everything from the defaults unless a flag says otherwise. It goes to the file
that defines the most components, at its place when these are sorted; --file
names another one, which is created when it does not exist. All other bytes of
the file stay as they are.`,
		Example: `  specgraft add zlib-ng
  specgraft add mysql --upstream-name mysql8.4
  specgraft add bash --upstream-version 43 --file components/bash.comp.toml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, names []string) error {
			special := upstreamName != "" || commit != ""
			if special && len(names) > 1 {
				return cli.Usagef("--upstream-name and --upstream-commit are for one component at a time")
			}
			p, err := g.Load()
			if err != nil {
				return err
			}
			slices.Sort(names)
			names = slices.Compact(names)
			for _, name := range names {
				if problem := p.CheckName(name); problem != "" {
					return cli.AsUsage(errors.New(problem))
				}
			}
			path := p.ComponentFile()
			if file != "" {
				if path, err = filepath.Abs(file); err != nil {
					return err
				}
			}
			data, err := os.ReadFile(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			created := err != nil
			e, problems := edit.Edit(p.Display(path), data)
			if err := problems.Err(); err != nil {
				return err
			}
			for _, name := range names {
				at := []string{"components", name}
				if err := e.AddTable(at); err != nil {
					return err
				}
				set := func(value string, keys ...string) error {
					if value == "" {
						return nil
					}
					return e.Set(append(append(slices.Clone(at), "spec"), keys...), value)
				}
				typ := ""
				if special {
					typ = "upstream" // these keys need it beside them
				}
				if err := errors.Join(set(typ, "type"), set(distroVersion, "upstream-distro", "version"),
					set(upstreamName, "upstream-name"), set(commit, "upstream-commit")); err != nil {
					return err
				}
			}
			if created {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					return err
				}
			}
			if err := edit.WriteFile(path, e.Bytes()); err != nil {
				return err
			}
			// What was written must load; a file that nothing includes would be
			// forgotten silently.
			after, problems := components.Load(g.LoadOptions())
			included := after != nil && slices.Contains(after.Files(), path)
			if included {
				for _, name := range names {
					problems = append(problems, unresolved(after, name)...)
				}
			}
			if err := problems.Err(); err != nil {
				restore := os.Remove
				if !created {
					restore = func(path string) error { return edit.WriteFile(path, data) }
				}
				return errors.Join(err, restore(path))
			}
			g.Note("added %d component%s to %s", len(names), cli.Plural(len(names)), p.Display(path))
			if !included {
				g.Say("warning: %s is not included by any file of the project; add it to includes", p.Display(path))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "file", "", "write to `FILE`")
	f.StringVar(&upstreamName, "upstream-name", "", "`NAME` of the package upstream, when it differs")
	f.StringVar(&commit, "upstream-commit", "", "pin the component to `COMMIT`")
	f.StringVar(&distroVersion, "upstream-version", "", "take it from another `VERSION` of the upstream distribution")
	return cmd
}

// unresolved returns what is wrong with a component as the project has it.
func unresolved(p *components.Project, name string) diag.List {
	c, problems := p.Component(name)
	if c != nil && c.IsUpstream() {
		_, more := p.Upstream(c)
		problems = append(problems, more...)
	}
	return problems
}
