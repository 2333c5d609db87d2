//go:build unix

package render

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestUnlockDir lets a lock go while somebody else has the file open, as a child
// process has between its fork and its exec.
func TestUnlockDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := LockDir(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockDir(dir, false); err != errLocked {
		t.Fatalf("a second lock: %v", err)
	}
	inherited, err := unix.Dup(int(lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(inherited)
	UnlockDir(lock)
	again, err := LockDir(dir, false)
	if err != nil {
		t.Fatalf("the lock was not let go: %v", err)
	}
	UnlockDir(again)
}
