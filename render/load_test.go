package render

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"specgraft/components"
)

// packagesProject writes a project with a long list of packages, and lets the
// clock of the file system tick.
func packagesProject(t *testing.T) (dir, list string) {
	t.Helper()
	dir = t.TempDir()
	var b strings.Builder
	b.WriteString("[package-groups.sdk]\npackages = [\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "    %q,\n", fmt.Sprintf("package-%04d", i))
	}
	b.WriteString("]\n")
	list = filepath.Join(dir, "sdk.packages.toml")
	writeFiles(t, dir, map[string]string{
		"azldev.toml":       "includes = [\"*.packages.toml\", \"extra.toml\"]\n[project]\ndefault-distro = { name = \"d\", version = \"1\" }\n[distros.d.versions.1]\n[components.a.spec]\ntype = \"local\"\npath = \"a.spec\"\n",
		"extra.toml":        "",
		"sdk.packages.toml": b.String(),
	})
	time.Sleep(80 * time.Millisecond)
	return dir, list
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLoadKnown loads a project again and again while its lists of packages
// change in all ways: what is left out the second time makes no difference, and
// no mistake goes unseen.
func TestLoadKnown(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("files are not known by what the system says of them here")
	}
	dir, list := packagesProject(t)
	caches := t.TempDir()
	load := func(build string) (p *components.Project, problems string) {
		t.Helper()
		p, diags := Load(components.Options{Dir: dir}, caches, build)
		for _, d := range diags {
			problems += d.Message + "\n"
		}
		return p, problems
	}
	whole := func(p *components.Project) bool {
		t.Helper()
		text, err := p.Dump("toml")
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(text, []byte("package-0001"))
	}
	digest := func(p *components.Project) string {
		c, _ := p.Component("a")
		return string(p.Digest(c))
	}
	first, problems := load("1")
	if problems != "" || !whole(first) {
		t.Fatalf("the first load has all packages: %v, %s", whole(first), problems)
	}
	second, problems := load("1")
	if problems != "" || whole(second) {
		t.Errorf("the second load reads nothing that did not change: %v, %s", whole(second), problems)
	}
	if digest(first) != digest(second) || len(second.Files()) != len(first.Files()) {
		t.Error("a component follows from packages")
	}
	if p, _ := load("2"); !whole(p) {
		t.Error("another build believes what this one found")
	}

	// A second group with the same package, elsewhere.
	writeFiles(t, dir, map[string]string{"extra.toml": "[package-groups.base]\npackages = [\"package-0001\"]\n"})
	if _, problems := load("1"); !strings.Contains(problems, `"package-0001" is in the package groups`) {
		t.Errorf("a package in two groups: %q", problems)
	}
	writeFiles(t, dir, map[string]string{"extra.toml": "[package-groups.base]\npackages = [\"other\"]\n"})
	if p, problems := load("1"); problems != "" || !whole(p) {
		t.Errorf("a new group: %q", problems)
	}
	writeFiles(t, dir, map[string]string{"extra.toml": ""})

	// A mistake, behind the size and the time that the file had.
	info, err := os.Stat(list)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{"sdk.packages.toml": strings.Replace(string(text), `"package-0002"`, `"package-0002 `, 1)})
	if err := os.Chtimes(list, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if _, problems := load("1"); !strings.Contains(problems, "not valid TOML") {
		t.Errorf("a mistake in a known file: %q", problems)
	}
	if _, problems := load("1"); !strings.Contains(problems, "not valid TOML") {
		t.Errorf("a mistake is believed the second time: %q", problems)
	}
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	if p, problems := load("1"); problems != "" || len(p.Files()) != 2 {
		t.Errorf("without the file: %q", problems)
	}
}

// TestLoadKnownFresh holds that a file is not believed when it may change again
// within the same tick of the clock.
func TestLoadKnownFresh(t *testing.T) {
	t.Parallel()
	dir, list := packagesProject(t)
	future := time.Now().Add(time.Hour)
	if err := os.Chtimes(list, future, future); err != nil {
		t.Fatal(err)
	}
	caches := t.TempDir()
	for range 2 {
		if p, diags := Load(components.Options{Dir: dir}, caches, "1"); len(diags) > 0 || p == nil {
			t.Fatal(diags)
		}
	}
	if left, err := os.ReadDir(caches); err != nil || len(left) > 0 {
		t.Errorf("kept what may change: %v, %v", left, err)
	}
}

// TestKnownDamaged reads what the cache remembers cut off, altered and whole.
func TestKnownDamaged(t *testing.T) {
	t.Parallel()
	dir, _ := packagesProject(t)
	caches := t.TempDir()
	if _, diags := Load(components.Options{Dir: dir}, caches, "1"); len(diags) > 0 {
		t.Fatal(diags)
	}
	names, err := filepath.Glob(filepath.Join(caches, "config.v1", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != 1 {
		t.Skip("nothing is remembered here")
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(decodeKnown(data)) != 1 {
		t.Errorf("%q is not read back", data)
	}
	for i := range data {
		if decodeKnown(data[:i]) != nil {
			t.Errorf("%d of %d bytes are believed", i, len(data))
		}
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if decodeKnown(bad) != nil {
			t.Errorf("byte %d is not checked", i)
		}
	}
}
