package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"specgraft/cmd/specgraft/cli"
)

var updateReview = flag.Bool("update-review", false, "rewrite the golden reports")

// history makes a repository of a copy of a project.
func history(t *testing.T, from string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("NOT CHECKED: no git")
	}
	dir := t.TempDir()
	if from != "" {
		if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	gitIn(t, dir, "init", "-q", "-b", "main")
	return dir
}

// gitIn runs git in a way that gives the same commits everywhere.
func gitIn(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "core.fileMode=true", "-c", "core.autocrlf=false", "-c", "commit.gpgSign=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "GIT_") }),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "HOME="+dir,
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
		"GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func commitAll(t *testing.T, dir, message string) {
	t.Helper()
	gitIn(t, dir, "add", "-A")
	gitIn(t, dir, "commit", "-q", "-m", message)
}

// replaceIn changes text of a file that must be there.
func replaceIn(t *testing.T, file string, pairs ...string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := string(b)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			t.Fatalf("%s has no %q", file, pairs[i])
		}
		s = strings.Replace(s, pairs[i], pairs[i+1], 1)
	}
	if err := os.WriteFile(file, []byte(s), 0o644); err != nil {
		t.Fatal(err)
	}
}

// specgraftIn runs the command and returns its output and exit code.
func specgraftIn(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append(args, "-C", dir, "--cache-dir", filepath.Join(t.TempDir(), "cache")), strings.NewReader(""), &out, &errs)
	return out.String(), errs.String(), code
}

// exampleChange is the example distribution with a change that reviewers would
// see: a dependency, a version that goes down, a line of a build, hostile text,
// and lines that mean nothing.
func exampleChange(t *testing.T) string {
	t.Helper()
	dir := history(t, filepath.Join("..", "..", "testdata", "example"))
	commitAll(t, dir, "one")
	spec := func(name string) string { return filepath.Join(dir, "specs", name[:1], name, name+".spec") }
	replaceIn(t, filepath.Join(dir, "components", "hello-harbor", "hello-harbor.comp.toml"), "pkgconfig(cairo)", "pkgconfig(pango)")
	replaceIn(t, spec("hello-harbor"), "pkgconfig(cairo)", "pkgconfig(pango)")
	replaceIn(t, spec("moorings"), "5.2.1", "5.2.0", "%meson_build\n", "%meson_build\nexit 0\n")
	replaceIn(t, spec("lighthouse"), "\nLicense:", "\nVendor: <script>window.hostile=1</script> \u202e ]]> \x1b[31m\nLicense:")
	replaceIn(t, filepath.Join(dir, "components", "sextant", "sextant.comp.toml"), "\n[[components.sextant.overlays]]\ntype = \"spec-update-tag\"",
		"\n[[components.sextant.overlays]]\ntype = \"spec-search-replace\"\ndescription = \"Say what it is\"\nregex = \"^License:\"\nreplacement = \"# a comment\\nLicense:\"\n"+
			"\n[[components.sextant.overlays]]\ntype = \"spec-update-tag\"")
	replaceIn(t, spec("sextant"), "\nLicense:", "\n# a comment\nLicense:")
	return dir
}

var reportNames = []string{"review.md", "review.html", "review.sarif", "review.json"}

func TestReviewGolden(t *testing.T) {
	t.Parallel()
	dir, out := exampleChange(t), t.TempDir()
	commitAll(t, dir, "two")
	_, stderr, code := specgraftIn(t, dir, "review", "--from", "HEAD~1", "--to", "HEAD", "-o", out)
	if code != cli.ExitProblems {
		t.Errorf("exit code %d, want %d: an EVR goes down\n%s", code, cli.ExitProblems, stderr)
	}
	for _, name := range reportNames {
		got, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("..", "..", "testdata", "review", name)
		if *updateReview {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
	if st, err := os.Stat(filepath.Join(out, "review.html")); err == nil && st.Size() > 300_000 {
		t.Errorf("the page has %d bytes", st.Size())
	}
}

// TestReviewHostile holds that nothing of what a spec or a description says does
// anything in a report.
func TestReviewHostile(t *testing.T) {
	t.Parallel()
	dir, out := exampleChange(t), t.TempDir()
	toml := filepath.Join(dir, "components", "hello-harbor", "hello-harbor.comp.toml")
	replaceIn(t, toml, "description = \"The tide", "description = \"<script>window.hostile=2</script>\\u202e\\u001b[31m ]]> The tide")
	specgraftIn(t, dir, "review", "--from", "HEAD", "-o", out)
	for _, name := range reportNames {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if name != "review.json" && name != "review.sarif" {
			for _, bad := range []string{"\u202e", "\x1b"} {
				if strings.Contains(text, bad) {
					t.Errorf("%s has %q", name, bad)
				}
			}
		}
		if name == "review.html" && strings.Contains(text, "<script>window.hostile") {
			t.Errorf("%s has a script of the spec", name)
		}
		if (name == "review.json" || name == "review.sarif") && !json.Valid(b) {
			t.Errorf("%s is not JSON", name)
		}
	}
}

// TestReviewComment holds that Markdown fits a comment however large the change.
func TestReviewComment(t *testing.T) {
	t.Parallel()
	dir := history(t, "")
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("azldev.toml", "[project]\ndescription = \"x\"\nrendered-specs-dir = \"specs\"\n")
	spec := func(i int, edit string) {
		name := fmt.Sprintf("c%03d", i)
		write("specs/c/"+name+"/"+name+".spec", "Name: "+name+"\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\n"+edit+"\n%description\nx\n")
	}
	for i := range 300 {
		spec(i, "")
	}
	commitAll(t, dir, "one")
	for i := range 300 {
		edit := ""
		for k := range 20 {
			edit += fmt.Sprintf("Requires: %s%d-%d\n", strings.Repeat("very-long-name-", 5), i, k)
		}
		spec(i, edit)
	}
	commitAll(t, dir, "two")
	out, stderr, code := specgraftIn(t, dir, "review", "--from", "HEAD~1", "--to", "HEAD")
	if code != cli.ExitOK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	if n := utf8.RuneCountInString(out); n > 60_000 {
		t.Errorf("the comment has %d characters", n)
	}
	for _, want := range []string{"300 components touched: 300 changed in meaning", "left out here; see review.html and review.json"} {
		if !strings.Contains(out, want) {
			t.Errorf("the comment does not say %q:\n%.2000s", want, out)
		}
	}
}

// TestReviewUnrendered holds what a report says of a change of the configuration
// that was not rendered: with what is needed to render it is drift, or nothing
// when it has no effect, and else it may be either.
func TestReviewUnrendered(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, file string
		edits      []string
		away       bool // upstream is where nothing was fetched from
		code       int
		want       []string
		without    string
	}{
		{"drift", "hello-harbor", []string{"pkgconfig(cairo)", "pkgconfig(pango)"}, false, cli.ExitProblems,
			[]string{"1 component touched: 0 changed in meaning, 0 in noise only; 0 failing, 1 drifted", "### hello-harbor", "❌ drifted"}, "not rendered"},
		{"no mirror", "hello-harbor", []string{"pkgconfig(cairo)", "pkgconfig(pango)"}, true, cli.ExitOK,
			[]string{"0 failing, 1 not rendered, drift and overlay health not checked", "the cache lacks what it takes to render hello-harbor", "⚠️ not rendered", "changed `components/hello-harbor/hello-harbor.comp.toml:3 spec-add-tag"}, "drifted"},
		{"words", "hello-harbor", []string{"The tide table is drawn", "Tides are drawn"}, false, cli.ExitOK,
			[]string{"0 components touched"}, "hello-harbor"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := history(t, filepath.Join("..", "..", "testdata", "example"))
			commitAll(t, dir, "one")
			replaceIn(t, filepath.Join(dir, "components", test.file, test.file+".comp.toml"), test.edits...)
			if test.away {
				replaceIn(t, filepath.Join(dir, "distro", "fedora.toml"), "\"../upstream/$pkg.bundle\"", "\"https://nowhere.example/$pkg\"")
			}
			commitAll(t, dir, "two")
			out, stderr, code := specgraftIn(t, dir, "review", "--from", "HEAD~1", "--to", "HEAD")
			if code != test.code {
				t.Errorf("exit code %d, want %d\n%s", code, test.code, stderr)
			}
			for _, want := range test.want {
				if !strings.Contains(out, want) {
					t.Errorf("the report does not say %q:\n%s", want, out)
				}
			}
			if strings.Contains(out, test.without) {
				t.Errorf("the report says %q:\n%s", test.without, out)
			}
		})
	}
}

// TestReviewNothing holds what a report says of trees that are not there.
func TestReviewNothing(t *testing.T) {
	t.Parallel()
	dir := history(t, "")
	if err := os.WriteFile(filepath.Join(dir, "azldev.toml"), []byte("[project]\ndescription = \"x\"\nrendered-specs-dir = \"specs\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	commitAll(t, dir, "one")
	out, stderr, code := specgraftIn(t, dir, "review", "--from", "HEAD", "--to", "HEAD")
	if code != cli.ExitOK || !strings.Contains(out, "has no rendered specs") {
		t.Errorf("exit code %d\n%s%s", code, out, stderr)
	}
	for _, args := range [][]string{{"review"}, {"review", "--from", "nope"}, {"review", "--from", "HEAD..HEAD"}, {"review", "--from", "HEAD", "--arch", "amd64"}, {"diff", "--to", "HEAD"}} {
		if _, stderr, code := specgraftIn(t, dir, args...); code != cli.ExitProblems || stderr == "" {
			t.Errorf("%v: exit code %d, %q", args, code, stderr)
		}
	}
}

// TestSARIF validates what we write against the schema of SARIF 2.1.0.
func TestSARIF(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "sarif", "sarif-schema-2.1.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	v := validator{root: schema}
	dir, out := exampleChange(t), t.TempDir()
	specgraftIn(t, dir, "review", "--from", "HEAD", "-o", out)
	report, err := os.ReadFile(filepath.Join(out, "review.sarif"))
	if err != nil {
		t.Fatal(err)
	}
	linted, _, _ := specgraftIn(t, dir, "lint", "-a", "--format", "sarif")
	for name, text := range map[string]string{"review": string(report), "lint": linted} {
		var doc any
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n := strings.Count(text, `"ruleId"`); n < 3 {
			t.Errorf("%s: %d results are not enough to say anything", name, n)
		}
		for _, p := range v.check(schema, doc, "$") {
			t.Errorf("%s: %s", name, p)
		}
	}
	// The validator itself must be able to say no.
	for _, bad := range []string{`{}`, `{"version":"2.0.0","runs":[]}`, `{"version":"2.1.0","runs":[{}]}`,
		`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":{"text":"x"},"level":"fatal"}]}]}`,
		`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":{"text":"x"},"locations":[{"physicalLocation":{"region":{"startLine":0}}}]}]}]}`} {
		var doc any
		if err := json.Unmarshal([]byte(bad), &doc); err != nil {
			t.Fatal(err)
		}
		if len(v.check(schema, doc, "$")) == 0 {
			t.Errorf("the schema takes %s", bad)
		}
	}
}

// A validator checks documents against the part of JSON Schema that the SARIF
// schema uses.
type validator struct{ root map[string]any }

func (v *validator) check(schema map[string]any, doc any, at string) (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, at+": "+fmt.Sprintf(format, args...)) }
	for key, want := range schema {
		switch key {
		case "$ref":
			def := v.root
			for _, p := range strings.Split(strings.TrimPrefix(want.(string), "#/"), "/") {
				def = def[p].(map[string]any)
			}
			problems = append(problems, v.check(def, doc, at)...)
		case "type":
			if !isType(doc, want.(string)) {
				bad("is no %v", want)
			}
		case "enum":
			if !slices.ContainsFunc(want.([]any), func(e any) bool { return cmp.Equal(e, doc) }) {
				bad("%v is none of %v", doc, want)
			}
		case "pattern":
			if s, ok := doc.(string); ok && !regexp.MustCompile(want.(string)).MatchString(s) {
				bad("%q does not match %v", s, want)
			}
		case "minimum", "maximum":
			if n, ok := doc.(float64); ok && (key == "minimum" && n < want.(float64) || key == "maximum" && n > want.(float64)) {
				bad("%v is out of range", n)
			}
		case "minItems":
			if l, ok := doc.([]any); ok && float64(len(l)) < want.(float64) {
				bad("has %d items", len(l))
			}
		case "uniqueItems":
			if l, ok := doc.([]any); ok && want.(bool) {
				for i := range l {
					if slices.ContainsFunc(l[:i], func(e any) bool { return cmp.Equal(e, l[i]) }) {
						bad("item %d is there twice", i)
					}
				}
			}
		case "items":
			if l, ok := doc.([]any); ok {
				for i, e := range l {
					problems = append(problems, v.check(want.(map[string]any), e, fmt.Sprintf("%s[%d]", at, i))...)
				}
			}
		case "required":
			if m, ok := doc.(map[string]any); ok {
				for _, k := range want.([]any) {
					if _, there := m[k.(string)]; !there {
						bad("%v is missing", k)
					}
				}
			}
		case "properties":
			if m, ok := doc.(map[string]any); ok {
				for k, s := range want.(map[string]any) {
					if e, there := m[k]; there {
						problems = append(problems, v.check(s.(map[string]any), e, at+"."+k)...)
					}
				}
			}
		case "additionalProperties":
			m, ok := doc.(map[string]any)
			known, _ := schema["properties"].(map[string]any)
			for k, e := range m {
				if _, named := known[k]; named || !ok {
					continue
				}
				if s, isSchema := want.(map[string]any); isSchema {
					problems = append(problems, v.check(s, e, at+"."+k)...)
				} else if want == false {
					bad("%s is not allowed", k)
				}
			}
		case "anyOf", "oneOf", "allOf":
			n, all := 0, want.([]any)
			for _, s := range all {
				if len(v.check(s.(map[string]any), doc, at)) == 0 {
					n++
				}
			}
			if n == 0 || key == "oneOf" && n != 1 || key == "allOf" && n < len(all) {
				bad("%s: %d of %d match", key, n, len(all))
			}
		case "not":
			if len(v.check(want.(map[string]any), doc, at)) == 0 {
				bad("must not match")
			}
		case "$schema", "id", "$id", "title", "description", "definitions", "default", "format", "dependencies":
		default:
			bad("the validator does not know %q", key)
		}
	}
	return problems
}

func isType(doc any, want string) bool {
	switch x := doc.(type) {
	case map[string]any:
		return want == "object"
	case []any:
		return want == "array"
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case float64:
		return want == "number" || want == "integer" && x == float64(int64(x))
	}
	return doc == nil && want == "null"
}
