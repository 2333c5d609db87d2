//go:build !linux

package cache

import (
	"io/fs"
	"time"
)

// LastUse returns when a file was last written.
func LastUse(fi fs.FileInfo) time.Time { return fi.ModTime() }
