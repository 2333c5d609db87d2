package edit_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gotoml "github.com/pelletier/go-toml/v2"

	"specgraft/components"
	"specgraft/components/edit"
	real "specgraft/testdata/corpus"
)

func TestSet(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in string
		path     []string
		val      any
		want     string
	}{
		{"replace", "a = 1 # one\nb = 2\n", []string{"a"}, 3, "a = 3 # one\nb = 2\n"},
		{"replace a list", "[t]\na = [\n  \"x\", # ]\n]\nb = 1\n", []string{"t", "a"}, []string{"y"}, "[t]\na = [\"y\"]\nb = 1\n"},
		{"add behind the last key", "[t]\n  a = 1 # c\n\n# next\n[u]\n", []string{"t", "b"}, true, "[t]\n  a = 1 # c\n  b = true\n\n# next\n[u]\n"},
		{"add to an empty table", "[t]# c\n[u]\n", []string{"t", "b"}, "x", "[t]# c\nb = \"x\"\n[u]\n"},
		{"add without a final newline", "[t]\na = 1", []string{"t", "b"}, 2, "[t]\na = 1\nb = 2"},
		{"add behind a value of several lines", "[t]\na = '''\n]\n'''\n[u]\n", []string{"t", "b"}, 2, "[t]\na = '''\n]\n'''\nb = 2\n[u]\n"},
		{"inline", "t = { a = 1 }\n", []string{"t", "b"}, 2, "t = { a = 1, b = 2 }\n"},
		{"inline with a trailing comma", "t = {\n  a = 1,\n}\n", []string{"t", "b"}, 2, "t = {\n  a = 1, b = 2,\n}\n"},
		{"inline, empty", "t = {}\n", []string{"t", "b"}, 2, "t = { b = 2 }\n"},
		{"inline inside a list", "l = [ {a = \"}\"}, {a = 2} ]\n", []string{"l", "0", "b"}, 2, "l = [ {a = \"}\", b = 2}, {a = 2} ]\n"},
		{"element of tables", "[[l]]\na = 1\n\n[[l]]\na = 2\n", []string{"l", "0", "b"}, 2, "[[l]]\na = 1\nb = 2\n\n[[l]]\na = 2\n"},
		{"dotted", "[t]\nx.y = 1\nz = 2\n", []string{"t", "x", "w"}, 3, "[t]\nx.y = 1\nx.w = 3\nz = 2\n"},
		{"table that only has parts", "# about b\n[a.b]\nx = 1\n", []string{"a", "k"}, 3, "[a]\nk = 3\n\n# about b\n[a.b]\nx = 1\n"},
		{"CRLF", "[t]\r\na = 1\r\n", []string{"t", "b"}, 2, "[t]\r\na = 1\r\nb = 2\r\n"},
		{"root key", "# c\n\n[t]\na = 1\n", []string{"k"}, 2, "# c\n\nk = 2\n\n[t]\na = 1\n"},
		{"new table", "[project]\na = 1\n", []string{"components", "x", "spec", "type"}, "local", "[project]\na = 1\n\n[components.x]\nspec = { type = \"local\" }\n"},
		{"nested in a component", "[components.x]\n\n[components.y]\n", []string{"components", "x", "build", "check", "skip"}, true, "[components.x]\nbuild = { check = { skip = true } }\n\n[components.y]\n"},
		{"empty file", "", []string{"project", "description"}, "it's \"new\"", "[project]\ndescription = \"it's \\\"new\\\"\"\n"},
		{"literal string", "a = 1\n", []string{"a"}, `\d+"`, "a = '\\d+\"'\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e, diags := edit.Edit("x.toml", []byte(tc.in))
			if diags.HasErrors() {
				t.Fatal(diags.Err())
			}
			if err := e.Set(tc.path, tc.val); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(e.Bytes())); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestSetRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in   string
		path []string
	}{
		{"[a.b]\n", []string{"a", "b"}},
		{"a = 1\n", []string{"a", "b"}},
		{"a.b = 1\n", []string{"a"}},
	} {
		e, _ := edit.Edit("x.toml", []byte(tc.in))
		if err := e.Set(tc.path, 1); err == nil {
			t.Errorf("setting %v in %q succeeds: %q", tc.path, tc.in, e.Bytes())
		}
		if string(e.Bytes()) != tc.in {
			t.Errorf("a refused edit changed %q to %q", tc.in, e.Bytes())
		}
	}
}

// TestSetAt edits several overlays of one file by the positions of the file as
// it was read.
func TestSetAt(t *testing.T) {
	t.Parallel()
	in := "[[overlays]]\ntype = \"spec-add-tag\"\ntag = \"A\"\nvalue = \"1\"\n\n[[overlays]]\ntype = \"spec-add-tag\"\ntag = \"B\"\nvalue = \"2\"\nexpect = 7\n"
	ops, diags := components.ParseOverlays("x.toml", []byte(in))
	if diags.HasErrors() {
		t.Fatal(diags.Err())
	}
	e, _ := edit.Edit("x.toml", []byte(in))
	for i := range ops {
		if err := e.SetAt(ops[i].Pos, "expect", i+1); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.Replace(in, "value = \"1\"\n", "value = \"1\"\nexpect = 1\n", 1)
	want = strings.Replace(want, "expect = 7", "expect = 2", 1)
	if diff := cmp.Diff(want, string(e.Bytes())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAddTable(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"packed and sorted", "[components.a]\n[components.c]\n", "[components.a]\n[components.b]\n[components.c]\n"},
		{"sorted with bodies", "[components.a]\nspec = {}\n\n# c\n[components.c]\n", "[components.a]\nspec = {}\n\n[components.b]\n\n# c\n[components.c]\n"},
		{"first", "# all\n\n[components.c]\n[components.d]\n", "# all\n\n[components.b]\n[components.c]\n[components.d]\n"},
		{"last of a sorted list", "[components.A]\n[components.a]\n", "[components.A]\n[components.a]\n[components.b]\n"},
		{"before another kind of table", "[components.0]\n[components.a]\n[project]\n", "[components.0]\n[components.a]\n[components.b]\n[project]\n"},
		{"unsorted", "[components.z]\nx = 1\n[components.z.y]\n\n[components.a]\n\n[project]\n", "[components.z]\nx = 1\n[components.z.y]\n\n[components.a]\n\n[components.b]\n\n[project]\n"},
		{"no component yet", "[project]\na = 1", "[project]\na = 1\n\n[components.b]\n"},
		{"empty file", "", "[components.b]\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e, _ := edit.Edit("x.toml", []byte(tc.in))
			if err := e.AddTable([]string{"components", "b"}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(e.Bytes())); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if err := e.AddTable([]string{"components", "b"}); err == nil {
				t.Error("adding a table twice succeeds")
			}
		})
	}
}

// TestEditRealFiles adds a component and sets a key in every file of the real
// configuration: only the intended bytes may change.
func TestEditRealFiles(t *testing.T) {
	t.Parallel()
	n := 0
	err := filepath.WalkDir(real.Config(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".toml" {
			return err
		}
		n++
		before, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		e, diags := edit.Edit(path, before)
		if diags.HasErrors() {
			t.Error(diags.Err())
			return nil
		}
		if err := e.AddTable([]string{"components", "mm-added"}); err != nil {
			t.Error(err)
			return nil
		}
		added := string(e.Bytes())
		inserted := insertion(t, path, string(before), added)
		if strings.Trim(inserted, "\n") != "[components.mm-added]" {
			t.Errorf("%s: adding a component inserted %q", path, inserted)
		}
		if err := e.Set([]string{"components", "mm-added", "spec", "upstream-name"}, "other"); err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		if got := insertion(t, path, added, string(e.Bytes())); got != "spec = { upstream-name = \"other\" }\n" {
			t.Errorf("%s: setting a key inserted %q", path, got)
		}
		// The meaning changes as intended and nowhere else.
		var want, got map[string]any
		if err := gotoml.Unmarshal(before, &want); err != nil {
			return err
		}
		if err := gotoml.Unmarshal(e.Bytes(), &got); err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		comps, _ := want["components"].(map[string]any)
		if comps == nil {
			comps = map[string]any{}
			want["components"] = comps
		}
		comps["mm-added"] = map[string]any{"spec": map[string]any{"upstream-name": "other"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", path, diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n != 215 && n != 214 {
		t.Logf("edited %d files", n)
	}
	if n < 200 {
		t.Errorf("only %d files found", n)
	}
}

// insertion returns what after has more than before, in one place.
func insertion(t *testing.T, path, before, after string) string {
	i := 0
	for i < len(before) && i < len(after) && before[i] == after[i] {
		i++
	}
	rest := before[i:]
	if !strings.HasSuffix(after, rest) || len(after) < len(before) {
		t.Errorf("%s: more than one place changed", path)
		return ""
	}
	return after[i : len(after)-len(rest)]
}
