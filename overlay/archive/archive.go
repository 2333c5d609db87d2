// Package archive applies overlays to what is inside source archives, and packs
// them again so that the same input gives the same bytes. Nothing is unpacked to
// disk under its own name.
package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// Options bounds the work on one archive. The zero value has the
// documented defaults.
type Options struct {
	// TempDir is where the unpacked contents are kept while the archive is
	// rewritten, as one nameless file; "" means the system's directory for
	// temporary files.
	TempDir string
	// MaxEntry bounds the unpacked size of one file, MaxTotal that of all
	// together, in bytes; 0 means 10 GiB and 64 GiB.
	MaxEntry, MaxTotal int64
	// MaxEntries bounds the number of entries; 0 means 2 million.
	MaxEntries int
}

// An Report says what became of one archive.
type Report struct {
	Format  string   // "tar", "tar.gz", "tar.xz" or "tar.zst", as found in the bytes
	Root    string   // the single top-level directory that names are relative to, or ""
	Entries int      // entries written: files, directories and symbolic links
	Changed []string // files with new content, sorted, relative to Root
	Removed []string // files left out, sorted, relative to Root
	Size    int64    // bytes written
	SHA256  string   // of the bytes written, lower-case hex
	SHA512  string
}

// Hash returns the digest of the written archive for a hash type of a
// `sources` file ("SHA256" or "SHA512", in any case), or "" for another type.
func (r *Report) Hash(hashType string) string {
	switch strings.ToUpper(hashType) {
	case "SHA256":
		return r.SHA256
	case "SHA512":
		return r.SHA512
	}
	return ""
}

// Drift compares the written archive with the digest that the configuration
// declares for it. It returns nil when they agree or nothing is declared, else
// a diagnostic at pos that carries the digest to write.
func (r *Report) Drift(name, hashType, hash string, pos token.Position) *diag.Diagnostic {
	got := r.Hash(hashType)
	if hash == "" || got == "" || strings.EqualFold(got, hash) {
		return nil
	}
	return &diag.Diagnostic{
		Pos: pos, Code: "overlay/archive-drift",
		Message: fmt.Sprintf("archive %q has %s %s after its overlays, but %s is declared", name, strings.ToUpper(hashType), got, hash),
		Hint:    fmt.Sprintf("if the overlays or the upstream archive changed on purpose, set hash = %q", got),
	}
}

// An Group is the operations on one archive, in their order.
type Group struct {
	Name string
	Ops  []overlay.Op
}

// Groups returns the operations that name an archive, grouped by
// archive in the order of first use. They are applied by Apply, before
// every other operation of the component.
func Groups(ops []overlay.Op) []Group {
	var groups []Group
	for _, op := range ops {
		if op.Archive == "" {
			continue
		}
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Name == op.Archive })
		if i < 0 {
			i = len(groups)
			groups = append(groups, Group{Name: op.Archive})
		}
		groups[i].Ops = append(groups[i].Ops, op)
	}
	return groups
}

// Apply reads a tar archive from src, applies ops, which are all meant
// for it, and writes the repacked archive to dst.
//
// The archive may be plain or compressed with gzip, xz or zstd, which is told
// by its first bytes; name serves where they tell nothing, and in messages.
// Entries other than regular files, directories and relative symbolic links
// that stay inside are refused, as are names that lead outside, and whatever
// exceeds the bounds of o. No entry is ever created on disk under its own
// name. File names of ops are relative to the single top-level directory when
// there is exactly one, else to the archive.
//
// The same input gives the same bytes: entries in lexical order, owner 0
// without names, time zero, GNU tar; the compression is the one found.
// On errors, what has been written to dst is worthless.
func Apply(dst io.Writer, src io.Reader, name string, ops []overlay.Op, o Options) (*Report, diag.List) {
	o.MaxEntry = cmp.Or(o.MaxEntry, 10<<30)
	o.MaxTotal = cmp.Or(o.MaxTotal, 64<<30)
	o.MaxEntries = cmp.Or(o.MaxEntries, 2_000_000)
	var pos token.Position
	if len(ops) > 0 {
		pos = ops[0].Pos
	}
	fail := func(err error) (*Report, diag.List) {
		var env *fs.PathError
		return nil, diag.List{{
			Pos: pos, Code: "overlay/archive", Message: fmt.Sprintf("archive %q: %v", name, err),
			Env: errors.As(err, &env),
		}}
	}

	a, err := readArchive(src, name, o)
	if a != nil {
		defer a.close()
	}
	if err != nil {
		return fail(err)
	}
	rep := &Report{Format: a.format, Root: a.root()}
	list := a.apply(ops, rep)
	if list.HasErrors() {
		return nil, list
	}
	h256, h512, n := sha256.New(), sha512.New(), &counter{}
	if err := a.write(io.MultiWriter(dst, h256, h512, n)); err != nil {
		return fail(err)
	}
	rep.Entries, rep.Size = len(a.entries), n.n
	rep.SHA256, rep.SHA512 = hex.EncodeToString(h256.Sum(nil)), hex.EncodeToString(h512.Sum(nil))
	return rep, list
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

// archive is an unpacked archive: an index in memory, contents in one spool.
type archive struct {
	format  string
	entries map[string]*entry
	spool   *os.File
	size    int64 // of the spool
}

type entry struct {
	mode   fs.FileMode // type and permission bits
	link   string      // of a symbolic link
	offset int64       // in the spool
	size   int64
	data   []byte // new content, used when changed
	edited bool
}

func (a *archive) close() {
	a.spool.Close()
	os.Remove(a.spool.Name())
}

// readArchive unpacks src into a spool. The archive is to be closed even on errors.
func readArchive(src io.Reader, name string, o Options) (*archive, error) {
	packed := &countingReader{r: src}
	br := bufio.NewReaderSize(packed, 64<<10)
	format, err := sniffArchive(br, name)
	if err != nil {
		return nil, err
	}
	var r io.Reader = br
	switch format {
	case "tar.gz":
		r, err = gzip.NewReader(br)
	case "tar.xz":
		r, err = xz.ReaderConfig{}.NewReader(newXZGuard(br, maxWindow))
	case "tar.zst":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow)); err == nil {
			defer d.Close()
			r = d
		}
	}
	if err != nil {
		return nil, fmt.Errorf("not a readable %s archive: %w", format, err)
	}
	spool, err := os.CreateTemp(o.TempDir, ".specgraft-archive-*")
	if err != nil {
		return nil, err
	}
	os.Remove(spool.Name()) // so that a killed run leaves nothing, where an open file can be removed
	a := &archive{format: format, entries: map[string]*entry{}, spool: spool}
	// The tar reader skips padding and headers without limit of its own: what
	// comes out of the decompressor is bounded as a whole, with room for headers.
	lr := &io.LimitedReader{R: &ratioReader{r: r, packed: packed}, N: o.MaxTotal + o.MaxTotal/8 + 1<<20}
	if err := a.unpack(tar.NewReader(lr), o); err != nil {
		if lr.N <= 0 {
			err = fmt.Errorf("unpacks to more than %d bytes", o.MaxTotal)
		}
		return a, err
	}
	return a, nil
}

// maxRatio is how many times its size an archive may unpack to, once that is
// more than a disk has to spare for a mistake. Sources come near a hundredth of it.
const (
	maxRatio  = 250
	freeRatio = 1 << 30
)

var errRatio = fmt.Errorf("unpacks to more than %d times its size", maxRatio)

// A countingReader counts what is read.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// A ratioReader reads from a decompressor until that gives too much for what it
// has been given.
type ratioReader struct {
	r      io.Reader
	packed *countingReader
	n      int64
}

func (b *ratioReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.n += int64(n); b.n > freeRatio && b.n/maxRatio > b.packed.n {
		return 0, errRatio
	}
	return n, err
}

func (a *archive) unpack(tr *tar.Reader, o Options) error {
	w := bufio.NewWriterSize(a.spool, 256<<10)
	for n := 0; ; n++ {
		h, err := tr.Next()
		if err == io.EOF {
			return w.Flush()
		}
		if err != nil {
			if errors.Is(err, errRatio) {
				return err
			}
			return fmt.Errorf("not a readable %s archive: %w", a.format, err)
		}
		if n >= o.MaxEntries {
			return fmt.Errorf("has more than %d entries", o.MaxEntries)
		}
		e := &entry{mode: fs.FileMode(h.Mode & 0o777), offset: a.size}
		switch h.Typeflag {
		case tar.TypeXGlobalHeader: // the commit id that `git archive` writes
			continue
		case tar.TypeReg, tar.TypeGNUSparse:
			e.size = h.Size
		case tar.TypeDir:
			e.mode |= fs.ModeDir
		case tar.TypeSymlink:
			e.mode, e.link = fs.ModeSymlink|0o777, h.Linkname
		default:
			return fmt.Errorf("entry %q is neither a regular file, a directory nor a symbolic link", h.Name)
		}
		name, err := a.add(h.Name, e)
		if err != nil {
			return err
		}
		if e.size > o.MaxEntry {
			return fmt.Errorf("entry %q has %d bytes, more than the limit of %d", name, e.size, o.MaxEntry)
		}
		if e.size > o.MaxTotal-a.size {
			return fmt.Errorf("unpacks to more than %d bytes", o.MaxTotal)
		}
		if e.size > 0 {
			if _, err := io.CopyN(w, tr, e.size); err != nil {
				return fmt.Errorf("entry %q: %w", name, err)
			}
			a.size += e.size
		}
	}
}

// maxEntryName is what systems take of a path.
const maxEntryName = 4096

// add enters e under its cleaned name, with the directories above it. As when
// unpacking to disk, a later entry of a name replaces an earlier one.
func (a *archive) add(raw string, e *entry) (string, error) {
	name := path.Clean(raw)
	switch {
	case raw == "" || strings.ContainsRune(raw, 0):
		return "", fmt.Errorf("entry %q has no usable name", raw)
	case len(raw) > maxEntryName:
		return "", fmt.Errorf("entry %.40q... has a name of %d bytes", raw, len(raw))
	case path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../"):
		return "", fmt.Errorf("entry %q leads outside the archive", raw)
	case name == ".":
		if e.mode.IsDir() {
			return name, nil
		}
		return "", fmt.Errorf("entry %q has no usable name", raw)
	}
	if e.mode&fs.ModeSymlink != 0 {
		target := path.Join(path.Dir(name), e.link)
		if e.link == "" || path.IsAbs(e.link) || target == ".." || strings.HasPrefix(target, "../") {
			return "", fmt.Errorf("symbolic link %q leads outside the archive (to %q)", name, e.link)
		}
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if up := a.entries[dir]; up == nil {
			a.entries[dir] = &entry{mode: fs.ModeDir | 0o755}
		} else if !up.mode.IsDir() {
			return "", fmt.Errorf("entry %q lies below %q, which is not a directory", name, dir)
		} else {
			break
		}
	}
	if old := a.entries[name]; old != nil && old.mode.IsDir() != e.mode.IsDir() {
		return "", fmt.Errorf("entry %q occurs both as a directory and as something else", name)
	}
	a.entries[name] = e
	return name, nil
}

// root returns the only top-level entry when it is a directory, else "".
func (a *archive) root() string {
	root := ""
	for name, e := range a.entries {
		if strings.Contains(name, "/") {
			continue
		}
		if root != "" || !e.mode.IsDir() {
			return ""
		}
		root = name
	}
	return root
}

// maxEdit bounds a file that an operation reads as a whole.
const maxEdit = 1 << 30

// piece is how much is read at a time: the kernel ends no read before it is done,
// and the program with it when that is told to end.
const piece = 1 << 20

// content reads an entry.
func (a *archive) content(e *entry) ([]byte, error) {
	data := make([]byte, e.size)
	for n := int64(0); n < e.size; n += piece {
		if _, err := a.spool.ReadAt(data[n:min(n+piece, e.size)], e.offset+n); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// apply runs the operations as on a component directory, with the same rules.
func (a *archive) apply(ops []overlay.Op, rep *Report) diag.List {
	prefix := ""
	if rep.Root != "" {
		prefix = rep.Root + "/"
	}
	t := &overlay.Tree{Name: rep.Root, Spec: spec.Parse("", nil), Files: map[string]*overlay.File{}}
	for name, e := range a.entries {
		rel, inside := strings.CutPrefix(name, prefix)
		if !inside || !e.mode.IsRegular() {
			continue
		}
		t.Files[rel] = overlay.LazyFile(rel, e.mode, e.size, func() ([]byte, error) {
			if e.size > maxEdit {
				return nil, fmt.Errorf("has %d bytes, more than an overlay can edit (%d)", e.size, maxEdit)
			}
			return a.content(e)
		})
	}
	loose := slices.Clone(ops)
	for i := range loose {
		loose[i].Archive = ""
	}
	before := make(map[string]*overlay.File, len(t.Files))
	for name, f := range t.Files {
		before[name] = f
	}
	_, list := overlay.Apply(t, loose, overlay.Options{})
	if list.HasErrors() {
		return list
	}
	for rel, old := range before {
		f := t.Files[rel]
		switch {
		case f == nil:
			delete(a.entries, prefix+rel)
			rep.Removed = append(rep.Removed, rel)
		case f != old || f.Origin != nil:
			data, err := f.Bytes()
			if err != nil {
				list.Add(ops[0].Pos, "overlay/archive", "%s: %v", rel, err)
				return list
			}
			e := a.entries[prefix+rel]
			e.data, e.size, e.edited = data, int64(len(data)), true
			rep.Changed = append(rep.Changed, rel)
		}
	}
	slices.Sort(rep.Changed)
	slices.Sort(rep.Removed)
	return list
}

// write packs the entries in lexical order: a directory, then what is in it,
// then the next name.
func (a *archive) write(dst io.Writer) (err error) {
	w, err := compressor(dst, a.format)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(a.entries))
	for name := range a.entries {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int {
		return slices.Compare(strings.Split(x, "/"), strings.Split(y, "/"))
	})
	tw := tar.NewWriter(w)
	for _, name := range names {
		e := a.entries[name]
		h := &tar.Header{
			Format: tar.FormatGNU, Typeflag: tar.TypeReg, Name: name, Mode: int64(e.mode.Perm()),
			Size: e.size, ModTime: time.Unix(0, 0),
		}
		switch {
		case e.mode.IsDir():
			h.Typeflag, h.Name = tar.TypeDir, name+"/"
		case e.mode&fs.ModeSymlink != 0:
			h.Typeflag, h.Linkname = tar.TypeSymlink, e.link
		}
		if err := tw.WriteHeader(h); err != nil {
			return fmt.Errorf("write entry %q: %w", name, err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		var r io.Reader = io.NewSectionReader(a.spool, e.offset, e.size)
		if e.edited {
			r = bytes.NewReader(e.data)
		}
		if _, err := io.Copy(tw, r); err != nil {
			return fmt.Errorf("write entry %q: %w", name, err)
		}
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return w.Close()
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// compressor has every setting that reaches the bytes pinned, so that a change
// of a library's defaults does not change an archive.
func compressor(dst io.Writer, format string) (io.WriteCloser, error) {
	switch format {
	case "tar.gz":
		w, err := gzip.NewWriterLevel(dst, gzip.BestCompression)
		if err != nil {
			return nil, err
		}
		w.OS = 0xff // unknown, and no time
		return w, nil
	case "tar.xz":
		return xz.WriterConfig{DictCap: 8 << 20, CheckSum: xz.CRC64}.NewWriter(dst)
	case "tar.zst":
		return zstd.NewWriter(dst, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault),
			zstd.WithWindowSize(8<<20), zstd.WithEncoderCRC(true))
	}
	return nopCloser{dst}, nil
}

// maxWindow bounds what an archive may ask a decompressor to keep in memory.
const maxWindow = 512 << 20

// sniffArchive tells the format from the first bytes, or else from the name.
func sniffArchive(br *bufio.Reader, name string) (string, error) {
	head, err := br.Peek(512)
	if err != nil && err != io.EOF {
		return "", err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "tar.gz", nil
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		return "tar.xz", nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "tar.zst", nil
	case len(head) >= 262 && string(head[257:262]) == "ustar":
		return "tar", nil
	case bytes.HasPrefix(head, []byte("BZh")), bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "", errors.New("is compressed in a way that overlays cannot repack (only tar, gzip, xz and zstd)")
	}
	low := strings.ToLower(name)
	for _, x := range []struct{ suffix, format string }{
		{".tar", "tar"}, {".tar.gz", "tar.gz"}, {".tgz", "tar.gz"}, {".tar.xz", "tar.xz"}, {".txz", "tar.xz"},
		{".tar.zst", "tar.zst"}, {".tzst", "tar.zst"},
	} {
		if strings.HasSuffix(low, x.suffix) {
			return x.format, nil
		}
	}
	return "", errors.New("is not a tar archive")
}

// Codes are the codes of archive overlays.
var Codes = []diag.Code{
	{
		ID: "overlay/archive", Summary: "a source archive cannot be read or rewritten",
		Doc: "Archives are tar files, plain or compressed with gzip, xz or zstd, that hold regular files, directories and relative symbolic links which stay inside. Anything else is refused, as is what unpacks to more than the limits allow.",
	},
	{
		ID: "overlay/archive-drift", Summary: "a rewritten archive does not have the declared digest",
		Doc: "The source-files entry of an archive with overlays declares the digest of the result. The overlays, the upstream archive or the packing changed: set the hash that the message shows once that is understood.",
	},
}
