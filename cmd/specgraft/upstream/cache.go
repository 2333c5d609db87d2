package upstream

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
)

func CacheCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Check, shrink and measure the mirror and the content cache",
		Long: `The cache directory (--cache-dir) holds the mirror of upstream repositories, the
files of commits that were read, downloaded sources, and the metadata of package
repositories. All of it can be made or fetched again; nothing in it is needed to understand a project.`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.Group,
	}
	cmd.AddCommand(cacheVerifyCmd(g), cachePruneCmd(g), cacheSizeCmd(g), cacheDirCmd(g))
	return cmd
}

func cacheVerifyCmd(g *cli.Globals) *cobra.Command {
	var repair bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check everything in the cache against its checksums",
		Long: `Verify reads the whole cache: mirrored repositories with git fsck, the files of
commits against their git names, downloaded sources against their digests. It
prints what is damaged, and exits with 1 if anything is and stays so. With
--repair what is damaged is removed; it is made or fetched again when it is
needed.`,
		Example: `  specgraft cache verify
  specgraft cache verify --repair --json`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "remove what is damaged")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		format, err := g.FormatOf(cli.RecordFormats...)
		if err != nil {
			return err
		}
		store, err := g.OpenStore()
		if err != nil {
			return err
		}
		line, mu := cli.NewProgress(g), sync.Mutex{}
		v, err := store.Verify(cmd.Context(), repair, func(done, total int) {
			mu.Lock()
			line.Show("%d of %d", done, total)
			mu.Unlock()
		})
		line.Clear()
		if err != nil {
			return err
		}
		type record struct {
			Path     string `json:"path"`
			Problem  string `json:"problem"`
			Repaired bool   `json:"repaired"`
		}
		list := cli.NewRecords(g.Stdout, format, []cli.Column[record]{
			{Title: "PATH", Cell: func(r record) string { return r.Path }},
			{Title: "PROBLEM", Cell: func(r record) string { return r.Problem }},
			{Title: "REPAIRED", Cell: func(r record) string { return fmt.Sprint(r.Repaired) }},
		})
		for _, d := range v.Damages {
			if err := list.Write(record(d)); err != nil {
				return err
			}
		}
		if err := list.Close(); err != nil {
			return err
		}
		g.Note("%d repositories, %d snapshots and %d sources checked, %d damaged", v.Repositories, v.Snapshots, v.Sources, len(v.Damages))
		if len(v.Damages) > 0 && !repair {
			g.Note("run 'specgraft cache verify --repair' to remove what is damaged")
			return cli.ExitError(cli.ExitProblems)
		}
		return nil
	}
	return cmd
}

func cachePruneCmd(g *cli.Globals) *cobra.Command {
	var unused string
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove leftovers and what was not used for long",
		Long: `Prune removes what interrupted runs left behind, and files of commits and
downloaded sources that nobody has read for the given time. Repositories in the
mirror keep all their commits; those that were fetched many times are repacked.`,
		Example: `  specgraft cache prune
  specgraft cache prune --unused 7d`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&unused, "unused", "90d", "remove content that was not read for `TIME` (such as 12h or 30d); 0 keeps all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		format, err := g.FormatOf("text", "json")
		if err != nil {
			return err
		}
		age, err := parseAge(unused)
		if err != nil {
			return cli.AsUsage(err)
		}
		store, err := g.OpenStore()
		if err != nil {
			return err
		}
		p, err := store.Prune(cmd.Context(), age)
		if err != nil {
			return err
		}
		if format == "json" {
			return cli.WriteJSON(g.Stdout, map[string]int64{"files": int64(p.Files), "repacked": int64(p.Repacked), "bytes": p.Bytes})
		}
		g.Note("%d files removed, %d repositories repacked, %s freed", p.Files, p.Repacked, cli.ByteCount(p.Bytes))
		return nil
	}
	return cmd
}

// parseAge reads a duration, in which d stands for days of 24 hours.
func parseAge(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if err == nil && n >= 0 && n < 100_000 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if s == "0" {
		return 0, nil
	} else if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return d, nil
	}
	return 0, fmt.Errorf("--unused %q is not a time such as 12h or 30d", s)
}

func cacheSizeCmd(g *cli.Globals) *cobra.Command {
	return &cobra.Command{
		Use:     "size",
		Short:   "Print how much the parts of the cache take",
		Example: "  specgraft cache size\n  specgraft cache size --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			format, err := g.FormatOf(cli.RecordFormats...)
			if err != nil {
				return err
			}
			store, err := g.OpenStore()
			if err != nil {
				return err
			}
			parts, err := store.Usage()
			if err != nil {
				return err
			}
			type record struct {
				Part  string `json:"part"`
				Files int    `json:"files"`
				Bytes int64  `json:"bytes"`
			}
			list := cli.NewRecords(g.Stdout, format, []cli.Column[record]{
				{Title: "PART", Cell: func(r record) string { return r.Part }},
				{Title: "FILES", Cell: func(r record) string { return fmt.Sprint(r.Files) }},
				{Title: "SIZE", Cell: func(r record) string { return cli.ByteCount(r.Bytes) }},
			})
			for _, u := range parts {
				if err := list.Write(record(u)); err != nil {
					return err
				}
			}
			return list.Close()
		},
	}
}

func cacheDirCmd(g *cli.Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "dir",
		Short: "Print where the cache is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := g.Cache()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(g.Stdout, dir)
			return err
		},
	}
}
