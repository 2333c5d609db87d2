package facts

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// TestHostileCache evaluates beside a cache that holds JSON nested without end,
// JSON of another kind, and more than is read: it is as if it were not there.
func TestHostileCache(t *testing.T) {
	t.Parallel()
	spec := Spec{Name: "x.spec", Text: []byte("Name: x\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n%description\nd\n%files\n")}
	want := (&Cache{}).Facts(spec)
	key := (&Cache{}).key("spec", &spec, spec.Text)
	for name, text := range map[string]string{
		"deep":    strings.Repeat("[", 1<<20),
		"objects": strings.Repeat(`{"facts":`, 1<<20),
		"null":    "null",
		"nothing": "{}",
		"text":    `"x"`,
		"control": "\x00\xff",
	} {
		c := &Cache{Dir: t.TempDir()}
		writeShard(t, c, key, key+" "+text+"\n")
		if got := c.Facts(spec); got == nil || len(got.Packages) != len(want.Packages) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	c := &Cache{Dir: t.TempDir()}
	file := writeShard(t, c, key, key+" {}\n")
	if err := os.Truncate(file, maxShardSize+1); err != nil {
		t.Fatal(err)
	}
	if c.get(key) != nil {
		t.Error("a shard is read that is too large")
	}
}

// writeShard writes the shard of a key, before the cache is asked for the first time.
func writeShard(t *testing.T, c *Cache, key, text string) string {
	t.Helper()
	number, err := hex.DecodeString(key[:2])
	if err != nil {
		t.Fatal(err)
	}
	file := c.shardFile(number[0] % 64)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
