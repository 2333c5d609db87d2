package overlay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// singletons are the tags that a package may have only once, in lower case.
// The list is rpm's: a second one is an error or replaces the first.
var singletons = []string{
	"name", "version", "release", "epoch", "summary", "license", "group", "url", "vendor", "packager",
	"distribution", "vcs", "bugurl", "modularitylabel", "disttag", "translationurl", "upstreamreleases",
}

// tags checks tags that were written, removed or overlooked.
func (c *checkup) tags() {
	switch c.op.Type {
	case AddTag, InsertTag, SetTag, UpdateTag, RemoveTag:
		c.misread()
		c.overlooked()
	}
	if (c.op.Type == UpdateTag || c.op.Type == SetTag) && c.op.Branch == "" {
		c.branches()
	}
	c.duplicates()
}

// misread notices that a tag operation touched a line which is none to rpm.
func (c *checkup) misread() {
	note := func(l spec.Shape, r diag.Related) {
		what := "part of a macro"
		switch {
		case l.Form == spec.FormComment:
			what = "a comment"
		case l.Block >= 0:
			what = "part of a " + c.before.Blocks[l.Block].Kind.String()
		case l.Form != spec.FormBody:
			what = "no tag"
		}
		c.warn("overlay/misread-tag", "tag", fmt.Sprintf("the line is %s to rpm", what), "use spec-search-replace on the very line", r)
	}
	for _, t := range c.lines {
		if t.mark == changed {
			if l := c.before.Lines[t.was]; l.Form != spec.FormTag {
				note(l, c.was(int(t.was), "it was: %s", short(c.former[int(t.was)].Text)))
			}
		}
	}
	for _, i := range c.gone {
		if l := c.before.Lines[i]; l.Form != spec.FormTag {
			note(l, c.was(i, "removed: %s", short(c.former[i].Text)))
		}
	}
}

// overlooked notices tags of the name that only rpm sees.
func (c *checkup) overlooked() {
	if c.op.Type == AddTag || c.op.Type == InsertTag {
		return
	}
	for k := range c.after.Tags {
		t := &c.after.Tags[k]
		if c.lines[t.Line].mark != kept || !strings.EqualFold(t.Name, c.op.Tag) || t.Qualifier != "" || !c.samePackage(t.Line) ||
			c.op.Type == RemoveTag && c.op.Value != "" && !strings.EqualFold(t.Value, c.op.Value) {
			continue
		}
		if name, _, ok := c.file.Line(t.Line).Tag(); ok && strings.EqualFold(name, c.op.Tag) {
			continue // seen, but left alone on purpose (branch)
		}
		c.warn("overlay/misread-tag", "tag", fmt.Sprintf("rpm reads another line as a %s tag, which stays as it is", t.Name),
			"use spec-search-replace on the very line", c.related(t.Line, "left alone: %s", short(c.file.Line(t.Line).Text)))
	}
}

// samePackage reports whether line i stands in the package of the overlay.
func (c *checkup) samePackage(i int) bool {
	pkg, _ := c.after.Package(i)
	return pkg == c.op.Package
}

// branches notices that tags in different branches lost different values.
func (c *checkup) branches() {
	var was []int
	for _, t := range c.lines {
		if t.mark == changed {
			was = append(was, int(t.was))
		}
	}
	for k, i := range was {
		for _, j := range was[k+1:] {
			a, b := c.former[i].Text, c.former[j].Text
			if c.before.Exclusive(i, j) && strings.TrimSpace(a) != strings.TrimSpace(b) {
				c.warn("overlay/several-branches", "value", "the value went into several branches of a conditional that had different ones",
					`say which branch is meant: branch = "first", a number, or "all"`,
					c.was(i, "was: %s", short(a)), c.was(j, "was: %s", short(b)))
				return
			}
		}
	}
}

// duplicates notices tags that now stand twice, and numbers of sources and
// patches that are taken.
func (c *checkup) duplicates() {
	fresh := func(t *spec.Statement) bool { return c.lines[t.Line].mark != kept }
	if !slices.ContainsFunc(c.after.Tags, func(t spec.Statement) bool { return fresh(&t) }) {
		return
	}
	numbers := numbered(c.after.Tags)
	for k := range c.after.Tags {
		t := &c.after.Tags[k]
		if !fresh(t) {
			continue
		}
		low := strings.ToLower(t.Name)
		if slices.Contains(singletons, low) {
			for n := range c.after.Tags {
				u := &c.after.Tags[n]
				if n == k || !strings.EqualFold(u.Name, t.Name) || !c.together(t, u) || n < k && fresh(u) || c.twinsBefore(t, u) {
					continue
				}
				if c.after.Lines[t.Line].Part == c.after.Lines[u.Line].Part {
					c.warn("overlay/duplicate-tag", "tag", fmt.Sprintf("the package now has two %s tags", t.Name),
						fmt.Sprintf("use spec-set-tag, which replaces the %s that is there", t.Name), c.related(u.Line, "the other one: %s", short(c.file.Line(u.Line).Text)))
					break
				}
			}
		}
		me, ok := numbers[t.Line]
		if !ok {
			continue
		}
		for n := range c.after.Tags {
			u := &c.after.Tags[n]
			if other, ok := numbers[u.Line]; !ok || n == k || other != me || !c.together(t, u) || n < k && fresh(u) || c.twinsBefore(t, u) {
				continue
			}
			c.warn("overlay/duplicate-number", c.key(), fmt.Sprintf("%s number %d is taken", me.family, me.number),
				fmt.Sprintf("use %s%d, or a bare %s: tag behind the last one", title(me.family), me.next, title(me.family)),
				c.related(u.Line, "the other one: %s", short(c.file.Line(u.Line).Text)))
			break
		}
	}
}

// together reports whether both tags can be in force.
func (c *checkup) together(t, u *spec.Statement) bool {
	return !t.Macro && !u.Macro && !c.after.Exclusive(t.Line, u.Line)
}

// twinsBefore reports whether both lines had this name before as well: then
// the operation is not to blame.
func (c *checkup) twinsBefore(t, u *spec.Statement) bool {
	a, b := c.lines[t.Line], c.lines[u.Line]
	if a.was < 0 || b.was < 0 {
		return false
	}
	name := func(was int32) string {
		for k := range c.before.Tags {
			if c.before.Tags[k].Line == int(was) {
				return strings.ToLower(c.before.Tags[k].Name)
			}
		}
		return ""
	}
	return name(a.was) == strings.ToLower(t.Name) && name(b.was) == strings.ToLower(u.Name)
}

// A slot is the number that rpm gives a source or patch.
type slot struct {
	family string // "source" or "patch"
	number int
	next   int // lowest number above all of the family
}

// numbered returns the slots of sources and patches by line. A bare tag gets
// the number after the last one above it, as rpm has it since 4.15.
func numbered(tags []spec.Statement) map[int]slot {
	slots := map[int]slot{}
	last := map[string]int{"source": -1, "patch": -1}
	top := map[string]int{"source": -1, "patch": -1}
	for k := range tags {
		family := strings.ToLower(tags[k].Name)
		digits := strings.TrimLeft(family, "abcdefghijklmnopqrstuvwxyz")
		family = family[:len(family)-len(digits)]
		if _, ok := last[family]; !ok {
			continue
		}
		n := last[family] + 1
		if digits != "" {
			var err error
			if n, err = strconv.Atoi(digits); err != nil {
				continue
			}
		}
		last[family] = n
		top[family] = max(top[family], n)
		slots[tags[k].Line] = slot{family: family, number: n}
	}
	for line, s := range slots {
		s.next = top[s.family] + 1
		slots[line] = s
	}
	return slots
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
