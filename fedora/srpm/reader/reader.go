// Package reader reads source packages: their header, their files, and the tree
// that dist-git would have of them.
package reader

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"slices"
	"strings"

	rpmutils "github.com/sassoftware/go-rpmutils"

	"specgraft/fedora/evr"
	"specgraft/fedora/lookaside"
	"specgraft/fedora/unpack"
	"specgraft/overlay/diag"
)

// A Package is what the header of a source package says about it, and the files
// in its payload.
type Package struct {
	Name        string `json:"name"`
	Epoch       string `json:"epoch,omitempty"`
	Version     string `json:"version"`
	Release     string `json:"release"`
	Summary     string `json:"summary,omitempty"`
	License     string `json:"license,omitempty"`
	URL         string `json:"url,omitempty"`
	Vendor      string `json:"vendor,omitempty"`
	BuildHost   string `json:"buildHost,omitempty"`
	BuildTime   int64  `json:"buildTime,omitempty"` // seconds since 1970
	VCS         string `json:"vcs,omitempty"`
	Compression string `json:"compression"` // of the payload
	// Spec is the name of the spec among the files.
	Spec  string `json:"spec"`
	Files []File `json:"files"` // by name
	// Verified names the digests that were found and are right: "header",
	// "payload" and "files".
	Verified []string `json:"verified"`
	// Tags is the whole header by the numbers of its entries, but for what the
	// other fields say about files.
	Tags []Tag `json:"-"`
}

// A File is a file in the payload of a source package.
type File struct {
	Name       string      `json:"name"`
	Size       int64       `json:"size"`
	Mode       fs.FileMode `json:"mode"`
	DigestType string      `json:"digestType"` // "SHA256", "MD5" and so on; "" for none
	Digest     string      `json:"digest"`

	Absent bool `json:"absent,omitempty"` // left out of the payload by NoSource or NoPatch
	Spec   bool `json:"-"`                // the header marks it as the spec

	seen  bool
	index int // in the header
}

// EVR returns the package's version for comparing it with another.
func (p *Package) EVR() evr.EVR {
	return evr.EVR{Epoch: p.Epoch, Version: p.Version, Release: p.Release}
}

// NEVR returns the name as rpm writes it: name-[epoch:]version-release.
func (p *Package) NEVR() string { return p.Name + "-" + p.EVR().String() }

// Bounds on what is read of a source package. Real headers have some hundred
// entries and, with a long changelog, a few MiB.
const (
	maxHeaderEntries = 1 << 16
	maxHeaderData    = 64 << 20
	maxSRPMFiles     = 1 << 16
	maxSRPMContent   = 64 << 30
	maxCpioName      = 4096
)

// Read reads a source package: its header, and then each file of its
// payload, which each gets as it streams by; what each leaves unread is skipped.
// All digests that the package has are verified, those of the files and of the
// payload by the time Read returns: what each has seen must not be believed
// before. Nothing is allocated by a size that the package merely declares.
// Errors are *diag.Diagnostic without a position, unless they come from each.
func Read(r io.Reader, each func(f *File, r io.Reader) error) (*Package, error) {
	head, err := readHeaders(r)
	if err != nil {
		return nil, badSRPM("%v", err)
	}
	p, digests, err := parseHeaders(head)
	if err != nil {
		return nil, badSRPM("%v", err)
	}
	raw := &hashedReader{r: r, hashes: digests.hashes()}
	packed := bufio.NewReader(raw)
	if p.Compression == "" { // gzip, the first of all, or none
		p.Compression = "none"
		if magic, _ := packed.Peek(2); string(magic) == "\x1f\x8b" {
			p.Compression = "gzip"
		}
	}
	payload, err := unpack.Open(packed, p.Compression)
	if err != nil {
		return nil, badSRPM("%v", err)
	}
	defer payload.Close()
	if err := p.readPayload(payload, each); err != nil {
		return nil, err
	}
	// Digests are over the compressed bytes, of which a few may be unread.
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return nil, badSRPM("the payload ends early: %v", err)
	}
	if err := digests.check(p); err != nil {
		return nil, err
	}
	if len(p.Verified) == 0 {
		return nil, &diag.Diagnostic{Code: "srpm/digest", Message: "the package has no digest that could be verified",
			Hint: "build the source package again with a current rpm"}
	}
	return p, nil
}

func badSRPM(format string, args ...any) error {
	return &diag.Diagnostic{Code: "srpm/bad", Message: "not a readable source package: " + fmt.Sprintf(format, args...),
		Hint: "fetch the file again, and look at it with `rpm -qp --nosignature`"}
}

// readHeaders reads lead, signature header and main header into memory, after a
// look at the sizes that they declare and at every entry: the parser that comes
// after believes both.
func readHeaders(r io.Reader) ([]byte, error) {
	const leadSize = 96
	lead := make([]byte, leadSize)
	if _, err := io.ReadFull(r, lead); err != nil {
		return nil, errors.New("it is shorter than an RPM package")
	}
	if !bytes.HasPrefix(lead, []byte{0xed, 0xab, 0xee, 0xdb}) {
		return nil, errors.New("it does not begin like an RPM package")
	}
	if binary.BigEndian.Uint16(lead[6:]) != 1 {
		return nil, errors.New("it is a binary package")
	}
	all := lead
	for _, part := range []struct {
		name  string
		align int
	}{{"signature header", 8}, {"header", 1}} {
		intro := make([]byte, 16)
		if _, err := io.ReadFull(r, intro); err != nil {
			return nil, fmt.Errorf("the %s is missing", part.name)
		}
		if !bytes.HasPrefix(intro, []byte{0x8e, 0xad, 0xe8, 1}) {
			return nil, fmt.Errorf("the %s has a wrong magic number", part.name)
		}
		entries, size := int64(binary.BigEndian.Uint32(intro[8:])), int64(binary.BigEndian.Uint32(intro[12:]))
		if entries > maxHeaderEntries || size > maxHeaderData {
			return nil, fmt.Errorf("the %s declares %d entries and %d bytes, which is too much", part.name, entries, size)
		}
		padded := (size + int64(part.align) - 1) / int64(part.align) * int64(part.align)
		// Read through a buffer that grows with what really comes.
		var body bytes.Buffer
		if n, err := io.Copy(&body, io.LimitReader(r, 16*entries+padded)); err != nil || n != 16*entries+padded {
			return nil, fmt.Errorf("the %s is cut off", part.name)
		}
		table := body.Bytes()[:16*entries]
		if err := checkEntries(table, body.Bytes()[16*entries:][:size]); err != nil {
			return nil, fmt.Errorf("the %s: %w", part.name, err)
		}
		all = append(append(all, intro...), body.Bytes()...)
	}
	return all, nil
}

// entrySize is the size of one element of a header entry by type; 0 stands for
// texts that end with a null byte.
var entrySize = map[uint32]int64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 0, 7: 1, 8: 0, 9: 0}

// checkEntries checks that the table of a header refers to nothing but its
// data.
func checkEntries(table, data []byte) error {
	texts := 0 // bytes of all texts: they do not overlap, or a small header could keep us busy for hours
	for ; len(table) > 0; table = table[16:] {
		tag, kind := binary.BigEndian.Uint32(table), binary.BigEndian.Uint32(table[4:])
		offset, count := int64(binary.BigEndian.Uint32(table[8:])), int64(binary.BigEndian.Uint32(table[12:]))
		size, known := entrySize[kind]
		if !known || tag > 1<<30 {
			return fmt.Errorf("tag %d has the unknown type %d", tag, kind)
		}
		if offset > int64(len(data)) || count > int64(len(data)) || size*count > int64(len(data))-offset {
			return fmt.Errorf("tag %d lies outside of the header", tag)
		}
		if size > 0 {
			continue
		}
		rest := data[offset:]
		for range count {
			i := bytes.IndexByte(rest, 0)
			if i < 0 {
				return fmt.Errorf("tag %d is not terminated", tag)
			}
			if texts += i + 1; texts > len(data) {
				return errors.New("its texts overlap")
			}
			rest = rest[i+1:]
		}
	}
	return nil
}

// digests are the digests of the compressed payload, and of header and
// payload together for packages of old.
type digests struct {
	payload     hash.Hash
	payloadWant string
	all         hash.Hash // MD5 of header and payload, as far as computed
	allWant     string
	header      bool // a digest of the header was right
}

func (d *digests) hashes() []hash.Hash {
	var list []hash.Hash
	if d.payload != nil {
		list = append(list, d.payload)
	}
	if d.all != nil {
		list = append(list, d.all)
	}
	return list
}

// check compares what was computed, and fills p.Verified.
func (d *digests) check(p *Package) error {
	wrong := func(what, got, want string) error {
		return &diag.Diagnostic{Code: "srpm/digest", Message: fmt.Sprintf("the digest of the %s of %s is %s, but the package declares %s", what, p.NEVR(), got, want),
			Hint: "the package is damaged or was tampered with; fetch it again"}
	}
	payload := false
	if d.payload != nil {
		if got := hex.EncodeToString(d.payload.Sum(nil)); got != d.payloadWant {
			return wrong("payload", got, d.payloadWant)
		}
		payload = true
	}
	if d.all != nil {
		if got := hex.EncodeToString(d.all.Sum(nil)); got != d.allWant {
			return wrong("header and payload", got, d.allWant)
		}
		d.header, payload = true, true
	}
	if d.header {
		p.Verified = append(p.Verified, "header")
	}
	if payload {
		p.Verified = append(p.Verified, "payload")
	}
	if len(p.Files) > 0 && p.Files[0].Digest != "" {
		p.Verified = append(p.Verified, "files")
	}
	return nil
}

// Tags that the library has no name for.
const (
	tagSourcePackage = 1106
	fileFlagSpec     = 1 << 5
	fileFlagGhost    = 1 << 6 // left out of the payload: NoSource and NoPatch
)

// A header is the header of a package, whose tables have been checked.
type header struct{ *rpmutils.RpmHeader }

// text returns the first text of a tag, or the empty string.
func (h header) text(tag int) string {
	list, err := h.GetStrings(tag)
	if err != nil || len(list) == 0 {
		return ""
	}
	return list[0]
}

// number returns the first number of a tag, false when there is none.
func (h header) number(tag int) (int64, bool) {
	list, err := h.GetUint64s(tag)
	if err != nil || len(list) == 0 {
		return 0, false
	}
	return int64(list[0]), true
}

// parseHeaders reads the values of interest. The headers have been checked.
func parseHeaders(head []byte) (*Package, *digests, error) {
	raw, err := rpmutils.ReadHeader(bytes.NewReader(head))
	if err != nil {
		return nil, nil, err
	}
	h := header{raw}
	if h.HasTag(rpmutils.SOURCERPM) && !h.HasTag(tagSourcePackage) {
		return nil, nil, errors.New("it is a binary package")
	}
	p, err := h.pkg()
	if err != nil {
		return nil, nil, err
	}
	d := h.digests(head)
	p.Tags = tags(head)
	if p.Files, p.Spec, err = h.files(); err != nil {
		return nil, nil, err
	}
	return p, d, nil
}

// pkg reads what the header says about the package as a whole.
func (h header) pkg() (*Package, error) {
	p := &Package{
		Name: h.text(rpmutils.NAME), Version: h.text(rpmutils.VERSION), Release: h.text(rpmutils.RELEASE),
		Summary: h.text(rpmutils.SUMMARY), License: h.text(rpmutils.LICENSE), URL: h.text(rpmutils.URL), Vendor: h.text(rpmutils.VENDOR),
		BuildHost: h.text(rpmutils.BUILDHOST), VCS: h.text(rpmutils.VCS), Compression: h.text(rpmutils.PAYLOADCOMPRESSOR),
	}
	if epoch, ok := h.number(rpmutils.EPOCH); ok && epoch > 0 {
		p.Epoch = fmt.Sprint(epoch)
	}
	p.BuildTime, _ = h.number(rpmutils.BUILDTIME)
	if p.Name == "" || p.Version == "" || p.Release == "" {
		return nil, errors.New("the header has no name, version or release")
	}
	if format := h.text(rpmutils.PAYLOADFORMAT); format != "" && format != "cpio" {
		return nil, fmt.Errorf("the payload format %q is not known", format)
	}
	return p, nil
}

// digests reads which digests the package has of its payload. head are all
// headers as they stand in the file.
func (h header) digests(head []byte) *digests {
	d := &digests{header: h.HasTag(rpmutils.SIG_SHA256) || h.HasTag(rpmutils.SIG_SHA1)} // ReadHeader compared it
	if want := h.text(rpmutils.PAYLOADDIGEST); want != "" {
		algo, _ := h.number(rpmutils.PAYLOADDIGESTALGO)
		if d.payload, _ = fileHash(cmp.Or(algo, 8)); d.payload != nil {
			d.payloadWant = strings.ToLower(want)
		}
	}
	if sum, err := h.GetBytes(rpmutils.SIG_MD5); err == nil && len(sum) == md5.Size && (d.payload == nil || !d.header) {
		d.all, d.allWant = md5.New(), hex.EncodeToString(sum)
		d.all.Write(head[96+sigSize(head):])
	}
	return d
}

// files reads the list of files, sorted by name, and which of them is the spec.
func (h header) files() (list []File, specName string, err error) {
	names, _ := h.GetStrings(rpmutils.BASENAMES)
	sizes, err := h.GetUint64s(rpmutils.FILESIZES)
	if err != nil {
		sizes, _ = h.GetUint64s(rpmutils.LONGFILESIZES)
	}
	modes, _ := h.GetUint64s(rpmutils.FILEMODES)
	flags, _ := h.GetUint64s(rpmutils.FILEFLAGS)
	sums, _ := h.GetStrings(rpmutils.FILEDIGESTS)
	algo, _ := h.number(rpmutils.FILEDIGESTALGO)
	if len(names) == 0 {
		names, _ = h.GetStrings(rpmutils.OLDFILENAMES)
	}
	if len(names) == 0 || len(names) > maxSRPMFiles || len(sizes) != len(names) || len(modes) != len(names) {
		return nil, "", fmt.Errorf("the list of %d files is incomplete", len(names))
	}
	total := uint64(0)
	for i, name := range names {
		f := File{Name: name, Size: int64(sizes[i]), Mode: 0o644, index: i}
		if err := lookaside.CheckFileName(name); err != nil {
			return nil, "", err
		}
		if modes[i]&0o170000 != 0o100000 {
			return nil, "", fmt.Errorf("%q is not a regular file", name)
		}
		if modes[i]&0o111 != 0 {
			f.Mode = 0o755
		}
		if total += sizes[i]; sizes[i] > maxSRPMContent || total > maxSRPMContent {
			return nil, "", fmt.Errorf("its files have more than %d GiB", maxSRPMContent>>30)
		}
		if len(sums) == len(names) && sums[i] != "" {
			_, f.DigestType = fileHash(cmp.Or(algo, 1))
			if f.Digest = strings.ToLower(sums[i]); f.DigestType == "" {
				return nil, "", fmt.Errorf("the digest algorithm %d of its files is not known", algo)
			}
		}
		spec := strings.HasSuffix(name, ".spec")
		if len(flags) == len(names) {
			spec = flags[i]&fileFlagSpec != 0
		}
		if spec && specName == "" {
			specName, f.Spec = name, true
		}
		f.Absent = len(flags) == len(names) && flags[i]&fileFlagGhost != 0
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(list); i++ {
		if list[i].Name == list[i-1].Name {
			return nil, "", fmt.Errorf("it has %q twice", list[i].Name)
		}
	}
	if specName == "" {
		return nil, "", errors.New("it has no spec")
	}
	return list, specName, nil
}

// sigSize returns the size of the signature header with its padding.
func sigSize(head []byte) int {
	entries, size := binary.BigEndian.Uint32(head[96+8:]), binary.BigEndian.Uint32(head[96+12:])
	return int(16 + 16*entries + (size+7)/8*8)
}

// fileHash returns a hash function by its number in OpenPGP, which is how RPM
// names them; nil for one that is not known.
func fileHash(algo int64) (hash.Hash, string) {
	switch algo {
	case 1:
		return md5.New(), "MD5"
	case 2:
		return sha1.New(), "SHA1"
	case 8:
		return sha256.New(), "SHA256"
	case 9:
		return sha512.New384(), "SHA384"
	case 10:
		return sha512.New(), "SHA512"
	case 11:
		return sha256.New224(), "SHA224"
	}
	return nil, ""
}

// namedHash is fileHash by name.
func namedHash(name string) hash.Hash {
	for algo := range int64(12) {
		if h, n := fileHash(algo); n == name {
			return h
		}
	}
	return nil
}

// A hashedReader hashes what goes through it.
type hashedReader struct {
	r      io.Reader
	hashes []hash.Hash
	n      int64
}

func (h *hashedReader) Read(b []byte) (int, error) {
	n, err := h.r.Read(b)
	for _, sum := range h.hashes {
		sum.Write(b[:n])
	}
	h.n += int64(n)
	return n, err
}

// Codes are the diagnostics about source packages and their repositories.
var Codes = []diag.Code{
	{ID: "srpm/bad", Summary: "a source package cannot be read",
		Doc: "The file is damaged, cut off, not a source package, or declares sizes beyond what is accepted."},
	{ID: "srpm/digest", Summary: "a source package has a wrong digest",
		Doc: "The digests in the header of an RPM package cover the header, the compressed payload and each file. One of them is wrong, or there is none at all."},
	{ID: "srpm/not-found", Summary: "a source package was not found",
		Doc: "Neither the configured address nor the distribution's source repositories have the package."},
	{ID: "srpm/repo", Summary: "a source repository cannot be read",
		Doc: "repomd.xml or the primary metadata that it names is missing, damaged or larger than what is accepted. Check the repos of the distribution."},
	{ID: "srpm/other-package", Summary: "a source package is not the one that was asked for",
		Doc: "The name in its header differs from the component's upstream name. Set spec.upstream-name, or correct the address."},
}
