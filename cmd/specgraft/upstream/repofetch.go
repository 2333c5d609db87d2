package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
)

// repoFetchRecord is one repository in the output of repo fetch.
type repoFetchRecord struct {
	Repository string `json:"repository"`
	Arch       string `json:"arch,omitempty"`
	Address    string `json:"address"`
	Status     string `json:"status"` // fetched, present, local, failed
	Packages   int    `json:"packages"`
	Bytes      int64  `json:"bytes"`
	Error      string `json:"error,omitempty"`
}

func repoFetchCmd(g *cli.Globals) *cobra.Command {
	arches := []string{"x86_64"}
	cmd := &cobra.Command{
		Use:   "fetch",
		Short: "Bring the metadata of the repositories that builds use into the cache",
		Long: `Fetch brings the metadata of the repositories that builds take packages from into
the cache: what their packages provide and require, and which files they have. plan
finds there, without any network, what only shows in built packages, such as
pkgconfig(), cmake(), python3dist() and sonames.

The repositories are those of inputs.rpm-build of the default distribution's version,
or, where it names none, the repos of the distribution. $basearch in an address is
filled in for each --arch, $releasever with the version's release-ver. Of those with
a metalink the mirrors are tried in its order. Those at file:// addresses are read in
place, and only looked at. Signatures are not checked: what is read orders builds, and
nothing is installed.

Each run asks the servers for their repomd.xml; what that names is downloaded when it
is not there yet, verified by its checksum, and read once. What a repository had
before stays until all of the new is right. 'specgraft cache prune' removes what was
not used for long.`,
		Example: `  specgraft repo fetch
  specgraft repo fetch --arch x86_64 --arch aarch64
  specgraft repo fetch --json`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	cli.ListVar(f, &arches, "arch", "", "fetch what serves the architecture `ARCH`; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("arch", cobra.FixedCompletions(macro.Archs(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		format, err := g.FormatOf(cli.RecordFormats...)
		if err != nil {
			return err
		}
		for _, a := range arches {
			if err := g.CheckArch(a); err != nil {
				return err
			}
		}
		return fetchRepositories(cmd.Context(), g, arches, format)
	}
	return cmd
}

func fetchRepositories(ctx context.Context, g *cli.Globals, arches []string, format string) error {
	p, err := g.Load()
	if err != nil {
		return err
	}
	if _, err := g.Cache(); err != nil {
		return err // what is fetched is for later runs
	}
	line := cli.NewProgress(g)
	defer line.Clear()
	kept, err := g.KeptMetadata(func(text string) {
		line.Clear()
		g.Note("%s", text)
	})
	if err != nil {
		return err
	}
	repos, problems := p.BuildRepositoriesFor(arches)
	if len(repos) == 0 && len(problems) == 0 {
		return noRepositories(p, arches)
	}
	list := cli.NewRecords(g.Stdout, format, []cli.Column[repoFetchRecord]{
		{Title: "REPOSITORY", Cell: func(r repoFetchRecord) string { return r.Repository }},
		{Title: "ARCH", Cell: func(r repoFetchRecord) string { return cli.OrDash(r.Arch) }},
		{Title: "STATUS", Cell: func(r repoFetchRecord) string { return r.Status }},
		{Title: "PACKAGES", Cell: func(r repoFetchRecord) string { return fmt.Sprint(r.Packages) }},
		{Title: "SIZE", Cell: func(r repoFetchRecord) string { return cli.ByteCount(r.Bytes) }},
		{Title: "ADDRESS", Cell: func(r repoFetchRecord) string { return r.Address }},
	})
	for _, repo := range repos {
		rec := repoFetchRecord{Repository: repo.Name, Arch: repo.Arch, Address: shown(repo.Address), Status: "present"}
		line.Show("reading %s", shown(repo.Address))
		got, err := kept.Fetch(ctx, repo.Address, repo.Linked)
		line.Clear()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		rec.Packages, rec.Bytes = got.Packages, got.Bytes
		switch {
		case err != nil:
			rec.Status, rec.Error = "failed", err.Error()
			if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
				rec.Error = d.Message
			}
			if !problems.Take(err) {
				return err
			}
		case got.Local:
			rec.Status = "local"
		case got.New:
			rec.Status = "fetched"
		}
		if err := list.Write(rec); err != nil {
			return err
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	return problems.Err()
}

func noRepositories(p *components.Project, arches []string) error {
	if all, _ := p.BuildRepositories(); len(all) > 0 {
		return cli.Usagef("no repository that builds take packages from serves %s", strings.Join(arches, " or "))
	}
	d := diag.Errorf("repodata/unknown", "the project names no repositories that builds take packages from")
	d.Hint = fmt.Sprintf("name some in inputs.rpm-build of a version of [distros.%s], or in its repos", p.DefaultDistro.Name)
	return d
}

// shown returns an address without the password that it may have.
func shown(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Redacted()
	}
	return address
}
