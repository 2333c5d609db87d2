package cli

import (
	"path/filepath"

	"specgraft/fedora/repodata"
)

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
