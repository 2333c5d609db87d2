//go:build !linux

package fedora

import (
	"io/fs"
	"time"
)

// lastUse returns when a file was last written.
func lastUse(fi fs.FileInfo) time.Time { return fi.ModTime() }
