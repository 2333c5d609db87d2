// Package absorb finds overlays that reproduce an edit: given a component
// before and after, it returns the shortest list of operations it can find
// that turns the one into the other, byte for byte.
//
// The search proposes, Apply disposes. Candidates come from the places where
// the two texts differ; each is applied by package overlay itself and kept only
// when its result lies on the way, which is to say that it changes nothing that
// the edit did not change. So no candidate can be wrong, only missing: what no
// single operation can say ends up in one block behind the others, marked.
//
// Operations that name what they change (a tag, a section, a patch) go before
// expressions, expressions are anchored at whole lines where that is possible,
// look in one section, and all say how many places they are for.
//
//	found, err := absorb.Search(before, after, absorb.Options{})
//	for _, s := range found.Steps {
//		fmt.Println(s.Op.Type, s.Places)
//	}
//
// The same search answers whether a typed operation does what an expression
// does: see Typed.
package absorb

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// A Kind says how well an operation says what it does.
type Kind string

// The kinds.
const (
	Named      Kind = "typed"      // names a tag, section, patch or file
	Expression Kind = "expression" // matches text
	Block      Kind = "block"      // replaces text wholesale, as nothing else serves
)

// A Step is one operation of the result.
type Step struct {
	Op     overlay.Op
	Kind   Kind
	Places int
	// Equivalents are other operations that, in the place of Op, give the same
	// bytes. They are looked for with Options.Equivalents only.
	Equivalents []overlay.Op
	// Old and New are lines that the operation takes and gives, for a person
	// to see what it is about: of the spec, or of the file OpFile.
	Old, New []string
}

// A Result is a list of operations that reproduces the edit.
type Result struct {
	Steps []Step
	// Problems are differences that no overlay can make, such as line endings.
	// When they have errors, the steps do not give the text that was asked for.
	Problems diag.List
}

// Ops returns the operations in order of application.
func (r *Result) Ops() []overlay.Op {
	ops := make([]overlay.Op, len(r.Steps))
	for i := range r.Steps {
		ops[i] = r.Steps[i].Op
	}
	return ops
}

// Describe gives each operation that has no description one that asks for it.
func (r *Result) Describe() {
	for i := range r.Steps {
		s := &r.Steps[i]
		switch {
		case s.Op.Description != "":
		case s.Kind == Block:
			s.Op.Description = "TODO: say why. No overlay says this well: it replaces text as a whole"
		default:
			s.Op.Description = "TODO: say why"
		}
	}
}

// Options say what to look for.
type Options struct {
	Equivalents bool // find the alternatives of each step, too
	NamedOnly   bool // stop where only an expression or a block would do
}

// Codes are the diagnostics of a search.
var Codes = []diag.Code{
	{
		ID: "absorb/line-endings", Default: diag.Warning, Summary: "a difference in line endings cannot be said by overlays",
		Doc: "Rendered specs have LF behind every line, the last one included. Line endings other than that in the edited spec are lost.",
	},
	{
		ID: "absorb/encoding", Default: diag.Error, Summary: "an edited line is not UTF-8 and cannot be written in TOML",
		Doc: "TOML files are UTF-8. A line that holds other bytes can stay in a spec, but no overlay can write it. Convert the line to UTF-8, or add the text as a file.",
	},
	{
		ID: "absorb/file", Default: diag.Error, Summary: "a difference in files cannot be said by overlays",
		Doc: "Overlays create no directories, change no modes of upstream files and write no second spec.",
	},
	{
		ID: "absorb/incomplete", Default: diag.Error, Summary: "no list of overlays was found that reproduces the edit",
		Doc: "The conditionals of the spec are not paired in a way that lets sections be removed. Make a smaller edit, or report the specs.",
	},
}

// Search returns operations that turn the tree before into the tree after.
// Neither tree is changed. Specs are compared as they render, with LF behind
// each line.
func Search(before, after *overlay.Tree, opt Options) (*Result, error) {
	s := &search{opt: opt, before: before, goal: after}
	if err := s.reset(); err != nil {
		return nil, err
	}
	s.spec()
	if s.dist > 0 && !opt.NamedOnly {
		// Nothing else helps: the spec is written anew, and no step on it so
		// far matters.
		if err := s.reset(); err != nil {
			return nil, err
		}
		s.everything()
	}
	s.incomplete()
	if err := s.leftFiles(); err != nil {
		return nil, err
	}
	for i := range s.res.Steps {
		s.res.Steps[i].Op.ExpectPlaces(s.res.Steps[i].Places)
	}
	return s.res, nil
}

// reset begins the search anew.
func (s *search) reset() error {
	s.tree = &overlay.Tree{Name: s.before.Name, Spec: s.before.Spec.Clone(), Files: maps.Clone(s.before.Files)}
	if s.tree.Files == nil {
		s.tree.Files = map[string]*overlay.File{}
	}
	s.set, s.res = lineSet{}, &Result{}
	s.have = make([]int32, s.tree.Spec.Len())
	for i := range s.have {
		s.have[i] = s.set.number(s.tree.Spec.Line(i).Text)
	}
	s.want = make([]int32, s.goal.Spec.Len())
	for i := range s.want {
		s.want[i] = s.set.number(s.goal.Spec.Line(i).Text)
	}
	s.recount()
	s.lineEndings(s.goal.Spec)
	return s.files()
}

// Typed returns operations with a name for what they change that do to the
// tree, as it stands before op, what op does, proven by their result; nil when
// there are none.
func Typed(tree *overlay.Tree, op overlay.Op) []overlay.Op {
	if op.Type != overlay.SearchReplace {
		return nil
	}
	after := &overlay.Tree{Name: tree.Name, Spec: tree.Spec.Clone(), Files: tree.Files}
	report, list := overlay.Apply(after, []overlay.Op{op}, overlay.Options{})
	if list.HasErrors() || report.Failed >= 0 {
		return nil
	}
	found, err := Search(tree, after, Options{NamedOnly: true})
	if err != nil || found.Problems.HasErrors() || len(found.Steps) == 0 {
		return nil
	}
	ops := found.Ops()
	for i := range ops {
		ops[i].Metadata, ops[i].Pos, ops[i].Layer = op.Metadata, op.Pos, op.Layer
		ops[i].Description = op.Description
		if op.Expect == nil {
			ops[i].Expect = nil
		}
	}
	if !reproduces(tree, after, ops) {
		return nil
	}
	return ops
}

// reproduces reports whether the operations turn the one spec into the other.
func reproduces(before, after *overlay.Tree, ops []overlay.Op) bool {
	t := &overlay.Tree{Name: before.Name, Spec: before.Spec.Clone(), Files: maps.Clone(before.Files)}
	rep, list := overlay.Apply(t, ops, overlay.Options{})
	return rep.Failed < 0 && !list.HasErrors() && bytes.Equal(t.Spec.Normalized(), after.Spec.Normalized())
}

// A search is one call of Search.
type search struct {
	opt        Options
	before     *overlay.Tree
	tree       *overlay.Tree // as the steps so far leave it
	goal       *overlay.Tree
	set        lineSet
	have, want []int32 // the lines of both specs by number
	hunks      []hunk  // where they differ
	dist       int
	spent      int // of the budget
	pending    pending
	res        *Result
}

func (s *search) lineEndings(after *spec.File) {
	for i := range after.Len() {
		if l := after.Line(i); l.EOL != "\n" && strings.Contains(l.EOL, "\r") {
			d := s.res.Problems.Add(after.Pos(i), "absorb/line-endings", "the line ends in CR; it will end in LF")
			d.Severity = diag.Warning
			break
		}
	}
	if n := after.Len(); n > 0 && after.Line(n-1).EOL == "" {
		d := s.res.Problems.Add(after.Pos(n-1), "absorb/line-endings", "the last line has no line ending; it will get one")
		d.Severity = diag.Warning
	}
}

// recount finds the differences anew.
func (s *search) recount() {
	s.hunks = compare(s.have, s.want)
	s.dist = distance(s.hunks)
}

// A trial is an operation that was applied to see what it does.
type trial struct {
	op     overlay.Op
	places int
	log    int                      // length of the spec's log before
	files  map[string]*overlay.File // before, for an operation on files
	have   []int32                  // before
}

// apply applies an operation and tells how to take it back.
func (s *search) apply(op overlay.Op) (*trial, bool) {
	t := &trial{op: op, log: len(s.tree.Spec.Log()), have: s.have}
	if touchesFiles(op.Type) {
		t.files = maps.Clone(s.tree.Files)
	}
	rep, list := overlay.Apply(s.tree, []overlay.Op{op}, overlay.Options{})
	if rep.Failed >= 0 || list.HasErrors() || len(rep.Applied) == 0 {
		return nil, false
	}
	t.places = rep.Applied[0].Places
	s.have = spec.Replay(slices.Clone(s.have), s.tree.Spec.Log()[t.log:], func(e *spec.Edit, _ []int32) []int32 {
		lines := make([]int32, len(e.New))
		for i := range e.New {
			lines[i] = s.set.number(e.New[i].Text)
		}
		return lines
	})
	return t, true
}

func touchesFiles(t overlay.Type) bool {
	return strings.HasPrefix(string(t), "file-") || strings.HasPrefix(string(t), "patch-")
}

// undo takes a trial back.
func (s *search) undo(t *trial) {
	s.tree.Spec.Undo(t.log)
	if t.files != nil {
		s.tree.Files = t.files
	}
	s.have = t.have
}

// budget bounds the work that goes into trials, in lines compared: some seconds.
// Texts that use it up have little in common, and come out as blocks.
const budget = 1 << 27

// take applies an operation on the spec if its result lies on the way to the
// goal: it brings the texts nearer by exactly as much as it changes.
func (s *search) take(op overlay.Op) (*trial, bool) {
	edits := min(s.dist, maxEdits)
	if s.spent += len(s.have) + len(s.want) + edits*edits/4; s.spent > budget || !s.writable(&op) {
		return nil, false
	}
	t, ok := s.apply(op)
	if !ok {
		return nil, false
	}
	moved := distance(compare(t.have, s.have))
	if moved == 0 || moved > s.dist {
		s.undo(t)
		return nil, false
	}
	hunks := compare(s.have, s.want)
	if distance(hunks)+moved > s.dist || t.files != nil && !s.filesFit(t.files) {
		s.undo(t)
		return nil, false
	}
	s.hunks, s.dist = hunks, distance(hunks)
	return t, true
}

// writable reports whether the operation can be written in TOML and does not
// make a tag that rpm does not know.
func (s *search) writable(op *overlay.Op) bool {
	ok := utf8.ValidString(op.Regex) && utf8.ValidString(op.Replacement) && utf8.ValidString(op.Value) && utf8.ValidString(op.Tag) &&
		utf8.ValidString(op.Section) && utf8.ValidString(op.Package) && utf8.ValidString(op.File)
	for _, l := range op.Lines {
		ok = ok && utf8.ValidString(l)
	}
	if !ok {
		return false
	}
	for _, d := range op.Validate() {
		if d.Severity == diag.Error || d.Code == "overlay/unknown-tag" {
			return false
		}
	}
	return true
}

// first takes the first of the operations that lies on the way, and adds it to
// the result. Those behind it that give the same bytes are its equivalents.
func (s *search) first(ops []overlay.Op) bool {
	for i := range ops {
		if s.opt.NamedOnly && kindOf(&ops[i]) != Named {
			continue
		}
		t, ok := s.take(ops[i])
		if !ok {
			continue
		}
		s.add(t, kindOf(&ops[i]), ops[i+1:])
		return true
	}
	return false
}

func kindOf(op *overlay.Op) Kind {
	if op.Type == overlay.SearchReplace || op.Type == overlay.FileSearchReplace {
		return Expression
	}
	return Named
}

// add adds an applied operation to the result.
func (s *search) add(t *trial, kind Kind, others []overlay.Op) {
	step := Step{Op: t.op, Kind: kind, Places: t.places}
	s.show(&step, t)
	if s.opt.Equivalents {
		step.Equivalents = s.equivalents(t, others)
	}
	s.res.Steps = append(s.res.Steps, step)
}

// equivalents returns those of the operations that give the same lines.
func (s *search) equivalents(t *trial, others []overlay.Op) []overlay.Op {
	const most = 6
	var same []overlay.Op
	for i := range others {
		if len(same) == most || !s.writable(&others[i]) {
			continue
		}
		other := &overlay.Tree{Name: s.tree.Name, Spec: spec.Parse(s.tree.Spec.Name(), s.textOf(t.have)), Files: maps.Clone(s.tree.Files)}
		rep, list := overlay.Apply(other, []overlay.Op{others[i]}, overlay.Options{})
		if rep.Failed >= 0 || list.HasErrors() || !bytes.Equal(other.Spec.Normalized(), s.tree.Spec.Normalized()) {
			continue
		}
		op := others[i]
		op.ExpectPlaces(rep.Applied[0].Places)
		if !slices.ContainsFunc(same, func(x overlay.Op) bool { return sameOp(&x, &op) }) && !sameOp(&op, &t.op) {
			same = append(same, op)
		}
	}
	return same
}

// sameOp reports whether two operations have the same keys.
func sameOp(a, b *overlay.Op) bool {
	return a.Type == b.Type && a.File == b.File && a.Section == b.Section && a.Package == b.Package && a.Tag == b.Tag &&
		a.Value == b.Value && a.Regex == b.Regex && a.Replacement == b.Replacement && slices.Equal(a.Lines, b.Lines) &&
		a.Branch == b.Branch && a.Multiline == b.Multiline && a.Source == b.Source
}

// textOf writes lines given by number.
func (s *search) textOf(lines []int32) []byte {
	texts := make([]string, len(s.set))
	for t, n := range s.set {
		texts[n] = t
	}
	var b bytes.Buffer
	for _, n := range lines {
		b.WriteString(texts[n])
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// show fills in the lines that a step takes and gives.
func (s *search) show(step *Step, t *trial) {
	const most = 12
	for _, e := range s.tree.Spec.Log()[t.log:] {
		if e.Split {
			continue
		}
		for _, l := range e.Old {
			if len(step.Old) < most {
				step.Old = append(step.Old, l.Text)
			}
		}
		for _, l := range e.New {
			if len(step.New) < most {
				step.New = append(step.New, strings.Split(l.Text, "\n")...)
			}
		}
	}
}

// spec finds the operations on the spec.
func (s *search) spec() {
	s.top()
	for range 100 {
		var ops []overlay.Op
		for _, h := range s.hunks {
			ops = append(ops, s.removeSections(h)...)
		}
		if !s.first(ops) {
			break
		}
	}
	s.everywhere()
	for s.pass() {
	}
	if s.dist > 0 && !s.opt.NamedOnly {
		s.blocks()
	}
}

// incomplete says what was not found.
func (s *search) incomplete() {
	if s.dist == 0 {
		return
	}
	at := s.hunks[0].newStart
	d := diag.Diagnostic{Code: "absorb/incomplete", Message: fmt.Sprintf("no overlays were found for %d of the changed lines", s.dist)}
	for _, h := range s.hunks {
		for i := h.newStart; i < h.newEnd; i++ {
			if !utf8.ValidString(s.new(i)) {
				at, d.Code, d.Message = i, "absorb/encoding", "the line is not UTF-8 and cannot be written in TOML"
				d.Hint = "convert the line to UTF-8"
			}
		}
	}
	d.Pos = s.goal.Spec.Pos(at)
	s.res.Problems = append(s.res.Problems, d)
}

// top looks for lines that are put in at the top of the file, such as a header.
// Differences right below would else be seen as part of them.
func (s *search) top() {
	if len(s.hunks) == 0 || s.hunks[0].oldStart > 0 || len(s.have) == 0 {
		return
	}
	const most = 100
	for k := 1; k < min(len(s.want), most); k++ {
		if s.want[k] == s.have[0] || alike(s.new(k), s.old(0)) > 0.7 {
			if s.first([]overlay.Op{{Type: overlay.PrependLines, Lines: s.texts(0, k)}}) {
				return
			}
		}
	}
}

// pass goes through the differences from the top and reports whether one got
// smaller.
func (s *search) pass() bool {
	progress := false
	for i := 0; i < len(s.hunks); {
		before := s.dist
		s.place(s.hunks[i])
		if s.dist < before {
			progress = true
			// What is done is gone from the list; the same index is the next.
			continue
		}
		i++
	}
	return progress
}
