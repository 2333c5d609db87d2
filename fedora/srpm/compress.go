package srpm

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"specgraft/overlay/diag"
)

// DefaultPayload is how rpm compresses the payload of a source package when
// %_source_payload says nothing.
const DefaultPayload = "w9.gzdio"

// A payload is a parsed %_source_payload.
type payload struct {
	compressor string // as PAYLOADCOMPRESSOR has it, "" for none
	flags      string // as PAYLOADFLAGS has it
	level      int    // 0 for the default
	feature    string // rpmlib feature that a reader needs
	version    string // of the feature
}

// parsePayload reads a mode of rpmio: "w", then the level and flags, a dot and
// the name of the compression.
func parsePayload(mode string) (payload, error) {
	flags, name, ok := strings.Cut(mode, ".")
	if !ok || !strings.HasPrefix(flags, "w") {
		return payload{}, badPayload(mode, "it reads like w9.gzdio")
	}
	p := payload{flags: flags[1:]}
	digits := p.flags[:len(p.flags)-len(strings.TrimLeft(p.flags, "0123456789"))]
	if len(digits) > 3 {
		return payload{}, badPayload(mode, "the level is too large")
	}
	p.level, _ = strconv.Atoi(digits)
	switch name {
	case "ufdio":
	case "gzdio":
		p.compressor = "gzip"
	case "xzdio":
		p.compressor, p.feature, p.version = "xz", "PayloadIsXz", "5.2-1"
	case "lzdio":
		p.compressor, p.feature, p.version = "lzma", "PayloadIsLzma", "4.4.6-1"
	case "zstdio":
		p.compressor, p.feature, p.version = "zstd", "PayloadIsZstd", "5.4.18-1"
	case "bzdio":
		return payload{}, badPayload(mode, "bzip2 can only be read here; gzdio, xzdio, lzdio, zstdio and ufdio can be written")
	default:
		return payload{}, badPayload(mode, "rpm has gzdio, xzdio, lzdio, zstdio and, for no compression, ufdio")
	}
	return p, nil
}

func badPayload(mode, why string) error {
	return &diag.Diagnostic{Code: "srpm/payload", Message: fmt.Sprintf("the payload mode %q cannot be used: %s", mode, why),
		Hint: "set %_source_payload in the macro set, or give one with --define '_source_payload w9.gzdio'"}
}

// nopCloser lets a writer stand for a compressor that does nothing.
type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// compress returns a writer that compresses into w. Its output depends on its
// input only.
func (p *payload) compress(w io.Writer) (io.WriteCloser, error) {
	switch p.compressor {
	case "gzip":
		level := p.level
		if level < 1 || level > 9 {
			level = gzip.DefaultCompression
		}
		return gzip.NewWriterLevel(w, level)
	case "zstd":
		level := zstd.SpeedDefault
		if p.level > 0 {
			level = zstd.EncoderLevelFromZstd(p.level)
		}
		return zstd.NewWriter(w, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
	case "xz":
		return xz.WriterConfig{DictCap: dictionary(p.level), CheckSum: xz.CRC32}.NewWriter(w)
	case "lzma":
		return lzma.WriterConfig{DictCap: dictionary(p.level)}.NewWriter(w)
	}
	return nopCloser{w}, nil
}

// dictionary is the size of the dictionary that xz has at a level.
func dictionary(level int) int {
	sizes := [...]int{8 << 20, 1 << 20, 2 << 20, 4 << 20, 4 << 20, 8 << 20, 8 << 20, 16 << 20, 32 << 20, 64 << 20}
	if level < 1 || level >= len(sizes) {
		return sizes[0]
	}
	return sizes[level]
}
