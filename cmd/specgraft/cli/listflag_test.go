package cli

import (
	"slices"
	"testing"

	"github.com/spf13/pflag"
)

// TestListVar gives a flag several times, in both spellings: values add up and
// stay as they are, and the first takes the place of the default.
func TestListVar(t *testing.T) {
	t.Parallel()
	list := []string{"deck"}
	f := pflag.NewFlagSet("ship", pflag.ContinueOnError)
	ListVar(f, &list, "part", "p", "build `PART`")
	f.Var(f.Lookup("part").Value, "piece", "")
	if got := f.Lookup("part").DefValue; got != "[deck]" {
		t.Errorf("the default is shown as %q", got)
	}
	if err := f.Parse([]string{"--part", "a,b", "--piece=c", `-p"d"`}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a,b", "c", `"d"`}; !slices.Equal(list, want) {
		t.Errorf("got %q, want %q", list, want)
	}
	if got := f.Lookup("part").Value.(pflag.SliceValue).GetSlice(); !slices.Equal(got, list) {
		t.Errorf("GetSlice returns %q", got)
	}
}
