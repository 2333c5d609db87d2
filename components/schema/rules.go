package schema

import (
	"fmt"
	"slices"
	"strings"

	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// Rule applies one rule to a table and reports whether it is broken.
func (c *Checker) Rule(t *toml.Value, k *Key, r *Rule, at *Trail) bool {
	cond := t.Entry(r.Key)
	holds := cond != nil && !cond.Val.Zero()
	if r.Is != nil {
		holds = cond != nil && slices.Contains(r.Is, cond.Val.Str)
	}
	if holds == r.Not {
		return false
	}
	broken := false
	for _, name := range r.Need {
		e := t.Entry(name)
		if e != nil && !e.Val.Zero() && (e.Val.Kind != toml.KindString || strings.TrimSpace(e.Val.Str) != "") {
			continue
		}
		broken = true
		why := ""
		switch {
		case r.Not:
			d := c.Diags.Add(t.Pos(), "config/missing-key", "one of the keys %q and %q is needed%s", r.Key, name, at.In())
			if t.End > t.Off {
				d.End = t.EndPos()
			}
			continue
		case r.Is != nil:
			why = fmt.Sprintf(": needed when %q is %s", r.Key, Literal(cond.Val))
		default:
			why = fmt.Sprintf(": needed when %q is given", r.Key)
		}
		d := c.Missing(t, name, at, why)
		d.Pos, d.End = cond.Pos(), cond.EndPos()
		if e != nil {
			d.Related = []diag.Related{{Pos: e.Val.Pos(), Message: fmt.Sprintf("%q is empty here", name)}}
		}
	}
	for _, name := range r.Forbid {
		e := t.Entry(name)
		if e == nil || e.Val.Zero() {
			continue
		}
		broken = true
		sub := k.Find(r.Key)
		switch {
		case r.Is == nil:
			d := c.AddKey(e, "config/conflict", "%q cannot stand beside %q%s", name, r.Key, at.In())
			d.Related = []diag.Related{{Pos: cond.Pos(), Message: fmt.Sprintf("%q is given here", r.Key)}}
		case r.Not:
			same := " in the same table"
			if k.Late {
				same = ""
			}
			d := c.AddKey(e, "config/conflict", "%q%s needs %q to be %s%s", name, at.In(), r.Key, wanted(sub, r.Is), same)
			d.Hint = fmt.Sprintf("add %s = %s beside it", r.Key, wanted(sub, r.Is[:1]))
			if cond != nil {
				d.Hint = ""
				d.Related = []diag.Related{{Pos: cond.Val.Pos(), Message: fmt.Sprintf("%q is %s here", r.Key, Literal(cond.Val))}}
			}
		default:
			d := c.AddKey(e, "config/conflict", "%q%s is not for %s %s", name, at.In(), r.Key, Literal(cond.Val))
			d.Related = []diag.Related{{Pos: cond.Val.Pos(), Message: fmt.Sprintf("%q is %s here", r.Key, Literal(cond.Val))}}
		}
	}
	return broken
}

func Literal(v *toml.Value) string {
	if v.Kind == toml.KindString {
		return toml.QuoteString(v.Str)
	}
	return v.Str
}

// wanted lists values as the TOML of their key has them.
func wanted(k *Key, values []string) string {
	if k.Type == Bool {
		return strings.Join(values, " or ")
	}
	return quoted(values, " or ")
}

// checkMetadata is the rule for backports.
func checkMetadata(c *Checker, t *toml.Value, at *Trail) {
	cat, status := t.Get("category"), t.Get("upstream-status")
	if cat.Str != "upstream-backport" {
		return
	}
	if t.Get("commits").Zero() {
		d := c.Missing(t, "commits", at, `: needed when "category" is "upstream-backport"`)
		d.Pos, d.End = t.Entry("category").Pos(), t.Entry("category").EndPos()
	}
	if s := status.Str; s != "upstreamed" && s != "upstreamable" {
		d := c.Add(status, "config/conflict", `%q must be "upstreamed" or "upstreamable" for a backport%s`, "upstream-status", at.In())
		d.Related = []diag.Related{{Pos: cat.Pos(), Message: "category is given here"}}
	}
}

// checkSourceFile holds the rules that tie an entry to its origin.
func checkSourceFile(c *Checker, t *toml.Value, at *Trail) {
	origin := t.Get("origin")
	typ := origin.Get("type")
	if origin.Text("type") == "overlay" && t.Get("replace-upstream").Zero() {
		d := c.Missing(t, "replace-upstream", at, `: an archive of origin type "overlay" replaces upstream's`)
		d.Pos, d.End = typ.Pos(), typ.EndPos()
		d.Hint = `add replace-upstream = true and a replace-reason`
	}
	seen := map[string]*toml.Value{}
	if inputs := origin.Get("inputs"); inputs != nil {
		for _, in := range inputs.List {
			if first := seen[in.Str]; first != nil {
				d := c.bad(in, "input %q%s is given twice", in.Str, at.In())
				d.Related = []diag.Related{{Pos: first.Pos(), Message: "first given here"}}
			}
			seen[in.Str] = in
			if s := origin.Get("script"); s != nil && s.Str == in.Str {
				d := c.bad(in, "input %q%s is the script itself", in.Str, at.In())
				d.Related = []diag.Related{{Pos: s.Pos(), Message: "script is given here"}}
			}
		}
	}
}

// checkComponent holds the rules of a [components.NAME] table.
func checkComponent(c *Checker, t *toml.Value, at *Trail) {
	if e := t.Get("spec", "upstream-distro").Entry("snapshot"); e != nil && !e.Val.Zero() && !c.lenient {
		d := c.AddKey(e, "config/conflict", "component %q cannot have a snapshot of its own", at.Name)
		d.Hint = "the snapshot belongs into a default-component-config; pin a component with spec.upstream-commit"
	}
	CheckSourceFiles(c, t, at)
}

// CheckSourceFiles finds source files that are named twice.
func CheckSourceFiles(c *Checker, t *toml.Value, at *Trail) {
	files := t.Get("source-files")
	if files == nil {
		return
	}
	seen := map[string]*toml.Value{}
	for _, f := range files.List {
		name := f.Get("filename")
		if name == nil || name.Kind != toml.KindString {
			continue
		}
		if first := seen[name.Str]; first != nil {
			d := c.Add(name, "config/duplicate", "source file %q%s is given twice", name.Str, at.In())
			d.Related = []diag.Related{{Pos: first.Pos(), Message: "first given here"}}
			continue
		}
		seen[name.Str] = name
	}
}

// checkPackageGroup finds packages that are named twice.
func checkPackageGroup(c *Checker, t *toml.Value, at *Trail) {
	list := t.Get("packages")
	if list == nil {
		return
	}
	seen := make(map[string]*toml.Value, len(list.List))
	for _, p := range list.List {
		if first := seen[p.Str]; first != nil {
			d := c.Add(p, "config/duplicate", "package %q%s is given twice", p.Str, at.In())
			d.Related = []diag.Related{{Pos: first.Pos(), Message: "first given here"}}
			continue
		}
		seen[p.Str] = p
	}
}

// checkRepo is the rule that packages are verified unless said otherwise.
func checkRepo(c *Checker, t *toml.Value, at *Trail) {
	if t.Get("gpg-key").Zero() && t.Get("disable-gpg-check").Zero() {
		c.Missing(t, "gpg-key", at, "").Hint = "give the key, or disable-gpg-check = true"
	}
}

// checkSetTemplate finds repositories that are named twice.
func checkSetTemplate(c *Checker, t *toml.Value, at *Trail) {
	seen := map[string]*toml.Value{}
	for _, sub := range t.Get("subrepos").List {
		name := sub.Get("name")
		if name == nil {
			continue
		}
		if first := seen[name.Str]; first != nil {
			d := c.Add(name, "config/duplicate", "repository %q%s is given twice", name.Str, at.In())
			d.Related = []diag.Related{{Pos: first.Pos(), Message: "first given here"}}
			continue
		}
		seen[name.Str] = name
	}
}
