package srpm

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/zstd"
	rpmutils "github.com/sassoftware/go-rpmutils"
	"github.com/ulikunitz/xz"

	"specgraft/fedora/macro"
)

// A preparation is what is known of the %prep of a spec: the directory that its
// archives are to have, and why it cannot pass on archives that are made up, "" when
// it can.
type preparation struct{ dir, cannot string }

var (
	// unpackLine is what %setup and %autosetup without patches become in the shell.
	unpackLine = regexp.MustCompile(`^(|#.*|:|cd '[^']*'|rm -rf '[^']*'|\S*/mkdir -p '[^']*'|\S*/rpmuncompress -x .*|STATUS=\$\?|if \[ \$STATUS -ne 0 \]; then|  exit \$STATUS|fi|\S*/chmod -Rf [a-z+,X-]+ \.)$`)
	enterLine  = regexp.MustCompile(`^cd '([^'/][^']*)'$`)
	usedFile   = regexp.MustCompile(`/rpmuncompress -x .*/SOURCES/(\S+)$`)
)

// prepared reads the %prep of a spec.
func prepared(spec string, tree fstest.MapFS) preparation {
	s := macro.Eval(spec, tree[spec].Data, macro.Config{FS: tree})
	p := preparation{dir: s.Name.Text + "-" + s.Version.Text}
	for i := range s.Sections {
		if s.Sections[i].Name != "prep" {
			continue
		}
		for line := range strings.SplitSeq(s.Sections[i].Text.Text, "\n") {
			line = strings.TrimRight(line, " \t")
			if m := enterLine.FindStringSubmatch(line); m != nil {
				p.dir = strings.TrimPrefix(m[1], "./")
			}
			file := usedFile.FindStringSubmatch(line)
			switch {
			case p.cannot != "":
			case strings.Contains(line, "/patch ") || strings.HasPrefix(line, "echo \"Patch") || strings.Contains(line, "git apply") || strings.Contains(line, "git am"):
				p.cannot = "patches apply to the text of the archive"
			case !unpackLine.MatchString(line):
				p.cannot = "commands work on what is in the archive"
			case file != nil && tree[file[1]] == nil && archive(file[1], "x") == nil:
				p.cannot = "archives of this kind are not made here"
			}
		}
	}
	return p
}

// archive makes an archive of the kind that a file name tells, with one file in a
// directory; nil for what is none, or one that Go cannot write.
func archive(name, dir string) []byte {
	var b bytes.Buffer
	var packed io.WriteCloser
	var err error
	switch lower := strings.ToLower(name); {
	case strings.HasSuffix(lower, ".zip"):
		z := zip.NewWriter(&b)
		w, err := z.Create(dir + "/README")
		if err == nil {
			_, err = io.WriteString(w, name+"\n")
		}
		if err != nil || z.Close() != nil {
			return nil
		}
		return b.Bytes()
	case strings.HasSuffix(lower, ".tar.gz"), strings.HasSuffix(lower, ".tgz"), strings.HasSuffix(lower, ".crate"):
		packed = gzip.NewWriter(&b)
	case strings.HasSuffix(lower, ".tar.xz"), strings.HasSuffix(lower, ".txz"):
		packed, err = xz.NewWriter(&b)
	case strings.HasSuffix(lower, ".tar.zst"):
		packed, err = zstd.NewWriter(&b)
	default:
		return nil
	}
	if err != nil {
		return nil
	}
	t := tar.NewWriter(packed)
	text := name + "\n"
	err = t.WriteHeader(&tar.Header{Name: dir + "/README", Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg, ModTime: time.Unix(buildTime, 0)})
	if err == nil {
		_, err = io.WriteString(t, text)
	}
	if err != nil || t.Close() != nil || packed.Close() != nil {
		return nil
	}
	return b.Bytes()
}

// A sample is a source package that was made, for rpm to take.
type sample struct {
	file string
	meta *Meta
	prep preparation
}

// rebuilt is how many packages rpmbuild prepares, which takes it a moment each. With
// SPECGRAFT_RPMBUILD=sample it prepares all of the sample.
const rebuilt = 24

// taken lets go-rpmutils and rpm read, verify and install all packages, and rpmbuild
// prepare the first of them: those whose %prep only unpacks must pass, the others
// come to %prep, where what is made up does not do.
func taken(t *testing.T, macros string, list []sample) {
	t.Helper()
	top := t.TempDir()
	run := func(name string, args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		args = append(args[:len(args):len(args)], "--define", "_topdir "+top, "--define", "_dbpath "+top+"/db")
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Env = append(os.Environ(), "HOME="+top, "LC_ALL=C.UTF-8")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	var files []string
	want := ""
	for _, s := range list {
		readable(t, s)
		files = append(files, s.file)
		want += s.meta.Name + " " + s.meta.Version + "-" + s.meta.Release + " (none)\n"
	}
	out, err := run("rpm", append([]string{"-K", "--nosignature"}, files...)...)
	if n := strings.Count(out, ": digests OK\n"); err != nil || n != len(files) {
		t.Errorf("rpm -K: %v, %d of %d\n%s", err, n, len(files), out)
	}
	out, err = run("rpm", append([]string{"-qp", "--nosignature", "--qf", `%{NAME} %{VERSION}-%{RELEASE} %{SOURCERPM}\n`}, files...)...)
	if err != nil || out != want {
		t.Errorf("rpm -qp: %v\n%s", err, out)
	}
	if out, err := run("rpm", append([]string{"-i", "--nosignature"}, files...)...); err != nil {
		t.Errorf("rpm -i: %v\n%s", err, out)
	}
	// rpm's own macros say how it runs a script, which no spec is evaluated for.
	own, err := exec.Command("rpm", "--eval", "%{_rpmconfigdir}/macros").Output()
	if err != nil {
		t.Fatal(err)
	}
	macros = strings.TrimSpace(string(own)) + ":" + macros
	passed, came, tries := 0, 0, 0
	why := map[string]int{}
	for _, s := range list {
		if _, err := os.Stat(filepath.Join(top, "SPECS", s.meta.SpecName)); err != nil {
			t.Errorf("%s: rpm -i has not unpacked the spec: %v", s.meta.Name, err)
		}
		if tries == rebuilt && os.Getenv("SPECGRAFT_RPMBUILD") == "" {
			continue
		}
		tries++
		// -rp is --rebuild as far as %prep: with --rebuild itself -bp counts for nothing.
		// --macros stands before anything that makes rpm read its own.
		out, err := run("rpmbuild", "--macros", macros, "-rp", "--nodeps", "--nosignature", s.file)
		switch {
		case err == nil:
			passed++
		case s.prep.cannot == "":
			t.Errorf("%s: rpmbuild -rp does not pass: %v\n%s", s.meta.Name, err, out)
		case strings.Contains(out, "Executing(%prep)"):
			came++
		default:
			t.Errorf("%s: rpmbuild -rp does not come to %%prep: %v\n%s", s.meta.Name, err, out)
		}
		if err != nil {
			why[cmp.Or(s.prep.cannot, "?")]++
		}
	}
	t.Logf("rpm reads, verifies and installs %d; of %d, %d pass rpmbuild -rp, %d come to %%prep and no further: %v", len(list), tries, passed, came, why)
	if passed < tries/4 {
		t.Errorf("only %d of %d pass %%prep: hardly any of them was possible", passed, tries)
	}
}

// readable lets go-rpmutils read a package.
func readable(t *testing.T, s sample) {
	t.Helper()
	f, err := os.Open(s.file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := rpmutils.ReadRpm(f)
	if err != nil {
		t.Errorf("%s: go-rpmutils: %v", s.meta.Name, err)
		return
	}
	if got, err := p.Header.GetString(rpmutils.NAME); err != nil || got != s.meta.Name {
		t.Errorf("%s: go-rpmutils reads the name %q, %v", s.meta.Name, got, err)
	}
}
