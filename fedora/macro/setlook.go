package macro

import (
	"go/token"
	"strings"

	"specgraft/overlay/regex"
)

// Has reports whether the set, or rpm itself, defines a macro. A nil set is the
// built-in one.
func (s *Set) Has(name string) bool {
	if s == nil {
		s = Builtin()
	}
	return s.macros[name] != nil || builtins[name] != nil
}

// prepLines are macros of %prep, which rpm turns into several commands.
var prepLines = regex.Once(`(?:^|[^%])(?:%%)*%\{?(?:auto)?(?:setup|patch)\b`)

// Lines returns how many lines a text of one line has when its macros are
// expanded by the set. A nil set is the built-in one.
func (s *Set) Lines(text string) int {
	if prepLines().MatchString(text) {
		return 2
	}
	v := New(Config{Set: s}).Expand(token.Position{Line: 1}, text)
	return strings.Count(strings.TrimRight(v.Text, "\n"), "\n") + 1
}
