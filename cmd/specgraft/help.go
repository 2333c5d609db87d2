package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/cmd/specgraft/tools"
)

// helpCmd prints the help of a command, and of `codes` only the part about the
// codes that are named. What is not known has a nearest candidate and an exit
// code, as everywhere.
func helpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND...] [CODE...]",
		Short: "Explain a command, or diagnostic codes",
		Long: `Help prints what a command does and which flags it has. 'help codes' explains
all diagnostic codes, 'help codes CODE' the one that stands in brackets behind a
message.`,
		Example: `  specgraft help render
  specgraft help codes overlay/no-match`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			about, rest := topic(cmd.Root(), args)
			if about.Name() == tools.CodesName {
				return about.ValidArgsFunction(about, rest, prefix)
			}
			var names []string
			for _, sub := range about.Commands() {
				if sub.IsAvailableCommand() && len(rest) == 0 && strings.HasPrefix(sub.Name(), prefix) {
					names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest := topic(cmd.Root(), args)
			switch {
			case about.Name() == tools.CodesName && len(rest) > 0:
				return about.RunE(about, rest)
			case about.HasSubCommands() && len(rest) > 0:
				if own, _ := topic(about, []string{"help"}); own != about && own != cmd {
					return own.RunE(own, rest) // 'help overlay TYPE' is 'overlay help TYPE'
				}
				return cli.Group(about, rest)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// topic follows names of commands from root as far as they go. It returns the
// command they lead to, and the arguments that are left.
func topic(root *cobra.Command, args []string) (*cobra.Command, []string) {
	about := root
	for i, name := range args {
		k := slices.IndexFunc(about.Commands(), func(c *cobra.Command) bool { return c.Name() == name || c.HasAlias(name) })
		if k < 0 {
			return about, args[i:]
		}
		about = about.Commands()[k]
	}
	return about, nil
}

// printUsage prints the usage of a command: its subcommands, in groups where it
// has some, and its flags. The global flags stand in the help of the program
// alone, since they are the same everywhere.
func printUsage(cmd *cobra.Command) error {
	w := cmd.OutOrStderr()
	fmt.Fprint(w, "Usage:")
	if cmd.Runnable() {
		fmt.Fprintf(w, "\n  %s", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n  %s COMMAND", cmd.CommandPath())
	}
	fmt.Fprintln(w)
	if len(cmd.Aliases) > 0 {
		fmt.Fprintf(w, "\nAliases:\n  %s\n", cmd.NameAndAliases())
	}
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	if groups := cmd.Groups(); len(groups) > 0 {
		for _, g := range groups {
			printCommands(w, cmd, g.Title, g.ID)
		}
	} else if cmd.HasAvailableSubCommands() {
		printCommands(w, cmd, "Commands:", "")
	}
	flags := "Flags:"
	if !cmd.HasParent() {
		flags = "Global flags, for every command:"
	}
	if cmd.HasAvailableLocalFlags() {
		fmt.Fprintf(w, "\n%s\n%s", flags, cmd.LocalFlags().FlagUsages())
	}
	if cmd.HasAvailableInheritedFlags() {
		fmt.Fprintf(w, "\n'%s --help' lists the global flags, such as -C, --offline and --json.\n", cmd.Root().Name())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n'%s COMMAND --help' says more about a command.\n", cmd.CommandPath())
	}
	return nil
}

// printCommands prints the subcommands of cmd that stand below one heading.
func printCommands(w io.Writer, cmd *cobra.Command, title, id string) {
	fmt.Fprintf(w, "\n%s\n", title)
	for _, sub := range cmd.Commands() {
		if sub.GroupID == id && (sub.IsAvailableCommand() || sub.Name() == "help") {
			fmt.Fprintf(w, "  %-*s %s\n", sub.NamePadding(), sub.Name(), sub.Short)
		}
	}
}
