package archive_test

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"go/token"
	"io"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"specgraft/overlay"
	"specgraft/overlay/archive"
)

// pack writes a tar archive with everything in it that repacking levels.
func pack(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		data := h.Linkname
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Typeflag == tar.TypeReg {
			h.Size, h.Linkname = int64(len(data)), ""
		}
		if h.Typeflag != tar.TypeXGlobalHeader {
			h.Mode = cmp.Or(h.Mode, 0o644)
			h.Uid, h.Uname, h.ModTime = 1000, "builder", time.Unix(1700000000, 0)
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			io.WriteString(w, data)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(name, data string) tar.Header { return tar.Header{Name: name, Linkname: data} }

func compressed(t testing.TB, format string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch format {
	case "tar":
		return b
	case "tar.gz":
		w = gzip.NewWriter(&out)
	case "tar.xz":
		w, err = xz.NewWriter(&out)
	case "tar.zst":
		w, err = zstd.NewWriter(&out)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.Write(b)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// listing unpacks an archive with other means than the code under test.
func listing(t testing.TB, format string, b []byte) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(b)
	var err error
	switch format {
	case "tar.gz":
		r, err = gzip.NewReader(r)
	case "tar.xz":
		r, err = xz.NewReader(r)
	case "tar.zst":
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(tr)
		fmt.Fprintf(&out, "%c %04o %s %q %d/%d/%q/%d %v\n", h.Typeflag, h.Mode, h.Name, string(data)+h.Linkname, h.Uid, h.Gid, h.Uname+h.Gname, h.ModTime.Unix(), h.Format)
	}
}

var archiveOps = []overlay.Op{
	{Type: overlay.FileRemove, File: "docs/**", Archive: "x.tar", Pos: token.Position{Filename: "x.toml", Line: 3}},
	{Type: overlay.FileSearchReplace, File: "configure", Regex: "redhat", Replacement: "azl", Archive: "x.tar", Pos: token.Position{Filename: "x.toml", Line: 7}},
}

func apply(b []byte, name string, ops []overlay.Op, o archive.Options) (*archive.Report, string, string) {
	var out bytes.Buffer
	rep, list := archive.Apply(&out, bytes.NewReader(b), name, ops, o)
	var text []string
	for i := range list {
		text = append(text, list[i].Error())
	}
	return rep, out.String(), strings.Join(text, "\n")
}

func TestApply(t *testing.T) {
	t.Parallel()
	plain := pack(t,
		tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "abc"}},
		tar.Header{Typeflag: tar.TypeDir, Name: "./x-1.0/", Mode: 0o775},
		file("x-1.0/src.c", "old"),
		tar.Header{Typeflag: tar.TypeSymlink, Name: "x-1.0/link", Linkname: "src/../configure"},
		tar.Header{Name: "x-1.0/configure", Linkname: "for redhat and redhat\n", Mode: 0o755},
		file("x-1.0/docs/a/index.html", "<p>"), file("x-1.0/docs/b", ""),
		file("x-1.0/src/main.c", "int"), file("x-1.0/src.c", "new"),
		file("x-1.0/"+strings.Repeat("long/", 40)+"ä", "l"),
	)
	long := ""
	for i := range 40 {
		long += "5 0755 x-1.0/" + strings.Repeat("long/", i+1) + ` "" 0/0/""/0 GNU` + "\n"
	}
	want := `5 0775 x-1.0/ "" 0/0/""/0 GNU
0 0755 x-1.0/configure "for azl and azl\n" 0/0/""/0 GNU
5 0755 x-1.0/docs/ "" 0/0/""/0 GNU
5 0755 x-1.0/docs/a/ "" 0/0/""/0 GNU
2 0777 x-1.0/link "src/../configure" 0/0/""/0 GNU
` + long + `0 0644 x-1.0/` + strings.Repeat("long/", 40) + `ä "l" 0/0/""/0 GNU
5 0755 x-1.0/src/ "" 0/0/""/0 GNU
0 0644 x-1.0/src/main.c "int" 0/0/""/0 GNU
0 0644 x-1.0/src.c "new" 0/0/""/0 GNU
`
	for _, format := range []string{"tar", "tar.gz", "tar.xz", "tar.zst"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			in := compressed(t, format, plain)
			// The name lies about the compression: the bytes count.
			rep, out, problems := apply(in, "x.tar.gz", archiveOps, archive.Options{TempDir: t.TempDir()})
			if problems != "" {
				t.Fatal(problems)
			}
			if d := gocmp.Diff(want, listing(t, format, []byte(out))); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			sum := sha512.Sum512([]byte(out))
			if rep.SHA512 != hex.EncodeToString(sum[:]) || rep.Size != int64(len(out)) || rep.Format != format || rep.Root != "x-1.0" {
				t.Errorf("report is wrong: %+v", rep)
			}
			if d := gocmp.Diff([]string{"docs/a/index.html", "docs/b"}, rep.Removed); d != "" {
				t.Error(d)
			}
			if d := gocmp.Diff([]string{"configure"}, rep.Changed); d != "" {
				t.Error(d)
			}
			again, twice, _ := apply(in, "x.tar.gz", archiveOps, archive.Options{})
			if twice != out || again.SHA256 != rep.SHA256 {
				t.Error("the second run gives other bytes")
			}
			if format == "tar.gz" && (out[9] != '\xff' || out[4:8] != "\x00\x00\x00\x00" || out[8] != 2) {
				t.Errorf("gzip header % x", out[:10])
			}
		})
	}
}

func TestApplyRoot(t *testing.T) {
	t.Parallel()
	op := []overlay.Op{{Type: overlay.FileRemove, File: "a/b", Archive: "x.tar"}}
	two := pack(t, file("a/b", "1"), file("a/c", "1"), file("d", "2"))
	if rep, _, problems := apply(two, "x.tar", op, archive.Options{}); problems != "" || rep.Root != "" || len(rep.Removed) != 1 {
		t.Errorf("two top-level entries: %+v %s", rep, problems)
	}
	one := pack(t, file("r/a/b", "1"), file("r/c", "1"))
	if rep, _, problems := apply(one, "x.tar", op, archive.Options{}); problems != "" || rep.Root != "r" {
		t.Errorf("one top-level entry: %+v %s", rep, problems)
	}
}

func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	zeros := compressed(t, "tar.gz", pack(t, file("x/a", strings.Repeat("\x00", 1<<20)), file("x/b", strings.Repeat("\x00", 1<<20))))
	dict := []byte("\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x28\x00\x00\x00\x00\x00\x00\x00")
	op := []overlay.Op{{Type: overlay.FileRemove, File: "a", Archive: "x.tar", Pos: token.Position{Filename: "x.toml", Line: 3, Column: 1}}}
	for _, tt := range []struct {
		name string
		in   []byte
		opt  archive.Options
		want string
	}{
		{"parent", pack(t, file("../evil", "x")), archive.Options{}, `entry "../evil" leads outside`},
		{"parent inside", pack(t, file("a/../../evil", "x")), archive.Options{}, "leads outside"},
		{"absolute", pack(t, file("/etc/passwd", "x")), archive.Options{}, "leads outside"},
		{"absolute link", pack(t, tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "/etc"}), archive.Options{}, "symbolic link \"l\" leads outside"},
		{"link out", pack(t, tar.Header{Typeflag: tar.TypeSymlink, Name: "d/l", Linkname: "../../x"}), archive.Options{}, "leads outside"},
		{"below a link", pack(t, tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "d"}, file("l/x", "1")), archive.Options{}, "not a directory"},
		{"hard link", pack(t, file("a", "1"), tar.Header{Typeflag: tar.TypeLink, Name: "b", Linkname: "a"}), archive.Options{}, "neither a regular file"},
		{"device", pack(t, tar.Header{Typeflag: tar.TypeChar, Name: "null"}), archive.Options{}, "neither a regular file"},
		{"file and directory", pack(t, file("a", "1"), tar.Header{Typeflag: tar.TypeDir, Name: "a/"}), archive.Options{}, "both as a directory"},
		{"entry too large", zeros, archive.Options{MaxEntry: 1000}, "more than the limit of 1000"},
		{"total too large", zeros, archive.Options{MaxTotal: 1<<20 + 5}, "unpacks to more than"},
		{"too many", zeros, archive.Options{MaxEntries: 1}, "more than 1 entries"},
		{"no tar", []byte("hello"), archive.Options{}, "not a readable tar archive"},
		{"bzip2", []byte("BZh91AY"), archive.Options{}, "cannot repack"},
		{"cut off", zeros[:len(zeros)/2], archive.Options{}, "unexpected EOF"},
		{"xz dictionary", dict, archive.Options{}, "dictionary is larger"},
		{"no match", pack(t, file("b", "1")), archive.Options{}, `x.toml:3:1: file-remove: no file matches "a"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rep, _, problems := apply(tt.in, "x.tar", op, tt.opt)
			if rep != nil || !strings.Contains(problems, tt.want) || !strings.HasPrefix(problems, "x.toml:3:1: ") {
				t.Errorf("got %+v, %q; want %q", rep, problems, tt.want)
			}
		})
	}
}

// TestApplyXZ reads xz files of several blocks and streams, and refuses
// a dictionary that only a later block declares.
func TestApplyXZ(t *testing.T) {
	t.Parallel()
	var noise strings.Builder
	for i := range 2_000 {
		fmt.Fprintf(&noise, "%x", sha512.Sum512([]byte{byte(i), byte(i >> 8)}))
	}
	plain := pack(t, file("x/a", noise.String()), file("x/b", strings.Repeat("text ", 10_000)), file("x/c", ""))
	var blocks bytes.Buffer
	w, err := xz.WriterConfig{BlockSize: 60_000, CheckSum: xz.SHA256}.NewWriter(&blocks)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(plain)
	w.Close()
	half := len(plain) / 2
	streams := bytes.Join([][]byte{compressed(t, "tar.xz", plain[:half]), compressed(t, "tar.xz", plain[half:])}, make([]byte, 8))
	op := []overlay.Op{{Type: overlay.FileRemove, File: "a", Archive: "x.tar.xz"}}
	_, want, _ := apply(compressed(t, "tar.xz", plain), "x.tar.xz", op, archive.Options{})
	for name, in := range map[string][]byte{"blocks": blocks.Bytes(), "streams": streams} {
		if _, got, problems := apply(in, "x.tar.xz", op, archive.Options{}); problems != "" || got != want {
			t.Errorf("%s: %s", name, problems)
		}
	}
	for name, in := range map[string][]byte{"blocks": blocks.Bytes(), "streams": streams} {
		bad := bytes.Clone(in)
		k := bytes.LastIndex(bad, []byte{0x02, 0x00, 0x21, 0x01})
		if k < 20 {
			t.Fatalf("%s: there is no second block", name)
		}
		bad[k+4] = 40
		if _, _, problems := apply(bad, "x.tar.xz", op, archive.Options{}); !strings.Contains(problems, "dictionary is larger") {
			t.Errorf("%s: a large dictionary gives %q", name, problems)
		}
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	ops := []overlay.Op{
		{Type: overlay.FileRemove, File: "b", Archive: "x.tar.gz"},
		{Type: overlay.FileRemove, File: "b", Archive: "y.tar.gz"},
		{Type: overlay.FileRemove, File: "c", Archive: "x.tar.gz"},
		{Type: overlay.FileRemove, File: "*.gz"},
	}
	groups := archive.Groups(ops)
	if len(groups) != 2 || groups[0].Name != "x.tar.gz" || len(groups[0].Ops) != 2 || groups[0].Ops[1].File != "c" {
		t.Errorf("groups: %+v", groups)
	}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	rep := &archive.Report{SHA256: "aa", SHA512: "bb"}
	if d := rep.Drift("x.tar", "sha512", "BB", token.Position{}); d != nil {
		t.Errorf("equal digests drift: %v", d)
	}
	if d := rep.Drift("x.tar", "SHA256", "cc", token.Position{}); d == nil || !strings.Contains(d.Hint, `hash = "aa"`) {
		t.Errorf("drift: %+v", d)
	}
}

func FuzzApply(f *testing.F) {
	small := pack(f, file("x/a", "1"), tar.Header{Typeflag: tar.TypeSymlink, Name: "x/l", Linkname: "a"}, file("x/b", "2"))
	for _, format := range []string{"tar", "tar.gz", "tar.xz", "tar.zst"} {
		f.Add(compressed(f, format, small))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		op := []overlay.Op{{Type: overlay.FileSearchReplace, File: "**", Regex: "1", Replacement: "3", Archive: "x.tar"}}
		o := archive.Options{MaxEntry: 1 << 20, MaxTotal: 4 << 20, MaxEntries: 1000, TempDir: t.TempDir()}
		rep, out, problems := apply(in, "x.tar", op, o)
		if (rep == nil) != strings.Contains(problems, "[overlay/") {
			t.Fatalf("report %v with %q", rep, problems)
		}
		if rep == nil {
			return
		}
		// What was written is an archive in which the operation has no more to do.
		if _, _, problems := apply([]byte(out), "x.tar", op, o); !strings.Contains(problems, "overlay/no-match") {
			t.Fatalf("the result says %q", problems)
		}
	})
}

func BenchmarkApply(b *testing.B) {
	var headers []tar.Header
	for i := range 200 {
		headers = append(headers, file(fmt.Sprintf("x-1.0/src/%03d.c", i), strings.Repeat("int main(void) { return redhat; }\n", 300)))
	}
	headers = append(headers, file("x-1.0/configure", "redhat"))
	plain := pack(b, headers...)
	for _, format := range []string{"tar", "tar.gz", "tar.xz", "tar.zst"} {
		in := compressed(b, format, plain)
		b.Run(format, func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			for b.Loop() {
				if _, list := archive.Apply(io.Discard, bytes.NewReader(in), "x."+format, archiveOps[1:], archive.Options{}); list.HasErrors() {
					b.Fatal(list)
				}
			}
		})
	}
}
