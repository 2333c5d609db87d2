package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
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
			if about.Name() == codesName {
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
			case about.Name() == codesName && len(rest) > 0:
				return about.RunE(about, rest)
			case about.HasSubCommands() && len(rest) > 0:
				if own, _ := topic(about, []string{"help"}); own != about && own != cmd {
					return own.RunE(own, rest) // 'help overlay TYPE' is 'overlay help TYPE'
				}
				return group(about, rest)
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
