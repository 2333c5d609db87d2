package render

import (
	"os"

	"golang.org/x/sys/unix"
)

// A fileID is what a file system says of a file without reading it. Whatever is
// done to a file by way of the system changes it, unless it is done within the
// same tick of the clock.
type fileID struct {
	mode, inode, size int64
	mtime, ctime      int64 // ns since 1970
}

// identify asks for the fileID of what is at a path below dir, which may be a
// link itself.
func identify(dir *os.File, path string) (fileID, error) {
	var st unix.Stat_t
	_, err := ignoringEINTR(func() (int, error) {
		return 0, unix.Fstatat(int(dir.Fd()), path, &st, unix.AT_SYMLINK_NOFOLLOW)
	})
	return fileID{mode: int64(st.Mode), inode: int64(st.Ino), size: st.Size, mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano()}, err
}
