package specs

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/fedora/macro"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

func ApplyCmd(g *cli.Globals) *cobra.Command {
	a := &application{Globals: g}
	cmd := &cobra.Command{
		Use:   "apply SPEC OVERLAYS.toml",
		Short: "Apply overlays to a plain spec file, without a project",
		Long: `Apply the [[overlays]] of a TOML file to a spec file and print the result. No
project is needed, and nothing but the overlays is applied: no header, macros
file, release or changelog.

Overlays that change files work in the directory given with --dir, and their
results are written there: all of them, and the spec of -o, or none. "source"
paths are relative to the TOML file and stay below the git repository that it
lies in, or else below its directory, unless --allow-outside is given.

What an overlay's author is unlikely to have meant is a warning; --strict makes
errors of warnings, and then nothing is written. Lines end in LF in the result,
the last one included.`,
		Example: `  specgraft apply bash.spec fixes.toml
  specgraft apply bash.spec fixes.toml -o bash.spec
  specgraft apply SPECS/bash.spec fixes.toml --dir SOURCES -o SPECS/bash.spec`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			format, err := g.FormatOf("text", "json")
			if err != nil {
				return err
			}
			return a.run(args[0], args[1], format)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return []string{"spec"}, cobra.ShellCompDirectiveFilterFileExt
			case 1:
				return []string{"toml"}, cobra.ShellCompDirectiveFilterFileExt
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := cmd.Flags()
	f.StringVar(&a.dir, "dir", "", "`DIR` with the sources that file and patch overlays change")
	f.StringVarP(&a.output, "output", "o", "", "write the spec to `FILE` instead of standard output")
	f.StringSliceVar(&a.strict, "strict", nil, "make errors of warnings with `CODES`, which may be groups such as overlay/; of all when none are given")
	f.Lookup("strict").NoOptDefVal = "all"
	_ = cmd.MarkFlagDirname("dir")
	_ = cmd.MarkFlagFilename("output", "spec")
	return cmd
}

// An application is one run of the apply command.
type application struct {
	*cli.Globals
	dir, output string
	strict      []string
}

func (a *application) run(specFile, tomlFile, format string) error {
	if err := cli.KnownCodes(a.strict); err != nil {
		return err
	}
	if strings.HasSuffix(specFile, ".toml") && strings.HasSuffix(tomlFile, ".spec") {
		return cli.Usagef("the spec comes first: specgraft apply %s %s", tomlFile, specFile)
	}
	text, err := cli.ReadInput("apply/file", specFile, cli.MaxSpec)
	if err != nil {
		return err
	}
	data, err := cli.ReadInput("apply/file", tomlFile, 64<<20)
	if err != nil {
		return err
	}
	ops, list := components.ParseOverlays(tomlFile, data)
	levels := map[string]overlay.Level{}
	for _, code := range a.strict {
		levels[code] = overlay.LevelError
	}
	list = overlay.Adjust(list, levels)
	if a.dir == "" {
		for i := range ops {
			if t := string(ops[i].Type); strings.HasPrefix(t, "file-") || strings.HasPrefix(t, "patch-") {
				d := list.Add(ops[i].At("type"), "apply/no-directory", "%s changes files, but no directory is given", t)
				d.Hint = "name the directory of the sources with --dir"
			}
		}
	}
	if list.HasErrors() {
		return list.Err()
	}
	tree := &overlay.Tree{
		Name:  strings.TrimSuffix(filepath.Base(specFile), ".spec"),
		Spec:  spec.Parse(specFile, text),
		Files: map[string]*overlay.File{},
	}
	var root *os.Root
	if a.dir != "" {
		if root, err = os.OpenRoot(a.dir); err != nil {
			return cli.FileProblem("apply/file", a.dir, err)
		}
		defer root.Close()
		if err := cli.ReadTree(root, tree, filepath.Base(specFile)); err != nil {
			return cli.FileProblem("apply/file", a.dir, err)
		}
	}
	sources, err := cli.NewSources(tomlFile, a.Outside)
	if err != nil {
		return err
	}
	rep, more := overlay.Apply(tree, ops, overlay.Options{Source: sources.Open, Lint: true, Levels: levels,
		Lines: macro.Builtin().Lines, Defined: macro.Builtin().Has})
	list = append(list, more...)
	if list.HasErrors() {
		a.Report(list)
		if rep.Failed >= 0 && len(ops) > 1 {
			a.Note("overlay %d of %d cannot be applied; nothing is written", rep.Failed+1, len(ops))
		}
		return cli.ExitError(cli.CodeOf(list))
	}
	a.Report(list)
	out := tree.Spec.Normalized()
	if err := a.write(root, tree, rep, out); err != nil {
		return err
	}
	return a.print(rep, out, format)
}

// print writes the spec or the report to standard output.
func (a *application) print(rep *overlay.Report, out []byte, format string) error {
	if format == "json" {
		res := applyResult{Applied: []appliedOp{}}
		for i := range rep.Applied {
			res.Applied = append(res.Applied, newAppliedOp(&rep.Applied[i]))
		}
		if a.output == "" {
			text := string(out)
			res.Spec = &text
		}
		return cli.WriteJSON(a.Stdout, res)
	}
	if a.output == "" {
		if _, err := a.Stdout.Write(out); err != nil {
			return err
		}
	}
	var added, changed, removed, files int
	for i := range rep.Applied {
		r := &rep.Applied[i]
		added, changed, removed, files = added+r.Added, changed+r.Changed, removed+r.Removed, files+len(r.Files)
	}
	if a.Verbose || a.output != "" {
		overlays := "overlays"
		if len(rep.Applied) == 1 {
			overlays = "overlay"
		}
		a.Note("%d %s applied; lines: %d added, %d changed, %d removed; files: %d changed", len(rep.Applied), overlays, added, changed, removed, files)
	}
	return nil
}

// applyResult is the JSON of the apply command.
type applyResult struct {
	Applied []appliedOp `json:"applied"`
	Spec    *string     `json:"spec,omitempty"` // the text, unless it went to a file
}

type appliedOp struct {
	Type     string        `json:"type"`
	Position string        `json:"position"`
	Places   int           `json:"places"`
	Added    int           `json:"linesAdded"`
	Changed  int           `json:"linesChanged"`
	Removed  int           `json:"linesRemoved"`
	Skipped  bool          `json:"skipped,omitempty"`
	Files    []appliedFile `json:"files,omitempty"`
}

type appliedFile struct {
	Change string `json:"change"`
	Path   string `json:"path"`
	Old    string `json:"oldPath,omitempty"`
}

func newAppliedOp(r *overlay.OpReport) appliedOp {
	op := appliedOp{
		Type: r.Origin.Step, Position: diag.Position(r.Origin.Pos), Places: r.Places,
		Added: r.Added, Changed: r.Changed, Removed: r.Removed, Skipped: r.Skipped,
	}
	for _, f := range r.Files {
		op.Files = append(op.Files, appliedFile{string(f.Change), f.Path, f.Old})
	}
	return op
}

// write puts the changed files and the spec in place, all of them or none.
func (a *application) write(root *os.Root, tree *overlay.Tree, rep *overlay.Report, out []byte) error {
	var b batch
	defer b.close()
	touched := map[string]bool{}
	for i := range rep.Applied {
		for _, f := range rep.Applied[i].Files {
			touched[f.Path] = true
			if f.Old != "" {
				touched[f.Old] = true
			}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(touched)) {
		f := tree.Files[p]
		if f == nil {
			b.remove(root, p)
			continue
		}
		data, err := f.Bytes()
		if err == nil {
			err = b.put(root, p, data, f.Mode.Perm())
		}
		if err != nil {
			return cli.FileProblem("apply/file", filepath.Join(a.dir, p), err)
		}
	}
	if a.output != "" {
		file, mode := a.output, fs.FileMode(0o644)
		if real, err := filepath.EvalSymlinks(file); err == nil {
			file = real
		}
		if info, err := os.Stat(file); err == nil {
			mode = info.Mode().Perm()
		}
		dir, err := os.OpenRoot(filepath.Dir(file))
		if err != nil {
			return cli.FileProblem("apply/file", a.output, err)
		}
		b.dirs = append(b.dirs, dir)
		if err := b.put(dir, filepath.Base(file), out, mode); err != nil {
			return cli.FileProblem("apply/file", a.output, err)
		}
	}
	return b.commit()
}
