package lint

import (
	"context"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/render"
)

// Newer returns the commit that the snapshot of the distribution stands for,
// and whether the component's pin is older: what Options.Newer asks. What the
// mirror does not have is not fetched when the store is offline.
func Newer(ctx context.Context, r *render.Renderer, c *components.Component) (string, bool) {
	u, problems := r.Project.Upstream(c)
	if problems.HasErrors() || u.Snapshot.IsZero() || u.Commit == "" {
		return "", false
	}
	repo, err := r.Store.Repo(ctx, u.URL)
	if err != nil {
		return "", false
	}
	pin, err := repo.Commit(u.Commit)
	if err != nil {
		return "", false
	}
	commit, err := r.Store.Resolve(ctx, fedora.Request{URL: u.URL, Mirrors: u.Mirrors, Branch: u.Branch, Snapshot: u.Snapshot, Component: c.Name})
	if err != nil || commit == pin.ID {
		return "", false
	}
	latest, err := repo.Commit(commit)
	if err != nil {
		return "", false
	}
	return commit, pin.Committer.When.Before(latest.Committer.When)
}
