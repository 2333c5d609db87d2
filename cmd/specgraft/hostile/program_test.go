package hostile

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is the path of the program, which the tests run as everybody does: a
// binary of its own starts in half the time that one with all tests in it needs.
var program string

func TestMain(m *testing.M) { os.Exit(build(m)) }

// build builds the program, runs the tests and returns their exit code.
func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "specgraft-hostile-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "specgraft")
	if out, err := exec.Command("go", "build", "-o", program, "specgraft/cmd/specgraft").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot build the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}
