package main

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
	exitOK       = 0
	exitProblems = 1 // problems in the input, or a component failed
	exitDrift    = 2 // --check found that something would change
	exitEnv      = 3 // the environment failed us, or we failed
)

// An exitError ends the command with a code of its own after everything worth
// saying has been printed.
type exitError int

func (e exitError) Error() string {
	switch int(e) {
	case exitProblems:
		return "problems found"
	case exitDrift:
		return "something would change"
	}
	return "environment failure"
}

// exit prints err, unless its command did so already, and returns the exit
// code that goes with it.
func (g *globals) exit(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	if e, ok := errors.AsType[exitError](err); ok {
		if e == exitDrift && g.dryRun {
			return exitOK
		}
		return int(e)
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		g.say("interrupted")
		return exitEnv
	}
	if l, ok := errors.AsType[diag.ListError](err); ok {
		g.report(diag.List(l))
		return codeOf(diag.List(l))
	}
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		l := diag.List{*d}
		g.report(l)
		return codeOf(l)
	}
	if u, ok := errors.AsType[usageError](err); ok {
		g.say("%s", u.Error())
		return exitProblems
	}
	g.say("%v", err)
	return exitEnv
}

// codeOf returns the exit code that a list of diagnostics asks for.
func codeOf(l diag.List) int {
	code := exitOK
	for _, d := range l {
		switch {
		case d.Severity != diag.Error:
		case d.Env:
			return exitEnv
		default:
			code = exitProblems
		}
	}
	return code
}

// worst returns the exit code that goes before the other: environment before
// problems before drift.
func worst(a, b int) int {
	rank := map[int]int{exitOK: 0, exitDrift: 1, exitProblems: 2, exitEnv: 3}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// dryRunFlags makes --dry-run of a command that has --check the same as
// --check, except that what would change is no exit code of its own: azldev's
// flag says nothing about whether something changes.
func (g *globals) dryRunFlags(cmd *cobra.Command) error {
	if !g.dryRun || cmd.HasSubCommands() {
		return nil
	}
	check := cmd.Flags().Lookup("check")
	if check == nil {
		var able []string
		for _, c := range cmd.Root().Commands() {
			if c.Name() != "component" { // the same commands once more
				able = append(able, checkers(c, "")...)
			}
		}
		slices.Sort(able)
		return usagef("'%s' has no --dry-run, which is for %s; leave it out",
			cmd.CommandPath(), strings.Join(able, ", "))
	}
	if check.Changed { // exit code 2 was asked for
		g.dryRun = false
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
