package template

import (
	"bytes"
	"errors"
	"fmt"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
)

// maxOutput bounds a rendered spec: the largest real one has 250 KB.
const maxOutput = 16 << 20

// maxSteps bounds the texts that a template writes and the turns of its loops,
// which count for as much as they hold.
const maxSteps = 1_000_000

// callSteps is what the call of a definition counts for beside what it holds.
const callSteps = 10

// maxMade bounds the bytes that go through the functions of a template.
const maxMade = 64 << 20

// Bounds on what recurses: the lists and parentheses of a definition, and
// definitions that call each other. The engine's own would let both together
// take more stack than there is.
const (
	maxNesting = 100
	maxCalls   = 100
)

// A Line says where one line of a templated spec came from.
type Line struct {
	Template token.Position   // line of the template that wrote it
	Values   []token.Position // values of the TOML file that went into it
}

// Output is a rendered spec with the origin of each of its lines.
type Output struct {
	Text  []byte
	Lines []Line
}

// A mark is a place of a template set which writes output, or starts a turn or a
// definition.
type mark struct {
	pos   token.Position
	steps int // what passing it counts for
}

// marks are the marks of a template set.
type marks []mark

// instrument makes a parsed template tell, while it runs, which of its lines
// writes: a call that announces the position goes in front of every text, and
// each action hands its value through emit, where escaping happens. So an
// author of templates cannot forget to escape. Turns of loops and calls of
// definitions are announced too, and count for as much as they hold.
func (m *marks) instrument(t *template.Template, source string) *diag.Diagnostic {
	if t.Tree == nil || t.Root == nil {
		return nil
	}
	i := &instrumenter{marks: m, tree: t.Tree}
	for at := range len(source) {
		if source[at] == '\n' {
			i.ends = append(i.ends, at)
		}
	}
	size := i.list(t.Root, 0)
	if i.tooDeep != nil {
		return i.tooDeep
	}
	enter := snippet(fmt.Sprintf("{{__enter %d}}", i.mark(t.Root.Pos, callSteps+size)), t.Root.Pos)
	t.Root.Nodes = append(append([]parse.Node{enter}, t.Root.Nodes...), snippet("{{__leave}}", t.Root.Pos))
	return nil
}

type instrumenter struct {
	marks   *marks
	tree    *parse.Tree
	ends    []int // where the lines of the source end
	tooDeep *diag.Diagnostic
}

func (in *instrumenter) mark(pos parse.Pos, steps int) int {
	line, _ := slices.BinarySearch(in.ends, int(pos))
	col := int(pos) + 1
	if line > 0 {
		col -= in.ends[line-1] + 1
	}
	p := token.Position{Filename: in.tree.ParseName, Offset: int(pos), Line: line + 1, Column: col}
	*in.marks = append(*in.marks, mark{p, steps})
	return len(*in.marks) - 1
}

// deep reports whether what stands at pos is nested too deep.
func (in *instrumenter) deep(pos parse.Pos, depth int) bool {
	if depth <= maxNesting {
		return false
	}
	if in.tooDeep == nil {
		i := in.mark(pos, 0)
		in.tooDeep = &diag.Diagnostic{Pos: (*in.marks)[i].pos, Code: "template/broken",
			Message: fmt.Sprintf("the template nests more than %d levels deep", maxNesting), Hint: "define a block, and call it with {{template}}"}
	}
	return true
}

// list instruments a list, and returns how much it holds.
func (in *instrumenter) list(l *parse.ListNode, depth int) int {
	if l == nil || in.deep(l.Pos, depth) {
		return 0
	}
	branch := func(b *parse.BranchNode) int {
		return in.pipe(b.Pipe, 0) + in.list(b.List, depth+1) + in.list(b.ElseList, depth+1)
	}
	var out []parse.Node
	size := len(l.Nodes)
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			out = append(out, snippet(fmt.Sprintf("{{__text %d}}", in.mark(n.Pos, 1)), n.Pos))
		case *parse.ActionNode:
			size += in.pipe(n.Pipe, 0)
			if len(n.Pipe.Decl) == 0 {
				call := snippet(fmt.Sprintf("{{0 | __emit %d}}", in.mark(n.Pos, 0)), n.Pos)
				n.Pipe.Cmds = append(n.Pipe.Cmds, call.Pipe.Cmds[1])
			}
		case *parse.TemplateNode:
			size += in.pipe(n.Pipe, 0)
		case *parse.IfNode:
			size += branch(&n.BranchNode)
		case *parse.RangeNode:
			held := branch(&n.BranchNode)
			// Each turn is announced, also of an empty loop, so that it counts.
			n.List.Nodes = append([]parse.Node{snippet(fmt.Sprintf("{{__text %d}}", in.mark(n.Pos, 1+held)), n.Pos)}, n.List.Nodes...)
			size += held
		case *parse.WithNode:
			size += branch(&n.BranchNode)
		}
		out = append(out, n)
	}
	l.Nodes = out
	return size
}

// pipe returns how much a pipeline holds.
func (in *instrumenter) pipe(p *parse.PipeNode, depth int) int {
	if p == nil || in.deep(p.Pos, depth) {
		return 0
	}
	size := 0
	for _, c := range p.Cmds {
		for _, arg := range c.Args {
			size++
			for chain, ok := arg.(*parse.ChainNode); ok; chain, ok = arg.(*parse.ChainNode) {
				arg = chain.Node
			}
			if sub, ok := arg.(*parse.PipeNode); ok {
				size += in.pipe(sub, depth+1)
			}
		}
	}
	return size
}

// snippet parses a single action. The text is ours, so it always parses.
func snippet(text string, pos parse.Pos) *parse.ActionNode {
	trees, err := parse.Parse("", text, "{{", "}}", map[string]any{"__text": 0, "__emit": 0, "__enter": 0, "__leave": 0})
	if err != nil {
		panic(err)
	}
	n := trees[""].Root.Nodes[0].(*parse.ActionNode)
	n.Pos = pos
	return n
}

// recorder collects what a template writes, line by line, with the origin.
type recorder struct {
	marks marks
	buf   bytes.Buffer
	lines []Line
	pos   token.Position   // of the text or action that writes now
	from  []token.Position // values in what is written now
	text  bool             // a text: its own newlines move pos
	open  bool             // the last line is not ended yet
	steps int              // texts and turns so far
	calls int              // definitions that are open
	made  int              // bytes that went through functions so far
}

var errTooLong = fmt.Errorf("the template goes on for more than %d turns or %d MiB", maxSteps, maxOutput>>20)

var errTooDeep = fmt.Errorf("the definitions of the template call each other more than %d deep", maxCalls)

var errTooMuch = fmt.Errorf("the functions of the template make more than %d MiB", maxMade>>20)

// Write attributes p to the current position. The template engine calls it
// once for each text and each value.
func (r *recorder) Write(p []byte) (int, error) {
	if r.buf.Len()+len(p) > maxOutput {
		return 0, errTooLong
	}
	n := len(p)
	r.buf.Write(p)
	for len(p) > 0 {
		if !r.open {
			r.lines = append(r.lines, Line{Template: r.pos})
			r.open = true
		}
		l := &r.lines[len(r.lines)-1]
		piece := p
		i := bytes.IndexByte(p, '\n')
		if i >= 0 {
			piece = p[:i]
		}
		if len(l.Values) == 0 && len(r.from) > 0 && len(bytes.TrimSpace(piece)) > 0 {
			l.Template = r.pos // the action that brought the value says most
		}
		if len(bytes.TrimSpace(piece)) > 0 {
			for _, v := range r.from {
				if v.IsValid() && !slices.Contains(l.Values, v) {
					l.Values = append(l.Values, v)
				}
			}
		}
		if i < 0 {
			break
		}
		p = p[i+1:]
		r.open = false
		if r.text {
			r.pos.Line++
			r.pos.Column = 1
		}
	}
	return n, nil
}

// announce is __text: the text that follows starts at mark i.
func (r *recorder) announce(i int) (string, error) {
	r.pos, r.from, r.text = r.marks[i].pos, nil, true
	if r.steps += r.marks[i].steps; r.steps > maxSteps {
		return "", errTooLong
	}
	return "", nil
}

// enter is __enter, the start of a definition.
func (r *recorder) enter(i int) (string, error) {
	if r.calls++; r.calls > maxCalls {
		return "", errTooDeep
	}
	return r.announce(i)
}

// leave is __leave, the end of a definition.
func (r *recorder) leave() string {
	r.calls--
	return ""
}

// spend accounts for values that a function takes or gives.
func (r *recorder) spend(values ...any) error {
	const each = 64 // bytes of a Text beside its own
	for _, v := range values {
		switch v := v.(type) {
		case string:
			r.made += len(v)
		case Text:
			r.made += each + len(v.S)
		case []Text:
			for i := range v {
				r.made += each + len(v[i].S)
			}
		case lines:
			for i := range v {
				r.made += each + len(v[i].text)
			}
		}
	}
	if r.made > maxMade {
		return errTooMuch
	}
	return nil
}

// emit is __emit, the end of every action: it turns the value into text.
func (r *recorder) emit(i int, v any) (string, error) {
	r.pos, r.from, r.text = r.marks[i].pos, nil, false
	switch v := v.(type) {
	case nil:
		return "", nil
	case Text:
		r.from = []token.Position{v.Pos}
		return v.Escaped()
	case lines:
		var b strings.Builder
		for _, l := range v {
			r.from = append(r.from, l.from...)
			b.WriteString(l.text)
			b.WriteByte('\n')
		}
		return b.String(), nil
	case string:
		return v, nil
	case int:
		return fmt.Sprint(v), nil
	case bool:
		return fmt.Sprint(v), nil
	}
	return "", errors.New("this value has no text of its own; name one of its fields, or hand it to a function such as tags or lines")
}

// tidy drops blank lines at the top, keeps one of several in a row, and ends
// the last line, so that templates need not count them.
func (r *recorder) tidy() *Output {
	out := &Output{}
	blank := true
	text := r.buf.Bytes()
	for i := 0; len(text) > 0 && i < len(r.lines); i++ {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		text = rest
		empty := len(bytes.TrimSpace(line)) == 0
		if empty && blank {
			continue
		}
		blank = empty
		if empty {
			line = nil
		}
		out.Text = append(append(out.Text, line...), '\n')
		out.Lines = append(out.Lines, r.lines[i])
	}
	for len(out.Lines) > 0 && bytes.HasSuffix(out.Text, []byte("\n\n")) {
		out.Text = out.Text[:len(out.Text)-1]
		out.Lines = out.Lines[:len(out.Lines)-1]
	}
	return out
}

// Execute renders a component's description.
//
// Values are checked first, all of them: text that cannot stand on one line, an
// invalid licence expression and a missing required value are reported at their
// place in the TOML file. A failure of the template itself is reported at the
// template's line, with the value it was about as a related position.
func (t *Template) Execute(s *Spec) (*Output, diag.List) {
	problems := t.validate(s)
	if problems.HasErrors() {
		return nil, problems
	}
	if s.hasSystemdFiles() {
		with := *s // the directory macros of declared files come with this package
		with.BuildRequires = append(slices.Clone(s.BuildRequires), Text{S: "systemd-rpm-macros", Pos: s.Pos, Kind: Macros})
		s = &with
	}
	clone, err := t.set.Clone()
	if err != nil {
		problems.Add(token.Position{Filename: t.File}, "template/broken", "template %q cannot be used: %v", t.Name, err)
		return nil, problems
	}
	r := &recorder{marks: t.marks}
	clone.Funcs(r.funcs(s))
	if err := clone.ExecuteTemplate(r, entryPoint, s); err != nil {
		problems = append(problems, t.failure(err, s, r))
		return nil, problems
	}
	return r.tidy(), problems
}

// failure turns an error of the engine into a diagnostic at the template's
// line.
func (t *Template) failure(err error, s *Spec, r *recorder) diag.Diagnostic {
	d := diag.Diagnostic{Pos: r.pos, Code: "template/failed", Component: s.Name.S,
		Hint: "see 'specgraft template check' and the functions in 'specgraft template show --functions'"}
	if ne, ok := errors.AsType[*neededError](err); ok {
		return diag.Diagnostic{Pos: s.Pos, Code: "template/value", Component: s.Name.S,
			Message: fmt.Sprintf("the template %q needs the key %q", t.Name, ne.key),
			Hint:    fmt.Sprintf("add %s = \"...\" to the template table", ne.key)}
	}
	if ve, ok := errors.AsType[*valueError](err); ok {
		d.Message = ve.msg
		d.Related = append(d.Related, diag.Related{Pos: ve.pos, Message: "the value stands here"})
	} else if ee, ok := errors.AsType[template.ExecError](err); ok {
		pos, msg := splitPosition(ee.Error())
		if pos.Filename != "" {
			d.Pos = pos
		}
		d.Message = msg
		for _, bound := range []error{errTooLong, errTooDeep, errTooMuch} {
			if errors.Is(err, bound) {
				d.Message = bound.Error()
			}
		}
		if m := unknownField().FindStringSubmatch(msg); m != nil {
			if n := diag.Nearest(m[1], fields()); n != "" {
				d.Hint = fmt.Sprintf("did you mean .%s?", n)
			} else {
				d.Hint = "the fields are " + strings.Join(fields(), ", ")
			}
		}
	} else {
		d.Message = err.Error()
	}
	if s.Pos.IsValid() {
		d.Related = append(d.Related, diag.Related{Pos: s.Pos, Message: fmt.Sprintf("rendered with template %q for this table", t.Name)})
	}
	return d
}

// unknownField is what the engine says about a misspelt field.
var unknownField = regex.Once(`^can't evaluate field (\w+)`)

// fields returns the names that templates can use of a component and of its
// packages, sorted.
func fields() []string {
	var names []string
	for _, v := range []any{Spec{}, Package{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			if f.IsExported() && !f.Anonymous {
				names = append(names, f.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// splitPosition takes the place and the cause out of an error text of
// text/template, which has the form
//
//	template: FILE:LINE:COL: executing "NAME" at <...>: CAUSE
func splitPosition(s string) (token.Position, string) {
	var p token.Position
	s = strings.TrimPrefix(s, "template: ")
	file, rest, ok := strings.Cut(s, ":")
	if !ok {
		return p, s
	}
	var n int
	if n, _ = fmt.Sscanf(rest, "%d:%d:", &p.Line, &p.Column); n == 2 {
		p.Column++ // the engine counts columns from 0
	} else if n, _ = fmt.Sscanf(rest, "%d:", &p.Line); n != 1 {
		return token.Position{}, s
	}
	p.Filename = file
	if i := strings.LastIndex(rest, ">: "); i >= 0 {
		rest = rest[i+3:]
	} else if i := strings.Index(rest, ": "); i >= 0 {
		rest = rest[i+2:]
	}
	// The engine names our Go types; what matters to a user is the field.
	return p, goType().ReplaceAllString(rest, "")
}

// goType is how the engine's messages name a type.
var goType = regex.Once(` (?:in|of) type \S+.*$|\*?template\.`)
