package render

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"
	"time"

	"specgraft/fedora/cache"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/render/kept"
)

// indexedTree writes a component into a new tree and returns an index that knows
// it, as if it had been saved an hour later.
func indexedTree(t *testing.T) (*Output, *treeIndex, string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("there is no index on this system")
	}
	dir := filepath.Join(t.TempDir(), "specs")
	out, err := OpenOutput(dir, OutputOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	files := []*overlay.File{
		overlay.NewFile("bash.spec", 0o644, []byte("Name: bash\n"), nil),
		overlay.NewFile("deep/er/file", 0o644, []byte("deep"), nil),
		overlay.NewFile("run.sh", 0o755, []byte("#!/bin/sh\n"), nil),
	}
	if _, err := out.Write("bash", files); err != nil {
		t.Fatal(err)
	}
	x := &treeIndex{known: map[string]*indexed{}, saved: time.Now().Add(time.Hour).UnixNano()}
	c := &indexed{inputs: sha256.Sum256([]byte("inputs")), commit: "c", files: describe(out, "bash", files)}
	if len(c.files) != 6 {
		t.Fatalf("%d files and directories are known, want 6", len(c.files))
	}
	x.put("bash", c)
	return out, x, filepath.Join(dir, "b", "bash")
}

// TestIndexSeesChanges touches a tree in all ways.
func TestIndexSeesChanges(t *testing.T) {
	t.Parallel()
	sameTime := func(path string, change func() error) error {
		st, err := os.Lstat(path)
		if err != nil {
			return err
		}
		return errors.Join(change(), os.Chtimes(path, st.ModTime(), st.ModTime()))
	}
	tests := map[string]func(dir string) error{
		"content of the same size": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "bash.spec"), []byte("Name: bush\n"), 0o644)
		},
		"content of the same size, time put back": func(dir string) error {
			p := filepath.Join(dir, "bash.spec")
			return sameTime(p, func() error { return os.WriteFile(p, []byte("Name: bush\n"), 0o644) })
		},
		"longer": func(dir string) error {
			p := filepath.Join(dir, "bash.spec")
			return sameTime(p, func() error { return os.WriteFile(p, []byte("Name: bash\n\n"), 0o644) })
		},
		"in a directory": func(dir string) error { return os.WriteFile(filepath.Join(dir, "deep/er/file"), []byte("peed"), 0o644) },
		"replaced by an equal file": func(dir string) error {
			p := filepath.Join(dir, "run.sh")
			return errors.Join(os.WriteFile(p+"2", []byte("#!/bin/sh\n"), 0o755), os.Rename(p+"2", p))
		},
		"replaced by a link": func(dir string) error {
			p := filepath.Join(dir, "run.sh")
			return errors.Join(os.Rename(p, filepath.Join(filepath.Dir(filepath.Dir(dir)), "run")), os.Symlink("../../run", p))
		},
		"directory replaced by a link": func(dir string) error {
			return errors.Join(os.Rename(dir, dir+"2"), os.Symlink("bash2", dir))
		},
		"mode":           func(dir string) error { return os.Chmod(filepath.Join(dir, "run.sh"), 0o644) },
		"deleted":        func(dir string) error { return os.Remove(filepath.Join(dir, "run.sh")) },
		"all deleted":    func(dir string) error { return os.RemoveAll(dir) },
		"new file":       func(dir string) error { return os.WriteFile(filepath.Join(dir, "new"), nil, 0o644) },
		"new file below": func(dir string) error { return os.WriteFile(filepath.Join(dir, "deep/new"), nil, 0o644) },
		"new directory":  func(dir string) error { return os.Mkdir(filepath.Join(dir, "new"), 0o755) },
		"touched": func(dir string) error {
			return os.Chtimes(filepath.Join(dir, "run.sh"), time.Time{}, time.Now().Add(-time.Hour))
		},
		"from the future": func(dir string) error {
			return os.Chtimes(filepath.Join(dir, "run.sh"), time.Time{}, time.Now().Add(48*time.Hour))
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, x, dir := indexedTree(t)
			c := x.get("bash", sha256.Sum256([]byte("inputs")))
			if c == nil || !x.unchanged(out, "bash", c) {
				t.Fatal("a tree as it was written counts as changed")
			}
			time.Sleep(20 * time.Millisecond) // another tick
			if err := change(dir); err != nil {
				t.Fatal(err)
			}
			if x.unchanged(out, "bash", c) {
				t.Error("nothing was noticed")
			}
		})
	}
}

// TestIndexIsRacy holds that what was touched just before the index was written
// is not believed, nor is anything after a clock that ran backwards.
func TestIndexIsRacy(t *testing.T) {
	t.Parallel()
	out, x, _ := indexedTree(t)
	c := x.known["bash"]
	for _, saved := range []time.Time{time.Now(), time.Now().Add(-time.Hour)} {
		x.saved = saved.UnixNano()
		if x.unchanged(out, "bash", c) {
			t.Errorf("believed with an index of %s", saved)
		}
	}
	if got := x.get("bash", sha256.Sum256([]byte("other inputs"))); got != nil {
		t.Error("known with other inputs")
	}
}

// TestIndexFile writes and reads an index, and reads it damaged.
func TestIndexFile(t *testing.T) {
	t.Parallel()
	_, x, _ := indexedTree(t)
	list := diag.List{{Severity: diag.Warning, Code: "overlay/no-effect", Message: "x", Pos: token.Position{Filename: "a.toml", Line: 3, Column: 4},
		Related: []diag.Related{{Pos: token.Position{Filename: "a.spec", Line: 7}, Message: "here"}}}}
	warnings, ok := kept.PackWarnings(list)
	if !ok {
		t.Fatal("warnings cannot be kept")
	}
	x.known["bash"].diags = warnings
	x.put("zlib", &indexed{files: []indexedFile{{"", cache.Identity{Mode: 1, Inode: 2, Size: 3, Mtime: -4, Ctime: 5}}}})
	data := x.encode(12345)
	known, saved, ok := decodeTree(data)
	if !ok || saved != 12345 || len(known) != 2 || known["zlib"].files[0].id != (cache.Identity{Mode: 1, Inode: 2, Size: 3, Mtime: -4, Ctime: 5}) {
		t.Fatalf("read %v, %d, %v", known, saved, ok)
	}
	if l, ok := kept.UnpackWarnings(known["bash"].diags); !ok || !reflect.DeepEqual(l, list) {
		t.Errorf("warnings came back as %v", l)
	}
	again := &treeIndex{known: known}
	if !bytes.Equal(again.encode(12345), data) {
		t.Error("written again it is another file")
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if _, _, ok := decodeTree(bad); ok {
			t.Fatalf("damage at byte %d is not noticed", i)
		}
		if _, _, ok := decodeTree(data[:i]); ok {
			t.Fatalf("cut off at byte %d", i)
		}
	}
}

// FuzzTreeIndex reads arbitrary bytes, behind the checksum too.
func FuzzTreeIndex(f *testing.F) {
	x := &treeIndex{known: map[string]*indexed{"a": {commit: "c", diags: []byte("[]"), files: []indexedFile{{"f", cache.Identity{Mode: 1, Inode: 2, Size: 3, Mtime: 4, Ctime: 5}}}}}}
	seed := x.encode(7)
	f.Add(seed[:len(seed)-sha256.Size])
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha256.Sum256(body)
		if known, saved, ok := decodeTree(append(bytes.Clone(body), sum[:]...)); ok {
			again := (&treeIndex{known: known}).encode(saved)
			if _, _, ok := decodeTree(again); !ok {
				t.Fatal("written again it cannot be read")
			}
		}
	})
}
