package editor

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay"
	"specgraft/overlay/spec"
	"specgraft/render"
	"specgraft/render/editor/buffer"
)

// A Completion is one thing that can stand at a place.
type Completion struct {
	Label  string
	Kind   CompletionKind
	Detail string // short, behind the label
	Doc    string // Markdown
	Edit   buffer.Edit
}

// A CompletionKind says what a completion is.
type CompletionKind int

// The kinds of completions.
const (
	CompleteKey CompletionKind = iota + 1
	CompleteTable
	CompleteValue
	CompleteName // of something that is defined in the project
	CompleteFile
	CompleteMacro
	CompleteTag
	CompleteSection
)

// maxCompletions bounds an answer; a client that types on asks again.
const maxCompletions = 1000

// Complete returns what can stand at a point. more says that not all of it was
// returned.
func (s *Snapshot) Complete(ctx context.Context, path string, at buffer.Point) (list []Completion, more bool) {
	if isSpec(path) {
		return s.completeSpec(ctx, path, at)
	}
	if s.Project == nil || filepath.Ext(path) != ".toml" {
		return nil, false
	}
	c := s.cursor(path, at)
	if c == nil {
		return nil, false
	}
	m := &completer{Snapshot: s, c: c, ctx: ctx}
	switch c.tok.Kind {
	case toml.TokenHeader:
		m.header(c.tok.Path[:len(c.tok.Path)-1])
	case toml.TokenHeaderPlace:
		m.header(c.tok.Path)
	case toml.TokenKey:
		m.key(c.tok.Path[:len(c.tok.Path)-1])
	case toml.TokenKeyPlace:
		m.key(c.tok.Path)
	case toml.TokenValue, toml.TokenValuePlace:
		m.value()
	}
	return m.list, m.more
}

type completer struct {
	*Snapshot
	ctx  context.Context
	c    *cursor
	list []Completion
	more bool
}

// word is the text before the cursor of what is being typed.
func (m *completer) word() string {
	t := m.c.tok
	if t.Start == t.End {
		return ""
	}
	from := t.Start + len(t.Quote)
	if m.c.off <= from {
		return ""
	}
	return m.c.text.S[from:min(m.c.off, t.End)]
}

// fits reports whether a label can be what is being typed: its letters occur in
// order, as clients filter. It keeps answers small.
func fits(label, word string) bool {
	label, word = strings.ToLower(label), strings.ToLower(word)
	for _, r := range word {
		i := strings.IndexRune(label, r)
		if i < 0 {
			return false
		}
		label = label[i+len(string(r)):]
	}
	return true
}

func (m *completer) add(c Completion, word string) {
	if !fits(c.Label, word) {
		return
	}
	if len(m.list) >= maxCompletions {
		m.more = true
		return
	}
	m.list = append(m.list, c)
}

// span is the range that a completion replaces, on one line.
func (m *completer) span() buffer.Span {
	t := m.c.tok
	if t.Start == t.End {
		p := m.c.text.Point(m.c.off)
		return buffer.Span{Start: p, End: p}
	}
	return m.c.span()
}

// header completes the name of a table.
func (m *completer) header(at []string) {
	if n := len(at); n > 0 {
		at = m.within(at)
	}
	k := schema.KeyAt(at, m.c.document)
	if k == nil {
		return
	}
	word := m.word()
	if k.Type == schema.Map {
		m.names(k, at, word, func(name string) string { return toml.QuoteKey(name) })
		return
	}
	for i := range k.Keys {
		sub := &k.Keys[i]
		table := sub.Type == schema.Table || sub.Type == schema.Map || sub.Type == schema.List && sub.Elem != nil && sub.Elem.Type == schema.Table
		if !table {
			continue
		}
		m.add(Completion{Label: sub.Name, Kind: CompleteTable, Doc: components.Describe(sub), Edit: buffer.Edit{Span: m.span(), New: sub.Name}}, word)
	}
}

// within gives the path of a header the elements of lists that it means.
func (m *completer) within(at []string) []string {
	if k := schema.KeyAt(at, m.c.document); k != nil && k.Type == schema.List {
		return append(slices.Clone(at), "[0]")
	}
	return at
}

// names completes the entries of a table with free names.
func (m *completer) names(k *schema.Key, at []string, word string, write func(string) string) {
	var names []string
	kind := CompleteName
	switch {
	case k.What == "component":
		names = m.Project.Names()
	case k.What == "component group":
		names = slices.Sorted(maps.Keys(m.Project.Groups))
	case k.What == "distro":
		names = slices.Sorted(maps.Keys(m.Project.Distros))
	case k.What == "distro version" && len(at) >= 2:
		if d := m.Project.Distros[at[1]]; d != nil {
			names = slices.Sorted(maps.Keys(d.Versions))
		}
	case k.What == "macro":
		names, kind = m.macroNames(), CompleteMacro
	case k.What == "package":
		if name, _ := component(at); name != "" {
			for _, p := range m.packages(name) {
				if p == "" {
					names = append(names, name)
				} else {
					names = append(names, name+"-"+p)
				}
			}
		}
	case k.What == "diagnostic code":
		for _, c := range m.opt.Codes {
			names = append(names, c.ID)
		}
	}
	there := m.c.keys(at)
	for _, n := range names {
		if m.c.tok.Kind == toml.TokenKey && there[n] {
			continue
		}
		m.add(Completion{Label: n, Kind: kind, Edit: buffer.Edit{Span: m.span(), New: write(n)}}, word)
	}
}

// key completes a key of a table.
func (m *completer) key(at []string) {
	word := m.word()
	assign := ""
	if rest := strings.TrimLeft(m.c.text.S[max(m.c.off, m.c.tok.End):], " \t"); !strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, ".") {
		assign = " = "
	}
	there := m.c.keys(at)
	if over := overlayPath(at); over != nil && len(over) == len(at) {
		m.overlayKeys(over, there, word, assign)
		return
	}
	k := schema.KeyAt(at, m.c.document)
	if k == nil {
		return
	}
	if k.Type == schema.Map {
		m.names(k, at, word, func(name string) string { return toml.QuoteKey(name) + assign })
		return
	}
	for i := range k.Keys {
		sub := &k.Keys[i]
		if there[sub.Name] {
			continue
		}
		m.add(Completion{Label: sub.Name, Kind: CompleteKey, Detail: sub.Help, Doc: components.Describe(sub), Edit: buffer.Edit{Span: m.span(), New: sub.Name + assign}}, word)
	}
}

// overlayKeys completes the keys that an overlay of its type takes.
func (m *completer) overlayKeys(over []string, there map[string]bool, word, assign string) {
	fields := m.c.fields(over)
	keys := overlay.Keys()
	if info := overlay.Lookup(overlay.Type(fields["type"].Text)); info != nil {
		keys = append(slices.Clone(info.Keys), overlay.CommonKeys...)
	}
	for _, k := range keys {
		if there[k.Name] {
			continue
		}
		doc := "**" + k.Name + "** _(" + string(k.Kind) + ")_\n\n" + k.Help + "\n"
		m.add(Completion{Label: k.Name, Kind: CompleteKey, Detail: k.Help, Doc: doc, Edit: buffer.Edit{Span: m.span(), New: k.Name + assign}}, word)
	}
}

// quote writes a value as a string.
func (m *completer) quote(text string) string {
	switch {
	case m.c.tok.Quote == "'" && !strings.Contains(text, "'"):
		return "'" + text + "'"
	case strings.ContainsAny(text, `"\`) && !strings.Contains(text, "'"):
		return "'" + text + "'"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// text offers a string as the value.
func (m *completer) text(label string, kind CompletionKind, detail, doc string) {
	m.add(Completion{Label: label, Kind: kind, Detail: detail, Doc: doc, Edit: buffer.Edit{Span: m.span(), New: m.quote(label)}}, m.word())
}

// value completes a value.
func (m *completer) value() {
	t := m.c.tok
	if strings.Contains(t.Quote, `"""`) || strings.Contains(t.Quote, "'''") {
		m.macros()
		return
	}
	if last := t.Path[max(len(t.Path)-1, 0):]; len(last) > 0 && last[0] != "section" && last[0] != "tag" && last[0] != "type" && m.macros() {
		return
	}
	if over := overlayPath(t.Path); over != nil && len(t.Path) > len(over) {
		if m.overlayValue(over, t.Path[len(over)]) {
			return
		}
	}
	last, parent := lastTwo(t.Path)
	if !m.nameValue(t.Path, parent, last) {
		m.schemaValue(t.Path, parent)
	}
}

// lastTwo returns the last key of a path and the one above it, "" for none.
func lastTwo(p []string) (last, parent string) {
	if len(p) > 0 {
		last = p[len(p)-1]
	}
	if len(p) > 1 {
		parent = p[len(p)-2]
	}
	return last, parent
}

// nameValue completes a value that is the name of something. It is false for
// keys with other values.
func (m *completer) nameValue(p []string, parent, last string) bool {
	ofDistro := parent == "default-distro" || parent == "upstream-distro"
	switch {
	case len(p) == 4 && p[0] == "component-groups" && p[2] == "components",
		parent == "retire-with" && last == "component":
		for _, n := range m.Project.Names() {
			m.text(n, CompleteName, "component", "")
		}
	case ofDistro && last == "name":
		for _, n := range slices.Sorted(maps.Keys(m.Project.Distros)) {
			m.text(n, CompleteName, "distribution", m.Project.Distros[n].Description)
		}
	case ofDistro && last == "version":
		m.versions(m.c.fields(p[:len(p)-1])["name"].Text)
	case len(p) == 3 && p[0] == "distros" && last == "default-version":
		m.versions(p[1])
	case parent == "with" || parent == "without":
		if name, _ := component(p); name != "" {
			for _, b := range m.bconds(name) {
				m.text(b, CompleteName, "build conditional of the spec", "")
			}
		}
	case parent == "undefines":
		m.defines(p)
	case parent == "spec" && last == "template":
		m.templates()
	default:
		return false
	}
	return true
}

// versions offers the versions of a distribution, "" for the project's.
func (m *completer) versions(name string) {
	if name == "" {
		name = m.Project.DefaultDistro.Name
	}
	if d := m.Project.Distros[name]; d != nil {
		for _, v := range slices.Sorted(maps.Keys(d.Versions)) {
			m.text(v, CompleteName, "version of "+name, d.Versions[v].Description)
		}
	}
}

// defines offers the macros that the component of a path defines.
func (m *completer) defines(p []string) {
	name, _ := component(p)
	if name == "" {
		return
	}
	if comp, _ := m.Project.Component(name); comp != nil {
		for _, n := range slices.Sorted(maps.Keys(comp.Build.Defines)) {
			m.text(n, CompleteMacro, "defined by the configuration", "")
		}
	}
}

// schemaValue completes a value by what the table of keys says of it.
func (m *completer) schemaValue(p []string, parent string) {
	k := schema.KeyAt(p, m.c.document)
	if k == nil {
		return
	}
	up := schema.KeyAt(p[:len(p)-1], m.c.document)
	switch {
	case len(k.Enum) > 0:
		for _, c := range k.Enum {
			if c.Value != "" {
				m.text(c.Value, CompleteValue, "", c.Help)
			}
		}
	case k.Type == schema.Bool:
		for _, v := range []string{"true", "false"} {
			m.add(Completion{Label: v, Kind: CompleteValue, Edit: buffer.Edit{Span: m.span(), New: v}}, m.word())
		}
	case k.Path, parent == "includes", parent == "overlay-files", up != nil && up.Path:
		m.files()
	}
}

// overlayValue completes a value of an overlay. It is false for keys that no
// overlay has.
func (m *completer) overlayValue(over []string, key string) bool {
	fields := m.c.fields(over)
	info := overlay.Lookup(overlay.Type(fields["type"].Text))
	switch key {
	case "type":
		for i := range overlay.Ops {
			o := &overlay.Ops[i]
			m.text(string(o.Type), CompleteValue, o.Help, "")
		}
	case "tag":
		m.tags(fields["package"].Text)
	case "section":
		m.sections(info, fields["package"].Text)
	case "package":
		for _, p := range m.packagesHere() {
			if p != "" {
				m.text(p, CompleteName, "sub-package", "")
			}
		}
	case "value":
		for _, v := range m.tagValues(fields["tag"].Text, fields["package"].Text) {
			m.text(v, CompleteValue, "value of the tag upstream", "")
		}
	case "file":
		if tree := m.tree(); tree != nil {
			for _, f := range slices.Sorted(maps.Keys(tree.Files)) {
				m.text(f, CompleteFile, "file of the packaging", "")
			}
		}
	case "source":
		m.files()
	case "archive":
		if name, _ := component(m.c.tok.Path); name != "" {
			if comp, _ := m.Project.Component(name); comp != nil {
				for _, f := range comp.SourceFiles {
					m.text(f.Filename, CompleteFile, "source file", "")
				}
			}
		}
	case "mode":
		m.text("0644", CompleteValue, "", "")
		m.text("0755", CompleteValue, "", "")
	case "branch":
		m.text("first", CompleteValue, "", "")
		m.text("all", CompleteValue, "", "")
	case "replacement-groups", "multiline":
		for _, v := range []string{"true", "false"} {
			m.add(Completion{Label: v, Kind: CompleteValue, Edit: buffer.Edit{Span: m.span(), New: v}}, m.word())
		}
	case "metadata":
		return false
	}
	return true
}

// here returns a component that the cursor is about, "" for none.
func (m *completer) here() string {
	if name, _ := component(m.c.tok.Path); name != "" {
		return name
	}
	if g := group(m.c.tok.Path); g != "" {
		if names, _ := m.Project.Select(components.Selector{Groups: []string{g}}); len(names) > 0 {
			return names[0]
		}
	}
	if names := m.ComponentsOf(m.c.path); len(names) > 0 {
		return names[0]
	}
	// A document that is broken at the moment has the component beside it.
	for _, name := range m.Project.Names() {
		if comp, _ := m.Project.Component(name); comp != nil && comp.Dir == filepath.Dir(filepath.Dir(m.c.path)) {
			return name
		}
	}
	return ""
}

// tree is the packaging upstream, nil when it is not in the mirror.
func (m *completer) tree() *overlay.Tree { return m.upstream(m.ctx, m.here()) }

func (m *completer) packagesHere() []string { return m.packages(m.here()) }

// packages returns the packages that the sections of a spec name, "" for the
// main one.
func (m *completer) packages(name string) []string {
	tree := m.upstream(m.ctx, name)
	if tree == nil {
		return nil
	}
	var list []string
	for _, sec := range tree.Spec.Sections() {
		if !slices.Contains(list, sec.Package) {
			list = append(list, sec.Package)
		}
	}
	return list
}

// tags completes the tags that the spec has in a package, and below them the
// others that rpm knows.
func (m *completer) tags(pkg string) {
	tree := m.tree()
	if tree == nil {
		for _, n := range knownTags {
			m.text(n, CompleteTag, "", "")
		}
		return
	}
	seen := map[string]bool{}
	secs := tree.Spec.Sections()
	for t := range tree.Spec.Tags() {
		if secs[t.Section].Package == pkg && !seen[strings.ToLower(t.Name)] {
			seen[strings.ToLower(t.Name)] = true
			m.text(t.Name, CompleteTag, t.Value, "")
		}
	}
}

func (m *completer) tagValues(tag, pkg string) []string {
	tree := m.tree()
	if tree == nil || tag == "" {
		return nil
	}
	var list []string
	secs := tree.Spec.Sections()
	for t := range tree.Spec.Tags() {
		if secs[t.Section].Package == pkg && strings.EqualFold(t.Name, tag) && !slices.Contains(list, t.Value) {
			list = append(list, t.Value)
		}
	}
	return list
}

// sections completes the sections that the spec has, those of a package when
// one is given.
func (m *completer) sections(info *overlay.OpInfo, pkg string) {
	tree := m.tree()
	if tree == nil {
		for _, n := range knownSections {
			m.text(n, CompleteSection, "", "")
		}
		return
	}
	seen := map[string]bool{}
	offer := func(name, detail string) {
		if name != "" && !seen[name] {
			seen[name] = true
			m.text(name, CompleteSection, detail, "")
		}
	}
	for _, sec := range tree.Spec.Sections() {
		if pkg != "" && sec.Package != pkg {
			continue
		}
		if sec.Kind == spec.PackageSection && sec.Name == "" {
			if info != nil && info.Type != overlay.RemoveSection {
				offer(overlay.PreambleSection, "the preamble")
			}
			continue
		}
		offer(sec.Name, sec.Package)
	}
}

// files completes paths relative to the directory of the file.
func (m *completer) files() {
	word := m.word()
	sub := ""
	if i := strings.LastIndexByte(word, '/'); i >= 0 {
		sub = word[:i+1]
	}
	if filepath.IsAbs(sub) {
		return
	}
	entries, err := os.ReadDir(filepath.Join(filepath.Dir(m.c.path), filepath.FromSlash(sub)))
	if err != nil {
		return
	}
	for _, e := range entries {
		name := sub + e.Name()
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if e.IsDir() {
			name += "/"
		}
		m.text(name, CompleteFile, "", "")
	}
}

// templates completes the names of templates.
func (m *completer) templates() {
	set, _ := render.Templates(m.Project, m.unsaved)
	list := set.List()
	for _, builtin := range []bool{false, true} { // the project's own first
		for i := range list {
			if t := &list[i]; t.Builtin == builtin {
				detail := "template of the project"
				if builtin {
					detail = "template"
				}
				m.text(t.Name, CompleteName, detail, t.Summary)
			}
		}
	}
}

// macros completes the name of a macro behind a percent sign. It is false when
// the cursor is not there.
func (m *completer) macros() bool {
	t := m.c.tok
	if t.Kind != toml.TokenValue || t.Start == t.End || overlayPath(t.Path) == nil && !slices.Contains(t.Path, "defines") && !slices.Contains(t.Path, "template") {
		return false
	}
	line := m.c.text.Point(m.c.off)
	before := m.c.text.Line(line.Line)[:line.Col]
	start, ok := macroStart(before)
	if !ok {
		return false
	}
	span := buffer.Span{Start: buffer.Point{Line: line.Line, Col: start}, End: line}
	word := before[start:]
	for _, n := range m.macroNames() {
		m.add(Completion{Label: n, Kind: CompleteMacro, Edit: buffer.Edit{Span: span, New: n}}, word)
	}
	return true
}

// macroStart finds the name of a macro that a line ends in.
func macroStart(line string) (int, bool) {
	i := len(line)
	for i > 0 && (line[i-1] == '_' || line[i-1] >= '0' && line[i-1] <= '9' || line[i-1]|0x20 >= 'a' && line[i-1]|0x20 <= 'z') {
		i--
	}
	at := i
	for i > 0 && (line[i-1] == '?' || line[i-1] == '!') {
		i--
	}
	if i > 0 && line[i-1] == '{' {
		i--
	}
	if i == 0 || line[i-1] != '%' || i > 1 && line[i-2] == '%' {
		return 0, false
	}
	return at, true
}
