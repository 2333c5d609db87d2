package rebase

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/render"
)

// A Status says what there is to do for a component when upstream moves.
type Status string

// The statuses.
const (
	Free       Status = "free"                  // the new upstream can be taken as it is
	Reviewable Status = "look at the proposals" // and take them
	Open       Status = "needs work"            // there is something left to find out
	Unrendered Status = "does not render"       // with overlays of which none needs a person
	Failed     Status = "failed"                // nothing can be said
	Expected   Status = "fails, as expected"    // nothing can be said, as the component says itself
)

// An Outcome is what a rebase says of one component.
type Outcome struct {
	Component string           `json:"component"`
	From      string           `json:"from"`
	To        string           `json:"to"`
	Overlays  []OverlayOutcome `json:"overlays"`
	Due       []Due            `json:"due,omitempty"`   // overlays whose time has come
	Error     string           `json:"error,omitempty"` // why nothing can be said, or why the result does not render

	Result   *Component `json:"-"` // nil when nothing can be said
	Problems diag.List  `json:"-"` // behind Error
	Status   Status     `json:"-"`
}

// An OverlayOutcome is what a rebase says of one overlay.
type OverlayOutcome struct {
	Index    int          `json:"index"`
	Type     overlay.Type `json:"type"`
	Verdict  Verdict      `json:"verdict"`
	File     string       `json:"file"`
	Line     int          `json:"line"`
	Places   []Place      `json:"places"`
	Proposal string       `json:"proposal"` // a diff of the file, "" for none
	Reason   string       `json:"reason"`
	ThreeWay *ThreeWay    `json:"threeWay,omitempty"`
}

// Outcomes rebases components, several at a time, and keeps their order. With moved,
// those are left out that have no dist-git or where nothing is new. What is found is
// not judged yet: see Judge. When the context ends, its error is returned.
func (b *Rebaser) Outcomes(ctx context.Context, names []string, to string, moved bool, jobs int) ([]*Outcome, error) {
	list := make([]*Outcome, len(names))
	var pool errgroup.Group
	pool.SetLimit(jobs)
	for i, name := range names {
		pool.Go(func() error {
			list[i] = b.outcome(ctx, name, to, moved)
			return ctx.Err()
		})
	}
	if err := pool.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(o *Outcome) bool { return o == nil }), nil
}

// outcome rebases one component; nil when it is left out.
func (b *Rebaser) outcome(ctx context.Context, name, to string, moved bool) *Outcome {
	out := &Outcome{Component: name, Overlays: []OverlayOutcome{}, Status: Failed}
	c, problems := b.Renderer.Project.Component(name)
	if problems.HasErrors() || c == nil {
		out.Problems = problems
		return out
	}
	if moved && (!c.IsUpstream() || c.Spec.Source == "srpm") {
		return nil
	}
	res, err := b.Component(ctx, c, to)
	if err != nil {
		out.Problems = render.ListOf(err, name)
		if c.Build.Failure.Expected {
			out.Status = Expected
		}
		return out
	}
	if moved && res.From == res.To {
		return nil
	}
	out.Result, out.From, out.To = res, res.From, res.To
	return out
}

// Judge fills in what follows from the result: the overlays with their proposals as
// diffs, and what there is to do. Proposals that were not taken are none.
func (out *Outcome) Judge(p *components.Project) {
	c := out.Result
	if c == nil {
		out.Error = out.Problems.Errors()
		return
	}
	out.Due = c.Due
	for i := range c.Overlays {
		o := &c.Overlays[i]
		said := sayOverlay(o)
		if o.Proposed {
			text, err := ProposalDiff(p, o, o.Proposal)
			if err != nil {
				o.Proposed = false
				said.Reason = strings.TrimPrefix(said.Reason+"; "+diag.Message(err), "; ")
			}
			said.Proposal = text
		}
		out.Overlays = append(out.Overlays, said)
	}
	if !c.Proven && len(c.Problems) > 0 && !slices.ContainsFunc(c.Overlays, func(o Overlay) bool { return o.Verdict.NeedsPerson() }) {
		out.Status, out.Error, out.Problems = Unrendered, c.Problems.Errors(), c.Problems
		return
	}
	out.Status = statusOf(c.Worst(), c.Ready())
}

// statusOf says what there is to do when the most important verdict is this one, and
// all that needs a person has a proposal.
func statusOf(worst Verdict, ready bool) Status {
	switch {
	case !worst.NeedsPerson():
		return Free
	case ready:
		return Reviewable
	}
	return Open
}

func sayOverlay(o *Overlay) OverlayOutcome {
	return OverlayOutcome{Index: o.Index, Type: o.Op.Type, Verdict: o.Verdict, File: o.Op.Pos.Filename, Line: o.Op.Pos.Line,
		Places: o.Places, Reason: o.Reason, ThreeWay: o.ThreeWay}
}

// ByWork orders outcomes that have been judged: those that failed, then by the most
// important verdict, then by name; those that are expected to fail come last.
func ByWork(a, b *Outcome) int {
	index := func(o *Outcome) int {
		switch o.Status {
		case Expected:
			return len(Verdicts)
		case Failed, Unrendered:
			return -1
		}
		return slices.Index(Verdicts, o.Result.Worst())
	}
	return cmp.Or(index(a)-index(b), strings.Compare(a.Component, b.Component))
}

// Versions says between which versions upstream moved, "-" when there are none.
func (out *Outcome) Versions() string {
	c := out.Result
	if c == nil || c.FromVersion == "" && c.ToVersion == "" {
		return "-"
	}
	if c.FromVersion == c.ToVersion {
		return c.ToVersion
	}
	return c.FromVersion + " -> " + c.ToVersion
}

// Summary counts the verdicts, the most important first.
func (out *Outcome) Summary() string {
	if out.Result == nil {
		return "-"
	}
	var parts []string
	for _, v := range Verdicts {
		n := 0
		for _, o := range out.Overlays {
			if o.Verdict == v {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	if len(out.Due) > 0 {
		parts = append(parts, fmt.Sprintf("%d due", len(out.Due)))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// Take writes the proposals of those outcomes that are ready into the configuration,
// and moves the pins of their components. It returns the absolute paths of the
// files, none when there is nothing to write, and the components that have no pin
// and take another upstream with their next update.
func Take(p *components.Project, command string, list []*Outcome) (files, unpinned []string, err error) {
	var ready []*Component
	for _, out := range list {
		c := out.Result
		if c == nil || !c.Ready() {
			continue
		}
		ready = append(ready, c)
		if c.Config.Spec.UpstreamCommit == "" && c.From != c.To {
			unpinned = append(unpinned, out.Component)
		}
	}
	edits, err := Edits(p, ready)
	if err != nil || len(edits) == 0 {
		return nil, unpinned, err
	}
	if err := Write(p.Dir, p.Root, command, edits); err != nil {
		return nil, nil, err
	}
	for _, e := range edits {
		files = append(files, e.Path)
	}
	return files, unpinned, nil
}
