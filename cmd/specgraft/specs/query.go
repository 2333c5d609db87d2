package specs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/macro"
	"specgraft/fedora/macro/report"
	"specgraft/overlay/diag"
	"specgraft/render"
)

func QueryCmd(g *cli.Globals) *cobra.Command {
	var o queryOptions
	cmd := &cobra.Command{
		Use:   "query [NAME | --spec FILE | -a --what-if SETTING]",
		Short: "Tell what a spec builds, without running it",
		Long: `Query evaluates a rendered component, or any spec file with --spec, and prints
its name and version, packages, dependencies, sources and patches with their
final names, build conditionals, scripts and macro definitions.

Nothing is executed and no file outside of the component is read. A value that
this leaves open is printed as "?" and absent from the JSON; "unknown" says
which it is, where it arises and why. Without a project the distribution is
Fedora 43 and the architecture x86_64, never those of this machine.

With --what-if the spec is evaluated twice, and what differs is printed. A
setting is written as the flag without its dashes: "with docs", "without docs",
"arch aarch64", "define 'NAME VALUE'", "undefine NAME".

With -a, or several components, query reads the project's rendered tree and renders
nothing: it lists the name, version and release of each source package and the
binary packages that it builds on --arch. Of a component that ExclusiveArch or
ExcludeArch keep from the architecture there is only the name. One that failed to
render is left out with a warning; one that is not rendered, or whose spec rpm would
not accept, is reported at the end, and the exit code is 1. 'component query' prints
this list for one name, too.

With -a, or several components, --what-if prints which of them change and how,
equal changes together. --matrix FILE has named settings, such as the line
rhel10 = "define rhel 10", and prints how much each changes in each component.
What differs between architectures everywhere, such as (x86-64) in dependencies and
compiler flags, is left out there.

Exit code 1 says that rpm would not accept the spec. Of a file that is no spec at
all the first 30 problems are printed; the JSON has the first 1000.`,
		Example: `  specgraft query bash
  specgraft query --spec bash.spec --arch aarch64 --json
  specgraft query --spec bash.spec --what-if 'without tests'
  specgraft query --spec bash.spec --expand
  specgraft query bash --explain-files
  specgraft query -a --arch aarch64 --json
  specgraft query -a --what-if 'define rhel 10' --what-if 'arch aarch64'
  specgraft query -a --matrix settings.toml --json`,
	}
	sel := g.SelectFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.specFile, "spec", "", "evaluate the spec `FILE`; no project is needed")
	f.StringVar(&o.set.Sources, "sources", "", "`DIR` of the spec's other files (default: the spec's own directory)")
	f.BoolVar(&o.expand, "expand", false, "print the spec with all macros expanded")
	f.StringVar(&o.matrix, "matrix", "", "print what each of the named settings in the TOML `FILE` would change")
	f.BoolVar(&o.explain, "explain-files", false, "print for each file beside the spec whether rendering keeps it and why")
	o.set.Flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "json", "table", "csv", "markdown")
		if err != nil {
			return err
		}
		if len(args) == 0 && len(sel.Patterns) == 1 && !strings.ContainsAny(sel.Patterns[0], "*?[") {
			args, sel.Patterns = sel.Patterns, nil // one name, in azldev's spelling
		}
		azldev := cmd.Parent().Name() == "component"
		if azldev {
			// azldev accepts it where there are no locks, and does nothing.
			if lockless, err := g.IsLockless(); err == nil && lockless && o.specFile == "" {
				g.Say("component query does nothing in a project without lock files; use 'specgraft query', which does")
				return nil
			}
		}
		if o.many(sel, args, azldev) {
			return queryMany(cmd.Context(), g, sel, args, &o, format)
		}
		return queryOne(cmd.Context(), g, args, &o, format)
	}
	return cmd
}

// queryOptions are the flags of query.
type queryOptions struct {
	set              cli.QuerySettings
	specFile, matrix string
	expand, explain  bool
}

// many reports whether the question is about a list of components. That of azldev's
// command is one even with one name.
func (o *queryOptions) many(sel *cli.Selection, args []string, azldev bool) bool {
	return sel.All || len(args) > 1 || len(sel.Patterns)+len(sel.Groups)+len(sel.SpecPaths) > 0 || o.matrix != "" ||
		azldev && o.specFile == "" && !o.expand && !o.explain && len(o.set.WhatIf) == 0
}

// queryMany answers for a list of components.
func queryMany(ctx context.Context, g *cli.Globals, sel *cli.Selection, args []string, o *queryOptions, format string) error {
	switch {
	case o.specFile != "" || o.expand || o.explain:
		return cli.Usagef("--spec, --expand and --explain-files are about one spec")
	case len(o.set.WhatIf) == 0 && o.matrix == "":
		return queryTree(ctx, g, sel, args, o.set, format)
	case len(o.set.WhatIf) > 0 && o.matrix != "":
		return cli.Usagef("--what-if and --matrix exclude each other")
	}
	return queryAll(ctx, g, sel, args, o.set, o.matrix, format)
}

// queryOne answers for one component or spec file.
func queryOne(ctx context.Context, g *cli.Globals, args []string, o *queryOptions, format string) error {
	if format == "csv" || format == "markdown" {
		return cli.Usagef("format %q is for lists of components, not for one spec", format)
	}
	if (o.specFile == "") == (len(args) == 0) {
		return cli.Usagef("name one component, or a spec file with --spec")
	}
	cfg, err := o.set.Config()
	if err != nil {
		return err
	}
	if err := g.CheckArch(cfg.Arch); err != nil {
		return err
	}
	var in querySpec
	if o.specFile != "" {
		in, err = readSpecFile(o.specFile, o.set.Sources)
	} else {
		in, err = renderedSpec(ctx, g, args[0], &cfg)
	}
	if err != nil {
		return err
	}
	cfg.FS = in.files
	if o.explain {
		if o.expand || len(o.set.WhatIf) > 0 {
			return cli.Usagef("--explain-files excludes --expand and --what-if")
		}
		return printFileReasons(g, in, format)
	}
	cfg.Lines = o.expand
	cfg.Stop = ctx.Done()
	s := macro.Eval(in.name, in.text, cfg)
	if s.Stopped {
		return ctx.Err()
	}
	if o.expand {
		return printExpanded(g, s)
	}
	r := report.New(s, in.name, cfg.Arch)
	if len(o.set.WhatIf) > 0 {
		return printWhatIf(g, r, in, o.set, cfg, format)
	}
	if format == "json" {
		err = cli.WriteJSON(g.Stdout, r)
	} else {
		reportSpec(g, s)
		err = r.WriteText(g.Stdout)
	}
	if err == nil && !r.Accepted {
		err = cli.ExitError(cli.ExitProblems)
	}
	return err
}

// whatIfConfig returns cfg with one more setting.
func whatIfConfig(s *cli.QuerySettings, cfg macro.Config) (macro.Config, error) {
	for _, w := range s.WhatIf {
		word, arg, _ := strings.Cut(strings.TrimLeft(strings.TrimSpace(w), "-"), " ")
		arg = strings.Trim(strings.TrimSpace(arg), `'"`)
		if arg == "" {
			return cfg, cli.Usagef("--what-if %q: want a setting and its value, such as 'without tests'", w)
		}
		switch word {
		case "arch":
			cfg.Arch = arg
		case "with":
			cfg.With = append(cfg.With[:len(cfg.With):len(cfg.With)], arg)
		case "without":
			cfg.Without = append(cfg.Without[:len(cfg.Without):len(cfg.Without)], arg)
		case "undefine", "undefined":
			cfg.Undefines = append(cfg.Undefines[:len(cfg.Undefines):len(cfg.Undefines)], arg)
		case "define":
			m, err := cli.ParseDefine(arg)
			if err != nil {
				return cfg, err
			}
			cfg.Defines = append(cfg.Defines[:len(cfg.Defines):len(cfg.Defines)], m)
		default:
			hint := ""
			if n := diag.Nearest(word, []string{"arch", "with", "without", "define", "undefine"}); n != "" {
				hint = "; did you mean " + n + "?"
			}
			return cfg, cli.Usagef("--what-if: no setting is called %q%s", word, hint)
		}
	}
	return cfg, nil
}

// A querySpec is a spec to evaluate and the files beside it.
type querySpec struct {
	name  string
	text  []byte
	files fs.FS

	reasons []render.FileReason // of a component's files; nil for a plain spec
}

// readSpecFile reads a spec file. dir is the directory of its other files.
func readSpecFile(file, dir string) (querySpec, error) {
	text, err := cli.ReadInput("query/file", file, cli.MaxSpec)
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok && d.Hint == "" && filepath.Ext(file) == "" && filepath.Base(file) == file {
		d.Hint = fmt.Sprintf("--spec names a file; 'specgraft query %s' looks at a component", file)
	}
	if err != nil {
		return querySpec{}, err
	}
	if dir == "" {
		dir = filepath.Dir(file)
	}
	root, err := os.OpenRoot(dir) // links out of the directory are not followed
	if err != nil {
		return querySpec{}, cli.FileProblem("query/file", dir, err)
	}
	return querySpec{name: file, text: text, files: root.FS()}, nil
}

// renderedSpec renders a component of the project in memory and takes the
// distribution from it.
func renderedSpec(ctx context.Context, g *cli.Globals, name string, cfg *macro.Config) (querySpec, error) {
	p, err := g.LoadComponents()
	if err != nil {
		return querySpec{}, err
	}
	r, err := g.Renderer(p)
	if err != nil {
		return querySpec{}, err
	}
	r.SkipLockValidation = true // a look at a component asks for no update
	if !slices.Contains(p.Names(), name) {
		if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() {
			return querySpec{}, cli.Usagef("there is no component %q; 'specgraft query --spec %s' looks at the file", name, name)
		}
	}
	if err := r.Prepare(ctx, []string{name}, false).Err(); err != nil {
		return querySpec{}, err
	}
	res := r.Render(ctx, name)
	g.Report(res.Diags)
	if res.Failed() {
		return querySpec{}, cli.ExitError(cli.CodeOf(res.Diags))
	}
	if *cfg, err = r.Evaluation(res.Config, *cfg); err != nil {
		return querySpec{}, err
	}
	return querySpec{name: name + ".spec", text: res.Text(), files: res.FS(), reasons: res.FileReasons()}, nil
}

// printFileReasons prints what the file filter says about each file of a
// component, or about each entry beside a plain spec. The filter has a macro set
// and an architecture of its own.
func printFileReasons(g *cli.Globals, in querySpec, format string) error {
	if in.reasons == nil {
		list, err := fs.ReadDir(in.files, ".")
		if err != nil {
			return err
		}
		var names []string
		for _, e := range list {
			if e.Name() != ".git" {
				names = append(names, e.Name())
			}
		}
		for _, e := range macro.Filter(filepath.Base(in.name), in.text, names, macro.Config{FS: in.files}) {
			in.reasons = append(in.reasons, render.FileReason{Path: e.Name, Keep: e.Keep, Reason: e.Reason})
		}
	}
	list := cli.NewRecords(g.Stdout, format, []cli.Column[render.FileReason]{
		{Title: "FILE", Cell: func(f render.FileReason) string { return f.Path }},
		{Title: "KEPT", Cell: func(f render.FileReason) string { return fmt.Sprint(f.Keep) }},
		{Title: "REASON", Cell: func(f render.FileReason) string { return f.Reason }},
	})
	for _, f := range in.reasons {
		if err := list.Write(f); err != nil {
			return err
		}
	}
	return list.Close()
}

// reportSpec prints what is wrong with a spec. Who gave a file that is none at
// all wants to know that, and not what is wrong with each of its lines.
func reportSpec(g *cli.Globals, s *macro.Spec) {
	const limit = 30
	g.Report(s.Problems[:min(limit, len(s.Problems))])
	if n := len(s.Problems) - limit; n > 0 {
		g.Say("%d more problems are not shown; --json has them", n)
	}
}

// printExpanded prints the expanded spec.
func printExpanded(g *cli.Globals, s *macro.Spec) error {
	reportSpec(g, s)
	if _, err := io.WriteString(g.Stdout, s.Expanded.Text); err != nil {
		return err
	}
	if !s.Expanded.Known {
		g.Note("parts of the text are not known and printed as <?>: %s", s.Expanded.Reason)
	}
	if s.Rejected() != nil {
		return cli.ExitError(cli.ExitProblems)
	}
	return nil
}

// printWhatIf evaluates the spec once more with the settings of --what-if and
// prints what differs.
func printWhatIf(g *cli.Globals, before *report.Report, in querySpec, set cli.QuerySettings, cfg macro.Config, format string) error {
	cfg, err := whatIfConfig(&set, cfg)
	if err != nil {
		return err
	}
	if err := g.CheckArch(cfg.Arch); err != nil {
		return err
	}
	s := macro.Eval(in.name, in.text, cfg)
	after := report.New(s, in.name, cfg.Arch)
	diffs := report.Differences(before, after)
	if format == "json" {
		err = cli.WriteJSON(g.Stdout, struct {
			Before      *report.Report      `json:"before"`
			After       *report.Report      `json:"after"`
			Differences []report.Difference `json:"differences"`
		}{before, after, diffs})
	} else {
		reportSpec(g, s)
		var b strings.Builder
		field := ""
		for _, d := range diffs {
			if d.Field != field {
				field = d.Field
				fmt.Fprintf(&b, "%s\n", field)
			}
			if d.Before != nil {
				fmt.Fprintf(&b, "  - %s\n", *d.Before)
			}
			if d.After != nil {
				fmt.Fprintf(&b, "  + %s\n", *d.After)
			}
		}
		if len(diffs) == 0 {
			g.Note("nothing changes")
		}
		_, err = io.WriteString(g.Stdout, b.String())
	}
	if err == nil && (!before.Accepted || !after.Accepted) {
		err = cli.ExitError(cli.ExitProblems)
	}
	return err
}
