package config

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
	"specgraft/render"
	"specgraft/render/rebase"
)

func AbsorbCmd(g *cli.Globals) *cobra.Command {
	a := &absorption{Globals: g}
	var specs, fork bool
	cmd := &cobra.Command{
		Use:   "absorb NAME",
		Short: "Turn hand edits of a spec into overlays",
		Long: `Absorb finds the overlays that make of one spec what somebody made of it by hand,
byte for byte: the shortest list, overlays that name a tag, section or file
before expressions, each in its section and with the number of places that it is
for. What no overlay can say well stands at the end and is marked.

  absorb NAME               edits in the rendered tree, against what the
                            configuration renders
  absorb --specs OLD NEW    any two spec files
  absorb --fork DIR NAME    a directory with a forked package, against the
                            nearest commit of the package upstream

The overlays are printed as TOML, or written with -o; files that they add are
written beside. --apply adds them to the component's configuration instead. Every
list has been applied and compared before it is shown. Fill in the descriptions:
they are for whoever has to decide later whether an overlay can go.`,
		Example: `  specgraft absorb bash
  specgraft absorb bash --apply
  specgraft absorb --specs before.spec after.spec -o overlays.toml
  specgraft absorb --fork ~/forks/bash bash -o components/bash.comp.toml`,
		Args: cobra.RangeArgs(1, 2),
	}
	sel := &cli.Selection{}
	sel.LockFlag(cmd)
	f := cmd.Flags()
	f.BoolVar(&specs, "specs", false, "compare two spec files: the arguments are BEFORE and AFTER")
	f.BoolVar(&fork, "fork", false, "compare a forked package with its upstream: the arguments are its directory and its NAME")
	f.StringVar(&a.commit, "commit", "", "with --fork: the upstream `COMMIT` that the fork was made from")
	f.StringVarP(&a.output, "output", "o", "", "write the overlays to `FILE`, and files that they add beside it")
	f.BoolVar(&a.apply, "apply", false, "add the overlays to the component's configuration")
	f.BoolVar(&a.interactive, "interactive", false, "choose between overlays that do the same, on a terminal")
	_ = cmd.MarkFlagFilename("output", "toml")
	cmd.MarkFlagsMutuallyExclusive("specs", "fork")
	cmd.MarkFlagsMutuallyExclusive("apply", "output")
	cmd.ValidArgsFunction = g.CompleteNames
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "json")
		if err != nil {
			return err
		}
		a.format = format
		if want := 1 + cli.Btoi(specs || fork); len(args) != want {
			return cli.Usagef("absorb takes %d argument%s here; see 'specgraft absorb --help'", want, cli.Plural(want))
		}
		if a.interactive && !cli.IsInput(g.Stdin) {
			return cli.Usagef("--interactive needs a terminal")
		}
		switch {
		case a.commit != "" && !fork:
			return cli.Usagef("--commit goes with --fork")
		case a.apply && (specs || fork):
			return cli.Usagef("--apply is for a component of the project; use -o to write a file")
		case specs:
			return a.specs(args[0], args[1])
		case fork:
			return a.fork(cmd.Context(), args[0], args[1])
		}
		return a.component(cmd.Context(), sel, args[0])
	}
	return cmd
}

// An absorption is one run of the absorb command.
type absorption struct {
	*cli.Globals
	output, commit     string
	apply, interactive bool
	format             string
	code               int
}

// search looks for the overlays, and lets a person choose.
func (a *absorption) search(before, after *overlay.Tree) (*absorb.Result, error) {
	found, err := absorb.Search(before, after, absorb.Options{Equivalents: a.interactive || a.format == "json"})
	if err != nil {
		return nil, err
	}
	a.Report(found.Problems)
	if found.Problems.HasErrors() {
		a.code = cli.ExitProblems
	}
	if a.interactive {
		if err := a.choose(found); err != nil {
			return nil, err
		}
	}
	found.Describe()
	return found, nil
}

// choose asks which of several overlays that do the same is wanted.
func (a *absorption) choose(found *absorb.Result) error {
	in := bufio.NewReader(a.Stdin)
	for i := range found.Steps {
		s := &found.Steps[i]
		if len(s.Equivalents) == 0 {
			continue
		}
		fmt.Fprintf(a.Stderr, "\noverlay %d of %d\n", i+1, len(found.Steps))
		for _, l := range s.Old {
			fmt.Fprintf(a.Stderr, "  -%s\n", cli.Visible(l))
		}
		for _, l := range s.New {
			fmt.Fprintf(a.Stderr, "  +%s\n", cli.Visible(l))
		}
		options := append([]overlay.Op{s.Op}, s.Equivalents...)
		for k := range options {
			fmt.Fprintf(a.Stderr, "%d) %s", k+1, cli.Indented(edit.OverlayText([]string{"overlays"}, &options[k])))
		}
		for {
			fmt.Fprintf(a.Stderr, "which one? [1-%d, return for 1] ", len(options))
			line, err := in.ReadString('\n')
			if err != nil && line == "" {
				return errors.New("no answer; nothing was written")
			}
			line = strings.TrimSpace(line)
			if n, err := strconv.Atoi(line); line == "" || err == nil && n >= 1 && n <= len(options) {
				s.Op = options[max(n, 1)-1]
				break
			}
		}
	}
	return nil
}

// specs absorbs the difference of two spec files.
func (a *absorption) specs(beforeFile, afterFile string) error {
	var trees [2]*overlay.Tree
	for i, name := range []string{beforeFile, afterFile} {
		data, err := cli.ReadInput("absorb/input", name, cli.MaxSpec)
		if err != nil {
			return err
		}
		trees[i] = &overlay.Tree{Name: strings.TrimSuffix(filepath.Base(beforeFile), ".spec"), Spec: spec.Parse(name, data)}
	}
	found, err := a.search(trees[0], trees[1])
	if err != nil {
		return err
	}
	return a.print(trees[0].Name, found, []string{"overlays"}, "")
}

// component absorbs the edits in a component's rendered directory.
func (a *absorption) component(ctx context.Context, sel *cli.Selection, name string) error {
	v, err := a.Viewer(ctx, sel, []string{name})
	if err != nil {
		return err
	}
	if len(v.Names) != 1 {
		return cli.Usagef("absorb works on one component at a time, not on %d", len(v.Names))
	}
	c, problems := v.Project.Component(v.Names[0])
	if err := problems.Err(); err != nil {
		return err
	}
	dir := filepath.Join(v.Project.RenderedDir, filepath.FromSlash(render.ComponentDir(c.Name)))
	edit, err := rebase.OpenHandEdit(ctx, v.Renderer, c, dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return &diag.Diagnostic{Code: "absorb/no-edit", Component: c.Name, Message: cli.Relative(dir) + " does not exist",
				Hint: fmt.Sprintf("`specgraft render %s` writes it; edit the files there", c.Name)}
		}
		return err
	}
	if edit.Problems.HasErrors() {
		a.Report(edit.Problems)
		return cli.ExitError(cli.ExitProblems)
	}
	found, err := a.search(edit.Before, edit.After)
	if err != nil {
		return err
	}
	if a.code == cli.ExitOK {
		if err := edit.Proves(ctx, v.Renderer, c, found.Ops()); err != nil {
			return err
		}
	}
	if !a.apply {
		return a.print(c.Name, found, []string{"components", c.Name, "overlays"}, "")
	}
	if a.code != cli.ExitOK || len(found.Steps) == 0 {
		return a.print(c.Name, found, []string{"components", c.Name, "overlays"}, "")
	}
	return a.addTo(v.Project, c, found)
}

// addTo adds the overlays to the configuration of a component.
func (a *absorption) addTo(p *components.Project, c *components.Component, found *absorb.Result) error {
	file, err := rebase.Extend(p, c, found.Ops())
	if err != nil {
		return absorbProblem(err)
	}
	a.Note("added %d overlay%s to %s; fill in the descriptions", len(found.Steps), cli.Plural(len(found.Steps)), cli.Relative(file))
	return nil
}

// absorbProblem says which file an error is about.
func absorbProblem(err error) error {
	about, ok := errors.AsType[*fs.PathError](err)
	switch {
	case !ok:
		return err
	case errors.Is(err, rebase.ErrOtherContent):
		return &diag.Diagnostic{Code: "absorb/input", Message: fmt.Sprintf("%s exists with other content", cli.Relative(about.Path)),
			Hint: "move it away, or write the overlays to another directory"}
	}
	return cli.FileProblem("absorb/input", about.Path, about.Err)
}

// fork absorbs a directory with a forked package.
func (a *absorption) fork(ctx context.Context, dir, name string) error {
	p, err := a.Load()
	if err != nil {
		return err
	}
	c, problems := p.Component(name)
	if c == nil || problems.HasErrors() {
		return problems.Err()
	}
	u, err := rebase.ForkUpstream(p, c)
	if err != nil {
		return err
	}
	after, err := rebase.ReadFork(dir, name)
	if err != nil {
		return absorbProblem(err)
	}
	store, err := a.Store(p)
	if err != nil {
		return err
	}
	f, err := rebase.OpenFork(ctx, store, u, a.commit, after)
	if err != nil {
		return err
	}
	if near := f.Near; near != nil {
		a.Note("nearest to the fork is commit %.12s of %s: %d of its %d lines are there (%d versions compared)", near.Commit, u.Branch, near.Same, near.Lines, near.Looked)
	}
	found, err := a.search(f.Before, f.After)
	if err != nil {
		return err
	}
	config, err := f.Config()
	if err != nil {
		return err
	}
	return a.print(name, found, []string{"components", name, "overlays"}, string(config))
}

// absorbed is an overlay in JSON.
type absorbed struct {
	Type        overlay.Type `json:"type"`
	Kind        absorb.Kind  `json:"kind"`
	Places      int          `json:"places"`
	TOML        string       `json:"toml"`
	Equivalents []string     `json:"equivalents"` // as TOML
	Removed     []string     `json:"removed"`     // lines, the first few
	Added       []string     `json:"added"`
}

// print writes the overlays to standard output or the file of -o. The head is
// TOML that stands before them.
func (a *absorption) print(name string, found *absorb.Result, path []string, head string) error {
	var text bytes.Buffer
	text.WriteString(head)
	kinds := map[absorb.Kind]int{}
	records := []absorbed{}
	for i := range found.Steps {
		s := &found.Steps[i]
		kinds[s.Kind]++
		if text.Len() > 0 {
			text.WriteByte('\n')
		}
		if s.Kind == absorb.Block && kinds[s.Kind] == 1 {
			text.WriteString("# From here on: what no overlay says well.\n")
		}
		toml := edit.OverlayText(path, &s.Op)
		text.WriteString(toml)
		r := absorbed{s.Op.Type, s.Kind, s.Places, toml, []string{}, slices.Concat([]string{}, s.Old), slices.Concat([]string{}, s.New)}
		for k := range s.Equivalents {
			r.Equivalents = append(r.Equivalents, edit.OverlayText(path, &s.Equivalents[k]))
		}
		records = append(records, r)
	}
	if a.output != "" && a.code == cli.ExitOK {
		if err := rebase.WriteSources(filepath.Dir(a.output), found.Ops()); err != nil {
			return absorbProblem(err)
		}
		if err := edit.WriteFile(a.output, text.Bytes()); err != nil {
			return cli.FileProblem("absorb/input", a.output, err)
		}
	}
	var err error
	switch {
	case a.format == "json":
		err = cli.WriteJSON(a.Stdout, struct {
			Component string     `json:"component"`
			Overlays  []absorbed `json:"overlays"`
		}{name, records})
	case a.output == "":
		_, err = a.Stdout.Write(text.Bytes())
	}
	if err != nil {
		return fmt.Errorf("cannot print the results: %w", err)
	}
	n := len(found.Steps)
	switch {
	case a.code != cli.ExitOK:
		return cli.ExitError(a.code)
	case n == 0:
		a.Note("nothing to absorb: there is no difference")
	default:
		a.Note("%d overlay%s: %d typed, %d expression%s, %d in blocks", n, cli.Plural(n), kinds[absorb.Named], kinds[absorb.Expression], cli.Plural(kinds[absorb.Expression]), kinds[absorb.Block])
	}
	return nil
}
