package overlay

import (
	"strings"

	"specgraft/overlay/diag"
)

// Bounds of one search and replacement. The expressions and the texts come from
// anybody: what matching costs and what a replacement gives is known before.
const (
	smallExpression = 100         // instructions that cost nothing worth counting
	maxSearch       = 200_000_000 // instructions of a larger expression times bytes looked at
	maxResult       = 64 << 20    // bytes that all replacements of an operation write
)

// affords accounts for searching a text, and for what replacing its matches
// could give, and says what is too much.
func (r *run) affords(m *matcher, text string) *diag.Diagnostic {
	if m.size > smallExpression {
		m.searched += m.size * (len(text) + 1)
	}
	if m.searched > maxSearch {
		d := r.fail("regex", "overlay/budget", "%s is too expensive for a text of this size", quoteRegex(r.op.Regex))
		d.Hint = "give a section, or an expression with smaller repetitions"
		return d
	}
	// Counted one by one: a list of all matches can be larger than the text.
	n := 0
	m.ReplaceAllStringFunc(text, func(string) string { n++; return "" })
	if n == 0 {
		return nil
	}
	most := n * len(m.replacement)
	if m.groups {
		most += strings.Count(m.replacement, "$") * len(text)
	}
	if m.written += most + len(text); m.written > maxResult {
		d := r.fail("replacement", "overlay/budget", "the replacements could give more than %d bytes", maxResult)
		d.Hint = "write a shorter replacement"
		return d
	}
	return nil
}
