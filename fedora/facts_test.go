package fedora

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
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

// TestFactsFromMany has several runs remember what they found out in one file, each
// from many goroutines at once: nothing is lost, and no line is torn.
func TestFactsFromMany(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "facts")
	var runs sync.WaitGroup
	for run := range 3 {
		runs.Go(func() {
			f := &facts{path: path}
			var workers sync.WaitGroup
			for worker := range 8 {
				workers.Go(func() {
					for i := range 50 {
						f.put(fmt.Sprintf("key-%d-%d-%d", run, worker, i), idA)
					}
				})
			}
			workers.Wait()
			if err := f.close(); err != nil {
				t.Error(err)
			}
		})
	}
	runs.Wait()
	if bad := verifyFacts(path); bad > 0 {
		t.Errorf("%d bad lines", bad)
	}
	if n := len(knownFacts(path)); n != 3*8*50 {
		t.Errorf("%d facts are known, want %d", n, 3*8*50)
	}
}
