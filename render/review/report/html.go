package report

import (
	"cmp"
	_ "embed" // the page's parts
	"fmt"
	"html"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"specgraft/overlay/diag"
	"specgraft/render/review"
	"specgraft/render/review/semantic"
)

//go:embed report.html.tmpl
var pageTemplate string

//go:embed report.css
var pageCSS string

//go:embed report.js
var pageJS string

// The size of a page is bounded: beyond these, details are left to the JSON.
const (
	maxDetail = 4 << 20 // bytes of what is said of components
	maxRows   = 8000    // lines of diffs
	maxCell   = 1000    // characters of a line
)

type (
	htmlPage struct {
		Title, From, To, Line string
		Good                  bool
		CSS                   template.CSS
		JS                    template.JS
		Tiles                 []htmlTile
		Notes                 []string
		Charts                []htmlChart
		Classes               []semantic.Class
		Groups, Kinds         []string
		Components            []htmlComponent
		Versions              []htmlVersion
		Findings              []htmlFinding
		Health                []htmlHealth
		NoiseNames            []string
		NoiseSum              string
		Affected              []Affected
	}
	htmlTile  struct{ Name, Value, Class string }
	htmlChart struct {
		Title string
		Rows  []htmlBar
	}
	htmlBar struct {
		Name    string
		Count   int
		Percent int
	}
	htmlBadge     struct{ Name, Class string }
	htmlComponent struct {
		Name, Group, Kind, ClassList, EVRs, Counts, Noise, Patch string
		Open, Compact                                            bool
		Badges                                                   []htmlBadge
		Problems, Unread                                         []string
		Changes                                                  []htmlChange
		Unknown                                                  []semantic.Unknown
		Inputs                                                   []Input
		Files                                                    []htmlFile
	}
	htmlChange struct {
		Class                                                    semantic.Class
		Op, Sign, Text, Order, OrderClass, Arch, Old, New, Cause string
		Follows                                                  bool
	}
	htmlFile struct {
		Path           string
		Added, Removed int
		Binary, Left   bool
		Open           bool
		Rows           []htmlRow
	}
	htmlRow struct {
		Gap, OldLine, NewLine, Cause string
		Old, New                     template.HTML
		Del, Add                     bool
	}
	htmlVersion struct{ Name, Old, New, Order, Class string }
	htmlFinding struct{ Severity, Code, Place, Message string }
	htmlHealth  struct {
		Component, Type, Matched, Scope, Codes string
		Number                                 int
	}
)

var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("report").Funcs(template.FuncMap{
		"v":     semantic.Visible,
		"lines": visibleLines,
	}).Parse(pageTemplate))
})

// WriteHTML writes the report as one self-contained page. It is readable without
// a script; nothing in it comes from elsewhere.
func (r *Report) WriteHTML(w io.Writer) error {
	p := &htmlPage{Title: r.Verdict.Line(), From: fmt.Sprintf("%.12s", r.From), To: fmt.Sprintf("%.12s", r.To), Line: r.Verdict.Line(), Good: r.Verdict.Good(),
		CSS: template.CSS(pageCSS), JS: template.JS(pageJS), Tiles: r.Verdict.tiles(), Notes: r.Notes, Affected: r.Affected} // both are our own
	p.Charts = r.charts()
	classes, groups, kinds := map[semantic.Class]bool{}, map[string]bool{}, map[string]bool{}
	var noise semantic.Noise
	detail, rows := 0, 0
	for i := range r.Components {
		c := &r.Components[i]
		p.health(c)
		if c.OldEVR != c.NewEVR {
			p.Versions = append(p.Versions, htmlVersion{c.Name, dash(c.OldEVR), dash(c.NewEVR), c.Order, map[string]string{"down": "bad", "up": "good"}[c.Order]})
		}
		if c.Kind == Noise {
			p.NoiseNames = append(p.NoiseNames, c.Name)
			noise.Add(c.Noise)
			continue
		}
		kinds[c.Kind] = true
		if c.Group != "" {
			groups[c.Group] = true
		}
		for k := range c.Changes {
			classes[c.Changes[k].Class] = true
		}
		h := c.html(detail > maxDetail, &detail, &rows)
		h.Open = len(r.Components) <= 3
		for k := range h.Files {
			h.Files[k].Open = h.Open && len(h.Files[k].Rows) <= 60
		}
		p.Components = append(p.Components, h)
	}
	p.NoiseSum = noise.String()
	for _, k := range semantic.Classes {
		if classes[k] {
			p.Classes = append(p.Classes, k)
		}
	}
	p.Groups = slices.Sorted(maps.Keys(groups))
	for _, k := range Kinds {
		if kinds[k] {
			p.Kinds = append(p.Kinds, k)
		}
	}
	return page().Execute(w, p)
}

func (v *Verdict) tiles() []htmlTile {
	bad := func(n int) string {
		if n > 0 {
			return "bad"
		}
		return "good"
	}
	num := func(n int) string { return fmt.Sprint(n) }
	out := []htmlTile{{"components", num(v.Components), ""}, {"change meaning", num(v.Meaning), ""}, {"noise only", num(v.Noise), ""},
		{"failing", num(v.Failing), bad(v.Failing)}, {"EVR down", num(v.EVRDown), bad(v.EVRDown)}}
	if v.Rendered {
		return append(out, htmlTile{"drifted", num(v.Drift), bad(v.Drift)}, htmlTile{"new findings", num(v.Lint), ""})
	}
	return append(out, htmlTile{"drift", "–", ""})
}

// charts counts changes by class and components by group.
func (r *Report) charts() []htmlChart {
	byClass, byGroup := map[string]int{}, map[string]int{}
	for i := range r.Components {
		c := &r.Components[i]
		for k := range c.Changes {
			byClass[string(c.Changes[k].Class)]++
		}
		if c.Group != "" && c.Kind != Noise {
			byGroup[c.Group]++
		}
	}
	var out []htmlChart
	add := func(title string, counts map[string]int) {
		if len(counts) < 2 {
			return
		}
		var rows []htmlBar
		top := 0
		for n, k := range counts {
			rows = append(rows, htmlBar{Name: n, Count: k})
			top = max(top, k)
		}
		slices.SortFunc(rows, func(a, b htmlBar) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
		rows = rows[:min(len(rows), 12)]
		for i := range rows {
			rows[i].Percent = max(1, rows[i].Count*100/top)
		}
		out = append(out, htmlChart{title, rows})
	}
	add("Changes by class", byClass)
	add("Components by group", byGroup)
	return out
}

func (p *htmlPage) health(c *Component) {
	for i := range c.Findings {
		d := &c.Findings[i]
		p.Findings = append(p.Findings, htmlFinding{d.Severity.String(), d.Code, diag.Position(d.Pos), d.Message})
	}
	for i := range c.Overlays {
		h := &c.Overlays[i]
		matched := fmt.Sprint(h.Matched)
		if h.Expected != nil {
			matched += fmt.Sprintf(" of %d", *h.Expected)
		}
		if len(p.Health) < 2000 {
			p.Health = append(p.Health, htmlHealth{c.Name, h.Type, matched, h.Scope, strings.Join(h.Codes, ", "), h.Index + 1})
		}
	}
}

// html lays out a component. detail and rows count what the page has so far.
func (c *Component) html(compact bool, detail, rows *int) htmlComponent {
	h := htmlComponent{Name: c.Name, Group: c.Group, Kind: c.Kind, EVRs: c.evrs(), Noise: c.Noise.String(), Compact: compact, Problems: c.Problems, Unread: c.unread()}
	if label, bad := kindLabels[c.Kind], c.Kind != Meaning; bad && label != "" {
		h.Badges = append(h.Badges, htmlBadge{strings.TrimPrefix(strings.TrimPrefix(label, "❌ "), "⚠️ "), "bad"})
	}
	if c.Status == "added" || c.Status == "removed" {
		h.Badges = append(h.Badges, htmlBadge{c.Status, "warn"})
	}
	if c.Group != "" {
		h.Badges = append(h.Badges, htmlBadge{c.Group, ""})
	}
	seen := map[semantic.Class]bool{}
	var list []string
	for i := range c.Changes {
		if k := c.Changes[i].Class; !seen[k] {
			seen[k] = true
			list = append(list, string(k))
		}
	}
	h.ClassList = strings.Join(list, " ")
	h.Counts = count(len(c.Changes), "change")
	if len(list) > 0 && len(list) < 5 {
		h.Counts += ": " + strings.Join(list, ", ")
	}
	if compact {
		return h
	}
	h.Unknown, h.Inputs, h.Patch = c.Unknown[:min(len(c.Unknown), 100)], c.Inputs[:min(len(c.Inputs), 200)], cutBytes(c.Patch)
	*detail += 1500 + len(h.Patch) + 300*(len(h.Inputs)+len(h.Unknown)+len(h.Problems)+len(c.Files))
	for i := range c.Changes {
		if i == 500 {
			h.Changes = append(h.Changes, htmlChange{Class: "more", Op: "changed", Sign: "…", Text: count(len(c.Changes)-i, "change") + " more in review.json"})
			break
		}
		x := changeHTML(&c.Changes[i])
		*detail += 400 + len(x.Text) + len(x.Old) + len(x.New) + len(x.Cause)
		h.Changes = append(h.Changes, x)
	}
	for i := range c.Files {
		f := &c.Files[i]
		x := htmlFile{Path: f.Path, Added: f.Added, Removed: f.Removed, Binary: f.Binary}
		if n := f.Added + f.Removed; *rows+n > maxRows || n > maxRows/4 {
			x.Left = true
		} else {
			x.Rows = sideBySide(f, c)
			*rows += len(x.Rows)
		}
		h.Files = append(h.Files, x)
	}
	return h
}

func cutBytes(s string) string {
	if len(s) > 20_000 {
		return s[:20_000] + "\n… the rest is in review.json"
	}
	return s
}

func changeHTML(ch *semantic.Change) htmlChange {
	x := htmlChange{Class: ch.Class, Op: ch.Op, Sign: map[string]string{semantic.Added: "+", semantic.Removed: "−", semantic.Changed: "~"}[ch.Op],
		Text: cut(ch.Summary(), 600), Order: ch.Order, Cause: cut(ch.Cause, 400), Follows: ch.Follows()}
	x.OrderClass = map[string]string{"down": "bad", "up": "good"}[ch.Order]
	switch len(ch.Arch) {
	case 0:
		x.Arch = "condition does not hold"
	case 1:
		x.Arch = ch.Arch[0]
	}
	if ch.Long() {
		if ch.Old != nil {
			x.Old = cut(*ch.Old, 3000)
		}
		if ch.New != nil {
			x.New = cut(*ch.New, 3000)
		}
	}
	return x
}

// sideBySide lays out a diff in two columns, words that differ marked.
func sideBySide(f *review.FileDiff, c *Component) []htmlRow {
	causes := map[int]string{} // by new line
	gone := map[int]string{}
	if f.Path == specName(c.Name) {
		for i := range c.Changes {
			ch := &c.Changes[i]
			if ch.NewLine > 0 && causes[ch.NewLine] == "" {
				causes[ch.NewLine] = ch.Cause
			}
			if ch.OldLine > 0 && ch.NewLine == 0 && gone[ch.OldLine] == "" {
				gone[ch.OldLine] = ch.Cause
			}
		}
	}
	var out []htmlRow
	for i := range f.Hunks {
		h := &f.Hunks[i]
		out = append(out, htmlRow{Gap: fmt.Sprintf("line %d", max(h.NewStart, 1))})
		o, n := h.OldStart, h.NewStart
		for k := 0; k < len(h.Lines); {
			if h.Lines[k].Op == " " {
				t := escaped(h.Lines[k].Text)
				out = append(out, htmlRow{OldLine: fmt.Sprint(o), NewLine: fmt.Sprint(n), Old: t, New: t})
				o, n, k = o+1, n+1, k+1
				continue
			}
			var minus, plus []string
			for ; k < len(h.Lines) && h.Lines[k].Op != " "; k++ {
				if h.Lines[k].Op == "-" {
					minus = append(minus, h.Lines[k].Text)
				} else {
					plus = append(plus, h.Lines[k].Text)
				}
			}
			for j := range max(len(minus), len(plus)) {
				row := htmlRow{}
				switch {
				case j < len(minus) && j < len(plus):
					row.Old, row.New = marked(minus[j], plus[j])
				case j < len(minus):
					row.Old = escaped(minus[j])
				default:
					row.New = escaped(plus[j])
				}
				if j < len(minus) {
					row.OldLine, row.Del, row.Cause = fmt.Sprint(o), true, gone[o]
					o++
				}
				if j < len(plus) {
					row.NewLine, row.Add = fmt.Sprint(n), true
					row.Cause = cmp.Or(causes[n], row.Cause)
					n++
				}
				row.Cause = cut(row.Cause, 200)
				out = append(out, row)
			}
		}
	}
	return out
}

// escaped returns text as HTML in which nothing is markup and every character
// that does something is spelled out.
func escaped(s string) template.HTML {
	return template.HTML(html.EscapeString(semantic.Visible(cut(s, maxCell))))
}

// marked returns two lines with the words that differ marked.
func marked(a, b string) (template.HTML, template.HTML) {
	x, y := wordsOf(cut(a, maxCell)), wordsOf(cut(b, maxCell))
	if len(x)*len(y) > 40_000 || len(x) == 0 || len(y) == 0 {
		return escaped(a), escaped(b)
	}
	same := commonTokens(x, y)
	if same[0]*3 < len(x) && same[1]*3 < len(y) { // little in common: marks would only be noise
		return escaped(a), escaped(b)
	}
	return markRuns(x, "del"), markRuns(y, "ins")
}

// A word is a word, a run of blanks or one other character.
type word struct {
	text   string
	common bool
}

func wordsOf(s string) []word {
	var out []word
	kind := func(r rune) int {
		switch {
		case r == ' ' || r == '\t':
			return 1
		case r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80:
			return 2
		}
		return 0
	}
	last := -1
	for _, r := range s {
		k := kind(r)
		if k != 0 && k == last {
			out[len(out)-1].text += string(r)
		} else {
			out = append(out, word{text: string(r)})
		}
		last = k
	}
	return out
}

// commonTokens marks a longest common subsequence and returns how many tokens of
// each side it has.
func commonTokens(x, y []word) (n [2]int) {
	table := make([][]int, len(x)+1)
	for i := range table {
		table[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i].text == y[j].text {
				table[i][j] = table[i+1][j+1] + 1
			} else {
				table[i][j] = max(table[i+1][j], table[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case x[i].text == y[j].text:
			x[i].common, y[j].common = true, true
			n[0]++
			i, j = i+1, j+1
		case table[i+1][j] >= table[i][j+1]:
			i++
		default:
			j++
		}
	}
	n[1] = n[0]
	return n
}

func markRuns(list []word, tag string) template.HTML {
	var b strings.Builder
	for i := 0; i < len(list); {
		j := i
		var run strings.Builder
		for ; j < len(list) && list[j].common == list[i].common; j++ {
			run.WriteString(list[j].text)
		}
		text := html.EscapeString(semantic.Visible(run.String()))
		if list[i].common {
			b.WriteString(text)
		} else {
			b.WriteString("<" + tag + ">" + text + "</" + tag + ">")
		}
		i = j
	}
	return template.HTML(b.String()) // escaped above
}
