package overlay

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
	"specgraft/overlay/spec"
)

// meaning checks whether the operation says what its author is likely to mean.
func (c *checkup) meaning() {
	switch c.op.Type {
	case UpdateTag, SetTag:
		c.values()
	case RemoveTag:
		c.commentLeft()
	case RemoveSection, RemoveSubpackage:
		c.commentTaken()
	case AppendLines, AddTag, PatchAdd:
		c.leftBranch()
	}
	c.comments()
	c.changelogMacros()
	c.conditions()
}

// values notices tags that stand several times and lost their own values. Tags
// in different branches are another matter.
func (c *checkup) values() {
	if c.op.Branch != "" || c.op.Expect != nil {
		return
	}
	var was []int
	for _, t := range c.lines {
		if t.mark != changed {
			continue
		}
		if slices.ContainsFunc(was, func(i int) bool { return c.before.Exclusive(i, int(t.was)) }) {
			return
		}
		was = append(was, int(t.was))
	}
	value := func(i int) string {
		l := c.former[i]
		_, v, _ := l.Tag()
		return strings.TrimSpace(v)
	}
	if len(was) < 2 || !slices.ContainsFunc(was[1:], func(i int) bool { return value(i) != value(was[0]) }) {
		return
	}
	var related []diag.Related
	for _, i := range was[:min(len(was), 5)] {
		related = append(related, c.was(i, "was: %s", short(c.former[i].Text)))
	}
	hint := fmt.Sprintf("change one of them with spec-search-replace, or set expect = %d when all are meant", len(was))
	if dependencyTag(c.op.Tag) {
		hint = "add a dependency with spec-insert-tag; " + hint
	}
	c.warn("overlay/values-lost", "tag", fmt.Sprintf("%d %s tags had values of their own and now have the same", len(was), c.op.Tag), hint, related...)
}

// reference finds what looks like a reference to a group.
var reference = regex.Once(`\$\{?(\d+|\w+)\}?|\\(\d)`)

// groups notices a replacement that names groups of the expression without
// replacement-groups, where "$1" is just text.
func (l *linter) groups(op *Op) {
	if op.ReplacementGroups || op.Type != SearchReplace && op.Type != FileSearchReplace || !strings.ContainsAny(op.Replacement, `$\`) {
		return
	}
	re, err := regexp.Compile(op.Regex)
	if err != nil || re.NumSubexp() == 0 {
		return
	}
	for _, m := range reference().FindAllStringSubmatch(op.Replacement, -1) {
		n, err := strconv.Atoi(m[1] + m[2])
		if err == nil && (n < 1 || n > re.NumSubexp()) || err != nil && re.SubexpIndex(m[1]) < 0 {
			continue
		}
		hint := "set replacement-groups = true for the text of the group"
		if m[2] != "" {
			hint = fmt.Sprintf("set replacement-groups = true and write ${%s} for the text of the group", m[2])
		}
		l.report(diag.Diagnostic{Pos: op.At("replacement"), Code: "overlay/literal-group", Hint: hint,
			Message: fmt.Sprintf("%s: %q in the replacement is plain text, although the expression has groups", op.Name(), m[0])})
		return
	}
}

// leftBranch notices text that was appended to a section behind the %endif of
// the conditional that the section began in: to rpm it belongs to whatever
// section was opened last.
func (c *checkup) leftBranch() {
	for i := range c.groups {
		l := c.after.Lines[i]
		part := c.after.Parts[l.Part]
		head := c.after.Lines[part.Start]
		if part.Start == 0 && part.Name == "" || head.Cond < 0 || c.within(i, head.Cond, head.Branch) {
			continue
		}
		cond := c.after.Conds[head.Cond]
		other, all := c.otherHeads(cond, part)
		if all {
			continue
		}
		related := []diag.Related{c.related(cond.Branches[head.Branch], "%s begins inside of this branch", strings.TrimSpace(part.Name+" "+part.Package))}
		owner := "the section above the conditional"
		if other >= 0 {
			owner = quoteLine(strings.TrimSpace(c.file.Line(other).Text))
			related = append(related, c.related(other, "in the other branch this section comes last"))
		}
		c.warn("overlay/left-branch", c.key(), fmt.Sprintf("the new text landed behind the end of the branch that its section begins in; otherwise it belongs to %s", owner),
			c.aimInside(i, head), related...)
		return
	}
}

// within reports whether line i stands in a branch of a conditional.
func (c *checkup) within(i, cond, branch int) bool {
	for k, b := c.after.Lines[i].Cond, c.after.Lines[i].Branch; k >= 0; k, b = c.after.Conds[k].Parent, c.after.Conds[k].Branch {
		if k == cond {
			return b == branch
		}
	}
	return false
}

// otherHeads returns the last header in another branch than that of a section,
// or -1, and whether every branch ends in the same section.
func (c *checkup) otherHeads(cond spec.Conditional, part spec.Part) (other int, all bool) {
	other, all = -1, cond.Endif >= 0 && c.file.Line(cond.Branches[len(cond.Branches)-1]).Text != "" &&
		c.after.Lines[cond.Branches[len(cond.Branches)-1]].Form == spec.FormElse
	for b, from := range cond.Branches {
		to := cond.Endif
		if b+1 < len(cond.Branches) {
			to = cond.Branches[b+1]
		}
		last := -1
		for k := from; k < to && k < len(c.after.Lines); k++ {
			if c.after.Lines[k].Form == spec.FormHeader {
				last = k
			}
		}
		if last == part.Start {
			continue
		}
		if last < 0 {
			all = false
			continue
		}
		other = last
		p := c.after.Parts[c.after.Lines[last].Part]
		all = all && p.Name == part.Name && p.Package == part.Package
	}
	return other, all
}

// aimInside suggests a place inside of the branch.
func (c *checkup) aimInside(i int, head spec.Shape) string {
	for k := i - 1; k > 0 && c.after.Lines[k].Part == head.Part; k-- {
		l := c.after.Lines[k]
		text := strings.TrimSpace(c.file.Line(k).Text)
		if l.Cond != head.Cond || l.Branch != head.Branch || l.Block >= 0 || len(text) > 60 || l.Form != spec.FormText && l.Form != spec.FormTag && l.Form != spec.FormHeader {
			continue
		}
		p := c.after.Parts[head.Part]
		if l.Form == spec.FormHeader {
			return fmt.Sprintf("use spec-prepend-lines with section = %q", p.Name)
		}
		return fmt.Sprintf("use spec-search-replace in section %s%s with regex = %s and a replacement that ends in the new text", p.Name, packageWord(p.Package), tomlRegex(text))
	}
	return "use spec-prepend-lines, which puts it below the header"
}

func packageWord(pkg string) string {
	if pkg == "" {
		return ""
	}
	return fmt.Sprintf(" of package %q", pkg)
}

// comments checks lines that the operation made comments of, or wrote as
// such.
func (c *checkup) comments() {
	for i, t := range c.lines {
		if t.mark == kept || c.after.Lines[i].Form != spec.FormComment {
			continue
		}
		text := strings.TrimSpace(c.file.Line(i).Text)
		if strings.HasPrefix(text, "%dnl") {
			continue
		}
		if t.mark == changed && c.before.Lines[t.was].Form == spec.FormComment {
			continue // it was one
		}
		c.commentInside(i, t)
		c.expandedComment(i, text)
	}
}

// inScript reports whether a line is in a section that a shell runs.
func (c *checkup) inScript(i int) bool {
	switch c.after.Parts[c.after.Lines[i].Part].Name {
	case "", "%package", "%description", "%files", "%changelog":
		return false
	}
	return true
}

// commentInside notices a comment within a continued command: the shell joins
// the lines first, so that it hides the end of the command and no more.
func (c *checkup) commentInside(i int, t traced) {
	b := -1
	if t.mark == changed {
		b = c.before.Lines[t.was].Block
	}
	if b < 0 || c.before.Blocks[b].Kind != spec.BlockContinuation || c.before.Lines[t.was].Form != spec.FormText {
		return
	}
	next := i + 1
	if next >= len(c.lines) || c.lines[next].mark == added || int(c.lines[next].was) >= c.before.Blocks[b].End || c.after.Lines[next].Form != spec.FormText {
		return
	}
	if !c.inScript(i) {
		return
	}
	c.warn("overlay/inside-continuation", "replacement", fmt.Sprintf("a comment ends the continued command, and what follows becomes a command of its own: %s", short(c.file.Line(next).Text)),
		`take the line out with its line break instead (multiline = true, regex ending in \n)`, c.was(int(t.was), "it was: %s", short(c.former[int(t.was)].Text)))
}

// expandedComment notices macros in a comment that matter all the same: rpm
// expands them there, too.
func (c *checkup) expandedComment(i int, text string) {
	if strings.IndexByte(text, '%') < 0 || c.after.Parts[c.after.Lines[i].Part].Name == "%changelog" {
		return
	}
	rest := strings.TrimLeft(text, "# \t")
	if word, args := call(rest); (word == "define" || word == "global") && len(args) > 0 {
		c.warn("overlay/macro-in-comment", c.textKey(), fmt.Sprintf("rpm expands macros in a comment, too: %%%s is defined all the same", args[0]),
			"write %dnl in front instead of #, or remove the line", c.related(i, "the comment: %s", short(text)))
		return
	}
	if c.opt.Lines == nil || c.opt.Lines(text) < 2 {
		return
	}
	c.warn("overlay/macro-in-comment", c.textKey(), "rpm expands macros in a comment, too: this one has several lines, and only the first is a comment",
		"write %dnl in front instead of #, or double the percent sign", c.related(i, "the comment: %s", short(text)))
}

// changelogMacro finds a macro in a line of a changelog, behind percent signs that
// stand for themselves.
var changelogMacro = regex.Once(`(?:^|[^%])(?:%%)*(%(?:[a-zA-Z_]\w*|\{[^}]*\}?|\[|\())`)

// ownMacros are those that an entry may well mean.
var ownMacros = regex.Once(`^%\{?[?!]*(?:name|version|release|epoch|dist|fedora|rhel|autochangelog)\b`)

// ChangelogMacro returns the first macro in a line of a changelog that rpm expands
// and that an entry hardly means, "" when there is none.
func ChangelogMacro(line string) string {
	m := changelogMacro().FindStringSubmatch(line)
	if m == nil || ownMacros().MatchString(m[1]) || strings.HasPrefix(strings.TrimSpace(line), "%") {
		return ""
	}
	return m[1]
}

// changelogMacros notices macros in new lines of %changelog.
func (c *checkup) changelogMacros() {
	for i, t := range c.lines {
		if t.mark != added || c.after.Parts[c.after.Lines[i].Part].Name != "%changelog" {
			continue
		}
		text := c.file.Line(i).Text
		m := ChangelogMacro(text)
		if m == "" {
			continue
		}
		c.warn("overlay/changelog-macro", c.textKey(), fmt.Sprintf("rpm expands %s in the changelog", m),
			"double the percent sign: %"+m, c.related(i, "the line: %s", short(text)))
	}
}

// textKey names the key that the text of the operation comes from.
func (c *checkup) textKey() string {
	switch c.op.Type {
	case SearchReplace:
		return "replacement"
	case AppendLines, PrependLines:
		return "lines"
	}
	return "value"
}

// commentLeft notices that the comment on a removed tag stays behind.
func (c *checkup) commentLeft() {
	for _, i := range c.gone {
		if i == 0 || c.before.Lines[i-1].Form != spec.FormComment || slices.Contains(c.gone, i-1) {
			continue
		}
		if i+1 < len(c.before.Lines) && (c.before.Lines[i+1].Form == spec.FormTag || slices.Contains(c.gone, i+1)) {
			continue // it may be about the next one
		}
		at := slices.IndexFunc(c.lines, func(t traced) bool { return t.was == int32(i-1) })
		if at < 0 {
			continue
		}
		text := strings.TrimSpace(c.file.Line(at).Text)
		if strings.Trim(text, "#-=* ") == "" || len(text) > 200 {
			continue
		}
		c.warn("overlay/comment-left", "tag", "the comment above the tag stays",
			fmt.Sprintf("remove it as well: spec-search-replace with multiline = true and regex = %s", tomlText(regexpQuote(text)+`\n`)), c.related(at, "the comment: %s", short(text)))
		return
	}
}

// commentTaken notices that a comment which introduces the next section went
// with the one to remove.
func (c *checkup) commentTaken() {
	for k, i := range c.gone {
		last := k+1 == len(c.gone) || c.gone[k+1] != i+1
		if !last || i+1 >= len(c.before.Lines) || c.before.Lines[i].Form != spec.FormComment ||
			c.before.Lines[i+1].Form != spec.FormHeader && c.before.Lines[i+1].Form != spec.FormIf {
			continue
		}
		first := i
		for first > 0 && c.before.Lines[first-1].Form == spec.FormComment && slices.Contains(c.gone, first-1) {
			first--
		}
		if first == 0 || c.before.Lines[first-1].Form != spec.FormBlank {
			continue
		}
		title := first
		for title < i && strings.Trim(c.former[title].Text, "#-=* \t") == "" {
			title++
		}
		if strings.Trim(c.former[title].Text, "#-=* \t") == "" {
			continue
		}
		c.warn("overlay/comment-taken", "section", "a comment that stands directly above what follows went with the section",
			"put it back with spec-search-replace if it belongs to what follows", c.was(title, "the comment: %s", short(c.former[title].Text)))
		return
	}
}

// conditionMacro finds the macros that a condition asks for.
var conditionMacro = regex.Once(`%\{[?!]*(\w+)\}|%\{(?:un)?defined\s+(\w+)\}`)

// conditions notices a new conditional on a macro that nothing defines.
func (c *checkup) conditions() {
	if c.opt.Defined == nil {
		return
	}
	for i, t := range c.lines {
		text := c.file.Line(i).Text
		if t.mark == kept || c.after.Lines[i].Form != spec.FormIf && c.after.Lines[i].Form != spec.FormElse {
			continue
		}
		for _, m := range conditionMacro().FindAllStringSubmatch(text, -1) {
			name := m[1] + m[2]
			if c.knownMacro(name, i) || t.mark == changed && strings.Contains(c.former[int(t.was)].Text, name) {
				continue
			}
			hint := "correct the name, or define the macro with build.defines"
			if n := diag.Nearest(name, slices.Concat(distributionMacros, c.definedNames())); n != "" {
				hint = fmt.Sprintf("did you mean %q?", n)
			}
			key := c.textKey()
			if c.op.Type != SearchReplace && c.op.Type != AppendLines && c.op.Type != PrependLines {
				key = "value"
			}
			c.warn("overlay/unknown-macro", key, fmt.Sprintf("the condition asks for %%{%s}, which neither the spec nor any distribution defines", name),
				hint, c.related(i, "the condition: %s", short(strings.TrimSpace(text))))
			return
		}
	}
}

// knownMacro reports whether something may define a macro that line i asks for.
func (c *checkup) knownMacro(name string, i int) bool {
	if slices.Contains(distributionMacros, name) || versionMacro().MatchString(name) || c.opt.Defined(name) || c.definedElsewhere(name) {
		return true
	}
	if slices.Contains(c.definedNames(), name) {
		return true
	}
	for k := range c.lines { // upstream asks for it, too
		if k != i && c.lines[k].mark == kept && strings.Contains(c.file.Line(k).Text, name) && conditionMacro().MatchString(c.file.Line(k).Text) {
			return true
		}
	}
	return false
}

// definedNames returns the macros that the spec defines.
func (c *checkup) definedNames() []string {
	var names []string
	for i := range c.lines {
		if text := c.file.Line(i).Text; strings.IndexByte(text, '%') >= 0 {
			for _, m := range definition().FindAllStringSubmatch(text, -1) {
				if m[1] != "" {
					names = append(names, m[1])
				} else {
					names = append(names, "with_"+m[2])
				}
			}
		}
	}
	return names
}

// distributionMacros are the macros by which specs tell distributions and ways
// of building apart.
var distributionMacros = []string{
	"fedora", "rhel", "centos", "eln", "epel", "almalinux", "rocky", "oraclelinux", "scientificlinux", "amzn", "azl", "mariner",
	"suse_version", "sle_version", "is_opensuse", "sles_version", "leap_version", "mageia", "mandriva_version", "mdkversion", "mdvver",
	"openmandriva", "openEuler", "anolis", "altlinux", "rosa", "asahi", "hyperscale", "flatpak", "bootstrap", "toolchain", "dist",
	"meego", "tizen", "sailfishos", "photon", "xenserver", "qubes", "vendor", "distribution", "buildroot", "optflags",
}

// versionMacro are macros of one release, and those that rpmbuild's own options
// and module builds define.
var versionMacro = regex.Once(`^(?:fc|el|azl|amzn|cm|mga|eln|tl|an|oe)\d+$|^_?with(?:out)?_|^_module|^_build|^scl`)

// tomlText writes an expression as a TOML string without escapes where possible.
func tomlText(s string) string {
	if !strings.ContainsAny(s, "'\n\t\r\x00") {
		return "'" + s + "'"
	}
	return strconv.Quote(s)
}
