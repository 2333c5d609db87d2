package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestArgsError holds the words for each rule of cobra about how many arguments
// there are: they are made from what cobra says.
func TestArgsError(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule cobra.PositionalArgs
		args string
		want string
	}{
		{cobra.ExactArgs(1), "", "'do' takes one argument, but none is given; usage is 'do NAME', see 'do --help'"},
		{cobra.ExactArgs(2), "a b c", "'do' takes two arguments, but three are given; usage is"},
		{cobra.MinimumNArgs(1), "", "'do' takes at least one argument, but none is given; "},
		{cobra.MaximumNArgs(1), "a b", "'do' takes at most one argument, but two are given; "},
		{cobra.RangeArgs(1, 2), "a b c d", "'do' takes one to two arguments, but 4 are given; "},
		{cobra.OnlyValidArgs, "shemas", `'do' does not know "shemas"; did you mean "schema"?`},
	} {
		cmd := &cobra.Command{Use: "do NAME", Args: tt.rule, ValidArgs: []string{"schema", "limits"}, DisableFlagsInUseLine: true}
		args := strings.Fields(tt.args)
		err := tt.rule(cmd, args)
		if err == nil {
			t.Fatalf("cobra takes %q", args)
		}
		if got := ArgsError(cmd, args, err).Error(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%v: %q, want %q", err, got, tt.want)
		}
	}
}
