package upstream

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/fedora"
	"specgraft/fedora/lookaside"
	"specgraft/fedora/repodata"
	"specgraft/overlay/diag"
)

func RepoCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "repo",
		Short: "Fetch and compare what package repositories offer",
		Long: `Look at the metadata of package repositories. Nothing is installed, and no tool
of rpm or dnf is needed.`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.Group,
	}
	cmd.AddCommand(repoCompareCmd(g), repoFetchCmd(g))
	cmd.AddCommand(cli.AzldevOnlyCmds(g, "repo")...)
	return cmd
}

// repoArches are the architectures that the project format knows, for which
// repositories are compared whose address says $basearch.
var repoArches = []string{"x86_64", "aarch64"}

// A repoCompare is one run of repo compare.
type repoCompare struct {
	g                  *cli.Globals
	arches             []string
	releasever         string
	noDebug, noSources bool
	client             *lookaside.Client
	project            *components.Project // nil without one
	problems           diag.List           // of loading it
	read               map[string][]repodata.NEVRA
}

// onlyRecord is a package that one side has and the other has not.
type onlyRecord struct {
	Side    string `json:"side"` // left or right
	NEVRA   string `json:"nevra"`
	Name    string `json:"name"`
	Epoch   string `json:"epoch,omitempty"`
	Version string `json:"version"`
	Release string `json:"release,omitempty"`
	Arch    string `json:"arch"`
	// Other is the newest version of the same name and architecture that the other
	// side has, "" for none.
	Other string `json:"other,omitempty"`
	// Architectures are those of the repositories in which that is so, when they
	// were compared one by one.
	Architectures []string `json:"architectures,omitempty"`

	pkg repodata.NEVRA
}

func repoCompareCmd(g *cli.Globals) *cobra.Command {
	c := &repoCompare{g: g, read: map[string][]repodata.NEVRA{}}
	var check bool
	cmd := &cobra.Command{
		Use:   "compare LEFT RIGHT",
		Short: "List the packages that only one of two repositories has",
		Long: `Compare reads the metadata of two repositories and lists the packages, by name,
epoch, version, release and architecture, that only LEFT or only RIGHT has. Where
the other side has the package in another version, that is shown beside it.

A side is the name of a repository or of a set of repositories in [resources] of
the project; or the directory that holds repodata; or its file:// or https://
address. $basearch and $releasever in an address are filled in. Checksums are
verified, and what is downloaded is kept in the cache.

Addresses with $basearch are compared once for each architecture: those given with
--arch, else those that a set says it serves, else x86_64 and aarch64. With --arch
packages of other architectures are left out, noarch and source packages are not.`,
		Example: `  specgraft repo compare azl-base azl-preview --arch x86_64 --arch aarch64
  specgraft repo compare results https://packages.example.com/base/x86_64
  specgraft repo compare old new --no-debuginfo --no-srpms --json`,
		Args: cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	cli.ListVar(f, &c.arches, "arch", "", "compare for the architecture `ARCH`; may be repeated")
	f.StringVar(&c.releasever, "releasever", "", "the `VERSION` for $releasever (default: that of the project's distribution)")
	f.BoolVar(&c.noDebug, "no-debuginfo", false, "leave out debuginfo and debugsource packages")
	f.BoolVar(&c.noSources, "no-srpms", false, "leave out source packages")
	f.BoolVar(&check, "check", false, "exit with 2 when a package is on one side only")
	_ = cmd.RegisterFlagCompletionFunc("arch", cobra.FixedCompletions(repoArches, cobra.ShellCompDirectiveNoFileComp))
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		p, _ := components.Load(g.LoadOptions())
		if p == nil || len(args) > 1 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return slices.DeleteFunc(p.RepositoryNames(), func(n string) bool { return !strings.HasPrefix(n, prefix) }), cobra.ShellCompDirectiveDefault
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf(cli.RecordFormats...)
		if err != nil {
			return err
		}
		for _, a := range c.arches {
			if err := g.CheckArch(a); err != nil {
				return err
			}
		}
		differ, err := c.run(cmd.Context(), args[0], args[1], format)
		if err == nil && check && differ {
			err = cli.ExitError(cli.ExitDrift)
		}
		return err
	}
	return cmd
}

func (c *repoCompare) run(ctx context.Context, left, right, format string) (differ bool, err error) {
	dir, err := c.g.WorkCache()
	if err != nil {
		return false, err
	}
	if c.client, err = fedora.OpenLookaside(fedora.Options{CacheDir: dir, Offline: c.g.Offline, AllowHTTP: c.g.AllowHTTP,
		Retries: max(0, c.g.Retries-1)}); err != nil {
		return false, err
	}
	c.g.Closers = append(c.g.Closers, c.client.Close)
	var sides [2][]distro.Repository
	for i, name := range []string{left, right} {
		if sides[i], err = c.side(name); err != nil {
			return false, err
		}
	}
	found := map[string]*onlyRecord{} // by side and NEVRA
	var counts [2]map[repodata.NEVRA]bool
	targets := c.targets(sides)
	for _, arch := range targets {
		var have [2]map[repodata.NEVRA]bool
		for i := range sides {
			if have[i], err = c.inventory(ctx, sides[i], arch); err != nil {
				return false, err
			}
			if counts[i] == nil {
				counts[i] = map[repodata.NEVRA]bool{}
			}
			for n := range have[i] {
				counts[i][n] = true
			}
		}
		for i, side := range []string{"left", "right"} {
			others := newest(have[1-i])
			for n := range have[i] {
				if have[1-i][n] {
					continue
				}
				r := found[side+" "+n.String()]
				if r == nil {
					r = &onlyRecord{Side: side, NEVRA: n.String(), Name: n.Name, Epoch: n.EVR.Epoch, Version: n.EVR.Version, Release: n.EVR.Release, Arch: n.Arch,
						pkg: n}
					found[side+" "+n.String()] = r
				}
				if o, ok := others[n.Name+"."+n.Arch]; ok {
					r.Other = o.EVR.String()
				}
				if arch != "" {
					r.Architectures = append(r.Architectures, arch)
				}
			}
		}
	}
	return len(found) > 0, c.print(found, counts, len(targets) > 1, format)
}

// newest returns the newest version of each name and architecture.
func newest(have map[repodata.NEVRA]bool) map[string]repodata.NEVRA {
	best := map[string]repodata.NEVRA{}
	for n := range have {
		key := n.Name + "." + n.Arch
		if b, ok := best[key]; !ok || n.EVR.Compare(b.EVR) > 0 {
			best[key] = n
		}
	}
	return best
}

func (c *repoCompare) print(found map[string]*onlyRecord, counts [2]map[repodata.NEVRA]bool, arches bool, format string) error {
	var list []*onlyRecord
	only := map[string]int{}
	for _, r := range found {
		list = append(list, r)
		only[r.Side]++
	}
	slices.SortFunc(list, func(a, b *onlyRecord) int {
		for _, c := range []int{strings.Compare(a.Name, b.Name), strings.Compare(a.Arch, b.Arch), strings.Compare(a.Side, b.Side), a.pkg.EVR.Compare(b.pkg.EVR)} {
			if c != 0 {
				return c
			}
		}
		return strings.Compare(a.NEVRA, b.NEVRA)
	})
	columns := []cli.Column[*onlyRecord]{
		{Title: "ONLY", Cell: func(r *onlyRecord) string { return r.Side }},
		{Title: "PACKAGE", Cell: func(r *onlyRecord) string { return r.NEVRA }},
		{Title: "OTHER SIDE", Cell: func(r *onlyRecord) string { return r.Other }},
	}
	if arches {
		columns = append(columns, cli.Column[*onlyRecord]{Title: "REPOSITORIES", Cell: func(r *onlyRecord) string { return strings.Join(r.Architectures, ",") }})
	}
	out := cli.NewRecords(c.g.Stdout, format, columns)
	for _, r := range list {
		if err := out.Write(r); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	c.g.Note("%d packages left, %d right; %d only left, %d only right", len(counts[0]), len(counts[1]), only["left"], only["right"])
	return nil
}

// side finds the repositories of LEFT or RIGHT.
func (c *repoCompare) side(name string) ([]distro.Repository, error) {
	plain := []distro.Repository{{Name: name, Kind: "", URI: name}}
	path := strings.HasPrefix(name, ".") || strings.ContainsAny(name, `/\`)
	if strings.Contains(name, "://") || path {
		return plain, nil
	}
	if c.project == nil && c.problems == nil {
		c.project, c.problems = components.Load(c.g.LoadOptions())
		if c.project != nil {
			c.g.Base, c.g.Top = c.project.Dir, c.project.Root
		}
	}
	var names []string
	if c.project != nil {
		names = c.project.RepositoryNames()
	}
	if slices.Contains(names, name) {
		if err := c.problems.Err(); err != nil {
			return nil, err
		}
		return c.project.Repositories(name)
	}
	if _, err := os.Stat(name); err == nil {
		return plain, nil
	}
	d := diag.Errorf("repodata/unknown", "%q is neither a repository of the project nor a directory", name)
	d.Hint = "give a directory with repodata, an https:// address, or the name of a set in [resources.rpm-repo-sets]"
	if n := diag.Nearest(name, names); n != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", n)
	}
	return nil, d
}

// targets returns the architectures to compare for; one empty one when addresses do
// not depend on it and none was asked for.
func (c *repoCompare) targets(sides [2][]distro.Repository) []string {
	if len(c.arches) > 0 {
		return c.arches
	}
	var said []string
	depends := false
	for _, side := range sides {
		for _, r := range side {
			depends = depends || strings.Contains(r.URI, "$basearch") || strings.Contains(r.URI, "$arch")
			for _, a := range r.Arches {
				if !slices.Contains(said, a) {
					said = append(said, a)
				}
			}
		}
	}
	switch {
	case len(said) > 0:
		slices.Sort(said)
		return said
	case depends:
		return repoArches
	}
	return []string{""}
}

// inventory reads the packages that one side offers for an architecture.
func (c *repoCompare) inventory(ctx context.Context, side []distro.Repository, arch string) (map[repodata.NEVRA]bool, error) {
	have := map[repodata.NEVRA]bool{}
	for _, r := range side {
		switch {
		case c.noSources && r.Kind == "source", c.noDebug && r.Kind == "debug":
			continue
		case arch != "" && !r.Serves(arch):
			continue
		}
		uri, err := c.address(&r, arch)
		if err != nil {
			return nil, err
		}
		list, ok := c.read[uri]
		if !ok {
			line := cli.NewProgress(c.g)
			line.Show("reading %s", uri)
			list, err = repodata.Inventory(ctx, c.client, uri)
			line.Clear()
			if err != nil {
				return nil, err
			}
			c.read[uri] = list
		}
		for _, n := range list {
			if c.wanted(n, arch) {
				have[n] = true
			}
		}
	}
	return have, nil
}

func (c *repoCompare) wanted(n repodata.NEVRA, arch string) bool {
	source := n.Arch == "src" || n.Arch == "nosrc"
	switch {
	case source:
		return !c.noSources
	case c.noDebug && (strings.HasSuffix(n.Name, "-debuginfo") || strings.HasSuffix(n.Name, "-debugsource")):
		return false
	}
	return arch == "" || n.Arch == arch || n.Arch == "noarch"
}

// address fills in the variables of an address.
func (c *repoCompare) address(r *distro.Repository, arch string) (string, error) {
	if strings.Contains(r.URI, "$releasever") && c.releasever == "" {
		if c.project != nil {
			if _, v := c.project.DistroVersion(c.project.DefaultDistro); v != nil {
				c.releasever = v.ReleaseVer
			}
		}
		if c.releasever == "" {
			return "", cli.Usagef("the address has $releasever; say which with --releasever")
		}
	}
	return r.Address(arch, c.releasever), nil
}
