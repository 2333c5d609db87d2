//go:build !linux

package cache

import (
	"errors"
	"os"
)

// Identify says that files are not known by what the system says of them here.
func Identify(string) (Identity, error) { return Identity{}, errors.ErrUnsupported }

// IdentifyBelow says the same: files are read and compared.
func IdentifyBelow(*os.File, string) (Identity, error) { return Identity{}, errors.ErrUnsupported }
