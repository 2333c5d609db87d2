package main

import (
	"path"
	"slices"
	"specgraft/components"
	"specgraft/overlay"
	"specgraft/render"
	"strings"

	"github.com/spf13/cobra"
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
		return nil, usagef("no components were selected; name some, or use -a for all")
	}
	chosen := s.all || len(args)+len(s.patterns)+len(s.groups)+len(s.specPaths) > 0
	names, problems := p.Select(components.Selector{
		All: s.all || !chosen, Names: append(s.patterns, args...), Groups: s.groups, SpecPaths: s.specPaths,
	})
	if s.shard != "" {
		part, err := render.ParseShard(s.shard)
		if err != nil {
			return nil, usagef("--shard: %w", err)
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

// among returns those of names that were chosen; all without a choice. Unlike
// names it also knows components that the project has no longer.
func (s *selection) among(p *components.Project, args, names []string) ([]string, error) {
	patterns := append(slices.Clone(s.patterns), args...)
	if s.all || len(patterns)+len(s.groups)+len(s.specPaths) == 0 {
		return names, nil
	}
	var rest []string // for the project to look up, or to complain about
	match := map[string]bool{}
	for _, pattern := range patterns {
		hit := false
		for _, n := range names {
			if ok, err := path.Match(pattern, n); n == pattern || ok && err == nil {
				match[n], hit = true, true
			}
		}
		if !hit {
			rest = append(rest, pattern)
		}
	}
	if len(rest)+len(s.groups)+len(s.specPaths) > 0 {
		found, problems := p.Select(components.Selector{Names: rest, Groups: s.groups, SpecPaths: s.specPaths})
		if err := problems.Err(); err != nil {
			return nil, err
		}
		for _, n := range found {
			match[n] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !match[n] }), nil
}

// completeTypes completes overlay types, with what they do.
func completeTypes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	types := make([]string, len(overlay.Ops))
	for i := range overlay.Ops {
		types[i] = string(overlay.Ops[i].Type) + "\t" + overlay.Ops[i].Help
	}
	return types, cobra.ShellCompDirectiveNoFileComp
}
