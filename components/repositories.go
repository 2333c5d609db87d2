package components

import (
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

// RepositoryNames returns the names that Repositories takes, sorted.
func (p *Project) RepositoryNames() []string {
	res := p.root.Get("resources")
	names := append(res.Get("rpm-repos").Names(), res.Get("rpm-repo-sets").Names()...)
	slices.Sort(names)
	return slices.Compact(names)
}
