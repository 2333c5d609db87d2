package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"specgraft/fedora/cache"
	"specgraft/fedora/macro"
	"specgraft/overlay"
)

// maxShard is more bytes than any of its files takes.
const maxShard = 256 << 20

// verdicts remembers which files of a component the file filter keeps. To find
// out, the whole spec is evaluated, which costs more than everything else in a
// render; the answer follows from the spec, the files beside it, the macro set
// and the build of the tool, which are the key.
//
// It is kept as lines of text in a few files, each read when first needed and
// replaced as a whole when something was added. A file that is damaged or gone
// costs time and nothing else.
type verdicts struct {
	dir    string // empty: nothing is kept
	shards [64]shard
}

type shard struct {
	mu     sync.Mutex
	loaded bool
	known  map[string]string // line without the key, by key
	used   map[string]bool
	added  bool
}

// maxVerdicts bounds a shard; what was not used in this run goes first.
const maxVerdicts = 2000

// verdictKey names everything that the filter's answer depends on.
func verdictKey(build string, res *Result, tree *overlay.Tree, text []byte, entries []string) (string, error) {
	h := sha256.New()
	put := func(parts ...string) {
		for _, p := range parts {
			h.Write([]byte(p))
			h.Write([]byte{0})
		}
	}
	put("1", build, macro.SRPM().Hash(), res.Component, res.Upstream.Commit)
	put(entries...)
	h.Write(text)
	paths := make([]string, 0, len(tree.Files))
	for p := range tree.Files {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		put(p)
		if f := tree.Files[p]; f.Origin != nil || res.Upstream.Local {
			data, err := f.Bytes()
			if err != nil {
				return "", err
			}
			sum := sha256.Sum256(data)
			h.Write(sum[:])
		} // else it is the commit's
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func (v *verdicts) shard(key string) (*shard, string) {
	b, err := hex.DecodeString(key[:2])
	if err != nil {
		return &v.shards[0], "00"
	}
	n := b[0] % 64
	return &v.shards[n], hex.EncodeToString([]byte{n})
}

// get returns the verdicts about entries that an earlier evaluation gave.
func (v *verdicts) get(key string, entries []string) []macro.Entry {
	if v.dir == "" {
		return nil
	}
	s, name := v.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.loaded {
		s.load(filepath.Join(v.dir, name))
	}
	fields := strings.Split(s.known[key], "\t")
	if len(fields) != len(entries)+1 || len(fields[0]) != len(entries) {
		return nil
	}
	s.used[key] = true
	list := make([]macro.Entry, len(entries))
	for i, e := range entries {
		list[i] = macro.Entry{Name: e, Keep: fields[0][i] == '+', Reason: fields[i+1]}
	}
	return list
}

func (s *shard) load(path string) {
	s.loaded, s.known, s.used = true, map[string]string{}, map[string]bool{}
	data, err := cache.ReadBounded(path, maxShard)
	if err != nil {
		return
	}
	for line := range bytes.Lines(data) {
		text, whole := strings.CutSuffix(string(line), "\n")
		if key, rest, ok := strings.Cut(text, " "); ok && whole && len(key) == 32 {
			s.known[key] = rest
		}
	}
}

var oneLine = strings.NewReplacer("\t", " ", "\n", " ")

// put remembers verdicts.
func (v *verdicts) put(key string, list []macro.Entry) {
	if v.dir == "" {
		return
	}
	s, _ := v.shard(key)
	var bits, reasons strings.Builder
	for _, e := range list {
		if e.Keep {
			bits.WriteByte('+')
		} else {
			bits.WriteByte('-')
		}
		reasons.WriteString("\t" + oneLine.Replace(e.Reason))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[key] = bits.String() + reasons.String()
	s.used[key], s.added = true, true
}

// save writes what was added. Several processes may do so at once: the last
// one wins, nothing breaks.
func (v *verdicts) save() error {
	for i := range v.shards {
		s := &v.shards[i]
		s.mu.Lock()
		added := s.added
		s.added = false
		s.mu.Unlock()
		if !added {
			continue
		}
		var keys []string
		for key := range s.known {
			if s.used[key] || len(s.known) <= maxVerdicts {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		var text bytes.Buffer
		for _, key := range keys {
			text.WriteString(key + " " + s.known[key] + "\n")
		}
		if err := cache.Write(filepath.Join(v.dir, hex.EncodeToString([]byte{byte(i)})), text.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
