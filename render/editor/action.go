package editor

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components"
	tomledit "specgraft/components/edit"
	"specgraft/components/toml"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
	"specgraft/render"
	"specgraft/render/editor/buffer"
	"specgraft/render/review"
)

// A Change is what an action does to files, all at once.
type Change struct {
	Edits   map[string][]buffer.Edit // by path
	Created map[string]string        // new files with their text, by path
	Renamed map[string]string        // new path by old path
}

// An Action is something that the editor offers to do at a place.
type Action struct {
	Title     string
	Fix       bool // mends a problem; otherwise it is a refactoring
	Preferred bool
	Change    *Change // nil when a command finds it out
	Command   string
	Args      []any
}

// didYouMean is how hints name the nearest candidate.
var didYouMean = regex.Once(`did you mean "([^"]+)"\?`)

// Actions returns what can be done in a range of a file.
func (s *Snapshot) Actions(ctx context.Context, path string, span buffer.Span) []Action {
	if s.Project == nil {
		return nil
	}
	if isSpec(path) {
		return s.specActions(ctx, path)
	}
	if filepath.Ext(path) != ".toml" {
		return nil
	}
	c := s.cursor(path, span.Start)
	if c == nil {
		return nil
	}
	list := s.nearestNames(ctx, c, span)
	list = append(list, s.overlayActions(ctx, c)...)
	return append(list, s.componentActions(c)...)
}

// edit is an action that changes one file.
func (s *Snapshot) edit(path string, text *buffer.Text, now []byte) *Change {
	edits := buffer.Difference(text.S, string(now))
	if len(edits) == 0 {
		return nil
	}
	return &Change{Edits: map[string][]buffer.Edit{path: edits}}
}

// nearestNames offers the nearest candidates of misspelt names in the range.
func (s *Snapshot) nearestNames(ctx context.Context, c *cursor, span buffer.Span) []Action {
	var list []Action
	for _, d := range s.Diagnostics(ctx, c.path, false) {
		m := didYouMean().FindStringSubmatch(d.Hint)
		if m == nil {
			continue
		}
		at := s.Range(c.text, d.Pos, d.End)
		if after(at.Start, span.End) || after(span.Start, at.End) {
			continue
		}
		tok := toml.TokenAt(c.text.S, c.text.Offset(at.Start))
		var edit buffer.Edit
		switch tok.Kind {
		case toml.TokenKey, toml.TokenHeader:
			edit = buffer.Edit{Span: c.text.Span(tok.Start, tok.End), New: toml.QuoteKey(m[1])}
		case toml.TokenValue:
			edit = buffer.Edit{Span: inside(c.text, tok), New: m[1]}
		default:
			continue
		}
		list = append(list, Action{Title: fmt.Sprintf("change to %q", m[1]), Fix: true, Preferred: true,
			Change: &Change{Edits: map[string][]buffer.Edit{c.path: {edit}}}})
	}
	return list
}

// overlayActions offers what can be done with the overlay at the cursor.
func (s *Snapshot) overlayActions(ctx context.Context, c *cursor) []Action {
	if over := overlayPath(c.tok.Path); over == nil && c.tok.List {
		next := toml.TokenAt(c.text.S, c.headerEnd())
		c = &cursor{c.path, c.text, c.off, next, c.document}
	}
	users := s.users(c)
	if len(users) == 0 {
		return nil
	}
	u := users[0]
	g := s.healthOf(ctx, u.name, false)
	var list []Action
	if u.op.Description == "" {
		list = s.overlayEdit(list, c, "add a description", false, func(e *tomledit.Editor) error {
			return e.SetAt(u.op.Pos, "description", "TODO: say why")
		})
	}
	if g == nil || g.missing() {
		return list
	}
	st := g.step(u.index)
	if st == nil {
		return list
	}
	if u.op.Type == overlay.UpdateTag && st.Status == review.Failed {
		list = s.overlayEdit(list, c, "use spec-set-tag, which adds the tag", true, func(e *tomledit.Editor) error {
			return e.SetAt(u.op.Pos, "type", string(overlay.SetTag))
		})
	}
	own := len(users) == 1 && components.Own(u.op)
	if own && st.Status == review.Applied && st.Places > 0 && (u.op.Expect == nil || *u.op.Expect != st.Places) {
		list = s.overlayEdit(list, c, fmt.Sprintf("pin the count: expect = %d", st.Places), false, func(e *tomledit.Editor) error {
			return e.SetAt(u.op.Pos, "expect", st.Places)
		})
	}
	if u.op.Expect != nil && st.Status == review.Failed {
		if n, ok := foundCount(g, u); ok {
			list = s.overlayEdit(list, c, fmt.Sprintf("expect %d", n), true, func(e *tomledit.Editor) error { return e.SetAt(u.op.Pos, "expect", n) })
		}
	}
	if own && (u.op.Type == overlay.SearchReplace || u.op.Type == overlay.FileSearchReplace) {
		list = s.suggestedActions(ctx, list, c, u)
	}
	return list
}

// overlayEdit adds an action that edits the file of the cursor, when the edit is
// possible and changes something.
func (s *Snapshot) overlayEdit(list []Action, c *cursor, title string, fix bool, change func(e *tomledit.Editor) error) []Action {
	e, problems := tomledit.Edit(s.name(c.path), []byte(c.text.S))
	if problems.HasErrors() || change(e) != nil {
		return list
	}
	if ch := s.edit(c.path, c.text, e.Bytes()); ch != nil {
		list = append(list, Action{Title: title, Fix: fix, Change: ch})
	}
	return list
}

// suggestedActions offers the overlays that lint suggests in place of one.
func (s *Snapshot) suggestedActions(ctx context.Context, list []Action, c *cursor, u user) []Action {
	deep := s.healthOf(ctx, u.name, true)
	if deep == nil || deep.lint == nil {
		return list
	}
	for _, h := range deep.lint.Overlays {
		if h.Index != u.index || h.Suggestion == "" {
			continue
		}
		if ops := suggested(h.Suggestion); len(ops) > 0 {
			list = s.overlayEdit(list, c, fmt.Sprintf("use %s, which does the same", opTypes(ops)), false, func(e *tomledit.Editor) error {
				return e.ReplaceOverlayAt(u.op.Pos, u.op, ops)
			})
		}
	}
	return list
}

func opTypes(ops []overlay.Op) string {
	var names []string
	for i := range ops {
		names = append(names, string(ops[i].Type))
	}
	return strings.Join(names, " and ")
}

var overlayHeader = regex.Once(`(?m)^\[\[components\..*\.overlays\]\]$`)

// suggested reads the overlays that lint suggests.
func suggested(text string) []overlay.Op {
	ops, problems := components.ParseOverlays("suggestion.toml", []byte(overlayHeader().ReplaceAllString(text, "[[overlays]]")))
	if problems.HasErrors() {
		return nil
	}
	return ops
}

var countFound = regex.Once(`(\d+)`)

// foundCount is the number of places that an overlay would change, from the
// error about the number it expects.
func foundCount(g *stage, u user) (int, bool) {
	for _, d := range g.diags {
		if d.Code != "overlay/expect" || d.Pos.Filename != u.op.Pos.Filename {
			continue
		}
		if d.Pos == u.op.Pos || d.Pos == u.op.At("expect") {
			for _, m := range countFound().FindAllString(d.Message, -1) {
				var n int
				if _, err := fmt.Sscan(m, &n); err == nil && n != *u.op.Expect && n > 0 {
					return n, true
				}
			}
		}
	}
	return 0, false
}

// splitFrom is how many overlays make a list that is worth splitting.
const splitFrom = 5

// componentActions offers what can be done with the component at the cursor.
func (s *Snapshot) componentActions(c *cursor) []Action {
	name, _ := component(c.tok.Path)
	if name == "" {
		if names := s.ComponentsOf(c.path); c.document && len(names) == 1 {
			name = names[0]
		} else {
			return nil
		}
	}
	comp := s.Component(name)
	if comp == nil {
		return nil
	}
	var list []Action
	if ch := s.split(c, comp); ch != nil {
		list = append(list, Action{Title: fmt.Sprintf("split the %d overlays into overlay files", len(comp.Overlays)), Change: ch})
	}
	if comp.IsUpstream() && len(comp.Overlays) > 0 && comp.Spec.Source != "srpm" {
		list = append(list, Action{Title: "apply the rebase proposals for the newest upstream in the mirror", Command: CommandRebase, Args: []any{name}})
	}
	return list
}

// split moves the overlays of a component into overlay files, one for each run
// of overlays with the same reason. It is nil where that would change their
// order or who has them.
func (s *Snapshot) split(c *cursor, comp *components.Component) *Change {
	if len(comp.Overlays) < splitFrom || comp.File != c.path || c.document {
		return nil
	}
	if _, ok := comp.Origin("overlay-files"); ok {
		return nil
	}
	for i := range comp.Overlays {
		if op := &comp.Overlays[i]; !components.Own(op) || s.Project.FileOf(op) != c.path {
			return nil
		}
	}
	dir := "overlays"
	if !strings.HasPrefix(filepath.Base(c.path), comp.Name+".") {
		dir = "overlays/" + comp.Name
	}
	e, problems := tomledit.Edit(s.name(c.path), []byte(c.text.S))
	if problems.HasErrors() {
		return nil
	}
	for i := len(comp.Overlays) - 1; i >= 0; i-- {
		if e.RemoveAt(comp.Overlays[i].Pos) != nil {
			return nil
		}
	}
	if e.Set([]string{"components", comp.Name, "overlay-files"}, []string{dir + "/*.toml"}) != nil {
		return nil
	}
	ch := s.edit(c.path, c.text, e.Bytes())
	if ch == nil {
		return nil
	}
	ch.Created = map[string]string{}
	up := strings.Repeat("../", strings.Count(dir, "/")+1)
	for i := 0; i < len(comp.Overlays); {
		k := i + 1
		for k < len(comp.Overlays) && sameReason(comp.Overlays[i].Metadata, comp.Overlays[k].Metadata) {
			k++
		}
		var b strings.Builder
		b.WriteString(metadataText(comp.Overlays[i].Metadata))
		for _, op := range comp.Overlays[i:k] {
			if op.Source != "" {
				rel, err := filepath.Rel(comp.Dir, op.Source)
				if err != nil {
					return nil
				}
				op.Source = up + filepath.ToSlash(rel)
			}
			op.Metadata = nil
			b.WriteString("\n" + tomledit.OverlayText([]string{"overlays"}, &op))
		}
		file := filepath.Join(filepath.Dir(c.path), filepath.FromSlash(dir), fmt.Sprintf("%02d-%s.toml", 10*(len(ch.Created)+1), fileWord(&comp.Overlays[i])))
		if s.textOf(file) != nil {
			return nil
		}
		ch.Created[file] = b.String()
		i = k
	}
	return ch
}

var notWord = regex.Once(`[^a-z0-9]+`)

// fileWord makes a name for a file of what an overlay is about.
func fileWord(op *overlay.Op) string {
	word := op.Description
	if word == "" {
		word = string(op.Type)
	}
	word = strings.Trim(notWord().ReplaceAllString(strings.ToLower(word), "-"), "-")
	if len(word) > 40 {
		word = strings.TrimRight(word[:40], "-")
	}
	if word == "" {
		return "changes"
	}
	return word
}

func sameReason(a, b *overlay.Metadata) bool { return metadataText(a) == metadataText(b) }

// metadataText writes the reason of an overlay as the table of a document. One
// that has none gets the most general, to be filled in.
func metadataText(m *overlay.Metadata) string {
	if m == nil {
		return "[metadata]\ncategory = \"azl-compatibility\" # TODO: say which\nupstream-status = \"unknown\"\n"
	}
	quote := func(s string) string { return fmt.Sprintf("%q", s) }
	var b strings.Builder
	fmt.Fprintf(&b, "[metadata]\ncategory = %s\nupstream-status = %s\n", quote(m.Category), quote(m.UpstreamStatus))
	links := func(key string, l []overlay.Link) {
		if len(l) == 0 {
			return
		}
		var parts []string
		for _, x := range l {
			parts = append(parts, fmt.Sprintf("{ url = %s }", quote(x.URL)))
		}
		fmt.Fprintf(&b, "%s = [%s]\n", key, strings.Join(parts, ", "))
	}
	links("commits", m.Commits)
	links("bugs", m.Bugs)
	if r := m.Retire; r != nil {
		for _, f := range []struct{ key, value string }{{"retire-commit", r.Commit}, {"retire-version", r.Version}, {"retire-date", r.Date}, {"retire-link", r.Link}} {
			if f.value != "" {
				fmt.Fprintf(&b, "specgraft.%s = %s\n", f.key, quote(f.value))
			}
		}
		if r.With != "" {
			fmt.Fprintf(&b, "specgraft.retire-with = { component = %s, version = %s }\n", quote(r.With), quote(r.WithVersion))
		}
	}
	return b.String()
}

// Rename gives the component or group at a point another name, in all files.
func (s *Snapshot) Rename(path string, at buffer.Point, name string) (*Change, error) {
	r, _, ok := s.renamable(path, at)
	if !ok {
		return nil, fmt.Errorf("only components and component groups can be renamed")
	}
	switch r.kind {
	case refComponent:
		if reason := s.Project.CheckName(name); reason != "" {
			return nil, fmt.Errorf("%q cannot be the name of a component: %s", name, reason)
		}
		if slices.Contains(s.Project.Names(), name) && name != r.name {
			return nil, fmt.Errorf("there is a component %q already", name)
		}
	case refGroup:
		if name == "" || strings.ContainsAny(name, "\n\r") {
			return nil, fmt.Errorf("%q cannot be the name of a group", name)
		}
		if s.Project.Groups[name] != nil && name != r.name {
			return nil, fmt.Errorf("there is a component group %q already", name)
		}
	}
	ch := &Change{Edits: map[string][]buffer.Edit{}, Renamed: map[string]string{}}
	s.find(r, func(path string, text *buffer.Text, t toml.Token, _ bool) {
		edit := buffer.Edit{Span: text.Span(t.Start, t.End), New: toml.QuoteKey(name)}
		if t.Kind == toml.TokenValue {
			edit.New = fmt.Sprintf("%q", name)
		}
		ch.Edits[path] = append(ch.Edits[path], edit)
	})
	if r.kind == refComponent {
		s.renameFiles(ch, r.name, name)
	}
	return ch, nil
}

// renameFiles adds to a change what else bears the name of a component: its
// lock, and its upstream package, which stays what it was.
func (s *Snapshot) renameFiles(ch *Change, old, name string) {
	comp := s.Component(old)
	if comp == nil {
		return
	}
	lock := filepath.Join(s.Project.LockDir, old+".lock")
	if s.textOf(lock) != nil {
		ch.Renamed[lock] = filepath.Join(s.Project.LockDir, name+".lock")
	}
	if comp.Spec.Type == "local" && comp.Spec.Path != "" && filepath.Base(comp.Spec.Path) == old+".spec" {
		if o, ok := comp.Origin("spec.path"); ok {
			file := s.path(o.Pos.Filename)
			if text := s.textOf(file); text != nil {
				tok := toml.TokenAt(text.S, text.Offset(buffer.Point{Line: o.Pos.Line - 1, Col: o.Pos.Column - 1}))
				if tok.Kind == toml.TokenValue && strings.HasSuffix(tok.Text, old+".spec") {
					ch.Edits[file] = append(ch.Edits[file], buffer.Edit{Span: inside(text, tok), New: strings.TrimSuffix(tok.Text, old+".spec") + name + ".spec"})
					ch.Renamed[comp.Spec.Path] = filepath.Join(filepath.Dir(comp.Spec.Path), name+".spec")
				}
			}
		}
	}
	if comp.IsUpstream() && comp.Spec.UpstreamName == "" && comp.File != "" {
		text := s.textOf(comp.File)
		if text == nil {
			return
		}
		// On the text with the new name, so that the two edits are one.
		now := applyEdits(text, ch.Edits[comp.File])
		e, problems := tomledit.Edit(s.name(comp.File), []byte(now))
		if problems.HasErrors() || e.Set([]string{"components", name, "spec", "upstream-name"}, old) != nil {
			return
		}
		if comp.Spec.Type == "upstream" {
			_ = e.Set([]string{"components", name, "spec", "type"}, "upstream") // the rule wants both in one table
		}
		ch.Edits[comp.File] = buffer.Difference(text.S, string(e.Bytes()))
	}
}

// applyEdits returns a text with edits that do not overlap.
func applyEdits(t *buffer.Text, edits []buffer.Edit) string {
	list := slices.Clone(edits)
	slices.SortFunc(list, func(a, b buffer.Edit) int { return t.Offset(b.Span.Start) - t.Offset(a.Span.Start) })
	s := t.S
	for _, e := range list {
		s = s[:t.Offset(e.Span.Start)] + e.New + s[t.Offset(e.Span.End):]
	}
	return s
}

// RenameSpan returns the range of the name at a point that can be renamed, and
// whether there is one.
func (s *Snapshot) RenameSpan(path string, at buffer.Point) (buffer.Span, bool) {
	_, span, ok := s.renamable(path, at)
	return span, ok
}

// renamable returns what a rename at a point would change, and its range
// without quotes.
func (s *Snapshot) renamable(path string, at buffer.Point) (ref, buffer.Span, bool) {
	if s.Project == nil || filepath.Ext(path) != ".toml" {
		return ref{}, buffer.Span{}, false
	}
	c := s.cursor(path, at)
	if c == nil {
		return ref{}, buffer.Span{}, false
	}
	r, ok := s.refOf(c)
	if !ok || r.kind != refComponent && r.kind != refGroup {
		return ref{}, buffer.Span{}, false
	}
	return r, c.inside(), true
}

// Range is the range of a problem in a text: what its positions say, and for a
// point the word or header that begins there.
func (s *Snapshot) Range(text *buffer.Text, from, to tokenPosition) buffer.Span {
	start := buffer.Point{Line: max(from.Line-1, 0), Col: max(from.Column-1, 0)}
	end := start
	if to.Line > 0 && to.Filename == from.Filename {
		end = buffer.Point{Line: to.Line - 1, Col: max(to.Column-1, 0)}
	}
	if end != start {
		return buffer.Span{Start: start, End: end}
	}
	line := text.Line(start.Line)
	if start.Col >= len(line) {
		return buffer.Span{Start: start, End: start}
	}
	rest := line[start.Col:]
	n := len(strings.TrimRight(rest, " \t"))
	if !strings.HasPrefix(rest, "[") && from.Column > 0 {
		if i := strings.IndexAny(rest, " \t,=]}"); i > 0 {
			n = i
		}
	}
	if n == 0 {
		n = 1
	}
	return buffer.Span{Start: start, End: buffer.Point{Line: start.Line, Col: start.Col + n}}
}

// componentOfRendered returns the component that a file of the rendered tree
// belongs to.
func (s *Snapshot) componentOfRendered(path string) string {
	if s.Project == nil || s.Project.RenderedDir == "" {
		return ""
	}
	rel, err := filepath.Rel(s.Project.RenderedDir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	parts := strings.SplitN(filepath.ToSlash(rel), "/", 3)
	if len(parts) != 3 || !slices.Contains(s.Project.Names(), parts[1]) || render.ComponentDir(parts[1]) != parts[0]+"/"+parts[1] {
		return ""
	}
	return parts[1]
}

// Place returns the place in a file that a position stands for, and whether
// there is such a file.
func (s *Snapshot) Place(p tokenPosition) (buffer.Place, bool) { return s.place(p, p) }

// IsHint reports whether a problem is shown as a hint only.
func IsHint(d *diag.Diagnostic) bool { return d.Code == Inactive || d.Code == UnknownMacro }
