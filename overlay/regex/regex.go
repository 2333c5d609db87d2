// Package regex makes regular expressions of package regexp that cost nothing
// before they are used, and says what one costs before it is compiled.
package regex

import (
	"regexp"
	"regexp/syntax"
	"sync"
)

// Once returns a function that returns expr, an expression of package regexp,
// compiled when it is first asked for: tables have many that most runs never
// need. The function panics when expr is wrong.
func Once(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// Size returns about how many instructions an expression compiles to, at most
// 1<<20. It is known before they are made: a{1000} is a thousand of them. The
// parser bounds the depth of the tree.
func Size(re *syntax.Regexp) int {
	size := 1
	switch re.Op {
	case syntax.OpLiteral:
		size = len(re.Rune)
	case syntax.OpCharClass:
		size = 1 + len(re.Rune)/8
	}
	for _, sub := range re.Sub {
		size += Size(sub)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Min, re.Max, 1)
	}
	return min(size, 1<<20) // may be repeated once more, by at most 1000
}
