package plan

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/fedora/repodata"
	"specgraft/render/facts"
)

func TestJoin(t *testing.T) {
	t.Parallel()
	node := func(name string, excluded bool, needs ...string) facts.Component {
		return facts.Component{Name: name, Facts: &facts.Facts{Name: name, EVR: "1-1", Excluded: excluded, BuildRequires: needs, Bconds: []string{"bootstrap"},
			Packages: []facts.Package{{Name: name, EVR: "1-1"}}}}
	}
	intel := NewGraph([]facts.Component{node("a", false, "b"), node("b", false, "lost"), node("arm", true, "a"), {Name: "broken"}}, nil)
	arm := NewGraph([]facts.Component{node("a", false), node("b", false, "a", "lost", "gone"), node("arm", false, "a"), {Name: "broken"}}, nil)
	g := Join([]string{"x86_64", "aarch64"}, []*Graph{intel, arm})
	one := func(needs string, pkg string, on ...string) []Need {
		return []Need{{Requirement: needs, Package: pkg, Via: "package", Architectures: on}}
	}
	if d := cmp.Diff([]Edge{
		{From: "a", To: "b", Needs: one("b", "b", "x86_64"), Architectures: []string{"x86_64"}},
		{From: "arm", To: "a", Needs: one("a", "a", "aarch64"), Architectures: []string{"aarch64"}},
		{From: "b", To: "a", Needs: one("a", "a", "aarch64"), Architectures: []string{"aarch64"}},
	}, g.Edges); d != "" {
		t.Errorf("edges (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]Missing{
		{Component: "b", Requirement: "lost", Nearest: []string{}, Architectures: []string{"x86_64", "aarch64"}},
		{Component: "b", Requirement: "gone", Nearest: []string{}, Architectures: []string{"aarch64"}},
	}, g.Missing); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
	// A circle that no architecture has alone; b has a conditional against it on
	// one that does not matter, and on the one that does.
	on := func(needs ...string) Evaluate {
		return func(context.Context, string, []string, []string) *facts.Facts {
			return &facts.Facts{BuildRequires: needs}
		}
	}
	set := all(g)
	if err := g.SuggestCuts(t.Context(), Everywhere([]Evaluate{on("b"), on("lost")}), set); err != nil {
		t.Fatal(err)
	}
	p := g.Order("x86_64,aarch64", set, nil)
	if len(p.Cycles) != 1 || len(p.Cycles[0].Cut) != 1 || p.Cycles[0].Cut[0].From != "b" || p.Cycles[0].Cut[0].Suggest != "with bootstrap" {
		t.Errorf("cycles: %+v", p.Cycles)
	}
	if d := cmp.Diff([][]string{{"b"}, {"a"}, {"arm"}}, p.Waves); d != "" {
		t.Errorf("waves (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"aarch64"}, p.Steps[2].Architectures); d != "" {
		t.Errorf("where arm is built (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]Skip{{"broken", "it cannot be rendered"}}, p.Skipped); d != "" {
		t.Errorf("skipped (-want +got):\n%s", d)
	}
	users, ok := g.WhatNeeds("a")
	if d := cmp.Diff([]User{
		{Component: "arm", Kind: "BuildRequires", Requirement: "a", Provider: "a", Via: "package", Others: []string{}, Architectures: []string{"aarch64"}},
		{Component: "b", Kind: "BuildRequires", Requirement: "a", Provider: "a", Via: "package", Others: []string{}, Architectures: []string{"aarch64"}},
	}, users); d != "" || !ok {
		t.Errorf("what needs a (-want +got):\n%s", d)
	}
	if _, ok := g.WhatNeeds("nothing"); ok {
		t.Error("something needs what is not there")
	}
	if f := Everywhere([]Evaluate{on("x"), func(context.Context, string, []string, []string) *facts.Facts { return nil }})(t.Context(), "a", nil, nil); f != nil {
		t.Errorf("what is not known on one architecture is %v", f)
	}
}

// TestJoinOne joins one graph, which changes nothing but that it says where.
func TestJoinOne(t *testing.T) {
	t.Parallel()
	g := graphOf(map[string][]string{"c": {"b", "a", "x"}, "b": {"a"}, "a": {"c"}})
	joined := Join([]string{"s390x"}, []*Graph{g})
	want, got := g.Order("s390x", all(g), nil), joined.Order("s390x", all(joined), nil)
	if d := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Architectures" }, cmp.Ignore())); d != "" {
		t.Errorf("the plan (-want +got):\n%s", d)
	}
	for _, e := range got.Edges {
		if d := cmp.Diff([]string{"s390x"}, e.Architectures); d != "" {
			t.Errorf("%s -> %s (-want +got):\n%s", e.From, e.To, d)
		}
	}
}

func TestMetadataFor(t *testing.T) {
	t.Parallel()
	md := &Metadata{Packages: []repodata.Built{{Name: "a", Arch: "x86_64"}, {Name: "b", Arch: "noarch"}, {Name: "c", Arch: "aarch64"}}}
	for arch, want := range map[string]string{"x86_64": "ab", "aarch64": "bc", "s390x": "abc"} {
		got := ""
		for _, b := range md.For(arch).Packages {
			got += b.Name
		}
		if got != want {
			t.Errorf("for %s there is %q, not %q", arch, got, want)
		}
	}
	if (*Metadata)(nil).For("x86_64") != nil {
		t.Error("there is metadata where there was none")
	}
}
