package effect

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components/lock"
	"specgraft/overlay/diag"
	"specgraft/render/revision"
)

// whyRecord is the answer of why for one component.
type whyRecord struct {
	Component      string      `json:"component"`
	From           string      `json:"from"` // commit
	To             string      `json:"to"`   // commit, "" for the working tree
	Changed        bool        `json:"changed"`
	OldFingerprint string      `json:"oldFingerprint,omitempty"`
	NewFingerprint string      `json:"newFingerprint,omitempty"`
	Changes        []whyChange `json:"changes"`
}

type whyChange struct {
	lock.InputChange
	OldPlace string `json:"oldPlace,omitempty"` // file:line:col
	NewPlace string `json:"newPlace,omitempty"`
}

func WhyCmd(g *cli.Globals) *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "why NAME... [--from REF] [--to REF]",
		Short: "Say which inputs of a component's fingerprint changed, and where",
		Long: `Why compares a component at two commits of the project and lists every
difference that changes its fingerprint and so releases it again: values of the
configuration with the place that sets them, the content of files that overlays
bring in, the upstream commit. Without --from it starts at the commit that last
wrote the component's lock, or touched its pin where there are no locks; without --to it looks at the working tree.`,
		Example: `  specgraft why bash
  specgraft why bash --from HEAD~10 --to HEAD
  specgraft why -a --from v4.0 --json`,
	}
	sel := g.SelectFlags(cmd)
	cmd.Flags().StringVar(&from, "from", "", "compare with commit `REF`, or with A...B from where B left A (default: the one that last wrote the lock)")
	cmd.Flags().StringVar(&to, "to", "", "compare commit `REF` instead of the working tree")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "table", "json")
		if err != nil {
			return err
		}
		p, err := g.Load()
		if err != nil {
			return err
		}
		if !sel.Given(args) {
			return cli.Usagef("no components were selected; name some, or use -a for all")
		}
		h, err := g.OpenHistory(cmd.Context(), p)
		if err != nil {
			return err
		}
		start, after, err := cli.ResolveRange(h, from, to, to != "")
		if err != nil {
			return err
		}
		// A component may be gone from the working tree.
		known := p.Names()
		for _, r := range []*revision.Revision{after, start} {
			if r == nil {
				continue
			}
			then, err := r.Project()
			if err != nil {
				return err
			}
			known = append(known, then.Names()...)
		}
		slices.Sort(known)
		names, err := sel.Among(p, args, slices.Compact(known))
		if err != nil {
			return err
		}
		out := []whyRecord{}
		var problems diag.List
		for _, name := range names {
			before, err := start, error(nil)
			if before == nil {
				before, err = cli.LastLocked(h, p, name)
			}
			var rec whyRecord
			if err == nil {
				rec, err = compareRevisions(name, before, after)
			}
			if err == nil {
				out = append(out, rec)
			} else if !problems.Take(err) {
				return err
			}
		}
		if format == "json" {
			err = cli.WriteJSON(g.Stdout, out)
		} else {
			err = printAllWhy(g.Stdout, out)
		}
		if err != nil {
			return fmt.Errorf("cannot print the results: %w", err)
		}
		if len(out) == 1 && len(out[0].Changes) == 0 && from == "" && to == "" && format != "json" {
			rec := out[0]
			g.Note("to see what that commit changed: specgraft why %s --from %.12s^ --to %.12s", rec.Component, rec.From, rec.From)
		}
		problems.Sort()
		return problems.Err()
	}
	return cmd
}

// printAllWhy prints the answers. Of several components, those of which nothing
// changed share one line.
func printAllWhy(w io.Writer, out []whyRecord) error {
	var b bytes.Buffer
	var same []string
	for _, rec := range out {
		if len(out) > 1 && !rec.Changed && len(rec.Changes) == 0 {
			same = append(same, rec.Component)
			continue
		}
		printWhy(&b, rec)
	}
	if len(same) > 0 {
		fmt.Fprintf(&b, "no input of the fingerprint differs for %s\n", diag.Abridge(same, 10))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// compareRevisions finds out why a component differs between two revisions.
func compareRevisions(name string, before, after *revision.Revision) (whyRecord, error) {
	rec := whyRecord{Component: name, From: before.ID(), To: after.ID(), Changes: []whyChange{}}
	old, err := before.State(name)
	if err != nil {
		return rec, err
	}
	now, err := after.State(name)
	if err != nil {
		return rec, err
	}
	if old.Component != nil {
		if rec.OldFingerprint, err = old.Fingerprint(); err != nil {
			return rec, before.Explain(err)
		}
	}
	if now.Component != nil {
		if rec.NewFingerprint, err = now.Fingerprint(); err != nil {
			return rec, after.Explain(err)
		}
	}
	rec.Changed = rec.OldFingerprint != rec.NewFingerprint
	place := func(c lock.InputChange) {
		rec.Changes = append(rec.Changes, whyChange{c, diag.Position(c.OldPos), diag.Position(c.NewPos)})
	}
	switch {
	case old.Component == nil && now.Component == nil:
	case old.Component == nil:
		place(lock.InputChange{Kind: lock.Added, Field: "component", New: name, NewPos: now.Component.Pos})
	case now.Component == nil:
		place(lock.InputChange{Kind: lock.Removed, Field: "component", Old: name, OldPos: old.Component.Pos})
	default:
		changes, err := lock.Why(old, now)
		if err != nil {
			return rec, err
		}
		for _, c := range changes {
			place(c)
		}
	}
	return rec, nil
}

// printWhy prints one answer, each difference on a line that begins with the
// place to look at.
func printWhy(w io.Writer, rec whyRecord) {
	to := "the working tree"
	if rec.To != "" {
		to = fmt.Sprintf("%.12s", rec.To)
	}
	if !rec.Changed {
		fmt.Fprintf(w, "%s: no input of the fingerprint differs between %.12s and %s\n", rec.Component, rec.From, to)
	} else {
		fmt.Fprintf(w, "%s: the fingerprint differs between %.12s and %s\n", rec.Component, rec.From, to)
	}
	for _, c := range rec.Changes {
		at := c.NewPlace
		if at == "" {
			at = c.OldPlace
		}
		if at != "" {
			at += ": "
		}
		what := ""
		switch {
		case c.Kind == lock.Added:
			what = "added " + shown(c.New)
		case c.Kind == lock.Removed:
			what = "removed " + shown(c.Old)
		case sameButDigest(c.Old, c.New):
			what = "its content changed"
		default:
			what = shown(c.Old) + " -> " + shown(c.New)
		}
		if c.Resolution {
			what += " (decides the upstream commit)"
		}
		fmt.Fprintf(w, "  %s%s: %s\n", at, c.Field, what)
		if c.Kind == lock.Changed && c.OldPlace != "" && c.NewPlace != c.OldPlace {
			fmt.Fprintf(w, "    was at %s\n", c.OldPlace)
		}
	}
}

// sameButDigest reports whether two values differ in nothing but the digest at
// their ends.
func sameButDigest(a, b string) bool {
	const digits = 64
	if len(a) < digits || len(b) < digits || a[:len(a)-digits] != b[:len(b)-digits] {
		return false
	}
	_, err := hex.DecodeString(a[len(a)-digits:] + b[len(b)-digits:])
	return err == nil
}

// shown quotes a value and shortens a long one.
func shown(s string) string {
	const limit = 100
	if strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
		if r := []rune(s); len(r) > limit {
			return string(r[:limit]) + "..."
		}
		return s
	}
	if r := []rune(s); len(r) > limit {
		return strconv.Quote(string(r[:limit])) + "..."
	}
	return strconv.Quote(s)
}
