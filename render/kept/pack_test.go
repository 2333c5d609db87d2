package kept

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"specgraft/overlay"
)

func keptIn(dir string) *Results { return &Results{dir: dir} }

// reopened ends a run and begins the next one.
func reopened(s *Results) *Results {
	s.Close()
	return keptIn(s.dir)
}

func inputsOf(what string) *Inputs { return &Inputs{Sum: sha256.Sum256([]byte(what)), Commit: "c"} }

func specOf(name, text string) []*overlay.File {
	return []*overlay.File{overlay.NewFile(name+".spec", 0o644, []byte(text), nil)}
}

// keeps reports whether the result of a component from some inputs is kept, and
// demands that it is the right one.
func keeps(t *testing.T, s *Results, name, in, text string) bool {
	t.Helper()
	k := s.Get(name, inputsOf(in))
	if k == nil {
		return false
	}
	defer k.Release()
	if got, _ := k.Files[0].Bytes(); len(k.Files) != 1 || string(got) != text {
		t.Errorf("%s of %s is %.40q, want %.40q", name, in, got, text)
	}
	return true
}

func packsIn(t testing.TB, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// TestPacksOfResults writes many components in few files, and later ones over them:
// what counts is the latest, and what counts no more goes.
func TestPacksOfResults(t *testing.T) {
	t.Parallel()
	s := keptIn(t.TempDir())
	const n = 40
	text := func(i int, version string) string {
		return fmt.Sprint(version, i, string(bytes.Repeat([]byte{'x'}, packBytes/16)))
	}
	for i := range n {
		name := fmt.Sprint("c", i)
		s.Put(name, inputsOf("1"), specOf(name, text(i, "1")), nil)
	}
	s = reopened(s)
	if got := packsIn(t, s.dir); len(got) != n/16+1 {
		t.Fatalf("%d packs, %q", len(got), got)
	}
	for i := range n {
		if name := fmt.Sprint("c", i); !keeps(t, s, name, "1", text(i, "1")) || keeps(t, s, name, "2", "") {
			t.Fatalf("%s is not kept, or with other inputs", name)
		}
	}
	before := packsIn(t, s.dir)
	for i := range n {
		name := fmt.Sprint("c", i)
		s.Put(name, inputsOf("1"), specOf(name, text(i, "1")), nil)
	}
	s = reopened(s)
	if got := packsIn(t, s.dir); !slices.Equal(got, before) {
		t.Errorf("written anew though nothing changed: %q, before %q", got, before)
	}
	for i := range n {
		name := fmt.Sprint("c", i)
		s.Put(name, inputsOf("2"), specOf(name, text(i, "2")), nil)
	}
	s = reopened(s)
	after := packsIn(t, s.dir)
	if len(after) != len(before) || slices.ContainsFunc(after, func(p string) bool { return slices.Contains(before, p) }) {
		t.Errorf("what counts no more is still there: %q, before %q", after, before)
	}
	for i := range n {
		if name := fmt.Sprint("c", i); !keeps(t, s, name, "2", text(i, "2")) || keeps(t, s, name, "1", "") {
			t.Fatalf("%s is not kept, or as it was", name)
		}
	}
	s.Close()
}

// TestSmallPacks has many runs that render one component each: their packs are put
// together, and nothing is lost by it.
func TestSmallPacks(t *testing.T) {
	t.Parallel()
	s := keptIn(t.TempDir())
	const n = 3 * maxSmallPacks
	for i := range n {
		name := fmt.Sprint("c", i)
		s.Put(name, inputsOf("1"), specOf(name, name), nil)
		s = reopened(s)
		if got := packsIn(t, s.dir); len(got) > maxSmallPacks+1 {
			t.Fatalf("%d packs after %d runs", len(got), i+1)
		}
	}
	for i := range n {
		if name := fmt.Sprint("c", i); !keeps(t, s, name, "1", name) {
			t.Errorf("%s was lost", name)
		}
	}
	s.Close()
}

// TestTwoRunsKeepResults has two runs at once on one cache, of the same components
// with the same and with other inputs, as two versions of the program have: each
// finds the right ones, also while the other removes what it made useless.
func TestTwoRunsKeepResults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := keptIn(dir)
	for _, name := range []string{"a", "b", "c"} {
		s.Put(name, inputsOf("old"), specOf(name, "old"), nil)
	}
	s.Close()
	one, other := keptIn(dir), keptIn(dir)
	if !keeps(t, one, "a", "old", "old") || !keeps(t, other, "a", "old", "old") {
		t.Fatal("not kept")
	}
	for _, name := range []string{"a", "b", "c"} {
		other.Put(name, inputsOf("new"), specOf(name, "new"), nil)
	}
	other.Close()
	if got := packsIn(t, dir); len(got) != 1 {
		t.Fatalf("packs: %q", got)
	}
	// Its file is gone, and still open.
	for _, name := range []string{"a", "b", "c"} {
		if runtime.GOOS != "windows" && !keeps(t, one, name, "old", "old") || keeps(t, one, name, "new", "") {
			t.Errorf("%s is not what it was when the run began", name)
		}
	}
	one.Put("a", inputsOf("third"), specOf("a", "third"), nil)
	one.Close()
	var group sync.WaitGroup
	for run := range 4 {
		group.Go(func() {
			s := keptIn(dir)
			defer s.Close()
			for i := range 20 {
				name := fmt.Sprint("d", i)
				in := fmt.Sprint("inputs", run%2)
				keeps(t, s, name, in, name+in)
				s.Put(name, inputsOf(in), specOf(name, name+in), nil)
			}
		})
	}
	group.Wait()
	s = keptIn(dir)
	defer s.Close()
	for i := range 20 {
		name := fmt.Sprint("d", i)
		if !keeps(t, s, name, "inputs0", name+"inputs0") && !keeps(t, s, name, "inputs1", name+"inputs1") {
			t.Errorf("%s of neither run is kept", name)
		}
	}
	if !keeps(t, s, "b", "new", "new") || !keeps(t, s, "a", "third", "third") && !keeps(t, s, "a", "new", "new") {
		t.Error("what one of the first two runs kept is lost")
	}
}

// TestResultsSeeChanges touches the packs of results in all ways: what is handed
// out is what was put in, or nothing.
func TestResultsSeeChanges(t *testing.T) {
	t.Parallel()
	fresh := func(t *testing.T) (s *Results, pack string) {
		t.Helper()
		s = keptIn(filepath.Join(t.TempDir(), "rendered"))
		s.Put("bash", inputsOf("1"), specOf("bash", "Name: bash\n"), nil)
		s = reopened(s)
		return s, filepath.Join(s.dir, packsIn(t, s.dir)[0])
	}
	// edit changes content and puts size and time back.
	edit := func(change func(data []byte) []byte) func(string) error {
		return func(pack string) error {
			st, err := os.Stat(pack)
			if err != nil {
				return err
			}
			data, err := os.ReadFile(pack)
			return errors.Join(err, os.WriteFile(pack, change(data), 0o644), os.Chtimes(pack, st.ModTime(), st.ModTime()))
		}
	}
	tests := map[string]struct {
		change func(pack string) error
		kept   bool
	}{
		"content of the same size, time put back": {edit(func(b []byte) []byte { return bytes.Replace(b, []byte("Name: bash"), []byte("Name: bush"), 1) }), false},
		"inputs of the same size, time put back": {edit(func(b []byte) []byte {
			one, other := inputsOf("1").Sum, inputsOf("other").Sum
			return bytes.ReplaceAll(b, one[:], other[:])
		}), false},
		"cut off":                   {edit(func(b []byte) []byte { return b[:len(b)-1] }), false},
		"emptied":                   {edit(func([]byte) []byte { return nil }), false},
		"something behind":          {edit(func(b []byte) []byte { return append(b, '\n') }), false},
		"of another format":         {edit(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(packMagic), []byte("sgpack9\n")) }), false},
		"results of another format": {edit(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(resultMagic), []byte("sgrend9\n")) }), false},
		"replaced by a link": {func(pack string) error {
			other := filepath.Join(filepath.Dir(filepath.Dir(pack)), "elsewhere")
			return errors.Join(os.Rename(pack, other), os.Symlink(other, pack))
		}, true},
		"replaced by a link to nothing": {func(pack string) error { return errors.Join(os.Remove(pack), os.Symlink("nothing", pack)) }, false},
		"replaced by a directory":       {func(pack string) error { return errors.Join(os.Remove(pack), os.Mkdir(pack, 0o755)) }, false},
		"mode":                          {func(pack string) error { return os.Chmod(pack, 0o400) }, true},
		"deleted":                       {os.Remove, false},
		"all deleted":                   {func(pack string) error { return os.RemoveAll(filepath.Dir(pack)) }, false},
		"new file": {func(pack string) error {
			return errors.Join(os.WriteFile(filepath.Join(filepath.Dir(pack), "README"), []byte("x"), 0o644),
				os.WriteFile(filepath.Join(filepath.Dir(pack), "ffffffffffffffff.x"), []byte("x"), 0o644))
		}, true},
		"from the future":   {func(pack string) error { return os.Chtimes(pack, time.Time{}, time.Now().Add(48*time.Hour)) }, true},
		"a clock gone back": {func(pack string) error { return os.Chtimes(pack, time.Time{}, time.Unix(1, 0)) }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, pack := fresh(t)
			if err := tt.change(pack); err != nil {
				t.Fatal(err)
			}
			if got := keeps(t, s, "bash", "1", "Name: bash\n"); got != tt.kept {
				t.Errorf("kept: %v, want %v", got, tt.kept)
			}
			// A run that renders it finds it kept the next time.
			s.Put("bash", inputsOf("1"), specOf("bash", "Name: bash\n"), nil)
			s = reopened(s)
			defer s.Close()
			if name != "replaced by a directory" && !keeps(t, s, "bash", "1", "Name: bash\n") {
				t.Error("the damage stays")
			}
		})
	}
}

// FuzzResultPack reads an arbitrary index behind its checksum.
func FuzzResultPack(f *testing.F) {
	s := keptIn(f.TempDir())
	s.Put("bash", inputsOf("1"), specOf("bash", "x"), nil)
	s.Close()
	data, err := os.ReadFile(filepath.Join(s.dir, packsIn(f, s.dir)[0]))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[bytes.LastIndex(data[:len(data)-packTrailer], []byte("bash"))-1:len(data)-packTrailer], int64(len(data)))
	f.Fuzz(func(t *testing.T, index []byte, end int64) {
		known, err := (&resultPack{}).decodeIndex(index, end)
		for name, at := range known {
			if err != nil || at.off < 0 || at.size < 0 || at.off+at.size > end || at.size > maxResult {
				t.Errorf("%q at %d, %d bytes, of %d: %v", name, at.off, at.size, end, err)
			}
		}
	})
}
