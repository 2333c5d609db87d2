package cache

import (
	"bytes"
	"crypto/sha256"
)

// Seal appends a checksum to a text of the cache, which begins with a magic that
// names its form and version.
func Seal(b []byte) []byte {
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// Unseal returns what stands between the magic and the checksum of a sealed text;
// ok is false for one that begins otherwise, is cut off or was altered.
func Unseal(data []byte, magic string) (body []byte, ok bool) {
	end := len(data) - sha256.Size
	if end < len(magic) || !bytes.HasPrefix(data, []byte(magic)) {
		return nil, false
	}
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) {
		return nil, false
	}
	return data[len(magic):end], true
}
