// Package unpack opens compressed data without believing the sizes that it
// declares.
package unpack

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"
	"github.com/xi2/xz"
)

// maxDictionary bounds the memory of a decompressor.
const maxDictionary = 128 << 20

// Open returns a reader for data compressed with gzip, bzip2, xz, lzma or zstd,
// or not at all (""). None takes more than 128 MiB of memory for its dictionary,
// whatever the data asks for.
func Open(r io.Reader, kind string) (io.ReadCloser, error) {
	switch kind {
	case "gzip":
		return gzip.NewReader(r)
	case "bzip2":
		return io.NopCloser(bzip2.NewReader(r)), nil
	case "xz":
		x, err := xz.NewReader(r, maxDictionary)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(x), nil
	case "lzma":
		b := bufio.NewReader(r)
		if head, err := b.Peek(13); err != nil || binary.LittleEndian.Uint32(head[1:]) > maxDictionary {
			return nil, errors.New("the LZMA dictionary is too large")
		}
		l, err := lzma.NewReader(b)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(l), nil
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxDictionary))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case "", "uncompressed", "none":
		return io.NopCloser(r), nil
	}
	return nil, fmt.Errorf("the compression %q is not known", kind)
}
