package toml

import (
	"bytes"
	"errors"
	"go/token"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
)

// This file is the only one that knows go-toml's unstable package. It turns a
// document into a tree of values that keep their byte ranges, with the rules of
// TOML on redefinition, which the parser leaves to its caller.

// MaxSize bounds a configuration file; offsets are stored in 32 bits and
// nobody writes a gigabyte of TOML by hand.
const MaxSize = 64 << 20

// MaxDepth bounds tables and arrays inside each other. The real formats nest
// six levels; the bound keeps every recursive walk of the tree safe.
const MaxDepth = 64

// A Source is one document with what is needed to print its positions.
type Source struct {
	Name string // as shown to the user
	Path string // absolute path, "" for built-in text
	Dir  string // absolute directory that relative paths refer to
	Text string
	// Trusted documents are named by the user, not by the project: their
	// paths may lead anywhere.
	Trusted bool

	once  sync.Once
	lines []uint32 // offset of each line's first byte
}

// Pos converts a byte offset. Columns count bytes from 1, as go-toml and the
// Go tools do.
func (s *Source) Pos(off uint32) token.Position {
	s.once.Do(func() {
		s.lines = append(s.lines, 0)
		for i := 0; i < len(s.Text); i++ {
			j := strings.IndexByte(s.Text[i:], '\n')
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
	return token.Position{Filename: s.Name, Offset: int(off), Line: i + 1, Column: int(off-s.lines[i]) + 1}
}

type Kind uint8

const (
	KindString Kind = iota + 1
	KindInt
	KindFloat
	KindBool
	KindDate
	KindList
	KindTable
)

// String names a kind as a user of TOML would.
func (k Kind) String() string {
	switch k {
	case KindString:
		return "string"
	case KindInt:
		return "integer"
	case KindFloat:
		return "float"
	case KindBool:
		return "boolean"
	case KindDate:
		return "date"
	case KindList:
		return "list"
	}
	return "table"
}

// How a table or list came to be decides whether it may be extended.
type form uint8

const (
	FormValue   form = iota // written as a value: closed
	FormDotted              // by dotted keys: only those may extend it
	FormParent              // as the parent of a header: a header may define it once
	FormHeader              // by its own header
	FormTables              // list of [[tables]]
	FormElement             // one of [[tables]]
)

// A Value is a node of a document. Values are never changed once the document
// is read; merged configurations share them.
type Value struct {
	Kind Kind
	Form form
	// Broken tables end in a syntax error: what they lack may be behind it.
	Broken bool
	// Off is the first byte of the value; for a table made by a header the
	// opening bracket, for one made by dotted keys or as a parent the first
	// key that named it. end is behind its last byte, or equal to off when
	// the value is not contiguous.
	Off, End uint32
	Src      *Source
	Str      string // text of a string, literal of any other scalar
	List     []*Value
	Keys     []Entry
	index    map[string]int // of keys, once there are many
}

type Entry struct {
	Name     string
	Off, End uint32 // of the key where it was first written
	Src      *Source
	Val      *Value
}

func (v *Value) Pos() token.Position { return v.Src.Pos(v.Off) }

func (v *Value) EndPos() token.Position { return v.Src.Pos(max(v.End, v.Off)) }

func (e *Entry) Pos() token.Position { return e.Src.Pos(e.Off) }

func (e *Entry) EndPos() token.Position { return e.Src.Pos(e.End) }

// Entry returns the entry of a table, nil when the table is nil or lacks it.
func (v *Value) Entry(name string) *Entry {
	if v == nil || v.Kind != KindTable {
		return nil
	}
	if v.index != nil {
		if i, ok := v.index[name]; ok {
			return &v.Keys[i]
		}
		return nil
	}
	for i := range v.Keys {
		if v.Keys[i].Name == name {
			return &v.Keys[i]
		}
	}
	return nil
}

// Get returns the value at a path of keys, or nil.
func (v *Value) Get(path ...string) *Value {
	for _, name := range path {
		e := v.Entry(name)
		if e == nil {
			return nil
		}
		v = e.Val
	}
	return v
}

// Put adds an entry that is known to be absent.
func (v *Value) Put(e Entry) {
	v.Keys = append(v.Keys, e)
	switch {
	case v.index != nil:
		v.index[e.Name] = len(v.Keys) - 1
	case len(v.Keys) > 12:
		v.index = make(map[string]int, max(4*len(v.Keys), cap(v.Keys)))
		for i := range v.Keys {
			v.index[v.Keys[i].Name] = i
		}
	}
}

// Zero reports whether a later layer would count the value as not given:
// false, zero, the empty string, an empty list or table.
func (v *Value) Zero() bool {
	if v == nil {
		return true
	}
	switch v.Kind {
	case KindString:
		return v.Str == ""
	case KindBool:
		return v.Str == "false"
	case KindInt, KindFloat:
		return strings.Trim(v.Str, "+-0._xob") == ""
	case KindList:
		return len(v.List) == 0
	case KindTable:
		return len(v.Keys) == 0
	}
	return false
}

// A reader builds the tree of one document.
type reader struct {
	src   *Source
	p     *unstable.Parser
	diags diag.List
	base  uint32 // offset of the part that is being parsed
	slab  []Value
	slots []*Value
	depth int
	// headers is how many lines look like headers, 0 when there is room for them.
	headers int
}

// parsers are used again, for the sake of their memory: a project has many small
// files.
var parsers = sync.Pool{New: func() any { return new(unstable.Parser) }}

// Read parses src. The returned table is never nil: on a syntax error
// it holds what was read before it.
func Read(src *Source) (*Value, diag.List) {
	r := reader{src: src, headers: strings.Count(src.Text, "\n["), p: parsers.Get().(*unstable.Parser)}
	defer func() {
		r.p.Reset(nil)
		parsers.Put(r.p)
	}()
	root := r.alloc(KindTable, FormHeader, 0, 0)
	if len(src.Text) > MaxSize {
		r.diags.Add(token.Position{Filename: src.Name}, "config/syntax", "file has %d bytes, more than the %d a configuration may have", len(src.Text), MaxSize)
		return root, r.diags
	}
	data := []byte(src.Text)
	if i := bytes.IndexByte(data, 0); i >= 0 {
		r.diags.Add(src.Pos(uint32(i)), "config/syntax", "file contains a NUL byte: not a text file")
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
			table.Broken = true
		}
		next := nextHeader(r.src.Text, r.syntax(data, err))
		if next < 0 {
			break
		}
		r.base = uint32(next)
	}
	return root, r.diags
}

// maxSyntax bounds the syntax mistakes that are reported for one file.
const maxSyntax = 50

var HeaderLine = regex.Once(`(?m)^[ \t]*\[\[?[ \t]*[A-Za-z0-9_"'-][A-Za-z0-9_."' \t@+/-]*\]\]?[ \t]*(#.*)?\r?$`)

// nextHeader returns the offset of the first line behind off that looks like a
// table header, or -1.
func nextHeader(text string, off int) int {
	i := strings.IndexByte(text[off:], '\n')
	if i < 0 {
		return -1
	}
	off += i + 1
	if loc := HeaderLine().FindStringIndex(text[off:]); loc != nil {
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
	d := r.diags.Add(r.src.Pos(uint32(off)), "config/syntax", "not valid TOML: %s", msg)
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

// room returns the space for the entries of a table that a header opens. The first
// one of a long document that is only the parent of others, which in most has
// nearly all of them, gets it at once.
func (r *reader) room(f form) []Entry {
	if f != FormParent || r.headers < 64 {
		return nil
	}
	n := r.headers
	r.headers = 0
	return make([]Entry, 0, n)
}

func (r *reader) alloc(k Kind, f form, off, end uint32) *Value {
	if len(r.slab) == 0 {
		// Most files define one component, in a few lines.
		r.slab = make([]Value, min(128, 4+len(r.src.Text)/24))
	}
	v := &r.slab[0]
	r.slab = r.slab[1:]
	*v = Value{Kind: k, Form: f, Off: off, End: end, Src: r.src}
	return v
}

// text returns a decoded key or string, sharing the document's text where it can.
func (r *reader) text(n *unstable.Node) string {
	off, size := int(r.base+n.Raw.Offset), int(n.Raw.Length)
	switch {
	case len(n.Data) == size:
		return r.src.Text[off : off+size]
	case len(n.Data) == size-2 && !bytes.Contains(n.Data, []byte{'\n'}):
		// Every escape is longer than what it stands for, so equal lengths
		// mean that there is none.
		return r.src.Text[off+1 : off+size-1]
	}
	return string(n.Data)
}

func (r *reader) duplicate(off, end uint32, name, what string, first token.Position) {
	d := r.diags.Add(r.src.Pos(off), "config/duplicate-key", "%s %q is already defined", what, name)
	d.End = r.src.Pos(end)
	d.Related = []diag.Related{{Pos: first, Message: "first defined here"}}
}

// header opens the table that a [header] or [[header]] names and returns it,
// nil when the header is in conflict with what stands above it.
func (r *reader) header(root *Value, n *unstable.Node) *Value {
	it := n.Key()
	table, first := root, uint32(0)
	for depth := 0; it.Next(); depth++ {
		k := it.Node()
		name, off := r.text(k), r.base+k.Raw.Offset
		end := off + k.Raw.Length
		if depth == 0 {
			// The brackets carry no position of their own.
			first = off
			for first > 0 && r.src.Text[first-1] != '[' {
				first--
			}
			first--
			if n.Kind == unstable.ArrayTable {
				first--
			}
		}
		if depth > MaxDepth {
			r.diags.Add(r.src.Pos(off), "config/syntax", "table name has more than %d parts", MaxDepth)
			return nil
		}
		e := table.Entry(name)
		last := it.IsLast()
		if e == nil {
			f, at := FormParent, off
			if last {
				f, at = FormHeader, first
			}
			v := r.alloc(KindTable, f, at, at)
			v.Keys = r.room(f)
			if last && n.Kind == unstable.ArrayTable {
				list := r.alloc(KindList, FormTables, first, first)
				v.Form = FormElement
				list.List = append(list.List, v)
				table.Put(Entry{name, off, end, r.src, list})
				return v
			}
			table.Put(Entry{name, off, end, r.src, v})
			table = v
			continue
		}
		v := e.Val
		switch {
		case !last && v.Form == FormTables:
			table = v.List[len(v.List)-1]
		case !last && v.Kind == KindTable && v.Form != FormValue:
			table = v
		case !last:
			r.duplicate(off, end, name, "key", e.Pos())
			return nil
		case n.Kind == unstable.ArrayTable:
			if v.Form != FormTables {
				r.duplicate(off, end, name, v.Kind.String(), e.Pos())
				return nil
			}
			el := r.alloc(KindTable, FormElement, first, first)
			v.List = append(v.List, el)
			return el
		case v.Form == FormParent:
			v.Form, v.Off, v.End = FormHeader, first, first
			e.Off, e.End = off, end
			return v
		default:
			r.duplicate(off, end, name, v.Kind.String(), e.Pos())
			return nil
		}
	}
	return table
}

// keyValue adds one key = value line, or one of an inline table.
func (r *reader) keyValue(table *Value, n *unstable.Node) {
	it := n.Key()
	for depth := 0; it.Next(); depth++ {
		k := it.Node()
		name, off := r.text(k), r.base+k.Raw.Offset
		end := off + k.Raw.Length
		e := table.Entry(name)
		if it.IsLast() {
			if e != nil {
				r.duplicate(off, end, name, "key", e.Pos())
				return
			}
			v := r.value(n.Value(), r.valueStart(end), r.base+n.Raw.Offset+n.Raw.Length)
			table.Put(Entry{name, off, end, r.src, v})
			return
		}
		if depth > MaxDepth {
			r.diags.Add(r.src.Pos(off), "config/syntax", "key has more than %d parts", MaxDepth)
			return
		}
		switch {
		case e == nil:
			v := r.alloc(KindTable, FormDotted, off, off)
			table.Put(Entry{name, off, end, r.src, v})
			table = v
		case e.Val.Form == FormDotted:
			table = e.Val
		default:
			r.duplicate(off, end, name, e.Val.Kind.String(), e.Pos())
			return
		}
	}
}

// valueStart finds the value behind a key; arrays carry no range of their own.
func (r *reader) valueStart(off uint32) uint32 {
	for int(off) < len(r.src.Text) && strings.IndexByte(" \t=", r.src.Text[off]) >= 0 {
		off++
	}
	return off
}

// value converts a parsed value. off and end are its range where the caller
// knows it, end is 0 where it does not.
func (r *reader) value(n *unstable.Node, off, end uint32) *Value {
	if n.Raw.Length > 0 && n.Kind != unstable.InlineTable {
		off = r.base + n.Raw.Offset
		end = off + n.Raw.Length
	}
	end = max(end, off)
	switch n.Kind {
	case unstable.String:
		v := r.alloc(KindString, FormValue, off, end)
		v.Str = r.text(n)
		return v
	case unstable.Array, unstable.InlineTable:
		if r.depth++; r.depth > MaxDepth {
			r.depth--
			r.diags.Add(r.src.Pos(off), "config/syntax", "values are nested more than %d levels deep", MaxDepth)
			return r.alloc(KindList, FormValue, off, end)
		}
		defer func() { r.depth-- }()
		if n.Kind == unstable.Array {
			return r.array(n, off, end)
		}
		at := r.base + n.Raw.Offset
		v := r.alloc(KindTable, FormValue, at, max(end, at+1))
		for it := n.Children(); it.Next(); {
			if c := it.Node(); c.Kind == unstable.KeyValue {
				r.keyValue(v, c)
			}
		}
		r.close(v)
		return v
	case unstable.Bool:
		return r.scalar(KindBool, off, end)
	case unstable.Integer:
		return r.scalar(KindInt, off, end)
	case unstable.Float:
		return r.scalar(KindFloat, off, end)
	}
	v := r.scalar(KindDate, off, end)
	if !validDate(v.Str) {
		r.diags.Add(v.Pos(), "config/syntax", "not valid TOML: %q is not a date or time", v.Str).End = v.EndPos()
	}
	return v
}

// close ends the reach of dotted keys: an inline table cannot be extended.
func (r *reader) close(v *Value) {
	for i := range v.Keys {
		if c := v.Keys[i].Val; c.Kind == KindTable && c.Form == FormDotted {
			c.Form = FormValue
			r.close(c)
		}
	}
}

func (r *reader) scalar(k Kind, off, end uint32) *Value {
	v := r.alloc(k, FormValue, off, end)
	v.Str = r.src.Text[off:end]
	return v
}

func (r *reader) array(n *unstable.Node, off, end uint32) *Value {
	v := r.alloc(KindList, FormValue, off, end)
	count := 0
	for it := n.Children(); it.Next(); {
		count++
	}
	if len(r.slots) < count {
		r.slots = make([]*Value, max(count, 16))
	}
	v.List, r.slots = r.slots[:0:count], r.slots[count:]
	for it := n.Children(); it.Next(); {
		if c := it.Node(); c.Kind != unstable.Comment {
			v.List = append(v.List, r.value(c, off, 0))
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
