package semantic_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/render/review/semantic"
)

// base is the spec that the cases below edit.
const base = `%bcond tests 1
%global soname 3

Name:           tide
Version:        1.2
Release:        4%{?dist}
Summary:        Tells the tide
License:        MIT
URL:            https://example.com/tide
Source0:        tide-%{version}.tar.gz
Source1:        tide.conf
Patch0:         first.patch
Patch1:         second.patch
BuildRequires:  gcc
BuildRequires:  cmake >= 3.1, ninja
Requires:       glibc >= 2.30
Requires(post): systemd

%description
Tells the tide
of any harbor.

%package devel
Summary:        Headers
Requires:       %{name}%{?_isa} = %{version}-%{release}

%description devel
Headers of tide.

%prep
%autosetup -p1

%build
%cmake -DX=1 \
    -DY=2
%cmake_build
%ifarch x86_64
make fast
%endif
%if 0%{?rhel}
make rhel
%endif

%install
%cmake_install

%check
%if %{with tests}
%ctest
%endif

%post
systemctl daemon-reload

%files
%license LICENSE
%{_bindir}/tide
%{_libdir}/libtide.so.%{soname}

%files devel
%{_includedir}/tide.h

%changelog
* Mon Jan 05 2026 A Person <a@example.com> - 1.2-4
- Build it
`

// edit replaces text that must be there.
func edit(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(text, pairs[i]) != 1 {
			t.Fatalf("%q stands %d times in the text", pairs[i], strings.Count(text, pairs[i]))
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

func side(text string, files ...string) semantic.Packaging {
	p := semantic.Packaging{Name: "tide.spec", Spec: []byte(text), Files: map[string]string{}}
	tree := semantic.Tree{}
	for i := 0; i < len(files); i += 2 {
		data := []byte(files[i+1])
		p.Files[files[i]] = semantic.Digest(data)
		tree[files[i]] = func() ([]byte, error) { return data, nil }
	}
	p.FS = tree
	return p
}

// lines spells out changes, one per line.
func lines(d *semantic.Diff) []string {
	out := []string{}
	for _, c := range d.Changes {
		value := func(p *string) string {
			if p == nil {
				return "-"
			}
			return strings.ReplaceAll(*p, "\n", "|")
		}
		s := fmt.Sprintf("%s %s %s %s: %s => %s", c.Class, c.Op, c.Package, c.What, value(c.Old), value(c.New))
		if c.Order != "" {
			s += " " + c.Order
		}
		if len(c.Arch) != 2 {
			s += " " + fmt.Sprint(c.Arch)
		}
		if c.Follows() {
			s += " follows"
		}
		out = append(out, s)
	}
	return out
}

// patches are the files that base names.
var patches = []string{"first.patch", "--- a\n+++ b\n", "second.patch", "--- c\n+++ d\n"}

func TestChanges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		edits []string
		want  []string
	}{
		{"nothing", nil, []string{}},
		{"version", []string{"Version:        1.2\n", "Version:        1.10\n"}, []string{
			"version changed tide version: 1.2 => 1.10 up",
			"dependency changed tide-devel requires: tide(x86-64) = 1.2-4.fc43 => tide(x86-64) = 1.10-4.fc43 [x86_64] follows",
			"dependency changed tide-devel requires: tide(aarch-64) = 1.2-4.fc43 => tide(aarch-64) = 1.10-4.fc43 [aarch64] follows",
			"source changed tide source0: tide-1.2.tar.gz => tide-1.10.tar.gz follows",
		}},
		{"package of a description and files", []string{"%package devel\nSummary:        Headers\nRequires:       %{name}%{?_isa} = %{version}-%{release}\n", ""}, []string{
			"package removed tide-devel package: tide-devel => -",
			"dependency removed tide-devel requires: tide(x86-64) = 1.2-4.fc43 => - [x86_64]",
			"dependency removed tide-devel requires: tide(aarch-64) = 1.2-4.fc43 => - [aarch64]",
		}},
		{"release down", []string{"Release:        4", "Release:        3"}, []string{
			"release changed tide release: 4.fc43 => 3.fc43 down",
			"dependency changed tide-devel requires: tide(x86-64) = 1.2-4.fc43 => tide(x86-64) = 1.2-3.fc43 [x86_64] follows",
			"dependency changed tide-devel requires: tide(aarch-64) = 1.2-4.fc43 => tide(aarch-64) = 1.2-3.fc43 [aarch64] follows",
		}},
		{"epoch", []string{"Version:        1.2\n", "Version:        1.1\nEpoch: 1\n"}, []string{
			"version changed tide version: 1.2 => 1.1 up",
			"version added tide epoch: - => 1 up",
			"dependency changed tide-devel requires: tide(x86-64) = 1.2-4.fc43 => tide(x86-64) = 1.1-4.fc43 [x86_64] follows",
			"dependency changed tide-devel requires: tide(aarch-64) = 1.2-4.fc43 => tide(aarch-64) = 1.1-4.fc43 [aarch64] follows",
			"source changed tide source0: tide-1.2.tar.gz => tide-1.1.tar.gz follows",
		}},
		{"bound", []string{"cmake >= 3.1, ninja", "cmake >= 3.20, ninja"}, []string{
			"dependency changed tide buildrequires: cmake >= 3.1 => cmake >= 3.20"}},
		{"rich", []string{"glibc >= 2.30", "glibc >= 2.30\nRequires: (foo if bar)"}, []string{
			"dependency added tide requires: - => (foo if bar)"}},
		{"qualified", []string{"Requires(post): systemd", "Requires(post): systemd-udev"}, []string{
			"dependency removed tide requires(post): systemd => -",
			"dependency added tide requires(post): - => systemd-udev"}},
		{"tag", []string{"MIT", "MIT AND ISC"}, []string{"tag changed tide license: MIT => MIT AND ISC"}},
		{"option", []string{"%bcond tests 1", "%bcond tests 0"}, []string{"option changed tide tests: on => off"}},
		{"macro", []string{"%global soname 3", "%global soname 4"}, []string{
			"files removed tide /usr/lib64/libtide.so.3: /usr/lib64/libtide.so.3 => - follows",
			"files added tide /usr/lib64/libtide.so.4: - => /usr/lib64/libtide.so.4 follows",
			"macro changed tide soname: 3 => 4"}},
		{"patch gone", []string{"Patch1:         second.patch\n", ""}, []string{"patch removed tide second.patch: second.patch => -"}},
		{"patch idle", []string{"%autosetup -p1", "%autosetup -N\n%autopatch -p1 -M 0"}, []string{
			"patch changed tide second.patch: applied with -p1 => not applied",
			"section changed tide %prep: %autosetup -p1 => %autosetup -N|%autopatch -p1 -M 0"}},
		{"patch level", []string{"%autosetup -p1", "%autosetup -p0"}, []string{
			"patch changed tide first.patch: applied with -p1 => applied with -p0",
			"patch changed tide second.patch: applied with -p1 => applied with -p0",
			"section changed tide %prep: %autosetup -p1 => %autosetup -p0"}},
		{"patch order", []string{"Patch0:         first.patch\nPatch1:         second.patch", "Patch0:         second.patch\nPatch1:         first.patch"}, []string{
			"patch changed tide order: first.patch, second.patch => second.patch, first.patch"}},
		{"build line", []string{"make fast", "make faster"}, []string{"section changed tide %build: make fast => make faster [x86_64]"}},
		{"line that is not read", []string{"make rhel", "make RHEL"}, []string{"section changed tide %build: make rhel => make RHEL []"}},
		{"new section", []string{"%post\nsystemctl daemon-reload\n", "%post\nsystemctl daemon-reload\n\n%conf\n./configure\n"}, []string{
			"section added tide %conf: - => ./configure"}},
		{"scriptlet", []string{"daemon-reload", "restart tide"}, []string{"scriptlet changed tide %post: systemctl daemon-reload => systemctl restart tide"}},
		{"scriptlet program", []string{"%post\n", "%post -p <lua>\n"}, []string{
			"scriptlet changed tide %post interpreter: /bin/sh => <lua>"}},
		{"files", []string{"%{_includedir}/tide.h", "%attr(0600,root,root) %{_includedir}/tide.h\n%doc NEWS"}, []string{
			"files changed tide-devel /usr/include/tide.h: /usr/include/tide.h => %attr(0600,root,root) /usr/include/tide.h",
			"files added tide-devel NEWS: - => %doc NEWS"}},
		{"condition", []string{"%if 0%{?rhel}", "%if 0%{?rhel} > 9"}, []string{"condition changed tide %if: %if 0%{?rhel} => %if 0%{?rhel} > 9"}},
		{"condition around", []string{"%cmake_install", "%if 0%{?fedora}\n%cmake_install\n%endif"}, []string{"condition added tide %if: - => %if 0%{?fedora}"}},
		{"description", []string{"of any harbor", "of every harbor"}, []string{
			"description changed tide %description: Tells the tide of any harbor. => Tells the tide of every harbor."}},
		{"changelog", []string{"%changelog\n", "%changelog\n* Tue Jan 06 2026 B <b@example.com> - 1.2-4\n- More\n\n"}, []string{
			"changelog added tide Tue Jan 06 2026 B <b@example.com> - 1.2-4: - => * Tue Jan 06 2026 B <b@example.com> - 1.2-4|- More"}},
		{"package", []string{"%description devel\nHeaders of tide.\n", "%description devel\nHeaders of tide.\n\n%package doc\nSummary: Manual\nBuildArch: noarch\nRequires: man\n\n%description doc\nManual.\n\n%files doc\n"}, []string{
			"package added tide-doc package: - => tide-doc", "dependency added tide-doc requires: - => man"}},
		{"name", []string{"Name:           tide", "Name:           ebb"}, []string{
			"package changed ebb package: tide => ebb",
			"package changed ebb-devel package: tide-devel => ebb-devel follows",
			"dependency removed tide-devel requires: tide(x86-64) = 1.2-4.fc43 => - [x86_64] follows",
			"dependency removed tide-devel requires: tide(aarch-64) = 1.2-4.fc43 => - [aarch64] follows",
			"dependency added ebb-devel requires: - => ebb(x86-64) = 1.2-4.fc43 [x86_64] follows",
			"dependency added ebb-devel requires: - => ebb(aarch-64) = 1.2-4.fc43 [aarch64] follows"}},
		{"build system", []string{"License:        MIT", "License:        MIT\nBuildOption(conf): -DZ=1"}, []string{
			"build added tide buildoption(conf): - => -DZ=1"}},
		{"here document", []string{"%cmake_install", "cat <<EOF >x\na  b\nEOF"}, []string{
			"section changed tide %install: %cmake_install => cat <<EOF >x|| a  b|| EOF"}},
		{"branch", []string{"make rhel\n%endif", "%endif\nmake rhel"}, []string{"section added tide %build: - => make rhel"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := semantic.Compare(side(base, patches...), side(edit(t, base, test.edits...), patches...), semantic.Options{})
			if diff := cmp.Diff(test.want, lines(d)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			back := semantic.Compare(side(edit(t, base, test.edits...), patches...), side(base, patches...), semantic.Options{})
			if len(back.Changes) != len(d.Changes) {
				t.Errorf("%d changes forth and %d back:\n%s", len(d.Changes), len(back.Changes), strings.Join(lines(back), "\n"))
			}
		})
	}
}

func TestNoise(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		edits []string
		want  string
	}{
		{"comment", []string{"%build\n", "# why\n%build\n# how\n"}, "comment 2"},
		{"blank", []string{"%install\n", "\n%install\n\n"}, "blank 2"},
		{"case and spacing", []string{"Requires:       glibc >= 2.30", "REQUIRES: glibc  >=  2.30"}, "spacing 1"},
		{"moved tag", []string{"License:        MIT\n", "", "URL:            https", "License:        MIT\nURL:            https"}, ""},
		{"order of dependencies", []string{"BuildRequires:  gcc\nBuildRequires:  cmake >= 3.1, ninja", "BuildRequires:  cmake >= 3.1, ninja\nBuildRequires:  gcc"}, "moved 1"},
		{"wrapped dependencies", []string{"BuildRequires:  cmake >= 3.1, ninja", "BuildRequires:  cmake >= 3.1\nBuildRequires:  ninja"}, "spelling 3"},
		{"wrapped command", []string{"%cmake -DX=1 \\\n    -DY=2", "%cmake -DX=1 -DY=2"}, "wrapped 3"},
		{"name spelled", []string{"https://example.com/tide", "https://example.com/%{name}"}, "spelling 2"},
		{"macro spelled", []string{"%global soname 3", "%define soname 3"}, "spelling 2"},
		{"description wrapped", []string{"Tells the tide\nof any harbor.", "Tells the\ntide of any harbor."}, "wrapped 4"},
		{"renumbered", []string{"Patch0:         first.patch\nPatch1:         second.patch", "Patch7:         first.patch\nPatch8:         second.patch"}, "renumbered 2"},
		{"files in order", []string{"%license LICENSE\n%{_bindir}/tide\n", "%{_bindir}/tide\n%license LICENSE\n"}, "moved 1"},
		{"files spelled", []string{"%{_bindir}/tide\n", "/usr/bin/%{name}\n"}, "spelling 2"},
		{"indented script", []string{"make fast", "    make   fast  # quickly"}, "spelling 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := semantic.Compare(side(base, patches...), side(edit(t, base, test.edits...), patches...), semantic.Options{})
			if len(d.Changes) > 0 {
				t.Errorf("changes:\n%s", strings.Join(lines(d), "\n"))
			}
			if got := d.Noise.String(); got != test.want {
				t.Errorf("noise: got %q, want %q", got, test.want)
			}
		})
	}
}
