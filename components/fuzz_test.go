package components

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gotoml "github.com/pelletier/go-toml/v2"
	"golang.org/x/tools/txtar"

	"specgraft/components/edit"
	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// seeds are all documents of the seeded mistakes and some corners of TOML.
func seeds(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "mistakes", "*.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range ar.Files {
			if filepath.Ext(part.Name) == ".toml" {
				f.Add(part.Data)
			}
		}
	}
	for _, text := range []string{
		"[a.b.c]\n[a]\nb.d = 1\n", "[[a]]\n[a.b]\n[[a]]\n[a.b]\n", "a = [1, 2, [3]]\n[[a]]\n", "a = {b = 1}\n[a.c]\n",
		"a.b = 1\n[a.c]\n", "[a]\nb.c = 1\n[a.b]\n", "[a]\nb.c = 1\n[a.b.d]\n", "'' = 1\n\"\\u00e9\" = 2\n", "x = 1979-05-27 07:32:00Z\n",
		"a = \"\"\"\n\\\n  x\"\"\"\n", "a = 0x_1\n", "a = { b.c = 1, b.d = 2 }\n", "a = { b = {c = 1}, b.d = 2 }\n", "[a]\r\nb = 1\r\n", "\ufeffa = 1\n",
		"a = '''x''''\n", "a = [ # c\n 1, # ]\n]\n", "[[a.b]]\n[a]\n[a.b.c]\n", "a.b.c = 1\na.b = 2\n", "[a.b]\n[[a]]\n", "x = 2026-13-01\n", "x = inf\ny = -nan\n",
	} {
		f.Add([]byte(text))
	}
}

// FuzzDocument holds the reader to go-toml: both take the same documents.
func FuzzDocument(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		root, diags := toml.Read(&toml.Source{Name: "x.toml", Text: string(data)})
		if root == nil {
			t.Fatal("no table")
		}
		for _, d := range diags {
			if d.Pos.Line < 1 || d.Pos.Column < 1 || d.Pos.Offset > len(data) {
				t.Errorf("position %v of %q", d.Pos, d.Message)
			}
		}
		var v map[string]any
		err := gotoml.Unmarshal(data, &v)
		if strings.Contains(string(data), "\x00") || hasLimit(diags) || outOfRange(err) {
			return
		}
		if (err != nil) != (len(diags) > 0) {
			t.Errorf("go-toml: %v, we: %v", err, diags)
		}
	})
}

// hasLimit reports whether a document was refused for what only we refuse.
func hasLimit(diags diag.List) bool {
	for _, d := range diags {
		if strings.Contains(d.Message, "more than") {
			return true
		}
	}
	return false
}

// outOfRange reports whether go-toml refused a number or date for its size,
// which is no matter of syntax.
func outOfRange(err error) bool {
	if err == nil {
		return false
	}
	for _, s := range []string{"range", "fit", "overflow", "date", "time", "month", "day", "hour", "second", "minute", "float", "integer", "number"} {
		if strings.Contains(err.Error(), s) {
			return true
		}
	}
	return false
}

// FuzzProject loads a document as a whole project: nothing panics, and what is
// fine can be resolved, shown and dumped, and the dump loads.
func FuzzProject(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		load := func(text string) (*Project, diag.List) {
			src := &toml.Source{Name: FileName, Path: "/nowhere/" + FileName, Dir: "/nowhere", Text: text}
			root, diags := toml.Read(src)
			c := schema.Checker{}
			c.Value(root, &schema.RootKey, &schema.Trail{})
			l := &loader{paths: &paths{dir: "/nowhere", root: "/nowhere", real: "/nowhere"}}
			l.root = l.merge.into(&toml.Value{Kind: toml.KindTable, Form: toml.FormMerged, Src: src}, root, &schema.RootKey)
			l.order = []*document{{src: src, root: root}}
			p := newProject("/nowhere", l)
			diags = append(append(diags, c.Diags...), p.validate(false)...)
			return p, append(diags, p.CheckAll(nil)...)
		}
		p, diags := load(string(data))
		p.StrictAzldev()
		for i, name := range p.Names() {
			if c, _ := p.Component(name); c != nil && i < 20 {
				v, _ := p.View(c)
				v.Text()
				if _, err := v.MarshalJSON(); err != nil {
					t.Error(err)
				}
			}
		}
		dump, err := p.Dump("toml")
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range diags {
			if d.Severity == 0 {
				return
			}
		}
		if _, more := load(string(dump)); hasErrors(more) {
			t.Errorf("the dump does not load: %v\n%s", more, dump)
		}
	})
}

func hasErrors(diags diag.List) bool {
	for _, d := range diags {
		if d.Severity == 0 {
			return true
		}
	}
	return false
}

// FuzzEdit sets a key and adds a table: the result means what it meant before
// plus the edit, or the edit is refused and nothing changes.
func FuzzEdit(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var want map[string]any
		if gotoml.Unmarshal(data, &want) != nil {
			return
		}
		e, diags := edit.Edit("x.toml", data)
		if diags.HasErrors() {
			return
		}
		if err := e.Set([]string{"components", "a", "note"}, "x'\"y"); err != nil {
			if string(e.Bytes()) != string(data) {
				// Adding the table may have succeeded before the key failed.
				var v map[string]any
				if err := gotoml.Unmarshal(e.Bytes(), &v); err != nil {
					t.Errorf("a refused edit broke the file: %v\n%s", err, e.Bytes())
				}
			}
			return
		}
		var got map[string]any
		if err := gotoml.Unmarshal(e.Bytes(), &got); err != nil {
			t.Fatalf("%v in\n%s", err, e.Bytes())
		}
		comps, ok := want["components"].(map[string]any)
		if !ok {
			comps = map[string]any{}
			want["components"] = comps
		}
		a, ok := comps["a"].(map[string]any)
		if !ok {
			a = map[string]any{}
			comps["a"] = a
		}
		a["note"] = "x'\"y"
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return a == b || a != a && b != b })); diff != "" {
			t.Errorf("(-want +got)\n%s\nfrom\n%s\nto\n%s", diff, data, e.Bytes())
		}
	})
}
