package rebase

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"specgraft/components"
	"specgraft/fedora/evr"
	"specgraft/fedora/macro"
	"specgraft/overlay"
)

// A Due is an overlay whose time has come, by what its metadata says.
type Due struct {
	Index  int    `json:"index"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"`

	Op *overlay.Op `json:"-"`
}

// Today is a day in the form that retire-date has.
func Today(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Due returns the overlays of a component that are due at an upstream commit,
// given its packaging there.
func (b *Rebaser) Due(ctx context.Context, c *components.Component, t *overlay.Tree, commit string) []Due {
	var list []Due
	for i := range c.Overlays {
		op := &c.Overlays[i]
		if op.Metadata == nil {
			continue
		}
		if reason := b.reason(ctx, c, op, t, commit); reason != "" {
			list = append(list, Due{Index: i, File: op.Pos.Filename, Line: op.Pos.Line, Reason: reason, Op: op})
		}
	}
	return list
}

// reason says why an overlay is due, "" when it is not.
func (b *Rebaser) reason(ctx context.Context, c *components.Component, op *overlay.Op, t *overlay.Tree, commit string) string {
	m := op.Metadata
	for _, link := range m.Commits {
		// Projects name the commits that carry a change; one of the packaging
		// itself can be looked up.
		if id := path.Base(link.URL); m.UpstreamStatus == "upstreamed" && isHex(id) && b.contains(ctx, c, commit, id) {
			return fmt.Sprintf("upstream has commit %.12s, which carries the change", id)
		}
	}
	r := m.Retire
	if r == nil {
		return ""
	}
	if r.Commit != "" && b.contains(ctx, c, commit, strings.ToLower(r.Commit)) {
		return fmt.Sprintf("upstream has commit %.12s", r.Commit)
	}
	if r.Version != "" {
		if v, ok := evaluated(t, c.Name); ok && evr.CompareVersions(v, r.Version) >= 0 {
			return fmt.Sprintf("upstream has version %s, which is not below %s", v, r.Version)
		}
	}
	if r.Date != "" && b.Today != "" && b.Today >= r.Date {
		return fmt.Sprintf("the day %s has come", r.Date)
	}
	if r.With != "" {
		if v, ok := b.versionOf(ctx, r.With); ok && evr.CompareVersions(v, r.WithVersion) >= 0 {
			return fmt.Sprintf("component %s has version %s, which is not below %s", r.With, v, r.WithVersion)
		}
	}
	return ""
}

// evaluated returns the version that a component's spec comes to.
func evaluated(t *overlay.Tree, name string) (string, bool) {
	if t == nil || t.Spec == nil {
		return "", false
	}
	s := macro.Probe(name+".spec", t.Spec.Normalized(), macro.Config{})
	if s.Rejected() != nil || !s.Version.Known {
		return "", false
	}
	return s.Version.Text, true
}

func (b *Rebaser) versionOf(ctx context.Context, name string) (string, bool) {
	c, problems := b.Renderer.Project.Component(name)
	if c == nil || problems.HasErrors() {
		return "", false
	}
	res := b.Renderer.RenderComponent(ctx, c)
	if res.Failed() {
		return "", false
	}
	return evaluated(&overlay.Tree{Name: name, Spec: res.Spec}, name)
}

// maxAncestors bounds how far a commit is looked for in history.
const maxAncestors = 50000

// contains reports whether a commit has another one, given by its name or the
// beginning of it, in its history.
func (b *Rebaser) contains(ctx context.Context, c *components.Component, commit, wanted string) bool {
	if commit == "" {
		return false
	}
	u, problems := b.Renderer.Project.Upstream(c)
	if problems.HasErrors() || u.Source == "srpm" {
		return false
	}
	repo, err := b.Renderer.Store.Repo(ctx, u.URL)
	if err != nil {
		return false
	}
	defer repo.Close()
	full, err := repo.RevParse(wanted)
	if err != nil {
		return false // a commit that is nowhere is not in the history
	}
	todo, seen := []string{commit}, map[string]bool{}
	for len(todo) > 0 && len(seen) < maxAncestors {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[id] {
			continue
		}
		seen[id] = true
		if id == full {
			return true
		}
		commit, err := repo.Commit(id)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false
		}
		for _, p := range slices.Backward(commit.Parents) {
			todo = append(todo, p)
		}
	}
	return false
}
