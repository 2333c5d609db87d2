package macro

import (
	"bytes"
	"compress/gzip"
	goflag "flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = goflag.Bool("update", false, "rewrite the expected results in testdata")

// prepSpec is the spec whose %prep the cases fill in.
const prepSpec = `Name: skiff
Version: 2.1
Release: 1
Summary: s
License: MIT
Source0: skiff-2.1.tar.gz
Source1: oars.tar.bz2
Source4: https://example.org/get/sails.zip
Patch0: hull.patch
Patch1: keel.patch.gz
Patch7: mast.patch
Patch3: gone.patch
%description
d
%prep
@
%build
echo "%{_builddir}/%{?buildsubdir}" %{?setup:no}
`

// TestPrep holds %setup, %patch, %autosetup, %autopatch and what configures,
// builds and installs to what rpm makes of them. Each file of testdata/prep.txtar
// has for its name what stands in %prep and for its content the expanded text;
// lines that begin with "!" are the problems. What is marked "rpm6" is not
// compared with the rpm that is installed. Short tests start no rpm.
func TestPrep(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	w.Write([]byte("--- a\n+++ b\n@@ -1 +1 @@\n"))
	w.Close()
	files := fstest.MapFS{
		"hull.patch":    {Data: []byte("--- a\n+++ b\n@@ -1 +1 @@\n")},
		"keel.patch.gz": {Data: zipped.Bytes()},
		"mast.patch":    {Data: []byte("--- c\n+++ d\n@@ -1 +1 @@\n")},
	}
	rpmspec, isNew := "", false
	dir := t.TempDir()
	if !testing.Short() {
		rpmspec, _ = exec.LookPath("rpmspec")
	}
	if rpmspec != "" {
		for name, f := range files {
			write(t, filepath.Join(dir, name), f.Data)
		}
		isNew = newRPM(t)
		write(t, filepath.Join(dir, "macros"), []byte(Builtin().RPM(rpmVersion(t))))
	}
	const golden = "testdata/prep.txtar"
	a, err := txtar.ParseFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range a.Files {
		name, newer := strings.CutPrefix(c.Name, "rpm6 ")
		text := strings.Replace(prepSpec, "@", strings.ReplaceAll(name, `\n`, "\n"), 1)
		s := Eval("skiff.spec", []byte(text), Config{FS: files, Lines: true})
		_, got, _ := strings.Cut(s.Expanded.Text, "%prep\n")
		var problems strings.Builder
		for _, p := range s.Problems {
			problems.WriteString("! " + p.Code + " " + p.Message + "; " + p.Hint + "\n")
		}
		if *update {
			a.Files[i].Data = []byte(got + problems.String())
			continue
		}
		if d := cmp.Diff(string(c.Data), got+problems.String()); d != "" {
			t.Errorf("%q expands to something else (-want +got):\n%s", name, d)
		}
		if rpmspec == "" || newer && (!isNew || !s.Expanded.Known || len(s.Problems) > 0) {
			continue
		}
		write(t, filepath.Join(dir, "skiff.spec"), []byte(text))
		cmd := exec.CommandContext(t.Context(), rpmspec, "--load", filepath.Join(dir, "macros"), "--define", "_sourcedir "+dir, "-P", filepath.Join(dir, "skiff.spec"))
		cmd.Env = append(os.Environ(), "HOME="+dir)
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%q: rpmspec: %v", name, err)
			continue
		}
		_, theirs, _ := strings.Cut(strings.ReplaceAll(string(out), dir, sourceDir), "%prep\n")
		if isNew {
			if d := cmp.Diff(rpmLines(theirs), rpmLines(got)); d != "" {
				t.Errorf("%q expands to something else (-rpm +ours):\n%s", name, d)
			}
			continue
		}
		// rpm 4.18 leaves out the header behind %prep.
		next := regexp.MustCompile(`(?m)^%(build|install)\n`).FindString(got)
		if d := cmp.Diff(theirs, strings.Replace(got, next, "", 1)); d != "" {
			t.Errorf("%q expands to something else (-rpm +ours):\n%s", name, d)
		}
	}
	if *update {
		write(t, golden, txtar.Format(a))
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
