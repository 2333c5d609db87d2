package render

import (
	"fmt"
	"testing"
)

func TestShard(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "1", "/", "1/", "/3", "4/3", "-1/3", "1/0", "a/3", "1/3/3", "1/1000000", " 1/3"} {
		if _, err := ParseShard(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	for _, n := range []int{1, 2, 7, 64} {
		count := make([]int, n+1)
		const names = 6400
		for k := range names {
			name, in := fmt.Sprintf("component-%d", k), 0
			for i := 0; i <= n; i++ {
				s, err := ParseShard(fmt.Sprintf("%d/%d", i, n))
				if err != nil {
					t.Fatal(err)
				}
				if s.Has(name) {
					count[i]++
					in++
				}
			}
			zero, _ := ParseShard(fmt.Sprintf("0/%d", n))
			last, _ := ParseShard(fmt.Sprintf("%d/%d", n, n))
			if zero.Has(name) != last.Has(name) {
				t.Errorf("%s: shard 0 and %d of %d differ", name, n, n)
			}
			if want := 1; in != want && in != 2 { // 2 for part N, which is part 0
				t.Fatalf("%s is in %d of %d shards", name, in, n)
			}
		}
		for i := 1; i <= n; i++ {
			if count[i] < names/n/2 || count[i] > names/n*2 {
				t.Errorf("shard %d/%d has %d of %d", i, n, count[i], names)
			}
		}
		if count[0] != count[n] {
			t.Errorf("shard 0/%d has %d, %d/%d has %d", n, count[0], n, n, count[n])
		}
	}
	if !(Shard{}).Has("x") {
		t.Error("no shard has not all")
	}
	// What is in a shard must not change: farms divide work by it.
	if s, _ := ParseShard("1/3"); !s.Has("bash") || s.Has("zlib") || s.Has("gcc") {
		t.Errorf("bash %v, zlib %v", s.Has("bash"), s.Has("zlib"))
	}
}
