package cache

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Identify asks for the Identity of the file that a path leads to.
func Identify(path string) (Identity, error) {
	return identify(unix.AT_FDCWD, path, 0)
}

// IdentifyBelow asks for the Identity of what is at a path below dir, which may be
// a link itself.
func IdentifyBelow(dir *os.File, path string) (Identity, error) {
	return identify(int(dir.Fd()), path, unix.AT_SYMLINK_NOFOLLOW)
}

func identify(dir int, path string, flags int) (Identity, error) {
	var st unix.Stat_t
	if _, err := again(func() (int, error) { return 0, unix.Fstatat(dir, path, &st, flags) }); err != nil {
		return Identity{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return Identity{Mode: int64(st.Mode), Inode: int64(st.Ino), Size: st.Size, Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano()}, nil
}
