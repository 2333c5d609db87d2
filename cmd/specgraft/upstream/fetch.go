package upstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/components/lock"
	"specgraft/fedora"
	"specgraft/overlay/diag"
	"specgraft/render"
)

// fetchRecord is one component in the output of fetch.
type fetchRecord struct {
	Component string `json:"component"`
	Status    string `json:"status"` // fetched, present, local, failed
	Commit    string `json:"commit,omitempty"`
	Bytes     int64  `json:"bytes"`
	Error     string `json:"error,omitempty"`

	problems diag.List
}

func FetchCmd(g *cli.Globals) *cobra.Command {
	var refresh, shallow bool
	var jobs, perHost int
	cmd := &cobra.Command{
		Use:   "fetch [-a | NAME...]",
		Short: "Bring upstream repositories into the local mirror",
		Long: `Fetch brings what the chosen components are made from into the local mirror
below the cache directory: the branch, the locked or pinned commit, and the
history that release numbers and changelogs are computed from. Afterwards every
command works with --offline.

What is there already is not fetched again, so an interrupted fetch is taken up
by running it once more; --refresh asks the servers all the same. Repositories
behind file:// are read in place and only looked at. mirror-base-uri in the
distribution's configuration names mirrors that are tried first.`,
		Example: `  specgraft fetch -a
  specgraft fetch bash 'python-*'
  specgraft fetch -a --refresh -j 16
  specgraft fetch -a --json`,
	}
	sel := g.SelectFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&refresh, "refresh", false, "ask the servers for new commits also where the mirror has what is needed")
	f.BoolVar(&shallow, "shallow", false, "of locked and pinned commits fetch the files alone, and the history only for specs that use %autorelease or %autochangelog")
	f.IntVarP(&jobs, "jobs", "j", 0, "fetch `N` repositories at a time (default: 8, or four for each unit of --concurrency)")
	f.IntVar(&perHost, "per-host", 8, "open at most `N` connections to one server")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf(cli.RecordFormats...)
		if err != nil {
			return err
		}
		switch f := cmd.Flags(); {
		case f.Changed("jobs") && jobs < 1 || perHost < 1:
			return cli.Usagef("--jobs and --per-host are numbers of 1 or more")
		case f.Changed("concurrency"):
			jobs = g.Jobs(jobs, 4)
		case jobs == 0:
			jobs = 8
		}
		p, names, err := g.LoadSelected(sel, args)
		if err != nil {
			return err
		}
		g.PerHost = perHost
		if _, err := g.Cache(); err != nil {
			return err // what is fetched is for later runs
		}
		store, err := g.Store(p)
		if err != nil {
			return err
		}
		fetch := func(ctx context.Context, name string) fetchRecord {
			return fetchComponent(ctx, p, store, name, refresh, shallow)
		}
		return fetchAll(cmd.Context(), g, names, jobs, format, g.Brief(sel.All, format), fetch)
	}
	return cmd
}

// fetchAll fetches components and prints the results in their order, each as
// soon as those before it are there. With brief those that were there before are
// left out.
func fetchAll(ctx context.Context, g *cli.Globals, names []string, jobs int, format string, brief bool, fetch func(context.Context, string) fetchRecord) error {
	start := time.Now()
	wide := len("COMPONENT")
	for _, n := range names {
		wide = max(wide, len(n))
	}
	list := cli.NewRecords(g.Stdout, format, []cli.Column[fetchRecord]{
		{Title: "COMPONENT", Width: wide, Cell: func(r fetchRecord) string { return r.Component }},
		{Title: "STATUS", Width: len("present"), Cell: func(r fetchRecord) string { return r.Status }},
		{Title: "COMMIT", Width: 40, Cell: func(r fetchRecord) string { return r.Commit }},
		{Title: "SIZE", Width: 9, Cell: func(r fetchRecord) string { return cli.ByteCount(r.Bytes) }},
	})
	results := make([]chan fetchRecord, len(names))
	for i := range results {
		results[i] = make(chan fetchRecord, 1)
	}
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range names {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	for range min(jobs, len(names)) {
		go func() {
			for i := range next {
				results[i] <- fetch(ctx, names[i])
			}
		}()
	}
	line := cli.NewProgress(g)
	defer line.Clear()
	count := map[string]int{}
	var bytes int64
	exit := cli.ExitOK
	for i, result := range results {
		var rec fetchRecord
		select {
		case rec = <-result:
		case <-ctx.Done():
			list.Close()
			g.Say("interrupted: %d of %d components are there; run the command again to go on", i, len(names))
			return cli.ExitError(cli.ExitEnv)
		}
		if ctx.Err() != nil && rec.Status == "failed" {
			continue
		}
		count[rec.Status]++
		bytes += rec.Bytes
		if len(rec.problems) > 0 {
			g.Report(rec.problems)
		}
		if rec.Status == "failed" {
			exit = cli.Worst(exit, max(cli.CodeOf(rec.problems), cli.ExitProblems))
		}
		if !brief || rec.Status != "present" && rec.Status != "local" {
			if err := list.Write(rec); err != nil {
				return err
			}
		}
		line.Show("%s", fetchStatus(i+1, len(names), bytes, time.Since(start)))
	}
	if err := list.Close(); err != nil {
		return err
	}
	var parts []string
	for _, what := range []string{"fetched", "present", "local", "failed"} {
		if count[what] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[what], what))
		}
	}
	g.Note("%s, %s in %s", strings.Join(parts, ", "), cli.ByteCount(bytes), time.Since(start).Round(time.Millisecond))
	if exit != cli.ExitOK {
		return cli.ExitError(exit)
	}
	return nil
}

// fetchStatus is the status line: how far, how fast, how long.
func fetchStatus(done, total int, bytes int64, took time.Duration) string {
	s := fmt.Sprintf("%d of %d, %s", done, total, cli.ByteCount(bytes))
	if sec := took.Seconds(); sec > 1 {
		s += fmt.Sprintf(", %.0f/s, %s/s", float64(done)/sec, cli.ByteCount(int64(float64(bytes)/sec)))
		left := time.Duration(float64(took) / float64(done) * float64(total-done)).Round(time.Second)
		s += fmt.Sprintf(", %s left", left)
	}
	return s
}

// fetchComponent fetches what one component is made from.
func fetchComponent(ctx context.Context, p *components.Project, store *fedora.Store, name string, refresh, shallow bool) fetchRecord {
	rec := fetchRecord{Component: name, Status: "local"}
	fail := func(l diag.List) fetchRecord {
		for i := range l {
			if l[i].Component == "" {
				l[i].Component = name
			}
			if l[i].Severity == diag.Error && rec.Error == "" {
				rec.Error = l[i].Message
			}
		}
		rec.Status, rec.problems = "failed", l
		return rec
	}
	c, problems := p.Component(name)
	if problems.HasErrors() {
		return fail(problems)
	}
	if !c.IsUpstream() {
		return rec
	}
	u, problems := p.Upstream(c)
	if problems.HasErrors() {
		return fail(problems)
	}
	if u.Source == "srpm" {
		commit, err := cli.FetchPackage(ctx, p, store, c, u)
		if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
			placed := *d
			placed.Pos = c.Pos
			return fail(diag.List{placed})
		} else if err != nil {
			return fail(diag.List{{Code: "fedora/network", Pos: c.Pos, Message: err.Error(), Env: true}})
		}
		rec.Commit, rec.Status = commit, "present"
		return rec
	}
	locked, err := lock.Read(p, name)
	if err != nil {
		locked = nil // whose damage a render reports
	}
	r := render.Request(c, u, locked)
	// A branch without snapshot is wanted as it is now.
	r.Refresh = refresh || r.Commit == "" && r.Snapshot.IsZero()
	r.Shallow = shallow
	got, err := store.Fetch(ctx, r)
	if err == nil && shallow && usesHistory(ctx, store, u, got.Commit) {
		r.Shallow, r.Refresh = false, false
		var more fedora.Fetched
		more, err = store.Fetch(ctx, r)
		got.Bytes += more.Bytes
		got.Network = got.Network || more.Network
	}
	if err != nil {
		d := diag.Diagnostic{Code: "fedora/network", Message: err.Error(), Env: true}
		if known, ok := errors.AsType[*diag.Diagnostic](err); ok {
			d = *known
		}
		return fail(diag.List{c.PlaceUpstream(d, u)})
	}
	rec.Commit, rec.Bytes, rec.Status = got.Commit, got.Bytes, "present"
	if got.Network {
		rec.Status = "fetched"
	}
	return rec
}

// usesHistory reports whether a spec asks rpmautospec for its release or
// changelog. When in doubt it does.
func usesHistory(ctx context.Context, store *fedora.Store, u distro.Upstream, commit string) bool {
	snap, err := store.Snapshot(ctx, u.URL, commit)
	if err != nil {
		return true
	}
	f := snap.Lookup(u.Name + ".spec")
	if f == nil {
		return true
	}
	text, err := f.Bytes()
	if err != nil {
		return true
	}
	return slices.ContainsFunc([]string{"autorelease", "autochangelog"}, func(word string) bool {
		return strings.Contains(string(text), word)
	})
}
