// Package render turns components into what a distribution checks in: a
// directory per component with its spec, its `sources` file, its patches and
// other small files.
//
// A Renderer works in memory and is a pure function of the configuration and
// the upstream commit. Everything it does to a spec is an edit with an origin:
// the overlays, the lines that load build macros, the header, the release. An
// Output compares such results with a directory tree and writes what differs,
// each component at once or not at all.
//
//	r := &render.Renderer{Project: project, Store: store}
//	if problems := r.Prepare(ctx, names); problems.HasErrors() { ... }
//	res := r.Render(ctx, "bash")
//	os.Stdout.Write(res.Spec.Normalized())
//
// The package executes nothing that a spec says and asks neither the clock nor
// the environment.
package render

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/fedora/autospec"
	"specgraft/fedora/macro"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
	"specgraft/render/template"
)

// A Renderer renders components of one project. Its fields are set before the
// first call; Render may then be called from several goroutines.
type Renderer struct {
	Project *components.Project
	Store   *fedora.Store

	// Lint looks at every spec a second time, with rpm's eyes, and warns
	// where an overlay touched what it did not mean to.
	Lint bool
	// Strict has codes, or groups of codes such as "overlay/", whose warnings
	// are errors; "all" stands for every code.
	Strict []string
	// AllowOutside lets symbolic links of the project lead out of it.
	AllowOutside bool
	// SkipLockValidation renders with whatever locks there are.
	SkipLockValidation bool
	// AllowShallow goes on with the history that a shallow clone of the project
	// has; releases that count its commits are too low then.
	AllowShallow bool
	// Unfiltered keeps files that the spec does not refer to.
	Unfiltered bool
	// WithoutHistory leaves out what is computed from git history: release
	// numbers stay as the overlays left them, %autorelease and %autochangelog
	// stay in the spec.
	WithoutHistory bool
	// At is the commit that the files of Project are a copy of, of which the history
	// is then taken. Nil means that they are in a work tree, and that HEAD counts.
	At *Commit
	// Now is the time of changes that are not committed yet. The zero time
	// means the committer date of the project's HEAD, so that the result does
	// not depend on when it is made.
	Now time.Time
	// Unsaved returns the text that an editor has of a template, of a local
	// component's file, or of one that an overlay brings in, in place of what is
	// on the disk; nil for none.
	Unsaved func(path string) ([]byte, bool)
	// CacheDir keeps what evaluations and histories came to between runs:
	// facts only. Empty keeps nothing.
	CacheDir string
	// Build names the build of the tool. What one build found out by
	// evaluating a spec is nothing that another relies on.
	Build string

	once      sync.Once
	sources   sourceOpener
	macroSets macroSets
	history   *projectHistory
	cutOff    *diag.Diagnostic // the history is, as allowed
	logs      autospec.Cache
	verdicts  verdicts
	wd        string // working directory, empty when there is none

	templateOnce     sync.Once
	templateSet      *template.Set
	templateProblems diag.List
}

// A Result is one component as rendered.
type Result struct {
	Component string
	Config    *components.Component // nil when the configuration is broken
	Upstream  Source                // what the component was made from
	Ops       []overlay.Op          // everything applied, the renderer's own steps included
	Report    *overlay.Report       // what each of Ops did
	Macros    *macro.Set            // what the spec is evaluated with; nil for the built-in set
	Changes   []autospec.Change     // the component's own history, oldest first
	Autospec  *autospec.Result      // nil when the spec does not use it
	Spec      *spec.File            // the rendered spec with its origins
	Filter    []macro.Entry         // which top-level entries were kept and why; nil when the filter is off
	Files     []*overlay.File       // the rendered files sorted by path, spec included
	Diags     diag.List             // problems; the component failed when they have errors

	text    []byte          // of Spec, once no operation is left
	staged  []byte          // of Spec as it went into the history step
	dropped []*overlay.File // what the filter left out, in no order

	Homeless diag.List // sources whose file is in no place, whoever wrote the tag
}

// Failed reports whether the component could not be rendered.
func (r *Result) Failed() bool { return r.Diags.HasErrors() }

// Text returns the rendered spec.
func (r *Result) Text() []byte {
	if r.Spec == nil {
		return nil
	}
	if r.text != nil {
		return r.text
	}
	return r.Spec.Normalized()
}

// FS returns the rendered files as a file system, for evaluating the spec.
func (r *Result) FS() fs.FS {
	t := &overlay.Tree{Name: r.Component, Spec: r.Spec, Files: make(map[string]*overlay.File, len(r.Files))}
	for _, f := range r.Files {
		t.Files[f.Path] = f
	}
	return treeFS{t}
}

// add takes diagnostics of the component, whose name they get.
func (r *Result) add(l diag.List) bool {
	for _, d := range l {
		d.Component = r.Component
		r.Diags = append(r.Diags, d)
	}
	return !l.HasErrors()
}

// fail takes an error; a diagnostic without position gets pos. It returns
// false for the convenience of its callers.
func (r *Result) fail(err error) bool {
	if l, ok := errors.AsType[diag.ListError](err); ok {
		return r.add(diag.List(l))
	}
	d, ok := errors.AsType[*diag.Diagnostic](err)
	if !ok {
		d = &diag.Diagnostic{Code: "render/internal", Message: err.Error(), Env: true}
		if errors.Is(err, context.Canceled) {
			d.Code, d.Message = "render/cancelled", "cancelled"
		}
	}
	c := *d
	if c.Pos == (diag.Diagnostic{}).Pos && r.Config != nil {
		c.Pos = r.Config.Pos
	}
	return r.add(diag.List{c})
}

// Render renders one component in memory. It never writes and does not fail
// otherwise than by the diagnostics of the result.
func (r *Renderer) Render(ctx context.Context, name string) *Result {
	return r.named(ctx, name, nil, r.filter)
}

// Draft renders a component as Render does, but without evaluating the spec that
// comes out: whether rpm takes it is not found out, and files that it does not
// refer to are there. It is for callers that evaluate the spec themselves, as most
// of the time of Render goes into that.
func (r *Renderer) Draft(ctx context.Context, name string) *Result {
	return r.named(ctx, name, nil, r.unfiltered)
}

// A lastStep decides which files a rendered component has.
type lastStep func(context.Context, *Result, *overlay.Tree)

// named renders the component called name. Its inputs are nil unless the caller
// has found them out already.
func (r *Renderer) named(ctx context.Context, name string, in *inputs, last lastStep) *Result {
	c, problems := r.Project.Component(name)
	if problems.HasErrors() || c == nil {
		res := &Result{Component: name, Config: c}
		if res.add(problems); !res.Failed() {
			res.fail(fmt.Errorf("component %s cannot be resolved", name))
		}
		return res
	}
	res := r.component(ctx, c, in, last)
	res.add(problems)
	return res
}

// RenderComponent renders a component as it is given, which need not be what
// the project's configuration says: with an overlay more or less, for instance.
func (r *Renderer) RenderComponent(ctx context.Context, c *components.Component) *Result {
	return r.component(ctx, c, nil, r.filter)
}

func (r *Renderer) component(ctx context.Context, c *components.Component, in *inputs, last lastStep) *Result {
	res, tree := r.begin(ctx, c, in)
	if tree == nil {
		return res
	}
	if r.render(ctx, res, tree) {
		last(ctx, res, tree)
	}
	res.Diags = overlay.Adjust(res.Diags, r.levels())
	res.Diags.Sort()
	return res
}

// begin gets the packaging of a component and the macros that it is evaluated
// with. The tree is nil when that failed.
func (r *Renderer) begin(ctx context.Context, c *components.Component, in *inputs) (*Result, *overlay.Tree) {
	res := &Result{Component: c.Name, Config: c}
	if err := CheckName(c); err != nil {
		res.fail(err)
		return res, nil
	}
	r.setup()
	tree, src, err := r.source(ctx, c, in)
	if err != nil {
		res.fail(err)
		return res, nil
	}
	res.Upstream = src
	if res.Macros, err = r.macros(c); err != nil {
		res.fail(err)
		return res, nil
	}
	return res, tree
}

// render does everything behind fetching, up to the choice of files.
func (r *Renderer) render(ctx context.Context, res *Result, tree *overlay.Tree) bool {
	if !r.WithoutHistory {
		var err error
		if res.Changes, err = r.changes(ctx, res.Config, res.Upstream.Commit); err != nil {
			return res.fail(err)
		}
		r.warnPins(res)
	}
	if !r.overlays(ctx, res, tree) || !r.finish(res, tree) || !r.rewriteSources(res, tree) || !r.bump(ctx, res, tree) {
		return false
	}
	r.ownRelease(ctx, res, tree)
	res.text = tree.Spec.Normalized()
	return r.WithoutHistory || r.autospec(ctx, res, tree)
}

// overlays adds the macros file and applies the component's overlays.
func (r *Renderer) overlays(ctx context.Context, res *Result, tree *overlay.Tree) bool {
	macros, err := r.macrosFile(ctx, res)
	if err != nil {
		return res.fail(err)
	}
	if macros != nil {
		tree.Files[macros.Path] = macros
	}
	load := loadSteps(macros)
	res.Ops = slices.Concat(load, res.Config.Overlays)
	res.Spec = tree.Spec
	return r.apply(res, tree, len(load))
}

// apply runs the operations. The renderer's steps before the overlays must not
// shift the numbering that origins of overlays have.
func (r *Renderer) apply(res *Result, tree *overlay.Tree, before int) bool {
	report, problems := overlay.Apply(tree, res.Ops, overlay.Options{
		Source: r.overlaySource,
		Levels: r.levels(),
		Lint:   r.Lint,
		Lines:  res.Macros.Lines,
		Defined: func(name string) bool {
			return res.Macros.Has(name) || r.Project.Distros[name] != nil
		},
	})
	res.Report = report
	for i := range report.Applied {
		if a := &report.Applied[i]; a.Origin != nil && a.Origin.Index >= 0 {
			a.Origin.Index -= before
		}
	}
	return res.add(problems)
}

// levels returns the severities that the project wants.
func (r *Renderer) levels() map[string]overlay.Level {
	levels := make(map[string]overlay.Level, len(r.Project.Settings.Lint)+len(r.Strict))
	for code, level := range r.Project.Settings.Lint {
		levels[code] = overlay.Level(level)
	}
	for _, strict := range r.Strict {
		for code, level := range levels { // what has a level of its own, too
			if level == overlay.LevelWarning && (strict == "all" || strings.HasSuffix(strict, "/") && strings.HasPrefix(code, strict)) {
				levels[code] = overlay.LevelError
			}
		}
		levels[strict] = overlay.LevelError
	}
	return levels
}

// logDir keeps, below the cache directory, what is known of histories.
const logDir = "autospec.v1"

// setup does what all components share.
func (r *Renderer) setup() {
	r.once.Do(func() {
		if !r.AllowOutside {
			r.sources.root = r.Project.Root
		}
		if r.CacheDir != "" {
			r.logs.Dir = filepath.Join(r.CacheDir, logDir)
			r.verdicts.dir = filepath.Join(r.CacheDir, "filter.v1")
		}
		r.wd, _ = os.Getwd()
	})
}

// CheckName refuses names that cannot be the name of a directory and a spec.
func CheckName(c *components.Component) error {
	if validName(c.Name) {
		return nil
	}
	return badName(c.Name, c.Pos)
}

// validName reports whether a name can be the name of a directory: printable
// ASCII without blanks and slashes, and not hidden.
func validName(name string) bool {
	for i := range len(name) {
		if b := name[i]; b <= ' ' || b >= 0x7f || b == '/' || b == '\\' {
			return false
		}
	}
	return name != "" && name[0] != '.' && len(name) <= 200
}

func badName(name string, pos token.Position) error {
	return &diag.Diagnostic{Pos: pos, Code: "render/bad-name",
		Message: fmt.Sprintf("component name %q cannot be the name of a directory", name),
		Hint:    "use printable ASCII without blanks and slashes, and no dot in front"}
}

// bump raises a static release by the number of the component's changes.
func (r *Renderer) bump(ctx context.Context, res *Result, tree *overlay.Tree) bool {
	r.mixedReleases(res, tree)
	b, err := autospec.Bump(tree.Spec, res.Config.Release.Calculation, len(res.Changes), macro.Config{Set: res.Macros, Stop: ctx.Done()})
	if err != nil {
		return res.fail(err)
	}
	pos := res.Config.Pos
	if o, ok := res.Config.Origin("release.calculation"); ok && o.Pos.Line > 0 {
		pos = o.Pos
	}
	switch {
	case b.Value != "":
		op := overlay.Op{Type: overlay.UpdateTag, Tag: "Release", Value: b.Value, Step: "release", Pos: pos,
			Description: fmt.Sprintf("raised by %d", len(res.Changes))}
		return r.step(res, tree, op)
	case b.Text != "":
		o := &spec.Origin{Pos: pos, Step: "release", Index: -1, Description: fmt.Sprintf("raised by %d", len(res.Changes))}
		from := len(tree.Spec.Log())
		tree.Spec.Replace(b.Line, o, b.Text)
		tree.Spec.Reclassify()
		res.Report.Applied = append(res.Report.Applied, overlay.OpReport{Index: len(res.Ops), Origin: o,
			Places: 1, Changed: 1, From: from, To: len(tree.Spec.Log())})
		res.Ops = append(res.Ops, overlay.Op{Step: "release", Pos: pos, Description: o.Description})
	}
	return true
}

// mixedReleases warns about a Release that is computed in one branch of a
// conditional and a number in the other: the last one decides how both are
// raised.
func (r *Renderer) mixedReleases(res *Result, tree *overlay.Tree) {
	mode := res.Config.Release.Calculation
	auto, number, ok := autospec.MixedReleases(tree.Spec)
	if !ok || !r.Lint || mode == autospec.CalculationAutorelease || mode == autospec.CalculationManual {
		return
	}
	d := diag.Diagnostic{Pos: origin(res.Config, "release.calculation"), Severity: diag.Warning, Code: "render/mixed-release",
		Message: "Release is %autorelease in one branch and a number in the other: the number takes the place of both",
		Hint:    `set release.calculation = "autorelease" to keep both as they are, or "manual"`}
	if auto > number {
		d.Message = "Release is a number in one branch and %autorelease in the other: the number is not raised"
	}
	for _, i := range []int{min(auto, number), max(auto, number)} {
		d.Related = append(d.Related, diag.Related{Pos: tree.Spec.Pos(i), Message: strings.TrimSpace(tree.Spec.Line(i).Text)})
	}
	res.add(diag.List{d})
}

// step applies one more operation of the renderer.
func (r *Renderer) step(res *Result, tree *overlay.Tree, op overlay.Op) bool {
	report, problems := overlay.Apply(tree, []overlay.Op{op}, overlay.Options{})
	for _, a := range report.Applied {
		a.Index = len(res.Ops)
		res.Report.Applied = append(res.Report.Applied, a)
	}
	res.Ops = append(res.Ops, op)
	return res.add(problems)
}

// autospec does what rpmautospec does to the spec.
func (r *Renderer) autospec(ctx context.Context, res *Result, tree *overlay.Tree) bool {
	if !mayUseAutospec(tree.Spec, res.text) {
		return true
	}
	text := res.text
	graph, done, err := r.graph(ctx, res, tree, text)
	if err != nil {
		return r.failAutospec(ctx, res, tree, text, err)
	}
	out, err := autospec.Process(autospec.Input{
		Name:        res.historyName(),
		Spec:        text,
		Files:       treeFS{tree},
		Graph:       graph,
		User:        autospec.PackagerUser,
		Now:         r.Clock(),
		ToolVersion: r.Project.Settings.AutospecVersion,
		Evaluator:   r.evaluator(ctx, res),
	})
	done()
	if err != nil {
		return r.failAutospec(ctx, res, tree, text, err)
	}
	if !out.Changed {
		return true
	}
	res.Autospec, res.staged = out, text
	o := &spec.Origin{Step: "autospec", Index: -1, Description: strings.Join(out.Features, ", ")}
	from := len(tree.Spec.Log())
	for i := 0; i < tree.Spec.Len() && bytes.IndexByte(text, '\r') >= 0; i++ {
		// Lines as Process counts them end at a lone CR, too.
		if t := tree.Spec.Line(i).Text; strings.Contains(t, "\r") {
			tree.Spec.Replace(i, o, strings.ReplaceAll(t, "\r", "\n"))
		}
	}
	tree.Spec.Reclassify()
	removed := tree.Spec.Len() - out.Keep
	r.lostChangelog(res, tree, out.Keep)
	tree.Spec.DeleteRange(out.Keep, tree.Spec.Len(), o)
	tree.Spec.InsertBefore(tree.Spec.Len(), o, out.Append...)
	tree.Spec.InsertBefore(0, o, out.Header...)
	tree.Spec.Reclassify()
	res.text = out.Apply(text) // a changelog file may have CRLF, which stays
	res.Report.Applied = append(res.Report.Applied, overlay.OpReport{Index: len(res.Ops), Origin: o, Places: 1,
		Added: len(out.Header) + len(out.Append), Removed: max(removed, 0), From: from, To: len(tree.Spec.Log())})
	res.Ops = append(res.Ops, overlay.Op{Step: "autospec", Description: o.Description})
	return true
}

// mayUseAutospec is a quick test that has no false negatives: rpmautospec looks
// at specs that name one of its macros, and at those without a %changelog.
func mayUseAutospec(f *spec.File, text []byte) bool {
	for _, s := range f.Sections() {
		if s.Kind == spec.ChangelogSection && strings.HasPrefix(f.Line(s.Start).Text, "%") {
			return bytes.Contains(text, []byte("autorelease")) || bytes.Contains(text, []byte("autochangelog"))
		}
	}
	return true
}

// filter decides which files are rendered, and lists them.
func (r *Renderer) filter(ctx context.Context, res *Result, tree *overlay.Tree) {
	specName := res.Component + ".spec"
	text := res.text
	top := map[string]bool{}
	for p := range tree.Files {
		first, _, _ := strings.Cut(p, "/")
		top[first] = true
	}
	delete(top, ".git") // never part of a package, whatever put it there
	others := len(top)
	for _, name := range []string{"sources", specName} {
		if top[name] {
			others--
		}
	}
	keep := top
	var entries []string // that the filter decides about
	if !r.Unfiltered && !res.Config.Render.SkipFileFilter && others > 0 {
		entries = slices.Sorted(maps.Keys(top))
	}
	v, err := r.verdict(ctx, res, tree, text, entries)
	if err != nil {
		res.fail(err)
		return
	}
	if !r.report(res, tree, v.findings) {
		return
	}
	if entries != nil {
		res.Filter = v.entries
		for _, e := range v.entries {
			keep[e.Name] = e.Keep
		}
	}
	r.choose(res, tree, keep)
}

// unfiltered lists all files but those that are never part of a package.
func (r *Renderer) unfiltered(_ context.Context, res *Result, tree *overlay.Tree) {
	r.choose(res, tree, nil)
}

// choose lists the files whose first part of the path is to be kept; nil keeps all.
func (r *Renderer) choose(res *Result, tree *overlay.Tree, top map[string]bool) {
	specName := res.Component + ".spec"
	keep := func(first string) bool { return top[first] || top == nil && first != ".git" }
	res.Files = append(make([]*overlay.File, 0, len(tree.Files)+1), overlay.NewFile(specName, res.Upstream.Mode, res.text, nil))
	for p, f := range tree.Files {
		if first, _, _ := strings.Cut(p, "/"); keep(first) && p != specName {
			res.Files = append(res.Files, f)
		} else if p != specName {
			res.dropped = append(res.dropped, f)
		}
	}
	slices.SortFunc(res.Files, func(a, b *overlay.File) int { return strings.Compare(a.Path, b.Path) })
	r.fileNames(res, tree)
	for _, f := range res.Files {
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			if tree.Files[dir] != nil || dir == specName {
				res.fail(&diag.Diagnostic{Code: "render/path-conflict", Message: fmt.Sprintf("%s is both a file and a directory", dir),
					Hint: "let the overlay that adds it use another name"})
				return
			}
		}
	}
}
