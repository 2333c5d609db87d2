// Package shell computes the output of shell commands that are functions of
// their text, as %(…) in a spec has them: echo, sed, cut and their kin on a
// version. It starts no process, opens no file, and knows no environment: what
// a command would need of these makes its output unknown, with the reason.
//
//	out, err := shell.Run("echo 1.2.3 | cut -d. -f1-2", shell.Env{}) // "1.2\n"
package shell

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"specgraft/overlay/diag"
)

// Bounds of one shell command. The commands in real specs are one line of text
// tools on a version.
const (
	maxSteps  = 10_000  // statements and words
	maxOutput = 1 << 20 // bytes of one command's output
	maxDepth  = 20      // nested substitutions and groups
)

// A Env is what a command can ask of the world around it.
type Env struct {
	Read       func(path string) (string, error) // the content of a file of the component; the error says what is read that cannot be
	SourceRoot bool                              // packages are asked for in the root where sources are listed
}

// Run computes the output of a command. Of a command that is no function of its
// text, the error says why its output is not known.
func Run(cmd string, env Env) (string, error) {
	prog, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(cmd), "")
	if err != nil {
		return "", unknownf("the shell command %s cannot be parsed", diag.Excerpt(cmd))
	}
	notKnown := func(why string) error {
		return unknownf("the output of the shell command %s is not known: %s", diag.Excerpt(cmd), why)
	}
	if name := asksFor(prog, "PWD", "OLDPWD"); name != "" {
		return "", notKnown(fmt.Sprintf("the variable %s comes from the environment", name))
	}
	sh := &shell{env: env, vars: map[string]expand.Variable{}}
	var out bytes.Buffer
	if err := sh.stmts(prog.Stmts, &stream{}, &out); err != nil && !errors.Is(err, errExit) {
		if u, ok := errors.AsType[unknown](err); ok {
			return "", notKnown(string(u))
		}
		return "", notKnown("it is too long a computation")
	}
	return out.String(), nil
}

// asksFor returns the first of the named variables that a program refers to.
// The library itself asks for the working directory, so that the Environ cannot
// tell who did.
func asksFor(prog *syntax.File, names ...string) string {
	found := ""
	syntax.Walk(prog, func(n syntax.Node) bool {
		if p, ok := n.(*syntax.ParamExp); ok && p.Param != nil && found == "" && slices.Contains(names, p.Param.Value) {
			found = p.Param.Value
		}
		return found == ""
	})
	return found
}

// A unknown says what about a command is not known.
type unknown string

func (u unknown) Error() string { return string(u) }

func unknownf(format string, args ...any) error { return unknown(fmt.Sprintf(format, args...)) }

var (
	errExit   = errors.New("exit")
	errBudget = errors.New("budget")
)

// A shell interprets the small part of bash that computes on text. It starts
// nothing, opens nothing but files of the component, and knows no environment.
type shell struct {
	env    Env
	vars   map[string]expand.Variable
	status int
	steps  int
	depth  int
	err    error // what went wrong inside of an expansion
}

// A stream is the standard input of a group of commands.
type stream struct{ data []byte }

// all takes the rest of the input.
func (s *stream) all() []byte {
	b := s.data
	s.data = nil
	return b
}

func (s *shell) step() error {
	s.steps++
	if s.steps > maxSteps || s.depth > maxDepth {
		return errBudget
	}
	return nil
}

func (s *shell) stmts(list []*syntax.Stmt, in *stream, out *bytes.Buffer) error {
	for _, st := range list {
		if err := s.stmt(st, in, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *shell) stmt(st *syntax.Stmt, in *stream, out *bytes.Buffer) error {
	if err := s.step(); err != nil {
		return err
	}
	if st.Background || st.Coprocess || st.Disown {
		return unknownf("it runs something in the background")
	}
	in, out, err := s.redirect(st.Redirs, in, out)
	if err != nil {
		return err
	}
	if st.Cmd == nil {
		s.status = 0
	} else if err := s.command(st.Cmd, in, out); err != nil {
		return err
	}
	if st.Negated {
		if s.status == 0 {
			s.status = 1
		} else {
			s.status = 0
		}
	}
	return nil
}

// redirect follows the redirections that stay within text: here-documents,
// here-strings, files of the component, and /dev/null.
func (s *shell) redirect(list []*syntax.Redirect, in *stream, out *bytes.Buffer) (*stream, *bytes.Buffer, error) {
	for _, r := range list {
		fd := ""
		if r.N != nil {
			fd = r.N.Value
		}
		switch r.Op {
		case syntax.Hdoc, syntax.DashHdoc:
			text, err := s.document(r.Hdoc)
			if err != nil {
				return nil, nil, err
			}
			if r.Op == syntax.DashHdoc {
				var b strings.Builder
				for line := range strings.SplitAfterSeq(text, "\n") {
					b.WriteString(strings.TrimLeft(line, "\t"))
				}
				text = b.String()
			}
			in = &stream{[]byte(text)}
			continue
		}
		word, err := s.word(r.Word)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case r.Op == syntax.WordHdoc:
			in = &stream{[]byte(word + "\n")}
		case r.Op == syntax.RdrIn && (fd == "" || fd == "0"):
			text, err := s.file(word)
			if err != nil {
				return nil, nil, err
			}
			in = &stream{[]byte(text)}
		case (r.Op == syntax.RdrOut || r.Op == syntax.AppOut) && word == "/dev/null":
			if fd == "" || fd == "1" {
				out = &bytes.Buffer{}
			}
		case r.Op == syntax.RdrAll && word == "/dev/null":
			out = &bytes.Buffer{}
		case r.Op == syntax.DplOut && fd == "2" && word == "1":
			// what our tools could complain about is reported as unknown
		case r.Op == syntax.DplOut && (fd == "" || fd == "1") && word == "2":
			out = &bytes.Buffer{}
		default:
			return nil, nil, unknownf("it redirects %s%s %s", fd, r.Op, diag.Excerpt(word))
		}
	}
	return in, out, nil
}

func (s *shell) command(cmd syntax.Command, in *stream, out *bytes.Buffer) error {
	s.depth++
	defer func() { s.depth-- }()
	if err := s.step(); err != nil {
		return err
	}
	if out.Len() > maxOutput {
		return errBudget
	}
	switch c := cmd.(type) {
	case *syntax.CallExpr:
		return s.call(c, in, out)
	case *syntax.BinaryCmd:
		return s.binary(c, in, out)
	case *syntax.Block:
		return s.stmts(c.Stmts, in, out)
	case *syntax.Subshell:
		return s.subshell(func() error { return s.stmts(c.Stmts, in, out) })
	case *syntax.IfClause:
		for c != nil {
			if len(c.Cond) > 0 {
				if err := s.stmts(c.Cond, in, out); err != nil {
					return err
				}
				if s.status != 0 {
					s.status = 0
					c = c.Else
					continue
				}
			}
			return s.stmts(c.Then, in, out)
		}
		return nil
	case *syntax.ForClause:
		it, ok := c.Loop.(*syntax.WordIter)
		if !ok || c.Select || !it.InPos.IsValid() {
			return unknownf("its kind of loop is not evaluated")
		}
		items, err := s.fields(it.Items)
		if err != nil {
			return err
		}
		for _, item := range items {
			s.vars[it.Name.Value] = expand.Variable{Set: true, Kind: expand.String, Str: item}
			if err := s.stmts(c.Do, in, out); err != nil {
				return err
			}
		}
		return nil
	case *syntax.CaseClause:
		return s.caseClause(c, in, out)
	case *syntax.ArithmCmd:
		n, err := s.arithm(c.X)
		s.status = 0
		if n == 0 {
			s.status = 1
		}
		return err
	case *syntax.TestClause:
		ok, err := s.testExpr(c.X)
		s.status = 1
		if ok {
			s.status = 0
		}
		return err
	case *syntax.DeclClause:
		if c.Variant.Value != "export" && c.Variant.Value != "local" && c.Variant.Value != "declare" {
			return unknownf("%s is not evaluated", c.Variant.Value)
		}
		for _, a := range c.Args {
			if a.Name == nil || a.Naked {
				return unknownf("%s is only evaluated with assignments", c.Variant.Value)
			}
		}
		s.status = 0
		return s.assign(c.Args)
	}
	return unknownf("this kind of command is not evaluated")
}

// subshell runs f and forgets the variables it sets.
func (s *shell) subshell(f func() error) error {
	saved := maps.Clone(s.vars)
	err := f()
	s.vars = saved
	if errors.Is(err, errExit) {
		err = nil
	}
	return err
}

func (s *shell) binary(c *syntax.BinaryCmd, in *stream, out *bytes.Buffer) error {
	switch c.Op {
	case syntax.Pipe:
		var between bytes.Buffer
		if err := s.subshell(func() error { return s.stmt(c.X, in, &between) }); err != nil {
			return err
		}
		return s.subshell(func() error { return s.stmt(c.Y, &stream{between.Bytes()}, out) })
	case syntax.AndStmt, syntax.OrStmt:
		if err := s.stmt(c.X, in, out); err != nil {
			return err
		}
		if (s.status == 0) == (c.Op == syntax.AndStmt) {
			return s.stmt(c.Y, in, out)
		}
		return nil
	}
	return unknownf("the operator %s is not evaluated", c.Op)
}

func (s *shell) caseClause(c *syntax.CaseClause, in *stream, out *bytes.Buffer) error {
	word, err := s.word(c.Word)
	if err != nil {
		return err
	}
	s.status = 0
	for _, item := range c.Items {
		if item.Op != syntax.Break {
			return unknownf("case with %s is not evaluated", item.Op)
		}
		for _, p := range item.Patterns {
			re, err := s.pattern(p)
			if err != nil {
				return err
			}
			if re.MatchString(word) {
				return s.stmts(item.Stmts, in, out)
			}
		}
	}
	return nil
}

func (s *shell) assign(list []*syntax.Assign) error {
	for _, a := range list {
		if a.Array != nil || a.Index != nil {
			return unknownf("arrays are not evaluated")
		}
		v := ""
		if a.Value != nil {
			var err error
			if v, err = s.word(a.Value); err != nil {
				return err
			}
		}
		if a.Append {
			old, ok := s.vars[a.Name.Value]
			if !ok {
				return unknownf("the variable %s comes from the environment", a.Name.Value)
			}
			v = old.Str + v
		}
		if len(v) > maxOutput {
			return errBudget
		}
		s.vars[a.Name.Value] = expand.Variable{Set: true, Kind: expand.String, Str: v}
	}
	return nil
}

func (s *shell) call(c *syntax.CallExpr, in *stream, out *bytes.Buffer) error {
	if len(c.Args) == 0 {
		s.status = 0
		return s.assign(c.Assigns)
	}
	if name := c.Args[0].Lit(); name == "" {
		return unknownf("the name of the command is computed")
	} else if tool := tools[name]; tool == nil {
		return unknownf("%s would have to run", diag.Excerpt(name))
	}
	for _, w := range c.Args[1:] {
		if p := globbed(w); p != "" {
			return unknownf("%s could stand for names of files", diag.Excerpt(p))
		}
	}
	args, err := s.fields(c.Args)
	if err != nil {
		return err
	}
	for _, a := range c.Assigns {
		// Settings of the locale do not matter to our tools, whose locale is C.
		switch a.Name.Value {
		case "LANG", "LC_ALL", "LC_CTYPE", "LC_COLLATE", "LC_NUMERIC", "TZ":
		default:
			return unknownf("%s is set for one command", a.Name.Value)
		}
		if v, err := s.word(a.Value); err != nil || a.Name.Value == "TZ" && v != "UTC" && v != "" {
			return unknownf("%s is set for one command", a.Name.Value)
		}
	}
	status, err := tools[args[0]](s, args[1:], in, out)
	s.status = status
	if err == nil && out.Len() > maxOutput {
		return errBudget
	}
	return err
}

// globbed returns the part of an unquoted word that the shell would take for a
// pattern of file names. A sed script such as s/a.*b// is let through: no file
// has such a name.
func globbed(w *syntax.Word) string {
	text := ""
	for _, p := range w.Parts {
		if l, ok := p.(*syntax.Lit); ok {
			text += l.Value
		}
	}
	bare := strings.NewReplacer(`\*`, "", `\?`, "", `\[`, "").Replace(text)
	if !strings.ContainsAny(bare, "*?") || len(text) > 2 && text[0] == 's' && strings.Count(text, text[1:2]) == 3 {
		return ""
	}
	return text
}

// The words of the shell are expanded by the library; our Environ and the
// command substitution tell it what is known.

func (s *shell) config() *expand.Config {
	return &expand.Config{Env: s, CmdSubst: s.substitute, ProcSubst: func(*syntax.ProcSubst) (string, error) {
		return "", unknownf("process substitution is not evaluated")
	}}
}

func (s *shell) substitute(w io.Writer, c *syntax.CmdSubst) error {
	s.depth++
	defer func() { s.depth-- }()
	if err := s.step(); err != nil {
		return err
	}
	if c.TempFile || c.ReplyVar {
		return unknownf("this kind of substitution is not evaluated")
	}
	var out bytes.Buffer
	if err := s.subshell(func() error { return s.stmts(c.Stmts, &stream{}, &out) }); err != nil {
		s.err = err
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// expanded turns the library's errors and those of the environment into ours.
func (s *shell) expanded(err error) error {
	if s.err != nil {
		err, s.err = s.err, nil
		return err
	}
	if err == nil {
		return nil
	}
	if u, ok := errors.AsType[unknown](err); ok {
		return u
	}
	if errors.Is(err, errBudget) {
		return err
	}
	return unknownf("an expansion fails: %v", err)
}

func (s *shell) word(w *syntax.Word) (text string, err error) {
	defer recovered(&err)
	if w == nil {
		return "", nil
	}
	if err := s.step(); err != nil {
		return "", err
	}
	text, err = expand.Literal(s.config(), w)
	return text, s.expanded(err)
}

func (s *shell) document(w *syntax.Word) (text string, err error) {
	defer recovered(&err)
	if w == nil {
		return "", nil
	}
	text, err = expand.Document(s.config(), w)
	return text, s.expanded(err)
}

func (s *shell) fields(words []*syntax.Word) (list []string, err error) {
	defer recovered(&err)
	if err := s.step(); err != nil {
		return nil, err
	}
	if hasBraces(words) {
		return nil, unknownf("brace expansion is not evaluated")
	}
	list, err = expand.Fields(s.config(), words...)
	return list, s.expanded(err)
}

func (s *shell) arithm(x syntax.ArithmExpr) (n int, err error) {
	defer recovered(&err)
	n, err = expand.Arithm(s.config(), x)
	return n, s.expanded(err)
}

// recovered keeps a mistake in the library from ending the program: what is
// expanded comes from specs that anybody can write.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = unknownf("an expansion is not evaluated")
	}
}

// hasBraces reports a word like {1..1000000}, whose expansion the library does
// not bound.
func hasBraces(words []*syntax.Word) bool {
	for _, w := range words {
		for _, p := range w.Parts {
			if l, ok := p.(*syntax.Lit); ok && strings.Contains(l.Value, "{") && (strings.Contains(l.Value, "..") || strings.Contains(l.Value, ",")) {
				return true
			}
		}
	}
	return false
}

// Get implements expand.Environ. A variable that the command has not set comes
// from the environment of the build, which nobody knows.
func (s *shell) Get(name string) expand.Variable {
	if v, ok := s.vars[name]; ok {
		return v
	}
	switch name {
	case "IFS", "PWD", "LC_ALL", "LC_CTYPE", "LANG", "LANGUAGE":
		return expand.Variable{}
	case "?":
		return expand.Variable{Set: true, Kind: expand.String, Str: fmt.Sprint(s.status)}
	case "#":
		return expand.Variable{Set: true, Kind: expand.String, Str: "0"}
	case "@", "*":
		return expand.Variable{Set: true, Kind: expand.Indexed}
	case "1", "2", "3", "4", "5", "6", "7", "8", "9":
		return expand.Variable{}
	}
	if s.err == nil {
		s.err = unknownf("the variable %s comes from the environment", diag.Excerpt(name))
	}
	return expand.Variable{Set: true, Kind: expand.String}
}

// Each implements expand.Environ.
func (s *shell) Each(func(name string, vr expand.Variable) bool) {}

// Set implements expand.WriteEnviron, for ${x:=y} and arithmetic.
func (s *shell) Set(name string, v expand.Variable) error {
	if len(v.Str) > maxOutput {
		return errBudget
	}
	s.vars[name] = v
	return nil
}

// file reads a file of the component.
func (s *shell) file(name string) (string, error) {
	if name == "/dev/null" {
		return "", nil
	}
	if s.env.Read == nil {
		return "", unknownf("it reads the file %s", diag.Excerpt(name))
	}
	text, err := s.env.Read(name)
	if err != nil {
		return "", unknown(err.Error())
	}
	return text, nil
}
