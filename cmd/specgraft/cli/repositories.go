package cli

import (
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/fedora/repodata"
	"specgraft/overlay/diag"
)

// A BuildRepository is a repository that builds take packages from, on one
// architecture.
type BuildRepository struct {
	distro.Repository
	Arch    string // "" when its address is the same for all
	Address string // with its variables filled in
}

// BuildRepositories returns the repositories that builds of a project take packages
// from on some architectures, each address once. Those without a usable address are
// left out and come as problems.
func BuildRepositories(p *components.Project, arches []string) ([]BuildRepository, diag.List) {
	repos, problems := p.BuildRepositories()
	releasever := ""
	d, v := p.DistroVersion(p.DefaultDistro)
	if v != nil {
		releasever = v.ReleaseVer
	}
	var list []BuildRepository
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
			b := BuildRepository{r, arch, r.Address(arch, releasever)}
			if b.Address == r.Address("", releasever) {
				b.Arch = ""
			}
			if !slices.ContainsFunc(list, func(o BuildRepository) bool { return o.Address == b.Address }) {
				list = append(list, b)
			}
		}
	}
	return list, problems
}

// KeptMetadata opens the metadata of repositories in the cache.
func (g *Globals) KeptMetadata(log func(string)) (*repodata.Kept, error) {
	dir, err := g.WorkCache()
	if err != nil {
		return nil, err
	}
	l, err := g.Lookaside(log)
	if err != nil {
		return nil, err
	}
	return &repodata.Kept{Dir: filepath.Join(dir, "repodata.v1"), Lookaside: l}, nil
}
