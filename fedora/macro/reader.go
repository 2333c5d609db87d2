package macro

import (
	"go/token"
	"strings"

	"specgraft/fedora/macro/fuel"
)

// A reader gives the lines of a spec as rpm's parser sees them: continued lines
// joined, macros expanded, conditionals and includes resolved.
type reader struct {
	e       *Evaluator
	inputs  []input
	conds   []cond
	pending string // expanded text whose lines were not handed out yet
	havePnd bool
	eol     bool // the line handed out last has a line end: a macro may take it
	comment bool // a comment was stripped off the line

	out    *strings.Builder // the expanded text, nil if nobody asked for it
	strip  stripMode        // what the present section takes off its lines
	onCond func(begin bool) // told when a branch that may or may not be there begins and ends

	onBranch func(Branch) // told of every branch of the spec itself
	include  int
}

// An input is one file being read.
type input struct {
	name string
	text string
	line int // number of the next line
	// broken is set once a bracket was open at the end of the file: from then
	// on lines are no longer joined, so that a stray bracket costs one line.
	broken bool
}

// A cond is an %if that is not closed.
type cond struct {
	word    string
	pos     token.Position
	outer   bool // the text around is read
	reading bool // the present branch is read
	taken   bool // a branch was taken for sure
	seen    bool // %else was seen
	unknown string
	active  bool     // the present branch is read under an unknown condition
	touched []string // macros defined in such branches
}

// maxInclude bounds how deep files include each other.
const maxInclude = 16

func (r *reader) reading() bool {
	return len(r.conds) == 0 || r.conds[len(r.conds)-1].reading
}

func (r *reader) push(name, text string) {
	r.inputs = append(r.inputs, input{name: name, text: text, line: 1})
}

// next returns the next line without its line end, or false at the end.
func (r *reader) next() (string, bool) {
	for {
		if r.havePnd {
			line := r.cut()
			if r.havePnd && strings.HasSuffix(line, `\`) && continued(line) {
				line = r.joined(line)
			}
			if files := len(r.inputs); r.directive(line) {
				if len(r.inputs) == files {
					r.skipped(1) // the lines of an included file stand for its line
				}
				continue
			}
			if !r.reading() {
				r.skipped(1)
				continue
			}
			return r.give(line), true
		}
		if len(r.inputs) == 0 {
			r.finish()
			return "", false
		}
		if r.e.spent {
			r.inputs = nil
			r.conds = nil
			return "", false
		}
		raw, ok := r.raw()
		if !ok {
			r.inputs = r.inputs[:len(r.inputs)-1]
			continue
		}
		if strings.IndexByte(raw, '%') < 0 {
			// nothing to expand, no directive
			if !r.reading() {
				r.skipped(strings.Count(raw, "\n"))
				continue
			}
			r.pending = raw
			return r.give(r.cut()), true
		}
		text := raw
		if r.reading() || r.mayBranch(raw) {
			text = r.e.top(raw)
		}
		r.pending, r.havePnd = text, true
	}
}

// cut takes a line off the pending text.
func (r *reader) cut() string {
	line, rest, more := strings.Cut(r.pending, "\n")
	r.pending, r.havePnd = rest, more && rest != ""
	r.eol = more || line != "" && line[len(line)-1] == mark // a failed expansion
	return line
}

// joined returns a line that ends in a backslash with those that continue it.
func (r *reader) joined(line string) string {
	b := []byte(line)
	for r.havePnd && len(b) > 0 && b[len(b)-1] == '\\' {
		b = append(b[:len(b)-1], r.cut()...)
	}
	return string(b)
}

// give hands out a line.
func (r *reader) give(line string) string {
	line = r.stripped(line)
	if r.out != nil {
		r.out.WriteString(line)
		if r.eol {
			r.out.WriteByte('\n')
		}
	}
	return line
}

// continued reports whether a line is a condition, which a backslash continues
// on the next line.
func continued(line string) bool {
	word, _ := splitWord(strings.TrimLeft(line, " \t"))
	switch word {
	case "%if", "%ifarch", "%ifnarch", "%ifos", "%ifnos", "%elif", "%elifarch", "%elifos":
		return true
	}
	return false
}

// A stripMode says what is taken off the lines of a section.
type stripMode byte

const (
	stripBlanks   stripMode = 1 << iota // white space at the end
	stripComments                       // lines that begin with '#'
)

func (r *reader) stripped(line string) string {
	r.comment = false
	if r.strip&stripComments != 0 {
		if s := strings.TrimLeft(line, " \t"); strings.HasPrefix(s, "#") {
			line = line[:len(line)-len(s)]
			r.comment = true
			r.eol = false // rpm takes the end of the line away, too
		}
	}
	if r.strip&stripBlanks != 0 {
		r.eol = true
		line = strings.TrimRight(line, " \t\r\f\v")
	}
	return line
}

// skipped keeps the place of a line that is not there. Scripts have none for it.
func (r *reader) skipped(lines int) {
	if r.out != nil && r.strip&stripBlanks != 0 {
		for range lines {
			r.out.WriteByte('\n')
		}
	}
}

// raw returns the next line of the present file with the lines that continue
// it, and sets the position.
func (r *reader) raw() (string, bool) {
	in := &r.inputs[len(r.inputs)-1]
	if in.text == "" {
		return "", false
	}
	r.e.pos = token.Position{Filename: in.name, Line: in.line, Column: 1}
	n := strings.IndexByte(in.text, '\n') + 1
	if n == 0 {
		n = len(in.text)
	}
	if !in.broken {
		var b brackets
		b.feed(in.text[:n])
		if b.goesOn() {
			m := n
			for b.goesOn() && m < len(in.text) {
				k := strings.IndexByte(in.text[m:], '\n') + 1
				if k == 0 {
					k = len(in.text) - m
				}
				b.feed(in.text[m : m+k])
				m += k
			}
			switch {
			case !b.goesOn():
				n = m
			case !b.Open():
				n = m
				if r.reading() {
					r.e.problem("macro/syntax", "nothing follows the backslash at the end of the line: %s", excerpt(strings.TrimSpace(in.text[:n])))
				}
			default:
				in.broken = true // rpm takes the rest of the file, in a branch that is not read, too
				r.e.problem("macro/syntax", "a bracket of a macro is not closed until the end of the file: %s", excerpt(strings.TrimSpace(in.text[:n])))
			}
		}
	}
	line := in.text[:n]
	in.text = in.text[n:]
	in.line += strings.Count(line, "\n")
	return line, true
}

// mayBranch reports whether a line in a part that is not read is an %elif whose
// condition must be looked at.
func (r *reader) mayBranch(line string) bool {
	c := &r.conds[len(r.conds)-1]
	if c.taken || !c.outer || c.seen {
		return false
	}
	word, _ := splitWord(strings.TrimLeft(line, " \t"))
	return word == "%elif" || word == "%elifarch" || word == "%elifos"
}

// splitWord splits at the first blank or line end.
func splitWord(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t\n\r")
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i:]
}

// directive handles a line that steers the reading. It reports whether the
// line was one.
func (r *reader) directive(line string) bool {
	s := strings.TrimLeft(line, " \t")
	if len(s) < 3 || s[0] != '%' || s[1] != 'i' && s[1] != 'e' {
		return false
	}
	word, rest := splitWord(s)
	if rest == "" && word != "%else" && word != "%endif" {
		return false // rpm takes a word that stands alone for text
	}
	rest = strings.Trim(rest, " \t\r")
	switch word {
	case "%if", "%ifarch", "%ifnarch", "%ifos", "%ifnos":
		if len(r.conds) >= fuel.ConditionDepth {
			r.e.stop("conditions are nested more than %d deep", fuel.ConditionDepth)
			return true
		}
		c := cond{word: word, pos: r.e.pos, outer: r.reading()}
		if c.outer {
			if rest == "" {
				r.e.problem("macro/conditional", "%s needs a condition", word)
			}
			r.branch(&c, word, rest)
		}
		r.conds = append(r.conds, c)
		r.branched()
	case "%elif", "%elifarch", "%elifos", "%else":
		if len(r.conds) == 0 {
			r.e.problem("macro/conditional", "%s without %%if", word)
			return true
		}
		c := &r.conds[len(r.conds)-1]
		defer r.branched()
		if c.seen {
			r.e.problem("macro/conditional", "%s behind %%else", word)
		}
		if !c.outer {
			return true
		}
		r.leave(c)
		if word == "%else" && strings.HasPrefix(rest, "if") {
			r.e.warn("macro/else-if", "rpm ignores what stands behind %%else: there is no condition").Hint = "write %elif, which rpm has since 4.15"
		}
		if word == "%else" {
			c.seen = true
			switch {
			case c.taken:
			case c.unknown != "":
				r.enter(c)
			default:
				c.reading = true
			}
			return true
		}
		if rest == "" {
			r.e.problem("macro/conditional", "%s needs a condition", word)
		}
		if !c.taken {
			r.branch(c, word, rest)
		}
	case "%endif":
		if len(r.conds) == 0 {
			r.e.problem("macro/conditional", "%%endif without %%if")
			return true
		}
		c := &r.conds[len(r.conds)-1]
		r.leave(c)
		for _, n := range c.touched {
			r.e.table.put(n, &def{name: n, maybe: c.unknown, pos: c.pos})
		}
		r.conds = r.conds[:len(r.conds)-1]
	case "%include":
		if !r.reading() {
			return true
		}
		r.open(rest)
	case "%elseif", "%elsif":
		if len(r.conds) > 0 {
			r.e.warn("macro/else-if", "rpm knows no %s: the line is text of the branch that it stands in", word).Hint = "write %elif, which rpm has since 4.15"
		}
		return false
	default:
		return false
	}
	return true
}

// branch decides about a branch with a condition of its own.
func (r *reader) branch(c *cond, word, rest string) {
	e := r.e
	var result, unknown = false, ""
	switch word {
	case "%ifarch", "%elifarch", "%ifnarch":
		if unknown = taint(rest); unknown == "" {
			result = e.archMatches(rest) == (word != "%ifnarch")
		} else if word != "%ifnarch" && e.archMatches(plain(rest)) {
			result, unknown = true, ""
		}
	case "%ifos", "%elifos", "%ifnos":
		if unknown = taint(rest); unknown == "" {
			linux := false
			for _, n := range strings.Fields(rest) {
				linux = linux || strings.EqualFold(n, "linux")
			}
			result = linux == (word != "%ifnos")
		}
	default:
		t, err := e.eval(rest, false)
		switch {
		case err != "":
			e.problem("macro/expression", "%s", err)
			unknown = e.unknown(err)
		case t.unknown != "" && t.str == truthy:
			result = true
		case t.unknown != "" && t.str == falsy:
		case t.unknown != "":
			unknown = t.unknown
		default:
			result = t.truth()
		}
	}
	switch {
	case unknown != "":
		if c.unknown == "" {
			k := e.cause(unknown)
			c.unknown = e.unknown("the condition " + excerpt(word+" "+rest) + " is not known: " + k.reason)
		}
		r.enter(c)
	case result && c.unknown != "":
		c.taken = true
		r.enter(c)
	case result:
		c.taken, c.reading = true, true
	}
}

// enter begins a branch of which it is not known whether it is there.
func (r *reader) enter(c *cond) {
	c.reading, c.active = true, true
	r.e.maybe++
	r.e.maybes = append(r.e.maybes, c.unknown)
	r.e.table.begin()
	r.onCond(true)
}

// leave ends a branch.
func (r *reader) leave(c *cond) {
	c.reading = false
	if c.active {
		c.active = false
		r.e.maybe--
		r.e.maybes = r.e.maybes[:len(r.e.maybes)-1]
		c.touched = append(c.touched, r.e.table.rollback()...)
		r.onCond(false)
	}
}

// open reads an included file next.
func (r *reader) open(name string) {
	e := r.e
	name = strings.TrimSpace(name)
	if f := strings.Fields(name); len(f) > 1 {
		e.problem("macro/include", "%%include takes one file name")
		return
	}
	r.include++
	switch {
	case name == "":
		e.problem("macro/include", "%%include needs a file name")
		return
	case hasUnknown(name):
		e.openEnded(name)
		return
	case len(r.inputs) > maxInclude || r.include > 1000:
		e.problem("macro/include", "files include each other without end")
		return
	}
	p, ok := e.inside(name)
	if !ok {
		e.openEnded(e.unknown("%include " + excerpt(name) + " reads a file outside of the component"))
		if e.probing {
			e.problem("macro/include", "%%include %s: the file is not in the component", excerpt(name))
		}
		return
	}
	text, why := e.readFile(p)
	if why != "" {
		e.problem("macro/include", "%%include %s: %s", excerpt(name), why)
		return
	}
	r.push(p, text)
}

// abandon ends the reading somewhere in the middle.
func (r *reader) abandon() {
	for i := len(r.conds) - 1; i >= 0; i-- {
		c := &r.conds[i]
		r.leave(c)
		for _, n := range c.touched {
			r.e.table.put(n, &def{name: n, maybe: c.unknown, pos: c.pos})
		}
	}
	r.inputs, r.conds, r.havePnd = nil, nil, false
}

// finish reports what is still open at the end.
func (r *reader) finish() {
	for i := len(r.conds) - 1; i >= 0; i-- {
		c := &r.conds[i]
		r.leave(c)
		d := r.e.problem("macro/conditional", "%s is never closed with %%endif", c.word)
		d.Pos = c.pos
	}
	r.conds = nil
}
