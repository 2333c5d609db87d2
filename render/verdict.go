package render

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"specgraft/fedora/cache"
	"specgraft/fedora/macro"
	"specgraft/overlay"

	"golang.org/x/sync/errgroup"
)

// maxShard is more bytes than any of its files takes.
const maxShard = 256 << 20

// verdicts remembers which files of a component the file filter keeps, and what
// is to be said about its spec. To find out, the whole spec is evaluated, which
// costs more than everything else in a render; the answer follows from the spec,
// the files beside it, the macro sets and the build of the tool, which are the
// key.
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

// A verdict is what evaluating a rendered spec came to.
type verdict struct {
	entries  []macro.Entry // of the file filter, for the entries that were asked about
	findings []finding
}

// verdict evaluates a rendered spec, or remembers what that came to.
func (r *Renderer) verdict(ctx context.Context, res *Result, tree *overlay.Tree, text []byte, entries []string) (verdict, error) {
	cfg := r.evaluation(ctx, res, tree)
	key, err := r.verdictKey(cfg, res, tree, text, entries)
	if err != nil {
		return verdict{}, err
	}
	v, ok := r.verdicts.get(key, entries)
	if !ok {
		v.findings = r.examine(res, tree, text, cfg)
		if entries != nil {
			v.entries = macro.Filter(res.Component+".spec", text, entries, macro.Config{FS: treeFS{tree}, Stop: ctx.Done()})
		}
		if ctx.Err() == nil {
			r.verdicts.put(key, v)
		}
	}
	return v, nil
}

// verdictKey names everything that a verdict depends on.
func (r *Renderer) verdictKey(cfg macro.Config, res *Result, tree *overlay.Tree, text []byte, entries []string) (string, error) {
	h := sha256.New()
	put := func(parts ...string) {
		for _, p := range parts {
			h.Write([]byte(p))
			h.Write([]byte{0})
		}
	}
	set := cfg.Set
	if set == nil {
		set = macro.Builtin()
	}
	put("4", r.Build, macro.SRPM().Hash(), set.Hash(), cfg.Distro.Fedora, res.Component, res.Upstream.Commit)
	for _, f := range res.Config.SourceFiles {
		put(f.Filename)
	}
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
			put(strconv.Itoa(len(data)))
			cache.Digest(h, data)
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

// get returns the verdict that an earlier evaluation gave.
func (v *verdicts) get(key string, entries []string) (verdict, bool) {
	if v.dir == "" {
		return verdict{}, false
	}
	s, name := v.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.loaded {
		s.load(filepath.Join(v.dir, name))
	}
	line, ok := s.known[key]
	fields := strings.Split(line, "\t")
	if !ok || len(fields) != len(entries)+2 || len(fields[0]) != len(entries) {
		return verdict{}, false
	}
	findings, ok := decodeFindings(fields[len(entries)+1])
	if !ok {
		return verdict{}, false
	}
	s.used[key] = true
	list := make([]macro.Entry, len(entries))
	for i, e := range entries {
		list[i] = macro.Entry{Name: e, Keep: fields[0][i] == '+', Reason: fields[i+1]}
	}
	return verdict{list, findings}, true
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

// put remembers a verdict.
func (v *verdicts) put(key string, found verdict) {
	if v.dir == "" {
		return
	}
	s, _ := v.shard(key)
	var bits, reasons strings.Builder
	for _, e := range found.entries {
		if e.Keep {
			bits.WriteByte('+')
		} else {
			bits.WriteByte('-')
		}
		reasons.WriteString("\t" + oneLine.Replace(e.Reason))
	}
	reasons.WriteString("\t" + encodeFindings(found.findings))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[key] = bits.String() + reasons.String()
	s.used[key], s.added = true, true
}

// save writes what was added. Several processes may do so at once: the last
// one wins, nothing breaks.
func (v *verdicts) save() error {
	var group errgroup.Group
	group.SetLimit(16)
	for i := range v.shards {
		group.Go(func() error { return v.shards[i].save(filepath.Join(v.dir, hex.EncodeToString([]byte{byte(i)}))) })
	}
	return group.Wait()
}

func (s *shard) save(path string) error {
	s.mu.Lock()
	added := s.added
	s.added = false
	s.mu.Unlock()
	if !added {
		return nil
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
	return cache.Write(path, text.Bytes())
}
