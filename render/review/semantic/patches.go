package semantic

import (
	"slices"
	"strings"
)

// notApplied is the use of a patch that %prep does not apply.
const notApplied = "not applied"

// prep returns the commands of %prep, known being false when a part of them is
// not known.
func (e *evaluation) prep() (text string, known bool) {
	known = true
	for _, s := range e.spec.Sections {
		if s.Name == "prep" {
			text += s.Text.Text
			known = known && s.Text.Known
		}
	}
	return text, known
}

// applied says of each patch how %prep applies it: "applied with -p1", or not at
// all. "?" stands for what cannot be known.
func (e *evaluation) applied(list []source) map[string]string {
	text, known := e.prep()
	out := map[string]string{}
	for _, s := range list {
		if s.file == "" {
			continue
		}
		switch use, ok := applyLine(text, s.file); {
		case ok:
			out[s.file] = use
		case !known:
			out[s.file] = "?"
		default:
			out[s.file] = notApplied
		}
	}
	return out
}

// appliedOrder lists the patches in the order in which they are applied.
func (e *evaluation) appliedOrder(list []source) []string {
	text, _ := e.prep()
	type at struct {
		name string
		pos  int
	}
	var found []at
	for _, s := range list {
		if i := namedAt(text, s.file); s.file != "" && i >= 0 {
			found = append(found, at{s.file, i})
		}
	}
	slices.SortStableFunc(found, func(a, b at) int { return a.pos - b.pos })
	var out []string
	for _, f := range found {
		out = append(out, f.name)
	}
	return out
}

// namedAt returns where a script names a file by its path, or -1.
func namedAt(text, file string) int {
	for from := 0; ; {
		i := strings.Index(text[from:], "/"+file)
		if i < 0 {
			return -1
		}
		i += from
		end := i + 1 + len(file)
		if end == len(text) || strings.IndexByte(" \t\n'\");|", text[end]) >= 0 {
			return i
		}
		from = end
	}
}

// applyLine reads from the commands how a patch is applied.
func applyLine(text, file string) (use string, ok bool) {
	i := namedAt(text, file)
	if i < 0 {
		return "", false
	}
	start := strings.LastIndexByte(text[:i], '\n') + 1
	end := len(text)
	if k := strings.IndexByte(text[i:], '\n'); k >= 0 {
		end = i + k
	}
	line := text[start:end]
	if strings.HasSuffix(strings.TrimSpace(line), "|") { // the command goes on below
		rest := strings.TrimLeft(text[end:], "\n")
		if k := strings.IndexByte(rest, '\n'); k >= 0 {
			rest = rest[:k]
		}
		line += " " + rest
	}
	use = "applied"
	for _, w := range strings.Fields(line) {
		if len(w) > 2 && strings.HasPrefix(w, "-p") && strings.Trim(w[2:], "0123456789") == "" {
			use += " with " + w
			break
		}
	}
	if slices.Contains(strings.Fields(line), "-R") {
		use += ", reversed"
	}
	return use, true
}

// patchOrder reports that patches which both sides apply come in another order.
func (c *comparison) patchOrder(p pair, order [2][]string) {
	both := func(list, other []string) (out []string) {
		for _, x := range list {
			if slices.Contains(other, x) {
				out = append(out, x)
			}
		}
		return out
	}
	a, b := both(order[0], order[1]), both(order[1], order[0])
	if slices.Equal(a, b) {
		return
	}
	// Only what trades places is of interest.
	for len(a) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	x, y := strings.Join(a, ", "), strings.Join(b, ", ")
	line := func(e *evaluation, name string) int {
		for _, s := range e.spec.Patches {
			if s.Name == name {
				return e.line(s.Pos)
			}
		}
		return 0
	}
	c.found = append(c.found, Change{Class: Patch, Op: Changed, Package: p.new.main, What: "order", Old: &x, New: &y,
		Arch: []string{p.new.arch}, OldLine: line(p.old, a[0]), NewLine: line(p.new, b[0])})
}
