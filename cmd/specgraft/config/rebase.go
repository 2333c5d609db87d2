package config

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
	"specgraft/render"
	"specgraft/render/rebase"
)

// rebaseRecord is one component in the output of rebase.
type rebaseRecord struct {
	Component string          `json:"component"`
	From      string          `json:"from"`
	To        string          `json:"to"`
	Overlays  []rebaseOverlay `json:"overlays"`
	Due       []rebase.Due    `json:"due,omitempty"`   // overlays whose time has come
	Error     string          `json:"error,omitempty"` // why nothing can be said, or why the result does not render

	component *rebase.Component
	diags     diag.List
	verdict   rebase.Verdict
	status    string
	expected  bool // the component is expected to fail
}

type rebaseOverlay struct {
	Index    int              `json:"index"`
	Type     overlay.Type     `json:"type"`
	Verdict  rebase.Verdict   `json:"verdict"`
	File     string           `json:"file"`
	Line     int              `json:"line"`
	Places   []rebase.Place   `json:"places"`
	Proposal string           `json:"proposal"` // a diff of the file, "" for none
	Reason   string           `json:"reason"`
	ThreeWay *rebase.ThreeWay `json:"threeWay,omitempty"`
}

func RebaseCmd(g *cli.Globals) *cobra.Command {
	r := &rebasing{Globals: g}
	var specs, resume, abort bool
	cmd := &cobra.Command{
		Use:   "rebase NAME...",
		Short: "Say what becomes of overlays when upstream moves, and propose edits",
		Long: `Rebase applies the overlays of components to the upstream they were made for and
to another one, and says what becomes of each:

  clean     same lines, same effect
  moved     same effect at a changed place or around changed text
  landed    upstream has the effect now; the overlay can go
  widened   changes more places than before
  narrowed  changes fewer places than before
  obsolete  what it changes is gone, and nothing of its intent is left
  broken    does not apply

For all but the first there is a proposal where one can be found: the edited TOML
as a diff. A component with its proposals has been rendered on the new upstream.
--apply edits the configuration: the lines of the overlays and the pin of the
component, nothing else. Only components of which nothing is left open are edited.

With several components, or -a, a table is printed, what needs most work first.
The exit code is 0 when all overlays are clean or moved.`,
		Example: `  specgraft rebase bash
  specgraft rebase bash --to f44 --apply
  specgraft rebase -a --to latest
  specgraft rebase --specs old.spec new.spec overlays.toml`,
	}
	sel := g.SelectFlags(cmd)
	sel.LockFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&r.to, "to", "latest", "the new upstream: a `COMMIT`, branch, date, or \"latest\" for the head of the branch")
	f.BoolVar(&specs, "specs", false, "compare spec files: the arguments are OLD, NEW and OVERLAYS.toml")
	f.BoolVar(&r.apply, "apply", false, "write the proposals into the configuration")
	f.BoolVar(&r.interactive, "interactive", false, "go through the proposals one at a time, on a terminal, and write those that are taken")
	f.BoolVar(&resume, "continue", false, "carry on writing after an interruption")
	f.BoolVar(&abort, "abort", false, "take back what was written before an interruption")
	cmd.MarkFlagsMutuallyExclusive("continue", "abort", "specs")
	cmd.MarkFlagsMutuallyExclusive("apply", "interactive")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "table", "json", "csv", "markdown")
		if err != nil {
			return err
		}
		r.format = format
		if r.interactive && (!cli.IsInput(g.Stdin) || format == "json") {
			return cli.Usagef("--interactive needs a terminal")
		}
		switch {
		case resume || abort:
			return r.resume(abort)
		case specs:
			if len(args) != 3 {
				return cli.Usagef("--specs takes OLD, NEW and OVERLAYS.toml, not %d arguments", len(args))
			}
			return r.specs(args[0], args[1], args[2])
		}
		return r.components(cmd.Context(), sel, args)
	}
	return cmd
}

// A rebasing is one run of the rebase command.
type rebasing struct {
	*cli.Globals
	to                 string
	apply, interactive bool
	format             string
}

// resume carries an interrupted run on, or takes it back.
func (r *rebasing) resume(back bool) error {
	p, _ := components.Load(r.LoadOptions())
	if p == nil {
		_, err := r.Load()
		return err
	}
	r.Base, r.Top = p.Dir, p.Root
	files, err := rebase.Resume(p.Dir, p.Root, back)
	if err != nil {
		return err
	}
	what := "written"
	if back {
		what = "put back"
	}
	r.Note("%d file%s %s: %s", len(files), cli.Plural(len(files)), what, strings.Join(files, ", "))
	return nil
}

// components rebases components of the project.
func (r *rebasing) components(ctx context.Context, sel *cli.Selection, args []string) error {
	p, names, err := r.LoadSelected(sel, args)
	if err != nil {
		return err
	}
	if err := rebase.Check(p.Dir); err != nil {
		return err
	}
	v, err := r.ViewerOf(ctx, p, sel, names)
	if err != nil {
		return err
	}
	v.Renderer.WithoutHistory = true
	b := &rebase.Rebaser{Renderer: v.Renderer, Same: rebase.SamePackaging, Today: rebase.Today(time.Now())}
	if downloads, err := r.Lookaside(func(string) {}); err == nil {
		b.Sources = rebase.Archives(downloads)
	}
	records := make([]*rebaseRecord, len(names))
	line := cli.NewProgress(r.Globals)
	var pool errgroup.Group
	pool.SetLimit(r.Jobs(0, 1))
	for i, name := range names {
		pool.Go(func() error {
			records[i] = rebaseOne(ctx, b, name, r.to, sel.All)
			return ctx.Err()
		})
	}
	if err := pool.Wait(); err != nil {
		return err
	}
	line.Clear()
	records = slices.DeleteFunc(records, func(r *rebaseRecord) bool { return r == nil })
	single := len(names) == 1 && !sel.All
	if r.interactive {
		if err := r.ask(p, records); err != nil {
			return err
		}
	}
	code := cli.ExitOK
	for _, rec := range records {
		code = cli.Worst(code, rec.finish(p))
	}
	if err := r.print(p, records, single, len(names)); err != nil {
		return fmt.Errorf("cannot print the results: %w", err)
	}
	if r.apply || r.interactive {
		if err := r.write(p, records); err != nil {
			return err
		}
	}
	if code != cli.ExitOK {
		return cli.ExitError(code)
	}
	return nil
}

// rebaseOne rebases a component. With all, those are nil that have no upstream
// or where nothing is new.
func rebaseOne(ctx context.Context, b *rebase.Rebaser, name, to string, all bool) *rebaseRecord {
	rec := &rebaseRecord{Component: name, Overlays: []rebaseOverlay{}}
	c, problems := b.Renderer.Project.Component(name)
	if problems.HasErrors() || c == nil {
		rec.diags = problems
		return rec
	}
	if all && (!c.IsUpstream() || c.Spec.Source == "srpm") {
		return nil
	}
	res, err := b.Component(ctx, c, to)
	if err != nil {
		rec.diags, rec.expected = render.ListOf(err, name), c.Build.Failure.Expected
		return rec
	}
	if all && res.From == res.To {
		return nil
	}
	rec.component, rec.From, rec.To = res, res.From, res.To
	return rec
}

// finish fills in what is printed and returns the exit code that the component
// asks for.
func (rec *rebaseRecord) finish(p *components.Project) int {
	if rec.component == nil {
		rec.verdict, rec.status = rebase.Broken, "failed"
		rec.Error = rec.diags.Errors()
		if rec.expected {
			rec.status = "fails, as expected"
			return cli.ExitOK
		}
		return cli.CodeOf(rec.diags)
	}
	c := rec.component
	rec.verdict = c.Worst()
	rec.Due = c.Due
	for i := range c.Overlays {
		o := &c.Overlays[i]
		out := rebaseOverlay{Index: o.Index, Type: o.Op.Type, Verdict: o.Verdict, File: o.Op.Pos.Filename, Line: o.Op.Pos.Line,
			Places: o.Places, Reason: o.Reason, ThreeWay: o.ThreeWay}
		if o.Proposed {
			text, err := rebase.ProposalDiff(p, o, o.Proposal)
			if err != nil {
				o.Proposed = false
				out.Reason = strings.TrimPrefix(out.Reason+"; "+diag.Message(err), "; ")
			}
			out.Proposal = text
		}
		rec.Overlays = append(rec.Overlays, out)
	}
	switch {
	case !c.Proven && len(c.Problems) > 0 && !slices.ContainsFunc(c.Overlays, func(o rebase.Overlay) bool { return o.Verdict.NeedsPerson() }):
		rec.status, rec.Error = "does not render", c.Problems.Errors()
		rec.diags = c.Problems
		return cli.CodeOf(c.Problems)
	case !rec.verdict.NeedsPerson():
		rec.status = "free"
		return cli.ExitOK
	case c.Ready():
		rec.status = "look at the proposals"
	default:
		rec.status = "needs work"
	}
	return cli.ExitProblems
}

// rank orders components for the table: those that failed, then by the most
// important verdict, then by name.
func rank(a, b *rebaseRecord) int {
	index := func(r *rebaseRecord) int {
		switch {
		case r.expected:
			return len(rebase.Verdicts)
		case r.component == nil || r.status == "does not render":
			return -1
		}
		return slices.Index(rebase.Verdicts, r.verdict)
	}
	return cmp.Or(index(a)-index(b), strings.Compare(a.Component, b.Component))
}

func (r *rebasing) print(p *components.Project, records []*rebaseRecord, single bool, asked int) error {
	for _, rec := range records {
		if !rec.expected {
			r.Report(rec.diags)
		}
		if rec.component != nil {
			for _, n := range rec.component.Notes {
				r.Note("%s: %s", rec.Component, n)
			}
		}
	}
	if r.format == "json" && single && len(records) == 1 {
		return cli.WriteJSON(r.Stdout, records[0])
	}
	slices.SortStableFunc(records, rank)
	if r.format == "text" && single {
		return r.text(records)
	}
	format := r.format
	if format == "text" {
		format = "table"
	}
	out := cli.NewRecords(r.Stdout, format, []cli.Column[*rebaseRecord]{
		{Title: "COMPONENT", Cell: func(x *rebaseRecord) string { return x.Component }},
		{Title: "STATUS", Cell: func(x *rebaseRecord) string { return x.status }},
		{Title: "VERSION", Cell: func(x *rebaseRecord) string { return x.versions() }},
		{Title: "OVERLAYS", Cell: func(x *rebaseRecord) string { return x.summary() }},
		{Title: "COMMIT", Cell: func(x *rebaseRecord) string {
			if x.component == nil {
				return "-"
			}
			return fmt.Sprintf("%.12s -> %.12s", x.From, x.To)
		}},
	})
	free, work := 0, 0
	for _, rec := range records {
		switch {
		case rec.status == "free":
			free++
		case !rec.expected:
			work++
		}
		if err := out.Write(rec); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	r.Note("%d of %d component%s have a new upstream: %d free, %d need a person", len(records), asked, cli.Plural(asked), free, work)
	return nil
}

func (rec *rebaseRecord) versions() string {
	c := rec.component
	if c == nil || c.FromVersion == "" && c.ToVersion == "" {
		return "-"
	}
	if c.FromVersion == c.ToVersion {
		return c.ToVersion
	}
	return c.FromVersion + " -> " + c.ToVersion
}

// summary counts the verdicts, the most important first.
func (rec *rebaseRecord) summary() string {
	if rec.component == nil {
		return "-"
	}
	var parts []string
	for _, v := range rebase.Verdicts {
		n := 0
		for _, o := range rec.Overlays {
			if o.Verdict == v {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	if len(rec.Due) > 0 {
		parts = append(parts, fmt.Sprintf("%d due", len(rec.Due)))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// text prints one component overlay by overlay.
func (r *rebasing) text(records []*rebaseRecord) error {
	w := bufio.NewWriter(r.Stdout)
	for _, rec := range records {
		if rec.component == nil {
			continue
		}
		if rec.From == rec.To && rec.From != "" {
			fmt.Fprintf(w, "%s: commit %.12s is the newest\n", rec.Component, rec.From)
		} else {
			from, to := rec.From, rec.To
			if rec.component.Config != nil {
				from, to = fmt.Sprintf("%.12s", from), fmt.Sprintf("%.12s", to)
			}
			fmt.Fprintf(w, "%s: version %s, %s -> %s\n", rec.Component, rec.versions(), from, to)
		}
		for i := range rec.Overlays {
			r.overlay(w, &rec.Overlays[i])
		}
		for _, d := range rec.Due {
			fmt.Fprintf(w, "due       %s:%d: %s\n", d.File, d.Line, d.Reason)
		}
		if len(rec.Overlays) == 0 {
			fmt.Fprintf(w, "no overlays\n")
		}
		if rec.Error != "" {
			fmt.Fprintf(w, "with these overlays it does not render\n")
		}
	}
	return w.Flush()
}

func (r *rebasing) overlay(w *bufio.Writer, o *rebaseOverlay) {
	fmt.Fprintf(w, "%-9s %s:%d %s", o.Verdict, o.File, o.Line, o.Type)
	if o.Reason != "" {
		fmt.Fprintf(w, ": %s", o.Reason)
	}
	w.WriteByte('\n')
	if o.Verdict == rebase.Clean {
		return
	}
	for _, p := range o.Places {
		fmt.Fprintf(w, "    %-9s %s", p.Change, p.Side)
		fmt.Fprintf(w, " %s", p.File)
		if p.Line > 0 {
			fmt.Fprintf(w, ":%d: %s", p.Line, cli.Visible(p.Text))
		}
		w.WriteByte('\n')
	}
	if t := o.ThreeWay; t != nil {
		for _, part := range []struct {
			name  string
			lines []string
		}{{"old upstream", t.Old}, {"rendered", t.Rendered}, {"new upstream", t.New}} {
			fmt.Fprintf(w, "    %s:\n", part.name)
			for _, l := range part.lines {
				fmt.Fprintf(w, "    | %s\n", cli.Visible(l))
			}
		}
	}
	if o.Proposal != "" {
		for l := range strings.Lines(o.Proposal) {
			fmt.Fprintf(w, "  %s\n", cli.Visible(strings.TrimSuffix(l, "\n")))
		}
	}
}

// ask goes through the proposals on a terminal. What is not taken is as if it
// had not been proposed.
func (r *rebasing) ask(p *components.Project, records []*rebaseRecord) error {
	in := bufio.NewReader(r.Stdin)
	for _, rec := range records {
		if rec.component == nil {
			continue
		}
		for i := range rec.component.Overlays {
			o := &rec.component.Overlays[i]
			if !o.Proposed {
				continue
			}
			options := append([][]overlay.Op{o.Proposal}, o.Others...)
			fmt.Fprintf(r.Stderr, "\n%s: %s %s:%d %s: %s\n", rec.Component, o.Verdict, o.Op.Pos.Filename, o.Op.Pos.Line, o.Op.Type, o.Reason)
			for k := range options {
				text, err := rebase.ProposalDiff(p, o, options[k])
				if err != nil {
					text = diag.Message(err) + "\n"
				}
				fmt.Fprintf(r.Stderr, "%d)\n%s", k+1, visibleLines(text))
			}
			n, err := answer(r.Stderr, in, len(options))
			if err != nil {
				return err
			}
			if n == 0 {
				o.Proposed, o.Proposal = false, nil
			} else {
				o.Proposal = options[n-1]
			}
		}
	}
	return nil
}

func visibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = cli.Visible(lines[i])
	}
	return strings.Join(lines, "\n")
}

// answer reads the number of an option, 0 for none.
func answer(w interface{ Write([]byte) (int, error) }, in *bufio.Reader, n int) (int, error) {
	for {
		fmt.Fprintf(w, "take it? [y, n, 1-%d, q to stop] ", n)
		line, err := in.ReadString('\n')
		if err != nil && line == "" {
			return 0, errors.New("no answer; nothing was written")
		}
		switch line = strings.TrimSpace(strings.ToLower(line)); line {
		case "y", "yes", "":
			return 1, nil
		case "n", "no":
			return 0, nil
		case "q":
			return 0, errors.New("stopped; nothing was written")
		}
		if k, err := strconv.Atoi(line); err == nil && k >= 1 && k <= n {
			return k, nil
		}
	}
}

// write edits the configuration.
func (r *rebasing) write(p *components.Project, records []*rebaseRecord) error {
	var ready []*rebase.Component
	unpinned := []string{}
	for _, rec := range records {
		c := rec.component
		if c == nil {
			continue
		}
		if !c.Ready() {
			r.Say("%s: not written, as it needs a person first", rec.Component)
			continue
		}
		ready = append(ready, c)
		if c.Config.Spec.UpstreamCommit == "" && c.From != c.To {
			unpinned = append(unpinned, rec.Component)
		}
	}
	edits, err := rebase.Edits(p, ready)
	if err != nil {
		return err
	}
	if len(edits) == 0 {
		r.Note("nothing to write")
		return nil
	}
	if err := rebase.Write(p.Dir, p.Root, "specgraft rebase", edits); err != nil {
		return err
	}
	var files []string
	for _, e := range edits {
		files = append(files, cli.Relative(e.Path))
	}
	r.Note("wrote %s", strings.Join(files, ", "))
	if len(unpinned) > 0 {
		r.Note("the overlays fit the new upstream now; run 'specgraft update' to take it for %s", diag.Abridge(unpinned, 10))
	}
	return nil
}

// specs compares the overlays of a file on two specs.
func (r *rebasing) specs(oldFile, newFile, tomlFile string) error {
	data, err := cli.ReadInput("rebase/write", tomlFile, 64<<20)
	if err != nil {
		return err
	}
	ops, list := components.ParseOverlays(tomlFile, data)
	if err := list.Err(); err != nil {
		return err
	}
	var trees [2]*overlay.Tree
	for i, name := range []string{oldFile, newFile} {
		text, err := cli.ReadInput("rebase/write", name, cli.MaxSpec)
		if err != nil {
			return err
		}
		trees[i] = &overlay.Tree{Name: strings.TrimSuffix(filepath.Base(oldFile), ".spec"), Spec: spec.Parse(name, text), Files: map[string]*overlay.File{}}
		if !slices.ContainsFunc(ops, func(op overlay.Op) bool { return !strings.HasPrefix(string(op.Type), "spec-") }) {
			continue
		}
		root, err := os.OpenRoot(filepath.Dir(name))
		if err != nil {
			return cli.FileProblem("rebase/write", filepath.Dir(name), err)
		}
		defer root.Close()
		if err := cli.ReadTree(root, trees[i], filepath.Base(name)); err != nil {
			return cli.FileProblem("rebase/write", filepath.Dir(name), err)
		}
	}
	sources, err := cli.NewSources(tomlFile, r.Outside)
	if err != nil {
		return err
	}
	found, err := rebase.Compare(trees[0], trees[1], ops, rebase.Options{Source: sources.Open, Same: rebase.SamePackaging})
	if err != nil {
		return err
	}
	rec := &rebaseRecord{Component: trees[0].Name, From: oldFile, To: newFile, Overlays: []rebaseOverlay{}}
	open := false
	for i := range found.Overlays {
		o := &found.Overlays[i]
		out := rebaseOverlay{Index: o.Index, Type: o.Op.Type, Verdict: o.Verdict, File: o.Op.Pos.Filename, Line: o.Op.Pos.Line,
			Places: o.Places, Reason: o.Reason, ThreeWay: o.ThreeWay}
		if o.Proposed {
			after, err := replaced(tomlFile, data, []*rebase.Overlay{o})
			if err != nil {
				return err
			}
			out.Proposal = string(diff.Diff("a/"+tomlFile, data, "b/"+tomlFile, after))
		}
		open = open || o.Verdict.NeedsPerson() && !o.Proposed
		rec.Overlays = append(rec.Overlays, out)
	}
	rec.component = &rebase.Component{Comparison: found, Name: rec.Component, FromVersion: rebase.VersionOf(trees[0].Spec), ToVersion: rebase.VersionOf(trees[1].Spec)}
	if r.format == "json" {
		err = cli.WriteJSON(r.Stdout, rec)
	} else {
		err = r.text([]*rebaseRecord{rec})
	}
	if err != nil {
		return fmt.Errorf("cannot print the results: %w", err)
	}
	if r.apply && open {
		r.Say("%s: not written, as it needs a person first", tomlFile)
	} else if r.apply {
		var all []*rebase.Overlay
		for i := range found.Overlays {
			all = append(all, &found.Overlays[i])
		}
		after, err := replaced(tomlFile, data, all)
		if err != nil {
			return err
		}
		if now, err := os.ReadFile(tomlFile); err != nil || !bytes.Equal(now, data) {
			return &diag.Diagnostic{Code: "rebase/changed", Message: tomlFile + " has changed on disk meanwhile; it was not touched", Hint: "run the command again"}
		}
		if err := edit.WriteFile(tomlFile, after); err != nil {
			return cli.FileProblem("rebase/write", tomlFile, err)
		}
		r.Note("wrote %s", tomlFile)
	}
	if found.Worst().NeedsPerson() {
		return cli.ExitError(cli.ExitProblems)
	}
	return nil
}

// replaced returns an overlay file with proposals taken.
func replaced(name string, data []byte, list []*rebase.Overlay) ([]byte, error) {
	e, problems := edit.Edit(name, data)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	for _, o := range list {
		if o.Proposed {
			if err := e.ReplaceOverlayAt(o.Op.Pos, o.Op, o.Proposal); err != nil {
				return nil, err
			}
		}
	}
	return e.Bytes(), nil
}
