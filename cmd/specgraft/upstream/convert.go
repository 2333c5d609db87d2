package upstream

import (
	"context"
	"fmt"
	"path/filepath"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/lock"
	"specgraft/render/convert"
)

// runConvert turns a project with lock files into one with pins, or back.
func runConvert(ctx context.Context, g *cli.Globals, format string, check bool, pinsDir string) error {
	// What the flag says is what the project is to become.
	want := g.WithoutLock.Value
	g.WithoutLock.Value = nil
	p, err := g.Load()
	if err != nil {
		return err
	}
	if want != nil && *want == p.WithoutLocks {
		g.Note("nothing to convert: the profile of the project is %s (%s)", p.Profile, p.ProfileReason)
		return nil
	}
	if pinsDir != "" {
		if p.PinsDir = pinsDir; !filepath.IsAbs(pinsDir) {
			p.PinsDir = filepath.Join(p.Dir, pinsDir)
		}
	}
	var c *convert.Conversion
	if p.WithoutLocks {
		c, err = convert.ToLocks(ctx, p, g.LoadOptions())
	} else {
		if problems := lock.Validate(p, p.Names(), true); problems.HasErrors() {
			g.Say("the lock files must be in order before they are converted; run 'specgraft update -a'")
			return problems.Err()
		}
		c, err = convert.ToPins(ctx, p, g.LoadOptions())
	}
	if err != nil {
		return err
	}
	list := cli.NewRecords(g.Stdout, format, []cli.Column[convert.Component]{
		{Title: "COMPONENT", Cell: func(r convert.Component) string { return r.Name }},
		{Title: "UPSTREAM COMMIT", Cell: func(r convert.Component) string { return r.UpstreamCommit }},
		{Title: "CHANGES", Cell: func(r convert.Component) string { return fmt.Sprintf("%d -> %d", r.ChangesBefore, r.ChangesAfter) }},
		{Title: "RELEASE", Cell: func(r convert.Component) string {
			if r.ReleaseBefore == "" {
				return ""
			}
			return r.ReleaseBefore + " -> " + r.ReleaseAfter
		}},
	})
	differ := 0
	for _, rec := range c.Components {
		if rec.ChangesBefore != rec.ChangesAfter {
			differ++
		} else if format == "table" && !g.Verbose {
			continue
		}
		if err := list.Write(rec); err != nil {
			return err
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	g.Note("%d components, of %d the release numbers change once the result is committed", len(c.Components), differ)
	for _, n := range c.Notes {
		g.Say("%s", n)
	}
	if check {
		return cli.ExitError(cli.ExitDrift)
	}
	if err := c.Write(); err != nil {
		return err
	}
	again, problems := components.Load(g.LoadOptions())
	g.Report(problems)
	if again != nil {
		g.Note("the profile of the project is %s now (%s); commit the result and render all components", again.Profile, again.ProfileReason)
	}
	return problems.Err()
}
