package components

import (
	"fmt"
	"slices"
	"strings"

	"specgraft/overlay/diag"
)

// validate holds the rules that need the whole configuration. References are
// not checked in an incomplete one.
func (p *Project) validate(incomplete bool) diag.List {
	c := &checker{}
	p.checkDirs(c)
	p.checkPackages(c)
	p.checkOwn(c)
	p.checkPins(c)
	p.checkChoice(c)
	if !incomplete {
		p.checkGroups(c)
		p.checkDistros(c)
		p.checkImages(c)
		p.checkTests(c)
		p.checkResources(c)
	}
	if p.opt.Permissive {
		for i := range c.diags {
			c.diags[i].Severity = diag.Warning
		}
	}
	// Confinement is about safety: permissive loading does not touch it.
	proj := p.root.get("project")
	for _, key := range []string{"log-dir", "work-dir", "output-dir", "rendered-specs-dir", "lock-dir"} {
		p.confined(&c.diags, proj.get(key))
	}
	p.confined(&c.diags, proj.get("specgraft", "templates-dir"))
	for _, d := range p.root.get("distros").entries() {
		for _, v := range d.val.get("versions").entries() {
			p.confined(&c.diags, v.val.get("macro-set"))
		}
	}
	for _, g := range p.root.get("component-groups").entries() {
		for _, key := range []string{"specs", "excluded-paths"} {
			if list := g.val.get(key); list != nil {
				for _, el := range list.list {
					p.confined(&c.diags, el)
				}
			}
		}
	}
	return c.diags
}

// confined reports a path value that leads outside the project.
func (p *Project) confined(list *diag.List, v *value) bool {
	path := v.path()
	if path == "" {
		return true
	}
	if d := p.paths.confine(path, v); d != nil {
		*list = append(*list, *d)
		return false
	}
	return true
}

// checkDirs refuses directories of which a clean-up could destroy the project.
func (p *Project) checkDirs(c *checker) {
	v := p.root.get("project", "rendered-specs-dir")
	if v == nil || v.path() == "" {
		return
	}
	if dir := v.path(); within(dir, p.Dir) {
		c.add(v, "config/bad-value", "project.rendered-specs-dir: %q is the project itself or a directory above it", v.str).
			Hint = "rendered specs need a directory of their own"
	}
}

func (p *Project) checkGroups(c *checker) {
	comps := p.root.get("components")
	for _, g := range p.root.get("component-groups").entries() {
		members := g.val.get("components")
		if members == nil || members.kind != kindList {
			continue
		}
		for _, m := range members.list {
			if m.kind == kindString && comps.entry(m.str) == nil {
				c.unknownName(m, "component", comps.names(), fmt.Sprintf(" in component group %q", g.name))
			}
		}
	}
}

func (p *Project) checkDistros(c *checker) {
	distros := p.root.get("distros")
	ref := func(v *value, at string) {
		name := v.get("name")
		if name == nil || name.str == "" {
			return
		}
		d := distros.get(name.str)
		if d == nil {
			c.unknownName(name, "distro", distros.names(), " in "+at)
			return
		}
		if ver := v.get("version"); ver != nil && ver.str != "" && d.get("versions", ver.str) == nil {
			c.unknownName(ver, "version", d.get("versions").names(), fmt.Sprintf(" of distro %q in %s", name.str, at))
		}
	}
	ref(p.root.get("project", "default-distro"), "project.default-distro")
	for _, d := range distros.entries() {
		versions := d.val.get("versions")
		if dv := d.val.get("default-version"); dv != nil && dv.str != "" && versions.entry(dv.str) == nil {
			c.unknownName(dv, "version", versions.names(), fmt.Sprintf(" of distro %q in default-version", d.name))
		}
		for _, v := range versions.entries() {
			p.checkInputs(c, v.val, fmt.Sprintf("distros.%s.versions.%s.inputs", QuoteKey(d.name), QuoteKey(v.name)))
		}
	}
}

// checkInputs holds the rules of a version's input repositories.
func (p *Project) checkInputs(c *checker, version *value, at string) {
	repos, sets := p.root.get("resources", "rpm-repos"), p.root.get("resources", "rpm-repo-sets")
	for _, use := range []string{"rpm-build", "image-build"} {
		list := version.get("inputs", use)
		if list == nil || list.kind != kindList {
			continue
		}
		seen := map[string]*value{}
		take := func(name string, by *value) {
			if first := seen[name]; first != nil {
				d := c.add(by, "config/duplicate", "repository %q is in %s.%s twice", name, at, use)
				d.Related = []diag.Related{{Pos: first.pos(), Message: "first given here"}}
				return
			}
			seen[name] = by
		}
		local := func(def *value, by *value) {
			key := def.get("gpg-key")
			if use == "rpm-build" && key != nil && key.str != "" && !strings.Contains(key.str, "://") {
				d := c.add(by, "config/conflict", "%q has a key in a file, which %s.rpm-build cannot use", by.str, at)
				d.Related = []diag.Related{{Pos: key.pos(), Message: "key is given here"}}
				d.Hint = "give the key as an https:// address"
			}
		}
		for _, in := range list.list {
			repo, set := in.get("repo"), in.get("set")
			switch {
			case repo != nil && repo.str != "":
				def := repos.get(repo.str)
				if def == nil {
					c.unknownName(repo, "repository", repos.names(), fmt.Sprintf(" in %s.%s", at, use))
					continue
				}
				take(repo.str, repo)
				local(def, repo)
			case set != nil && set.str != "":
				def := sets.get(set.str)
				if def == nil {
					c.unknownName(set, "repository set", sets.names(), fmt.Sprintf(" in %s.%s", at, use))
					continue
				}
				for _, name := range p.setMembers(def) {
					take(name, set)
				}
				local(def, set)
			}
		}
	}
}

// setMembers returns the names of the repositories that a set stands for.
func (p *Project) setMembers(set *value) []string {
	tmpl := p.root.get("resources", "rpm-repo-set-templates", set.text("template"))
	prefix := set.text("name-prefix")
	var names []string
	chosen := set.get("subrepos").strings()
	if subs := tmpl.get("subrepos"); subs != nil && subs.kind == kindList {
		for _, sub := range subs.list {
			if name := sub.text("name"); name != "" && (len(chosen) == 0 || slices.Contains(chosen, name)) {
				names = append(names, prefix+name)
			}
		}
	}
	return names
}

func (p *Project) checkResources(c *checker) {
	res := p.root.get("resources")
	repos, tmpls := res.get("rpm-repos"), res.get("rpm-repo-set-templates")
	owner := map[string]*value{}
	for _, r := range repos.entries() {
		owner[r.name] = r.val
	}
	for _, s := range res.get("rpm-repo-sets").entries() {
		name := s.val.get("template")
		if name == nil || name.str == "" {
			continue
		}
		tmpl := tmpls.get(name.str)
		if tmpl == nil {
			c.unknownName(name, "repository set template", tmpls.names(), fmt.Sprintf(" in repository set %q", s.name))
			continue
		}
		if subs := s.val.get("subrepos"); subs != nil && !tmpl.src.builtin() {
			var known []string
			for _, sub := range tmpl.get("subrepos").list {
				known = append(known, sub.text("name"))
			}
			for _, el := range subs.list {
				if el.kind == kindString && !slices.Contains(known, el.str) {
					c.unknownName(el, "subrepo", known, fmt.Sprintf(" in repository set %q", s.name))
				}
			}
		}
		for _, member := range p.setMembers(s.val) {
			if first := owner[member]; first != nil {
				d := c.add(s.val, "config/duplicate", "repository set %q makes a repository %q, which exists already", s.name, member)
				d.Related = []diag.Related{{Pos: first.pos(), Message: fmt.Sprintf("%q comes from here", member)}}
				d.Hint = "give the set another name-prefix"
				continue
			}
			owner[member] = s.val
		}
	}
}

func (p *Project) checkPackages(c *checker) {
	type home struct {
		group string
		val   *value
	}
	groups := p.root.get("package-groups").entries()
	n := 0
	for _, g := range groups {
		if list := g.val.get("packages"); list != nil {
			n += len(list.list)
		}
	}
	owner := make(map[string]home, n)
	for _, g := range groups {
		list := g.val.get("packages")
		if list == nil || list.kind != kindList {
			continue
		}
		for _, pkg := range list.list {
			if first, ok := owner[pkg.str]; ok && first.group != g.name {
				d := c.add(pkg, "config/duplicate", "package %q is in the package groups %q and %q", pkg.str, first.group, g.name)
				d.Related = []diag.Related{{Pos: first.val.pos(), Message: fmt.Sprintf("in group %q here", first.group)}}
				continue
			}
			owner[pkg.str] = home{g.name, pkg}
		}
	}
}

func (p *Project) checkImages(c *checker) {
	suites := p.root.get("test-suites")
	for _, img := range p.root.get("images").entries() {
		list := img.val.get("tests", "test-suites")
		if list == nil || list.kind != kindList {
			continue
		}
		for _, el := range list.list {
			if name := el.get("name"); name != nil && name.str != "" && suites.entry(name.str) == nil {
				c.unknownName(name, "test suite", suites.names(), fmt.Sprintf(" in image %q", img.name))
			}
		}
	}
}
