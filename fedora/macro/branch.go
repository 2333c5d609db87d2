package macro

import (
	"go/token"
	"strings"
)

// A Branch is one %if, %elif or %else line, or one of their kin, with what
// became of the text behind it.
type Branch struct {
	Pos   token.Position
	Read  bool // the text is a part of the spec
	Maybe bool // that is not known
}

// branched notes what became of the branch that begins at the present line.
func (r *reader) branched() {
	if r.onBranch == nil || len(r.inputs) != 1 {
		return
	}
	b := Branch{Pos: r.e.pos, Read: r.reading()}
	if n := len(r.conds); n > 0 {
		b.Maybe = r.conds[n-1].active
	}
	r.onBranch(b)
}

// Dependencies splits the value of a dependency tag as rpm does and returns each
// dependency in rpm's own spelling: "a >= 1, b => 2 (c or  d)" is "a >= 1",
// "b >= 2" and "(c or d)".
func Dependencies(value string) []string { return dependencies(value) }

// IsDependency reports whether rpm takes the tag for a list of dependencies. The
// name may be in any case.
func IsDependency(tag string) bool {
	info := tagIndex[strings.ToLower(tag)]
	return info != nil && info.kind == kindDeps
}
