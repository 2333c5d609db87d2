package macro

import "testing"

// TestShellRpm holds that queries for packages are answered for the root in
// which sources are listed, and nowhere else.
func TestShellRpm(t *testing.T) {
	t.Parallel()
	requires := `LC_ALL="C" echo 'nss' | xargs -r rpm -q --qf 'Requires: %{name} >= %{epoch}:%{version}\n' | sed -e 's/ (none):/ /' -e 's/ 0:/ /' | grep -v "is not"`
	for _, c := range []struct {
		set       *Set
		cmd, want string
	}{
		{SRPM(), requires, ""},
		{SRPM(), "rpm -q nss", "package nss is not installed"},
		{SRPM(), "rpm -q rpm", "?"},
		{SRPM(), "rpm -qa", "?"},
		{SRPM(), "rpm --eval 1", "?"},
		{SRPM(), "echo a b | xargs echo x", "x a b"},
		{SRPM(), "true | xargs -r echo x", ""},
		{SRPM(), "true | xargs echo x", "x"},
		{SRPM(), "echo a | xargs -n1 echo", "?"},
		{SRPM(), "echo a | xargs rm", "?"},
		{Builtin(), requires, "?"},
		{nil, "rpm -q nss", "?"},
	} {
		got := New(Config{Set: c.set}).evalShell(c.cmd)
		if hasUnknown(got) {
			got = "?"
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.cmd, got, c.want)
		}
	}
}
