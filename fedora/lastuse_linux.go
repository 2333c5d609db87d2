package fedora

import (
	"io/fs"
	"syscall"
	"time"
)

// lastUse returns when a file was last read or written, as far as the file
// system notes it.
func lastUse(fi fs.FileInfo) time.Time {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		if t := time.Unix(st.Atim.Unix()); t.After(fi.ModTime()) {
			return t
		}
	}
	return fi.ModTime()
}
