package edit

import (
	"strings"

	"specgraft/components/toml"
)

// packed reports whether the line above off is not blank, so that tables follow
// each other without gaps.
func (e *Editor) packed(off int) bool {
	if off == 0 {
		return false
	}
	prev := e.lineStart(off - 1)
	return strings.TrimSpace(e.text[prev:off]) != ""
}

// packedAfter reports whether the line below the header at off is the next
// header.
func (e *Editor) packedAfter(off int) bool {
	next := e.nextLine(off)
	return strings.HasPrefix(strings.TrimLeft(e.text[next:], " \t"), "[")
}

// keySpot is where the last key of a table stands: its last part, the
// beginning of its line's text, and the end of its value.
type keySpot struct{ start, line, end int }

// lastKey finds the last key of a table's own body: not those of tables with
// headers of their own.
func (e *Editor) lastKey(t *toml.Value) keySpot {
	var spot keySpot
	var walk func(v *toml.Value)
	walk = func(v *toml.Value) {
		for i := range v.Keys {
			k := &v.Keys[i]
			switch {
			case k.Val.Form == toml.FormDotted:
				walk(k.Val)
			case k.Val.Form == toml.FormValue:
				if end := e.valueEnd(k.Val); end > spot.end {
					line := e.lineStart(int(k.Off))
					for e.text[line] == ' ' || e.text[line] == '\t' {
						line++
					}
					spot = keySpot{int(k.Off), line, end}
				}
			}
		}
	}
	walk(t)
	return spot
}

func (e *Editor) entryEnd(k *toml.Entry) int {
	if k.Val.Kind != toml.KindTable || e.text[k.Val.Off] == '{' {
		return e.valueEnd(k.Val)
	}
	end := 0
	for i := range k.Val.Keys {
		end = max(end, e.entryEnd(&k.Val.Keys[i]))
	}
	return end
}

// valueEnd returns the offset behind a value. Lists and inline tables inside
// lists carry no end of their own.
func (e *Editor) valueEnd(v *toml.Value) int {
	if c := e.text[v.Off]; c == '{' || c == '[' {
		return closing(e.text, int(v.Off))
	}
	return int(v.End)
}

// closing returns the offset behind the bracket that closes the one at off.
func closing(text string, off int) int {
	depth := 0
	for i := off; i < len(text); i++ {
		switch c := text[i]; c {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '#':
			if j := strings.IndexByte(text[i:], '\n'); j >= 0 {
				i += j
			} else {
				return len(text)
			}
		case '"', '\'':
			i = stringEnd(text, i) - 1
		}
	}
	return len(text)
}

// stringEnd returns the offset behind the string that begins at off.
func stringEnd(text string, off int) int {
	q := text[off]
	quote := strings.Repeat(string(q), 3)
	if strings.HasPrefix(text[off:], quote) {
		for i := off + 3; i < len(text); i++ {
			if q == '"' && text[i] == '\\' {
				i++
				continue
			}
			if strings.HasPrefix(text[i:], quote) {
				end := i + 3
				for end < len(text) && text[end] == q {
					end++
				}
				return end
			}
		}
		return len(text)
	}
	for i := off + 1; i < len(text); i++ {
		if q == '"' && text[i] == '\\' {
			i++
			continue
		}
		if text[i] == q {
			return i + 1
		}
	}
	return len(text)
}

// headerEnd returns the offset of the last bracket of the header at off.
func (e *Editor) headerEnd(off int) int { return closing(e.text, off) - 1 }

// firstHeader returns the offset of the first header that names a table or
// one below it.
func (e *Editor) firstHeader(v *toml.Value) int {
	first := len(e.text)
	if v.Form == toml.FormHeader || v.Form == toml.FormElement {
		first = int(v.Off)
	}
	for i := range v.Keys {
		if c := v.Keys[i].Val; c.Form == toml.FormHeader || c.Form == toml.FormParent || c.Form == toml.FormTables {
			first = min(first, e.firstHeader(c))
		}
	}
	for _, el := range v.List {
		if el.Form == toml.FormElement {
			first = min(first, e.firstHeader(el))
		}
	}
	return first
}

// headersStart returns the offset of the file's first header, or its end.
func (e *Editor) headersStart() int { return min(e.firstHeaderBelow(e.root), len(e.text)) }

func (e *Editor) firstHeaderBelow(v *toml.Value) int {
	first := len(e.text)
	for i := range v.Keys {
		if c := v.Keys[i].Val; c.Form != toml.FormValue && c.Form != toml.FormDotted {
			first = min(first, e.firstHeader(c))
		}
	}
	return first
}

// tableEnd returns the offset behind the last line that belongs to the table
// whose first header is at off, and to those below it.
func (e *Editor) tableEnd(off int) int {
	// The next header of a table that is no descendant ends it.
	path := func(header string) string { return strings.Trim(strings.TrimSpace(header), "[] \t\r\n") }
	own := path(e.text[off : e.headerEnd(off)+1])
	end := e.nextLine(off)
	for at := end; at < len(e.text); at = e.nextLine(at) {
		line := strings.TrimLeft(e.text[at:e.nextLine(at)], " \t")
		if strings.HasPrefix(line, "[") && e.isHeader(at) {
			p := path(e.text[e.lineText(at) : e.headerEnd(e.lineText(at))+1])
			if p != own && !strings.HasPrefix(p, own+".") {
				break
			}
		}
		if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "#") {
			end = e.nextLine(at)
		}
	}
	return end
}

// lineText returns the offset of a line's first character that is no blank.
func (e *Editor) lineText(off int) int {
	for off < len(e.text) && (e.text[off] == ' ' || e.text[off] == '\t') {
		off++
	}
	return off
}

// isHeader reports whether the bracket that begins a line opens a header
// rather than an element of a list.
func (e *Editor) isHeader(at int) bool {
	off := uint32(e.lineText(at))
	t, _ := e.find(e.root, nil, int(off))
	return t != nil && (t.Form == toml.FormHeader || t.Form == toml.FormElement)
}

func (e *Editor) lineStart(off int) int {
	return strings.LastIndexByte(e.text[:off], '\n') + 1
}

// nextLine returns the offset of the line below, or the end of the text.
func (e *Editor) nextLine(off int) int {
	if i := strings.IndexByte(e.text[off:], '\n'); i >= 0 {
		return off + i + 1
	}
	return len(e.text)
}

// aboveComments returns the start of the comment block that touches the line
// at off from above.
func (e *Editor) aboveComments(off int) int {
	for off > 0 {
		prev := e.lineStart(off - 1)
		if !strings.HasPrefix(strings.TrimSpace(e.text[prev:off]), "#") {
			break
		}
		off = prev
	}
	return off
}

// endLine returns what completes the line that ends at off.
func (e *Editor) endLine(off int) string {
	if off > 0 && e.text[off-1] != '\n' {
		return e.newline()
	}
	return ""
}

// newline returns the line ending that the document uses.
func (e *Editor) newline() string {
	if i := strings.IndexByte(e.text, '\n'); i > 0 && e.text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}
