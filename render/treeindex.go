package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"specgraft/fedora/cache"
	"specgraft/overlay"
)

// A treeIndex remembers of an output tree which components were as render would
// write them, what the file system said of their files at that time, and a digest
// of everything that they follow from. A component of which neither has changed
// is neither rendered nor read again.
//
// It lives in the cache, one file for each tree and build of the tool, and is
// believed only as far as git believes its own: what changed within the last tick
// of the clock before it was written may have changed once more without a trace,
// and is looked at.
type treeIndex struct {
	path  string
	saved int64 // ns since 1970

	mu    sync.Mutex
	known map[string]*indexed
	dirty bool
}

// An indexed is one component of the index.
type indexed struct {
	inputs [sha256.Size]byte
	commit string
	diags  []byte // warnings, nil for none
	files  []indexedFile
}

type indexedFile struct {
	path string // below the component's directory; "" is the directory itself
	id   cache.Identity
}

const (
	indexMagic = "sgtree1\n"
	maxIndexed = 1 << 24
)

// openIndex reads the index of the tree that out is; an empty one where it is
// missing, damaged or another tree's.
func (r *Renderer) openIndex(out *Output) *treeIndex {
	if r.CacheDir == "" || out.root == nil {
		return nil
	}
	sum := sha256.Sum256([]byte(r.Build + "\x00" + out.Dir))
	x := &treeIndex{path: filepath.Join(r.CacheDir, "tree.v1", hex.EncodeToString(sum[:16])), known: map[string]*indexed{}}
	data, err := cache.ReadBounded(x.path, maxShard)
	if err != nil {
		return x
	}
	if known, saved, ok := decodeTree(data); ok && saved <= time.Now().UnixNano() {
		x.known, x.saved = known, saved
	}
	return x
}

// save writes the index. That it cannot be written costs time, nothing else.
func (x *treeIndex) save() {
	if x == nil || !x.dirty {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	_ = cache.Write(x.path, x.encode(time.Now().UnixNano()))
}

// get returns what is known about a component with these inputs, nil when that
// is nothing.
func (x *treeIndex) get(name string, inputs [sha256.Size]byte) *indexed {
	x.mu.Lock()
	defer x.mu.Unlock()
	if c := x.known[name]; c != nil && c.inputs == inputs {
		return c
	}
	return nil
}

// put remembers a component, nil to forget it.
func (x *treeIndex) put(name string, c *indexed) {
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	old := x.known[name]
	if c == nil && old == nil || old.believed(c, x.saved) {
		return
	}
	x.dirty = true
	if c == nil {
		delete(x.known, name)
	} else {
		x.known[name] = c
	}
}

// believed reports whether an index that was saved at a time says c already, and is
// believed.
func (c *indexed) believed(now *indexed, saved int64) bool {
	return c != nil && now != nil && c.inputs == now.inputs && c.commit == now.commit && bytes.Equal(c.diags, now.diags) &&
		slices.Equal(c.files, now.files) && !slices.ContainsFunc(c.files, func(f indexedFile) bool { return f.id.Racy(saved) })
}

// unchanged reports whether the files of a component are those that the index
// knows. One call of the system is spent on each.
func (x *treeIndex) unchanged(out *Output, name string, c *indexed) bool {
	l, err := out.letter(strings.ToLower(name[:1]), false)
	if err != nil || l == nil {
		return false
	}
	for i := range c.files {
		f := &c.files[i]
		id, err := cache.IdentifyBelow(l.dir, path.Join(name, f.path))
		if err != nil || id != f.id || id.Racy(x.saved) {
			return false
		}
	}
	return true
}

// describe asks the file system about a component's directory, whose files are
// known to be those given; nil when that is not possible.
func describe(out *Output, name string, files []*overlay.File) []indexedFile {
	l, err := out.letter(strings.ToLower(name[:1]), false)
	if err != nil || l == nil {
		return nil
	}
	paths := []string{""}
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "." && !slices.Contains(paths, dir); dir = path.Dir(dir) {
			paths = append(paths, dir)
		}
		paths = append(paths, f.Path)
	}
	list := make([]indexedFile, len(paths))
	for i, p := range paths {
		id, err := cache.IdentifyBelow(l.dir, path.Join(name, p))
		if err != nil {
			return nil
		}
		list[i] = indexedFile{p, id}
	}
	return list
}

func (x *treeIndex) encode(saved int64) []byte {
	b := binary.AppendVarint([]byte(indexMagic), saved)
	text := func(s string) {
		b = binary.AppendVarint(b, int64(len(s)))
		b = append(b, s...)
	}
	names := make([]string, 0, len(x.known))
	for name := range x.known {
		names = append(names, name)
	}
	slices.Sort(names)
	b = binary.AppendVarint(b, int64(len(names)))
	for _, name := range names {
		c := x.known[name]
		text(name)
		b = append(b, c.inputs[:]...)
		text(c.commit)
		text(string(c.diags))
		b = binary.AppendVarint(b, int64(len(c.files)))
		for _, f := range c.files {
			text(f.path)
			b = f.id.Append(b)
		}
	}
	return cache.Seal(b)
}

// decodeTree reads what encode wrote; ok is false for anything else.
func decodeTree(data []byte) (known map[string]*indexed, saved int64, ok bool) {
	body, ok := cache.Unseal(data, indexMagic)
	if !ok {
		return nil, 0, false
	}
	all := string(body) // names and paths become parts of this one string
	bad := false
	num := func() int64 {
		v, n := binary.Varint(body)
		if n <= 0 {
			bad = true
			return 0
		}
		body = body[n:]
		return v
	}
	count := func() int64 {
		n := num()
		if n < 0 || n > int64(len(body)) || n > maxIndexed {
			bad = true
			return 0
		}
		return n
	}
	text := func() string {
		n := count()
		at := len(all) - len(body)
		body = body[n:]
		return all[at : at+int(n)]
	}
	saved = num()
	n := count()
	known = make(map[string]*indexed, n)
	for range n {
		name, c := text(), &indexed{}
		if bad || len(body) < len(c.inputs) {
			return nil, 0, false
		}
		body = body[copy(c.inputs[:], body):]
		c.commit = text()
		if d := text(); d != "" {
			c.diags = []byte(d)
		}
		c.files = make([]indexedFile, 0, min(count(), 1<<16))
		for range cap(c.files) {
			f := indexedFile{path: text()}
			if f.id, body, ok = cache.CutIdentity(body); !ok {
				return nil, 0, false
			}
			c.files = append(c.files, f)
		}
		if bad {
			return nil, 0, false
		}
		known[name] = c
	}
	return known, saved, len(body) == 0
}
