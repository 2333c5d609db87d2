//go:build !unix

package render

import (
	"errors"
	"os"
)

var errLocked = errors.New("locked")

// lockDir opens the directory; locks are not available here.
func lockDir(dir string, _ bool) (*os.File, error) { return os.Open(dir) }

func unlockDir(f *os.File) { f.Close() }

func isNoSpace(error) bool { return false }
