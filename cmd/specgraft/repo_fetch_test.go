package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"specgraft/cmd/specgraft/cli"
)

// repository writes a repository of one package, which is built from the component
// lib and provides something that its spec does not show.
func repository(t *testing.T, dir, arch string) {
	t.Helper()
	primary := fmt.Sprintf(`<metadata><package type="rpm"><name>lib-devel</name><arch>%s</arch><version epoch="0" ver="1" rel="1"/>
<checksum type="sha256" pkgid="YES">ab</checksum><format><sourcerpm>lib-1-1.src.rpm</sourcerpm>
<provides><entry name="pkgconfig(lib)"/></provides></format></package></metadata>`, arch)
	lists := `<filelists><package pkgid="ab" name="lib-devel"><file>/usr/share/lib/deep.m4</file></package></filelists>`
	repomd := "<repomd>"
	if err := os.MkdirAll(filepath.Join(dir, "repodata"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, f := range [][2]string{{"primary", primary}, {"filelists", lists}} {
		repomd += fmt.Sprintf(`<data type="%s"><checksum type="sha256">%x</checksum><location href="repodata/%[1]s.xml"/></data>`, f[0], sha256.Sum256([]byte(f[1])))
		if err := os.WriteFile(filepath.Join(dir, "repodata", f[0]+".xml"), []byte(f[1]), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "repodata", "repomd.xml"), []byte(repomd+"</repomd>"), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestRepoFetch fetches the metadata of a project's repositories, from which plan
// then knows what packages provide, without any network.
func TestRepoFetch(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	var requests atomic.Int64
	files := http.FileServer(http.Dir(filepath.Join(base, "served")))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	for _, arch := range []string{"x86_64", "aarch64"} {
		repository(t, filepath.Join(base, "served", "9", arch), arch)
	}
	write := func(path, content string) {
		t.Helper()
		path = filepath.Join(base, "project", path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	project := `[project]
default-distro = { name = "harbor", version = "1" }
[distros.harbor]
%s
[distros.harbor.versions.1]
release-ver = "9"
%s
[resources.rpm-repo-sets.built]
template = "koji-dist-repo"
base-uri = "` + server.URL + `/$releasever"
disable-gpg-check = true
name-prefix = "built-"
[resources.rpm-repos.lost]
metalink = "` + server.URL + `/metalink?arch=$basearch"
disable-gpg-check = true
[components.lib.spec]
type = "local"
path = "lib.spec"
[components.app.spec]
type = "local"
path = "app.spec"
`
	configure := func(distro, version string) { t.Helper(); write("azldev.toml", fmt.Sprintf(project, distro, version)) }
	spec := "Name: %s\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\n%s\n%%description\nx\n%%files\n"
	write("lib.spec", fmt.Sprintf(spec, "lib", "%package devel\nSummary: y\n%description devel\ny\n%files devel"))
	write("app.spec", fmt.Sprintf(spec, "app", "BuildRequires: pkgconfig(lib), /usr/share/lib/deep.m4"))
	specgraft, contains := inProject(t, base)

	// Nothing configured, nothing said.
	configure("", "")
	_, errs := specgraft(cli.ExitOK, "plan", "app")
	contains(errs, `app: nothing provides "pkgconfig(lib)"`)
	if strings.Contains(errs, "repo fetch") {
		t.Errorf("a repository is missed that nobody named:\n%s", errs)
	}
	_, errs = specgraft(cli.ExitProblems, "repo", "fetch")
	contains(errs, "the project names no repositories that builds take packages from [repodata/unknown]")

	// Configured and not fetched: plan never asks the network.
	configure("", `inputs = { rpm-build = [{ set = "built" }] }`)
	_, errs = specgraft(cli.ExitOK, "plan", "app", "--allow-http", "--arch", "x86_64", "--arch", "aarch64")
	contains(errs, "the metadata of 2 repositories is not in the cache; 'specgraft repo fetch --arch x86_64 --arch aarch64' brings it there\n")
	contains(errs, `app: nothing provides "pkgconfig(lib)"`)
	_, errs = specgraft(cli.ExitProblems, "repo", "fetch")
	contains(errs, "is not encrypted")
	_, errs = specgraft(cli.ExitEnv, "repo", "fetch", "--allow-http", "--offline")
	contains(errs, "[fedora/offline]")
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests before anything was allowed", n)
	}

	fetched := func(status string, args ...string) {
		t.Helper()
		out, _ := specgraft(cli.ExitOK, append([]string{"repo", "fetch", "--json", "--arch", "x86_64", "--arch", "aarch64"}, args...)...)
		var records []struct {
			Repository, Arch, Address, Status string
			Packages                          int
			Bytes                             int64
		}
		if err := json.Unmarshal([]byte(out), &records); err != nil || len(records) != 2 {
			t.Fatalf("%v in %s", err, out)
		}
		for i, arch := range []string{"x86_64", "aarch64"} {
			if r := records[i]; r.Status != status || r.Arch != arch || r.Packages != 1 || !strings.HasSuffix(r.Address, "/9/"+arch) {
				t.Errorf("record %+v", r)
			}
		}
	}
	fetched("fetched", "--allow-http")
	n := requests.Load()
	out, errs := specgraft(cli.ExitOK, "plan", "app", "lib", "--offline", "--arch", "x86_64", "--arch", "aarch64", "--json")
	if !strings.Contains(out, `"missing": []`) || strings.Contains(errs, "repo fetch") {
		t.Errorf("something is missing: %s\n%s", out, errs)
	}
	out, _ = specgraft(cli.ExitOK, "plan", "app", "--edges", "-O", "csv")
	contains(out, `app,lib,"pkgconfig(lib), /usr/share/lib/deep.m4"`)
	_, errs = specgraft(cli.ExitProblems, "plan", "app", "--repodata", filepath.Join(base, "nothing"))
	contains(errs, "[repodata/bad]") // which takes the place of what is configured
	if requests.Load() != n {
		t.Errorf("%d requests of plan", requests.Load()-n)
	}
	fetched("present", "--allow-http")

	// The commands for the cache know of it.
	out, _ = specgraft(cli.ExitOK, "cache", "size", "--json")
	contains(out, `"part": "repodata.v1"`)
	_, errs = specgraft(cli.ExitOK, "cache", "verify")
	contains(errs, " 0 damaged")
	stored, err := filepath.Glob(filepath.Join(base, "cache", "lookaside", "sha*", "*", "*"))
	if err != nil || len(stored) != 8 { // the lists of files are the same for both
		t.Fatalf("%v, %v", stored, err)
	}
	for _, path := range stored {
		if err := os.WriteFile(path, []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, errs = specgraft(cli.ExitProblems, "plan", "app")
	contains(errs, "the cached metadata of repository "+server.URL+"/9/x86_64: repomd.xml: content does not match its digest")
	contains(errs, "fetch it again with `specgraft repo fetch`")
	fetched("fetched", "--allow-http")
	specgraft(cli.ExitOK, "plan", "app")
	specgraft(cli.ExitOK, "cache", "prune", "--unused", "1ns")
	_, errs = specgraft(cli.ExitOK, "plan", "app")
	contains(errs, "the metadata of 1 repository is not in the cache; 'specgraft repo fetch --arch x86_64' brings it there")

	// One that fails stops no other; those in directories are read in place.
	configure("", `inputs = { rpm-build = [{ repo = "lost" }, { set = "built" }] }`)
	out, errs = specgraft(cli.ExitProblems, "repo", "fetch", "--allow-http")
	contains(out, "fetched")
	contains(errs, "repository "+server.URL+"/metalink?arch=x86_64: metalink is not at ")
	contains(errs, "check the address of the repository in the project")
	_, errs = specgraft(cli.ExitOK, "plan", "app")
	contains(errs, "the metadata of 1 repository is not in the cache")
	configure(`repos = [{ base-uri = "file://`+filepath.ToSlash(base)+`/served/$releasever/$basearch" }]`, "")
	out, _ = specgraft(cli.ExitOK, "repo", "fetch", "--offline")
	contains(out, "local")
	out, _ = specgraft(cli.ExitOK, "plan", "app", "--edges", "-O", "csv")
	contains(out, `app,lib,"pkgconfig(lib), /usr/share/lib/deep.m4"`)
}
