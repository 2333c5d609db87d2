package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"specgraft/components"
	"specgraft/overlay/diag"
)

func Btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// IsInput reports whether questions can be asked there.
func IsInput(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Visible shows control characters of text from files as question marks.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

func Indented(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return strings.Join(lines[1:], "\n   ") + "\n"
}

func Plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// ByteCount prints a size in binary units.
func ByteCount(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// DidYouMean ends a message with the nearest candidate, if there is one.
func DidYouMean(word string, names []string) string {
	if n := diag.Nearest(word, names); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

func OrDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// ShownPath returns a path for a terminal: upstream's file names may hold any
// byte, and are quoted when one of them could not be printed.
func ShownPath(p string) string {
	if utf8.ValidString(p) && !strings.ContainsFunc(p, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return p
	}
	return strconv.Quote(p)
}

// Relative returns a path relative to the working directory when it is below it.
func Relative(p string) string {
	wd, err := filepath.Abs(".")
	if err != nil {
		return p
	}
	return RelativeTo(wd, p)
}

// RelativeTo shortens a path below wd, which is the working directory, for who has
// many of them: the system is asked where that is only once.
func RelativeTo(wd, p string) string {
	if rel, err := filepath.Rel(wd, p); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return p
}

// ExpectedFailure reports whether a component says that it cannot be rendered.
func ExpectedFailure(p *components.Project, name string) bool {
	c, _ := p.Component(name)
	return c != nil && c.Build.Failure.Expected
}

// TomlKey writes a name as part of a table header.
func TomlKey(name string) string {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == "" {
		return name
	}
	return fmt.Sprintf("%q", name)
}

// Interrupted reports whether an update ended before all components were looked
// at.
func Interrupted(problems diag.List) bool {
	return slices.ContainsFunc(problems, func(d diag.Diagnostic) bool {
		return d.Component == "" && (d.Code == "lock/unresolved" || d.Code == "pin/unresolved")
	})
}
