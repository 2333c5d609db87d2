//go:build unix

package main

import "syscall"

// usualUmask sets the umask that most accounts have.
func usualUmask() { syscall.Umask(0o022) }
