package render

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// A Shard is one of several parts that the components of a distribution are dealt
// out to by their names. The zero value has all of them.
type Shard struct{ index, count int }

// maxShards bounds into how many parts a distribution is divided.
const maxShards = 100_000

// ParseShard reads "I/N": part I of N, from 1 on. Part 0 is part N, so that an
// index that counts from 0 can be used as it is.
func ParseShard(s string) (Shard, error) {
	a, b, ok := strings.Cut(s, "/")
	i, err := strconv.Atoi(a)
	n, nerr := strconv.Atoi(b)
	if !ok || err != nil || nerr != nil || n < 1 || n > maxShards || i < 0 || i > n {
		return Shard{}, fmt.Errorf("%q is not a shard such as 2/8: a number from 1 to the number of shards, a slash, and that number", s)
	}
	return Shard{i % n, n}, nil
}

// Has reports whether a component is in the part. Which one it is in follows from
// its name alone.
func (s Shard) Has(component string) bool {
	if s.count < 2 {
		return true
	}
	sum := sha256.Sum256([]byte(component))
	return binary.BigEndian.Uint64(sum[:8])%uint64(s.count) == uint64(s.index)
}
