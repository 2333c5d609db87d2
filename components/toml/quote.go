package toml

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// QuotePath writes a path of keys as TOML would.
func QuotePath(path []string) string {
	var b strings.Builder
	for i, name := range path {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(QuoteKey(name))
	}
	return b.String()
}

// QuoteKey writes a key bare where TOML allows it, else quoted.
func QuoteKey(name string) string {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return QuoteString(name)
		}
	}
	if name == "" {
		return `""`
	}
	return name
}

// QuoteString writes a TOML basic string.
func QuoteString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\r':
			b.WriteString(`\r`)
		default:
			if c < 0x20 || c == 0x7f {
				fmt.Fprintf(&b, `\u%04X`, c)
			} else {
				b.WriteRune(c)
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}

// LiteralString writes a string in the form that needs no escapes, if there
// is one.
func LiteralString(s string) string {
	if strings.ContainsAny(s, `"\`) && !strings.ContainsAny(s, "'\n\r") && utf8.ValidString(s) {
		plain := true
		for _, r := range s {
			plain = plain && (r >= ' ' && r != 0x7f || r == '\t')
		}
		if plain {
			return "'" + s + "'"
		}
	}
	return QuoteString(s)
}
