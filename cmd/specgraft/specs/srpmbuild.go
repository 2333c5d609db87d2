package specs

import (
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/overlay/diag"
	"specgraft/render/prepare"
)

func srpmBuildCmd(g *cli.Globals) *cobra.Command {
	var opt prepare.PackageOptions
	var set cli.QuerySettings
	var buildTime string
	cmd := &cobra.Command{
		Use:   "build NAME... -o DIR",
		Short: "Write source packages, without rpm",
		Long: `Build writes the source package that rpmbuild -bs makes of each component: the
rendered spec, the files that it names as sources and patches, and a header with
every tag that rpm 4.18 sets. Archives come from the cache, or are downloaded and
verified as by 'specgraft prepare'. A package appears complete or not at all.

The same commit gives the same bytes: the build time, and the time of all files, is
that of the project's commit, and the build host is %_buildhost of the macro set or
"localhost". The payload is compressed as %_source_payload says, w9.gzdio where it
says nothing; only the compressed bytes differ from rpm's, for the compressor is
another. Values that depend on the machine are an error and can be given with
--define.`,
		Example: `  specgraft srpm build bash -o srpms
  specgraft srpm build -g core -o srpms --offline --json
  specgraft srpm build bash -o srpms --define '_source_payload w19.zstdio'
  specgraft srpm build bash -o srpms --build-time 2026-01-31T12:00:00Z`,
	}
	sel := g.SelectFlags(cmd)
	sel.LockFlag(cmd)
	sel.ShardFlag(cmd)
	set.EvaluationFlags(cmd)
	f := cmd.Flags()
	f.StringVarP(&opt.Dir, "output-dir", "o", "", "write to `DIR` (required)")
	f.StringVar(&buildTime, "build-time", "", "say that it was built at `TIME`: seconds since 1970, or as in 2026-01-31T12:00:00Z")
	f.StringVar(&opt.Host, "build-host", "localhost", "say that it was built on `HOST`, unless the macro set has %_buildhost")
	f.BoolVar(&opt.Tree.SkipSources, "skip-sources", false, "download nothing: for specs without archives")
	f.BoolVar(&opt.Tree.AllowNoHashes, "allow-no-hashes", false, "accept source files without a configured hash")
	_ = cmd.MarkFlagDirname("output-dir")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("table", "json", "csv", "markdown")
		if err != nil {
			return err
		}
		if opt.Dir == "" {
			return cli.Usagef("-o DIR is missing: where to write to")
		}
		if opt.BuildTime, err = parseBuildTime(buildTime); err != nil {
			return err
		}
		if opt.Config, err = set.Config(); err != nil {
			return err
		}
		if err := g.CheckArch(opt.Config.Arch); err != nil {
			return err
		}
		g.OpenArchives = opt.Tree.AllowNoHashes
		p, names, err := g.LoadSelected(sel, args)
		if err != nil {
			return err
		}
		r, err := g.Renderer(p)
		if err != nil {
			return err
		}
		r.SkipLockValidation, r.Unfiltered = sel.SkipLocks, true
		if err := r.Prepare(cmd.Context(), names, false).Err(); err != nil {
			return err
		}
		line, mu := cli.NewProgress(g), sync.Mutex{}
		opt.Tree.Lookaside, err = g.Lookaside(func(talk string) {
			mu.Lock()
			defer mu.Unlock()
			g.Note("%s", talk)
		})
		if err != nil {
			return err
		}
		list := cli.NewRecords(g.Stdout, format, []cli.Column[*prepare.Package]{
			{Title: "COMPONENT", Cell: func(p *prepare.Package) string { return p.Component }},
			{Title: "SIZE", Cell: func(p *prepare.Package) string { return cli.ByteCount(p.Size) }},
			{Title: "FILE", Cell: func(p *prepare.Package) string { return cli.Relative(p.File) }},
		})
		var failed diag.List
		for i, name := range names {
			line.Show("%d/%d %s", i+1, len(names), name)
			made, problems := prepare.WritePackage(cmd.Context(), r, name, opt)
			line.Clear()
			problems.Sort()
			if problems.HasErrors() {
				failed = append(failed, problems...)
				if cmd.Context().Err() != nil {
					break
				}
				continue
			}
			g.Report(problems)
			if err := list.Write(made); err != nil {
				return err
			}
		}
		if err := list.Close(); err != nil {
			return err
		}
		return failed.Err()
	}
	return cmd
}

// parseBuildTime reads the time that the user wants, nil for none.
func parseBuildTime(s string) (*int64, error) {
	if s == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t, terr := time.Parse(time.RFC3339, s)
		n, err = t.Unix(), terr
	}
	if err != nil || n < 0 || n > 1<<32-1 {
		return nil, cli.Usagef("--build-time %q is neither seconds since 1970 nor a time like 2026-01-31T12:00:00Z", s)
	}
	return &n, nil
}
