package rendering

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/overlay/diag"
	"specgraft/render"
)

func RenderCmd(g *cli.Globals) *cobra.Command {
	var output, now, exportGit, patch string
	var force, check, clean, failFast, failOnError, explain, allowShallow bool
	var jobs int
	var strict []string
	cmd := &cobra.Command{
		Use:   "render [-a | NAME...]",
		Short: "Write the rendered tree of specs",
		Long: `Render takes each component's upstream packaging, applies build configuration
and overlays, and brings its directory in the output tree up to date. A
directory is replaced as a whole or not touched at all, and only when it
differs. A component that cannot be rendered gets a RENDER_FAILED file and the
reason on stderr; the others are rendered all the same.

After each overlay the spec is looked at as rpm will read it, and what the
overlay's author is unlikely to have meant is a warning. --strict makes errors of
warnings: of all, or of those with the given codes ('specgraft help codes').

On a terminal -a lists the components that changed or failed, and counts the
others; with -v, and into a file or a pipe, it lists all of them.

A component is not rendered again while its inputs and, as far as the file system
tells, its files are what they were when it was last found to be right: one
question for each file, and no reading. The only change that this may miss is one
of a file that was given its old size and times back. What a component was
rendered to is kept in the cache as well, so that another tree with the same inputs
is only written. --verify believes nothing of this, and renders and reads everything.

With --check nothing is written: exit code 2 says that the tree is not what
render would write. With --explain-files the results list each file of the
packaging instead, whether it is part of the tree, and why; in JSON both.`,
		Example: `  specgraft render -a
  specgraft render bash 'python-*'
  specgraft render -a --check --clean-stale
  specgraft render -a --check --verify
  specgraft render -a --check --patch fix.patch --format github
  specgraft render -a --strict=overlay/became-conditional,overlay/no-effect
  specgraft render bash -o /tmp/specs --json`,
	}
	sel := g.SelectFlags(cmd)
	sel.LockFlag(cmd)
	sel.ShardFlag(cmd)
	f := cmd.Flags()
	f.StringVarP(&output, "output-dir", "o", "", "write to `DIR` instead of the project's rendered-specs-dir")
	f.BoolVarP(&force, "force", "f", false, "replace directories even if they do not look like rendered specs")
	f.BoolVar(&check, "check", false, "write nothing; exit with 2 when something would change")
	f.StringVar(&patch, "patch", "", "with --check: write the patch that would fix the tree to `FILE`, for git apply")
	f.BoolVar(&g.ReadAll, "verify", false, "render and read everything, also what is known to be unchanged")
	f.BoolVar(&clean, "clean-stale", false, "with -a: remove directories of components that are gone")
	f.IntVarP(&jobs, "jobs", "j", 0, "render `N` components at a time (default: one for each processor)")
	f.StringSliceVar(&strict, "strict", nil, "make errors of warnings with `CODES`, which may be groups such as overlay/; of all when none are given")
	f.Lookup("strict").NoOptDefVal = "all"
	f.BoolVar(&explain, "explain-files", false, "print for each file of the components whether it is kept and why")
	f.BoolVar(&failFast, "fail-fast", false, "start no further component after the first failure")
	f.StringVar(&now, "now", "", "`TIME` of changes that are not committed, as RFC 3339 or @UNIX (default: the commit date of HEAD)")
	f.BoolVar(&allowShallow, "allow-shallow", false, "go on with the history that a shallow clone of the project has")
	f.StringVar(&exportGit, "export-git", "", "with one component: also write the git history that its release and changelog are computed from to `DIR`")
	f.BoolVar(&failOnError, "fail-on-error", false, "accepted for azldev's sake: a failure always gives exit code 1")
	_ = f.MarkHidden("fail-on-error")
	_ = cmd.MarkFlagDirname("output-dir")
	_ = cmd.MarkFlagDirname("export-git")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf(append(slices.Clone(cli.RecordFormats), "github")...)
		if err != nil {
			return err
		}
		switch {
		case patch != "" && !check:
			return cli.Usagef("--patch requires --check: without it, rendering fixes the tree itself")
		case clean && !sel.All:
			return cli.Usagef("--clean-stale requires -a")
		case check && exportGit != "":
			return cli.Usagef("--check and --dry-run write nothing, so leave out --export-git")
		case check && failOnError && !g.DryRun:
			return cli.Usagef("--check and --fail-on-error exclude each other")
		case jobs < 0:
			return cli.Usagef("--jobs is a number of 1 or more")
		}
		if err := cli.KnownCodes(strict); err != nil {
			return err
		}
		if sel.All {
			g.ReadAhead()
		}
		p, names, err := g.LoadSelected(sel, args)
		if err != nil {
			return err
		}
		if len(names) == 0 && !sel.All && sel.Shard == "" {
			return cli.Usagef("no components were selected: nothing matches; 'specgraft list' prints all names")
		}
		r, err := g.Renderer(p)
		if err != nil {
			return err
		}
		r.SkipLockValidation = sel.SkipLocks
		r.Lint, r.Strict = true, strict
		if now != "" {
			if r.Now, err = cli.ParseTime(now); err != nil {
				return cli.Usagef("--now: %w", err)
			}
		}
		if exportGit != "" && len(names) != 1 {
			return cli.Usagef("--export-git writes the history of one component, not of %d", len(names))
		}
		r.AllowShallow = allowShallow
		problems := r.Prepare(cmd.Context(), names, sel.All)
		if err := problems.Err(); err != nil {
			return err
		}
		g.Report(slices.DeleteFunc(problems, func(d diag.Diagnostic) bool { return d.Code != "render/history" }))
		if exportGit != "" {
			if err := r.ExportHistory(cmd.Context(), names[0], exportGit); err != nil {
				return err
			}
		}
		if output == "" {
			if err := p.CheckRenderedDir(); err != nil {
				return err
			}
			output = p.RenderedDir
		}
		out, err := render.OpenOutput(output, render.OutputOptions{
			ReadOnly: check, Force: force, Protect: []string{p.Dir, p.Root, p.LockDir},
		})
		if err != nil {
			return err
		}
		g.Closers = append(g.Closers, out.Close)
		run := newRenderRun(g, r, out, names, format, g.Brief(sel.All, format),
			render.RunOptions{Jobs: g.Jobs(jobs, 1), Check: check, FailFast: failFast, ExplainFiles: explain, Verify: g.ReadAll})
		if patch != "" {
			run.patch = &patchFile{name: patch}
		}
		return runRender(cmd.Context(), g, run, out, names, clean)
	}
	return cmd
}

// A renderRun is what a render prints and counts while its outcomes arrive.
type renderRun struct {
	g      *cli.Globals
	r      *render.Renderer
	total  int
	format string
	brief  bool // leave out the components that are as they were
	opt    render.RunOptions

	list    *cli.Records[*render.Outcome]
	reasons *cli.Records[fileReason]
	line    *cli.Progress

	patch *patchFile // nil when none is wanted
	out   *render.Output
	wd    string // working directory

	start time.Time
	done  int
	count map[string]int
	drift []string // components that are not what render would write
	exit  int
	err   error // the first error of printing
}

// outcomeCounts are the kinds of outcomes in the order in which their counts
// are printed.
var outcomeCounts = []string{"changed", "unchanged", "failed", "failed as expected", "cancelled"}

// newRenderRun starts the lists of a render of the named components into out.
func newRenderRun(g *cli.Globals, r *render.Renderer, out *render.Output, names []string, format string, brief bool, opt render.RunOptions) *renderRun {
	wide, dirs := len("COMPONENT"), len("OUTPUT")
	wd, err := filepath.Abs(".")
	if err != nil {
		wd = "" // then paths stay as they are
	}
	for _, n := range names {
		wide = max(wide, len(n))
		dirs = max(dirs, len(cli.RelativeTo(wd, filepath.Join(out.Dir, render.ComponentDir(n)))))
	}
	return &renderRun{
		g: g, r: r, out: out, wd: wd, total: len(names), format: format, brief: brief, opt: opt,
		list: cli.NewRecords(g.Stdout, format, []cli.Column[*render.Outcome]{
			{Title: "COMPONENT", Width: wide, Cell: func(o *render.Outcome) string { return o.Component }},
			{Title: "OUTPUT", Width: dirs, Cell: func(o *render.Outcome) string { return o.OutputDir }},
			{Title: "STATUS", Width: len("cancelled"), Cell: func(o *render.Outcome) string { return string(o.Status) }},
			{Title: "CHANGED", Width: len("CHANGED"), Cell: func(o *render.Outcome) string { return fmt.Sprint(o.Changed) }},
			{Title: "ERROR", Width: 1, Cell: func(o *render.Outcome) string {
				if format == "table" {
					return code(o.Diags) // the message is on stderr
				}
				return o.Error
			}},
		}),
		reasons: cli.NewRecords(g.Stdout, format, fileColumns),
		line:    cli.NewProgress(g),
		start:   time.Now(),
		count:   map[string]int{},
	}
}

// runRender runs the renderer, prints what comes out, and removes orphans.
func runRender(ctx context.Context, g *cli.Globals, run *renderRun, out *render.Output, names []string, clean bool) error {
	run.r.Run(ctx, out, names, run.opt, run.outcome)
	if err := run.close(); err != nil {
		return fmt.Errorf("cannot print the results: %w", err)
	}
	if ctx.Err() != nil {
		g.Say("interrupted: %d of %d components were rendered, the others are as they were", run.done-run.count["cancelled"], len(names))
		return cli.ExitError(cli.ExitEnv)
	}
	if clean && run.count["cancelled"] == 0 {
		n, err := cleanStale(g, run.r.Project, out, run.opt.Check)
		if err != nil {
			return err
		}
		if n > 0 && run.opt.Check {
			run.exit = cli.Worst(run.exit, cli.ExitDrift)
		}
	}
	return run.finish()
}

// outcome takes the result of one component.
func (run *renderRun) outcome(o *render.Outcome) {
	run.done++
	if run.patch != nil && o.Changed {
		run.patch.add(run.out, run.r.Project, o)
	}
	o.Wanted = nil
	if run.format == "github" {
		run.annotate(o)
	} else if len(o.Diags) > 0 {
		reportOutcome(run.g, run.r, o)
	}
	o.OutputDir = cli.RelativeTo(run.wd, o.OutputDir)
	kind := outcomeKind(o)
	run.count[kind]++
	if kind == "failed" {
		run.exit = cli.Worst(run.exit, max(cli.CodeOf(o.Diags), cli.ExitProblems))
	}
	if o.Changed && run.opt.Check {
		run.exit = cli.Worst(run.exit, cli.ExitDrift)
		run.noteDrift(o, kind)
	}
	if err := run.write(o, kind); err != nil && run.err == nil {
		run.err = err
	}
	run.line.Show("%d of %d  %s", run.done, run.total, o.Component)
}

// noteDrift says what would change in the directory of a component. To render one
// that fails mends nothing, and what it would do to each file is not worth a line.
func (run *renderRun) noteDrift(o *render.Outcome, kind string) {
	if kind == "failed" {
		run.g.Note("%s: %s would take the place of what is rendered", o.Component, render.FailedName)
		return
	}
	run.drift = append(run.drift, o.Component)
	for _, ch := range o.Changes {
		run.g.Note("%s: %s would be %s", o.Component, cli.ShownPath(ch.Path), wouldBe(ch.Kind))
	}
}

// annotate prints the problems of a component as annotations for a forge.
func (run *renderRun) annotate(o *render.Outcome) {
	l := outcomeDiags(run.r, o)
	if o.Changed && run.opt.Check && outcomeKind(o) != "failed" {
		l = append(slices.Clone(l), driftDiagnostic(o))
	}
	if err := run.g.Printer().GitHub(run.g.Stdout, l); err != nil && run.err == nil {
		run.err = err
	}
}

// outcomeKind returns under which of outcomeCounts an outcome counts.
func outcomeKind(o *render.Outcome) string {
	switch {
	case o.Status == render.Cancelled:
		return "cancelled"
	case o.Status == render.Error && o.Expected:
		return "failed as expected"
	case o.Status == render.Error:
		return "failed"
	case o.Changed:
		return "changed"
	}
	return "unchanged"
}

// explains reports whether the rows are files and not components.
func (run *renderRun) explains() bool { return run.opt.ExplainFiles && run.format != "json" }

// write prints the row or the rows of an outcome.
func (run *renderRun) write(o *render.Outcome, kind string) error {
	if !run.explains() {
		if run.format == "github" {
			return nil
		}
		if run.brief && kind == "unchanged" {
			return nil
		}
		return run.list.Write(o)
	}
	var errs []error
	for _, f := range o.Files {
		errs = append(errs, run.reasons.Write(fileReason{o.Component, f}))
	}
	return errors.Join(errs...)
}

// close ends the lists. It returns the first error that printing them had.
func (run *renderRun) close() error {
	run.line.Clear()
	if run.patch != nil {
		if err := run.patch.close(); err != nil {
			return err
		}
	}
	end := run.list.Close
	if run.format == "github" {
		end = func() error { return nil }
	}
	if run.explains() {
		end = run.reasons.Close
	}
	if err := end(); run.err == nil {
		run.err = err
	}
	return run.err
}

// finish says how many components had which outcome, and returns the exit code
// of the run as an error.
func (run *renderRun) finish() error {
	var parts []string
	for _, what := range outcomeCounts {
		if n := run.count[what]; n > 0 {
			if run.opt.Check && what == "changed" {
				what = "would change"
			}
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"there are no components"}
	}
	run.g.Note("%s in %s", strings.Join(parts, ", "), time.Since(run.start).Round(time.Millisecond))
	if run.opt.Check && !run.g.DryRun && len(run.drift) > 0 {
		run.g.Note("the rendered tree is stale; run 'specgraft render' for: %s", diag.Abridge(run.drift, 10))
	}
	if run.exit == cli.ExitOK && run.count["cancelled"] > 0 {
		run.exit = cli.ExitEnv
	}
	if run.exit != cli.ExitOK {
		return cli.ExitError(run.exit)
	}
	return nil
}

// reportOutcome prints the diagnostics of a component. Those of a failure that
// is expected are notes.
func reportOutcome(g *cli.Globals, r *render.Renderer, o *render.Outcome) {
	g.Report(outcomeDiags(r, o))
}

// outcomeDiags returns the diagnostics of an outcome; those of a failure that is
// expected are notes.
func outcomeDiags(r *render.Renderer, o *render.Outcome) diag.List {
	l := o.Diags
	if o.Status == render.Error && o.Expected {
		why := "build.failure.expected"
		if c, _ := r.Project.Component(o.Component); c != nil && c.Build.Failure.ExpectedReason != "" {
			why = c.Build.Failure.ExpectedReason
		}
		l = slices.Clone(l)
		for i := range l {
			if l[i].Severity == diag.Error {
				l[i].Severity = diag.Note
				l[i].Hint = "expected to fail: " + why
			}
		}
	}
	return l
}

// A fileReason is one row of render --explain-files.
type fileReason struct {
	Component string `json:"component"`
	render.FileReason
}

var fileColumns = []cli.Column[fileReason]{
	{Title: "COMPONENT", Cell: func(f fileReason) string { return f.Component }},
	{Title: "FILE", Cell: func(f fileReason) string { return f.Path }},
	{Title: "KEPT", Cell: func(f fileReason) string { return fmt.Sprint(f.Keep) }},
	{Title: "REASON", Cell: func(f fileReason) string { return f.Reason }},
}

// code returns the code of the first error.
func code(l diag.List) string {
	for _, d := range l {
		if d.Severity == diag.Error {
			return d.Code
		}
	}
	return ""
}

// cleanStale removes, or with check only names, the directories of components
// that are gone. It returns how many there are.
func cleanStale(g *cli.Globals, p *components.Project, out *render.Output, check bool) (int, error) {
	orphans, err := out.Orphans(p.Names())
	if err != nil {
		return 0, err
	}
	for _, o := range orphans {
		if check {
			g.Note("%s belongs to no component and would be removed", o)
			continue
		}
		if err := out.Remove(o); err != nil {
			return 0, err
		}
		g.Note("removed %s, which belongs to no component", o)
	}
	return len(orphans), nil
}

func wouldBe(k render.ChangeKind) string {
	if k == render.Mode {
		return "given other permissions"
	}
	return string(k)
}
