package cli

import (
	"context"

	"golang.org/x/sync/errgroup"

	"specgraft/components"
	"specgraft/render"
	"specgraft/render/review"
)

// Viewer renders components in memory for commands that look at the result.
type Viewer struct {
	*Globals
	Project  *components.Project
	Renderer *render.Renderer
	Names    []string
	Code     int // exit code so far
}

// Viewer loads the project and chooses components.
func (g *Globals) Viewer(ctx context.Context, sel *Selection, args []string) (*Viewer, error) {
	p, names, err := g.LoadSelected(sel, args)
	if err != nil {
		return nil, err
	}
	return g.ViewerOf(ctx, p, sel, names)
}

func (g *Globals) ViewerOf(ctx context.Context, p *components.Project, sel *Selection, names []string) (*Viewer, error) {
	r, err := g.Renderer(p)
	if err != nil {
		return nil, err
	}
	r.SkipLockValidation = sel.SkipLocks
	r.Lint = false // render and step say what is fragile
	if err := r.Prepare(ctx, names, sel.All).Err(); err != nil {
		return nil, err
	}
	return &Viewer{Globals: g, Project: p, Renderer: r, Names: names}, nil
}

// View renders one component and reports its problems.
func (v *Viewer) View(ctx context.Context, name string) *review.View {
	return v.Take(review.Open(ctx, v.Renderer, name))
}

func (v *Viewer) Take(view *review.View) *review.View {
	v.Report(view.Result.Diags)
	v.Judge(view)
	return view
}

// Judge takes the exit code that a component asks for.
func (v *Viewer) Judge(view *review.View) {
	if c := view.Result.Config; view.Result.Failed() && (c == nil || !c.Build.Failure.Expected) {
		v.Code = Worst(v.Code, CodeOf(view.Result.Diags))
	}
}

// Each renders the chosen components, several at a time, and hands them on in
// the order of their names.
func (v *Viewer) Each(ctx context.Context, show func(*review.View, []review.FileDiff) error) error {
	type result struct {
		view  *review.View
		files []review.FileDiff
		err   error
	}
	jobs := v.Jobs(0, 1)
	slots := make([]chan result, min(len(v.Names), 4*jobs)) // bounds what waits to be shown
	for i := range slots {
		slots[i] = make(chan result, 1)
	}
	var g errgroup.Group
	g.SetLimit(jobs)
	ctx, cancel := context.WithCancel(ctx)
	defer func() { cancel(); _ = g.Wait() }()
	started := 0
	start := func() {
		if started == len(v.Names) {
			return
		}
		i := started
		started++
		g.Go(func() error {
			view := review.Open(ctx, v.Renderer, v.Names[i])
			files, err := view.Diff()
			slots[i%len(slots)] <- result{view, files, err}
			return nil
		})
	}
	for range slots {
		start()
	}
	for i := range v.Names {
		r := <-slots[i%len(slots)]
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.err != nil {
			return r.err
		}
		v.Take(r.view)
		if err := show(r.view, r.files); err != nil {
			return err
		}
		start()
	}
	return nil
}

// Done is the error that ends the command with its exit code.
func (v *Viewer) Done() error {
	if v.Code != ExitOK {
		return ExitError(v.Code)
	}
	return nil
}

// Style is how to print to standard output.
func (g *Globals) Style() review.Style {
	return review.Style{Color: g.Colored(g.Stdout), Visible: isTerminal(g.Stdout)}
}
