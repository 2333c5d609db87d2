package fedora

import (
	"strings"
	"testing"
)

// FuzzFacts reads facts that anybody may have written; what is written is read
// again, whatever stands before it.
func FuzzFacts(f *testing.F) {
	id := strings.Repeat("ab", 20)
	f.Add(factLine("snapshot:x:1", id), "key")
	f.Add("\n\n"+strings.Repeat("0", 100)+" \x00\xff", "short:abc:https://example.org")
	f.Fuzz(func(t *testing.T, before, key string) {
		if strings.ContainsAny(key, " \n") {
			return // no key has them
		}
		known := map[string]string{}
		readFacts(before+"\n"+factLine(key, id), func(k, v string, ok bool) {
			if ok {
				known[k] = v
			}
		})
		if known[key] != id {
			t.Errorf("%q is not known after %q", key, before)
		}
	})
}
