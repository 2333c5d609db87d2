package main

import (
	"slices"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/cmd/specgraft/config"
	"specgraft/cmd/specgraft/effect"
	"specgraft/cmd/specgraft/rendering"
	"specgraft/cmd/specgraft/specs"
	"specgraft/cmd/specgraft/tools"
	"specgraft/cmd/specgraft/upstream"
)

// rootCmd builds the command tree as far as args need it: the one command they
// name, or else all of them. A short command spends most of its time before it
// starts, and flags of commands that do not run are a third of that.
func rootCmd(g *cli.Globals, args []string) *cobra.Command {
	root := newRoot(g)
	g.Whole = func() *cobra.Command {
		whole := cli.NewGlobals(g.Stdin, g.Stdout, g.Stderr)
		root := newRoot(whole)
		addAll(whole, root)
		return root
	}
	if name := named(root, args); name != "" {
		root.AddCommand(commands(g, name)...)
	} else {
		addAll(g, root)
	}
	wrapArgs(root)
	return root
}

func newRoot(g *cli.Globals) *cobra.Command {
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
	for _, group := range commandGroups {
		root.AddGroup(&cobra.Group{ID: group.Title, Title: group.Title + ":"})
	}
	root.SetCompletionCommandGroupID(toolsGroup)
	root.SetUsageFunc(printUsage)
	return root
}

// named returns the name of the command in commandGroups that args are for, ""
// when they are for another one, for help, or wrong.
func named(root *cobra.Command, args []string) string {
	if len(args) > 0 && isCommand(args[0]) {
		return args[0]
	}
	defer root.ResetCommands()
	for _, group := range commandGroups {
		for _, c := range group.Commands {
			root.AddCommand(&cobra.Command{Use: c.Name})
		}
	}
	if cmd, _, err := root.Find(args); err == nil && cmd != root {
		return cmd.Name()
	}
	return ""
}

// isCommand reports whether commandGroups has a command of that name.
func isCommand(name string) bool {
	return slices.ContainsFunc(commandGroups, func(g commandGroup) bool {
		return slices.ContainsFunc(g.Commands, func(c command) bool { return c.Name == name })
	})
}

// addAll adds every command to root.
func addAll(g *cli.Globals, root *cobra.Command) {
	root.AddCommand(commands(g, "")...)
	component, help := componentCmd(g), helpCmd()
	component.GroupID, help.GroupID = toolsGroup, toolsGroup
	root.AddCommand(component)
	root.AddCommand(cli.AzldevOnlyCmds(g, "")...)
	root.SetHelpCommand(help)
}

// toolsGroup is the heading of what is about the program itself.
const toolsGroup = "Tools"

// A commandGroup is a heading of the list of commands in the help, with the
// commands that stand below it.
type commandGroup struct {
	Title    string
	Commands []command
}

// A command is the name of a top-level command and its constructor.
type command struct {
	Name string
	New  func(*cli.Globals) *cobra.Command
}

// commandGroups lists all top-level commands, under the task that a user has in
// mind when he looks for one.
var commandGroups = []commandGroup{
	{"Render and check", []command{
		{"render", rendering.RenderCmd},
		{"prepare", rendering.PrepareCmd},
		{"changed", rendering.ChangedCmd},
		{"plan", rendering.PlanCmd},
		{"attest", rendering.AttestCmd},
		{"verify", rendering.VerifyCmd},
	}},
	{"See cause and effect", []command{
		{"diff", effect.DiffCmd},
		{"lint", effect.LintCmd},
		{"review", effect.ReviewCmd},
		{"merge-driver", effect.MergeDriverCmd},
		{"blame", effect.BlameCmd},
		{"step", effect.StepCmd},
		{"try", effect.TryCmd},
		{"why", effect.WhyCmd},
		{"show", effect.ShowCmd},
		{"list", effect.ListCmd},
	}},
	{"Write configuration", []command{
		{"init", config.InitCmd},
		{"add", config.AddCmd},
		{"new", config.NewCmd},
		{"rebase", config.RebaseCmd},
		{"retire", config.RetireCmd},
		{"absorb", config.AbsorbCmd},
		{"import", config.ImportCmd},
		{"overlay", config.OverlayCmd},
		{"template", config.TemplateCmd},
		{"config", config.ConfigCmd},
		{"lsp", config.LspCmd},
	}},
	{"Upstream", []command{
		{"fetch", upstream.FetchCmd},
		{"update", upstream.UpdateCmd},
		{"cache", upstream.CacheCmd},
		{"repo", upstream.RepoCmd},
	}},
	{"Specs alone", []command{
		{"query", specs.QueryCmd},
		{"apply", specs.ApplyCmd},
		{"autospec", specs.AutospecCmd},
		{"srpm", specs.SrpmCmd},
	}},
	{toolsGroup, []command{
		{"macros", tools.MacrosCmd},
		{"codes", tools.CodesCmd},
		{"limits", tools.LimitsCmd},
		{"version", tools.VersionCmd},
	}},
}

// commands returns the top-level commands in the order of their groups, each
// with the heading it belongs to; only the one of that name when it is not "".
func commands(g *cli.Globals, name string) []*cobra.Command {
	var all []*cobra.Command
	for _, group := range commandGroups {
		for _, c := range group.Commands {
			if name == "" || name == c.Name {
				cmd := c.New(g)
				cmd.GroupID = group.Title
				all = append(all, cmd)
			}
		}
	}
	return all
}

// wrapArgs turns the argument errors of all commands into usage errors.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return cli.ArgsError(cmd, args, err)
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}
