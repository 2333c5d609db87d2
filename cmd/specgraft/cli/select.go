package cli

import (
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/render"
)

// Selection is the flags that choose components, the same for every command.
type Selection struct {
	All       bool
	Patterns  []string
	Groups    []string
	SpecPaths []string
	SkipLocks bool
	Shard     string
}

// SelectFlags adds the flags to a command, and completion of names.
func (g *Globals) SelectFlags(cmd *cobra.Command) *Selection {
	s := &Selection{}
	f := cmd.Flags()
	f.BoolVarP(&s.All, "all", "a", false, "choose all components")
	ListVar(f, &s.Patterns, "component", "p", "choose a component by `NAME` or shell pattern, like an argument")
	ListVar(f, &s.Groups, "group", "g", "choose the members of group `NAME`")
	ListVar(f, &s.SpecPaths, "spec-path", "s", "choose the component with the local spec `PATH`")
	cmd.ValidArgsFunction = g.CompleteNames
	_ = cmd.RegisterFlagCompletionFunc("component", g.CompleteNames)
	return s
}

// LockFlag adds --skip-lock-validation.
func (s *Selection) LockFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.SkipLocks, "skip-lock-validation", false, "go on with missing or stale locks")
}

// ShardFlag adds --shard.
func (s *Selection) ShardFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.Shard, "shard", "", "take only part `I/N` of what is chosen, from 1/N to N/N (0/N is N/N); who is in which part follows from the names")
}

// Given reports whether anything was chosen.
func (s *Selection) Given(args []string) bool {
	return s.All || s.Shard != "" || len(args)+len(s.Patterns)+len(s.Groups)+len(s.SpecPaths) > 0
}

// LoadSelected loads the project and returns the chosen components, sorted.
func (g *Globals) LoadSelected(s *Selection, args []string) (*components.Project, []string, error) {
	p, err := g.LoadComponents()
	if err != nil {
		return nil, nil, err
	}
	names, err := s.Names(p, args)
	if err == nil {
		for _, pattern := range append(s.Patterns[:len(s.Patterns):len(s.Patterns)], args...) {
			matches := func(n string) bool { ok, _ := path.Match(pattern, n); return ok }
			if strings.ContainsAny(pattern, "*?[") && !slices.ContainsFunc(names, matches) {
				g.Note("no component matches %q", pattern)
			}
		}
	}
	return p, names, err
}

// Names returns the chosen components, sorted.
func (s *Selection) Names(p *components.Project, args []string) ([]string, error) {
	if !s.Given(args) {
		return nil, Usagef("no components were selected; name some, or use -a for all")
	}
	chosen := s.All || len(args)+len(s.Patterns)+len(s.Groups)+len(s.SpecPaths) > 0
	names, problems := p.Select(components.Selector{
		All: s.All || !chosen, Names: append(s.Patterns, args...), Groups: s.Groups, SpecPaths: s.SpecPaths,
	})
	if s.Shard != "" {
		part, err := render.ParseShard(s.Shard)
		if err != nil {
			return nil, Usagef("--shard: %w", err)
		}
		names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !part.Has(n) })
	}
	return names, problems.Err()
}

// CompleteNames completes component names.
func (g *Globals) CompleteNames(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	p, _ := g.loadComponents()
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

// Among returns those of names that were chosen; all without a choice. Unlike
// names it also knows components that the project has no longer.
func (s *Selection) Among(p *components.Project, args, names []string) ([]string, error) {
	patterns := append(slices.Clone(s.Patterns), args...)
	if s.All || len(patterns)+len(s.Groups)+len(s.SpecPaths) == 0 {
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
	if len(rest)+len(s.Groups)+len(s.SpecPaths) > 0 {
		found, problems := p.Select(components.Selector{Names: rest, Groups: s.Groups, SpecPaths: s.SpecPaths})
		if err := problems.Err(); err != nil {
			return nil, err
		}
		for _, n := range found {
			match[n] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !match[n] }), nil
}

// CompleteTypes completes overlay types, with what they do.
func CompleteTypes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	types := make([]string, len(overlay.Ops))
	for i := range overlay.Ops {
		types[i] = string(overlay.Ops[i].Type) + "\t" + overlay.Ops[i].Help
	}
	return types, cobra.ShellCompDirectiveNoFileComp
}
