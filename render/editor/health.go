package editor

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"slices"
	"sync"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/review"
	"specgraft/render/review/lint"
)

// A health is what became of a component's overlays on its real upstream.
type health struct {
	mu    sync.Mutex // held while one of the stages is made
	c     *components.Component
	at    *Snapshot // that the stages were made with
	quick *stage
	deep  *stage
}

// A stage is a component as far as it was rendered.
type stage struct {
	view  *review.View
	diags diag.List
	lint  *lint.Result // of the deep stage

	once  sync.Once
	steps []review.Step

	mu     sync.Mutex
	single map[int]*review.Step // by overlay
}

// Steps returns what each operation did.
func (g *stage) Steps() []review.Step {
	g.once.Do(func() { g.steps, _ = g.view.Steps() })
	return g.steps
}

// step returns what overlay number index of the component did, nil when it was
// not applied.
func (g *stage) step(index int) *review.Step {
	g.mu.Lock()
	defer g.mu.Unlock()
	st, ok := g.single[index]
	if !ok {
		st, _ = g.view.Step(index)
		if g.single == nil {
			g.single = map[int]*review.Step{}
		}
		g.single[index] = st
	}
	return st
}

// missing reports whether the packaging is not in the mirror.
func (g *stage) missing() bool {
	return slices.ContainsFunc(g.view.Result.Diags, func(d diag.Diagnostic) bool { return d.Code == "fedora/offline" })
}

// healthOf returns the health of a component, at least as far as its overlays
// were applied; nil when its configuration has errors. With deep, everything
// that the command line says of it is known.
func (s *Snapshot) healthOf(ctx context.Context, name string, deep bool) *stage {
	c := s.Component(name)
	if c == nil {
		return nil
	}
	s.healthMu.Lock()
	h := s.health[name]
	if h == nil {
		h = &health{}
		s.health[name] = h
	}
	s.healthMu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.follow(s, c)
	if deep {
		if h.deep == nil {
			if g := s.examine(ctx, c); ctx.Err() == nil {
				h.deep = g
			}
		}
		return h.deep
	}
	if h.deep != nil {
		return h.deep
	}
	if h.quick == nil {
		r, err := s.quickly()
		if err != nil {
			return nil
		}
		view := review.OpenOverlaid(ctx, r, c)
		if ctx.Err() != nil {
			return nil
		}
		h.quick = &stage{view: view, diags: view.Result.Diags}
	}
	return h.quick
}

// follow carries the health over to another snapshot, or drops it.
func (h *health) follow(s *Snapshot, c *components.Component) {
	if h.at == s {
		return
	}
	old := h.at
	h.at = s
	if old == nil || h.c == nil || old.epoch != s.epoch || !s.Project.SameBut(old.Project) || !s.sameMaterial(old, c) {
		h.c, h.quick, h.deep = c, nil, nil
		return
	}
	moved, same := c.Same(h.c)
	h.c = c
	if !same {
		h.quick, h.deep = nil, nil
		return
	}
	edited := func(name string) bool {
		a, ok := s.Project.Text(s.path(name))
		b, had := old.Project.Text(s.path(name))
		return ok != had || string(a) != string(b)
	}
	h.quick, h.deep = h.quick.follow(c, moved, edited), h.deep.follow(c, moved, edited)
}

// follow gives a stage the positions of a component that says the same in
// another place. It is nil when one of them is lost.
func (g *stage) follow(c *components.Component, moved map[token.Position]token.Position, edited func(string) bool) *stage {
	if g == nil {
		return nil
	}
	ok := true
	known := map[string]bool{}
	at := func(p token.Position) token.Position {
		if p.Line == 0 {
			return p
		}
		if e, seen := known[p.Filename]; seen && !e || !seen && !edited(p.Filename) {
			known[p.Filename] = false
			return p
		}
		known[p.Filename] = true
		q, found := moved[p]
		ok = ok && found
		return q
	}
	list := slices.Clone(g.diags)
	for i := range list {
		d := &list[i]
		d.Pos, d.End = at(d.Pos), at(d.End)
		d.Related = slices.Clone(d.Related)
		for k := range d.Related {
			d.Related[k].Pos = at(d.Related[k].Pos)
		}
	}
	if !ok {
		return nil
	}
	view := *g.view
	res := *view.Result
	res.Config = c
	view.Result = &res
	n := &stage{view: &view, diags: list}
	if g.lint != nil {
		l := *g.lint
		l.Findings = list
		l.Overlays = slices.Clone(l.Overlays)
		for i := range l.Overlays {
			if h := &l.Overlays[i]; h.Index < len(c.Overlays) {
				h.Line = c.Overlays[h.Index].Pos.Line
			}
		}
		n.lint = &l
	}
	return n
}

// examine renders a component and looks at it as lint does.
func (s *Snapshot) examine(ctx context.Context, c *components.Component) *stage {
	r, problems, err := s.deeply(ctx, c.Name)
	if err != nil {
		return &stage{view: failed(c, err)}
	}
	defer r.Close()
	if problems.HasErrors() {
		// Without history the overlays can be looked at all the same.
		r.WithoutHistory = true
	}
	for i := range problems {
		if problems[i].Pos.Filename == "" {
			problems[i].Pos = c.Pos
		}
	}
	view := review.OpenConfig(ctx, r, c)
	if _, more := s.Project.Component(c.Name); len(more) > 0 {
		view.Result.Diags = append(view.Result.Diags, more...)
	}
	res := lint.Component(view, s.lintOptions(ctx, r))
	g := &stage{view: view, lint: res, diags: slices.Concat(problems, res.Findings)}
	g.diags.Sort()
	return g
}

// lintOptions are those of the command line.
func (s *Snapshot) lintOptions(ctx context.Context, r *render.Renderer) lint.Options {
	levels := map[string]overlay.Level{}
	for code, level := range s.Project.Settings.Lint {
		levels[code] = overlay.Level(level)
	}
	return lint.Options{Levels: levels, Typed: absorb.Typed,
		Newer: func(c *components.Component) (string, bool) { return lint.Newer(ctx, r, c) }}
}

// failed is the view of a component that there is no renderer for.
func failed(c *components.Component, err error) *review.View {
	d, ok := errors.AsType[*diag.Diagnostic](err)
	if !ok {
		d = &diag.Diagnostic{Code: "render/internal", Message: err.Error(), Env: true}
	}
	e := *d
	e.Pos, e.Component = c.Pos, c.Name
	return &review.View{Result: &render.Result{Component: c.Name, Config: c, Diags: diag.List{e}}, Before: &overlay.Tree{}}
}

// Diagnostics returns the problems of a file: those of the whole configuration
// in it, and those of the components that it defines or changes. Without deep
// only those are there that come at once.
func (s *Snapshot) Diagnostics(ctx context.Context, path string, deep bool) diag.List {
	if isSpec(path) {
		return s.diagnoseSpec(ctx, path, deep)
	}
	if s.Project == nil {
		return nil
	}
	name := s.name(path)
	type said struct {
		pos  token.Position
		code string
	}
	checked := map[said]bool{}
	var list diag.List
	for _, d := range s.check() {
		if d.Pos.Filename == name {
			list = append(list, d)
			checked[said{d.Pos, d.Code}] = true
		}
	}
	for _, comp := range s.ComponentsOf(path) {
		if ctx.Err() != nil {
			return nil
		}
		for _, d := range s.about(ctx, comp, path, deep) {
			// What config check says is found again where an overlay is
			// applied, which may call a file by another name.
			if !checked[said{d.Pos, d.Code}] {
				list = append(list, d)
			}
		}
	}
	list.Sort()
	return slices.CompactFunc(list, func(a, b diag.Diagnostic) bool {
		return a.Pos.Line == b.Pos.Line && a.Pos.Column == b.Pos.Column && a.Code == b.Code && a.Message == b.Message
	})
}

// CheckDiagnostics returns the problems of the configuration alone, by absolute
// path.
func (s *Snapshot) CheckDiagnostics() map[string]diag.List {
	m := map[string]diag.List{}
	for _, d := range s.check() {
		path := s.path(d.Pos.Filename)
		if path == "" {
			path = s.path(components.FileName)
		}
		m[path] = append(m[path], d)
	}
	return m
}

// worthwhile reports whether there is something about a component that is not
// said by config check.
func worthwhile(c *components.Component) bool { return c != nil && (c.Customised() || !c.IsUpstream()) }

// about returns what there is to say in a file about a component.
func (s *Snapshot) about(ctx context.Context, comp, path string, deep bool) diag.List {
	c := s.Component(comp)
	if !worthwhile(c) {
		return nil
	}
	g := s.healthOf(ctx, comp, deep)
	if g == nil {
		return nil
	}
	name := s.name(path)
	var list diag.List
	for _, d := range g.diags {
		if d.Code == "fedora/offline" {
			d = notFetched(c, d)
		}
		if d.Pos.Filename == c.Name+".spec" || d.Pos.Filename == "" {
			// Upstream's spec is no file of the project: the component stands for it.
			if d.Pos.Line > 0 {
				d.Message = fmt.Sprintf("%s: %s", diag.Position(d.Pos), d.Message)
			}
			d.Pos, d.End = c.Pos, token.Position{}
		}
		if d.Pos.Filename == name {
			list = append(list, d)
		}
	}
	return list
}

// notFetched says that the packaging is not in the mirror and what fetches it.
func notFetched(c *components.Component, d diag.Diagnostic) diag.Diagnostic {
	return diag.Diagnostic{Pos: c.Pos, Severity: diag.Note, Code: d.Code, Component: c.Name,
		Message: fmt.Sprintf("the packaging of %s is not in the mirror, so its overlays cannot be tried", c.Name),
		Hint:    "run \"specgraft fetch " + c.Name + "\""}
}

// rendered reports whether all is known of a component as a snapshot has it.
func (h *health) rendered(s *Snapshot) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at == s && h.deep != nil
}

// Pending returns how many components of a file have not been rendered yet.
func (s *Snapshot) Pending(path string) int {
	if s.Project == nil {
		return 0
	}
	n := 0
	for _, name := range s.ComponentsOf(path) {
		if !worthwhile(s.Component(name)) {
			continue
		}
		s.healthMu.Lock()
		h := s.health[name]
		s.healthMu.Unlock()
		if h == nil || !h.rendered(s) {
			n++
		}
	}
	return n
}
