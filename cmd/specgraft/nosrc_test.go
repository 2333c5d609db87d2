package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/macro"
	"specgraft/fedora/srpm"
)

// noSourceSpec leaves its archive and a patch out of the source package.
const noSourceSpec = `Name: skiff
Version: 3
Release: 2
Summary: A skiff
License: MIT
Source0: https://example.org/skiff-3.tar.gz
Source1: oars.conf
Source2: other.spec
Patch4: secret.patch
NoSource: 0
NoPatch: 4

%description
A skiff.

%files

%changelog
* Fri Mar 06 2026 Kim <kim@example.org> - 3-2
- Build
`

// writeSourcePackage puts a source package into dir and returns its path.
func writeSourcePackage(t *testing.T, dir, name, specName, text string, files map[string]string) string {
	t.Helper()
	m, problems := srpm.Describe(specName, []byte(text), macro.Config{}, srpm.Options{Time: 1772755200, Host: "dock.example"})
	if problems.HasErrors() {
		t.Fatal(problems.Err())
	}
	list := []srpm.File{}
	for n, content := range files {
		list = append(list, srpm.File{Name: n, Mode: 0o644, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(content)), nil
		}})
	}
	path := filepath.Join(dir, name)
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := srpm.Write(t.Context(), out, m, list); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNoSourcePackage makes a component of a source package that lacks what
// NoSource and NoPatch leave out, and whose spec has a name that only the header
// knows, while another file is called like one.
func TestNoSourcePackage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const odd = "rpm-tmp.Xy3k"
	file := writeSourcePackage(t, dir, "skiff.nosrc.rpm", odd, noSourceSpec,
		map[string]string{odd: noSourceSpec, "oars.conf": "two\n", "other.spec": "Name: other\n"})
	config := `[project]
default-distro = { name = "harbor", version = "1" }
[distros.harbor.versions.1]
release-ver = "1"
[distros.fedora.versions.43]
release-ver = "43"
[components.skiff]
spec = { type = "upstream", source = "srpm", srpm = "skiff.nosrc.rpm", upstream-distro = { name = "fedora", version = "43" } }
release.calculation = "manual"
[[components.skiff.overlays]]
type = "spec-set-tag"
tag = "URL"
value = "https://skiff.example"
`
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "azldev.toml"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	exec := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		var out, errs bytes.Buffer
		args = append(args, "-C", dir, "--cache-dir", filepath.Join(dir, "cache"))
		if code := run(t.Context(), args, nil, &out, &errs); code != want {
			t.Fatalf("%v: exit code %d, want %d: %s", args, code, want, errs.String())
		}
		return out.String(), errs.String()
	}
	shows := func(what, text string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in\n%s", what, w, text)
			}
		}
	}
	read := func(name string) string {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Error(err)
		}
		return string(data)
	}

	out, _ := exec(cli.ExitOK, "srpm", "show", file)
	shows("show", out, "spec         "+odd+"\n", "  secret.patch\n    left out of the package (NoSource or NoPatch)\n", "  oars.conf\n    SHA256 ")
	if out, _ = exec(cli.ExitOK, "srpm", "show", "--spec", file); out != noSourceSpec {
		t.Errorf("the spec is shown as\n%s", out)
	}

	write(config)
	exec(cli.ExitOK, "update", "-a")
	_, errs := exec(cli.ExitOK, "render", "-a", "--strict")
	if strings.Contains(errs, "no-source") {
		t.Errorf("what is left out is missed: %s", errs)
	}
	shows("the rendered spec", read("specs/s/skiff/skiff.spec"), "Name: skiff\n", "URL: https://skiff.example\n", "NoSource: 0\n")
	shows("a source with the name of a spec", read("specs/s/skiff/other.spec"), "Name: other\n")
	if _, err := os.Stat(filepath.Join(dir, "specs/s/skiff", odd)); err == nil {
		t.Errorf("%s is there under its own name, too", odd)
	}

	// Its source tree and its source package lack the same files.
	exec(cli.ExitOK, "prepare", "skiff", "-o", filepath.Join(dir, "tree"))
	shows("the tree", read("tree/oars.conf"), "two\n")
	exec(cli.ExitOK, "srpm", "build", "skiff", "-o", filepath.Join(dir, "out"))
	out, _ = exec(cli.ExitOK, "srpm", "show", filepath.Join(dir, "out", "skiff-3-2.nosrc.rpm"))
	shows("the package", out, "  skiff-3.tar.gz\n    left out")

	// Without NoSource they are missed: at render a warning, else an error.
	write(strings.Replace(config, "type = \"spec-set-tag\"\ntag = \"URL\"\nvalue = \"https://skiff.example\"", "type = \"spec-remove-tag\"\ntag = \"NoSource\"", 1))
	_, errs = exec(cli.ExitOK, "render", "-a")
	shows("render", errs, "warning: Source0 is skiff-3.tar.gz, which is in no place [render/no-source]")
	_, errs = exec(cli.ExitProblems, "prepare", "skiff", "-o", filepath.Join(dir, "tree2"))
	shows("prepare", errs, "Source0 is skiff-3.tar.gz, which is in no place [prepare/no-source]")
	if strings.Contains(errs, "secret.patch") {
		t.Errorf("what NoPatch leaves out is missed: %s", errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "tree2")); err == nil {
		t.Error("a tree was written")
	}
}
