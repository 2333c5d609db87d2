package rebase

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/fedora"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/patch"
	"specgraft/overlay/spec"
	"specgraft/render"
)

// A Rebaser rebases components of one project onto another upstream.
type Rebaser struct {
	Renderer *render.Renderer // renders without history
	Same     func(a, b *overlay.Tree) bool
	// Today is the day that dates in metadata are compared with, as
	// 2006-01-02: the caller asks the clock, or does not.
	Today string
	// Sources gives the unpacked archive of a component at an upstream commit;
	// nil when there is none at hand.
	Sources func(ctx context.Context, c *components.Component, t *overlay.Tree) (*SourceTree, error)
}

// A Component is what becomes of a component's overlays on another upstream.
type Component struct {
	*Comparison
	Name     string
	Config   *components.Component
	From, To string // commits
	// Versions are the Version tags of both specs, as written.
	FromVersion, ToVersion string
	// Notes are remarks on how the commits were found.
	Notes []string
	// Due are the overlays whose time has come on the new upstream.
	Due []Due
	// Proven says that the component renders with all proposals; Problems say
	// why it does not.
	Proven   bool
	Problems diag.List
}

// Target says which commit of a component's upstream is meant: "latest" or ""
// for the head of its branch, a commit, a date (RFC 3339, or a day, meaning its
// beginning in UTC) for the newest commit before it, else a branch.
func Target(u distro.Upstream, name, to string) fedora.Request {
	r := fedora.Request{URL: u.URL, Mirrors: u.Mirrors, Branch: u.Branch, Component: name}
	switch at, err := when(to); {
	case to == "" || to == "latest":
		r.Refresh = true
	case err == nil:
		r.Snapshot = at
	case isHex(to):
		r.Commit = to
	default:
		r.Branch, r.Refresh = to, true
	}
	return r
}

func when(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	return time.Parse(time.DateOnly, s)
}

func isHex(s string) bool {
	return len(s) >= 7 && len(s) <= 40 && strings.Trim(s, "0123456789abcdef") == ""
}

// Component compares the overlays of a component on its upstream and on
// another commit.
func (b *Rebaser) Component(ctx context.Context, c *components.Component, to string) (*Component, error) {
	r := b.Renderer
	if !c.IsUpstream() {
		return nil, &diag.Diagnostic{Pos: c.Pos, Code: "rebase/no-upstream", Component: c.Name, Message: fmt.Sprintf("component %s has no upstream to be rebased on", c.Name)}
	}
	u, problems := r.Project.Upstream(c)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if u.Source == "srpm" {
		return nil, &diag.Diagnostic{Pos: c.Pos, Code: "rebase/no-upstream", Component: c.Name, Message: fmt.Sprintf("component %s is made from source packages, which have no history", c.Name),
			Hint: "`specgraft rebase --specs` compares two specs"}
	}
	res := &Component{Name: c.Name, Config: c}
	commit, err := r.Store.Resolve(ctx, Target(u, c.Name, to))
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok && d.Code == "fedora/no-branch" && to != "" && to != "latest" {
		commit, err = b.tag(ctx, u, to, d)
	}
	if err != nil {
		return nil, placed(err, c, u)
	}
	res.To = commit
	old, err := b.old(ctx, c, u, res)
	if err != nil {
		return nil, err
	}
	if res.From == res.To {
		old.Spec = old.Spec.Clone()
	}
	new, err := TreeAt(ctx, r.Store, u, c.Name, res.To)
	if err != nil {
		return nil, placed(err, c, u)
	}
	res.FromVersion, res.ToVersion = VersionOf(old.Spec), VersionOf(new.Spec)
	opt := Options{Source: r.OpenSource(), Same: b.Same, PatchIDs: sync.OnceValue(func() map[string]string {
		return b.patchIDs(ctx, u, c.Name, res.From, res.To)
	})}
	if b.Sources != nil {
		opt.Sources = func(t *overlay.Tree) (*SourceTree, error) { return b.Sources(ctx, c, t) }
	}
	if res.Comparison, err = Compare(old, new, c.Overlays, opt); err != nil {
		return nil, inComponent(err, c.Name)
	}
	res.Due = b.Due(ctx, c, new, res.To)
	b.prove(ctx, res, new, u)
	return res, nil
}

// tag resolves the name of a tag; when there is none, the error is that of the
// branch of that name.
func (b *Rebaser) tag(ctx context.Context, u distro.Upstream, name string, missing error) (string, error) {
	repo, err := b.Renderer.Store.Repo(ctx, u.URL)
	if err != nil {
		return "", missing
	}
	defer repo.Close()
	id, err := repo.RevParse(name)
	if err != nil {
		return "", missing
	}
	return id, nil
}

// placed puts an error of the store at the component.
func placed(err error, c *components.Component, u distro.Upstream) error {
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		at := c.PlaceUpstream(*d, u)
		return &at
	}
	return err
}

func inComponent(err error, name string) error {
	if l, ok := errors.AsType[diag.ListError](err); ok {
		for i := range l {
			l[i].Component = name
		}
	}
	return err
}

// old returns the packaging that the overlays were made for. A commit that a
// rewritten history no longer has is replaced by the nearest to what the
// rendered tree was made from.
func (b *Rebaser) old(ctx context.Context, c *components.Component, u distro.Upstream, res *Component) (*overlay.Tree, error) {
	tree, src, err := b.Renderer.Source(ctx, c)
	if err == nil {
		res.From = src.Commit
		return tree, nil
	}
	d, ok := errors.AsType[*diag.Diagnostic](err)
	if !ok || d.Code != "fedora/missing-commit" && d.Code != "fedora/bad-ref" {
		return nil, err
	}
	file := filepath.Join(b.Renderer.Project.RenderedDir, filepath.FromSlash(render.ComponentDir(c.Name)), c.Name+".spec")
	data, rerr := os.ReadFile(file)
	if rerr != nil {
		return nil, err
	}
	// The store looks for the history of what it was asked for last.
	if _, rerr := b.Renderer.Store.Resolve(ctx, fedora.Request{URL: u.URL, Mirrors: u.Mirrors, Branch: u.Branch, Commit: res.To, Component: c.Name}); rerr != nil {
		return nil, err
	}
	near, nerr := NearestCommit(ctx, b.Renderer.Store, u, res.To, spec.Parse(file, data))
	if nerr != nil {
		return nil, err
	}
	res.From = near.Commit
	res.Notes = append(res.Notes, fmt.Sprintf("commit %.12s is no longer in the history of %s; %.12s is nearest to what is rendered (%d of %d lines)",
		src.Request.Commit, u.Branch, near.Commit, near.Same, near.Lines))
	tree, err = TreeAt(ctx, b.Renderer.Store, u, c.Name, near.Commit)
	return tree, err
}

// VersionOf returns the Version tag of the main package, as written.
func VersionOf(f *spec.File) string {
	for t := range f.Tags() {
		if t.Section == 0 && strings.EqualFold(t.Name, "Version") {
			return t.Value
		}
	}
	return ""
}

// patchIDs reads the patches that the packaging had between two commits and no
// longer has.
func (b *Rebaser) patchIDs(ctx context.Context, u distro.Upstream, name, from, to string) map[string]string {
	repo, err := b.Renderer.Store.Repo(ctx, u.URL)
	if err != nil {
		return nil
	}
	defer repo.Close()
	logs, err := repo.PathLog(ctx, to, ".")
	if err != nil {
		return nil
	}
	const most = 2000
	ids, looked := map[string]string{}, 0
	for _, p := range slices.Sorted(maps.Keys(logs)) {
		if !strings.HasSuffix(p, ".patch") && !strings.HasSuffix(p, ".diff") {
			continue
		}
		for _, change := range logs[p] {
			if change.Blob == "" {
				continue
			}
			if looked++; looked > most {
				return ids
			}
			data, err := repo.Blob(change.Blob)
			if err != nil {
				continue
			}
			if id := patch.ID(data); id != "" {
				ids[id] = fmt.Sprintf("as %s since commit %.12s", p, change.Commit)
			}
		}
	}
	return ids
}

// Config returns the component with the overlays that the proposals leave.
func (c *Component) config() *components.Component {
	with := *c.Config
	with.Overlays = nil
	for i := range c.Overlays {
		if o := &c.Overlays[i]; o.Proposed {
			with.Overlays = append(with.Overlays, o.Proposal...)
		} else {
			with.Overlays = append(with.Overlays, *o.Op)
		}
	}
	return &with
}

// prove renders the component with the proposals on the new upstream.
func (b *Rebaser) prove(ctx context.Context, res *Component, new *overlay.Tree, u distro.Upstream) {
	text := new.Spec.Bytes()
	src := render.Source{Commit: res.To, Pristine: text, Mode: 0o644,
		Request: fedora.Request{URL: u.URL, Mirrors: u.Mirrors, Branch: u.Branch, Commit: res.To, Component: res.Name}}
	out := b.Renderer.RenderTree(ctx, res.config(), clone(new), src)
	res.Proven = !out.Failed()
	for _, d := range out.Diags {
		if d.Severity == diag.Error {
			res.Problems = append(res.Problems, d)
		}
	}
}

// Ready reports whether the component renders on the new upstream once the
// proposals are taken, and nothing is left for a person to find out.
func (c *Component) Ready() bool { return c.Proven && c.settled() }
