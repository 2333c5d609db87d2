package semantic

import (
	"strings"
	"unicode/utf8"
)

// A logical line is one command line of a script in its plainest spelling.
type logical struct {
	text       string
	line, last int // physical lines, from 1
}

// A numbered line is a physical line with its number.
type numbered struct {
	text string
	num  int
}

// texts returns the texts of logical lines.
func texts(list []logical) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].text
	}
	return out
}

func joined(list []logical) string { return strings.Join(texts(list), "\n") }

// physical numbers the lines of a text from 1.
func physical(text string) []numbered {
	var out []numbered
	n := 0
	for line := range strings.Lines(text) {
		n++
		out = append(out, numbered{strings.TrimSuffix(line, "\n"), n})
	}
	return out
}

// shellLines reduces a shell script to what the shell makes of it: continued
// lines joined, comments and blank lines gone, blanks between words one. What
// stands in quotes or in a here document keeps every byte.
func shellLines(lines []numbered) []logical {
	s := shellReader{}
	for _, l := range lines {
		s.line(l)
	}
	s.end()
	return s.out
}

// A shellReader reads a script line by line.
type shellReader struct {
	out   []logical
	b     strings.Builder
	first int  // line that the present logical line began on, 0 for none
	last  int  // the line read last
	quote byte // the open quote, 0 for none
	docs  []hereDoc
}

// A hereDoc is a here document whose text is to come.
type hereDoc struct {
	word string
	tabs bool // <<- takes leading tabs off
}

func (s *shellReader) end() {
	text := s.b.String()
	if s.quote == 0 {
		text = strings.TrimSpace(text)
	}
	if text != "" {
		s.out = append(s.out, logical{text, s.first, s.last})
	}
	s.b.Reset()
	s.first = 0
}

func (s *shellReader) line(l numbered) {
	s.last = l.num
	if s.first == 0 {
		s.first = l.num
	}
	if len(s.docs) > 0 && s.quote == 0 && s.b.Len() == 0 {
		s.hereLine(l)
		return
	}
	text := strings.TrimRight(l.text, "\r")
	if s.quote == 0 {
		text = strings.TrimLeft(text, " \t")
	}
	if s.words(text) {
		return // continued
	}
	if s.quote != 0 {
		s.b.WriteByte('\n')
		return
	}
	s.end()
}

func (s *shellReader) hereLine(l numbered) {
	d := s.docs[0]
	text := l.text
	if d.tabs {
		text = strings.TrimLeft(text, "\t")
	}
	if text == d.word {
		s.docs = s.docs[1:]
	}
	s.out = append(s.out, logical{"| " + text, l.num, l.num})
	s.first = 0
}

// words reads the words of a line and reports whether a backslash continues it.
func (s *shellReader) words(text string) (continued bool) {
	blank := s.b.Len() == 0 || s.quote == 0 && strings.HasSuffix(s.b.String(), " ")
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case s.quote == '\'':
			if c == '\'' {
				s.quote = 0
			}
		case c == '\\':
			if i+1 == len(text) {
				return true
			}
			s.b.WriteByte(c)
			i++
			c = text[i]
		case s.quote == '"':
			if c == '"' {
				s.quote = 0
			}
		case c == '\'' || c == '"':
			s.quote = c
		case c == ' ' || c == '\t':
			if !blank {
				s.b.WriteByte(' ')
			}
			blank = true
			continue
		case c == '#' && blank:
			return false
		case c == '<' && strings.HasPrefix(text[i:], "<<") && !strings.HasPrefix(text[i:], "<<<") && (i == 0 || text[i-1] != '<'):
			s.hereWord(text[i+2:])
		}
		s.b.WriteByte(c)
		blank = false
	}
	return false
}

// hereWord notes the here document whose mark follows.
func (s *shellReader) hereWord(rest string) {
	d := hereDoc{}
	if strings.HasPrefix(rest, "-") {
		d.tabs, rest = true, rest[1:]
	}
	rest = strings.TrimLeft(rest, " \t")
	end := strings.IndexAny(rest, " \t;|&<>()")
	if end < 0 {
		end = len(rest)
	}
	d.word = strings.Map(func(r rune) rune {
		if r == '\'' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, rest[:end])
	if d.word == "" || d.word[0] >= '0' && d.word[0] <= '9' || len(s.docs) > 10 {
		return // a shift in $(( ))
	}
	s.docs = append(s.docs, d)
}

// plainLines is shellLines for a script in another language: only white space
// at the ends of lines and blank lines mean nothing.
func plainLines(lines []numbered) []logical {
	var out []logical
	for _, l := range lines {
		if t := strings.TrimRight(l.text, " \t\r"); t != "" {
			out = append(out, logical{t, l.num, l.num})
		}
	}
	return out
}

// braced spells %name as %{name}, the form without which two spellings of one
// macro would differ. Arguments of parametric macros stay where they are.
func braced(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		b.WriteByte(s[i])
		if s[i] != '%' || i+1 == len(s) {
			continue
		}
		if s[i+1] == '%' {
			b.WriteByte('%')
			i++
			continue
		}
		j := i + 1
		for j < len(s) && (s[j] == '?' || s[j] == '!') {
			j++
		}
		k := j
		for k < len(s) && isWord(s[k]) {
			k++
		}
		if k > j && (s[j] < '0' || s[j] > '9') {
			b.WriteString("{" + s[i+1:k] + "}")
			i = k - 1
		}
	}
	return b.String()
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// oneLine joins the words of a text with single blanks.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// cutText cuts a text to about n bytes, never within a character, and says so.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + " ..."
}
