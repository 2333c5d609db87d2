package rebase

import (
	"context"
	"os"
	"slices"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/diag"
)

// A Retirement is what would become of a component without the overlays that
// are due.
type Retirement struct {
	Name string
	Due  []Due
	// Proven says that the component renders without them, and that wherever
	// it then reads differently it reads as upstream does.
	Proven   bool
	Problems diag.List
}

// Retire finds the overlays of a component that are due, and proves that they
// can go. It is nil when none is.
func (b *Rebaser) Retire(ctx context.Context, c *components.Component) (*Retirement, error) {
	if !slices.ContainsFunc(c.Overlays, func(op overlay.Op) bool { return op.Metadata != nil }) {
		return nil, nil
	}
	tree, src, err := b.Renderer.Source(ctx, c)
	if err != nil {
		return nil, err
	}
	r := &Retirement{Name: c.Name, Due: b.Due(ctx, c, tree, src.Commit)}
	if len(r.Due) == 0 {
		return nil, nil
	}
	without := *c
	without.Overlays = nil
	for i := range c.Overlays {
		if !slices.ContainsFunc(r.Due, func(d Due) bool { return d.Index == i }) {
			without.Overlays = append(without.Overlays, c.Overlays[i])
		}
	}
	now, then := b.Renderer.RenderComponent(ctx, c), b.Renderer.RenderComponent(ctx, &without)
	if then.Failed() {
		for _, d := range then.Diags {
			if d.Severity == diag.Error {
				r.Problems = append(r.Problems, d)
			}
		}
		return r, nil
	}
	if now.Failed() || now.Spec == nil || then.Spec == nil {
		r.Proven = true // it failed with them, and does no longer
		return r, nil
	}
	for _, h := range absorb.Lines(linesOf(now.Spec), linesOf(then.Spec)) {
		for i := h.NewStart; i < h.NewEnd; i++ {
			// What the renderer computes itself, such as the release, may
			// change with it; what another overlay writes may not.
			if o := then.Spec.Line(i).Origin; o != nil && o.Index >= 0 {
				d := r.Problems.Add(o.Pos, "retire/entangled", "without the overlays that are due, this %s would write another line: %s", o.Step, then.Spec.Line(i).Text)
				d.Component = c.Name
			}
		}
	}
	for _, f := range then.Files {
		if f.Origin == nil || f.Origin.Index < 0 {
			continue
		}
		i := slices.IndexFunc(now.Files, func(g *overlay.File) bool { return g.Path == f.Path })
		if i < 0 || !sameBytes(now.Files[i], f) {
			d := r.Problems.Add(f.Origin.Pos, "retire/entangled", "without the overlays that are due, this %s would write another %s", f.Origin.Step, f.Path)
			d.Component = c.Name
		}
	}
	r.Proven = len(r.Problems) == 0
	return r, nil
}

// RetireEdits returns the edits that remove overlays with the files that
// nothing else uses. A document of which no overlay is left is removed.
func RetireEdits(p *components.Project, list []*Retirement) ([]FileEdit, error) {
	e := newEditors(p)
	var dropped []*overlay.Op
	for _, r := range list {
		if !r.Proven {
			continue
		}
		for _, d := range r.Due {
			if err := e.replace(d.Op, nil); err != nil {
				return nil, err
			}
			dropped = append(dropped, d.Op)
		}
	}
	edits := e.edits()
	for i := range edits {
		if left := countOverlays(edits[i].After); left == 0 && isDocument(dropped, p, edits[i].Path) {
			edits[i].After = nil
		}
	}
	for _, f := range sourceFiles(p, dropped) {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, journalProblem(f, err)
		}
		edits = append(edits, FileEdit{Path: f, Before: data})
	}
	return edits, nil
}

// isDocument reports whether overlays of a file come from an overlay document.
func isDocument(ops []*overlay.Op, p *components.Project, file string) bool {
	return slices.ContainsFunc(ops, func(op *overlay.Op) bool {
		return p.FileOf(op) == file && components.InDocument(op)
	})
}

func countOverlays(data []byte) int {
	ops, _ := components.ParseOverlays("x.toml", data)
	return len(ops)
}
