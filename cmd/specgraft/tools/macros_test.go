package tools

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/macro"
)

const macroPackage = `Name: mine
Version: 1
Release: 1
Summary: s
License: MIT
BuildArch: noarch
%description
d
%install
mkdir -p %{buildroot}/usr/lib/rpm/macros.d
printf '%%%%mine 42\n%%%%two() %%%%1 x\n' > %{buildroot}/usr/lib/rpm/macros.d/macros.mine
echo no > %{buildroot}/usr/lib/rpm/other
%files
/usr/lib/rpm
`

// TestImportRPM reads macros out of a package built by rpmbuild, and refuses
// every damaged form of it with an error.
func TestImportRPM(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("rpmbuild")
	if err != nil {
		t.Skip("rpmbuild is not installed")
	}
	dir := t.TempDir()
	spec := filepath.Join(dir, "mine.spec")
	if err := os.WriteFile(spec, []byte(macroPackage), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, "-bb", "--define", "_topdir "+dir, "--define", "_rpmformat 4", spec).CombinedOutput(); err != nil {
		t.Fatalf("rpmbuild: %v\n%s", err, out)
	}
	file := filepath.Join(dir, "RPMS", "noarch", "mine-1-1.noarch.rpm")
	set, err := importMacros("test", file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "%mine 42\n%two() %1 x\n"; set.Text() != want {
		t.Errorf("got %q, want %q", set.Text(), want)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// The last bytes are padding of the archive, which nothing has to read.
	for n := 0; n < len(whole)*3/4; n += max(1, len(whole)/97) {
		cut := filepath.Join(dir, "cut.rpm")
		if err := os.WriteFile(cut, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		if set, err := importMacros("test", cut, nil); err == nil {
			t.Errorf("%d of %d bytes: no error, %d macros", n, len(whole), set.Len())
		}
	}
	for i := 96; i < 96+64; i++ { // the sizes in the headers
		b := append([]byte(nil), whole...)
		b[i] ^= 0xff
		bad := filepath.Join(dir, "bad.rpm")
		if err := os.WriteFile(bad, b, 0o644); err != nil {
			t.Fatal(err)
		}
		_, _ = importMacros("test", bad, nil) // must return
	}
}

// TestMacroSetFile holds that a set read back is the set written.
func TestMacroSetFile(t *testing.T) {
	t.Parallel()
	set := macro.Load("x", "%a b\\\nc\n%d(x:) %{-x*}\\\\n\n%e { f }\n%g x%{nil}\n", nil)
	file := filepath.Join(t.TempDir(), "x.macros")
	if err := os.WriteFile(file, set.File(), 0o644); err != nil {
		t.Fatal(err)
	}
	back, err := cli.ReadMacroSet(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, set.Text())
	}
	if back.Hash() != set.Hash() || back.Text() != set.Text() {
		t.Errorf("got %q, want %q", back.Text(), set.Text())
	}
	builtin := macro.Builtin()
	if got := macro.Load("y", builtin.Text(), nil); got.Hash() != builtin.Hash() {
		a, b := strings.Split(got.Text(), "\n"), strings.Split(builtin.Text(), "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("the built-in set does not survive: got %q, want %q", a[i], b[i])
			}
		}
		t.Error("the built-in set does not survive")
	}
}
