package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"specgraft/fedora/repodata"
	"specgraft/overlay/diag"
	"specgraft/render/facts"
	"specgraft/render/revision"
)

// A Planner finds out what has to be built of a project.
type Planner struct {
	Archs        []string
	Loaders      facts.Loaders     // one for each architecture
	Repositories []repodata.Reader // what they say of built packages
	// Meaning leaves components out in which nothing changed in meaning, and rebuilds
	// for those packages alone that changed. Reason says of each change what it is.
	Meaning, Reason bool
	// Evaluating is told, unless it is nil, how many specs will be evaluated.
	Evaluating func(specs int)
}

// Work is what has to be built, before it is put into an order.
type Work struct {
	Graph *Graph
	Set   map[string][]Reason // components to build, and why
	// Packages are those that changed, of components of which not all did.
	Packages map[string]map[string]bool
	From, To string    // commits that were compared
	Removed  []string  // components that are gone
	Failed   diag.List // problems of components to build
	// Unrendered are components that are not in the graph, since they cannot be
	// rendered as they are.
	Unrendered []string

	archs    []string
	evaluate Evaluate
}

// WorkingTree takes components as the working tree has them. The graph has all
// components of the project.
func (pl *Planner) WorkingTree(ctx context.Context, chosen []string) (*Work, error) {
	r := pl.Loaders[0].Renderer
	names := r.Project.Names()
	if err := r.Prepare(ctx, names, true).Err(); err != nil {
		return nil, err
	}
	w, loaded, err := pl.load(ctx, nil, names)
	if err != nil {
		return nil, err
	}
	for _, n := range chosen {
		w.Set[n] = []Reason{{Kind: "named"}}
	}
	w.note(loaded.Problems, func(name string) bool {
		c, _ := r.Project.Component(name)
		return c != nil && c.Build.Failure.Expected
	})
	w.Unrendered = loaded.Failed
	return w, nil
}

// Rendered returns the components that one of two commits has rendered, sorted. It
// is an error when the later one has none.
func Rendered(from, to *revision.Revision) ([]string, error) {
	before, err := from.Rendered()
	if err != nil {
		return nil, err
	}
	after, err := to.Rendered()
	if err != nil {
		return nil, err
	}
	if len(after) == 0 {
		return nil, &diag.Diagnostic{Code: "plan/not-rendered", Message: fmt.Sprintf("commit %s has no rendered specs", to),
			Hint: "render the tree and commit it, or plan what the working tree has with -a"}
	}
	names := slices.Concat(before, after)
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Between takes those of the chosen components that two commits have rendered
// differently. The graph has all components of the later one.
func (pl *Planner) Between(ctx context.Context, from, to *revision.Revision, chosen []string) (*Work, error) {
	after, err := to.Rendered()
	if err != nil {
		return nil, err
	}
	w, loaded, err := pl.load(ctx, to, after)
	if err != nil {
		return nil, err
	}
	w.From, w.To = from.ID(), to.ID()
	for _, name := range chosen {
		a, err := from.Tree(name)
		if err != nil {
			return nil, err
		}
		b, err := to.Tree(name)
		if err != nil {
			return nil, err
		}
		switch {
		case a == b:
		case a == "":
			w.Set[name] = []Reason{{Kind: "added"}}
		case b == "":
			w.Removed = append(w.Removed, name)
		default:
			pl.changed(ctx, w, name, from, to)
		}
	}
	w.note(loaded.Problems, func(string) bool { return false })
	for _, l := range pl.Loaders {
		gone, err := l.At(ctx, from, w.Removed)
		if err != nil {
			return nil, err
		}
		w.Graph.AddRemoved(gone.Components, w.Set)
	}
	return w, nil
}

// load evaluates components, as a commit has them or, without one, as the working
// tree does, and makes the graph.
func (pl *Planner) load(ctx context.Context, rev *revision.Revision, names []string) (*Work, *facts.Loaded, error) {
	if pl.Evaluating != nil {
		pl.Evaluating(len(names))
	}
	each, all, err := pl.Loaders.Load(ctx, rev, names)
	if err != nil {
		return nil, nil, err
	}
	md, err := ReadMetadata(pl.Repositories, all.Components)
	if err != nil {
		return nil, nil, err
	}
	var graphs []*Graph
	var evaluate []Evaluate
	for i, loaded := range each {
		own := md
		if len(each) > 1 {
			own = md.For(pl.Archs[i])
		}
		graphs = append(graphs, NewGraph(loaded.Components, own))
		evaluate = append(evaluate, pl.Loaders[i].Switched(rev))
	}
	return &Work{Graph: Join(pl.Archs, graphs), Set: map[string][]Reason{}, Packages: map[string]map[string]bool{},
		archs: pl.Archs, evaluate: Everywhere(evaluate)}, all, nil
}

// changed adds a component whose rendered directory changed; with Meaning only when
// something changed in meaning.
func (pl *Planner) changed(ctx context.Context, w *Work, name string, from, to *revision.Revision) {
	reason := Reason{Kind: "changed"}
	if pl.Meaning || pl.Reason {
		c, problems := pl.Loaders.Changed(ctx, from, to, name)
		w.Failed = append(w.Failed, problems...)
		if len(c.What) == 0 && !problems.HasErrors() {
			if pl.Meaning {
				return
			}
			c.What = []string{"nothing in meaning"}
		}
		reason.What = diag.Abridge(c.What, 5)
		if pl.Meaning && c.Packages != nil {
			w.Packages[name] = c.Packages
		}
	}
	w.Set[name] = []Reason{reason}
}

// note keeps the errors of components to build, but of those that are expected to
// fail.
func (w *Work) note(problems diag.List, expected func(component string) bool) {
	for _, d := range problems {
		if _, in := w.Set[d.Component]; in && d.Severity == diag.Error && !expected(d.Component) {
			w.Failed = append(w.Failed, d)
		}
	}
}

// Order makes the plan. With users, components are added that build-require what
// is rebuilt; with all, those that build-require these in turn, too. times has the
// seconds of builds, as far as they are known.
func (w *Work) Order(ctx context.Context, users, all bool, times map[string]float64) (*Plan, error) {
	if users || all {
		w.Graph.Grow(w.Set, w.Packages, all)
	}
	if err := w.Graph.SuggestCuts(ctx, w.evaluate, w.Set); err != nil {
		return nil, err
	}
	p := w.Graph.Order(strings.Join(w.archs, ","), w.Set, times)
	p.From, p.To, p.Removed = w.From, w.To, append(p.Removed, w.Removed...)
	return p, nil
}
