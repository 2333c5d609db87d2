package cache

import (
	"bytes"
	"testing"
)

// TestSeal reads a sealed text whole, cut off, altered and under another magic.
func TestSeal(t *testing.T) {
	t.Parallel()
	data := Seal([]byte("magic1\nbody"))
	if body, ok := Unseal(data, "magic1\n"); !ok || string(body) != "body" {
		t.Errorf("read %q, %v", body, ok)
	}
	if _, ok := Unseal(data, "magic2\n"); ok {
		t.Error("another form is believed")
	}
	for i := range data {
		if _, ok := Unseal(data[:i], "magic1\n"); ok {
			t.Errorf("%d of %d bytes are believed", i, len(data))
		}
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if _, ok := Unseal(bad, "magic1\n"); ok {
			t.Errorf("byte %d is not checked", i)
		}
	}
}

// TestIdentityText writes an Identity and reads it back, and from too few bytes.
func TestIdentityText(t *testing.T) {
	t.Parallel()
	want := Identity{Mode: 0o100644, Inode: 1 << 40, Size: 12, Mtime: -5, Ctime: 1_700_000_000_000_000_000}
	b := want.Append(nil)
	got, rest, ok := CutIdentity(append(b, 'x'))
	if !ok || got != want || string(rest) != "x" {
		t.Errorf("read %+v, %q, %v", got, rest, ok)
	}
	for i := range b {
		if _, _, ok := CutIdentity(b[:i]); ok {
			t.Errorf("%d of %d bytes are enough", i, len(b))
		}
	}
}
