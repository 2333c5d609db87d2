package rendering

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/overlay/diag"
	"specgraft/render/prepare"
)

func PrepareCmd(g *cli.Globals) *cobra.Command {
	var opt prepare.TreeOptions
	var withoutGit bool
	cmd := &cobra.Command{
		Use:   "prepare NAME -o DIR",
		Short: "Write everything that building a component needs into a directory",
		Long: `Prepare writes a component's complete source tree: the rendered spec, every file
of its packaging, and the archives that its sources file and source-files name,
downloaded from the lookaside cache or their origin and verified. Overlays that
work inside archives are applied, too. The result is ready for rpmbuild, Koji,
Copr or OBS; the directory appears complete or not at all.

Downloads are kept in the cache by their checksum, and an interrupted one is
taken up again. Scripts are never run: a source file of origin "custom" has to be
in the lookaside cache.

With -a or --shard every chosen component gets a directory of its own name in DIR.
Several machines share the work, and one cache directory if they like, when each
takes a part with --shard.`,
		Example: `  specgraft prepare bash -o build/bash
  specgraft prepare bash -o build/bash --force --json
  rpmbuild -bs --define "_sourcedir build/bash" build/bash/bash.spec
  specgraft prepare --shard 2/8 -o build`,
	}
	sel := g.SelectFlags(cmd)
	sel.LockFlag(cmd)
	sel.ShardFlag(cmd)
	f := cmd.Flags()
	f.StringVarP(&opt.Dir, "output-dir", "o", "", "write to `DIR` (required)")
	f.BoolVarP(&opt.Force, "force", "f", false, "replace a directory that is not empty")
	f.BoolVar(&opt.SkipOverlays, "skip-overlays", false, "leave packaging and sources as upstream has them")
	f.BoolVar(&opt.SkipSources, "skip-sources", false, "download nothing")
	f.BoolVar(&withoutGit, "without-git", false, "compute nothing from git history: keep release numbers, %autorelease and %autochangelog as they are")
	f.BoolVar(&opt.AllowNoHashes, "allow-no-hashes", false, "accept source files without a configured hash, and write the hash of what comes")
	_ = cmd.MarkFlagDirname("output-dir")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("table", "json")
		if err != nil {
			return err
		}
		if opt.Dir == "" {
			return cli.Usagef("-o DIR is missing: where to write to")
		}
		g.OpenArchives = opt.AllowNoHashes
		p, names, err := g.LoadSelected(sel, args)
		if err != nil {
			return err
		}
		many := sel.All || sel.Shard != ""
		if len(names) != 1 && !many {
			return cli.Usagef("expected exactly one component, got %d", len(names))
		}
		r, err := g.Renderer(p)
		if err != nil {
			return err
		}
		r.SkipLockValidation, r.WithoutHistory, r.Unfiltered = sel.SkipLocks, withoutGit, true
		if err := r.Prepare(cmd.Context(), names, false).Err(); err != nil {
			return err
		}
		line, mu, received := cli.NewProgress(g), sync.Mutex{}, int64(0)
		opt.Lookaside, err = g.Lookaside(func(talk string) {
			mu.Lock()
			defer mu.Unlock()
			g.Note("%s", talk)
		})
		if err != nil {
			return err
		}
		write := func(name, dir string) (*prepare.Tree, diag.List) {
			o := opt
			o.Dir = dir
			o.Progress = func(n int64) {
				mu.Lock()
				defer mu.Unlock()
				received += n
				line.Show("%s: %s", name, cli.ByteCount(received))
			}
			tree, problems := prepare.WriteTree(cmd.Context(), r, name, o)
			line.Clear()
			problems.Sort()
			return tree, problems
		}
		if many {
			return prepareMany(cmd.Context(), g, names, opt.Dir, format, write)
		}
		tree, problems := write(names[0], opt.Dir)
		if err := problems.Err(); err != nil {
			return err
		}
		g.Report(problems)
		if format == "json" {
			return cli.WriteJSON(g.Stdout, tree)
		}
		list := cli.NewRecords(g.Stdout, "table", []cli.Column[prepare.Source]{
			{Title: "SOURCE", Cell: func(s prepare.Source) string { return s.Name }},
			{Title: "SIZE", Cell: func(s prepare.Source) string { return cli.ByteCount(s.Size) }},
			{Title: "VERIFIED BY", Cell: func(s prepare.Source) string { return fmt.Sprintf("%s %.16s...", s.HashType, s.Hash) }},
			{Title: "REMARK", Cell: func(s prepare.Source) string {
				if s.Overlays {
					return "overlays applied inside"
				}
				return ""
			}},
		})
		for _, s := range tree.Sources {
			if err := list.Write(s); err != nil {
				return err
			}
		}
		if err := list.Close(); err != nil {
			return err
		}
		g.Note("%s is in %s: %d files of its packaging, %d sources", tree.Component, cli.Relative(tree.Dir), len(tree.Files), len(tree.Sources))
		return nil
	}
	return cmd
}

// prepareMany prepares each component in a directory of its own below dir. The
// failure of one stops no other.
func prepareMany(ctx context.Context, g *cli.Globals, names []string, dir, format string, write func(name, dir string) (*prepare.Tree, diag.List)) error {
	list := cli.NewRecords(g.Stdout, format, []cli.Column[*prepare.Tree]{
		{Title: "COMPONENT", Cell: func(t *prepare.Tree) string { return t.Component }},
		{Title: "FILES", Cell: func(t *prepare.Tree) string { return fmt.Sprint(len(t.Files)) }},
		{Title: "SOURCES", Cell: func(t *prepare.Tree) string { return fmt.Sprint(len(t.Sources)) }},
		{Title: "DIRECTORY", Cell: func(t *prepare.Tree) string { return cli.Relative(t.Dir) }},
	})
	var failed diag.List
	for _, name := range names {
		tree, problems := write(name, filepath.Join(dir, name))
		if problems.HasErrors() {
			failed = append(failed, problems...)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		g.Report(problems)
		if err := list.Write(tree); err != nil {
			return err
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	return failed.Err()
}
