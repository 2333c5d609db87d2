package render

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/components/lock"
	"specgraft/fedora/autospec"
	"specgraft/fedora/distgit"
	"specgraft/overlay/diag"
)

// A pinHistory is the project's repository as far as it concerns the files that
// supply upstream commits. It stands in for the history of locks in a project
// without them: every commit that touched the file makes a release, whether
// the commit in it changed or not.
type pinHistory struct {
	cutOff *diag.Diagnostic  // set when a shallow clone lacks commits
	files  map[string]string // path below the top level, by component; absent without a pin
	log    map[string][]distgit.PathChange
}

// openPinHistory reads which commits touched the files with the components'
// upstream commits, with one child process for all of them.
func (r *Renderer) openPinHistory(ctx context.Context, names []string) error {
	repo, top, head, err := r.openProject(ctx, r.Project.Dir)
	if repo == nil || err != nil {
		return err
	}
	h := &projectHistory{repo: repo, shallow: repo.Shallow(), locks: map[string]*lock.Lock{}, commits: map[string]*distgit.Commit{},
		pins: &pinHistory{files: map[string]string{}, log: map[string][]distgit.PathChange{}}}
	if head == "" {
		r.history = h // there are no changes
		return nil
	}
	err = h.readPins(ctx, r.Project, names, head, top)
	if err == nil && h.pins.cutOff != nil {
		err = r.shallowClone(h.pins.cutOff)
	}
	if err != nil {
		return errors.Join(err, repo.Close())
	}
	r.history = h
	return nil
}

// maxLogPaths bounds how many paths one command line names.
const maxLogPaths = 200

func (h *projectHistory) readPins(ctx context.Context, p *components.Project, names []string, head, top string) error {
	c, err := h.commit(head)
	if err != nil {
		return err
	}
	h.when = c.Committer.When
	paths := map[string]bool{}
	for _, name := range names {
		c, diags := p.Component(name)
		if c == nil || diags.HasErrors() || !c.IsUpstream() {
			continue // has no changes of its own, or rendering it reports why
		}
		file, _ := p.PinFile(c)
		if file == "" {
			continue
		}
		rel, err := filepath.Rel(top, file)
		if err != nil || !filepath.IsLocal(rel) {
			continue // not in the project's repository, so not in its history
		}
		rel = filepath.ToSlash(rel)
		h.pins.files[name] = rel
		paths[rel] = true
	}
	if len(paths) == 0 {
		return nil
	}
	if h.pins.log, err = h.repo.PathLog(ctx, head, logPaths(paths)...); err != nil {
		return err
	}
	var cut []string
	var blobs []string
	for name, file := range h.pins.files {
		log := h.pins.log[file]
		if n := len(log); n > 0 && h.shallow[log[n-1].Commit] || n == 0 && len(h.shallow) > 0 {
			cut = append(cut, name)
		}
		for _, e := range log {
			if e.Blob != "" {
				blobs = append(blobs, e.Blob)
			}
		}
	}
	if len(cut) > 0 {
		slices.Sort(cut)
		h.pins.cutOff = cutOff("pin", "pins", cut)
	}
	slices.Sort(blobs)
	blobs = slices.Compact(blobs)
	for part := range slices.Chunk(blobs, 1024) {
		h.repo.Prefetch(part...)
	}
	return nil
}

// logPaths returns what git is asked about: the files, or their directories
// where they are many.
func logPaths(files map[string]bool) []string {
	list := make([]string, 0, len(files))
	if len(files) > maxLogPaths {
		dirs := map[string]bool{}
		for f := range files {
			dirs[path.Dir(f)] = true
		}
		files = dirs
	}
	for f := range files {
		list = append(list, f)
	}
	if slices.Sort(list); len(list) > maxLogPaths {
		return []string{"."}
	}
	return list
}

// pinChanges returns the component's own history without locks, oldest first:
// the commits that touched the file with its upstream commit. What is not
// committed makes none.
func (r *Renderer) pinChanges(c *components.Component, commit string) ([]autospec.Change, error) {
	h := r.history
	file := h.pins.files[c.Name]
	if file == "" {
		return nil, nil
	}
	var changes []autospec.Change
	for _, e := range slices.Backward(h.pins.log[file]) {
		info, err := h.commit(e.Commit)
		if err != nil {
			return nil, err
		}
		pin, ok, err := h.pinAt(file, c.Name, e, info)
		if err != nil {
			return nil, &diag.Diagnostic{Pos: c.Pos, Code: "render/history", Env: true,
				Message: fmt.Sprintf("cannot read the history of %s: %v", file, err)}
		}
		if !ok {
			continue
		}
		if len(pin) < len(commit) && pin != "" && strings.HasPrefix(commit, pin) {
			pin = commit // abbreviated
		}
		changes = append(changes, autospec.ChangeFrom(info, pin))
	}
	return changes, nil
}

// pinAt returns the upstream commit that the file had for the component in a
// commit of its log; where that deleted the file, in its first parent. It
// returns false for a commit whose file does not know the component or is not
// TOML: what is history cannot be repaired.
func (h *projectHistory) pinAt(file, component string, e distgit.PathChange, info *distgit.Commit) (string, bool, error) {
	blob := e.Blob
	if blob == "" {
		if len(info.Parents) == 0 {
			return "", true, nil
		}
		entry, err := h.repo.Entry(info.Parents[0], file)
		if errors.Is(err, fs.ErrNotExist) {
			return "", true, nil
		}
		if err != nil {
			return "", false, err
		}
		blob = entry.ID
	}
	data, err := h.repo.Blob(blob)
	if err != nil {
		return "", false, err
	}
	pin, defined, err := components.ReadPin(file, data, component)
	return pin, defined && err == nil, nil
}

// warnPins reports what of the history of a component's pin does not count.
func (r *Renderer) warnPins(res *Result) {
	h := r.history
	if h == nil || h.pins == nil {
		return
	}
	c := res.Config
	file := h.pins.files[c.Name]
	if file == "" {
		return
	}
	log := h.pins.log[file]
	pos := token.Position{Filename: file}
	if o, ok := c.Origin("spec.upstream-commit"); ok {
		pos = o.Pos
	}
	if len(log) == 0 {
		res.add(diag.List{{Pos: pos, Severity: diag.Warning, Code: "render/pin-history",
			Message: fmt.Sprintf("%s is not committed yet, so the component has no changes of its own", file),
			Hint:    "commit it: release and changelog follow the commits of this file"}})
		return
	}
	if skipped := len(log) - len(res.Changes); skipped > 0 {
		res.add(diag.List{{Pos: pos, Severity: diag.Warning, Code: "render/pin-history",
			Message: fmt.Sprintf("%d of the %d commits of %s do not define component %q or are not TOML there; they make no release", skipped, len(log), file, c.Name),
			Hint:    "azldev refuses to render such a component; a file of its own for the pin avoids that"}})
	}
}
