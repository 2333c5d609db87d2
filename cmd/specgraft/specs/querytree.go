package specs

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/cmd/specgraft/cli"
	"specgraft/overlay/diag"
	"specgraft/render/facts"
)

// builtRecord is what a component of the rendered tree builds. Of one that is not
// built for the architecture there is the name only.
type builtRecord struct {
	Name     string         `json:"name"`             // of the component
	Source   string         `json:"source,omitempty"` // name of the source package
	Epoch    string         `json:"epoch,omitempty"`
	Version  string         `json:"version,omitempty"`
	Release  string         `json:"release,omitempty"`
	NEVR     string         `json:"nevr,omitempty"` // of the source package
	Arch     string         `json:"arch,omitempty"` // that it was asked for
	Packages []builtPackage `json:"packages,omitzero"`
}

// builtPackage is one binary package.
type builtPackage struct {
	Name    string `json:"name"`
	Epoch   string `json:"epoch,omitempty"`
	Version string `json:"version"`
	Release string `json:"release"`
	Arch    string `json:"arch"`
	NEVRA   string `json:"nevra"`
}

// queryTree prints what components build, as the project's rendered tree has them.
// A component that fails keeps none of the others back.
func queryTree(ctx context.Context, g *cli.Globals, sel *cli.Selection, args []string, set cli.QuerySettings, format string) error {
	if format == "text" {
		format = "table"
	}
	cfg, err := set.Config()
	if err != nil {
		return err
	}
	if err := g.CheckArch(cfg.Arch); err != nil {
		return err
	}
	p, names, err := g.LoadSelected(sel, args)
	if err != nil {
		return err
	}
	r, err := g.Renderer(p)
	if err != nil {
		return err
	}
	l := &facts.Loader{Renderer: r, Config: cfg, Cache: &facts.Cache{Build: cli.BuildID()}, Jobs: g.Jobs(0, 1)}
	if dir, err := g.Cache(); err == nil && dir != "" {
		l.Cache.Dir = filepath.Join(dir, "plan.v1")
	}
	line := cli.NewProgress(g)
	line.Show("evaluating %d specs", len(names))
	loaded, err := l.Tree(ctx, names)
	line.Clear()
	if err != nil {
		return err
	}
	if err := l.Cache.Save(); err != nil {
		g.Note("the results of evaluations could not be kept: %v", err)
	}
	list := cli.NewRecords(g.Stdout, format, []cli.Column[builtRecord]{
		{Title: "COMPONENT", Cell: func(b builtRecord) string { return b.Name }},
		{Title: "SOURCE", Cell: func(b builtRecord) string { return b.NEVR }},
		{Title: "PACKAGES", Cell: func(b builtRecord) string {
			var all []string
			for _, pkg := range b.Packages {
				all = append(all, pkg.Name)
			}
			return strings.Join(all, " ")
		}},
	})
	problems := loaded.Problems
	var excluded []string
	for _, c := range loaded.Components {
		f := c.Facts
		switch {
		case f == nil:
			continue
		case f.Excluded:
			excluded = append(excluded, c.Name)
			f = &facts.Facts{}
		case f.Rejected != "":
			d := diag.Diagnostic{Code: "plan/rejected", Component: c.Name, Message: "rpm would not accept the rendered " + c.Name + ": " + f.Rejected,
				Hint: "`specgraft query " + c.Name + "` has all problems"}
			d.Pos.Filename = p.Display(filepath.Join(p.RenderedDir, strings.ToLower(c.Name[:1]), c.Name, c.Name+".spec"))
			problems = append(problems, d)
			continue
		}
		if err := list.Write(newBuilt(c.Name, f, cfg.Arch)); err != nil {
			return err
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	if len(excluded) > 0 {
		g.Note("%d not built for %s: %s", len(excluded), cfg.Arch, diag.Abridge(excluded, 5))
	}
	slices.SortStableFunc(problems, func(a, b diag.Diagnostic) int { return strings.Compare(a.Component, b.Component) })
	g.Report(problems)
	if code := cli.CodeOf(problems); code != cli.ExitOK {
		return cli.ExitError(code)
	}
	return nil
}

// newBuilt lays out what an evaluation came to. Facts without a name say that
// nothing is built.
func newBuilt(component string, f *facts.Facts, arch string) builtRecord {
	if f.Name == "" {
		return builtRecord{Name: component}
	}
	b := builtRecord{Name: component, Source: f.Name, NEVR: f.Name + "-" + f.EVR, Arch: arch, Packages: []builtPackage{}}
	b.Epoch, b.Version, b.Release = splitEVR(f.EVR)
	for _, pkg := range f.Packages {
		out := builtPackage{Name: pkg.Name, Arch: pkg.Arch, NEVRA: pkg.Name + "-" + pkg.EVR + "." + pkg.Arch}
		out.Epoch, out.Version, out.Release = splitEVR(pkg.EVR)
		b.Packages = append(b.Packages, out)
	}
	return b
}

// splitEVR splits [epoch:]version-release.
func splitEVR(text string) (epoch, version, release string) {
	if e, rest, ok := strings.Cut(text, ":"); ok {
		epoch, text = e, rest
	}
	if i := strings.LastIndexByte(text, '-'); i >= 0 {
		return epoch, text[:i], text[i+1:]
	}
	return epoch, text, ""
}
