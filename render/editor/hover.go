package editor

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/render/editor/buffer"
	"specgraft/render/review"
)

// A Hover explains what stands at a place, as Markdown.
type Hover struct {
	Span buffer.Span
	Text string
}

// maxShown bounds the lines of a diff that an explanation shows.
const maxShown = 60

// Hover explains what stands at a point of a file; nil when there is nothing to
// say.
func (s *Snapshot) Hover(ctx context.Context, path string, at buffer.Point) *Hover {
	if s.Project == nil {
		return nil
	}
	if isSpec(path) {
		return s.hoverSpec(ctx, path, at)
	}
	if filepath.Ext(path) != ".toml" {
		return nil
	}
	c := s.cursor(path, at)
	if c == nil {
		return nil
	}
	switch c.tok.Kind {
	case toml.TokenHeader, toml.TokenKey, toml.TokenValue:
	default:
		return nil
	}
	var parts []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			parts = append(parts, text)
		}
	}
	over := overlayPath(c.tok.Path)
	if over == nil && c.tok.Kind == toml.TokenHeader && c.tok.List && len(c.tok.Path) > 0 && c.tok.Path[len(c.tok.Path)-1] == "overlays" {
		// The header itself stands for the overlay that it begins.
		next := toml.TokenAt(c.text.S, c.headerEnd())
		over = overlayPath(next.Path)
		c.tok.Path = next.Path
	}
	if over != nil {
		add(s.hoverKey(c, over))
		add(s.hoverOverlay(ctx, c))
	} else {
		add(s.hoverKey(c, nil))
		add(s.hoverName(c))
		add(s.hoverOrigin(c))
	}
	if len(parts) == 0 {
		return nil
	}
	return &Hover{c.span(), strings.Join(parts, "\n\n---\n\n") + "\n"}
}

// headerEnd is the offset behind the brackets of the header at the cursor.
func (c *cursor) headerEnd() int {
	rest := c.text.S[c.tok.End:]
	if i := strings.Index(rest, "]]"); i >= 0 {
		return c.tok.End + i + 2
	}
	return c.tok.End
}

// hoverKey documents a key of the format. In an overlay the type decides what
// it means.
func (s *Snapshot) hoverKey(c *cursor, over []string) string {
	path := c.tok.Path
	if over != nil && len(path) > len(over) {
		fields := c.fields(over)
		info := overlay.Lookup(overlay.Type(fields["type"].Text))
		name := path[len(over)]
		if name == "type" && c.tok.Kind == toml.TokenValue {
			if info == nil {
				return ""
			}
			return fmt.Sprintf("**%s**: %s; one place is a %s", info.Type, info.Help, info.Counts)
		}
		if info != nil && len(path) == len(over)+1 {
			if k := info.Key(name); k != nil {
				text := fmt.Sprintf("**%s** _(%s)_\n\n%s", k.Name, k.Kind, k.Help)
				if k.Extension {
					text += "; extension of specgraft"
				}
				return text
			}
		}
	}
	k := schema.KeyAt(path, c.document)
	if k == nil {
		return ""
	}
	if c.tok.Kind == toml.TokenValue {
		for _, choice := range k.Enum {
			if choice.Value == c.tok.Text && choice.Help != "" {
				return fmt.Sprintf("`%s`: %s", choice.Value, choice.Help)
			}
		}
		if k.Name == "" || len(k.Enum) > 0 {
			return ""
		}
	}
	if k.Name == "" && c.tok.Kind != toml.TokenValue {
		return k.Help
	}
	return components.Describe(k)
}

// hoverName says what a name of something defined stands for.
func (s *Snapshot) hoverName(c *cursor) string {
	ref, ok := s.refOf(c)
	if !ok {
		return ""
	}
	switch ref.kind {
	case refComponent:
		comp, problems := s.Project.Component(ref.name)
		if comp == nil {
			return ""
		}
		var b strings.Builder
		fmt.Fprintf(&b, "component `%s`", ref.name)
		switch {
		case comp.Spec.Type == "local":
			fmt.Fprintf(&b, ", spec %s", s.Project.Display(comp.Spec.Path))
		case comp.Spec.Type == "template":
			fmt.Fprintf(&b, ", template %s", comp.Spec.Template)
		case comp.IsUpstream():
			if u, problems := s.Project.Upstream(comp); !problems.HasErrors() {
				fmt.Fprintf(&b, ", from %s %s", u.DistroName, u.Version)
				if u.Commit != "" {
					fmt.Fprintf(&b, " at %.12s", u.Commit)
				}
			}
		}
		if len(comp.Groups) > 0 {
			fmt.Fprintf(&b, "\n\ngroups: %s", strings.Join(comp.Groups, ", "))
		}
		fmt.Fprintf(&b, "\n\noverlays: %d", len(comp.Overlays))
		if n := len(problems); n > 0 {
			fmt.Fprintf(&b, "\n\nproblems: %d", n)
		}
		return b.String()
	case refGroup:
		g := s.Project.Groups[ref.name]
		if g == nil {
			return ""
		}
		names, _ := s.Project.Select(components.Selector{Groups: []string{ref.name}})
		text := fmt.Sprintf("component group `%s`: %d member%s", ref.name, len(names), plural(len(names)))
		if len(names) > 0 {
			text += ", " + strings.Join(names[:min(8, len(names))], ", ")
		}
		if g.Description != "" {
			text += "\n\n" + g.Description
		}
		return text
	case refDistro:
		if d := s.Project.Distros[ref.name]; d != nil {
			return strings.TrimSpace(fmt.Sprintf("distribution `%s`, default version %s\n\n%s", d.Name, d.DefaultVersion, d.Description))
		}
	}
	return ""
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// hoverOrigin says which layers of the inheritance give the value, and which of
// them counts.
func (s *Snapshot) hoverOrigin(c *cursor) string {
	name, rest := component(c.tok.Path)
	if name == "" || len(rest) == 0 {
		return s.hoverInherited(c)
	}
	comp, _ := s.Project.Component(name)
	if comp == nil {
		return ""
	}
	path := components.JoinPath(rest)
	if list := comp.Layers(path); len(list) > 0 {
		var b strings.Builder
		b.WriteString("origin, the last one counts:\n")
		for _, l := range list {
			fmt.Fprintf(&b, "\n- %s: `%s` (%s)", l.Layer, diag.Excerpt(l.Value), diag.Position(l.Pos))
		}
		return b.String()
	}
	if o, ok := comp.Origin(path); ok {
		return fmt.Sprintf("origin: %s (%s)", o.Layer, diag.Position(o.Pos))
	}
	return ""
}

// hoverInherited says who inherits a default.
func (s *Snapshot) hoverInherited(c *cursor) string {
	i := slices.Index(c.tok.Path, "default-component-config")
	if i < 0 {
		return ""
	}
	names := s.Project.Names()
	who := "all components"
	if g := group(c.tok.Path); g != "" {
		names, _ = s.Project.Select(components.Selector{Groups: []string{g}})
		who = fmt.Sprintf("%d member%s of group %s", len(names), plural(len(names)), g)
	}
	rest := components.JoinPath(c.tok.Path[i+1:])
	if rest == "" || len(names) == 0 {
		return "inherited by " + who
	}
	pos := c.text.Point(c.tok.Start)
	n := 0
	for _, name := range names {
		if comp, _ := s.Project.Component(name); comp != nil {
			if o, ok := comp.Origin(rest); ok && s.path(o.Pos.Filename) == c.path && o.Pos.Line == pos.Line+1 {
				n++
			}
		}
	}
	return fmt.Sprintf("inherited by %s; this value counts for %d", who, n)
}

// hoverOverlay shows what an overlay matches and does.
func (s *Snapshot) hoverOverlay(ctx context.Context, c *cursor) string {
	users := s.users(c)
	if len(users) == 0 {
		return ""
	}
	var b strings.Builder
	for i, u := range users {
		if i == 3 {
			fmt.Fprintf(&b, "\n\nand %d more components have it", len(users)-i)
			break
		}
		if i > 0 {
			b.WriteString("\n\n")
		}
		g := s.healthOf(ctx, u.name, false)
		switch {
		case g == nil:
			continue
		case g.missing():
			fmt.Fprintf(&b, "the packaging of `%s` is not in the mirror: run `specgraft fetch %s`", u.name, u.name)
			continue
		}
		b.WriteString(describeStep(u, g))
	}
	return b.String()
}

// describeStep shows what an overlay did to a component, and what lint says.
func describeStep(u user, g *stage) string {
	var b strings.Builder
	st := g.step(u.index)
	if st == nil {
		fmt.Fprintf(&b, "`%s`: not applied, as an overlay before it fails", u.name)
		return b.String()
	}
	fmt.Fprintf(&b, "`%s`: **%s**", u.name, title(u, st))
	if st.Same > 0 {
		fmt.Fprintf(&b, ", %d unchanged", st.Same)
	}
	if len(st.Files) > 0 {
		var diff bytes.Buffer
		for i := range st.Files {
			d := st.Files[i]
			d.Hunks = slices.Clone(d.Hunks)
			for k := range d.Hunks {
				d.Hunks[k].Causes = nil
			}
			_ = d.Write(&diff, review.Style{Visible: true})
		}
		b.WriteString("\n\n" + fenced("diff", diff.String()))
	}
	var said []string
	for _, d := range g.diags {
		if d.Pos.Filename == u.op.Pos.Filename && within(d, u, g) {
			said = append(said, fmt.Sprintf("- %s: %s `%s`", d.Severity, d.Message, d.Code))
		}
	}
	if len(said) > 0 {
		b.WriteString("\n" + strings.Join(said, "\n"))
	} else if st.Status == review.Applied {
		b.WriteString("\nlint: nothing to say")
	}
	return b.String()
}

// within reports whether a problem is about an overlay: it stands at one of its
// keys, or at its table.
func within(d diag.Diagnostic, u user, g *stage) bool {
	if d.Pos == u.op.Pos {
		return true
	}
	for _, p := range u.op.KeyPos {
		if d.Pos == p {
			return true
		}
	}
	return false
}

// fenced puts text into a code block of Markdown, which the text cannot end.
func fenced(lang, text string) string {
	lines := strings.SplitAfter(text, "\n")
	if len(lines) > maxShown {
		lines = append(lines[:maxShown], fmt.Sprintf("... %d more lines\n", len(lines)-maxShown))
	}
	text = strings.Join(lines, "")
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return fence + lang + "\n" + text + fence + "\n"
}

// title says in a few words what an overlay does, as code lenses have it.
func title(u user, st *review.Step) string {
	switch {
	case st.Status == review.Failed:
		return "does not apply"
	case st.Status == review.Skipped:
		return "works in an archive, not tried here"
	case len(st.Files) == 0:
		return "no effect"
	}
	what := "place"
	if info := overlay.Lookup(u.op.Type); info != nil {
		what = info.Counts
	}
	n := st.Places
	if what == "match" {
		return fmt.Sprintf("%d match%s", n, pluralOf(what, n))
	}
	return fmt.Sprintf("matches %d %s%s", n, what, pluralOf(what, n))
}

func pluralOf(what string, n int) string {
	switch {
	case n == 1:
		return ""
	case strings.HasSuffix(what, "ch"):
		return "es"
	}
	return "s"
}
