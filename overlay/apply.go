package overlay

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// A Source opens the file that an overlay's `source` names. What it may reach
// is the caller's decision.
type Source func(path string) (data []byte, mode fs.FileMode, err error)

// A Level is how a project wants a diagnostic code to be treated.
type Level string

// The levels.
const (
	LevelOff     Level = "off"
	LevelNote    Level = "note"
	LevelWarning Level = "warning"
	LevelError   Level = "error"
)

// Options says how to apply operations. The zero value applies those that
// need no source file.
type Options struct {
	Source Source           // opens `source` files; nil: only Op.Data serves
	Levels map[string]Level // severity by code, for warnings whose default is not wanted; see Adjust
	Lint   bool             // take the structural second look after each operation

	// What the second look needs to know about macros that the spec does not
	// define itself. Nil functions know nothing, and what depends on them is not
	// said.
	Defined func(name string) bool // whether some distribution, or the project, defines the macro
	Lines   func(text string) int  // how many lines the text has once its macros are expanded
}

// Apply applies operations in order to the tree. It stops at the first one
// that fails, takes that one's partial edits back, and leaves the effect of
// those before it; the report says how far it came. Warnings do not stop it.
//
// Operations on archives are skipped with a warning: rendering does not have
// the archives. Package archive applies them.
func Apply(t *Tree, ops []Op, opt Options) (*Report, diag.List) {
	rep := &Report{Failed: -1, Applied: make([]OpReport, 0, len(ops))}
	a := &applier{tree: t, opt: &opt, rep: rep, removed: map[string]*spec.Origin{}, created: map[string]bool{}}
	if opt.Lint {
		a.lint = newLinter(t, &opt, &a.list)
	}
	for i := range ops {
		if !a.one(ops, i) {
			rep.Failed = i
			break
		}
	}
	if a.lint != nil && rep.Failed < 0 {
		a.lint.finish()
	}
	rep.Removed = a.removedFiles()
	return rep, Adjust(a.list, opt.Levels)
}

// An applier is one call of Apply.
type applier struct {
	tree    *Tree
	opt     *Options
	rep     *Report
	list    diag.List
	lint    *linter                 // nil without Options.Lint
	removed map[string]*spec.Origin // files that were there at the start
	created map[string]bool         // files that were not
	dirs    map[string]bool         // directories of the tree; nil until asked for
}

// one applies operation i and reports whether to go on.
func (a *applier) one(ops []Op, i int) bool {
	op := &ops[i]
	n := len(a.tree.Spec.Log())
	r := &run{
		applier: a, op: op, spec: a.tree.Spec, origin: op.Origin(i),
		rep: &OpReport{Index: i, From: n, To: n},
	}
	r.rep.Origin = r.origin
	info := Lookup(op.Type)
	switch {
	case info == nil:
		a.list = append(a.list, op.unknownType())
		return false
	case op.Archive != "":
		d := a.list.Warn(op.At("archive"), "overlay/archive-skipped", "%s: not applied during render: it works in archive %q", op.Name(), op.Archive)
		d.Hint = "`specgraft prepare` applies archive overlays to downloaded sources"
		r.rep.Skipped = true
		a.rep.Applied = append(a.rep.Applied, *r.rep)
		return true
	}
	if bad := op.check(info); bad.HasErrors() {
		a.list = append(a.list, bad...)
		return false
	}
	look := a.lint != nil && op.Step == ""
	if look {
		a.lint.prepare()
	}
	d := info.apply(r)
	if d == nil {
		d = r.checkExpect(info)
	}
	if d != nil {
		r.rollBack()
		a.rep.Removed = a.removedFiles()
		explain(a.tree, op, d)
		a.list = append(a.list, *d)
		return false
	}
	r.spec.Reclassify()
	r.finish()
	a.rep.Applied = append(a.rep.Applied, *r.rep)
	if look {
		a.lint.look(op, r.rep)
	} else if a.lint != nil {
		a.lint.skip()
	}
	return true
}

// removedFiles lists the upstream files that are gone so far.
func (a *applier) removedFiles() []RemovedFile {
	var list []RemovedFile
	for _, p := range slices.Sorted(maps.Keys(a.removed)) {
		list = append(list, RemovedFile{Path: p, By: a.removed[p]})
	}
	return list
}

// hasDir reports whether the component has the directory.
func (a *applier) hasDir(dir string) bool {
	if dir == "." {
		return true
	}
	if a.dirs == nil {
		a.dirs = map[string]bool{}
		for p := range a.tree.Files {
			for d := path.Dir(p); d != "." && !a.dirs[d]; d = path.Dir(d) {
				a.dirs[d] = true
			}
		}
	}
	return a.dirs[dir]
}

// A run is one operation at work on the tree.
type run struct {
	*applier
	op     *Op
	spec   *spec.File
	origin *spec.Origin
	rep    *OpReport
	before []fileBefore // files as they were, in order of change
}

type fileBefore struct {
	path string
	file *File // nil when there was none
}

// fail returns the diagnostic of an operation that cannot be applied, at the
// position of one of its keys.
func (r *run) fail(key, code, format string, args ...any) *diag.Diagnostic {
	return &diag.Diagnostic{
		Pos: r.op.At(key), Code: code, Component: r.tree.Name,
		Message: r.op.Name() + ": " + fmt.Sprintf(format, args...),
	}
}

// setFile puts a file into the tree, or takes it out when f is nil.
func (r *run) setFile(p string, f *File) {
	old := r.tree.Files[p]
	r.before = append(r.before, fileBefore{p, old})
	if f == nil {
		r.hasDir("") // a directory stays when its last file goes
		delete(r.tree.Files, p)
		return
	}
	if r.tree.Files == nil {
		r.tree.Files = map[string]*File{}
	}
	r.tree.Files[p] = f
}

// rollBack takes the operation's edits back.
func (r *run) rollBack() {
	r.spec.Undo(r.rep.From)
	for _, b := range slices.Backward(r.before) {
		if b.file == nil {
			delete(r.tree.Files, b.path)
		} else {
			r.tree.Files[b.path] = b.file
		}
	}
}

// finish fills the report of an operation that was applied.
func (r *run) finish() {
	log := r.spec.Log()
	r.rep.To = len(log)
	for i := range log[r.rep.From:] {
		e := &log[r.rep.From+i]
		both := min(len(e.Old), len(e.New))
		for k := range both {
			if !e.Split && e.Old[k].Text != e.New[k].Text {
				r.rep.Changed++
			}
		}
		r.rep.Added += len(e.New) - both
		r.rep.Removed += len(e.Old) - both
	}
	for i := range r.rep.Files {
		c := &r.rep.Files[i]
		from := c.Path
		if c.Old != "" {
			from = c.Old
		}
		if k := slices.IndexFunc(r.before, func(b fileBefore) bool { return b.path == from }); k >= 0 {
			c.Before = r.before[k].file
		}
		c.After = r.tree.Files[c.Path]
	}
	slices.SortStableFunc(r.rep.Files, func(x, y FileChange) int { return strings.Compare(x.Path, y.Path) })
	for i := range r.rep.Files {
		c := &r.rep.Files[i]
		c.After = r.tree.Files[c.Path]
		old := cmp.Or(c.Old, c.Path)
		if k := slices.IndexFunc(r.before, func(b fileBefore) bool { return b.path == old }); k >= 0 {
			c.Before = r.before[k].file
		}
	}
	for _, b := range r.before {
		_, was := r.removed[b.path]
		switch is := r.tree.Files[b.path] != nil; {
		case is && b.file == nil && !was:
			r.created[b.path] = true
		case is:
			delete(r.removed, b.path)
		case r.created[b.path]:
			delete(r.created, b.path)
		case b.file != nil:
			r.removed[b.path] = r.origin
		}
	}
}

// checkExpect holds the number of places against the `expect` key.
func (r *run) checkExpect(info *OpInfo) *diag.Diagnostic {
	want := r.op.Expect
	if want == nil || *want == r.rep.Places {
		return nil
	}
	d := r.fail("expect", "overlay/expect", "changes %s, but %d %s expected", count(r.rep.Places, r.op.counts(info)), *want, plural(*want, "is", "are"))
	log := r.spec.Log()
	for i := len(log) - 1; i >= r.rep.From && len(d.Related) < 5; i-- {
		if e := &log[i]; len(e.Old) > 0 && e.Old[0].Num > 0 {
			pos := r.spec.Pos(0)
			pos.Line = e.Old[0].Num
			d.Related = append(d.Related, diag.Related{Pos: pos, Message: quoteLine(e.Old[0].Text)})
		}
	}
	slices.SortStableFunc(d.Related, func(a, b diag.Related) int { return a.Pos.Line - b.Pos.Line })
	d.Hint = "look whether upstream changed; then narrow the overlay or correct `expect`"
	return d
}

// counts returns what one place of the operation is called.
func (op *Op) counts(info *OpInfo) string {
	if op.Multiline {
		return "match"
	}
	return info.Counts
}

// count says how many there are of something.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "ch") {
		what += "e"
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// quoteLine shortens a line for a message.
func quoteLine(text string) string {
	const most = 100
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\t", "    "), "\uFFFD")
}
