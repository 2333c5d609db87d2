package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"specgraft/overlay/diag"
)

// A usageError is a command line that makes no sense.
type usageError struct{ error }

// flagError says what is wrong with a flag, and what to write instead.
func flagError(cmd *cobra.Command, err error) error {
	see := fmt.Sprintf("see '%s --help'", cmd.CommandPath())
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := e.GetSpecifiedName()
		given := "--" + name
		if e.GetSpecifiedShortnames() != "" {
			given = "-" + name
		}
		if given == "-y" || given == "--accept-all" {
			return usageError{fmt.Errorf("unknown flag: %s; specgraft never asks anything, so leave it out", given)}
		}
		if args := cmd.Flags().Args(); cmd.HasSubCommands() && len(args) > 0 {
			return group(cmd, args) // the flag belongs to what was mistyped
		}
		if short := e.GetSpecifiedShortnames(); short != "" {
			if n := nearestFlag(cmd, short); n != "" { // with a dash too few
				return usageError{fmt.Errorf("unknown flag: -%s; did you mean --%s?", short, n)}
			}
		} else if n := nearestFlag(cmd, name); n != "" {
			return usageError{fmt.Errorf("unknown flag: %s; did you mean --%s?", given, n)}
		}
		if strings.Contains(cmd.Use, " ") {
			see = fmt.Sprintf("usage is '%s', %s", cmd.UseLine(), see)
		}
		return usageError{fmt.Errorf("unknown flag: %s; %s", given, see)}
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := e.GetFlag()
		if n := nearestFlag(cmd, f.Shorthand+e.GetValue()); n != "" && f.Shorthand != "" {
			return usageError{fmt.Errorf("unknown flag: -%s%s; did you mean --%s?", f.Shorthand, e.GetValue(), n)}
		}
		switch f.Value.Type() {
		case "int":
			return usageError{fmt.Errorf("--%s is a number, not %q", f.Name, e.GetValue())}
		case "bool":
			return usageError{fmt.Errorf("--%s is true or false, not %q", f.Name, e.GetValue())}
		}
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		f := e.GetFlag()
		value, _ := pflag.UnquoteUsage(f)
		return usageError{fmt.Errorf("--%s needs a value: --%s %s", f.Name, f.Name, strings.ToUpper(value))}
	}
	return usageError{fmt.Errorf("%w; %s", err, see)}
}

// nearestFlag returns the name of the flag that a word may stand for, or the
// empty string: the nearest one, or the only one that begins like it.
func nearestFlag(cmd *cobra.Command, word string) string {
	var names, longer []string
	if len(word) < 2 {
		return ""
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		names = append(names, f.Name)
		if strings.HasPrefix(f.Name, word) {
			longer = append(longer, f.Name)
		}
	})
	if len(longer) == 1 {
		return longer[0]
	}
	return diag.Nearest(word, names)
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
		for _, c := range commands(g) {
			able = append(able, checkers(c, "")...)
		}
		slices.Sort(able)
		return usageError{fmt.Errorf("'%s' has no --dry-run, which is for %s; leave it out",
			cmd.CommandPath(), strings.Join(able, ", "))}
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
