package srpm

import (
	"fmt"
	"hash"
	"io"
)

// A cpioWriter writes the payload of a source package: an archive in the "new
// ASCII" format, where each file has a header of fixed size and is padded to
// four bytes.
type cpioWriter struct {
	w io.Writer
	n int64 // bytes written
}

func (c *cpioWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// entry writes a file's header. inode is its number in the package's header.
func (c *cpioWriter) entry(name string, inode, mode, links int, mtime, size int64) error {
	_, err := fmt.Fprintf(c, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		inode, mode, 0, 0, links, mtime, size, 0, 0, 0, 0, len(name)+1, 0, name)
	if err != nil {
		return err
	}
	return c.pad()
}

// stripped writes the header of a file in an archive with one of 4 GiB or more.
// The format has no room for such sizes, so all that is told is the index in the
// package's header.
func (c *cpioWriter) stripped(index int) error {
	if _, err := fmt.Fprintf(c, "07070X%08x", index); err != nil {
		return err
	}
	return c.pad()
}

func (c *cpioWriter) pad() error {
	_, err := c.Write(make([]byte, (4-c.n%4)%4))
	return err
}

// end writes the trailer.
func (c *cpioWriter) end() error { return c.entry("TRAILER!!!", 0, 0, 1, 0, 0) }

// A countingWriter hashes and counts what goes through it.
type countingWriter struct {
	w io.Writer
	h hash.Hash
	n int64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.h.Write(b[:n])
	c.n += int64(n)
	return n, err
}
