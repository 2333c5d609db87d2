package macro

import (
	"go/token"
	"strconv"
	"strings"
)

// An unknown part of a text is written as NUL, a number, NUL. Text read from
// files cannot contain NUL bytes (rpm ends a line there, and so do we), so the
// mark cannot be forged, and every operation that moves text around moves the
// unknown along without knowing about it. Only what looks into the text has to
// ask hasUnknown first.
const mark = '\x00'

type cause struct {
	reason string
	pos    token.Position
}

func hasUnknown(s string) bool { return strings.IndexByte(s, mark) >= 0 }

// unknown returns the mark for a new unknown value with the given reason.
func (e *Evaluator) unknown(reason string) string {
	c := cause{reason, e.pos}
	id, ok := e.causeIDs[c]
	if !ok {
		id = len(e.causes)
		if id >= maxCauses { // a bound on what hostile input can make us remember
			id = maxCauses - 1
		} else {
			e.causes = append(e.causes, c)
			e.causeIDs[c] = id
		}
	}
	return "\x00" + strconv.Itoa(id) + "\x00"
}

const maxCauses = 10000

// condition returns the mark of the unknown condition under which the present
// line stands, or "".
func (e *Evaluator) condition() string {
	if len(e.maybes) == 0 {
		return ""
	}
	return e.maybes[len(e.maybes)-1]
}

// taint returns the first unknown mark in s, or "".
func taint(s string) string {
	i := strings.IndexByte(s, mark)
	if i < 0 {
		return ""
	}
	j := strings.IndexByte(s[i+1:], mark)
	if j < 0 {
		return ""
	}
	return s[i : i+j+2]
}

// taintOf returns the first unknown mark in any of the texts, or "".
func taintOf(texts ...string) string {
	for _, s := range texts {
		if t := taint(s); t != "" {
			return t
		}
	}
	return ""
}

// cause returns why the text is not known; s must have an unknown mark.
func (e *Evaluator) cause(s string) cause {
	t := taint(s)
	if len(t) < 3 {
		return cause{}
	}
	id, err := strconv.Atoi(t[1 : len(t)-1])
	if err != nil || id < 0 || id >= len(e.causes) {
		return cause{}
	}
	return e.causes[id]
}

// plain replaces the unknown parts of a text by "<?>".
func plain(s string) string {
	if !hasUnknown(s) {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, mark)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		b.WriteString("<?>")
		j := strings.IndexByte(s[i+1:], mark)
		if j < 0 {
			return b.String()
		}
		s = s[i+j+2:]
	}
}

// value makes a Value of an expanded text that stands at pos.
func (e *Evaluator) value(s string, pos token.Position) Value {
	if !hasUnknown(s) {
		return Value{Text: s, Known: true, Set: true, Pos: pos}
	}
	c := e.cause(s)
	if c.pos.Line == 0 {
		c.pos = pos
	}
	return Value{Text: plain(s), Set: true, Reason: c.reason, Pos: c.pos}
}

// clean cuts a text read from a file at NUL bytes line by line, as rpm does.
func clean(s string) string {
	if !hasUnknown(s) {
		return s
	}
	var b strings.Builder
	for line := range strings.SplitAfterSeq(s, "\n") {
		if i := strings.IndexByte(line, mark); i >= 0 {
			b.WriteString(line[:i])
			if strings.HasSuffix(line, "\n") {
				b.WriteByte('\n')
			}
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}
