package components

import (
	"fmt"
	"slices"
	"strings"

	"specgraft/overlay/diag"
)

// rule applies one rule to a table and reports whether it is broken.
func (c *checker) rule(t *value, k *Key, r *Rule, at *trail) bool {
	cond := t.entry(r.Key)
	holds := cond != nil && !cond.val.zero()
	if r.Is != nil {
		holds = cond != nil && slices.Contains(r.Is, cond.val.str)
	}
	if holds == r.Not {
		return false
	}
	broken := false
	for _, name := range r.Need {
		e := t.entry(name)
		if e != nil && !e.val.zero() && (e.val.kind != kindString || strings.TrimSpace(e.val.str) != "") {
			continue
		}
		broken = true
		why := ""
		switch {
		case r.Not:
			d := c.diags.Add(t.pos(), "config/missing-key", "one of the keys %q and %q is needed%s", r.Key, name, at.in())
			if t.end > t.off {
				d.End = t.endPos()
			}
			continue
		case r.Is != nil:
			why = fmt.Sprintf(": needed when %q is %s", r.Key, literal(cond.val))
		default:
			why = fmt.Sprintf(": needed when %q is given", r.Key)
		}
		d := c.missing(t, name, at, why)
		d.Pos, d.End = cond.pos(), cond.endPos()
		if e != nil {
			d.Related = []diag.Related{{Pos: e.val.pos(), Message: fmt.Sprintf("%q is empty here", name)}}
		}
	}
	for _, name := range r.Forbid {
		e := t.entry(name)
		if e == nil || e.val.zero() {
			continue
		}
		broken = true
		sub := k.find(r.Key)
		switch {
		case r.Is == nil:
			d := c.addKey(e, "config/conflict", "%q cannot stand beside %q%s", name, r.Key, at.in())
			d.Related = []diag.Related{{Pos: cond.pos(), Message: fmt.Sprintf("%q is given here", r.Key)}}
		case r.Not:
			same := " in the same table"
			if k.Late {
				same = ""
			}
			d := c.addKey(e, "config/conflict", "%q%s needs %q to be %s%s", name, at.in(), r.Key, wanted(sub, r.Is), same)
			d.Hint = fmt.Sprintf("add %s = %s beside it", r.Key, wanted(sub, r.Is[:1]))
			if cond != nil {
				d.Hint = ""
				d.Related = []diag.Related{{Pos: cond.val.pos(), Message: fmt.Sprintf("%q is %s here", r.Key, literal(cond.val))}}
			}
		default:
			d := c.addKey(e, "config/conflict", "%q%s is not for %s %s", name, at.in(), r.Key, literal(cond.val))
			d.Related = []diag.Related{{Pos: cond.val.pos(), Message: fmt.Sprintf("%q is %s here", r.Key, literal(cond.val))}}
		}
	}
	return broken
}

func literal(v *value) string {
	if v.kind == kindString {
		return quoteString(v.str)
	}
	return v.str
}

// wanted lists values as the TOML of their key has them.
func wanted(k *Key, values []string) string {
	if k.Type == Bool {
		return strings.Join(values, " or ")
	}
	return quoted(values, " or ")
}

// checkMetadata is the rule for backports.
func checkMetadata(c *checker, t *value, at *trail) {
	cat, status := t.get("category"), t.get("upstream-status")
	if cat.str != "upstream-backport" {
		return
	}
	if t.get("commits").zero() {
		d := c.missing(t, "commits", at, `: needed when "category" is "upstream-backport"`)
		d.Pos, d.End = t.entry("category").pos(), t.entry("category").endPos()
	}
	if s := status.str; s != "upstreamed" && s != "upstreamable" {
		d := c.add(status, "config/conflict", `%q must be "upstreamed" or "upstreamable" for a backport%s`, "upstream-status", at.in())
		d.Related = []diag.Related{{Pos: cat.pos(), Message: "category is given here"}}
	}
}

// checkSourceFile holds the rules that tie an entry to its origin.
func checkSourceFile(c *checker, t *value, at *trail) {
	origin := t.get("origin")
	typ := origin.get("type")
	if origin.text("type") == "overlay" && t.get("replace-upstream").zero() {
		d := c.missing(t, "replace-upstream", at, `: an archive of origin type "overlay" replaces upstream's`)
		d.Pos, d.End = typ.pos(), typ.endPos()
		d.Hint = `add replace-upstream = true and a replace-reason`
	}
	seen := map[string]*value{}
	if inputs := origin.get("inputs"); inputs != nil {
		for _, in := range inputs.list {
			if first := seen[in.str]; first != nil {
				d := c.bad(in, "input %q%s is given twice", in.str, at.in())
				d.Related = []diag.Related{{Pos: first.pos(), Message: "first given here"}}
			}
			seen[in.str] = in
			if s := origin.get("script"); s != nil && s.str == in.str {
				d := c.bad(in, "input %q%s is the script itself", in.str, at.in())
				d.Related = []diag.Related{{Pos: s.pos(), Message: "script is given here"}}
			}
		}
	}
}

// checkComponent holds the rules of a [components.NAME] table.
func checkComponent(c *checker, t *value, at *trail) {
	if e := t.get("spec", "upstream-distro").entry("snapshot"); e != nil && !e.val.zero() && !c.lenient {
		d := c.addKey(e, "config/conflict", "component %q cannot have a snapshot of its own", at.name)
		d.Hint = "the snapshot belongs into a default-component-config; pin a component with spec.upstream-commit"
	}
	checkSourceFiles(c, t, at)
}

// checkSourceFiles finds source files that are named twice.
func checkSourceFiles(c *checker, t *value, at *trail) {
	files := t.get("source-files")
	if files == nil {
		return
	}
	seen := map[string]*value{}
	for _, f := range files.list {
		name := f.get("filename")
		if name == nil || name.kind != kindString {
			continue
		}
		if first := seen[name.str]; first != nil {
			d := c.add(name, "config/duplicate", "source file %q%s is given twice", name.str, at.in())
			d.Related = []diag.Related{{Pos: first.pos(), Message: "first given here"}}
			continue
		}
		seen[name.str] = name
	}
}

// checkPackageGroup finds packages that are named twice.
func checkPackageGroup(c *checker, t *value, at *trail) {
	list := t.get("packages")
	if list == nil {
		return
	}
	seen := make(map[string]*value, len(list.list))
	for _, p := range list.list {
		if first := seen[p.str]; first != nil {
			d := c.add(p, "config/duplicate", "package %q%s is given twice", p.str, at.in())
			d.Related = []diag.Related{{Pos: first.pos(), Message: "first given here"}}
			continue
		}
		seen[p.str] = p
	}
}

// checkRepo is the rule that packages are verified unless said otherwise.
func checkRepo(c *checker, t *value, at *trail) {
	if t.get("gpg-key").zero() && t.get("disable-gpg-check").zero() {
		c.missing(t, "gpg-key", at, "").Hint = "give the key, or disable-gpg-check = true"
	}
}

// checkSetTemplate finds repositories that are named twice.
func checkSetTemplate(c *checker, t *value, at *trail) {
	seen := map[string]*value{}
	for _, sub := range t.get("subrepos").list {
		name := sub.get("name")
		if name == nil {
			continue
		}
		if first := seen[name.str]; first != nil {
			d := c.add(name, "config/duplicate", "repository %q%s is given twice", name.str, at.in())
			d.Related = []diag.Related{{Pos: first.pos(), Message: "first given here"}}
			continue
		}
		seen[name.str] = name
	}
}
