package macro

import (
	"slices"
	"strings"
	"testing"

	"specgraft/overlay/diag"
)

// warningCases has, for every warning, specs that raise it and near misses that
// do not. Each spec is put behind the tags that every spec needs.
var warningCases = []struct {
	code, name, in string
	at             string // line and part of the message; empty when the warning must not be there
}{
	{"warning", "said by the spec", "%{warn:the dock is closed}\n%description\n", "6: the dock is closed"},
	{"warning", "in a branch that is not taken", "%if 0\n%{warn:the dock is closed}\n%endif\n%description\n", ""},
	{"warning", "printed, not warned of", "%{echo:the dock is open}\n%description\n", ""},

	{"no-file", "a patch", "Patch3: a.patch\n%description\n%prep\n%setup -q -T -c\n%patch -P 4\n", "10: there is no patch number 4"},
	{"no-file", "a source to unpack", "Source2: a.tgz\n%description\n%prep\n%setup -q -T -c -a 1\n", "9: there is no source number 1"},
	{"no-file", "the numbers that are there", "Source2: a.tgz\nPatch3: a.patch\n%description\n%prep\n%setup -q -T -c -a 2\n%patch -P 3\n", ""},
	{"no-file", "a range that holds no patch", "Patch3: a.patch\n%description\n%prep\n%setup -q -T -c\n%autopatch -m 7 -M 9\n%autopatch -M 3\n", ""},
	{"no-file", "all patches of a spec without any", "%description\n%prep\n%setup -q -T -c\n%autopatch -p1\n", ""},

	{"empty-range", "numbers that begin at 0", "%description\n%patchlist\na.patch\nb.patch\n%prep\n%setup -q -T -c\n%autopatch 1\n%autopatch -m 2\n", "13: %autopatch applies nothing"},
	{"empty-range", "below all", "Patch10: a.patch\n%description\n%prep\n%setup -q -T -c\n%autopatch -p1 -M 9\n", "10: "},
	{"empty-range", "all of none, in a range or not", "%description\n%prep\n%autosetup -T -c -p1\n%autopatch -p1\n%autopatch -m 1\n", ""},
	{"empty-range", "ranges that are kept free", "Patch100: a.patch\n%description\n%prep\n%setup -q -T -c\n%autopatch -q -M 99\n%autopatch -m 100 -M 199\n", ""},
	{"empty-range", "patches that may be there", "%if \"%(hostname)\" == \"x\"\nPatch3: a.patch\n%endif\n%description\n%prep\n%setup -q -T -c\n%autopatch -m 2 -M 4\n", ""},

	{"changelog", "the 30th of February", "%description\n%changelog\n* Mon Fab 30 2015 Kim\n- x\n", "8: the date"},
	{"changelog", "three entries in order", "%description\n%changelog\n* Fri Mar 06 2015 Kim\n- x\n\n* Thu Mar 05 2015 Kim\n- y\n\n* Wed Mar 04 2015 Kim\n- z\n", ""},

	{"else-if", "a condition behind %else", "%if 0\nURL: a\n%else if 1\nURL: b\n%endif\n%description\n", "8: "},
	{"else-if", "%elsif", "%if 0\nURL: a\n%elsif 1\nURL: b\n%endif\n%description\n", "8: "},
	{"else-if", "%elif", "%if 0\nURL: a\n%elif 1\nURL: b\n%else\nURL: c\n%endif\n%description\n", ""},

	{"description", "a number sign", "%description\nThe harbour's\n#1 crane\nis red.\n", "8: "},
	{"description", "behind a word", "%description\nCrane #1 of\nthe harbour.\n", ""},
	{"description", "a comment on what follows", "%description\nA crane.\n\n# built only with a hook\n%files\n", ""},

	{"patch-twice", "by name and by all", "Patch1: a.patch\n%description\n%prep\n%setup -q -T -c\n%patch -P 1\n%autopatch\n", "11: "},
	{"patch-twice", "in turn", "Patch1: a.patch\nPatch2: b.patch\n%description\n%prep\n%setup -q -T -c\n%patch -P 1\n%patch -P 2\n", ""},

	{"no-name", "a directory", "Source0: https://example.org/pool/\n%description\n", "6: "},
	{"no-name", "a question without an answer", "Patch: https://example.org/get?patch=\n%description\n", "6: "},
	{"no-name", "with the name behind", "Source0: https://example.org/pool/#/crane.tgz\nPatch: https://example.org/get?patch=hook\n%description\n", ""},

	{"indented-list", "a patch", "%description\n%patchlist\n  hook.patch\n", "8: "},
	{"indented-list", "a source", "%description\n%sourcelist\nhook.tgz\n\tchain.tgz\n", "9: "},
	{"indented-list", "an indented comment, and plain names", "%description\n%sourcelist\n# the hook\nhook.tgz\n\n%patchlist\nhook.patch\n", ""},

	{"list-option", "a list of a file", "%description\n%patchlist -f hooks.list\nhook.patch\n", `7: %patchlist takes no options: rpm does not look at "-f hooks.list"`},
	{"list-option", "in a branch that is not taken, and of %files", "%description\n%if 0\n%sourcelist -f more\n%endif\n%sourcelist\nhook.tgz\n%files -f list\n", ""},

	{"build-system", "one that the macros lack", "BuildSystem: slipway\n%description\n", `6: the macro set knows no build system "slipway"`},
	{"build-system", "one that the spec defines", "%define buildsystem_slipway_conf() true\n%define buildsystem_slipway_build() true\n%define buildsystem_slipway_install() true\nBuildSystem: slipway\n%description\n", ""},

	{"old-patch", "with a number in the name", "Patch3: a.patch\n%description\n%prep\n%patch3 -p1\n", "9: "},
	{"old-patch", "with a blank, with -P, in a comment", "Patch3: a.patch\n%description\n%prep\n%patch 3 -p1\n# %%patch3\n", ""},
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, tt := range warningCases {
		s := Eval("x.spec", []byte(head+tt.in), Config{})
		got := ""
		for _, d := range s.Problems {
			if d.Code == "macro/"+tt.code && got == "" {
				got = strings.Replace(strings.TrimPrefix(d.Error(), "x.spec:"), ":1: ", ": ", 1)
				if d.Severity != diag.Warning {
					t.Errorf("%s, %s: the severity is %v", tt.code, tt.name, d.Severity)
				}
			}
		}
		got = strings.Replace(got, ": warning: ", ": ", 1)
		if tt.at == "" && got != "" || !strings.HasPrefix(got, tt.at) {
			t.Errorf("%s, %s: got %q, want %q; all: %v", tt.code, tt.name, got, tt.at, s.Problems)
		}
		if s.Rejected() != nil {
			t.Errorf("%s, %s: rejected: %v", tt.code, tt.name, s.Rejected())
		}
	}
	for _, c := range Codes {
		for _, raised := range []bool{true, false} {
			if c.Default == diag.Warning && !slices.ContainsFunc(warningCases, func(x struct{ code, name, in, at string }) bool {
				return "macro/"+x.code == c.ID && (x.at != "") == raised
			}) {
				t.Errorf("%s: no case with raised = %v", c.ID, raised)
			}
		}
	}
}
