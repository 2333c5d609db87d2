package spec

import (
	"slices"
	"strings"
)

// A Structure is the structural view of a spec: what rpm's own parser makes of
// the lines, as far as that can be said without expanding a macro. It knows
// macro definitions and %{...} blocks of several lines, continued commands,
// conditionals with their branches, and every section that rpm knows.
//
// It follows rpm 4.18 to 6 (parseSpec.c): a line is read on while %{, %( or %[
// is open or it ends in an unescaped backslash; a section header stands at the
// first column; %if and its kin may be indented and need white space or the
// end of the line after them; a tag may have blanks before the colon. A
// backslash at the end of a tag or of a comment does not continue it: rpm
// expands the lines together and then takes them one by one.
type Structure struct {
	Lines  []Shape       // one per line
	Parts  []Part        // the preamble and the sections, in order
	Conds  []Conditional // conditionals in the order of their %if
	Blocks []Block       // text of several lines that rpm reads as one, in order
	Tags   []Statement   // tags in the preamble and in %package sections, in order
	// Unbalanced has the lines of %if without %endif, of %endif, %else and
	// %elif without %if, and of blocks that never end.
	Unbalanced []int
}

// A Form is what the structural view takes a line for.
type Form uint8

// The forms of a line.
const (
	FormBlank   Form = iota
	FormText         // script, prose, file list, or a macro standing alone
	FormComment      // # or %dnl
	FormTag          // see Structure.Tags
	FormHeader       // starts a Part
	FormIf           // %if, %ifarch, %ifnarch, %ifos, %ifnos
	FormElse         // %else, %elif, %elifarch, %elifos
	FormEndif        // %endif
	FormDefine       // first line of %define or %global
	FormBody         // within a macro definition, %{lua:...}, %(...) or the arguments of a macro
)

// A Shape says where a line stands. Indexes are -1 for none.
type Shape struct {
	Form   Form
	Part   int // in Structure.Parts
	Block  int // in Structure.Blocks
	Cond   int // innermost conditional around the line, in Structure.Conds; %if, %else and %endif stand in the one around their own
	Branch int // branch of Cond from 0
}

// A Part is a section as rpm sees it, or the preamble (empty Name).
type Part struct {
	Name       string // lower case, with %
	Package    string // as written, without -n; empty for the main package
	FullName   bool   // Package was given with -n
	Start, End int    // lines [Start, End); Start is the header, except in the preamble
}

// A Conditional is a conditional with its branches.
type Conditional struct {
	Branches []int // lines of %if and of each %elif and %else
	Endif    int   // line of %endif, or -1
	Parent   int   // conditional around this one, or -1
	Branch   int   // branch of Parent
}

// A BlockKind tells what holds a block together.
type BlockKind uint8

// The kinds of blocks.
const (
	BlockContinuation BlockKind = iota // lines ending in a backslash
	BlockDefine                        // %define or %global
	BlockLua                           // %{lua:...}
	BlockShell                         // %(...) or %[...]
	BlockMacro                         // arguments of any other macro
	BlockOpen                          // %{expand:...}, %{?x:...}, %{!?x:...}: its lines are read as lines of the spec
)

// String names the kind for messages.
func (k BlockKind) String() string {
	return [...]string{"continued line", "macro definition", "%{lua:} block", "%(...) or %[...] block", "macro call", "%{...} block"}[k]
}

// A Block is a range of at least two lines [Start, End) that rpm reads as one.
type Block struct {
	Kind       BlockKind
	Start, End int
}

// A Statement is a tag as rpm sees it.
type Statement struct {
	Line      int
	Name      string // as written, with a number but without a (qualifier)
	Qualifier string // what stands in parentheses, as post in Requires(post)
	Value     string // trimmed; within %{?x:...} without what closes it
	Macro     bool   // written within %{?x:...} on the line itself
}

// Structure returns the structural view of the lines as they stand. It is
// computed when first asked for and kept until the next edit.
func (f *File) Structure() *Structure {
	if f.structure == nil {
		f.structure = newStructure(f.lines)
	}
	return f.structure
}

// Package returns the package that line i belongs to, as its part has it.
func (s *Structure) Package(i int) (name string, full bool) {
	p := &s.Parts[s.Lines[i].Part]
	return p.Package, p.FullName
}

// Exclusive reports whether the lines i and j stand in different branches of
// one conditional, so that never both are in force.
func (s *Structure) Exclusive(i, j int) bool {
	type at struct{ cond, branch int }
	var above []at
	for c, b := s.Lines[i].Cond, s.Lines[i].Branch; c >= 0; c, b = s.Conds[c].Parent, s.Conds[c].Branch {
		above = append(above, at{c, b})
	}
	for c, b := s.Lines[j].Cond, s.Lines[j].Branch; c >= 0; c, b = s.Conds[c].Parent, s.Conds[c].Branch {
		if k := slices.IndexFunc(above, func(a at) bool { return a.cond == c }); k >= 0 {
			return above[k].branch != b
		}
	}
	return false
}

// Within reports whether line i is a later line of a block (not its first)
// and returns the block.
func (s *Structure) Within(i int) (Block, bool) {
	b := s.Lines[i].Block
	if b < 0 || s.Blocks[b].Start == i {
		return Block{}, false
	}
	return s.Blocks[b], true
}

// maxBlock bounds the lines of one block; beyond it an open bracket is taken
// for one that never closes.
const maxBlock = 20_000

func newStructure(lines []Line) *Structure {
	s := &Structure{Lines: make([]Shape, len(lines)), Parts: []Part{{}}}
	cond, branch := -1, 0
	var open []int // unclosed conditionals, for their index in Conds
	brackets := true
	block, blockEnd := -1, 0
	for i := range lines {
		text := lines[i].Text
		if i >= blockEnd {
			block = -1
			kind, end, closed := blockAt(lines, i, brackets)
			if !closed {
				// Every later bracket would be searched to the end of the file
				// again, so only backslashes count from here on.
				brackets = false
				s.Unbalanced = append(s.Unbalanced, i)
				kind, end, _ = blockAt(lines, i, false)
			}
			if end > i+1 {
				block, blockEnd = len(s.Blocks), end
				s.Blocks = append(s.Blocks, Block{kind, i, end})
			}
		}
		sh := &s.Lines[i]
		*sh = Shape{Part: len(s.Parts) - 1, Block: block, Cond: cond, Branch: branch}

		trimmed := strings.TrimLeft(text, " \t\r\f\v")
		inside := block >= 0 && i > s.Blocks[block].Start
		if inside && s.Blocks[block].Kind != BlockContinuation && s.Blocks[block].Kind != BlockOpen {
			sh.Form = FormBody
			continue
		}
		if trimmed == "" {
			continue
		}
		sh.Form = FormText
		switch trimmed[0] {
		case '#':
			sh.Form = FormComment
			continue
		case '%':
			word := firstWord(trimmed)
			switch word {
			case "%if", "%ifarch", "%ifnarch", "%ifos", "%ifnos":
				sh.Form = FormIf
				s.Conds = append(s.Conds, Conditional{Branches: []int{i}, Endif: -1, Parent: cond, Branch: branch})
				cond, branch = len(s.Conds)-1, 0
				open = append(open, cond)
				continue
			case "%else", "%elif", "%elifarch", "%elifos":
				sh.Form = FormElse
				if cond < 0 {
					s.Unbalanced = append(s.Unbalanced, i)
					continue
				}
				c := &s.Conds[cond]
				sh.Cond, sh.Branch = c.Parent, c.Branch
				c.Branches = append(c.Branches, i)
				branch++
				continue
			case "%endif":
				sh.Form = FormEndif
				if cond < 0 {
					s.Unbalanced = append(s.Unbalanced, i)
					continue
				}
				c := &s.Conds[cond]
				sh.Cond, sh.Branch = c.Parent, c.Branch
				c.Endif = i
				cond, branch = c.Parent, c.Branch
				open = open[:len(open)-1]
				continue
			case "%dnl":
				sh.Form = FormComment
				continue
			case "%define", "%global":
				sh.Form = FormDefine
				continue
			}
			if text[0] == '%' {
				if name := strings.ToLower(word); partNames[name] {
					sh.Form, sh.Part = FormHeader, len(s.Parts)
					p := Part{Name: name, Start: i}
					p.Package, p.FullName = partPackage(name, trimmed[len(word):])
					s.Parts[len(s.Parts)-1].End = i
					s.Parts = append(s.Parts, p)
					continue
				}
			}
		}
		if p := s.Parts[len(s.Parts)-1].Name; p == "" || p == "%package" {
			if t, ok := statementOf(trimmed); ok {
				t.Line = i
				sh.Form = FormTag
				s.Tags = append(s.Tags, t)
			}
		}
	}
	s.Parts[len(s.Parts)-1].End = len(lines)
	for _, c := range open {
		s.Unbalanced = append(s.Unbalanced, s.Conds[c].Branches[0])
	}
	slices.Sort(s.Unbalanced)
	return s
}

// partNames has the section headers that rpm knows, in lower case.
var partNames = map[string]bool{
	"%package": true, "%description": true, "%files": true, "%changelog": true, "%patchlist": true, "%sourcelist": true,
	"%prep": true, "%generate_buildrequires": true, "%conf": true, "%build": true, "%install": true, "%check": true, "%clean": true,
	"%pre": true, "%post": true, "%preun": true, "%postun": true, "%pretrans": true, "%posttrans": true, "%preuntrans": true, "%postuntrans": true,
	"%trigger": true, "%triggerin": true, "%triggerun": true, "%triggerprein": true, "%triggerpostun": true,
	"%filetriggerin": true, "%filetriggerun": true, "%filetriggerpostun": true,
	"%transfiletriggerin": true, "%transfiletriggerun": true, "%transfiletriggerpostun": true,
	"%verifyscript": true, "%sepolicy": true,
}

// partPackage returns the package that the arguments of a header name.
func partPackage(name, args string) (pkg string, full bool) {
	switch name {
	case "%changelog", "%patchlist", "%sourcelist", "%prep", "%generate_buildrequires", "%conf", "%build", "%install", "%check", "%clean":
		return "", false
	}
	words := strings.Fields(args)
	for i := 0; i < len(words); i++ {
		switch w := words[i]; {
		case w == "--": // what follows names the packages of a trigger
			return pkg, full
		case w == "-n" && i+1 < len(words):
			return words[i+1], true
		case w == "-f" || w == "-p" || w == "-l" || w == "-P":
			i++
		case strings.HasPrefix(w, "-") || w == "\\":
		case pkg == "":
			pkg = w
		}
	}
	return pkg, false
}

// firstWord returns the text up to the first white space. %else and %endif
// also end where something else than a letter follows, as rpm has it.
func firstWord(s string) string {
	i := strings.IndexAny(s, " \t\r\f\v")
	if i < 0 {
		i = len(s)
	}
	for _, w := range [...]string{"%else", "%endif"} {
		if strings.HasPrefix(s, w) && (len(s) == len(w) || !isLetter(s[len(w)])) {
			return w
		}
	}
	return s[:i]
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// statementOf reads a tag: a name, an optional (qualifier), blanks, a colon.
// It looks into %{?x:...} and %{!?x:...} around a whole line.
func statementOf(s string) (Statement, bool) {
	var t Statement
	for strings.HasPrefix(s, "%{?") || strings.HasPrefix(s, "%{!?") {
		i := strings.IndexByte(s, ':')
		if i < 0 || strings.ContainsAny(s[2:i], "{} \t") || !strings.HasSuffix(strings.TrimRight(s, " \t\r"), "}") {
			return t, false
		}
		s = strings.TrimSuffix(strings.TrimRight(s, " \t\r"), "}")
		s, t.Macro = strings.TrimLeft(s[i+1:], " \t"), true
	}
	n := 0
	for n < len(s) && (isLetter(s[n]) || n > 0 && isDigit(s[n])) {
		n++
	}
	if n == 0 {
		return t, false
	}
	t.Name, s = s[:n], s[n:]
	if strings.HasPrefix(s, "(") {
		i := strings.IndexByte(s, ')')
		if i < 0 {
			return t, false
		}
		t.Qualifier, s = strings.TrimSpace(s[1:i]), s[i+1:]
	}
	s = strings.TrimLeft(s, " \t")
	if !strings.HasPrefix(s, ":") {
		return t, false
	}
	t.Value = strings.TrimSpace(s[1:])
	return t, true
}

// blockAt returns the end of the block that starts at line i; i+1 when the
// line stands alone. closed is false when a bracket stays open to the end of
// the file. Without brackets only backslashes count.
func blockAt(lines []Line, i int, brackets bool) (kind BlockKind, end int, closed bool) {
	var r reader
	for j := i; j < len(lines); j++ {
		more := r.read(lines[j].Text, brackets)
		if j == i {
			if !more {
				return 0, i + 1, true
			}
			kind = r.kind(lines[i].Text)
		}
		if !more {
			return kind, j + 1, true
		}
		if j-i >= maxBlock {
			break
		}
	}
	return kind, len(lines), !r.Open()
}

// reader counts what keeps rpm reading on, see copyNextLineFromOFI.
type reader struct {
	Brackets
	opener int // offset of the outermost bracket open at the end of the line read last, or -1
}

func (r *reader) read(text string, brackets bool) (more bool) {
	continued := false
	if !brackets || !r.Open() && strings.IndexByte(text, '%') < 0 {
		n := len(text)
		for n > 0 && text[n-1] == '\\' {
			n--
		}
		return (len(text)-n)%2 == 1
	}
	if !r.Open() {
		r.opener = -1
	}
	for p := 0; p < len(text); p++ {
		switch c := text[p]; c {
		case '\\':
			continued = p+1 == len(text)
			p++
		case '%':
			if p+1 == len(text) {
				continue
			}
			outermost := !r.Open()
			switch next := text[p+1]; {
			case r.Macro(next):
				if outermost {
					r.opener = p
				}
				p++
			case next == '%':
				p++
			}
		case '{', '}', '(', ')', '[', ']':
			r.Inner(c)
		}
	}
	return continued || r.Open()
}

// kind tells the kind of a block from its first line, which has been read.
func (r *reader) kind(text string) BlockKind {
	switch firstWord(strings.TrimLeft(text, " \t\r\f\v")) {
	case "%define", "%global":
		return BlockDefine
	}
	if !r.Open() {
		return BlockContinuation
	}
	if r.opener < 0 {
		return BlockMacro
	}
	switch s := text[r.opener+1:]; {
	case s[0] != '{':
		return BlockShell
	case strings.HasPrefix(s, "{lua:"):
		return BlockLua
	case strings.HasPrefix(s, "{?"), strings.HasPrefix(s, "{!?"), strings.HasPrefix(s, "{expand:"):
		return BlockOpen
	}
	return BlockMacro
}
