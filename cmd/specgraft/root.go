package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/cmd/specgraft/config"
	"specgraft/cmd/specgraft/effect"
	"specgraft/cmd/specgraft/rendering"
	"specgraft/cmd/specgraft/specs"
	"specgraft/cmd/specgraft/tools"
	"specgraft/cmd/specgraft/upstream"
)

// rootCmd builds the whole command tree. Each command is a constructor of its
// own; a new one adds one line to commands.
func rootCmd(g *cli.Globals) *cobra.Command {
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
		Version:           cli.Version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              cobra.ArbitraryArgs,
		RunE:              cli.Group,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return g.Check(cmd) },
	}
	root.SetVersionTemplate("specgraft {{.Version}}\n")
	root.SetFlagErrorFunc(cli.FlagError)
	g.AddFlags(root)
	for _, group := range commandGroups(g) {
		root.AddGroup(&cobra.Group{ID: group.Title, Title: group.Title + ":"})
	}
	root.AddCommand(commands(g)...)
	component, help := componentCmd(g), helpCmd()
	component.GroupID, help.GroupID = toolsGroup, toolsGroup
	root.AddCommand(component)
	root.AddCommand(cli.AzldevOnlyCmds(g, "")...)
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
func commandGroups(g *cli.Globals) []commandGroup {
	return []commandGroup{
		{"Render and check", []*cobra.Command{
			rendering.RenderCmd(g),
			rendering.PrepareCmd(g),
			rendering.ChangedCmd(g),
			rendering.PlanCmd(g),
			rendering.AttestCmd(g),
			rendering.VerifyCmd(g),
		}},
		{"See cause and effect", []*cobra.Command{
			effect.DiffCmd(g),
			effect.LintCmd(g),
			effect.ReviewCmd(g),
			effect.MergeDriverCmd(g),
			effect.BlameCmd(g),
			effect.StepCmd(g),
			effect.TryCmd(g),
			effect.WhyCmd(g),
			effect.ShowCmd(g),
			effect.ListCmd(g),
		}},
		{"Write configuration", []*cobra.Command{
			config.InitCmd(g),
			config.AddCmd(g),
			config.NewCmd(g),
			config.RebaseCmd(g),
			config.RetireCmd(g),
			config.AbsorbCmd(g),
			config.ImportCmd(g),
			config.OverlayCmd(g),
			config.TemplateCmd(g),
			config.ConfigCmd(g),
			config.LspCmd(g),
		}},
		{"Upstream", []*cobra.Command{
			upstream.FetchCmd(g),
			upstream.UpdateCmd(g),
			upstream.CacheCmd(g),
			upstream.RepoCmd(g),
		}},
		{"Specs alone", []*cobra.Command{
			specs.QueryCmd(g),
			specs.ApplyCmd(g),
			specs.AutospecCmd(g),
			specs.SrpmCmd(g),
		}},
		{toolsGroup, []*cobra.Command{
			tools.MacrosCmd(g),
			tools.CodesCmd(g),
			tools.LimitsCmd(g),
			tools.VersionCmd(g),
		}},
	}
}

// commands returns all top-level commands in the order of their groups, each
// with the heading it belongs to.
func commands(g *cli.Globals) []*cobra.Command {
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
				return cli.Usagef("%w; %s", err, see)
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}
