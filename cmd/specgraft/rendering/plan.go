package rendering

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/render/facts"
	"specgraft/render/plan"
)

// planOptions are the flags of plan.
type planOptions struct {
	from, to  string
	meaning   bool
	rdeps     string
	reason    bool
	whatNeeds string
	times     string
	repodata  []string
	edges     bool
	arches    []string
	farm      plan.Farm
	set       cli.QuerySettings
}

func PlanCmd(g *cli.Globals) *cobra.Command {
	var o planOptions
	formats := "table, json, csv or markdown"
	var about strings.Builder
	for _, f := range plan.Formats {
		fmt.Fprintf(&about, "\n  %-11s %s", f.Name, f.Help)
	}
	cmd := &cobra.Command{
		Use:   "plan [--from REF [--to REF] | -a | NAME...]",
		Short: "Say what has to be built, and in which order",
		Long: `Plan orders components by what they build-require of each other, in waves: what is
in one wave can be built at once when the waves before are built. With --from it
plans what differs between the rendered trees of two commits, else the components
that are named, as the working tree has them. --rdeps adds those that build-require
something of theirs, and --reason says why each one is there.

What a component builds and needs is what its rendered spec says, evaluated for
--arch without running it: packages, Provides and the files that %files names. With
several --arch the plan is one in which a component is built for all of them at
once, and everything that is so on some of them only says where. What
only shows in built packages, such as pkgconfig(), cmake(), python3dist(), perl()
and sonames, comes from the metadata of the repositories that the distribution's
builds take packages from, once 'specgraft repo fetch' has brought it into the cache,
or of those in the directories of --repodata instead. Requirements that nothing provides are listed with the nearest names.

Where components need each other in a circle, the edges to cut are named, those
first that a build conditional of the needing component takes away. --times has
lines of a component and the seconds that it builds; the longest path is weighed by
them.

--what-needs NAME answers before a component or a package is removed: who
build-requires, requires or recommends it, directly and through what it provides.

Besides ` + formats + ` there are these formats:` + about.String() + `

In --command, the command that builds one component, {name}, {srpm}, {evr}, {arch}
and {wave} are replaced; several architectures are separated by commas.`,
		Example: `  specgraft plan --from HEAD~1 --rdeps 1 --reason
  specgraft plan -a --repodata /srv/repo --format make > Makefile
  specgraft plan zlib-ng --rdeps all --format svg > plan.svg
  specgraft plan -a --arch x86_64 --arch aarch64 --edges
  specgraft plan --what-needs zlib-ng-devel
  specgraft plan -a --times seconds.csv --json`,
	}
	sel := g.SelectFlags(cmd)
	o.set.SettingFlags(cmd)
	f := cmd.Flags()
	o.arches = []string{"x86_64"}
	cli.ListVar(f, &o.arches, "arch", "", "evaluate for the architecture `ARCH`; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("arch", cobra.FixedCompletions(macro.Archs(), cobra.ShellCompDirectiveNoFileComp))
	f.StringVar(&o.from, "from", "", "plan what differs from commit `REF`, or with A...B from where B left A")
	f.StringVar(&o.to, "to", "", "plan what differs in commit `REF` (default HEAD)")
	f.BoolVar(&o.meaning, "meaning", false, "with --from, leave out components in whose specs nothing changed but comments, spacing and the like")
	f.StringVar(&o.rdeps, "rdeps", "0", "add components that build-require what is rebuilt: `1` for direct ones, all, or 0 for none")
	f.BoolVar(&o.reason, "reason", false, "say why each component is in the plan")
	f.StringVar(&o.whatNeeds, "what-needs", "", "list who needs the component, package or capability `NAME`, and plan nothing")
	f.StringVar(&o.times, "times", "", "weigh the longest path by the build times in the CSV `FILE`: component,seconds")
	cli.ListVar(f, &o.repodata, "repodata", "", "look up what packages provide in the repository metadata in `DIR`, not in that of the project's repositories; may be repeated")
	f.BoolVar(&o.edges, "edges", false, "list the edges of the graph instead: who build-requires what of whom")
	f.StringVar(&o.farm.Command, "command", "", "build a component by `TEMPLATE`; {name}, {srpm}, {evr}, {arch}, {wave} are replaced")
	f.StringVar(&o.farm.Project, "target", "", "the `NAME` of the Copr or OBS project, the base tag of Koji, or of the jobs in Kubernetes")
	f.StringVar(&o.farm.URL, "scm-url", "", "take packaging from `TEMPLATE` in Koji and Copr")
	f.StringVar(&o.farm.Image, "image", "", "run in the container `IMAGE` in GitHub and Kubernetes")
	f.IntVar(&o.farm.Shards, "prepare-shards", 0, "begin with a Kubernetes job that writes the source packages in `N` parts")
	_ = cmd.RegisterFlagCompletionFunc("rdeps", cobra.FixedCompletions([]string{"0", "1", "all"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		allowed := slices.Clone(cli.RecordFormats)
		for _, f := range plan.Formats {
			allowed = append(allowed, f.Name)
		}
		format, err := g.FormatOf(allowed...)
		if err != nil {
			return err
		}
		return runPlan(cmd.Context(), g, sel, args, &o, format)
	}
	return cmd
}

// check refuses flags that do not go together. given says whether components are
// chosen.
func (o *planOptions) check(given bool, format string) error {
	listing := o.whatNeeds != "" || o.edges
	switch {
	case !slices.Contains([]string{"0", "1", "all"}, o.rdeps):
		return cli.Usagef("--rdeps is 0, 1 or all, not %q", o.rdeps)
	case o.whatNeeds != "" && (o.edges || o.from != "" || given):
		return cli.Usagef("--what-needs looks at all components, and takes no other choice")
	case listing && !slices.Contains(cli.RecordFormats, format):
		return cli.Usagef("format %q is for plans, not for lists", format)
	case o.from == "" && o.meaning:
		return cli.Usagef("--meaning needs --from REF: the commit to compare with")
	case o.from == "" && !listing && !given:
		return cli.Usagef("nothing to plan: name components, take all with -a, or compare commits with --from REF")
	}
	return nil
}

func runPlan(ctx context.Context, g *cli.Globals, sel *cli.Selection, args []string, o *planOptions, format string) error {
	if err := o.check(sel.Given(args), format); err != nil {
		return err
	}
	times, err := readTimes(o.times)
	if err != nil {
		return err
	}
	cfg, err := o.set.Config()
	if err != nil {
		return err
	}
	o.arches = distinct(o.arches)
	for _, arch := range o.arches {
		if err := g.CheckArch(arch); err != nil {
			return err
		}
	}
	p, err := g.LoadComponents()
	if err != nil {
		return err
	}
	r, err := g.Renderer(p)
	if err != nil {
		return err
	}
	r.SkipLockValidation = true // a look at components asks for no update
	evaluations := &facts.Cache{Build: cli.BuildID()}
	if dir, err := g.Cache(); err == nil && dir != "" {
		evaluations.Dir = filepath.Join(dir, "plan.v1")
	}
	loader := &facts.Loader{Renderer: r, Config: cfg, Cache: evaluations, Jobs: g.Jobs(0, 1)}
	job := &planJob{g: g, o: o, planner: &plan.Planner{Archs: o.arches, Loaders: loader.For(o.arches), Meaning: o.meaning, Reason: o.reason}}
	if err := job.findRepositories(p); err != nil {
		return err
	}
	if err := job.work(ctx, p, sel, args); err != nil {
		return err
	}
	defer func() {
		if err := evaluations.Save(); err != nil {
			g.Note("the results of evaluations could not be kept: %v", err)
		}
	}()
	switch {
	case o.whatNeeds != "":
		return job.printNeeds(format)
	case o.edges:
		return job.printEdges(format)
	}
	made, err := job.Order(ctx, o.rdeps == "1", o.rdeps == "all", times)
	if err != nil {
		return err
	}
	return job.print(made, format)
}

// A planJob is one run of plan.
type planJob struct {
	g         *cli.Globals
	o         *planOptions
	planner   *plan.Planner
	unfetched int // repositories of the project that are not in the cache

	*plan.Work
}

// work finds out what has to be built: what differs between two commits, or the
// components that are chosen.
func (j *planJob) work(ctx context.Context, p *components.Project, sel *cli.Selection, args []string) error {
	line := cli.NewProgress(j.g)
	defer line.Clear()
	j.planner.Evaluating = func(specs int) { line.Show("evaluating %d specs", specs) }
	if j.o.from != "" {
		return j.between(ctx, p, sel, args)
	}
	chosen := p.Names()
	var err error
	if sel.Given(args) {
		if chosen, err = sel.Names(p, args); err != nil {
			return err
		}
	}
	if j.Work, err = j.planner.WorkingTree(ctx, chosen); err != nil {
		return err
	}
	j.sayUnfetched()
	if n := len(j.Unrendered); n > 0 && len(j.Failed) == 0 {
		j.g.Note("%d components could not be rendered, and are not in the graph: %s", n, diag.Abridge(j.Unrendered, 5))
	}
	return nil
}

// between finds out what differs between the two commits that the flags name.
func (j *planJob) between(ctx context.Context, p *components.Project, sel *cli.Selection, args []string) error {
	h, err := j.g.OpenHistory(ctx, p)
	if err != nil {
		return err
	}
	from, to, err := cli.ResolveRange(h, j.o.from, cmp.Or(j.o.to, "HEAD"), j.o.to != "")
	if err != nil {
		return err
	}
	names, err := plan.Rendered(from, to)
	if err != nil {
		return err
	}
	chosen, err := sel.Among(p, args, names)
	if err != nil {
		return err
	}
	if j.Work, err = j.planner.Between(ctx, from, to, chosen); err != nil {
		return err
	}
	j.sayUnfetched()
	return nil
}

// distinct removes what stands in a list before.
func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// readTimes reads the file of build times, if any.
func readTimes(file string) (map[string]float64, error) {
	if file == "" {
		return nil, nil
	}
	data, err := cli.ReadInput("plan/file", file, 64<<20)
	if err != nil {
		return nil, err
	}
	times, problems := plan.ReadTimes(file, string(data))
	return times, problems.Err()
}

// printNeeds lists who needs something.
func (j *planJob) printNeeds(format string) error {
	name := j.o.whatNeeds
	users, ok := j.Graph.WhatNeeds(name)
	if !ok {
		d := &diag.Diagnostic{Code: "plan/unknown", Message: fmt.Sprintf("no component, package or provided name is called %q", name)}
		if near := diag.Nearest(name, j.Graph.Names()); near != "" {
			d.Hint = fmt.Sprintf("did you mean %q?", near)
		}
		return d
	}
	columns := []cli.Column[plan.User]{
		{Title: "NEEDED BY", Cell: func(u plan.User) string { return cli.OrDash(u.Component) }},
		{Title: "PACKAGE", Cell: func(u plan.User) string { return cli.OrDash(u.Package) }},
		{Title: "KIND", Cell: func(u plan.User) string { return u.Kind }},
		{Title: "REQUIREMENT", Cell: func(u plan.User) string { return u.Requirement }},
		{Title: "PROVIDED BY", Cell: func(u plan.User) string { return u.Provider }},
		{Title: "VIA", Cell: func(u plan.User) string { return u.Via }},
		{Title: "OTHERS", Cell: func(u plan.User) string { return diag.Abridge(u.Others, 3) }},
	}
	if len(j.o.arches) > 1 {
		columns = append(columns, cli.Column[plan.User]{Title: "ARCHITECTURES", Cell: func(u plan.User) string { return strings.Join(u.Architectures, " ") }})
	}
	list := cli.NewRecords(j.g.Stdout, format, columns)
	for _, u := range users {
		if err := list.Write(u); err != nil {
			return err
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	if len(users) == 0 {
		j.g.Note("nothing needs %s", name)
	}
	return nil
}

// printEdges lists the edges of the chosen components.
func (j *planJob) printEdges(format string) error {
	columns := []cli.Column[plan.Edge]{
		{Title: "COMPONENT", Cell: func(e plan.Edge) string { return e.From }},
		{Title: "NEEDS", Cell: func(e plan.Edge) string { return e.To }},
		{Title: "REQUIREMENTS", Cell: func(e plan.Edge) string {
			var all []string
			for _, n := range e.Needs {
				all = append(all, n.Requirement)
			}
			return strings.Join(slices.Compact(all), ", ")
		}},
	}
	if len(j.o.arches) > 1 {
		columns = append(columns, cli.Column[plan.Edge]{Title: "ARCHITECTURES", Cell: func(e plan.Edge) string { return strings.Join(e.Architectures, " ") }})
	}
	list := cli.NewRecords(j.g.Stdout, format, columns)
	for _, e := range j.Graph.Edges {
		if _, in := j.Set[e.From]; !in {
			continue
		}
		if err := list.Write(e); err != nil {
			return err
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	return j.Failed.Err()
}

// print prints a plan.
func (j *planJob) print(p *plan.Plan, format string) error {
	switch format {
	case "json":
		if err := cli.WriteJSON(j.g.Stdout, p); err != nil {
			return err
		}
	case "table", "csv", "markdown":
		if err := j.printSteps(p, format); err != nil {
			return err
		}
		j.talk(p)
	default:
		at := slices.IndexFunc(plan.Formats, func(f plan.Format) bool { return f.Name == format })
		w := bufio.NewWriter(j.g.Stdout)
		if err := errors.Join(p.WriteFormat(w, &plan.Formats[at], j.Graph, j.o.farm), w.Flush()); err != nil {
			return err
		}
		j.talk(p)
	}
	return j.Failed.Err()
}

func (j *planJob) printSteps(p *plan.Plan, format string) error {
	columns := []cli.Column[plan.Step]{
		{Title: "WAVE", Cell: func(s plan.Step) string { return fmt.Sprint(s.Wave) }},
		{Title: "COMPONENT", Cell: func(s plan.Step) string { return s.Component }},
	}
	if p.Seconds > 0 {
		columns = append(columns, cli.Column[plan.Step]{Title: "SECONDS", Cell: func(s plan.Step) string { return strconv.FormatFloat(s.Seconds, 'f', -1, 64) }})
	}
	if len(j.o.arches) > 1 {
		columns = append(columns, cli.Column[plan.Step]{Title: "ARCHITECTURES", Cell: func(s plan.Step) string { return strings.Join(s.Architectures, " ") }})
	}
	if j.o.reason {
		columns = append(columns, cli.Column[plan.Step]{Title: "REASON", Cell: func(s plan.Step) string {
			var all []string
			for _, r := range s.Reasons {
				all = append(all, r.String())
			}
			return strings.Join(all, "; ")
		}})
	}
	list := cli.NewRecords(j.g.Stdout, format, columns)
	for _, s := range p.Steps {
		if err := list.Write(s); err != nil {
			return err
		}
	}
	return list.Close()
}

// talk says what a table has no place for.
func (j *planJob) talk(p *plan.Plan) {
	const limit = 8
	g := j.g
	switch len(p.Waves) {
	case 0:
		g.Note("nothing has to be built")
	case 1:
		g.Note("%d components in one wave", len(p.Steps))
	default:
		g.Note("%d components in %d waves, the largest has %d", len(p.Steps), len(p.Waves), p.Width)
	}
	if len(p.Path) > 1 {
		weight := ""
		if p.PathSeconds > 0 {
			weight = fmt.Sprintf(" (%.0f of %.0f seconds)", p.PathSeconds, p.Seconds)
		}
		g.Note("longest path%s: %s", weight, strings.Join(p.Path, " < "))
	}
	for i, c := range p.Cycles {
		if i == limit {
			g.Note("%d more cycles; --json has them", len(p.Cycles)-limit)
			break
		}
		g.Note("cycle of %d: %s", len(c.Components), diag.Abridge(c.Components, 12))
		for k, e := range c.Cut {
			if k == limit {
				g.Note("  %d more edges to cut; --json has them", len(c.Cut)-limit)
				break
			}
			with := ""
			if e.Suggest != "" {
				with = ", which is gone " + e.Suggest
			}
			need := ""
			if len(e.Needs) > 0 {
				need = e.Needs[0].Requirement
			}
			g.Note("  build %s first without %s (%s%s)", e.From, e.To, need, with)
		}
	}
	if len(p.Removed) > 0 {
		g.Note("no longer there: %s", diag.Abridge(p.Removed, limit))
	}
	for i, s := range p.Skipped {
		if i == limit {
			g.Note("%d more are not built; --json has them", len(p.Skipped)-limit)
			break
		}
		g.Note("%s is left out: %s", s.Component, s.Reason)
	}
	for i, m := range p.Missing {
		if i == limit {
			g.Note("%d more requirements that nothing provides; --json has them%s", len(p.Missing)-limit, j.wantsMetadata())
			break
		}
		hint := ""
		if len(m.Nearest) > 0 {
			hint = "; nearest: " + strings.Join(m.Nearest, ", ")
		}
		if len(m.Architectures) < len(j.o.arches) {
			hint += "; on " + strings.Join(m.Architectures, " ")
		}
		g.Note("%s: nothing provides %q%s", m.Component, m.Requirement, hint)
	}
}
