package macro

import (
	"fmt"
	"strings"
	"testing"
)

// TestSmallPrint holds what specs in the wild rely on and other readers of specs
// get wrong. The wanted texts are what rpm 4.18 prints.
func TestSmallPrint(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     []string // lines of the expanded spec
		not      []string
	}{
		{"a definition in a comment counts", "#%define tide 4\nGroup: g%{?tide}\n%description\n", []string{"Group: g4"}, nil},
		{"a doubled one does not", "# %%define tide 4\nGroup: g%{?tide}\n%description\n", []string{"Group: g"}, nil},
		{"a condition over two lines", "%if 0 || \\\n ( 1 && 1 )\nGroup: a\n%endif\n%description\n", []string{"Group: a"}, nil},
		{"not binds to what follows", "%if ! 0%{?nowhere} && 0%{?fedora}\nGroup: a\n%endif\n%description\n", []string{"Group: a"}, nil},
		{"and before or", "%if 0%{?rhel} > 1 && 0%{?rhel} < 9 || 0%{?fedora} > 1 && 0%{?fedora} < 20\nGroup: a\n%endif\n%description\n", nil, []string{"Group: a"}},
		{"a macro that opens a conditional", "%define kind ship\n%define ifship %if \"%{kind}\" == \"ship\"\n%{ifship}\nGroup: a\n%endif\n%description\n", []string{"Group: a"}, nil},
		{"architectures of a macro", "%define bigones s390x x86_64\n%ifarch %{bigones}\nGroup: a\n%endif\n%description\n", []string{"Group: a"}, nil},
		{"a package of a macro's body", "%define extra() \\\n%package %1 \\\nSummary: more \\\n%description %1 \\\nIt is more. \\\n%{nil}\n%description\n%extra rig\n%files\n", []string{"%package rig", "It is more."}, nil},
		{"defined unless it is there", "%{!?mast:%global mast oak}\nGroup: %{mast}\n%description\n", []string{"Group: oak"}, nil},
		{"expand over lines", "%{expand:Group: a\nVendor: b\n}\n%description\n", []string{"Group: a", "Vendor: b"}, nil},
		{"braces around a body", "%define mast {tall}\nGroup: %{mast}\n%description\n", []string{"Group: tall"}, nil},
		{"a body that ends in two backslashes", "%define mast set a\\\\\nGroup: %{mast}\n%description\n", []string{`Group: set a\`}, nil},
		{"a Lua function of an earlier block", "%{lua:\nfunction knots(n)\n  return n .. \"kn\"\nend\n}\nGroup: %{lua: print(knots(7))}\n%description\n", []string{"Group: 7kn"}, nil},
		{"a Lua variable of an earlier block", "%{lua: speed = 3}\nGroup: %{lua: speed = speed + 1 print(speed)}\n%description\n", []string{"Group: 4"}, nil},
	} {
		s := Eval("x.spec", []byte(head+tt.in), Config{Distro: Distro{Fedora: "43", Dist: ".fc43"}, Lines: true})
		text := "\n" + s.Expanded.Text + "\n"
		for _, w := range tt.want {
			if !strings.Contains(text, "\n"+w+"\n") {
				t.Errorf("%s: no line %q in\n%s%v", tt.name, w, text, s.Problems)
			}
		}
		for _, w := range tt.not {
			if strings.Contains(text, "\n"+w+"\n") {
				t.Errorf("%s: line %q in\n%s", tt.name, w, text)
			}
		}
		if s.Rejected() != nil {
			t.Errorf("%s: rejected: %v", tt.name, s.Rejected())
		}
	}
}

// TestSourceFileNames holds which file rpm looks for: what stands behind the last
// slash, and there behind the last equals sign.
func TestSourceFileNames(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"https://example.org/cgit/tree/fix.diff?id=storm":     "storm",
		"https://example.org/a=b/boat.tgz":                    "boat.tgz",
		"git+ssh://example.org/boat.git#tag=v2":               "v2",
		"https://example.org/get.php?file=7#/boat-%{version}": "boat-1",
		"boat=fast.tgz":                 "boat=fast.tgz",
		"%{url0}/boat.tgz#/other/b.tgz": "b.tgz",
	} {
		s := Eval("x.spec", []byte("%define url0 https://example.org\n"+head+"Source0: "+value+"\n%description\n"), Config{})
		if len(s.Sources) != 1 || s.Sources[0].Name != want {
			t.Errorf("%s: %+v, want %q", value, s.Sources, want)
		}
	}
}

// TestUndefinedInCondition: the message fits a macro that is not there.
func TestUndefinedInCondition(t *testing.T) {
	t.Parallel()
	for cond, want := range map[string]string{
		"%if 0%{anchor}": "%{?anchor}", "%if %{anchor} >= 3": "%{?anchor}", `%if "%{anchor}" == "a"`: "", "%if 0%{?anchor}": "",
	} {
		s := Eval("x.spec", []byte(head+cond+"\nGroup: g\n%endif\n%description\n"), Config{})
		d := s.Rejected()
		if (d != nil) != (want != "") || d != nil && !strings.Contains(d.Error()+d.Hint, want) {
			t.Errorf("%s: %v, want %q in the message", cond, d, want)
		}
	}
}

// TestManyPackages: a Lua block of a spec with many fonts makes more steps than
// a small one, and all of its packages are known.
func TestManyPackages(t *testing.T) {
	t.Parallel()
	s := Eval("x.spec", []byte(head+`%description
%{lua:
local styles = {}
for i = 1, 2500 do table.insert(styles, string.format("style-%d", i)) end
for i = 1, 180 do
  local bold = 0
  for _, s in ipairs(styles) do
    if s:find("5$") then bold = bold + 1 end
  end
  print(string.format("%%package font%d\nSummary: font with %d bold styles\n%%description font%d\nText.\n", i, bold, i))
end
}
`), Config{})
	if s.Rejected() != nil || len(s.Packages) != 181 || len(s.Open) > 0 {
		t.Fatalf("%d packages, %v, %v", len(s.Packages), s.Rejected(), s.Open)
	}
	last := s.Packages[180]
	if got := fmt.Sprintf("%s %s", last.Name.Text, last.Tags[0].Value.Text); got != "x-font180 font with 250 bold styles" {
		t.Errorf("the last package is %q", got)
	}
}

// TestSpecWithoutShell: what a shell makes of a text is worked out, what it would
// ask the machine stays open with the reason, and the spec is taken all the same.
func TestSpecWithoutShell(t *testing.T) {
	t.Parallel()
	s := Eval("x.spec", []byte(`%global full 7.04.1-beta
%global series %(printf %s '%{full}' | sed -e 's/-.*$//' | cut -d. -f1,2)
%global flat %(tr -d . <<< %{series})
%global kernel %(uname -r 2>/dev/null || echo none)
Name: lug
Version: %{series}
Release: %(test %{flat} -gt 700 && echo 2 || echo 1)%{?dist}
Summary: A lug sail for %{kernel}
License: MIT
BuildRequires: canvas = %{flat}
Requires: kernel = %{kernel}
%if "%(whoami)" == "root"
Recommends: anchor
%endif
%description
A sail.
`), Config{Distro: Distro{Fedora: "43", Dist: ".fc43"}})
	if s.Rejected() != nil {
		t.Fatal(s.Rejected())
	}
	known := map[string]string{s.Version.Text: "7.04", s.Release.Text: "2.fc43"}
	open := map[string]string{}
	for _, u := range s.Unknown {
		open[u.Field] = u.Reason
	}
	for _, tag := range s.Packages[0].Tags {
		switch tag.Name {
		case "BuildRequires":
			known[tag.Value.Text] = "canvas = 704"
		case "Requires", "Summary":
			if tag.Value.Known || !strings.Contains(tag.Value.Reason, "uname") {
				t.Errorf("%s is %+v", tag.Name, tag.Value)
			}
		}
	}
	for got, want := range known {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if len(known) != 3 || len(open) != 3 || !strings.Contains(open["packages[0].recommends"], "whoami") {
		t.Errorf("known %v, open %v", known, open)
	}
}
