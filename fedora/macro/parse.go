package macro

import (
	"cmp"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
)

// specState is the spec that is being evaluated.
type specState struct {
	e    *Evaluator
	r    *reader
	spec *Spec

	pkg    int    // index of the package the preamble lines belong to, -1 when it is not known
	sect   string // present section without the percent sign, "" in a preamble
	text   *strings.Builder
	cur    int // index of the present entry in spec.Sections, -1 for none
	states []parsePoint

	nextSource, nextPatch int
	numbered              map[string]int            // index of SOURCEn and PATCHn in its list
	seen                  map[string]token.Position // sections by name and package
	packages              packageIndex
	checkedMain           bool
	buildArch             string // BuildArch of the main package
	again                 bool   // the spec must be read once more for it
	changelog             changelogReader
	hidden                token.Position         // of the first of the comments right above in a description
	changelogPos          token.Position         // of the present entry
	applied               map[int]token.Position // patches that %prep has applied so far
}

// A parsePoint is what a branch of an unknown condition must give back.
type parsePoint struct {
	pkg  int
	sect string
	cur  int
	next [2]int
}

// Eval evaluates the text of a spec file. The name is used for positions only.
// It never panics, never executes anything and ends within the budget;
// whatever is wrong with the text is in Spec.Problems.
//
// When the main package has a BuildArch, rpm stops there and reads the spec again
// from the start with that architecture as the target. What was defined up to
// that line stays defined, which specs rely on, and so is done here.
func Eval(name string, text []byte, cfg Config) *Spec {
	e := New(cfg)
	e.recording = true
	src := clean(string(text))
	st := e.readSpec(name, src)
	if st.again {
		e.target = st.buildArch
		e.defs, e.bconds = nil, nil
		st = e.readSpec(name, src)
	}
	st.finish()
	st.spec.Stopped = e.tank.Stopped()
	st.spec.reads = readsOf{arch: cmp.Or(cfg.Arch, "x86_64"), macros: e.table.read, asked: e.asked}
	return st.spec
}

// Probe evaluates a spec the way rpmautospec looks at a commit: the text up to
// the line that is %prep alone, and if rpm would reject that, the whole text.
func Probe(name string, text []byte, cfg Config) *Spec {
	cfg.AutoreleaseProbe = true
	if i := prepLine(text); i >= 0 {
		if s := Eval(name, text[:i], cfg); s.Rejected() == nil || s.Stopped {
			return s
		}
	}
	return Eval(name, text, cfg)
}

// prepLine returns the offset of the first line that is %prep and nothing else.
func prepLine(text []byte) int {
	off := 0
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) == "%prep" {
			return off
		}
		off += len(line)
	}
	return -1
}

// readSpec reads the spec once.
func (e *Evaluator) readSpec(name, src string) *specState {
	st := &specState{e: e, spec: &Spec{}, cur: -1, seen: map[string]token.Position{}, numbered: map[string]int{}, packages: newPackageIndex()}
	e.spec = st
	st.changelog.st = st
	st.spec.Packages = []Package{{Pos: token.Position{Filename: name, Line: 1, Column: 1}}}
	r := &reader{e: e, onCond: st.onCond, strip: stripBlanks | stripComments}
	st.r = r
	if e.recording {
		r.onBranch = func(b Branch) { st.spec.Branches = append(st.spec.Branches, b) }
	}
	if e.cfg.Lines {
		r.out = &strings.Builder{}
	}
	st.conflicts(name, src)
	r.push(name, src)
	for !st.again {
		line, ok := r.next()
		if !ok {
			break
		}
		st.line(line)
	}
	if !st.again {
		st.buildSystem()
	}
	st.endSection()
	if st.again {
		r.abandon()
	}
	return st
}

// conflicts reports lines left behind by a merge.
func (st *specState) conflicts(name, src string) {
	if !strings.Contains(src, "\n<<<<<<< ") && !strings.HasPrefix(src, "<<<<<<< ") {
		return
	}
	n := 0
	for line := range strings.Lines(src) {
		n++
		if strings.HasPrefix(line, "<<<<<<< ") {
			st.e.pos = token.Position{Filename: name, Line: n, Column: 1}
			st.e.warn("macro/syntax", "the line looks like an unresolved merge conflict")
			return
		}
	}
}

func (st *specState) onCond(begin bool) {
	if begin {
		st.states = append(st.states, parsePoint{st.pkg, st.sect, st.cur, [2]int{st.nextSource, st.nextPatch}})
		return
	}
	p := st.states[len(st.states)-1]
	st.states = st.states[:len(st.states)-1]
	if p.pkg != st.pkg || p.sect != st.sect || p.cur != st.cur {
		// A section header stands in the branch: the lines behind the
		// condition belong to it, if it is there.
		return
	}
}

// line takes one line of the expanded spec.
func (st *specState) line(line string) {
	if st.sect != "" && st.sect != "changelog" && line != "" && line[0] == mark {
		// Unknown text that stands alone may be any number of lines, and begin
		// sections and packages. What goes on with a word is a part of it.
		if rest := line[len(taint(line)):]; rest == "" || rest[0] == ' ' || rest[0] == '\t' {
			st.e.openEnded(line)
		}
	}
	if name, kind, rest, ok := sectionHeader(line); ok && !st.e.tooNew(newSections[name]) {
		st.header(name, kind, rest)
		return
	}
	switch {
	case st.sect == "":
		st.preamble(line)
	case st.sect == "sourcelist" || st.sect == "patchlist":
		st.listLine(line)
	case st.sect == "end":
		if s := strings.TrimSpace(line); s != "" && st.e.maybe == 0 && !hasUnknown(s) {
			st.e.problem("macro/section", "the line belongs to no section: %q", excerpt(s))
		}
	case st.text != nil:
		switch st.sect {
		case "prep":
			line = st.numberedPatch(line)
			st.changesDirectory(line)
		case "changelog":
			st.changelog.line(line)
		case "description":
			st.described(line)
		}
		if st.text.Len() < maxIncluded {
			st.text.WriteString(line)
			if st.r.eol {
				st.text.WriteByte('\n')
			}
		}
	}
}

// described looks for lines of a description that rpm takes for comments, in the
// midst of its text. In front of the next section they are meant as such.
func (st *specState) described(line string) {
	switch {
	case st.r.comment:
		if !st.hidden.IsValid() {
			st.hidden = st.e.pos
		}
	case strings.TrimSpace(line) == "":
		st.hidden = token.Position{}
	default:
		if st.hidden.IsValid() && st.e.maybe == 0 && !hasUnknown(line) {
			pos := st.e.pos
			st.e.pos = st.hidden
			st.e.warn("macro/description", "the line begins with #: rpm leaves an empty line of it in the description").Hint = "begin it with another character, or remove it"
			st.e.pos = pos
		}
		st.hidden = token.Position{}
	}
}

func (st *specState) endSection() {
	st.hidden = token.Position{}
	if st.sect == "files" {
		st.e.table.pop("license")
	}
	switch st.sect {
	case "prep":
		st.leavePrep()
	case "changelog":
		st.changelog.end()
	}
	if st.text != nil && st.cur >= 0 {
		s := &st.spec.Sections[st.cur]
		s.Text = st.e.value(st.text.String(), s.Pos)
	}
	st.text, st.cur = nil, -1
	if st.sect == "" && st.pkg == 0 && !st.checkedMain && !st.again {
		st.checkedMain = true
		st.checkMain()
		st.endMain()
	}
}

// macroTags are the tags that rpm takes from the macro of the same name in lower
// case when the preamble of the main package has none.
var macroTags = []string{"Vendor", "Packager", "Distribution", "DistURL", "DistTag", "BugURL"}

// endMain does what rpm does once at the end of the main package's preamble:
// the build root gets its final name, from the name and version that the main
// package has now, and tags are taken from macros.
func (st *specState) endMain() {
	e := st.e
	if e.table.lookup("buildroot") != nil {
		read := e.table.read
		e.table.push(&def{name: "buildroot", body: e.top("%{buildroot}"), pos: e.pos})
		e.table.read = read // see SameFor
	}
	main := &st.spec.Packages[0]
	for _, name := range macroTags {
		d := e.table.lookup(strings.ToLower(name))
		if d == nil || slices.ContainsFunc(main.Tags, func(t Tag) bool { return t.Name == name }) {
			continue
		}
		pos := d.pos
		if pos.Line == 0 {
			pos = main.Pos
		}
		if v := e.top("%{" + d.name + "}"); v != "" {
			main.Tags = append(main.Tags, Tag{Name: name, Value: e.value(v, pos), raw: v, Pos: pos})
		}
	}
}

const maxPackages = 50_000

// preamble takes a line of a preamble.
func (st *specState) preamble(line string) {
	e := st.e
	s := strings.TrimRight(line, " \t\r\n\f\v")
	t := strings.TrimLeft(s, " \t")
	if t == "" || t[0] == '#' {
		return
	}
	p, ok := parseTag(s)
	if !ok || e.tooNew(newTags[p.tag.name]) {
		if hasUnknown(t) {
			e.openEnded(t)
			return
		}
		st.unknownTag(s, t)
		return
	}
	st.tag(p)
}

func (st *specState) unknownTag(s, t string) {
	e := st.e
	if e.maybe > 0 {
		// A branch that may not be there cannot make rpm reject the spec for sure.
		return
	}
	word, _ := splitWord(t)
	name := strings.TrimRight(word, ":")
	if i := strings.IndexAny(name, "(0123456789"); i > 0 && t[0] != '%' {
		name = name[:i]
	}
	d := e.problem("macro/tag", "%q is not a tag that rpm knows", excerpt(t))
	switch {
	case t[0] == '%':
		m := strings.Trim(strings.TrimPrefix(word, "%"), "{}?!")
		if i := strings.IndexAny(m, ":} "); i >= 0 {
			m = m[:i]
		}
		d.Message = "%" + m + " is not a macro of this set, and the line is no tag"
		d.Hint = "import the macro package that defines it, or define the macro with --define"
	case s != t:
		d.Hint = "a tag must stand at the very start of the line"
	default:
		names := make([]string, len(tagTable))
		for i := range tagTable {
			names[i] = tagTable[i].name
		}
		if n := diag.Nearest(name, names); n != "" {
			d.Hint = "did you mean " + n + "?"
		}
	}
}

// tag takes one tag.
func (st *specState) tag(p preambleLine) {
	e := st.e
	t := p.tag
	if p.value == "" {
		if e.maybe == 0 {
			e.problem("macro/bad-value", "the tag %s is empty", t.name)
		}
		return
	}
	if t.kind == kindSource || t.kind == kindPatch {
		st.addSource(p.value, p.number, t.kind == kindPatch)
		return
	}
	idx := st.pkg
	if t.main {
		idx = 0
	}
	if idx < 0 {
		return
	}
	pkg := &st.spec.Packages[idx]
	if e.maybe == 0 {
		st.checkValue(p)
	}
	if t.single && p.arg == "" && e.maybe == 0 {
		st.tagOnce(t, idx)
	}
	if len(pkg.Tags) >= maxDefinitions {
		return
	}
	if _, there := st.packages.main[t.name]; idx == 0 && p.arg == "" && !there {
		st.packages.main[t.name] = len(pkg.Tags)
	}
	pkg.Tags = append(pkg.Tags, Tag{Name: t.name, Arg: plain(p.arg), Value: e.value(p.value, e.pos), raw: p.value, Pos: e.pos, Maybe: e.maybe > 0, cond: e.condition()})
	if t.macro != "" && p.arg == "" {
		e.table.push(&def{name: t.macro, body: p.value, pos: e.pos})
		e.table.push(&def{name: strings.ToUpper(t.macro), body: p.value, pos: e.pos})
	}
	switch {
	case e.maybe > 0:
	case idx > 0:
		st.subTag(p)
	case st.buildArch == "" && (t.name == "BuildArch" || t.name == "BuildArchitectures") && !hasUnknown(p.value):
		if archs := strings.FieldsFunc(p.value, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }); len(archs) > 0 {
			st.buildArch = archs[0]
			st.again = e.target == ""
		}
	}
}

// tagOnce reports a tag that may stand once in a package and was there before.
func (st *specState) tagOnce(t *tagInfo, idx int) {
	e := st.e
	key := packageTag{idx, t.name}
	if t.kind == kindArch && !t.main {
		key.name = "BuildArch" // in both spellings
	}
	first, there := st.packages.tags[key]
	if !there {
		st.packages.tags[key] = e.pos
		return
	}
	d := e.problem("macro/duplicate-tag", "the tag %s stands twice in one package", t.name)
	if t.arg == argLang {
		d.Severity = diag.Warning // rpm takes the last one
	}
	d.Related = append(d.Related, diag.Related{Pos: first, Message: "the first one is here"})
}

// subTag reports what a sub-package cannot say of itself.
func (st *specState) subTag(p preambleLine) {
	if p.tag.name == "Name" {
		st.e.problem("macro/duplicate-tag", "a sub-package has its name from its %%package line")
	}
	if p.tag.kind == kindArch && p.value != "noarch" && !hasUnknown(p.value) {
		st.e.problem("macro/bad-value", "the BuildArch of a sub-package can be noarch only, not %q", excerpt(p.value))
	}
}

// badChar returns the index of the first byte that is neither a letter, a
// digit nor in more, or -1.
func badChar(s, more string) int {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') && strings.IndexByte(more, c) < 0 {
			return i
		}
	}
	return -1
}

// addSource adds a Source or Patch. Without a number it gets the one behind
// the last.
func (st *specState) addSource(value, number string, patch bool) {
	e := st.e
	list, next, word := &st.spec.Sources, &st.nextSource, "SOURCE"
	if patch {
		list, next, word = &st.spec.Patches, &st.nextPatch, "PATCH"
	}
	n := *next
	if number != "" {
		var err error
		if n, err = strconv.Atoi(number); err != nil || n > 1<<31-1 {
			e.problem("macro/bad-value", "the number %s is too large", excerpt(number))
			return
		}
	}
	*next = n + 1
	num := strconv.Itoa(n)
	before, there := st.numbered[word+num]
	if there && e.maybe == 0 && !(*list)[before].Maybe {
		d := e.problem("macro/duplicate-tag", "%s%d stands twice", strings.ToLower(word), n)
		d.Related = append(d.Related, diag.Related{Pos: (*list)[before].Pos, Message: "the first one is here"})
	}
	if len(*list) >= maxPackages {
		e.stop("more than %d sources", maxPackages)
		return
	}
	name := sourceName(value)
	if name == "" && e.maybe == 0 {
		d := e.warn("macro/no-name", "%s %d ends in %q and has no file name", strings.ToLower(word), n, value[len(value)-1:])
		d.Hint = "append #/NAME to the address for the file to have a name"
	}
	src := Source{Number: n, Value: e.value(value, e.pos), Pos: e.pos, Maybe: e.maybe > 0, raw: value, cond: e.condition()}
	if !hasUnknown(name) {
		src.Name = name
	}
	if !there || (*list)[before].Maybe {
		st.numbered[word+num] = len(*list)
	}
	*list = append(*list, src)
	e.table.push(&def{name: word + num, body: sourceDir + "/" + name, pos: e.pos})
	e.table.push(&def{name: word + "URL" + num, body: value, pos: e.pos})
}

// sourceName returns the name of the file that a Source or Patch means: what
// stands behind the last slash, and there behind the last equals sign, as rpm has
// it (newSource in parsePreamble.c).
func sourceName(value string) string {
	i := strings.LastIndexByte(value, '/')
	if i < 0 {
		return value
	}
	name := value[i+1:]
	return name[strings.LastIndexByte(name, '=')+1:]
}

// listLine takes a line of %sourcelist or %patchlist. rpm takes a comment that
// begins the line off, and blanks at its end; those in front belong to the name.
func (st *specState) listLine(line string) {
	s := strings.TrimRight(line, " \t\r\n\f\v")
	text := strings.TrimLeft(s, " \t")
	if text == "" || text[0] == '#' {
		return
	}
	if s != text && !hasUnknown(s[:len(s)-len(text)]) && st.e.maybe == 0 {
		d := st.e.warn("macro/indented-list", "the line of %%%s is indented: to rpm the blanks are part of the file's name", st.sect)
		d.Hint = "begin the line with the name"
	}
	st.addSource(s, "", st.sect == "patchlist")
}

// openSection is the field of unknown text in a section: it may begin others.
const openSection = "sections"

// openEnded notes that at the present position text stands that is not known
// and may hold anything: tags, sources, packages.
func (e *Evaluator) openEnded(text string) {
	st := e.spec
	if st == nil || len(st.spec.Open) >= maxProblems {
		return
	}
	field := "preamble"
	if st.sect != "" {
		field = openSection
	}
	c := e.cause(text)
	st.spec.Open = append(st.spec.Open, Unknown{Field: field, Reason: c.reason, Pos: e.pos})
}

// checkMain reports what the main package lacks.
func (st *specState) checkMain() {
	e := st.e
	if len(st.spec.Open) > 0 {
		return // the unknown text may have it
	}
	for _, name := range []string{"Name", "Version", "Release", "Summary", "License"} {
		if !slices.ContainsFunc(st.spec.Packages[0].Tags, func(t Tag) bool { return t.Name == name }) {
			d := e.problem("macro/missing-tag", missingTag, name)
			d.Pos = st.spec.Packages[0].Pos
		}
	}
}

// finish fills the summary fields of the Spec.
func (st *specState) finish() {
	e, s := st.e, st.spec
	if !st.checkedMain {
		st.checkedMain = true
		st.checkMain()
	}
	s.Name = st.field("Name")
	s.Epoch = st.field("Epoch")
	s.Version = st.field("Version")
	s.Release = st.field("Release")
	main := &s.Packages[0]
	main.Name = s.Name
	if s.Name.Set {
		main.Pos = s.Name.Pos
	}
	if len(s.Open) == 0 && !e.spent {
		for i := range s.Packages {
			p := &s.Packages[i]
			if i > 0 && !p.Maybe && !slices.ContainsFunc(p.Tags, func(t Tag) bool { return t.Name == "Summary" }) {
				d := e.problem("macro/missing-tag", missingTag+" in package %q", "Summary", excerpt(p.raw))
				d.Pos = p.Pos
			}
		}
	}
	if len(s.Open) == 0 && !e.spent && !e.problems.HasErrors() { // rpm finds this last
		for i := range s.Packages {
			if p := &s.Packages[i]; !p.Maybe && !p.described {
				d := e.problem("macro/section", "%%description is missing for package %q", excerpt(cmp.Or(p.raw, st.mainName())))
				d.Pos = p.Pos
			}
		}
	}
	if !st.e.before("4.20") { // to an older rpm, a name is what it is at its line
		st.finalNames(s.Sources)
		st.finalNames(s.Patches)
	}
	st.collectUnknown()
	for _, text := range e.cfg.After {
		s.After = append(s.After, e.Expand(token.Position{}, text))
	}
	if st.r.out != nil {
		s.Expanded = e.value(st.r.out.String(), token.Position{})
	}
	s.Bconds, s.Macros = e.bconds, e.defs
	s.Problems = e.problems
	s.Problems.Sort()
}

// finalNames expands sources once more that name a macro which the spec defines
// only behind them: that is the name the file has in the end.
func (st *specState) finalNames(list []Source) {
	for i := range list {
		src := &list[i]
		if !strings.Contains(src.raw, "%") {
			continue
		}
		st.e.pos = src.Pos
		text := st.e.top(src.raw)
		name := sourceName(text)
		src.Value = st.e.value(text, src.Pos)
		src.Name = ""
		if !hasUnknown(name) {
			src.Name = name
		}
	}
}

// collectUnknown lists everything that is not known, field by field.
func (st *specState) collectUnknown() {
	s := st.spec
	add := func(field string, v Value) {
		if v.Set && !v.Known {
			s.Unknown = append(s.Unknown, Unknown{Field: field, Reason: v.Reason, Pos: v.Pos})
		}
	}
	maybe := func(field string, maybe bool, cond string, pos token.Position) {
		if maybe {
			s.Unknown = append(s.Unknown, Unknown{Field: field, Reason: "whether it is there: " + st.e.cause(cond).reason, Pos: pos})
		}
	}
	add("name", s.Name)
	add("epoch", s.Epoch)
	add("version", s.Version)
	add("release", s.Release)
	for i := range s.Packages {
		p := &s.Packages[i]
		field := "packages[" + strconv.Itoa(i) + "]"
		if i > 0 {
			add(field+".name", p.Name)
			maybe(field, p.Maybe, p.cond, p.Pos)
		}
		for k := range p.Tags {
			t := &p.Tags[k]
			if t.Value.Known && !t.Maybe {
				continue
			}
			if i == 0 && (t.Name == "Name" || t.Name == "Version" || t.Name == "Release" || t.Name == "Epoch") {
				continue
			}
			add(field+"."+strings.ToLower(t.Name), t.Value)
			if !p.Maybe {
				maybe(field+"."+strings.ToLower(t.Name), t.Maybe, t.cond, t.Pos)
			}
		}
	}
	for i := range s.Sources {
		if s.Sources[i].Value.Known && !s.Sources[i].Maybe {
			continue
		}
		add("sources["+strconv.Itoa(i)+"]", s.Sources[i].Value)
		maybe("sources["+strconv.Itoa(i)+"]", s.Sources[i].Maybe, s.Sources[i].cond, s.Sources[i].Pos)
	}
	for i := range s.Patches {
		if s.Patches[i].Value.Known && !s.Patches[i].Maybe {
			continue
		}
		add("patches["+strconv.Itoa(i)+"]", s.Patches[i].Value)
		maybe("patches["+strconv.Itoa(i)+"]", s.Patches[i].Maybe, s.Patches[i].cond, s.Patches[i].Pos)
	}
	for i := range s.Bconds {
		add("bconds["+strconv.Itoa(i)+"]", s.Bconds[i].Value)
	}
	s.Unknown = append(s.Unknown, s.Open...)
}
