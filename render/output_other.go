//go:build !linux

package render

import (
	"errors"
	"os"
)

// exchangeDirs says that only Linux exchanges two entries in one step.
func exchangeDirs(*os.File, string, string) error { return errors.ErrUnsupported }
