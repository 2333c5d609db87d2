package unpack

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// FuzzOpen unpacks anything as anything; memory and time are those of what
// comes out, of which the caller takes as much as it wants.
func FuzzOpen(f *testing.F) {
	text := bytes.Repeat([]byte("a boat "), 1000)
	packed := func(open func(io.Writer) (io.WriteCloser, error)) []byte {
		var b bytes.Buffer
		w, err := open(&b)
		if err == nil {
			_, err = w.Write(text)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			f.Fatal(err)
		}
		return b.Bytes()
	}
	f.Add(packed(func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }), "gzip")
	f.Add(packed(func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }), "xz")
	f.Add(packed(func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) }), "lzma")
	f.Add(packed(func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }), "zstd")
	f.Add([]byte("BZh91AY&SY"), "bzip2")
	f.Add(text, "")
	f.Fuzz(func(t *testing.T, data []byte, kind string) {
		r, err := Open(bytes.NewReader(data), kind)
		if err != nil {
			return
		}
		defer r.Close()
		if n, _ := io.Copy(io.Discard, io.LimitReader(r, 16<<20)); kind == "" && n != int64(len(data)) {
			t.Errorf("%d bytes of %d", n, len(data))
		}
	})
}
