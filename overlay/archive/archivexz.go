package archive

import (
	"bufio"
	"fmt"
	"math"
)

// An xzGuard passes an xz file on and refuses a block whose dictionary, which
// the decompressor allocates as large as the block declares, is beyond limit.
// It finds the headers of all blocks without unpacking: the chunks of LZMA2
// say how long they are. See the .xz file format 1.1, sections 2 to 4.
type xzGuard struct {
	r     *bufio.Reader
	limit uint64

	pass  int64 // bytes that may pass before the next decision
	state func(*xzGuard) error
	check int64 // bytes of the integrity check of a block
	size  int64 // compressed bytes of the block, or bytes of the index
	left  int64 // varints left in the index; -1 before their number is known
}

func newXZGuard(r *bufio.Reader, limit uint64) *xzGuard {
	return &xzGuard{r: r, limit: limit, state: (*xzGuard).stream}
}

// Read passes bytes on.
func (g *xzGuard) Read(p []byte) (int, error) {
	for g.pass == 0 {
		if err := g.state(g); err != nil {
			return 0, err
		}
	}
	n, err := g.r.Read(p[:min(int64(len(p)), g.pass)])
	g.pass -= int64(n)
	return n, err
}

// free lets everything pass: what is malformed is for the decompressor to refuse.
func (g *xzGuard) free() error {
	g.pass = math.MaxInt64
	return nil
}

// stream expects the header of a stream, or padding between two.
func (g *xzGuard) stream() error {
	head, err := g.r.Peek(12)
	switch {
	case len(head) == 0:
		return err
	case len(head) >= 4 && string(head[:4]) == "\x00\x00\x00\x00":
		g.pass = 4
		return nil
	case len(head) < 12:
		return g.free()
	}
	g.check = [...]int64{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}[head[7]&0xf]
	g.pass, g.state = 12, (*xzGuard).block
	return nil
}

// block expects the header of a block, or the index.
func (g *xzGuard) block() error {
	head, err := g.r.Peek(1)
	if err != nil {
		return g.free()
	}
	if head[0] == 0 {
		g.pass, g.size, g.left, g.state = 1, 1, -1, (*xzGuard).index
		return nil
	}
	n := (int(head[0]) + 1) * 4
	if head, err = g.r.Peek(n); err != nil {
		return g.free()
	}
	p := 2
	skip := func() {
		for p < n && head[p]&0x80 != 0 {
			p++
		}
		p++
	}
	for _, flag := range []byte{0x40, 0x80} { // compressed and uncompressed size
		if head[1]&flag != 0 {
			skip()
		}
	}
	if p+2 >= n || head[p] != 0x21 {
		return g.free() // another filter, which the decompressor does not know
	}
	if code := head[p+2]; code > 40 || (2|uint64(code&1))<<(code/2+11) > g.limit {
		return fmt.Errorf("the dictionary is larger than %d bytes", g.limit)
	}
	g.pass, g.size, g.state = int64(n), 0, (*xzGuard).chunk
	return nil
}

// chunk expects a chunk of LZMA2.
func (g *xzGuard) chunk() error {
	head, _ := g.r.Peek(5)
	switch {
	case len(head) > 0 && head[0] == 0:
		g.size++
		g.pass = 1 + -g.size&3 + g.check
		g.state = (*xzGuard).block
		return nil
	case len(head) >= 3 && head[0] <= 2:
		g.pass = 3 + int64(head[1])<<8 + int64(head[2]) + 1
	case len(head) == 5 && head[0] >= 0x80:
		g.pass = 5 + int64(head[3])<<8 + int64(head[4]) + 1
		if head[0] >= 0xc0 {
			g.pass++ // properties
		}
	default:
		return g.free()
	}
	g.size += g.pass
	return nil
}

// index expects a number of the index: first how many blocks there are, then
// two for each.
func (g *xzGuard) index() error {
	if g.left == 0 {
		g.pass = -g.size&3 + 4 + 12 // padding, checksum, footer
		g.state = (*xzGuard).stream
		return nil
	}
	head, _ := g.r.Peek(9)
	var v uint64
	for i, b := range head {
		v |= uint64(b&0x7f) << (7 * i)
		if b&0x80 != 0 {
			continue
		}
		if g.left < 0 {
			if v > math.MaxInt32 {
				break
			}
			g.left = 2*int64(v) + 1
		}
		g.left--
		g.pass = int64(i + 1)
		g.size += g.pass
		return nil
	}
	return g.free()
}
