package render_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"specgraft/overlay/diag"
	"specgraft/render"
)

// rig is the packaging that the cases of warnings begin with.
const rig = "Name: rig\nVersion: 2\nRelease: 3%{?dist}\nSummary: A rig\nLicense: MIT\nSource0: rig.tgz\n\n" +
	"%description\nA rig.\n"

// generated makes release and changelog those that history gives.
var generated = strings.NewReplacer("3%{?dist}", "%autorelease", "A rig.\n", "A rig.\n\n%changelog\n%autochangelog\n")

// warnedCases has, for every warning of a render, a component that it is about and
// near misses. The component is local, and its table is called component here.
var warnedCases = []struct {
	code, name string
	toml       string
	spec       string
	files      string // as txtar, beside the spec
	said       string // part of the message, the hint or a related line; empty when nothing may be said
}{
	{"no-check", "nothing to skip", `build.check = { skip = true, skip_reason = "no dock" }`, rig, "", "has no %check section"},
	{"no-check", "something to skip", `build.check = { skip = true, skip_reason = "no dock" }`, rig + "%check\ntrue\n", "", ""},

	{"no-source", "an overlay's own", `overlays = [{ type = "spec-add-tag", tag = "Source5", value = "pennant.svg" }]`, rig, "", "Source5 is pennant.svg, which is in no place"},
	{"no-source", "an overlay's new version", `overlays = [{ type = "spec-set-tag", tag = "Version", value = "4" }]`,
		strings.Replace(rig, "rig.tgz", "rig-%{version}.tgz", 1), "-- sources --\nSHA512 (rig-2.tgz) = 00\n", "rig-4.tgz"},
	{"no-source", "it is added", "overlays = [{ type = \"spec-add-tag\", tag = \"Source5\", value = \"pennant.svg\" }, { type = \"file-add\", file = \"pennant.svg\", source = \"flag.svg\" }]\n", rig, "-- flag.svg --\n<svg/>\n", ""},

	{"unknown-bcond", "a slip", `build.without = ["dcos"]`, "%bcond docs 1\n" + rig, "", `did you mean "docs"?`},
	{"unknown-bcond", "asked for, though not declared", `build.without = ["docs"]`, "%{!?_without_docs:%global man 1}\n" + rig, "", ""},

	{"unknown-undefine", "a slip", `build = { defines = { hull = "1" }, undefines = ["hul"] }`, rig, "", `did you mean "hull"?`},
	{"unknown-undefine", "one that is set", `build = { defines = { hull = "1" }, undefines = ["hull"] }`, rig, "", ""},

	{"file-name", "reserved", "", strings.Replace(rig, "rig.tgz", "rig.tgz\nPatch0: aux.patch", 1), "-- aux.patch --\nx\n", `"aux.patch"`},
	{"file-name", "no more than it seems", "", strings.Replace(rig, "rig.tgz", "rig.tgz\nPatch0: auxiliary.patch", 1), "-- auxiliary.patch --\nx\n", ""},

	{"mixed-release", "a number beside it", "", strings.Replace(rig, "Release: 3%{?dist}\n", "%if 0%{?rhel}\nRelease: 3\n%else\nRelease: %autorelease\n%endif\n", 1), "", "Release is a number in one branch and %autorelease in the other: the number is not raised"},
	{"mixed-release", "with and without arguments", "", strings.Replace(rig, "Release: 3%{?dist}\n", "%if 0%{?rhel}\nRelease: %autorelease -b 2\n%else\nRelease: %autorelease\n%endif\n", 1), "", ""},

	{"changelog-lost", "behind the macro", `overlays = [{ type = "spec-append-lines", section = "%changelog", lines = ["* Mon Jan 05 2026 Kim", "- News"] }]`, generated.Replace(rig), "", "the line is lost: the changelog is generated with %autochangelog: * Mon Jan 05 2026 Kim"},
	{"changelog-lost", "in a changelog that stays", `overlays = [{ type = "spec-append-lines", section = "%changelog", lines = ["* Mon Jan 05 2026 Kim", "- News"] }]`, rig + "%changelog\n", "", ""},
	{"changelog-lost", "in another section of such a spec", `overlays = [{ type = "spec-append-lines", section = "%description", lines = ["It is tall."] }]`, generated.Replace(rig), "", ""},

	{"changelog-macro", "a word of the language", "", generated.Replace(rig), "-- changelog --\n* Mon Jan 05 2026 Kim\n- Use %configure\n", "rpm expands %configure"},
	{"changelog-macro", "doubled, and a number", "", generated.Replace(rig), "-- changelog --\n* Mon Jan 05 2026 Kim\n- Use %%configure, 100% of it\n", ""},

	{"macro/changelog", "one that begins when history does", "", generated.Replace(rig), "", "write a first entry into a file named changelog"},
	{"overlay/patch-missing", "where it is said", `overlays = [{ type = "spec-remove-tag", tag = "Patch7" }]`,
		strings.Replace(rig, "rig.tgz", "rig.tgz\nPatch7: a.patch", 1) + "%prep\n%setup -q\n%patch -P 7\n", "", "patch 7 is removed"},
	{"macro/changelog", "with a first entry", "", generated.Replace(rig), "-- changelog --\n* Mon Jan 05 2026 Kim\n- First\n", ""},

	{"macro/no-file", "a number that never was", "", rig + "%prep\n%setup -q\n%patch -P 7\n", "", "there is no patch number 7"},
	{"macro/no-file", "an overlay took it away, which is said", `overlays = [{ type = "spec-remove-tag", tag = "Patch7" }]`,
		strings.Replace(rig, "rig.tgz", "rig.tgz\nPatch7: a.patch", 1) + "%prep\n%setup -q\n%patch -P 7\n", "", ""},

	{"suffix-gone", "upstream went on", `specgraft.release = { suffix = ".quay.1", suffix-until = "2-2" }`, rig, "", "upstream is at 2-3, ahead of 2-2"},
	{"suffix-gone", "upstream is where it was", `specgraft.release = { suffix = ".quay.1", suffix-until = "2-3" }`, rig, "", ""},
}

// TestWarned renders each case and looks for its warning.
func TestWarned(t *testing.T) {
	t.Parallel()
	for _, tt := range warnedCases {
		t.Run(tt.code+"/"+tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			files := txtar.Parse([]byte(tt.files)).Files
			files = append(files, txtar.File{Name: "rig.spec", Data: []byte(tt.spec)})
			if !strings.Contains(tt.files, "sources --") {
				files = append(files, txtar.File{Name: "sources", Data: []byte("SHA512 (rig.tgz) = 00\n")})
			}
			for _, f := range files {
				if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			toml := "[project]\ndefault-distro = { name = \"quay\", version = \"1\" }\n[distros.quay.versions.1]\nrelease-ver = \"1\"\n" +
				"[components.rig]\nspec = { type = \"local\", path = \"rig.spec\" }\n"
			if tt.code != "mixed-release" && !strings.Contains(tt.spec, "%autorelease") {
				toml += "release.calculation = \"manual\"\n"
			}
			if err := os.WriteFile(filepath.Join(dir, "azldev.toml"), []byte(toml+tt.toml+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			r := openExample(t, dir)
			r.Lint = true
			res := r.Render(t.Context(), "rig")
			if err := res.Diags.Err(); err != nil {
				t.Fatal(err)
			}
			code := tt.code
			if !strings.Contains(code, "/") {
				code = "render/" + code
			}
			var said []string
			for _, d := range res.Diags {
				if d.Code != code {
					continue
				}
				text := d.Message + "\n" + d.Hint
				for _, other := range d.Related {
					text += "\n" + other.Message
				}
				said = append(said, text)
				if !d.Pos.IsValid() || d.Hint == "" {
					t.Errorf("no place or no advice: %+v", d)
				}
			}
			switch {
			case tt.said == "" && said != nil:
				t.Errorf("said %q", said)
			case tt.said != "" && (len(said) != 1 || !strings.Contains(said[0], tt.said)):
				t.Errorf("said %q, want %q; all: %v", said, tt.said, res.Diags)
			}
		})
	}
}

// TestWarnedCodes holds the table of codes against the cases.
func TestWarnedCodes(t *testing.T) {
	t.Parallel()
	// What needs git history or a tree of files is in scripts: render_output,
	// provenance and TestPinHistory.
	elsewhere := []string{"render/alias-taken", "render/provenance", "render/pin-history"}
	for _, c := range render.Codes {
		if c.Default == diag.Error || slices.Contains(elsewhere, c.ID) {
			continue
		}
		said, silent := false, false
		for _, tt := range warnedCases {
			if "render/"+tt.code == c.ID {
				said, silent = said || tt.said != "", silent || tt.said == ""
			}
		}
		if !said || !silent {
			t.Errorf("%s: a case that raises it: %v, a near miss: %v", c.ID, said, silent)
		}
	}
}
