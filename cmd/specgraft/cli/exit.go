package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/overlay/diag"
)

// Exit codes. When several apply, environment goes before problems before
// drift.
const (
	ExitOK       = 0
	ExitProblems = 1 // problems in the input, or a component failed
	ExitDrift    = 2 // --check found that something would change
	ExitEnv      = 3 // the environment failed us, or we failed
)

// An ExitError ends the command with a code of its own after everything worth
// saying has been printed.
type ExitError int

func (e ExitError) Error() string {
	switch int(e) {
	case ExitProblems:
		return "problems found"
	case ExitDrift:
		return "something would change"
	}
	return "environment failure"
}

// exit prints err, unless its command did so already, and returns the exit
// code that goes with it.
func (g *Globals) exit(ctx context.Context, err error) int {
	if err == nil {
		return ExitOK
	}
	if e, ok := errors.AsType[ExitError](err); ok {
		if e == ExitDrift && g.DryRun {
			return ExitOK
		}
		return int(e)
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		g.Say("interrupted")
		return ExitEnv
	}
	if l, ok := errors.AsType[diag.ListError](err); ok {
		g.Report(diag.List(l))
		return CodeOf(diag.List(l))
	}
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		l := diag.List{*d}
		g.Report(l)
		return CodeOf(l)
	}
	if u, ok := errors.AsType[usageError](err); ok {
		g.Say("%s", u.Error())
		return ExitProblems
	}
	g.Say("%v", err)
	return ExitEnv
}

// CodeOf returns the exit code that a list of diagnostics asks for.
func CodeOf(l diag.List) int {
	code := ExitOK
	for _, d := range l {
		switch {
		case d.Severity != diag.Error:
		case d.Env:
			return ExitEnv
		default:
			code = ExitProblems
		}
	}
	return code
}

// Worst returns the exit code that goes before the other: environment before
// problems before drift.
func Worst(a, b int) int {
	rank := map[int]int{ExitOK: 0, ExitDrift: 1, ExitProblems: 2, ExitEnv: 3}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// dryRunFlags makes --dry-run of a command that has --check the same as
// --check, except that what would change is no exit code of its own: azldev's
// flag says nothing about whether something changes.
func (g *Globals) dryRunFlags(cmd *cobra.Command) error {
	if !g.DryRun || cmd.HasSubCommands() {
		return nil
	}
	check := cmd.Flags().Lookup("check")
	if check == nil {
		var able []string
		for _, c := range g.Whole().Commands() {
			if c.Name() != "component" { // the same commands once more
				able = append(able, checkers(c, "")...)
			}
		}
		slices.Sort(able)
		return Usagef("'%s' has no --dry-run, which is for %s; leave it out",
			cmd.CommandPath(), strings.Join(able, ", "))
	}
	if check.Changed { // exit code 2 was asked for
		g.DryRun = false
		return nil
	}
	return check.Value.Set("true")
}

// checkers returns the commands from cmd on that have the flag --check.
func checkers(cmd *cobra.Command, prefix string) []string {
	var names []string
	if cmd.Flags().Lookup("check") != nil {
		names = append(names, prefix+cmd.Name())
	}
	for _, sub := range cmd.Commands() {
		names = append(names, checkers(sub, prefix+cmd.Name()+" ")...)
	}
	return names
}
