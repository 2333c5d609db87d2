package components

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

var update = flag.Bool("update", false, "rewrite expected results")

// common is what the projects of the mistakes have besides their mistake.
const common = `[distros.mine]
default-version = "1"
[distros.mine.versions.1]
default-component-config.spec = { type = "upstream", upstream-distro = { name = "fedora" } }
[distros.fedora]
default-version = "43"
dist-git-base-uri = "https://example.com/rpms/$pkg.git"
lookaside-base-uri = "https://example.com/$pkg/$filename/$hashtype/$hash"
[distros.fedora.versions.43]
dist-git-branch = "f43"
`

const commonDistro = "[project]\ndefault-distro = { name = \"mine\" }\n"

// TestMistakes loads projects with a mistake and compares all that is
// reported. Each archive in testdata/mistakes holds the project's files and,
// last, the expected diagnostics.
func TestMistakes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "mistakes", "*.txtar"))
	if err != nil || len(files) < 40 {
		t.Fatalf("found %d mistakes: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "project")
			want, wantAt := "", -1
			config := ""
			for i, f := range ar.Files {
				if f.Name == "want" {
					want, wantAt = string(f.Data), i
					continue
				}
				if f.Name == FileName {
					config = string(f.Data)
				}
				write(t, filepath.Join(dir, f.Name), string(f.Data))
			}
			user := filepath.Join(filepath.Dir(dir), "user.toml")
			text := common
			if !strings.Contains(config, "default-distro") {
				text += commonDistro
			}
			write(t, user, text)
			var got strings.Builder
			p, diags := Load(Options{Dir: dir, UserFile: user})
			if p != nil {
				diags = p.CheckAll(diags)
			}
			for _, d := range diags {
				if d.Severity != diag.Error {
					fmt.Fprintf(&got, "%s: ", d.Severity)
				}
				got.WriteString(describeDiag(d, filepath.Dir(dir)))
			}
			if *update {
				out := txtar.File{Name: "want", Data: []byte(got.String())}
				if wantAt >= 0 {
					ar.Files[wantAt] = out
				} else {
					ar.Files = append(ar.Files, out)
				}
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got.Len() == 0 {
				t.Error("nothing is reported")
			}
			for _, word := range []string{"struct", "[]string", "map[", "unstable", "nil pointer", "reflect"} {
				if strings.Contains(got.String(), word) {
					t.Errorf("a message speaks of %q", word)
				}
			}
			for _, d := range diags {
				if !slices.ContainsFunc(slices.Concat(Codes, overlay.Codes), func(c diag.Code) bool { return c.ID == d.Code }) {
					t.Errorf("code %q is in no table", d.Code)
				}
			}
		})
	}
}

// describeDiag prints a diagnostic without its component, as its text form
// does, with temporary paths replaced.
func describeDiag(d diag.Diagnostic, tmp string) string {
	var b strings.Builder
	b.WriteString(d.Error() + "\n")
	for _, r := range d.Related {
		b.WriteString("\t")
		if at := diag.Position(r.Pos); at != "" {
			b.WriteString(at + ": ")
		}
		b.WriteString(r.Message + "\n")
	}
	if d.Hint != "" {
		fmt.Fprintf(&b, "\t%s\n", d.Hint)
	}
	return strings.ReplaceAll(b.String(), tmp, "$TMP")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
