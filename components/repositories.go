package components

import (
	"fmt"
	"slices"
	"strings"

	"specgraft/components/distro"
	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// Repositories returns the repositories that a name stands for: the one of
// [resources.rpm-repos], or all of a set of [resources.rpm-repo-sets].
func (p *Project) Repositories(name string) ([]distro.Repository, error) {
	res := p.root.Get("resources")
	if r := res.Get("rpm-repos", name); r != nil {
		if r.Text("base-uri") == "" {
			d := &diag.Diagnostic{Pos: r.Pos(), Code: "config/missing-key", Message: fmt.Sprintf("repository %q has a metalink and no base-uri", name),
				Hint: "give the address of one of its mirrors instead of the name"}
			return nil, d
		}
		return []distro.Repository{{Name: name, Kind: "binary", URI: r.Text("base-uri"), Arches: r.Get("arches").Strings()}}, nil
	}
	set := res.Get("rpm-repo-sets", name)
	if set == nil {
		d := diag.Errorf("config/unknown-reference", "no repository or set of repositories is called %q", name)
		if n := diag.Nearest(name, p.RepositoryNames()); n != "" {
			d.Hint = fmt.Sprintf("did you mean %q?", n)
		}
		return nil, d
	}
	var list []distro.Repository
	chosen := set.Get("subrepos").Strings()
	subs := res.Get("rpm-repo-set-templates", set.Text("template"), "subrepos")
	if subs == nil || subs.Kind != toml.KindList {
		return nil, nil
	}
	for _, sub := range subs.List {
		if n := sub.Text("name"); len(chosen) == 0 || slices.Contains(chosen, n) {
			kind := sub.Text("kind")
			if kind == "" {
				kind = "binary"
			}
			list = append(list, distro.Repository{Name: set.Text("name-prefix") + n, Kind: kind,
				URI: strings.TrimSuffix(set.Text("base-uri"), "/") + "/" + sub.Text("subpath"), Arches: set.Get("arches").Strings()})
		}
	}
	return list, nil
}

// BuildRepositories returns the repositories of built packages that builds of the
// default distribution take packages from: inputs.rpm-build of its version, or
// without any the repos of the distribution. Names of none are left out and come as
// problems.
func (p *Project) BuildRepositories() ([]distro.Repository, diag.List) {
	var list []distro.Repository
	var problems diag.List
	add := func(r distro.Repository) {
		if r.Kind == "binary" {
			list = append(list, r)
		}
	}
	d, v := p.DistroVersion(p.DefaultDistro)
	if v == nil {
		return nil, nil
	}
	inputs := p.root.Get("distros", d.Name, "versions", v.Name, "inputs", "rpm-build")
	if inputs == nil || inputs.Kind != toml.KindList || len(inputs.List) == 0 {
		for _, uri := range d.Repos {
			add(distro.Repository{Name: d.Name, Kind: "binary", URI: uri})
		}
		return list, nil
	}
	for _, in := range inputs.List {
		name := in.Text("repo") + in.Text("set") // one of which is there
		if r := p.root.Get("resources", "rpm-repos", in.Text("repo")); r != nil && r.Text("metalink") != "" {
			add(distro.Repository{Name: name, Kind: "binary", URI: r.Text("metalink"), Arches: r.Get("arches").Strings(), Linked: true})
			continue
		}
		repos, err := p.Repositories(name)
		if err != nil {
			problems.Take(err)
			continue
		}
		for _, r := range repos {
			add(r)
		}
	}
	return list, problems
}

// RepositoryNames returns the names that Repositories takes, sorted.
func (p *Project) RepositoryNames() []string {
	res := p.root.Get("resources")
	names := append(res.Get("rpm-repos").Names(), res.Get("rpm-repo-sets").Names()...)
	slices.Sort(names)
	return slices.Compact(names)
}

// BuildRepositoriesFor returns the repositories of BuildRepositories as they serve
// some architectures, each address once. Those without a usable address are left out
// and come as problems.
func (p *Project) BuildRepositoriesFor(arches []string) ([]distro.Served, diag.List) {
	repos, problems := p.BuildRepositories()
	releasever := ""
	d, v := p.DistroVersion(p.DefaultDistro)
	if v != nil {
		releasever = v.ReleaseVer
	}
	var list []distro.Served
	for _, r := range repos {
		if strings.Contains(r.URI, "$releasever") && releasever == "" {
			problems.Add(v.Pos, "config/missing-key", "the address of repository %q has $releasever, and version %q of distro %q has no release-ver",
				r.Name, v.Name, d.Name).Hint = "set release-ver there"
			continue
		}
		for _, arch := range arches {
			if !r.Serves(arch) {
				continue
			}
			b := distro.Served{Repository: r, Arch: arch, Address: r.Address(arch, releasever)}
			if b.Address == r.Address("", releasever) {
				b.Arch = ""
			}
			if !slices.ContainsFunc(list, func(o distro.Served) bool { return o.Address == b.Address }) {
				list = append(list, b)
			}
		}
	}
	return list, problems
}
