package facts

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/fedora/macro"
)

// TestChangeOnArchitectures joins what changed of one component on several
// architectures: that all packages changed on one of them wins.
func TestChangeOnArchitectures(t *testing.T) {
	t.Parallel()
	packages := func(names ...string) map[string]bool {
		set := map[string]bool{}
		for _, n := range names {
			set[n] = true
		}
		return set
	}
	for name, test := range map[string]struct {
		list []Change
		want Change
	}{
		"nothing":            {[]Change{{}, {Packages: packages()}}, Change{}},
		"on the second":      {[]Change{{}, {What: []string{"a"}, Packages: packages("p")}}, Change{What: []string{"a"}, Packages: packages("p")}},
		"the same on both":   {[]Change{{What: []string{"a"}, Packages: packages("p")}, {What: []string{"a"}, Packages: packages("p")}}, Change{What: []string{"a"}, Packages: packages("p")}},
		"each its own":       {[]Change{{What: []string{"a"}, Packages: packages("p")}, {What: []string{"b"}, Packages: packages("q")}}, Change{What: []string{"a", "b"}, Packages: packages("p", "q")}},
		"all on the first":   {[]Change{{What: []string{"a"}}, {What: []string{"b"}, Packages: packages("q")}}, Change{What: []string{"a", "b"}}},
		"all on the second":  {[]Change{{What: []string{"a"}, Packages: packages("p")}, {What: []string{"b"}}}, Change{What: []string{"a", "b"}}},
		"nothing in between": {[]Change{{What: []string{"a"}, Packages: packages("p")}, {}, {What: []string{"b"}, Packages: packages("q")}}, Change{What: []string{"a", "b"}, Packages: packages("p", "q")}},
	} {
		var got Change
		for _, c := range test.list {
			got.add(c)
		}
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestLoadersFor(t *testing.T) {
	t.Parallel()
	l := &Loader{Config: macro.Config{Arch: "s390x", With: []string{"x"}}, Jobs: 3}
	list := l.For([]string{"x86_64", "aarch64"})
	if len(list) != 2 || list[0].Config.Arch != "x86_64" || list[1].Config.Arch != "aarch64" || l.Config.Arch != "s390x" {
		t.Errorf("architectures %v, and %s of the first", list, l.Config.Arch)
	}
	for _, one := range list {
		if one.Jobs != 3 || len(one.Config.With) != 1 {
			t.Errorf("%+v is not as the first otherwise", one)
		}
	}
}
