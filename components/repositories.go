package components

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// A Repository is a package repository that the project's resources name.
type Repository struct {
	Name   string
	Kind   string   // "binary", "debug" or "source"
	URI    string   // base address, may hold $basearch and $releasever
	Arches []string // that it serves, nil for all
}

// Repositories returns the repositories that a name stands for: the one of
// [resources.rpm-repos], or all of a set of [resources.rpm-repo-sets].
func (p *Project) Repositories(name string) ([]Repository, error) {
	res := p.root.Get("resources")
	if r := res.Get("rpm-repos", name); r != nil {
		if r.Text("base-uri") == "" {
			d := &diag.Diagnostic{Pos: r.Pos(), Code: "config/missing-key", Message: fmt.Sprintf("repository %q has a metalink and no base-uri", name),
				Hint: "give the address of one of its mirrors instead of the name"}
			return nil, d
		}
		return []Repository{{name, "binary", r.Text("base-uri"), r.Get("arches").Strings()}}, nil
	}
	set := res.Get("rpm-repo-sets", name)
	if set == nil {
		d := diag.Errorf("config/unknown-reference", "no repository or set of repositories is called %q", name)
		if n := diag.Nearest(name, p.RepositoryNames()); n != "" {
			d.Hint = fmt.Sprintf("did you mean %q?", n)
		}
		return nil, d
	}
	var list []Repository
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
			list = append(list, Repository{set.Text("name-prefix") + n, kind,
				strings.TrimSuffix(set.Text("base-uri"), "/") + "/" + sub.Text("subpath"), set.Get("arches").Strings()})
		}
	}
	return list, nil
}

// BuildRepositories returns the repositories of built packages that builds of the
// default distribution take packages from: inputs.rpm-build of its version, or
// without any the repos of the distribution. Those that have no address are left out
// and come as problems.
func (p *Project) BuildRepositories() ([]Repository, diag.List) {
	var list []Repository
	var problems diag.List
	add := func(r Repository) {
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
			add(Repository{Name: d.Name, Kind: "binary", URI: uri})
		}
		return list, nil
	}
	for _, in := range inputs.List {
		name := in.Text("repo") + in.Text("set") // one of which is there
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

// Serves reports whether a repository has packages for an architecture.
func (r *Repository) Serves(arch string) bool {
	return len(r.Arches) == 0 || slices.Contains(r.Arches, arch)
}

// baseArches are the architectures whose repositories dnf calls by another name.
var baseArches = map[string]string{"i686": "i386", "armv7hl": "armhfp"}

// Address fills the variables of dnf into the repository's address.
func (r *Repository) Address(arch, releasever string) string {
	return strings.NewReplacer("$basearch", cmp.Or(baseArches[arch], arch), "$arch", arch, "$releasever", releasever).Replace(r.URI)
}

// RepositoryNames returns the names that Repositories takes, sorted.
func (p *Project) RepositoryNames() []string {
	res := p.root.Get("resources")
	names := append(res.Get("rpm-repos").Names(), res.Get("rpm-repo-sets").Names()...)
	slices.Sort(names)
	return slices.Compact(names)
}
