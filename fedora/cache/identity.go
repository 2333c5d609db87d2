package cache

import "time"

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
