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

// hostileRendered is a project of rendered specs alone, at two commits: what
// comes and goes is what nobody would write.
func hostileRendered(t *testing.T) string {
	t.Helper()
	dir := history(t, "")
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rendered := func(name, text string) { write("specs/"+name[:1]+"/"+name+"/"+name+".spec", text) }
	good := func(name, version, more string) string {
		return "Name: " + name + "\nVersion: " + version + "\nRelease: 1\nSummary: x\nLicense: MIT\n" + more + "\n%description\nx\n\n%files\n"
	}
	const unclosed = "%if 1\n"
	write("azldev.toml", "[project]\ndescription = \"x\"\nrendered-specs-dir = \"specs\"\n")
	rendered("gull", good("gull", "1", ""))
	rendered("refused-new", good("refused-new", "1", ""))
	rendered("refused-old", good("refused-old", "1", unclosed))
	rendered("refused-both", good("refused-both", "1", unclosed))
	rendered("binary-both", "\x7fELF\x00\x01\xff\n")
	rendered("binary-new", good("binary-new", "1", ""))
	rendered("binary-file", good("binary-file", "1", ""))
	write("specs/b/binary-file/logo.png", "\x89PNG\x00\x01")
	rendered("long-line", good("long-line", "1", "%global x "+strings.Repeat("a", 1<<20)))
	rendered("no-name", good("no-name", "1", ""))
	rendered("empty", good("empty", "1", ""))
	rendered("gone", good("gone", "1", ""))
	commitAll(t, dir, "one")
	if err := os.RemoveAll(filepath.Join(dir, "specs", "g", "gone")); err != nil {
		t.Fatal(err)
	}
	rendered("gull", good("gull", "2", ""))
	rendered("refused-new", good("refused-new", "2", unclosed))
	rendered("refused-old", good("refused-old", "2", ""))
	rendered("refused-both", good("refused-both", "2", unclosed))
	rendered("binary-both", "\x7fELF\x00\x02\xff\n")
	rendered("binary-new", "\x7fELF\x00\x02\xff\n")
	write("specs/b/binary-file/logo.png", "\x89PNG\x00\x02")
	rendered("long-line", good("long-line", "2", "%global x "+strings.Repeat("b", 1<<20)))
	rendered("no-name", "Requires: harbor\n")
	rendered("empty", "")
	rendered("hostile", good("ev\x1b[31mil\u202e<script>window.hostile=1</script>]]>", "1",
		"Vendor: </pre></details><script>window.hostile=2</script>\u2066`|\x1b]0;x\x07\nURL: javascript:alert(1)"))
	commitAll(t, dir, "two")
	return dir
}

// TestReviewBadTrees holds that each component of a change has its clear line in
// every form of the report, whatever is checked in.
func TestReviewBadTrees(t *testing.T) {
	t.Parallel()
	dir, out := hostileRendered(t), t.TempDir()
	_, stderr, code := specgraftIn(t, dir, "review", "--from", "HEAD~1", "--to", "HEAD", "-o", out)
	if code != cli.ExitProblems {
		t.Errorf("exit code %d, want %d: components fail\n%s", code, cli.ExitProblems, stderr)
	}
	text := map[string]string{}
	for _, name := range reportNames {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		text[name] = string(b)
	}
	var report struct {
		Components []struct {
			Name     string
			Kind     string
			Problems []string
			Changes  []struct{ Class, Op, What string }
			Unknown  []struct{ Side, What, Why string }
		}
	}
	if err := json.Unmarshal([]byte(text["review.json"]), &report); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	for _, c := range report.Components {
		kinds[c.Name] = c.Kind
		for _, ch := range c.Changes {
			if ch.Class == "package" && ch.Op == "changed" {
				t.Errorf("%s: a package that came or went has only changed", c.Name)
			}
		}
		if c.Name == "hostile" && len(c.Unknown) != 1 {
			t.Errorf("of a spec that was not there something is not known: %v", c.Unknown)
		}
	}
	for name, want := range map[string]string{"gull": "meaning", "refused-new": "failing", "refused-old": "meaning", "refused-both": "meaning",
		"binary-both": "meaning", "binary-new": "failing", "binary-file": "meaning", "long-line": "meaning", "no-name": "failing",
		"empty": "failing", "gone": "meaning", "hostile": "failing"} {
		if kinds[name] != want {
			t.Errorf("%s is %q, want %q", name, kinds[name], want)
		}
		for _, form := range []string{"review.md", "review.html"} {
			if !strings.Contains(text[form], name) {
				t.Errorf("%s has lost %s", form, name)
			}
		}
	}
	for _, want := range []string{
		"❌ rpm would not accept the spec: %if is never closed with %endif",
		"⚠️ before the change: rpm would not accept the spec: %if is never closed with %endif",
		"⚠️ before and after the change: rpm would not accept the spec: %if is never closed with %endif",
		"⚠️ before and after the change: the spec is a binary file, so what it means is not known",
		"❌ the spec is a binary file, so what it means is not known",
		"**file** changed: `binary-both.spec: ",
		"**file** changed: `logo.png: ",
		"**version** changed: `long-line version: 1 -> 2` (up)",
		"❌ rpm would not accept the spec: the tag License is missing",
		"**package** added: `ev\\x1b[31mil\\u202e<script>",
		"**package** removed: `gone`",
	} {
		if !strings.Contains(text["review.md"], want) {
			t.Errorf("the comment does not say %q:\n%.12000s", want, text["review.md"])
		}
	}
	for _, form := range []string{"review.md", "review.html"} {
		for _, bad := range []string{"\u202e", "\u2066", "\x1b", "\x07", "\x00"} {
			if strings.Contains(text[form], bad) {
				t.Errorf("%s has %q", form, bad)
			}
		}
	}
	for _, bad := range []string{"<script>window.hostile", "</pre></details><script>", `href="javascript:`} {
		if strings.Contains(text["review.html"], bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if n := len(text["review.html"]); n > 300_000 {
		t.Errorf("the page has %d bytes", n)
	}
	if n := len(text["review.md"]); n > 60_000 {
		t.Errorf("the comment has %d bytes", n)
	}
	if !json.Valid([]byte(text["review.sarif"])) {
		t.Error("the SARIF is no JSON")
	}

	// What diff says of the same.
	stdout, stderr, code := specgraftIn(t, dir, "diff", "--from", "HEAD~1", "--to", "HEAD")
	if code != cli.ExitOK {
		t.Errorf("exit code %d, want %d: no EVR goes down\n%s", code, cli.ExitOK, stderr)
	}
	for name := range kinds {
		if !strings.Contains(stdout, name+" ") && !strings.Contains(stdout, name+"\n") {
			t.Errorf("diff has lost %s", name)
		}
	}
	if i := strings.IndexAny(stdout+stderr, "\x1b\x00\x07\u202e\u2066"); i >= 0 {
		t.Errorf("diff obeys a control character: %.80q", (stdout + stderr)[i:])
	}
}

// TestDiffSpecsBad holds what diff --specs says of files that are no specs.
func TestDiffSpecsBad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.spec", "Name: tide\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\n%description\nx\n")
	refused := write("refused.spec", "Name: tide\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nRequires: moon\n%description\nx\n%if 1\n")
	binary := write("binary.spec", "\x00\x01\x02")
	empty := write("empty.spec", "")
	long := write("long.spec", "Name: tide\nVersion: 2\nRelease: 1\nSummary: "+strings.Repeat("x", 1<<20)+"\nLicense: MIT\n%description\nx\n")
	write("two/a.spec", "")
	write("two/b.spec", "")
	for _, test := range []struct {
		name     string
		old, new string
		code     int
		want     []string
	}{
		{"refused after", good, refused, cli.ExitOK, []string{"+ dependency  tide requires: moon", "not known: spec (line 9): rpm would not accept the spec: %if is never closed"}},
		{"refused before", refused, good, cli.ExitOK, []string{"- dependency  tide requires: moon", "rpm would not accept the spec: %if is never closed"}},
		{"refused on both sides", refused, refused, cli.ExitOK, []string{"nothing changes its meaning"}},
		{"binary after", good, binary, cli.ExitOK, []string{"~ file        binary.spec: sha256:", "the spec is a binary file, so what it means is not known"}},
		{"binary before", binary, good, cli.ExitOK, []string{"~ file        good.spec: sha256:", "the spec is a binary file"}},
		{"binary on both sides", binary, binary, cli.ExitOK, []string{"nothing changes its meaning", "the spec is a binary file"}},
		{"empty", good, empty, cli.ExitOK, []string{"- package     tide", "rpm would not accept the spec"}},
		{"a long line", good, long, cli.ExitOK, []string{"tide version: 1 -> 2 (up)", "tide summary: x -> xxx"}},
		{"a directory of two", good, filepath.Join(dir, "two"), cli.ExitProblems, []string{"there are 2 specs in the directory, name one of them"}},
		{"nothing", good, filepath.Join(dir, "none.spec"), cli.ExitProblems, []string{"none.spec: no such file or directory [diff/specs]"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := specgraftIn(t, dir, "diff", "--specs", test.old, test.new)
			if code != test.code {
				t.Errorf("exit code %d, want %d\n%s", code, test.code, stderr)
			}
			for _, want := range test.want {
				if !strings.Contains(stdout+stderr, want) {
					t.Errorf("diff does not say %q:\n%.3000s%.3000s", want, stdout, stderr)
				}
			}
			if len(stdout) > 20_000 {
				t.Errorf("diff prints %d bytes", len(stdout))
			}
			js, _, _ := specgraftIn(t, dir, "diff", "--specs", test.old, test.new, "--json")
			if test.code == cli.ExitOK && !json.Valid([]byte(js)) {
				t.Errorf("not JSON: %.300s", js)
			}
		})
	}
}

// TestReviewBadRefs holds what is said of names that stand for no commit, in a
// whole repository and in one that lacks the older commits.
func TestReviewBadRefs(t *testing.T) {
	t.Parallel()
	dir := history(t, filepath.Join("..", "..", "testdata", "example"))
	commitAll(t, dir, "one")
	gitIn(t, dir, "tag", "v1")
	replaceIn(t, filepath.Join(dir, "specs", "m", "moorings", "moorings.spec"), "5.2.1", "5.2.2")
	commitAll(t, dir, "two")
	shallow := filepath.Join(t.TempDir(), "shallow")
	gitIn(t, dir, "clone", "-q", "--depth=1", "file://"+filepath.ToSlash(dir), shallow)
	cmd := exec.Command("git", "rev-parse", "v1")
	cmd.Dir = dir
	old, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, dir, ref string
		want           string
	}{
		{"no commit", dir, "nowhere", `no commit is called "nowhere"`},
		{"too far back", dir, "HEAD~9", `no commit is called "HEAD~9"`},
		{"a file", dir, "HEAD:azldev.toml", `no commit is called "HEAD:azldev.toml"`},
		{"a tree", dir, "HEAD^{tree}", `no commit is called "HEAD^{tree}"`},
		{"no start of a range", dir, "nowhere...HEAD", `no commit is called "nowhere"`},
		{"a flag", dir, "--output=x", `"--output=x" is not a valid revision`},
		{"hostile", dir, "a\x1b[31m\u202e", `a\x1b[31m\u202e`},
		{"in a shallow clone", shallow, "HEAD~1", "which is a shallow clone: git fetch --unshallow gets older commits"},
		{"a tag that a shallow clone lacks", shallow, "v1", "which is a shallow clone"},
		{"a commit that a shallow clone lacks", shallow, string(bytes.TrimSpace(old)), "which is a shallow clone"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			for _, args := range [][]string{{"review", "--from=" + test.ref, "-o", out}, {"diff", "--from=" + test.ref}} {
				stdout, stderr, code := specgraftIn(t, test.dir, args...)
				if code != cli.ExitProblems || !strings.Contains(stderr, test.want) || stdout != "" {
					t.Errorf("%s: exit code %d, want %d and %q\n%s%s", args[0], code, cli.ExitProblems, test.want, stdout, stderr)
				}
				if test.dir == dir && strings.Contains(stderr, "shallow") {
					t.Errorf("the repository is whole: %s", stderr)
				}
				if strings.ContainsAny(stderr, "\x1b\u202e") {
					t.Errorf("the message obeys a control character: %q", stderr)
				}
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("a report was written")
			}
		})
	}
	// What a shallow clone has can be compared.
	if stdout, stderr, code := specgraftIn(t, shallow, "review", "--from", "HEAD"); code != cli.ExitOK || !strings.Contains(stdout, "0 components touched") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}
