// Package kept keeps, from one run to the next, what components were rendered to.
package kept

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"io/fs"
	"path/filepath"
	"sync"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// Results keep what components were last rendered to, so that writing a tree anew
// costs reading that. What a component followed from is kept with it, and it counts
// only while that is so; of two projects that share a cache the one that rendered
// last is remembered. They are those of one run: what a run adds is read by later
// ones.
//
// Many results are in one file, see resultPack. Each has a checksum of its own:
//
//	magic
//	inputs, commit, warnings, number of files, per file path, mode and size
//	content of the files, one after the other
//	checksum of all that
type Results struct {
	dir string // empty: nothing is kept

	once   sync.Once // reads what is kept
	mu     sync.Mutex
	packs  []*resultPack
	latest map[string]resultPlace // by component
	batch  resultBatch            // not written yet
	next   uint64                 // number of the next pack
	wrote  bool
}

const (
	resultMagic = "sgrend1\n"
	// maxResult is the most bytes that are kept of a component; what is larger is
	// rendered each time.
	maxResult = 8 << 20
	// usualResult is how large nearly all are.
	usualResult = 256 << 10
)

// Inputs are what a component was rendered from.
type Inputs struct {
	Sum    [sha256.Size]byte // of everything
	Commit string            // upstream
}

// A Component is one as it was rendered earlier.
type Component struct {
	Diags diag.List
	Files []*overlay.File // sorted by path
	buf   *[]byte         // that their content lies in, nil when it is theirs alone
}

// resultBuffers are what usual results are read into.
var resultBuffers = sync.Pool{New: func() any { b := make([]byte, usualResult); return &b }}

// Release gives the memory back that the content of the files lies in.
func (k *Component) Release() {
	if k.buf != nil {
		resultBuffers.Put(k.buf)
		k.buf = nil
	}
}

// Own returns the files for use after release.
func (k *Component) Own() []*overlay.File {
	k.buf = nil
	return k.Files
}

// Get returns what the component was rendered to from the same inputs, nil when
// that is not known. It is to be released.
func (s *Results) Get(name string, in *Inputs) *Component {
	at, ok := s.find(name)
	if !ok || at.sum != in.Sum {
		return nil
	}
	if at.size > usualResult {
		data := make([]byte, at.size)
		if at.read(data) != nil {
			return nil
		}
		return decodeResult(data, in)
	}
	buf := resultBuffers.Get().(*[]byte)
	data := (*buf)[:at.size]
	if at.read(data) == nil {
		if k := decodeResult(data, in); k != nil {
			k.buf = buf
			return k
		}
	}
	resultBuffers.Put(buf)
	return nil
}

// Put keeps what a component was rendered to, unless just that is kept already.
// That this cannot be written costs time, nothing else.
func (s *Results) Put(name string, in *Inputs, files []*overlay.File, diags diag.List) {
	if s.dir == "" {
		return
	}
	size := int64(0)
	for _, f := range files {
		size += f.Size()
	}
	if size > maxResult {
		return
	}
	warnings, ok := PackWarnings(diags)
	if !ok {
		return
	}
	data, err := encodeResult(in, files, warnings, int(size))
	if err != nil || len(data) > maxResult {
		return
	}
	if at, ok := s.find(name); ok && at.sum == in.Sum && at.size == int64(len(data)) {
		if old := make([]byte, at.size); at.read(old) == nil && bytes.Equal(old, data) {
			return
		}
	}
	s.add(name, in.Sum, data)
}

func encodeResult(in *Inputs, files []*overlay.File, warnings []byte, size int) ([]byte, error) {
	b := make([]byte, 0, size+len(warnings)+64*(len(files)+4))
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = append(b, resultMagic...)
	b = append(b, in.Sum[:]...)
	text(in.Commit)
	text(string(warnings))
	b = binary.AppendUvarint(b, uint64(len(files)))
	for _, f := range files {
		text(f.Path)
		b = binary.AppendUvarint(b, uint64(f.Mode.Perm()))
		b = binary.AppendUvarint(b, uint64(f.Size()))
	}
	for _, f := range files {
		data, err := f.Bytes()
		if err != nil {
			return nil, err
		}
		b = append(b, data...)
	}
	return sealResult(b), nil
}

// sealResult appends the checksum.
func sealResult(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// decodeResult reads what encodeResult wrote for the same inputs; nil for anything
// else. The content of the files stays in data.
func decodeResult(data []byte, in *Inputs) *Component {
	body, found := bytes.CutPrefix(data, []byte(resultMagic))
	if !found || len(body) < len(in.Sum)+4 || !bytes.Equal(body[:len(in.Sum)], in.Sum[:]) {
		return nil
	}
	end := len(data) - 4
	if crc32.Checksum(data[:end], castagnoli) != binary.LittleEndian.Uint32(data[end:]) {
		return nil
	}
	body = body[len(in.Sum) : len(body)-4]
	bad := false
	num := func() int {
		v, n := binary.Uvarint(body)
		if n <= 0 || v > maxResult {
			bad = true
			return 0
		}
		body = body[n:]
		return int(v)
	}
	take := func() []byte {
		n := num()
		if bad || n > len(body) {
			bad = true
			return nil
		}
		text := body[:n]
		body = body[n:]
		return text
	}
	if string(take()) != in.Commit {
		return nil
	}
	k := &Component{}
	warnings := take()
	n := num()
	if bad || n > len(body) {
		return nil
	}
	type header struct {
		path string
		mode fs.FileMode
		size int
	}
	heads := make([]header, n)
	for i := range heads {
		heads[i] = header{string(take()), fs.FileMode(num()).Perm(), num()}
		if bad || !filepath.IsLocal(heads[i].path) {
			return nil
		}
	}
	k.Files = make([]*overlay.File, n)
	for i, h := range heads {
		if h.size > len(body) {
			return nil
		}
		k.Files[i] = overlay.NewFile(h.path, h.mode, body[:h.size:h.size], nil)
		body = body[h.size:]
	}
	if len(warnings) == 0 {
		warnings = nil
	}
	var ok bool
	if k.Diags, ok = UnpackWarnings(warnings); !ok || len(body) > 0 {
		return nil
	}
	return k
}
