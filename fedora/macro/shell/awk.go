package shell

import (
	"strconv"
	"strings"

	"specgraft/fedora/macro/pattern"
)

// An awkRule is one rule of the awk programs that specs use: a condition on the
// line, and print or printf of fields and texts.
type awkRule struct {
	re     *pattern.Regexp
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
func toolAwk(s *shell, args []string, in *stream, out *output) (int, error) {
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
	split, ok := awkSplit(s, sep)
	if !ok {
		return refuse("awk", "-F "+sep)
	}
	b, err := s.input(rest[1:], in)
	if err != nil {
		return 2, err
	}
	for i, line := range inLines(b) {
		if err := s.step(); err != nil {
			return 2, err
		}
		l := awkLine{text: line, number: i + 1}
		if line != "" {
			if l.fields, err = split(line); err != nil {
				return 2, err
			}
		}
		for _, r := range rules {
			exit, err := r.run(s, l, out)
			if err != nil {
				return 2, err
			}
			if exit {
				return 0, nil
			}
		}
	}
	return 0, nil
}

// awkSplit returns what splits a line into fields.
func awkSplit(s *shell, sep string) (split func(string) ([]string, error), ok bool) {
	switch {
	case sep == " ":
		return func(l string) ([]string, error) { return strings.Fields(l), nil }, true
	case sep == "t":
		return nil, false
	case len(sep) == 1 && sep != `\`:
		return func(l string) ([]string, error) { return strings.Split(l, sep), nil }, true
	}
	re, ok := pattern.POSIX(sep, true, false)
	if !ok {
		return nil, false
	}
	if empty, _ := re.Find(""); empty != nil || re.Anchored() {
		return nil, false
	}
	return func(l string) (fields []string, err error) {
		for {
			m, err := s.find(re, l)
			if err != nil {
				return nil, err
			}
			if m == nil || m[1] == 0 {
				return append(fields, l), nil
			}
			fields = append(fields, l[:m[0]])
			l = l[m[1]:]
		}
	}, true
}

// An awkLine is the line that the rules work on.
type awkLine struct {
	text   string
	number int
	fields []string
}

// value returns what a term stands for.
func (l awkLine) value(t awkTerm) string {
	n := t.field
	switch t.kind {
	case 't':
		return t.text
	case 'N':
		return strconv.Itoa(len(l.fields))
	case 'R':
		return strconv.Itoa(l.number)
	case 'F':
		n = len(l.fields) - t.field
	}
	if n == 0 {
		return l.text
	}
	if n < 0 || n > len(l.fields) {
		return ""
	}
	return l.fields[n-1]
}

// run applies a rule to a line and reports whether it ends the program.
func (r *awkRule) run(s *shell, l awkLine, out *output) (exit bool, err error) {
	if err := s.work(20); err != nil || r.nr != 0 && r.nr != l.number {
		return false, err
	}
	if r.re != nil {
		if m, err := s.find(r.re, l.text); err != nil || m == nil {
			return false, err
		}
	}
	var words []string
	size := 0
	for _, item := range r.items {
		var w strings.Builder
		for _, t := range item {
			v := l.value(t)
			if size += len(v) + 1; size > maxOutput {
				return false, ErrBudget
			}
			w.WriteString(v)
		}
		words = append(words, w.String())
	}
	switch {
	case r.printf:
		if _, err := toolPrintf(s, words, nil, out); err != nil {
			return false, err
		}
	case len(words) == 0:
		out.WriteString(l.text + "\n")
	default:
		out.WriteString(strings.Join(words, " ") + "\n")
	}
	if out.over {
		return false, ErrBudget
	}
	return r.exit, s.work(size)
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
func (r *awkRule) action(text string) (rest string, ok bool) {
	text = strings.TrimLeft(text, " \t\n")
	if text, r.printf = strings.CutPrefix(text, "printf"); !r.printf {
		if text, ok = strings.CutPrefix(text, "print"); !ok {
			return text, false
		}
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
			return r.end(text)
		case c == ',':
			if len(item) == 0 {
				return text, false
			}
			r.items = append(r.items, item)
			item, text = nil, text[1:]
		default:
			var t awkTerm
			if t, text, ok = readAwkTerm(text); !ok {
				return text, false
			}
			item = append(item, t)
		}
	}
}

// end reads what follows the items of a print.
func (r *awkRule) end(text string) (string, bool) {
	text = strings.TrimLeft(strings.TrimPrefix(text, ")"), " \t\n;")
	if rest, ok := strings.CutPrefix(text, "exit"); ok {
		r.exit = true
		text = strings.TrimLeft(rest, " \t\n;")
	}
	return strings.CutPrefix(text, "}")
}

// readAwkTerm reads a text, a field or a variable.
func readAwkTerm(text string) (t awkTerm, rest string, ok bool) {
	digits := func(from int) int {
		n := from
		for n < len(text) && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		return n
	}
	switch {
	case text[0] == '"':
		end := 1
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(text) {
			return t, text, false
		}
		s, _ := unescape(text[1:end], false)
		return awkTerm{kind: 't', text: s}, text[end+1:], true
	case strings.HasPrefix(text, "$NF"):
		return awkTerm{kind: 'F'}, text[3:], true
	case strings.HasPrefix(text, "$(NF-"):
		n, rest, ok := strings.Cut(text[5:], ")")
		k, err := strconv.Atoi(n)
		return awkTerm{kind: 'F', field: k}, rest, ok && err == nil
	case text[0] == '$':
		n := digits(1)
		k, err := strconv.Atoi(text[1:n])
		return awkTerm{kind: '$', field: k}, text[n:], err == nil
	case strings.HasPrefix(text, "NF") && !partOfName(byteAt(text, 2)):
		return awkTerm{kind: 'N'}, text[2:], true
	case strings.HasPrefix(text, "NR") && !partOfName(byteAt(text, 2)):
		return awkTerm{kind: 'R'}, text[2:], true
	}
	return t, text, false
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
