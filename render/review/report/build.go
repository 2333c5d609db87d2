package report

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/review"
	"specgraft/render/review/lint"
	"specgraft/render/review/semantic"
	"specgraft/render/revision"
)

// Options say how to build a report.
type Options struct {
	Archs []string // nil means semantic.DefaultArchs
	Jobs  int      // components at a time; 0 is one for each processor
	// Names are the components to look at; nil means all that differ.
	Names []string
	// Rendered is the directory of the rendered tree in the repository, with
	// slashes.
	Rendered string
	// Views prepares to render components of both revisions. Nil, or an error,
	// means that there is no mirror; the error becomes a note.
	Views func(ctx context.Context, names []string) (*Views, error)
}

// Views render components of the revisions in memory.
type Views struct {
	Old, New func(ctx context.Context, name string) *review.View // nil when that side cannot be rendered
	Lint     lint.Options
}

// Build compares two revisions.
func Build(ctx context.Context, from, to *revision.Revision, opt Options) (*Report, error) {
	r := &Report{Schema: Schema, From: from.ID(), To: to.ID(), Components: []Component{}, Affected: []Affected{}, Notes: []string{}}
	b := &builder{report: r, from: from, to: to, opt: &opt, sets: map[string]*macro.Set{}}
	names, err := b.touched()
	if err != nil {
		return nil, err
	}
	b.loadConfigurations()
	waiting, err := b.unrendered(ctx, names)
	if err != nil {
		return nil, err
	}
	from.Prefetch(names, specName)
	to.Prefetch(names, specName)
	names = slices.Concat(names, waiting)
	if opt.Views != nil && len(names) > 0 {
		if b.views, err = opt.Views(ctx, names); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			b.note("nothing was rendered, so drift and the health of overlays are not known: %s", firstLine(err))
		}
	}
	r.Verdict.Rendered = b.views != nil && b.views.New != nil
	r.Components = make([]Component, len(names))
	var g errgroup.Group
	g.SetLimit(cmp.Or(opt.Jobs, runtime.GOMAXPROCS(0)))
	for i, name := range names {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			r.Components[i] = b.component(ctx, name)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	b.noteUnrendered()
	// Those whose change of the configuration changes nothing rendered.
	r.Components = slices.DeleteFunc(r.Components, func(c Component) bool { return c.Kind == "" })
	if err := b.affected(ctx); err != nil {
		return nil, err
	}
	b.rank()
	return r, nil
}

// noteUnrendered says what could not be rendered, and why.
func (b *builder) noteUnrendered() {
	slices.Sort(b.missing)
	slices.Sort(b.elsewhere)
	if len(b.missing) > 0 {
		b.note("the cache lacks what it takes to render %s, so drift and the health of overlays are not known there: specgraft fetch gets it", diag.Abridge(b.missing, 10))
	}
	switch {
	case len(b.elsewhere) > 0:
		b.note("%s has files of %s in submodules, which are not looked at, so drift and the health of overlays are not known there", b.to, diag.Abridge(b.elsewhere, 10))
	case b.report.Verdict.Rendered && b.to.HasSubmodules():
		b.note("%s has submodules, whose files are not looked at", b.to)
	}
	if len(b.missing)+len(b.elsewhere) > 0 && b.done.Load() == 0 {
		b.report.Verdict.Rendered = false
	}
}

type builder struct {
	report   *Report
	from, to *revision.Revision
	opt      *Options
	views    *Views
	mu       sync.Mutex
	sets     map[string]*macro.Set // by file
	same     map[string]bool       // components whose configuration alone differs
	configs  bool                  // the configurations of both sides could be loaded

	missing   []string     // what is not rendered, as its upstream is not in the cache
	elsewhere []string     // what is not rendered, as it is made from files of submodules
	done      atomic.Int32 // how many components were rendered
}

func (b *builder) note(format string, args ...any) {
	b.report.Notes = append(b.report.Notes, fmt.Sprintf(format, args...))
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

func specName(component string) string { return component + ".spec" }

// touched returns the components whose rendered directories differ.
func (b *builder) touched() ([]string, error) {
	old, err := b.from.Rendered()
	if err != nil {
		return nil, err
	}
	new, err := b.to.Rendered()
	if err != nil {
		return nil, err
	}
	for _, side := range []struct {
		names []string
		rev   *revision.Revision
	}{{old, b.from}, {new, b.to}} {
		if len(side.names) == 0 {
			b.note("%s has no rendered specs", side.rev)
		}
	}
	all := slices.Concat(old, new)
	slices.Sort(all)
	var out []string
	for _, name := range slices.Compact(all) {
		if b.opt.Names != nil && !slices.Contains(b.opt.Names, name) {
			continue
		}
		x, err := b.from.Tree(name)
		if err != nil {
			return nil, err
		}
		y, err := b.to.Tree(name)
		if err != nil {
			return nil, err
		}
		if x != y {
			out = append(out, name)
		}
	}
	return out, nil
}

// loadConfigurations loads both projects once, before many ask for them.
func (b *builder) loadConfigurations() {
	for _, r := range []*revision.Revision{b.from, b.to} {
		if _, err := r.Project(); err != nil {
			b.note("the configuration at %s cannot be loaded, so causes are not known: %s", r, firstLine(err))
			return
		}
	}
	b.configs = true
}

// A content is a component's rendered directory on one side.
type content struct {
	packaging semantic.Packaging
	files     []revision.File
	exists    bool
	failed    string // why the component could not be rendered there
}

// read reads a component's rendered directory.
func (b *builder) read(r *revision.Revision, name string) (c content, err error) {
	if c.files, err = r.Files(name); err != nil {
		return c, err
	}
	tree, ids := semantic.Tree{}, map[string]string{}
	for _, f := range c.files {
		c.exists = true
		switch f.Path {
		case specName(name):
			if c.packaging.Spec, err = r.ReadFile(name, f.Path); err != nil {
				return c, err
			}
			continue
		case render.FailedName:
			text, err := r.ReadFile(name, f.Path)
			if err != nil {
				return c, err
			}
			c.failed = cmp.Or(strings.TrimSpace(string(text)), "it could not be rendered")
			continue
		}
		tree[f.Path] = func() ([]byte, error) { return r.ReadFile(name, f.Path) }
		ids[f.Path] = "git:" + f.ID
	}
	c.packaging.Name, c.packaging.FS, c.packaging.Files = specName(name), tree, ids
	return c, nil
}

// component compares one component.
func (b *builder) component(ctx context.Context, name string) Component {
	c := Component{Name: name, Status: "changed", Changes: []semantic.Change{}, Unknown: []semantic.Unknown{}, Inputs: []Input{}, Overlays: []lint.Health{},
		Findings: diag.List{}, Files: []review.FileDiff{}, Problems: []string{},
		Spec: strings.TrimPrefix(b.opt.Rendered+"/"+render.ComponentDir(name)+"/"+specName(name), "/")}
	problem := func(err error) { c.Problems = append(c.Problems, firstLine(err)) }
	old, err := b.read(b.from, name)
	if err != nil {
		problem(err)
	}
	new, err := b.read(b.to, name)
	if err != nil {
		problem(err)
	}
	switch {
	case b.same[name]:
		c.Status = "same"
	case !old.exists:
		c.Status = "added"
	case !new.exists:
		c.Status = "removed"
	}
	b.inputs(&c, name)
	if new.failed != "" {
		c.Problems = append(c.Problems, "the checked-in tree says that rendering failed: "+semantic.Visible(firstWords(new.failed)))
	}
	view, rendered := b.rendered(ctx, &c, name)
	opt := semantic.Options{Archs: b.opt.Archs}
	opt.OldSet, opt.NewSet = b.set(b.from, name), b.set(b.to, name)
	opt.Cause, opt.FileCause = causesOf(view, new.packaging.Spec)
	d := semantic.Compare(old.packaging, new.packaging, opt)
	c.Changes, c.Noise, c.Unknown, c.OldEVR, c.NewEVR = d.Changes, d.Noise, d.Unknown, d.OldEVR, d.NewEVR
	c.Order = orderOf(d)
	c.attribute()
	b.raw(&c, name, old, new)
	for _, u := range c.Unknown {
		if u.What == "spec" && u.Side == "new" {
			c.Problems = append(c.Problems, u.Why)
		}
	}
	c.Kind = kindOf(&c, d, rendered)
	if c.Kind == Noise {
		c.Files = []review.FileDiff{}
	}
	return c
}

// has reports whether the later revision has a component: what is rendered of
// one that is gone is stale, and nothing could be compared with it.
func (b *builder) has(name string) bool {
	if !b.configs {
		return true // trying it says why
	}
	s, err := b.to.State(name)
	return err != nil || s.Component != nil
}

func firstWords(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > 200 {
		s = s[:200]
	}
	return s
}

// kindOf says what matters most about a component.
func kindOf(c *Component, d *semantic.Diff, rendered bool) string {
	switch {
	case len(c.Problems) > 0:
		return Failing
	case len(d.Down()) > 0:
		return Down
	case c.drift:
		return Drift
	case c.Status == "same" && rendered:
		return "" // it was rendered and is the same
	case c.Status == "same":
		return Unrendered
	case len(c.Changes) > 0 || c.Status != "changed":
		return Meaning
	}
	return Noise
}

// orderOf returns the order of the EVRs of the main package.
func orderOf(d *semantic.Diff) string {
	for _, c := range d.Changes {
		if c.Order != "" {
			return c.Order
		}
	}
	if d.OldEVR != "" && d.OldEVR == d.NewEVR {
		return "same"
	}
	return ""
}

// set returns the macro set of a component at a revision, nil for the built-in
// one.
func (b *builder) set(r *revision.Revision, name string) *macro.Set {
	if !b.configs {
		return nil
	}
	p, err := r.Project()
	if err != nil {
		return nil
	}
	s, err := r.State(name)
	if err != nil || s.Component == nil {
		return nil
	}
	file, _ := p.MacroSet(s.Component)
	if file == "" {
		return nil
	}
	set, err := b.macroSet(file)
	if err != nil {
		return nil // rendering reports it
	}
	return set
}

// raw compares the files as text.
func (b *builder) raw(c *Component, name string, old, new content) {
	type pair struct{ old, new *revision.File }
	files := map[string]*pair{}
	var paths []string
	get := func(path string) *pair {
		if files[path] == nil {
			files[path] = &pair{}
			paths = append(paths, path)
		}
		return files[path]
	}
	for i := range old.files {
		get(old.files[i].Path).old = &old.files[i]
	}
	for i := range new.files {
		get(new.files[i].Path).new = &new.files[i]
	}
	slices.SortFunc(paths, func(x, y string) int { // the spec first
		spec := specName(name)
		return cmp.Or(cmp.Compare(b2i(x != spec), b2i(y != spec)), cmp.Compare(x, y))
	})
	for _, path := range paths {
		p := files[path]
		if p.old != nil && p.new != nil && p.old.ID == p.new.ID && p.old.Executable == p.new.Executable {
			continue
		}
		read := func(r *revision.Revision, f *revision.File) []byte {
			if f == nil {
				return nil
			}
			data, err := r.ReadFile(name, path)
			if err != nil {
				c.Problems = append(c.Problems, firstLine(err))
			}
			return data
		}
		d := review.CompareFiles(path, read(b.from, p.old), read(b.to, p.new), p.old != nil, p.new != nil)
		c.Added += d.Added
		c.Removed += d.Removed
		c.Files = append(c.Files, d)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rank orders the components and counts them.
func (b *builder) rank() {
	r := b.report
	rank := map[string]int{}
	for i, k := range Kinds {
		rank[k] = i
	}
	slices.SortStableFunc(r.Components, func(x, y Component) int {
		return cmp.Or(cmp.Compare(rank[x.Kind], rank[y.Kind]), cmp.Compare(weight(&y), weight(&x)), cmp.Compare(x.Name, y.Name))
	})
	v := &r.Verdict
	v.Components = len(r.Components)
	for i := range r.Components {
		c := &r.Components[i]
		switch {
		case c.Kind == Unrendered:
			v.Unrendered++
		case c.Status == "same": // another kind counts it
		case len(c.Changes) > 0 || c.Status != "changed":
			v.Meaning++
		default:
			v.Noise++
		}
		if c.Kind == Failing {
			v.Failing++
		}
		if c.drift {
			v.Drift++
		}
		if slices.ContainsFunc(c.Changes, func(ch semantic.Change) bool { return ch.Order == "down" }) {
			v.EVRDown++
		}
		v.Lint += len(c.Findings)
	}
}

// weight orders components of one kind: those with more changes of their own
// come first.
func weight(c *Component) int {
	n := len(c.Findings)
	for i := range c.Changes {
		if !c.Changes[i].Follows() {
			n++
		}
	}
	return n
}
