package facts

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"sync"

	"specgraft/fedora/cache"
	"specgraft/fedora/macro"
)

// A Spec is a rendered spec with what it is evaluated with.
type Spec struct {
	Name   string // of the spec file
	Text   []byte
	Config macro.Config // FS is the component's directory
}

// A Cache remembers what evaluations came to: the facts of a spec by its text, its
// macro set, the settings and the build of the tool, as long as the files that the
// evaluation looked at are the same. The zero value remembers nothing between
// runs. It is safe for concurrent use.
type Cache struct {
	Dir   string // "" to keep nothing
	Build string // names the build of the tool

	shards [64]cacheShard
}

type cacheShard struct {
	mu     sync.Mutex
	loaded bool
	known  map[string][]byte // JSON of a cached, by key
	used   map[string]bool
	added  bool
}

// cached is what is remembered of one evaluation.
type cached struct {
	Seen  map[string]string // files that were looked at, with their state
	Facts *Facts
}

// Known returns what is known of the spec that follows from inputs, nil for
// nothing. s has no text.
func (c *Cache) Known(inputs [sha256.Size]byte, s Spec) *Facts {
	to := c.get(c.key("inputs", &s, inputs[:]))
	if to == nil {
		return nil
	}
	if hit := decodeCached(c.get(string(to))); hit != nil {
		return hit.Facts
	}
	return nil
}

// Follows notes that a spec follows from inputs, for Known. Its facts were looked
// up before.
func (c *Cache) Follows(inputs [sha256.Size]byte, s Spec) {
	c.put(c.key("inputs", &s, inputs[:]), []byte(c.key("spec", &s, s.Text)))
}

// Facts returns what a spec builds and needs.
func (c *Cache) Facts(s Spec) *Facts {
	key := c.key("spec", &s, s.Text)
	if hit := decodeCached(c.get(key)); hit != nil && sameFiles(s.Config.FS, hit.Seen) {
		return hit.Facts
	}
	w := &watchFS{fs: s.Config.FS, seen: map[string]bool{}}
	if s.Config.FS != nil {
		s.Config.FS = w
	}
	facts := NewFacts(macro.Eval(s.Name, s.Text, s.Config), targetOf(s.Config))
	if c.Dir != "" {
		seen := map[string]string{}
		for f := range w.seen {
			if !contentFree(f) {
				seen[f] = fileState(w.fs, f)
			}
		}
		if data, err := json.Marshal(cached{seen, facts}); err == nil {
			c.put(key, data)
		}
	}
	return facts
}

func targetOf(cfg macro.Config) string {
	if cfg.Arch == "" {
		return "x86_64"
	}
	return cfg.Arch
}

// key names an evaluation: its settings, and the content that it follows from.
func (c *Cache) key(kind string, s *Spec, content []byte) string {
	h := sha256.New()
	cfg := &s.Config
	set := cfg.Set
	if set == nil {
		set = macro.Builtin()
	}
	fields := []string{"3", kind, c.Build, macro.Version, set.Hash(), targetOf(*cfg), cfg.Distro.Fedora, cfg.Distro.RHEL, cfg.Distro.Dist, s.Name}
	for _, d := range cfg.Defines {
		fields = append(fields, "D", d.Name, d.Body)
	}
	for _, list := range [][]string{cfg.With, cfg.Without, cfg.Undefines} {
		fields = append(append(fields, "L"), list...)
	}
	for _, f := range fields {
		io.WriteString(h, f)
		h.Write([]byte{0})
	}
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// shard returns the shard of a key, loaded and locked.
func (c *Cache) shard(key string) *cacheShard {
	var number [1]byte
	if _, err := hex.Decode(number[:], []byte(key[:2])); err != nil {
		number[0] = 0
	}
	s := &c.shards[number[0]%64]
	s.mu.Lock()
	if !s.loaded {
		s.load(c.shardFile(number[0] % 64))
	}
	return s
}

// get returns what is remembered under a key, nil for nothing.
func (c *Cache) get(key string) []byte {
	if c.Dir == "" || len(key) != 32 {
		return nil
	}
	s := c.shard(key)
	defer s.mu.Unlock()
	data := s.known[key]
	if data != nil {
		s.used[key] = true
	}
	return data
}

func (c *Cache) put(key string, data []byte) {
	if c.Dir == "" {
		return
	}
	s := c.shard(key)
	defer s.mu.Unlock()
	s.known[key], s.used[key], s.added = data, true, true
}

func decodeCached(data []byte) *cached {
	var hit cached
	if data == nil || json.Unmarshal(data, &hit) != nil || hit.Facts == nil {
		return nil
	}
	return &hit
}

func (c *Cache) shardFile(number byte) string {
	return filepath.Join(c.Dir, hex.EncodeToString([]byte{number}))
}

// load reads a shard: a line for each evaluation, the key and a JSON. What is
// damaged is left out.
func (s *cacheShard) load(path string) {
	s.loaded, s.known, s.used = true, map[string][]byte{}, map[string]bool{}
	data, err := cache.ReadBounded(path, maxShardSize)
	if err != nil {
		return
	}
	for line := range bytes.Lines(data) {
		text, whole := bytes.CutSuffix(line, []byte("\n"))
		if key, rest, ok := bytes.Cut(text, []byte(" ")); ok && whole && len(key) == 32 {
			s.known[string(key)] = rest
		}
	}
}

// maxShardSize bounds the bytes of a shard; what is larger is as if it were not
// there.
const maxShardSize = 256 << 20

// maxShard bounds how many evaluations a shard keeps beyond those of this run.
const maxShard = 4000

// Save writes what was added. Several processes may do so at once: the last one
// wins, nothing breaks.
func (c *Cache) Save() error {
	if c.Dir == "" {
		return nil
	}
	var errs []error
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		if s.added {
			var text bytes.Buffer
			for _, key := range slices.Sorted(maps.Keys(s.known)) {
				if s.used[key] || len(s.known) <= maxShard {
					text.WriteString(key + " ")
					text.Write(s.known[key])
					text.WriteByte('\n')
				}
			}
			errs = append(errs, cache.Write(c.shardFile(byte(i)), text.Bytes()))
			s.added = false
		}
		s.mu.Unlock()
	}
	return errors.Join(errs...)
}

// A watchFS notes which files are looked at.
type watchFS struct {
	fs   fs.FS
	seen map[string]bool
}

func (w *watchFS) Open(name string) (fs.File, error) {
	w.seen[name] = true
	return w.fs.Open(name)
}

// contentFree reports whether a file is one of which an evaluation wants to know
// how it is packed, and that only for %prep: an archive or a patch.
func contentFree(name string) bool {
	switch path.Ext(name) {
	case ".patch", ".diff", ".gz", ".xz", ".bz2", ".zst", ".zip", ".tar", ".tgz", ".crate", ".gem", ".asc", ".sig":
		return true
	}
	return false
}

// fileState tells the states of a file apart that an evaluation may see.
func fileState(fsys fs.FS, name string) string {
	f, err := fsys.Open(name)
	if err != nil {
		return "-"
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return "other"
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "-"
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func sameFiles(fsys fs.FS, seen map[string]string) bool {
	for name, state := range seen {
		if fsys == nil || fileState(fsys, name) != state {
			return false
		}
	}
	return true
}
