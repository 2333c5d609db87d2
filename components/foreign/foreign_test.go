package foreign_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/components/foreign"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

const before = `%global vendor_name Upstream Linux
%global vendor_bug https://bugs.example.com/
Name:           tidetable
Version:        2.4
Release:        3%{?dist}
Summary:        Tides for Upstream Linux
License:        MIT
URL:            https://example.com/tidetable
Source0:        tidetable-2.4.tar.xz
Source1:        logo.svg
Patch0:         fix-neap.patch
ExcludeArch: ppc64le
BuildRequires:  gcc
Requires:       upstream-logos

%description
Tide tables for Upstream Linux.

%package doc
Summary:        Manual

%description doc
The manual.

%prep
%autosetup -p1

%build
%configure
if [ -n "$X" ]; then
    gzip -9 manual
fi
%make_build

%install
%make_install

%files
%license COPYING

%files doc
%doc manual

%changelog
* Mon Jan 01 2024 A B <a@example.com> - 2.4-3
- Rebuild
`

// A result is what becomes of the spec, of files, and what is remarked.
type result struct {
	from, to string            // replaced in the spec, once each for every line pair
	more     [][2]string       // further replacements
	files    map[string]string // contents behind it; "" for one that is gone
	remarks  []string          // codes
}

func check(t *testing.T, c *foreign.Config, want result) {
	t.Helper()
	tree := &overlay.Tree{Name: "tidetable", Spec: spec.Parse("tidetable.spec", []byte(before)), Files: map[string]*overlay.File{}}
	for p, text := range map[string]string{"logo.svg": "<svg>upstream</svg>\n", "fix-neap.patch": "--- a/x\n+++ b/x\n", "kernel-x.config": "# CONFIG_A is not set\nCONFIG_B=y\n"} {
		tree.Files[p] = overlay.NewFile(p, 0o644, []byte(text), nil)
	}
	for i := range c.Overlays {
		if op := &c.Overlays[i]; op.Source != "" && op.Data == nil {
			op.Data = []byte("content of " + op.Source + "\n")
		}
		for _, d := range c.Overlays[i].Validate() {
			t.Errorf("%s", d.Error())
		}
	}
	if _, list := overlay.Apply(tree, c.Overlays, overlay.Options{}); list.HasErrors() {
		t.Error(list.Err())
	}
	text := before
	for _, r := range append([][2]string{{want.from, want.to}}, want.more...) {
		if r[0] != "" && !strings.Contains(text, r[0]) {
			t.Fatalf("%q is not in the spec", r[0])
		}
		if r[0] != "" {
			text = strings.ReplaceAll(text, r[0], r[1])
		}
	}
	if d := cmp.Diff(text, string(tree.Spec.Bytes())); d != "" {
		t.Errorf("spec (-want +got)\n%s", d)
	}
	for p, text := range want.files {
		switch f := tree.Files[p]; {
		case text == "" && f != nil:
			t.Errorf("%s is still there", p)
		case text != "" && f == nil:
			t.Errorf("%s is not there", p)
		case text != "":
			if got, _ := f.Bytes(); string(got) != text {
				t.Errorf("%s is %q, want %q", p, got, text)
			}
		}
	}
	var codes []string
	for _, d := range c.Remarks {
		codes = append(codes, strings.TrimPrefix(d.Code, "import/"))
		if d.Pos.Line == 0 {
			t.Errorf("%s has no place", d.Message)
		}
	}
	if d := cmp.Diff(want.remarks, codes); d != "" {
		t.Errorf("remarks (-want +got)\n%s%v", d, c.Remarks)
	}
}

func TestAutopatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, config string
		want         result
	}{
		{"release and changelog", `
actions:
  - modify_release:
    - suffix: ".alma.1"
      enabled: true
  - changelog_entry:
    - name: "A B"
      email: "a@example.org"
      line:
        - "Debrand"
`, result{from: "3%{?dist}", to: "3%{?dist}.alma.1", remarks: []string{"nearly"}}},
		{"debranding", `
actions:
  - replace:
    - target: "spec"
      find: "Upstream Linux"
      replace: "AlmaLinux"
    - target: "spec"
      find: "https://bugs.example.com/"
      replace: "https://bugs.example.org/"
      count: 1
`, result{from: "Upstream Linux", to: "AlmaLinux", more: [][2]string{{"https://bugs.example.com/", "https://bugs.example.org/"}}, remarks: []string{"nearly"}}},
		{"expression", `
actions:
  - replace:
    - target: "spec"
      rfind: "Requires:( +)upstream-logos"
      replace: "Requires:\\1almalinux-logos"
      count: 1
`, result{from: "upstream-logos", to: "almalinux-logos"}},
		{"several lines", `
actions:
  - replace:
    - target: "spec"
      find: |
        if [ -n "$X" ]; then
        gzip -9 manual
        fi
      replace: |
        : no manual
      count: 1
`, result{from: "if [ -n \"$X\" ]; then\n    gzip -9 manual\nfi\n", to: ": no manual\n"}},
		{"files", `
actions:
  - replace:
    - target: "*.config"
      find: "# CONFIG_A is not set"
      replace: "CONFIG_A=y"
      count: 1
  - delete_line:
    - target: "kernel-x.config"
      lines: ["CONFIG_B=y"]
  - delete_files:
    - file_name: "logo.svg"
`, result{files: map[string]string{"kernel-x.config": "CONFIG_A=y\n", "logo.svg": ""}}},
		{"lines gone", `
actions:
  - delete_line:
    - target: "spec"
      lines:
        - "ExcludeArch: ppc64le"
        - |
          if [ -n "$X" ]; then
              gzip -9 manual
          fi
`, result{from: "ExcludeArch: ppc64le\n", to: "", more: [][2]string{{"if [ -n \"$X\" ]; then\n    gzip -9 manual\nfi\n", ""}}}},
		{"patch", `
parameters:
  insert_almalinux_line: false
actions:
  - add_files:
    - type: "patch"
      name: "1000-spring.patch"
      number: 1000
`, result{from: "fix-neap.patch\n", to: "fix-neap.patch\nPatch1000: 1000-spring.patch\n",
			files: map[string]string{"1000-spring.patch": "content of files/1000-spring.patch\n"}, remarks: []string{"nearly", "nearly"}}},
		{"sources", `
actions:
  - add_files:
    - type: "source"
      name: "almalinux.pem"
      number: 9000
    - type: "source"
      name: "extra.cer"
      modify_spec: false
`, result{from: "logo.svg\n", to: "logo.svg\nSource9000: almalinux.pem\n",
			files: map[string]string{"almalinux.pem": "content of files/almalinux.pem\n", "extra.cer": "content of files/extra.cer\n"}}},
		{"sections", `
actions:
  - add_line:
    - target: "spec"
      section: "check"
      location: "top"
      content: "true"
    - target: "spec"
      section: "install"
      location: "bottom"
      content: |
              # ours
              install -p -m 0644 %{SOURCE1} %{buildroot}%{_datadir}
    - target: "spec"
      section: "files"
      location: "top"
      subpackage: doc
      content: "%license COPYING"
`, result{}},
		{"what cannot be said", `
parameters:
  custom_target_branch: "a9-custom"
actions:
  - run_script:
    - script: "links.sh"
  - modify_release:
    - suffix: ".alma.1"
      enabled: false
  - replace:
    - target: "spec"
      rfind: "(?=x)"
      replace: ""
  - teleport:
    - to: there
  - delete_files:
    - file_name: "logo.svg"
      recursive: true
`, result{files: map[string]string{"logo.svg": ""}, remarks: []string{"not-said", "not-said", "not-said", "not-said", "not-said"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := foreign.Autopatch("config.yaml", []byte(tt.config))
			if err != nil {
				t.Fatal(err)
			}
			if tt.name == "sections" {
				// The sample has no %check: what names it comes out as it is.
				if op := c.Overlays[0]; op.Type != overlay.PrependLines || op.Section != "%check" {
					t.Errorf("%+v", op)
				}
				c.Overlays = c.Overlays[1:]
				tt.want = result{from: "%make_install\n\n", to: "%make_install\n\n# ours\ninstall -p -m 0644 %{SOURCE1} %{buildroot}%{_datadir}\n",
					more: [][2]string{{"%files doc\n", "%files doc\n%license COPYING\n"}}}
			}
			check(t, c, tt.want)
		})
	}
}

func TestSrpmproc(t *testing.T) {
	t.Parallel()
	open := func(p string) ([]byte, error) {
		if p != "ROCKY/_supporting/spec.patch" {
			return nil, fs.ErrNotExist
		}
		return []byte(`diff --git a/SPECS/tidetable.spec b/SPECS/tidetable.spec
--- a/SPECS/tidetable.spec
+++ b/SPECS/tidetable.spec
@@ -32,2 +32,3 @@
     gzip -9 manual
+    gzip -9 notes
 fi
diff --git a/SOURCES/kernel-x.config b/SOURCES/kernel-x.config
--- a/SOURCES/kernel-x.config
+++ b/SOURCES/kernel-x.config
@@ -1,2 +1,2 @@
-# CONFIG_A is not set
+CONFIG_A=y
 CONFIG_B=y
`), nil
	}
	tests := []struct {
		name, config string
		want         result
	}{
		{"replace", `replace { file: "logo.svg" with_file: "ROCKY/_supporting/rocky.svg" }`,
			result{files: map[string]string{"logo.svg": "content of ROCKY/_supporting/rocky.svg\n"}}},
		{"replace inline", "replace {\n  file: \"SOURCES/logo.svg\"\n  with_inline: \"<svg/>\" '\\n'\n}\n", result{files: map[string]string{"logo.svg": "<svg/>\n"}}},
		{"add and delete", "# both\nadd { file: \"ROCKY/_supporting/a.txt\" }\ndelete { file: \"SOURCES/logo.svg\" }",
			result{files: map[string]string{"a.txt": "content of ROCKY/_supporting/a.txt\n", "logo.svg": ""}}},
		{"new patch", `
add { file: "ROCKY/_supporting/0002-rocky.patch" }
spec_change {
    file { name: "0002-rocky.patch" type: Patch add: true }
    append { field: "Release" value: ".rocky" }
    changelog { author_name: "A B" author_email: "a@example.org" message: "Disable CDN" }
}`, result{from: "3%{?dist}", to: "3%{?dist}.rocky", more: [][2]string{{"Requires:       upstream-logos\n\n", "Requires:       upstream-logos\n\nPatch1: 0002-rocky.patch\n"}},
			files: map[string]string{"0002-rocky.patch": "content of ROCKY/_supporting/0002-rocky.patch\n"}, remarks: []string{"nearly"}}},
		{"new source", `
add { file: "ROCKY/_supporting/rocky.conf" }
spec_change { file < name: "rocky.conf", type: Source, add: true > }`,
			result{from: "logo.svg\n", to: "logo.svg\nSource: rocky.conf\n", remarks: []string{"nearly"}}},
		{"search", `spec_change {
    search_and_replace { any: true find: "Upstream Linux" replace: "Rocky Linux" n: -1 }
    search_and_replace { starts_with: true find: "ExcludeArch: ppc64le" replace: "ExcludeArch: s390x" n: 1 }
    search_and_replace { ends_with: true find: "upstream-logos" replace: "rocky-logos" }
    search_and_replace { field: "URL" find: "example.com" replace: "example.org" n: 1 }
}`, result{from: "Upstream Linux", to: "Rocky Linux", more: [][2]string{{"ppc64le", "s390x"}, {"upstream-logos", "rocky-logos"}, {"https://example.com/tide", "https://example.org/tide"}}}},
		{"new field", `spec_change { new_field { key: "BuildRequires" value: "rocky-rpm-config" } }`,
			result{from: "BuildRequires:  gcc\n", to: "BuildRequires:  gcc\nBuildRequires: rocky-rpm-config\n"}},
		{"no longer listed", `spec_change { file { name: "fix-neap.patch" type: Patch delete: true } } delete { file: "SOURCES/fix-neap.patch" }`,
			result{from: "Patch0:         fix-neap.patch\n", to: "", files: map[string]string{"fix-neap.patch": ""}}},
		{"patch of the packaging", `patch { file: "ROCKY/_supporting/spec.patch" strict: true }`,
			result{from: "    gzip -9 manual\n", to: "    gzip -9 manual\n    gzip -9 notes\n", files: map[string]string{"kernel-x.config": "CONFIG_A=y\nCONFIG_B=y\n"}, remarks: []string{"nearly"}}},
		{"what cannot be said", `
lookaside { file: "a" name: "b" }
replace { file: "logo.svg" with_lookaside: "0123" }
patch { file: "none.patch" }
spec_change { search_and_replace { find: "x" replace: "y" } teleport { x: 1 } file { name: "x" type: Other } }
delete { file: "SOURCES/logo.svg" hard: true }`,
			result{files: map[string]string{"logo.svg": ""}, remarks: []string{"not-said", "not-said", "not-said", "not-said", "not-said", "not-said", "not-said"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := foreign.Srpmproc("a.cfg", []byte(tt.config), open)
			if err != nil {
				t.Fatal(err)
			}
			check(t, c, tt.want)
		})
	}
}

func TestSyntax(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "- a", "actions: x", "actions:\n  - x", "actions:\n  - replace: x", "actions:\n  - replace:\n    - x", "a: [", "\t"} {
		if _, err := foreign.Autopatch("c.yaml", []byte(text)); code(err) != "import/syntax" {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"add {", "add { file: \"x }", "add { file: }", "}", "add { file: [\"a\" }", "add: [[1]]", `add { file: "\q" }`, "\xff", strings.Repeat("a {", 99)} {
		if _, err := foreign.Srpmproc("c.cfg", []byte(text), nil); code(err) != "import/syntax" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestHostileConfigs reads configuration that is nested without end, or grows.
func TestHostileConfigs(t *testing.T) {
	t.Parallel()
	aliases := "a: &a [" + strings.Repeat("x,", 1000) + "x]\nactions:\n" + strings.Repeat("  - delete_line:\n    - lines: *a\n", 1000)
	bomb := "a0: &a0 [x, x]\n"
	for i := range 40 {
		bomb += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"flow lists":         {"actions: " + strings.Repeat("[", 200_000), "exceeded max depth of 10000"},
		"flow mappings":      {"actions: " + strings.Repeat("{a: ", 200_000), "exceeded max depth of 10000"},
		"block lists":        {"actions:\n  " + strings.Repeat("- ", 200_000) + "x", "exceeded max depth of 10000"},
		"lists, whole":       {"actions: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000), "an action is a mapping"},
		"a list of aliases":  {aliases, "more than 10000 keys and items"},
		"an alias bomb":      {bomb + "actions: *a40\n", "an action is a mapping"},
		"an alias of itself": {"actions: &a [*a]\n", "an action is a mapping"},
		"many keys":          {"actions:\n  - replace:\n    - a: 1\n" + strings.Repeat("      b: 1\n", 11_000), "more than 10000 keys and items"},
		"too large":          {"#" + strings.Repeat("x", 1<<20), "more than 1024 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := foreign.Autopatch("c.yaml", []byte(tt.text))
			if code(err) != "import/syntax" || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "c.yaml:") {
				t.Errorf("got %.300v, want %s", err, tt.want)
			}
		})
	}
	for name, tt := range map[string]struct{ text, want string }{
		"messages":  {strings.Repeat("a {", 200_000), "nested more than 16 deep"},
		"brackets":  {strings.Repeat("a <", 200_000), "nested more than 16 deep"},
		"lists":     {"a: " + strings.Repeat("[", 200_000), "a list in a list"},
		"in a list": {strings.Repeat("a: [{", 200_000), "nested more than 16 deep"},
		"too large": {"#" + strings.Repeat("x", 4<<20), "more than 4096 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := foreign.Srpmproc("c.cfg", []byte(tt.text), nil)
			if code(err) != "import/syntax" || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "c.cfg:") {
				t.Errorf("got %.300v, want %s", err, tt.want)
			}
		})
	}
}

func code(err error) string {
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		return d.Code
	}
	return ""
}

func FuzzSrpmproc(f *testing.F) {
	f.Add("add { file: \"a\" } spec_change < append { field: 'x' value: \"\\n\" \"b\" } >")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = foreign.Srpmproc("a.cfg", []byte(text), nil)
	})
}

func FuzzAutopatch(f *testing.F) {
	f.Add("actions:\n  - replace:\n    - target: spec\n      find: a\n      replace: b\n")
	f.Add("a: &a [*a]\nactions: *a\n")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = foreign.Autopatch("c.yaml", []byte(text))
	})
}
