package render

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// exchangeDirs exchanges two entries of a directory in one step. The error
// matches errors.ErrUnsupported where the file system cannot do it.
func exchangeDirs(dir *os.File, a, b string) error {
	fd := int(dir.Fd())
	err := unix.Renameat2(fd, a, fd, b, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return errors.ErrUnsupported
	}
	return err
}
