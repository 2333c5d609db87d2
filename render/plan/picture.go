package plan

import (
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
)

// writeDot writes the plan for Graphviz. Edges lead from what is needed to what
// needs it, as time goes; those that are cut are dashed.
func writeDot(p *Plan, w io.Writer, _ *Graph, _ Farm) error {
	var b strings.Builder
	b.WriteString("digraph plan {\n\trankdir=LR;\n\tnode [shape=box, fontname=\"sans-serif\"];\n")
	for i, wave := range p.Waves {
		fmt.Fprintf(&b, "\tsubgraph cluster_%d {\n\t\tlabel=\"wave %d\";\n", i+1, i+1)
		for _, name := range wave {
			fmt.Fprintf(&b, "\t\t%q;\n", name)
		}
		b.WriteString("\t}\n")
	}
	for _, e := range p.Edges {
		style := ""
		if e.Cut {
			style = " [style=dashed, color=red, constraint=false]"
		}
		fmt.Fprintf(&b, "\t%q -> %q%s;\n", e.To, e.From, style)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// Measures of the picture, in pixels.
const (
	boxWidth, boxHeight = 190, 22
	columnGap, rowGap   = 90, 8
	topMargin, margin   = 46, 16
)

// writeSVG draws the waves as columns. Components on the longest path have a thick
// frame.
func writeSVG(p *Plan, w io.Writer, _ *Graph, _ Farm) error {
	type place struct{ x, y int }
	at := map[string]place{}
	for i, wave := range p.Waves {
		for k, name := range wave {
			at[name] = place{margin + i*(boxWidth+columnGap), topMargin + k*(boxHeight+rowGap)}
		}
	}
	width := 2*margin + max(1, len(p.Waves))*(boxWidth+columnGap) - columnGap
	height := topMargin + max(1, p.Width)*(boxHeight+rowGap) + margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
<title>%s</title>
<rect width="100%%" height="100%%" fill="#fff"/>
`, width, height, width, height, html.EscapeString(p.title()))
	for i := range p.Waves {
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"26\" font-weight=\"bold\">wave %d</text>\n", margin+i*(boxWidth+columnGap), i+1)
	}
	for _, e := range p.Edges {
		from, to := at[e.To], at[e.From]
		x1, y1, x2, y2 := from.x+boxWidth, from.y+boxHeight/2, to.x, to.y+boxHeight/2
		bend := max(30, (x2-x1)/2)
		style := `stroke="#9aa4b2"`
		if e.Cut {
			style = `stroke="#c0392b" stroke-dasharray="4 3"`
		}
		fmt.Fprintf(&b, "<path d=\"M%d %d C%d %d %d %d %d %d\" fill=\"none\" %s><title>%s needs %s</title></path>\n",
			x1, y1, x1+bend, y1, x2-bend, y2, x2, y2, style, html.EscapeString(e.From), html.EscapeString(e.To))
	}
	for _, s := range p.Steps {
		a := at[s.Component]
		frame := `stroke="#4a5568"`
		if slices.Contains(p.Path, s.Component) {
			frame = `stroke="#1f6feb" stroke-width="2.5"`
		}
		label := s.Component
		if len(label) > 26 {
			label = label[:25] + "…"
		}
		fmt.Fprintf(&b, "<g><title>%s</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\" fill=\"#f6f8fa\" %s/><text x=\"%d\" y=\"%d\">%s</text></g>\n",
			html.EscapeString(s.Component), a.x, a.y, boxWidth, boxHeight, frame, a.x+8, a.y+15, html.EscapeString(label))
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}
