package template

import (
	"fmt"
	"go/token"
	"strings"
	"unicode"
	"unicode/utf8"

	"specgraft/overlay/spec"
)

// A valueError is a value that cannot be written where a template wants it.
type valueError struct {
	pos token.Position
	msg string
}

func (e *valueError) Error() string { return e.msg }

// Escaped returns the text as it may stand in a spec. Data and Block have every
// percent sign doubled, as rpm wants it for a literal one; Macros stay as
// written. Text that could change the structure of the spec is an error.
func (t Text) Escaped() (string, error) {
	if msg := t.flaw(); msg != "" {
		return "", &valueError{t.Pos, msg}
	}
	if t.Kind == Macros {
		return t.S, nil
	}
	return strings.ReplaceAll(t.S, "%", "%%"), nil
}

// flaw says why t cannot be written into a spec, or nothing.
func (t Text) flaw() string {
	if !utf8.ValidString(t.S) {
		return "the text is not valid UTF-8"
	}
	for _, r := range t.S {
		switch {
		case r == '\n' && t.Kind == Block:
		case r == '\n' || r == '\r':
			return "the text must stand on one line"
		case r == '\t':
		case unicode.IsControl(r):
			return fmt.Sprintf("the text has the control character U+%04X", r)
		}
	}
	for line := range strings.SplitSeq(t.S, "\n") {
		if strings.HasSuffix(strings.TrimRight(line, " \t"), `\`) {
			return "a line must not end with a backslash, which would join it with the next one"
		}
	}
	if t.Kind != Macros {
		return ""
	}
	if n := unclosed(t.S); n != "" {
		return fmt.Sprintf("%q is opened and not closed", n)
	}
	if words := strings.Fields(t.S); len(words) > 0 && opens(words[0]) {
		return fmt.Sprintf("%q would start something new in the spec; only macros inside a line are possible here", words[0])
	}
	return ""
}

// unclosed returns the macro opener that t leaves open, as rpm's line reader
// counts them: it would read on over the following lines.
func unclosed(s string) string {
	closer := map[byte]byte{'{': '}', '(': ')', '[': ']'}
	var stack []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '%' && i+1 < len(s) && s[i+1] == '%':
			i++
		case c == '%' && i+1 < len(s) && closer[s[i+1]] != 0:
			stack = append(stack, s[i+1])
			i++
		case len(stack) > 0 && c == stack[len(stack)-1]:
			stack = append(stack, c)
		case len(stack) > 0 && c == closer[stack[len(stack)-1]]:
			stack = stack[:len(stack)-1]
		}
	}
	if len(stack) > 0 {
		return "%" + string(stack[0])
	}
	return ""
}

// directives are the words with which rpm starts something other than text,
// besides the section headers.
var directives = map[string]bool{
	"%if": true, "%ifarch": true, "%ifnarch": true, "%ifos": true, "%ifnos": true,
	"%elif": true, "%elifarch": true, "%elifos": true, "%else": true, "%endif": true,
	"%define": true, "%global": true, "%undefine": true, "%include": true,
	"%dnl": true, "%bcond": true, "%bcond_with": true, "%bcond_without": true,
	"%verifyscript": true, "%sepolicy": true, "%trigger": true,
}

// opens reports whether a line that begins with word leaves the section it
// stands in or decides about the lines that follow.
func opens(word string) bool {
	w := strings.ToLower(word)
	if directives[w] {
		return true
	}
	if i := strings.IndexAny(w, "(!"); i > 0 && directives[w[:i]] {
		return true // %if( and %if! are conditionals to rpm
	}
	_, _, _, header := spec.Parse("", []byte(w)).Line(0).Header()
	return header
}
