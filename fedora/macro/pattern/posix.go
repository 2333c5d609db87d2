package pattern

import (
	"regexp"
	"strings"
)

// POSIX makes a regular expression of a POSIX one as GNU tools read it.
// RE2 searches the leftmost-longest match then, as POSIX asks. Back references
// are not possible.
func POSIX(text string, extended, fold bool) (*regexp.Regexp, bool) {
	var b strings.Builder
	if fold {
		b.WriteString("(?i)")
	}
	start := true // at the start of an expression, * is literal in a basic one
	for i := 0; i < len(text); i++ {
		c := text[i]
		was := start
		start = false
		switch {
		case c == '\\' && i+1 < len(text):
			i++
			switch d := text[i]; {
			case !extended && strings.IndexByte("(){}|+?", d) >= 0:
				b.WriteByte(d)
				start = d == '(' || d == '|'
			case strings.IndexByte("wWsSbB", d) >= 0:
				b.WriteByte('\\')
				b.WriteByte(d)
			case d == 'n':
				b.WriteByte('\n')
			case d == 't':
				b.WriteByte('\t')
			case d >= '0' && d <= '9', 'a' <= d|0x20 && d|0x20 <= 'z', d == '<', d == '>', d == '`', d == '\'':
				return nil, false
			default:
				b.WriteString(regexp.QuoteMeta(string(d)))
			}
		case c == '[':
			end, class := bracket(text[i:])
			if end < 0 {
				return nil, false
			}
			b.WriteString(class)
			i += end - 1
		case c == '*' && was:
			if extended {
				return nil, false
			}
			b.WriteString(`\*`)
		case !extended && strings.IndexByte("(){}|+?", c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '^' && !extended && !was, c == '$' && !extended && i+1 < len(text) && !strings.HasPrefix(text[i+1:], `\)`) && !strings.HasPrefix(text[i+1:], `\|`):
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			if extended && (c == '+' || c == '?' || c == '{') && was {
				return nil, false
			}
			b.WriteByte(c)
			start = c == '^' || extended && (c == '(' || c == '|')
		}
	}
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, false
	}
	re.Longest()
	return re, true
}

// bracket translates a bracket expression and returns its length, or -1. A
// backslash in it is an ordinary character to POSIX, and an escape to GNU sed
// only before n and t.
func bracket(text string) (int, string) {
	var b strings.Builder
	b.WriteByte('[')
	i := 1
	if i < len(text) && text[i] == '^' {
		b.WriteByte('^')
		i++
	}
	for first := true; i < len(text); first = false {
		c := text[i]
		switch {
		case c == ']' && !first:
			b.WriteByte(']')
			return i + 1, b.String()
		case c == '[' && i+1 < len(text) && text[i+1] == ':':
			n := strings.Index(text[i+2:], ":]")
			if n < 0 || classes[text[i+2:i+2+n]] == nil {
				return -1, ""
			}
			b.WriteString(text[i : i+n+4])
			i += n + 4
			continue
		case c == '[' && i+1 < len(text) && (text[i+1] == '.' || text[i+1] == '='):
			return -1, ""
		case c == '\\' && i+1 < len(text) && (text[i+1] == 'n' || text[i+1] == 't'):
			b.WriteString(text[i : i+2])
			i++
		case c == '-':
			b.WriteByte('-')
			if first || i+1 < len(text) && text[i+1] == ']' {
				s := b.String() // a dash at an end stands for itself
				b.Reset()
				b.WriteString(s[:len(s)-1] + `\-`)
			}
		case strings.IndexByte(`\[]^&~`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
		i++
	}
	return -1, ""
}

// Class returns what decides whether a byte is in a character class of POSIX
// such as "alpha" in the C locale; nil when there is no such class.
func Class(name string) func(byte) bool { return classes[name] }

// classes are the character classes of POSIX in the C locale.
var classes = map[string]func(byte) bool{
	"digit": func(c byte) bool { return '0' <= c && c <= '9' },
	"lower": func(c byte) bool { return 'a' <= c && c <= 'z' },
	"upper": func(c byte) bool { return 'A' <= c && c <= 'Z' },
	"alpha": func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' },
	"alnum": func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' },
	"space": func(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' },
	"blank": func(c byte) bool { return c == ' ' || c == '\t' },
	"punct": func(c byte) bool {
		return '!' <= c && c <= '~' && !('a' <= c|0x20 && c|0x20 <= 'z') && !('0' <= c && c <= '9')
	},
	"xdigit": func(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' },
	"print":  func(c byte) bool { return ' ' <= c && c <= '~' },
	"graph":  func(c byte) bool { return '!' <= c && c <= '~' },
	"cntrl":  func(c byte) bool { return c < ' ' || c == 0x7f },
}
