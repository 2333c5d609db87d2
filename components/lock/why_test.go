package lock

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/overlay/diag"
)

func TestWhy(t *testing.T) {
	t.Parallel()
	const ops = `[components.c]
[[components.c.overlays]]
type = "spec-set-tag"
tag = "A"
value = "1"
[[components.c.overlays]]
type = "spec-set-tag"
tag = "B"
value = "1"
[[components.c.overlays]]
type = "spec-remove-tag"
tag = "C"
`
	tests := []struct {
		name           string
		old, new       string
		oldFiles, file map[string]string
		want           []string
	}{
		{name: "nothing", old: "[components.c]\n", new: "# a comment\n[components.c]\n"},
		{name: "what does not count", old: "[components.c]\nbuild.hints.expensive = true\n", new: "[components.c]\n"},
		{
			name: "scalars",
			old:  "[components.c]\nbuild.check = { skip = true, skip_reason = \"x\" }\nrelease.calculation = \"manual\"\n",
			new:  "[components.c]\nspec = { type = \"upstream\", upstream-name = \"cee\" }\nrelease.calculation = \"static\"\n",
			want: []string{
				`added spec.upstream-name "" "cee" - azldev.toml:24:45`,
				`changed release.calculation "manual" "static" azldev.toml:25:23 azldev.toml:25:23`,
				`removed build.check.skip "true" "" azldev.toml:24:24 -`,
			},
		},
		{
			name: "maps and lists",
			old:  "[components.c.build]\nwith = [\"a\", \"b\", \"c\"]\ndefines = { x = \"1\", y = \"2\" }\n",
			new:  "[components.c.build]\nwith = [\"b\", \"B\", \"d\"]\ndefines = { y = \"3\", \"z.z\" = \"4\" }\n",
			want: []string{
				`removed build.with[0] "a" "" azldev.toml:24:9 -`,
				`changed build.with[1] "c" "B" azldev.toml:24:14 azldev.toml:24:14`,
				`added build.with[2] "" "d" - azldev.toml:24:19`,
				`removed build.defines.x "1" "" azldev.toml:25:17 -`,
				`changed build.defines.y "2" "3" azldev.toml:25:26 azldev.toml:25:17`,
				`added build.defines."z.z" "" "4" - azldev.toml:25:30`,
			},
		},
		{
			name: "an overlay inserted at the front leaves the others alone",
			old:  ops,
			new:  strings.Replace(ops, "\n", "\n[[components.c.overlays]]\ntype = \"spec-append-lines\"\nlines = [\"x\"]\n", 1),
			want: []string{`added overlays[0] "" "{type = \"spec-append-lines\", lines = [\"x\"]}" - azldev.toml:24:1`},
		},
		{
			name: "one value of an overlay",
			old:  ops,
			new:  strings.Replace(ops, "tag = \"B\"\nvalue = \"1\"", "tag = \"B\"\nvalue = \"2\"", 1),
			want: []string{`changed overlays[1].value "1" "2" azldev.toml:31:9 azldev.toml:31:9`},
		},
		{
			name: "another overlay in the place of one",
			old:  ops,
			new:  strings.Replace(ops, "type = \"spec-remove-tag\"\ntag = \"C\"", "type = \"file-remove\"\nfile = \"C\"", 1),
			want: []string{
				`removed overlays[2] "{type = \"spec-remove-tag\", tag = \"C\"}" "" azldev.toml:32:1 -`,
				`added overlays[2] "" "{type = \"file-remove\", file = \"C\"}" - azldev.toml:32:1`,
			},
		},
		{
			name:     "content that an overlay brings in",
			old:      "[components.c]\noverlays = [{ type = \"patch-add\", source = \"p.patch\" }]\n",
			new:      "[components.c]\noverlays = [{ type = \"patch-add\", source = \"p.patch\" }]\n",
			oldFiles: map[string]string{"p.patch": "old"},
			file:     map[string]string{"p.patch": "new"},
			want: []string{fmt.Sprintf(`changed overlays[0].source "p.patch:%s" "p.patch:%s" azldev.toml:24:44 azldev.toml:24:44`,
				sHex("old"), sHex("new"))},
		},
		{
			name:     "the lock",
			old:      "[components.c]\n",
			new:      "[components.c]\n",
			oldFiles: map[string]string{"locks/c.lock": "version = 1\nupstream-commit = 'abc'\n"},
			file:     map[string]string{"locks/c.lock": "version = 1\nupstream-commit = 'def'\nmanual-bump = 2\n"},
			want: []string{
				`changed upstream-commit "abc" "def" locks/c.lock:2:1 locks/c.lock:2:1`,
				`changed manual-bump "0" "2" - locks/c.lock:3:1`,
			},
		},
		{
			name: "a snapshot decides the commit only",
			old:  "[components.c]\n",
			new:  "[default-component-config.spec.upstream-distro]\nsnapshot = \"2026-03-01T00:00:00Z\"\n[components.c]\n",
			want: []string{`changed spec.upstream-distro.snapshot "2026-02-24T00:00:00Z" "2026-03-01T00:00:00Z" azldev.toml:8:93 azldev.toml:24:12 (resolution)`},
		},
		{
			name:     "files of a local component",
			old:      "[components.c]\nspec = { type = \"local\", path = \"l/c.spec\" }\n",
			new:      "[components.c]\nspec = { type = \"local\", path = \"l/c.spec\" }\n",
			oldFiles: map[string]string{"l/c.spec": "1", "l/same": "", "l/gone": ""},
			file:     map[string]string{"l/c.spec": "2", "l/same": "", "l/new": ""},
			want: []string{
				fmt.Sprintf(`changed c.spec "sha256:%s" "sha256:%s" l/c.spec l/c.spec`, sHex("1"), sHex("2")),
				fmt.Sprintf(`removed gone "sha256:%s" "" l/gone -`, sHex("")),
				fmt.Sprintf(`added new "" "sha256:%s" - l/new`, sHex("")),
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			state := func(toml string, files map[string]string) State {
				p := writeProject(t, toml, files)
				c, problems := p.Component("c")
				if err := problems.Err(); err != nil {
					t.Fatal(err)
				}
				l, err := Read(p, "c")
				if err != nil {
					t.Fatal(err)
				}
				return State{p, c, l}
			}
			a, b := state(tt.old, tt.oldFiles), state(tt.new, tt.file)
			changes, err := Why(a, b)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			counts := false
			for _, c := range changes {
				place := func(s string) string {
					if s == "" {
						return "-"
					}
					return s
				}
				line := fmt.Sprintf("%s %s %q %q %s %s", c.Kind, c.Field, c.Old, c.New, place(diag.Position(c.OldPos)), place(diag.Position(c.NewPos)))
				if c.Resolution {
					line += " (resolution)"
				}
				counts = counts || !c.Resolution
				got = append(got, line)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			// The list is complete: it is empty exactly when the
			// fingerprints are the same.
			fa, err := a.Fingerprint()
			if err != nil {
				t.Fatal(err)
			}
			fb, err := b.Fingerprint()
			if err != nil {
				t.Fatal(err)
			}
			if counts != (fa != fb) {
				t.Errorf("fingerprints %s and %s, but %d changes", fa, fb, len(changes))
			}
		})
	}
}
