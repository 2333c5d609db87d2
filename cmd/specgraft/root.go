package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// rootCmd builds the whole command tree. Each command is a constructor of its
// own; a new one adds one line to commands.
func rootCmd(g *globals) *cobra.Command {
	root := &cobra.Command{
		Use:   "specgraft",
		Short: "Render a distribution: Fedora's packaging plus your overlays",
		Long: `Specgraft reads a distribution described in TOML (the project format of
azldev), takes each component's packaging from Fedora's dist-git, grafts build
configuration and overlays onto it, and writes a deterministic tree of RPM spec
files. Nothing in a spec is ever executed.

Exit codes: 0 fine, 1 problems in the input or a component failed, 2 a --check
found that something would change, 3 the environment failed.`,
		Example: `  specgraft render -a
  specgraft render bash --check
  specgraft list -C path/to/project`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              cobra.ArbitraryArgs,
		RunE:              group,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return g.check(cmd) },
	}
	root.SetVersionTemplate("specgraft {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	g.addFlags(root)
	for _, group := range commandGroups(g) {
		root.AddGroup(&cobra.Group{ID: group.Title, Title: group.Title + ":"})
	}
	root.AddCommand(commands(g)...)
	component, help := componentCmd(g), helpCmd()
	component.GroupID, help.GroupID = toolsGroup, toolsGroup
	root.AddCommand(component)
	root.AddCommand(azldevOnlyCmds(g, "")...)
	root.SetHelpCommand(help)
	root.SetCompletionCommandGroupID(toolsGroup)
	root.SetUsageFunc(printUsage)
	wrapArgs(root)
	return root
}

// toolsGroup is the heading of what is about the program itself.
const toolsGroup = "Tools"

// A commandGroup is a heading of the list of commands in the help, with the
// commands that stand below it.
type commandGroup struct {
	Title    string
	Commands []*cobra.Command
}

// commandGroups lists the constructors of all top-level commands, under the
// task that a user has in mind when he looks for one.
func commandGroups(g *globals) []commandGroup {
	return []commandGroup{
		{"Render and check", []*cobra.Command{
			renderCmd(g),
			prepareCmd(g),
			changedCmd(g),
			planCmd(g),
			attestCmd(g),
			verifyCmd(g),
		}},
		{"See cause and effect", []*cobra.Command{
			diffCmd(g),
			lintCmd(g),
			reviewCmd(g),
			mergeDriverCmd(g),
			blameCmd(g),
			stepCmd(g),
			tryCmd(g),
			whyCmd(g),
			showCmd(g),
			listCmd(g),
		}},
		{"Write configuration", []*cobra.Command{
			initCmd(g),
			addCmd(g),
			newCmd(g),
			rebaseCmd(g),
			retireCmd(g),
			absorbCmd(g),
			importCmd(g),
			overlayCmd(g),
			templateCmd(g),
			configCmd(g),
		}},
		{"Upstream", []*cobra.Command{
			fetchCmd(g),
			updateCmd(g),
			cacheCmd(g),
			repoCmd(g),
		}},
		{"Specs alone", []*cobra.Command{
			queryCmd(g),
			applyCmd(g),
			autospecCmd(g),
			srpmCmd(g),
		}},
		{toolsGroup, []*cobra.Command{
			macrosCmd(g),
			codesCmd(g),
			limitsCmd(g),
			versionCmd(g),
		}},
	}
}

// commands returns all top-level commands in the order of their groups, each
// with the heading it belongs to.
func commands(g *globals) []*cobra.Command {
	var all []*cobra.Command
	for _, group := range commandGroups(g) {
		for _, cmd := range group.Commands {
			cmd.GroupID = group.Title
			all = append(all, cmd)
		}
	}
	return all
}

// wrapArgs turns the argument errors of all commands into usage errors.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				see := fmt.Sprintf("see '%s --help'", cmd.CommandPath())
				if strings.Contains(cmd.Use, " ") {
					see = fmt.Sprintf("usage is '%s', %s", cmd.UseLine(), see)
				}
				return usagef("%w; %s", err, see)
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}
