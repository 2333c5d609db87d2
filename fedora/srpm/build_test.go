package srpm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	rpmutils "github.com/sassoftware/go-rpmutils"

	"specgraft/fedora/macro"
)

// odd is a spec with something of everything that ends up in a header.
const odd = `Name: odd
Epoch: 2
Version: 1.0~rc1
Release: 1%{?dist}
Summary: a thing
Summary(de): ein Ding
License: MIT
URL: https://example.org/
Vendor: Harbor
Packager: Joe <joe@example.org>
Distribution: Harbor Linux
Group: Tools
BugURL: https://example.org/bugs
VCS: git:https://example.org/odd.git
DistTag: harbor
TranslationURL: https://example.org/l10n
UpstreamReleases: https://example.org/rel
ModularityLabel: odd:1:2:3
Source0: https://example.org/odd-%{version}-%{late}.tar.gz
%global late 7
Source5: big.bin
Patch: fix.patch
Patch9: more.patch
NoSource: 5
BuildRequires: gcc >= 5, make gcc >= 5 foo(x) < 3~
BuildRequires: (a or b)
BuildPreReq: early
BuildConflicts: zzz < 3^1
ExclusiveArch: x86_64 aarch64
ExcludeArch: ppc
ExclusiveOS: linux
Requires: other
Provides: none

%description

Text here
 indented   

second

%description -l de
Deutsch

%package sub
Summary: sub
Version: 7
Epoch: 3
Release: 9
BuildRequires: subbr
%description sub
x

%package nofiles
Summary: sub
%description nofiles
x

%package -n late
Summary: sub
%description -n late
x

%prep
true
%generate_buildrequires
echo x
%build
true
%files -n late
%files
%files sub
%changelog
* Mon Jan 01 2024 Joe <joe@example.org> - 1.0-1
- first
- with 100%% more  
   
* Sun Dec 31 12:13:14 CET 2023 Bar <b@example.org> 0.9-1
- zero
`

func describe(t *testing.T, name, text string, cfg macro.Config) *Meta {
	t.Helper()
	m, problems := Describe(name, []byte(text), cfg, Options{Time: buildTime, Host: buildHost})
	if m == nil || problems.HasErrors() {
		t.Fatal(problems.Err())
	}
	return m
}

// TestWriteOracle compares the package of a spec that has something of everything
// with the one of rpmbuild.
func TestWriteOracle(t *testing.T) {
	t.Parallel()
	version, err := exec.Command("rpmbuild", "--version").Output()
	if err != nil || !strings.Contains(string(version), " 4.18.") {
		t.Skip("rpmbuild 4.18 is not installed: its source package was not compared with ours")
	}
	macros := filepath.Join(t.TempDir(), "macros")
	if err := os.WriteFile(macros, []byte(macro.Builtin().RPM("4.18.0")), 0o644); err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{odd,
		"Name: small\nVersion: 1^git\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\n%description\nx\n%files\n%changelog\n",
		"Name: none\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n%description\n\n%package x\nSummary: x\n%description x\ny\n%files x\n",
	} {
		dir := t.TempDir()
		name := fmt.Sprintf("odd%d.spec", i)
		tree := fstest.MapFS{name: &fstest.MapFile{Data: []byte(text)}}
		m := describe(t, name, text, macro.Config{})
		files := generate(t, dir, tree, m)
		m = describe(t, name, text, macro.Config{FS: os.DirFS(dir)})
		m.Payload, m.Host = "w.ufdio", buildHost
		theirs, err := rpmbuild(t, macros, dir, name, m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		ours := filepath.Join(dir, "ours.rpm")
		writeFile(t, ours, m, files)
		if d := gocmp.Diff(readTags(t, theirs), readTags(t, ours)); d != "" {
			t.Errorf("%s (-rpmbuild +ours):\n%s", m.Name, d)
		}
		if filepath.Base(theirs) != m.FileName() {
			t.Errorf("the package is called %s, not %s", filepath.Base(theirs), m.FileName())
		}
	}
}

// TestWriteRead reads packages with the library that we read all others with.
func TestWriteRead(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"", "w.ufdio", "w9.gzdio", "w3.gzdio", "w7T4.xzdio", "w19.zstdio", "w3.zstdio", "w6.lzdio"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			m := describe(t, "odd.spec", odd, macro.Config{})
			files := generate(t, dir, fstest.MapFS{"odd.spec": &fstest.MapFile{Data: []byte(odd)}}, m)
			m.Payload = mode
			name := filepath.Join(dir, m.FileName())
			w := writeFile(t, name, m, files)
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(b); w.SHA256 != hex.EncodeToString(sum[:]) || w.Size != int64(len(b)) {
				t.Errorf("the file has %d bytes and SHA-256 %x, Write says %d and %s", len(b), sum, w.Size, w.SHA256)
			}
			pkg, err := rpmutils.ReadRpm(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if s, err := pkg.Header.GetString(rpmutils.PAYLOADCOMPRESSOR); mode != "" && mode != "w.ufdio" && (err != nil || s == "") {
				t.Errorf("the compressor is %q, %v", s, err)
			}
			got := map[string]string{}
			r, err := pkg.PayloadReaderExtended()
			if err != nil {
				t.Fatal(err)
			}
			for {
				f, err := r.Next()
				if err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				data, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				got[f.Name()] = string(data)
			}
			want := map[string]string{}
			for _, f := range files {
				if f.Name == "big.bin" {
					continue // NoSource
				}
				data, err := os.ReadFile(filepath.Join(dir, f.Name))
				if err != nil {
					t.Fatal(err)
				}
				want[f.Name] = string(data)
			}
			if d := gocmp.Diff(want, got); d != "" {
				t.Errorf("the payload (-want +got):\n%s", d)
			}
			again := filepath.Join(dir, "again.rpm")
			slices.Reverse(files)
			writeFile(t, again, m, files)
			if c, err := os.ReadFile(again); err != nil || !bytes.Equal(b, c) {
				t.Errorf("the second package has other bytes: %v", err)
			}
		})
	}
}

// TestRPMTakes lets rpm verify, install and unpack our packages.
func TestRPMTakes(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("rpmbuild"); err != nil {
		t.Skip("rpmbuild is not installed: no package was shown to it")
	}
	text := "Name: take\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\nSource: a.conf\nBuildRequires: not-there\n" +
		"%description\nx\n%prep\ntest -s %{SOURCE0}\n%files\n"
	dir := t.TempDir()
	m := describe(t, "take.spec", text, macro.Config{})
	files := generate(t, dir, fstest.MapFS{"take.spec": &fstest.MapFile{Data: []byte(text)}}, m)
	for _, mode := range []string{"w9.gzdio", "w19.zstdio", "w7.xzdio", "w.ufdio"} {
		m.Payload = mode
		name := filepath.Join(dir, mode+".src.rpm")
		writeFile(t, name, m, files)
		top := t.TempDir()
		run := func(args ...string) string {
			cmd := exec.Command(args[0], append(args[1:], name)...)
			cmd.Env = append(os.Environ(), "HOME="+top, "LC_ALL=C.UTF-8")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %s: %v\n%s", mode, strings.Join(args, " "), err, out)
			}
			return string(out)
		}
		db := "_dbpath " + filepath.Join(top, "db")
		topdir := "_topdir " + top
		if out := run("rpm", "-K", "--define", db); !strings.Contains(out, "digests OK") {
			t.Errorf("%s: rpm -K says %s", mode, out)
		}
		if out := run("rpm", "-qp", "--define", db); strings.TrimSpace(out) != "take-1-1.src" {
			t.Errorf("%s: rpm -qp says %s", mode, out)
		}
		run("rpm", "-i", "--define", db, "--define", topdir)
		if _, err := os.Stat(filepath.Join(top, "SPECS", "take.spec")); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		run("rpmbuild", "--rebuild", "--nodeps", "-bp", "--define", db, "--define", topdir)
	}
}

func TestWriteMissing(t *testing.T) {
	t.Parallel()
	m := describe(t, "odd.spec", odd, macro.Config{})
	out, err := os.Create(filepath.Join(t.TempDir(), "x.rpm"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	_, err = Write(t.Context(), out, m, []File{{Name: "odd.spec"}})
	for _, want := range []string{`"odd-1.0~rc1-7.tar.gz" is not there`, "odd.spec:19:1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %q", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "big.bin") {
		t.Errorf("%v: the file is left out of the package", err)
	}
	grown := File{Name: "odd.spec", Size: 3, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("four")), nil }}
	small := &Meta{Name: "x", Version: "1", Release: "1", SpecName: "odd.spec", Payload: "w.ufdio"}
	for _, size := range []int64{3, 5} {
		grown.Size = size
		if _, err := Write(t.Context(), out, small, []File{grown}); err == nil || !strings.Contains(err.Error(), "has changed while it was read") {
			t.Errorf("a file of 4 bytes that should have %d: %v", size, err)
		}
	}
}

// TestLarge looks at the headers and the archive of a package with a file that the
// archive's format has no room for.
func TestLarge(t *testing.T) {
	t.Parallel()
	m := describe(t, "l.spec", "Name: l\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\nSource: big\n%description\nx\n", macro.Config{})
	members, err := m.members([]File{{Name: "l.spec", Size: 4}, {Name: "big", Size: 1<<32 + 5}})
	if err != nil {
		t.Fatal(err)
	}
	p := &pack{meta: m, members: members, large: true, archive: 1 << 32}
	head := p.header()
	file := filepath.Join(t.TempDir(), "l.rpm")
	whole := slices.Concat(m.lead(), p.signature(head, make([]byte, 16), 7).bytes, head)
	if err := os.WriteFile(file, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	tags := readTags(t, file)
	for tag, want := range map[string]string{
		"5008":     `2 "\x00\x00\x00\x01\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x04"`,
		"5009":     `1 "\x00\x00\x00\x01\x00\x00\x00\t"`,
		"sig 271":  `1 "\x00\x00\x00\x01\x00\x00\x00\x00"`,
		"sig 1008": `4115 "`,
	} {
		if !strings.HasPrefix(tags[tag].Data, want[:len(want)-1]) {
			t.Errorf("tag %s is %s, want %s", tag, tags[tag].Data, want)
		}
	}
	for _, tag := range []string{"1028", "1009", "sig 1000", "sig 1007"} {
		if _, there := tags[tag]; there {
			t.Errorf("tag %s is there", tag)
		}
	}
	if !strings.Contains(tags["1049"].Data, "rpmlib(LargeFiles)") {
		t.Errorf("the package requires %s", tags["1049"].Data)
	}
	var b bytes.Buffer
	c := &cpioWriter{w: &b}
	if err := c.stripped(10); err != nil || b.String() != "07070X0000000a\x00\x00" {
		t.Errorf("the archive has %q, %v", b.String(), err)
	}
}

func TestParsePayload(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"", "gzdio", "w9", "w9.bzdio", "w9.foo", "r9.gzdio", "w99999.zstdio"} {
		if _, err := parsePayload(mode); err == nil || !strings.Contains(err.Error(), "srpm/payload") {
			t.Errorf("%q: %v", mode, err)
		}
	}
	p, err := parsePayload("w7T16.xzdio")
	if err != nil || p.level != 7 || p.flags != "7T16" || p.compressor != "xz" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestParseChangelog(t *testing.T) {
	t.Parallel()
	at := func(s string) int64 {
		d, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return d.Unix()
	}
	for _, test := range []struct {
		name, in  string
		age       int64
		want      []change
		wantError string
	}{
		{"noon", "* Mon Jan 01 2024 A <a> - 1\n- x\n", 0, []change{{at("2024-01-01T12:00:00Z"), "A <a> - 1", "- x"}}, ""},
		{"clock", "* Mon Jan  1 01:02:03 UTC 2024 A\n", 0, []change{{at("2024-01-01T01:02:03Z"), "A", ""}}, ""},
		{"zone", "* Mon Jan  1 01:02:03 EST 2024 A\n", 0, []change{{at("2024-01-01T06:02:03Z"), "A", ""}}, ""},
		{"winter", "* Sun Mar 31 01:59:59 CET 2024 A\n", 0, []change{{at("2024-03-31T00:59:59Z"), "A", ""}}, ""},
		{"summer", "* Sun Mar 31 03:00:00 CET 2024 A\n", 0, []change{{at("2024-03-31T01:00:00Z"), "A", ""}}, ""},
		{"unknown zone", "* Mon Jan  1 01:02:03 CEST 2024 A\n", 0, []change{{at("2024-01-01T01:02:03Z"), "A", ""}}, ""},
		{"weekday is not checked", "* Sun Jan  1 2024 A\n", 0, []change{{at("2024-01-01T12:00:00Z"), "A", ""}}, ""},
		{"order", "* Mon Jan 01 2024 A\n* Mon Jan 08 2024 B\n", 0, []change{{at("2024-01-01T12:00:00Z"), "A", ""}}, "not in descending order"},
		{"no such day", "* Mon Feb 30 2024 A\n", 0, nil, "bad date"},
		{"no date", "* A\n", 0, nil, "bad date"},
		{"no name", "* Mon Jan 01 2024\n", 0, nil, "missing name"},
		{"no star", "Mon Jan 01 2024 A\n", 0, nil, "must begin with a *"},
		{"star in a line", "* Mon Jan 01 2024 A\n - * no\n", 0, []change{{at("2024-01-01T12:00:00Z"), "A", "- * no"}}, ""},
		{"trimmed", "* Mon Jan 08 2024 A\n* Mon Jan 01 2024 B\n* Mon Jan 01 2023 C\n", 30 * 86400,
			[]change{{at("2024-01-08T12:00:00Z"), "A", ""}, {at("2024-01-01T12:00:00Z"), "B", ""}}, ""},
		{"empty", "\n \n", 0, nil, ""},
	} {
		got, err := parseChangelog(test.in, test.age, 0)
		if d := gocmp.Diff(test.want, got, gocmp.AllowUnexported(change{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, d)
		}
		if (err == nil) != (test.wantError == "") || err != nil && !strings.Contains(err.Error(), test.wantError) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.wantError)
		}
	}
}

func TestDescribeUnknown(t *testing.T) {
	t.Parallel()
	base := "Version: 1\nRelease: 1\nSummary: s\nLicense: MIT\n%description\nx\n"
	for _, test := range []struct{ text, want string }{
		{"Name: %(hostname)\n" + base, "the name of the source package cannot be known"},
		{"Name: a\nBuildRequires: %(hostname)\n" + base, "the packages[0].buildrequires"},
		{"Name: a\nSource: %(hostname)\n" + base, "the sources[0]"},
		{"Name: a\n" + base + "%changelog\n%(hostname)\n", "the %changelog"},
		{"Name: a\nVersion: 1\n", "the tag License is missing"},
	} {
		m, problems := Describe("a.spec", []byte(test.text), macro.Config{}, Options{})
		if err := problems.Err(); m != nil || err == nil || !strings.Contains(fmt.Sprint(problems), test.want) {
			t.Errorf("%q: %v, want %q", test.text, problems, test.want)
		}
	}
}
