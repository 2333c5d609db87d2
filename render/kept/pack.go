package kept

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"specgraft/fedora/cache"
)

// A resultPack is a file with the results of many components. Packs are written
// once and whole, and never changed: several runs on one cache at once add packs of
// their own, and one that removes a pack takes nothing from those that have it
// open. Of several results of a component the one in the pack with the highest
// number counts.
//
//	magic
//	results, one after the other
//	index: per result name, inputs, offset and size
//	trailer: length and checksum of the index, magic
type resultPack struct {
	path   string
	number uint64
	file   *cache.File // nil for one that this run wrote, or cannot read
	bad    bool        // it can be read, and is damaged
	live   int64       // bytes of results that count
}

// A resultPlace is where the result of a component is kept.
type resultPlace struct {
	sum       [sha256.Size]byte // of its inputs
	pack      *resultPack
	off, size int64
}

// Dir is where results are kept below a cache directory.
const Dir = "rendered.v2"

// Open returns what earlier runs kept in a directory, nothing when its name is empty.
// It is read when it is first asked for.
func Open(dir string) *Results { return &Results{dir: dir} }

const (
	packMagic   = "sgpack2\n"
	packTrailer = 4 + 4 + len(packMagic)
	packTail    = 16 << 10 // that most indexes fit into
	// packBytes is how much is put into one pack: what a run loses that is killed.
	packBytes = 4 << 20
	// maxSmallPacks is how many packs may be less than half full before they are
	// made into one, maxPacks how many are read at all.
	maxSmallPacks = 16
	maxPacks      = 4096
	maxPackIndex  = 16 << 20
)

var errPack = errors.New("not a complete pack of results")

// A resultBatch is what is to become a pack.
type resultBatch struct {
	entries []packedResult
	size    int
}

type packedResult struct {
	name string
	sum  [sha256.Size]byte
	data []byte
}

// find returns where the result of a component is kept.
func (s *Results) find(name string) (at resultPlace, ok bool) {
	if s.dir == "" {
		return at, false
	}
	s.once.Do(s.load)
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok = s.latest[name]
	return at, ok
}

// read reads the result, whose size data has.
func (p resultPlace) read(data []byte) error {
	if p.pack.file == nil {
		return os.ErrClosed
	}
	_, err := p.pack.file.ReadAt(data, p.off)
	return err
}

// load reads the indexes of all packs, several at a time.
func (s *Results) load() {
	s.latest = map[string]resultPlace{}
	list, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	for _, e := range list { // sorted
		digits, _, ok := strings.Cut(e.Name(), ".")
		n, err := strconv.ParseUint(digits, 16, 64)
		if ok && len(digits) == 16 && err == nil && len(s.packs) < maxPacks {
			s.packs = append(s.packs, &resultPack{path: filepath.Join(s.dir, e.Name()), number: n})
			s.next = max(s.next, n+1)
		}
	}
	indexes := make([]map[string]resultPlace, len(s.packs))
	var next atomic.Int64
	var readers sync.WaitGroup
	for range min(16, len(s.packs)) {
		readers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(s.packs); i = int(next.Add(1)) - 1 {
				indexes[i] = s.packs[i].open()
			}
		})
	}
	readers.Wait()
	for _, index := range indexes {
		for name, at := range index {
			s.note(name, at)
		}
	}
}

// note takes down where the latest result of a component is.
func (s *Results) note(name string, at resultPlace) {
	if old, ok := s.latest[name]; ok {
		old.pack.live -= old.size
	}
	at.pack.live += at.size
	s.latest[name] = at
}

// open opens a pack and returns its index, nil when it is damaged.
func (p *resultPack) open() map[string]resultPlace {
	f, size, err := cache.OpenFile(p.path)
	if err != nil {
		return nil
	}
	index, err := p.readIndex(f, size)
	if err != nil {
		f.Close()
		p.bad = errors.Is(err, errPack)
		return nil
	}
	p.file = f
	return index
}

func (p *resultPack) readIndex(f io.ReaderAt, size int64) (map[string]resultPlace, error) {
	tail := make([]byte, min(size, packTail))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return nil, err
	}
	if len(tail) < packTrailer {
		return nil, errPack
	}
	trailer := tail[len(tail)-packTrailer:]
	length := int64(binary.LittleEndian.Uint32(trailer))
	sum := binary.LittleEndian.Uint32(trailer[4:])
	from := size - int64(packTrailer) - length
	if string(trailer[8:]) != packMagic || from < int64(len(packMagic)) || length > maxPackIndex {
		return nil, errPack
	}
	if length > int64(len(tail)-packTrailer) {
		tail = make([]byte, length+int64(packTrailer))
		if _, err := f.ReadAt(tail, from); err != nil {
			return nil, err
		}
	}
	index := tail[int64(len(tail)-packTrailer)-length:][:length]
	if crc32.Checksum(index, castagnoli) != sum {
		return nil, errPack
	}
	return p.decodeIndex(index, from)
}

// decodeIndex reads the index of a pack whose results end at an offset.
func (p *resultPack) decodeIndex(data []byte, end int64) (map[string]resultPlace, error) {
	if end < 0 {
		return nil, errPack
	}
	all := string(data) // names become parts of this one string
	known := map[string]resultPlace{}
	for len(data) > 0 {
		n, k := binary.Uvarint(data)
		if k <= 0 || n > uint64(len(data)-k) {
			return nil, errPack
		}
		at := len(all) - len(data) + k
		name := all[at : at+int(n)]
		data = data[k+int(n):]
		place := resultPlace{pack: p}
		if len(data) < len(place.sum) {
			return nil, errPack
		}
		data = data[copy(place.sum[:], data):]
		off, k := binary.Uvarint(data)
		size, l := binary.Uvarint(data[max(k, 0):])
		if k <= 0 || l <= 0 || size > maxResult || off < uint64(len(packMagic)) || off > uint64(end) || size > uint64(end)-off {
			return nil, errPack
		}
		place.off, place.size = int64(off), int64(size)
		data = data[k+l:]
		known[name] = place
	}
	return known, nil
}

// add takes a result into the batch. Whoever fills it writes it; nobody waits for
// that.
func (s *Results) add(name string, sum [sha256.Size]byte, data []byte) {
	s.mu.Lock()
	s.batch.entries = append(s.batch.entries, packedResult{name, sum, data})
	s.batch.size += len(data)
	var full resultBatch
	if s.batch.size >= packBytes {
		full, s.batch = s.batch, resultBatch{}
	}
	s.mu.Unlock()
	s.write(full)
}

// write makes a pack of a batch, and reports whether there is nothing that could
// not be written.
func (s *Results) write(b resultBatch) bool {
	if len(b.entries) == 0 {
		return true
	}
	s.mu.Lock()
	p := &resultPack{number: s.next}
	s.next++
	s.mu.Unlock()
	// Another run may have come to the same number.
	p.path = filepath.Join(s.dir, fmt.Sprintf("%016x.%.8s", p.number, rand.Text()))
	places := make([]resultPlace, len(b.entries))
	err := cache.WriteAtomic(p.path, func(w io.Writer) error {
		var index []byte
		off := int64(len(packMagic))
		_, err := io.WriteString(w, packMagic)
		for i, e := range b.entries {
			if err != nil {
				return err
			}
			_, err = w.Write(e.data)
			places[i] = resultPlace{e.sum, p, off, int64(len(e.data))}
			index = binary.AppendUvarint(index, uint64(len(e.name)))
			index = append(index, e.name...)
			index = append(index, e.sum[:]...)
			index = binary.AppendUvarint(index, uint64(off))
			index = binary.AppendUvarint(index, uint64(len(e.data)))
			off += int64(len(e.data))
		}
		trailer := binary.LittleEndian.AppendUint32(nil, uint32(len(index)))
		trailer = binary.LittleEndian.AppendUint32(trailer, crc32.Checksum(index, castagnoli))
		_, err = w.Write(slices.Concat(index, trailer, []byte(packMagic)))
		return err
	})
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.packs = append(s.packs, p)
	for i, e := range b.entries {
		s.note(e.name, places[i])
	}
	s.wrote = true
	return true
}

// Close writes what is not written yet and lets the packs go. Only one that added
// something tidies up.
func (s *Results) Close() {
	s.write(s.batch)
	s.batch = resultBatch{}
	if s.wrote {
		s.tidy()
	}
	for _, p := range s.packs {
		if p.file != nil {
			p.file.Close()
		}
	}
	s.packs, s.latest = nil, nil
}

// tidy removes packs in which nothing counts any more, and puts what counts in small
// ones together when there are many.
func (s *Results) tidy() {
	var small []*resultPack
	for _, p := range s.packs {
		switch {
		case p.bad, p.file != nil && p.live == 0:
			os.Remove(p.path)
		case p.file != nil && p.live < packBytes/2:
			small = append(small, p)
		}
	}
	if len(small) <= maxSmallPacks {
		return
	}
	var names []string
	for name, at := range s.latest {
		if slices.Contains(small, at.pack) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b resultBatch
	for i, name := range names {
		at := s.latest[name]
		data := make([]byte, at.size)
		if at.read(data) == nil && bytes.HasPrefix(data, []byte(resultMagic)) {
			b.entries = append(b.entries, packedResult{name, at.sum, data})
			b.size += len(data)
		}
		if b.size >= packBytes || i == len(names)-1 {
			if !s.write(b) {
				return
			}
			b = resultBatch{}
		}
	}
	for _, p := range small {
		os.Remove(p.path)
	}
}
