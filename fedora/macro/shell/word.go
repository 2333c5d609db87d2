package shell

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"specgraft/overlay/diag"
)

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
	var out output
	if err := s.subshell(func() error { return s.stmts(c.Stmts, &stream{}, &out) }); err != nil {
		s.err = err
		return err
	}
	if s.substs += out.Len(); s.substs > maxSubsts {
		s.err = fmt.Errorf("%w: command substitutions give more than %d bytes", ErrBudget, maxSubsts)
		return s.err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// maxSubsts bounds what the substitutions of one command give together.
const maxSubsts = 8 * maxOutput

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
	if errors.Is(err, ErrBudget) {
		return err
	}
	return unknownf("an expansion fails: %v", err)
}

func (s *shell) word(w *syntax.Word) (text string, err error) {
	defer recovered(&err)
	if w == nil {
		return "", nil
	}
	if err := s.affordable(w); err != nil {
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
	if err := s.affordable(w); err != nil {
		return "", err
	}
	text, err = expand.Document(s.config(), w)
	return text, s.expanded(err)
}

func (s *shell) fields(words []*syntax.Word) (list []string, err error) {
	defer recovered(&err)
	if err := s.affordable(words...); err != nil {
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
	if err := s.affordableNode(x); err != nil {
		return 0, err
	}
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
	if s.env.SourceRoot && unset(name) {
		return expand.Variable{}
	}
	if s.err == nil {
		s.err = unknownf("the variable %s comes from the environment", diag.Excerpt(name))
	}
	return expand.Variable{Set: true, Kind: expand.String}
}

// unset reports whether a variable has no value in the environment of a root in
// which sources are listed: the names there are in capital letters, but for
// those of proxies.
func unset(name string) bool {
	return strings.ToLower(name) == name && strings.ContainsFunc(name, func(r rune) bool { return 'a' <= r && r <= 'z' }) && !strings.HasSuffix(name, "_proxy")
}

// Each implements expand.Environ.
func (s *shell) Each(func(name string, vr expand.Variable) bool) {}

// Set implements expand.WriteEnviron, for ${x:=y} and arithmetic.
func (s *shell) Set(name string, v expand.Variable) error {
	if len(v.Str) > maxOutput {
		return ErrBudget
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
