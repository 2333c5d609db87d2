package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"specgraft/components/schema"
	"specgraft/fedora"
	"specgraft/overlay/diag"
)

// Globals is what every command shares: the streams and the global flags.
type Globals struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	ProjectDir  string        // -C
	cacheDir    string        // --cache-dir, empty for the default
	ahead       *fedora.Ahead // what is being read for the store, nil for nothing
	configFiles []string      // --config-file, in order
	noDefaults  bool
	Permissive  bool
	Outside     bool         // --allow-outside
	WithoutLock optionalBool // --without-lockfile

	OpenArchives bool   // set by commands with --allow-no-hashes
	ReadAll      bool   // set by --verify: nothing is believed of what an earlier run read
	profile      string // --profile
	concurrency  int    // --concurrency, 0 for the number of processors
	Offline      bool
	AllowHTTP    bool
	color        string
	DryRun       bool // --dry-run without --check
	quiet        bool
	Verbose      bool
	Format       string // --format, -O; "" for the command's default
	json         bool
	Retries      int
	PerHost      int // connections to one server, 0 for the default

	Base, Top string // directory of the loaded project, and of its git repository

	Closers []func() error // run after the command, last first
	temps   tempDirs

	// Whole returns the root of all commands, for what speaks of them all: a run
	// has only the command that it is for.
	Whole func() *cobra.Command
}

// NewGlobals returns the globals of one command line that reads and writes there.
// What a terminal shows has no control sequences but ours.
func NewGlobals(stdin io.Reader, stdout, stderr io.Writer) *Globals {
	var s screen
	g := &Globals{Stdin: stdin, Stdout: forTerminal(stdout, &s), Stderr: forTerminal(stderr, &s)}
	if !isTerminal(g.Stdout) {
		g.Stdout = &pipe{w: g.Stdout}
	}
	return g
}

// Run executes one command line with root, the whole program, and returns the
// exit code.
func (g *Globals) Run(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	root.SetIn(g.Stdin)
	root.SetOut(g.Stdout)
	root.SetErr(g.Stderr)
	err := root.ExecuteContext(ctx)
	if cerr := g.close(); err == nil {
		err = cerr
	}
	code := g.exit(ctx, err)
	if lost := g.lost(); lost != nil && code != ExitEnv {
		g.Say("cannot print the results: %v", lost)
		code = ExitEnv
	}
	return code
}

// AddFlags adds the global flags to the program, and azldev's names of flags.
func (g *Globals) AddFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVarP(&g.ProjectDir, "project", "C", "", "start looking for azldev.toml in `DIR` and above it")
	f.StringVar(&g.cacheDir, "cache-dir", "", "keep mirrors and snapshots in `DIR` (default: specgraft in the user's cache directory)")
	ListVar(f, &g.configFiles, "config-file", "", "read `FILE` after the project's own configuration; may be repeated")
	f.BoolVar(&g.noDefaults, "no-default-config", false, "leave out the built-in defaults")
	f.BoolVar(&g.Permissive, "permissive-config", false, "ignore unknown keys and unresolved references in the configuration")
	f.BoolVar(&g.Outside, "allow-outside", false, "allow paths in the configuration that lead outside the project's repository")
	f.Var(&g.WithoutLock, "without-lockfile", "keep upstream commits in generated pins instead of lock files (default: what the project has)")
	f.Lookup("without-lockfile").NoOptDefVal = "true"
	f.StringVar(&g.profile, "profile", "", "take the project as one of `PROFILE`: "+strings.Join(schema.Profiles, ", ")+" (default: found out)")
	f.IntVar(&g.concurrency, "concurrency", 0, "base the amount of parallel work on `N` (default: the number of processors)")
	f.BoolVar(&g.Offline, "offline", false, "never talk to the network, use what the cache has")
	f.StringVar(&g.color, "color", "auto", "colour the output: auto, always or never")
	f.BoolVarP(&g.DryRun, "dry-run", "n", false, "write nothing, like --check, but exit with 0 when something would change (for commands that have --check)")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "only print results and errors")
	f.BoolVarP(&g.Verbose, "verbose", "v", false, "say more about what is done")
	f.StringVarP(&g.Format, "format", "O", "", "print results as `FORMAT`: table, json, csv, markdown and others a command may know")
	f.BoolVar(&g.json, "json", false, "short for --format json")
	f.BoolVar(&g.AllowHTTP, "allow-http", false, "allow unencrypted http:// addresses")
	f.IntVar(&g.Retries, "network-retries", 3, "try a network operation `N` times")
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if ours, ok := azldevFlags[name]; ok {
			name = ours
		}
		return pflag.NormalizedName(name)
	})
}

// Check validates the global flags before any command runs.
func (g *Globals) Check(cmd *cobra.Command) error {
	switch g.color {
	case "auto", "always", "never":
	default:
		return Usagef("--color is auto, always or never, not %q", g.color)
	}
	if g.json {
		if g.Format != "" && g.Format != "json" {
			return Usagef("--json and --format %s exclude each other", g.Format)
		}
		g.Format = "json"
	}
	if g.profile != "" && !slices.Contains(schema.Profiles, g.profile) {
		return Usagef("--profile is one of %s, not %q", strings.Join(schema.Profiles, ", "), g.profile)
	}
	if want, pins := g.WithoutLock.Value, g.profile == schema.ProfilePins; want != nil && g.profile != "" && *want != pins {
		return Usagef("--without-lockfile=%v and --profile %s exclude each other", *want, g.profile)
	}
	if cmd.Root().PersistentFlags().Changed("concurrency") && g.concurrency < 1 {
		return Usagef("--concurrency is a number of 1 or more")
	}
	if f := cmd.Flags().Lookup("skip-lock-validation"); f != nil && f.Changed && g.WithoutLock.is(true) {
		return Usagef("there are no locks to validate with --without-lockfile; leave out --skip-lock-validation")
	}
	if g.Retries < 0 {
		return Usagef("--network-retries is a number of 0 or more")
	}
	return g.dryRunFlags(cmd)
}

// Jobs returns how many things are done at a time: n when the command was told,
// else scale for each processor, or for each unit of --concurrency.
func (g *Globals) Jobs(n, scale int) int {
	switch {
	case n > 0:
		return n
	case g.concurrency > 0:
		return scale * g.concurrency
	}
	return scale * runtime.GOMAXPROCS(0)
}

// An optionalBool is a boolean flag that knows whether it was given.
type optionalBool struct{ Value *bool }

func (b *optionalBool) Set(s string) error {
	v, err := strconv.ParseBool(s)
	if err == nil {
		b.Value = &v
	}
	return err
}

func (b *optionalBool) String() string {
	if b.Value == nil {
		return ""
	}
	return strconv.FormatBool(*b.Value)
}

func (b *optionalBool) Type() string { return "bool" }

func (b *optionalBool) IsBoolFlag() bool { return true }

func (b *optionalBool) is(v bool) bool { return b.Value != nil && *b.Value == v }

// FormatOf returns the output format to use: the one the user asked for, which
// must be among allowed, or else the first of allowed.
func (g *Globals) FormatOf(allowed ...string) (string, error) {
	if g.Format == "" {
		return allowed[0], nil
	}
	if !slices.Contains(allowed, g.Format) {
		return "", Usagef("format %q is not one of %s", g.Format, strings.Join(allowed, ", "))
	}
	return g.Format, nil
}

// close runs what commands left to be closed.
func (g *Globals) close() error {
	var errs []error
	for _, c := range slices.Backward(g.Closers) {
		errs = append(errs, c())
	}
	g.Closers = nil
	return errors.Join(append(errs, g.temps.remove())...)
}

// Say prints one line of talk to stderr.
func (g *Globals) Say(format string, args ...any) {
	fmt.Fprintf(g.Stderr, "specgraft: "+format+"\n", args...)
}

// Note is say for what --quiet suppresses.
func (g *Globals) Note(format string, args ...any) {
	if !g.quiet {
		g.Say(format, args...)
	}
}

// Report prints diagnostics to stderr, every one with its source line, its
// related places and its next step.
func (g *Globals) Report(l diag.List) {
	if g.quiet {
		l = slices.DeleteFunc(slices.Clone(l), func(d diag.Diagnostic) bool { return d.Severity != diag.Error })
	}
	p := g.Printer()
	p.Color = g.Colored(g.Stderr)
	_ = p.Text(g.Stderr, l)
}

// Printer returns a printer of diagnostics for the loaded project.
func (g *Globals) Printer() *diag.Printer { return &diag.Printer{Dir: g.Base, Root: g.Top} }

// Colored reports whether output to w shall have colours.
func (g *Globals) Colored(w io.Writer) bool {
	switch g.color {
	case "always":
		return true
	case "never":
		return false
	}
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}

// azldevFlags maps azldev's long flag names to ours, so that scripts written
// for azldev go on working. Both spellings are the same flag.
var azldevFlags = map[string]string{
	"all-components":  "all",
	"component-group": "group",
	"check-only":      "check",
	"output-format":   "format",
}
