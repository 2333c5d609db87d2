package diag

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite expected results")

// sample holds one diagnostic of each shape.
func sample() (List, func(string) []byte) {
	files := map[string]string{
		"a.toml": "[components.a]\n\tspce = { type = \"lokal\" }\n\n" + strings.Repeat("é", 100) + " here " + strings.Repeat("x", 200) + "\n",
		"b.spec": "Name: \x1b[31mb\nlast\xff line, 50%\n",
	}
	at := func(file string, line, col int) token.Position {
		return token.Position{Filename: file, Line: line, Column: col}
	}
	l := List{
		{Pos: at("a.toml", 2, 2), End: at("a.toml", 2, 6), Code: "config/unknown-key", Message: `unknown key "spce" in components.a`, Hint: `did you mean "spec"?`},
		{Pos: at("a.toml", 2, 18), End: at("a.toml", 2, 25), Code: "config/bad-value", Message: `"lokal" is not a value`, Component: "a",
			Related: []Related{{Pos: at("a.toml", 1, 1), Message: "in this table"}, {Message: "2 components are affected"}}},
		{Pos: at("a.toml", 4, 202), End: at("a.toml", 4, 206), Code: "x/long", Severity: Warning, Message: "a long line"},
		{Pos: at("a.toml", 2, 9), End: at("a.toml", 4, 3), Code: "x/lines", Severity: Note, Message: "over several lines"},
		{Pos: at("b.spec", 1, 7), Code: "x/control", Message: "bad \x1b]0;title\x07 text\nin a spec"},
		{Pos: at("b.spec", 2, 6), Code: "x/bytes", Message: "no UTF-8: 100%"},
		{Pos: at("b.spec", 9, 1), Code: "x/gone", Message: "no such line"},
		{Pos: at("gone.spec", 1, 1), Code: "x/gone", Message: "no such file"},
		{Component: "kernel", Code: "fedora/offline", Message: "no connection", Env: true},
		{Code: "config/no-project", Message: "no project"},
	}
	return l, func(name string) []byte {
		if s, ok := files[name]; ok {
			return []byte(s)
		}
		return nil
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", path, diff)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	l, source := sample()
	codes := []Code{
		{ID: "config/unknown-key", Summary: "key is not known", Doc: "The table has no such key."},
		{ID: "config/unused", Summary: "not in this list"},
		{ID: "x/long", Default: Warning, Summary: "long"},
	}
	for _, format := range append([]string{"color"}, Formats...) {
		p := Printer{Source: source, Color: format == "color"}
		var b bytes.Buffer
		name := format
		if format == "color" {
			name = "text"
		}
		if err := p.Print(&b, name, l, codes); err != nil {
			t.Fatal(err)
		}
		golden(t, format+".golden", b.String())
		if i := strings.IndexByte(b.String(), 0x1b); i >= 0 && format != "color" {
			t.Errorf("%s: an escape character goes out at %d", format, i)
		}
		if format == "json" || format == "sarif" {
			if !json.Valid(b.Bytes()) {
				t.Errorf("%s is not valid", format)
			}
		}
	}
	if err := new(Printer).Print(&bytes.Buffer{}, "xml", nil, nil); err == nil {
		t.Error("an unknown format is accepted")
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"text": "", "json": "[]\n", "github": ""} {
		var b bytes.Buffer
		if err := new(Printer).Print(&b, format, nil, nil); err != nil || b.String() != want {
			t.Errorf("%s: %q, %v", format, b.String(), err)
		}
	}
}

// TestNames checks what file names are relative to.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	project := filepath.Join(dir, "repo", "project")
	if err := os.MkdirAll(project, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(project, "a b.toml"), []byte("x = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	p := Printer{Dir: project, Root: filepath.Join(dir, "repo")}
	l := List{{Pos: token.Position{Filename: "a b.toml", Line: 1, Column: 5}, Code: "x/y", Message: "m"}}
	var text, github, sarif bytes.Buffer
	p.Text(&text, l)
	p.GitHub(&github, l)
	p.SARIF(&sarif, l, nil)
	if got, want := text.String(), "repo/project/a b.toml:1:5: m [x/y]\n\tx = 1\n\t    ^\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := github.String(), "::error file=project/a b.toml,line=1,col=5,title=x/y::m\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !strings.Contains(sarif.String(), `"uri": "project/a%20b.toml"`) {
		t.Errorf("got %s", sarif.String())
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"spec", "release", "overlays", "overlay-files", "build", "a"}
	for word, want := range map[string]string{
		"spce": "spec", "overlay": "overlays", "relaese": "release", "biuld": "build", "with": "", "": "", "b": "",
		"overlay-file": "overlay-files", "buildx": "build", "spec": "spec", "BIULD": "build", "Overlay": "overlays",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
	if got := Nearest("apache-2.0", []string{"Apache-1.0", "Apache-2.0"}); got != "Apache-2.0" {
		t.Errorf("the exact match behind a near one is not found, but %q", got)
	}
}

func TestSort(t *testing.T) {
	t.Parallel()
	pos := func(line int) token.Position { return token.Position{Filename: "f", Line: line, Column: 1} }
	l := List{
		{Pos: pos(2), Code: "b", Message: "m"}, {Pos: pos(1), Severity: Warning, Code: "a", Message: "m"},
		{Pos: pos(1), Code: "z", Message: "m"}, {Pos: pos(2), Code: "b", Message: "m"},
	}
	l.Sort()
	var got []string
	for _, d := range l {
		got = append(got, d.Error())
	}
	if diff := cmp.Diff([]string{"f:1:1: m [z]", "f:1:1: m [a]", "f:2:1: m [b]"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := l.Err(); err == nil || err.Error() != "f:1:1: m [z] (and 1 more)" {
		t.Errorf("%v", err)
	}
}

// TestExcerptBounds marks places in, at the end of and beyond a line.
func TestExcerptBounds(t *testing.T) {
	t.Parallel()
	p := Printer{Source: func(string) []byte { return []byte("[[overlays\né\n") }}
	at := func(line, col int) token.Position { return token.Position{Filename: "f", Line: line, Column: col} }
	for _, tt := range []struct {
		pos, end token.Position
		want     string
	}{
		{pos: at(1, 10), want: "\t[[overlays\n\t         ^\n"},
		{pos: at(1, 11), want: "\t[[overlays\n\t          ^\n"},
		{pos: at(1, 11), end: at(1, 40), want: "\t[[overlays\n\t          ^\n"},
		{pos: at(1, 11), end: at(2, 1), want: "\t[[overlays\n\t          ^\n"},
		{pos: at(1, 9), end: at(1, 40), want: "\t[[overlays\n\t        ^~\n"},
		{pos: at(1, 40), want: "\t[[overlays\n"},
		{pos: at(2, 3), want: "\té\n\t ^\n"},
	} {
		var b bytes.Buffer
		if err := p.Text(&b, List{{Pos: tt.pos, End: tt.end, Code: "x/y", Message: "m"}}); err != nil {
			t.Fatal(err)
		}
		_, got, _ := strings.Cut(b.String(), "\n")
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%v to %v (-want +got)\n%s", tt.pos, tt.end, diff)
		}
	}
}
