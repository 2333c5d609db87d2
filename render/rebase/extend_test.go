package rebase

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// inDir writes files into a new directory.
func inDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestExtend adds overlays where a component's last ones are: in its own table, and
// in an overlay file, which comes behind that.
func TestExtend(t *testing.T) {
	t.Parallel()
	dir := inDir(t, map[string]string{
		"azldev.toml":         "includes = [\"comps/*.toml\"]\n[project]\ndefault-distro = { name = \"d\", version = \"1\" }\n[distros.d.versions.1]\nrelease-ver = \"1\"\n",
		"comps/a.toml":        "[components.plain]\nspec = { type = \"local\", path = \"a.spec\" }\n",
		"comps/b.toml":        "[components.filed]\nspec = { type = \"local\", path = \"a.spec\" }\noverlay-files = [\"../b/*.overlay.toml\"]\n",
		"b/last.overlay.toml": "[metadata]\ncategory = \"azl-pruning\"\nupstream-status = \"unknown\"\n[[overlays]]\ntype = \"spec-add-tag\"\ntag = \"BuildRequires\"\nvalue = \"gcc\"\n",
		"comps/a.spec":        "Name: a\n",
	})
	p, problems := components.Load(components.Options{Dir: dir})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	op := overlay.Op{Type: overlay.AddTag, Tag: "BuildRequires", Value: "cairo"}
	for name, want := range map[string]string{"plain": "comps/a.toml", "filed": "b/last.overlay.toml"} {
		c, problems := p.Component(name)
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		file, err := Extend(p, c, []overlay.Op{op})
		if err != nil {
			t.Fatal(err)
		}
		if rel, err := filepath.Rel(dir, file); err != nil || filepath.ToSlash(rel) != want {
			t.Errorf("%s is extended in %s, want %s", name, file, want)
		}
	}
	p, problems = components.Load(components.Options{Dir: dir})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"plain": 1, "filed": 2} {
		c, _ := p.Component(name)
		if n := len(c.Overlays); n != want || c.Overlays[n-1].Value != "cairo" {
			t.Errorf("%s has %d overlays, want %d", name, n, want)
		}
	}
	if _, err := Extend(p, &components.Component{Name: "x"}, nil); !diag.HasCode(err, "absorb/input") {
		t.Errorf("a component without a file: %v", err)
	}
	_, err := Extend(p, &components.Component{Name: "x", File: filepath.Join(dir, "gone.toml")}, nil)
	if about, ok := errors.AsType[*fs.PathError](err); !ok || about.Path != filepath.Join(dir, "gone.toml") || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is gone: %v", err)
	}
}

// TestWriteSources writes what is not there, and nothing over what is; no name
// leads out of the directory.
func TestWriteSources(t *testing.T) {
	t.Parallel()
	dir := inDir(t, map[string]string{"top/there": "as it is\n"})
	top := filepath.Join(dir, "top")
	ops := func(name, data string) []overlay.Op {
		return []overlay.Op{{Type: overlay.AddTag}, {Type: overlay.FileAdd, Source: name, Data: []byte(data)}}
	}
	for _, test := range []struct{ source, file string }{{"sub/new", "sub/new"}, {"there", "there"}, {"../../out", "out"}} {
		if err := WriteSources(top, ops(test.source, "as it is\n")); err != nil {
			t.Errorf("%s: %v", test.source, err)
		}
		if data, err := os.ReadFile(filepath.Join(top, test.file)); string(data) != "as it is\n" {
			t.Errorf("%s: %q, %v", test.source, data, err)
		}
	}
	err := WriteSources(top, ops("there", "other\n"))
	if about, ok := errors.AsType[*fs.PathError](err); !ok || about.Path != filepath.Join(top, "there") || !errors.Is(err, ErrOtherContent) {
		t.Errorf("over another file: %v", err)
	}
	if data, _ := os.ReadFile(filepath.Join(top, "there")); string(data) != "as it is\n" {
		t.Errorf("it was written over: %q", data)
	}
}

func TestReadFork(t *testing.T) {
	t.Parallel()
	dir := inDir(t, map[string]string{"x.spec": "Name: x\n", "a.patch": "+x\n", "sub/b": "b", ".git/config": "no", "other.spec": "Name: y\n"})
	f, err := ReadFork(dir, "x")
	if err != nil {
		t.Fatal(err)
	}
	if f.Name != "x" || string(f.Spec.Bytes()) != "Name: x\n" || len(f.Files) != 3 || f.Files["sub/b"] == nil || f.Files["other.spec"] == nil {
		t.Errorf("%s with %d files: %v", f.Name, len(f.Files), f.Files)
	}
	if _, err := ReadFork(dir, "y"); !diag.HasCode(err, "absorb/input") || !strings.Contains(err.Error(), "has no y.spec") {
		t.Errorf("without the spec: %v", err)
	}
	_, err = ReadFork(filepath.Join(dir, "gone"), "x")
	if about, ok := errors.AsType[*fs.PathError](err); !ok || about.Path != filepath.Join(dir, "gone") || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the directory: %v", err)
	}
}

func TestForkConfig(t *testing.T) {
	t.Parallel()
	for upstream, want := range map[string]string{
		"mine":   "[components.mine]\nspec = { type = \"upstream\", upstream-commit = \"0123456\" }\n",
		"theirs": "[components.mine]\nspec = { type = \"upstream\", upstream-name = \"theirs\", upstream-commit = \"0123456\" }\n",
	} {
		f := Fork{Name: "mine", Upstream: distro.Upstream{Name: upstream}, Commit: "0123456"}
		if got, err := f.Config(); string(got) != want || err != nil {
			t.Errorf("%v, %s, want %s", err, got, want)
		}
	}
}
