package components

import (
	"fmt"
	"slices"
	"strings"

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
	res := p.root.get("resources")
	if r := res.get("rpm-repos", name); r != nil {
		if r.text("base-uri") == "" {
			d := &diag.Diagnostic{Pos: r.pos(), Code: "config/missing-key", Message: fmt.Sprintf("repository %q has a metalink and no base-uri", name),
				Hint: "give the address of one of its mirrors instead of the name"}
			return nil, d
		}
		return []Repository{{name, "binary", r.text("base-uri"), r.get("arches").strings()}}, nil
	}
	set := res.get("rpm-repo-sets", name)
	if set == nil {
		d := diag.Errorf("config/unknown-reference", "no repository or set of repositories is called %q", name)
		if n := diag.Nearest(name, p.RepositoryNames()); n != "" {
			d.Hint = fmt.Sprintf("did you mean %q?", n)
		}
		return nil, d
	}
	var list []Repository
	chosen := set.get("subrepos").strings()
	subs := res.get("rpm-repo-set-templates", set.text("template"), "subrepos")
	if subs == nil || subs.kind != kindList {
		return nil, nil
	}
	for _, sub := range subs.list {
		if n := sub.text("name"); len(chosen) == 0 || slices.Contains(chosen, n) {
			kind := sub.text("kind")
			if kind == "" {
				kind = "binary"
			}
			list = append(list, Repository{set.text("name-prefix") + n, kind,
				strings.TrimSuffix(set.text("base-uri"), "/") + "/" + sub.text("subpath"), set.get("arches").strings()})
		}
	}
	return list, nil
}

// RepositoryNames returns the names that Repositories takes, sorted.
func (p *Project) RepositoryNames() []string {
	res := p.root.get("resources")
	names := append(res.get("rpm-repos").names(), res.get("rpm-repo-sets").names()...)
	slices.Sort(names)
	return slices.Compact(names)
}
