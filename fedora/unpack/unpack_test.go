package unpack

import (
	"bytes"
	"io"
	"runtime"
	"testing"
)

// TestBombs checks that declared windows are bounded.
func TestBombs(t *testing.T) {
	tests := []struct {
		kind string
		in   []byte
	}{
		// A zstd frame with a window of 2 GiB.
		{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 1, 0, 0}},
		// An LZMA header with a dictionary of 4 GiB - 1.
		{"lzma", append([]byte{0x5d, 0xff, 0xff, 0xff, 0xff}, make([]byte, 20)...)},
		{"nonsense", make([]byte, 20)},
	}
	var before, after runtime.MemStats
	for _, tt := range tests {
		runtime.ReadMemStats(&before)
		r, err := Open(bytes.NewReader(tt.in), tt.kind)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			r.Close()
		}
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", tt.kind)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
			t.Errorf("%s: %d bytes allocated", tt.kind, n)
		}
	}
}
