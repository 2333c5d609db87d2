package edit_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay"
)

func TestEditOverlays(t *testing.T) {
	t.Parallel()
	const doc = `# top
[components.a] # keep
[[components.a.overlays]]
type = "spec-add-tag" # this
tag = "Vendor"
value = "x"

# about the second
[[components.a.overlays]]
type = "spec-search-replace"
regex = 'a'
description = """
why
"""
[components.a.overlays.metadata]
category = "azl-pruning"

[[components.a.overlays]]
type = "spec-remove-tag"
tag = "URL"

# the end
[components.b]
overlays = [{ type = "spec-remove-tag", tag = "URL" }, { type = "spec-remove-tag", tag = "Vendor", expect = 2 }]
`
	two := 2
	tests := []struct {
		name      string
		component int // overlay index among all, in order
		edit      func(e *edit.Editor, op *overlay.Op) error
		old, new  string
	}{
		{"remove first", 0, func(e *edit.Editor, op *overlay.Op) error { return e.RemoveAt(op.Pos) },
			"[[components.a.overlays]]\ntype = \"spec-add-tag\" # this\ntag = \"Vendor\"\nvalue = \"x\"\n\n", ""},
		{"remove with comment and sub-table", 1, func(e *edit.Editor, op *overlay.Op) error { return e.RemoveAt(op.Pos) },
			"# about the second\n[[components.a.overlays]]\ntype = \"spec-search-replace\"\nregex = 'a'\ndescription = \"\"\"\nwhy\n\"\"\"\n[components.a.overlays.metadata]\ncategory = \"azl-pruning\"\n\n", ""},
		{"remove inline first", 3, func(e *edit.Editor, op *overlay.Op) error { return e.RemoveAt(op.Pos) },
			`{ type = "spec-remove-tag", tag = "URL" }, `, ""},
		{"remove inline last", 4, func(e *edit.Editor, op *overlay.Op) error { return e.RemoveAt(op.Pos) },
			`, { type = "spec-remove-tag", tag = "Vendor", expect = 2 }`, ""},
		{"change one key", 0, func(e *edit.Editor, op *overlay.Op) error {
			to := *op
			to.Value = "y"
			return e.ReplaceOverlayAt(op.Pos, op, []overlay.Op{to})
		}, "value = \"x\"\n", "value = \"y\"\n"},
		{"typed for expression", 1, func(e *edit.Editor, op *overlay.Op) error {
			to := overlay.Op{Type: overlay.RemoveTag, Tag: "A", Description: op.Description}
			return e.ReplaceOverlayAt(op.Pos, op, []overlay.Op{to})
		}, "type = \"spec-search-replace\"\nregex = 'a'\ndescription = \"\"\"\nwhy\n\"\"\"\n", "type = \"spec-remove-tag\"\ndescription = \"\"\"\nwhy\n\"\"\"\ntag = \"A\"\n"},
		{"one more", 2, func(e *edit.Editor, op *overlay.Op) error {
			to := *op
			to.Expect = &two
			return e.ReplaceOverlayAt(op.Pos, op, []overlay.Op{to, {Type: overlay.PrependLines, Section: "%check", Lines: []string{"exit 0", ""}}})
		}, "tag = \"URL\"\n\n# the end", "tag = \"URL\"\nexpect = 2\n\n[[components.a.overlays]]\ntype = \"spec-prepend-lines\"\nsection = \"%check\"\nlines = [\n    \"exit 0\",\n    \"\",\n]\n\n# the end"},
		{"inline key gone", 4, func(e *edit.Editor, op *overlay.Op) error {
			to := *op
			to.Expect = nil
			return e.ReplaceOverlayAt(op.Pos, op, []overlay.Op{to})
		}, `tag = "Vendor", expect = 2 }`, `tag = "Vendor" }`},
		{"added to a list", 0, func(e *edit.Editor, _ *overlay.Op) error {
			return e.AddOverlays([]string{"components", "a", "overlays"}, []overlay.Op{{Type: overlay.RemoveTag, Tag: "X"}})
		}, "tag = \"URL\"\n\n# the end", "tag = \"URL\"\n\n[[components.a.overlays]]\ntype = \"spec-remove-tag\"\ntag = \"X\"\n\n# the end"},
		{"added to an inline list", 0, func(e *edit.Editor, _ *overlay.Op) error {
			return e.AddOverlays([]string{"components", "b", "overlays"}, []overlay.Op{{Type: overlay.RemoveTag, Tag: "X"}})
		}, "expect = 2 }]", "expect = 2 }, { type = \"spec-remove-tag\", tag = \"X\" }]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, problems := edit.Edit("x.toml", []byte(doc))
			if err := problems.Err(); err != nil {
				t.Fatal(err)
			}
			var ops []overlay.Op
			root, _ := toml.Read(&toml.Source{Name: "x.toml", Text: doc})
			for _, c := range root.Get("components").Entries() {
				for _, v := range c.Val.Get("overlays").List {
					ops = append(ops, schema.Overlay(v))
				}
			}
			if err := tt.edit(e, &ops[tt.component]); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(replaceOnce(t, doc, tt.old, tt.new), string(e.Bytes())); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// TestOverlayText reads back what it writes.
func TestOverlayText(t *testing.T) {
	t.Parallel()
	one := 1
	for _, op := range []overlay.Op{
		{Type: overlay.SearchReplace, Regex: `^a\b'"$`, Replacement: "a\nb \\ \"c\"\n\n'", Expect: &one, Multiline: true, Section: "%build"},
		{Type: overlay.SearchReplace, Regex: "tab\t'x'", Replacement: "\n", Description: "two\nlines"},
		{Type: overlay.SearchReplace, Regex: "a", Replacement: "'''\n\"\"\""},
		{Type: overlay.SearchReplace, Regex: "a", Replacement: "line\n\x01\r\n"},
		{Type: overlay.AppendLines, Lines: []string{"", " x", `"q" 'p' \`}, Branch: "2", Section: "%files"},
		{Type: overlay.SetTag, Tag: "Version", Value: "       2"},
	} {
		text := edit.OverlayText([]string{"overlays"}, &op)
		got, problems := components.ParseOverlays("x.toml", []byte(text))
		if problems.HasErrors() || len(got) != 1 {
			t.Fatalf("%v\n%s", problems.Err(), text)
		}
		got[0].Pos, got[0].KeyPos, got[0].Layer = op.Pos, nil, ""
		if d := cmp.Diff(op, got[0]); d != "" {
			t.Errorf("(-want +got)\n%s\n%s", d, text)
		}
		inline, problems := components.ParseOverlays("x.toml", []byte("overlays = ["+edit.InlineOverlay(&op)+"]\n"))
		if problems.HasErrors() || len(inline) != 1 {
			t.Fatalf("%v\n%s", problems.Err(), edit.InlineOverlay(&op))
		}
		inline[0].Pos, inline[0].KeyPos, inline[0].Layer = op.Pos, nil, ""
		if d := cmp.Diff(op, inline[0]); d != "" {
			t.Errorf("inline (-want +got)\n%s", d)
		}
	}
}

func replaceOnce(t *testing.T, s, old, new string) string {
	t.Helper()
	if n := strings.Count(s, old); n != 1 {
		t.Fatalf("%q stands %d times in the document", old, n)
	}
	return strings.Replace(s, old, new, 1)
}
