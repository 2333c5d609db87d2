package components

import (
	"bytes"
	"errors"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"

	"specgraft/overlay/diag"
)

// This file is the only one that knows go-toml's unstable package. It turns a
// document into a tree of values that keep their byte ranges, with the rules of
// TOML on redefinition, which the parser leaves to its caller.

// maxDocument bounds a configuration file; offsets are stored in 32 bits and
// nobody writes a gigabyte of TOML by hand.
const maxDocument = 64 << 20

// maxDepth bounds tables and arrays inside each other. The real formats nest
// six levels; the bound keeps every recursive walk of the tree safe.
const maxDepth = 64

// A source is one document with what is needed to print its positions.
type source struct {
	name string // as shown to the user
	path string // absolute path, "" for built-in text
	dir  string // absolute directory that relative paths refer to
	text string
	// trusted documents are named by the user, not by the project: their
	// paths may lead anywhere.
	trusted bool

	once  sync.Once
	lines []uint32 // offset of each line's first byte
}

// pos converts a byte offset. Columns count bytes from 1, as go-toml and the
// Go tools do.
func (s *source) pos(off uint32) token.Position {
	s.once.Do(func() {
		s.lines = append(s.lines, 0)
		for i := 0; i < len(s.text); i++ {
			j := strings.IndexByte(s.text[i:], '\n')
			if j < 0 {
				break
			}
			i += j
			s.lines = append(s.lines, uint32(i+1))
		}
	})
	i, found := slices.BinarySearch(s.lines, off)
	if !found {
		i--
	}
	return token.Position{Filename: s.name, Offset: int(off), Line: i + 1, Column: int(off-s.lines[i]) + 1}
}

type kind uint8

const (
	kindString kind = iota + 1
	kindInt
	kindFloat
	kindBool
	kindDate
	kindList
	kindTable
)

// String names a kind as a user of TOML would.
func (k kind) String() string {
	switch k {
	case kindString:
		return "string"
	case kindInt:
		return "integer"
	case kindFloat:
		return "float"
	case kindBool:
		return "boolean"
	case kindDate:
		return "date"
	case kindList:
		return "list"
	}
	return "table"
}

// How a table or list came to be decides whether it may be extended.
type form uint8

const (
	formValue   form = iota // written as a value: closed
	formDotted              // by dotted keys: only those may extend it
	formParent              // as the parent of a header: a header may define it once
	formHeader              // by its own header
	formTables              // list of [[tables]]
	formElement             // one of [[tables]]
)

// A value is a node of a document. Values are never changed once the document
// is read; merged configurations share them.
type value struct {
	kind kind
	form form
	// broken tables end in a syntax error: what they lack may be behind it.
	broken bool
	// off is the first byte of the value; for a table made by a header the
	// opening bracket, for one made by dotted keys or as a parent the first
	// key that named it. end is behind its last byte, or equal to off when
	// the value is not contiguous.
	off, end uint32
	src      *source
	str      string // text of a string, literal of any other scalar
	list     []*value
	keys     []entry
	index    map[string]int // of keys, once there are many
}

type entry struct {
	name     string
	off, end uint32 // of the key where it was first written
	src      *source
	val      *value
}

func (v *value) pos() token.Position { return v.src.pos(v.off) }

func (v *value) endPos() token.Position { return v.src.pos(max(v.end, v.off)) }

func (e *entry) pos() token.Position { return e.src.pos(e.off) }

func (e *entry) endPos() token.Position { return e.src.pos(e.end) }

// entry returns the entry of a table, nil when the table is nil or lacks it.
func (v *value) entry(name string) *entry {
	if v == nil || v.kind != kindTable {
		return nil
	}
	if v.index != nil {
		if i, ok := v.index[name]; ok {
			return &v.keys[i]
		}
		return nil
	}
	for i := range v.keys {
		if v.keys[i].name == name {
			return &v.keys[i]
		}
	}
	return nil
}

// get returns the value at a path of keys, or nil.
func (v *value) get(path ...string) *value {
	for _, name := range path {
		e := v.entry(name)
		if e == nil {
			return nil
		}
		v = e.val
	}
	return v
}

// put adds an entry that is known to be absent.
func (v *value) put(e entry) {
	v.keys = append(v.keys, e)
	switch {
	case v.index != nil:
		v.index[e.name] = len(v.keys) - 1
	case len(v.keys) > 12:
		v.index = make(map[string]int, 4*len(v.keys))
		for i := range v.keys {
			v.index[v.keys[i].name] = i
		}
	}
}

// zero reports whether a later layer would count the value as not given:
// false, zero, the empty string, an empty list or table.
func (v *value) zero() bool {
	if v == nil {
		return true
	}
	switch v.kind {
	case kindString:
		return v.str == ""
	case kindBool:
		return v.str == "false"
	case kindInt, kindFloat:
		return strings.Trim(v.str, "+-0._xob") == ""
	case kindList:
		return len(v.list) == 0
	case kindTable:
		return len(v.keys) == 0
	}
	return false
}

// A reader builds the tree of one document.
type reader struct {
	src   *source
	p     unstable.Parser
	diags diag.List
	base  uint32 // offset of the part that is being parsed
	slab  []value
	slots []*value
	depth int
}

// readDocument parses src. The returned table is never nil: on a syntax error
// it holds what was read before it.
func readDocument(src *source) (*value, diag.List) {
	r := reader{src: src}
	root := r.alloc(kindTable, formHeader, 0, 0)
	if len(src.text) > maxDocument {
		r.diags.Add(token.Position{Filename: src.name}, "config/syntax", "file has %d bytes, more than the %d a configuration may have", len(src.text), maxDocument)
		return root, r.diags
	}
	data := []byte(src.text)
	if i := bytes.IndexByte(data, 0); i >= 0 {
		r.diags.Add(src.pos(uint32(i)), "config/syntax", "file contains a NUL byte: not a text file")
		return root, r.diags
	}
	// After a mistake reading goes on at the next header, so that one run
	// reports the mistakes of all tables.
	for range maxSyntax {
		r.p.Reset(data[r.base:])
		table := root
		if r.base > 0 {
			table = nil
		}
		for r.p.NextExpression() {
			n := r.p.Expression()
			switch n.Kind {
			case unstable.Table, unstable.ArrayTable:
				table = r.header(root, n)
			case unstable.KeyValue:
				if table != nil {
					r.keyValue(table, n)
				}
			}
		}
		err := r.p.Error()
		if err == nil {
			break
		}
		if table != nil {
			table.broken = true
		}
		next := nextHeader(r.src.text, r.syntax(data, err))
		if next < 0 {
			break
		}
		r.base = uint32(next)
	}
	return root, r.diags
}

// maxSyntax bounds the syntax mistakes that are reported for one file.
const maxSyntax = 50

var headerLine = regexp.MustCompile(`(?m)^[ \t]*\[\[?[ \t]*[A-Za-z0-9_"'-][A-Za-z0-9_."' \t@+/-]*\]\]?[ \t]*(#.*)?\r?$`)

// nextHeader returns the offset of the first line behind off that looks like a
// table header, or -1.
func nextHeader(text string, off int) int {
	i := strings.IndexByte(text[off:], '\n')
	if i < 0 {
		return -1
	}
	off += i + 1
	if loc := headerLine.FindStringIndex(text[off:]); loc != nil {
		return off + loc[0]
	}
	return -1
}

// syntax reports a mistake of the parser and returns its offset.
func (r *reader) syntax(data []byte, err error) int {
	off := len(data)
	msg := err.Error()
	if pe, ok := errors.AsType[*unstable.ParserError](err); ok {
		msg = pe.Message
		if o := cap(data) - cap(pe.Highlight); pe.Highlight != nil && o >= 0 && o <= len(data) {
			off = o
		}
	}
	d := r.diags.Add(r.src.pos(uint32(off)), "config/syntax", "not valid TOML: %s", msg)
	switch {
	case strings.Contains(msg, "strings must be quoted") || strings.Contains(msg, "start of value"):
		d.Hint = `text values stand in quotes: key = "value"`
	case strings.Contains(msg, "cannot have new lines"):
		d.Hint = `the string is not closed on its line; text over several lines stands between three quotes: """`
	case strings.Contains(msg, "escape"):
		d.Hint = "backslashes have a meaning between double quotes; between single quotes they stay as they are: '\\d+'"
	}
	return off
}

func (r *reader) alloc(k kind, f form, off, end uint32) *value {
	if len(r.slab) == 0 {
		r.slab = make([]value, 128)
	}
	v := &r.slab[0]
	r.slab = r.slab[1:]
	*v = value{kind: k, form: f, off: off, end: end, src: r.src}
	return v
}

// text returns a decoded key or string, sharing the document's text where it can.
func (r *reader) text(n *unstable.Node) string {
	off, size := int(r.base+n.Raw.Offset), int(n.Raw.Length)
	switch {
	case len(n.Data) == size:
		return r.src.text[off : off+size]
	case len(n.Data) == size-2 && !bytes.Contains(n.Data, []byte{'\n'}):
		// Every escape is longer than what it stands for, so equal lengths
		// mean that there is none.
		return r.src.text[off+1 : off+size-1]
	}
	return string(n.Data)
}

func (r *reader) duplicate(off, end uint32, name, what string, first token.Position) {
	d := r.diags.Add(r.src.pos(off), "config/duplicate-key", "%s %q is already defined", what, name)
	d.End = r.src.pos(end)
	d.Related = []diag.Related{{Pos: first, Message: "first defined here"}}
}

// header opens the table that a [header] or [[header]] names and returns it,
// nil when the header is in conflict with what stands above it.
func (r *reader) header(root *value, n *unstable.Node) *value {
	it := n.Key()
	table, first := root, uint32(0)
	for depth := 0; it.Next(); depth++ {
		k := it.Node()
		name, off := r.text(k), r.base+k.Raw.Offset
		end := off + k.Raw.Length
		if depth == 0 {
			// The brackets carry no position of their own.
			first = off
			for first > 0 && r.src.text[first-1] != '[' {
				first--
			}
			first--
			if n.Kind == unstable.ArrayTable {
				first--
			}
		}
		if depth > maxDepth {
			r.diags.Add(r.src.pos(off), "config/syntax", "table name has more than %d parts", maxDepth)
			return nil
		}
		e := table.entry(name)
		last := it.IsLast()
		if e == nil {
			f, at := formParent, off
			if last {
				f, at = formHeader, first
			}
			v := r.alloc(kindTable, f, at, at)
			if last && n.Kind == unstable.ArrayTable {
				list := r.alloc(kindList, formTables, first, first)
				v.form = formElement
				list.list = append(list.list, v)
				table.put(entry{name, off, end, r.src, list})
				return v
			}
			table.put(entry{name, off, end, r.src, v})
			table = v
			continue
		}
		v := e.val
		switch {
		case !last && v.form == formTables:
			table = v.list[len(v.list)-1]
		case !last && v.kind == kindTable && v.form != formValue:
			table = v
		case !last:
			r.duplicate(off, end, name, "key", e.pos())
			return nil
		case n.Kind == unstable.ArrayTable:
			if v.form != formTables {
				r.duplicate(off, end, name, v.kind.String(), e.pos())
				return nil
			}
			el := r.alloc(kindTable, formElement, first, first)
			v.list = append(v.list, el)
			return el
		case v.form == formParent:
			v.form, v.off, v.end = formHeader, first, first
			e.off, e.end = off, end
			return v
		default:
			r.duplicate(off, end, name, v.kind.String(), e.pos())
			return nil
		}
	}
	return table
}

// keyValue adds one key = value line, or one of an inline table.
func (r *reader) keyValue(table *value, n *unstable.Node) {
	it := n.Key()
	for depth := 0; it.Next(); depth++ {
		k := it.Node()
		name, off := r.text(k), r.base+k.Raw.Offset
		end := off + k.Raw.Length
		e := table.entry(name)
		if it.IsLast() {
			if e != nil {
				r.duplicate(off, end, name, "key", e.pos())
				return
			}
			v := r.value(n.Value(), r.valueStart(end), r.base+n.Raw.Offset+n.Raw.Length)
			table.put(entry{name, off, end, r.src, v})
			return
		}
		if depth > maxDepth {
			r.diags.Add(r.src.pos(off), "config/syntax", "key has more than %d parts", maxDepth)
			return
		}
		switch {
		case e == nil:
			v := r.alloc(kindTable, formDotted, off, off)
			table.put(entry{name, off, end, r.src, v})
			table = v
		case e.val.form == formDotted:
			table = e.val
		default:
			r.duplicate(off, end, name, e.val.kind.String(), e.pos())
			return
		}
	}
}

// valueStart finds the value behind a key; arrays carry no range of their own.
func (r *reader) valueStart(off uint32) uint32 {
	for int(off) < len(r.src.text) && strings.IndexByte(" \t=", r.src.text[off]) >= 0 {
		off++
	}
	return off
}

// value converts a parsed value. off and end are its range where the caller
// knows it, end is 0 where it does not.
func (r *reader) value(n *unstable.Node, off, end uint32) *value {
	if n.Raw.Length > 0 && n.Kind != unstable.InlineTable {
		off = r.base + n.Raw.Offset
		end = off + n.Raw.Length
	}
	end = max(end, off)
	switch n.Kind {
	case unstable.String:
		v := r.alloc(kindString, formValue, off, end)
		v.str = r.text(n)
		return v
	case unstable.Array, unstable.InlineTable:
		if r.depth++; r.depth > maxDepth {
			r.depth--
			r.diags.Add(r.src.pos(off), "config/syntax", "values are nested more than %d levels deep", maxDepth)
			return r.alloc(kindList, formValue, off, end)
		}
		defer func() { r.depth-- }()
		if n.Kind == unstable.Array {
			return r.array(n, off, end)
		}
		at := r.base + n.Raw.Offset
		v := r.alloc(kindTable, formValue, at, max(end, at+1))
		for it := n.Children(); it.Next(); {
			if c := it.Node(); c.Kind == unstable.KeyValue {
				r.keyValue(v, c)
			}
		}
		r.close(v)
		return v
	case unstable.Bool:
		return r.scalar(kindBool, off, end)
	case unstable.Integer:
		return r.scalar(kindInt, off, end)
	case unstable.Float:
		return r.scalar(kindFloat, off, end)
	}
	v := r.scalar(kindDate, off, end)
	if !validDate(v.str) {
		r.diags.Add(v.pos(), "config/syntax", "not valid TOML: %q is not a date or time", v.str).End = v.endPos()
	}
	return v
}

// close ends the reach of dotted keys: an inline table cannot be extended.
func (r *reader) close(v *value) {
	for i := range v.keys {
		if c := v.keys[i].val; c.kind == kindTable && c.form == formDotted {
			c.form = formValue
			r.close(c)
		}
	}
}

func (r *reader) scalar(k kind, off, end uint32) *value {
	v := r.alloc(k, formValue, off, end)
	v.str = r.src.text[off:end]
	return v
}

func (r *reader) array(n *unstable.Node, off, end uint32) *value {
	v := r.alloc(kindList, formValue, off, end)
	count := 0
	for it := n.Children(); it.Next(); {
		count++
	}
	if len(r.slots) < count {
		r.slots = make([]*value, max(count, 64))
	}
	v.list, r.slots = r.slots[:0:count], r.slots[count:]
	for it := n.Children(); it.Next(); {
		if c := it.Node(); c.Kind != unstable.Comment {
			v.list = append(v.list, r.value(c, off, 0))
		}
	}
	return v
}

// validDate accepts the four date and time forms of TOML.
func validDate(s string) bool {
	s = strings.Replace(strings.ToUpper(s), " ", "T", 1)
	for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02", "15:04:05", "15:04"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}
