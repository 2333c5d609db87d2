package fedora

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"specgraft/fedora/cache"
	"specgraft/fedora/distgit"
)

// facts remembers what selections came to: which commit is the newest at a
// time behind a branch head, and which commit an abbreviation stands for, which
// follow from objects that never change; and which commit a branch was at in a
// file of refs that is the same as long as the file system says so. It is kept as lines of
//
//	CHECKSUM KEY COMMIT
//
// that are only ever appended, whole ones by one write, so that several processes
// can share the file; a line that does not fit its checksum does not count.
type facts struct {
	path  string
	ahead *Ahead // nil unless somebody reads it already

	mu      sync.Mutex
	loaded  bool
	known   map[string]string
	pending []byte // lines that are not written yet
	writing bool   // somebody is, who does not hold mu for it
	written *sync.Cond
	file    *os.File
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const maxFacts = 256 << 20

// factsPath is where the facts are kept below the cache directory.
func factsPath(cacheDir string) string { return filepath.Join(cacheDir, "commits.v1") }

func snapshotKey(head string, unix int64) string {
	return "before:" + strconv.FormatInt(unix, 10) + ":" + head
}

// packedKey names a ref in a file of refs.
func packedKey(dir, name string, file cache.Identity) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %v", dir, name, file)
	return "packed:" + hex.EncodeToString(h.Sum(nil)[:16])
}

func (f *facts) get(key string) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.load()
	id, ok := f.known[key]
	return id, ok
}

func (f *facts) load() {
	if f.loaded {
		return
	}
	f.loaded, f.written = true, sync.NewCond(&f.mu)
	if a := f.ahead; a != nil && a.path == f.path {
		f.known = a.known()
		return
	}
	f.known = knownFacts(f.path)
}

// knownFacts reads what the file holds that fits its checksums.
func knownFacts(path string) map[string]string {
	data, err := cache.ReadBounded(path, maxFacts)
	if err != nil {
		return map[string]string{}
	}
	known := make(map[string]string, bytes.Count(data, []byte{'\n'}))
	readFacts(string(data), func(key, id string, ok bool) {
		if ok {
			known[key] = id
		}
	})
	return known
}

// An Ahead is what a store will be asked about, being read while something else
// is done.
type Ahead struct {
	path  string
	known func() map[string]string
}

// ReadAhead begins to read what the cache knows of thousands of repositories, for
// one store that is opened later with the same cache directory.
func ReadAhead(cacheDir string) *Ahead {
	a := &Ahead{path: factsPath(cacheDir)}
	a.known = sync.OnceValue(func() map[string]string { return knownFacts(a.path) })
	go a.known()
	return a
}

// readFacts calls line for each line, ok when its checksum fits.
func readFacts(text string, line func(key, id string, ok bool)) {
	for text != "" {
		var l string
		l, text, _ = strings.Cut(text, "\n")
		sum, body, _ := strings.Cut(l, " ")
		key, id, _ := strings.Cut(body, " ")
		n, err := strconv.ParseUint(sum, 16, 32)
		line(key, id, err == nil && distgit.IsObjectID(id) && uint32(n) == crc32.Checksum([]byte(body), castagnoli))
	}
}

// put remembers a fact. That it cannot be written costs time, nothing else.
func (f *facts) put(key, id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.load()
	if f.known[key] == id {
		return
	}
	f.known[key] = id
	f.pending = append(f.pending, factLine(key, id)...)
	if f.writing {
		return // whoever does will find it
	}
	f.writing = true
	for len(f.pending) > 0 {
		lines := f.pending
		f.pending = nil
		f.mu.Unlock()
		f.write(lines)
		f.mu.Lock()
	}
	f.writing = false
	f.written.Broadcast()
}

// write appends lines to the file, for one goroutine at a time.
func (f *facts) write(lines []byte) {
	if f.file == nil {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o777); err != nil {
			return
		}
		file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
		if err != nil {
			return
		}
		f.file = file
		// Somebody's cut-off last line must not swallow ours.
		lines = append([]byte{'\n'}, lines...)
	}
	f.file.Write(lines)
}

func factLine(key, id string) string {
	body := key + " " + id
	return fmt.Sprintf("%08x %s\n", crc32.Checksum([]byte(body), castagnoli), body)
}

func (f *facts) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.writing {
		f.written.Wait()
	}
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
