package render

import (
	"context"

	"specgraft/components"
	"specgraft/overlay"
)

// Overlaid applies the overlays of a component to its packaging and leaves out
// everything that rendering does behind them, which needs the spec's evaluation
// and git history: an editor asks for it after every key. It lacks the files,
// and the problems, that follow from that.
func (r *Renderer) Overlaid(ctx context.Context, c *components.Component) *Result {
	res, tree := r.begin(ctx, c, nil)
	if tree == nil {
		return res
	}
	r.overlays(ctx, res, tree)
	res.Diags = overlay.Adjust(res.Diags, r.levels())
	return res
}
