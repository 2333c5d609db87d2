package cache

import (
	"bytes"
	"crypto/sha256"
	"io"
	"testing"
)

// TestPieces reads and digests what is larger than a piece: nothing is lost, and
// no read is larger than one.
func TestPieces(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte("anchor"), piece/2)
	largest := 0
	r := readerFunc(func(b []byte) (int, error) { largest = max(largest, len(b)); return 0, io.EOF })
	if _, err := Pieces(r).Read(make([]byte, 3*piece)); err != io.EOF || largest != piece {
		t.Errorf("a read of %d bytes, %v", largest, err)
	}
	got, err := io.ReadAll(Pieces(bytes.NewReader(data)))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes of %d, %v", len(got), len(data), err)
	}
	h, want := sha256.New(), sha256.Sum256(data)
	Digest(h, data)
	if !bytes.Equal(h.Sum(nil), want[:]) {
		t.Error("another digest")
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
