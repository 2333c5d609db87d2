package effect

import (
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/render/review"
)

// overlayKeys returns every key that an overlay can have, in the order of the
// table, without those that only a file can hold.
func overlayKeys() []overlay.Key {
	return slices.DeleteFunc(overlay.Keys(), func(k overlay.Key) bool { return k.Kind == overlay.KeyTable })
}

// usedBy lists the operations that take a key, or nothing when all do.
func usedBy(key string) string {
	var types []string
	for _, op := range overlay.Ops {
		if op.Key(key) != nil {
			types = append(types, string(op.Type))
		}
	}
	if len(types) == len(overlay.Ops) {
		return ""
	}
	if len(types) > 3 {
		return fmt.Sprintf(" (%s and %d more)", strings.Join(types[:2], ", "), len(types)-2)
	}
	return " (" + strings.Join(types, ", ") + ")"
}

func TryCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "try NAME --type TYPE [--KEY VALUE ...]",
		Short: "Preview an overlay before it is written into the configuration",
		Long: `Try renders a component with one more overlay behind those it has, and prints
what that overlay does as a unified diff, with the warnings about it. The flags
are the keys of an overlay; 'specgraft overlay help TYPE' explains them. A path
in --source is relative to the working directory. Nothing is written; on success
the table to paste into the configuration is printed to standard error.`,
		Example: `  specgraft try bash --type spec-set-tag --tag Vendor --value Contoso
  specgraft try bash --type spec-append-lines --section %install --lines 'rm -f %{buildroot}%{_bindir}/bashbug'
  specgraft try bash --type spec-search-replace --regex 'redhat' --replacement 'contoso' --expect 2`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: g.CompleteNames,
	}
	sel := &cli.Selection{}
	sel.LockFlag(cmd)
	f := cmd.Flags()
	keys := overlayKeys()
	for _, k := range keys {
		help := k.Help
		if k.Name != "type" {
			help += usedBy(k.Name)
		}
		help = strings.ReplaceAll(help, "`", "'")
		switch k.Kind {
		case overlay.KeyStrings:
			cli.ListVar(f, new([]string), k.Name, "", help+"; may be repeated")
		case overlay.KeyInteger:
			f.Int(k.Name, 0, help)
		case overlay.KeyBoolean:
			f.Bool(k.Name, false, help)
		default:
			f.String(k.Name, "", help)
		}
	}
	_ = cmd.RegisterFlagCompletionFunc("type", cli.CompleteTypes)
	_ = cmd.MarkFlagFilename("source")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "table", "json")
		if err != nil {
			return err
		}
		if !f.Changed("type") {
			return cli.Usagef("--type is needed; 'specgraft overlay list' names the types")
		}
		op, table, err := flagOverlay(cmd, keys)
		if err != nil {
			return err
		}
		v, err := g.Viewer(cmd.Context(), sel, args)
		if err != nil {
			return err
		}
		v.Renderer.Lint = true
		if len(v.Names) != 1 {
			return cli.Usagef("try works on one component at a time, not on %d", len(v.Names))
		}
		c, problems := v.Project.Component(v.Names[0])
		if err := problems.Err(); err != nil {
			return err
		}
		mine := *c
		mine.Overlays = append(slices.Clone(c.Overlays), op)
		view := review.OpenConfig(cmd.Context(), v.Renderer, &mine)
		steps, err := view.Steps()
		if err != nil {
			return err
		}
		k := slices.IndexFunc(steps, func(s review.Step) bool { return s.Cause.Index == len(c.Overlays) })
		if k < 0 { // an overlay before it failed, or fetching did
			v.Take(view)
			if v.Code == cli.ExitOK {
				v.Code = cli.ExitProblems
			}
			return v.Done()
		}
		if err := printSteps(g, view, steps[k:k+1], len(steps), format); err != nil {
			return fmt.Errorf("cannot print the results: %w", err)
		}
		// Of all the rest only what fails the component matters here.
		v.Report(slices.DeleteFunc(view.Without(steps[k:k+1]).Result.Diags, func(d diag.Diagnostic) bool { return d.Severity != diag.Error }))
		v.Judge(view)
		if steps[k].Status != review.Failed && format != "json" {
			where := "the configuration"
			if c.File != "" {
				where = cli.Relative(c.File)
			}
			g.Note("to keep it, add to %s:\n\n%s", where, pasteable(table, c, op.Source))
		}
		return v.Done()
	}
	return cmd
}

// pasteable turns the table of an overlay into one for the file of the
// component, which its source is relative to.
func pasteable(table string, c *components.Component, source string) string {
	if rel, err := filepath.Rel(c.Dir, source); err == nil && source != "" && c.Dir != "" {
		if e, problems := edit.Edit("", []byte(table)); !problems.HasErrors() &&
			e.Set([]string{"overlays", "0", "source"}, filepath.ToSlash(rel)) == nil {
			table = string(e.Bytes())
		}
	}
	return strings.Replace(table, "[[overlays]]", "[[components."+cli.TomlKey(c.Name)+".overlays]]", 1)
}

// flagOverlay makes an overlay of the flags that were given, by way of the
// TOML table that would say the same, which it returns too.
func flagOverlay(cmd *cobra.Command, keys []overlay.Key) (overlay.Op, string, error) {
	const place = "command line"
	e, problems := edit.Edit(place, []byte("[[overlays]]\n"))
	if err := problems.Err(); err != nil {
		return overlay.Op{}, "", err
	}
	f := cmd.Flags()
	for _, k := range keys {
		if !f.Changed(k.Name) {
			continue
		}
		var v any
		switch k.Kind {
		case overlay.KeyStrings:
			v = f.Lookup(k.Name).Value.(pflag.SliceValue).GetSlice()
		case overlay.KeyInteger:
			v, _ = f.GetInt(k.Name)
		case overlay.KeyBoolean:
			v, _ = f.GetBool(k.Name)
		default:
			v, _ = f.GetString(k.Name)
		}
		if err := e.SetAt(token.Position{Filename: place, Offset: 0, Line: 1, Column: 1}, k.Name, v); err != nil {
			return overlay.Op{}, "", err
		}
	}
	ops, problems := components.ParseOverlays(place, e.Bytes())
	for i := range problems {
		problems[i].Pos = token.Position{Filename: place}
		problems[i].Related = nil
	}
	if err := problems.Err(); err != nil {
		return overlay.Op{}, "", err
	}
	if len(ops) != 1 {
		return overlay.Op{}, "", &diag.Diagnostic{Code: "overlay/bad-value", Message: "the flags make no overlay"}
	}
	op := ops[0]
	op.Pos, op.KeyPos = token.Position{Filename: place}, nil
	return op, string(e.Bytes()), nil
}
