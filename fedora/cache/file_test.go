package cache

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"specgraft/overlay/diag"
)

func TestDiskFull(t *testing.T) {
	t.Parallel()
	full := "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("no /dev/full")
	}
	f, err := os.OpenFile(full, os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	w := &diskWriter{f: f}
	_, err = io.Copy(w, strings.NewReader(strings.Repeat("x", 600_000)))
	if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || d.Code != "fedora/cache" || !d.Env || !strings.Contains(d.Message, "no space left") {
		t.Errorf("writing to a full disk: %v", err)
	}
}
