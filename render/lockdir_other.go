//go:build !unix

package render

import (
	"errors"
	"os"
)

var errLocked = errors.New("locked")

// LockDir opens the directory; locks are not available here.
func LockDir(dir string, _ bool) (*os.File, error) { return os.Open(dir) }

// UnlockDir is the reverse of LockDir.
func UnlockDir(f *os.File) { f.Close() }

func isNoSpace(error) bool { return false }
