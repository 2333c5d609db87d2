package shell

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"specgraft/fedora/macro/pattern"
)

// An awkRule is one rule of the awk programs that specs use: a condition on the
// line, and print or printf of fields and texts.
type awkRule struct {
	re     *regexp.Regexp
	nr     int // line number, 0 for any
	exit   bool
	printf bool
	items  [][]awkTerm // the arguments of print, each a concatenation
}

// An awkTerm is a text, a field, or a built-in variable.
type awkTerm struct {
	kind  byte // 't' text, '$' field, 'F' $NF minus n, 'N' NF, 'R' NR
	text  string
	field int
}

// toolAwk prints fields. Anything more makes the output unknown.
func toolAwk(s *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	opts, rest, ok := options(args, "F:", map[string]string{"field-separator": "F"})
	if !ok || len(rest) == 0 {
		return refuse("awk", strings.Join(args, " "))
	}
	sep := " "
	for _, o := range opts {
		sep = o[1]
	}
	rules, sep, ok := parseAwk(rest[0], sep)
	if !ok {
		return refuse("awk", rest[0])
	}
	var split func(string) []string
	switch {
	case sep == " ":
		split = strings.Fields
	case sep == "t":
		return refuse("awk", "-Ft")
	case len(sep) == 1 && sep != `\`:
		split = func(l string) []string { return strings.Split(l, sep) }
	default:
		re, ok := pattern.POSIX(sep, true, false)
		if !ok || re.MatchString("") {
			return refuse("awk", "-F "+sep)
		}
		split = func(l string) []string { return re.Split(l, -1) }
	}
	b, err := s.input(rest[1:], in)
	if err != nil {
		return 2, err
	}
	for i, line := range inLines(b) {
		if err := s.step(); err != nil {
			return 2, err
		}
		var fields []string
		if line != "" {
			fields = split(line)
		}
		value := func(t awkTerm) string {
			n := t.field
			switch t.kind {
			case 't':
				return t.text
			case 'N':
				return strconv.Itoa(len(fields))
			case 'R':
				return strconv.Itoa(i + 1)
			case 'F':
				n = len(fields) - t.field
			}
			if n == 0 {
				return line
			}
			if n < 0 || n > len(fields) {
				return ""
			}
			return fields[n-1]
		}
		for _, r := range rules {
			if r.nr != 0 && r.nr != i+1 || r.re != nil && !r.re.MatchString(line) {
				continue
			}
			var words []string
			for _, item := range r.items {
				w := ""
				for _, t := range item {
					w += value(t)
				}
				words = append(words, w)
			}
			switch {
			case r.printf:
				if st, err := toolPrintf(s, words, in, out); err != nil {
					return st, err
				}
			case len(words) == 0:
				out.WriteString(line + "\n")
			default:
				out.WriteString(strings.Join(words, " ") + "\n")
			}
			if r.exit {
				return 0, nil
			}
		}
	}
	return 0, nil
}

// parseAwk reads the rules; a BEGIN rule may set FS.
func parseAwk(text, sep string) ([]awkRule, string, bool) {
	var rules []awkRule
	for {
		text = strings.TrimLeft(text, " \t\n;")
		if text == "" {
			return rules, sep, len(rules) > 0
		}
		if rest, ok := strings.CutPrefix(text, "BEGIN"); ok {
			body, rest, ok := strings.Cut(strings.TrimLeft(rest, " \t"), "}")
			name, value, eq := strings.Cut(strings.TrimSpace(strings.TrimPrefix(body, "{")), "=")
			value = strings.TrimRight(strings.TrimSpace(value), "; ")
			if !ok || !eq || strings.TrimSpace(name) != "FS" || len(value) < 3 || value[0] != '"' || value[len(value)-1] != '"' || strings.Contains(value, `\`) {
				return nil, "", false
			}
			sep, text = value[1:len(value)-1], rest
			continue
		}
		var r awkRule
		switch {
		case text[0] == '/':
			part, rest, ok := sedPart(text[1:], '/')
			if !ok {
				return nil, "", false
			}
			if r.re, ok = pattern.POSIX(part, true, false); !ok {
				return nil, "", false
			}
			text = strings.TrimLeft(rest, " \t")
		case strings.HasPrefix(text, "NR"):
			rest, ok := strings.CutPrefix(strings.TrimLeft(text[2:], " "), "==")
			if !ok {
				return nil, "", false
			}
			rest = strings.TrimLeft(rest, " ")
			n := 0
			for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
				n++
			}
			var err error
			if r.nr, err = strconv.Atoi(rest[:n]); err != nil || r.nr == 0 {
				return nil, "", false
			}
			text = strings.TrimLeft(rest[n:], " \t")
		}
		if text == "" || text[0] != '{' {
			if r.re == nil && r.nr == 0 {
				return nil, "", false
			}
			rules = append(rules, r)
			continue
		}
		var ok bool
		if text, ok = r.action(text[1:]); !ok {
			return nil, "", false
		}
		rules = append(rules, r)
	}
}

// action reads "print ITEMS; exit }".
func (r *awkRule) action(text string) (string, bool) {
	text = strings.TrimLeft(text, " \t\n")
	switch {
	case strings.HasPrefix(text, "printf"):
		r.printf = true
		text = text[len("printf"):]
	case strings.HasPrefix(text, "print"):
		text = text[len("print"):]
	default:
		return text, false
	}
	paren := false
	if t := strings.TrimLeft(text, " "); strings.HasPrefix(t, "(") {
		paren, text = true, t[1:]
	}
	var item []awkTerm
	for {
		text = strings.TrimLeft(text, " \t")
		if text == "" {
			return text, false
		}
		switch c := text[0]; {
		case c == '}' || c == ';' || c == '\n' || c == ')' && paren:
			if len(item) > 0 {
				r.items = append(r.items, item)
			}
			if r.printf && len(r.items) == 0 {
				return text, false
			}
			text = strings.TrimLeft(strings.TrimPrefix(text, ")"), " \t\n;")
			if rest, ok := strings.CutPrefix(text, "exit"); ok {
				r.exit = true
				text = strings.TrimLeft(rest, " \t\n;")
			}
			rest, ok := strings.CutPrefix(text, "}")
			return rest, ok
		case c == ',':
			if len(item) == 0 {
				return text, false
			}
			r.items = append(r.items, item)
			item, text = nil, text[1:]
		case c == '"':
			end := 1
			for end < len(text) && text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(text) {
				return text, false
			}
			s, _ := unescape(text[1:end], false)
			item = append(item, awkTerm{kind: 't', text: s})
			text = text[end+1:]
		case strings.HasPrefix(text, "$NF"):
			item, text = append(item, awkTerm{kind: 'F'}), text[3:]
		case strings.HasPrefix(text, "$(NF-"):
			n, rest, ok := strings.Cut(text[5:], ")")
			k, err := strconv.Atoi(n)
			if !ok || err != nil {
				return text, false
			}
			item, text = append(item, awkTerm{kind: 'F', field: k}), rest
		case c == '$':
			n := 1
			for n < len(text) && text[n] >= '0' && text[n] <= '9' {
				n++
			}
			k, err := strconv.Atoi(text[1:n])
			if err != nil {
				return text, false
			}
			item, text = append(item, awkTerm{kind: '$', field: k}), text[n:]
		case strings.HasPrefix(text, "NF") && !partOfName(byteAt(text, 2)):
			item, text = append(item, awkTerm{kind: 'N'}), text[2:]
		case strings.HasPrefix(text, "NR") && !partOfName(byteAt(text, 2)):
			item, text = append(item, awkTerm{kind: 'R'}), text[2:]
		default:
			return text, false
		}
	}
}

// byteAt returns the byte at i, 0 behind the end.
func byteAt(s string, i int) byte {
	if i < len(s) {
		return s[i]
	}
	return 0
}

func partOfName(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_'
}
