package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"specgraft/overlay/diag"
	"specgraft/render/review"
	"specgraft/render/review/lint"
	"specgraft/render/review/semantic"
)

// CommentLimit is the number of characters that a comment of a forge may have.
const CommentLimit = 60_000

// Line is the verdict in one line.
func (v *Verdict) Line() string {
	rendered := "drift and overlay health not checked"
	if v.Rendered {
		rendered = fmt.Sprintf("%d drifted, %s", v.Drift, count(v.Lint, "new lint finding"))
	}
	if v.Unrendered > 0 {
		rendered = fmt.Sprintf("%d not rendered, %s", v.Unrendered, rendered)
	}
	return fmt.Sprintf("%s touched: %d changed in meaning, %d in noise only; %d failing, %s, %s",
		count(v.Components, "component"), v.Meaning, v.Noise, v.Failing, rendered, count(v.EVRDown, "EVR")+" down")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Good reports whether nothing in the verdict is an error.
func (v *Verdict) Good() bool { return v.Failing+v.Drift+v.EVRDown == 0 }

// A part is a section of the Markdown with its share of the characters.
type part struct {
	share  int // in parts of a hundred of what is left
	title  string
	blocks []string
	left   string // what a block that is left out is called
}

// WriteMarkdown writes the report in at most limit characters: what matters
// most comes first, and what is left out is counted with the place where it is.
func (r *Report) WriteMarkdown(w io.Writer, limit int) error {
	var b strings.Builder
	mark := "✅"
	if !r.Verdict.Good() {
		mark = "❌"
	}
	fmt.Fprintf(&b, "## specgraft review\n\n%s **%s**\n\n%s\n", mark, r.Verdict.Line(), r.span())
	for i, n := range r.Notes {
		if i == 10 {
			fmt.Fprintf(&b, "\n> %d more notes are in review.json\n", len(r.Notes)-10)
			break
		}
		fmt.Fprintf(&b, "\n> %s\n", lint.Cell(cut(n, 500)))
	}
	parts := []part{
		{55, "", r.componentBlocks(), "component"},
		{30, "### Versions\n\n| package | old | new | order |\n|---|---|---|---|\n", r.versionRows(), "version"},
		{40, "### Overlay health\n\n", r.healthBlocks(), "overlay"},
		{30, "### Noise only\n\n", r.noiseBlocks(), "component"},
		{50, "### What else needs what goes\n\n", r.affectedRows(), "dependency"},
		{100, "### Raw diff\n\n", r.rawBlocks(), "file"},
	}
	const tail = 200 // for saying what is left out
	for _, p := range parts {
		if len(p.blocks) == 0 {
			continue
		}
		left := limit - utf8.RuneCountInString(b.String()) - tail*len(parts)
		budget := left * p.share / 100
		text := "\n" + p.title
		used, shown := utf8.RuneCountInString(text), 0
		for _, block := range p.blocks {
			n := utf8.RuneCountInString(block)
			if used+n > budget {
				break
			}
			text += block
			used += n
			shown++
		}
		if rest := len(p.blocks) - shown; rest > 0 {
			if shown == 0 {
				text = "\n"
			}
			text += fmt.Sprintf("\n… %s left out here; see review.html and review.json.\n", count(rest, p.left))
		}
		b.WriteString(text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// span says what was compared.
func (r *Report) span() string {
	to := "the working tree"
	if r.To != "" {
		to = code(fmt.Sprintf("%.12s", r.To))
	}
	return fmt.Sprintf("From %s to %s.", code(fmt.Sprintf("%.12s", r.From)), to)
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// code returns a text as a code span, on one line and without a character that
// does anything.
func code(s string) string {
	s = semantic.Visible(strings.Join(strings.Fields(s), " "))
	if s == "" {
		return "(nothing)"
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 || s[0] == '`' {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}

// cell is code for the cell of a table.
func cell(s string) string { return strings.ReplaceAll(code(s), "|", `\|`) }

// label says what matters about a component.
var kindLabels = map[string]string{
	Failing: "❌ fails", Down: "❌ EVR goes down", Drift: "❌ drifted", Unrendered: "⚠️ not rendered", Meaning: "", Noise: "noise only",
}

func (r *Report) componentBlocks() []string {
	var out []string
	for i := range r.Components {
		c := &r.Components[i]
		if c.Kind == Noise {
			continue
		}
		out = append(out, c.markdown())
	}
	return out
}

// evrs is the change of the EVR in a few words.
func (c *Component) evrs() string {
	switch {
	case c.OldEVR == c.NewEVR:
		return c.NewEVR
	case c.OldEVR == "":
		return c.NewEVR
	case c.NewEVR == "":
		return c.OldEVR
	}
	return c.OldEVR + " → " + c.NewEVR
}

func (c *Component) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s", lint.Cell(c.Name))
	if s := c.evrs(); s != "" {
		fmt.Fprintf(&b, " %s", code(s))
	}
	if c.Status == "added" || c.Status == "removed" {
		fmt.Fprintf(&b, " (%s)", c.Status)
	}
	if s := kindLabels[c.Kind]; s != "" {
		fmt.Fprintf(&b, " — %s", s)
	}
	b.WriteString("\n\n")
	for _, p := range c.Problems {
		fmt.Fprintf(&b, "- ❌ %s\n", lint.Cell(cut(p, 500)))
	}
	for _, s := range c.unread() {
		fmt.Fprintf(&b, "- ⚠️ %s\n", lint.Cell(cut(s, 500)))
	}
	if c.Kind == Unrendered {
		b.WriteString(c.unrendered())
	}
	const limit = 30
	shown, follows := 0, 0
	for i := range c.Changes {
		ch := &c.Changes[i]
		if ch.Follows() && ch.Order != "down" {
			follows++
			continue
		}
		if shown++; shown <= limit {
			b.WriteString(changeLine(ch))
		}
	}
	if shown > limit {
		fmt.Fprintf(&b, "- … %s more\n", count(shown-limit, "change"))
	}
	if follows > 0 {
		fmt.Fprintf(&b, "- %s from these\n", map[bool]string{true: "1 change follows", false: fmt.Sprintf("%d changes follow", follows)}[follows == 1])
	}
	if s := c.Noise.String(); s != "" {
		fmt.Fprintf(&b, "\n<sub>noise in lines: %s</sub>\n", s)
	}
	if c.drift {
		b.WriteString("\nThe checked-in tree is not what the configuration renders; the patch that fixes it is in review.json.\n")
	}
	return b.String()
}

// unread says what stands in the way of reading the specs, other than what the
// change itself broke, which is among the problems.
func (c *Component) unread() []string {
	var out []string
	for _, u := range c.Unknown {
		if u.What != "spec" {
			continue
		}
		switch u.Side {
		case "old":
			out = append(out, "before the change: "+u.Why)
		case "both":
			out = append(out, "before and after the change: "+u.Why)
		}
	}
	return out
}

// unrendered says what differs in the configuration of a component that is the
// same as it was.
func (c *Component) unrendered() string {
	var b strings.Builder
	b.WriteString("The configuration changed, and what is checked in did not: either it was not rendered, or the change has no effect.\n\n")
	const limit = 10
	for i := range c.Inputs {
		if i == limit {
			fmt.Fprintf(&b, "- … %s more\n", count(len(c.Inputs)-limit, "difference"))
			break
		}
		fmt.Fprintf(&b, "- %s %s\n", c.Inputs[i].Kind, code(cut(c.Inputs[i].Label, 500)))
	}
	return b.String()
}

// changeLine is one change as an item of a list.
func changeLine(ch *semantic.Change) string {
	var b strings.Builder
	sign := map[string]string{semantic.Added: "added", semantic.Removed: "removed", semantic.Changed: "changed"}[ch.Op]
	text := ch.Summary()
	if ch.Long() { // its first line says enough
		switch {
		case ch.New != nil:
			text += ": " + firstWords(*ch.New)
		case ch.Old != nil:
			text += ": " + firstWords(*ch.Old)
		}
	}
	fmt.Fprintf(&b, "- **%s** %s: %s", ch.Class, sign, code(cut(text, 300)))
	switch ch.Order {
	case "down":
		b.WriteString(" ❌ **down**")
	case "up", "same":
		fmt.Fprintf(&b, " (%s)", ch.Order)
	}
	if len(ch.Arch) == 1 {
		fmt.Fprintf(&b, " on %s", ch.Arch[0])
	} else if len(ch.Arch) == 0 {
		b.WriteString(" under a condition that does not hold")
	}
	if ch.Cause != "" {
		fmt.Fprintf(&b, "<br>↳ %s", lint.Cell(cut(ch.Cause, 300)))
	}
	b.WriteByte('\n')
	return b.String()
}

func (r *Report) versionRows() []string {
	var out []string
	for i := range r.Components {
		c := &r.Components[i]
		if c.OldEVR == c.NewEVR {
			continue
		}
		order := c.Order
		if order == "down" {
			order = "❌ down"
		}
		out = append(out, fmt.Sprintf("| %s | %s | %s | %s |\n", cell(c.Name), cell(dash(c.OldEVR)), cell(dash(c.NewEVR)), order))
	}
	return out
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (r *Report) healthBlocks() []string {
	var out []string
	for i := range r.Components {
		c := &r.Components[i]
		for k := range c.Findings {
			d := &c.Findings[k]
			out = append(out, fmt.Sprintf("- %s %s: %s\n", d.Severity, code(d.Code), lint.Cell(cut(diag.Position(d.Pos)+" "+d.Message, 400))))
		}
	}
	for i := range r.Components {
		c := &r.Components[i]
		for k := range c.Overlays {
			h := &c.Overlays[k]
			want := ""
			if h.Expected != nil {
				want = fmt.Sprintf(" of %d", *h.Expected)
			}
			codes := ""
			if len(h.Codes) > 0 {
				codes = ", " + strings.Join(h.Codes, ", ")
			}
			out = append(out, fmt.Sprintf("- %s %d %s matched %d%s, scope %s%s\n", lint.Cell(c.Name), h.Index+1, code(h.Type), h.Matched, want, lint.Cell(h.Scope), codes))
		}
	}
	return out
}

func (r *Report) noiseBlocks() []string {
	var names []string
	var sum semantic.Noise
	for i := range r.Components {
		if c := &r.Components[i]; c.Kind == Noise {
			names = append(names, lint.Cell(c.Name))
			sum.Add(c.Noise)
		}
	}
	if len(names) == 0 {
		return nil
	}
	const limit = 300
	list := strings.Join(names[:min(limit, len(names))], ", ")
	if len(names) > limit {
		list += fmt.Sprintf(" and %d more", len(names)-limit)
	}
	head := fmt.Sprintf("<details><summary>%s, lines: %s</summary>\n\n", count(len(names), "component"), sum.String())
	return []string{head + cut(list, 6000) + "\n\n</details>\n"}
}

func (r *Report) affectedRows() []string {
	var out []string
	for _, a := range r.Affected {
		out = append(out, fmt.Sprintf("- %s %s %s, which %s no longer provides\n", code(a.Component), a.Kind, code(a.Needs), code(a.From)))
	}
	return out
}

func (r *Report) rawBlocks() []string {
	var out []string
	for i := range r.Components {
		c := &r.Components[i]
		for k := range c.Files {
			f := &c.Files[k]
			var b strings.Builder
			if err := f.Write(&b, review.Style{Prefix: c.Name + "/"}); err != nil {
				continue
			}
			text := visibleLines(b.String())
			fence := "```"
			for strings.Contains(text, fence) {
				fence += "`"
			}
			out = append(out, fmt.Sprintf("<details><summary>%s +%d −%d</summary>\n\n%sdiff\n%s%s\n\n</details>\n", lint.Cell(c.Name+"/"+f.Path), f.Added, f.Removed, fence, text, fence))
		}
	}
	return out
}

// visibleLines is semantic.Visible for a text of several lines.
func visibleLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = semantic.Visible(cut(lines[i], 2000))
	}
	return strings.Join(lines, "\n")
}
