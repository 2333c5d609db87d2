package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"specgraft/components"
	"specgraft/overlay/diag"
)

// globals is what every command shares: the streams and the global flags.
type globals struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	projectDir  string   // -C
	cacheDir    string   // --cache-dir, empty for the default
	configFiles []string // --config-file, in order
	noDefaults  bool
	permissive  bool
	outside     bool         // --allow-outside
	withoutLock optionalBool // --without-lockfile
	profile     string       // --profile
	concurrency int          // --concurrency, 0 for the number of processors
	offline     bool
	allowHTTP   bool
	color       string
	dryRun      bool // --dry-run without --check
	quiet       bool
	verbose     bool
	format      string // --format, -O; "" for the command's default
	json        bool
	retries     int
	perHost     int // connections to one server, 0 for the default

	base, top string // directory of the loaded project, and of its git repository

	closers []func() error // run after the command, last first
}

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
	f := root.PersistentFlags()
	f.StringVarP(&g.projectDir, "project", "C", "", "start looking for azldev.toml in `DIR` and above it")
	f.StringVar(&g.cacheDir, "cache-dir", "", "keep mirrors and snapshots in `DIR` (default: specgraft in the user's cache directory)")
	f.StringArrayVar(&g.configFiles, "config-file", nil, "read `FILE` after the project's own configuration; may be repeated")
	f.BoolVar(&g.noDefaults, "no-default-config", false, "leave out the built-in defaults")
	f.BoolVar(&g.permissive, "permissive-config", false, "ignore unknown keys and unresolved references in the configuration")
	f.BoolVar(&g.outside, "allow-outside", false, "allow paths in the configuration that lead outside the project's repository")
	f.Var(&g.withoutLock, "without-lockfile", "keep upstream commits in generated pins instead of lock files (default: what the project has)")
	f.Lookup("without-lockfile").NoOptDefVal = "true"
	f.StringVar(&g.profile, "profile", "", "take the project as one of `PROFILE`: "+strings.Join(components.Profiles, ", ")+" (default: found out)")
	f.IntVar(&g.concurrency, "concurrency", 0, "base the amount of parallel work on `N` (default: the number of processors)")
	f.BoolVar(&g.offline, "offline", false, "never talk to the network, use what the cache has")
	f.StringVar(&g.color, "color", "auto", "colour the output: auto, always or never")
	f.BoolVarP(&g.dryRun, "dry-run", "n", false, "write nothing, like --check, but exit with 0 when something would change (for commands that have --check)")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "only print results and errors")
	f.BoolVarP(&g.verbose, "verbose", "v", false, "say more about what is done")
	f.StringVarP(&g.format, "format", "O", "", "print results as `FORMAT`: table, json, csv, markdown and others a command may know")
	f.BoolVar(&g.json, "json", false, "short for --format json")
	f.BoolVar(&g.allowHTTP, "allow-http", false, "allow unencrypted http:// addresses")
	f.IntVar(&g.retries, "network-retries", 3, "try a network operation `N` times")
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if ours, ok := azldevFlags[name]; ok {
			name = ours
		}
		return pflag.NormalizedName(name)
	})
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

// azldevFlags maps azldev's long flag names to ours, so that scripts written
// for azldev go on working. Both spellings are the same flag.
var azldevFlags = map[string]string{
	"all-components":  "all",
	"component-group": "group",
	"check-only":      "check",
	"output-format":   "format",
}

// group runs a command that only has subcommands: it prints its help, or says
// that there is no such subcommand.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(append(names, sub.Name()), sub.Aliases...)
	}
	hint := fmt.Sprintf("see '%s --help'", cmd.CommandPath())
	if n := diag.Nearest(args[0], names); n != "" {
		hint = fmt.Sprintf("did you mean %q?", n)
	}
	return usageError{fmt.Errorf("unknown command %q; %s", args[0], hint)}
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
				return usageError{fmt.Errorf("%w; %s", err, see)}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}

// check validates the global flags before any command runs.
func (g *globals) check(cmd *cobra.Command) error {
	switch g.color {
	case "auto", "always", "never":
	default:
		return usageError{fmt.Errorf("--color is auto, always or never, not %q", g.color)}
	}
	if g.json {
		if g.format != "" && g.format != "json" {
			return usageError{fmt.Errorf("--json and --format %s exclude each other", g.format)}
		}
		g.format = "json"
	}
	if g.profile != "" && !slices.Contains(components.Profiles, g.profile) {
		return usageError{fmt.Errorf("--profile is one of %s, not %q", strings.Join(components.Profiles, ", "), g.profile)}
	}
	if want, pins := g.withoutLock.value, g.profile == components.ProfilePins; want != nil && g.profile != "" && *want != pins {
		return usageError{fmt.Errorf("--without-lockfile=%v and --profile %s exclude each other", *want, g.profile)}
	}
	if cmd.Root().PersistentFlags().Changed("concurrency") && g.concurrency < 1 {
		return usageError{errors.New("--concurrency is a number of 1 or more")}
	}
	if f := cmd.Flags().Lookup("skip-lock-validation"); f != nil && f.Changed && g.withoutLock.is(true) {
		return usageError{errors.New("there are no locks to validate with --without-lockfile; leave out --skip-lock-validation")}
	}
	if g.retries < 0 {
		return usageError{errors.New("--network-retries is a number of 0 or more")}
	}
	return g.dryRunFlags(cmd)
}

// jobs returns how many things are done at a time: n when the command was told,
// else scale for each processor, or for each unit of --concurrency.
func (g *globals) jobs(n, scale int) int {
	switch {
	case n > 0:
		return n
	case g.concurrency > 0:
		return scale * g.concurrency
	}
	return scale * runtime.GOMAXPROCS(0)
}

// An optionalBool is a boolean flag that knows whether it was given.
type optionalBool struct{ value *bool }

func (b *optionalBool) Set(s string) error {
	v, err := strconv.ParseBool(s)
	if err == nil {
		b.value = &v
	}
	return err
}

func (b *optionalBool) String() string {
	if b.value == nil {
		return ""
	}
	return strconv.FormatBool(*b.value)
}

func (b *optionalBool) Type() string     { return "bool" }
func (b *optionalBool) IsBoolFlag() bool { return true }

func (b *optionalBool) is(v bool) bool { return b.value != nil && *b.value == v }

// formatOf returns the output format to use: the one the user asked for, which
// must be among allowed, or else the first of allowed.
func (g *globals) formatOf(allowed ...string) (string, error) {
	if g.format == "" {
		return allowed[0], nil
	}
	if !slices.Contains(allowed, g.format) {
		return "", usageError{fmt.Errorf("format %q is not one of %s", g.format, strings.Join(allowed, ", "))}
	}
	return g.format, nil
}

// close runs what commands left to be closed.
func (g *globals) close() error {
	var errs []error
	for _, c := range slices.Backward(g.closers) {
		errs = append(errs, c())
	}
	g.closers = nil
	return errors.Join(errs...)
}

// say prints one line of talk to stderr.
func (g *globals) say(format string, args ...any) {
	fmt.Fprintf(g.stderr, "specgraft: "+format+"\n", args...)
}

// note is say for what --quiet suppresses.
func (g *globals) note(format string, args ...any) {
	if !g.quiet {
		g.say(format, args...)
	}
}

// report prints diagnostics to stderr, every one with its source line, its
// related places and its next step.
func (g *globals) report(l diag.List) {
	if g.quiet {
		l = slices.DeleteFunc(slices.Clone(l), func(d diag.Diagnostic) bool { return d.Severity != diag.Error })
	}
	p := g.printer()
	p.Color = g.colored(g.stderr)
	_ = p.Text(g.stderr, l)
}

// printer returns a printer of diagnostics for the loaded project.
func (g *globals) printer() *diag.Printer { return &diag.Printer{Dir: g.base, Root: g.top} }

// colored reports whether output to w shall have colours.
func (g *globals) colored(w io.Writer) bool {
	switch g.color {
	case "always":
		return true
	case "never":
		return false
	}
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}

// version returns the version of this build: the module version where the
// binary was installed as a module, else the revision it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	rev, dirty := commit(info)
	switch {
	case rev == "":
		return "devel"
	case dirty:
		return "devel-" + rev[:min(12, len(rev))] + "+changes"
	}
	return "devel-" + rev[:min(12, len(rev))]
}

// commit returns the commit that a build was made from, or the empty string, and
// whether the files differed from it.
func commit(info *debug.BuildInfo) (rev string, dirty bool) {
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			rev = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	return rev, dirty
}

func versionCmd(g *globals) *cobra.Command {
	var project bool
	cmd := &cobra.Command{
		Use:     "version",
		Aliases: []string{"ver"},
		Short:   "Print the version of this build",
		Long: `Print the version of this build: that of the module, or the commit it was built
from. --json gives the commit, whether files differed from it, and the version
of Go, for a report or a log. With --project also name the profile of the project:
the state of azldev's format that it keeps to, and what that was found by.`,
		Example: `  specgraft version
  specgraft version --project
  specgraft version --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if project && len(args) == 1 { // --project DIR
				return nil
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			format, err := g.formatOf("text", "table", "json")
			if err != nil {
				return err
			}
			if len(args) == 1 {
				g.projectDir = args[0]
			}
			var found *projectProfile
			if project {
				p, err := g.load()
				if err != nil {
					return err
				}
				found = &projectProfile{p.Profile, p.ProfileReason, p.Display(p.File), p.WithoutLocks}
			}
			if format == "json" {
				build := struct {
					Version  string `json:"version"`
					Commit   string `json:"commit,omitempty"`
					Modified bool   `json:"modified"` // the files were not as in the commit
					Go       string `json:"go"`

					Project *projectProfile `json:"project,omitempty"`
				}{Version: version(), Go: runtime.Version(), Project: found}
				if info, ok := debug.ReadBuildInfo(); ok {
					build.Commit, build.Modified = commit(info)
				}
				return writeJSON(g.stdout, build)
			}
			fmt.Fprintln(g.stdout, "specgraft", version())
			if found != nil {
				_, err = fmt.Fprintf(g.stdout, "%s: profile %s (%s)\n", found.File, found.Profile, found.Reason)
			}
			return err
		},
	}
	// The global flag of that name takes a directory; here it need not.
	f := cmd.Flags()
	f.VarPF(&projectFlag{&g.projectDir, &project}, "project", "C", "also print the profile of the project, found from `DIR` or the working directory").NoOptDefVal = "."
	return cmd
}

// A projectFlag is a directory that is optional.
type projectFlag struct {
	dir   *string
	given *bool
}

func (p *projectFlag) Set(dir string) error {
	*p.dir, *p.given = dir, true
	return nil
}

func (p *projectFlag) String() string { return "" }
func (p *projectFlag) Type() string   { return "string" }

// projectProfile is what version says of the project.
type projectProfile struct {
	Profile         string `json:"profile"`
	Reason          string `json:"reason"`
	File            string `json:"file"`
	WithoutLockfile bool   `json:"withoutLockfile"`
}
