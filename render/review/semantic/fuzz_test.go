package semantic_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/render/review/semantic"
)

// FuzzCompare compares any two texts as specs: it ends, it says the same twice,
// a spec has no change against itself, and every change is one that the readers
// of the JSON know what to do with.
func FuzzCompare(f *testing.F) {
	f.Add("Name: a\nVersion: 1\nRelease: 1\n%description\nx\n", "Name: a\nVersion: 2\nRelease: 1\nRequires: b >= 1\n%description\nx\n")
	f.Add("Name: a\n%if 1\n%global x %{y}\n%endif\n%package b\n%files b\n/x\n", "Name: a\n%if 1\n%files\n")
	f.Add("Source0: a\nPatch1: b\n%prep\n%autosetup -p1\n", "Patch2: b\nSource: a\n%prep\n%patch 1\n")
	f.Add("%bcond a 1\n%post -p <lua>\nx\n%changelog\n* x\n", "\x00\xff")
	f.Add("## START: Set by rpmautospec\n%define autorelease(b) {\n}\n## END: Set by rpmautospec\nRelease: %autorelease\n", "Release: %autorelease\n")
	f.Fuzz(func(t *testing.T, old, new string) {
		if len(old)+len(new) > 1<<14 {
			return
		}
		pack := func(s string) semantic.Packaging {
			return semantic.Packaging{Name: "a.spec", Spec: []byte(s), Files: map[string]string{}}
		}
		d := semantic.Compare(pack(old), pack(new), semantic.Options{})
		for _, c := range d.Changes {
			if !slices.Contains(semantic.Classes, c.Class) || c.Op != semantic.Added && c.Op != semantic.Removed && c.Op != semantic.Changed {
				t.Errorf("a change of class %q, op %q", c.Class, c.Op)
			}
			if c.Old == nil && c.New == nil && c.Class != semantic.Section && c.Class != semantic.Package {
				t.Errorf("a change of nothing: %+v", c)
			}
			if c.OldLine < 0 || c.OldLine > strings.Count(old, "\n")+1 || c.NewLine < 0 || c.NewLine > strings.Count(new, "\n")+1 {
				t.Errorf("a change at a line that is not there: %+v", c)
			}
		}
		first, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if second, _ := json.Marshal(semantic.Compare(pack(old), pack(new), semantic.Options{})); string(first) != string(second) {
			t.Errorf("two answers: %s", cmp.Diff(string(first), string(second)))
		}
		if d := semantic.Compare(pack(old), pack(old), semantic.Options{}); len(d.Changes) != 0 || d.Noise.Total() != 0 {
			t.Errorf("a spec differs from itself: %v, noise %d", lines(d), d.Noise.Total())
		}
		var text strings.Builder
		if err := d.WriteText(&text); err != nil {
			t.Error(err)
		}
	})
}
