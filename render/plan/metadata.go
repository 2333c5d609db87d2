package plan

import (
	"maps"
	"slices"
	"strings"

	"specgraft/fedora/macro"
	"specgraft/fedora/repodata"
	"specgraft/render/facts"
)

// Metadata is what repositories say of built packages.
type Metadata struct{ Packages []repodata.Built }

// ReadMetadata reads the metadata of repositories. The lists of files are read when
// a component build-requires a file. Without repositories it returns nil.
func ReadMetadata(repos []repodata.Reader, list []facts.Component) (*Metadata, error) {
	if len(repos) == 0 {
		return nil, nil
	}
	files := map[string]bool{}
	note := func(texts []string) {
		for _, text := range texts {
			if !strings.Contains(text, "/") {
				continue
			}
			for _, d := range macro.ParseDependencies(text) {
				d.Walk(func(d *macro.Dependency) {
					if strings.HasPrefix(d.Name, "/") {
						files[d.Name] = true
					}
				})
			}
		}
	}
	for _, c := range list {
		if c.Facts == nil {
			continue
		}
		note(c.Facts.BuildRequires)
		for i := range c.Facts.Packages {
			for _, kind := range facts.NeedKinds {
				note(c.Facts.Packages[i].Needs[kind])
			}
		}
	}
	md := &Metadata{}
	wanted := slices.Sorted(maps.Keys(files))
	for _, read := range repos {
		built, err := read(wanted)
		if err != nil {
			return nil, err
		}
		md.Packages = append(md.Packages, built...)
	}
	return md, nil
}
