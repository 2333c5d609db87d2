package cache

import (
	"io/fs"
	"syscall"
	"time"
)

// LastUse returns when a file was last read or written, as far as the file
// system notes it.
func LastUse(fi fs.FileInfo) time.Time {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		if t := time.Unix(st.Atim.Unix()); t.After(fi.ModTime()) {
			return t
		}
	}
	return fi.ModTime()
}
