package render

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// createFile creates the file name below dir, which root is open at, with a
// content and exactly a mode. It takes three system calls where os.Root takes a
// dozen: the kernel itself refuses to leave dir or to follow a link, and a regular
// file is nothing to wait for. Kernels before 5.6 and sandboxes that do not know
// openat2 go through os.Root.
func createFile(dir *os.File, root *os.Root, name string, mode fs.FileMode, data []byte) error {
	how := unix.OpenHow{
		Flags:   unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_CLOEXEC,
		Mode:    uint64(mode.Perm()),
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	}
	fd, err := ignoringEINTR(func() (int, error) { return unix.Openat2(int(dir.Fd()), name, &how) })
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINVAL) {
		return createSlowly(root, name, mode, data)
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	for len(data) > 0 && err == nil {
		var n int
		n, err = ignoringEINTR(func() (int, error) { return unix.Write(fd, data[:min(len(data), 1<<30)]) })
		data = data[max(n, 0):]
	}
	if err == nil && uint32(mode.Perm())&umask() != 0 {
		_, err = ignoringEINTR(func() (int, error) { return 0, unix.Fchmod(fd, uint32(mode.Perm())) })
	}
	// Linux lets the descriptor go whatever close returns.
	if cerr := unix.Close(fd); err == nil && !errors.Is(cerr, unix.EINTR) {
		err = cerr
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// umask returns the bits that the process's umask takes from new files. It is
// asked for in a way that does not set it; where that does not work all bits
// count as taken.
var umask = sync.OnceValue(func() uint32 {
	status, err := os.ReadFile("/proc/self/status")
	if _, rest, ok := bytes.Cut(status, []byte("\nUmask:\t")); err == nil && ok {
		digits, _, _ := bytes.Cut(rest, []byte("\n"))
		if mask, err := strconv.ParseUint(string(digits), 8, 32); err == nil {
			return uint32(mask)
		}
	}
	return 0o777
})
