package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/overlay/diag"
)

// ArgsError says what is wrong with the arguments of a command, and how it is
// used. err is what cobra says of them.
func ArgsError(cmd *cobra.Command, args []string, err error) error {
	see := fmt.Sprintf("see '%s --help'", cmd.CommandPath())
	if strings.Contains(cmd.Use, " ") {
		see = fmt.Sprintf("usage is '%s', %s", cmd.UseLine(), see)
	}
	if takes := takenArgs(err.Error()); takes != "" {
		return Usagef("'%s' takes %s, but %s; %s", cmd.CommandPath(), takes, givenArgs(len(args)), see)
	}
	i := slices.IndexFunc(args, func(a string) bool { return !slices.Contains(cmd.ValidArgs, a) })
	if i >= 0 && len(cmd.ValidArgs) > 0 {
		if n := diag.Nearest(args[i], cmd.ValidArgs); n != "" {
			see = fmt.Sprintf("did you mean %q?", n)
		}
		return Usagef("'%s' does not know %q; %s", cmd.CommandPath(), args[i], see)
	}
	if len(args) > 0 && strings.HasPrefix(err.Error(), "unknown command") {
		return Usagef("'%s' takes no arguments, but %q is given; %s", cmd.CommandPath(), args[0], see)
	}
	return Usagef("%w; %s", err, see)
}

// takenArgs puts into words how many arguments a message of cobra asks for, ""
// for a message about something else.
func takenArgs(message string) string {
	var n, m int
	switch {
	case scanned(message, "accepts %d arg(s)", &n):
		return counted(n)
	case scanned(message, "requires at least %d arg(s)", &n):
		return "at least " + counted(n)
	case scanned(message, "accepts at most %d arg(s)", &n):
		return "at most " + counted(n)
	case scanned(message, "accepts between %d and %d arg(s)", &n, &m):
		return numberWord(n) + " to " + counted(m)
	}
	return ""
}

func scanned(text, format string, values ...any) bool {
	n, err := fmt.Sscanf(text, format, values...)
	return err == nil && n == len(values)
}

func counted(n int) string { return numberWord(n) + " argument" + Plural(n) }

func givenArgs(n int) string {
	if n < 2 {
		return numberWord(n) + " is given"
	}
	return numberWord(n) + " are given"
}

func numberWord(n int) string {
	words := []string{"none", "one", "two", "three"}
	if n < len(words) {
		return words[n]
	}
	return strconv.Itoa(n)
}
