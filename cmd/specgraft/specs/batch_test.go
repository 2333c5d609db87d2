package specs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBatchTakesBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"a": "old a", "gone": "old gone", "z": "old z"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	before := flat(t, dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var b batch
	for _, name := range []string{"a", "new", "z"} {
		if err := b.put(root, name, []byte("new "+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.remove(root, "gone")
	// What is to be the last file turns into a directory meanwhile.
	if err := b.put(root, "zz", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := root.MkdirAll("zz/full", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := b.commit(); err == nil {
		t.Error("a file took the place of a directory")
	}
	b.close()
	if err := root.RemoveAll("zz"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, flat(t, dir)); d != "" {
		t.Errorf("files after a failed batch (-want +got):\n%s", d)
	}

	b = batch{}
	for _, name := range []string{"a", "new"} {
		if err := b.put(root, name, []byte("new "+name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b.remove(root, "gone")
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	b.close()
	want := map[string]string{"a": "new a", "new": "new new", "z": "old z"}
	if d := cmp.Diff(want, flat(t, dir)); d != "" {
		t.Errorf("files after a batch (-want +got):\n%s", d)
	}
	if info, err := os.Stat(filepath.Join(dir, "a")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("mode of a is %v, want 0755", info.Mode())
	}
}

// flat reads the files of a directory that has no others below it.
func flat(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(data)
	}
	return files
}
