package cli

import (
	"runtime"
	"testing"

	"github.com/spf13/cobra"
)

// TestJobs holds how much is done at a time: what a command was told, else its
// scale for each processor or each unit of --concurrency.
func TestJobs(t *testing.T) {
	t.Parallel()
	cpus := runtime.GOMAXPROCS(0)
	for _, test := range []struct {
		args        []string
		jobs, scale int
		want        int
		refused     bool
	}{
		{jobs: 0, scale: 1, want: cpus},
		{jobs: 0, scale: 4, want: 4 * cpus},
		{jobs: 3, scale: 4, want: 3},
		{args: []string{"--concurrency", "5"}, scale: 1, want: 5},
		{args: []string{"--concurrency=5"}, scale: 4, want: 20},
		{args: []string{"--concurrency", "5"}, jobs: 2, scale: 4, want: 2},
		{args: []string{"--concurrency", "0"}, refused: true},
		{args: []string{"--concurrency", "-1"}, refused: true},
	} {
		g := NewGlobals(nil, nil, nil)
		got := 0
		root := &cobra.Command{SilenceErrors: true, SilenceUsage: true,
			PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return g.Check(cmd) },
			RunE:              func(*cobra.Command, []string) error { got = g.Jobs(test.jobs, test.scale); return nil }}
		g.AddFlags(root)
		root.SetArgs(test.args)
		if err := root.Execute(); (err != nil) != test.refused || got != test.want {
			t.Errorf("%v with %d jobs of scale %d: %d, %v; want %d", test.args, test.jobs, test.scale, got, err, test.want)
		}
	}
}
