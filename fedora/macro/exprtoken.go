package macro

import (
	"strconv"
	"strings"
)

type tokenKind byte

const (
	tokEnd tokenKind = iota
	tokTerm
	tokAdd
	tokSub
	tokMul
	tokDiv
	tokOpen
	tokClose
	tokEq
	tokNe
	tokLt
	tokLe
	tokGt
	tokGe
	tokNot
	tokAnd
	tokOr
	tokIf
	tokElse
)

// next reads a token. Terms are evaluated only when run is set; in a branch
// that is not taken they are just skipped over.
func (x *expr) next(run bool) {
	if x.err != "" {
		x.tok = tokEnd
		return
	}
	s := x.s
	for x.i < len(s) && (s[x.i] == ' ' || s[x.i] == '\t' || s[x.i] == '\n' || s[x.i] == '\r') {
		x.i++
	}
	x.start = x.i
	if x.i >= len(s) {
		x.tok = tokEnd
		return
	}
	c := s[x.i]
	two := ""
	if x.i+1 < len(s) {
		two = s[x.i : x.i+2]
	}
	for _, op := range operators {
		if two == op.text || op.text == string(c) {
			x.i += len(op.text)
			x.tok = op.tok
			return
		}
	}
	x.tok = tokTerm
	switch {
	case c == '"':
		x.val = x.quoted(x.i+1, run)
	case c == 'v' && two == `v"`:
		t := x.quoted(x.i+2, run)
		if x.err != "" {
			return
		}
		t.kind = termVersion
		if run && t.unknown == "" {
			var ok bool
			if t.ver, ok = parseEVR(t.str); !ok {
				x.fail("%q is no version in expression %q", t.str, excerpt(s))
			}
		}
		x.val = t
	case '0' <= c && c <= '9' || c == '%' && x.expand || c == mark:
		x.number(run)
	case c == '%':
		name := undefinedName(s[x.i:])
		if name == "" {
			x.fail("bare words are not supported, put it in quotes: %q", excerpt(s[x.i:]))
			return
		}
		x.fail("the macro %%{%s} is not defined here: write %%{?%s}, which is empty then, in %q", name, name, excerpt(s))
	default:
		x.fail("bare words are not supported, put it in quotes: %q", excerpt(s[x.i:]))
	}
}

// undefinedName returns the name of the macro reference that s begins with,
// which expansion has left because nothing defines it.
func undefinedName(s string) string {
	name := strings.TrimPrefix(s[1:], "{")
	i := 0
	for i < len(name) && (name[i] == '_' || name[i]|0x20 >= 'a' && name[i]|0x20 <= 'z' || i > 0 && name[i] >= '0' && name[i] <= '9') {
		i++
	}
	if len(name) < len(s)-1 && !strings.HasPrefix(name[i:], "}") {
		return ""
	}
	return name[:i]
}

var operators = []struct {
	text string
	tok  tokenKind
}{
	{"==", tokEq}, {"!=", tokNe}, {"<=", tokLe}, {">=", tokGe}, {"&&", tokAnd}, {"||", tokOr},
	{"<", tokLt}, {">", tokGt}, {"!", tokNot}, {"+", tokAdd}, {"-", tokSub}, {"*", tokMul}, {"/", tokDiv},
	{"(", tokOpen}, {")", tokClose}, {"?", tokIf}, {":", tokElse},
}

// quoted reads a string whose text begins at i. Quotes inside of a macro
// reference do not end it.
func (x *expr) quoted(i int, run bool) term {
	s := x.s
	j := i
	for j < len(s) && s[j] != '"' {
		if x.expand && s[j] == '%' {
			j += reference(s[j:])
			continue
		}
		j++
	}
	if j >= len(s) {
		x.fail("unterminated string in expression %q", excerpt(s))
		return term{}
	}
	x.i = j + 1
	text := s[i:j]
	if !run {
		return term{kind: termString}
	}
	if x.expand {
		text = x.e.unquote(x.e.sub(text))
	}
	if t := taint(text); t != "" {
		// The text around is known, and often enough for a comparison.
		return term{kind: termString, unknown: t, str: text}
	}
	return term{kind: termString, str: text}
}

// number reads digits and macros that stand together, such as 0%{?fedora}.
func (x *expr) number(run bool) {
	s := x.s
	j := x.i
	for j < len(s) {
		switch c := s[j]; {
		case '0' <= c && c <= '9':
			j++
			continue
		case c == mark:
			j += max(1, len(taint(s[j:])))
			continue
		case c == '%' && x.expand:
			n := reference(s[j:])
			if n <= 1 {
				x.fail("bad macro in expression %q", excerpt(s))
				return
			}
			j += n
			continue
		}
		break
	}
	text := s[x.i:j]
	// rpm reads 1a as the number 1 and a word.
	x.i = j
	x.val = term{}
	if !run {
		return
	}
	out := text
	if x.expand {
		out = x.e.sub(text)
		if x.e.failed != "" {
			x.fail("%s", x.e.failed)
			return
		}
	}
	if t := taint(out); t != "" {
		x.val = term{kind: termAny, unknown: t}
		return
	}
	if out == "" {
		return // as rpm: an empty expansion counts as 0
	}
	n, err := strconv.ParseInt(out, 10, 64)
	if err != nil {
		if strings.Trim(out, "0123456789") == "" {
			x.val.num = -1 // rpm cuts what overflows
			return
		}
		x.fail("%s expands to %q, which is no integer", excerpt(text), excerpt(out))
		return
	}
	x.val.num = int32(n)
}

// reference returns the length of the macro reference at the start of s.
func reference(s string) int {
	if len(s) < 2 {
		return len(s)
	}
	var n int
	switch s[1] {
	case '%':
		return 2
	case '{':
		n = match(s[1:], '{', '}')
	case '(':
		n = match(s[1:], '(', ')')
	case '[':
		n = match(s[1:], '[', ']')
	default:
		return 1 + bare(s[1:]).nameEnd
	}
	if n < 0 {
		return len(s)
	}
	return n + 2
}
