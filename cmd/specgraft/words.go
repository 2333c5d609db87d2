package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"specgraft/components"
	"specgraft/overlay/diag"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// isInput reports whether questions can be asked there.
func isInput(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// visible shows control characters of text from files as question marks.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

func indented(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return strings.Join(lines[1:], "\n   ") + "\n"
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// byteCount prints a size in binary units.
func byteCount(n int64) string {
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

// didYouMean ends a message with the nearest candidate, if there is one.
func didYouMean(word string, names []string) string {
	if n := diag.Nearest(word, names); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// listOf makes diagnostics of an error.
func listOf(err error, component string) diag.List {
	if l, ok := errors.AsType[diag.ListError](err); ok {
		return diag.List(l)
	}
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		c := *d
		c.Component = cmp.Or(c.Component, component)
		return diag.List{c}
	}
	return diag.List{{Code: "render/internal", Component: component, Message: err.Error(), Env: true}}
}

func joinErrors(l diag.List) string {
	var lines []string
	for i := range l {
		if l[i].Severity == diag.Error {
			lines = append(lines, l[i].Error())
		}
	}
	return strings.Join(lines, "\n")
}

// shownPath returns a path for a terminal: upstream's file names may hold any
// byte, and are quoted when one of them could not be printed.
func shownPath(p string) string {
	if utf8.ValidString(p) && !strings.ContainsFunc(p, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return p
	}
	return strconv.Quote(p)
}

// abridge joins at most n names.
func abridge(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}

// relative returns a path relative to the working directory when it is below it.
func relative(p string) string {
	if wd, err := filepath.Abs("."); err == nil {
		if rel, err := filepath.Rel(wd, p); err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return p
}

// expectedFailure reports whether a component says that it cannot be rendered.
func expectedFailure(p *components.Project, name string) bool {
	c, _ := p.Component(name)
	return c != nil && c.Build.Failure.Expected
}

// tomlKey writes a name as part of a table header.
func tomlKey(name string) string {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == "" {
		return name
	}
	return fmt.Sprintf("%q", name)
}

// interrupted reports whether an update ended before all components were looked
// at.
func interrupted(problems diag.List) bool {
	return slices.ContainsFunc(problems, func(d diag.Diagnostic) bool {
		return d.Component == "" && (d.Code == "lock/unresolved" || d.Code == "pin/unresolved")
	})
}
