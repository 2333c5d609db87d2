package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"specgraft/overlay/diag"
)

// A usageError is a command line that makes no sense.
type usageError struct{ error }

// AsUsage makes err an error of usage.
func AsUsage(err error) error { return usageError{err} }

// Usagef returns an error of usage; the rest is as for fmt.Errorf.
func Usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// FlagError says what is wrong with a flag, and what to write instead.
func FlagError(cmd *cobra.Command, err error) error {
	see := fmt.Sprintf("see '%s --help'", cmd.CommandPath())
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := e.GetSpecifiedName()
		given := "--" + name
		if e.GetSpecifiedShortnames() != "" {
			given = "-" + name
		}
		if given == "-y" || given == "--accept-all" {
			return Usagef("unknown flag: %s; specgraft never asks anything, so leave it out", given)
		}
		if args := cmd.Flags().Args(); cmd.HasSubCommands() && len(args) > 0 {
			return Group(cmd, args) // the flag belongs to what was mistyped
		}
		if short := e.GetSpecifiedShortnames(); short != "" {
			if n := nearestFlag(cmd, short); n != "" { // with a dash too few
				return Usagef("unknown flag: -%s; did you mean --%s?", short, n)
			}
		} else if n := nearestFlag(cmd, name); n != "" {
			return Usagef("unknown flag: %s; did you mean --%s?", given, n)
		}
		if strings.Contains(cmd.Use, " ") {
			see = fmt.Sprintf("usage is '%s', %s", cmd.UseLine(), see)
		}
		return Usagef("unknown flag: %s; %s", given, see)
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := e.GetFlag()
		if n := nearestFlag(cmd, f.Shorthand+e.GetValue()); n != "" && f.Shorthand != "" {
			return Usagef("unknown flag: -%s%s; did you mean --%s?", f.Shorthand, e.GetValue(), n)
		}
		switch f.Value.Type() {
		case "int":
			return Usagef("--%s is a number, not %q", f.Name, e.GetValue())
		case "bool":
			return Usagef("--%s is true or false, not %q", f.Name, e.GetValue())
		}
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		f := e.GetFlag()
		value, _ := pflag.UnquoteUsage(f)
		return Usagef("--%s needs a value: --%s %s", f.Name, f.Name, strings.ToUpper(value))
	}
	return Usagef("%w; %s", err, see)
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

// Group runs a command that only has subcommands: it prints its help, or says
// that there is no such subcommand.
func Group(cmd *cobra.Command, args []string) error {
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
	return Usagef("unknown command %q; %s", args[0], hint)
}
