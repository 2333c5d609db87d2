package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

func OverlayCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "overlay",
		Short: "Explain overlay types, and pin overlays to what they match today",
		Args:  cobra.ArbitraryArgs,
		RunE:  cli.Group,
	}
	cmd.AddCommand(overlayListCmd(g), overlayHelpCmd(g), overlayPinCmd(g))
	return cmd
}

func overlayListCmd(g *cli.Globals) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the overlay types",
		Example: "  specgraft overlay list\n  specgraft overlay list --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			format, err := g.FormatOf(cli.RecordFormats...)
			if err != nil {
				return err
			}
			out := cli.NewRecords(g.Stdout, format, []cli.Column[overlayRecord]{
				{Title: "TYPE", Cell: func(r overlayRecord) string { return string(r.Type) }},
				{Title: "NEEDS", Cell: func(r overlayRecord) string { return strings.Join(r.keys(true), " ") }},
				{Title: "EFFECT", Cell: func(r overlayRecord) string { return r.Help }},
			})
			for i := range overlay.Ops {
				if err := out.Write(recordOf(&overlay.Ops[i])); err != nil {
					return err
				}
			}
			return out.Close()
		},
	}
}

// An overlayRecord describes an overlay type in JSON.
type overlayRecord struct {
	Type    overlay.Type `json:"type"`
	Help    string       `json:"help"`
	Counts  string       `json:"counts"` // what expect counts
	Archive bool         `json:"archive,omitempty"`
	Keys    []keyRecord  `json:"keys"`
}

type keyRecord struct {
	Name      string          `json:"name"`
	Kind      overlay.KeyKind `json:"kind"`
	Help      string          `json:"help"`
	Required  bool            `json:"required,omitempty"`
	Extension bool            `json:"extension,omitempty"`
}

func recordOf(o *overlay.OpInfo) overlayRecord {
	r := overlayRecord{Type: o.Type, Help: o.Help, Counts: o.Counts, Archive: o.Archive}
	for _, k := range slices.Concat(o.Keys, overlay.CommonKeys) {
		r.Keys = append(r.Keys, keyRecord{k.Name, k.Kind, k.Help, k.Required, k.Extension})
	}
	return r
}

func (r overlayRecord) keys(required bool) []string {
	var names []string
	for _, k := range r.Keys {
		if k.Required == required && k.Name != "type" {
			names = append(names, k.Name)
		}
	}
	return names
}

func overlayHelpCmd(g *cli.Globals) *cobra.Command {
	return &cobra.Command{
		Use:               "help TYPE",
		Short:             "Explain one overlay type and its keys",
		Example:           "  specgraft overlay help spec-set-tag",
		ValidArgsFunction: cli.CompleteTypes,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("which type? 'specgraft overlay list' names them")
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			format, err := g.FormatOf("text", "table", "json")
			if err != nil {
				return err
			}
			info := overlay.Lookup(overlay.Type(args[0]))
			if info == nil {
				hint := cli.DidYouMean(args[0], overlay.Types())
				if hint == "" {
					hint = "; 'specgraft overlay list' names them"
				}
				return cli.Usagef("no overlay type %q%s", args[0], hint)
			}
			r := recordOf(info)
			if format == "json" {
				return cli.WriteJSON(g.Stdout, r)
			}
			var b bytes.Buffer
			fmt.Fprintf(&b, "%s: %s.\n\n", r.Type, r.Help)
			wide := 0
			for _, k := range r.Keys {
				wide = max(wide, len(k.Name))
			}
			for _, k := range r.Keys {
				note := string(k.Kind)
				if k.Required {
					note += ", required"
				}
				if k.Extension {
					note += ", not known to azldev"
				}
				fmt.Fprintf(&b, "  %-*s  %s (%s)\n", wide, k.Name, k.Help, note)
			}
			fmt.Fprintf(&b, "\nexpect counts places. Here a place is a %s.\n", r.Counts)
			if r.Archive {
				b.WriteString("With archive it works inside a source archive when sources are prepared.\n")
			}
			_, err = g.Stdout.Write(b.Bytes())
			return err
		},
	}
}

// pinned is what pin did with one overlay.
type pinned struct {
	Component string       `json:"component"`
	File      string       `json:"file"`
	Line      int          `json:"line"`
	Type      overlay.Type `json:"type"`
	Counts    string       `json:"counts"`
	Old       *int         `json:"old,omitempty"` // former expect
	Expect    int          `json:"expect"`
	Status    string       `json:"status"` // "pinned", "unchanged", "shared" or "stale"

	op *overlay.Op
}

// unpinned are the operations that find nothing: they put something in.
var unpinned = []overlay.Type{overlay.AddTag, overlay.InsertTag, overlay.PatchAdd, overlay.FileAdd, overlay.FileRename}

func overlayPinCmd(g *cli.Globals) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "pin NAME...",
		Short: "Write into each overlay how many places it matches today",
		Long: `Pin renders components in memory, counts the places that each of their overlays
changes, and writes the count as "expect" into the configuration. From then on a
render fails where upstream moves and an overlay would match more or fewer
places. A count that is there already is brought up to date.

Only the line of the key is touched in a file. Overlays that only add something
need no pin, and those that a component inherits from a group or from defaults
are left alone, as they may match elsewhere in other components.`,
		Example: `  specgraft overlay pin bash
  specgraft overlay pin -a --check`,
	}
	sel := g.SelectFlags(cmd)
	sel.LockFlag(cmd)
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit with 2 when something would change")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf(cli.RecordFormats...)
		if err != nil {
			return err
		}
		v, err := g.Viewer(cmd.Context(), sel, args)
		if err != nil {
			return err
		}
		var all []pinned
		for _, name := range v.Names {
			pins, err := pins(cmd.Context(), v, name)
			if err != nil {
				return err
			}
			all = append(all, pins...)
		}
		if err := writePins(v, all, check); err != nil {
			return err
		}
		out := cli.NewRecords(g.Stdout, format, []cli.Column[pinned]{
			{Title: "OVERLAY", Cell: func(p pinned) string { return fmt.Sprintf("%s:%d", p.File, p.Line) }},
			{Title: "TYPE", Cell: func(p pinned) string { return string(p.Type) }},
			{Title: "EXPECT", Cell: func(p pinned) string {
				if p.Old != nil && *p.Old != p.Expect {
					return fmt.Sprintf("%d -> %d", *p.Old, p.Expect)
				}
				return strconv.Itoa(p.Expect)
			}},
			{Title: "COUNTS", Cell: func(p pinned) string { return p.Counts }},
			{Title: "STATUS", Cell: func(p pinned) string { return p.Status }},
		})
		for _, p := range all {
			if err := out.Write(p); err != nil {
				return err
			}
		}
		if err := out.Close(); err != nil {
			return err
		}
		if check && slices.ContainsFunc(all, func(p pinned) bool { return p.Status == "stale" }) {
			v.Code = cli.Worst(v.Code, cli.ExitDrift)
		}
		return v.Done()
	}
	return cmd
}

// pins counts what the overlays of one component match.
func pins(ctx context.Context, v *cli.Viewer, name string) ([]pinned, error) {
	c, problems := v.Project.Component(name)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	// Counts that no longer hold must not end the render before all are known.
	free := *c
	free.Overlays = slices.Clone(c.Overlays)
	for i := range free.Overlays {
		free.Overlays[i].Expect = nil
	}
	if len(free.Overlays) == 0 {
		return nil, nil
	}
	res := v.Renderer.RenderComponent(ctx, &free)
	v.Report(res.Diags)
	v.Code = cli.Worst(v.Code, cli.CodeOf(res.Diags))
	if res.Report == nil {
		return nil, nil
	}
	var pins []pinned
	for i := range res.Report.Applied {
		a := &res.Report.Applied[i]
		if a.Origin == nil || a.Origin.Index < 0 || a.Origin.Index >= len(c.Overlays) || a.Skipped {
			continue
		}
		op := &c.Overlays[a.Origin.Index]
		info := overlay.Lookup(op.Type)
		if slices.Contains(unpinned, op.Type) || info == nil {
			continue
		}
		p := pinned{Component: name, File: op.Pos.Filename, Line: op.Pos.Line, Type: op.Type, Counts: info.Counts,
			Old: op.Expect, Expect: a.Places, Status: "stale", op: op}
		switch {
		case op.Expect != nil && *op.Expect == a.Places:
			p.Status = "unchanged"
		case !components.Own(op):
			p.Status = "shared"
		}
		pins = append(pins, p)
	}
	return pins, nil
}

// writePins edits the files, each once.
func writePins(v *cli.Viewer, pins []pinned, check bool) error {
	if check {
		return nil
	}
	edits := map[string]*edit.Editor{}
	var order []string
	for i := range pins {
		p := &pins[i]
		if p.Status != "stale" {
			continue
		}
		path := filepath.FromSlash(p.File)
		if !filepath.IsAbs(path) {
			path = filepath.Join(v.Project.Dir, path)
		}
		e := edits[path]
		if e == nil {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var problems diag.List
			if e, problems = edit.Edit(p.File, data); problems.HasErrors() {
				return problems.Err()
			}
			edits[path], order = e, append(order, path)
		}
		if err := e.SetAt(p.op.Pos, "expect", p.Expect); err != nil {
			return err
		}
		p.Status = "pinned"
	}
	for _, path := range order {
		if err := edit.WriteFile(path, edits[path].Bytes()); err != nil {
			return fmt.Errorf("cannot write %s: %w", path, diag.Reason(err))
		}
	}
	return nil
}
