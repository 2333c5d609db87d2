package upstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/components/lock"
	"specgraft/fedora"
	"specgraft/fedora/srpm/reader"
	"specgraft/overlay/diag"
	"specgraft/render"
)

// lockRecord is one component in the output of update. Only components with
// something to say are printed.
type lockRecord struct {
	Component      string `json:"component"`
	UpstreamCommit string `json:"upstreamCommit,omitempty"`
	PreviousCommit string `json:"previousCommit,omitempty"`
	Changed        bool   `json:"changed"`
	Skipped        bool   `json:"skipped"`
	SkipReason     string `json:"skipReason,omitempty"`
	Error          string `json:"error,omitempty"`
}

func UpdateCmd(g *cli.Globals) *cobra.Command {
	var bump, check, force, convert, accept bool
	var pinsDir string
	var jobs int
	cmd := &cobra.Command{
		Use:   "update [-a | NAME...]",
		Short: "Bring lock files up to date",
		Long: `Update writes a lock file for each component: the upstream commit it is built
from and a fingerprint of everything that goes into it. The commit is the pinned
one, or the newest at the configured snapshot, or what the branch has now; it is
only looked up again when something that decides it has changed. Commit the lock
files with the change that they belong to.

A component that fails keeps its lock; those of the others are written, and the
exit code is 1. With -a locks of components that are gone are removed, unless
something failed. With --check nothing is written: exit code 2 says that lock
files are stale.

When upstream has rewritten its history, --accept-rewritten replaces the commits
that locks and pins name and upstream no longer has by the nearest commits with the
same files, also where a configuration file pins them.

In a project without lock files update writes generated pins instead: one small
configuration file for each component, with the commit that upstream has, whatever
it is pinned to elsewhere. --convert turns a project with lock files into one
without, or one without into one with; what changes in release numbers is shown
first, and --check shows it and writes nothing.`,
		Example: `  specgraft update -a
  specgraft update bash 'python-*'
  specgraft update --bump openssl
  specgraft update -a --check --json
  specgraft update --accept-rewritten zlib
  specgraft update --convert --check`,
	}
	sel := g.SelectFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&bump, "bump", false, "add one to the manual bump of the chosen components, so that they are released again")
	f.BoolVar(&check, "check", false, "write nothing; exit with 2 when a lock file would change")
	f.BoolVar(&force, "force-recalculate", false, "look up every upstream commit again")
	f.BoolVar(&accept, "accept-rewritten", false, "replace commits that upstream's rewritten history has lost by the nearest with the same files")
	f.BoolVar(&convert, "convert", false, "turn lock files into generated pins, or pins into lock files")
	f.StringVar(&pinsDir, "upstream-commits-dir", "", "without lock files: keep the generated pins in `DIR` (default: the one that the project includes, or "+components.PinsDir+")")
	_ = cmd.MarkFlagDirname("upstream-commits-dir")
	f.IntVarP(&jobs, "jobs", "j", 0, "look at `N` components at a time (default: four for each processor)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf(cli.RecordFormats...)
		if err != nil {
			return err
		}
		switch {
		case bump && check && !g.DryRun:
			return cli.Usagef("--bump and --check exclude each other")
		case jobs < 0:
			return cli.Usagef("--jobs is a number of 1 or more")
		case accept && (bump || force || convert):
			return cli.Usagef("--accept-rewritten goes with neither --bump nor --force-recalculate nor --convert")
		case convert && (bump || force || sel.Given(args) && !sel.All):
			return cli.Usagef("--convert is about the whole project: leave out names, --bump and --force-recalculate")
		}
		if convert {
			return runConvert(cmd.Context(), g, format, check, pinsDir)
		}
		if lockless, err := g.IsLockless(); err != nil {
			return err
		} else if lockless {
			switch {
			case bump:
				return cli.Usagef("a project without lock files has no --bump; commit a change of the file with the pin")
			case cmd.Parent().Name() == "component":
				g.Say("a project without lock files has nothing to update; use 'component refresh-upstream-commit' for its pins")
				return nil
			}
			return refreshPins(cmd.Context(), g, sel, args, refresh{format: format, check: check, again: force, accept: accept, jobs: jobs, dir: pinsDir})
		}
		if pinsDir != "" {
			return cli.Usagef("--upstream-commits-dir is for projects without lock files")
		}
		p, names, err := g.LoadSelected(sel, args)
		if err != nil {
			return err
		}
		store, err := g.Store(p)
		if err != nil {
			return err
		}
		var lost diag.List
		if accept {
			var moved []movedPin
			moved, lost = lostPins(cmd.Context(), g, p, store, names, jobs)
			if len(moved) > 0 && !check {
				if err := movePins(g, p, moved); err != nil {
					return err
				}
				if p, err = g.Load(); err != nil {
					return err
				}
			}
		}
		line, mu := cli.NewProgress(g), sync.Mutex{}
		opt := lock.Options{
			Names: names, Prune: sel.All, Bump: bump, Force: force, Jobs: g.Jobs(jobs, 4),
			Resolve: func(ctx context.Context, c *components.Component, u distro.Upstream) (string, error) {
				return resolveUpstream(ctx, store, c, u, force)
			},
			Done: func(n int) {
				mu.Lock()
				line.Show("%d of %d", n, len(names))
				mu.Unlock()
			},
		}
		if accept {
			opt.Successor = func(ctx context.Context, c *components.Component, u distro.Upstream, head, commit string) (string, error) {
				return successor(ctx, store, c, u, head, commit)
			}
		}
		up, problems := lock.Plan(cmd.Context(), p, opt)
		line.Clear()
		return finishUpdate(g, up, append(lost, problems...), format, check)
	}
	return cmd
}

// resolveUpstream asks the store for the commit of a component without a pin.
// A branch is looked at afresh when its head decides, or when all is asked for
// again; behind a snapshot, what the mirror has will do.
func resolveUpstream(ctx context.Context, store *fedora.Store, c *components.Component, u distro.Upstream, again bool) (string, error) {
	var commit string
	var err error
	if u.Source == "srpm" {
		var packages *reader.Packages
		if packages, err = store.SourcePackages(); err == nil {
			commit, err = packages.Resolve(ctx, render.PackageRequest(c, u))
		}
	} else {
		commit, err = store.Resolve(ctx, fedora.Request{
			URL: u.URL, Mirrors: u.Mirrors, Branch: u.Branch, Snapshot: u.Snapshot, Component: c.Name,
			Refresh: again || u.Snapshot.IsZero(),
		})
	}
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		placed := c.PlaceUpstream(*d, u)
		return "", &placed
	}
	return commit, err
}

// finishUpdate prints what an update found, and writes it unless there were
// problems or it is only a check.
func finishUpdate(g *cli.Globals, up *lock.Update, problems diag.List, format string, check bool) error {
	problems.Sort()
	g.Report(problems)
	failed := map[string]string{}
	for i := range problems {
		d := &problems[i]
		if _, seen := failed[d.Component]; !seen && d.Severity == diag.Error {
			failed[d.Component] = d.Message
		}
	}
	if problems.HasErrors() {
		up.Orphans = nil // what is gone for good is not known
	}
	if !check && !cli.Interrupted(problems) {
		if err := up.Write(); err != nil {
			return err
		}
	}
	list := cli.NewRecords(g.Stdout, format, []cli.Column[lockRecord]{
		{Title: "COMPONENT", Cell: func(r lockRecord) string { return r.Component }},
		{Title: "UPSTREAM COMMIT", Cell: func(r lockRecord) string { return r.UpstreamCommit }},
		{Title: "PREVIOUS COMMIT", Cell: func(r lockRecord) string { return r.PreviousCommit }},
		{Title: "CHANGED", Cell: func(r lockRecord) string { return fmt.Sprint(r.Changed) }},
		{Title: "REMARK", Cell: func(r lockRecord) string { return r.SkipReason + r.Error }},
	})
	changed := 0
	for i := range up.Locks {
		u := &up.Locks[i]
		rec := lockRecord{Component: u.Component, Changed: u.Changed(), Skipped: u.Skipped != "", SkipReason: u.Skipped, Error: failed[u.Component]}
		if u.New != nil {
			rec.UpstreamCommit = u.New.UpstreamCommit
		}
		if u.Old != nil {
			rec.PreviousCommit = u.Old.UpstreamCommit
		}
		if rec.Changed {
			changed++
		}
		if rec.Changed || rec.Skipped || rec.Error != "" {
			if err := list.Write(rec); err != nil {
				return err
			}
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	if problems.HasErrors() {
		what := fmt.Sprintf("%d lock files written", len(up.Stale()))
		if check || cli.Interrupted(problems) {
			what = "lock files not updated"
		}
		g.Say("%d of %d components failed; %s", len(failed), len(up.Locks), what)
		return cli.ExitError(cli.CodeOf(problems))
	}
	stale := up.Stale()
	if !check {
		g.Note("%d of %d components changed, %d lock files written, %d removed", changed, len(up.Locks), len(stale), len(up.Orphans))
		return nil
	}
	if len(stale)+len(up.Orphans) == 0 {
		g.Note("all %d lock files are up to date", len(up.Locks))
		return nil
	}
	var what []string
	if len(stale) > 0 {
		what = append(what, fmt.Sprintf("%d component(s) would change: %s", len(stale), diag.Abridge(stale, 10)))
	}
	if len(up.Orphans) > 0 {
		what = append(what, fmt.Sprintf("%d orphan lock file(s) would be pruned: %s", len(up.Orphans), diag.Abridge(up.Orphans, 10)))
	}
	g.Say("lock files are stale; %s; run 'specgraft update -a' to refresh", strings.Join(what, "; "))
	return cli.ExitError(cli.ExitDrift)
}
