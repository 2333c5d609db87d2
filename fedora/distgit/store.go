package distgit

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zlib"

	"specgraft/fedora/cache"
)

// objectStore reads the objects of a repository from its pack and loose files,
// without a process. It knows what nearly all repositories consist of; for
// everything else (alternates, multi-pack indexes, partial clones, SHA-256 names,
// formats to come) openObjects says errForeign, and git is asked instead.
//
// Files are not to be believed: sizes and chains of deltas are bounded, and what
// is handed out has the hash that it is called by, which git itself does not
// check when it reads.
type objectStore struct {
	dir   string // of objects
	packs []*packFile
	names string // of the packs, as the directory lists them

	bases map[baseKey][]byte // unpacked objects that deltas may build upon
	kinds map[baseKey]string
	held  int // bytes in bases

	inflate  io.ReadCloser // reused, as are its inputs
	memory   bytes.Reader
	window   *bufio.Reader // for large packs
	section  *io.SectionReader
	last     *packFile // whose object was inflated last
	lastData int64     // where its compressed bytes begin
}

type baseKey struct {
	pack *packFile
	off  int64
}

// maxBases bounds the bytes of objects kept for deltas.
const maxBases = 16 << 20

// openObjects opens the objects of a repository, errForeign when git has to.
func openObjects(at Dir) (*objectStore, error) {
	if !plainConfig(filepath.Join(at.Common, "config")) {
		return nil, errForeign
	}
	s := &objectStore{dir: filepath.Join(at.Common, "objects"), bases: map[baseKey][]byte{}, kinds: map[baseKey]string{}}
	for _, name := range []string{"info/alternates", "info/http-alternates", "pack/multi-pack-index"} {
		if st, err := os.Lstat(filepath.Join(s.dir, name)); err == nil && st.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, errForeign
		}
	}
	if _, err := s.scan(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// plainConfig reports whether a repository's configuration has no extensions
// that say how objects are stored. Nothing else in it changes what they are.
func plainConfig(path string) bool {
	data, err := cache.ReadBounded(path, 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	text := strings.ToLower(string(data))
	return err == nil && !strings.Contains(text, "extensions") && !strings.Contains(text, "promisor") &&
		!strings.Contains(text, "partialclone") && !strings.Contains(text, "include")
}

// scan opens the packs that are there, and reports whether they are others than
// before.
func (s *objectStore) scan() (changed bool, err error) {
	files, err := os.ReadDir(filepath.Join(s.dir, "pack"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var bases []string
	for _, f := range files {
		name := f.Name()
		if strings.HasSuffix(name, ".promisor") || name == "multi-pack-index" || strings.HasPrefix(name, "multi-pack-index") {
			return false, errForeign
		}
		if base, ok := strings.CutSuffix(name, ".idx"); ok && strings.HasPrefix(base, "pack-") {
			bases = append(bases, base)
		}
	}
	if len(bases) > 1000 {
		return false, errForeign
	}
	names := strings.Join(bases, "\n")
	if names == s.names {
		return false, nil
	}
	old := s.packs
	var packs []*packFile
	for _, base := range bases {
		p, err := openPack(filepath.Join(s.dir, "pack", base))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile, or its pack is not there yet
		}
		if err != nil {
			for _, p := range packs {
				p.close()
			}
			return false, err
		}
		packs = append(packs, p)
	}
	for _, p := range old {
		p.close()
	}
	s.packs, s.names = packs, names
	s.forget()
	return true, nil
}

func (s *objectStore) forget() {
	clear(s.bases)
	clear(s.kinds)
	s.held = 0
}

func (s *objectStore) close() {
	for _, p := range s.packs {
		p.close()
	}
	s.packs = nil
}

// limitOf returns how large an object of a kind may be to be read into memory.
func limitOf(kind string) int64 {
	switch kind {
	case "commit", "tag":
		return maxCommit
	case "tree":
		return maxTree
	}
	return maxObject
}

// open finds an object and returns its header and content. What is larger than
// its kind may be has a header alone, and reading it fails.
func (s *objectStore) open(id string) (object, io.Reader, error) {
	o, body, err := s.lookup(id)
	if err == nil && o.missing {
		// Somebody may have repacked the repository in the meantime.
		if changed, serr := s.scan(); serr != nil {
			return o, nil, serr
		} else if changed {
			return s.lookup(id)
		}
	}
	return o, body, err
}

func (s *objectStore) lookup(id string) (object, io.Reader, error) {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != 20 {
		return object{missing: true}, nil, nil
	}
	for _, p := range s.packs {
		if i, ok := p.find(raw); ok {
			return s.packed(p, i, id)
		}
	}
	return s.loose(id)
}

// packed reads object i of a pack.
func (s *objectStore) packed(p *packFile, i int, id string) (object, io.Reader, error) {
	off, err := p.offset(i)
	if err != nil {
		return object{}, nil, err
	}
	e, err := p.entry(off)
	if err != nil {
		return object{}, nil, err
	}
	if e.kind < packOfsDelta {
		kind := packKinds[e.kind]
		if e.size > limitOf(kind) {
			return object{id: id, kind: kind, size: e.size}, failedReader{&sizeError{e.size}}, nil
		}
		if kind == "blob" && e.size > streamed {
			body, err := s.stream(p, e, id)
			return object{id: id, kind: kind, size: e.size}, body, err
		}
	}
	kind, data, err := s.unpack(p, off)
	if big, ok := errors.AsType[*sizeError](err); ok {
		return object{id: id, kind: kindOrBlob(kind), size: big.size}, failedReader{err}, nil
	}
	if err != nil {
		return object{}, nil, err
	}
	if int64(len(data)) > limitOf(kind) {
		return object{id: id, kind: kind, size: int64(len(data))}, failedReader{&sizeError{int64(len(data))}}, nil
	}
	if nameOf(kind, data) != id {
		return object{}, nil, p.damaged("object %s has other content than its name says", ShortID(id))
	}
	if err := s.checkCRC(p, i, off, e); err != nil {
		return object{}, nil, err
	}
	return object{id: id, kind: kind, size: int64(len(data))}, bytes.NewReader(data), nil
}

// kindOrBlob returns the kind of an object that was too large to be put together.
func kindOrBlob(kind string) string {
	if kind == "" {
		return "blob"
	}
	return kind
}

// checkCRC compares the compressed bytes of object i with the index. The hash
// says that the content is right; this says that the index is, too. How long the
// object is stored is only known when it was the last one that was inflated.
func (s *objectStore) checkCRC(p *packFile, i int, off int64, e packEntry) error {
	if s.last != p || s.lastData != e.data {
		return nil
	}
	sum, err := p.rangeCRC(off, s.inflatedTo())
	if err != nil {
		return err
	}
	if sum != p.crc(i) {
		return p.damaged("an object does not have the checksum that is in the index")
	}
	return nil
}

// streamed is the size from which whole blobs are handed on as they are
// inflated.
const streamed = 1 << 20

// A failedReader gives an error.
type failedReader struct{ err error }

func (f failedReader) Read([]byte) (int, error) { return 0, f.err }

// nameOf returns the name of an object.
func nameOf(kind string, data []byte) string {
	h := sha1.New()
	var head [32]byte
	h.Write(append(strconv.AppendInt(append(append(head[:0], kind...), ' '), int64(len(data)), 10), 0))
	cache.Digest(h, data)
	var sum [20]byte
	return hex.EncodeToString(h.Sum(sum[:0]))
}

// unpack puts the object at an offset together, from the whole object at the end
// of its chain of deltas on.
func (s *objectStore) unpack(p *packFile, off int64) (kind string, data []byte, err error) {
	type link struct {
		key baseKey
		e   packEntry
	}
	var chain []link
	var seen map[baseKey]bool
	spent := int64(0)
	for at := (baseKey{p, off}); ; {
		if cached, ok := s.bases[at]; ok {
			kind, data = s.kinds[at], cached
			break
		}
		if seen[at] {
			return "", nil, at.pack.damaged("a chain of deltas leads back to itself")
		}
		if len(chain) > maxChain {
			return "", nil, at.pack.damaged("a chain of more than %d deltas", maxChain)
		}
		e, err := at.pack.entry(at.off)
		if err != nil {
			return "", nil, err
		}
		if e.size > maxObject {
			return "", nil, &sizeError{e.size}
		}
		if e.kind < packOfsDelta {
			kind = packKinds[e.kind]
			if e.size > limitOf(kind) {
				return kind, nil, &sizeError{e.size}
			}
			if data, err = s.inflated(at.pack, e); err != nil {
				return "", nil, err
			}
			spent += e.size
			s.keep(at, kind, data)
			break
		}
		if len(chain) == 0 {
			seen = map[baseKey]bool{}
		}
		seen[at] = true
		chain = append(chain, link{at, e})
		if e.kind == packOfsDelta {
			at = baseKey{at.pack, e.base}
			continue
		}
		next, whole, wholeKind, err := s.base(at.pack, e.ref)
		if err != nil {
			return "", nil, err
		}
		if whole != nil {
			kind, data = wholeKind, whole
			break
		}
		at = next
	}
	limit := limitOf(kind)
	for i := len(chain) - 1; i >= 0; i-- {
		l := chain[i]
		delta, err := s.inflated(l.key.pack, l.e)
		if err != nil {
			return "", nil, err
		}
		data, err = applyDelta(data, delta, limit)
		if big, ok := errors.AsType[*sizeError](err); ok {
			return kind, nil, big
		}
		if err != nil {
			return "", nil, l.key.pack.damaged("%v", err)
		}
		if spent += int64(len(data) + len(delta)); spent > maxChainBytes {
			return "", nil, l.key.pack.damaged("a chain of deltas takes more than %d MiB to put together", maxChainBytes>>20)
		}
		s.keep(l.key, kind, data)
	}
	return kind, data, nil
}

// base finds the base of a reference delta: in the same pack, or as a whole
// object elsewhere.
func (s *objectStore) base(p *packFile, id string) (next baseKey, whole []byte, kind string, err error) {
	raw, err := hex.DecodeString(id)
	if err != nil {
		return next, nil, "", err
	}
	for _, q := range append([]*packFile{p}, s.packs...) {
		if i, ok := q.find(raw); ok {
			off, err := q.offset(i)
			return baseKey{q, off}, nil, "", err
		}
	}
	o, body, err := s.loose(id)
	if err != nil {
		return next, nil, "", err
	}
	if o.missing {
		return next, nil, "", p.damaged("the base %s of a delta is missing", ShortID(id))
	}
	data, err := o.read(body, limitOf(o.kind))
	if data == nil {
		data = []byte{}
	}
	return next, data, o.kind, err
}

// keep remembers an object for deltas that build upon it.
func (s *objectStore) keep(key baseKey, kind string, data []byte) {
	if len(data) > maxBases/4 {
		return
	}
	if s.held+len(data) > maxBases || len(s.bases) > 1<<14 {
		s.forget()
	}
	s.bases[key], s.kinds[key] = data, kind
	s.held += len(data) + 100
}

// inflater prepares reading the compressed bytes of an object, and notes which.
func (s *objectStore) inflater(p *packFile, e packEntry) (io.Reader, error) {
	end := p.size - 20
	if e.data >= end {
		return nil, p.damaged("the pack is cut off")
	}
	s.last, s.lastData = p, e.data
	var in io.Reader // of a type that the decompressor reads byte by byte without a detour
	if p.whole != nil {
		s.memory.Reset(p.whole[e.data:end])
		in = &s.memory
	} else {
		s.section = io.NewSectionReader(p.file, e.data, end-e.data)
		if s.window == nil {
			s.window = bufio.NewReaderSize(nil, packWindow)
		}
		s.window.Reset(s.section)
		in = s.window
	}
	var err error
	if s.inflate == nil {
		s.inflate, err = zlib.NewReader(in)
	} else {
		err = s.inflate.(zlib.Resetter).Reset(in, nil)
	}
	if err != nil {
		s.last = nil
		return nil, p.damaged("the compressed data of an object is damaged")
	}
	return s.inflate, nil
}

// inflatedTo returns the offset behind the object that was inflated last.
func (s *objectStore) inflatedTo() int64 {
	if s.last.whole != nil {
		return s.last.size - 20 - int64(s.memory.Len())
	}
	at, _ := s.section.Seek(0, io.SeekCurrent)
	return s.lastData + at - int64(s.window.Buffered())
}

// inflated reads the bytes of an object or delta in a pack.
func (s *objectStore) inflated(p *packFile, e packEntry) ([]byte, error) {
	z, err := s.inflater(p, e)
	if err != nil {
		return nil, err
	}
	data, err := readDeclared(z, e.size)
	if err != nil {
		return nil, p.damaged("the compressed data of an object is damaged")
	}
	return data, nil
}

// readDeclared reads exactly size bytes, which must be all there are. What comes
// is allocated as it comes: the size is only what somebody declares.
func readDeclared(r io.Reader, size int64) ([]byte, error) {
	data := make([]byte, 0, min(size, 1<<20)+1)
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := r.Read(data[len(data):min(int64(cap(data)), size+1)])
		data = data[:len(data)+n]
		if int64(len(data)) > size {
			return nil, errors.New("more bytes than declared")
		}
		switch {
		case err == io.EOF && int64(len(data)) == size:
			return data, nil
		case err == io.EOF:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
	}
}

// stream returns a reader of a whole blob that hands on what is inflated; at its
// end the hash has been compared.
func (s *objectStore) stream(p *packFile, e packEntry, id string) (io.Reader, error) {
	z, err := s.inflater(p, e)
	if err != nil {
		return nil, err
	}
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", e.size)
	return &blobStream{r: z, left: e.size, h: h, id: id, bad: p.damaged("blob %s is damaged", ShortID(id))}, nil
}

type blobStream struct {
	r    io.Reader
	left int64
	h    hash.Hash
	id   string
	bad  error
}

func (b *blobStream) Read(buf []byte) (int, error) {
	if b.left == 0 {
		if hex.EncodeToString(b.h.Sum(nil)) != b.id {
			return 0, b.bad
		}
		return 0, io.EOF
	}
	n, err := b.r.Read(buf[:min(int64(len(buf)), b.left)])
	b.h.Write(buf[:n])
	b.left -= int64(n)
	switch {
	case b.left == 0 && hex.EncodeToString(b.h.Sum(nil)) != b.id:
		return 0, b.bad // before the last bytes are handed out
	case err != nil && b.left > 0:
		return n, b.bad
	}
	return n, nil
}

// loose reads an object from a file of its own.
func (s *objectStore) loose(id string) (object, io.Reader, error) {
	f, stored, err := cache.OpenFile(filepath.Join(s.dir, id[:2], id[2:]))
	if errors.Is(err, fs.ErrNotExist) {
		return object{missing: true}, nil, nil
	}
	if err != nil {
		return object{}, nil, err
	}
	defer f.Close()
	bad := fmt.Errorf("loose object %s is damaged", ShortID(id))
	z, err := zlib.NewReader(bufio.NewReader(io.NewSectionReader(f, 0, stored)))
	if err != nil {
		return object{}, nil, bad
	}
	defer z.Close()
	body := bufio.NewReaderSize(z, 4096)
	head, err := body.ReadSlice(0)
	if err != nil {
		return object{}, nil, bad
	}
	kind, digits, _ := strings.Cut(string(head[:len(head)-1]), " ")
	size, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || size < 0 || kind != "commit" && kind != "tree" && kind != "blob" && kind != "tag" {
		return object{}, nil, bad
	}
	o := object{id: id, kind: kind, size: size}
	if size > limitOf(kind) {
		return o, failedReader{&sizeError{size}}, nil
	}
	data, err := readDeclared(body, size)
	if err != nil || nameOf(kind, data) != id {
		return object{}, nil, bad
	}
	return o, bytes.NewReader(data), nil
}
