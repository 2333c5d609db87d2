package macro

import (
	"strings"

	"specgraft/fedora/macro/fuel"
)

// A Dependency is one dependency as rpm reads it: a name, with or without a
// comparison, or a rich one that joins others by an operator.
type Dependency struct {
	Name    string
	Compare string // "<", "<=", "=", ">=", ">", or "" for any version
	Version string // [epoch:]version[-release], when there is a Compare

	// Op is the operator of a rich dependency: and, or, if, unless, with,
	// without. If and unless have a condition as second operand, and may have what
	// holds otherwise as third. It is "" for a single dependency, and for one in
	// parentheses, which has one operand.
	Op       string
	Operands []Dependency
}

// ParseDependencies reads the value of a dependency tag. Of a value that rpm
// rejects, the words that make no sense come out as names.
func ParseDependencies(value string) []Dependency {
	list := dependencies(value)
	out := make([]Dependency, len(list))
	for i, d := range list {
		p := depReader{s: d}
		out[i] = p.read(0)
	}
	return out
}

// Rich reports whether the dependency is in parentheses.
func (d *Dependency) Rich() bool { return len(d.Operands) > 0 }

// String returns the dependency in rpm's spelling.
func (d *Dependency) String() string {
	var b strings.Builder
	d.write(&b)
	return b.String()
}

func (d *Dependency) write(b *strings.Builder) {
	if !d.Rich() {
		b.WriteString(d.Name)
		if d.Compare != "" {
			b.WriteString(" " + d.Compare + " " + d.Version)
		}
		return
	}
	b.WriteByte('(')
	for i := range d.Operands {
		switch {
		case i == 0:
		case i == 2 && (d.Op == "if" || d.Op == "unless"):
			b.WriteString(" else ")
		default:
			b.WriteString(" " + d.Op + " ")
		}
		d.Operands[i].write(b)
	}
	b.WriteByte(')')
}

// Walk calls f with every single dependency in d, d itself when it is one.
func (d *Dependency) Walk(f func(*Dependency)) {
	if !d.Rich() {
		f(d)
	}
	for i := range d.Operands {
		d.Operands[i].Walk(f)
	}
}

// A depReader reads a dependency in rpm's own spelling, as dependencies writes
// it: one blank on each side of operators, none inside of parentheses.
type depReader struct {
	s string
	i int
}

func (p *depReader) read(depth int) Dependency {
	if p.i >= len(p.s) || p.s[p.i] != '(' || depth > fuel.RichDepth {
		return p.single(depth > 0)
	}
	start := p.i
	p.i++
	var d Dependency
	for {
		p.blanks()
		d.Operands = append(d.Operands, p.read(depth+1))
		p.blanks()
		if p.i >= len(p.s) { // what rpm rejects
			return Dependency{Name: p.s[start:]}
		}
		if p.s[p.i] == ')' {
			p.i++
			return d
		}
		op := p.word(true)
		if op == "" || op[0] == '(' { // rpm rejects that, too
			return Dependency{Name: p.s[start:]}
		}
		if d.Op == "" {
			d.Op = op
		}
	}
}

// single reads a name and a comparison.
func (p *depReader) single(rich bool) Dependency {
	d := Dependency{Name: p.word(rich)}
	mark := p.i
	p.blanks()
	switch op := p.word(rich); op {
	case "<", "<=", "=", ">=", ">":
		p.blanks()
		d.Compare, d.Version = op, p.word(rich)
	default:
		p.i = mark
	}
	return d
}

func (p *depReader) blanks() {
	for p.i < len(p.s) && p.s[p.i] == ' ' {
		p.i++
	}
}

// word reads up to a blank; inside of a rich dependency also up to a parenthesis
// that the word did not open.
func (p *depReader) word(rich bool) string {
	start := p.i
	p.i = wordEnd(p.s, start, " ", rich)
	return p.s[start:p.i]
}

// wordEnd returns where the word at start ends: before a separator, and inside of a
// rich dependency before a parenthesis that the word did not open.
func wordEnd(s string, start int, separators string, rich bool) int {
	depth := 0
	for i := start; i < len(s); i++ {
		switch c := s[i]; {
		case strings.IndexByte(separators, c) >= 0:
			return i
		case !rich:
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return i
			}
		}
	}
	return len(s)
}
