package distgit

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sort"
	"strings"

	"specgraft/fedora/cache"
)

// Bounds on pack files. Git makes chains of 50 deltas, and 4,095 when it is told
// to; what one object costs in all is bounded, whatever its chain looks like.
const (
	maxPackIndex  = 256 << 20
	maxChain      = 4096
	maxChainBytes = 1 << 30  // that the chain of one object may take to put together
	wholePack     = 2 << 20  // smaller packs are read in one go
	packWindow    = 64 << 10 // of larger ones, read at a time
)

// Types of objects in a pack. Trees, commits and so on are their numbers.
const (
	packCommit   = 1
	packTree     = 2
	packBlob     = 3
	packTag      = 4
	packOfsDelta = 6
	packRefDelta = 7
)

var packKinds = [...]string{packCommit: "commit", packTree: "tree", packBlob: "blob", packTag: "tag"}

// errForeign says that a repository keeps objects in a way only git itself
// knows.
var errForeign = errors.New("objects are stored in a way only git can read")

// A packFile is an open pack file with its index of version 2.
type packFile struct {
	path  string // without the suffix
	index []byte
	n     int
	file  *cache.File // nil when whole has all of it
	size  int64
	whole []byte
}

// openPack opens the pack at path.pack and path.idx. Everything in the index
// that would later lead out of the files is checked here.
func openPack(path string) (*packFile, error) {
	p := &packFile{path: path}
	index, err := readSized(path+".idx", maxPackIndex)
	if err != nil {
		return nil, err
	}
	p.index = index
	if len(index) < 8+256*4+40 || !bytes.HasPrefix(index, []byte("\xfftOc\x00\x00\x00\x02")) {
		return nil, errForeign // version 1, of before 2007, has no magic
	}
	last := uint32(0)
	for i := range 256 {
		n := binary.BigEndian.Uint32(index[8+4*i:])
		if n < last {
			return nil, p.damaged("the index is not in order")
		}
		last = n
	}
	p.n = int(last)
	rest := int64(len(index)) - 8 - 256*4 - 40 - 28*int64(p.n)
	if rest < 0 || rest%8 != 0 || rest/8 > int64(p.n) {
		return nil, p.damaged("the index is cut off")
	}
	f, size, err := cache.OpenFile(path + ".pack")
	if err != nil {
		return nil, err
	}
	p.size = size
	if p.size <= wholePack {
		defer f.Close()
		p.whole = make([]byte, p.size)
		if _, err := f.ReadAt(p.whole, 0); err != nil {
			return nil, p.damaged("the pack is cut off")
		}
	} else {
		p.file = f
	}
	head := make([]byte, 12)
	if p.size < 12+20 || p.readAt(head, 0) != nil || string(head[:4]) != "PACK" {
		p.close()
		return nil, p.damaged("not a pack")
	}
	if v := binary.BigEndian.Uint32(head[4:]); v != 2 && v != 3 {
		p.close()
		return nil, errForeign
	}
	return p, nil
}

// again opens the pack once more. Its index is shared, as nobody changes it.
func (p *packFile) again() (*packFile, error) {
	q := *p
	if p.file == nil {
		return &q, nil
	}
	f, size, err := cache.OpenFile(p.path + ".pack")
	if err != nil {
		return nil, err
	}
	if size != p.size {
		f.Close()
		return nil, p.damaged("another pack has its name")
	}
	q.file = f
	return &q, nil
}

// readSized reads a whole file by its size, one that is longer than limit being
// foreign.
func readSized(path string, limit int64) ([]byte, error) {
	f, size, err := cache.OpenFile(path)
	if errors.Is(err, cache.ErrIrregular) || err == nil && size > limit {
		err = errForeign
	}
	if f != nil {
		defer f.Close()
	}
	if err != nil {
		return nil, err
	}
	data := make([]byte, size)
	if _, err := f.ReadAt(data, 0); err == io.EOF {
		return nil, io.ErrUnexpectedEOF
	} else if err != nil {
		return nil, err
	}
	return data, nil
}

func (p *packFile) close() {
	if p.file != nil {
		p.file.Close()
	}
}

func (p *packFile) damaged(format string, args ...any) error {
	name := p.path[strings.LastIndexByte(p.path, '/')+1:]
	return fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...))
}

func (p *packFile) readAt(b []byte, off int64) error {
	if p.whole != nil {
		if off < 0 || off+int64(len(b)) > int64(len(p.whole)) {
			return io.ErrUnexpectedEOF
		}
		copy(b, p.whole[off:])
		return nil
	}
	_, err := p.file.ReadAt(b, off)
	return err
}

// name returns the name of object i of the index.
func (p *packFile) name(i int) []byte { return p.index[8+256*4+20*i:][:20] }

// find returns the first object of the index whose name is not below id, and
// whether it is id. A shorter id gives the first that begins with it.
func (p *packFile) find(id []byte) (int, bool) {
	if len(id) == 0 {
		return 0, false
	}
	lo, hi := 0, int(binary.BigEndian.Uint32(p.index[8+4*int(id[0]):]))
	if id[0] > 0 {
		lo = int(binary.BigEndian.Uint32(p.index[8+4*int(id[0]-1):]))
	}
	i := lo + sort.Search(hi-lo, func(k int) bool { return bytes.Compare(p.name(lo+k), id) >= 0 })
	return i, i < hi && bytes.HasPrefix(p.name(i), id)
}

// offset returns where object i of the index stands in the pack.
func (p *packFile) offset(i int) (int64, error) {
	table := 8 + 256*4 + 24*p.n
	off := int64(binary.BigEndian.Uint32(p.index[table+4*i:]))
	if off&(1<<31) != 0 {
		large := table + 4*p.n + 8*int(off&(1<<31-1))
		if large+8 > len(p.index)-40 {
			return 0, p.damaged("an offset lies outside of the index")
		}
		v := binary.BigEndian.Uint64(p.index[large:])
		if v > 1<<62 {
			return 0, p.damaged("an offset lies outside of the pack")
		}
		off = int64(v)
	}
	if off < 12 || off >= p.size-20 {
		return 0, p.damaged("an offset lies outside of the pack")
	}
	return off, nil
}

// crc returns the checksum that the index has of object i as it is stored.
func (p *packFile) crc(i int) uint32 { return binary.BigEndian.Uint32(p.index[8+256*4+20*p.n+4*i:]) }

// rangeCRC computes the checksum of a part of the pack.
func (p *packFile) rangeCRC(from, to int64) (uint32, error) {
	if p.whole != nil {
		return crc32.ChecksumIEEE(p.whole[from:to]), nil
	}
	h := crc32.NewIEEE()
	_, err := io.Copy(h, io.NewSectionReader(p.file, from, to-from))
	return h.Sum32(), err
}

// A packEntry is the header of an object in a pack.
type packEntry struct {
	kind int
	size int64  // unpacked; of a delta, that of its instructions
	base int64  // of an offset delta: where the base stands
	ref  string // of a reference delta: the name of the base
	data int64  // where the compressed bytes begin
}

// entry reads the header of the object at an offset.
func (p *packFile) entry(off int64) (packEntry, error) {
	var buf [64]byte
	head := buf[:min(int64(len(buf)), p.size-20-off)]
	if err := p.readAt(head, off); err != nil {
		return packEntry{}, p.damaged("the pack is cut off")
	}
	cut := p.damaged("the header of an object is damaged")
	at := 0
	next := func() (byte, bool) {
		if at >= len(head) {
			return 0, false
		}
		at++
		return head[at-1], true
	}
	c, ok := next()
	if !ok {
		return packEntry{}, cut
	}
	e := packEntry{kind: int(c >> 4 & 7), size: int64(c & 15)}
	for shift := 4; c&0x80 != 0; shift += 7 {
		if c, ok = next(); !ok || shift > 50 {
			return e, cut
		}
		e.size |= int64(c&0x7f) << shift
	}
	switch e.kind {
	case packCommit, packTree, packBlob, packTag:
	case packOfsDelta:
		back := int64(0)
		for i := 0; ; i++ {
			if c, ok = next(); !ok || i > 8 {
				return e, cut
			}
			back |= int64(c & 0x7f)
			if c&0x80 == 0 {
				break
			}
			back = (back + 1) << 7
		}
		e.base = off - back
		if back <= 0 || e.base < 12 {
			return e, p.damaged("a delta has its base outside of the pack")
		}
	case packRefDelta:
		if at+20 > len(head) {
			return e, cut
		}
		e.ref = hex.EncodeToString(head[at : at+20])
		at += 20
	default:
		return e, p.damaged("an object has the unknown type %d", e.kind)
	}
	e.data = off + int64(at)
	return e, nil
}

// applyDelta makes an object of its base and the instructions of a delta. Its
// size is at most limit, and is known before anything is allocated.
func applyDelta(base, delta []byte, limit int64) ([]byte, error) {
	bad := errors.New("a delta is damaged")
	number := func() (int64, bool) {
		n := int64(0)
		for shift := 0; ; shift += 7 {
			if len(delta) == 0 || shift > 50 {
				return 0, false
			}
			c := delta[0]
			delta = delta[1:]
			n |= int64(c&0x7f) << shift
			if c&0x80 == 0 {
				return n, true
			}
		}
	}
	from, ok := number()
	if !ok || from != int64(len(base)) {
		return nil, bad
	}
	size, ok := number()
	if !ok {
		return nil, bad
	}
	if size > limit {
		return nil, &sizeError{size}
	}
	out := make([]byte, 0, size)
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		switch {
		case op == 0:
			return nil, bad
		case op < 0x80: // take from the delta
			n := int(op)
			if n > len(delta) || int64(len(out)+n) > size {
				return nil, bad
			}
			out = append(out, delta[:n]...)
			delta = delta[n:]
		default: // copy from the base
			var at, n int64
			for i := range 4 {
				if op&(1<<i) != 0 {
					if len(delta) == 0 {
						return nil, bad
					}
					at |= int64(delta[0]) << (8 * i)
					delta = delta[1:]
				}
			}
			for i := range 3 {
				if op&(0x10<<i) != 0 {
					if len(delta) == 0 {
						return nil, bad
					}
					n |= int64(delta[0]) << (8 * i)
					delta = delta[1:]
				}
			}
			if n == 0 {
				n = 0x10000
			}
			if at+n > int64(len(base)) || int64(len(out))+n > size {
				return nil, bad
			}
			out = append(out, base[at:at+n]...)
		}
	}
	if int64(len(out)) != size {
		return nil, bad
	}
	return out, nil
}

// A sizeError says that an object is larger than what is accepted of it.
type sizeError struct{ size int64 }

func (e *sizeError) Error() string { return fmt.Sprintf("an object has %d bytes", e.size) }
