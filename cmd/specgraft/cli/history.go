package cli

import (
	"context"
	"errors"
	"strings"

	"specgraft/components"
	"specgraft/render/revision"
)

// OpenHistory opens the repository that the project is in.
func (g *Globals) OpenHistory(ctx context.Context, p *components.Project) (*revision.History, error) {
	h, err := revision.Open(ctx, p, g.LoadOptions())
	if err == nil {
		h.TempDir = func() (string, error) { return g.TempDir("commit") }
		g.Closers = append(g.Closers, h.Close)
	}
	return h, err
}

// LastLocked returns the revision that last decided what a component is built
// from.
func LastLocked(h *revision.History, p *components.Project, name string) (*revision.Revision, error) {
	if p.WithoutLocks {
		return h.LastPinned(name)
	}
	return h.LastLocked(name)
}

// Resolve looks up the revision that the user named.
func Resolve(h *revision.History, ref string) (*revision.Revision, error) {
	r, err := h.Resolve(ref)
	if _, ok := errors.AsType[*revision.UnknownError](err); ok {
		if a, b, ok := strings.Cut(ref, ".."); ok && a != "" && b != "" {
			return nil, Usagef("%q is a range, not a commit: write --from %s --to %s, or --from %[2]s...%[3]s to begin where %[3]s left %[2]s", ref, a, b)
		}
		return nil, AsUsage(err)
	}
	return r, err
}

// ResolveRange looks up what --from and --to name; without --to the working tree
// is the end, and without --from there is no start. A --from of the form A...B
// is a range by itself: from where B left A to B.
func ResolveRange(h *revision.History, from, to string, toGiven bool) (start, end *revision.Revision, err error) {
	if a, b, ok := strings.Cut(from, "..."); ok {
		if toGiven {
			return nil, nil, Usagef("--from %s names both ends: leave --to out", from)
		}
		if start, end, err = h.Between(a, b); err != nil {
			if _, ok := errors.AsType[*revision.UnknownError](err); ok {
				err = AsUsage(err)
			}
		}
		return start, end, err
	}
	if end = h.Worktree(); to != "" {
		if end, err = Resolve(h, to); err != nil {
			return nil, nil, err
		}
	}
	if from != "" {
		start, err = Resolve(h, from)
	}
	return start, end, err
}
