package toml

import (
	"fmt"
	"strconv"
	"strings"
)

// A TokenKind says what a Token is.
type TokenKind uint8

// The kinds of tokens. A place is where a key or value is expected and none
// stands yet; it has no width.
const (
	TokenHeader      TokenKind = iota + 1 // a part of the name of a [table]
	TokenKey                              // a part of a key
	TokenValue                            // a string, number, boolean or date
	TokenHeaderPlace                      // behind [, [[ or the dot in a header
	TokenKeyPlace                         // at the start of a line, behind {, a comma in { }, or a dot in a key
	TokenValuePlace                       // behind =, [ or a comma in [ ]
	TokenNothing                          // behind something that is complete
	TokenTable                            // the end of a header, or { of an inline table
)

// A Token is a piece of a TOML file, complete or as far as it has been typed.
type Token struct {
	Kind TokenKind
	// Path has the keys that lead to it, itself included when it is a key or
	// header; elements of lists stand as "[0]". A place has those around it,
	// and for a value the one it belongs to.
	Path       []string
	Start, End int    // byte offsets, with quotes
	Text       string // without quotes, escapes resolved where they are right
	Quote      string // ", ', three of either, or nothing
	Open       bool   // the closing quote is missing
	List       bool   // of a header: in double brackets
}

// Tokens reads a TOML file that need not be valid, as files are while they are
// being typed: whatever is missing, the next line with a key or header is read
// as that. It hands out tokens in order until yield returns false.
func Tokens(text string, yield func(Token) bool) {
	s := &tokenScanner{text: text, yield: yield, counts: map[string]int{}}
	s.file()
}

// TokenAt returns the token at a byte offset, or else the place that it is in.
func TokenAt(text string, off int) Token {
	var at Token
	Tokens(text, func(t Token) bool {
		if t.Start > off {
			return false
		}
		if at.Kind != 0 && at.End == off && at.Start < at.End && at.Start < off && t.Start == off && (t.Kind == TokenNothing || t.Kind == TokenTable) {
			return false // still at the end of a word
		}
		at = t
		return true
	})
	if at.Start < at.End && at.End < off {
		return Token{Kind: TokenNothing, Path: at.Path, Start: at.End, End: at.End}
	}
	return at
}

// tokenScanner reads a file. Its depth is bounded by maxDepth.
type tokenScanner struct {
	text   string
	pos    int
	table  []string
	counts map[string]int // elements of lists of tables, by path
	yield  func(Token) bool
	done   bool
}

func (s *tokenScanner) emit(t Token) {
	if s.done {
		return
	}
	if t.Kind != TokenHeader && t.Kind != TokenKey && t.Kind != TokenValue {
		t.End = max(t.End, t.Start)
	}
	if !s.yield(t) {
		s.done = true
		s.pos = len(s.text)
	}
}

func (s *tokenScanner) place(kind TokenKind, path []string) {
	s.emit(Token{Kind: kind, Path: path, Start: s.pos})
}

func (s *tokenScanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *tokenScanner) blanks() {
	for s.pos < len(s.text) && (s.text[s.pos] == ' ' || s.text[s.pos] == '\t' || s.text[s.pos] == '\r') {
		s.pos++
	}
}

// line goes behind the next line feed.
func (s *tokenScanner) line() {
	if i := strings.IndexByte(s.text[s.pos:], '\n'); i >= 0 {
		s.pos += i + 1
	} else {
		s.pos = len(s.text)
	}
}

func (s *tokenScanner) file() {
	for s.pos < len(s.text) || s.pos == 0 || s.text[len(s.text)-1] == '\n' {
		s.place(TokenKeyPlace, s.table)
		s.blanks()
		switch s.peek() {
		case '[':
			s.header()
		case '#', '\n', 0:
			if s.peek() == '#' {
				s.place(TokenNothing, s.table)
			}
		default:
			s.pair(s.table, 0)
			s.blanks()
		}
		if s.done || s.pos >= len(s.text) {
			return
		}
		s.line()
		if s.pos >= len(s.text) {
			s.place(TokenKeyPlace, s.table)
			return
		}
	}
}

func (s *tokenScanner) header() {
	s.pos++
	list := s.peek() == '['
	if list {
		s.pos++
	}
	var path []string
	s.place(TokenHeaderPlace, nil)
	for {
		s.blanks()
		name, ok := s.key(TokenHeader, path, list)
		if !ok {
			break
		}
		path = append(path[:len(path):len(path)], name)
		s.blanks()
		if s.peek() != '.' {
			break
		}
		s.pos++
		path = s.within(path)
		s.place(TokenHeaderPlace, path)
	}
	closed := s.peek() == ']'
	if closed {
		s.pos++
		if list && s.peek() == ']' {
			s.pos++
		}
	}
	if list && len(path) > 0 {
		k := strings.Join(path, "\x00")
		path = append(path[:len(path):len(path)], fmt.Sprintf("[%d]", s.counts[k]))
		s.counts[k]++
	}
	s.table = path
	if closed {
		s.emit(Token{Kind: TokenTable, Path: path, Start: s.pos, List: list})
		s.place(TokenNothing, path)
	}
}

// within adds the element that the name of a list of tables stands for inside
// of another header.
func (s *tokenScanner) within(path []string) []string {
	if n := s.counts[strings.Join(path, "\x00")]; n > 0 {
		return append(path[:len(path):len(path)], fmt.Sprintf("[%d]", n-1))
	}
	return path
}

// key reads one part of a key or header.
func (s *tokenScanner) key(kind TokenKind, path []string, list bool) (string, bool) {
	start := s.pos
	t := Token{Kind: kind, Start: start, List: list}
	switch c := s.peek(); {
	case c == '"' || c == '\'':
		t.Text, t.Open = s.quoted(c)
		t.Quote = string(c)
	default:
		for s.pos < len(s.text) && bareKey(s.text[s.pos]) {
			s.pos++
		}
		t.Text = s.text[start:s.pos]
	}
	if s.pos == start {
		return "", false
	}
	t.End = s.pos
	t.Path = append(path[:len(path):len(path)], t.Text)
	s.emit(t)
	return t.Text, true
}

// bareKey takes what TOML allows in a bare key, and what is often typed there by
// mistake, such as + in the name of a component.
func bareKey(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', '=', '.', '[', ']', '{', '}', ',', '#', '"', '\'':
		return false
	}
	return true
}

// quoted reads a string on one line.
func (s *tokenScanner) quoted(q byte) (string, bool) {
	s.pos++
	start := s.pos
	for s.pos < len(s.text) && s.text[s.pos] != '\n' {
		switch s.text[s.pos] {
		case q:
			s.pos++
			return unquote(s.text[start:s.pos-1], q), false
		case '\\':
			if q == '"' && s.pos+1 < len(s.text) && s.text[s.pos+1] != '\n' {
				s.pos++
			}
		}
		s.pos++
	}
	return unquote(strings.TrimSuffix(s.text[start:s.pos], "\r"), q), true
}

func unquote(text string, q byte) string {
	if q == '"' && strings.Contains(text, `\`) {
		if u, err := strconv.Unquote(`"` + text + `"`); err == nil {
			return u
		}
	}
	return text
}

// pair reads key = value.
func (s *tokenScanner) pair(path []string, depth int) {
	for {
		name, ok := s.key(TokenKey, path, false)
		if !ok {
			return
		}
		path = append(path[:len(path):len(path)], name)
		s.blanks()
		if s.peek() != '.' {
			break
		}
		s.pos++
		s.place(TokenKeyPlace, path)
		s.blanks()
	}
	if s.peek() != '=' {
		s.place(TokenNothing, path)
		return
	}
	s.pos++
	s.place(TokenValuePlace, path)
	s.blanks()
	if s.value(path, depth) {
		s.place(TokenNothing, path)
	}
}

// value reads a value and reports whether there is one that is complete.
func (s *tokenScanner) value(path []string, depth int) bool {
	start := s.pos
	if depth > MaxDepth {
		for s.pos < len(s.text) && s.text[s.pos] != '\n' {
			s.pos++
		}
		return false
	}
	rest := s.text[s.pos:]
	switch {
	case strings.HasPrefix(rest, `"""`), strings.HasPrefix(rest, "'''"):
		q := rest[:3]
		t := Token{Kind: TokenValue, Path: path, Start: start, Quote: q}
		from := s.pos + 3
		for s.pos = from; ; s.pos++ {
			i := strings.Index(s.text[s.pos:], q)
			if i < 0 {
				t.Text, t.Open, s.pos = s.text[from:], true, len(s.text)
				break
			}
			s.pos += i
			if q[0] == '\'' || !escaped(s.text[from:s.pos]) {
				t.Text = s.text[from:s.pos]
				s.pos += 3
				for n := 0; n < 2 && s.peek() == q[0]; n++ {
					t.Text += q[:1]
					s.pos++
				}
				break
			}
		}
		t.Text = strings.TrimPrefix(t.Text, "\n")
		t.End = s.pos
		s.emit(t)
	case rest == "" || rest[0] == '\n':
		return false
	case rest[0] == '#':
	case rest[0] == '"' || rest[0] == '\'':
		t := Token{Kind: TokenValue, Path: path, Start: start, Quote: rest[:1]}
		t.Text, t.Open = s.quoted(rest[0])
		t.End = s.pos
		s.emit(t)
	case rest[0] == '[':
		return s.array(path, depth)
	case rest[0] == '{':
		return s.inline(path, depth)
	default:
		for s.pos < len(s.text) && !strings.ContainsRune(",]}#\n\r", rune(s.text[s.pos])) {
			s.pos++
		}
		text := strings.TrimRight(s.text[start:s.pos], " \t")
		s.emit(Token{Kind: TokenValue, Path: path, Start: start, End: start + len(text), Text: text})
	}
	return true
}

// escaped reports whether the text ends in an odd number of backslashes.
func escaped(text string) bool {
	return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1
}

// array reads a list and reports whether it is closed.
func (s *tokenScanner) array(path []string, depth int) bool {
	s.pos++
	n := 0
	at := func() []string { return append(path[:len(path):len(path)], fmt.Sprintf("[%d]", n)) }
	s.place(TokenValuePlace, at())
	for s.pos < len(s.text) {
		switch s.peek() {
		case ' ', '\t', '\r':
			s.pos++
		case '\n':
			s.pos++
			if s.newTable() {
				s.pos-- // the closing bracket is missing
				return false
			}
		case '#':
			s.line()
			s.pos-- // of the line feed, if any
			if s.peek() != '\n' {
				s.pos++
			}
		case ']':
			s.pos++
			return true
		case ',':
			s.pos++
			n++
			s.place(TokenValuePlace, at())
		case '}', '=':
			s.pos++
		default:
			was := s.pos
			if s.value(at(), depth+1) {
				s.place(TokenNothing, at())
			}
			if s.pos == was {
				s.pos++
			}
		}
	}
	return false
}

// newTable reports whether a line that begins here is a header or a key with a
// value, so that a bracket above was not closed.
func (s *tokenScanner) newTable() bool {
	line, _, _ := strings.Cut(s.text[s.pos:], "\n")
	if HeaderLine().MatchString(line) {
		return true
	}
	i := 0
	for i < len(line) && bareKey(line[i]) {
		i++
	}
	return i > 0 && strings.HasPrefix(strings.TrimLeft(line[i:], " \t"), "=")
}

// inline reads an inline table and reports whether it is closed.
func (s *tokenScanner) inline(path []string, depth int) bool {
	s.pos++
	s.emit(Token{Kind: TokenTable, Path: path, Start: s.pos})
	s.place(TokenKeyPlace, path)
	for s.pos < len(s.text) {
		switch s.peek() {
		case ' ', '\t', '\r':
			s.pos++
		case '\n', '#':
			return false // inline tables stand on one line
		case '}':
			s.pos++
			return true
		case ',':
			s.pos++
			s.place(TokenKeyPlace, path)
		default:
			was := s.pos
			s.pair(path, depth+1)
			if s.pos == was {
				s.pos++
			}
		}
	}
	return false
}
