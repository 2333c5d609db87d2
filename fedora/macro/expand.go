package macro

import (
	"strings"

	"specgraft/fedora/macro/fuel"
	"specgraft/overlay/diag"
)

// A call is one invocation of a macro with arguments.
type call struct {
	name    string
	args    []string        // after option processing
	options map[byte]string // option letter to argument
	flags   map[byte]bool   // options that were given
	raw     []string        // all arguments including options
	level   int
	locals  []string // names defined at this level, to be dropped at the end
	taint   string   // unknown mark if the arguments have an unknown part
}

func (b Budget) withDefaults() Budget {
	if b.Steps == 0 {
		b.Steps = fuel.Invocations
	}
	if b.Depth == 0 {
		b.Depth = fuel.MacroDepth
	}
	if b.Output == 0 {
		b.Output = fuel.Expansion
	}
	if b.Total == 0 {
		b.Total = fuel.Expansions
	}
	return b
}

// top expands a text from the outside: a failed expansion gives an unknown.
func (e *Evaluator) top(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	return e.outermost(func() []byte { return e.expand(nil, s) })
}

// outermost runs an expansion that is in no other one.
func (e *Evaluator) outermost(expand func() []byte) string {
	if e.spent {
		return e.unknown("the evaluation was stopped")
	}
	e.failed = ""
	e.depth = 0
	e.written = 0
	e.inLine = 0
	out := expand()
	if e.failed != "" {
		r := e.failed
		e.failed = ""
		return e.unknown(r)
	}
	return e.unquote(string(out))
}

// sub expands a text inside of an expansion.
func (e *Evaluator) sub(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	return string(e.expand(nil, s))
}

// fail ends the expansion under way. Like rpm, it loses the text around.
func (e *Evaluator) fail(code, format string, args ...any) {
	if e.failed == "" {
		d := e.problem(code, format, args...)
		e.failed = d.Message
	}
}

// problem reports something rpm would reject at the present position.
func (e *Evaluator) problem(code, format string, args ...any) *diag.Diagnostic {
	d := e.problems.Add(e.pos, code, format, args...)
	if len(e.problems) > maxProblems {
		e.problems = e.problems[:maxProblems]
		d = &e.problems[maxProblems-1]
	}
	return d
}

const maxProblems = 1000

// spend accounts for one invocation of what the construct names and reports
// whether to go on.
func (e *Evaluator) spend(construct string) bool {
	if e.failed != "" {
		return false
	}
	e.steps++
	e.inLine++
	if e.steps > e.budget.Steps || e.inLine > fuel.LineInvocations {
		e.stop("more than %d macro invocations, the last one %s", min(e.budget.Steps, fuel.LineInvocations), excerpt(construct))
		return false
	}
	return e.work(invocationWork, construct)
}

// invocationWork is what looking up and expanding a macro counts as.
const invocationWork = 100

// work accounts for n units of work on behalf of a construct and reports whether
// to go on.
func (e *Evaluator) work(n int, construct string) bool {
	if e.tank.Spend(n) {
		return true
	}
	if e.tank.Stopped() {
		e.stop("the evaluation was interrupted")
	} else {
		e.stop("the evaluation takes too long: it ends at %s", excerpt(construct))
	}
	return false
}

// match is the function of that name, and accounts for what it looks at.
func (e *Evaluator) match(s string, open, close byte) int {
	n := match(s, open, close)
	looked := n
	if n < 0 {
		looked = len(s)
	}
	if !e.tank.Spend(looked) {
		e.work(looked, "%"+s[:min(len(s), 100)])
		return -1
	}
	return n
}

// stop ends the whole evaluation.
func (e *Evaluator) stop(format string, args ...any) {
	if !e.spent {
		e.spent = true
		e.fail("macro/budget", format, args...)
	}
	if e.failed == "" {
		e.failed = "the evaluation was stopped"
	}
}

// grow accounts for output.
func (e *Evaluator) grow(n int) bool {
	e.written += n
	e.total += n
	if e.written > e.budget.Output {
		e.stop("an expansion is longer than %d bytes", e.budget.Output)
		return false
	}
	if e.total > e.budget.Total {
		e.stop("all expansions together are longer than %d bytes", e.budget.Total)
		return false
	}
	return true
}

// expand appends the expansion of s to dst.
func (e *Evaluator) expand(dst []byte, s string) []byte {
	e.depth++
	defer func() { e.depth-- }()
	if e.depth > e.budget.Depth {
		e.fail("macro/recursion", "too many levels of macro recursion (%d): a macro probably expands itself", e.budget.Depth)
		return dst
	}
	for e.failed == "" {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			if e.grow(len(s)) {
				dst = append(dst, s...)
			}
			return dst
		}
		if !e.grow(i + 1) {
			return dst
		}
		dst = append(dst, s[:i]...)
		s = s[i+1:]
		if s == "" {
			return append(dst, '%')
		}
		switch s[0] {
		case '%':
			dst = append(dst, '%')
			s = s[1:]
		case '(':
			n := e.match(s, '(', ')')
			if n < 0 {
				e.fail("macro/syntax", "unterminated %%( in %s", excerpt("%"+s))
				return dst
			}
			if e.spend("%" + s[:min(n+1, 100)]) {
				cmd := e.unquote(e.sub(s[1:n]))
				if e.failed == "" {
					dst = append(dst, e.evalShell(cmd)...)
				}
			}
			s = s[n+1:]
		case '[':
			n := e.match(s, '[', ']')
			if n < 0 {
				e.fail("macro/syntax", "unterminated %%[ in %s", excerpt("%"+s))
				return dst
			}
			if e.spend("%" + s[:min(n+1, 100)]) {
				dst = append(dst, e.exprString(s[1:n], true)...)
			}
			s = s[n+1:]
		case '{':
			n := e.match(s, '{', '}')
			if n < 0 {
				e.fail("macro/syntax", "unterminated %%{ in %s", excerpt("%"+s))
				return dst
			}
			var used int
			dst, used = e.invoke(dst, braced(s, n), s)
			s = s[used:]
		default:
			r := bare(s)
			if r.hasArgs && !e.work(len(r.args)/16, r.name) { // the end of the line was searched
				return dst
			}
			var used int
			dst, used = e.invoke(dst, r, s)
			s = s[used:]
		}
	}
	return dst
}

// A ref is a reference to a macro as it stands in the text behind the '%'.
type ref struct {
	name    string
	test    bool   // has '?'
	negate  bool   // has an odd number of '!'
	hasArg  bool   // %{name:arg}
	arg     string // text behind the colon
	hasArgs bool   // %{name args} or %name args
	args    string
	end     int // first byte behind the reference
	nameEnd int // first byte behind the name
	brace   bool
}

// flags reads the ? and ! in front of a name and returns how many there are.
func (r *ref) flags(s string) int {
	for i := range len(s) {
		switch s[i] {
		case '!':
			r.negate = !r.negate
		case '?':
			r.test = true
		default:
			return i
		}
	}
	return len(s)
}

// braced reads %{...}; n is the index of the closing brace in s.
func braced(s string, n int) ref {
	r := ref{end: n + 1, brace: true}
	i := 1 + r.flags(s[1:n])
	j := i
	for j < n && s[j] != ' ' && s[j] != ':' && s[j] != '}' {
		j++
	}
	r.name, r.nameEnd = s[i:j], j
	if j < n {
		switch s[j] {
		case ':':
			r.hasArg, r.arg = true, s[j+1:n]
		case ' ':
			r.hasArgs, r.args = true, s[j:n]
		}
	}
	return r
}

// bare reads %name and the special names %*, %**, %#, %-f, %-f*.
func bare(s string) ref {
	var r ref
	i := r.flags(s)
	j := i
	if j < len(s) && s[j] == '-' {
		j++
	}
	for j < len(s) && isName(s[j]) {
		j++
	}
	if j < len(s) {
		switch {
		case strings.HasPrefix(s[j:], "**") && j == i:
			j += 2
		case s[j] == '*' || s[j] == '#':
			j++
		}
	}
	r.name, r.nameEnd, r.end = s[i:j], j, j
	if j < len(s) && (s[j] == ' ' || s[j] == '\t') {
		r.hasArgs = true
		k := strings.IndexByte(s[j:], '\n')
		if k < 0 {
			k = len(s)
		} else {
			k += j
		}
		r.args = s[j:k]
	}
	return r
}

func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// match returns the index of the closing bracket that belongs to the opening
// one at s[0], or -1. A backslash hides the byte behind it.
func match(s string, open, close byte) int {
	level := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case open:
			level++
		case close:
			level--
			if level <= 0 {
				return i
			}
		}
	}
	return -1
}

// invoke expands one reference and returns how many bytes of s it took. What
// is no macro stays as it is: only the '%' is taken, and what follows is
// looked at again.
func (e *Evaluator) invoke(dst []byte, r ref, s string) ([]byte, int) {
	if !e.spend(r.name) {
		return dst, len(s)
	}
	// When a part of the name is not known, which macro is meant is not known,
	// and neither is what it gives.
	if !r.brace && r.nameEnd < len(s) && s[r.nameEnd] == mark {
		t := taint(s[r.nameEnd:])
		return append(dst, t...), r.nameEnd + len(t)
	}
	if t := taint(r.name); t != "" {
		return append(dst, t...), r.end
	}
	if r.name == "" {
		return append(dst, '%'), 0
	}
	if c := e.auto(&r); c != autoNone {
		return e.invokeAuto(dst, r, s, c)
	}

	d := e.table.lookup(r.name)
	var b *builtin
	if d == nil {
		b = e.builtins[r.name]
	} else if d.maybe != "" {
		return append(dst, d.maybe...), r.end
	}
	defined := d != nil || b != nil

	if r.test {
		if defined == r.negate {
			return dst, r.end
		}
		if r.hasArg && r.arg != "" {
			return e.expand(dst, r.arg), r.end
		}
		if !defined {
			return dst, r.end
		}
		if d != nil && d.native == nil {
			// %{?name -b 2}: rpm expands the body and drops the arguments
			return e.expand(dst, d.body), r.end
		}
	} else if r.negate && b == nil {
		// %!name and %{!name} are ordinary references in rpm
		r.negate = false
	}

	switch {
	case b != nil && b.raw != nil:
		return b.raw(e, dst, r, s)
	case b != nil:
		return e.invokeBuiltin(dst, r, s, b)
	case !defined:
		if !r.brace {
			return append(dst, '%'), strings.Index(s, r.name) // %!x loses its mark
		}
		return append(dst, '%'), 0
	case d.native == nil && !d.param:
		return e.expand(dst, d.body), r.end
	}
	return e.invokeDefined(dst, r, s, d)
}

// invokeBuiltin expands a reference to a macro of rpm's own.
func (e *Evaluator) invokeBuiltin(dst []byte, r ref, s string, b *builtin) ([]byte, int) {
	c, end := e.arguments(r, s, "-")
	if c == nil || e.failed != "" {
		return dst, end
	}
	if len(c.args) == 0 && !b.optional {
		e.fail("macro/syntax", "%%%s needs an argument", r.name)
		return dst, end
	}
	return append(dst, b.fn(e, c)...), end
}

// invokeDefined expands a reference to a definition that takes arguments or is
// code of ours.
func (e *Evaluator) invokeDefined(dst []byte, r ref, s string, d *def) ([]byte, int) {
	if !d.param {
		return append(dst, d.native(e, nil)...), r.end
	}
	c, end := e.arguments(r, s, d.opts)
	if c == nil || e.failed != "" {
		return dst, end
	}
	if d.native != nil {
		return append(dst, d.native(e, c)...), end
	}
	return e.run(dst, d, c), end
}

// run expands the body of a macro that takes arguments.
func (e *Evaluator) run(dst []byte, d *def, c *call) []byte {
	outer := e.frame
	e.level++
	c.level = e.level
	e.frame = c
	dst = e.expand(dst, d.body)
	for i := len(c.locals) - 1; i >= 0; i-- {
		if d := e.table.lookup(c.locals[i]); d != nil && d.level == c.level {
			e.table.pop(c.locals[i])
		}
	}
	e.level--
	e.frame = outer
	return dst
}

// invokeWith expands a macro with arguments that are taken as they are, as Lua
// code passes them.
func (e *Evaluator) invokeWith(name string, args []string) string {
	c := &call{name: name, raw: args, args: args, taint: taintOf(args...)}
	if !e.spend(name) {
		return ""
	}
	d, b := e.table.lookup(name), e.builtins[name]
	switch {
	case d == nil && b != nil && b.fn != nil:
		if len(args) == 0 && !b.optional {
			e.fail("macro/syntax", "%%%s needs an argument", name)
			return ""
		}
		return b.fn(e, c)
	case d == nil || !d.param:
		return e.sub("%{" + name + ":" + strings.Join(args, " ") + "}")
	}
	if d.opts != "-" {
		c.args = nil
		if !e.getopt(c, d.opts) {
			return ""
		}
	}
	if d.native != nil {
		return d.native(e, c)
	}
	return string(e.run(nil, d, c))
}

// excerpt shortens a text for a message.
func excerpt(s string) string { return diag.Excerpt(plain(s)) }
