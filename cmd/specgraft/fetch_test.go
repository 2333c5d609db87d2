package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"specgraft/cmd/specgraft/cli"
)

// serveGit serves the repositories below a directory over HTTP and counts the
// requests.
func serveGit(t *testing.T, root string) (url string, requests *atomic.Int64) {
	t.Helper()
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Skip("git is not installed")
	}
	backend := filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		t.Skip("git http-backend is not installed")
	}
	requests = new(atomic.Int64)
	handler := cgi.Handler{Path: backend, Dir: root, InheritEnv: []string{"PATH"}, Env: []string{
		"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		h := handler
		h.Env = append(h.Env[:len(h.Env):len(h.Env)], "GIT_PROTOCOL="+r.Header.Get("Git-Protocol"))
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

// TestFetch fetches a project's upstreams over HTTP and works offline from then on.
func TestFetch(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	url, requests := serveGit(t, base)
	write := func(path, content string) {
		t.Helper()
		path = filepath.Join(base, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	git := func(dir string, args ...string) {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = filepath.Join(base, dir)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org",
			"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.org", "GIT_AUTHOR_DATE=2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	for _, name := range []string{"boat", "ship"} {
		write("work/"+name+"/"+name+".spec", "Name: "+name+"\nVersion: 1\nRelease: 1%{?dist}\nSummary: x\nLicense: MIT\n\n%description\nx\n")
		git("work/"+name, "init", "-q", "-b", "f43")
		git("work/"+name, "add", ".")
		git("work/"+name, "commit", "-q", "-m", "Import")
		git(".", "clone", "-q", "--bare", "work/"+name, name+".git")
	}
	write("project/azldev.toml", fmt.Sprintf(`[project]
default-distro = { name = "harbor", version = "1" }
rendered-specs-dir = "specs"
[distros.harbor.versions.1]
release-ver = "1"
[distros.harbor.versions.1.default-component-config]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43", snapshot = "2026-02-01T00:00:00Z" } }
[distros.fedora]
dist-git-base-uri = "%s/$pkg.git"
lookaside-base-uri = "https://lookaside.example/$pkg/$filename/$hashtype/$hash"
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
[components.boat]
[components.ship]
`, url))
	specgraft, contains := inProject(t, base)

	_, errs := specgraft(cli.ExitProblems, "fetch", "-a")
	contains(errs, "is not encrypted")
	contains(errs, "--allow-http")
	_, errs = specgraft(cli.ExitEnv, "fetch", "-a", "--offline", "--allow-http")
	contains(errs, `"specgraft fetch boat"`)
	contains(errs, "[fedora/offline]")
	_, errs = specgraft(cli.ExitEnv, "render", "boat", "--offline", "--allow-http")
	contains(errs, `"specgraft fetch boat"`)
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests before anything was allowed", n)
	}

	out, errs := specgraft(cli.ExitOK, "fetch", "-a", "--allow-http", "--json")
	var records []struct {
		Component, Status, Commit string
		Bytes                     int64
	}
	if err := json.Unmarshal([]byte(out), &records); err != nil || len(records) != 2 {
		t.Fatalf("%v in %s", err, out)
	}
	for i, name := range []string{"boat", "ship"} {
		if r := records[i]; r.Component != name || r.Status != "fetched" || len(r.Commit) != 40 || r.Bytes == 0 {
			t.Errorf("record %+v", r)
		}
	}
	contains(errs, "2 fetched")
	n := requests.Load()
	out, errs = specgraft(cli.ExitOK, "fetch", "-a", "--allow-http")
	contains(out, "boat")
	contains(out, "present")
	contains(errs, "2 present")
	specgraft(cli.ExitOK, "render", "-a", "--offline", "--allow-http", "--skip-lock-validation")
	if _, err := os.Stat(filepath.Join(base, "project/specs/b/boat/boat.spec")); err != nil {
		t.Error(err)
	}
	if requests.Load() != n {
		t.Errorf("%d requests though everything was there", requests.Load()-n)
	}

	out, _ = specgraft(cli.ExitOK, "cache", "size", "--json")
	contains(out, `"part": "mirror"`)
	_, errs = specgraft(cli.ExitOK, "cache", "verify")
	contains(errs, "2 repositories, 2 snapshots and 0 sources checked, 0 damaged")
	snaps, err := filepath.Glob(filepath.Join(base, "cache/snapshots/v1/*/*"))
	if err != nil || len(snaps) != 2 {
		t.Fatalf("snapshots: %v, %v", snaps, err)
	}
	if err := os.Truncate(snaps[0], 10); err != nil {
		t.Fatal(err)
	}
	out, errs = specgraft(cli.ExitProblems, "cache", "verify")
	contains(out, "snapshots/v1/")
	contains(errs, "--repair")
	out, _ = specgraft(cli.ExitOK, "cache", "verify", "--repair", "--json")
	contains(out, `"repaired": true`)
	specgraft(cli.ExitOK, "cache", "verify")
	_, errs = specgraft(cli.ExitOK, "cache", "prune", "--unused", "0")
	contains(errs, "0 files removed, 0 repositories repacked")
	_, errs = specgraft(cli.ExitProblems, "cache", "prune", "--unused", "soon")
	contains(errs, "12h or 30d")
	out, _ = specgraft(cli.ExitOK, "cache", "dir")
	contains(out, filepath.Join(base, "cache"))

	// One component that does not exist keeps no other from being fetched.
	f, err := os.OpenFile(filepath.Join(base, "project/azldev.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("[components.canoe]\n")
	f.Close()
	if err := os.RemoveAll(filepath.Join(base, "cache")); err != nil {
		t.Fatal(err)
	}
	out, errs = specgraft(cli.ExitProblems, "fetch", "-a", "--allow-http")
	contains(out, "failed")
	contains(errs, "/canoe.git does not exist")
	contains(errs, "[fedora/no-repository]")
	contains(errs, "2 fetched, 1 failed")
}

// inProject returns a function that runs the program on base/project with base/cache,
// wants an exit code and returns stdout and stderr, and one that looks for a text in
// these.
func inProject(t *testing.T, base string) (specgraft func(want int, args ...string) (stdout, stderr string), contains func(text, part string)) {
	specgraft = func(want int, args ...string) (string, string) {
		t.Helper()
		var out, errs bytes.Buffer
		args = append(args, "-C", filepath.Join(base, "project"), "--cache-dir", filepath.Join(base, "cache"), "--network-retries", "1")
		if code := run(t.Context(), args, strings.NewReader(""), &out, &errs); code != want {
			t.Errorf("specgraft %v: exit code %d, want %d\n%s%s", args, code, want, &out, &errs)
		}
		return out.String(), errs.String()
	}
	contains = func(text, part string) {
		t.Helper()
		if !strings.Contains(text, part) {
			t.Errorf("no %q in:\n%s", part, text)
		}
	}
	return specgraft, contains
}
