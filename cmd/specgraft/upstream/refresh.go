package upstream

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/distro"
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

// RefreshCmd is azldev's name of update in a project without lock files. It
// stands below "component" only.
func RefreshCmd(g *cli.Globals) *cobra.Command {
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
	sel := g.SelectFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.check, "check", false, "write nothing; exit with 2 when a file would change")
	f.StringVar(&o.dir, "upstream-commits-dir", "", "keep the files in `DIR` (default: the one that the project includes, or "+components.PinsDir+")")
	f.IntVarP(&o.jobs, "jobs", "j", 0, "look at `N` components at a time (default: four for each processor)")
	_ = cmd.MarkFlagDirname("upstream-commits-dir")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var err error
		if o.format, err = g.FormatOf(cli.RecordFormats...); err != nil {
			return err
		}
		lockless, err := g.IsLockless()
		if err != nil {
			return err
		}
		if !lockless {
			return cli.Usagef("the project keeps its commits in lock files: use update, or --without-lockfile if it should not")
		}
		return refreshPins(cmd.Context(), g, sel, args, o)
	}
	return cmd
}

// loadForPins loads the project permissively, with another directory of pins
// where the user named one.
func loadForPins(g *cli.Globals, dir string) (*components.Project, error) {
	permissive := g.Permissive
	g.Permissive = true
	p, err := g.Load()
	g.Permissive = permissive
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
func refreshPins(ctx context.Context, g *cli.Globals, sel *cli.Selection, args []string, o refresh) error {
	p, err := loadForPins(g, o.dir)
	if err != nil {
		return err
	}
	if !sel.Given(args) {
		return cli.Usagef("no components were selected; name some, or use -a for all")
	}
	names, err := sel.Names(p, args)
	if err != nil {
		return err
	}
	if len(names) == 0 && !sel.All {
		return cli.Usagef("no components matched the filter; 'specgraft list' prints all names")
	}
	store, err := g.Store(p)
	if err != nil {
		return err
	}
	if o.accept {
		return acceptPins(ctx, g, p, store, names, o)
	}
	line, mu := cli.NewProgress(g), sync.Mutex{}
	up, problems := pin.Plan(ctx, p, pin.Options{
		Names: names, Prune: sel.All, Jobs: g.Jobs(o.jobs, 4),
		Resolve: func(ctx context.Context, c *components.Component, u distro.Upstream) (string, error) {
			return resolveUpstream(ctx, store, c, u, o.again)
		},
		Done: func(n int) {
			mu.Lock()
			line.Show("%d of %d", n, len(names))
			mu.Unlock()
		},
	})
	line.Clear()
	return finishPins(g, p, up, problems, o)
}

// acceptPins writes what took the place of pins that upstream's rewritten history
// has lost, and leaves all others alone.
func acceptPins(ctx context.Context, g *cli.Globals, p *components.Project, store *fedora.Store, names []string, o refresh) error {
	moved, problems := lostPins(ctx, g, p, store, names, o.jobs)
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
			g.Say("%s would pin %s to %.12s instead of %.12s, which upstream no longer has", p.Display(m.file), m.component, m.next, m.old)
		}
	} else if err := movePins(g, p, byHand); err != nil {
		return err
	}
	if err := finishPins(g, p, pin.NewUpdate(p, changes), problems, o); err != nil || !o.check || len(byHand) == 0 {
		return err
	}
	return cli.ExitError(cli.ExitDrift)
}

// finishPins prints what an update found, and writes what is good of it unless
// it is only a check.
func finishPins(g *cli.Globals, p *components.Project, up *pin.Update, problems diag.List, o refresh) error {
	problems.Sort()
	g.Report(problems)
	failed := map[string]string{}
	for i := range problems {
		d := &problems[i]
		if _, seen := failed[d.Component]; !seen && d.Severity == diag.Error {
			failed[d.Component] = d.Message
		}
	}
	if !o.check && !cli.Interrupted(problems) {
		if err := up.Write(); err != nil {
			return err
		}
	}
	list := cli.NewRecords(g.Stdout, o.format, []cli.Column[pinRecord]{
		{Title: "COMPONENT", Cell: func(r pinRecord) string { return r.Component }},
		{Title: "UPSTREAM COMMIT", Cell: func(r pinRecord) string { return r.UpstreamCommit }},
		{Title: "PREVIOUS COMMIT", Cell: func(r pinRecord) string { return r.PreviousCommit }},
		{Title: "CHANGED", Cell: func(r pinRecord) string { return fmt.Sprint(r.Changed) }},
		{Title: "REMARK", Cell: func(r pinRecord) string {
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
	hintInclude(g, p, len(written) > 0 && !o.check)
	switch {
	case problems.HasErrors():
		what := fmt.Sprintf("%d files written, none removed", len(written))
		if o.check || cli.Interrupted(problems) {
			what = "nothing written"
		}
		g.Say("%d of %d components failed; %s", len(failed), len(up.Pins), what)
		return cli.ExitError(cli.CodeOf(problems))
	case !o.check:
		g.Note("%d files written in %s, %d removed", len(written), p.Display(p.PinsDir), len(removed))
		return nil
	case len(written)+len(removed) == 0:
		g.Note("all pins are up to date")
		return nil
	}
	var what []string
	if len(written) > 0 {
		what = append(what, fmt.Sprintf("%d component(s) would change: %s", len(written), diag.Abridge(written, 10)))
	}
	if len(removed) > 0 {
		what = append(what, fmt.Sprintf("%d orphan file(s) would be removed: %s", len(removed), diag.Abridge(removed, 10)))
	}
	g.Say("pins are stale; %s; run 'specgraft update -a' to refresh", strings.Join(what, "; "))
	return cli.ExitError(cli.ExitDrift)
}

// hintInclude says what is missing when pins were written that the project does
// not read.
func hintInclude(g *cli.Globals, p *components.Project, written bool) {
	if !written {
		return
	}
	again, _ := components.Load(g.LoadOptions())
	if again == nil || slices.ContainsFunc(again.Files(), func(f string) bool { return filepath.Dir(f) == p.PinsDir }) {
		return
	}
	dir := p.Display(p.PinsDir)
	g.Say("the project does not include these files; put %q before the component files in includes of %s", dir+"/*.toml", p.Display(p.File))
}
