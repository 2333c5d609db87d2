package cache

import (
	"hash"
	"io"
)

// A piece of a large file is done with soon. Neither a read that the kernel has
// begun nor a digest of the standard library, which is assembly, is interrupted:
// over a file of a gigabyte they would keep a program from ending that is told to.
const piece = 1 << 20

// Pieces returns a reader that reads from r in pieces.
func Pieces(r io.Reader) io.Reader { return pieces{r} }

type pieces struct{ r io.Reader }

func (p pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), piece)]) }

// Digest adds data to h in pieces.
func Digest(h hash.Hash, data []byte) {
	for len(data) > piece {
		h.Write(data[:piece])
		data = data[piece:]
	}
	h.Write(data)
}
