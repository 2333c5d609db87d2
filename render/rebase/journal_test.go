package rebase

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"specgraft/overlay/diag"
)

// TestJournal takes up a run that was killed behind any of its steps, in both
// directions: each file is old or new before, and all are of one kind behind it.
func TestJournal(t *testing.T) {
	t.Parallel()
	files := []journalFile{
		{Path: "a.toml", Before: []byte("old a"), After: []byte("new a")},
		{Path: "sub/b.toml", Before: []byte("old b"), After: []byte("new b")},
		{Path: "gone.patch", Before: []byte("old patch"), Remove: true},
	}
	for done := range len(files) + 1 {
		for _, back := range []bool{false, true} {
			dir := t.TempDir()
			write := func(name string, data []byte) {
				p := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(p, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for i, f := range files {
				switch {
				case i >= done:
					write(f.Path, f.Before)
				case !f.Remove:
					write(f.Path, f.After)
				}
			}
			data, err := json.Marshal(&journal{Version: 1, Command: "test", Files: files})
			if err != nil {
				t.Fatal(err)
			}
			write(JournalName, data)
			if Check(dir) == nil {
				t.Error("the interruption goes unnoticed")
			}
			if _, err := Resume(dir, dir, back); err != nil {
				t.Errorf("behind step %d, back %v: %v", done, back, err)
			}
			for _, f := range files {
				got, err := os.ReadFile(filepath.Join(dir, f.Path))
				want := f.After
				if back {
					want = f.Before
				}
				if f.Remove && !back {
					if !os.IsNotExist(err) {
						t.Errorf("behind step %d: %s is still there", done, f.Path)
					}
				} else if string(got) != string(want) {
					t.Errorf("behind step %d, back %v: %s is %q", done, back, f.Path, got)
				}
			}
			if Interrupted(dir) {
				t.Error("the journal is left")
			}
		}
	}
}

// TestJournalOutside refuses a journal that leads out of the project.
func TestJournalOutside(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	victim := filepath.Join(out, "victim")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"../victim", victim, "link/victim"} {
		dir := filepath.Join(out, "project")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(out, filepath.Join(dir, "link")); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		data, err := json.Marshal(&journal{Version: 1, Files: []journalFile{{Path: path, Before: []byte("mine"), After: []byte("theirs")}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, JournalName), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Resume(dir, dir, false); err == nil {
			t.Errorf("%s: no error", path)
		}
		if got, _ := os.ReadFile(victim); string(got) != "mine" {
			t.Fatalf("%s: the file outside was written", path)
		}
	}
}

// TestHostileJournal refuses journals that are no JSON, nested or large, and files
// in them that cannot be read to their end.
func TestHostileJournal(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":  "",
		"deep":     `{"version": 1, "files": ` + strings.Repeat("[", 1<<20),
		"ignored":  `{"x": ` + strings.Repeat(`{"a":`, 1<<20),
		"text":     `{"version": 1, "files": "x"}`,
		"version":  `{"version": 2}`,
		"no names": `{"version": 1, "files": [{}]}`,
		"a device": `{"version": 1, "files": [{"path": "zero", "before": "", "after": ""}]}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, JournalName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("/dev/zero", filepath.Join(dir, "zero")); err != nil {
			t.Fatal(err)
		}
		if _, err := Resume(dir, dir, false); err == nil || !strings.Contains(err.Error(), "[rebase/interrupted]") {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, JournalName)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, maxJournal+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(dir, dir, false); !diag.HasCode(err, "rebase/write") {
		t.Errorf("a large journal: %v", err)
	}
}

// TestWriteChanged touches nothing when a file has changed since it was read.
func TestWriteChanged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, p := range []string{a, b} {
		if err := os.WriteFile(p, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edits := []FileEdit{{a, []byte("old"), []byte("new")}, {b, []byte("older"), []byte("new")}}
	if err := Write(dir, dir, "test", edits); err == nil {
		t.Error("no error")
	}
	if got, _ := os.ReadFile(a); string(got) != "old" || Interrupted(dir) {
		t.Errorf("the first file is %q", got)
	}
}
