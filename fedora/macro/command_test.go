package macro

import (
	"testing"
	"testing/fstest"
)

func TestShellReadsTheComponent(t *testing.T) {
	t.Parallel()
	e := New(Config{FS: fstest.MapFS{"VERSION": {Data: []byte("1.5\n")}}})
	for text, want := range map[string]string{
		"%(cat %{_sourcedir}/VERSION)":       "1.5",
		"%(head -1 < %{_sourcedir}/VERSION)": "1.5",
		"%(cat %{_sourcedir}/../VERSION)":    "?",
		"%(cat %{_sourcedir}/other)":         "?",
	} {
		v := e.Expand(e.pos, text)
		got := v.Text
		if !v.Known {
			got = "?"
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// TestShellRoot holds that only the set of the root in which sources are listed
// answers what packages are in it.
func TestShellRoot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		set  *Set
		want string
	}{
		{SRPM(), "package nss is not installed"},
		{Builtin(), "?"},
		{nil, "?"},
	} {
		got := New(Config{Set: c.set}).evalShell("rpm -q nss")
		if hasUnknown(got) {
			got = "?"
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
