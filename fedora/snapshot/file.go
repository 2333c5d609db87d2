package snapshot

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"specgraft/fedora/cache"
	"specgraft/fedora/distgit"
)

// A snapshot file holds everything there is to a commit's files:
//
//	magic
//	content of each distinct blob, one after the other
//	index: commit, tree, number of files, per file path, mode, offset, size, checksum; then all blob names
//	trailer: offset, length and checksum of the index, magic
//
// The index stands at the end, so that writing streams; small files are read
// whole in one go, so that reading does not care. A file that was cut off has
// no trailer. The format's version is part of the magic and of the directory
// that the files are kept in.
const (
	fileMagic   = "sgsnap1\n"
	trailerSize = 8 + 4 + 4 + len(fileMagic)
	smallFile   = 64 << 10
	wholeFile   = 256 << 10 // what is larger is read piece by piece
	maxIndex    = 64 << 20
)

var (
	errFile    = errors.New("not a complete snapshot file")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// A Place is where a file's content stands in the snapshot file.
type Place struct {
	off int64
	crc uint32
}

// A index is a decoded index.
type index struct {
	commit, tree string
	files        []File // without their source
	where        []Place
}

// encode returns the bytes of the index.
func (x *index) encode() []byte {
	var b []byte
	str := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	str(x.commit)
	str(x.tree)
	b = binary.AppendUvarint(b, uint64(len(x.files)))
	for i, f := range x.files {
		str(f.Path)
		mode := byte(0)
		if f.Mode&0o111 != 0 {
			mode = 1
		}
		b = append(b, mode)
		b = binary.AppendUvarint(b, uint64(x.where[i].off))
		b = binary.AppendUvarint(b, uint64(f.Size))
		b = binary.LittleEndian.AppendUint32(b, x.where[i].crc)
	}
	for _, f := range x.files {
		id, _ := hex.DecodeString(f.ID)
		b = append(b, id...)
	}
	return b
}

// decodeIndex reads an index; end is where the content ends.
func decodeIndex(data []byte, end int64) (*index, error) {
	text := string(data) // paths become parts of this one string
	bad := false
	num := func() int64 {
		v, n := binary.Uvarint(data)
		if n <= 0 || v > 1<<50 {
			bad = true
			return 0
		}
		data = data[n:]
		return int64(v)
	}
	str := func() string {
		n := num()
		if bad || n > int64(len(data)) {
			bad = true
			return ""
		}
		at := len(text) - len(data)
		data = data[n:]
		return text[at : at+int(n)]
	}
	x := &index{commit: str(), tree: str()}
	n := num()
	if bad || n > int64(len(data)) || !distgit.IsObjectID(x.commit) || !distgit.IsObjectID(x.tree) {
		return nil, errFile
	}
	x.files = make([]File, n)
	x.where = make([]Place, n)
	for i := range x.files {
		f := &x.files[i]
		f.Path = str()
		if bad || len(data) == 0 {
			return nil, errFile
		}
		f.Mode = 0o644
		if data[0] == 1 {
			f.Mode = 0o755
		}
		data = data[1:]
		x.where[i].off, f.Size = num(), num()
		if bad || len(data) < 4 || x.where[i].off < int64(len(fileMagic)) || x.where[i].off+f.Size > end ||
			!validPath(f.Path) || i > 0 && x.files[i-1].Path >= f.Path {
			return nil, errFile
		}
		x.where[i].crc = binary.LittleEndian.Uint32(data)
		data = data[4:]
	}
	width := len(x.tree) / 2
	if len(data) != int(n)*width {
		return nil, errFile
	}
	ids := hex.EncodeToString(data)
	for i := range x.files {
		x.files[i].ID = ids[2*width*i : 2*width*(i+1)]
	}
	return x, nil
}

// validPath is fs.ValidPath for names that need not be UTF-8, as in git.
func validPath(p string) bool {
	return fs.ValidPath(p) || !utf8.ValidString(p) && fs.ValidPath(strings.ToValidUTF8(p, "?"))
}

// A stored is an opened snapshot file: its index, and its bytes where it is small.
type stored struct {
	*index
	path  string
	whole []byte // the file's bytes, nil when it is large
}

// read reads a snapshot file. buf is scratch space of smallFile bytes.
// A file that is damaged in any way gives errFile.
func read(path, commit string, buf []byte) (*stored, error) {
	n, full, err := cache.ReadInto(path, buf)
	if err != nil {
		return nil, err
	}
	s := &stored{path: path}
	var tail []byte
	var size int64
	var f *cache.File // of a large one
	if !full {
		s.whole = bytes.Clone(buf[:n])
		tail, size = s.whole, int64(n)
	} else {
		if f, size, err = cache.OpenFile(path); err != nil {
			return nil, err
		}
		defer f.Close()
		if size < smallFile {
			return nil, errFile // it has just become shorter
		}
		if size <= wholeFile { // its files will be wanted, one after the other
			s.whole = make([]byte, size)
			tail = s.whole
		} else {
			tail = make([]byte, smallFile)
		}
		if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
			return nil, errFile
		}
	}
	if len(tail) < trailerSize+len(fileMagic) || !bytes.HasPrefix(buf[:n], []byte(fileMagic)) {
		return nil, errFile
	}
	t := tail[len(tail)-trailerSize:]
	off := int64(binary.LittleEndian.Uint64(t))
	length := int64(binary.LittleEndian.Uint32(t[8:]))
	crc := binary.LittleEndian.Uint32(t[12:])
	if string(t[16:]) != fileMagic || off < 0 || length > maxIndex || off+length != size-int64(trailerSize) {
		return nil, errFile
	}
	var index []byte
	if from := off - (size - int64(len(tail))); from >= 0 {
		index = tail[from : from+length]
	} else {
		index = make([]byte, length)
		if _, err := f.ReadAt(index, off); err != nil {
			return nil, errFile
		}
	}
	if crc32.Checksum(index, castagnoli) != crc {
		return nil, errFile
	}
	if s.index, err = decodeIndex(index, off); err != nil {
		return nil, err
	}
	if commit != "" && s.commit != commit {
		return nil, errFile
	}
	return s, nil
}

// bytes returns the content of file i, checked.
func (s *stored) bytes(i int) ([]byte, error) {
	w, size := s.where[i], s.files[i].Size
	var data []byte
	if s.whole != nil {
		data = s.whole[w.off : w.off+size : w.off+size]
	} else {
		f, _, err := cache.OpenFile(s.path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		data = make([]byte, size)
		if _, err := f.ReadAt(data, w.off); err != nil {
			return nil, errFile
		}
	}
	if crc32.Checksum(data, castagnoli) != w.crc {
		return nil, errFile
	}
	return data, nil
}

// A Writer writes a snapshot file, blob after blob.
type Writer struct {
	commit string
	w      io.Writer
	off    int64
	err    error
}

// Write writes the snapshot file of a commit, or of the source package with that
// checksum, to the cache. The function writes all blobs and then calls Finish.
func Write(cacheDir, commit string, write func(*Writer) error) error {
	return cache.WriteAtomic(Path(cacheDir, commit), func(w io.Writer) error { return write(newWriter(w, commit)) })
}

func newWriter(w io.Writer, commit string) *Writer {
	s := &Writer{commit: commit, w: w}
	s.write([]byte(fileMagic))
	return s
}

func (s *Writer) write(p []byte) {
	if s.err == nil {
		var n int
		n, s.err = s.w.Write(p)
		s.off += int64(n)
	}
}

// Blob copies one blob of a known size and says where it stands.
func (s *Writer) Blob(r io.Reader, size int64) (Place, error) {
	e := Place{off: s.off}
	sum := crc32.New(castagnoli)
	n, err := io.Copy(io.MultiWriter(writerFunc(func(p []byte) (int, error) {
		s.write(p)
		return len(p), s.err
	}), sum), io.LimitReader(r, size))
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	e.crc = sum.Sum32()
	return e, err
}

// Finish ends the file: where says where the content of each file stands.
func (s *Writer) Finish(tree string, files []File, where []Place) error {
	x := &index{commit: s.commit, tree: tree, files: files, where: where}
	return s.finish(x)
}

// finish writes index and trailer.
func (s *Writer) finish(x *index) error {
	index := x.encode()
	if len(index) > maxIndex {
		return fmt.Errorf("index of %d bytes", len(index))
	}
	var t []byte
	t = binary.LittleEndian.AppendUint64(t, uint64(s.off))
	t = binary.LittleEndian.AppendUint32(t, uint32(len(index)))
	t = binary.LittleEndian.AppendUint32(t, crc32.Checksum(index, castagnoli))
	t = append(t, fileMagic...)
	s.write(index)
	s.write(t)
	return s.err
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Path returns where the snapshot of a commit is kept below the cache
// directory. Two digits spread the files over 256 directories.
func Path(cacheDir, commit string) string {
	var b strings.Builder
	b.WriteString(cacheDir)
	b.WriteString("/snapshots/v1/")
	b.WriteString(commit[:2])
	b.WriteByte('/')
	b.WriteString(commit[2:])
	return b.String()
}
