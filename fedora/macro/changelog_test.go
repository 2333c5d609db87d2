package macro

import (
	"strings"
	"testing"
)

// TestChangelog holds what is said of changelogs against what rpm 4.18 says of
// the same ones, which the want column has in our words.
func TestChangelog(t *testing.T) {
	t.Parallel()
	const head = "Name: x\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n%description\nd\n%changelog\n"
	for _, tt := range []struct{ name, in, want string }{
		{"fine", "* Thu Aug 22 2013 A B\n- x\n\n* Wed Aug 21 2013 A B\n- y\n", ""},
		{"the same day twice", "* Thu Aug 22 2013 A B\n- x\n* Thu Aug 22 2013 C\n- y\n", ""},
		{"no blank behind the star", "*Thu Aug 22 2013 A\n- x\n", ""},
		{"with a time", "* Thu Aug 22 12:00:00 UTC 2013 A B\n- x\n", ""},
		{"empty", "", ""},
		{"comment first", "# none\n* Thu Aug 22 2013 A B\n- x\n", ""},
		{"made from history", "%autochangelog\n", ""},
		{"text first", "- x\n* Thu Aug 22 2013 A B\n- x\n", "9: the text stands before"},
		{"wrong weekday", "* Thu Aug 22 2013 A B\n- x\n* Mon Aug 20 2013 A B\n- y\n", "11: that day of the changelog was a Tue"},
		{"a day too many", "* Wed Feb 29 2023 A\n- x\n", ""},
		{"order", "* Thu Aug 22 2013 A B\n- x\n* Fri Aug 23 2013 A B\n- y\n", "11: the changelog entry is newer"},
		{"month", "* Thu Agu 22 2013 A B\n- x\n", "9: the date"},
		{"lower case", "* thu aug 22 2013 A B\n- x\n", "9: the date"},
		{"day before month", "* Thu 22 Aug 2013 A B\n- x\n", "9: the date"},
		{"day 32", "* Thu Aug 32 2013 A B\n- x\n", "9: the date"},
		{"too old", "* Fri Aug 22 1980 A B\n- x\n", "9: the date"},
		{"no year", "* Thu Aug 22\n- x\n", "9: the date"},
		{"no name", "* Thu Aug 22 2013\n- x\n", "9: the changelog entry has no name"},
		{"no text", "* Thu Aug 22 2013 A\n\n* Wed Aug 21 2013 B\n- x\n", "9: the changelog entry has no text: rpm takes the entry below"},
		{"no text in the end", "* Thu Aug 22 2013 A\n- x\n* Wed Aug 21 2013 B\n", "11: the changelog entry has no text: rpm leaves"},
	} {
		s := Eval("x.spec", []byte(head+tt.in), Config{})
		var got []string
		for _, d := range s.Problems {
			if d.Code == "macro/changelog" && d.Hint != "" {
				got = append(got, strings.TrimPrefix(d.Error(), "x.spec:"))
			}
		}
		switch {
		case tt.want == "" && len(got) > 0:
			t.Errorf("%s: %q", tt.name, got)
		case tt.want != "" && (len(got) != 1 || !strings.HasPrefix(strings.Replace(got[0], ":1: ", ": ", 1), tt.want)):
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if s.Rejected() != nil {
			t.Errorf("%s: rpm takes such a spec", tt.name)
		}
	}
}

// TestPatchTwice: a patch is applied again without a change of directory.
func TestPatchTwice(t *testing.T) {
	t.Parallel()
	const head = "Name: x\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\nSource0: x.tgz\nPatch1: a.patch\nPatch2: b.patch\n%description\nd\n%prep\n"
	for _, tt := range []struct {
		prep  string
		twice bool
	}{
		{"%autosetup -p1\n%patch -P 1 -p1\n", true},
		{"%setup -q\n%autopatch -p1\n%patch -P 2\n", true},
		{"%setup -q\n%patch -P 1\n%patch 1\n", true},
		{"%autosetup -p1 -N\n%patch -P 1 -p1\n%patch -P 2 -p1\n", false},
		{"%setup -q\n%autopatch -M 1\n%patch -P 2\n", false},
		{"%autosetup -p1\ncd lib\n%patch -P 1\n", false},
		{"%autosetup -p1\n%patch -P 1 -d lib\n", false},
		{"%setup -q\n%patch -P 1\n%patch -P 1 -R\n%patch -P 1 -p2\n", false},
		{"%setup -q\n%if 0\n%patch -P 1\n%endif\n%patch -P 1\n", false},
		{"%autosetup -p1\n%changelog\n* Thu Aug 22 2013 A\n- Use %autosetup\n", false},
	} {
		s := Eval("x.spec", []byte(head+tt.prep), Config{})
		n := 0
		for _, d := range s.Problems {
			if d.Code == "macro/patch-twice" {
				n++
			}
		}
		if tt.twice != (n > 0) {
			t.Errorf("%q: %v", tt.prep, s.Problems)
		}
	}
}
