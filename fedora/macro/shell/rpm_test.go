package shell

import (
	"strings"
	"testing"
)

// TestShellRpm holds that queries for packages are answered for the root in
// which sources are listed, and nowhere else.
func TestShellRpm(t *testing.T) {
	t.Parallel()
	requires := `LC_ALL="C" echo 'nss' | xargs -r rpm -q --qf 'Requires: %{name} >= %{epoch}:%{version}\n' | sed -e 's/ (none):/ /' -e 's/ 0:/ /' | grep -v "is not"`
	for _, c := range []struct {
		root      bool
		cmd, want string
	}{
		{true, requires, ""},
		{true, "rpm -q nss", "package nss is not installed"},
		{true, "rpm -q rpm", "?"},
		{true, "rpm -qa", "?"},
		{true, "rpm --eval 1", "?"},
		{true, "echo a b | xargs echo x", "x a b"},
		{true, "true | xargs -r echo x", ""},
		{true, "true | xargs echo x", "x"},
		{true, "echo a | xargs -n1 echo", "?"},
		{true, "echo a | xargs rm", "?"},
		{false, requires, "?"},
		{false, "rpm -q nss", "?"},
		{true, "echo ${version} | cut -d. -f1,2", ""},
		{true, "echo [$HOME]", "?"},
		{true, "echo [$http_proxy]", "?"},
		{true, "echo [$_]", "?"},
		{false, "echo ${version} | cut -d. -f1,2", "?"},
	} {
		got, err := Run(c.cmd, Env{SourceRoot: c.root})
		got = strings.TrimRight(got, "\n")
		if err != nil {
			got = "?"
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.cmd, got, c.want)
		}
	}
}
