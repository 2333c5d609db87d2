package lint

import (
	"fmt"
	"io"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/render/review/semantic"
)

// WriteText prints the health of overlays as a table.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	last := ""
	for i := range r.Overlays {
		h := &r.Overlays[i]
		if h.Component != last {
			fmt.Fprintf(&b, "%s\n", h.Component)
			last = h.Component
		}
		fmt.Fprintf(&b, "  %3d  %-24s %-14s %s", h.Index+1, h.Type, h.count(), semantic.Visible(h.Scope))
		if len(h.Codes) > 0 {
			fmt.Fprintf(&b, "  [%s]", strings.Join(h.Codes, ", "))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteSuggestions prints what to paste in place of overlays.
func (r *Result) WriteSuggestions(w io.Writer) error {
	var b strings.Builder
	for i := range r.Overlays {
		if h := &r.Overlays[i]; h.Suggestion != "" {
			fmt.Fprintf(&b, "\n# in place of %s:%d\n%s", h.File, h.Line, h.Suggestion)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// count says how many places matched, and how many should.
func (h *Health) count() string {
	s := fmt.Sprintf("matched %d", h.Matched)
	if h.Expected != nil {
		s += fmt.Sprintf(" of %d", *h.Expected)
	}
	return s
}

// WriteMarkdown writes findings and overlays as Markdown tables.
func (r *Result) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## Overlay health\n\n%d overlays, %d findings\n", len(r.Overlays), len(r.Findings))
	if len(r.Findings) > 0 {
		b.WriteString("\n| severity | code | place | finding |\n|---|---|---|---|\n")
		for i := range r.Findings {
			d := &r.Findings[i]
			fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", d.Severity, d.Code, Cell(diag.Position(d.Pos)), Cell(d.Message))
		}
	}
	if len(r.Overlays) > 0 {
		b.WriteString("\n| component | overlay | matched | scope | findings |\n|---|---|---|---|---|\n")
		for i := range r.Overlays {
			h := &r.Overlays[i]
			fmt.Fprintf(&b, "| %s | %d `%s` | %s | %s | %s |\n", Cell(h.Component), h.Index+1, h.Type, strings.TrimPrefix(h.count(), "matched "), Cell(h.Scope), Cell(strings.Join(h.Codes, ", ")))
		}
	}
	for i := range r.Overlays {
		if h := &r.Overlays[i]; h.Suggestion != "" && !strings.Contains(h.Suggestion, "```") {
			fmt.Fprintf(&b, "\nIn place of %s:\n\n```toml\n%s```\n", Cell(fmt.Sprintf("%s:%d", h.File, h.Line)), h.Suggestion)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Cell returns text for a cell of a Markdown table: one line in which nothing is
// markup, a mention or a link.
func Cell(s string) string {
	s = semantic.Visible(strings.Join(strings.Fields(s), " "))
	var b strings.Builder
	for _, r := range s {
		switch r {
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '@', '#': // no mention of a person or an issue
			fmt.Fprintf(&b, "&#%d;", r)
		case '\\', '`', '*', '_', '[', ']', '|', '!', '~':
			b.WriteString("\\" + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
