package main

import (
	"bytes"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/cmd/specgraft/upstream"
)

// componentCmd is azldev's spelling of our commands: "component render" is
// "render". Commands with azldev's own names are listed here under these.
func componentCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "component",
		Aliases: []string{"comp"},
		Short:   "The commands under the names that azldev gives them",
		Long: `Scripts written for azldev call "component render", "comp list" and so on.
These are the same commands as those without "component", with the same flags
and results; exit codes are specgraft's.`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.Group,
	}
	for _, sub := range commands(g, "") {
		if names, ok := azldevCommands[sub.Name()]; ok {
			if names[0] != sub.Name() {
				sub.Use = names[0] + strings.TrimPrefix(sub.Use, sub.Name())
			}
			sub.Aliases = append(sub.Aliases, names[1:]...)
			sub.GroupID = ""
			likeAzldev(g, sub)
			cmd.AddCommand(sub)
		}
	}
	cmd.AddCommand(upstream.RefreshCmd(g))
	for _, sub := range cli.AzldevOnlyCmds(g, "component") {
		if have, _, err := cmd.Find([]string{sub.Name()}); err != nil || have == cmd {
			cmd.AddCommand(sub)
		}
	}
	return cmd
}

// azldevCommands names those of our commands that azldev has below
// "component": ours, then azldev's name and aliases.
var azldevCommands = map[string][]string{
	"render":  {"render"},
	"list":    {"list"},
	"update":  {"update"},
	"changed": {"changed"},
	"prepare": {"prepare-sources", "prep-sources"},
	"add":     {"add"},
	"query":   {"query"},
	"diff":    {"diff-sources"},
	"history": {"history", "hist"},
}

// likeAzldev adds to a command the flags that azldev's has and ours does
// without: names as -p, and a file for what is printed.
func likeAzldev(g *cli.Globals, cmd *cobra.Command) {
	f := cmd.Flags()
	run, check := cmd.RunE, cmd.Args
	var names []string
	var file string
	if f.Lookup("component") == nil && cmd.Name() != "add" {
		cli.ListVar(f, &names, "component", "p", "choose a component by `NAME`, like an argument")
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if check == nil {
				return nil
			}
			return check(cmd, append(args, names...))
		}
	}
	if cmd.Name() == "diff-sources" {
		f.StringVar(&file, "output-file", "", "print to `FILE` instead of standard output")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if file == "" {
			return run(cmd, append(args, names...))
		}
		var text bytes.Buffer
		stdout := g.Stdout
		g.Stdout = &text
		err := run(cmd, append(args, names...))
		g.Stdout = stdout
		if werr := cli.ReplaceFile(file, text.Bytes(), 0o644); werr != nil {
			return werr
		}
		return err
	}
}
