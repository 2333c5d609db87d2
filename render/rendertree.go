package render

import (
	"context"

	"specgraft/components"
	"specgraft/overlay"
)

// RenderTree renders a component from packaging that the caller has, such as
// another upstream commit than the configured one. The tree is changed.
func (r *Renderer) RenderTree(ctx context.Context, c *components.Component, tree *overlay.Tree, src Source) *Result {
	res := &Result{Component: c.Name, Config: c, Upstream: src}
	if err := CheckName(c); err != nil {
		res.fail(err)
		return res
	}
	r.setup()
	if r.render(ctx, res, tree) {
		r.filter(ctx, res, tree)
	}
	res.Diags = overlay.Adjust(res.Diags, r.levels())
	return res
}

// OpenSource reads a file that an overlay brings in, within the bounds that the
// renderer keeps.
func (r *Renderer) OpenSource() overlay.Source {
	r.setup()
	return r.sources.open
}
