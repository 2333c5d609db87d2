package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"specgraft/components"
	"specgraft/components/pin"
	"specgraft/fedora"
	"specgraft/overlay/diag"
)

// pinRecord is one component in the output of an update of pins. Only those
// with something to say are printed.
type pinRecord struct {
	Component      string `json:"component"`
	UpstreamCommit string `json:"upstreamCommit,omitempty"`
	PreviousCommit string `json:"previousCommit,omitempty"`
	Changed        bool   `json:"changed"`
	Removed        bool   `json:"removed"`
	Skipped        bool   `json:"skipped"`
	SkipReason     string `json:"skipReason,omitempty"`
	Error          string `json:"error,omitempty"`
}

// refresh is how pins are brought up to date.
type refresh struct {
	format string
	check  bool
	again  bool // ask upstream even where the mirror has an answer
	accept bool // replace only what a rewritten history has lost
	jobs   int
	dir    string // --upstream-commits-dir
}

// refreshCmd is azldev's name of update in a project without lock files. It
// stands below "component" only.
func refreshCmd(g *globals) *cobra.Command {
	var o refresh
	cmd := &cobra.Command{
		Use:   "refresh-upstream-commit [-a | NAME...]",
		Short: "Bring the generated pins of a project without lock files up to date",
		Long: `Write, for each component that is taken from upstream, a small configuration
file with the commit that upstream has: at the configured snapshot, or at the head
of the branch. What the component is pinned to, by hand too, does not matter here.
Commit the files with the change that they belong to.

A component that fails keeps its file; those of the others are written, and the
exit code is 1. With -a files of components that are gone, or not taken from
upstream, are removed, unless something failed. With --check-only nothing is
written: exit code 2 says that files would change.`,
		Example: `  specgraft component refresh-upstream-commit -a
  specgraft component refresh-upstream-commit -p bash --check-only`,
	}
	sel := g.selectFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.check, "check", false, "write nothing; exit with 2 when a file would change")
	f.StringVar(&o.dir, "upstream-commits-dir", "", "keep the files in `DIR` (default: the one that the project includes, or "+components.PinsDir+")")
	f.IntVarP(&o.jobs, "jobs", "j", 0, "look at `N` components at a time (default: four for each processor)")
	_ = cmd.MarkFlagDirname("upstream-commits-dir")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var err error
		if o.format, err = g.formatOf(recordFormats...); err != nil {
			return err
		}
		lockless, err := g.isLockless()
		if err != nil {
			return err
		}
		if !lockless {
			return usagef("the project keeps its commits in lock files: use update, or --without-lockfile if it should not")
		}
		return g.refreshPins(cmd.Context(), sel, args, o)
	}
	return cmd
}

// loadForPins loads the project permissively, with another directory of pins
// where the user named one.
func (g *globals) loadForPins(dir string) (*components.Project, error) {
	permissive := g.permissive
	g.permissive = true
	p, err := g.load()
	g.permissive = permissive
	if err != nil {
		return nil, err
	}
	if dir != "" {
		if p.PinsDir, err = filepath.Abs(dir); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// refreshPins writes the pins that the chosen components should have.
func (g *globals) refreshPins(ctx context.Context, sel *selection, args []string, o refresh) error {
	p, err := g.loadForPins(o.dir)
	if err != nil {
		return err
	}
	if !sel.given(args) {
		return usagef("no components were selected; name some, or use -a for all")
	}
	names, err := sel.names(p, args)
	if err != nil {
		return err
	}
	if len(names) == 0 && !sel.all {
		return usagef("no components matched the filter; 'specgraft list' prints all names")
	}
	store, err := g.store(p)
	if err != nil {
		return err
	}
	if o.accept {
		return g.acceptPins(ctx, p, store, names, o)
	}
	line, mu := newProgress(g), sync.Mutex{}
	up, problems := pin.Plan(ctx, p, pin.Options{
		Names: names, Prune: sel.all, Jobs: g.jobs(o.jobs, 4),
		Resolve: func(ctx context.Context, c *components.Component, u components.Upstream) (string, error) {
			return resolveUpstream(ctx, store, c, u, o.again)
		},
		Done: func(n int) {
			mu.Lock()
			line.Show("%d of %d", n, len(names))
			mu.Unlock()
		},
	})
	line.Clear()
	return g.finishPins(p, up, problems, o)
}

// acceptPins writes what took the place of pins that upstream's rewritten history
// has lost, and leaves all others alone.
func (g *globals) acceptPins(ctx context.Context, p *components.Project, store *fedora.Store, names []string, o refresh) error {
	moved, problems := g.lostPins(ctx, p, store, names, o.jobs)
	var changes []pin.Change
	var byHand []movedPin
	for _, m := range moved {
		if !m.generated {
			byHand = append(byHand, m)
			continue
		}
		ch, err := pin.Set(p, m.component, m.next)
		if err != nil {
			problems.Take(err)
			continue
		}
		changes = append(changes, ch)
	}
	if o.check {
		for _, m := range byHand {
			g.say("%s would pin %s to %.12s instead of %.12s, which upstream no longer has", p.Display(m.file), m.component, m.next, m.old)
		}
	} else if err := g.movePins(p, byHand); err != nil {
		return err
	}
	if err := g.finishPins(p, pin.NewUpdate(p, changes), problems, o); err != nil || !o.check || len(byHand) == 0 {
		return err
	}
	return exitError(exitDrift)
}

// finishPins prints what an update found, and writes what is good of it unless
// it is only a check.
func (g *globals) finishPins(p *components.Project, up *pin.Update, problems diag.List, o refresh) error {
	problems.Sort()
	g.report(problems)
	failed := map[string]string{}
	for i := range problems {
		d := &problems[i]
		if _, seen := failed[d.Component]; !seen && d.Severity == diag.Error {
			failed[d.Component] = d.Message
		}
	}
	if !o.check && !interrupted(problems) {
		if err := up.Write(); err != nil {
			return err
		}
	}
	list := newRecords(g.stdout, o.format, []column[pinRecord]{
		{"COMPONENT", 0, func(r pinRecord) string { return r.Component }},
		{"UPSTREAM COMMIT", 0, func(r pinRecord) string { return r.UpstreamCommit }},
		{"PREVIOUS COMMIT", 0, func(r pinRecord) string { return r.PreviousCommit }},
		{"CHANGED", 0, func(r pinRecord) string { return fmt.Sprint(r.Changed) }},
		{"REMARK", 0, func(r pinRecord) string {
			if r.Removed {
				return "removed"
			}
			return r.SkipReason + r.Error
		}},
	})
	var written, removed []string
	for i := range up.Pins {
		c := &up.Pins[i]
		rec := pinRecord{Component: c.Component, UpstreamCommit: c.New, PreviousCommit: c.Old, Changed: c.Stale(), Removed: c.Removed,
			Skipped: c.Skipped != "", SkipReason: c.Skipped, Error: failed[c.Component]}
		switch {
		case rec.Removed:
			removed = append(removed, c.Component)
		case rec.Changed:
			written = append(written, c.Component)
		case !rec.Skipped && rec.Error == "":
			continue
		}
		if err := list.Write(rec); err != nil {
			return err
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	g.hintInclude(p, len(written) > 0 && !o.check)
	switch {
	case problems.HasErrors():
		what := fmt.Sprintf("%d files written, none removed", len(written))
		if o.check || interrupted(problems) {
			what = "nothing written"
		}
		g.say("%d of %d components failed; %s", len(failed), len(up.Pins), what)
		return exitError(codeOf(problems))
	case !o.check:
		g.note("%d files written in %s, %d removed", len(written), p.Display(p.PinsDir), len(removed))
		return nil
	case len(written)+len(removed) == 0:
		g.note("all pins are up to date")
		return nil
	}
	var what []string
	if len(written) > 0 {
		what = append(what, fmt.Sprintf("%d component(s) would change: %s", len(written), abridge(written, 10)))
	}
	if len(removed) > 0 {
		what = append(what, fmt.Sprintf("%d orphan file(s) would be removed: %s", len(removed), abridge(removed, 10)))
	}
	g.say("pins are stale; %s; run 'specgraft update -a' to refresh", strings.Join(what, "; "))
	return exitError(exitDrift)
}

// hintInclude says what is missing when pins were written that the project does
// not read.
func (g *globals) hintInclude(p *components.Project, written bool) {
	if !written {
		return
	}
	again, _ := components.Load(g.loadOptions())
	if again == nil || slices.ContainsFunc(again.Files(), func(f string) bool { return filepath.Dir(f) == p.PinsDir }) {
		return
	}
	dir := p.Display(p.PinsDir)
	g.say("the project does not include these files; put %q before the component files in includes of %s", dir+"/*.toml", p.Display(p.File))
}
