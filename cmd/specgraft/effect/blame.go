package effect

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/review"
)

func BlameCmd(g *cli.Globals) *cobra.Command {
	var removed bool
	cmd := &cobra.Command{
		Use:   "blame NAME | PATH[:LINE]",
		Short: "Say where each line of a rendered file comes from",
		Long: `Blame prints the rendered spec of a component with the cause of each line:
upstream, the overlay that wrote or last changed it (as line of the
configuration), or a step of the renderer such as "header" or "release". A mark
says whether the line is new (+) or changed (~).

With the path of a rendered file it prints that file, and with PATH:LINE the one
line with everything that was done to it, in order. NAME:LINE is a line of the
component's spec; of a path the file name is enough when only one component has
such a file. Line numbers are those of what render writes now, which the
checked-in file may differ from.`,
		Example: `  specgraft blame bash
  specgraft blame bash --removed
  specgraft blame specs/b/bash/bash.spec:12
  specgraft blame bash:12 --json`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			if strings.Contains(prefix, "/") {
				return nil, cobra.ShellCompDirectiveDefault // a path of the rendered tree
			}
			return g.CompleteNames(cmd, args, prefix)
		},
	}
	sel := &cli.Selection{}
	sel.LockFlag(cmd)
	cmd.Flags().BoolVar(&removed, "removed", false, "also show the lines of upstream that are gone, and who removed them")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "table", "json")
		if err != nil {
			return err
		}
		p, err := g.LoadComponents()
		if err != nil {
			return err
		}
		name, file, line, err := blameTarget(p, args[0])
		if err != nil {
			return err
		}
		v, err := g.ViewerOf(cmd.Context(), p, sel, []string{name})
		if err != nil {
			return err
		}
		view := v.View(cmd.Context(), name)
		if view.Before.Spec == nil {
			return v.Done()
		}
		var b *review.Blame
		var trail []review.Touch
		if file == "" || file == view.Spec() {
			file = ""
			b = view.Blame(removed && line == 0)
		} else if b, trail, err = view.BlameFile(file, removed && line == 0, line); err != nil {
			return cli.AsUsage(err)
		}
		if line > 0 {
			k := slices.IndexFunc(b.Lines, func(l review.BlameLine) bool { return l.Num == line })
			if k < 0 {
				return cli.Usagef("%s as rendered now has %d lines", b.Path, len(b.Lines))
			}
			if file == "" {
				trail = view.Trail(line)
			}
			err = blameLine(g, b, b.Lines[k], trail, format)
		} else if format == "json" {
			err = cli.WriteJSON(g.Stdout, b)
		} else {
			err = b.Write(g.Stdout, g.Style())
		}
		if err != nil {
			return fmt.Errorf("cannot print the results: %w", err)
		}
		return v.Done()
	}
	return cmd
}

// blameTarget reads NAME, NAME:LINE, PATH or PATH:LINE, where PATH leads to a
// rendered file, relative to here or to the project. A file name alone will do
// when only one component has such a file.
func blameTarget(p *components.Project, arg string) (name, file string, line int, err error) {
	if slices.Contains(p.Names(), arg) {
		return arg, "", 0, nil
	}
	target := arg
	for range 2 { // :LINE or :LINE:COL
		if i := strings.LastIndexByte(target, ':'); i > 0 {
			if n, err := strconv.Atoi(target[i+1:]); err == nil && n > 0 {
				line, target = n, target[:i]
			}
		}
	}
	if slices.Contains(p.Names(), target) {
		return target, "", line, nil
	}
	for _, base := range []string{".", p.Dir, p.RenderedDir} {
		path := target
		if !filepath.IsAbs(path) {
			path = filepath.Join(base, target)
		}
		path, err := filepath.Abs(path)
		if err != nil || p.RenderedDir == "" {
			continue
		}
		rel, err := filepath.Rel(p.RenderedDir, path)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		parts := strings.SplitN(filepath.ToSlash(rel), "/", 3)
		if len(parts) < 2 || !slices.Contains(p.Names(), parts[1]) || render.ComponentDir(parts[1]) != parts[0]+"/"+parts[1] {
			continue
		}
		return parts[1], strings.Join(parts[2:], ""), line, nil
	}
	if comp, rest, ok := strings.Cut(target, "/"); ok && slices.Contains(p.Names(), comp) {
		return comp, rest, line, nil
	}
	if strings.Contains(target, "/") {
		return "", "", 0, &diag.Diagnostic{Code: "config/unknown-component", Message: fmt.Sprintf("%q is no file of a rendered component", target),
			Hint: "name a component, or a file below the project's rendered-specs-dir"}
	}
	if comp, ok := strings.CutSuffix(target, ".spec"); ok && slices.Contains(p.Names(), comp) {
		return comp, "", line, nil
	}
	switch owners := renderedIn(p, target); len(owners) {
	case 0:
		return "", "", 0, unknownComponent(p, target)
	case 1:
		return owners[0], target, line, nil
	default:
		return "", "", 0, &diag.Diagnostic{Code: "config/unknown-component",
			Message: fmt.Sprintf("%d components have a file %q: %s", len(owners), target, diag.Abridge(owners, 5)),
			Hint:    fmt.Sprintf("name it with its path, such as %s", cli.Relative(filepath.Join(p.RenderedDir, render.ComponentDir(owners[0]), target)))}
	}
}

// renderedIn returns the components that have a file of that name at the top of
// their rendered directory.
func renderedIn(p *components.Project, file string) []string {
	var owners []string
	if p.RenderedDir == "" || file == "" {
		return nil
	}
	for _, name := range p.Names() {
		if st, err := os.Lstat(filepath.Join(p.RenderedDir, render.ComponentDir(name), file)); err == nil && st.Mode().IsRegular() {
			owners = append(owners, name)
		}
	}
	return owners
}

// blameLine prints one line and what was done to it.
func blameLine(g *cli.Globals, b *review.Blame, l review.BlameLine, trail []review.Touch, format string) error {
	if format == "json" {
		return cli.WriteJSON(g.Stdout, struct {
			Component string `json:"component"`
			Path      string `json:"path"`
			Commit    string `json:"commit,omitempty"`
			review.BlameLine
			Trail []review.Touch `json:"trail"`
		}{b.Component, b.Path, b.Commit, l, append([]review.Touch{}, trail...)})
	}
	return b.WriteLine(g.Stdout, l, trail, g.Style())
}
