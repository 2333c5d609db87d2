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
	res := &Result{Component: c.Name, Config: c}
	if err := checkName(c); err != nil {
		res.fail(err)
		return res
	}
	r.setup()
	tree, src, err := r.Source(ctx, c)
	if err != nil {
		res.fail(err)
		return res
	}
	res.Upstream = src
	if res.Macros, err = r.macros(c); err != nil {
		res.fail(err)
		return res
	}
	macros, err := r.macrosFile(ctx, res)
	if err != nil {
		res.fail(err)
		return res
	}
	if macros != nil {
		tree.Files[macros.Path] = macros
	}
	load := loadSteps(macros)
	res.Ops = append(load[:len(load):len(load)], c.Overlays...)
	res.Spec = tree.Spec
	r.apply(res, tree, len(load))
	res.Diags = overlay.Adjust(res.Diags, r.levels())
	return res
}
