package srpm

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"specgraft/testdata/corpus"

	gocmp "github.com/google/go-cmp/cmp"

	"specgraft/fedora/macro"
)

const (
	// sampleSize is how many components of the corpus rpmbuild makes a source
	// package of. SPECGRAFT_RPMBUILD=all takes all of them, which takes an hour.
	sampleSize = 200

	buildTime = 1_700_000_000
	buildHost = "builder.example"
)

// runsCode are specs that have rpm start programs or look at the machine; newSyntax
// is newer than rpm 4.18.
var (
	runsCode  = regexp.MustCompile(`%\(|\bos\.|\bio\.|\bposix\.|<const>`)
	newSyntax = regexp.MustCompile(`(?m:^Build(System|Option))|%(auto)?setup.* -C|%(prep|build|install|check|conf|generate_buildrequires)\s+-[ap]`)
)

// corpusSpecs returns the rendered components of the corpus: their small files.
func corpusSpecs(t *testing.T) map[string]fstest.MapFS {
	t.Helper()
	trees := map[string]fstest.MapFS{}
	for _, f := range corpus.Archive(t, "expected.tar.xz", func(component, file string, size int64) bool {
		return component != "" && size <= 1<<20 && !strings.Contains(file, "/")
	}) {
		if trees[f.Component] == nil {
			trees[f.Component] = fstest.MapFS{}
		}
		trees[f.Component][f.Path] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
	}
	return trees
}

// rpmbuild makes the source package of a spec with our macros in place of rpm's.
func rpmbuild(t *testing.T, macros, dir, spec, payload string) (string, error) {
	if os.Getuid() != 0 {
		t.Skip("NOT CHECKED: rpmbuild writes down who owns the files, and only root's are the same for everybody")
	}
	out := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	probe := macro.Eval("probe.spec", nil, macro.Config{After: []string{"%{optflags}"}})
	cmd := exec.CommandContext(ctx, "rpmbuild", "-bs", "--nodeps", "--quiet", "--macros", macros,
		"--define", "_sourcedir "+dir, "--define", "_srcrpmdir "+out, "--define", "_source_payload "+payload,
		"--define", "optflags "+probe.After[0].Text+"%{nil}", "--define", "_buildhost "+buildHost,
		"--define", "use_source_date_epoch_as_buildtime 1", "--define", "_topdir /builddir/build", "--define", "_disable_source_fetch 1",
		"--define", "__gpg_reserved_space 4096", filepath.Join(dir, spec))
	cmd.Env = append(os.Environ(), "HOME="+out, "LC_ALL=C.UTF-8", fmt.Sprintf("SOURCE_DATE_EPOCH=%d", buildTime))
	text, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, text)
	}
	list, err := filepath.Glob(filepath.Join(out, "*.rpm"))
	if err != nil || len(list) != 1 {
		return "", fmt.Errorf("rpmbuild made %d packages: %v\n%s", len(list), err, text)
	}
	return list[0], nil
}

// A value is an entry of a header as a test compares it.
type value struct {
	Kind uint32
	Data string
}

// readTags reads all entries of both headers; signature tags have "sig" before
// their number.
func readTags(t *testing.T, file string) map[string]value {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]value{"lead": {Data: fmt.Sprintf("%q", b[:96])}}
	at := 96
	for _, part := range []string{"sig ", ""} {
		n, size := int(binary.BigEndian.Uint32(b[at+8:])), int(binary.BigEndian.Uint32(b[at+12:]))
		data := b[at+16+16*n:][:size]
		var offsets []int
		for i := range n {
			offsets = append(offsets, int(binary.BigEndian.Uint32(b[at+16+16*i+8:])))
		}
		for i := range n {
			row := b[at+16+16*i:]
			end := size
			for _, o := range offsets { // to the next entry, which shows padding, too
				if o > offsets[i] && o < end {
					end = o
				}
			}
			v := value{binary.BigEndian.Uint32(row[4:]), fmt.Sprintf("%d %q", binary.BigEndian.Uint32(row[12:]), data[offsets[i]:end])}
			out[fmt.Sprintf("%s%d", part, binary.BigEndian.Uint32(row))] = v
		}
		at += 16 + 16*n + size
		if part != "" {
			at = (at + 7) / 8 * 8
		}
	}
	out["payload size"] = value{Data: fmt.Sprint(len(b) - at)}
	return out
}

// TestCorpusRpmbuild makes source packages of real components, their archives
// replaced by generated files, and compares them with those of rpmbuild -bs: the
// lead, all tags of both headers with their types and places, and the payload. The
// payload is not compressed, so that nothing depends on whose compressor it is.
func TestCorpusRpmbuild(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("rpmbuild"); err != nil {
		t.Skip("rpmbuild is not installed: its source packages were not compared with ours")
	}
	version, err := exec.Command("rpmbuild", "--version").Output()
	if err != nil || !strings.Contains(string(version), " 4.18.") {
		t.Skipf("the source packages are those of rpm 4.18, not of %s", version)
	}
	trees := corpusSpecs(t)
	var names []string
	for name, tree := range trees {
		f := tree[name+".spec"]
		if f == nil || runsCode.Match(f.Data) || newSyntax.Match(f.Data) {
			continue
		}
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
		return cmp.Or(slices.Compare(x[:], y[:]), strings.Compare(a, b))
	})
	if os.Getenv("SPECGRAFT_RPMBUILD") != "all" {
		names = names[:min(len(names), sampleSize)]
	}
	macros := filepath.Join(t.TempDir(), "macros")
	if err := os.WriteFile(macros, []byte(macro.Builtin().RPM("4.18.0")), 0o644); err != nil {
		t.Fatal(err)
	}
	compared, whole, rejected := 0, 0, 0
	var samples []sample
	for _, name := range names {
		tree := trees[name]
		m, problems := Describe(name+".spec", tree[name+".spec"].Data, macro.Config{FS: tree}, Options{Time: buildTime})
		if m == nil {
			rejected++
			t.Logf("%s: %v", name, problems.Err())
			continue
		}
		dir := t.TempDir()
		files := generate(t, dir, tree, m)
		m, problems = Describe(name+".spec", tree[name+".spec"].Data, macro.Config{FS: os.DirFS(dir)}, Options{Time: buildTime})
		if m == nil {
			t.Errorf("%s: with its sources: %v", name, problems.Err())
			continue
		}
		m.Payload, m.Host = "w.ufdio", buildHost
		theirs, err := rpmbuild(t, macros, dir, name+".spec", m.Payload)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		ours := filepath.Join(dir, "ours.rpm")
		writeFile(t, ours, m, files)
		want, got := readTags(t, theirs), readTags(t, ours)
		// rpmbuild has the sources elsewhere, which its text of the spec shows
		there := want["5099"]
		want["5099"] = value{there.Kind, strings.ReplaceAll(there.Data, dir, "/builddir/build/SOURCES")}
		elsewhere := want["5099"] != there
		if elsewhere {
			for _, tag := range []string{"sig 269", "sig 273", "sig 1000", "sig 1004"} { // digests and size of the header
				delete(want, tag)
				delete(got, tag)
			}
		}
		if d := gocmp.Diff(want, got); d != "" {
			t.Errorf("%s (-rpmbuild +ours):\n%s", name, d)
			continue
		}
		a, errA := os.ReadFile(theirs)
		b, errB := os.ReadFile(ours)
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		payload, _ := strconv.Atoi(want["payload size"].Data)
		if elsewhere {
			a, b = a[len(a)-payload:], b[len(b)-payload:]
		} else {
			whole++
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s: the bytes differ", name)
			continue
		}
		if filepath.Base(theirs) != m.FileName() {
			t.Errorf("%s: the package is called %s, not %s", name, filepath.Base(theirs), m.FileName())
		}
		compared++
		again := filepath.Join(dir, "again.rpm")
		writeFile(t, again, m, files)
		if c, err := os.ReadFile(again); err != nil || !bytes.Equal(mustRead(t, ours), c) {
			t.Errorf("%s: a second run writes other bytes: %v", name, err)
		}
		samples = append(samples, sample{ours, m, prepared(m.SpecName, tree)})
	}
	taken(t, macros, samples)
	t.Logf("%d of %d source packages have the tags and the payload of those of rpmbuild, %d are the same to the last byte; %d cannot be known",
		compared, len(names), whole, rejected)
	if compared < len(names)*9/10 {
		t.Errorf("only %d of %d were compared", compared, len(names))
	}
}

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// generate writes the files of a component to dir, and something for each archive
// that it does not have.
func generate(t *testing.T, dir string, tree fstest.MapFS, m *Meta) []File {
	t.Helper()
	content := map[string][]byte{m.SpecName: tree[m.SpecName].Data}
	top := prepared(m.SpecName, tree).dir
	for i, s := range slices.Concat(m.Sources, m.Patches) {
		if f := tree[s.Name]; f != nil {
			content[s.Name] = f.Data
		} else if data := archive(s.Name, top); data != nil {
			content[s.Name] = data
		} else {
			content[s.Name] = bytes.Repeat([]byte(s.Name+"\n"), 1+i*7)
		}
	}
	for name, f := range tree {
		if content[name] == nil {
			content[name] = f.Data // what the spec includes
		}
	}
	var files []File
	when := time.Unix(buildTime, 0)
	for name, data := range content {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, 0o644); err != nil { // whatever the umask is
			t.Fatal(err)
		}
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
		files = append(files, File{Name: name, Mode: 0o644, Size: int64(len(data)), Open: func() (io.ReadCloser, error) { return os.Open(file) }})
	}
	return files
}

func writeFile(t *testing.T, name string, m *Meta, files []File) *Written {
	t.Helper()
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w, err := Write(t.Context(), out, m, files)
	if err != nil {
		t.Fatal(err)
	}
	return w
}
