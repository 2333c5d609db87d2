// Package diag holds positioned diagnostics: what is wrong, where, and what to
// do about it, as data. Packages return them; only the command prints them.
//
// A message is one line in lower case without the position, which stands in
// its own field:
//
//	bash.comp.toml:14:3: spec-set-tag: no tag "Vendor" in package "bash-devel" [overlay/no-match]
//		bash.spec:31:1: package declared here
//
// The package depends on the standard library alone, so that every other
// package can report through it.
package diag

import (
	"cmp"
	"errors"
	"fmt"
	"go/token"
	"slices"
	"strings"
)

// Severity says how bad a diagnostic is. The zero value is Error, so that a
// forgotten severity is never taken lightly.
type Severity uint8

// The severities, from worst to mildest.
const (
	Error Severity = iota
	Warning
	Note
)

// String returns "error", "warning" or "note".
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "note"
}

// MarshalText makes severities readable in JSON.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Diagnostic is one problem at one place.
type Diagnostic struct {
	Pos       token.Position // where; the zero Position when there is no place
	End       token.Position // first position behind the range, zero for a point
	Severity  Severity
	Code      string // stable code such as "overlay/no-match"; one of a package's Codes table
	Component string // name of the component concerned, or empty
	Message   string // one line, lower case, without position and code
	Hint      string // what to do next, one line, may be empty
	Related   []Related
	// Env marks a problem of the environment (disk full, no network) rather
	// than of the input: such problems lead to exit code 3 instead of 1.
	Env bool
}

// Related is a second place that explains the first.
type Related struct {
	Pos     token.Position
	Message string
}

// Error returns the diagnostic as one line with position and code, which makes
// *Diagnostic usable as an error value.
func (d *Diagnostic) Error() string {
	var b strings.Builder
	if p := Position(d.Pos); p != "" {
		b.WriteString(p)
		b.WriteString(": ")
	}
	b.WriteString(d.Message)
	if d.Code != "" {
		fmt.Fprintf(&b, " [%s]", d.Code)
	}
	return b.String()
}

// Position formats a position as file:line:col and leaves out what is not
// known. It returns the empty string for the zero position.
func Position(p token.Position) string {
	switch {
	case p.Line == 0:
		return p.Filename
	case p.Filename == "" && p.Column == 0:
		return fmt.Sprintf("%d", p.Line)
	case p.Filename == "":
		return fmt.Sprintf("%d:%d", p.Line, p.Column)
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.Filename, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.Filename, p.Line, p.Column)
}

// A List is all that one input or one run had to report.
type List []Diagnostic

// Add appends an error at pos.
func (l *List) Add(pos token.Position, code, format string, args ...any) *Diagnostic {
	*l = append(*l, Diagnostic{Pos: pos, Code: code, Message: fmt.Sprintf(format, args...)})
	return &(*l)[len(*l)-1]
}

// Warn appends a warning at pos.
func (l *List) Warn(pos token.Position, code, format string, args ...any) *Diagnostic {
	d := l.Add(pos, code, format, args...)
	d.Severity = Warning
	return d
}

// Take appends the diagnostics that err consists of, for callers that go on and
// report all problems of a run together. It reports whether there were any; an
// error of another kind is the caller's.
func (l *List) Take(err error) bool {
	if e, ok := errors.AsType[ListError](err); ok {
		*l = append(*l, e...)
		return true
	}
	d, ok := errors.AsType[*Diagnostic](err)
	if ok {
		*l = append(*l, *d)
	}
	return ok
}

// HasErrors reports whether any entry is an error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Errors returns the errors of the list without the warnings, each on a line.
func (l List) Errors() string {
	var lines []string
	for i := range l {
		if l[i].Severity == Error {
			lines = append(lines, l[i].Error())
		}
	}
	return strings.Join(lines, "\n")
}

// Sort orders the list by file, line, column, code and message, errors before
// warnings at one place, and drops exact repetitions.
func (l *List) Sort() {
	slices.SortStableFunc(*l, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Pos.Filename, b.Pos.Filename),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Component, b.Component),
			cmp.Compare(a.Message, b.Message),
		)
	})
	*l = slices.CompactFunc(*l, func(a, b Diagnostic) bool {
		return a.Pos == b.Pos && a.Severity == b.Severity && a.Code == b.Code &&
			a.Component == b.Component && a.Message == b.Message
	})
}

// Err returns the list as an error when it has errors, else nil.
func (l List) Err() error {
	if !l.HasErrors() {
		return nil
	}
	return ListError(l)
}

// ListError is a List in the role of an error; errors.As finds it at the edge.
type ListError List

// Error returns the first error, and how many more there are.
func (e ListError) Error() string {
	n, first := 0, ""
	for i := range e {
		if e[i].Severity == Error {
			if n == 0 {
				first = e[i].Error()
			}
			n++
		}
	}
	if n > 1 {
		return fmt.Sprintf("%s (and %d more)", first, n-1)
	}
	return first
}

// A Code documents one diagnostic code. Each package has a table of its own;
// help pages and SARIF rules are made from these tables.
type Code struct {
	ID      string   // "overlay/no-match"
	Default Severity // severity when nothing else is configured
	Summary string   // one line
	Doc     string   // when it is raised and what to do, a few sentences
}
