package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"specgraft/components"
	"specgraft/overlay/diag"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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

// newGlobals returns the globals of one command line that reads and writes there.
// What a terminal shows has no control sequences but ours.
func newGlobals(stdin io.Reader, stdout, stderr io.Writer) *globals {
	var s screen
	g := &globals{stdin: stdin, stdout: forTerminal(stdout, &s), stderr: forTerminal(stderr, &s)}
	if !isTerminal(g.stdout) {
		g.stdout = &pipe{w: g.stdout}
	}
	return g
}

// run executes one command line with root, the whole program, and returns the
// exit code.
func (g *globals) run(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	root.SetIn(g.stdin)
	root.SetOut(g.stdout)
	root.SetErr(g.stderr)
	err := root.ExecuteContext(ctx)
	if cerr := g.close(); err == nil {
		err = cerr
	}
	code := g.exit(ctx, err)
	if lost := g.lost(); lost != nil && code != exitEnv {
		g.say("cannot print the results: %v", lost)
		code = exitEnv
	}
	return code
}

// addFlags adds the global flags to the program, and azldev's names of flags.
func (g *globals) addFlags(root *cobra.Command) {
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
}

// check validates the global flags before any command runs.
func (g *globals) check(cmd *cobra.Command) error {
	switch g.color {
	case "auto", "always", "never":
	default:
		return usagef("--color is auto, always or never, not %q", g.color)
	}
	if g.json {
		if g.format != "" && g.format != "json" {
			return usagef("--json and --format %s exclude each other", g.format)
		}
		g.format = "json"
	}
	if g.profile != "" && !slices.Contains(components.Profiles, g.profile) {
		return usagef("--profile is one of %s, not %q", strings.Join(components.Profiles, ", "), g.profile)
	}
	if want, pins := g.withoutLock.value, g.profile == components.ProfilePins; want != nil && g.profile != "" && *want != pins {
		return usagef("--without-lockfile=%v and --profile %s exclude each other", *want, g.profile)
	}
	if cmd.Root().PersistentFlags().Changed("concurrency") && g.concurrency < 1 {
		return usagef("--concurrency is a number of 1 or more")
	}
	if f := cmd.Flags().Lookup("skip-lock-validation"); f != nil && f.Changed && g.withoutLock.is(true) {
		return usagef("there are no locks to validate with --without-lockfile; leave out --skip-lock-validation")
	}
	if g.retries < 0 {
		return usagef("--network-retries is a number of 0 or more")
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

func (b *optionalBool) Type() string { return "bool" }

func (b *optionalBool) IsBoolFlag() bool { return true }

func (b *optionalBool) is(v bool) bool { return b.value != nil && *b.value == v }

// formatOf returns the output format to use: the one the user asked for, which
// must be among allowed, or else the first of allowed.
func (g *globals) formatOf(allowed ...string) (string, error) {
	if g.format == "" {
		return allowed[0], nil
	}
	if !slices.Contains(allowed, g.format) {
		return "", usagef("format %q is not one of %s", g.format, strings.Join(allowed, ", "))
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

// azldevFlags maps azldev's long flag names to ours, so that scripts written
// for azldev go on working. Both spellings are the same flag.
var azldevFlags = map[string]string{
	"all-components":  "all",
	"component-group": "group",
	"check-only":      "check",
	"output-format":   "format",
}
