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
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"specgraft/fedora/macro/fuel"
	"specgraft/overlay/diag"
)

// Bounds of one shell command. The commands in real specs are one line of text
// tools on a version.
const (
	maxSteps  = fuel.ShellSteps
	maxOutput = fuel.ShellOutput
	maxDepth  = fuel.ShellDepth
)

// An Env is what a command can ask of the world around it.
type Env struct {
	Read       func(path string) (string, error) // the content of a file of the component; the error says what is read that cannot be
	SourceRoot bool                              // packages are asked for in the root where sources are listed
	Fuel       *fuel.Tank                        // what the computation may take; nil for a full tank of its own
}

// ErrBudget is in the chain of the error for a command that takes more than it
// may.
var ErrBudget = errors.New("it is too long a computation")

// Run computes the output of a command. Of a command that is no function of its
// text, the error says why its output is not known.
func Run(cmd string, env Env) (string, error) {
	notKnown := func(why error) error {
		return fmt.Errorf("the output of the shell command %s is not known: %w", diag.Excerpt(cmd), why)
	}
	if env.Fuel == nil {
		env.Fuel = fuel.New(nil)
	}
	if !env.Fuel.Spend(4 * len(cmd)) {
		return "", notKnown(ErrBudget)
	}
	prog, err := parse(cmd)
	if errors.Is(err, errSyntax) {
		return "", unknownf("the shell command %s cannot be parsed", diag.Excerpt(cmd))
	}
	if err != nil {
		return "", notKnown(err)
	}
	sh := &shell{env: env, vars: map[string]expand.Variable{}}
	var out output
	if err := sh.stmts(prog.Stmts, &stream{}, &out); err != nil && !errors.Is(err, errExit) {
		return "", notKnown(err)
	}
	return out.String(), nil
}

// errSyntax is in the chain of the error for what is no command.
var errSyntax = unknown("it makes a command that cannot be parsed")

// parse reads a command.
func parse(cmd string) (*syntax.File, error) {
	if err := tooLarge(cmd); err != nil {
		return nil, err
	}
	prog, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(cmd), "")
	if err != nil {
		return nil, errSyntax
	}
	if name := asksFor(prog, "PWD", "OLDPWD"); name != "" {
		return nil, unknownf("the variable %s comes from the environment", name)
	}
	return prog, nil
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

var errExit = errors.New("exit")

// A shell interprets the small part of bash that computes on text. It starts
// nothing, opens nothing but files of the component, and knows no environment.
type shell struct {
	env    Env
	vars   map[string]expand.Variable
	status int
	steps  int
	depth  int
	err    error // what went wrong inside of an expansion
	substs int   // bytes that command substitutions gave
}

// A stream is the standard input of a group of commands.
type stream struct{ data []byte }

// all takes the rest of the input.
func (s *stream) all() []byte {
	b := s.data
	s.data = nil
	return b
}

// step accounts for a statement or a word.
func (s *shell) step() error {
	s.steps++
	if s.steps > maxSteps {
		return fmt.Errorf("%w: more than %d steps", ErrBudget, maxSteps)
	}
	if s.depth > maxDepth {
		return fmt.Errorf("%w: nested more than %d deep", ErrBudget, maxDepth)
	}
	return s.work(500)
}

// work accounts for n units of work.
func (s *shell) work(n int) error {
	if !s.env.Fuel.Spend(n) {
		return ErrBudget
	}
	return nil
}

// An output is what a command has written. It takes no more than a command may
// write: what is too much is dropped, and over set.
type output struct {
	bytes.Buffer
	over bool
}

func (o *output) room(n int) bool {
	if o.Len()+n > maxOutput {
		o.over = true
	}
	return !o.over
}

func (o *output) Write(p []byte) (int, error) {
	if o.room(len(p)) {
		o.Buffer.Write(p)
	}
	return len(p), nil
}

func (o *output) WriteString(s string) (int, error) {
	if o.room(len(s)) {
		o.Buffer.WriteString(s)
	}
	return len(s), nil
}

func (o *output) WriteByte(c byte) error {
	if o.room(1) {
		o.Buffer.WriteByte(c)
	}
	return nil
}

func (s *shell) stmts(list []*syntax.Stmt, in *stream, out *output) error {
	for _, st := range list {
		if err := s.stmt(st, in, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *shell) stmt(st *syntax.Stmt, in *stream, out *output) error {
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
func (s *shell) redirect(list []*syntax.Redirect, in *stream, out *output) (*stream, *output, error) {
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
				out = &output{}
			}
		case r.Op == syntax.RdrAll && word == "/dev/null":
			out = &output{}
		case r.Op == syntax.DplOut && fd == "2" && word == "1":
			// what our tools could complain about is reported as unknown
		case r.Op == syntax.DplOut && (fd == "" || fd == "1") && word == "2":
			out = &output{}
		default:
			return nil, nil, unknownf("it redirects %s%s %s", fd, r.Op, diag.Excerpt(word))
		}
	}
	return in, out, nil
}

func (s *shell) command(cmd syntax.Command, in *stream, out *output) error {
	s.depth++
	defer func() { s.depth-- }()
	if err := s.step(); err != nil {
		return err
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
		return s.ifClause(c, in, out)
	case *syntax.ForClause:
		return s.forClause(c, in, out)
	case *syntax.CaseClause:
		return s.caseClause(c, in, out)
	case *syntax.ArithmCmd:
		n, err := s.arithm(c.X)
		s.succeed(n != 0)
		return err
	case *syntax.TestClause:
		ok, err := s.testExpr(c.X)
		s.succeed(ok)
		return err
	case *syntax.DeclClause:
		return s.declare(c)
	}
	return unknownf("this kind of command is not evaluated")
}

// succeed sets the exit status.
func (s *shell) succeed(ok bool) {
	s.status = 1
	if ok {
		s.status = 0
	}
}

func (s *shell) ifClause(c *syntax.IfClause, in *stream, out *output) error {
	for ; c != nil; c = c.Else {
		if len(c.Cond) > 0 {
			if err := s.stmts(c.Cond, in, out); err != nil {
				return err
			}
			if s.status != 0 {
				s.status = 0
				continue
			}
		}
		return s.stmts(c.Then, in, out)
	}
	return nil
}

func (s *shell) forClause(c *syntax.ForClause, in *stream, out *output) error {
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
}

// declare is export, local and declare with assignments.
func (s *shell) declare(c *syntax.DeclClause) error {
	switch c.Variant.Value {
	case "export", "local", "declare":
	default:
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

// subshell runs f and forgets the variables it sets.
func (s *shell) subshell(f func() error) error {
	if err := s.work(50 * len(s.vars)); err != nil {
		return err
	}
	saved := maps.Clone(s.vars)
	err := f()
	s.vars = saved
	if errors.Is(err, errExit) {
		err = nil
	}
	return err
}

func (s *shell) binary(c *syntax.BinaryCmd, in *stream, out *output) error {
	switch c.Op {
	case syntax.Pipe:
		var between output
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

func (s *shell) caseClause(c *syntax.CaseClause, in *stream, out *output) error {
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
			if err := s.matching(len(re.String()), len(word)); err != nil {
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
			return ErrBudget
		}
		s.vars[a.Name.Value] = expand.Variable{Set: true, Kind: expand.String, Str: v}
	}
	return nil
}

func (s *shell) call(c *syntax.CallExpr, in *stream, out *output) error {
	if len(c.Args) == 0 {
		s.status = 0
		return s.assign(c.Assigns)
	}
	name := c.Args[0].Lit()
	if name == "" {
		return unknownf("the name of the command is computed")
	}
	run := toolOf(name)
	if run == nil {
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
	before := out.Len()
	if err := s.work(4 * len(in.data)); err != nil {
		return err
	}
	status, err := run(s, args[1:], in, out)
	s.status = status
	if out.over {
		return fmt.Errorf("%w: more than %d bytes of output", ErrBudget, maxOutput)
	}
	if err != nil {
		return err
	}
	return s.work(out.Len() - before)
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
