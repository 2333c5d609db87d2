package fedora

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"
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
	snapMagic   = "sgsnap1\n"
	trailerSize = 8 + 4 + 4 + len(snapMagic)
	smallSnap   = 64 << 10
	maxIndex    = 64 << 20
)

var (
	errSnapFile = errors.New("not a complete snapshot file")
	castagnoli  = crc32.MakeTable(crc32.Castagnoli)
)

// snapEntry is where a file's content stands in the snapshot file.
type snapEntry struct {
	off int64
	crc uint32
}

// A snapIndex is a decoded index.
type snapIndex struct {
	commit, tree string
	files        []File // without their source
	where        []snapEntry
}

// encode returns the bytes of the index.
func (x *snapIndex) encode() []byte {
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
func decodeIndex(data []byte, end int64) (*snapIndex, error) {
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
	x := &snapIndex{commit: str(), tree: str()}
	n := num()
	if bad || n > int64(len(data)) || !isObjectID(x.commit) || !isObjectID(x.tree) {
		return nil, errSnapFile
	}
	x.files = make([]File, n)
	x.where = make([]snapEntry, n)
	for i := range x.files {
		f := &x.files[i]
		f.Path = str()
		if bad || len(data) == 0 {
			return nil, errSnapFile
		}
		f.Mode = 0o644
		if data[0] == 1 {
			f.Mode = 0o755
		}
		data = data[1:]
		x.where[i].off, f.Size = num(), num()
		if bad || len(data) < 4 || x.where[i].off < int64(len(snapMagic)) || x.where[i].off+f.Size > end ||
			!validPath(f.Path) || i > 0 && x.files[i-1].Path >= f.Path {
			return nil, errSnapFile
		}
		x.where[i].crc = binary.LittleEndian.Uint32(data)
		data = data[4:]
	}
	width := len(x.tree) / 2
	if len(data) != int(n)*width {
		return nil, errSnapFile
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

// A snapFile is an opened snapshot file: its index, and its bytes where it is small.
type snapFile struct {
	*snapIndex
	path  string
	whole []byte // the file's bytes, nil when it is large
}

// readSnapFile reads a snapshot file. buf is scratch space of smallSnap bytes.
// A file that is damaged in any way gives errSnapFile.
func readSnapFile(path, commit string, buf []byte) (*snapFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := io.ReadFull(f, buf)
	s := &snapFile{path: path}
	var tail []byte
	var size int64
	switch {
	case err == io.ErrUnexpectedEOF || err == io.EOF:
		s.whole = bytes.Clone(buf[:n])
		tail, size = s.whole, int64(n)
	case err != nil:
		return nil, err
	default:
		fi, err := f.Stat()
		if err != nil {
			return nil, err
		}
		size = fi.Size()
		tail = make([]byte, min(size, smallSnap))
		if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
			return nil, errSnapFile
		}
	}
	if len(tail) < trailerSize+len(snapMagic) || !bytes.HasPrefix(buf[:n], []byte(snapMagic)) {
		return nil, errSnapFile
	}
	t := tail[len(tail)-trailerSize:]
	off := int64(binary.LittleEndian.Uint64(t))
	length := int64(binary.LittleEndian.Uint32(t[8:]))
	crc := binary.LittleEndian.Uint32(t[12:])
	if string(t[16:]) != snapMagic || off < 0 || length > maxIndex || off+length != size-int64(trailerSize) {
		return nil, errSnapFile
	}
	var index []byte
	if from := off - (size - int64(len(tail))); from >= 0 {
		index = tail[from : from+length]
	} else {
		index = make([]byte, length)
		if _, err := f.ReadAt(index, off); err != nil {
			return nil, errSnapFile
		}
	}
	if crc32.Checksum(index, castagnoli) != crc {
		return nil, errSnapFile
	}
	if s.snapIndex, err = decodeIndex(index, off); err != nil {
		return nil, err
	}
	if commit != "" && s.commit != commit {
		return nil, errSnapFile
	}
	return s, nil
}

// bytes returns the content of file i, checked.
func (s *snapFile) bytes(i int) ([]byte, error) {
	w, size := s.where[i], s.files[i].Size
	var data []byte
	if s.whole != nil {
		data = s.whole[w.off : w.off+size : w.off+size]
	} else {
		f, err := os.Open(s.path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		data = make([]byte, size)
		if _, err := f.ReadAt(data, w.off); err != nil {
			return nil, errSnapFile
		}
	}
	if crc32.Checksum(data, castagnoli) != w.crc {
		return nil, errSnapFile
	}
	return data, nil
}

// A snapWriter writes a snapshot file, blob after blob.
type snapWriter struct {
	w   io.Writer
	off int64
	err error
}

func newSnapWriter(w io.Writer) *snapWriter {
	s := &snapWriter{w: w}
	s.write([]byte(snapMagic))
	return s
}

func (s *snapWriter) write(p []byte) {
	if s.err == nil {
		var n int
		n, s.err = s.w.Write(p)
		s.off += int64(n)
	}
}

// blob copies one blob of a known size and says where it stands.
func (s *snapWriter) blob(r io.Reader, size int64) (snapEntry, error) {
	e := snapEntry{off: s.off}
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

// finish writes index and trailer.
func (s *snapWriter) finish(x *snapIndex) error {
	index := x.encode()
	if len(index) > maxIndex {
		return fmt.Errorf("index of %d bytes", len(index))
	}
	var t []byte
	t = binary.LittleEndian.AppendUint64(t, uint64(s.off))
	t = binary.LittleEndian.AppendUint32(t, uint32(len(index)))
	t = binary.LittleEndian.AppendUint32(t, crc32.Checksum(index, castagnoli))
	t = append(t, snapMagic...)
	s.write(index)
	s.write(t)
	return s.err
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// snapPath returns where the snapshot of a commit is kept below the cache
// directory. Two digits spread the files over 256 directories.
func snapPath(cacheDir, commit string) string {
	var b strings.Builder
	b.WriteString(cacheDir)
	b.WriteString("/snapshots/v1/")
	b.WriteString(commit[:2])
	b.WriteByte('/')
	b.WriteString(commit[2:])
	return b.String()
}
