package macro

import (
	"fmt"
	"strings"

	"specgraft/fedora/macro/fuel"
)

// dependencies splits the value of a dependency tag as rpm does and returns each
// dependency in rpm's own spelling: "a >= 1, b => 2 (c or  d)" is "a >= 1",
// "b >= 2" and "(c or d)". Only a comparison that stands alone between blanks is
// one: "a>=1" is a name. What begins with a parenthesis is a rich dependency.
// Of a value that rpm rejects, the words that make no sense come out alone.
func dependencies(value string) []string {
	var out []string
	p := depParser{s: value}
	for p.more() {
		start := p.i
		d, bad := p.next()
		if bad != "" {
			if p.i = start; p.s[start] == '(' {
				d, p.i = p.s[start:], len(p.s)
			} else {
				d = p.word(false)
			}
		}
		out = append(out, d)
	}
	return out
}

// depProblem says why rpm rejects the value of a dependency tag, or "".
func depProblem(tag, value string, old bool) string {
	p := depParser{s: value, check: true, old: old}
	for p.more() {
		rich := p.s[p.i] == '('
		if rich && !richContexts[tag].allowed {
			return "a rich dependency is not possible here"
		}
		d, bad := p.next()
		switch {
		case bad != "":
			return bad
		case rich:
			if bad = p.rich.check(richContexts[tag].without, 0); bad != "" {
				return bad
			}
		case tag == "Obsoletes":
			if i := badChar(d, "-._+%{}"); i >= 0 {
				return fmt.Sprintf("the character %q is not allowed in the name of an obsolete package", d[i:i+1])
			}
		}
	}
	return ""
}

// richContexts tells where rich dependencies may stand. What a package needs can
// depend on an "if", what it keeps out or is drawn in by on an "unless".
var richContexts = map[string]struct {
	allowed bool
	without richOp // the operator that does not make sense
}{
	"Requires": {true, "unless"}, "PreReq": {true, "unless"}, "Recommends": {true, "unless"}, "Suggests": {true, "unless"},
	"BuildRequires": {true, "unless"}, "BuildPreReq": {true, "unless"},
	"Conflicts": {true, "if"}, "BuildConflicts": {true, "if"}, "Supplements": {true, "if"}, "Enhances": {true, "if"},
}

// A richOp is an operator of rich dependencies, or "" for a single operand.
type richOp string

// A richDep is a rich dependency, as far as its operators go.
type richDep struct {
	op       richOp
	operands []*richDep
}

// check reports an operator that rpm does not allow in its place. without is
// the one of "if" and "unless" that the context rules out: it comes from the tag
// or from the operator around.
func (r *richDep) check(without richOp, depth int) string {
	if r == nil || depth > fuel.RichDepth {
		return ""
	}
	if r.op == without && r.op != "" {
		use := map[richOp]string{"if": "and", "unless": "or"}[r.op]
		return fmt.Sprintf("%q is not possible here, use %q", string(r.op), use)
	}
	for i, x := range r.operands {
		inner := without
		switch r.op {
		case "and":
			inner = "unless"
		case "or":
			inner = "if"
		case "if", "unless":
			inner = map[richOp]richOp{"if": "unless", "unless": "if"}[r.op]
			if i == 1 {
				inner = "" // the condition
			}
		case "with", "without":
			if bad := x.has("and", "if", "unless", "else"); bad != "" {
				return fmt.Sprintf("%q is not possible inside of %q", string(bad), string(r.op))
			}
		}
		if bad := x.check(inner, depth+1); bad != "" {
			return bad
		}
	}
	return ""
}

// has returns the first of the operators that r or an operand has.
func (r *richDep) has(ops ...richOp) richOp {
	if r == nil {
		return ""
	}
	for _, op := range ops {
		if r.op == op {
			return op
		}
	}
	for _, x := range r.operands {
		if op := x.has(ops...); op != "" {
			return op
		}
	}
	return ""
}

// A depParser reads the dependencies of a tag one by one.
type depParser struct {
	s     string
	i     int
	rich  *richDep // the last one read, when it was rich
	check bool     // the names are enough
	old   bool     // as rpm before 4.20, which takes one separator of a kind
}

// depSeparators stand between dependencies.
const depSeparators = " \t\n\r\f\v,"

// more skips what separates dependencies and reports whether one follows.
func (p *depParser) more() bool {
	for p.i < len(p.s) && strings.IndexByte(depSeparators, p.s[p.i]) >= 0 {
		p.i++
	}
	return p.i < len(p.s)
}

// word reads up to a separator; inside of a rich dependency also up to a
// parenthesis that the word did not open.
func (p *depParser) word(rich bool) string {
	start := p.i
	p.i = wordEnd(p.s, start, depSeparators, rich)
	return p.s[start:p.i]
}

// comparisons are the operators of versions with the spelling they end up in.
var comparisons = map[string]string{"<": "<", "<=": "<=", "=<": "<=", "=": "=", "==": "=", ">=": ">=", "=>": ">=", ">": ">"}

// next reads one dependency. It stands at its first byte.
func (p *depParser) next() (d, bad string) {
	p.rich = nil
	if p.s[p.i] == '(' {
		start := p.i
		var b strings.Builder
		p.rich, bad = p.readRich(&b, 0)
		if bad == unterminated {
			bad = fmt.Sprintf("the rich dependency is not closed: %s", excerpt(p.s[start:]))
		}
		return b.String(), bad
	}
	return p.simple(false)
}

// simple reads a name with or without a version.
func (p *depParser) simple(rich bool) (d, bad string) {
	name := p.word(rich)
	if strings.HasPrefix(name, "%") {
		return name, excerpt(name) + notDefined
	}
	if name != "" && !isName(name[0]) && name[0] != '/' && name[0] < 0x80 {
		return name, fmt.Sprintf("a dependency must begin with a letter, a digit, '_' or '/', not %q", excerpt(name))
	}
	mark := p.i
	if !p.more() {
		return name, ""
	}
	op, ok := comparisons[p.word(rich)]
	if !ok {
		p.i = mark
		return name, ""
	}
	if name[0] == '/' {
		return name, fmt.Sprintf("the file %s cannot have a version", excerpt(name))
	}
	if !p.more() || rich && p.s[p.i] == ')' {
		return name, fmt.Sprintf("the version is missing behind %q", excerpt(name+" "+op))
	}
	evr := p.word(rich)
	if i := badChar(evr, "-._+:%{}~^"); i >= 0 {
		return name, fmt.Sprintf("the character %q is not allowed in the version %q", evr[i:i+1], excerpt(evr))
	}
	for _, sep := range []string{":", "-"} {
		if p.old && strings.Count(evr, sep) > 1 {
			return name, fmt.Sprintf("the version %q has the separator %q twice", excerpt(evr), sep)
		}
	}
	if p.check {
		return name, ""
	}
	return name + " " + op + " " + evr, ""
}

// What is wrong with a dependency when more is to be said about it.
const (
	unterminated = "unterminated"
	notDefined   = " is not a macro of this set"
)

// readRich reads a rich dependency from its opening parenthesis on and writes it
// in rpm's spelling.
func (p *depParser) readRich(b *strings.Builder, depth int) (r *richDep, bad string) {
	if depth > fuel.RichDepth {
		return nil, "the rich dependency nests too deep"
	}
	r = &richDep{}
	b.WriteByte('(')
	p.i++
	chain := richOp("")
	for {
		if !p.more() {
			return nil, unterminated
		}
		switch {
		case p.s[p.i] == '(':
			x, bad := p.readRich(b, depth+1)
			if bad != "" {
				return nil, bad
			}
			r.operands = append(r.operands, x)
		case p.s[p.i] == ')' && chain != "":
			return nil, fmt.Sprintf("an operand is missing behind %q", string(chain))
		case p.s[p.i] == ')':
			return nil, "the rich dependency is empty"
		default:
			d, bad := p.simple(true)
			if bad != "" {
				return nil, bad
			}
			b.WriteString(d)
			r.operands = append(r.operands, nil)
		}
		if !p.more() {
			return nil, unterminated
		}
		if p.s[p.i] == ')' {
			p.i++
			b.WriteByte(')')
			return r, ""
		}
		start := p.i
		for p.i < len(p.s) && strings.IndexByte(" \t\n\r\f\v)", p.s[p.i]) < 0 {
			p.i++
		}
		op := richOp(p.s[start:p.i])
		switch op {
		case "and", "or", "if", "unless", "else", "with", "without":
		default:
			return nil, fmt.Sprintf("%q is no operator of rich dependencies", excerpt(string(op)))
		}
		switch {
		case chain == "":
			r.op = op
		case op == "else" && (chain == "if" || chain == "unless"):
			// the other side of the condition
		case op != chain:
			return nil, fmt.Sprintf("%q and %q must not stand side by side without parentheses", string(chain), string(op))
		case op != "and" && op != "or" && op != "with":
			return nil, fmt.Sprintf("%q must not stand twice without parentheses", string(op))
		}
		chain = op
		b.WriteString(" " + string(op) + " ")
	}
}
