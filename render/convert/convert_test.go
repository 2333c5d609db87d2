package convert

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/components/lock"
)

func TestRaised(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		release string
		by      int
		want    string
		ok      bool
	}{
		{"2%{?dist}", -1, "1%{?dist}", true},
		{"9", 3, "12", true},
		{"1.2%{?dist}", 1, "2.2%{?dist}", true},
		{"%autorelease", 1, "", false},
		{"1%{autorelease}", 1, "", false},
		{"%{baserelease}", 1, "", false},
		{"1234567890", 1, "", false},
		{"", 1, "", false},
	} {
		if got, ok := raised(test.release, test.by); got != test.want || ok != test.ok {
			t.Errorf("%q raised by %d is %q, %t; want %q, %t", test.release, test.by, got, ok, test.want, test.ok)
		}
	}
}

func TestIsCommit(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"278ee40e3b88d5d30a3ce95244168d4ce16bfaae": true, "278ee40": true, "ABCDEF0": true,
		"278ee4": false, "": false, "sha256:00": false, "sha256:278ee40e3b88d5d30a3ce95244168d4ce16bfaae": false, "not-hex": false,
	} {
		if isCommit(s) != want {
			t.Errorf("that %q is a commit is %t", s, !want)
		}
	}
}

// TestFormer counts the commits that changed the fingerprint of a lock, which one
// that only took it away and put it back did not.
func TestFormer(t *testing.T) {
	t.Parallel()
	a, b, c := &lock.Lock{InputFingerprint: "a"}, &lock.Lock{InputFingerprint: "b"}, &lock.Lock{InputFingerprint: "c"}
	for name, test := range map[string]struct {
		stayed  *lock.Lock
		history []*lock.Lock // the newest first
		want    *lock.Lock
		changes int
		last    string
	}{
		"none":        {nil, nil, nil, 0, ""},
		"stayed":      {c, nil, c, 0, ""},
		"one":         {nil, []*lock.Lock{a}, a, 1, "a"},
		"removed":     {nil, []*lock.Lock{nil, b, a}, b, 2, "b"},
		"put back":    {nil, []*lock.Lock{b, nil, b, a}, b, 2, "b"},
		"same":        {nil, []*lock.Lock{a, a, a}, a, 1, "a"},
		"stays first": {c, []*lock.Lock{b, a}, c, 2, "b"},
	} {
		f := former(test.stayed, test.history)
		if f.lock != test.want || f.changes != test.changes || f.last != test.last {
			t.Errorf("%s: %+v, want %v, %d, %q", name, f, test.want, test.changes, test.last)
		}
	}
}

const config = `[project]
rendered-specs-dir = "specs"
lock-dir = "locks"
default-distro = { name = "d", version = "1" }
[distros.d.versions.1]
release-ver = "1"
[components.one]
spec = { type = "local", path = "one.spec" }
`

// TestThereAndBack converts a project that is in no repository: its locks are not
// thrown away, as git does not have them, but no longer count.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("azldev.toml", config)
	write("one.spec", "Name: one\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n%description\nd\n")
	write("locks/one.lock", "version = 1\ninput-fingerprint = 'sha256:0000000000000000000000000000000000000000000000000000000000000000'\n")
	o := components.Options{Dir: dir}
	load := func() *components.Project {
		p, problems := components.Load(o)
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	there, err := ToPins(t.Context(), load(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(there.Components) != 1 || there.Components[0].Name != "one" || len(there.Notes) != 1 {
		t.Errorf("components %v, notes %q", there.Components, there.Notes)
	}
	if p := load(); p.WithoutLocks {
		t.Error("planning has written something")
	}
	if err := there.Write(); err != nil {
		t.Fatal(err)
	}
	p := load()
	if _, err := os.Stat(filepath.Join(dir, "locks", "one.lock")); err != nil || !p.WithoutLocks {
		t.Errorf("the lock: %v; without locks is %t", err, p.WithoutLocks)
	}
	back, err := ToLocks(t.Context(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Component{{Name: "one", ChangesAfter: 1}}, back.Components); d != "" {
		t.Errorf("back (-want +got):\n%s", d)
	}
	if err := back.Write(); err != nil {
		t.Fatal(err)
	}
	if p := load(); p.WithoutLocks {
		t.Error("the project is still without locks")
	}
}
