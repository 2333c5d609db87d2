package toml

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTokenAt finds the place of a cursor, which is |, in text that is complete
// and in text that is being typed.
func TestTokenAt(t *testing.T) {
	t.Parallel()
	names := map[TokenKind]string{TokenHeader: "header", TokenKey: "key", TokenValue: "value", TokenHeaderPlace: "header place",
		TokenKeyPlace: "key place", TokenValuePlace: "value place", TokenNothing: "nothing", TokenTable: "table"}
	for _, tt := range []struct{ text, want string }{
		{"|", "key place "},
		{"inc|", "key inc"},
		{"includes = [|", "value place includes.[0]"},
		{"includes = [\"a\", |", "value place includes.[1]"},
		{"includes = [\n  \"a\",\n  \"b|\",\n]\n", "value includes.[1] b"},
		{"includes = [\n  \"a\",\n|\n[components.x]\n", "value place includes.[1]"},
		{"includes = [\n  \"a\n\n[components.x]\nspec = |\n", "value place components.x.spec"},
		{"[comp|", "header comp"},
		{"[components.|", "header place components"},
		{"[components.bash]\n|", "key place components.bash"},
		{"[components.bash]\nspec.|", "key place components.bash.spec"},
		{"[components.bash]\nspec.type = \"up|", "value components.bash.spec.type up"},
		{"[components.bash]\nspec = { type = \"local\", |", "key place components.bash.spec"},
		{"[components.bash]\nspec = { type = \"local\", path = |", "value place components.bash.spec.path"},
		{"[components]\nbash = {}\nzsh| = {}\n", "key components.zsh"},
		{"[components]\n\"lib+|\" = {}\n", "key components.lib+"},
		{"[[components.a.overlays]]\ntype = \"x\"\n\n[[components.a.overlays]]\ntype = \"|", "value components.a.overlays.[1].type "},
		{"[[components.a.overlays]]\n[components.a.overlays.metadata]\ncat|", "key components.a.overlays.[0].metadata.cat"},
		{"x = '''\na = 1\n|b\n'''\n", "value x a = 1\nb\n"},
		{"x = 1 # comm|ent", "nothing x"},
		{"# comm|ent", "nothing "},
		{"x = tr|ue", "value x true"},
		{"x = [ [ 1, 2 ], [ 3|", "value x.[1].[0] 3"},
		{"overlays = [\n  { type = \"a\" },\n  { type = \"b\", |\n]", "key place overlays.[1]"},
		{"a = \"x\\\"y|\"", "value a x\"y"},
		{"a = \"\"\"x\\\"\"\"y|\"\"\"", "value a x\\\"\"\"y"},
	} {
		off := strings.IndexByte(tt.text, '|')
		text := tt.text[:off] + tt.text[off+1:]
		at := TokenAt(text, off)
		got := names[at.Kind] + " " + strings.Join(at.Path, ".")
		if at.Kind == TokenValue {
			got += " " + at.Text
		}
		if got != tt.want {
			t.Errorf("%q:\n got %q\nwant %q", tt.text, got, tt.want)
		}
	}
}

// TestTokensAgree holds the tokens of the example's files to what the loader
// reads: every value is there, under its path.
func TestTokensAgree(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(filepath.Join("..", "..", "testdata", "example"), func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".toml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		tokensAgree(t, path, string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func tokensAgree(t *testing.T, name, text string) {
	t.Helper()
	root, diags := Read(&Source{Name: name, Text: text})
	if len(diags) > 0 {
		return
	}
	want := map[string]int{}
	var walk func(v *Value, path string)
	walk = func(v *Value, path string) {
		switch v.Kind {
		case KindList:
			for i, el := range v.List {
				walk(el, fmt.Sprintf("%s\x00[%d]", path, i))
			}
		case KindTable:
			for _, e := range v.Keys {
				walk(e.Val, path+"\x00"+e.Name)
			}
		default:
			want[path] = int(v.Off)
		}
	}
	walk(root, "")
	got := map[string]int{}
	last := 0
	Tokens(text, func(tok Token) bool {
		if tok.Start < last || tok.End < tok.Start || tok.End > len(text) {
			t.Fatalf("%s: token %+v is out of order", name, tok)
		}
		last = tok.Start
		if tok.Kind == TokenValue {
			got["\x00"+strings.Join(tok.Path, "\x00")] = tok.Start
		}
		return true
	})
	for path, off := range want {
		if at, ok := got[path]; !ok || at != off {
			t.Errorf("%s: %q is at %d, the tokens have %d, %v", name, strings.ReplaceAll(path, "\x00", "."), off, at, ok)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d values, tokens have %d", name, len(want), len(got))
	}
}

// FuzzTokens holds the reader of unfinished files to end, in order and within
// the text, and to agree with the loader about valid ones.
func FuzzTokens(f *testing.F) {
	f.Add("[components.a]\nspec = { type = \"local\" }\noverlays = [\n { type = 'x' } ]\n")
	f.Add("[[a.b]]\nc.d = [1, [2, {e = 3}]]\n[a.b.c\nx = '''\n")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		Tokens(text, func(tok Token) bool {
			if tok.Start < last || tok.End < tok.Start || tok.End > len(text) {
				t.Fatalf("token %+v is out of order", tok)
			}
			last = tok.Start
			return true
		})
		TokenAt(text, len(text)/2)
	})
}
