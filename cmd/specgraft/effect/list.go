package effect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/lock"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// listed is one record of the list command.
type listed struct {
	Component    string    `json:"component"`
	Type         string    `json:"type"`
	Distro       string    `json:"distro,omitempty"`
	Version      string    `json:"version,omitempty"`
	UpstreamName string    `json:"upstreamName,omitempty"`
	Pin          string    `json:"pin,omitempty"`
	SpecPath     string    `json:"specPath,omitempty"`
	Release      string    `json:"release"`
	Overlays     int       `json:"overlays"`
	OverlayTypes []string  `json:"overlayTypes,omitempty"`
	Customised   bool      `json:"customised"`
	Groups       []string  `json:"groups,omitempty"`
	Tests        []string  `json:"tests,omitempty"`      // by name, those of its test groups included
	TestGroups   []string  `json:"testGroups,omitempty"` // that it refers to
	PinFile      string    `json:"pinFile,omitempty"`    // that supplies the pin
	File         string    `json:"file,omitempty"`
	Line         int       `json:"line,omitempty"`
	Problems     diag.List `json:"problems,omitempty"`

	// In JSON only: the component as resolved, and what its lock says.
	Config json.Marshaler `json:"config,omitempty"`
	Locked *locked        `json:"locked,omitempty"`
}

// locked is a lock file under its own keys.
type locked struct {
	Version             int    `json:"version"`
	ImportCommit        string `json:"import-commit,omitempty"`
	UpstreamCommit      string `json:"upstream-commit,omitempty"`
	ManualBump          int    `json:"manual-bump,omitempty"`
	InputFingerprint    string `json:"input-fingerprint,omitempty"`
	ResolutionInputHash string `json:"resolution-input-hash,omitempty"`
}

func ListCmd(g *cli.Globals) *cobra.Command {
	var overlayTypes, tests, testGroups []string
	var sourceType string
	var pinned, customised bool
	cmd := &cobra.Command{
		Use:   "list [NAME...]",
		Short: "List components with their source and customisation",
		Long: `List the components of the project, all of them when none is named.

A component counts as customised when anything but its place in upstream is
configured: overlays, build options, source files, a release rule, a pin or
render settings, its own or inherited from a group.

With --json each component also has "config", its configuration after all
inheritance with the keys of the TOML files, and "locked", what its lock file
says, when there is one. 'specgraft show' adds where each value comes from.`,
		Example: `  specgraft list
  specgraft list 'python-*' --customised
  specgraft list --overlay-type spec-search-replace --json
  specgraft list -g check-skip --pinned
  specgraft list --test-group smoke`,
	}
	sel := g.SelectFlags(cmd)
	f := cmd.Flags()
	cli.ListVar(f, &overlayTypes, "overlay-type", "", "only components with an overlay of `TYPE`; may be repeated")
	f.StringVar(&sourceType, "source-type", "", "only components of `TYPE`: upstream, local or template")
	cli.ListVar(f, &tests, "test", "", "only components that refer to the test `NAME`, by its name or by a group; may be repeated")
	cli.ListVar(f, &testGroups, "test-group", "", "only components that refer to the test group `NAME`; may be repeated")
	f.BoolVar(&pinned, "pinned", false, "only components with an upstream-commit")
	f.BoolVar(&customised, "customised", false, "only customised components")
	f.BoolVar(&customised, "customized", false, "the other spelling of --customised")
	_ = f.MarkHidden("customized")
	_ = cmd.RegisterFlagCompletionFunc("overlay-type", cli.CompleteTypes)
	_ = cmd.RegisterFlagCompletionFunc("source-type", cobra.FixedCompletions([]string{"upstream", "local", "template"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		format, err := g.FormatOf(cli.RecordFormats...)
		if err != nil {
			return err
		}
		for _, t := range overlayTypes {
			if overlay.Lookup(overlay.Type(t)) == nil {
				return cli.Usagef("unknown overlay type %q%s", t, cli.DidYouMean(t, overlay.Types()))
			}
		}
		if types := []string{"upstream", "local", "template"}; sourceType != "" && !slices.Contains(types, sourceType) {
			return cli.Usagef("unknown source type %q; it is one of %s", sourceType, strings.Join(types, ", "))
		}
		p, err := g.LoadComponents()
		if err != nil {
			return err
		}
		names := p.Names()
		if sel.Given(args) {
			if names, err = sel.Names(p, args); err != nil {
				return err
			}
		}
		if err := knownTests(p, tests, testGroups); err != nil {
			return err
		}
		columns := []cli.Column[listed]{
			{Title: "COMPONENT", Cell: func(l listed) string { return l.Component }},
			{Title: "TYPE", Cell: func(l listed) string { return l.Type }},
			{Title: "FROM", Cell: from},
			{Title: "RELEASE", Cell: func(l listed) string { return l.Release }},
			{Title: "OVERLAYS", Cell: func(l listed) string { return fmt.Sprint(l.Overlays) }},
			{Title: "GROUPS", Cell: func(l listed) string { return strings.Join(l.Groups, ",") }},
		}
		if len(tests)+len(testGroups) > 0 {
			columns = append(columns, cli.Column[listed]{Title: "TESTS", Cell: func(l listed) string { return strings.Join(l.Tests, ",") }})
		}
		out := cli.NewRecords(g.Stdout, format, columns)
		failed := false
		for _, name := range names {
			c, problems := p.Component(name)
			if c == nil {
				g.Report(problems)
				failed = true
				continue
			}
			l := describe(p, c, problems)
			if format == "json" {
				l.addConfig(p, c)
			}
			switch {
			case pinned && l.Pin == "", customised && !l.Customised, sourceType != "" && l.Type != sourceType:
				continue
			case len(tests)+len(testGroups) > 0 && !overlaps(tests, l.Tests) && !overlaps(testGroups, l.TestGroups):
				continue
			case len(overlayTypes) > 0 && !slices.ContainsFunc(overlayTypes, func(t string) bool { return slices.Contains(l.OverlayTypes, t) }):
				continue
			}
			if problems.HasErrors() {
				failed = true
				if format != "json" {
					g.Report(problems)
				}
			}
			if err := out.Write(l); err != nil {
				return err
			}
		}
		if err := out.Close(); err != nil {
			return err
		}
		if failed {
			return cli.ExitError(cli.ExitProblems)
		}
		return nil
	}
	return cmd
}

func overlaps(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// knownTests complains about tests and groups that are not defined.
func knownTests(p *components.Project, tests, groups []string) error {
	for _, k := range []struct {
		kind         string
		asked, known []string
	}{{"test", tests, p.TestNames()}, {"test group", groups, p.TestGroupNames()}} {
		for _, name := range k.asked {
			if !slices.Contains(k.known, name) {
				return cli.Usagef("there is no %s %q%s", k.kind, name, cli.DidYouMean(name, k.known))
			}
		}
	}
	return nil
}

// from says where the packaging comes from, for the table.
func from(l listed) string {
	switch {
	case l.Type == "local":
		return l.SpecPath
	case l.Type != "upstream":
		return ""
	}
	s := l.Distro
	if l.Version != "" {
		s += " " + l.Version
	}
	if l.UpstreamName != "" {
		s += " " + l.UpstreamName
	}
	if l.Pin != "" {
		s += " @" + l.Pin[:min(12, len(l.Pin))]
	}
	return s
}

func describe(p *components.Project, c *components.Component, problems diag.List) listed {
	l := listed{
		Component: c.Name, Type: c.Spec.Type, Release: c.Release.Calculation, Overlays: len(c.Overlays),
		Customised: c.Customised(), Groups: c.Groups, File: c.Pos.Filename, Line: c.Pos.Line, Problems: problems,
	}
	switch c.Spec.Type {
	case "upstream":
		l.Distro, l.Version = c.Spec.UpstreamDistro.Name, c.Spec.UpstreamDistro.Version
		if u, problems := p.Upstream(c); !problems.HasErrors() {
			l.Version = u.Version
		}
		l.Pin = c.Spec.UpstreamCommit
		if c.Spec.UpstreamName != c.Name {
			l.UpstreamName = c.Spec.UpstreamName
		}
	case "local":
		l.SpecPath = p.Display(c.Spec.Path)
	}
	l.Tests, l.TestGroups = p.Tests(c), p.TestGroups(c)
	if file, _ := p.PinFile(c); file != "" {
		l.PinFile = p.Display(file)
	}
	for _, op := range c.Overlays {
		l.OverlayTypes = append(l.OverlayTypes, string(op.Type))
	}
	slices.Sort(l.OverlayTypes)
	l.OverlayTypes = slices.Compact(l.OverlayTypes)
	return l
}

// addConfig adds what only programs want to read.
func (l *listed) addConfig(p *components.Project, c *components.Component) {
	v, _ := p.View(c) // problems of its upstream are known already
	l.Config = v.Config()
	lock, err := lock.Read(p, c.Name)
	if err != nil {
		l.Problems.Take(err)
	}
	if lock != nil {
		l.Locked = &locked{lock.Version, lock.ImportCommit, lock.UpstreamCommit, lock.ManualBump, lock.InputFingerprint, lock.ResolutionInputHash}
	}
}
