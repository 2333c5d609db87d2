// Package srpm writes source packages: the one that rpmbuild -bs makes of a spec
// and its files, without rpm and to the same bytes every time.
//
//	m, problems := srpm.Describe("bash.spec", text, cfg, srpm.Options{Time: commitTime})
//	written, err := srpm.Write(ctx, out, m, files)
//
// Nothing in the spec is executed. The packages are those of rpm 4.18, which newer
// versions read: lead, signature header without a signature, header, and an
// archive that is compressed as %_source_payload says. How the compressed bytes
// come out depends on the compressor, which is not rpm's; all else is the same to
// the byte.
package srpm

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"

	"specgraft/overlay/diag"
)

// RPMVersion is the version of rpm whose source packages Write makes, down to
// the order of their entries.
const RPMVersion = "4.18.0"

// A File is a file that goes into a source package.
type File struct {
	Name string
	Mode fs.FileMode // only the bits that chmod sets count
	Size int64
	Open func() (io.ReadCloser, error)
}

// A Written says what Write wrote.
type Written struct {
	SHA256      string // of the whole file, in hex
	Size        int64  // of the whole file
	PayloadSize int64  // before compression
	Files       []WrittenFile
}

// A WrittenFile is one file in a package that was written.
type WrittenFile struct {
	Name   string
	Size   int64
	SHA256 string // in hex
}

// member is a file as the header lists it.
type member struct {
	File
	flags, verify uint32
	absent        bool // listed only: NoSource and NoPatch
	digest        string
}

// Flags of files, as rpmfiles.h names them.
const (
	flagSpec  = 1 << 5
	flagGhost = 1 << 6
)

// Write writes the source package that is described by m to out, which is empty.
// The files are read once, in the order of their names; those that m lists and
// files has not are an error. The same input gives the same bytes.
//
// The header comes before the payload and holds its digests. Its size does not
// depend on what they are, so the payload is written behind the place that is
// left for it.
func Write(ctx context.Context, out *os.File, m *Meta, files []File) (*Written, error) {
	mode, err := parsePayload(cmp.Or(m.Payload, DefaultPayload))
	if err != nil {
		return nil, err
	}
	members, err := m.members(files)
	if err != nil {
		return nil, err
	}
	p := &pack{meta: m, mode: mode, members: members}
	for i := range members {
		p.large = p.large || members[i].Size > math.MaxUint32
	}
	p.payloadHex, p.archiveHex = hex.EncodeToString(make([]byte, 32)), hex.EncodeToString(make([]byte, 32))
	for i := range members {
		if !members[i].absent {
			members[i].digest = p.payloadHex
		}
	}
	head := p.header()
	offset := int64(leadSize + p.signature(head, make([]byte, md5.Size), 0).padded)
	if _, err := out.Seek(offset+int64(len(head)), io.SeekStart); err != nil {
		return nil, err
	}
	if err := p.writePayload(ctx, out); err != nil {
		return nil, err
	}
	filled := p.header()
	if len(filled) != len(head) {
		return nil, fmt.Errorf("the header of %s has changed its size", m.Name)
	}
	return p.finish(ctx, out, filled)
}

// A pack is a package that is being written.
type pack struct {
	meta    *Meta
	mode    payload
	members []member
	large   bool // a file has 4 GiB or more

	payloadHex, archiveHex string // digests of the payload, compressed and not
	archive, packed        int64  // sizes of the payload, not compressed and compressed
}

// header returns the main header, as far as the digests are known.
func (p *pack) header() []byte {
	h := p.meta.header(p.mode, p.large)
	p.fileEntries(h)
	h.text(tagPayloadFormat, "cpio")
	h.text(tagCompressor, p.mode.compressor)
	h.put(tagPayloadFlags, typeString, 1, append([]byte(p.mode.flags), 0))
	h.int32s(tagPayloadAlgo, algoSHA256)
	h.texts(tagPayloadDigest, typeTexts, p.payloadHex)
	h.texts(tagPayloadAlt, typeTexts, p.archiveHex)
	return h.encode(regionImmutable)
}

// algoSHA256 is how OpenPGP numbers the digest that rpm uses for files.
const algoSHA256 = 8

func (p *pack) fileEntries(h *header) {
	n := len(p.members)
	if n == 0 {
		return
	}
	var sizes64 []uint64
	var sizes, mtimes, flags, verify, inodes, ones []uint32
	var modes []uint16
	var digests, names, owners []string
	total := uint64(0)
	for i, f := range p.members {
		sizes64 = append(sizes64, uint64(f.Size))
		sizes = append(sizes, uint32(f.Size))
		mtimes = append(mtimes, uint32(p.meta.Time))
		flags, verify = append(flags, f.flags), append(verify, f.verify)
		inodes, ones = append(inodes, uint32(i+1)), append(ones, 1)
		modes = append(modes, 0o100000|uint16(f.Mode.Perm()))
		digests, names, owners = append(digests, f.digest), append(names, f.Name), append(owners, "root")
		total += uint64(f.Size)
	}
	if p.large {
		h.int64s(tagLongFileSizes, sizes64...)
	} else {
		h.int32s(tagFileSizes, sizes...)
	}
	if total > math.MaxUint32 {
		h.int64s(tagLongSize, total)
	} else {
		h.int32s(tagSize, uint32(total))
	}
	h.int16s(tagFileModes, modes...)
	h.int16s(tagFileRdevs, make([]uint16, n)...)
	h.int32s(tagFileMtimes, mtimes...)
	h.texts(tagFileDigests, typeTexts, digests...)
	h.texts(tagFileLinktos, typeTexts, make([]string, n)...)
	h.int32s(tagFileFlags, flags...)
	h.texts(tagFileUsers, typeTexts, owners...)
	h.texts(tagFileGroups, typeTexts, owners...)
	h.int32s(tagFileVerify, verify...)
	h.int32s(tagFileDevices, ones...)
	h.int32s(tagFileInodes, inodes...)
	h.texts(tagFileLangs, typeTexts, make([]string, n)...)
	h.int32s(tagDirIndexes, make([]uint32, n)...)
	h.texts(tagBasenames, typeTexts, names...)
	h.texts(tagDirnames, typeTexts, "")
	h.int32s(tagDigestAlgo, algoSHA256)
}

// writePayload writes the files and learns the digests.
func (p *pack) writePayload(ctx context.Context, out io.Writer) error {
	packed := &countingWriter{w: out, h: sha256.New()}
	z, err := p.mode.compress(packed)
	if err != nil {
		return err
	}
	archive := &countingWriter{w: z, h: sha256.New()}
	c := &cpioWriter{w: archive}
	buf := make([]byte, 1<<18)
	for i := range p.members {
		f := &p.members[i]
		if f.absent {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if p.large {
			err = c.stripped(i)
		} else {
			err = c.entry(f.Name, i+1, 0o100000|int(f.Mode.Perm()), 1, p.meta.Time, f.Size)
		}
		if err == nil {
			err = f.copy(ctx, c, buf)
		}
		if err == nil {
			err = c.pad()
		}
		if err != nil {
			return err
		}
	}
	if err := c.end(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	p.archive, p.packed = archive.n, packed.n
	p.archiveHex, p.payloadHex = hex.EncodeToString(archive.h.Sum(nil)), hex.EncodeToString(packed.h.Sum(nil))
	return nil
}

// copy writes the content of a file and learns its digest.
func (f *member) copy(ctx context.Context, w io.Writer, buf []byte) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	n := int64(0)
	for {
		k, err := r.Read(buf)
		n += int64(k)
		sum.Write(buf[:k])
		if _, err := w.Write(buf[:k]); err != nil {
			return err
		}
		if err == io.EOF {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && n > f.Size {
			break
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", f.Name, err)
		}
	}
	if n != f.Size {
		return &diag.Diagnostic{Code: "srpm/source", Env: true,
			Message: fmt.Sprintf("%s has changed while it was read: it has %d bytes or more, not %d", f.Name, n, f.Size),
			Hint:    "run the command again when nothing else writes there"}
	}
	f.digest = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// A signature is a signature header with its padding.
type signature struct {
	bytes  []byte
	padded int
}

// sigData is the size of the data of a signature header without its region:
// what rpm reserves makes all of them equally long, so that signing a package
// moves nothing.
const sigData = 4260

// signature returns the signature header for a main header and the size of the
// compressed payload.
func (p *pack) signature(head, sum []byte, packed int64) signature {
	h := &header{}
	one, two := sha1.Sum(head), sha256.Sum256(head)
	h.text(sigSHA1, hex.EncodeToString(one[:]))
	h.text(sigSHA256, hex.EncodeToString(two[:]))
	h.put(sigMD5, typeBinary, len(sum), sum)
	size := int64(len(head)) + packed
	used := 132 // where the reserved bytes begin
	if size > math.MaxUint32 || p.archive > math.MaxUint32 {
		h.int64s(sigLongSize, uint64(size))
		h.int64s(sigLongArchive, uint64(p.archive))
		used = 145
	} else {
		h.int32s(sigTotalSize, uint32(size))
		h.int32s(sigPayloadSize, uint32(p.archive))
	}
	h.put(sigReserved, typeBinary, sigData-used, make([]byte, sigData-used))
	b := h.encode(regionSignatures)
	padded := (len(b) + 7) / 8 * 8
	return signature{append(b, make([]byte, padded-len(b))...), padded}
}

const leadSize = 96

// lead returns the block that every package begins with. Nothing has read more
// of it than the magic number and the type for many years.
func (m *Meta) lead() []byte {
	b := make([]byte, 0, leadSize)
	b = append(b, 0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 1, 0, leadArch[m.Arch])
	name := m.Name + "-"
	if m.Epoch != "" {
		name += m.Epoch + ":"
	}
	name += m.Version + "-" + m.Release
	b = append(b, name[:min(len(name), 65)]...)
	b = append(b, make([]byte, 76-len(b))...)
	b = binary.BigEndian.AppendUint16(b, 1) // Linux
	b = binary.BigEndian.AppendUint16(b, 5) // a signature header follows
	return append(b, make([]byte, leadSize-len(b))...)
}

// finish writes what stands before the payload, and reads the whole once more
// for the digests that cover both.
func (p *pack) finish(ctx context.Context, out *os.File, head []byte) (*Written, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sum := md5.New()
	sum.Write(head)
	offset := int64(leadSize + p.signature(head, make([]byte, md5.Size), p.packed).padded)
	start := offset + int64(len(head))
	buf := make([]byte, 1<<18)
	if _, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{io.NewSectionReader(out, start, p.packed)}, buf); err != nil {
		return nil, err
	}
	first := slices.Concat(p.meta.lead(), p.signature(head, sum.Sum(nil), p.packed).bytes, head)
	if int64(len(first)) != start {
		return nil, fmt.Errorf("the headers of %s have changed their size", p.meta.Name)
	}
	if _, err := out.WriteAt(first, 0); err != nil {
		return nil, err
	}
	whole := sha256.New()
	whole.Write(first)
	if _, err := io.CopyBuffer(struct{ io.Writer }{whole}, struct{ io.Reader }{io.NewSectionReader(out, start, p.packed)}, buf); err != nil {
		return nil, err
	}
	w := &Written{SHA256: hex.EncodeToString(whole.Sum(nil)), Size: start + p.packed, PayloadSize: p.archive}
	for _, f := range p.members {
		if !f.absent {
			w.Files = append(w.Files, WrittenFile{f.Name, f.Size, f.digest})
		}
	}
	return w, nil
}

// members lists the files of the package by name: what the spec names, and the
// spec.
func (m *Meta) members(files []File) ([]member, error) {
	have := map[string]*File{}
	for i := range files {
		have[files[i].Name] = &files[i]
	}
	var problems diag.List
	seen := map[string]bool{}
	var list []member
	add := func(name string, flags uint32, absent bool, s *Source) {
		if seen[name] {
			return
		}
		seen[name] = true
		f := have[name]
		if f == nil && !absent {
			d := diag.Diagnostic{Code: "srpm/source", Message: fmt.Sprintf("source file %q is not there", name)}
			if s != nil {
				d.Pos = s.Pos
			}
			problems = append(problems, d)
			return
		}
		e := member{flags: flags, verify: math.MaxUint32}
		if f != nil {
			e.File = *f
		} else {
			e.File = File{Name: name, Mode: 0o644}
		}
		if absent {
			e.absent, e.verify = true, ghostVerify
			e.flags |= flagGhost
		}
		list = append(list, e)
	}
	add(m.SpecName, flagSpec, false, nil)
	for i := range m.Sources {
		add(m.Sources[i].Name, 0, m.Sources[i].No, &m.Sources[i])
	}
	for i := range m.Patches {
		add(m.Patches[i].Name, 0, m.Patches[i].No, &m.Patches[i])
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b member) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return list, nil
}

// ghostVerify leaves out what does not make sense for a file that is not there:
// size, digest, time.
const ghostVerify = math.MaxUint32 &^ (1<<0 | 1<<1 | 1<<2 | 1<<5)
