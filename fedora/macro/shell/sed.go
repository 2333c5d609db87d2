package shell

import (
	"strconv"
	"strings"

	"specgraft/fedora/macro/pattern"
)

// A sedAddress selects lines.
type sedAddress struct {
	line int // 0 when it is not a number
	last bool
	re   *pattern.Regexp
}

// A sedCommand is one command of a script: s, y, p, d or q.
type sedCommand struct {
	from, to *sedAddress
	not      bool
	verb     byte
	re       *pattern.Regexp
	with     []sedPiece
	table    [256]byte
	global   bool
	print    bool
	nth      int
	active   bool // inside of a range
}

// A sedPiece is a part of a replacement: a text, or a group.
type sedPiece struct {
	text  string
	group int // -1 for a text
}

func toolSed(s *shell, args []string, in *stream, out *output) (int, error) {
	opts, rest, ok := options(args, "ne:Erus", map[string]string{"quiet": "n", "silent": "n", "expression": "e", "regexp-extended": "E", "unbuffered": "u", "separate": "s"})
	if !ok {
		return refuse("sed", strings.Join(args, " "))
	}
	quiet, extended, script, given := false, false, "", false
	for _, o := range opts {
		switch o[0] {
		case "n":
			quiet = true
		case "E", "r":
			extended = true
		case "e":
			if given {
				script += "\n"
			}
			script += o[1]
			given = true
		}
	}
	if !given {
		if len(rest) == 0 {
			return refuse("sed", "no script")
		}
		script, rest = rest[0], rest[1:]
	}
	prog, ok := parseSed(script, extended)
	if !ok {
		return refuse("sed", script)
	}
	b, err := s.input(rest, in)
	if err != nil {
		return 1, err
	}
	list := inLines(b)
	noNewline := len(b) > 0 && b[len(b)-1] != '\n'
	for i, line := range list {
		if err := s.step(); err != nil {
			return 1, err
		}
		end := "\n"
		if i == len(list)-1 && noNewline {
			end = ""
		}
		l := &sedLine{s: s, text: line, end: end, number: i + 1, last: i == len(list)-1, out: out}
		for _, c := range prog {
			if err := c.run(l); err != nil {
				return 1, err
			}
			if l.deleted || l.quit {
				break
			}
		}
		if !quiet && !l.deleted {
			out.WriteString(l.text + end)
		}
		if l.quit || out.over {
			break
		}
	}
	return 0, nil
}

// A sedLine is the line that a script works on.
type sedLine struct {
	s             *shell
	text, end     string
	number        int
	last          bool
	out           *output
	deleted, quit bool
}

// run runs one command on a line.
func (c *sedCommand) run(l *sedLine) error {
	if err := l.s.work(20 + len(l.text)/8); err != nil {
		return err
	}
	selected, err := c.selects(l)
	if err != nil || selected == c.not {
		return err
	}
	switch c.verb {
	case 'p':
		l.out.WriteString(l.text + l.end)
	case 'd':
		l.deleted = true
	case 'q':
		l.quit = true
	case 'y':
		t := []byte(l.text)
		for j := range t {
			t[j] = c.table[t[j]]
		}
		l.text = string(t)
	case 's':
		var changed bool
		if l.text, changed, err = c.substitute(l.s, l.text); err != nil {
			return err
		}
		if changed && c.print {
			l.out.WriteString(l.text + l.end)
		}
	}
	return nil
}

// selects reports whether the command applies to a line.
func (c *sedCommand) selects(l *sedLine) (bool, error) {
	at := func(a *sedAddress) (bool, error) {
		switch {
		case a.last:
			return l.last, nil
		case a.re != nil:
			m, err := l.s.find(a.re, l.text)
			return m != nil, err
		}
		return a.line == l.number, nil
	}
	switch {
	case c.from == nil:
		return true, nil
	case c.to == nil:
		return at(c.from)
	case c.active:
		if c.to.line > 0 {
			c.active = l.number < c.to.line
			return l.number <= c.to.line, nil
		}
		end, err := at(c.to)
		c.active = !end
		return true, err
	}
	begin, err := at(c.from)
	if begin {
		c.active = c.to.line == 0 || l.number < c.to.line
	}
	return begin, err
}

// substitute does s/re/with/ as GNU sed does, empty matches included.
func (c *sedCommand) substitute(s *shell, line string) (string, bool, error) {
	var b output
	changed, pos, n, end := false, 0, 0, -1
	for pos <= len(line) && !b.over {
		if pos > 0 && c.re.Anchored() {
			break
		}
		m, err := s.find(c.re, line[pos:])
		if err != nil {
			return "", false, err
		}
		if m == nil {
			break
		}
		for i := range m {
			if m[i] >= 0 {
				m[i] += pos
			}
		}
		if m[0] == m[1] && m[0] == end {
			// no empty match right behind the one before
			if pos < len(line) {
				b.WriteByte(line[pos])
			}
			pos++
			end = -1
			continue
		}
		n++
		b.WriteString(line[pos:m[0]])
		if n < c.nth {
			b.WriteString(line[m[0]:m[1]])
		} else {
			changed = true
			c.replace(&b, line, m)
		}
		end = m[1]
		pos = m[1]
		if m[0] == m[1] {
			if pos < len(line) {
				b.WriteByte(line[pos])
			}
			pos++
			end = -1
		}
		if changed && !c.global {
			break
		}
	}
	if pos < len(line) {
		b.WriteString(line[pos:])
	}
	if b.over {
		return "", false, ErrBudget
	}
	return b.String(), changed, s.work(b.Len())
}

// replace writes what stands for a match.
func (c *sedCommand) replace(b *output, line string, m []int) {
	for _, p := range c.with {
		switch {
		case p.group < 0:
			b.WriteString(p.text)
		case 2*p.group+1 < len(m) && m[2*p.group] >= 0:
			b.WriteString(line[m[2*p.group]:m[2*p.group+1]])
		}
		if b.over {
			return
		}
	}
}

// parseSed reads a script, commands separated by newlines or semicolons.
func parseSed(text string, extended bool) ([]*sedCommand, bool) {
	var prog []*sedCommand
	for {
		text = strings.TrimLeft(text, " \t\n;")
		if text == "" {
			return prog, len(prog) > 0
		}
		c := &sedCommand{nth: 1}
		var ok bool
		if c.from, text, ok = sedAddr(text, extended); !ok {
			return nil, false
		}
		if c.from != nil && strings.HasPrefix(text, ",") {
			if c.to, text, ok = sedAddr(text[1:], extended); !ok || c.to == nil {
				return nil, false
			}
		}
		text = strings.TrimLeft(text, " \t")
		for strings.HasPrefix(text, "!") {
			c.not = true
			text = strings.TrimLeft(text[1:], " \t")
		}
		if text == "" {
			return nil, false
		}
		c.verb, text = text[0], text[1:]
		switch c.verb {
		case 'p', 'd', 'q':
		case 's':
			if text, ok = c.parseSubstitute(text, extended); !ok {
				return nil, false
			}
		case 'y':
			if text, ok = c.parseTranslate(text); !ok {
				return nil, false
			}
		default:
			return nil, false
		}
		text = strings.TrimLeft(text, " \t")
		if text != "" && text[0] != ';' && text[0] != '\n' {
			return nil, false
		}
		prog = append(prog, c)
	}
}

func sedAddr(text string, extended bool) (*sedAddress, string, bool) {
	switch {
	case text == "":
		return nil, text, true
	case text[0] == '$':
		return &sedAddress{last: true}, text[1:], true
	case text[0] >= '0' && text[0] <= '9':
		n := 0
		for n < len(text) && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		line, err := strconv.Atoi(text[:n])
		if err != nil || line == 0 || strings.HasPrefix(text[n:], "~") {
			return nil, text, false
		}
		return &sedAddress{line: line}, text[n:], true
	case text[0] == '/':
		part, rest, ok := sedPart(text[1:], '/')
		if !ok || part == "" {
			return nil, text, false
		}
		fold := strings.HasPrefix(rest, "I")
		re, ok := pattern.POSIX(part, extended, fold)
		return &sedAddress{re: re}, strings.TrimPrefix(rest, "I"), ok
	}
	return nil, text, true
}

// sedPart takes the text up to the next delimiter that is not escaped; GNU sed
// does not care about brackets here. An escaped delimiter becomes a plain one.
func sedPart(text string, delim byte) (part, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			if i++; text[i] != delim {
				b.WriteByte('\\')
			}
			b.WriteByte(text[i])
		case text[i] == delim:
			return b.String(), text[i+1:], true
		default:
			b.WriteByte(text[i])
		}
	}
	return "", text, false
}

func (c *sedCommand) parseSubstitute(text string, extended bool) (string, bool) {
	if text == "" || text[0] == '\\' || text[0] == '\n' {
		return text, false
	}
	delim := text[0]
	expr, text, ok := sedPart(text[1:], delim)
	if !ok || expr == "" {
		return text, false
	}
	if strings.IndexByte("|+?(){}.*[]^$&", delim) >= 0 && strings.Contains(expr, string(delim)) {
		return text, false // whether an escaped delimiter is special then depends on the version
	}
	with, text, ok := sedPart(text, delim)
	if !ok {
		return text, false
	}
	fold := false
	for text != "" && strings.IndexByte("gpiI0123456789", text[0]) >= 0 {
		switch f := text[0]; f {
		case 'g':
			c.global = true
		case 'p':
			c.print = true
		case 'i', 'I':
			fold = true
		default:
			if c.nth > 1 || f == '0' {
				return text, false
			}
			c.nth = int(f - '0')
		}
		text = text[1:]
	}
	if c.re, ok = pattern.POSIX(expr, extended, fold); !ok {
		return text, false
	}
	return text, c.parseReplacement(with)
}

// parseReplacement reads what stands for a match.
func (c *sedCommand) parseReplacement(with string) bool {
	var piece strings.Builder
	flush := func() {
		if piece.Len() > 0 {
			c.with = append(c.with, sedPiece{piece.String(), -1})
			piece.Reset()
		}
	}
	for i := 0; i < len(with); i++ {
		switch {
		case with[i] == '&':
			flush()
			c.with = append(c.with, sedPiece{group: 0})
		case with[i] == '\\' && i+1 < len(with):
			i++
			switch d := with[i]; {
			case d >= '0' && d <= '9':
				if int(d-'0') > c.re.Groups() {
					return false
				}
				flush()
				c.with = append(c.with, sedPiece{group: int(d - '0')})
			case d == 'n':
				piece.WriteByte('\n')
			case d == 't':
				piece.WriteByte('\t')
			case 'a' <= d|0x20 && d|0x20 <= 'z':
				return false // \U, \L and the like
			default:
				piece.WriteByte(d)
			}
		default:
			piece.WriteByte(with[i])
		}
	}
	flush()
	return true
}

func (c *sedCommand) parseTranslate(text string) (string, bool) {
	if text == "" {
		return text, false
	}
	delim := text[0]
	from, text, ok1 := sedPart(text[1:], delim)
	to, text, ok2 := sedPart(text, delim)
	if !ok1 || !ok2 || len(from) != len(to) || strings.Contains(from+to, `\`) || !ascii([]byte(from+to)) {
		return text, false
	}
	for i := range c.table {
		c.table[i] = byte(i)
	}
	for i := range len(from) {
		c.table[from[i]] = to[i]
	}
	return text, true
}
