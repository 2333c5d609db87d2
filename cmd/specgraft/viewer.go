package main

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"specgraft/components"
	"specgraft/render"
	"specgraft/render/review"
)

// viewer renders components in memory for commands that look at the result.
type viewer struct {
	*globals
	project  *components.Project
	renderer *render.Renderer
	names    []string
	code     int // exit code so far
}

// viewer loads the project and chooses components.
func (g *globals) viewer(ctx context.Context, sel *selection, args []string) (*viewer, error) {
	p, names, err := g.loadSelected(sel, args)
	if err != nil {
		return nil, err
	}
	return g.viewerOf(ctx, p, sel, names)
}

func (g *globals) viewerOf(ctx context.Context, p *components.Project, sel *selection, names []string) (*viewer, error) {
	r, err := g.renderer(p)
	if err != nil {
		return nil, err
	}
	r.SkipLockValidation = sel.skipLocks
	r.Lint = false // render and step say what is fragile
	if err := r.Prepare(ctx, names, sel.all).Err(); err != nil {
		return nil, err
	}
	return &viewer{globals: g, project: p, renderer: r, names: names}, nil
}

// view renders one component and reports its problems.
func (v *viewer) view(ctx context.Context, name string) *review.View {
	return v.take(review.Open(ctx, v.renderer, name))
}

func (v *viewer) take(view *review.View) *review.View {
	v.report(view.Result.Diags)
	v.judge(view)
	return view
}

// judge takes the exit code that a component asks for.
func (v *viewer) judge(view *review.View) {
	if c := view.Result.Config; view.Result.Failed() && (c == nil || !c.Build.Failure.Expected) {
		v.code = worst(v.code, codeOf(view.Result.Diags))
	}
}

// each renders the chosen components, several at a time, and hands them on in
// the order of their names.
func (v *viewer) each(ctx context.Context, show func(*review.View, []review.FileDiff) error) error {
	type result struct {
		view  *review.View
		files []review.FileDiff
		err   error
	}
	jobs := runtime.GOMAXPROCS(0)
	slots := make([]chan result, min(len(v.names), 4*jobs)) // bounds what waits to be shown
	for i := range slots {
		slots[i] = make(chan result, 1)
	}
	var g errgroup.Group
	g.SetLimit(jobs)
	ctx, cancel := context.WithCancel(ctx)
	defer func() { cancel(); _ = g.Wait() }()
	started := 0
	start := func() {
		if started == len(v.names) {
			return
		}
		i := started
		started++
		g.Go(func() error {
			view := review.Open(ctx, v.renderer, v.names[i])
			files, err := view.Diff()
			slots[i%len(slots)] <- result{view, files, err}
			return nil
		})
	}
	for range slots {
		start()
	}
	for i := range v.names {
		r := <-slots[i%len(slots)]
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.err != nil {
			return r.err
		}
		v.take(r.view)
		if err := show(r.view, r.files); err != nil {
			return err
		}
		start()
	}
	return nil
}

// done is the error that ends the command with its exit code.
func (v *viewer) done() error {
	if v.code != exitOK {
		return exitError(v.code)
	}
	return nil
}

// style is how to print to standard output.
func (g *globals) style() review.Style {
	return review.Style{Color: g.colored(g.stdout), Visible: isTerminal(g.stdout)}
}
