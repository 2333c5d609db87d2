package reader

import (
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTags reads the header of a package that rpmbuild made.
func TestTags(t *testing.T) {
	t.Parallel()
	f, err := os.Open(buildSRPM(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := Read(f, func(*File, io.Reader) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, tag := range p.Tags {
		got[tag.Name] = tag.Values
	}
	for name, want := range map[string][]string{"NAME": {"boat"}, "SOURCEPACKAGE": {"1"}, "BASENAMES": nil} {
		if d := cmp.Diff(want, got[name]); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if len(got["REQUIRES"]) == 0 || len(got["PROVIDES"]) > 0 && got["PROVIDES"][0] == "" {
		t.Errorf("dependencies: %v, %v", got["REQUIRES"], got["PROVIDES"])
	}
}

func TestDependencies(t *testing.T) {
	t.Parallel()
	got := dependencies([]string{"gcc", "make", "(a if b)", "x"}, []string{"5", "", "", "1:2-3"}, []string{"12", "0", "0", "2"})
	if d := cmp.Diff([]string{"gcc >= 5", "make", "(a if b)", "x < 1:2-3"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestValues reads entries of all types.
func TestValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind  uint32
		data  string
		count int
		want  []string
	}{
		{6, "one\x00", 1, []string{"one"}}, {8, "a\x00\x00b\x00", 3, []string{"a", "", "b"}}, {7, "\x01\xff", 2, []string{"01ff"}},
		{4, "\x00\x00\x01\x00\xff\xff\xff\xff", 2, []string{"256", "4294967295"}}, {3, "\x00\x02", 1, []string{"2"}},
		{5, "\x00\x00\x00\x01\x00\x00\x00\x00", 1, []string{"4294967296"}},
	} {
		if d := cmp.Diff(test.want, values(test.kind, []byte(test.data), test.count)); d != "" {
			t.Errorf("type %d (-want +got):\n%s", test.kind, d)
		}
	}
}
