package editor

import (
	"context"
	"fmt"
	"go/token"
	"slices"
	"sort"
	"strings"

	"specgraft/fedora/macro"
	"specgraft/overlay"
)

// knownTags are offered where no spec says which tags there are.
var knownTags = []string{"Name", "Version", "Release", "Epoch", "Summary", "License", "URL", "Source", "Patch", "BuildArch", "ExclusiveArch", "ExcludeArch",
	"BuildRequires", "BuildConflicts", "Requires", "Requires(post)", "Requires(pre)", "Provides", "Obsoletes", "Conflicts", "Recommends", "Suggests",
	"Supplements", "Enhances", "Group", "Vendor", "Packager", "AutoReq", "AutoProv", "AutoReqProv", "BuildSystem", "SourceLicense", "TranslationURL", "Prefix"}

// knownSections are the sections of rpm.
var knownSections = []string{"%package", "%description", "%sourcelist", "%patchlist", "%prep", "%generate_buildrequires", "%conf", "%build", "%install",
	"%check", "%clean", "%pre", "%post", "%preun", "%postun", "%pretrans", "%posttrans", "%preuntrans", "%postuntrans", "%verifyscript",
	"%triggerin", "%triggerun", "%triggerprein", "%triggerpostun", "%filetriggerin", "%filetriggerun", "%filetriggerpostun",
	"%transfiletriggerin", "%transfiletriggerun", "%transfiletriggerpostun", "%files", "%changelog"}

// upstream returns the packaging of a component as it is upstream, which must
// not be changed; nil when it is not in the mirror.
func (s *Snapshot) upstream(ctx context.Context, name string) *overlay.Tree {
	if name == "" || s.Project == nil {
		return nil
	}
	c, _ := s.Project.Component(name)
	if c == nil {
		return nil
	}
	u, problems := s.Project.Upstream(c)
	if c.IsUpstream() && problems.HasErrors() {
		return nil
	}
	key := fmt.Sprintf("%d %s %+v %+v", s.epoch, name, c.Spec, u)
	s.healthMu.Lock()
	known, ok := s.trees[name]
	s.healthMu.Unlock()
	if ok && known.key == key {
		return known.tree
	}
	r, err := s.quickly()
	if err != nil {
		return nil
	}
	tree, _, err := r.Source(ctx, c)
	if err != nil || tree == nil || tree.Spec == nil {
		tree = nil
	}
	if ctx.Err() == nil && c.Spec.Type != "template" {
		s.healthMu.Lock()
		if len(s.trees) > 64 {
			clear(s.trees)
		}
		s.trees[name] = upstreamTree{key, tree}
		s.healthMu.Unlock()
	}
	return tree
}

// An upstreamTree is a packaging that was looked at before.
type upstreamTree struct {
	key  string
	tree *overlay.Tree
}

// macroSet returns the macros that the specs of a component are evaluated with.
func (s *Snapshot) macroSet(name string) *macro.Set {
	if s.Project == nil {
		return macro.Builtin()
	}
	c, _ := s.Project.Component(name)
	r, err := s.quickly()
	if c == nil || err != nil {
		return macro.Builtin()
	}
	cfg, err := r.Evaluation(c, macro.Config{})
	if err != nil || cfg.Set == nil {
		return macro.Builtin()
	}
	return cfg.Set
}

// macroNames returns the macros that can stand in the spec that the cursor is
// about: those of the set, and those that the spec defines.
func (m *completer) macroNames() []string {
	name := m.here()
	list := m.macroSet(name).Names()
	if tree := m.upstream(m.ctx, name); tree != nil {
		list = append(slices.Clone(list), definedIn(string(tree.Spec.Bytes()))...)
	}
	sort.Strings(list)
	return slices.Compact(list)
}

// definedIn returns the macros that a spec defines, by its text.
func definedIn(text string) []string {
	var list []string
	for line := range strings.SplitSeq(text, "\n") {
		f := strings.Fields(line)
		if len(f) >= 2 && (f[0] == "%global" || f[0] == "%define") {
			name, _, _ := strings.Cut(f[1], "(")
			list = append(list, name)
		}
	}
	return list
}

// bconds returns the build conditionals that a component's spec declares.
func (s *Snapshot) bconds(name string) []string {
	tree := s.upstream(context.Background(), name)
	if tree == nil {
		return nil
	}
	var list []string
	for line := range strings.SplitSeq(string(tree.Spec.Bytes()), "\n") {
		f := strings.Fields(line)
		if len(f) >= 2 && (f[0] == "%bcond_with" || f[0] == "%bcond_without" || f[0] == "%bcond") && !slices.Contains(list, f[1]) {
			list = append(list, f[1])
		}
	}
	return list
}

// tokenPosition is the one position type of the program.
type tokenPosition = token.Position
