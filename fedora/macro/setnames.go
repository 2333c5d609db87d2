package macro

import (
	"maps"
	"slices"
)

// Names returns the names of the set's macros, sorted. A nil set is the built-in
// one.
func (s *Set) Names() []string {
	if s == nil {
		s = Builtin()
	}
	return slices.Sorted(maps.Keys(s.macros))
}

// Body returns the text that a macro of the set stands for, and whether the set
// has it. What is computed in Go has no text. A nil set is the built-in one.
func (s *Set) Body(name string) (string, bool) {
	if s == nil {
		s = Builtin()
	}
	d := s.macros[name]
	if d == nil {
		return "", false
	}
	return d.body, true
}
