package effect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/render/review"
	"specgraft/render/review/report"
	"specgraft/render/review/semantic"
)

// semanticFlags are the flags of diff that compare meaning.
type semanticFlags struct {
	semantic bool
	specs    bool
	from, to string
	archs    []string
}

func (s *semanticFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&s.semantic, "semantic", false, "compare what the specs mean instead of their text")
	f.BoolVar(&s.specs, "specs", false, "the arguments are two spec files, or two directories of packaging: compare what they mean")
	f.StringVar(&s.from, "from", "", "compare what the rendered trees mean, from commit `REF`, or with A...B from where B left A")
	f.StringVar(&s.to, "to", "", "with --from: to commit `REF` (default: the working tree)")
	cli.ListVar(f, &s.archs, "arch", "", "evaluate for the architecture `ARCH`; may be repeated (default x86_64 and aarch64)")
	_ = cmd.RegisterFlagCompletionFunc("arch", cobra.FixedCompletions(macro.Archs(), cobra.ShellCompDirectiveNoFileComp))
}

// wanted reports whether meaning is to be compared, and refuses flags that make
// no sense then.
func (s *semanticFlags) wanted(stat bool) (bool, error) {
	wanted := s.semantic || s.specs || s.from != ""
	switch {
	case s.to != "" && s.from == "":
		return true, cli.Usagef("--to requires --from")
	case s.specs && s.from != "":
		return true, cli.Usagef("--specs compares files, --from commits; leave one out")
	case wanted && stat:
		return true, cli.Usagef("--stat counts lines; it excludes --semantic, --specs and --from")
	case !wanted && len(s.archs) > 0:
		return false, cli.Usagef("--arch is for --semantic, --specs and --from")
	}
	return wanted, nil
}

// options is what specs are evaluated with.
func semanticOptions(g *cli.Globals, s *semanticFlags) (semantic.Options, error) {
	for _, a := range s.archs {
		if err := g.CheckArch(a); err != nil {
			return semantic.Options{}, err
		}
	}
	return semantic.Options{Archs: s.archs}, nil
}

// diffSpecs compares two packagings that belong to no project.
func diffSpecs(g *cli.Globals, s *semanticFlags, args []string, format string) error {
	if len(args) != 2 {
		return cli.Usagef("--specs takes two spec files or directories: the old one and the new one")
	}
	opt, err := semanticOptions(g, s)
	if err != nil {
		return err
	}
	var side [2]semantic.Packaging
	for i, path := range args {
		if side[i], err = semantic.Open(path); err != nil {
			if _, ok := errors.AsType[*fs.PathError](err); !ok {
				return &diag.Diagnostic{Pos: token.Position{Filename: path}, Code: "diff/specs", Message: err.Error()}
			}
			return cli.FileProblem("diff/specs", path, err)
		}
	}
	d := semantic.Compare(side[0], side[1], opt)
	return printSemantic(g, format, []named{{Diff: d}})
}

// diffRevisions compares the rendered trees of two commits, which are read from
// the repository.
func diffRevisions(ctx context.Context, g *cli.Globals, s *semanticFlags, sel *cli.Selection, args []string, format string) error {
	r, err := buildReport(ctx, g, sel, args, s.from, s.to, s.archs, false)
	if err != nil {
		return err
	}
	slices.SortFunc(r.Components, func(a, b report.Component) int { return strings.Compare(a.Name, b.Name) })
	var list []named
	for i := range r.Components {
		c := &r.Components[i]
		list = append(list, named{c.Name, &semantic.Diff{Changes: c.Changes, Noise: c.Noise, Unknown: c.Unknown, OldEVR: c.OldEVR, NewEVR: c.NewEVR}})
		for _, p := range c.Problems {
			g.Report(diag.List{{Code: "review/failing", Component: c.Name, Severity: diag.Warning, Message: p}})
		}
	}
	for _, n := range r.Notes {
		g.Note("%s", n)
	}
	return printSemantic(g, format, list)
}

// named is the semantic diff of a component.
type named struct {
	name string
	*semantic.Diff
}

// diffSemantic compares upstream's packaging with the rendered one.
func diffSemantic(ctx context.Context, v *cli.Viewer, s *semanticFlags, format string) error {
	opt, err := semanticOptions(v.Globals, s)
	if err != nil {
		return err
	}
	var list []named
	err = v.Each(ctx, func(view *review.View, _ []review.FileDiff) error {
		d, err := view.Semantic(opt)
		if err != nil {
			return err
		}
		if d != nil {
			list = append(list, named{view.Result.Component, d})
		}
		return nil
	})
	if err == nil {
		err = printSemantic(v.Globals, format, list)
	}
	if v.Code != cli.ExitOK && err == nil {
		return v.Done()
	}
	return err
}

// printSemantic prints diffs. That an EVR goes down is an error.
func printSemantic(g *cli.Globals, format string, list []named) error {
	all := semantic.Diff{Changes: []semantic.Change{}, Unknown: []semantic.Unknown{}}
	var text bytes.Buffer
	down := false
	for _, n := range list {
		for _, c := range n.Changes {
			c.Component = n.name
			all.Changes = append(all.Changes, c)
		}
		for _, u := range n.Unknown {
			u.Component = n.name
			all.Unknown = append(all.Unknown, u)
		}
		all.Noise.Add(n.Noise)
		for _, c := range n.Down() {
			down = true
			g.Report(diag.List{{Code: "review/evr-down", Component: n.name,
				Message: fmt.Sprintf("the EVR of %s goes down, from %s to %s", c.Package, orUnknown(n.OldEVR), orUnknown(n.NewEVR)),
				Hint:    "installed systems would not take it as an update; raise the release or the epoch"}})
			break
		}
		if n.name != "" && len(n.Changes)+n.Noise.Total()+len(n.Unknown) > 0 {
			fmt.Fprintf(&text, "%s%s\n", n.name, evrLine(n.Diff))
		}
		if err := n.WriteText(&text); err != nil {
			return err
		}
	}
	var err error
	if format == "json" {
		err = cli.WriteJSON(g.Stdout, all)
	} else {
		if len(all.Changes) == 0 {
			g.Note("nothing changes its meaning")
		}
		_, err = g.Stdout.Write(text.Bytes())
	}
	if err != nil {
		return fmt.Errorf("cannot print the results: %w", err)
	}
	if down {
		return cli.ExitError(cli.ExitProblems)
	}
	return nil
}

func orUnknown(s string) string {
	if s == "" {
		return "?"
	}
	return s
}

// evrLine is the EVR of both sides behind a name.
func evrLine(d *semantic.Diff) string {
	switch {
	case d.OldEVR == "" && d.NewEVR == "":
		return ""
	case d.OldEVR == d.NewEVR:
		return " " + d.NewEVR
	}
	return " " + orUnknown(d.OldEVR) + " -> " + orUnknown(d.NewEVR)
}
