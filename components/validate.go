package components

import (
	"fmt"
	"slices"
	"strings"

	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// validate holds the rules that need the whole configuration. References are
// not checked in an incomplete one.
func (p *Project) validate(incomplete bool) diag.List {
	c := &schema.Checker{}
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
		for i := range c.Diags {
			c.Diags[i].Severity = diag.Warning
		}
	}
	// Confinement is about safety: permissive loading does not touch it.
	proj := p.root.Get("project")
	for _, key := range []string{"log-dir", "work-dir", "output-dir", "rendered-specs-dir", "lock-dir"} {
		p.confined(&c.Diags, proj.Get(key))
	}
	p.confined(&c.Diags, proj.Get("specgraft", "templates-dir"))
	for _, d := range p.root.Get("distros").Entries() {
		for _, v := range d.Val.Get("versions").Entries() {
			p.confined(&c.Diags, v.Val.Get("macro-set"))
		}
	}
	for _, g := range p.root.Get("component-groups").Entries() {
		for _, key := range []string{"specs", "excluded-paths"} {
			if list := g.Val.Get(key); list != nil {
				for _, el := range list.List {
					p.confined(&c.Diags, el)
				}
			}
		}
	}
	return c.Diags
}

// confined reports a path value that leads outside the project.
func (p *Project) confined(list *diag.List, v *toml.Value) bool {
	path := v.Path()
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
func (p *Project) checkDirs(c *schema.Checker) {
	v := p.root.Get("project", "rendered-specs-dir")
	if v == nil || v.Path() == "" {
		return
	}
	if dir := v.Path(); within(dir, p.Dir) {
		c.Add(v, "config/bad-value", "project.rendered-specs-dir: %q is the project itself or a directory above it", v.Str).
			Hint = "rendered specs need a directory of their own"
	}
}

func (p *Project) checkGroups(c *schema.Checker) {
	comps := p.root.Get("components")
	for _, g := range p.root.Get("component-groups").Entries() {
		members := g.Val.Get("components")
		if members == nil || members.Kind != toml.KindList {
			continue
		}
		for _, m := range members.List {
			if m.Kind == toml.KindString && comps.Entry(m.Str) == nil {
				c.UnknownName(m, "component", comps.Names(), fmt.Sprintf(" in component group %q", g.Name))
			}
		}
	}
}

func (p *Project) checkDistros(c *schema.Checker) {
	distros := p.root.Get("distros")
	ref := func(v *toml.Value, at string) {
		name := v.Get("name")
		if name == nil || name.Str == "" {
			return
		}
		d := distros.Get(name.Str)
		if d == nil {
			c.UnknownName(name, "distro", distros.Names(), " in "+at)
			return
		}
		if ver := v.Get("version"); ver != nil && ver.Str != "" && d.Get("versions", ver.Str) == nil {
			c.UnknownName(ver, "version", d.Get("versions").Names(), fmt.Sprintf(" of distro %q in %s", name.Str, at))
		}
	}
	ref(p.root.Get("project", "default-distro"), "project.default-distro")
	for _, d := range distros.Entries() {
		versions := d.Val.Get("versions")
		if dv := d.Val.Get("default-version"); dv != nil && dv.Str != "" && versions.Entry(dv.Str) == nil {
			c.UnknownName(dv, "version", versions.Names(), fmt.Sprintf(" of distro %q in default-version", d.Name))
		}
		for _, v := range versions.Entries() {
			p.checkInputs(c, v.Val, fmt.Sprintf("distros.%s.versions.%s.inputs", toml.QuoteKey(d.Name), toml.QuoteKey(v.Name)))
		}
	}
}

// checkInputs holds the rules of a version's input repositories.
func (p *Project) checkInputs(c *schema.Checker, version *toml.Value, at string) {
	repos, sets := p.root.Get("resources", "rpm-repos"), p.root.Get("resources", "rpm-repo-sets")
	for _, use := range []string{"rpm-build", "image-build"} {
		list := version.Get("inputs", use)
		if list == nil || list.Kind != toml.KindList {
			continue
		}
		seen := map[string]*toml.Value{}
		take := func(name string, by *toml.Value) {
			if first := seen[name]; first != nil {
				d := c.Add(by, "config/duplicate", "repository %q is in %s.%s twice", name, at, use)
				d.Related = []diag.Related{{Pos: first.Pos(), Message: "first given here"}}
				return
			}
			seen[name] = by
		}
		local := func(def *toml.Value, by *toml.Value) {
			key := def.Get("gpg-key")
			if use == "rpm-build" && key != nil && key.Str != "" && !strings.Contains(key.Str, "://") {
				d := c.Add(by, "config/conflict", "%q has a key in a file, which %s.rpm-build cannot use", by.Str, at)
				d.Related = []diag.Related{{Pos: key.Pos(), Message: "key is given here"}}
				d.Hint = "give the key as an https:// address"
			}
		}
		for _, in := range list.List {
			repo, set := in.Get("repo"), in.Get("set")
			switch {
			case repo != nil && repo.Str != "":
				def := repos.Get(repo.Str)
				if def == nil {
					c.UnknownName(repo, "repository", repos.Names(), fmt.Sprintf(" in %s.%s", at, use))
					continue
				}
				take(repo.Str, repo)
				local(def, repo)
			case set != nil && set.Str != "":
				def := sets.Get(set.Str)
				if def == nil {
					c.UnknownName(set, "repository set", sets.Names(), fmt.Sprintf(" in %s.%s", at, use))
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
func (p *Project) setMembers(set *toml.Value) []string {
	tmpl := p.root.Get("resources", "rpm-repo-set-templates", set.Text("template"))
	prefix := set.Text("name-prefix")
	var names []string
	chosen := set.Get("subrepos").Strings()
	if subs := tmpl.Get("subrepos"); subs != nil && subs.Kind == toml.KindList {
		for _, sub := range subs.List {
			if name := sub.Text("name"); name != "" && (len(chosen) == 0 || slices.Contains(chosen, name)) {
				names = append(names, prefix+name)
			}
		}
	}
	return names
}

func (p *Project) checkResources(c *schema.Checker) {
	res := p.root.Get("resources")
	repos, tmpls := res.Get("rpm-repos"), res.Get("rpm-repo-set-templates")
	owner := map[string]*toml.Value{}
	for _, r := range repos.Entries() {
		owner[r.Name] = r.Val
	}
	for _, s := range res.Get("rpm-repo-sets").Entries() {
		name := s.Val.Get("template")
		if name == nil || name.Str == "" {
			continue
		}
		tmpl := tmpls.Get(name.Str)
		if tmpl == nil {
			c.UnknownName(name, "repository set template", tmpls.Names(), fmt.Sprintf(" in repository set %q", s.Name))
			continue
		}
		if subs := s.Val.Get("subrepos"); subs != nil && !tmpl.Src.Builtin() {
			var known []string
			for _, sub := range tmpl.Get("subrepos").List {
				known = append(known, sub.Text("name"))
			}
			for _, el := range subs.List {
				if el.Kind == toml.KindString && !slices.Contains(known, el.Str) {
					c.UnknownName(el, "subrepo", known, fmt.Sprintf(" in repository set %q", s.Name))
				}
			}
		}
		for _, member := range p.setMembers(s.Val) {
			if first := owner[member]; first != nil {
				d := c.Add(s.Val, "config/duplicate", "repository set %q makes a repository %q, which exists already", s.Name, member)
				d.Related = []diag.Related{{Pos: first.Pos(), Message: fmt.Sprintf("%q comes from here", member)}}
				d.Hint = "give the set another name-prefix"
				continue
			}
			owner[member] = s.Val
		}
	}
}

func (p *Project) checkPackages(c *schema.Checker) {
	type home struct {
		group string
		val   *toml.Value
	}
	groups := p.root.Get("package-groups").Entries()
	n := 0
	for _, g := range groups {
		if list := g.Val.Get("packages"); list != nil {
			n += len(list.List)
		}
	}
	owner := make(map[string]home, n)
	for _, g := range groups {
		list := g.Val.Get("packages")
		if list == nil || list.Kind != toml.KindList {
			continue
		}
		for _, pkg := range list.List {
			if first, ok := owner[pkg.Str]; ok && first.group != g.Name {
				d := c.Add(pkg, "config/duplicate", "package %q is in the package groups %q and %q", pkg.Str, first.group, g.Name)
				d.Related = []diag.Related{{Pos: first.val.Pos(), Message: fmt.Sprintf("in group %q here", first.group)}}
				continue
			}
			owner[pkg.Str] = home{g.Name, pkg}
		}
	}
}

func (p *Project) checkImages(c *schema.Checker) {
	suites := p.root.Get("test-suites")
	for _, img := range p.root.Get("images").Entries() {
		list := img.Val.Get("tests", "test-suites")
		if list == nil || list.Kind != toml.KindList {
			continue
		}
		for _, el := range list.List {
			if name := el.Get("name"); name != nil && name.Str != "" && suites.Entry(name.Str) == nil {
				c.UnknownName(name, "test suite", suites.Names(), fmt.Sprintf(" in image %q", img.Name))
			}
		}
	}
}
