package pattern

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"specgraft/fedora/macro/fuel"
	"specgraft/overlay/regex"
)

// A Regexp is a compiled regular expression that knows what it costs.
type Regexp struct {
	re   *regexp.Regexp
	size int // of its program
}

// POSIX makes a regular expression of a POSIX one as GNU tools read it.
// RE2 searches the leftmost-longest match then, as POSIX asks. Back references
// are not possible, and neither are expressions above fuel.RegexpText and
// fuel.RegexpSize.
func POSIX(text string, extended, fold bool) (*Regexp, bool) {
	if len(text) > fuel.RegexpText {
		return nil, false
	}
	t := translation{text: text, extended: extended, start: true}
	if fold {
		t.b.WriteString("(?i)")
	}
	for t.i < len(text) {
		if !t.step() {
			return nil, false
		}
	}
	tree, err := syntax.Parse(t.b.String(), syntax.Perl)
	if err != nil {
		return nil, false
	}
	size := regex.Size(tree)
	if size > fuel.RegexpSize {
		return nil, false
	}
	re, err := regexp.Compile(t.b.String())
	if err != nil {
		return nil, false
	}
	re.Longest()
	return &Regexp{re, size}, true
}

// Find returns the leftmost longest match in s and its groups as pairs of
// indexes, nil when there is none, and what the search cost in steps.
func (re *Regexp) Find(s string) (match []int, cost int) {
	if len(s) <= shortText {
		return re.re.FindStringSubmatchIndex(s), re.size * (len(s) + 1)
	}
	// How far the search looks behind the match depends on the expression.
	r := &countingReader{Reader: strings.NewReader(s)}
	match = re.re.FindReaderSubmatchIndex(r)
	return match, re.size * (r.read + 1)
}

// FindAll returns all matches in s and what the search cost. It does not search
// long texts: ok is false then.
func (re *Regexp) FindAll(s string) (matches []string, cost int, ok bool) {
	if len(s) > shortText {
		return nil, 0, false
	}
	matches = re.re.FindAllString(s, -1)
	return matches, re.size * (len(s) + 1) * (len(matches) + 1), true
}

// shortText is the length of a text that may be searched to its end each time.
const shortText = 2048

// Groups returns the number of groups in parentheses.
func (re *Regexp) Groups() int { return re.re.NumSubexp() }

// Anchored reports whether the expression begins at the start of the text: it
// can match once only.
func (re *Regexp) Anchored() bool {
	s := strings.TrimPrefix(re.re.String(), "(?i)")
	return strings.HasPrefix(s, "^") && !strings.Contains(s, "|")
}

// A countingReader counts the bytes that are read from it.
type countingReader struct {
	*strings.Reader
	read int
}

func (r *countingReader) ReadRune() (rune, int, error) {
	c, n, err := r.Reader.ReadRune()
	r.read += n
	return c, n, err
}

// A translation writes a POSIX expression as one of Go.
type translation struct {
	text     string
	extended bool
	i        int
	start    bool // at the start of an expression, where * is literal in a basic one
	b        strings.Builder
}

// step translates what begins at i. It returns false for what has no counterpart.
func (t *translation) step() bool {
	c, was := t.text[t.i], t.start
	t.start = false
	switch {
	case c == '\\' && t.i+1 < len(t.text):
		t.i += 2
		return t.escape(t.text[t.i-1])
	case c == '[':
		end, class := bracket(t.text[t.i:])
		if end < 0 {
			return false
		}
		t.b.WriteString(class)
		t.i += end
		return true
	case c == '*' && was:
		if t.extended {
			return false
		}
		t.b.WriteString(`\*`)
	case t.extended && was && (c == '+' || c == '?' || c == '{'):
		return false
	case t.literal(c, was):
		t.b.WriteByte('\\')
		t.b.WriteByte(c)
	default:
		t.b.WriteByte(c)
		t.start = c == '^' || t.extended && (c == '(' || c == '|')
	}
	t.i++
	return true
}

// literal reports whether c, which is special to Go, stands for itself.
func (t *translation) literal(c byte, start bool) bool {
	if t.extended {
		return false
	}
	switch c {
	case '(', ')', '{', '}', '|', '+', '?':
		return true
	case '^':
		return !start
	case '$':
		rest := t.text[t.i+1:]
		return rest != "" && !strings.HasPrefix(rest, `\)`) && !strings.HasPrefix(rest, `\|`)
	}
	return false
}

// escape translates a backslash and the byte behind it.
func (t *translation) escape(d byte) bool {
	switch {
	case !t.extended && strings.IndexByte("(){}|+?", d) >= 0:
		t.b.WriteByte(d)
		t.start = d == '(' || d == '|'
	case strings.IndexByte("wWsSbB", d) >= 0:
		t.b.WriteByte('\\')
		t.b.WriteByte(d)
	case d == 'n':
		t.b.WriteByte('\n')
	case d == 't':
		t.b.WriteByte('\t')
	case d >= '0' && d <= '9', 'a' <= d|0x20 && d|0x20 <= 'z', d == '<', d == '>', d == '`', d == '\'':
		return false
	default:
		t.b.WriteString(regexp.QuoteMeta(string(d)))
	}
	return true
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
