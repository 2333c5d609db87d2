package config

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
	"specgraft/render/rebase"
)

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
	line := cli.NewProgress(r.Globals)
	list, err := b.Outcomes(ctx, names, r.to, sel.All, r.Jobs(0, 1))
	if err != nil {
		return err
	}
	line.Clear()
	if r.interactive {
		if err := r.ask(p, list); err != nil {
			return err
		}
	}
	code := cli.ExitOK
	for _, out := range list {
		out.Judge(p)
		code = cli.Worst(code, exitCode(out))
	}
	if err := r.print(list, len(names) == 1 && !sel.All, len(names)); err != nil {
		return fmt.Errorf("cannot print the results: %w", err)
	}
	if r.apply || r.interactive {
		if err := r.write(p, list); err != nil {
			return err
		}
	}
	if code != cli.ExitOK {
		return cli.ExitError(code)
	}
	return nil
}

// exitCode is what an outcome asks for.
func exitCode(out *rebase.Outcome) int {
	switch out.Status {
	case rebase.Free, rebase.Expected:
		return cli.ExitOK
	case rebase.Failed, rebase.Unrendered:
		return cli.CodeOf(out.Problems)
	}
	return cli.ExitProblems
}

func (r *rebasing) print(records []*rebase.Outcome, single bool, asked int) error {
	for _, rec := range records {
		if rec.Status != rebase.Expected {
			r.Report(rec.Problems)
		}
		if rec.Result != nil {
			for _, n := range rec.Result.Notes {
				r.Note("%s: %s", rec.Component, n)
			}
		}
	}
	if r.format == "json" && single && len(records) == 1 {
		return cli.WriteJSON(r.Stdout, records[0])
	}
	slices.SortStableFunc(records, rebase.ByWork)
	if r.format == "text" && single {
		return r.text(records)
	}
	format := r.format
	if format == "text" {
		format = "table"
	}
	out := cli.NewRecords(r.Stdout, format, []cli.Column[*rebase.Outcome]{
		{Title: "COMPONENT", Cell: func(x *rebase.Outcome) string { return x.Component }},
		{Title: "STATUS", Cell: func(x *rebase.Outcome) string { return string(x.Status) }},
		{Title: "VERSION", Cell: func(x *rebase.Outcome) string { return x.Versions() }},
		{Title: "OVERLAYS", Cell: func(x *rebase.Outcome) string { return x.Summary() }},
		{Title: "COMMIT", Cell: func(x *rebase.Outcome) string {
			if x.Result == nil {
				return "-"
			}
			return fmt.Sprintf("%.12s -> %.12s", x.From, x.To)
		}},
	})
	free, work := 0, 0
	for _, rec := range records {
		switch {
		case rec.Status == rebase.Free:
			free++
		case rec.Status != rebase.Expected:
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

// text prints one component overlay by overlay.
func (r *rebasing) text(records []*rebase.Outcome) error {
	w := bufio.NewWriter(r.Stdout)
	for _, rec := range records {
		if rec.Result == nil {
			continue
		}
		if rec.From == rec.To && rec.From != "" {
			fmt.Fprintf(w, "%s: commit %.12s is the newest\n", rec.Component, rec.From)
		} else {
			from, to := rec.From, rec.To
			if rec.Result.Config != nil {
				from, to = fmt.Sprintf("%.12s", from), fmt.Sprintf("%.12s", to)
			}
			fmt.Fprintf(w, "%s: version %s, %s -> %s\n", rec.Component, rec.Versions(), from, to)
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

func (r *rebasing) overlay(w *bufio.Writer, o *rebase.OverlayOutcome) {
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
func (r *rebasing) ask(p *components.Project, records []*rebase.Outcome) error {
	in := bufio.NewReader(r.Stdin)
	for _, rec := range records {
		if rec.Result == nil {
			continue
		}
		for i := range rec.Result.Overlays {
			o := &rec.Result.Overlays[i]
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
func (r *rebasing) write(p *components.Project, records []*rebase.Outcome) error {
	for _, rec := range records {
		if rec.Result != nil && !rec.Result.Ready() {
			r.Say("%s: not written, as it needs a person first", rec.Component)
		}
	}
	files, unpinned, err := rebase.Take(p, "specgraft rebase", records)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		r.Note("nothing to write")
		return nil
	}
	for i := range files {
		files[i] = cli.Relative(files[i])
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
	file, err := rebase.ParseOverlayFile(tomlFile, data)
	if err != nil {
		return err
	}
	var trees [2]*overlay.Tree
	for i, name := range []string{oldFile, newFile} {
		text, err := cli.ReadInput("rebase/write", name, cli.MaxSpec)
		if err != nil {
			return err
		}
		trees[i] = &overlay.Tree{Name: strings.TrimSuffix(filepath.Base(oldFile), ".spec"), Spec: spec.Parse(name, text), Files: map[string]*overlay.File{}}
		if !file.NeedsFiles() {
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
	out, err := file.Rebase(trees[0], trees[1], rebase.Options{Source: sources.Open, Same: rebase.SamePackaging})
	if err != nil {
		return err
	}
	if r.format == "json" {
		err = cli.WriteJSON(r.Stdout, out)
	} else {
		err = r.text([]*rebase.Outcome{out})
	}
	if err != nil {
		return fmt.Errorf("cannot print the results: %w", err)
	}
	if r.apply {
		if err := r.writeFile(file, out); err != nil {
			return err
		}
	}
	if out.Status != rebase.Free {
		return cli.ExitError(cli.ExitProblems)
	}
	return nil
}

// writeFile writes the proposals into a file of overlays.
func (r *rebasing) writeFile(file *rebase.OverlayFile, out *rebase.Outcome) error {
	if out.Status == rebase.Open {
		r.Say("%s: not written, as it needs a person first", file.Name)
		return nil
	}
	if err := file.Write(out); err != nil {
		_, path := errors.AsType[*fs.PathError](err)
		if _, link := errors.AsType[*os.LinkError](err); path || link {
			return cli.FileProblem("rebase/write", file.Name, err)
		}
		return err
	}
	r.Note("wrote %s", file.Name)
	return nil
}
