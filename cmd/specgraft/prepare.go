package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"specgraft/overlay/diag"
	"specgraft/render"
)

func prepareCmd(g *globals) *cobra.Command {
	var opt render.TreeOptions
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
	sel := g.selectFlags(cmd)
	sel.lockFlag(cmd)
	sel.shardFlag(cmd)
	f := cmd.Flags()
	f.StringVarP(&opt.Dir, "output-dir", "o", "", "write to `DIR` (required)")
	f.BoolVarP(&opt.Force, "force", "f", false, "replace a directory that is not empty")
	f.BoolVar(&opt.SkipOverlays, "skip-overlays", false, "leave packaging and sources as upstream has them")
	f.BoolVar(&opt.SkipSources, "skip-sources", false, "download nothing")
	f.BoolVar(&withoutGit, "without-git", false, "compute nothing from git history: keep release numbers, %autorelease and %autochangelog as they are")
	f.BoolVar(&opt.AllowNoHashes, "allow-no-hashes", false, "accept source files without a configured hash, and write the hash of what comes")
	_ = cmd.MarkFlagDirname("output-dir")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.formatOf("table", "json")
		if err != nil {
			return err
		}
		if opt.Dir == "" {
			return usagef("-o DIR is missing: where to write to")
		}
		p, names, err := g.loadSelected(sel, args)
		if err != nil {
			return err
		}
		many := sel.all || sel.shard != ""
		if len(names) != 1 && !many {
			return usagef("expected exactly one component, got %d", len(names))
		}
		r, err := g.renderer(p)
		if err != nil {
			return err
		}
		r.SkipLockValidation, r.WithoutHistory, r.Unfiltered = sel.skipLocks, withoutGit, true
		if err := r.Prepare(cmd.Context(), names, false).Err(); err != nil {
			return err
		}
		line, mu, received := newProgress(g), sync.Mutex{}, int64(0)
		opt.Lookaside, err = g.lookaside(func(talk string) {
			mu.Lock()
			defer mu.Unlock()
			g.note("%s", talk)
		})
		if err != nil {
			return err
		}
		prepare := func(name, dir string) (*render.SourceTree, diag.List) {
			o := opt
			o.Dir = dir
			o.Progress = func(n int64) {
				mu.Lock()
				defer mu.Unlock()
				received += n
				line.Show("%s: %s", name, byteCount(received))
			}
			tree, problems := r.SourceTree(cmd.Context(), name, o)
			line.Clear()
			problems.Sort()
			return tree, problems
		}
		if many {
			return g.prepareMany(cmd.Context(), names, opt.Dir, format, prepare)
		}
		tree, problems := prepare(names[0], opt.Dir)
		if err := problems.Err(); err != nil {
			return err
		}
		g.report(problems)
		if format == "json" {
			return writeJSON(g.stdout, tree)
		}
		list := newRecords(g.stdout, "table", []column[render.PreparedSource]{
			{"SOURCE", 0, func(s render.PreparedSource) string { return s.Name }},
			{"SIZE", 0, func(s render.PreparedSource) string { return byteCount(s.Size) }},
			{"VERIFIED BY", 0, func(s render.PreparedSource) string { return fmt.Sprintf("%s %.16s...", s.HashType, s.Hash) }},
			{"REMARK", 0, func(s render.PreparedSource) string {
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
		g.note("%s is in %s: %d files of its packaging, %d sources", tree.Component, relative(tree.Dir), len(tree.Files), len(tree.Sources))
		return nil
	}
	return cmd
}

// prepareMany prepares each component in a directory of its own below dir. The
// failure of one stops no other.
func (g *globals) prepareMany(ctx context.Context, names []string, dir, format string, prepare func(name, dir string) (*render.SourceTree, diag.List)) error {
	list := newRecords(g.stdout, format, []column[*render.SourceTree]{
		{"COMPONENT", 0, func(t *render.SourceTree) string { return t.Component }},
		{"FILES", 0, func(t *render.SourceTree) string { return fmt.Sprint(len(t.Files)) }},
		{"SOURCES", 0, func(t *render.SourceTree) string { return fmt.Sprint(len(t.Sources)) }},
		{"DIRECTORY", 0, func(t *render.SourceTree) string { return relative(t.Dir) }},
	})
	var failed diag.List
	for _, name := range names {
		tree, problems := prepare(name, filepath.Join(dir, name))
		if problems.HasErrors() {
			failed = append(failed, problems...)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		g.report(problems)
		if err := list.Write(tree); err != nil {
			return err
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	return failed.Err()
}
