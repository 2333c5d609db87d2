package pattern

import (
	"regexp"
	"sync"
)

// Once returns a function that returns expr, an expression of package regexp,
// compiled when it is first asked for: tables have many that most runs never
// need. The function panics when expr is wrong.
func Once(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
