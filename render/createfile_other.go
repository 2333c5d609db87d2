//go:build !linux

package render

import (
	"io/fs"
	"os"
)

// createFile creates the file name below root with a content and exactly a mode.
func createFile(_ *os.File, root *os.Root, name string, mode fs.FileMode, data []byte) error {
	return createSlowly(root, name, mode, data)
}
