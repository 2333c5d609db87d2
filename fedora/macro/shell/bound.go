package shell

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"specgraft/fedora/macro/fuel"
)

// tooLarge refuses a command that could nest deeper than the parser should go,
// before it is parsed: parser and expansion of the library recurse for each
// quote, bracket, operator and compound command. None nests deeper than there
// are such tokens.
func tooLarge(cmd string) error {
	if len(cmd) > fuel.ShellText {
		return fmt.Errorf("%w: it is longer than %d bytes", ErrBudget, fuel.ShellText)
	}
	n, word := 0, 0
	for i := 0; i <= len(cmd); i++ {
		if i < len(cmd) && partOfName(cmd[i]) {
			continue
		}
		if compound[cmd[word:i]] {
			n++
		}
		word = i + 1
		if i < len(cmd) && strings.IndexByte("(){}[]`\"'$<>&|!~*?=+-:%/^,", cmd[i]) >= 0 {
			n++
		}
	}
	if n > fuel.ShellTokens {
		return fmt.Errorf("%w: it has more than %d quotes, brackets, operators and reserved words", ErrBudget, fuel.ShellTokens)
	}
	return nil
}

// compound are the words that begin a command which holds others.
var compound = map[string]bool{"if": true, "elif": true, "else": true, "while": true, "until": true, "for": true,
	"case": true, "select": true, "function": true, "time": true, "coproc": true}

// affordable refuses to expand words whose expansion could take too much, which
// the library does not bound: ${x//a/$x} and patterns on long values.
func (s *shell) affordable(words ...*syntax.Word) error {
	size := 0
	for _, w := range words {
		if w == nil {
			continue
		}
		if err := s.affordableNode(w); err != nil {
			return err
		}
		if len(words) > 1 && assigns(w) { // the others are bounded by what they are now
			return unknownf("a variable is assigned where others are expanded")
		}
		if size += s.length(w); size > 4*maxOutput {
			return fmt.Errorf("%w: an expansion is longer than %d bytes", ErrBudget, 4*maxOutput)
		}
	}
	return s.work(size)
}

// affordableNode is affordable for all parameters in a part of the program.
func (s *shell) affordableNode(node syntax.Node) error {
	if err := s.step(); err != nil {
		return err
	}
	var err error
	changes := assigns(node)
	depth, open := 0, []bool(nil)
	syntax.Walk(node, func(n syntax.Node) bool {
		if n == nil {
			if last := len(open) - 1; last >= 0 {
				if open[last] {
					depth--
				}
				open = open[:last]
			}
			return true
		}
		if err != nil {
			return false
		}
		p, isParam := n.(*syntax.ParamExp)
		switch n.(type) {
		case *syntax.CmdSubst, *syntax.ProcSubst:
			return false // expanded on their own
		}
		open = append(open, isParam)
		if isParam {
			if depth++; depth > maxDepth {
				err = fmt.Errorf("%w: parameters nested more than %d deep", ErrBudget, maxDepth)
			} else if err = s.param(p); err == nil && changes && (p.Repl != nil || takesPattern(p)) {
				err = unknownf("a variable is assigned where others are expanded")
			}
		}
		return true
	})
	return err
}

// assigns reports whether expanding a part of the program assigns to a variable
// by ${x:=y}. The bounds are those of the values before.
func assigns(node syntax.Node) bool {
	found := false
	syntax.Walk(node, func(n syntax.Node) bool {
		if p, ok := n.(*syntax.ParamExp); ok && p.Exp != nil && (p.Exp.Op == syntax.AssignUnset || p.Exp.Op == syntax.AssignUnsetOrNull) {
			found = true
		}
		return !found
	})
	return found
}

// takesPattern reports whether a parameter is matched with a pattern.
func takesPattern(p *syntax.ParamExp) bool {
	if p.Exp == nil || p.Exp.Word == nil {
		return false
	}
	switch p.Exp.Op {
	case syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix,
		syntax.UpperFirst, syntax.UpperAll, syntax.LowerFirst, syntax.LowerAll:
		return true
	}
	return false
}

// param refuses a parameter whose expansion could take too much.
func (s *shell) param(p *syntax.ParamExp) error {
	value := s.value(p)
	switch {
	case p.Repl != nil:
		if p.Repl.Orig != nil {
			if err := s.matching(s.length(p.Repl.Orig), value); err != nil {
				return err
			}
		}
		if size := s.length(p); size > maxOutput {
			return fmt.Errorf("%w: a replacement could give %d bytes", ErrBudget, size)
		}
	case takesPattern(p):
		return s.matching(s.length(p.Exp.Word), value)
	}
	return nil
}

// matching accounts for matching a text with a pattern, both of the given
// lengths.
func (s *shell) matching(pattern, text int) error {
	if pattern > fuel.RegexpText {
		return fmt.Errorf("%w: a pattern is longer than %d bytes", ErrBudget, fuel.RegexpText)
	}
	return s.work(4 * (pattern + 8) * (text + 1))
}

// value returns the length of the value of a parameter.
func (s *shell) value(p *syntax.ParamExp) int {
	n := 0
	if p.Excl { // the variable it names
		for _, v := range s.vars {
			n = max(n, len(v.Str))
		}
	} else if p.Param != nil {
		n = len(s.vars[p.Param.Value].Str)
	}
	return n
}

// length returns a bound for the length of what a part of a word expands to.
// Command substitutions, which are bounded on their own, count as nothing,
// except where they are multiplied.
func (s *shell) length(node syntax.Node) int {
	n := 0
	switch p := node.(type) {
	case *syntax.Word:
		for _, part := range p.Parts {
			n += s.length(part)
		}
	case *syntax.DblQuoted:
		for _, part := range p.Parts {
			n += s.length(part)
		}
	case *syntax.Lit:
		n = len(p.Value)
	case *syntax.SglQuoted:
		n = len(p.Value)
	case *syntax.ParamExp:
		n = s.value(p)
		switch {
		case p.Repl != nil:
			with := 0
			if p.Repl.With != nil {
				with = s.replacement(p.Repl.With)
			}
			times := 1
			if p.Repl.All {
				times = n + 1
			}
			n += times * with
		case p.Exp != nil && p.Exp.Word != nil:
			n = 4*n + s.length(p.Exp.Word)
		}
	}
	return min(n, 1<<40)
}

// replacement returns the length of what stands for each match.
func (s *shell) replacement(w *syntax.Word) int {
	substitutes := false
	syntax.Walk(w, func(n syntax.Node) bool {
		if _, ok := n.(*syntax.CmdSubst); ok {
			substitutes = true
		}
		return !substitutes
	})
	if !substitutes {
		return s.length(w)
	}
	text := ""
	err := s.subshell(func() (err error) {
		text, err = s.word(w)
		return err
	})
	if err != nil {
		return 1 << 30 // the expansion will fail, too
	}
	return len(text)
}
