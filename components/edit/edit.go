package edit

import (
	"cmp"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// An Editor changes a TOML document at single places: every byte that an edit
// is not about stays as it is, comments, spacing and line endings included.
type Editor struct {
	name    string
	text    string
	root    *toml.Value
	splices []splice
}

// A splice replaced text[off:end] by size bytes.
type splice struct{ off, end, size int }

// Edit starts editing a document. Documents with mistakes in their syntax
// cannot be edited.
func Edit(name string, data []byte) (*Editor, diag.List) {
	e := &Editor{name: name, text: string(data)}
	diags := e.parse()
	return e, diags
}

func (e *Editor) parse() diag.List {
	root, diags := toml.Read(&toml.Source{Name: e.name, Path: e.name, Text: e.text})
	e.root = root
	return diags
}

// Bytes returns the document as edited.
func (e *Editor) Bytes() []byte { return []byte(e.text) }

// splice replaces a range and reads the document anew, so that the next edit
// sees what this one left.
func (e *Editor) splice(off, end int, text string) error {
	before, root := e.text, e.root
	e.text = e.text[:off] + text + e.text[end:]
	if diags := e.parse(); diags.HasErrors() {
		e.text, e.root = before, root
		return fmt.Errorf("%s: the edit would not be valid TOML: %s", e.name, diags[0].Message)
	}
	e.splices = append(e.splices, splice{off, end, len(text)})
	return nil
}

// current translates an offset of the original document.
func (e *Editor) current(off int) int {
	for _, s := range e.splices {
		switch {
		case off >= s.end:
			off += s.size - (s.end - s.off)
		case off > s.off:
			off = s.off
		}
	}
	return off
}

// Set gives the key at path a value: a string, bool, int or []string. An
// existing value is replaced in its place. A new key follows the last one of
// its table; tables that do not exist are made, as an inline table inside an
// existing table, else with a header at the end. Elements of lists of tables
// are named by their index.
func (e *Editor) Set(path []string, v any) error {
	lit, err := literalOf(v)
	if err != nil {
		return err
	}
	t := e.root
	for i, name := range path[:len(path)-1] {
		next := t.Child(name)
		switch {
		case next == nil:
			return e.create(t, path[:i], path[i:], lit)
		case next.Kind != toml.KindTable && next.Kind != toml.KindList:
			return fmt.Errorf("%s: %s is not a table", e.name, toml.QuotePath(path[:i+1]))
		}
		t = next
	}
	return e.set(t, path[:len(path)-1], path[len(path)-1], lit)
}

// SetAt gives a key of the table that begins at pos a value. The position is
// one of the document as it was before all edits, such as overlay.Op.Pos.
func (e *Editor) SetAt(pos token.Position, key string, v any) error {
	lit, err := literalOf(v)
	if err != nil {
		return err
	}
	t, path := e.find(e.root, nil, e.current(pos.Offset))
	if t == nil {
		return fmt.Errorf("%s: no table begins there", diag.Position(pos))
	}
	return e.set(t, path, key, lit)
}

// AddTable adds an empty table [path...] that does not exist yet. Among sorted
// tables of the same parent it takes its place by name, else it follows the
// last of them, or the end of the file.
func (e *Editor) AddTable(path []string) error {
	parent := e.root
	for _, name := range path[:len(path)-1] {
		parent = parent.Child(name)
	}
	name := path[len(path)-1]
	if parent.Entry(name) != nil {
		return fmt.Errorf("%s: [%s] is already defined", e.name, toml.QuotePath(path))
	}
	header := "[" + toml.QuotePath(path) + "]"
	// Siblings with headers of their own, in the order of the file.
	type sibling struct {
		name string
		off  int // of its first header
	}
	var sibs []sibling
	if parent != nil && parent.Kind == toml.KindTable {
		for i := range parent.Keys {
			k := &parent.Keys[i]
			if k.Val.Kind == toml.KindTable && (k.Val.Form == toml.FormHeader || k.Val.Form == toml.FormParent) {
				sibs = append(sibs, sibling{k.Name, e.firstHeader(k.Val)})
			}
		}
	}
	slices.SortFunc(sibs, func(a, b sibling) int { return cmp.Compare(a.off, b.off) })
	byName := func(a, b sibling) int { return cmp.Compare(a.name, b.name) }
	fold := func(a, b sibling) int { return cmp.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) }
	order := byName
	sorted := slices.IsSortedFunc(sibs, byName)
	if !sorted && slices.IsSortedFunc(sibs, fold) {
		sorted, order = true, fold
	}
	nl := e.newline()
	if sorted && len(sibs) > 1 {
		for i, s := range sibs {
			if order(sibling{name: name}, s) >= 0 {
				continue
			}
			// A comment on top of the first table may be that of all.
			at := e.lineStart(s.off)
			packed := e.packedAfter(s.off)
			if i > 0 {
				at = e.aboveComments(at)
				packed = e.packed(at)
			}
			gap := nl
			if packed {
				gap = ""
			}
			return e.splice(at, at, header+nl+gap)
		}
	}
	at, gap := len(e.text), nl
	if len(sibs) > 0 {
		last := sibs[len(sibs)-1]
		at = e.tableEnd(last.off)
		if e.packed(e.lineStart(last.off)) && len(sibs) > 1 {
			gap = ""
		}
	}
	text := e.endLine(at) + gap + header + nl
	if strings.TrimSpace(e.text[:at]) == "" {
		text = header + nl
	}
	return e.splice(at, at, text)
}

// find returns the table that begins at off, with its path.
func (e *Editor) find(v *toml.Value, path []string, off int) (*toml.Value, []string) {
	if v.Kind == toml.KindTable && int(v.Off) == off && path != nil && v.Form != toml.FormParent {
		return v, path
	}
	for i := range v.Keys {
		if t, p := e.find(v.Keys[i].Val, append(path[:len(path):len(path)], v.Keys[i].Name), off); t != nil {
			return t, p
		}
	}
	for i, el := range v.List {
		if t, p := e.find(el, append(path[:len(path):len(path)], strconv.Itoa(i)), off); t != nil {
			return t, p
		}
	}
	return nil, nil
}

// contiguous reports whether a value is written in one place.
func (e *Editor) contiguous(v *toml.Value) bool {
	return v.Form == toml.FormValue && (v.Kind != toml.KindTable || e.text[v.Off] == '{')
}

// set gives a key of an existing table a value.
func (e *Editor) set(t *toml.Value, path []string, key, lit string) error {
	if t.Kind != toml.KindTable {
		return fmt.Errorf("%s: %s is not a table", e.name, toml.QuotePath(path))
	}
	if old := t.Entry(key); old != nil {
		if !e.contiguous(old.Val) {
			return fmt.Errorf("%s: %s is a table with keys of its own", e.name, toml.QuotePath(append(slices.Clone(path), key)))
		}
		return e.splice(int(old.Val.Off), e.valueEnd(old.Val), lit)
	}
	pair := toml.QuoteKey(key) + " = " + lit
	switch t.Form {
	case toml.FormValue:
		return e.insertInline(t, pair)
	case toml.FormDotted:
		// The key joins its siblings, with the same dotted prefix.
		last := e.lastKey(t)
		start := e.lineStart(last.start)
		prefix := e.text[start:last.start]
		if i := strings.LastIndexByte(prefix, '.'); i >= 0 {
			return e.insertLine(last.end, prefix[:i+1]+pair)
		}
		return fmt.Errorf("%s: cannot add %s to dotted keys", e.name, toml.QuoteKey(key))
	case toml.FormParent:
		at := e.aboveComments(e.lineStart(e.firstHeader(t)))
		nl := e.newline()
		return e.splice(at, at, "["+toml.QuotePath(path)+"]"+nl+pair+nl+nl)
	}
	return e.insertOwn(t, pair)
}

// insertOwn adds a line to a table with a header, or to the root table.
func (e *Editor) insertOwn(t *toml.Value, pair string) error {
	if last := e.lastKey(t); last.end > 0 {
		indent := e.text[e.lineStart(last.line):last.line]
		if strings.TrimSpace(indent) != "" {
			indent = ""
		}
		return e.insertLine(last.end, indent+pair)
	}
	if t == e.root {
		at := e.headersStart()
		if at < len(e.text) {
			at = e.aboveComments(at)
			return e.splice(at, at, pair+e.newline()+e.newline())
		}
		return e.splice(at, at, e.endLine(at)+pair+e.newline())
	}
	return e.insertLine(e.headerEnd(int(t.Off)), pair)
}

// insertLine adds a line below the one that off is on.
func (e *Editor) insertLine(off int, line string) error {
	at := e.nextLine(off)
	if at == len(e.text) && !strings.HasSuffix(e.text, "\n") {
		return e.splice(at, at, e.newline()+line)
	}
	return e.splice(at, at, line+e.newline())
}

// insertInline adds a pair to an inline table.
func (e *Editor) insertInline(t *toml.Value, pair string) error {
	brace := e.valueEnd(t) - 1
	if len(t.Keys) == 0 {
		return e.splice(int(t.Off), brace+1, "{ "+pair+" }")
	}
	end := 0
	for i := range t.Keys {
		end = max(end, e.entryEnd(&t.Keys[i]))
	}
	return e.splice(end, end, ", "+pair)
}

// create makes the tables that are missing on the way to a key.
func (e *Editor) create(t *toml.Value, have, missing []string, lit string) error {
	// A table with its own header or braces takes the rest as one inline table.
	if t != e.root && len(have) >= 2 || t != nil && t.Form == toml.FormValue {
		for _, name := range slices.Backward(missing[1:]) {
			lit = "{ " + toml.QuoteKey(name) + " = " + lit + " }"
		}
		return e.set(t, have, missing[0], lit)
	}
	path := append(slices.Clone(have), missing[:len(missing)-1]...)
	rest := []string(nil)
	if len(path) > 2 { // [components.NAME], and what is below it inline
		path, rest = path[:2], append(slices.Clone(path[2:]), missing[len(missing)-1])
	} else {
		rest = missing[len(missing)-1:]
	}
	if e.tableAt(path) == nil {
		if err := e.AddTable(path); err != nil {
			return err
		}
	}
	return e.Set(append(slices.Clone(path), rest...), rawLiteral(lit))
}

func (e *Editor) tableAt(path []string) *toml.Value {
	t := e.root
	for _, name := range path {
		if t = t.Child(name); t == nil {
			return nil
		}
	}
	return t
}

// A rawLiteral is TOML text.
type rawLiteral string

func literalOf(v any) (string, error) {
	switch v := v.(type) {
	case rawLiteral:
		return string(v), nil
	case string:
		return toml.LiteralString(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case []string:
		parts := make([]string, len(v))
		for i, s := range v {
			parts[i] = toml.LiteralString(s)
		}
		return "[" + strings.Join(parts, ", ") + "]", nil
	}
	return "", fmt.Errorf("cannot write such a value as TOML")
}

// WriteFile replaces a file's content at once: readers see the old or the new
// file, never a part. The mode of an existing file is kept, and a symbolic
// link keeps pointing at the file that is replaced.
func WriteFile(path string, data []byte) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	mode := os.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".specgraft-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
