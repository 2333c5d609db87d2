package overlay_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// warnedCases has what validating and applying warn of, or note, whatever the
// levels of lint, and near misses.
var warnedCases = []struct {
	code, name string
	in         string
	ops        []overlay.Op
	said       string // part of the message, the hint or a related line; empty when nothing may be said
	want       string // a line of the result
}{
	{"unused-key", "a section where only tags are", "Name: buoy\nURL: u\n",
		[]overlay.Op{{Type: overlay.SetTag, Tag: "URL", Value: "v", Section: "%build"}}, `key "section" has no effect`, "URL: v"},
	{"unused-key", "lines of an expression", "Name: buoy\nURL: u\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Regex: "u$", Replacement: "v", Lines: []string{"w"}}}, `"lines" is for`, "URL: v"},
	{"unused-key", "keys of its own", "Name: buoy\n%build\nmake\n",
		[]overlay.Op{{Type: overlay.SearchReplace, Section: "%build", Regex: "make", Replacement: "ninja", Description: "d"}}, "", "ninja"},

	{"unknown-tag", "a slip", "Name: buoy\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "BuildRequire", Value: "gcc"}}, `did you mean "BuildRequires"?`, "BuildRequire: gcc"},
	{"unknown-tag", "a number behind one that has none", "Name: buoy\n",
		[]overlay.Op{{Type: overlay.InsertTag, Tag: "License2", Value: "MIT"}}, `rpm knows no tag "License2"`, "License2: MIT"},
	{"unknown-tag", "numbers, qualifiers and any case", "Name: buoy\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "source12", Value: "a"}, {Type: overlay.AddTag, Tag: "REQUIRES(post)", Value: "b"}, {Type: overlay.SetTag, Tag: "Url", Value: "c"}}, "", "REQUIRES(post): b"},
	{"unknown-tag", "what the spec has is not the overlay's", "Name: buoy\nKeel: 1\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "Keel", Value: "2"}, {Type: overlay.RemoveTag, Tag: "Keel"}}, "", "Name: buoy"},

	{"archive-skipped", "an overlay of the archive", "Name: buoy\nSource0: buoy.tgz\n",
		[]overlay.Op{{Type: overlay.FileRemove, File: "x/vendor.js", Archive: "buoy.tgz"}}, "specgraft prepare", "Source0: buoy.tgz"},
	{"archive-skipped", "the same of the packaging", "Name: buoy\nSource0: buoy.tgz\n",
		[]overlay.Op{{Type: overlay.FileRemove, File: "lamp.conf"}}, "", "Source0: buoy.tgz"},

	{"number-taken", "the macros file's number", "Name: buoy\nSource0: a\nSource9999: b\n",
		[]overlay.Op{{Type: overlay.InsertTag, Step: "macros-source", Tag: "Source9999", Value: "buoy.macros"}}, "so the new one is number 10000", "Source10000: buoy.macros"},
	{"number-taken", "by one without number", "Name: buoy\nSource9998: a\nSource: b\n",
		[]overlay.Op{{Type: overlay.InsertTag, Step: "macros-source", Tag: "Source9999", Value: "buoy.macros"}}, "source 9999 is this one: Source: b", "Source10000: buoy.macros"},
	{"number-taken", "two patches that follow a bare one", "Name: buoy\nPatch3: a\nPatch: b\n",
		[]overlay.Op{{Type: overlay.PatchAdd}}, "so the new one is number 5", "Patch5: new.patch"},
	{"number-taken", "nothing is in the way", "Name: buoy\nSource0: a\nSource9998: b\nPatch9999: c\n",
		[]overlay.Op{{Type: overlay.InsertTag, Step: "macros-source", Tag: "Source9999", Value: "buoy.macros"}}, "", "Source9999: buoy.macros"},
	{"number-taken", "an overlay that names its number has it", "Name: buoy\nSource1: a\n",
		[]overlay.Op{{Type: overlay.AddTag, Tag: "Source1", Value: "b"}}, "", "Source1: b"},

	{"bare-tag", "the first one is number 0", "Name: buoy\nSource: a\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "Source0", Value: "b"}}, "spec-update-tag: Source0 is the tag without number here", "Source: b"},
	{"bare-tag", "the next one is counted on", "Name: buoy\nPatch6: a\nPatch: b\nPatch: c\n",
		[]overlay.Op{{Type: overlay.RemoveTag, Tag: "Patch8"}}, "it is number 8 to rpm: Patch: c", "Patch: b"},
	{"bare-tag", "the number is written", "Name: buoy\nSource0: a\nSource: c\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "Source0", Value: "b"}}, "", "Source0: b"},
	{"bare-tag", "the overlay names none", "Name: buoy\nSource: a\n",
		[]overlay.Op{{Type: overlay.UpdateTag, Tag: "Source", Value: "b"}}, "", "Source: b"},
}

// TestWarned validates and applies each case; a finding has a place in the
// overlay's file and is neither an error nor said twice.
func TestWarned(t *testing.T) {
	t.Parallel()
	for _, tt := range warnedCases {
		ops := slices.Clone(tt.ops)
		var list diag.List
		for i := range ops {
			ops[i].Pos.Filename, ops[i].Pos.Line, ops[i].Pos.Column = "x.toml", i+1, 1
			if ops[i].Type == overlay.PatchAdd {
				ops[i].Source = "/src/new.patch"
			}
			list = append(list, ops[i].Validate()...)
		}
		tree := &overlay.Tree{Name: "buoy", Spec: spec.Parse("buoy.spec", []byte(tt.in)),
			Files: map[string]*overlay.File{"lamp.conf": overlay.NewFile("lamp.conf", 0o644, []byte("on"), nil)}}
		rep, problems := overlay.Apply(tree, ops, overlay.Options{Source: func(string) ([]byte, fs.FileMode, error) {
			return []byte("--- a/x.c\n+++ b/x.c\n"), 0o644, nil
		}})
		list = append(list, problems...)
		if rep.Failed >= 0 {
			t.Errorf("%s, %s: %v", tt.code, tt.name, list)
			continue
		}
		var said []string
		for _, d := range list {
			if d.Code != "overlay/"+tt.code {
				continue
			}
			text := d.Message + "\n" + d.Hint
			for _, r := range d.Related {
				text += "\n" + r.Message
			}
			said = append(said, text)
			if d.Severity == diag.Error || d.Pos.Filename != "x.toml" || d.Pos.Line == 0 {
				t.Errorf("%s, %s: severity or position: %+v", tt.code, tt.name, d)
			}
		}
		switch {
		case tt.said == "" && said != nil:
			t.Errorf("%s, %s: said %q", tt.code, tt.name, said)
		case tt.said != "" && (len(said) != 1 || !strings.Contains(said[0], tt.said)):
			t.Errorf("%s, %s: said %q, want %q", tt.code, tt.name, said, tt.said)
		}
		if text := string(tree.Spec.Bytes()); !strings.Contains("\n"+text, "\n"+tt.want+"\n") {
			t.Errorf("%s, %s: no line %q in\n%s", tt.code, tt.name, tt.want, text)
		}
	}
	for _, c := range overlay.Codes {
		if c.Default == diag.Error || slices.ContainsFunc(overlay.LintCodes, func(l diag.Code) bool { return l.ID == c.ID }) {
			continue // TestLintCodes looks after those of lint
		}
		said, silent := false, false
		for _, tt := range warnedCases {
			if "overlay/"+tt.code == c.ID {
				said, silent = said || tt.said != "", silent || tt.said == ""
			}
		}
		if !said || !silent {
			t.Errorf("%s: a case that raises it: %v, a near miss: %v", c.ID, said, silent)
		}
	}
}
