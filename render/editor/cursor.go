package editor

import (
	"os"
	"slices"
	"strings"

	"go/token"

	"specgraft/components/toml"
	"specgraft/overlay"
	"specgraft/render/editor/buffer"
)

// A cursor is a place in a TOML file and what stands there.
type cursor struct {
	path     string
	text     *buffer.Text
	off      int
	tok      toml.Token
	document bool // an overlay document rather than a configuration file
}

// maxRead bounds the files that are read because an editor asks about them.
const maxRead = 64 << 20

// textOf returns the text of a file as the snapshot has it, nil when it cannot
// be read.
func (s *Snapshot) textOf(path string) *buffer.Text {
	if t := s.texts[path]; t != nil {
		return t
	}
	if s.Project != nil {
		if b, ok := s.Project.Text(path); ok {
			return buffer.New(string(b))
		}
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxRead {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return buffer.New(string(b))
}

// TextOf returns the text of a file as the snapshot has it, nil when it cannot
// be read.
func (s *Snapshot) TextOf(path string) *buffer.Text { return s.textOf(path) }

// document reports whether a TOML file is an overlay document: one that some
// component names, or one that has overlays at its top and is not part of the
// configuration.
func (s *Snapshot) document(path string, text *buffer.Text) bool {
	if s.Project == nil {
		return false
	}
	if slices.Contains(s.Project.Files(), path) {
		return false
	}
	if slices.Contains(s.Project.OverlayDocuments(), path) {
		return true
	}
	top := false
	toml.Tokens(text.S, func(t toml.Token) bool {
		if t.Kind == toml.TokenHeader || t.Kind == toml.TokenKey {
			top = len(t.Path) > 0 && (t.Path[0] == "overlays" || t.Path[0] == "metadata")
			return false
		}
		return true
	})
	return top
}

func (s *Snapshot) cursor(path string, at buffer.Point) *cursor {
	text := s.textOf(path)
	if text == nil {
		return nil
	}
	off := text.Offset(at)
	return &cursor{path: path, text: text, off: off, tok: toml.TokenAt(text.S, off), document: s.document(path, text)}
}

// span is the range of the token.
func (c *cursor) span() buffer.Span { return c.text.Span(c.tok.Start, c.tok.End) }

// inside is the range of the token without its quotes.
func (c *cursor) inside() buffer.Span { return inside(c.text, c.tok) }

func inside(text *buffer.Text, t toml.Token) buffer.Span {
	n := len(t.Quote)
	from, to := t.Start+n, t.End
	if !t.Open {
		to -= n
	}
	return text.Span(from, max(from, to))
}

// component returns the component whose table the path is in, and the path of
// keys inside of it.
func component(path []string) (string, []string) {
	if len(path) >= 2 && path[0] == "components" {
		return path[1], path[2:]
	}
	return "", nil
}

// group returns the group whose table the path is in.
func group(path []string) string {
	if len(path) >= 2 && path[0] == "component-groups" {
		return path[1]
	}
	return ""
}

// overlayPath returns the path of the overlay that a path is in, nil for none.
func overlayPath(path []string) []string {
	for i := 0; i+1 < len(path); i++ {
		if path[i] == "overlays" && strings.HasPrefix(path[i+1], "[") && (i == 0 || path[i-1] != "build") {
			return path[:i+2]
		}
	}
	return nil
}

// A user is a component with the overlay that a cursor is in.
type user struct {
	name  string
	index int
	op    *overlay.Op
}

// users returns the components that have the overlay at the cursor, with its
// number in each.
func (s *Snapshot) users(c *cursor) []user {
	at := overlayPath(c.tok.Path)
	if at == nil || s.Project == nil {
		return nil
	}
	start := c.start(at)
	if start < 0 {
		return nil
	}
	want := c.text.Point(start)
	var list []user
	for _, name := range s.ComponentsOf(c.path) {
		comp := s.Component(name)
		if comp == nil {
			continue
		}
		for i := range comp.Overlays {
			op := &comp.Overlays[i]
			if op.Pos.Line == want.Line+1 && op.Pos.Column == want.Col+1 && s.Project.FileOf(op) == c.path {
				list = append(list, user{name, i, op})
			}
		}
	}
	return list
}

// start returns the offset of the table of an overlay as its position has it:
// the bracket of its header, or its brace.
func (c *cursor) start(at []string) int {
	start := -1
	toml.Tokens(c.text.S, func(t toml.Token) bool {
		if len(t.Path) < len(at) || !slices.Equal(t.Path[:len(at)], at) {
			return true
		}
		start = t.Start
		if t.Kind == toml.TokenTable && t.List { // behind ]]
			start = strings.LastIndexByte(c.text.S[:t.Start], '\n') + 1
			start += len(c.text.S[start:]) - len(strings.TrimLeft(c.text.S[start:], " \t"))
		}
		if t.Kind == toml.TokenTable && !t.List { // behind {
			start = t.Start - 1
		}
		if t.Kind == toml.TokenValuePlace { // what stands behind [ or a comma
			return true
		}
		return false
	})
	return start
}

// fields returns the text of the keys of the table at a path, by name, as they
// stand in the file.
func (c *cursor) fields(at []string) map[string]toml.Token {
	m := map[string]toml.Token{}
	toml.Tokens(c.text.S, func(t toml.Token) bool {
		if t.Kind == toml.TokenValue && len(t.Path) == len(at)+1 && slices.Equal(t.Path[:len(at)], at) {
			m[t.Path[len(at)]] = t
		}
		return true
	})
	return m
}

// keys returns the names of the keys and tables that stand in the table at a
// path.
func (c *cursor) keys(at []string) map[string]bool {
	m := map[string]bool{}
	toml.Tokens(c.text.S, func(t toml.Token) bool {
		if t.Start == c.tok.Start && t.Kind == c.tok.Kind {
			return true // what is being typed
		}
		if (t.Kind == toml.TokenKey || t.Kind == toml.TokenHeader) && len(t.Path) > len(at) && slices.Equal(t.Path[:len(at)], at) {
			m[t.Path[len(at)]] = true
		}
		return true
	})
	return m
}

// place returns the range that a position of the configuration stands for.
func (s *Snapshot) place(from, to token.Position) (buffer.Place, bool) {
	if from.Line == 0 {
		return buffer.Place{}, false
	}
	p := buffer.Point{Line: from.Line - 1, Col: max(from.Column-1, 0)}
	q := p
	if to.Line > 0 && to.Filename == from.Filename {
		q = buffer.Point{Line: to.Line - 1, Col: max(to.Column-1, 0)}
	}
	path := s.path(from.Filename)
	if info, err := os.Stat(path); s.texts[path] == nil && (err != nil || !info.Mode().IsRegular()) {
		return buffer.Place{}, false
	}
	return buffer.Place{Path: path, Span: buffer.Span{Start: p, End: q}}, true
}
