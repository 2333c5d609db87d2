package overlay

import (
	"fmt"
	"go/token"
	"slices"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// A linter takes the second look: after each operation it holds what the
// operation did, line by line, against the structural view of the spec before
// and after. The compatible view decided where the lines went; where rpm would
// see the place differently, or where the result is rarely what was meant, it
// says so. Steps of the renderer are not looked at.
type linter struct {
	file   *spec.File
	opt    *Options
	list   *diag.List
	before *spec.Structure
	blame  unbalanced
	ops    []*Op // looked at, for the checks at the end
	origin []*spec.Origin
	lost   []lostLine // lines that operations removed, and changed ones as they were

	tree    *Tree
	entries []listed // sources and patches, once an operation touched one
	numbers []lostNumber
	shifted []shift
}

// A lostLine is a line that an operation removed or changed, as it was.
type lostLine struct {
	line spec.Line
	op   *Op
}

// unbalanced remembers the operation that left a conditional open, until
// another one closes it.
type unbalanced struct {
	op   *Op
	line int
	text string
	pos  token.Position
}

func newLinter(t *Tree, opt *Options, list *diag.List) *linter {
	return &linter{file: t.Spec, tree: t, opt: opt, list: list}
}

// prepare is called before an operation that will be looked at.
func (l *linter) prepare() {
	if l.before == nil {
		l.before = l.file.Structure()
	}
}

// skip is called after an operation that is not looked at.
func (l *linter) skip() { l.before = nil }

// look is called after an operation, when the lines are classified again.
func (l *linter) look(op *Op, rep *OpReport) {
	log := l.file.Log()[rep.From:rep.To]
	l.ops, l.origin = append(l.ops, op), append(l.origin, rep.Origin)
	l.groups(op)
	if len(log) == 0 {
		if rep.Places > 0 && len(rep.Files) == 0 && !rep.Skipped {
			l.noEffect(op)
		}
		return
	}
	c := &checkup{linter: l, op: op, rep: rep, after: l.file.Structure(), log: log}
	c.trace()
	if !c.effect {
		l.noEffect(op)
	}
	c.balance()
	c.blocks()
	c.views()
	c.twoPackages()
	c.tags()
	c.places()
	c.numbering()
	c.meaning()
	l.before = c.after
}

func (l *linter) noEffect(op *Op) {
	l.report(diag.Diagnostic{
		Pos: op.Pos, Code: "overlay/no-effect",
		Message: fmt.Sprintf("%s changes nothing: the spec already says so", op.Name()),
		Hint:    "remove the overlay if upstream has caught up with it",
	})
}

// report adds a diagnostic with the default severity of its code.
func (l *linter) report(d diag.Diagnostic) {
	d.Severity = diag.Warning
	if i := slices.IndexFunc(LintCodes, func(c diag.Code) bool { return c.ID == d.Code }); i >= 0 {
		d.Severity = LintCodes[i].Default
	}
	*l.list = append(*l.list, d)
}

// Adjust gives warnings and notes the severity that levels want for their
// code. A key of levels is a code, or a group of codes such as "overlay/",
// which counts for those that have no key of their own, or "all" for what is
// left. Errors stay errors; a note is no warning, and goes up by its own code
// only.
func Adjust(list diag.List, levels map[string]Level) diag.List {
	if len(levels) == 0 {
		return list
	}
	out := list[:0]
	for _, d := range list {
		if d.Severity != diag.Error {
			level, own := levels[d.Code]
			ok := own
			if !ok {
				level, ok = levels[d.Code[:strings.IndexByte(d.Code, '/')+1]]
			}
			if !ok {
				level = levels["all"]
			}
			if d.Severity == diag.Note && !own && level != LevelOff {
				level = LevelNote
			}
			switch level {
			case LevelOff:
				continue
			case LevelNote:
				d.Severity = diag.Note
			case LevelWarning:
				d.Severity = diag.Warning
			case LevelError:
				d.Severity = diag.Error
			}
		}
		out = append(out, d)
	}
	return out
}

// A checkup is the second look at one operation.
type checkup struct {
	*linter
	op     *Op
	rep    *OpReport
	after  *spec.Structure
	log    []spec.Edit
	lines  []traced
	gone   []int             // indexes before the operation of lines that are gone, ascending
	former map[int]spec.Line // changed and gone lines as they were, by that index
	effect bool              // some byte is different
}

// traced says for a line as it stands now what the operation did to it.
type traced struct {
	was  int32 // index before the operation, -1 for a new line
	mark mark
}

type mark uint8

const (
	kept mark = iota
	changed
	added
)

// trace follows the edits of the operation and finds what became of each line.
func (c *checkup) trace() {
	n := c.file.Len()
	for _, e := range c.log {
		n += len(e.Old) - len(e.New)
	}
	c.lines = make([]traced, n, max(n, c.file.Len())+8)
	for i := range c.lines {
		c.lines[i].was = int32(i)
	}
	c.former = map[int]spec.Line{}
	c.lines = spec.Replay(c.lines, c.log, func(e *spec.Edit, old []traced) []traced {
		both := min(len(e.Old), len(e.New))
		lines := append(make([]traced, 0, len(e.New)), old[:both]...)
		for k := range lines {
			if e.Old[k].Text == e.New[k].Text || e.Split {
				continue
			}
			c.effect = true
			if t := &lines[k]; t.mark == kept {
				t.mark = changed
				c.former[int(t.was)] = e.Old[k]
				c.lost = append(c.lost, lostLine{e.Old[k], c.op})
			}
		}
		c.effect = c.effect || len(e.Old) != len(e.New)
		for k, t := range old[both:] {
			if t.was >= 0 {
				c.lost = append(c.lost, lostLine{e.Old[both+k], c.op})
				c.gone = append(c.gone, int(t.was))
				if _, ok := c.former[int(t.was)]; !ok {
					c.former[int(t.was)] = e.Old[both+k]
				}
			}
		}
		for range e.New[both:] {
			lines = append(lines, traced{was: -1, mark: added})
		}
		return lines
	})
	slices.Sort(c.gone)
}

// at returns the position of the line with index i as it stands. New lines
// have none in the file as read; the line above them stands in.
func (c *checkup) at(i int) token.Position { return c.file.Pos(i) }

// place describes where a line stands for a related position.
func (c *checkup) related(i int, format string, args ...any) diag.Related {
	return diag.Related{Pos: c.at(i), Message: fmt.Sprintf(format, args...)}
}

// was returns a related position for a line before the operation, which has
// changed or gone.
func (c *checkup) was(i int, format string, args ...any) diag.Related {
	r := diag.Related{Message: fmt.Sprintf(format, args...)}
	if n := c.former[i].Num; n > 0 {
		r.Pos = token.Position{Filename: c.file.Name(), Line: n, Column: 1}
	}
	return r
}

// warn reports a finding of this operation at its key, with spec lines.
func (c *checkup) warn(code, key, message, hint string, related ...diag.Related) {
	c.report(diag.Diagnostic{
		Pos: c.op.At(key), Code: code, Message: c.op.Name() + ": " + message, Hint: hint, Related: related,
	})
}

// groups yields the runs of added lines [i, j).
func (c *checkup) groups(yield func(i, j int) bool) {
	for i := 0; i < len(c.lines); i++ {
		if c.lines[i].mark != added {
			continue
		}
		j := i + 1
		for j < len(c.lines) && c.lines[j].mark == added {
			j++
		}
		if !yield(i, j) {
			return
		}
		i = j
	}
}

// balance notices an operation that leaves conditionals open. Two operations
// may remove an %if and its %endif, so the verdict waits for the last one.
func (c *checkup) balance() {
	switch was, is := len(c.before.Unbalanced), len(c.after.Unbalanced); {
	case is <= was && c.blame.op != nil && is == 0:
		c.blame = unbalanced{}
	case is > was && c.blame.op == nil:
		i := c.after.Unbalanced[0]
		for _, u := range c.after.Unbalanced {
			if c.lines[u].mark != kept {
				i = u
			}
		}
		c.linter.blame = unbalanced{c.op, i, c.file.Line(i).Text, c.at(i)}
	}
}

// finish is called after the last operation.
func (l *linter) finish() {
	if len(l.ops) == 0 {
		return
	}
	if b := l.blame; b.op != nil {
		l.report(diag.Diagnostic{
			Pos: b.op.Pos, Code: "overlay/unbalanced-conditional",
			Message: fmt.Sprintf("%s leaves a conditional or a macro block without its other end", b.op.Name()),
			Hint:    "take %if and %endif out together, in one overlay with multiline = true or in two overlays",
			Related: []diag.Related{{Pos: b.pos, Message: fmt.Sprintf("without its other end: %s", short(b.text))}},
		})
	}
	s := l.file.Structure()
	l.patchesApplied(s)
	l.halfPackages(s)
	l.leftBehind(s)
}

// origin of the last operation looked at that wrote line i, with the operation.
func (l *linter) writer(i int) *Op {
	o := l.file.Line(i).Origin
	if o == nil {
		return nil
	}
	if k := slices.Index(l.origin, o); k >= 0 {
		return l.ops[k]
	}
	return nil
}

// short returns text fit for a message: trimmed of indentation, at most 60
// bytes, cut at a rune.
func short(text string) string {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
		text = text[1:]
	}
	const limit = 60
	if len(text) <= limit {
		return text
	}
	n := limit
	for n > 0 && text[n]&0xc0 == 0x80 {
		n--
	}
	return text[:n] + "..."
}

// LintCodes are the codes of the second look.
var LintCodes = []diag.Code{
	{
		ID: "overlay/unbalanced-conditional", Default: diag.Warning, Summary: "an overlay leaves a conditional open",
		Doc: "After the last overlay an %if has no %endif, or the reverse, where all was balanced before. rpm refuses such a spec. Take both ends out together, for example with multiline = true.",
	},
	{
		ID: "overlay/inside-macro", Default: diag.Warning, Summary: "a line landed inside a macro definition or a %{lua:} block",
		Doc: "The line became part of the macro's body and does not stand in the spec where it seems to. The reference's way of reading takes a section header or a tag inside a macro body for a real one. Aim at a line outside the body with spec-search-replace.",
	},
	{
		ID: "overlay/inside-continuation", Default: diag.Warning, Summary: "an edit cuts into a continued command",
		Doc: "A new line landed between a line that ends in a backslash and the line that continues it, ends in a backslash itself and swallows what follows, or a changed line no longer continues (often because a match was replaced by nothing, which leaves an empty line). Match the line break too with multiline = true, or keep the backslash.",
	},
	{
		ID: "overlay/became-conditional", Default: diag.Warning, Summary: "new text landed inside a conditional",
		Doc: "The place where the new tag or lines went is inside an %if that began before it, so they count only when its condition holds. spec-insert-tag leaves conditionals where it can; else put the text at an unconditional line with spec-search-replace.",
	},
	{
		ID: "overlay/several-branches", Default: diag.Warning, Summary: "one value was written into several branches of a conditional",
		Doc: "Tags of one name in different branches of an %if had different values and now have the same. Say which one is meant with branch = \"first\" or a number, or branch = \"all\" when all are.",
	},
	{
		ID: "overlay/after-comment", Default: diag.Warning, Summary: "text was appended after the comment that introduces what follows",
		Doc: "A section reaches to the next header in the reference's way of reading, with the comment that stands above that header. Text appended to the section comes between the two. Aim at the last line that belongs to the section with spec-search-replace.",
	},
	{
		ID: "overlay/duplicate-tag", Default: diag.Warning, Summary: "a second tag of a kind that may stand only once",
		Doc: "The package now has two tags such as Version or Summary that can be in force together; rpm refuses that or takes the last. spec-set-tag replaces the one that is there.",
	},
	{
		ID: "overlay/duplicate-number", Default: diag.Warning, Summary: "two sources or patches have the same number",
		Doc: "rpm gives a bare Patch: or Source: the number after the last one, so an explicit number can collide with an automatic one. Use a number above all others, or a bare tag.",
	},
	{
		ID: "overlay/misread-tag", Default: diag.Warning, Summary: "the overlay and rpm disagree about which lines are tags",
		Doc: "The overlay changed a line that rpm does not read as a tag (a comment that is indented, a line of Lua code or of a macro body), or left one alone that rpm does read as that tag (a blank before the colon, a tag inside %{?x:...}). Use spec-search-replace on the very line.",
	},
	{
		ID: "overlay/misread-section", Default: diag.Warning, Summary: "the overlay and rpm disagree about where a section ends",
		Doc: "The line that was changed or added belongs, as rpm reads the spec, to another section than the overlay names: a header stands inside a macro body or is indented, or the section in between (such as %sepolicy) is not known to the reference. Use spec-search-replace on the very line.",
	},
	{
		ID: "overlay/two-packages", Default: diag.Warning, Summary: "one package name stands for two packages",
		Doc: "The spec has sections for a package named with -n and for a sub-package with the same suffix: `%package -n devel` is devel, `%package devel` is NAME-devel. Overlays compare the text only and changed both.",
	},
	{
		ID: "overlay/no-effect", Default: diag.Warning, Summary: "the overlay changes nothing",
		Doc: "The lines that the overlay wrote are what was there already. Upstream may have caught up with it: remove the overlay.",
	},
	{
		ID: "overlay/wide-match", Default: diag.Warning, Summary: "an expression without section changed lines of different kinds",
		Doc: "A spec-search-replace that names no section changed lines of different kinds, such as a command and an entry of the changelog, and no expect says that all are meant. Name the section, narrow the expression, or set expect (specgraft overlay pin writes it).",
	},
	{
		ID: "overlay/patch-level", Default: diag.Warning, Summary: "a patch is applied without the -p1 that it needs",
		Doc: "The names in the patch begin with a/ and b/, as git writes them, and %autosetup or %autopatch has no -p: patch then drops all directories of the names, and does not find files below the top. Add -p1, or make the patch with git diff --no-prefix.",
	},
	{
		ID: "overlay/changelog-macro", Default: diag.Warning, Summary: "rpm expands a macro in a new line of %changelog",
		Doc: "rpm expands macros everywhere, in %changelog, too: the text changes, may become several lines, or is refused. Double the percent sign: %%define. The macros of the package's own name, version and release are left alone.",
	},
	{
		ID: "overlay/patch-not-applied", Default: diag.Warning, Summary: "a patch is listed but not applied",
		Doc: "Nothing in %prep applies the patch that an overlay lists: there is plain %setup, %autosetup -N, an %autopatch whose range ends before its number, or %patch lines for the others. The line that is missing, and the line that it belongs behind, are shown; add it with spec-search-replace. The same is said of all patches when an overlay takes away what applied them.",
	},
	{
		ID: "overlay/patch-missing", Default: diag.Warning, Summary: "a %patch line applies a patch that was removed",
		Doc: "The overlay removed the Patch tag, but a %patch line in %prep still names its number, which fails the build. Remove that line with spec-search-replace.",
	},
	{
		ID: "overlay/source-missing", Default: diag.Warning, Summary: "a source that was removed is still used",
		Doc: "The overlay removed the Source tag, but %{SOURCE1}, %{S:1}, or an option of %setup names its number. rpm leaves such a macro in the text, and the script fails at build time. Change that line as well.",
	},
	{
		ID: "overlay/number-shifted", Default: diag.Warning, Summary: "a source or patch without number has another number than before",
		Doc: "Source: and Patch: without number count from the one above. The overlay took away or added one above it, and the spec uses numbers. Give the tag its number.",
	},
	{
		ID: "overlay/macro-lost", Default: diag.Warning, Summary: "a macro is used whose definition an overlay removed",
		Doc: "The removed text, often a sub-package, defined a macro or a build conditional (a tag such as Epoch defines one as well) that other parts of the spec use. rpm leaves an undefined macro in the text. Keep the definition, or change what uses it.",
	},
	{
		ID: "overlay/package-missing", Default: diag.Warning, Summary: "a package requires a sub-package that was removed",
		Doc: "The sub-package is gone and no package of the spec provides its name, so that the one that requires it cannot be installed. Remove the dependency as well.",
	},
	{
		ID: "overlay/list-missing", Default: diag.Warning, Summary: "a %files section takes a list that nothing makes any more",
		Doc: "The overlay removed the line that wrote the list of files, such as %find_lang, and %files -f still names it: the build fails.",
	},
	{
		ID: "overlay/left-branch", Default: diag.Warning, Summary: "text was appended behind the conditional that its section begins in",
		Doc: "A section reaches to the next header in the reference's way of reading, over the %endif of a conditional that it began in. To rpm a line behind %endif belongs to the section that was opened last in the branch that was taken, which may be another package's. Put the text into the branch with spec-search-replace or spec-prepend-lines.",
	},
	{
		ID: "overlay/macro-in-comment", Default: diag.Warning, Summary: "a macro in a new comment has effect all the same",
		Doc: "rpm expands macros in comments, too: %define and %global define, and of a macro of several lines, such as %configure, only the first is commented out. %dnl makes a comment that is not expanded; %% stands for a percent sign.",
	},
	{
		ID: "overlay/values-lost", Default: diag.Warning, Summary: "tags that stood several times have lost their own values",
		Doc: "spec-update-tag and spec-set-tag write into every tag of the name. Of tags that may stand several times, such as BuildRequires, that makes copies. Use spec-insert-tag to add one, spec-search-replace to change one, or expect when all are meant.",
	},
	{
		ID: "overlay/literal-group", Default: diag.Warning, Summary: "a replacement names a group, but groups are off",
		Doc: "The expression has groups and the replacement has $1, ${name} or \\1, which is plain text unless replacement-groups = true.",
	},
	{
		ID: "overlay/unknown-macro", Default: diag.Warning, Summary: "a new conditional asks for a macro that nothing defines",
		Doc: "Neither the spec, nor the macro set, nor the project, nor any distribution known to the tool defines the macro, so that the condition never changes. It is often misspelt.",
	},
	{
		ID: "overlay/comment-left", Default: diag.Note, Summary: "the comment above a removed tag stays",
		Doc: "The tag was removed, and the comment that stood directly above it and not above another tag is left. Remove it as well when it is about the tag.",
	},
	{
		ID: "overlay/comment-taken", Default: diag.Note, Summary: "a comment above the next section went with the one that was removed",
		Doc: "A section reaches to the next header in the reference's way of reading, with the comment above that header. When the comment is about what follows, put it back.",
	},
	{
		ID: "overlay/half-removed-package", Default: diag.Warning, Summary: "a sub-package was removed in part",
		Doc: "The %package section is gone, but other sections such as %files or %post still name the package, which rpm refuses. spec-remove-subpackage removes them all.",
	},
}
