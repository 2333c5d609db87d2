package editor

import (
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/components/toml"
	"specgraft/render/editor/buffer"
)

// A Symbol is an entry of the outline of a file.
type Symbol struct {
	Name     string
	Detail   string
	Kind     SymbolKind
	Span     buffer.Span // all of it
	Name0    buffer.Span // its name
	Children []Symbol
}

// A SymbolKind says what a symbol is.
type SymbolKind int

// The kinds of symbols.
const (
	SymbolComponent SymbolKind = iota + 1
	SymbolGroup
	SymbolDistro
	SymbolOverlay
	SymbolTable
	SymbolSection
	SymbolPackage
	SymbolConditional
	SymbolMacro
)

// Symbols returns the outline of a file.
func (s *Snapshot) Symbols(path string) []Symbol {
	text := s.textOf(path)
	switch {
	case text == nil:
		return nil
	case isSpec(path):
		return specSymbols(text)
	case filepath.Ext(path) != ".toml":
		return nil
	}
	return tomlSymbols(text)
}

// tomlSymbols is the outline of a configuration file or overlay document: its
// tables, components by name, overlays by description.
func tomlSymbols(text *buffer.Text) []Symbol {
	b := outline{text: text, at: map[string]*node{}}
	b.root.span = [2]int{0, len(text.S)}
	open := []*node{}
	end := 0 // of the last thing that was seen
	closeAll := func(off int) {
		for _, n := range open {
			n.span[1] = max(n.span[1], off)
		}
		open = nil
	}
	var header []int // start and end of the names of a header
	toml.Tokens(text.S, func(t toml.Token) bool {
		switch t.Kind {
		case toml.TokenHeader:
			if header == nil {
				line := text.Point(t.Start).Line
				closeAll(end)
				header = []int{text.Offset(buffer.Point{Line: line, Col: 0}), t.End}
			}
			header[1] = t.End
		case toml.TokenTable:
			if header != nil {
				n := b.node(t.Path, header[0], header[1])
				for k := range t.Path {
					if p := b.at[strings.Join(t.Path[:k+1], "\x00")]; p != nil {
						open = append(open, p)
					}
				}
				_ = n
				header = nil
			} else if worth(t.Path) {
				n := b.node(t.Path, t.Start-1, t.Start)
				n.inline = true
			}
		case toml.TokenKey:
			header = nil
			if len(t.Path) == 2 && (t.Path[0] == "components" || t.Path[0] == "component-groups" || t.Path[0] == "distros") {
				b.node(t.Path, t.Start, t.End)
			}
		}
		if t.End > t.Start {
			end = t.End
			for k := len(t.Path); k > 0; k-- {
				if n := b.at[strings.Join(t.Path[:k], "\x00")]; n != nil {
					n.span[1] = max(n.span[1], t.End)
				}
			}
		}
		if t.Kind == toml.TokenValue && len(t.Path) > 1 {
			if n := b.at[strings.Join(t.Path[:len(t.Path)-1], "\x00")]; n != nil {
				n.note(t.Path[len(t.Path)-1], t.Text)
			}
		}
		return true
	})
	closeAll(end)
	return b.symbols(&b.root)
}

// worth reports whether a table stands in the outline.
func worth(path []string) bool {
	return len(path) == 2 && (path[0] == "components" || path[0] == "component-groups") || overlayPath(path) != nil && len(overlayPath(path)) == len(path)
}

type node struct {
	path        []string
	span, name  [2]int
	inline      bool
	typ, detail string
	children    []*node
}

func (n *node) note(key, text string) {
	switch key {
	case "type":
		n.typ = text
	case "description":
		n.detail, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	}
}

type outline struct {
	text *buffer.Text
	root node
	at   map[string]*node
}

// node returns the node of a table, which stands below the nearest one that it
// is in.
func (b *outline) node(path []string, from, to int) *node {
	key := strings.Join(path, "\x00")
	if n := b.at[key]; n != nil {
		return n
	}
	up := &b.root
	for k := len(path) - 1; k > 0; k-- {
		if n := b.at[strings.Join(path[:k], "\x00")]; n != nil && n != up {
			up = n
			break
		}
	}
	n := &node{path: slices.Clone(path), span: [2]int{from, to}, name: [2]int{from, to}}
	up.children = append(up.children, n)
	b.at[key] = n
	return n
}

func (b *outline) symbols(n *node) []Symbol {
	var list []Symbol
	for _, c := range n.children {
		c.span[1] = max(c.span[1], c.name[1])
		s := Symbol{Name: c.path[len(c.path)-1], Detail: c.detail, Kind: SymbolTable,
			Span: b.text.Span(c.span[0], c.span[1]), Name0: b.text.Span(c.name[0], c.name[1]), Children: b.symbols(c)}
		switch p := c.path; {
		case len(p) == 2 && p[0] == "components":
			s.Kind = SymbolComponent
		case len(p) == 2 && p[0] == "component-groups":
			s.Kind = SymbolGroup
		case len(p) == 2 && p[0] == "distros":
			s.Kind = SymbolDistro
		case overlayPath(p) != nil && len(overlayPath(p)) == len(p):
			s.Kind = SymbolOverlay
			s.Name, s.Detail = c.typ, ""
			if c.detail != "" {
				s.Name, s.Detail = c.detail, c.typ
			}
			if s.Name == "" {
				s.Name = "overlay"
			}
		case len(p) > 1:
			s.Name = components.JoinPath(p[commonWith(n.path, p):])
		}
		if s.Name == "" {
			s.Name = `""`
		}
		// Children may stand elsewhere in the file; the range has them all.
		for _, k := range s.Children {
			if after(k.Span.End, s.Span.End) {
				s.Span.End = k.Span.End
			}
		}
		list = append(list, s)
	}
	return list
}

func after(a, b buffer.Point) bool { return a.Line > b.Line || a.Line == b.Line && a.Col > b.Col }

func commonWith(up, path []string) int {
	n := 0
	for n < len(up) && n < len(path)-1 && up[n] == path[n] {
		n++
	}
	return n
}

// A WorkspaceSymbol is a component or group by name.
type WorkspaceSymbol struct {
	Name  string
	Kind  SymbolKind
	Place buffer.Place
}

// WorkspaceSymbols returns the components and groups whose names fit a query.
func (s *Snapshot) WorkspaceSymbols(query string) []WorkspaceSymbol {
	if s.Project == nil {
		return nil
	}
	var list []WorkspaceSymbol
	for _, name := range s.Project.Names() {
		if !fits(name, query) {
			continue
		}
		if c, _ := s.Project.Component(name); c != nil {
			if p, ok := s.place(c.Pos, c.Pos); ok {
				list = append(list, WorkspaceSymbol{name, SymbolComponent, p})
			}
		}
		if len(list) >= maxCompletions {
			break
		}
	}
	for name, g := range s.Project.Groups {
		if p, ok := s.place(g.Pos, g.Pos); ok && fits(name, query) {
			list = append(list, WorkspaceSymbol{name, SymbolGroup, p})
		}
	}
	slices.SortStableFunc(list, func(a, b WorkspaceSymbol) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// A Fold is a range of lines that can be folded, from 0.
type Fold struct {
	Start, End int
	Comment    bool
}

// Folds returns the ranges of a file that can be folded.
func (s *Snapshot) Folds(path string) []Fold {
	text := s.textOf(path)
	if text == nil {
		return nil
	}
	if isSpec(path) {
		return specFolds(text)
	}
	var list []Fold
	var walk func([]Symbol)
	walk = func(l []Symbol) {
		for _, y := range l {
			if y.Span.End.Line > y.Span.Start.Line {
				list = append(list, Fold{Start: y.Span.Start.Line, End: y.Span.End.Line})
			}
			walk(y.Children)
		}
	}
	walk(tomlSymbols(text))
	slices.SortFunc(list, func(a, b Fold) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	return slices.Compact(list)
}
