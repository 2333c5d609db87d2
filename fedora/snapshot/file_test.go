package snapshot

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/fedora/distgit/gittest"
)

const (
	idA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	idB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// FuzzFile reads arbitrary bytes as a snapshot file.
func FuzzFile(f *testing.F) {
	for _, n := range []int{0, 1, 3} {
		var b bytes.Buffer
		w := newWriter(&b, idA)
		x := &index{commit: idA, tree: idB}
		for i := range n {
			content := gittest.Noise(i, 10*i)
			e, err := w.Blob(strings.NewReader(content), int64(len(content)))
			if err != nil {
				f.Fatal(err)
			}
			x.files = append(x.files, File{Path: fmt.Sprintf("dir/%d", i), Mode: 0o644 | fs.FileMode(i%2)*0o111, Size: int64(len(content)), ID: idA})
			x.where = append(x.where, e)
		}
		if err := w.finish(x); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), false)
		f.Add(x.encode(), true)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte, behind bool) {
		if behind { // behind the checksum
			x, err := decodeIndex(data, 1<<20)
			if err == nil {
				if again, err := decodeIndex(x.encode(), 1<<20); err != nil || !cmp.Equal(again.files, x.files, cmp.Comparer(func(a, b File) bool { return a.Path == b.Path && a.ID == b.ID && a.Mode == b.Mode && a.Size == b.Size })) {
					t.Fatalf("written again it reads %v", err)
				}
			}
			return
		}
		path := filepath.Join(dir, "snap")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := read(path, "", make([]byte, smallFile))
		if err != nil {
			return
		}
		for i := range s.files {
			if data, err := s.bytes(i); err == nil && int64(len(data)) != s.files[i].Size {
				t.Fatalf("%d bytes for a size of %d", len(data), s.files[i].Size)
			}
		}
	})
}
