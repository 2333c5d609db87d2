package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/overlay/diag"
	"specgraft/render"
)

// selection is the flags that choose components, the same for every command.
type selection struct {
	all       bool
	patterns  []string
	groups    []string
	specPaths []string
	skipLocks bool
	shard     string
}

// selectFlags adds the flags to a command, and completion of names.
func (g *globals) selectFlags(cmd *cobra.Command) *selection {
	s := &selection{}
	f := cmd.Flags()
	f.BoolVarP(&s.all, "all", "a", false, "choose all components")
	f.StringArrayVarP(&s.patterns, "component", "p", nil, "choose a component by `NAME` or shell pattern, like an argument")
	f.StringArrayVarP(&s.groups, "group", "g", nil, "choose the members of group `NAME`")
	f.StringArrayVarP(&s.specPaths, "spec-path", "s", nil, "choose the component with the local spec `PATH`")
	cmd.ValidArgsFunction = g.completeNames
	_ = cmd.RegisterFlagCompletionFunc("component", g.completeNames)
	return s
}

// lockFlag adds --skip-lock-validation.
func (s *selection) lockFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.skipLocks, "skip-lock-validation", false, "go on with missing or stale locks")
}

// shardFlag adds --shard.
func (s *selection) shardFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.shard, "shard", "", "take only part `I/N` of what is chosen, from 1/N to N/N (0/N is N/N); who is in which part follows from the names")
}

// given reports whether anything was chosen.
func (s *selection) given(args []string) bool {
	return s.all || s.shard != "" || len(args)+len(s.patterns)+len(s.groups)+len(s.specPaths) > 0
}

// loadSelected loads the project and returns the chosen components, sorted.
func (g *globals) loadSelected(s *selection, args []string) (*components.Project, []string, error) {
	p, err := g.load()
	if err != nil {
		return nil, nil, err
	}
	names, err := s.names(p, args)
	if err == nil {
		for _, pattern := range append(s.patterns[:len(s.patterns):len(s.patterns)], args...) {
			matches := func(n string) bool { ok, _ := path.Match(pattern, n); return ok }
			if strings.ContainsAny(pattern, "*?[") && !slices.ContainsFunc(names, matches) {
				g.note("no component matches %q", pattern)
			}
		}
	}
	return p, names, err
}

// names returns the chosen components, sorted.
func (s *selection) names(p *components.Project, args []string) ([]string, error) {
	if !s.given(args) {
		return nil, usageError{errors.New("no components were selected; name some, or use -a for all")}
	}
	chosen := s.all || len(args)+len(s.patterns)+len(s.groups)+len(s.specPaths) > 0
	names, problems := p.Select(components.Selector{
		All: s.all || !chosen, Names: append(s.patterns, args...), Groups: s.groups, SpecPaths: s.specPaths,
	})
	if s.shard != "" {
		part, err := render.ParseShard(s.shard)
		if err != nil {
			return nil, usageError{fmt.Errorf("--shard: %w", err)}
		}
		names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !part.Has(n) })
	}
	return names, problems.Err()
}

// completeNames completes component names.
func (g *globals) completeNames(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	p, _ := components.Load(g.loadOptions())
	if p == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, n := range p.Names() {
		if strings.HasPrefix(n, prefix) {
			names = append(names, n)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// loadOptions are the global flags as options of components.Load.
func (g *globals) loadOptions() components.Options {
	return components.Options{
		Dir:          g.projectDir,
		ConfigFiles:  g.configFiles,
		UserFile:     userFile(),
		NoDefaults:   g.noDefaults,
		Permissive:   g.permissive,
		AllowOutside: g.outside,
		Profile:      g.profile,
		WithoutLocks: g.withoutLock.value,
	}
}

// userFile returns the path of the user's own configuration. It keeps azldev's
// place, so that both tools see one project alike.
func userFile() string {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home := os.Getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "azldev", "config.toml")
}

// load loads the project. Warnings are printed; errors are returned.
func (g *globals) load() (*components.Project, error) {
	p, problems := components.Load(g.loadOptions())
	if p != nil {
		g.base, g.top = p.Dir, p.Root
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, &diag.Diagnostic{Code: "config/no-project", Message: "no azldev.toml here or in a directory above",
			Hint: "go to a project, or name one with -C DIR"}
	}
	g.report(problems)
	return p, nil
}

// cache returns the cache directory that outlives this run.
func (g *globals) cache() (string, error) {
	if g.cacheDir != "" {
		return filepath.Abs(g.cacheDir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w; name one with --cache-dir", err)
	}
	return filepath.Join(dir, "specgraft"), nil
}

// workCache is cache for commands whose result is not the cache itself: for a
// user without a home directory, as services and containers have, it makes one
// that goes away when the command ends.
func (g *globals) workCache() (string, error) {
	dir, err := g.cache()
	if err == nil || g.cacheDir != "" {
		return dir, err
	}
	dir, err = os.MkdirTemp("", "specgraft-cache-")
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w; name one with --cache-dir", err)
	}
	g.note("neither $XDG_CACHE_HOME nor $HOME is set: nothing is kept in a cache; name one with --cache-dir")
	g.cacheDir = dir
	g.closers = append(g.closers, func() error { return os.RemoveAll(dir) })
	return dir, nil
}

// store opens the upstream store; it is closed when the command ends.
func (g *globals) store(p *components.Project) (*fedora.Store, error) {
	dir, err := g.workCache()
	if err != nil {
		return nil, err
	}
	opt := fedora.Options{CacheDir: dir, Offline: g.offline, AllowHTTP: g.allowHTTP, PerHost: g.perHost, Retries: max(0, g.retries-1)}
	if g.verbose {
		opt.Log = func(line string) { g.note("%s", line) }
	}
	s, err := fedora.Open(opt)
	if err != nil {
		return nil, err
	}
	g.closers = append(g.closers, s.Close)
	return s, nil
}
