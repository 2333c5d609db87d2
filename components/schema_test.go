package components

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gotoml "github.com/pelletier/go-toml/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"

	"specgraft/components/schema"
)

// compileSchema returns the schema as a validator sees it.
func compileSchema(t *testing.T, document bool) *jsonschema.Schema {
	t.Helper()
	b, err := json.Marshal(schema.Schema(document))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instance converts TOML into what the validator takes.
func instance(t *testing.T, data []byte) any {
	t.Helper()
	var v map[string]any
	if err := gotoml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	inst, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return inst
}

// TestSchemaMistakes holds the schema against the projects of TestMistakes: it
// must reject those that say so, and take those whose mistake no schema can
// see, so that an editor never underlines what the loader takes.
func TestSchemaMistakes(t *testing.T) {
	t.Parallel()
	config, document := compileSchema(t, false), compileSchema(t, true)
	files, _ := filepath.Glob(filepath.Join("testdata", "mistakes", "*.txtar"))
	rejected := 0
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		if strings.HasPrefix(name, "syntax") || name == "duplicate_key" || name == "duplicate_table" {
			continue // not TOML
		}
		bad := false
		for _, f := range ar.Files {
			s := config
			switch {
			case filepath.Ext(f.Name) != ".toml":
				continue
			case filepath.Base(f.Name) == "o.toml":
				s = document
			}
			bad = s.Validate(instance(t, f.Data)) != nil || bad
		}
		want := strings.Contains(string(ar.Comment), "The schema rejects it.")
		if bad != want {
			t.Errorf("%s: rejected is %v, want %v", name, bad, want)
		}
		if bad {
			rejected++
		}
	}
	if rejected < 40 {
		t.Errorf("only %d mistakes are rejected", rejected)
	}
}

// TestSchemaRealFiles validates every file of the real configuration.
func TestSchemaRealFiles(t *testing.T) {
	t.Parallel()
	s := compileSchema(t, false)
	n := 0
	err := filepath.WalkDir(corpus(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".toml" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		if err := s.Validate(instance(t, data)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil || n < 200 {
		t.Fatalf("%d files: %v", n, err)
	}
	t.Logf("%d files", n)
}

// TestSchemaDescriptions checks that every key explains itself.
func TestSchemaDescriptions(t *testing.T) {
	t.Parallel()
	var walk func(path string, s map[string]any)
	walk = func(path string, s map[string]any) {
		if props, ok := s["properties"].(map[string]any); ok {
			for name, sub := range props {
				o := sub.(map[string]any)
				if _, isRule := s["required"]; path != "" && !strings.Contains(path, "allOf") && o["description"] == nil && !isRule {
					t.Errorf("%s.%s has no description", path, name)
				}
				walk(path+"."+name, o)
			}
		}
		for _, key := range []string{"items", "additionalProperties"} {
			if sub, ok := s[key].(map[string]any); ok {
				walk(path+"["+key+"]", sub)
			}
		}
	}
	for _, document := range []bool{false, true} {
		s := schema.Schema(document)
		walk("root", s)
		for name, def := range s["$defs"].(map[string]any) {
			walk(name, def.(map[string]any))
		}
	}
}

// TestScaffold checks that what init writes loads, and fits the schema.
func TestScaffold(t *testing.T) {
	t.Parallel()
	for i, name := range []string{"my distro", "Fedora", "x\"y\n", "", "pins"} {
		pins := i == 4
		text := Scaffold(name, "43", pins)
		p := mustLoad(t, "-- azldev.toml --\n"+text+"[components.bash]\n-- "+ComponentScaffold+" --\n"+ComponentScaffoldText)
		if p.WithoutLocks != pins {
			t.Errorf("%q: profile %s (%s)", name, p.Profile, p.ProfileReason)
		}
		if want := map[bool]string{true: ComponentScaffold, false: FileName}[pins]; p.Display(p.ComponentFile()) != want {
			t.Errorf("%q: components go to %s, want %s", name, p.Display(p.ComponentFile()), want)
		}
		c, diags := p.Component("bash")
		if err := diags.Err(); err != nil {
			t.Fatal(err)
		}
		u, diags := p.Upstream(c)
		if diags != nil || u.URL != "https://src.fedoraproject.org/rpms/bash.git" || u.Branch != "f43" {
			t.Errorf("%q: %v %+v", name, diags, u)
		}
		if err := compileSchema(t, false).Validate(instance(t, []byte(text))); err != nil {
			t.Error(err)
		}
	}
}
