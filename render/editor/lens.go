package editor

import (
	"context"
	"fmt"
	"path/filepath"

	"specgraft/overlay"
	"specgraft/render/editor/buffer"
	"specgraft/render/review"
)

// A Lens is a word above a line: what an overlay does.
type Lens struct {
	Span    buffer.Span
	Title   string
	Command string // what it runs, "" for nothing
	Args    []any
}

// Lenses returns what the overlays and components of a file do. It renders what
// the file touches, up to a bound.
func (s *Snapshot) Lenses(ctx context.Context, path string) []Lens {
	if s.Project == nil || filepath.Ext(path) != ".toml" {
		return nil
	}
	var list []Lens
	seen := map[int]bool{}
	names := s.ComponentsOf(path)
	for i, name := range names {
		if ctx.Err() != nil || i >= maxLensed {
			break
		}
		c := s.Component(name)
		if !worthwhile(c) {
			continue
		}
		g := s.healthOf(ctx, name, false)
		if g == nil || g.missing() {
			continue
		}
		lines := 0
		for k := range c.Overlays {
			op := &c.Overlays[k]
			st := g.step(k)
			if st == nil {
				continue
			}
			lines += added(st)
			if s.Project.FileOf(op) != path || seen[op.Pos.Line*10000+op.Pos.Column] {
				continue
			}
			seen[op.Pos.Line*10000+op.Pos.Column] = true
			p, ok := s.place(op.Pos, op.Pos)
			if !ok {
				continue
			}
			list = append(list, Lens{p.Span, title(user{name, k, op}, st), CommandStep, []any{name, st.Num}})
		}
		if s.path(c.Pos.Filename) == path && len(c.Overlays) > 0 {
			if p, ok := s.place(c.Pos, c.Pos); ok {
				list = append(list, Lens{p.Span, fmt.Sprintf("renders %d line%s", lines, plural(lines)), CommandDiff, []any{name}})
			}
		}
	}
	return list
}

// maxLensed bounds the components of one file that have lenses.
const maxLensed = 300

// added is the number of lines that an overlay wrote.
func added(st *review.Step) int {
	n := 0
	for i := range st.Files {
		n += st.Files[i].Added
	}
	return n
}

// opTitle names an overlay for people.
func opTitle(op *overlay.Op) string {
	if op.Description != "" {
		return fmt.Sprintf("%s (%s)", op.Type, op.Description)
	}
	return string(op.Type)
}
