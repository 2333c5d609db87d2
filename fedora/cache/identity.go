package cache

import (
	"encoding/binary"
	"time"
)

// An Identity is what a file system says of a file without reading it. Whatever is
// done to a file by way of the system changes it, unless it is done within the
// same tick of the clock.
type Identity struct {
	Mode, Inode, Size int64
	Mtime, Ctime      int64 // ns since 1970
}

const (
	// tick is the coarsest clock of file systems that tell nanoseconds, coarseTick
	// that of those that do not.
	tick       = int64(50 * time.Millisecond)
	coarseTick = int64(3 * time.Second)
)

// Racy reports whether a file of which this was said was touched so shortly before
// a time, in ns since 1970, that it may be touched again without a trace.
func (id Identity) Racy(at int64) bool {
	t := tick
	if id.Mtime%int64(time.Second) == 0 && id.Ctime%int64(time.Second) == 0 {
		t = coarseTick
	}
	return max(id.Mtime, id.Ctime)+t > at
}

// fields are the parts of an Identity in the order in which they are written.
func (id *Identity) fields() [5]*int64 {
	return [5]*int64{&id.Mode, &id.Inode, &id.Size, &id.Mtime, &id.Ctime}
}

// Append appends the Identity to a text of the cache, for CutIdentity.
func (id Identity) Append(b []byte) []byte {
	for _, n := range id.fields() {
		b = binary.AppendVarint(b, *n)
	}
	return b
}

// CutIdentity reads an Identity off the beginning of b and returns what is behind
// it; ok is false when b does not begin with one.
func CutIdentity(b []byte) (id Identity, rest []byte, ok bool) {
	for _, field := range id.fields() {
		v, n := binary.Varint(b)
		if n <= 0 {
			return Identity{}, nil, false
		}
		*field, b = v, b[n:]
	}
	return id, b, true
}
