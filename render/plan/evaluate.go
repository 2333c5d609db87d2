package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
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

// Facts returns what a spec builds and needs.
func (c *Cache) Facts(s Spec) *Facts {
	arch := s.Config.Arch
	if arch == "" {
		arch = "x86_64"
	}
	key := c.key(&s, arch)
	shard := &c.shards[key[0]%64]
	name := hex.EncodeToString(key[:16])
	if hit := c.get(shard, key[0]%64, name); hit != nil && sameFiles(s.Config.FS, hit.Seen) {
		return hit.Facts
	}
	w := &watchFS{fs: s.Config.FS, seen: map[string]bool{}}
	if s.Config.FS != nil {
		s.Config.FS = w
	}
	facts := NewFacts(macro.Eval(s.Name, s.Text, s.Config), arch)
	if c.Dir != "" {
		seen := map[string]string{}
		for f := range w.seen {
			if !contentFree(f) {
				seen[f] = fileState(w.fs, f)
			}
		}
		if data, err := json.Marshal(cached{seen, facts}); err == nil {
			shard.mu.Lock()
			shard.known[name], shard.used[name], shard.added = data, true, true
			shard.mu.Unlock()
		}
	}
	return facts
}

func (c *Cache) key(s *Spec, arch string) [32]byte {
	h := sha256.New()
	cfg := &s.Config
	set := cfg.Set
	if set == nil {
		set = macro.Builtin()
	}
	fields := []string{"2", c.Build, macro.Version, set.Hash(), arch, cfg.Distro.Fedora, cfg.Distro.RHEL, cfg.Distro.Dist, s.Name}
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
	h.Write(s.Text)
	return [32]byte(h.Sum(nil))
}

func (c *Cache) get(s *cacheShard, number byte, name string) *cached {
	if c.Dir == "" {
		return nil
	}
	s.mu.Lock()
	if !s.loaded {
		s.load(c.shardFile(number))
	}
	data := s.known[name]
	if data != nil {
		s.used[name] = true
	}
	s.mu.Unlock()
	if data == nil {
		return nil
	}
	var hit cached
	if json.Unmarshal(data, &hit) != nil || hit.Facts == nil {
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
	data, err := os.ReadFile(path)
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
			for _, key := range sortedKeys(s.known) {
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
