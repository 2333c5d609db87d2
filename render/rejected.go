package render

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"slices"
	"strings"

	"specgraft/fedora/macro"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
	"specgraft/render/template"
)

// rejected returns what rpm would not accept of a rendered spec at the places
// that the lines come from: an overlay or the template. Problems of lines that
// are upstream's own are left out.
func (r *Renderer) rejected(ctx context.Context, res *Result, tree *overlay.Tree, text []byte, set *macro.Set) diag.List {
	s := macro.Eval(res.Component+".spec", text, macro.Config{Set: set, FS: treeFS{tree}, AutoreleaseProbe: true, Stop: ctx.Done()})
	var list diag.List
	for _, d := range s.Problems {
		i := d.Pos.Line - 1
		if d.Severity != diag.Error || i < 0 || i >= tree.Spec.Len() {
			continue
		}
		o, missing := tree.Spec.Line(i).Origin, macro.MissingTag(d)
		if missing != "" {
			o = lacking(tree.Spec, missing)
		} else {
			d.Related = append(d.Related, diag.Related{Pos: token.Position{Filename: d.Pos.Filename, Line: d.Pos.Line},
				Message: "in the rendered spec: " + strings.TrimSpace(tree.Spec.Line(i).Text)})
		}
		if o == nil || !o.Pos.IsValid() {
			continue
		}
		d.Pos, d.End = o.Pos, token.Position{}
		d.Message = "rpm would reject the spec: " + d.Message
		if o.Step == templateStep {
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
		list = append(list, d)
	}
	return list
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

// acceptable fails a templated component whose spec rpm would not accept. The
// project wrote all of it, so there is nobody else to find out.
func (r *Renderer) acceptable(ctx context.Context, res *Result, tree *overlay.Tree) bool {
	if res.Config.Spec.Type != "template" || res.Autospec != nil {
		return true // what has a history was looked at when that was computed
	}
	return res.add(r.rejected(ctx, res, tree, res.text, res.Macros))
}

// failAutospec takes an error of the history step. That the spec is rejected is
// said where the lines come from, where that is known.
func (r *Renderer) failAutospec(ctx context.Context, res *Result, tree *overlay.Tree, text []byte, err error) bool {
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok && d.Code == "autospec/spec-rejected" {
		set := res.Macros
		if set == nil {
			set = macro.SRPM() // as the history step
		}
		if l := r.rejected(ctx, res, tree, text, set); len(l) > 0 {
			return res.add(l)
		}
	}
	return res.fail(err)
}
