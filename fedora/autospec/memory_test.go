package autospec

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"specgraft/fedora/distgit"
)

// memory is a git object store for tests.
type memory struct {
	objects map[string][]byte // content by name
	stored  []distgit.Object  // the same in the order of arrival
	shallow map[string]bool
	reads   int
}

func newMemory() *memory { return &memory{objects: map[string][]byte{}} }

func (m *memory) put(kind string, data []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "%s %d\x00", kind, len(data))
	h.Write(data)
	id := hex.EncodeToString(h.Sum(nil))
	if _, ok := m.objects[id]; !ok {
		m.objects[id] = data
		m.stored = append(m.stored, distgit.Object{Kind: kind, Data: data})
	}
	return id
}

func (m *memory) get(id string) ([]byte, error) {
	m.reads++
	data, ok := m.objects[id]
	if !ok {
		return nil, fmt.Errorf("object %s: %w", id, fs.ErrNotExist)
	}
	return data, nil
}

func (m *memory) Commit(id string) (*distgit.Commit, error) {
	data, err := m.get(id)
	if err != nil {
		return nil, err
	}
	return distgit.ParseCommit(id, data)
}

func (m *memory) Tree(id string) ([]distgit.TreeEntry, error) {
	data, err := m.get(id)
	if err != nil {
		return nil, err
	}
	return distgit.ParseTree(data, sha1.Size)
}

func (m *memory) Blob(id string) ([]byte, error) { return m.get(id) }

func (m *memory) Shallow() map[string]bool { return m.shallow }

// A memoryFile is a file in a tree of memory.
type memoryFile struct {
	mode string // as git spells it
	data []byte
}

// tree stores a tree of files with slash-separated names.
func (m *memory) tree(files map[string]memoryFile) string {
	dirs := map[string]map[string]memoryFile{}
	type entry struct{ name, mode, id string }
	var entries []entry
	for name, f := range files {
		if dir, rest, ok := strings.Cut(name, "/"); ok {
			if dirs[dir] == nil {
				dirs[dir] = map[string]memoryFile{}
			}
			dirs[dir][rest] = f
			continue
		}
		entries = append(entries, entry{name, f.mode, m.put("blob", f.data)})
	}
	for name, sub := range dirs {
		entries = append(entries, entry{name, "40000", m.tree(sub)})
	}
	// Git sorts directories as if their names ended in a slash.
	key := func(e entry) string {
		if e.mode == "40000" {
			return e.name + "/"
		}
		return e.name
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(key(a), key(b)) })
	var b bytes.Buffer
	for _, e := range entries {
		raw, _ := hex.DecodeString(e.id)
		fmt.Fprintf(&b, "%s %s\x00%s", e.mode, e.name, raw)
	}
	return m.put("tree", b.Bytes())
}

// filesAt returns the files of a commit as a file system.
func filesAt(files map[string]memoryFile) fstest.MapFS {
	out := fstest.MapFS{}
	for name, f := range files {
		out[name] = &fstest.MapFile{Data: f.data, Mode: 0o644}
	}
	return out
}

// line builds a history of commits, each with the files given on top of those
// of the one before (nil data removes a file), and returns their names.
func (m *memory) line(t testing.TB, commits ...memoryCommit) []string {
	t.Helper()
	var ids []string
	files := map[string]memoryFile{}
	for i, c := range commits {
		files = maps.Clone(files)
		for name, text := range c.files {
			if text == "" {
				delete(files, name)
			} else {
				files[name] = memoryFile{"100644", []byte(text)}
			}
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "tree %s\n", m.tree(files))
		if i > 0 {
			fmt.Fprintf(&b, "parent %s\n", ids[i-1])
		}
		who := fmt.Sprintf("Ann Packager <ann@example.org> %d +0000", 1704189600+86400*i)
		fmt.Fprintf(&b, "author %s\ncommitter %s\n\n%s", who, who, c.message)
		ids = append(ids, m.put("commit", b.Bytes()))
	}
	return ids
}

type memoryCommit struct {
	message string
	files   map[string]string
}

// literal is an evaluator that reads tags as they stand. It is enough for
// tests about histories.
var literal = Evaluator{Key: "literal", Eval: func(spec string, text []byte, files fs.FS) Facts {
	tags := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			tags[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	f := Facts{EpochVersion: tags["version"], Flags: Flags{Base: 1}}
	if e, ok := tags["epoch"]; ok {
		f.EpochVersion = e + ":" + f.EpochVersion
	}
	if tags["version"] == "" || tags["release"] == "" {
		return Facts{Error: ErrParse, Reason: "no version or release"}
	}
	return f
}}
