package overlay

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// blocks checks new lines against macro bodies and continued commands, and
// continued commands against what became of their lines.
func (c *checkup) blocks() {
	for i, j := range c.groups {
		// An expression that matched inside a body was aimed there.
		if c.op.Type != SearchReplace {
			if b, ok := c.after.Within(i); ok && b.Kind != spec.BlockOpen {
				if b.Kind == spec.BlockContinuation {
					if c.after.Lines[i-1].Form != spec.FormComment && c.after.Lines[i-1].Form != spec.FormTag {
						c.warn("overlay/inside-continuation", "lines", "the new text landed between a line that ends in a backslash and the line that continues it",
							c.aim(i), c.related(i-1, "this line is continued: %s", short(c.file.Line(i-1).Text)))
					}
				} else {
					c.warn("overlay/inside-macro", "lines", fmt.Sprintf("the new text landed inside a %s and is not part of the spec itself", b.Kind),
						c.aim(i), c.related(b.Start, "the %s starts here", b.Kind))
				}
			}
		}
		last := j - 1
		if b := c.after.Lines[last].Block; b >= 0 && j < c.after.Blocks[b].End && j < len(c.lines) &&
			c.after.Blocks[b].Kind == spec.BlockContinuation && c.after.Blocks[b].Start >= i && !c.exempt(last) && c.after.Lines[j].Form != spec.FormBlank {
			c.warn("overlay/inside-continuation", "lines", "the last new line ends in a backslash and swallows the line below it",
				"drop the backslash or add the line that continues", c.related(j, "swallowed: %s", short(c.file.Line(j).Text)))
		}
	}
	for i := range c.lines {
		t := c.lines[i]
		if t.mark != changed || i+1 >= len(c.lines) || c.lines[i+1].mark == added {
			continue
		}
		// A changed line that was continued and is no more cuts the command,
		// unless what came next is gone or empty too.
		was, next := int(t.was), int(c.lines[i+1].was)
		if b := c.before.Lines[was].Block; b >= 0 && next == was+1 && c.before.Lines[next].Block == b &&
			c.before.Blocks[b].Kind == spec.BlockContinuation && c.before.Lines[was].Form == spec.FormText &&
			!endsInBackslash(c.file.Line(i).Text) && c.after.Lines[i+1].Form == spec.FormText && c.continuedAbove(i) &&
			!(strings.HasPrefix(strings.TrimSpace(c.file.Line(i).Text), "#") && c.inScript(i)) { // which commentInside says
			c.warn("overlay/inside-continuation", "replacement", fmt.Sprintf("the line no longer continues, so what follows it becomes a command of its own: %s", short(c.file.Line(i+1).Text)),
				`keep the backslash at the end of the line, or match the line break too (multiline = true, regex ending in \n)`, c.related(i, "it was: %s", short(c.former[was].Text)))
		}
	}
}

// continuedAbove reports whether line i is itself continued from above, or
// says something: a whole command of one line that is emptied cuts nothing.
func (c *checkup) continuedAbove(i int) bool {
	_, inside := c.after.Within(i)
	return inside || strings.TrimSpace(c.file.Line(i).Text) != ""
}

// exempt reports whether a backslash at the end of the line means nothing.
func (c *checkup) exempt(i int) bool {
	f := c.after.Lines[i].Form
	return f == spec.FormComment || f == spec.FormTag || f == spec.FormBody || f == spec.FormDefine
}

func endsInBackslash(s string) bool {
	n := len(s) - len(strings.TrimRight(s, `\`))
	return n%2 == 1
}

// aim suggests a search-replace that puts the new text behind the last line
// above i which stands in the spec itself.
func (c *checkup) aim(i int) string {
	part := c.after.Lines[i].Part
	for k := i - 1; k >= 0 && c.after.Lines[k].Part == part; k-- {
		l := c.after.Lines[k]
		if c.lines[k].mark == added || l.Block >= 0 || l.Form != spec.FormText && l.Form != spec.FormTag || l.Cond >= 0 {
			continue
		}
		text := strings.TrimSpace(c.file.Line(k).Text)
		if len(text) > 60 {
			continue
		}
		section := ""
		if p := c.after.Parts[part]; p.Name != "" {
			section = " in section " + p.Name
		}
		return fmt.Sprintf("use spec-search-replace%s with regex = %s and a replacement that ends in the new text", section, tomlRegex(text))
	}
	return "use spec-search-replace on a line outside of it"
}

// tomlRegex writes an expression that matches exactly the line, as a TOML
// string without escapes where possible.
func tomlRegex(text string) string {
	re := "^" + regexpQuote(text) + "$"
	if !strings.ContainsAny(re, "'\x00\t\r") {
		return "'" + re + "'"
	}
	return strconv.Quote(re)
}

// regexpQuote escapes only what RE2 takes for an operator.
func regexpQuote(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// views checks that rpm sees a line in the section that the overlay names.
func (c *checkup) views() {
	switch c.op.Type {
	case PrependLines, AppendLines, SearchReplace:
	case RemoveSection, RemoveSubpackage:
		c.removedParts()
		return
	default:
		return
	}
	if c.op.Section == "" || c.op.Section == PreambleSection {
		return
	}
	want := strings.ToLower(c.op.Section)
	for i, t := range c.lines {
		if t.mark == kept || i > 0 && t.mark == added && c.lines[i-1].mark == added {
			continue
		}
		l := c.after.Lines[i]
		part := c.after.Parts[l.Part]
		if part.Name == want || l.Form == spec.FormHeader && t.mark == added {
			continue
		}
		if b, ok := c.after.Within(i); ok && b.Kind != spec.BlockContinuation && c.op.Type != SearchReplace {
			continue // reported as inside-macro
		}
		name := part.Name
		if name == "" {
			name = "the preamble"
		}
		related := c.related(i, "the line is: %s", short(c.file.Line(i).Text))
		if part.Name != "" {
			related = c.related(part.Start, "%s starts here", name)
		}
		c.warn("overlay/misread-section", "section", fmt.Sprintf("to rpm the line belongs to %s, not to %s", name, c.op.Section), c.aim(i), related)
		return
	}
}

// twoPackages notices one name for two packages: %package devel is NAME-devel,
// %package -n devel is devel, and the reference tells them not apart.
func (c *checkup) twoPackages() {
	if c.op.Package == "" {
		return
	}
	var found [2]*diag.Related
	see := func(p *spec.Part, r diag.Related) {
		k := 0
		if p.FullName {
			k = 1
		}
		if found[k] == nil && p.Package == c.op.Package {
			found[k] = &r
		}
	}
	for i, t := range c.lines {
		if t.mark != kept {
			see(&c.after.Parts[c.after.Lines[i].Part], c.related(i, "changed: %s", short(c.file.Line(i).Text)))
		}
	}
	for _, i := range c.gone {
		see(&c.before.Parts[c.before.Lines[i].Part], c.was(i, "removed: %s", short(c.former[i].Text)))
	}
	if found[0] != nil && found[1] != nil {
		c.warn("overlay/two-packages", "package", fmt.Sprintf("package %q is two packages, one of them named with -n, and both were changed", c.op.Package),
			"use spec-search-replace on lines that only one of them has", *found[0], *found[1])
	}
}

// removedParts notices sections that went with the one to remove because the
// reference does not know their headers.
func (c *checkup) removedParts() {
	for _, i := range c.gone {
		was := c.former[i]
		if c.before.Lines[i].Form == spec.FormHeader && was.Kind() != spec.Header {
			name := c.before.Parts[c.before.Lines[i].Part].Name
			c.warn("overlay/misread-section", "section", fmt.Sprintf("section %s, which to rpm is one of its own, went with the one to remove", name),
				"put it back with spec-append-lines, or remove single lines with spec-search-replace", c.was(i, "%s", short(was.Text)))
		}
	}
}

// places checks where new text landed and how wide an expression reached.
func (c *checkup) places() {
	switch c.op.Type {
	case AddTag, InsertTag, SetTag, PatchAdd, AppendLines:
		for i, j := range c.groups {
			c.conditional(i)
			if c.op.Type != InsertTag {
				c.comment(i, j)
			}
		}
	case SearchReplace:
		c.width()
	}
}

// conditional notices new text inside a conditional that began in the same
// section, so that the section's own header is not inside it.
func (c *checkup) conditional(i int) {
	l := c.after.Lines[i]
	if l.Cond < 0 || l.Form == spec.FormBody {
		return
	}
	open := c.after.Conds[l.Cond].Branches[0]
	if open < c.after.Parts[l.Part].Start || c.lines[open].mark == added {
		return
	}
	hint := c.aim(i)
	if c.op.Type == AddTag || c.op.Type == SetTag {
		hint = fmt.Sprintf("use spec-insert-tag, which leaves the conditional, or %s", strings.TrimPrefix(hint, "use "))
	}
	if t := c.statement(i); c.op.Type == PatchAdd && t != nil {
		hint = fmt.Sprintf("use file-add and spec-insert-tag with tag = %q, which leaves the conditional", t.Name)
	}
	branch := c.after.Conds[l.Cond].Branches[l.Branch]
	c.warn("overlay/became-conditional", c.key(), "the new text landed inside a conditional and counts only under its condition",
		hint, c.related(branch, "inside of: %s", short(c.file.Line(branch).Text)))
}

// statement returns the tag on line i, or nil.
func (c *checkup) statement(i int) *spec.Statement {
	for k := range c.after.Tags {
		if c.after.Tags[k].Line == i {
			return &c.after.Tags[k]
		}
	}
	return nil
}

// key names the key that brings the new text.
func (c *checkup) key() string {
	switch c.op.Type {
	case AppendLines, PrependLines:
		return "lines"
	case PatchAdd:
		return "source"
	}
	return "tag"
}

// comment notices text appended to a section behind the comment that stands,
// after a blank line, directly above the next header.
func (c *checkup) comment(i, j int) {
	if j < len(c.lines) && c.after.Lines[j].Form != spec.FormHeader && c.after.Lines[j].Form != spec.FormIf {
		return
	}
	if j >= len(c.lines) {
		return
	}
	k := i
	for k > 0 && c.after.Lines[k-1].Form == spec.FormComment && c.lines[k-1].mark != added {
		k--
	}
	if k == i || k == 0 || c.after.Lines[k-1].Form != spec.FormBlank || c.after.Lines[k-1].Part != c.after.Lines[i].Part {
		return
	}
	title := k
	for title < i-1 && !strings.ContainsFunc(c.file.Line(title).Text, unicode.IsLetter) {
		title++
	}
	c.warn("overlay/after-comment", c.key(), "the new text landed between a comment and the section that it introduces",
		c.aim(k), c.related(title, "the comment: %s", short(c.file.Line(title).Text)),
		c.related(j, "what it introduces: %s", short(c.file.Line(j).Text)))
}

// width makes visible an expression for the whole file that changed lines of
// different kinds, such as a command and an entry of the changelog, although
// nothing says that all of them are meant.
func (c *checkup) width() {
	if c.op.Section != "" || c.op.Expect != nil || c.op.Branch != "" {
		return
	}
	seen := map[string]bool{}
	var related []diag.Related
	n := 0
	for i, t := range c.lines {
		if t.mark != changed {
			continue
		}
		n++
		if kind := c.kind(i); !seen[kind] {
			seen[kind] = true
			related = append(related, c.related(i, "%s: %s", kind, short(c.file.Line(i).Text)))
		}
	}
	if len(related) > 1 {
		c.warn("overlay/wide-match", "regex", fmt.Sprintf("the expression changed %d lines of different kinds", n),
			fmt.Sprintf("name the section, or set expect = %d when all are meant", n), related...)
	}
}

// kind says what a line is for, as coarsely as an expression may be meant.
func (c *checkup) kind(i int) string {
	l := c.after.Lines[i]
	switch l.Form {
	case spec.FormIf, spec.FormElse, spec.FormEndif:
		return "a conditional"
	case spec.FormDefine, spec.FormBody:
		return "a macro"
	case spec.FormComment:
		return "a comment"
	}
	switch name := c.after.Parts[l.Part].Name; name {
	case "", "%package":
		return "a tag"
	case "%description", "%changelog", "%files", "%patchlist", "%sourcelist", "%sepolicy":
		return "a line of " + name
	}
	return "a command"
}
