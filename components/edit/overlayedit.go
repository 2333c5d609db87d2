package edit

import (
	"fmt"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// overlayOrder is the order in which the keys of an overlay are written.
var overlayOrder = []string{"type", "description", "section", "package", "branch", "tag", "value", "file", "archive", "source", "mode",
	"regex", "replacement", "replacement-groups", "multiline", "lines", "expect"}

// keyValue returns the value of a key of an overlay as TOML text, "" for one
// that is not set. Source is written as it is.
func keyValue(op *overlay.Op, key string, in bool) string {
	switch key {
	case "lines":
		if len(op.Lines) == 0 {
			return ""
		}
		if in || len(op.Lines) == 1 {
			parts := make([]string, len(op.Lines))
			for i, l := range op.Lines {
				parts[i] = toml.LiteralString(l)
			}
			return "[" + strings.Join(parts, ", ") + "]"
		}
		var b strings.Builder
		b.WriteString("[\n")
		for _, l := range op.Lines {
			b.WriteString("    " + toml.LiteralString(l) + ",\n")
		}
		return b.String() + "]"
	case "expect":
		if op.Expect == nil {
			return ""
		}
		return strconv.Itoa(*op.Expect)
	case "replacement-groups":
		if !op.ReplacementGroups {
			return ""
		}
		return "true"
	case "multiline":
		if !op.Multiline {
			return ""
		}
		return "true"
	case "branch":
		if _, err := strconv.Atoi(op.Branch); err == nil {
			return op.Branch
		}
	}
	f := op.Field(key)
	if f == nil || *f == "" {
		return ""
	}
	if !in && strings.Contains(*f, "\n") && (key == "replacement" || key == "description") {
		return multilineString(*f)
	}
	return toml.LiteralString(*f)
}

// multilineString writes a string with line breaks in the form that keeps
// them, when it can be read back from there.
func multilineString(s string) string {
	if !utf8.ValidString(s) {
		return toml.QuoteString(s)
	}
	for _, r := range s {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return toml.QuoteString(s)
		}
	}
	if !strings.Contains(s, "'''") && !strings.HasSuffix(s, "'") && strings.ContainsAny(s, `\"`) {
		return "'''\n" + s + "'''"
	}
	return "\"\"\"\n" + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + "\"\"\""
}

// OverlayText writes an overlay as a table with the header [[path]].
func OverlayText(path []string, op *overlay.Op) string { return tableText(path, op, false) }

func tableText(path []string, op *overlay.Op, in bool) string {
	var b strings.Builder
	b.WriteString("[[" + toml.QuotePath(path) + "]]\n")
	for _, key := range overlayOrder {
		if v := keyValue(op, key, in); v != "" {
			b.WriteString(key + " = " + v + "\n")
		}
	}
	return b.String()
}

// inlineOverlay writes an overlay as an inline table.
func inlineOverlay(op *overlay.Op) string {
	var parts []string
	for _, key := range overlayOrder {
		if v := keyValue(op, key, true); v != "" {
			parts = append(parts, key+" = "+v)
		}
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

// elementAt returns the table that begins at a position of the document as it
// was before all edits.
func (e *Editor) elementAt(pos token.Position) (*toml.Value, []string, error) {
	t, path := e.find(e.root, nil, e.current(pos.Offset))
	if t == nil || t.Kind != toml.KindTable {
		return nil, nil, fmt.Errorf("%s: no table begins there", diag.Position(pos))
	}
	return t, path, nil
}

// elementEnd returns the offset behind the last line of one of [[tables]],
// those of the tables below it included.
func (e *Editor) elementEnd(off int) int {
	path := func(at int) string { return strings.Trim(e.text[at:e.headerEnd(at)+1], "[] \t") }
	own := path(off)
	end := e.nextLine(e.headerEnd(off))
	for at := end; at < len(e.text); at = e.nextLine(at) {
		line := strings.TrimLeft(e.text[at:e.nextLine(at)], " \t")
		if strings.HasPrefix(line, "[") && e.isHeader(at) && !strings.HasPrefix(path(e.lineText(at)), own+".") {
			break
		}
		if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "#") {
			end = e.nextLine(at)
		}
	}
	return end
}

// RemoveAt removes the table that begins at pos, which is one of [[tables]] or
// an inline table of a list, with the comments that touch its header from above
// and the blank lines that set it off.
func (e *Editor) RemoveAt(pos token.Position) error {
	t, _, err := e.elementAt(pos)
	if err != nil {
		return err
	}
	if t.Form == toml.FormValue {
		return e.removeInline(int(t.Off))
	}
	if t.Form != toml.FormElement {
		return fmt.Errorf("%s: not one of a list of tables", diag.Position(pos))
	}
	from, to := e.aboveComments(e.lineStart(int(t.Off))), e.elementEnd(int(t.Off))
	// Of the blank lines around it, those above stay, unless it was the last.
	next := to
	for next < len(e.text) && strings.TrimSpace(e.text[next:e.nextLine(next)]) == "" {
		next = e.nextLine(next)
	}
	if next < len(e.text) {
		to = next
	} else {
		for from > 0 && strings.TrimSpace(e.text[e.lineStart(from-1):from]) == "" {
			from = e.lineStart(from - 1)
		}
	}
	return e.splice(from, to, "")
}

// removeInline removes an inline table from its list.
func (e *Editor) removeInline(off int) error {
	end := closing(e.text, off)
	after := end
	for after < len(e.text) && strings.IndexByte(" \t\r\n", e.text[after]) >= 0 {
		after++
	}
	if after < len(e.text) && e.text[after] == ',' {
		end = after + 1
		if e.lineText(e.lineStart(off)) == off && strings.TrimSpace(e.text[end:e.nextLine(end)]) == "" {
			return e.splice(e.lineStart(off), e.nextLine(end), "") // it has its lines for itself
		}
		for end < len(e.text) && (e.text[end] == ' ' || e.text[end] == '\t') {
			end++
		}
		return e.splice(off, end, "")
	}
	start := off
	for start > 0 && strings.IndexByte(" \t\r\n,", e.text[start-1]) >= 0 {
		start--
		if e.text[start] == ',' {
			break
		}
	}
	return e.splice(start, end, "")
}

// RemoveKeyAt removes a key of the table that begins at pos. A key that is not
// there is no error.
func (e *Editor) RemoveKeyAt(pos token.Position, key string) error {
	t, _, err := e.elementAt(pos)
	if err != nil {
		return err
	}
	k := t.Entry(key)
	if k == nil {
		return nil
	}
	if !e.contiguous(k.Val) {
		return fmt.Errorf("%s: %s is a table with keys of its own", diag.Position(pos), key)
	}
	end := e.valueEnd(k.Val)
	if t.Form != toml.FormValue {
		return e.splice(e.lineStart(int(k.Off)), e.nextLine(end), "")
	}
	start := int(k.Off)
	switch rest := strings.TrimLeft(e.text[end:], " \t"); {
	case strings.HasPrefix(rest, ","):
		end = len(e.text) - len(strings.TrimLeft(rest[1:], " \t"))
	default:
		for start > int(t.Off)+1 && strings.IndexByte(" \t,", e.text[start-1]) >= 0 {
			start--
		}
	}
	return e.splice(start, end, "")
}

// ReplaceOverlayAt makes the overlay at pos, which reads as old, the first of
// the given ones, and puts the others behind it. Keys that stay as they are are
// not touched, nor are comments.
func (e *Editor) ReplaceOverlayAt(pos token.Position, old *overlay.Op, ops []overlay.Op) error {
	if len(ops) == 0 {
		return e.RemoveAt(pos)
	}
	for _, op := range slices.Backward(ops[1:]) {
		if err := e.insertOverlay(pos, &op); err != nil {
			return err
		}
	}
	for _, key := range overlayOrder {
		was, is := keyValue(old, key, false), keyValue(&ops[0], key, false)
		switch {
		case was == is, key == "source": // relative to the file, which does not change
		case is == "":
			if err := e.RemoveKeyAt(pos, key); err != nil {
				return err
			}
		default:
			t, path, err := e.elementAt(pos)
			if err != nil {
				return err
			}
			if t.Form == toml.FormValue || e.crlf() {
				is = keyValue(&ops[0], key, true)
			}
			if err := e.set(t, path, key, is); err != nil {
				return err
			}
		}
	}
	// What stands there now must be read as it was meant.
	t, _, err := e.elementAt(pos)
	if err != nil {
		return err
	}
	got := schema.Overlay(t)
	for _, key := range overlayOrder {
		if key != "source" && keyValue(&got, key, false) != keyValue(&ops[0], key, false) {
			return fmt.Errorf("%s: %s cannot be written there", diag.Position(pos), key)
		}
	}
	return nil
}

// crlf reports whether lines end in CR LF, which would become part of strings
// over several lines.
func (e *Editor) crlf() bool { return e.newline() != "\n" }

// table writes an overlay with the document's line endings.
func (e *Editor) table(path []string, op *overlay.Op) string {
	return strings.ReplaceAll(tableText(path, op, e.crlf()), "\n", e.newline())
}

// insertOverlay puts an overlay behind the one at pos.
func (e *Editor) insertOverlay(pos token.Position, op *overlay.Op) error {
	t, path, err := e.elementAt(pos)
	if err != nil {
		return err
	}
	if t.Form == toml.FormValue {
		end := e.valueEnd(t)
		return e.splice(end, end, ", "+inlineOverlay(op))
	}
	end := e.elementEnd(int(t.Off))
	return e.splice(end, end, e.endLine(end)+e.newline()+e.table(path[:len(path)-1], op))
}

// AddOverlays puts overlays behind the last one of the list at path, such as
// components.bash.overlays; when there is none, at the end of the table that
// the list belongs to.
func (e *Editor) AddOverlays(path []string, ops []overlay.Op) error {
	for i := range ops {
		list := e.tableAt(path)
		switch {
		case list != nil && list.Kind != toml.KindList:
			return fmt.Errorf("%s: %s is not a list", e.name, toml.QuotePath(path))
		case list != nil && list.Form == toml.FormValue:
			if n := len(list.List); n > 0 {
				end := e.valueEnd(list.List[n-1])
				if err := e.splice(end, end, ", "+inlineOverlay(&ops[i])); err != nil {
					return err
				}
			} else if err := e.splice(int(list.Off), e.valueEnd(list), "["+inlineOverlay(&ops[i])+"]"); err != nil {
				return err
			}
			continue
		}
		at := len(e.text)
		switch parent := e.tableAt(path[:len(path)-1]); {
		case list != nil && len(list.List) > 0:
			at = e.elementEnd(int(list.List[len(list.List)-1].Off))
		case parent != nil && parent.Form == toml.FormHeader:
			at = e.tableEnd(int(parent.Off))
		case parent != nil && parent.Form == toml.FormValue:
			if err := e.set(parent, path[:len(path)-1], path[len(path)-1], "["+inlineOverlay(&ops[i])+"]"); err != nil {
				return err
			}
			continue
		}
		gap := e.endLine(at) + e.newline()
		if strings.TrimSpace(e.text[:at]) == "" {
			gap = ""
		}
		if err := e.splice(at, at, gap+e.table(path, &ops[i])); err != nil {
			return err
		}
	}
	return nil
}
