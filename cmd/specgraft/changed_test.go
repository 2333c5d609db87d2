package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"specgraft/cmd/specgraft/cli"
)

// changedProject is a project without locks in which edits are tried.
var changedProject = map[string]string{
	"azldev.toml": `includes = ["base/upstream-commits/*.toml", "c.toml", "d.toml"]
[project]
description = "P"
default-distro = { name = "d", version = "1" }
[distros.d.versions.1]
release-ver = "1"
[distros.d.versions.1.default-component-config]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43", snapshot = "2026-01-01T00:00:00Z" } }
[distros.fedora]
description = "F"
dist-git-base-uri = "https://dist-git.example/$pkg.git"
lookaside-base-uri = "https://lookaside.example/$pkg"
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
[tests.t]
type = "lisa"
lisa.name = "x"
[component-groups.g]
components = ["a"]
[component-groups.g.default-component-config]
build.with = ["g"]
`,
	"base/upstream-commits/a.toml": "[components.a.spec]\nupstream-commit = '0123456789012345678901234567890123456789'\n",
	"base/upstream-commits/b.toml": "[components.b.spec]\nupstream-commit = '1123456789012345678901234567890123456789'\n",
	"c.toml": `[components.a]
build = { with = ["w"], defines = { x = "1" }, check = { skip = true, skip_reason = "r" }, failure = { expected = true, expected-reason = "e" } }
release.calculation = "auto"
publish.rpm-channel = "p"
packages.q.publish.rpm-channel = "c"
overlay-files = ["*.overlay.toml"]
[[components.a.overlays]]
type = "spec-set-tag"
description = "D"
tag = "Vendor"
value = "V"
[[components.a.overlays]]
type = "file-add"
file = "f"
source = "src/f"
[[components.a.source-files]]
filename = "s"
hash = "00"
hash-type = "SHA512"
origin = { type = "download", uri = "https://s.example/s" }
[components.b]
`,
	"d.toml":            "[components.l]\nspec = { type = \"local\", path = \"l/l.spec\" }\n",
	"src/f":             "f",
	"l/l.spec":          "Name: l\n",
	"l/l.patch":         "p",
	"z.overlay.toml":    "[metadata]\ncategory = \"azl-pruning\"\nupstream-status = \"unknown\"\n[[overlays]]\ntype = \"spec-remove-tag\"\ntag = \"URL\"\n",
	"specs/a/a/sources": "s1\n",
	"specs/a/a/a.spec":  "a\n",
}

// TestChangedWithoutLocks tries edits of a project: each is one replacement
// in one file, with what becomes of the components a, b and l.
func TestChangedWithoutLocks(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	const same = "unchanged unchanged unchanged"
	const onlyA = "changed unchanged unchanged"
	edits := []struct{ name, file, old, new, want string }{
		{"nothing", "", "", "", same},
		{"the generated pin", "base/upstream-commits/a.toml", "'0123", "'9123", onlyA},
		{"a comment in the pin", "base/upstream-commits/a.toml", "[comp", "# x\n[comp", same},
		{"a pin by hand that says the same", "c.toml", "[components.b]", "[components.b]\nspec.upstream-commit = '1123456789012345678901234567890123456789'", same},
		{"a pin by hand", "c.toml", "[components.b]", "[components.b]\nspec.upstream-commit = '2123456789012345678901234567890123456789'", "unchanged changed unchanged"},
		{"a build condition", "c.toml", `with = ["w"]`, `with = ["w", "v"]`, onlyA},
		{"a condition switched off", "c.toml", `with = ["w"]`, `with = ["w"], without = ["v"]`, onlyA},
		{"the order of conditions", "azldev.toml", `build.with = ["g"]`, `build.with = ["g", "h"]`, onlyA},
		{"a define", "c.toml", `x = "1"`, `x = "2"`, onlyA},
		{"another define", "c.toml", `x = "1"`, `x = "1", y = ""`, onlyA},
		{"an undefine", "c.toml", `with = ["w"]`, `with = ["w"], undefines = ["u"]`, onlyA},
		{"check", "c.toml", `skip = true, skip_reason = "r"`, `skip = false`, onlyA},
		{"the reason of a skipped check", "c.toml", `skip_reason = "r"`, `skip_reason = "other"`, same},
		{"an expected failure", "c.toml", `expected = true, expected-reason = "e"`, `expected = false`, same},
		{"the reason of a failure", "c.toml", `"e"`, `"because"`, same},
		{"a hint", "c.toml", `failure =`, `hints = { expensive = true }, failure =`, same},
		{"the release calculation", "c.toml", `"auto"`, `"manual"`, onlyA},
		{"a channel", "c.toml", `rpm-channel = "p"`, `rpm-channel = "x"`, same},
		{"another channel", "c.toml", `rpm-channel = "p"`, "rpm-channel = \"p\"\npublish.srpm-channel = \"y\"", same},
		{"a package's channel", "c.toml", `rpm-channel = "c"`, `rpm-channel = "x"`, same},
		{"one more package", "c.toml", "packages.q", "packages.r.publish.rpm-channel = \"c\"\npackages.q", onlyA},
		{"a test", "c.toml", "release.calc", "tests.tests = [{ name = \"t\" }]\nrelease.calc", same},
		{"the test itself", "azldev.toml", "lisa.name = \"x\"", "lisa.name = \"y\"", same},
		{"the description of an overlay", "c.toml", `"D"`, `"Documentation"`, same},
		{"the value of an overlay", "c.toml", `value = "V"`, `value = "W"`, onlyA},
		{"an overlay taken out", "c.toml", "[[components.a.overlays]]\ntype = \"spec-set-tag\"\ndescription = \"D\"\ntag = \"Vendor\"\nvalue = \"V\"\n", "", onlyA},
		{"an overlay for another component", "c.toml", "[components.b]", "[components.b]\noverlays = [{ type = \"spec-remove-tag\", tag = \"X\" }]", "unchanged changed unchanged"},
		{"an overlay document", "z.overlay.toml", `"URL"`, `"Group"`, onlyA},
		{"the metadata of a document", "z.overlay.toml", "unknown", "inapplicable", same},
		{"another name for the pattern of documents", "c.toml", `["*.overlay.toml"]`, `["z.overlay.toml"]`, same},
		{"no documents", "c.toml", `["*.overlay.toml"]`, `[]`, onlyA},
		{"the content of a source", "src/f", "f", "g", onlyA},
		{"a file that nobody names", "src/unused", "", "x", same},
		{"the hash of a source file", "c.toml", `"00"`, `"01"`, onlyA},
		{"the address of a source file", "c.toml", "https://s.example/s", "https://t.example/s", same},
		{"a source file replaced", "c.toml", "filename = \"s\"", "filename = \"s\"\nreplace-upstream = true\nreplace-reason = \"r\"", onlyA},
		{"the name of a source file", "c.toml", `filename = "s"`, `filename = "s2"`, onlyA},
		{"the snapshot", "azldev.toml", "2026-01-01", "2026-02-02", same},
		{"the upstream version's release", "azldev.toml", `release-ver = "43"`, `release-ver = "44"`, "changed changed changed"},
		{"the distribution's own release", "azldev.toml", `release-ver = "1"`, `release-ver = "2"`, same},
		{"the address of dist-git", "azldev.toml", "https://dist-git.example", "https://mirror.example", same},
		{"the branch", "azldev.toml", `"f43"`, `"rawhide"`, same},
		{"descriptions", "azldev.toml", `description = "P"`, `description = "Q"`, same},
		{"the group", "azldev.toml", `components = ["a"]`, `components = ["a", "b"]`, "unchanged changed unchanged"},
		{"no group", "azldev.toml", `components = ["a"]`, `components = []`, onlyA},
		{"the upstream's name", "c.toml", "[components.b]", "[components.b]\nspec = { type = \"upstream\", upstream-name = \"bee\" }", "unchanged changed unchanged"},
		{"the spec of a local component", "l/l.spec", "Name: l", "Name:  l", "unchanged unchanged changed"},
		{"a patch beside it", "l/l.patch", "p", "q", "unchanged unchanged changed"},
		{"a new file beside it", "l/new", "", "x", "unchanged unchanged changed"},
		{"the file filter", "c.toml", "[components.b]", "[components.b]\nrender.skip-file-filter = true", "unchanged changed unchanged"},
		{"provenance", "c.toml", "[components.b]", "[components.b]\nbuild.emit-upstream-provenance = true", "unchanged changed unchanged"},
		{"a component less", "c.toml", "[components.b]\n", "", "unchanged deleted unchanged"},
		{"the component moved to another file", "c.toml", "[components.b]\n", "#", "unchanged unchanged unchanged d.toml"},
		{"a component more", "d.toml", "[components.l]", "[components.n]\n[components.l]", "unchanged unchanged unchanged added"},
		{"the rendered sources alone", "specs/a/a/sources", "s1", "s2", "unchanged+sources unchanged unchanged"},
		{"the rendered spec alone", "specs/a/a/a.spec", "a", "b", same},
		{"the directory of locks", "azldev.toml", `description = "P"`, `lock-dir = "elsewhere"`, same},
		{"a value in two files", "d.toml", "[components.l]", "[components.a]\nbuild.with = [\"d\"]\n[components.l]", onlyA},
	}
	if len(edits) < 40 {
		t.Fatalf("only %d edits", len(edits))
	}
	for _, tt := range edits {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			git := func(args ...string) {
				t.Helper()
				cmd := exec.Command("git", args...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@e", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@e")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("git %v: %v\n%s", args, err, out)
				}
			}
			write := func(name, text string) {
				t.Helper()
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			for name, text := range changedProject {
				write(name, text)
			}
			git("init", "-q")
			git("add", "-A")
			git("commit", "-q", "-m", "before")
			want := strings.Fields(tt.want)
			if tt.file != "" {
				text := changedProject[tt.file]
				if tt.old != "" && strings.Count(text, tt.old) != 1 {
					t.Fatalf("%q is in %s %d times", tt.old, tt.file, strings.Count(text, tt.old))
				}
				if tt.old == "" {
					text = tt.new
				} else {
					text = strings.Replace(text, tt.old, tt.new, 1)
				}
				write(tt.file, text)
			}
			if len(want) > 3 && want[3] == "d.toml" {
				write("d.toml", "[components.b]\n"+changedProject["d.toml"])
			}
			git("add", "-A")
			git("commit", "-q", "--allow-empty", "-m", "after")
			var out, errs bytes.Buffer
			code := run(t.Context(), []string{"changed", "-C", dir, "--from", "HEAD~1", "--include-unchanged", "--json"}, nil, &out, &errs)
			if code != cli.ExitOK {
				t.Fatalf("exit code %d: %s", code, errs.String())
			}
			var list []struct {
				Component, ChangeType string
				SourcesChange         bool
			}
			if err := json.Unmarshal(out.Bytes(), &list); err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, r := range list {
				got[r.Component] = r.ChangeType
				if r.SourcesChange {
					got[r.Component] += "+sources"
				}
			}
			for i, name := range []string{"a", "b", "l"} {
				if got[name] != want[i] {
					t.Errorf("%s is %s, want %s", name, got[name], want[i])
				}
			}
			if len(want) > 3 && want[3] == "added" && got["n"] != "added" {
				t.Errorf("n is %s, want added", got["n"])
			}
			// Without --include-unchanged only what matters is listed.
			out.Reset()
			run(t.Context(), []string{"changed", "-C", dir, "--from", "HEAD~1", "--json"}, nil, &out, &errs)
			for name, kind := range got {
				if listed := strings.Contains(out.String(), `"`+name+`"`); listed != (kind != "unchanged") {
					t.Errorf("%s, which is %s, is listed: %v", name, kind, listed)
				}
			}
		})
	}
}
