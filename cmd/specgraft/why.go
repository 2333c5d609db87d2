package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/overlay/diag"
)

// whyRecord is the answer of why for one component.
type whyRecord struct {
	Component      string      `json:"component"`
	From           string      `json:"from"` // commit
	To             string      `json:"to"`   // commit, "" for the working tree
	Changed        bool        `json:"changed"`
	OldFingerprint string      `json:"oldFingerprint,omitempty"`
	NewFingerprint string      `json:"newFingerprint,omitempty"`
	Changes        []whyChange `json:"changes"`
}

type whyChange struct {
	components.InputChange
	OldPlace string `json:"oldPlace,omitempty"` // file:line:col
	NewPlace string `json:"newPlace,omitempty"`
}

func whyCmd(g *globals) *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "why NAME... [--from REF] [--to REF]",
		Short: "Say which inputs of a component's fingerprint changed, and where",
		Long: `Why compares a component at two commits of the project and lists every
difference that changes its fingerprint and so releases it again: values of the
configuration with the place that sets them, the content of files that overlays
bring in, the upstream commit. Without --from it starts at the commit that last
wrote the component's lock; without --to it looks at the working tree.`,
		Example: `  specgraft why bash
  specgraft why bash --from HEAD~10 --to HEAD
  specgraft why -a --from v4.0 --json`,
	}
	sel := g.selectFlags(cmd)
	cmd.Flags().StringVar(&from, "from", "", "compare with commit `REF` (default: the one that last wrote the lock)")
	cmd.Flags().StringVar(&to, "to", "", "compare commit `REF` instead of the working tree")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.formatOf("text", "table", "json")
		if err != nil {
			return err
		}
		p, err := g.load()
		if err != nil {
			return err
		}
		if !sel.given(args) {
			return usageError{errors.New("no components were selected; name some, or use -a for all")}
		}
		h, err := g.openHistory(cmd.Context(), p)
		if err != nil {
			return err
		}
		after := revision{project: p}.named()
		if to != "" {
			if after, err = h.at(cmd.Context(), to); err != nil {
				return err
			}
		}
		// A component may be gone from the working tree.
		known := append(p.Names(), after.project.Names()...)
		if from != "" {
			before, err := h.at(cmd.Context(), from)
			if err != nil {
				return err
			}
			known = append(known, before.project.Names()...)
		}
		slices.Sort(known)
		names, err := sel.among(p, args, slices.Compact(known))
		if err != nil {
			return err
		}
		out := []whyRecord{}
		var problems diag.List
		for _, name := range names {
			before, err := h.start(cmd.Context(), name, from)
			var rec whyRecord
			if err == nil {
				rec, err = compareRevisions(name, before, after)
			}
			if err == nil {
				out = append(out, rec)
			} else if !problems.Take(err) {
				return err
			}
		}
		if format == "json" {
			err = writeJSON(g.stdout, out)
		} else {
			err = printAllWhy(g.stdout, out)
		}
		if err != nil {
			return fmt.Errorf("cannot print the results: %w", err)
		}
		if len(out) == 1 && len(out[0].Changes) == 0 && from == "" && to == "" && format != "json" {
			rec := out[0]
			g.note("to see what that commit changed: specgraft why %s --from %.12s^ --to %.12s", rec.Component, rec.From, rec.From)
		}
		problems.Sort()
		return problems.Err()
	}
	return cmd
}

// printAllWhy prints the answers. Of several components, those of which nothing
// changed share one line.
func printAllWhy(w io.Writer, out []whyRecord) error {
	var b bytes.Buffer
	var same []string
	for _, rec := range out {
		if len(out) > 1 && !rec.Changed && len(rec.Changes) == 0 {
			same = append(same, rec.Component)
			continue
		}
		printWhy(&b, rec)
	}
	if len(same) > 0 {
		fmt.Fprintf(&b, "no input of the fingerprint differs for %s\n", abridge(same, 10))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// compareRevisions finds out why a component differs between two revisions.
func compareRevisions(name string, before, after revision) (whyRecord, error) {
	rec := whyRecord{Component: name, From: before.commit, To: after.commit, Changes: []whyChange{}}
	old, err := before.state(name)
	if err != nil {
		return rec, before.explain(err)
	}
	now, err := after.state(name)
	if err != nil {
		return rec, after.explain(err)
	}
	if old.Component != nil {
		if rec.OldFingerprint, err = old.Fingerprint(); err != nil {
			return rec, before.explain(err)
		}
	}
	if now.Component != nil {
		if rec.NewFingerprint, err = now.Fingerprint(); err != nil {
			return rec, after.explain(err)
		}
	}
	rec.Changed = rec.OldFingerprint != rec.NewFingerprint
	place := func(c components.InputChange) {
		rec.Changes = append(rec.Changes, whyChange{c, diag.Position(c.OldPos), diag.Position(c.NewPos)})
	}
	switch {
	case old.Component == nil && now.Component == nil:
	case old.Component == nil:
		place(components.InputChange{Kind: components.Added, Field: "component", New: name, NewPos: now.Component.Pos})
	case now.Component == nil:
		place(components.InputChange{Kind: components.Removed, Field: "component", Old: name, OldPos: old.Component.Pos})
	default:
		changes, err := components.Why(old, now)
		if err != nil {
			return rec, err
		}
		for _, c := range changes {
			place(c)
		}
	}
	return rec, nil
}

// printWhy prints one answer, each difference on a line that begins with the
// place to look at.
func printWhy(w io.Writer, rec whyRecord) {
	to := "the working tree"
	if rec.To != "" {
		to = fmt.Sprintf("%.12s", rec.To)
	}
	if !rec.Changed {
		fmt.Fprintf(w, "%s: no input of the fingerprint differs between %.12s and %s\n", rec.Component, rec.From, to)
	} else {
		fmt.Fprintf(w, "%s: the fingerprint differs between %.12s and %s\n", rec.Component, rec.From, to)
	}
	for _, c := range rec.Changes {
		at := c.NewPlace
		if at == "" {
			at = c.OldPlace
		}
		if at != "" {
			at += ": "
		}
		what := ""
		switch {
		case c.Kind == components.Added:
			what = "added " + shown(c.New)
		case c.Kind == components.Removed:
			what = "removed " + shown(c.Old)
		case sameButDigest(c.Old, c.New):
			what = "its content changed"
		default:
			what = shown(c.Old) + " -> " + shown(c.New)
		}
		if c.Resolution {
			what += " (decides the upstream commit)"
		}
		fmt.Fprintf(w, "  %s%s: %s\n", at, c.Field, what)
		if c.Kind == components.Changed && c.OldPlace != "" && c.NewPlace != c.OldPlace {
			fmt.Fprintf(w, "    was at %s\n", c.OldPlace)
		}
	}
}

// sameButDigest reports whether two values differ in nothing but the digest at
// their ends.
func sameButDigest(a, b string) bool {
	const digits = 64
	if len(a) < digits || len(b) < digits || a[:len(a)-digits] != b[:len(b)-digits] {
		return false
	}
	_, err := hex.DecodeString(a[len(a)-digits:] + b[len(b)-digits:])
	return err == nil
}

// shown quotes a value and shortens a long one.
func shown(s string) string {
	const limit = 100
	if strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
		if r := []rune(s); len(r) > limit {
			return string(r[:limit]) + "..."
		}
		return s
	}
	if r := []rune(s); len(r) > limit {
		return strconv.Quote(string(r[:limit])) + "..."
	}
	return strconv.Quote(s)
}

// history is the git history of the project itself.
type history struct {
	g       *globals
	project *components.Project
	repo    *fedora.Repo
	loaded  map[string]revision // by commit
	logs    map[string][]fedora.PathChange
}

// A revision is the project as one commit has it, or as the working tree has.
type revision struct {
	project *components.Project
	commit  string   // "" for the working tree
	history *history // where the locks of a commit are read from
	names   map[string]bool
	locks   map[string]string // blobs in history, by component
}

// named fills in the names of the components.
func (r revision) named() revision {
	r.names = map[string]bool{}
	for _, n := range r.project.Names() {
		r.names[n] = true
	}
	return r
}

// openHistory opens the repository that the project is in.
func (g *globals) openHistory(ctx context.Context, p *components.Project) (*history, error) {
	repo, err := fedora.OpenWorktree(ctx, p.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &diag.Diagnostic{
			Pos: token.Position{Filename: p.Dir}, Code: "history/none",
			Message: "the project is in no git repository, so there is nothing to compare with",
			Hint:    "commit the project first",
		}
	}
	if err != nil {
		return nil, err
	}
	g.closers = append(g.closers, repo.Close)
	return &history{g: g, project: p, repo: repo, loaded: map[string]revision{}}, nil
}

// commit returns the full name of the commit that ref stands for.
func (h *history) commit(ref string) (string, error) {
	id, err := h.repo.RevParse(ref)
	if errors.Is(err, fs.ErrNotExist) {
		return "", usageError{fmt.Errorf("no commit is called %q in %s", ref, h.repo.Top())}
	}
	return id, err
}

// rel returns a path of the project relative to the top of the repository,
// with slashes; false when it is outside.
func (h *history) rel(path string) (string, bool) {
	rel, err := filepath.Rel(h.repo.Top(), path)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// start returns the revision that why begins at.
func (h *history) start(ctx context.Context, name, from string) (revision, error) {
	if from != "" {
		return h.at(ctx, from)
	}
	lock, ok := h.rel(h.project.LockPath(name))
	if ok && h.logs == nil {
		head, err := h.repo.Head()
		if err == nil {
			dir, _ := h.rel(h.project.LockDir)
			h.logs, err = h.repo.PathLog(ctx, head, dir)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return revision{}, err
		}
	}
	for _, c := range h.logs[lock] {
		if c.Blob != "" {
			return h.at(ctx, c.Commit)
		}
	}
	return revision{}, &diag.Diagnostic{
		Pos: token.Position{Filename: lock}, Code: "history/no-lock", Component: name,
		Message: fmt.Sprintf("no commit has a lock of %s to compare with", name),
		Hint:    "name a commit with --from REF",
	}
}

// at loads the project as a commit has it. Its files are written to a
// temporary directory, without those that are results of specgraft; locks are
// read from the repository when they are needed.
func (h *history) at(ctx context.Context, ref string) (revision, error) {
	id, err := h.commit(ref)
	if err != nil {
		return revision{}, err
	}
	if r, ok := h.loaded[id]; ok {
		return r, nil
	}
	dir, err := os.MkdirTemp("", "specgraft-")
	if err != nil {
		return revision{}, err
	}
	h.g.closers = append(h.g.closers, func() error { return os.RemoveAll(dir) })
	root, err := os.OpenRoot(dir)
	if err != nil {
		return revision{}, err
	}
	defer root.Close()
	var results []string
	for _, d := range []string{h.project.RenderedDir, h.project.OutputDir, h.project.WorkDir, h.project.LogDir, h.project.LockDir} {
		if rel, ok := h.rel(d); ok && rel != "." {
			results = append(results, rel+"/")
		}
	}
	err = h.repo.Export(ctx, id, root, func(path string) bool {
		for _, r := range results {
			if strings.HasPrefix(path, r) {
				return true
			}
		}
		return false
	})
	if err != nil {
		return revision{}, err
	}
	// The loader confines paths to the repository, which it knows by this name.
	if err := root.Mkdir(".git", 0o777); err != nil {
		return revision{}, err
	}
	opt := h.g.loadOptions()
	sub, ok := h.rel(h.project.Dir)
	if !ok {
		return revision{}, fmt.Errorf("%s is outside of its repository", h.project.Dir)
	}
	opt.Dir = filepath.Join(dir, filepath.FromSlash(sub))
	r := revision{commit: id, history: h}
	var problems diag.List
	r.project, problems = components.Load(opt)
	if err := problems.Err(); err != nil {
		return r, r.explain(err)
	}
	if r.project == nil || !strings.HasPrefix(r.project.Dir, dir) {
		return r, &diag.Diagnostic{Code: "history/no-project", Message: fmt.Sprintf("commit %.12s has no azldev.toml in %s", id, sub)}
	}
	r = r.named()
	if r.locks, err = h.lockBlobs(id); err != nil {
		return r, err
	}
	h.loaded[id] = r
	return r, nil
}

// state returns a component with its lock.
func (r revision) state(name string) (components.State, error) {
	s := components.State{Project: r.project}
	if !r.names[name] {
		return s, nil
	}
	c, problems := r.project.Component(name)
	if err := problems.Err(); err != nil {
		return s, err
	}
	s.Component = c
	var err error
	if r.commit == "" {
		s.Lock, err = r.project.Lock(name)
		return s, err
	}
	blob, ok := r.locks[name]
	if !ok {
		return s, nil
	}
	b, err := r.history.repo.Blob(blob)
	if err != nil {
		return s, err
	}
	path := r.history.project.LockPath(name)
	if rel, err := filepath.Rel(r.history.project.Dir, path); err == nil {
		path = filepath.ToSlash(rel)
	}
	s.Lock, err = components.ParseLock(path, b)
	return s, err
}

// explain adds to an error in which revision it is.
func (r revision) explain(err error) error {
	if r.commit == "" {
		return err
	}
	l, ok := errors.AsType[diag.ListError](err)
	if !ok {
		if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
			l = diag.ListError{*d}
		} else {
			return fmt.Errorf("at commit %.12s: %w", r.commit, err)
		}
	}
	out := make(diag.ListError, len(l))
	for i, d := range l {
		d.Message = fmt.Sprintf("at commit %.12s: %s", r.commit, d.Message)
		out[i] = d
	}
	return out
}
