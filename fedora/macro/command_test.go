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

// TestFilterComputed holds that sources whose names are computed by the shell
// are known in the root in which they are listed, so that files beside them go.
func TestFilterComputed(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"variable without a value": "%global verdir %(echo ${version} | cut -d. -f1,2)\nSource: https://example.com/%{name}/%{verdir}/%{name}-%{version}.tar.xz\n",
		"eval and a path":          "%define major %(eval echo %{version} | %{__sed} -e 's/\\([[:digit:]]*\\)\\.\\([[:digit:]]*\\)\\.[[:digit:]]*$/\\1.\\2/')\nSource0: https://example.com/v%{major}/a-%{version}.tar.xz\n",
	} {
		text := "Name: a\nVersion: 2.41.1\nRelease: 1\nSummary: s\nLicense: MIT\n" + source + "%description\n"
		for _, e := range Filter("a.spec", []byte(text), []string{"a.spec", "changelog", "sources"}, Config{}) {
			if want := e.Name != "changelog"; e.Keep != want {
				t.Errorf("%s: %s is kept %v, want %v: %s", name, e.Name, e.Keep, want, e.Reason)
			}
		}
	}
	home := "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\nSource: %(echo $HOME).tar\n%description\n"
	if e := Filter("a.spec", []byte(home), []string{"changelog"}, Config{})[0]; !e.Keep {
		t.Errorf("a file was dropped though a source is not known: %+v", e)
	}
}
