package editor

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/fedora/macro"
	"specgraft/overlay/absorb"
	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
	"specgraft/overlay/spec"
	"specgraft/render"
	"specgraft/render/editor/buffer"
)

// The codes of what only an editor says.
const (
	Inactive     = "editor/inactive"
	UnknownMacro = "editor/unknown-macro"
	Generated    = "editor/generated"
)

// Codes documents the diagnostics of this package.
var Codes = []diag.Code{
	{ID: "editor/generated", Default: diag.Warning, Summary: "a rendered spec is edited by hand",
		Doc: "Rendered files are written from the configuration, and the next render writes them again. `specgraft absorb NAME`, or the action of the editor, makes overlays of the edit."},
	{ID: "editor/inactive", Default: diag.Note, Summary: "lines of a branch that is not taken",
		Doc: "The condition above does not hold for the architecture that the editor was told (x86_64 otherwise) and the settings of the component."},
	{ID: "editor/unknown-macro", Default: diag.Note, Summary: "a macro that nothing defines",
		Doc: "Neither the spec nor the macro set defines the macro, and it does not stand behind a question mark: rpm leaves it in the text. A package that the build root has may define it all the same."},
}

// isSpec reports whether a file is a spec, or a template of one.
func isSpec(path string) bool {
	return strings.HasSuffix(path, ".spec") || isTemplate(path)
}

func isTemplate(path string) bool { return strings.HasSuffix(path, ".spec.tmpl") }

// A specState is a spec file as it was evaluated.
type specState struct {
	text   string
	key    string
	name   string
	set    *macro.Set
	cfg    macro.Config
	result *macro.Spec
}

// A specKind says what a spec file is to the project.
type specKind int

const (
	specAlone specKind = iota
	specRendered
	specLocal
)

// owner returns the component that a spec file belongs to.
func (s *Snapshot) owner(path string) (string, specKind) {
	if s.Project == nil || isTemplate(path) {
		return "", specAlone
	}
	if name := s.componentOfRendered(path); name != "" {
		return name, specRendered
	}
	name := strings.TrimSuffix(filepath.Base(path), ".spec")
	if c, _ := s.Project.Component(name); c != nil && c.Spec.Type == "local" && c.Spec.Path == path {
		return name, specLocal
	}
	for _, n := range s.Project.Names() {
		if c, _ := s.Project.Component(n); c != nil && c.Spec.Type == "local" && c.Spec.Path == path {
			return n, specLocal
		}
	}
	return "", specAlone
}

// evaluate evaluates a spec file as it is typed, once for each text.
func (s *Snapshot) evaluate(ctx context.Context, path string, text *buffer.Text) *specState {
	name, _ := s.owner(path)
	cfg := macro.Config{Arch: s.arch()}
	key := fmt.Sprintf("%s %d %s", cfg.Arch, s.epoch, name)
	var comp *components.Component
	if name != "" {
		comp, _ = s.Project.Component(name)
	}
	if comp != nil {
		key = fmt.Sprintf("%s %+v", key, comp.Build)
	}
	s.healthMu.Lock()
	known := s.specs[path]
	s.healthMu.Unlock()
	if known != nil && known.key == key && known.text == text.S {
		return known
	}
	if comp != nil {
		cfg.With, cfg.Without, cfg.Undefines = comp.Build.With, comp.Build.Without, comp.Build.Undefines
		for _, k := range sortedKeys(comp.Build.Defines) {
			cfg.Defines = append(cfg.Defines, macro.Define{Name: k, Body: comp.Build.Defines[k]})
		}
		if r, err := s.quickly(); err == nil {
			if full, err := r.Evaluation(comp, cfg); err == nil {
				cfg = full
			}
		}
	}
	if cfg.Set == nil {
		cfg.Set = macro.Builtin()
	}
	cfg.Stop = ctx.Done()
	if root, err := os.OpenRoot(filepath.Dir(path)); err == nil {
		defer root.Close()
		cfg.FS = regularFS{root.FS()}
	}
	st := &specState{text: text.S, key: key, name: name, set: cfg.Set, cfg: cfg}
	st.result = macro.Eval(filepath.Base(path), []byte(text.S), cfg)
	st.cfg.FS, st.cfg.Stop = nil, nil
	if st.result.Stopped || ctx.Err() != nil {
		return nil
	}
	s.healthMu.Lock()
	if len(s.specs) > 16 {
		clear(s.specs)
	}
	s.specs[path] = st
	s.healthMu.Unlock()
	return st
}

// regularFS hands out regular files of a bounded size only: a pipe in a
// directory must not hold the editor up.
type regularFS struct{ fs.FS }

func (f regularFS) Open(name string) (fs.File, error) {
	info, err := fs.Stat(f.FS, name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() && (!info.Mode().IsRegular() || info.Size() > maxRead) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return f.FS.Open(name)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// diagnoseSpec returns the problems of a spec file.
func (s *Snapshot) diagnoseSpec(ctx context.Context, path string, deep bool) diag.List {
	text := s.textOf(path)
	if text == nil {
		return nil
	}
	if isTemplate(path) {
		return s.diagnoseTemplate(ctx, path, deep)
	}
	var list diag.List
	name, kind := s.owner(path)
	if st := s.evaluate(ctx, path, text); st != nil {
		for _, d := range st.result.Problems {
			if d.Pos.Filename != filepath.Base(path) {
				continue
			}
			list = append(list, d)
		}
		list = append(list, unknownMacros(st, text)...)
		list = append(list, inactive(st, text)...)
	}
	if kind == specRendered {
		list = append(list, s.edited(ctx, name, path, text, deep)...)
	}
	if len(list) > maxSpecProblems {
		list = list[:maxSpecProblems]
	}
	return list
}

// maxSpecProblems bounds the problems of one spec: one that is no spec at all
// has one on every line.
const maxSpecProblems = 1000

// maxTemplateUsers bounds how many components a template is tried with.
const maxTemplateUsers = 8

// diagnoseTemplate returns the problems of one of the project's templates: those
// of the text, of what it writes for values that are made up, and of what it writes
// for the components that use it.
func (s *Snapshot) diagnoseTemplate(ctx context.Context, path string, deep bool) diag.List {
	if s.Project == nil || filepath.Dir(path) != s.Project.Settings.TemplatesDir {
		return nil
	}
	set, problems := render.Templates(s.Project, s.unsaved)
	name := strings.TrimSuffix(filepath.Base(path), ".spec.tmpl")
	problems = append(problems, set.Check(name)...)
	var users []string
	for comp, c := range s.checkAll() {
		if c.c != nil && c.c.Spec.Type == "template" && c.c.Spec.Template == name {
			users = append(users, comp)
		}
	}
	slices.Sort(users)
	for _, comp := range users[:min(len(users), maxTemplateUsers)] {
		if g := s.healthOf(ctx, comp, deep); g != nil {
			problems = append(problems, g.diags...)
		}
	}
	var list diag.List
	for _, d := range problems {
		if s.path(d.Pos.Filename) == path {
			list = append(list, d)
		}
	}
	list.Sort()
	return slices.CompactFunc(list, func(a, b diag.Diagnostic) bool {
		return a.Pos == b.Pos && a.Code == b.Code && a.Message == b.Message
	})
}

// macroUse finds uses of macros: what stands behind %, with its braces.
var macroUse = regex.Once(`%(%)|%\{([!?]*)([A-Za-z_][A-Za-z0-9_]*)|%([!?]*)([A-Za-z_][A-Za-z0-9_]{2,})`)

// A use is a macro where it is used.
type use struct {
	name  string
	maybe bool // behind a question mark
	start int  // bytes of the line, of the name
}

// uses returns the macros that a line uses.
func uses(line string) []use {
	var list []use
	for _, m := range macroUse().FindAllStringSubmatchIndex(line, -1) {
		switch {
		case m[2] >= 0:
		case m[6] >= 0:
			list = append(list, use{line[m[6]:m[7]], m[5] > m[4], m[6]})
		case m[10] >= 0:
			list = append(list, use{line[m[10]:m[11]], m[9] > m[8], m[10]})
		}
	}
	return list
}

// unknownMacros reports macros that nothing defines.
func unknownMacros(st *specState, text *buffer.Text) diag.List {
	defined := map[string]bool{}
	for _, d := range st.result.Macros {
		defined[d.Name] = true
	}
	for _, n := range definedIn(text.S) {
		defined[n] = true
	}
	for _, d := range st.cfg.Defines {
		defined[d.Name] = true
	}
	params := bodies(text)
	var list diag.List
	for n := range text.Lines() {
		line := text.Line(n)
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, "%dnl") {
			continue
		}
		for _, u := range uses(line) {
			if u.maybe || defined[u.name] || st.set.Has(u.name) || known(u.name) || params[n] {
				continue
			}
			d := diag.Diagnostic{Code: UnknownMacro, Severity: diag.Note,
				Message: fmt.Sprintf("nothing that is known here defines %%%s", u.name)}
			d.Pos.Filename, d.Pos.Line, d.Pos.Column = st.filename(), n+1, u.start+1
			d.End = d.Pos
			d.End.Column += len(u.name)
			if near := diag.Nearest(u.name, slices.Collect(mapKeys(defined))); near != "" {
				d.Hint = fmt.Sprintf("did you mean %q?", near)
			}
			list = append(list, d)
		}
		if len(list) > 200 {
			break
		}
	}
	return list
}

func mapKeys(m map[string]bool) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		keys := make([]string, 0, len(m))
		for k := range m {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if !yield(k) {
				return
			}
		}
	}
}

func (st *specState) filename() string { return "" }

// bodies marks the lines inside of macro definitions and programs, where names
// may be parameters.
func bodies(text *buffer.Text) map[int]bool {
	f := spec.Parse("", []byte(text.S))
	in := map[int]bool{}
	for _, b := range f.Structure().Blocks {
		if b.Kind == spec.BlockContinuation || b.Kind == spec.BlockOpen {
			continue
		}
		for i := b.Start; i < b.End; i++ {
			in[i] = true
		}
	}
	return in
}

var specWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range knownSections {
		m[strings.TrimPrefix(w, "%")] = true
	}
	for _, w := range []string{"if", "ifarch", "ifnarch", "ifos", "ifnos", "else", "elif", "elifarch", "elifos", "endif", "include", "global", "define",
		"undefine", "dnl", "setup", "autosetup", "autopatch", "patch", "defattr", "attr", "doc", "license", "config", "dir", "ghost", "lang", "verify", "exclude",
		"docdir", "artifact", "readme", "caps", "missingok", "noreplace", "sepolicy", "lua", "expand", "expr", "shrink", "quote", "trace", "dump", "load",
		"name", "version", "release", "epoch", "summary", "license", "url", "description", "vendor", "packager", "group", "distribution", "nil", "pubkey",
		"optflags", "SOURCE", "PATCH", "S", "P", "u2p", "url2path", "basename", "dirname", "suffix", "uncompress", "getenv", "getncpus", "len", "lower", "upper",
		"reverse", "rep", "sub", "gsub", "span", "verbose", "warn", "error", "echo", "rpmversion", "macrobody", "exists", "isu2p", "shescape", "xdg", "bcond"} {
		m[w] = true
	}
	return m
}()

var numbered = regex.Once(`^(SOURCE|PATCH|patch|S|P)\d+$`)

// known reports whether a word behind % is rpm's own.
func known(name string) bool { return specWords[name] || numbered().MatchString(name) }

// inactive reports the lines of branches that are not taken.
func inactive(st *specState, text *buffer.Text) diag.List {
	var list diag.List
	for _, r := range inactiveRanges(st, text) {
		d := diag.Diagnostic{Code: Inactive, Severity: diag.Note, Message: "not for " + archName(st.cfg.Arch)}
		d.Pos.Filename, d.Pos.Line, d.Pos.Column = st.filename(), r[0]+1, 1
		d.End.Filename, d.End.Line, d.End.Column = st.filename(), r[1], len(text.Line(r[1]-1))+1
		list = append(list, d)
	}
	return list
}

func archName(arch string) string {
	if arch == "" {
		return "x86_64"
	}
	return arch
}

// inactiveRanges returns the ranges [start, end) of lines, from 0, in branches
// that are not taken. None lies in another.
func inactiveRanges(st *specState, text *buffer.Text) [][2]int {
	read := map[int]macro.Branch{}
	for _, b := range st.result.Branches {
		if old, ok := read[b.Pos.Line-1]; ok && old.Read {
			continue
		}
		read[b.Pos.Line-1] = b
	}
	f := spec.Parse("", []byte(text.S))
	var list [][2]int
	for _, c := range f.Structure().Conds {
		for i, line := range c.Branches {
			b, ok := read[line]
			if !ok || b.Read || b.Maybe {
				continue
			}
			end := c.Endif
			if i+1 < len(c.Branches) {
				end = c.Branches[i+1]
			}
			if end > line+1 {
				list = append(list, [2]int{line + 1, end})
			}
		}
	}
	slices.SortFunc(list, func(a, b [2]int) int { return a[0] - b[0] })
	out := list[:0]
	for _, r := range list {
		if len(out) > 0 && r[1] <= out[len(out)-1][1] {
			continue
		}
		out = append(out, r)
	}
	return out
}

// edited reports where a rendered spec is not what rendering writes.
func (s *Snapshot) edited(ctx context.Context, name, path string, text *buffer.Text, deep bool) diag.List {
	want, ok := s.renderedText(ctx, name, deep)
	onDisk, err := os.ReadFile(path)
	typed := err != nil || string(onDisk) != text.S
	if !ok {
		if !typed || err != nil {
			return nil
		}
		want = string(onDisk)
	}
	if want == text.S {
		return nil
	}
	message, hint := "the next render overwrites this edit", fmt.Sprintf("make overlays of it: the action \"absorb as overlay\", or `specgraft absorb %s` once it is saved", name)
	if !typed {
		message = "this is not what the configuration renders"
		hint = fmt.Sprintf("`specgraft render %s` writes it again, the action \"absorb as overlay\" keeps it", name)
	}
	var list diag.List
	for i, h := range absorb.Lines(splitLines(want), splitLines(text.S)) {
		if i == 20 {
			break
		}
		d := diag.Diagnostic{Code: Generated, Severity: diag.Warning, Message: message, Hint: hint, Component: name}
		d.Pos.Line, d.Pos.Column = min(h.NewStart, text.Lines()-1)+1, 1
		if h.NewEnd > h.NewStart {
			d.End.Line, d.End.Column = h.NewEnd, len(text.Line(h.NewEnd-1))+1
		}
		list = append(list, d)
	}
	return list
}

func splitLines(s string) []string { return strings.Split(s, "\n") }

// renderedText returns what rendering a component writes as its spec. Without
// deep only what is known already is returned.
func (s *Snapshot) renderedText(ctx context.Context, name string, deep bool) (string, bool) {
	g := s.rendered(ctx, name, deep)
	if g == nil {
		return "", false
	}
	return string(g.view.Result.Text()), true
}

// rendered returns a component that was rendered without errors, nil otherwise.
func (s *Snapshot) rendered(ctx context.Context, name string, deep bool) *stage {
	if !deep {
		s.healthMu.Lock()
		h := s.health[name]
		s.healthMu.Unlock()
		if h == nil || !h.mu.TryLock() {
			return nil
		}
		deep = h.deep != nil && h.at == s
		h.mu.Unlock()
		if !deep {
			return nil
		}
	}
	g := s.healthOf(ctx, name, true)
	if g == nil || g.view.Result.Failed() || g.view.Result.Spec == nil {
		return nil
	}
	return g
}

// lineIn returns the line of the rendered spec that a line of the text is, both
// from 0, or -1 for one that was edited.
func lineIn(want, have string, line int) int {
	shift := 0
	for _, h := range absorb.Lines(splitLines(want), splitLines(have)) {
		if line < h.NewStart {
			break
		}
		if line < h.NewEnd {
			return -1
		}
		shift = h.OldEnd - h.NewEnd
	}
	return line + shift
}
