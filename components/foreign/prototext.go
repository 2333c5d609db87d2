package foreign

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"specgraft/overlay/diag"
)

// A message is a message in the text form of protocol buffers, without its
// schema: fields in order, each with a scalar or a message.
type message struct{ fields []field }

type field struct {
	name string
	line int
	text string   // of a scalar, as read
	msg  *message // nil for a scalar
}

// Bounds of a file, which may have the text of others inside, and of messages
// inside each other.
const (
	maxProto  = 4 << 20
	maxNested = 16
)

// A protoReader reads the text form: names, a colon before scalars, braces or
// angle brackets around messages, lists in brackets, strings that follow each
// other, comments.
type protoReader struct {
	file string
	text string
	off  int
	line int
}

func parseProtoText(file string, data []byte) (*message, error) {
	if len(data) > maxProto {
		return nil, &diag.Diagnostic{Pos: (&reader{name: file}).pos(1), Code: "import/syntax", Message: fmt.Sprintf("the file has more than %d KiB", maxProto>>10)}
	}
	if !utf8.Valid(data) {
		return nil, &diag.Diagnostic{Pos: (&reader{name: file}).pos(1), Code: "import/syntax", Message: "the file is not UTF-8"}
	}
	p := &protoReader{file: file, text: string(data), line: 1}
	return p.message("", 0)
}

func (p *protoReader) fail(format string, args ...any) error {
	return &diag.Diagnostic{Pos: (&reader{name: p.file}).pos(p.line), Code: "import/syntax", Message: fmt.Sprintf(format, args...)}
}

// skip passes over blanks, comments and separators.
func (p *protoReader) skip() {
	for p.off < len(p.text) {
		switch c := p.text[p.off]; {
		case c == '\n':
			p.line++
			p.off++
		case c == ' ' || c == '\t' || c == '\r' || c == ',' || c == ';':
			p.off++
		case c == '#':
			for p.off < len(p.text) && p.text[p.off] != '\n' {
				p.off++
			}
		default:
			return
		}
	}
}

func (p *protoReader) peek() byte {
	p.skip()
	if p.off < len(p.text) {
		return p.text[p.off]
	}
	return 0
}

// message reads fields up to the closing bracket, or to the end.
func (p *protoReader) message(end string, depth int) (*message, error) {
	if depth > maxNested {
		return nil, p.fail("messages are nested more than %d deep", maxNested)
	}
	m := &message{}
	for {
		c := p.peek()
		switch {
		case c == 0 && end == "":
			return m, nil
		case c == 0:
			return nil, p.fail("%q is missing", end)
		case end != "" && c == end[0]:
			p.off++
			return m, nil
		}
		f := field{line: p.line, name: p.word()}
		if f.name == "" {
			return nil, p.fail("a field name is expected, not %q", string(c))
		}
		if p.peek() == ':' {
			p.off++
		}
		if err := p.values(m, f, depth); err != nil {
			return nil, err
		}
	}
}

// values reads what follows a field name: one value or a list.
func (p *protoReader) values(m *message, f field, depth int) error {
	if p.peek() != '[' {
		return p.value(m, f, depth)
	}
	p.off++
	for {
		switch p.peek() {
		case 0:
			return p.fail("\"]\" is missing")
		case ']':
			p.off++
			return nil
		case '[':
			return p.fail("a list in a list")
		}
		if err := p.value(m, f, depth); err != nil {
			return err
		}
	}
}

func (p *protoReader) value(m *message, f field, depth int) (err error) {
	switch c := p.peek(); c {
	case '{', '<':
		p.off++
		f.msg, err = p.message(map[byte]string{'{': "}", '<': ">"}[c], depth+1)
	case '"', '\'':
		for c := p.peek(); c == '"' || c == '\''; c = p.peek() {
			var s string
			if s, err = p.str(); err != nil {
				return err
			}
			f.text += s
		}
	default:
		if f.text = p.word(); f.text == "" {
			return p.fail("field %s has no value", f.name)
		}
	}
	m.fields = append(m.fields, f)
	return err
}

func (p *protoReader) word() string {
	p.skip()
	start := p.off
	for p.off < len(p.text) && (p.text[p.off] == '_' || p.text[p.off] == '-' || p.text[p.off] == '.' || p.text[p.off] == '+' ||
		'0' <= p.text[p.off] && p.text[p.off] <= '9' || 'a' <= p.text[p.off]|0x20 && p.text[p.off]|0x20 <= 'z') {
		p.off++
	}
	return p.text[start:p.off]
}

// str reads a quoted string with escapes as in C.
func (p *protoReader) str() (string, error) {
	quote := p.text[p.off]
	for i := p.off + 1; i < len(p.text) && p.text[i] != '\n'; i++ {
		if p.text[i] == '\\' {
			i++
			continue
		}
		if p.text[i] != quote {
			continue
		}
		raw := p.text[p.off+1 : i]
		p.off = i + 1
		var b strings.Builder
		for raw != "" {
			if strings.HasPrefix(raw, `\?`) {
				raw = raw[1:]
			}
			q := quote
			if raw[0] == '"' || raw[0] == '\'' || strings.HasPrefix(raw, `\"`) || strings.HasPrefix(raw, `\'`) {
				raw = strings.TrimPrefix(raw, `\`)
				b.WriteByte(raw[0])
				raw = raw[1:]
				continue
			}
			r, multibyte, rest, err := strconv.UnquoteChar(raw, q)
			if err != nil {
				return "", p.fail("bad escape in a string")
			}
			if multibyte || r < utf8.RuneSelf {
				b.WriteRune(r)
			} else {
				b.WriteByte(byte(r))
			}
			raw = rest
		}
		return b.String(), nil
	}
	return "", p.fail("a string does not end on its line")
}
