//go:build unix

package render

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

var errLocked = errors.New("locked")

// LockDir locks a directory against other runs until unlockDir or the end of the
// process; shared locks exclude only exclusive ones. File systems that
// cannot lock a directory go without.
func LockDir(dir string, shared bool) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	how := unix.LOCK_EX
	if shared {
		how = unix.LOCK_SH
	}
	for {
		switch err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB); {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK):
			f.Close()
			return nil, errLocked
		}
		return f, nil
	}
}

// UnlockDir lets a lock go. Closing the file is not enough: a process that is
// just being started elsewhere has it open, too, until it runs.
func UnlockDir(f *os.File) {
	unix.Flock(int(f.Fd()), unix.LOCK_UN)
	f.Close()
}

// isNoSpace reports whether err says that the disk or the quota is used up.
func isNoSpace(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}
