package lock

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/overlay/diag"
)

const (
	someCommit = "10779ee0aa0b3f6ec7b1b4b0b4f7d8f0a9e8d7c6"
	someHash   = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
)

func TestLockBytes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		lock Lock
		want string
	}{
		{"upstream", Lock{Version: 1, ImportCommit: someCommit, UpstreamCommit: "abc", ManualBump: 2, InputFingerprint: someHash, ResolutionInputHash: someHash},
			header + "version = 1\nimport-commit = '" + someCommit + "'\nupstream-commit = 'abc'\nmanual-bump = 2\ninput-fingerprint = '" + someHash + "'\nresolution-input-hash = '" + someHash + "'\n"},
		{"local", Lock{Version: 1, InputFingerprint: someHash}, header + "version = 1\ninput-fingerprint = '" + someHash + "'\n"},
		{"strange commit", Lock{Version: 1, UpstreamCommit: "it's\n\\\""}, header + "version = 1\nupstream-commit = \"it's\\u000A\\\\\\\"\"\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, string(tt.lock.Bytes())); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			back, err := Parse("x.lock", tt.lock.Bytes())
			if err != nil || !back.Equal(&tt.lock) {
				t.Errorf("read back as %+v, %v", back, err)
			}
		})
	}
}

func TestParseLock(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{ // want: bytes of the lock, or "!" and the problem
		{"by hand", "upstream-commit = \"abc\"\n  version=1 # one\n", "version = 1\nupstream-commit = 'abc'\n"},
		{"unknown keys", "version = 1\nlater = [1, 2]\n[table]\nx = 1\n", "version = 1\n"},
		{"version", "# x\nversion = 2\n", "!l/a.lock:2:1: unsupported lock file version 2 (expected 1) [lock/version]"},
		{"no version", "", "!l/a.lock:1:1: unsupported lock file version 0 (expected 1) [lock/version]"},
		{"wrong type", "version = 1\nupstream-commit = 12\n", `!l/a.lock:2:19: not a lock file: the value of "upstream-commit" has the wrong type [lock/syntax]`},
		{"negative bump", "version = 1\nmanual-bump = -1\n", "!l/a.lock:2:1: manual-bump -1 is out of range [lock/syntax]"},
		{"conflict", "version = 1\n<<<<<<< HEAD\n", "!l/a.lock:2:1: not a lock file: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := Parse("l/a.lock", []byte(tt.in))
			if want, ok := strings.CutPrefix(tt.want, "!"); ok {
				d := (*diag.Diagnostic)(nil)
				if !errors.As(err, &d) || !strings.HasPrefix(d.Error(), want) || d.Hint == "" {
					t.Fatalf("got %v, want %s with a hint", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(header+tt.want, string(l.Bytes())); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	l, err := Parse("a.lock", []byte("version = 1\n\n upstream-commit = 'x'\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := diag.Position(l.Pos("upstream-commit")); got != "a.lock:3:2" {
		t.Errorf("upstream-commit is at %s", got)
	}
}

// FuzzLock checks that what is read is written so that it reads the same.
func FuzzLock(f *testing.F) {
	f.Add([]byte(header + "version = 1\nupstream-commit = 'abc'\nmanual-bump = 3\n"))
	f.Add([]byte("version = 1\nupstream-commit = \"a\\u0000'\"\n"))
	f.Add([]byte(header + "version = 1\nimport-commit = 5\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Parse("a.lock", b)
		if err != nil {
			return
		}
		again, err := Parse("a.lock", l.Bytes())
		if err != nil || !again.Equal(l) {
			t.Errorf("%q read as %+v, then as %+v, %v", b, l, again, err)
		}
	})
}
