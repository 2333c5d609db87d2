// Package lint looks at the health of overlays: whether each still does what
// it was written for, in the narrowest and plainest way.
//
// It looks at one rendered component at a time, operation by operation, and
// returns how many places each matched and a list of diagnostics with stable
// codes. What the overlay operations themselves warn about is part of the list.
//
//	v := review.Open(ctx, renderer, "bash") // with renderer.Lint set
//	res, err := lint.Component(v, lint.Options{})
package lint

import (
	"fmt"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/fedora/macro"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
	"specgraft/overlay/spec"
	"specgraft/render"
	"specgraft/render/review"
	"specgraft/render/review/semantic"
)

// A Health is what became of one overlay.
type Health struct {
	Component   string `json:"component"`
	Index       int    `json:"index"` // among the component's overlays, from 0
	Type        string `json:"type"`
	File        string `json:"file"`
	Line        int    `json:"line"`
	Description string `json:"description,omitempty"`
	Matched     int    `json:"matched"`            // places
	Expected    *int   `json:"expected,omitempty"` // what the overlay says
	// Scope is what the overlay is confined to: "section %build", "tag Name of
	// package devel", "file x.patch", or "spec" for nothing less.
	Scope string   `json:"scope"`
	Codes []string `json:"codes"` // of the findings about it
	// Suggestion is TOML to paste in place of the overlay: it gives the same
	// bytes.
	Suggestion string `json:"suggestion,omitempty"`
}

// A Result is the health of a component's overlays.
type Result struct {
	Overlays []Health  `json:"overlays"`
	Findings diag.List `json:"findings"`
}

// Options say what to look at.
type Options struct {
	// Levels are the severities that the project wants, by code.
	Levels map[string]overlay.Level
	// Typed returns operations with a name for what they change that do to the
	// tree what the operation does; nil when there are none. Nil finds none.
	Typed func(tree *overlay.Tree, op overlay.Op) []overlay.Op
	// Newer returns the commit that the distribution's snapshot stands for and
	// whether the component's pin is older. Nil asks nobody.
	Newer func(c *components.Component) (commit string, older bool)
	// Due returns why overlays of the component may go by now, by their index;
	// nil or an empty map for none. Nil asks nobody.
	Due func(v *review.View) map[int]string
}

// Component looks at a rendered component. One that could not be rendered has
// the findings of the operations up to where it failed.
func Component(v *review.View, opt Options) *Result {
	res := v.Result
	out := &Result{Overlays: []Health{}, Findings: diag.List{}}
	out.Findings = append(out.Findings, res.Diags...)
	if res.Config == nil || res.Report == nil || v.Before.Spec == nil {
		return out
	}
	l := &linter{view: v, res: res, opt: &opt, out: out, at: map[int]int{}}
	l.walk()
	l.undone()
	l.due()
	l.component()
	for i := range l.found {
		l.found[i].Component = res.Component
	}
	out.Findings = append(out.Findings, overlay.Adjust(l.found, opt.Levels)...)
	out.Findings.Sort()
	for i := range out.Overlays {
		h := &out.Overlays[i]
		for _, d := range out.Findings {
			if d.Pos.Filename == h.File && d.Pos.Line >= h.Line && d.Pos.Line < l.next(h) && !slices.Contains(h.Codes, d.Code) {
				h.Codes = append(h.Codes, d.Code)
			}
		}
	}
	return out
}

type linter struct {
	view  *review.View
	res   *render.Result
	opt   *Options
	out   *Result
	found diag.List
	at    map[int]int // index in Overlays by index in Ops

	lines    []string // see state
	replayed int
	states   map[int]*spec.File
}

// next returns the first line behind the table of an overlay: that of the next
// overlay in the file.
func (l *linter) next(h *Health) int {
	end := 1 << 30
	for i := range l.out.Overlays {
		if o := &l.out.Overlays[i]; o.File == h.File && o.Line > h.Line && o.Line < end {
			end = o.Line
		}
	}
	return end
}

func (l *linter) add(pos token.Position, code, message, hint string, related ...diag.Related) {
	d := diag.Diagnostic{Pos: pos, Code: code, Message: message, Hint: hint, Related: related, Severity: diag.Warning}
	if i := slices.IndexFunc(Codes, func(c diag.Code) bool { return c.ID == code }); i >= 0 {
		d.Severity = Codes[i].Default
	}
	l.found = append(l.found, d)
}

// walk goes through the operations as they were applied.
func (l *linter) walk() {
	typed := l.typedState()
	for i := range l.res.Report.Applied {
		rep := &l.res.Report.Applied[i]
		op := &l.res.Ops[rep.Index]
		if op.Step != "" {
			typed(op)
			continue
		}
		l.at[rep.Index] = len(l.out.Overlays)
		l.out.Overlays = append(l.out.Overlays, Health{
			Component: l.res.Component, Index: rep.Origin.Index, Type: string(op.Type), File: op.Pos.Filename, Line: op.Pos.Line,
			Description: op.Description, Matched: rep.Places + rep.Unchanged, Expected: op.Expect, Scope: scope(op), Codes: []string{},
		})
		l.words(op)
		l.expression(op, rep)
		l.places(op, rep)
		tree := typed(op)
		if tree != nil && op.Type == overlay.SearchReplace && l.opt.Typed != nil {
			l.typed(tree, op)
		}
	}
}

// typedState returns a function that applies the next operation and returns the
// tree as it stood before, nil when nothing needs it.
func (l *linter) typedState() func(*overlay.Op) *overlay.Tree {
	wanted := l.opt.Typed != nil && slices.ContainsFunc(l.res.Ops, func(op overlay.Op) bool { return op.Type == overlay.SearchReplace && op.Step == "" })
	if !wanted {
		return func(*overlay.Op) *overlay.Tree { return nil }
	}
	cur := &overlay.Tree{Name: l.view.Before.Name, Spec: l.view.Before.Spec.Clone(), Files: map[string]*overlay.File{}}
	broken := false
	return func(op *overlay.Op) *overlay.Tree {
		if broken {
			return nil
		}
		before := &overlay.Tree{Name: cur.Name, Spec: cur.Spec.Clone(), Files: cur.Files}
		if op.File != "" || op.Archive != "" || op.Source != "" {
			return before // files do not matter for expressions in specs
		}
		rep, list := overlay.Apply(cur, []overlay.Op{*op}, overlay.Options{})
		broken = rep.Failed >= 0 || list.HasErrors()
		return before
	}
}

// scope says what an overlay is confined to.
func scope(op *overlay.Op) string {
	pkg := ""
	if op.Package != "" {
		pkg = " of package " + op.Package
	}
	switch {
	case op.Archive != "":
		return "archive " + op.Archive
	case op.File != "":
		return "file " + op.File
	case op.Tag != "":
		return "tag " + op.Tag + pkg
	case op.Section != "":
		return "section " + op.Section + pkg
	case op.Package != "":
		return "package " + op.Package
	}
	return "spec"
}

// words looks at what the overlay says about itself.
func (l *linter) words(op *overlay.Op) {
	if strings.TrimSpace(op.Description) == "" {
		l.add(op.Pos, "lint/no-description", fmt.Sprintf("%s does not say why it is there", op.Type),
			`add description = "..."; reviewers and blame show it`)
	}
	m := op.Metadata
	if m == nil {
		return
	}
	pos := m.Pos
	if pos.Line == 0 {
		pos = op.At("metadata")
	}
	missing, wait := "", m.Category == "azl-temp-workaround" || m.Category == "azl-disable-flaky-tests"
	switch {
	case m.UpstreamStatus == "upstreamed" && len(m.Commits) == 0:
		missing = "which commit upstream has it in (commits)"
	case m.UpstreamStatus == "unknown":
		missing = "whether it can go upstream (upstream-status)"
	case wait && len(m.Bugs)+len(m.Commits) == 0:
		missing = "what it waits for (bugs or commits)"
	}
	if missing != "" {
		l.add(pos, "lint/metadata", "the metadata does not say "+missing, "add it, so that it can be seen when the overlay may go")
	}
	for _, k := range []struct {
		list  []overlay.Link
		shape func() *regexp.Regexp
		what  string
	}{{m.Commits, commitLink, "a commit"}, {m.Bugs, bugLink, "an issue"}} {
		for _, link := range k.list {
			if !k.shape().MatchString(link.URL) {
				p := link.Pos
				if p.Line == 0 {
					p = pos
				}
				l.add(p, "lint/link", fmt.Sprintf("the address names no %s: %s", strings.TrimPrefix(strings.TrimPrefix(k.what, "an "), "a "), link.URL),
					"give the address of "+k.what+" itself, not that of a project or a search")
			}
		}
	}
}

var (
	// commitLink has the shapes of commits, pull requests and patches.
	commitLink = regex.Once(`(?i)(/commits?/|/c/|/\+/|[?&;](id|h)=|/r/|/rev/|^)[0-9a-f]{7,64}([./?#&]|$)|/(pull|pulls|merge_requests|pull-request)/[0-9]+|/\+/[0-9]+|\.(patch|diff)$`)
	// bugLink has the shapes of issues.
	bugLink = regex.Once(`(?i)/(issues?|pull|pulls|merge_requests|bugs?|work_items|ticket|tickets|advisories|browse)/+(work_items/)?[a-z0-9-]*[0-9]+|[?&](id|bug|issue)=[0-9]+|bugzilla[^/]*/[0-9]+|/[0-9]+/?$|rhbz#?[0-9]+|CVE-[0-9]{4}-[0-9]+|GHSA-|/_workitems/edit/[0-9]+`)
)

// expression looks at the expression of an overlay.
func (l *linter) expression(op *overlay.Op, rep *overlay.OpReport) {
	if op.Type != overlay.SearchReplace {
		return
	}
	if op.Section == "" && op.Package == "" {
		l.unscoped(op, rep)
	}
	if !anchored(op.Regex) {
		l.add(op.At("regex"), "lint/unanchored", "the expression is not anchored, so it matches longer words and lines as well",
			"begin it with ^ or \\b and end it with $ or \\b")
	}
}

// unscoped says how an expression that looks at the whole spec could be confined.
// It says nothing of one that is meant for several sections and says how many
// places that are.
func (l *linter) unscoped(op *overlay.Op, rep *overlay.OpReport) {
	where := l.sections(rep)
	hint := `add section = "..."`
	switch {
	case len(where) == 1 && where[0] != "":
		hint = fmt.Sprintf("all it matches is in %s: add section = %q", where[0], where[0])
	case len(where) == 1 && l.tagsOnly(rep):
		hint = fmt.Sprintf("all it matches are tags of the preamble: use an overlay for tags, or add section = %q", overlay.PreambleSection)
	case len(where) == 1:
		hint = fmt.Sprintf("all it matches is in the preamble: add section = %q", overlay.PreambleSection)
	case len(where) > 1 && op.Expect != nil:
		return
	case len(where) > 1:
		hint = fmt.Sprintf("it changes lines of %d sections: make it one overlay for each, or set expect = %d when all are meant", len(where), rep.Places)
	}
	l.add(op.At("regex"), "lint/unscoped", "the expression looks at the whole spec", hint)
}

// tagsOnly reports whether all lines that an operation changed are tags.
func (l *linter) tagsOnly(rep *overlay.OpReport) bool {
	before := l.stateBefore(rep)
	if before == nil {
		return false
	}
	str := before.Structure()
	for _, e := range l.edits(rep) {
		if e.Index >= len(str.Lines) || str.Lines[e.Index].Form != spec.FormTag {
			return false
		}
	}
	return true
}

// anchored reports whether an expression holds on to the beginning or the end
// of something.
func anchored(expr string) bool {
	return strings.Contains(strings.ReplaceAll(expr, "[^", ""), "^") || strings.HasSuffix(expr, "$") && !strings.HasSuffix(expr, `\$`) ||
		strings.Contains(expr, `\b`) || wholeLine(expr) || strings.Contains(expr, `\A`) || strings.HasSuffix(expr, `\z`)
}

// wholeLine reports whether an expression takes the line as it is on both sides,
// to which anchors would add nothing.
func wholeLine(expr string) bool {
	return strings.HasPrefix(expr, ".*") && strings.HasSuffix(expr, ".*") && !strings.HasSuffix(expr, `\.*`)
}

// sections returns the sections that an operation changed, "" for the preamble.
func (l *linter) sections(rep *overlay.OpReport) []string {
	var out []string
	for _, e := range l.edits(rep) {
		s := ""
		f := l.stateBefore(rep)
		if f == nil || e.Index >= f.Len() {
			return nil
		}
		s = f.Sections()[f.SectionAt(e.Index)].Name
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (l *linter) edits(rep *overlay.OpReport) []spec.Edit {
	log := l.res.Spec.Log()
	if rep.From < 0 || rep.To > len(log) || rep.From > rep.To {
		return nil
	}
	return log[rep.From:rep.To]
}

// stateBefore returns the spec as it stood before an operation.
func (l *linter) stateBefore(rep *overlay.OpReport) *spec.File {
	return l.state(rep.From)
}

// places looks at where an operation changed the spec.
func (l *linter) places(op *overlay.Op, rep *overlay.OpReport) {
	edits := l.edits(rep)
	if len(edits) == 0 {
		return
	}
	if op.Type == overlay.SearchReplace && len(edits) > 1 && op.Branch == "" {
		before := l.stateBefore(rep)
		if before != nil {
			str := before.Structure()
			for i := 1; i < len(edits); i++ {
				if a, b := edits[0].Index, edits[i].Index; a < before.Len() && b < before.Len() && str.Exclusive(a, b) {
					l.add(op.At("regex"), "lint/branches", "the expression matches in several branches of a conditional",
						`say which one is meant with branch = "1", or that all are with branch = "all"`,
						diag.Related{Pos: before.Pos(a), Message: "here"}, diag.Related{Pos: before.Pos(b), Message: "and here"})
					break
				}
			}
		}
	}
	if op.Type == overlay.SearchReplace {
		return
	}
	after := l.state(rep.To)
	if after == nil {
		return
	}
	str := after.Structure()
	for _, e := range edits {
		if len(e.New) <= len(e.Old) {
			continue
		}
		for _, at := range []int{e.Index - 1, e.Index + len(e.New)} {
			if at < 0 || at >= after.Len() {
				continue
			}
			if f := str.Lines[at].Form; f == spec.FormIf || f == spec.FormElse || f == spec.FormEndif {
				l.add(op.Pos, "lint/beside-conditional", "the new text stands next to a conditional, where a small change of the spec moves it to the other side",
					"look at the place with specgraft step, and anchor the text to a line that stays",
					diag.Related{Pos: after.Pos(at), Message: strings.TrimSpace(after.Line(at).Text)})
				return
			}
		}
	}
}

// typed suggests operations with a name in place of an expression.
func (l *linter) typed(tree *overlay.Tree, op *overlay.Op) {
	ops := l.opt.Typed(tree, *op)
	if len(ops) == 0 {
		return
	}
	var tables []string
	names := make([]string, len(ops))
	for i := range ops {
		table := Table(l.res.Component, &ops[i])
		if table == "" {
			return
		}
		tables, names[i] = append(tables, table), string(ops[i].Type)
	}
	l.out.Overlays[len(l.out.Overlays)-1].Suggestion = strings.Join(tables, "\n")
	l.add(op.At("type"), "lint/typed", fmt.Sprintf("%s gives the same bytes and says what it is for", strings.Join(slices.Compact(names), " and ")),
		"paste the suggestion in its place")
}

// component looks at the component as a whole.
func (l *linter) component() {
	c := l.res.Config
	l.sourceFiles()
	if l.res.Failed() || len(l.out.Overlays) == 0 {
		return
	}
	d, err := l.view.Semantic(semantic.Options{Archs: []string{"x86_64"}})
	if err != nil || d == nil {
		return // rendering has said why
	}
	for _, ch := range d.Down() {
		pos := c.Pos
		l.add(pos, "lint/evr-down", fmt.Sprintf("the rendered %s has a lower EVR than upstream's: %s, upstream %s", ch.Package, d.NewEVR, d.OldEVR),
			"systems that have upstream's package would keep it; raise the release or the epoch")
		break
	}
	if l.opt.Newer != nil && c.Spec.UpstreamCommit != "" {
		if commit, older := l.opt.Newer(c); older {
			pos := c.Pos
			if o, ok := c.Origin("spec.upstream-commit"); ok {
				pos = o.Pos
			}
			l.add(pos, "lint/old-pin", fmt.Sprintf("the pin %.12s is older than what the distribution's snapshot stands for, %.12s", c.Spec.UpstreamCommit, commit),
				"remove upstream-commit, or say beside it why it stays")
		}
	}
}

// due reports overlays that have done their time.
func (l *linter) due() {
	if l.opt.Due == nil {
		return
	}
	reasons := l.opt.Due(l.view)
	for _, i := range slices.Sorted(maps.Keys(reasons)) {
		if i >= 0 && i < len(l.res.Config.Overlays) {
			op := &l.res.Config.Overlays[i]
			l.add(op.Pos, "lint/due", fmt.Sprintf("the overlay %s may go: %s", op.Type, reasons[i]), "run specgraft retire "+l.res.Component)
		}
	}
}

// sourceFiles looks for source-files that the spec does not name.
func (l *linter) sourceFiles() {
	files := l.res.Config.SourceFiles
	if len(files) == 0 || l.res.Spec == nil {
		return
	}
	s := macro.Eval(l.view.Spec(), l.res.Text(), macro.Config{Set: l.res.Macros, FS: l.res.FS()})
	used := map[string]bool{}
	known := true
	for _, x := range slices.Concat(s.Sources, s.Patches) {
		used[x.Name] = true
		known = known && x.Name != ""
	}
	if !known || len(s.Open) > 0 {
		return
	}
	for _, f := range files {
		if !used[path.Base(f.Filename)] && !strings.Contains(string(l.res.Text()), f.Filename) {
			l.add(f.Pos, "lint/unused-source", fmt.Sprintf("no Source or Patch of the spec is called %s", f.Filename), "remove the entry of source-files, or add the Source")
		}
	}
}
