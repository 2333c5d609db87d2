package editor

import (
	"context"
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
	"specgraft/render/editor/buffer"
	"specgraft/render/review"
)

// macroAt returns the macro that a point of a line is in.
func macroAt(line string, col int) (use, bool) {
	for _, u := range uses(line) {
		start := u.start
		for start > 0 && strings.IndexByte("%{?!", line[start-1]) >= 0 {
			start--
		}
		if col >= start && col <= u.start+len(u.name) {
			return u, true
		}
	}
	// The name in a definition has no percent sign.
	f := strings.Fields(line)
	if len(f) >= 2 && (f[0] == "%global" || f[0] == "%define" || f[0] == "%undefine") {
		name, _, _ := strings.Cut(f[1], "(")
		start := strings.Index(line, f[1])
		if col >= start && col <= start+len(name) {
			return use{name: name, start: start}, true
		}
	}
	return use{}, false
}

// hoverSpec explains a macro, or where a line comes from.
func (s *Snapshot) hoverSpec(ctx context.Context, path string, at buffer.Point) *Hover {
	text := s.textOf(path)
	if text == nil {
		return nil
	}
	line := text.Line(at.Line)
	var parts []string
	span := buffer.Span{Start: buffer.Point{Line: at.Line, Col: 0}, End: buffer.Point{Line: at.Line, Col: len(line)}}
	if u, ok := macroAt(line, at.Col); ok && !isTemplate(path) && !sectionLine(line, u) {
		if t := s.describeMacro(ctx, path, text, u, at.Line); t != "" {
			parts = append(parts, t)
			span = buffer.Span{Start: buffer.Point{Line: at.Line, Col: u.start}, End: buffer.Point{Line: at.Line, Col: u.start + len(u.name)}}
		}
	}
	if t := s.describeLine(ctx, path, text, at.Line); t != "" {
		parts = append(parts, t)
	}
	if len(parts) == 0 {
		return nil
	}
	return &Hover{span, strings.Join(parts, "\n\n---\n\n") + "\n"}
}

func sectionLine(line string, u use) bool {
	return strings.HasPrefix(line, "%") && u.start == 1 && macro.SectionName(line) != ""
}

// describeMacro says what a macro stands for at a line and where it is defined.
func (s *Snapshot) describeMacro(ctx context.Context, path string, text *buffer.Text, u use, line int) string {
	st := s.evaluate(ctx, path, text)
	if st == nil {
		return ""
	}
	v, def, where := st.value(s, u.name, line)
	if where == "" {
		if known(u.name) {
			return fmt.Sprintf("`%%%s` is part of rpm", u.name)
		}
		return fmt.Sprintf("`%%%s` is not defined by the spec or by the macro set %s", u.name, st.set.Name())
	}
	var b strings.Builder
	fmt.Fprintf(&b, "`%%{%s}`", u.name)
	switch {
	case v.Known:
		b.WriteString(" is\n\n" + fenced("", v.Text))
	case v.Reason != "":
		fmt.Fprintf(&b, " is not known: %s\n", v.Reason)
	}
	if def != "" && strings.TrimSpace(def) != strings.TrimSpace(v.Text) {
		b.WriteString("\ndefined as\n\n" + fenced("spec", strings.TrimSpace(def)))
	}
	b.WriteString("\n" + where)
	return b.String()
}

// value expands a macro as it is at a line, from 0, with the text that it was
// defined with and a word on where that is; "" when it is not defined.
func (st *specState) value(s *Snapshot, name string, line int) (macro.Value, string, string) {
	e := macro.New(st.cfg)
	for _, tag := range []struct {
		name  string
		value macro.Value
	}{{"name", st.result.Name}, {"version", st.result.Version}, {"release", st.result.Release}, {"epoch", st.result.Epoch}} {
		if tag.value.Known && tag.value.Set {
			_ = e.Define(tag.name, tag.value.Text)
		}
	}
	var def macro.Definition
	found := false
	for _, d := range st.result.Macros {
		if d.Pos.Line > line+1 && found && d.Name == name {
			break
		}
		if d.Name == name {
			def, found = d, !d.Undef
		}
		if d.Undef || d.Param && d.Name != name {
			continue
		}
		if d.Body.Text != "" || d.Body.Known {
			n := d.Name
			if d.Param {
				n += "(" + d.Opts + ")"
			}
			_ = e.Define(n, d.Body.Text)
		}
	}
	where, body := "", ""
	switch {
	case found:
		where, body = fmt.Sprintf("defined in line %d", def.Pos.Line), def.Body.Text
	case slices.ContainsFunc(st.cfg.Defines, func(d macro.Define) bool { return d.Name == name }):
		where = "defined by build.defines of the component"
		if c := s.named(st.name); c != nil {
			if o, ok := c.Origin("build.defines." + name); ok {
				where += " (" + diag.Position(o.Pos) + ")"
			}
		}
	case slices.Contains([]string{"name", "version", "release", "epoch"}, name) && e.Defined(name):
		where = "from the tag of the main package"
	case st.set.Has(name):
		where = "defined by the macro set " + st.set.Name()
		body, _ = st.set.Body(name)
	default:
		return macro.Value{}, "", ""
	}
	if found && def.Param {
		return macro.Value{}, body, where
	}
	return e.Expand(token.Position{Line: line + 1}, "%{"+name+"}"), body, where
}

// describeLine says where a line of a rendered spec comes from.
func (s *Snapshot) describeLine(ctx context.Context, path string, text *buffer.Text, line int) string {
	name, kind := s.owner(path)
	if kind != specRendered {
		return ""
	}
	g := s.rendered(ctx, name, true)
	if g == nil {
		return ""
	}
	num := lineIn(string(g.view.Result.Text()), text.S, line)
	if num < 0 {
		return "edited by hand; the next render overwrites it"
	}
	b := g.view.Blame(false)
	if num >= len(b.Lines) {
		return ""
	}
	l := b.Lines[num]
	if l.Cause == nil {
		out := fmt.Sprintf("upstream, line %d of %s", l.Upstream, g.view.UpstreamSpec())
		if b.Commit != "" {
			out += fmt.Sprintf(" at %.12s", b.Commit)
		}
		return out
	}
	var out strings.Builder
	out.WriteString("cause: " + s.cause(g, l.Cause))
	for _, t := range g.view.Trail(num + 1) {
		if !t.New && t.Before != t.After {
			fmt.Fprintf(&out, "\n\n%s\n\n%s", t.Cause.Label(), fenced("diff", "-"+t.Before+"\n+"+t.After))
		}
	}
	return out.String()
}

// cause names the cause of a line with its place as it is now.
func (s *Snapshot) cause(g *stage, c *review.Cause) string {
	if o := g.overlayPos(c); o.Line > 0 {
		now := *c
		now.File, now.Line = o.Filename, o.Line
		return now.Label()
	}
	return c.Label()
}

// overlayPos is where the overlay that is a cause stands now.
func (g *stage) overlayPos(c *review.Cause) token.Position {
	if comp := g.view.Result.Config; comp != nil && c.Index >= 0 && c.Index < len(comp.Overlays) {
		return comp.Overlays[c.Index].Pos
	}
	return token.Position{Filename: c.File, Line: c.Line, Column: 1}
}

// UpstreamScheme is the scheme of documents that show packaging upstream.
const UpstreamScheme = "specgraft"

// SpecDefinition returns where what stands at a point of a spec comes from: a
// macro from its definition, a rendered line from its overlay, or from a line
// of the spec upstream, which is a document and not a file.
func (s *Snapshot) SpecDefinition(ctx context.Context, path string, at buffer.Point) (places []buffer.Place, upstream string, line int) {
	text := s.textOf(path)
	if text == nil {
		return nil, "", 0
	}
	src := text.Line(at.Line)
	if u, ok := macroAt(src, at.Col); ok && !isTemplate(path) && !sectionLine(src, u) {
		if st := s.evaluate(ctx, path, text); st != nil {
			for _, d := range slices.Backward(st.result.Macros) {
				if d.Name == u.name && !d.Undef && d.Pos.Line > 0 && d.Pos.Filename == filepath.Base(path) && d.Pos.Line-1 != at.Line {
					p := buffer.Point{Line: d.Pos.Line - 1, Col: 0}
					return []buffer.Place{{Path: path, Span: buffer.Span{Start: p, End: p}}}, "", 0
				}
			}
			if c := s.named(st.name); c != nil {
				if o, ok := c.Origin("build.defines." + u.name); ok {
					if p, ok := s.place(o.Pos, o.Pos); ok {
						return []buffer.Place{p}, "", 0
					}
				}
			}
		}
	}
	name, kind := s.owner(path)
	if kind != specRendered {
		return nil, "", 0
	}
	g := s.rendered(ctx, name, true)
	if g == nil {
		return nil, "", 0
	}
	num := lineIn(string(g.view.Result.Text()), text.S, at.Line)
	b := g.view.Blame(false)
	if num < 0 || num >= len(b.Lines) {
		return nil, "", 0
	}
	l := b.Lines[num]
	if l.Cause != nil {
		if p, ok := s.place(g.overlayPos(l.Cause), token.Position{}); ok {
			return []buffer.Place{p}, "", 0
		}
		if c := g.view.Result.Config; c != nil { // a step of the renderer
			if p, ok := s.place(c.Pos, c.Pos); ok {
				return []buffer.Place{p}, "", 0
			}
		}
		return nil, "", 0
	}
	if c := g.view.Result.Config; c != nil && c.Spec.Type == "local" {
		p := buffer.Point{Line: max(l.Upstream-1, 0), Col: 0}
		return []buffer.Place{{Path: c.Spec.Path, Span: buffer.Span{Start: p, End: p}}}, "", 0
	}
	return nil, name, max(l.Upstream-1, 0)
}

// RenderedPlaces returns the lines of a component's rendered spec that one of its
// overlays wrote, or with index -1 the spec. The file must be there and hold
// what is rendered.
func (s *Snapshot) RenderedPlaces(ctx context.Context, name string, index int) []buffer.Place {
	file := s.RenderedFile(name)
	text := s.textOf(file)
	if text == nil {
		return nil
	}
	if index < 0 {
		return []buffer.Place{{Path: file}}
	}
	g := s.rendered(ctx, name, true)
	if g == nil {
		return nil
	}
	want := string(g.view.Result.Text())
	shift := func(line int) (int, bool) {
		if want == text.S {
			return line, true
		}
		return lineOut(want, text.S, line)
	}
	var places []buffer.Place
	last := -2
	for i, l := range g.view.Blame(false).Lines {
		if l.Cause == nil || l.Cause.Index != index {
			continue
		}
		n, ok := shift(i)
		if !ok {
			continue
		}
		if n == last+1 && len(places) > 0 {
			places[len(places)-1].Span.End = buffer.Point{Line: n, Col: len(text.Line(n))}
		} else {
			places = append(places, buffer.Place{Path: file, Span: buffer.Span{Start: buffer.Point{Line: n, Col: 0}, End: buffer.Point{Line: n, Col: len(text.Line(n))}}})
		}
		last = n
	}
	if len(places) == 0 {
		return []buffer.Place{{Path: file}}
	}
	return places
}

// lineOut is the reverse of lineIn.
func lineOut(want, have string, line int) (int, bool) {
	n := lineIn(have, want, line)
	return n, n >= 0
}

// UpstreamText returns the spec of a component as it is upstream.
func (s *Snapshot) UpstreamText(ctx context.Context, name string) (string, bool) {
	tree := s.upstream(ctx, name)
	if tree == nil {
		return "", false
	}
	return string(tree.Spec.Bytes()), true
}

// specSymbols is the outline of a spec: its sections, and in each its
// conditionals.
func specSymbols(text *buffer.Text) []Symbol {
	f := spec.Parse("", []byte(text.S))
	st := f.Structure()
	lines := func(from, to int) buffer.Span { // [from, to)
		to = max(to, from+1)
		return buffer.Span{Start: buffer.Point{Line: from, Col: 0}, End: buffer.Point{Line: to - 1, Col: len(text.Line(to - 1))}}
	}
	conds := make([][]Symbol, len(st.Parts))
	built := make([]Symbol, len(st.Conds))
	for i := len(st.Conds) - 1; i >= 0; i-- {
		c := st.Conds[i]
		first := c.Branches[0]
		end := c.Endif + 1
		if c.Endif < 0 {
			end = first + 1
		}
		y := Symbol{Name: strings.TrimSpace(text.Line(first)), Kind: SymbolConditional, Span: lines(first, end), Name0: lines(first, first+1)}
		y.Children = append(y.Children, built[i].Children...)
		slices.Reverse(y.Children)
		if c.Parent >= 0 {
			built[c.Parent].Children = append(built[c.Parent].Children, y)
			continue
		}
		if p := st.Lines[first].Part; p >= 0 && p < len(conds) {
			conds[p] = append(conds[p], y)
		}
	}
	var list []Symbol
	for i, p := range st.Parts {
		name, kind := p.Name, SymbolSection
		switch {
		case name == "":
			name = "preamble"
		case name == "%package":
			kind = SymbolPackage
		}
		if p.Package != "" {
			name += " " + p.Package
		}
		from, to := p.Start, p.End
		for to > from+1 && strings.TrimSpace(text.Line(to-1)) == "" {
			to--
		}
		if from >= to && i > 0 {
			continue
		}
		slices.Reverse(conds[i])
		y := Symbol{Name: name, Kind: kind, Span: lines(from, to), Name0: lines(from, from+1), Children: conds[i]}
		for _, c := range y.Children { // conditionals may reach over the end of a section
			if after(c.Span.End, y.Span.End) {
				y.Span.End = c.Span.End
			}
		}
		list = append(list, y)
	}
	return list
}

// specFolds are the sections, conditionals and blocks of a spec.
func specFolds(text *buffer.Text) []Fold {
	f := spec.Parse("", []byte(text.S))
	st := f.Structure()
	var list []Fold
	add := func(from, to int) { // both included
		for to > from && strings.TrimSpace(text.Line(to)) == "" {
			to--
		}
		if to > from {
			list = append(list, Fold{Start: from, End: to})
		}
	}
	for _, p := range st.Parts {
		add(p.Start, p.End-1)
	}
	for _, c := range st.Conds {
		for i, b := range c.Branches {
			end := c.Endif
			if i+1 < len(c.Branches) {
				end = c.Branches[i+1]
			}
			if end > 0 {
				add(b, end-1)
			}
		}
	}
	for _, b := range st.Blocks {
		add(b.Start, b.End-1)
	}
	slices.SortFunc(list, func(a, b Fold) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	return slices.Compact(list)
}

// A Highlight is a word with its meaning.
type Highlight struct {
	Line, Col, Len int // bytes
	Kind           HighlightKind
}

// A HighlightKind is one of Highlights.
type HighlightKind int

// The kinds of highlights, as positions in HighlightNames.
const (
	HighlightSection HighlightKind = iota
	HighlightTag
	HighlightMacro
	HighlightComment
)

// HighlightNames are the names that the protocol has for the kinds.
var HighlightNames = []string{"keyword", "property", "macro", "comment"}

// Highlights returns the words of a spec with their meaning, in order. Lines of
// branches that are not taken are comments.
func (s *Snapshot) Highlights(ctx context.Context, path string) []Highlight {
	text := s.textOf(path)
	if text == nil || !isSpec(path) {
		return nil
	}
	off := map[int]bool{}
	if !isTemplate(path) {
		if st := s.evaluate(ctx, path, text); st != nil {
			for _, r := range inactiveRanges(st, text) {
				for i := r[0]; i < r[1]; i++ {
					off[i] = true
				}
			}
		}
	}
	f := spec.Parse("", []byte(text.S))
	st := f.Structure()
	tags := map[int]string{}
	for _, t := range st.Tags {
		tags[t.Line] = t.Name
	}
	var list []Highlight
	for i := range text.Lines() {
		line := text.Line(i)
		trimmed := strings.TrimLeft(line, " \t")
		if trimmed == "" || i >= len(st.Lines) {
			continue
		}
		indent := len(line) - len(trimmed)
		if off[i] || st.Lines[i].Form == spec.FormComment {
			list = append(list, Highlight{i, indent, len(strings.TrimRight(trimmed, " \t")), HighlightComment})
			continue
		}
		at := 0
		switch st.Lines[i].Form {
		case spec.FormHeader, spec.FormIf, spec.FormElse, spec.FormEndif, spec.FormDefine:
			word, _, _ := strings.Cut(trimmed, " ")
			list = append(list, Highlight{i, indent, len(word), HighlightSection})
			at = indent + len(word)
		case spec.FormTag:
			if name := tags[i]; name != "" && strings.HasPrefix(trimmed, name) {
				list = append(list, Highlight{i, indent, len(name), HighlightTag})
				at = indent + len(name)
			}
		}
		for _, u := range uses(line) {
			if u.start > at {
				list = append(list, Highlight{i, u.start, len(u.name), HighlightMacro})
			}
		}
	}
	return list
}

// completeSpec completes macros, tags and section names.
func (s *Snapshot) completeSpec(ctx context.Context, path string, at buffer.Point) ([]Completion, bool) {
	text := s.textOf(path)
	if text == nil {
		return nil, false
	}
	line := text.Line(at.Line)
	before := line[:min(at.Col, len(line))]
	m := &completer{Snapshot: s, ctx: ctx, c: &cursor{path: path, text: text}}
	if start, ok := macroStart(before); ok {
		word := before[start:]
		if start == 1 {
			for _, sec := range knownSections {
				m.add(Completion{Label: sec, Kind: CompleteSection, Edit: buffer.Edit{Span: buffer.Span{Start: buffer.Point{Line: at.Line, Col: 0}, End: at}, New: sec}}, word)
			}
		}
		span := buffer.Span{Start: buffer.Point{Line: at.Line, Col: start}, End: at}
		var names []string
		if st := s.evaluate(ctx, path, text); st != nil {
			names = slices.Clone(st.set.Names())
			for _, d := range st.cfg.Defines {
				names = append(names, d.Name)
			}
		} else {
			names = macro.Builtin().Names()
		}
		names = append(names, definedIn(text.S)...)
		slices.Sort(names)
		for _, n := range slices.Compact(names) {
			m.add(Completion{Label: n, Kind: CompleteMacro, Edit: buffer.Edit{Span: span, New: n}}, word)
		}
		return m.list, m.more
	}
	if strings.TrimSpace(before) == "" || !strings.ContainsAny(before, " \t:") {
		f := spec.Parse("", []byte(text.S))
		st := f.Structure()
		part := ""
		if at.Line < len(st.Lines) {
			if p := st.Lines[at.Line].Part; p >= 0 {
				part = st.Parts[p].Name
			}
		}
		if part == "" || part == "%package" {
			for _, t := range knownTags {
				m.add(Completion{Label: t, Kind: CompleteTag, Edit: buffer.Edit{Span: buffer.Span{Start: buffer.Point{Line: at.Line, Col: 0}, End: at}, New: t + ": "}}, strings.TrimSpace(before))
			}
		}
	}
	return m.list, m.more
}

// specActions are what can be done with a rendered spec that was edited.
func (s *Snapshot) specActions(ctx context.Context, path string) []Action {
	name, kind := s.owner(path)
	if kind != specRendered {
		return nil
	}
	text := s.textOf(path)
	if text == nil || len(s.edited(ctx, name, path, text, true)) == 0 {
		return nil
	}
	return []Action{{Title: "absorb as overlay", Fix: true, Preferred: true, Command: CommandAbsorb, Args: []any{name}}}
}
