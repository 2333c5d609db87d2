package macro

import "strings"

// define reads the text behind %define or %global and makes the definition.
// It returns how many bytes of s it took, line ends behind the body included,
// as rpm does.
func (e *Evaluator) define(s string, global bool) int {
	word := "%define"
	if global {
		word = "%global"
	}
	i := behindBlanks(s, 0)
	j := i
	for j < len(s) && isName(s[j]) {
		j++
	}
	name := s[i:j]
	if j < len(s) && s[j] == mark {
		// A macro whose name is not known: nothing can be said about any
		// macro that is not defined elsewhere, but known ones stay likely.
		n := strings.IndexByte(s[j:], '\n')
		if n < 0 {
			return len(s)
		}
		return j + n + 1
	}
	if name == "" && strings.Trim(s[i:], " \t\n") == "" {
		e.fail("macro/syntax", "%s needs a name and a body", word)
		return len(s)
	}
	d := &def{name: name, pos: e.pos}
	if j < len(s) && s[j] == '(' {
		k := strings.IndexByte(s[j:], ')')
		if k < 0 {
			e.fail("macro/syntax", "%s %s: the list of options is not closed", word, name)
			return len(s)
		}
		d.opts, d.param = s[j+1:j+k], true
		j += k + 1
	}
	k := behindBlanks(s, j)
	blank := k > j
	body, n, open := e.body(s[k:])
	if open != "" {
		e.fail("macro/syntax", "%s %s: the body %s not closed", word, name, open)
		return len(s)
	}
	k += n
	for k < len(s) && (s[k] == '\n' || s[k] == '\r') {
		k++
	}
	if !validName(name) {
		e.fail("macro/syntax", "%s: %q cannot be the name of a macro", word, excerpt(name))
		return k
	}
	if body == "" {
		e.fail("macro/syntax", "%s %s: the body is empty; write %%{nil} for an empty macro", word, name)
		return k
	} else if !blank && !d.param && body[0] != '\n' {
		e.warn("macro/syntax", "%s %s: there must be a blank between name and body", word, name)
	}
	if global {
		body = e.sub(body)
		if e.failed != "" {
			return k
		}
	} else {
		d.level = e.level
	}
	d.body = body
	e.defineMacro(d)
	e.record(Definition{Name: name, Opts: d.opts, Param: d.param, Global: global}, body)
	return k
}

// body reads the body of a definition, in braces or up to the end of its line, and
// returns how many bytes it took. open says what is not closed, "" for nothing.
func (e *Evaluator) body(s string) (body string, n int, open string) {
	if s != "" && s[0] == '{' {
		if n = e.match(s, '{', '}'); n < 0 {
			return "", 0, "in braces is"
		}
		return s[1:n], n + 1, ""
	}
	body, n, ok := freeBody(s)
	if !ok {
		return "", 0, "has a bracket that is"
	}
	return body, n, ""
}

// defineMacro puts a definition in force at its level.
func (e *Evaluator) defineMacro(d *def) {
	e.table.push(d)
	if d.level > 0 && e.frame != nil {
		e.frame.locals = append(e.frame.locals, d.name)
	}
}

// freeBody reads a body up to the end of its line. Lines inside of %{ }, %( )
// and %[ ] and behind a backslash belong to it; backslashes are taken away
// once, and white space at the end is.
func freeBody(s string) (body string, n int, ok bool) {
	var b []byte
	brace, paren, bracket := 0, 0, 0
	i := 0
	for i < len(s) && (brace > 0 || paren > 0 || bracket > 0 || s[i] != '\n' && s[i] != '\r') {
		switch s[i] {
		case '\\':
			if i+1 < len(s) {
				i++
			}
		case '%':
			if i+1 < len(s) {
				switch s[i+1] {
				case '{':
					brace++
				case '(':
					paren++
				case '[':
					bracket++
				}
				switch s[i+1] {
				case '{', '(', '[', '%':
					b = append(b, '%')
					i++
				}
			}
		case '{':
			if brace > 0 {
				brace++
			}
		case '}':
			if brace > 0 {
				brace--
			}
		case '(':
			if paren > 0 {
				paren++
			}
		case ')':
			if paren > 0 {
				paren--
			}
		case '[':
			if bracket > 0 {
				bracket++
			}
		case ']':
			if bracket > 0 {
				bracket--
			}
		}
		b = append(b, s[i])
		i++
	}
	if brace > 0 || paren > 0 || bracket > 0 {
		return "", i, false
	}
	return strings.TrimRight(string(b), " \t\n\r"), i, true
}

func validName(s string) bool {
	if s == "" || '0' <= s[0] && s[0] <= '9' {
		return false
	}
	for i := range len(s) {
		if !isName(s[i]) {
			return false
		}
	}
	return true
}

// undefine reads the name behind %undefine and removes its definition.
func (e *Evaluator) undefine(s string) {
	i := 0
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	j := i
	for j < len(s) && isName(s[j]) {
		j++
	}
	name := s[i:j]
	if name == "" {
		e.fail("macro/syntax", "%%undefine needs a name")
		return
	}
	if !validName(name) {
		e.fail("macro/syntax", "%%undefine: %q cannot be the name of a macro", name)
		return
	}
	e.table.pop(name)
	e.record(Definition{Name: name, Undef: true}, "")
}

// record notes a definition made by the spec.
func (e *Evaluator) record(d Definition, body string) {
	if !e.recording || len(e.defs) >= maxDefinitions {
		return
	}
	d.Pos = e.pos
	d.Maybe = e.maybe > 0
	d.Body = e.value(body, e.pos)
	e.defs = append(e.defs, d)
}

const maxDefinitions = 100_000
