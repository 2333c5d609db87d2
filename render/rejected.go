package render

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"specgraft/fedora/macro"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
	"specgraft/render/template"
)

// explainTemplate adds to a problem of a templated spec what its author needs.
func explainTemplate(res *Result, o *spec.Origin, missing string, d *diag.Diagnostic) {
	if o.Step != templateStep {
		return
	}
	if missing != "" {
		d.Hint = "let the template write the tag; 'specgraft template check' looks at all templates"
	} else {
		for _, v := range o.Values {
			d.Related = append(d.Related, diag.Related{Pos: v, Message: "the value stands here"})
		}
	}
	d.Related = append(d.Related, diag.Related{Pos: template.New(res.Config).Pos,
		Message: fmt.Sprintf("rendered with template %q for this table", res.Config.Spec.Template)})
}

// lacking returns who is to blame for a missing tag: what removed it, or else
// the template, which should have written it.
func lacking(f *spec.File, tag string) *spec.Origin {
	for _, e := range slices.Backward(f.Log()) {
		for i := range e.Old {
			if name, _, ok := e.Old[i].Tag(); ok && strings.EqualFold(name, tag) {
				return e.Origin
			}
		}
	}
	for i := range f.Len() {
		if o := f.Line(i).Origin; o != nil && o.Step == templateStep {
			return o
		}
	}
	return nil
}

// failAutospec takes an error of the history step. That the spec is rejected is
// said where the lines come from, where that is known.
func (r *Renderer) failAutospec(ctx context.Context, res *Result, tree *overlay.Tree, text []byte, err error) bool {
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok && d.Code == "autospec/spec-rejected" {
		cfg := r.evaluation(ctx, res, tree)
		if cfg.Set == nil {
			cfg.Set = macro.SRPM() // as the history step
		}
		if !r.report(res, tree, slices.DeleteFunc(r.examine(res, tree, text, cfg), func(f finding) bool { return !f.Rejected })) {
			return false
		}
	}
	return res.fail(err)
}
