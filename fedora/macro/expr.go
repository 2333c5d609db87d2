package macro

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"specgraft/fedora/evr"
	"specgraft/fedora/macro/fuel"
)

// A term is a value of rpm's expression language: an integer, a string or a
// version. An unknown term has none of them.
type term struct {
	kind    termKind
	num     int32  // rpm calculates with C's int
	str     string // strings and versions
	ver     evr.EVR
	unknown string // an unknown mark
}

type termKind byte

const (
	termInt termKind = iota
	termString
	termVersion
	termAny // unknown even in its type
)

func (t term) truth() bool {
	switch t.kind {
	case termInt:
		return t.num != 0
	case termVersion:
		return false // rpm gives versions no truth of their own
	}
	return t.str != ""
}

func (t term) text() string {
	if t.unknown != "" {
		if t.kind == termString && t.str != "" && t.str != truthy && t.str != falsy {
			return t.str // the unknown is a part of it
		}
		return t.unknown
	}
	if t.kind == termInt {
		return strconv.Itoa(int(t.num))
	}
	return t.str
}

// An expr is an expression being read. With expand, the macros in it are
// expanded term by term while it is evaluated, and not where the operators
// make it unnecessary.
type expr struct {
	e      *Evaluator
	s      string
	i      int
	expand bool
	err    string
	depth  int

	tok   tokenKind
	val   term
	start int // of the token
}

// exprString computes %[ ] (expand) and %{expr:} (the macros were expanded
// before).
func (e *Evaluator) exprString(s string, expand bool) string {
	t, err := e.eval(s, expand)
	if err != "" {
		e.fail("macro/expression", "%s", err)
		return ""
	}
	return t.text()
}

// eval evaluates an expression. It returns what is wrong with it, or "".
func (e *Evaluator) eval(s string, expand bool) (term, string) {
	x := &expr{e: e, s: s, expand: expand}
	x.next(true)
	t := x.ternary(true)
	if x.err == "" && x.tok != tokEnd {
		x.fail("syntax error in expression %q at %q", excerpt(s), excerpt(s[x.start:]))
	}
	return t, x.err
}

func (x *expr) fail(format string, args ...any) {
	if x.err == "" {
		x.err = fmt.Sprintf(format, args...)
	}
	x.tok = tokEnd
}

func (x *expr) ternary(run bool) term {
	x.depth++
	defer func() { x.depth-- }()
	if x.depth > fuel.ExpressionDepth {
		x.fail("the expression %q is nested more than %d levels deep", excerpt(x.s), fuel.ExpressionDepth)
		return term{}
	}
	c := x.or(run)
	if x.err != "" || x.tok != tokIf {
		return c
	}
	yes := run && (c.unknown != "" || c.truth())
	no := run && (c.unknown != "" || !c.truth())
	x.next(yes)
	a := x.ternary(yes)
	if x.err != "" {
		return term{}
	}
	if x.tok != tokElse {
		x.fail("syntax error in expression %q: '?' without ':'", excerpt(x.s))
		return term{}
	}
	x.next(no)
	b := x.ternary(no)
	if x.err != "" || !run {
		return term{}
	}
	switch {
	case c.unknown != "":
		if a.unknown == "" && b.unknown == "" && a.kind == b.kind && a.text() == b.text() {
			return a
		}
		return term{kind: a.kind, unknown: c.unknown}
	case yes:
		return a
	}
	return b
}

func (x *expr) or(run bool) term {
	a := x.and(run)
	for x.err == "" && x.tok == tokOr {
		need := run && (a.unknown != "" || !a.truth())
		x.next(need)
		b := x.and(need)
		if !x.both(need, a, b) {
			continue
		}
		switch {
		case a.unknown == "":
			a = b
		case b.unknown == "" && b.truth():
			// true whatever a is; which of the two values is not known
			a = term{kind: b.kind, unknown: a.unknown, num: 1, str: truthy}
		default:
			a = term{kind: a.kind, unknown: a.unknown}
		}
	}
	return a
}

// truthy in an unknown term says that it is true whatever it is; falsy the
// opposite.
const (
	truthy = "\x00true"
	falsy  = "\x00false"
)

func (x *expr) and(run bool) term {
	a := x.relation(run)
	for x.err == "" && x.tok == tokAnd {
		need := run && (a.unknown != "" || a.truth())
		x.next(need)
		b := x.relation(need)
		if !x.both(need, a, b) {
			continue
		}
		switch {
		case a.unknown == "":
			a = b
		case b.unknown == "" && !b.truth():
			a = term{kind: b.kind, unknown: a.unknown, str: falsy}
		default:
			a = term{kind: a.kind, unknown: a.unknown}
		}
	}
	return a
}

// both reports whether two operands have been read, are to be calculated with, and
// are of the same type.
func (x *expr) both(run bool, a, b term) bool {
	if x.err != "" || !run {
		return false
	}
	if a.kind != b.kind && a.kind != termAny && b.kind != termAny {
		x.fail("the types on both sides must be the same in expression %q", excerpt(x.s))
		return false
	}
	return true
}

func (x *expr) relation(run bool) term {
	a := x.sum(run)
	for x.err == "" && x.tok >= tokEq && x.tok <= tokGe {
		op := x.tok
		x.next(run)
		if b := x.sum(run); x.both(run, a, b) {
			a = relate(op, a, b)
		}
	}
	return a
}

// relate compares two terms of one type.
func relate(op tokenKind, a, b term) term {
	if a.unknown != "" || b.unknown != "" {
		if res, ok := differ(a, b); ok && (op == tokEq || op == tokNe) && res {
			return term{num: int32(btoi(op == tokNe))}
		}
		return term{unknown: cmp.Or(a.unknown, b.unknown)}
	}
	var c int
	switch a.kind {
	case termInt:
		c = cmp.Compare(a.num, b.num)
	case termString:
		c = strings.Compare(a.str, b.str)
	case termVersion:
		c = a.ver.Compare(b.ver)
	}
	var r bool
	switch op {
	case tokEq:
		r = c == 0
	case tokNe:
		r = c != 0
	case tokLt:
		r = c < 0
	case tokLe:
		r = c <= 0
	case tokGt:
		r = c > 0
	case tokGe:
		r = c >= 0
	}
	return term{num: int32(btoi(r))}
}

// differ reports whether two strings, of which at least one has an unknown
// part, must differ because of their known beginnings or ends.
func differ(a, b term) (differ, ok bool) {
	if a.kind != termString || a.str == "" && a.unknown != "" || b.str == "" && b.unknown != "" {
		return false, false
	}
	if a.str == truthy || b.str == truthy || a.str == falsy || b.str == falsy {
		return false, false
	}
	p, q := prefixOf(a.str), prefixOf(b.str)
	if a.unknown == "" && len(p) < len(q) || b.unknown == "" && len(q) < len(p) {
		return true, true // the known one is shorter than what the other surely has
	}
	n := min(len(p), len(q))
	if p[:n] != q[:n] {
		return true, true
	}
	return false, true
}

func prefixOf(s string) string {
	if i := strings.IndexByte(s, mark); i >= 0 {
		return s[:i]
	}
	return s
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (x *expr) sum(run bool) term {
	a := x.product(run)
	for x.err == "" && (x.tok == tokAdd || x.tok == tokSub) {
		op := x.tok
		x.next(run)
		if b := x.product(run); x.both(run, a, b) {
			a = x.add(op, a, b)
		}
	}
	return a
}

// add adds or subtracts; strings are joined.
func (x *expr) add(op tokenKind, a, b term) term {
	switch {
	case a.kind == termAny || b.kind == termAny:
		return term{kind: termAny, unknown: cmp.Or(a.unknown, b.unknown)}
	case a.kind == termVersion || op == tokSub && a.kind != termInt:
		return x.noNumbers()
	case a.kind == termString:
		a.unknown = cmp.Or(a.unknown, b.unknown)
		a.str += b.str
	case op == tokAdd:
		a.num += b.num
	default:
		a.num -= b.num
	}
	return a
}

func (x *expr) product(run bool) term {
	a := x.unary(run)
	for x.err == "" && (x.tok == tokMul || x.tok == tokDiv) {
		op := x.tok
		x.next(run)
		if b := x.unary(run); x.both(run, a, b) {
			a = x.multiply(op, a, b)
		}
	}
	return a
}

// multiply multiplies or divides.
func (x *expr) multiply(op tokenKind, a, b term) term {
	switch {
	case a.kind != termInt && a.kind != termAny || b.kind != termInt && b.kind != termAny:
		return x.noNumbers()
	case a.unknown != "" || b.unknown != "":
		return term{kind: termAny, unknown: cmp.Or(a.unknown, b.unknown)}
	case op == tokMul:
		a.num *= b.num
	case b.num == 0:
		x.fail("division by zero in expression %q", excerpt(x.s))
		return term{}
	case b.num == -1:
		a.num = -a.num // also for the smallest integer, without a trap
	default:
		a.num /= b.num
	}
	return a
}

func (x *expr) noNumbers() term {
	x.fail("versions and strings cannot be calculated with in expression %q", excerpt(x.s))
	return term{}
}

func (x *expr) unary(run bool) term {
	x.depth++
	defer func() { x.depth-- }()
	if x.depth > 2*fuel.ExpressionDepth {
		x.fail("the expression %q is nested more than %d levels deep", excerpt(x.s), fuel.ExpressionDepth)
		return term{}
	}
	switch x.tok {
	case tokTerm:
		t := x.val
		x.next(run)
		return t
	case tokOpen:
		x.next(run)
		t := x.ternary(run)
		if x.err != "" {
			return term{}
		}
		if x.tok != tokClose {
			x.fail("')' is missing in expression %q", excerpt(x.s))
			return term{}
		}
		x.next(run)
		return t
	case tokNot:
		x.next(run)
		t := x.unary(run)
		if x.err != "" || !run {
			return term{}
		}
		if t.unknown != "" {
			switch t.str {
			case truthy:
				return term{num: 0}
			case falsy:
				return term{num: 1}
			}
			return term{unknown: t.unknown}
		}
		return term{num: int32(btoi(!t.truth()))}
	case tokSub:
		x.next(run)
		t := x.unary(run)
		if x.err != "" || !run {
			return term{}
		}
		if t.kind != termInt && t.kind != termAny {
			x.fail("versions and strings have no sign in expression %q", excerpt(x.s))
			return term{}
		}
		if t.unknown == "" {
			t.num = -t.num
		}
		return t
	case tokEnd:
		if x.err == "" {
			x.fail("unexpected end of expression %q", excerpt(x.s))
		}
		return term{}
	}
	x.fail("syntax error in expression %q at %q", excerpt(x.s), excerpt(x.s[x.start:]))
	return term{}
}
