package repodata

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

const primaryXML = `<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="2">
<package type="rpm"><name>lib-devel</name><arch>x86_64</arch><version epoch="1" ver="2" rel="3"/>
<checksum type="sha256" pkgid="YES">abc</checksum><summary>&lt;x&gt;</summary>
<format><rpm:license>MIT</rpm:license><rpm:sourcerpm>lib-2-3.src.rpm</rpm:sourcerpm>
<rpm:provides><rpm:entry name="pkgconfig(lib)" flags="EQ" epoch="0" ver="2.1"/><rpm:entry name="lib-devel" flags="EQ" epoch="1" ver="2" rel="3"/></rpm:provides>
<rpm:requires><rpm:entry name="lib" flags="GE" epoch="0" ver="2"/><rpm:entry name="rpmlib(FileDigests)" flags="LE" ver="4"/></rpm:requires>
<rpm:recommends><rpm:entry name="doc"/></rpm:recommends>
<file>/usr/bin/lib-config</file><file type="dir">/usr/bin/d</file><file>/etc/other</file></format></package>
<package type="rpm"><name>lib</name><arch>src</arch><version epoch="0" ver="2" rel="3"/><checksum type="sha256" pkgid="YES">def</checksum><format/></package>
</metadata>
`

const filelistsXML = `<?xml version="1.0" encoding="UTF-8"?>
<filelists xmlns="http://linux.duke.edu/metadata/filelists" packages="1">
<package pkgid="abc" name="lib-devel" arch="x86_64"><version epoch="1" ver="2" rel="3"/><file>/usr/bin/lib-config</file><file type="dir">/usr/share/x</file><file>/usr/share/lib.txt</file></package>
<package pkgid="zzz" name="gone" arch="x86_64"><file>/x</file></package>
</filelists>
`

// metadataDir writes a repository whose metadata is compressed.
func metadataDir(t *testing.T, compress string, files map[string]string, change func(repomd string) string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "repodata"), 0o755); err != nil {
		t.Fatal(err)
	}
	repomd := `<?xml version="1.0" encoding="UTF-8"?><repomd xmlns="http://linux.duke.edu/metadata/repo">`
	for _, kind := range []string{"primary", "filelists"} {
		text, there := files[kind]
		if !there {
			continue
		}
		var b bytes.Buffer
		switch compress {
		case ".gz":
			z := gzip.NewWriter(&b)
			z.Write([]byte(text))
			z.Close()
		case ".zst":
			z, err := zstd.NewWriter(&b)
			if err != nil {
				t.Fatal(err)
			}
			z.Write([]byte(text))
			z.Close()
		case ".xz":
			z, err := xz.NewWriter(&b)
			if err != nil {
				t.Fatal(err)
			}
			z.Write([]byte(text))
			z.Close()
		case ".bz2":
			data, err := bzip2(text)
			if err != nil || len(data) == 0 {
				t.Fatalf("the test has no packed form of the document: %v", err)
			}
			b.Write(data)
		default:
			b.WriteString(text)
		}
		sum := sha256.Sum256(b.Bytes())
		name := "repodata/" + kind + ".xml" + compress
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		repomd += fmt.Sprintf(`<data type="%s"><checksum type="sha256">%s</checksum><location href="%s"/><open-size>%d</open-size></data>`,
			kind, hex.EncodeToString(sum[:]), name, len(text))
	}
	repomd += "</repomd>"
	if change != nil {
		repomd = change(repomd)
	}
	if err := os.WriteFile(filepath.Join(dir, "repodata", "repomd.xml"), []byte(repomd), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReadDir(t *testing.T) {
	t.Parallel()
	want := []Built{{Name: "lib-devel", Arch: "x86_64", EVR: "1:2-3", Source: "lib-2-3.src.rpm",
		Provides: []string{"pkgconfig(lib) = 2.1", "lib-devel = 1:2-3"},
		Needs:    map[string][]string{"Requires": {"lib >= 2"}, "Recommends": {"doc"}},
		Files:    []string{"/usr/bin/lib-config", "/usr/share/lib.txt"}}}
	both := map[string]string{"primary": primaryXML, "filelists": filelistsXML}
	for _, compress := range []string{"", ".gz", ".xz", ".zst", ".bz2"} {
		dir := metadataDir(t, compress, both, nil)
		for _, d := range []string{dir, filepath.Join(dir, "repodata")} {
			got, err := ReadDir(d, true, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", compress, diff)
			}
		}
	}
	got, err := ReadDir(metadataDir(t, ".gz", both, nil), false, func(p string) bool { return strings.HasPrefix(p, "/etc/") })
	if err != nil || len(got) != 1 || len(got[0].Files) != 1 || got[0].Files[0] != "/etc/other" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestReadDirBad(t *testing.T) {
	t.Parallel()
	swap := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	bomb := strings.Replace(primaryXML, "<metadata", `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><metadata`, 1)
	bomb = strings.Replace(bomb, "&lt;x&gt;", "&b;", 1)
	for _, test := range []struct {
		name, primary string
		change        func(string) string
		want          string
	}{
		{"no repomd", primaryXML, func(string) string { return "" }, "not readable"},
		{"cut repomd", primaryXML, func(s string) string { return s[:len(s)/2] }, "not readable"},
		{"other document", primaryXML, swap("<repomd", "<html"), "not readable"},
		{"no primary", primaryXML, swap(`"primary"`, `"other"`), "does not name any primary"},
		{"wrong checksum", primaryXML, swap(`<checksum type="sha256">`, `<checksum type="sha256">0`), "has the checksum"},
		{"weak checksum", primaryXML, swap(`"sha256"`, `"md5"`), `the checksum type "md5"`},
		{"missing file", primaryXML, swap("primary.xml", "primer.xml"), "no such file"},
		{"path out of it", primaryXML, swap(`href="repodata/`, `href="../repodata/`), "not in the repository"},
		{"absolute path", primaryXML, swap(`href="repodata/`, `href="/repodata/`), "not in the repository"},
		{"too small a size", primaryXML, swap(fmt.Sprintf("<open-size>%d<", len(primaryXML)), "<open-size>1<"), "more bytes than it may have"},
		{"cut primary", primaryXML[:len(primaryXML)/2], nil, "unexpected EOF"},
		{"cut between packages", primaryXML[:strings.LastIndex(primaryXML, "<package")], nil, "unexpected EOF"},
		{"entity bomb", bomb, nil, "invalid character entity"},
		{"no name", strings.Replace(primaryXML, "lib-devel</name>", "</name>", 1), nil, "no proper name"},
		{"hostile name", strings.Replace(primaryXML, "lib-devel</name>", "../../lib</name>", 1), nil, "no proper name"},
		{"name with a line break", strings.Replace(primaryXML, "lib-devel</name>", "lib&#10;devel</name>", 1), nil, "no proper name"},
		{"name with an escape", strings.Replace(primaryXML, "lib-devel</name>", "lib&#x9b;31m</name>", 1), nil, "no proper name"},
		{"dependency with an escape", strings.Replace(primaryXML, "pkgconfig(lib)", "pkgconfig(&#x9b;31m)", 1), nil, "has the dependency"},
		{"deep", strings.Replace(primaryXML, "<format>", "<format>"+strings.Repeat("<a>", 100)+strings.Repeat("</a>", 100), 1), nil, "nest too deep"},
		{"not metadata", "<html><body><p>x</p></body></html>", nil, "is no package"},
	} {
		dir := metadataDir(t, "", map[string]string{"primary": test.primary}, test.change)
		got, err := ReadDir(dir, true, nil)
		if err == nil || got != nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "repodata/bad") {
			t.Errorf("%s: %v, %v; want %q", test.name, got, err, test.want)
		}
	}
	dir := metadataDir(t, ".gz", map[string]string{"primary": primaryXML}, nil)
	os.Remove(filepath.Join(dir, "repodata", "primary.xml.gz"))
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "repodata", "primary.xml.gz")); err == nil {
		if _, err := ReadDir(dir, false, nil); err == nil {
			t.Error("a link out of the directory is followed")
		}
	}
	if _, err := ReadDir(t.TempDir(), false, nil); err == nil {
		t.Error("an empty directory is a repository")
	}
}

func FuzzReadDir(f *testing.F) {
	f.Add([]byte(primaryXML))
	f.Add([]byte("<metadata><package><name>x</name></package></metadata>"))
	f.Fuzz(func(t *testing.T, primary []byte) {
		dir := metadataDir(t, "", map[string]string{"primary": string(primary)}, nil)
		list, err := ReadDir(dir, false, nil)
		if err != nil && list != nil {
			t.Errorf("a list comes with the error %v", err)
		}
	})
}
