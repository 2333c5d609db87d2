package reader

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
)

// readPayload reads the cpio archive in a payload. Its files must be those of
// the header, each once, with the sizes and digests that the header has.
//
// The format is "newc": a header of 110 characters, the name, padding to a
// multiple of four, content, padding. In packages of format 6, which rpm 6
// builds, the header of a file is its place in the header of the package, from
// which name and size come.
func (p *Package) readPayload(r io.Reader, each func(f *File, r io.Reader) error) error {
	c := &cpioReader{r: r}
	places := make([]int, len(p.Files)) // of the files in p.Files, by their index
	for i, f := range p.Files {
		places[f.index] = i
	}
	for {
		entry, err := c.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return badSRPM("the payload: %v", err)
		}
		name, size := entry.name, entry.size
		i, found := slices.BinarySearchFunc(p.Files, name, func(f File, n string) int { return strings.Compare(f.Name, n) })
		if entry.stripped {
			if entry.index >= int64(len(places)) {
				return badSRPM("the payload has file number %d, which the header does not list", entry.index)
			}
			i, found = places[entry.index], true
			name, size = p.Files[i].Name, p.Files[i].Size
		}
		switch {
		case !found:
			return badSRPM("the payload has %q, which the header does not list", name)
		case p.Files[i].seen:
			return badSRPM("the payload has %q twice", name)
		case size != p.Files[i].Size:
			return badSRPM("%q has %d bytes in the payload, but %d in the header", name, size, p.Files[i].Size)
		}
		f := &p.Files[i]
		f.seen = true
		body := &hashedReader{r: io.LimitReader(c, size)}
		if f.Digest != "" {
			body.hashes = append(body.hashes, namedHash(f.DigestType))
		}
		if each != nil {
			if err := each(f, body); err != nil {
				return err
			}
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return badSRPM("the payload ends within %q: %v", name, err)
		}
		if body.n != size {
			return badSRPM("the payload ends within %q", name)
		}
		if f.Digest != "" {
			if got := hex.EncodeToString(body.hashes[0].Sum(nil)); got != f.Digest {
				return &diag.Diagnostic{Code: "srpm/digest", Message: fmt.Sprintf("%s of %s has %s %s, but the package declares %s", name, p.NEVR(), f.DigestType, got, f.Digest),
					Hint: "the package is damaged or was tampered with; fetch it again"}
			}
		}
		if err := c.pad(); err != nil {
			return badSRPM("the payload ends behind %q", name)
		}
	}
	for i := range p.Files {
		if f := &p.Files[i]; !f.seen && !f.Absent {
			return badSRPM("the payload lacks %q", f.Name)
		}
	}
	return nil
}

// A cpioReader reads headers and counts, because padding depends on where in
// the archive it is.
type cpioReader struct {
	r io.Reader
	n int64
}

func (c *cpioReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// pad skips to the next multiple of four.
func (c *cpioReader) pad() error {
	var b [3]byte
	_, err := io.ReadFull(c, b[:(4-c.n%4)%4])
	return err
}

// A cpioEntry is the header of a file in a cpio archive.
type cpioEntry struct {
	name     string
	size     int64
	stripped bool  // there is only the index
	index    int64 // in the header of the package
}

// next reads the header of the next file; io.EOF stands for the trailer.
func (c *cpioReader) next() (entry cpioEntry, err error) {
	cut := errors.New("it is cut off")
	magic := make([]byte, 6)
	if _, err := io.ReadFull(c, magic); err != nil {
		return entry, cut
	}
	number := func(b []byte) (int64, error) {
		n, err := strconv.ParseUint(string(b), 16, 32)
		if err != nil {
			return 0, errors.New("a header is damaged")
		}
		return int64(n), nil
	}
	switch string(magic) {
	case "07070X":
		b := make([]byte, 8)
		if _, err := io.ReadFull(c, b); err != nil || c.pad() != nil {
			return entry, cut
		}
		entry.stripped = true
		entry.index, err = number(b)
		return entry, err
	case "070701", "070702":
	default:
		return entry, errors.New("it is not a cpio archive")
	}
	rest := make([]byte, 104)
	if _, err := io.ReadFull(c, rest); err != nil {
		return entry, cut
	}
	// Thirteen fields of eight digits: 6 is the size of the file, 11 of the name.
	if entry.size, err = number(rest[6*8 : 7*8]); err != nil {
		return entry, err
	}
	length, err := number(rest[11*8 : 12*8])
	if err != nil {
		return entry, err
	}
	if length < 1 || length > maxCpioName {
		return entry, fmt.Errorf("a file name has %d bytes", length)
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(c, b); err != nil {
		return entry, cut
	}
	if err := c.pad(); err != nil {
		return entry, cut
	}
	entry.name = strings.TrimPrefix(string(b[:length-1]), "./")
	if entry.name == "TRAILER!!!" {
		return entry, io.EOF
	}
	return entry, nil
}
