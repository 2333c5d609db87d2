package semantic

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// WriteText prints the diff for people: a line per change, with its cause below.
func (d *Diff) WriteText(w io.Writer) error {
	var b strings.Builder
	for i := range d.Changes {
		d.Changes[i].writeText(&b)
	}
	if s := d.Noise.String(); s != "" {
		fmt.Fprintf(&b, "  noise: %s\n", s)
	}
	for _, u := range d.Unknown {
		at := ""
		if u.Line > 0 {
			at = fmt.Sprintf(" (line %d)", u.Line)
		}
		fmt.Fprintf(&b, "  not known: %s%s: %s\n", u.What, at, Visible(u.Why))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Change) writeText(b *strings.Builder) {
	sign := map[string]string{Added: "+", Removed: "-", Changed: "~"}[c.Op]
	fmt.Fprintf(b, "  %s %-11s %s", sign, c.Class, c.Summary())
	if c.Order != "" {
		fmt.Fprintf(b, " (%s)", c.Order)
	}
	switch {
	case len(c.Arch) == 0:
		b.WriteString(" [text under a condition that does not hold]")
	case len(c.Arch) == 1:
		fmt.Fprintf(b, " [%s]", c.Arch[0])
	}
	b.WriteByte('\n')
	if c.Cause != "" {
		fmt.Fprintf(b, "      %s\n", Visible(c.Cause))
	}
	if text := c.lines(); text != "" {
		b.WriteString(text)
	}
}

// Summary says in one line what a change is, without its class.
func (c *Change) Summary() string {
	what := Visible(c.What)
	switch c.Class {
	case Package:
		if c.Op != Changed {
			return Visible(c.Package)
		}
	case Version, Release, Dependency, Tag, Build, Description, Files, Scriptlet:
		if c.Package != "" {
			what = Visible(c.Package) + " " + what
		}
	}
	if c.Long() {
		return what
	}
	value := func(p *string) string { return Visible(oneLine(*p)) }
	switch {
	case c.Op == Changed && c.Old != nil && c.New != nil:
		return what + ": " + value(c.Old) + " -> " + value(c.New)
	case c.New != nil && oneLine(*c.New) != c.What:
		return what + ": " + value(c.New)
	case c.Old != nil && c.New == nil && oneLine(*c.Old) != c.What:
		return what + ": " + value(c.Old)
	}
	return what
}

// Long reports whether a change is best shown line by line.
func (c *Change) Long() bool {
	switch c.Class {
	case Section, Scriptlet, Description, Changelog:
		return true
	}
	return c.Old != nil && strings.Contains(*c.Old, "\n") || c.New != nil && strings.Contains(*c.New, "\n")
}

// lines shows the text of a long change, at most a few lines of each side.
func (c *Change) lines() string {
	if !c.Long() {
		return ""
	}
	const limit = 12
	var b strings.Builder
	side := func(p *string, sign string) {
		if p == nil {
			return
		}
		list := strings.Split(*p, "\n")
		for i, l := range list {
			if i == limit {
				fmt.Fprintf(&b, "      %s ... %d more lines\n", sign, len(list)-limit)
				break
			}
			fmt.Fprintf(&b, "      %s %s\n", sign, Visible(cutText(l, 300)))
		}
	}
	side(c.Old, "-")
	side(c.New, "+")
	return b.String()
}

// String names the classes of noise that there are with their counts.
func (n Noise) String() string {
	var out []string
	for _, x := range n.Counts() {
		if x.Lines > 0 {
			out = append(out, fmt.Sprintf("%s %d", x.Name, x.Lines))
		}
	}
	return strings.Join(out, ", ")
}

// A Count is the number of lines of one class of noise.
type Count struct {
	Name  string
	Lines int
}

// Counts lists the classes of noise in a fixed order.
func (n Noise) Counts() []Count {
	return []Count{{"generated", n.Generated}, {"follows", n.Follows}, {"moved", n.Moved}, {"renumbered", n.Renumbered},
		{"wrapped", n.Wrapped}, {"spelling", n.Spelling}, {"spacing", n.Spacing}, {"comment", n.Comment}, {"blank", n.Blank}}
}

// Visible spells out control characters and those that turn the direction of
// text, so that a terminal or page shows what is there.
func Visible(s string) string {
	if !strings.ContainsFunc(s, hostile) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !hostile(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString("\\n")
		case r < 0x100:
			fmt.Fprintf(&b, "\\x%02x", r)
		default:
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.String()
}

// hostile reports whether a character does something to the text around it.
func hostile(r rune) bool {
	if r == '\t' {
		return false
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || slices.Contains([]rune{'\u2028', '\u2029', '\ufffd'}, r)
}
