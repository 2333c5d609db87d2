// Package review shows cause and effect of a rendered component: what differs
// from upstream, which configuration line is the cause of each rendered line,
// and what every single overlay does.
//
// All views look at one render.Result and the tree it was made from; none
// renders by itself.
//
//	v := review.Open(ctx, renderer, "bash")
//	files, err := v.Diff()
//	for i := range files {
//		err = files[i].Write(os.Stdout, review.Style{})
//	}
package review

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/spec"
	"specgraft/render"
)

// A View is one component before and after rendering.
type View struct {
	Result *render.Result
	// Before is the packaging as it was found; its Spec is nil when the
	// component could not be fetched.
	Before *overlay.Tree

	lines history              // of the spec
	files map[string][]version // of the other files by their last path; nil until asked for
}

// Open renders a component in memory and returns a view of it. Problems are in
// the diagnostics of the result; a component that failed shows how far it came.
func Open(ctx context.Context, r *render.Renderer, name string) *View {
	return of(ctx, r, r.Render(ctx, name))
}

// OpenConfig is Open for a component whose configuration was changed after it
// was loaded.
func OpenConfig(ctx context.Context, r *render.Renderer, c *components.Component) *View {
	return of(ctx, r, r.RenderComponent(ctx, c))
}

// OpenOverlaid is OpenConfig as far as the overlays: what rendering does behind
// them is not there.
func OpenOverlaid(ctx context.Context, r *render.Renderer, c *components.Component) *View {
	return of(ctx, r, r.Overlaid(ctx, c))
}

func of(ctx context.Context, r *render.Renderer, res *render.Result) *View {
	v := &View{Result: res, Before: &overlay.Tree{}}
	if res.Spec == nil || res.Config == nil {
		return v
	}
	if tree, _, err := r.Source(ctx, res.Config); err == nil {
		v.Before = tree
		v.lines = trace(tree.Spec, res.Spec.Log())
	}
	return v
}

// history follows the lines of a spec through edits.
type history struct {
	old  []spec.Line              // before
	new  []spec.Line              // after
	was  []int32                  // for each new line its index in old; below 0 for none, another number for each
	gone []*spec.Origin           // for each old line who removed it, nil while it stands
	also map[int32][]*spec.Origin // who changed a line before the last one did, by was
}

// trace plays edits on the lines of a file.
func trace(f *spec.File, log []spec.Edit) history {
	h := history{old: make([]spec.Line, f.Len())}
	for i := range h.old {
		h.old[i] = *f.Line(i)
	}
	h.play(log)
	return h
}

// play applies edits to h.old and fills the rest.
func (h *history) play(log []spec.Edit) {
	n := len(h.old)
	h.new = append(make([]spec.Line, 0, n+n/8+16), h.old...)
	h.was = make([]int32, n, n+n/8+16)
	h.gone = make([]*spec.Origin, n)
	for i := range h.was {
		h.was[i] = int32(i)
	}
	h.also = map[int32][]*spec.Origin{}
	next := int32(0) // the last number given to a new line
	for i := range log {
		e := &log[i]
		both := min(len(e.Old), len(e.New))
		for k := range both {
			was := h.was[e.Index+k]
			if by := h.new[e.Index+k].Origin; by != nil && by != e.Origin && e.Old[k].Text != e.New[k].Text {
				h.also[was] = append(h.also[was], by)
			}
		}
		copy(h.new[e.Index:], e.New[:both])
		if len(e.Old) == len(e.New) {
			continue
		}
		for _, w := range h.was[e.Index+both : e.Index+len(e.Old)] {
			if w >= 0 {
				h.gone[w] = e.Origin
			}
		}
		h.new = splice(h.new, e.Index+both, len(e.Old)-both, e.New[both:])
		fresh := make([]int32, len(e.New)-both)
		for k := range fresh {
			next--
			fresh[k] = next
		}
		h.was = splice(h.was, e.Index+both, len(e.Old)-both, fresh)
	}
}

// splice replaces n elements of s at i.
func splice[T any](s []T, i, n int, with []T) []T {
	d := len(with) - n
	if d > 0 {
		s = append(s, with[:d]...) // any d elements: they are overwritten
		copy(s[i+len(with):], s[i+n:len(s)-d])
	} else {
		copy(s[i+len(with):], s[i+n:])
		s = s[:len(s)+d]
	}
	copy(s[i:], with)
	return s
}

// lineEndings is the origin of lines that differ from upstream in the line
// ending only: rendered specs have LF after every line.
var lineEndings = &spec.Origin{Step: "line-endings", Index: -1, Description: "rendered specs have LF after every line"}

// A Cause is an origin in a form that commands print.
type Cause struct {
	Step        string `json:"step"`                  // overlay type, or the renderer's step
	Index       int    `json:"index"`                 // position among the component's overlays from 0, -1 for a step of the renderer
	File        string `json:"file,omitempty"`        // of the configuration
	Line        int    `json:"line,omitempty"`        //
	Description string `json:"description,omitempty"` // the overlay's own
}

// causeOf returns the printed form of an origin, nil for nil.
func causeOf(o *spec.Origin) *Cause {
	if o == nil {
		return nil
	}
	return &Cause{Step: o.Step, Index: o.Index, File: o.Pos.Filename, Line: o.Pos.Line, Description: o.Description}
}

// String returns "FILE:LINE STEP", or the step alone when it stands nowhere.
func (c *Cause) String() string {
	if c == nil {
		return "upstream"
	}
	if c.File == "" || c.Line == 0 {
		return c.Step
	}
	return fmt.Sprintf("%s:%d %s", c.File, c.Line, c.Step)
}

// Label is String with the description, when there is one, cut to the first
// line and some 80 characters.
func (c *Cause) Label() string {
	d, _, more := strings.Cut(strings.TrimSpace(c.Description), "\n")
	const limit = 80
	if r := []rune(d); len(r) > limit {
		d = strings.TrimRightFunc(string(r[:limit]), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		more = true
	}
	if more {
		d += " ..."
	}
	if d == "" {
		return c.String()
	}
	return c.String() + ": " + d
}
