package absorb_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/spec"
)

const sample = `%global with_doc 1
%global with_gtk 1

Name:           harbor
Version:        1.2
Release:        3%{?dist}
Summary:        Tide tables
License:        MIT
URL:            https://example.org/harbor
Source0:        %{name}-%{version}.tar.gz
Patch0:         fix-build.patch
Patch1:         fix-tests.patch

BuildRequires: gcc
BuildRequires: make
%if %{with_gtk}
BuildRequires: gtk3-devel
%endif
BuildRequires: pkgconfig(cairo)
Requires: %{name}-libs = %{version}

%description
Harbor draws tide tables.

%package libs
Summary: Libraries of harbor
Requires: glibc

%description libs
Libraries.

%package devel
Summary: Headers of harbor
Requires: %{name}-libs = %{version}

%description devel
Headers.

%prep
%autosetup -p1

%build
%configure --disable-static --enable-tides
%make_build

%install
%make_install
rm -f %{buildroot}%{_libdir}/*.la
install -m 0644 a.conf %{buildroot}%{_sysconfdir}
install -m 0644 b.conf %{buildroot}%{_sysconfdir}

%check
make check

%files
%license COPYING
%{_bindir}/harbor

%files libs
%{_libdir}/libharbor.so.1*

%files devel
%{_includedir}/harbor
%{_libdir}/libharbor.so

%changelog
* Mon Jan 01 2024 A Packager <a@example.org> - 1.2-3
- Build again
`

// edit makes one change such as people make by hand.
func edit(r *rand.Rand, lines []string) []string {
	at := func() int { return r.IntN(len(lines)) }
	header := func() []int {
		var all []int
		f := spec.Parse("x", []byte(strings.Join(lines, "\n")+"\n"))
		for _, s := range f.Sections()[1:] {
			all = append(all, s.Start)
		}
		return all
	}
	lines = slices.Clone(lines)
	i := at()
	switch n := r.IntN(16); n {
	case 0:
		return slices.Insert(lines, i, fmt.Sprintf("new line %d", r.IntN(1000)))
	case 1:
		return slices.Delete(lines, i, min(len(lines), i+1+r.IntN(3)))
	case 2:
		lines[i] = strings.Replace(lines[i], "e", "E", 1)
	case 3:
		if f := strings.Fields(lines[i]); len(f) > 1 {
			lines[i] = strings.Replace(lines[i], f[len(f)-1], f[len(f)-1]+"-x", 1)
		}
	case 4:
		lines[i] = ""
	case 5: // a line moves
		k := at()
		l := lines[i]
		lines = slices.Delete(lines, i, i+1)
		return slices.Insert(lines, min(k, len(lines)), l)
	case 6: // a line stands twice
		return slices.Insert(lines, i, lines[i])
	case 7:
		return slices.Insert(lines, i, "BuildRequires: package"+fmt.Sprint(r.IntN(50)))
	case 8: // a section goes
		if h := header(); len(h) > 1 {
			k := r.IntN(len(h) - 1)
			return slices.Delete(lines, h[k], h[k+1])
		}
	case 9: // a header changes
		if h := header(); len(h) > 0 {
			lines[h[r.IntN(len(h))]] += " extra"
		}
	case 10: // a new section
		if h := header(); len(h) > 0 {
			return slices.Insert(lines, h[r.IntN(len(h))], "%post extra", "echo done", "")
		}
	case 11: // all of one word
		if f := strings.Fields(lines[i]); len(f) > 0 {
			w := f[r.IntN(len(f))]
			for k := range lines {
				if !strings.HasPrefix(lines[k], "%") {
					lines[k] = strings.ReplaceAll(lines[k], w, w+"2")
				}
			}
		}
	case 12: // lines in a condition
		k := min(len(lines), i+1+r.IntN(4))
		lines = slices.Insert(lines, k, "%endif")
		return slices.Insert(lines, i, "%if 0%{?azl}")
	case 13:
		return append([]string{"# a header", ""}, lines...)
	case 14:
		return append(lines, "# the end", "")
	case 15: // another order
		k := min(len(lines), i+2+r.IntN(5))
		slices.Reverse(lines[i:k])
	}
	return lines
}

func checkEdit(t *testing.T, name string, before, after []byte) *absorb.Result {
	t.Helper()
	found, err := absorb.Search(tree(name, before), tree(name, after), absorb.Options{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, p := range found.Problems {
		t.Errorf("%s: %s", name, p.Error())
	}
	got := tree(name, before)
	_, list := overlay.Apply(got, found.Ops(), overlay.Options{})
	if list.HasErrors() || !bytes.Equal(got.Spec.Normalized(), spec.Parse(name, after).Normalized()) {
		t.Errorf("%s: the overlays do not give the edited spec: %v\n%s", name, list.Err(), after)
	}
	return found
}

// TestEdits makes random hand edits, one to six at a time.
func TestEdits(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 18))
		lines := strings.Split(strings.TrimSuffix(sample, "\n"), "\n")
		for range 1 + r.IntN(6) {
			lines = edit(r, lines)
		}
		checkEdit(t, fmt.Sprint("seed ", seed), []byte(sample), []byte(strings.Join(lines, "\n")+"\n"))
	}
}

// TestCorpusEdits makes random hand edits in real specs.
func TestCorpusEdits(t *testing.T) {
	t.Parallel()
	specs := specsOf(t, "upstream.tar.xz", func(string) bool { return true })
	names := slices.Sorted(maps.Keys(specs))
	kinds := map[absorb.Kind]int{}
	var slowest time.Duration
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 300))
		name := names[r.IntN(len(names))]
		lines := strings.Split(strings.TrimSuffix(string(spec.Parse(name, specs[name]).Normalized()), "\n"), "\n")
		for range 1 + r.IntN(6) {
			lines = edit(r, lines)
		}
		start := time.Now()
		found := checkEdit(t, fmt.Sprint(name, " seed ", seed), specs[name], []byte(strings.Join(lines, "\n")+"\n"))
		slowest = max(slowest, time.Since(start))
		for _, s := range found.Steps {
			kinds[s.Kind]++
		}
	}
	t.Logf("300 edits of %d specs, kinds %v, slowest %v", len(names), kinds, slowest)
}
