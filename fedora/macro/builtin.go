package macro

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"specgraft/fedora/macro/pattern"
	"specgraft/overlay/diag"
)

// A builtin is a macro that rpm computes itself. raw ones read the text behind
// their name themselves, the others get their arguments expanded and split.
type builtin struct {
	raw      func(e *Evaluator, dst []byte, r ref, s string) ([]byte, int)
	fn       func(e *Evaluator, c *call) string
	optional bool // works without arguments
}

// builtins is the table of built-in macros. %with, %defined and %bcond are
// macros in rpm; they are here because they are asked for all the time, and
// because they have to know about macros that may or may not be defined.
var builtins = map[string]*builtin{
	"define":    {raw: rawDefine},
	"global":    {raw: rawDefine},
	"undefine":  {raw: rawUndefine},
	"dnl":       {raw: rawDnl},
	"expand":    {raw: rawExpand},
	"lua":       {raw: rawLua},
	"verbose":   {raw: rawVerbose},
	"trace":     {fn: nothing, optional: true},
	"dump":      {fn: nothing, optional: true},
	"echo":      {fn: nothing, optional: true},
	"warn":      {fn: builtinWarn},
	"error":     {fn: builtinError},
	"macrobody": {fn: builtinMacrobody},
	"load":      {fn: builtinLoad},
	"expr":      {fn: func(e *Evaluator, c *call) string { return e.exprString(c.args[0], false) }},

	"basename": {fn: func(e *Evaluator, c *call) string { _, base := splitPath(c.args[0]); return base }},
	"dirname": {fn: func(e *Evaluator, c *call) string {
		dir, base := splitPath(c.args[0])
		return dir + taint(base) // what is not known may have slashes
	}},
	"suffix": {fn: func(e *Evaluator, c *call) string {
		if i := strings.LastIndexByte(c.args[0], '.'); i >= 0 {
			return c.args[0][i+1:]
		}
		return ""
	}},
	"url2path":   {fn: builtinURLPath},
	"u2p":        {fn: builtinURLPath},
	"uncompress": {fn: func(e *Evaluator, c *call) string { return e.textOr("__rpmuncompress") + " " + c.args[0] }},
	"exists":     {fn: builtinExists},
	"getenv": {fn: func(e *Evaluator, c *call) string {
		return e.unknown("%{getenv:" + plain(c.args[0]) + "} depends on the environment")
	}},
	"getncpus": {fn: func(e *Evaluator, c *call) string {
		return e.unknown("%getncpus depends on the build machine")
	}, optional: true},
	"getconfdir": {fn: func(e *Evaluator, c *call) string { return rpmConfigDir }, optional: true},
	"rpmversion": {fn: func(e *Evaluator, c *call) string { return e.unknown("%rpmversion depends on the version of rpm") }, optional: true},

	"shrink": {fn: func(e *Evaluator, c *call) string { return strings.Join(strings.Fields(c.args[0]), " ") }},
	"quote":  {fn: func(e *Evaluator, c *call) string { return string(quote) + c.args[0] + string(quote) }},
	"shescape": {fn: func(e *Evaluator, c *call) string {
		return "'" + strings.ReplaceAll(c.args[0], "'", `'\''`) + "'"
	}},
	"lower":   {fn: func(e *Evaluator, c *call) string { return asciiCase(c.args[0], 'A', 'Z') }},
	"upper":   {fn: func(e *Evaluator, c *call) string { return asciiCase(c.args[0], 'a', 'z') }},
	"len":     {fn: builtinLen},
	"reverse": {fn: builtinReverse},
	"rep":     {fn: builtinRep},
	"sub":     {fn: builtinSub},
	"gsub":    {fn: builtinGsub},

	"S": {fn: func(e *Evaluator, c *call) string { return e.sub("%SOURCE" + c.args[0]) }},
	"P": {fn: func(e *Evaluator, c *call) string { return e.sub("%PATCH" + c.args[0]) }},

	"defined":       {fn: func(e *Evaluator, c *call) string { return e.isDefined(c.args[0], "1", "0") }},
	"undefined":     {fn: func(e *Evaluator, c *call) string { return e.isDefined(c.args[0], "0", "1") }},
	"with":          {fn: func(e *Evaluator, c *call) string { return e.isDefined("with_"+c.args[0], "1", "0") }},
	"without":       {fn: func(e *Evaluator, c *call) string { return e.isDefined("with_"+c.args[0], "0", "1") }},
	"bcond_with":    {fn: func(e *Evaluator, c *call) string { return e.bcond(c.args[0], "0") }},
	"bcond_without": {fn: func(e *Evaluator, c *call) string { return e.bcond(c.args[0], "1") }},
	"bcond":         {fn: builtinBcond},
}

// rpmConfigDir is where rpm's own files are on every distribution concerned.
const rpmConfigDir = "/usr/lib/rpm"

// splitPath splits a path as dirname(3) and basename(3) do, which rpm follows
// since 4.20.
func splitPath(s string) (dir, base string) {
	if s == "" {
		return ".", "."
	}
	trimmed := strings.TrimRight(s, "/")
	if trimmed == "" {
		return rootOf(s), "/"
	}
	i := strings.LastIndexByte(trimmed, '/')
	if i < 0 {
		return ".", trimmed
	}
	if dir = strings.TrimRight(trimmed[:i], "/"); dir == "" {
		dir = rootOf(trimmed[:i+1])
	}
	return dir, trimmed[i+1:]
}

// rootOf returns the root directory as a path of slashes only names it: two of
// them are kept, as POSIX has it.
func rootOf(slashes string) string {
	if slashes == "//" {
		return slashes
	}
	return "/"
}

func nothing(*Evaluator, *call) string { return "" }

func rawDefine(e *Evaluator, dst []byte, r ref, s string) ([]byte, int) {
	global := r.name == "global"
	if r.brace {
		e.define(strings.TrimPrefix(s[r.nameEnd:r.end-1], ":"), global)
		return dst, r.end
	}
	n := r.nameEnd + e.define(s[r.nameEnd:], global)
	e.work(n, "%"+r.name)
	return dst, n
}

func rawUndefine(e *Evaluator, dst []byte, r ref, s string) ([]byte, int) {
	if r.brace {
		e.undefine(strings.TrimPrefix(s[r.nameEnd:r.end-1], ":"))
		return dst, r.end
	}
	e.undefine(s[r.nameEnd:])
	n := strings.IndexByte(s, '\n') // the rest of the line goes, the line end stays
	if n < 0 {
		n = len(s)
	}
	e.work(n/16, "%undefine")
	return dst, n
}

// rawDnl drops the text up to the end of the line, or to the closing brace.
func rawDnl(e *Evaluator, dst []byte, r ref, s string) ([]byte, int) {
	if r.brace {
		return dst, r.end
	}
	n := strings.IndexByte(s, '\n') + 1
	if n == 0 {
		n = len(s)
	}
	e.work(n/16, "%dnl")
	return dst, n
}

// rawArgument returns what a built-in with one raw argument is given.
func (e *Evaluator) rawArgument(r ref, s string) (text string, end int, ok bool) {
	switch {
	case r.hasArg:
		return r.arg, r.end, true
	case r.hasArgs && r.brace:
		return strings.TrimLeft(r.args, " \t"), r.end, true
	case r.hasArgs:
		return strings.TrimLeft(r.args, " \t"), r.nameEnd + len(r.args), true
	}
	e.fail("macro/syntax", "%%%s needs an argument", r.name)
	return "", r.end, false
}

func rawExpand(e *Evaluator, dst []byte, r ref, s string) ([]byte, int) {
	text, end, ok := e.rawArgument(r, s)
	if !ok {
		return dst, end
	}
	return e.expand(dst, e.sub(text)), end
}

func rawLua(e *Evaluator, dst []byte, r ref, s string) ([]byte, int) {
	text, end, ok := e.rawArgument(r, s)
	if !ok {
		return dst, end
	}
	out := e.evalLua(text)
	if !e.grow(len(out)) {
		return dst, end
	}
	return append(dst, out...), end
}

// rawVerbose is never verbose.
func rawVerbose(e *Evaluator, dst []byte, r ref, s string) ([]byte, int) {
	if r.hasArg {
		return dst, r.end
	}
	return append(dst, '0'), r.end
}

func builtinWarn(e *Evaluator, c *call) string {
	e.warn("macro/warning", "%s", excerpt(c.args[0]))
	return ""
}

func builtinError(e *Evaluator, c *call) string {
	if e.probing {
		e.fail("macro/error", "%s", excerpt(c.args[0]))
		return ""
	}
	e.problem("macro/error", "%s", excerpt(c.args[0]))
	return ""
}

func builtinMacrobody(e *Evaluator, c *call) string {
	if t := taint(c.args[0]); t != "" {
		return t
	}
	if c.args[0] == "" {
		return ""
	}
	d := e.table.lookup(c.args[0])
	switch {
	case d == nil && e.builtins[c.args[0]] != nil:
		return "<builtin>"
	case d == nil:
		e.fail("macro/error", "no such macro: %q", excerpt(c.args[0]))
		return ""
	case d.maybe != "":
		return d.maybe
	case d.native != nil:
		return e.unknown("the body of %" + d.name + " is not known")
	}
	return d.body
}

func builtinURLPath(e *Evaluator, c *call) string {
	s := c.args[0]
	if i := strings.Index(s, "://"); i > 0 && !strings.ContainsAny(s[:i], "/ ") {
		s = s[i+3:]
		if j := strings.IndexByte(s, '/'); j >= 0 {
			return s[j:]
		}
		return "/"
	}
	if s == "" {
		return "/"
	}
	return s
}

func builtinExists(e *Evaluator, c *call) string {
	if t := taint(c.args[0]); t != "" {
		return t
	}
	name, ok := e.inside(c.args[0])
	if !ok {
		return e.unknown("%{exists:" + excerpt(c.args[0]) + "} asks for a file outside of the component")
	}
	if e.cfg.FS != nil {
		if _, err := fs.Stat(e.cfg.FS, name); err == nil {
			return "1"
		}
	}
	return "0"
}

func asciiCase(s string, from, to byte) string {
	b := []byte(s)
	for i, c := range b {
		if from <= c && c <= to {
			b[i] = c ^ 0x20
		}
	}
	return string(b)
}

func builtinLen(e *Evaluator, c *call) string {
	if t := taint(c.args[0]); t != "" {
		return t
	}
	return strconv.Itoa(len(c.args[0]))
}

func builtinReverse(e *Evaluator, c *call) string {
	if t := taint(c.args[0]); t != "" {
		return t
	}
	b := []byte(c.args[0])
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// intArgument reads an integer argument of a string built-in.
func (e *Evaluator) intArgument(c *call, i int, missing int) (n int, ok bool) {
	if i >= len(c.args) {
		return missing, true
	}
	n, err := strconv.Atoi(strings.TrimSpace(c.args[i]))
	if err != nil {
		e.fail("macro/syntax", "%%%s: argument %d must be a number, not %q", c.name, i+1, excerpt(c.args[i]))
		return 0, false
	}
	return n, true
}

func builtinRep(e *Evaluator, c *call) string {
	if t := taintOf(c.args...); t != "" {
		return t
	}
	n, ok := e.intArgument(c, 1, 0)
	if !ok || len(c.args) < 2 {
		e.fail("macro/syntax", "%%rep needs a text and a number")
		return ""
	}
	sep := ""
	if len(c.args) > 2 {
		sep = c.args[2]
	}
	if n <= 0 {
		return ""
	}
	if size := len(c.args[0]) + len(sep); size > 0 && n > e.budget.Output/size || !e.grow(n*len(c.args[0])) {
		e.stop("an expansion is longer than %d bytes", e.budget.Output)
		return ""
	}
	return strings.Repeat(c.args[0]+sep, n-1) + c.args[0]
}

// builtinSub cuts a text with Lua's string.sub: bytes counted from 1, negative
// numbers from the end.
func builtinSub(e *Evaluator, c *call) string {
	if t := taintOf(c.args...); t != "" {
		return t
	}
	if len(c.args) < 2 {
		e.fail("macro/syntax", "%%sub needs a text and a position")
		return ""
	}
	s := c.args[0]
	i, ok1 := e.intArgument(c, 1, 1)
	j, ok2 := e.intArgument(c, 2, -1)
	if !ok1 || !ok2 {
		return ""
	}
	if i < 0 {
		i = max(len(s)+i+1, 1)
	}
	i = max(i, 1)
	if j < 0 {
		j = len(s) + j + 1
	}
	j = min(j, len(s))
	if i > j {
		return ""
	}
	return s[i-1 : j]
}

// builtinGsub replaces with Lua's patterns.
func builtinGsub(e *Evaluator, c *call) string {
	if t := taintOf(c.args...); t != "" {
		return t
	}
	if len(c.args) < 3 {
		e.fail("macro/syntax", "%%gsub needs a text, a pattern and a replacement")
		return ""
	}
	limit, ok := e.intArgument(c, 3, -1)
	if !ok {
		return ""
	}
	out, steps, err := pattern.Gsub(c.args[0], c.args[1], c.args[2], limit, e.grow)
	e.work(steps, "%{gsub}")
	switch {
	case errors.Is(err, pattern.ErrTooLong):
		e.stop("%%gsub: %v", err)
	case errors.Is(err, pattern.ErrPattern):
		e.fail("macro/syntax", "%%gsub: bad pattern %q", excerpt(c.args[1]))
	case errors.Is(err, pattern.ErrReplacement):
		e.fail("macro/syntax", "%%gsub: bad replacement %q", excerpt(c.args[2]))
	}
	return out
}

// isDefined answers %defined, %with and their opposites. In rpm they are macros
// that make a %{?name:1} of their argument, which shows when it is no name.
func (e *Evaluator) isDefined(name, yes, no string) string {
	if t := taint(name); t != "" {
		return t
	}
	if strings.ContainsAny(name, ": %{}") {
		return e.sub("%{?" + name + ":" + yes + "}%{!?" + name + ":" + no + "}")
	}
	if d := e.table.lookup(name); d != nil {
		if d.maybe != "" {
			return d.maybe
		}
		return yes
	}
	if e.builtins[name] != nil {
		return yes
	}
	return no
}

func builtinBcond(e *Evaluator, c *call) string {
	if len(c.args) < 2 {
		e.fail("macro/syntax", "%%bcond needs a name and a default")
		return ""
	}
	t, err := e.eval(c.args[1], false)
	if err != "" {
		e.fail("macro/expression", "%s", err)
		return ""
	}
	switch {
	case t.unknown != "":
		return e.bcond(c.args[0], t.unknown)
	case t.truth():
		return e.bcond(c.args[0], "1")
	}
	return e.bcond(c.args[0], "0")
}

// bcond declares a build conditional: %with_NAME is defined when it is on.
// deflt is "1", "0" or unknown.
func (e *Evaluator) bcond(name, deflt string) string {
	if hasUnknown(name) {
		return ""
	}
	if !validName("with_" + name) {
		// What rpm tests and defines then has the name up to the wrong character.
		if deflt == "1" {
			e.define(" with_"+name+" 1", true)
		}
		deflt = "0"
	}
	with, without := e.table.lookup("_with_"+name), e.table.lookup("_without_"+name)
	value := deflt
	switch {
	case with != nil && with.maybe != "":
		value = with.maybe
	case without != nil && without.maybe != "":
		value = without.maybe
	case deflt == "0" && with != nil:
		value = "1"
	case deflt == "1" && without != nil:
		value = "0"
	case hasUnknown(deflt) && with != nil && without == nil:
		value = "1"
	case hasUnknown(deflt) && without != nil && with == nil:
		value = "0"
	}
	switch {
	case value == "1":
		e.table.push(&def{name: "with_" + name, body: "1", pos: e.pos})
	case hasUnknown(value):
		e.table.push(&def{name: "with_" + name, maybe: value, pos: e.pos})
	}
	if e.recording && len(e.bconds) < maxDefinitions {
		e.bconds = append(e.bconds, Bcond{Name: name, Default: e.value(deflt, e.pos), Value: e.value(value, e.pos), Pos: e.pos})
	}
	return ""
}

// sourceDir and specDir are the names under which a spec sees its directory.
const (
	topDir    = "/builddir/build"
	sourceDir = topDir + "/SOURCES"
	specDir   = topDir + "/SPECS"
)

// inside maps a path that a spec names to one in the component's directory.
func (e *Evaluator) inside(name string) (string, bool) {
	if strings.HasPrefix(name, "/") {
		p := path.Clean(name)
		for _, d := range []string{sourceDir, specDir} {
			if rest, ok := strings.CutPrefix(p, d+"/"); ok {
				return rest, true
			}
		}
		return "", false
	}
	p := path.Clean(name)
	if p == "." || p == ".." || strings.HasPrefix(p, "../") {
		return "", false
	}
	return p, true
}

// warn reports something at the present position that rpm goes on with. The
// result takes a hint.
func (e *Evaluator) warn(code, format string, args ...any) *diag.Diagnostic {
	if len(e.problems) >= maxProblems {
		return &diag.Diagnostic{} // nobody will see it
	}
	return e.problems.Warn(e.pos, code, format, args...)
}

// builtinLoad reads a macro file of the component.
func builtinLoad(e *Evaluator, c *call) string {
	name := c.args[0]
	if t := taint(name); t != "" {
		return t
	}
	p, ok := e.inside(name)
	if !ok {
		return e.unknown("%{load:" + excerpt(name) + "} reads a file outside of the component")
	}
	text, why := e.readFile(p)
	if why != "" {
		e.fail("macro/include", "%%{load:%s}: %s", excerpt(name), why)
		return ""
	}
	for _, d := range parseMacroFile(text) {
		d.pos = e.pos
		e.table.push(d)
	}
	return ""
}

const maxIncluded = 4 << 20

// open opens a file of the component. Only regular files are opened: a pipe
// would wait for somebody to write into it. why says what is wrong.
func (e *Evaluator) open(p string) (f fs.File, why string) {
	st, err := fs.Stat(e.cfg.FS, p)
	switch {
	case err != nil:
		return nil, "the component has no such file"
	case st.IsDir():
		return nil, "it is a directory"
	case !st.Mode().IsRegular():
		return nil, "it is no regular file"
	}
	if f, err = e.cfg.FS.Open(p); err != nil {
		return nil, "the component has no such file"
	}
	return f, ""
}

// readFile reads a file of the component. why says what is wrong.
func (e *Evaluator) readFile(p string) (text, why string) {
	if e.cfg.FS == nil {
		return "", "no files are there"
	}
	f, why := e.open(p)
	if why != "" {
		return "", why
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxIncluded+1))
	if err != nil {
		return "", "it cannot be read"
	}
	if len(b) > maxIncluded {
		return "", "it is too large"
	}
	if !e.grow(len(b)) {
		return "", "the budget is used up"
	}
	return clean(string(b)), ""
}
