//go:build unix

package hostile

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// hostileArchive makes a case of an archive in which an overlay is to work. It is
// in the cache, under its digest.
func hostileArchive(name, file string, data func(t *testing.T) []byte) hostile {
	return hostile{
		name: name,
		prep: func(d *hostileDir) {
			packed := data(d.T)
			sum := sha512.Sum512(packed)
			digest := hex.EncodeToString(sum[:])
			d.write("home/.cache/specgraft/lookaside/sha512/"+digest[:2]+"/"+digest[2:], string(packed))
			d.write("src/sources", fmt.Sprintf("SHA512 (%s) = %s\n", file, digest))
			d.write("src/crab.spec", hostileSpec("crab", "Source0: "+file))
			d.write("azldev.toml", fmt.Sprintf(`[project]
default-distro = { name = "harbor", version = "1" }
[distros.harbor]
lookaside-base-uri = "https://127.0.0.1:1/$filename/$hashtype/$hash"
[distros.harbor.versions.1]
release-ver = "1"
[components.crab]
spec = { type = "local", path = "src/crab.spec" }
source-files = [
  { filename = %[1]q, hash-type = "SHA512", hash = %[2]q, origin = { type = "overlay" }, replace-upstream = true, replace-reason = "x" },
]
[[components.crab.overlays]]
type = "file-search-replace"
archive = %[1]q
file = "**"
regex = "red"
replacement = "blue"
`, file, strings.Repeat("0", 128)))
		},
		args:  []string{"prepare", "crab", "-o", "@/out", "--json", "--network-retries", "0", "--skip-lock-validation", "-C", "@"},
		codes: hostileFails,
		says:  `\[(overlay|prepare|lookaside)/`,
	}
}

// tarOf makes an archive of headers, with content of a byte for each file.
func tarOf(headers ...tar.Header) func(*testing.T) []byte {
	return func(t *testing.T) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range headers {
			if h.Typeflag == 0 {
				h.Typeflag = tar.TypeReg
			}
			h.Mode = 0o644
			if h.Typeflag == tar.TypeReg {
				h.Size = 4
			}
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			if h.Size > 0 {
				io.WriteString(w, "red\n")
			}
		}
		w.Close()
		return b.Bytes()
	}
}

// rawTar is an archive of one header whose fields are set as they come.
func rawTar(set func(block []byte), body string) func(*testing.T) []byte {
	return func(t *testing.T) []byte {
		block := tarOf(tar.Header{Name: "dir/a"})(t)[:512]
		set(block)
		copy(block[148:156], "        ")
		sum := 0
		for _, c := range block {
			sum += int(c)
		}
		copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
		return append(append([]byte{}, block...), body...)
	}
}

// gzipOf compresses n copies of a text, each as a member of its own.
func gzipOf(n int, text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(text)
	w.Close()
	return bytes.Repeat(b.Bytes(), n)
}

// TestHostileArchives changes archives that were made to be unpacked somewhere
// else, for ever, or into all memory there is.
func TestHostileArchives(t *testing.T) {
	bytesOf := func(b []byte) func(*testing.T) []byte { return func(*testing.T) []byte { return b } }
	const zeros = 64 << 20
	size := func(field string) func([]byte) { return func(b []byte) { copy(b[124:136], field) } }
	entry := func(name string, h tar.Header) hostile { return hostileArchive(name, "a.tar", tarOf(h)) }
	zst := func(t *testing.T, text []byte) []byte {
		w, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return w.EncodeAll(text, nil)
	}
	large := func(c hostile) hostile {
		c.large = true
		return c
	}
	runHostile(t, []hostile{
		entry("a name above", tar.Header{Name: "../../evil"}), entry("a name from the root", tar.Header{Name: "/evil"}), entry("a name of dots", tar.Header{Name: "a/../../evil"}),
		entry("a link above", tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../../etc"}), entry("a link from the root", tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}),
		entry("a hard link", tar.Header{Name: "l", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}), entry("a device", tar.Header{Name: "null", Typeflag: tar.TypeChar}), entry("a FIFO", tar.Header{Name: "f", Typeflag: tar.TypeFifo}),
		entry("a name for a terminal", tar.Header{Name: "\x1b[2J\u202e"}), entry("a long name", tar.Header{Name: strings.Repeat("a/", 50_000) + "a"}),
		hostileArchive("through a link", "a.tar", tarOf(tar.Header{Name: "d", Typeflag: tar.TypeSymlink, Linkname: "."}, tar.Header{Name: "d/../../evil"}, tar.Header{Name: "d/x"})),
		hostileArchive("a file as a directory", "a.tar", tarOf(tar.Header{Name: "d"}, tar.Header{Name: "d/x"})),
		hostileArchive("the same name", "a.tar", tarOf(tar.Header{Name: "d/x"}, tar.Header{Name: "d//x"}, tar.Header{Name: "d/./x"})),
		hostileArchive("a loop of links", "a.tar", tarOf(tar.Header{Name: "d/a", Typeflag: tar.TypeSymlink, Linkname: "b"}, tar.Header{Name: "d/b", Typeflag: tar.TypeSymlink, Linkname: "a"})),
		hostileArchive("a huge size", "a.tar", rawTar(size("77777777777\x00"), "red")), hostileArchive("a negative size", "a.tar", rawTar(size("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "red")),
		hostileArchive("a size of another base", "a.tar", rawTar(size("\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff"), "red")), hostileArchive("a size that is none", "a.tar", rawTar(size("zzzzzzzzzzzz"), "red")),
		hostileArchive("a long header", "a.tar", rawTar(func(b []byte) { b[156] = 'x'; size("77777777777\x00")(b) }, strings.Repeat("9", 4096))),
		hostileArchive("a sparse map", "a.tar", rawTar(func(b []byte) { b[156] = 'S'; size("00000000000\x00")(b) }, strings.Repeat("\xff", 512))),
		hostileArchive("cut off", "a.tar", func(t *testing.T) []byte { return tarOf(tar.Header{Name: "d/x"})(t)[:514] }),
		hostileArchive("empty", "a.tar", bytesOf(nil)), hostileArchive("nonsense", "a.tar.gz", bytesOf([]byte(strings.Repeat("nonsense", 1000)))),
		hostileArchive("another format", "a.tar.xz", bytesOf(gzipOf(1, []byte("x")))), hostileArchive("nothing but zeros", "a.tar.gz", bytesOf(gzipOf(1, make([]byte, zeros)))),
		hostileArchive("a gzip bomb", "a.tar.gz", func(t *testing.T) []byte {
			return append(gzipOf(1, rawTar(size("37777777777\x00"), "")(t)), gzipOf(80, make([]byte, zeros))...)
		}),
		large(hostileArchive("an xz bomb", "a.tar.xz", func(t *testing.T) []byte {
			var b bytes.Buffer
			w, err := xz.NewWriter(&b)
			if err != nil {
				t.Fatal(err)
			}
			w.Write(rawTar(size("37777777777\x00"), "")(t))
			w.Write(make([]byte, zeros))
			w.Close()
			return bytes.Repeat(b.Bytes(), 20)
		})),
		hostileArchive("a zstd bomb", "a.tar.zst", func(t *testing.T) []byte {
			return append(zst(t, rawTar(size("37777777777\x00"), "")(t)), bytes.Repeat(zst(t, make([]byte, zeros)), 80)...)
		}),
		hostileArchive("a zstd window", "a.tar.zst", bytesOf([]byte("\x28\xb5\x2f\xfd\x00\xff\x00\x00\x00"))),
		hostileArchive("an xz dictionary", "a.tar.xz", bytesOf([]byte("\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x28\x00\x00\x00\xff\xff\xff\xff"))),
		hostileArchive("many empty members", "a.tar.gz", bytesOf(gzipOf(200_000, nil))),
		hostileArchive("many files", "a.tar.gz", func(t *testing.T) []byte {
			var b bytes.Buffer
			for i := range 100_000 {
				b.Write(tarOf(tar.Header{Name: fmt.Sprintf("d/%d", i), Typeflag: tar.TypeSymlink, Linkname: "x"})(t)[:512])
			}
			return gzipOf(1, b.Bytes())
		}),
		hostileArchive("bzip2", "a.tar.bz2", bytesOf([]byte("BZh91AY&SY\xff\xff\xff\xff"))), hostileArchive("zip", "a.zip", bytesOf([]byte("PK\x03\x04"+strings.Repeat("\xff", 100)))),
		hostileArchive("an archive in an archive", "a.tar.gz", func(t *testing.T) []byte {
			inner := gzipOf(1, make([]byte, 1<<20))
			for range 200 {
				inner = gzipOf(1, inner)
			}
			return inner
		}),
	})
}
