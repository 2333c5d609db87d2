package render

import (
	"container/heap"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"specgraft/components"
	"specgraft/components/lock"
	"specgraft/fedora/autospec"
	"specgraft/fedora/distgit"
	"specgraft/overlay/diag"
)

// A configHistory is the project's repository as far as it concerns the files
// that components are configured by. It stands in for the history of locks in
// a project that has none.
type configHistory struct {
	top   string
	log   map[string][]distgit.PathChange // by path below top
	order map[string]int                  // of commits, newest first
}

// openConfigHistory reads which commits touched the files of the components'
// effective configuration, with one child process for all of them.
func (r *Renderer) openConfigHistory(ctx context.Context, names []string) error {
	repo, top, head, err := r.openProject(ctx, r.Project.Dir)
	if repo == nil || err != nil {
		return err
	}
	if head == "" {
		return repo.Close()
	}
	h := &projectHistory{repo: repo, shallow: repo.Shallow(), locks: map[string]*lock.Lock{},
		commits: map[string]*distgit.Commit{}, config: &configHistory{top: top}}
	if err := h.readConfig(ctx, r.Project, names, head); err != nil {
		return errors.Join(err, repo.Close())
	}
	r.history = h
	return nil
}

func (h *projectHistory) readConfig(ctx context.Context, p *components.Project, names []string, head string) error {
	c, err := h.commit(head)
	if err != nil {
		return err
	}
	h.when = c.Committer.When
	paths := map[string]bool{}
	for _, name := range names {
		c, diags := p.Component(name)
		if c == nil || diags.HasErrors() {
			continue // rendering it reports why
		}
		files, err := p.ConfigFiles(c)
		if err != nil {
			continue // likewise
		}
		for _, f := range files {
			if rel, ok := h.config.below(f); ok {
				paths[rel] = true
			}
		}
	}
	list := make([]string, 0, len(paths))
	for f := range paths {
		list = append(list, f)
	}
	slices.Sort(list)
	if len(list) > 500 {
		list = []string{"."} // a command line has its limits
	}
	if len(list) == 0 {
		return nil
	}
	if h.config.log, err = h.repo.PathLog(ctx, head, list...); err != nil {
		return err
	}
	wanted := map[string]bool{}
	for path, log := range h.config.log {
		if paths[path] {
			for _, e := range log {
				wanted[e.Commit] = true
			}
		}
	}
	return h.sortCommits(head, wanted)
}

// below returns the path of a file relative to the top of the repository, and
// whether it is below it.
func (h *configHistory) below(path string) (string, bool) {
	rel, err := filepath.Rel(h.top, path)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// sortCommits finds the order in which git log shows commits: by committer
// date, a commit never before its children.
func (h *projectHistory) sortCommits(head string, wanted map[string]bool) error {
	h.config.order = map[string]int{}
	queue := &commitQueue{}
	queued := map[string]bool{}
	add := func(id string) error {
		if queued[id] {
			return nil
		}
		queued[id] = true
		c, err := h.commit(id)
		if err == nil {
			heap.Push(queue, queuedCommit{c, len(queued)})
		}
		return err
	}
	if err := add(head); err != nil {
		return err
	}
	for left := len(wanted); left > 0 && queue.Len() > 0; {
		c := heap.Pop(queue).(queuedCommit)
		if wanted[c.ID] {
			h.config.order[c.ID] = len(h.config.order)
			left--
		}
		if h.shallow[c.ID] {
			continue
		}
		for _, p := range c.Parents {
			if err := add(p); err != nil {
				return err
			}
		}
	}
	return nil
}

type queuedCommit struct {
	*distgit.Commit
	n int // order of arrival, for equal dates
}

// commitQueue is a heap with the newest commit on top.
type commitQueue []queuedCommit

func (q commitQueue) Len() int { return len(q) }
func (q commitQueue) Less(i, j int) bool {
	if a, b := q[i].Committer.When, q[j].Committer.When; !a.Equal(b) {
		return a.After(b)
	}
	return q[i].n < q[j].n
}
func (q commitQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *commitQueue) Push(x any)   { *q = append(*q, x.(queuedCommit)) }
func (q *commitQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

// configChanges returns the commits that touched the component's configuration,
// oldest first, and one more entry when a file differs from HEAD.
func (r *Renderer) configChanges(c *components.Component, commit string) ([]autospec.Change, error) {
	h := r.history
	files, err := r.Project.ConfigFiles(c)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var ids []string
	dirty := false
	for _, f := range files {
		rel, ok := h.config.below(f)
		if !ok {
			continue
		}
		log := h.config.log[rel]
		for _, e := range log {
			if h.shallow[e.Commit] && !r.AllowShallow {
				return nil, &diag.Diagnostic{Pos: c.Pos, Code: "render/history", Env: true,
					Message: fmt.Sprintf("the history of %s is cut off: the project is a shallow clone", rel),
					Hint:    "releases count its commits; run git fetch --unshallow, or render with --allow-shallow"}
			}
			if _, ok := h.config.order[e.Commit]; ok && !seen[e.Commit] {
				seen[e.Commit] = true
				ids = append(ids, e.Commit)
			}
		}
		same, err := sameBlob(f, log)
		if err != nil {
			return nil, &diag.Diagnostic{Pos: c.Pos, Code: "render/history", Env: true,
				Message: fmt.Sprintf("cannot compare %s with the project's history: %v", rel, err)}
		}
		dirty = dirty || !same
	}
	slices.SortFunc(ids, func(a, b string) int { return h.config.order[b] - h.config.order[a] })
	var changes []autospec.Change
	for _, id := range ids {
		info, err := h.commit(id)
		if err != nil {
			return nil, err
		}
		changes = append(changes, autospec.ChangeFrom(info, ""))
	}
	if dirty {
		changes = append(changes, autospec.Dirty(commit, r.Clock()))
	}
	return changes, nil
}

// sameBlob reports whether a file is what the newest commit in its log has.
func sameBlob(path string, log []distgit.PathChange) (bool, error) {
	if len(log) == 0 || log[0].Blob == "" {
		return false, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	id := log[0].Blob
	return distgit.Object{Kind: "blob", Data: data}.ID(len(id) == 2*sha256.Size) == id, nil
}
