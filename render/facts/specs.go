package facts

import (
	"context"
	"errors"
	"io/fs"
	"runtime"

	"golang.org/x/sync/errgroup"

	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/revision"
)

// A Component is one of which the facts are asked.
type Component struct {
	Name  string
	Facts *Facts // nil when it has none: it failed
}

// A Loader evaluates the specs of a project's components.
type Loader struct {
	Renderer *render.Renderer // for components as the working tree has them
	Config   macro.Config     // what specs are evaluated with; without a set, each component's own
	Cache    *Cache
	Jobs     int // at a time; 0 is one for each processor
}

// Loaded are the facts of components by architecture.
type Loaded struct {
	Components []Component
	// Failed are the components without facts; their problems are in Problems.
	Failed   []string
	Problems diag.List
}

// Render renders components in memory, and evaluates them. When the context ends,
// its error is returned.
func (l *Loader) Render(ctx context.Context, names []string) (*Loaded, error) {
	return l.each(ctx, names, func(name string) (*Facts, diag.List) { return l.facts(ctx, nil, name, l.Config) })
}

// At evaluates the components as a commit has them rendered.
func (l *Loader) At(ctx context.Context, rev *revision.Revision, names []string) (*Loaded, error) {
	rev.Prefetch(names, func(name string) string { return name + ".spec" })
	return l.each(ctx, names, func(name string) (*Facts, diag.List) { return l.facts(ctx, rev, name, l.Config) })
}

// Switched returns a function that evaluates a component with build conditionals
// switched: as a commit has it rendered, or as it is rendered in memory when rev is
// nil.
func (l *Loader) Switched(rev *revision.Revision) func(ctx context.Context, component string, with, without []string) *Facts {
	return func(ctx context.Context, name string, with, without []string) *Facts {
		cfg := l.Config
		cfg.With = append(cfg.With[:len(cfg.With):len(cfg.With)], with...)
		cfg.Without = append(cfg.Without[:len(cfg.Without):len(cfg.Without)], without...)
		f, _ := l.facts(ctx, rev, name, cfg)
		return f
	}
}

// facts evaluates one component. Without facts and problems it has no spec.
func (l *Loader) facts(ctx context.Context, rev *revision.Revision, name string, cfg macro.Config) (*Facts, diag.List) {
	if rev == nil {
		return l.rendered(ctx, name, cfg)
	}
	s, problems := l.spec(ctx, rev, name, cfg)
	if s == nil {
		return nil, problems
	}
	return l.Cache.Facts(*s), nil
}

// rendered evaluates a component as the working tree has it. It is not rendered
// when what it follows from is known.
func (l *Loader) rendered(ctx context.Context, name string, cfg macro.Config) (*Facts, diag.List) {
	inputs, known := l.Renderer.Inputs(ctx, name)
	if known {
		if cfg, err := l.Evaluation(name, cfg); err == nil {
			if f := l.Cache.Known(inputs, Spec{Name: name + ".spec", Config: cfg}); f != nil {
				return f, nil
			}
		}
	}
	s, problems := l.spec(ctx, nil, name, cfg)
	if s == nil {
		return nil, problems
	}
	f := l.Cache.Facts(*s)
	if f.Rejected != "" { // which fails the component, unless it is allowed to
		if res := l.Renderer.Render(ctx, name); res.Failed() {
			return nil, res.Diags
		}
	}
	if known {
		l.Cache.Follows(inputs, *s)
	}
	return f, nil
}

func (l *Loader) spec(ctx context.Context, rev *revision.Revision, name string, cfg macro.Config) (*Spec, diag.List) {
	s := &Spec{Name: name + ".spec"}
	if rev == nil {
		res := l.Renderer.Draft(ctx, name)
		if res.Failed() {
			return nil, res.Diags
		}
		cfg, err := l.Renderer.Evaluation(res.Config, cfg)
		if err != nil {
			return nil, problem(name, err)
		}
		cfg.FS = res.FS()
		s.Text, s.Config = res.Text(), cfg
		return s, nil
	}
	text, err := rev.ReadFile(name, s.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a component that failed to render
	}
	if err != nil {
		return nil, problem(name, err)
	}
	if cfg, err = l.Evaluation(name, cfg); err != nil {
		return nil, problem(name, err)
	}
	cfg.FS = revisionFS{rev, name}
	s.Text, s.Config = text, cfg
	return s, nil
}

// Evaluation returns what the spec of a component is evaluated with now, also of
// one that is no longer there.
func (l *Loader) Evaluation(name string, cfg macro.Config) (macro.Config, error) {
	c, problems := l.Renderer.Project.Component(name)
	if c == nil || problems.HasErrors() {
		return cfg, nil
	}
	return l.Renderer.Evaluation(c, cfg)
}

func problem(name string, err error) diag.List {
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		d := *d
		d.Component = name
		return diag.List{d}
	}
	return diag.List{{Code: "plan/read", Message: err.Error(), Component: name, Env: true}}
}

// each calls f for all names, several at a time, and keeps their order.
func (l *Loader) each(ctx context.Context, names []string, f func(string) (*Facts, diag.List)) (*Loaded, error) {
	jobs := l.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	facts, lists := make([]*Facts, len(names)), make([]diag.List, len(names))
	var pool errgroup.Group
	pool.SetLimit(jobs)
	for i, name := range names {
		pool.Go(func() error {
			if ctx.Err() == nil {
				facts[i], lists[i] = f(name)
			}
			return nil
		})
	}
	pool.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := &Loaded{}
	for i, name := range names {
		out.Components = append(out.Components, Component{name, facts[i]})
		out.Problems = append(out.Problems, lists[i]...)
		if facts[i] == nil {
			out.Failed = append(out.Failed, name)
		}
	}
	return out, nil
}

// A revisionFS is the rendered directory of a component in a commit.
type revisionFS struct {
	rev       *revision.Revision
	component string
}

func (r revisionFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	data, err := r.rev.ReadFile(r.component, name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return macro.NewFile(name, 0o644, data), nil
}
