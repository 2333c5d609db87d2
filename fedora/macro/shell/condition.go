package shell

import (
	"regexp"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"

	"specgraft/overlay/diag"
)

// testExpr evaluates [[ … ]].
func (s *shell) testExpr(x syntax.TestExpr) (bool, error) {
	if err := s.step(); err != nil {
		return false, err
	}
	switch x := x.(type) {
	case *syntax.Word:
		w, err := s.word(x)
		return w != "", err
	case *syntax.ParenTest:
		return s.testExpr(x.X)
	case *syntax.UnaryTest:
		if x.Op == syntax.TsNot {
			ok, err := s.testExpr(x.X)
			return !ok, err
		}
		w, ok := x.X.(*syntax.Word)
		if !ok {
			return false, unknownf("this test is not evaluated")
		}
		v, err := s.word(w)
		if err != nil {
			return false, err
		}
		return s.unaryTest(x.Op.String(), v)
	case *syntax.BinaryTest:
		switch x.Op {
		case syntax.AndTest, syntax.OrTest:
			ok, err := s.testExpr(x.X)
			if err != nil || ok != (x.Op == syntax.AndTest) {
				return ok, err
			}
			return s.testExpr(x.Y)
		}
		xw, okx := x.X.(*syntax.Word)
		yw, oky := x.Y.(*syntax.Word)
		if !okx || !oky {
			return false, unknownf("this test is not evaluated")
		}
		left, err := s.word(xw)
		if err != nil {
			return false, err
		}
		switch x.Op {
		case syntax.TsMatchShort, syntax.TsMatch, syntax.TsNoMatch:
			re, err := s.pattern(yw)
			if err != nil {
				return false, err
			}
			if err := s.matching(len(re.String()), len(left)); err != nil {
				return false, err
			}
			return re.MatchString(left) == (x.Op != syntax.TsNoMatch), nil
		case syntax.TsReMatch:
			return false, unknownf("=~ is not evaluated")
		}
		right, err := s.word(yw)
		if err != nil {
			return false, err
		}
		return s.binaryTest(left, x.Op.String(), right, true)
	}
	return false, unknownf("this test is not evaluated")
}

// pattern makes a regular expression of a shell pattern; quoted parts are
// literal.
func (s *shell) pattern(w *syntax.Word) (*regexp.Regexp, error) {
	text := ""
	for _, p := range w.Parts {
		one := &syntax.Word{Parts: []syntax.WordPart{p}}
		v, err := s.word(one)
		if err != nil {
			return nil, err
		}
		switch p := p.(type) {
		case *syntax.Lit:
			text += p.Value
		case *syntax.SglQuoted, *syntax.DblQuoted:
			text += pattern.QuoteMeta(v, 0)
		default:
			text += v
		}
	}
	if err := s.matching(len(text), 0); err != nil {
		return nil, err
	}
	re, err := pattern.Regexp(text, pattern.EntireString)
	if err != nil {
		return nil, unknownf("the pattern %s is not evaluated", diag.Excerpt(text))
	}
	compiled, err := regexp.Compile(re)
	if err != nil {
		return nil, unknownf("the pattern %s is not evaluated", diag.Excerpt(text))
	}
	return compiled, nil
}

// ownDirectories belong to the package rpm: they are there wherever a spec is
// read. Specs ask for them to tell old versions of rpm apart.
var ownDirectories = map[string]bool{"/usr/lib/rpm": true, "/usr/lib/rpm/macros.d": true, "/etc/rpm": true}

func (s *shell) unaryTest(op, v string) (bool, error) {
	switch op {
	case "-n":
		return v != "", nil
	case "-z":
		return v == "", nil
	case "-d", "-e":
		if ownDirectories[strings.TrimRight(v, "/")] {
			return true, nil
		}
	}
	return false, unknownf("test %s %s looks at a file", op, diag.Excerpt(v))
}

// binaryTest compares; < and > compare texts in the C locale and are only known
// to [[.
func (s *shell) binaryTest(left, op, right string, double bool) (bool, error) {
	switch op {
	case "=", "==":
		return left == right, nil
	case "!=":
		return left != right, nil
	case "<":
		if double {
			return left < right, nil
		}
	case ">":
		if double {
			return left > right, nil
		}
	case "-eq", "-ne", "-lt", "-le", "-gt", "-ge":
		a, err1 := strconv.Atoi(strings.TrimSpace(left))
		b, err2 := strconv.Atoi(strings.TrimSpace(right))
		if err1 != nil || err2 != nil {
			return false, unknownf("test %s wants numbers", op)
		}
		switch op {
		case "-eq":
			return a == b, nil
		case "-ne":
			return a != b, nil
		case "-lt":
			return a < b, nil
		case "-le":
			return a <= b, nil
		case "-gt":
			return a > b, nil
		}
		return a >= b, nil
	}
	return false, unknownf("test with %s is not evaluated", op)
}

// toolTest is test and [.
func toolTest(s *shell, args []string, _ *stream, _ *output) (int, error) {
	not := false
	for len(args) > 0 && args[0] == "!" && len(args) != 3 {
		not, args = !not, args[1:]
	}
	var ok bool
	var err error
	switch len(args) {
	case 0:
	case 1:
		ok = args[0] != ""
	case 2:
		ok, err = s.unaryTest(args[0], args[1])
	case 3:
		ok, err = s.binaryTest(args[0], args[1], args[2], false)
	case 7:
		if args[3] != "-a" && args[3] != "-o" {
			return 2, unknownf("this test is not evaluated")
		}
		ok, err = s.binaryTest(args[0], args[1], args[2], false)
		if err == nil && ok == (args[3] == "-a") {
			ok, err = s.binaryTest(args[4], args[5], args[6], false)
		}
	default:
		return 2, unknownf("this test is not evaluated")
	}
	if ok == not {
		return 1, err
	}
	return 0, err
}
