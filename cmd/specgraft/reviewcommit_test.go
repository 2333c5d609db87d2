package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReviewCommit holds that a report about two commits says the same whatever is
// checked out: what is rendered are the files of the commit, with the history
// that it has, and neither filters nor links lead out of them.
func TestReviewCommit(t *testing.T) {
	t.Parallel()
	const ran = "a-filter-ran"
	for _, mode := range []string{"locks", "config"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir := history(t, "")
			write := func(name, text string) {
				t.Helper()
				file := filepath.Join(dir, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			link := func(target, name string) {
				t.Helper()
				if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
					t.Fatal(err)
				}
			}
			spec := func(name string) string {
				return "Name: " + name + "\nVersion: 1\nRelease: %autorelease\nSummary: x\nLicense: MIT\nSource0: note.txt\n%description\nx\n%changelog\n%autochangelog\n"
			}
			write("secret", "not for reports")
			for n := 1; n <= 3; n++ {
				toml := fmt.Sprintf("includes = [\"comps/*.toml\"]\n[project]\nrendered-specs-dir = \"specs\"\nlock-dir = \"locks\"\ndefault-distro = { name = \"d\", version = \"1\" }\n[distros.d.versions.1]\nrelease-ver = \"1\"\n[project.specgraft]\nhistory = %q\n", mode)
				write("azldev.toml", toml)
				write(".gitattributes", "* filter=evil export-subst ident text eol=crlf\n")
				for _, name := range []string{"tide", "leak", "gone"} {
					write("comps/"+name+".toml", fmt.Sprintf("[components.%s]\nspec = { type = \"local\", path = \"%[1]s/%[1]s.spec\" }\n[[components.%[1]s.overlays]]\ntype = \"file-add\"\nfile = \"note.txt\"\nsource = \"note.txt\"\ndescription = \"note %d\"\n", name, n))
					write("comps/"+name+"/"+name+".spec", spec(name))
					write("locks/"+name+".lock", fmt.Sprintf("version = 1\ninput-fingerprint = 'sha256:%064d'\n", n))
					write(fmt.Sprintf("specs/%c/%s/%[2]s.spec", name[0], name), fmt.Sprintf("%s- changelog %d\n", spec(name), n))
				}
				write("comps/note.txt", fmt.Sprintf("$Id$ $Format:%%H$ %d\n", n))
				if n == 1 {
					link(filepath.Join(filepath.Dir(dir), "secret"), "comps/leak/leaks.txt")
					link("../../../../../../../../etc/passwd", "comps/leak/passwd")
				}
				if n == 3 {
					if err := os.RemoveAll(filepath.Join(dir, "comps", "gone")); err != nil {
						t.Fatal(err)
					}
					os.Remove(filepath.Join(dir, "comps", "gone.toml"))
				}
				commitAll(t, dir, fmt.Sprintf("Change %d", n))
				gitIn(t, dir, "tag", fmt.Sprintf("c%d", n))
			}
			for _, key := range []string{"smudge", "clean", "process"} {
				gitIn(t, dir, "config", "filter.evil."+key, "touch "+filepath.Join(dir, ran)+"; false")
			}
			for _, hook := range []string{"post-checkout", "reference-transaction", "post-index-change"} {
				file := filepath.Join(dir, ".git", "hooks", hook)
				write(".git/hooks/"+hook, "#!/bin/sh\ntouch '"+filepath.Join(dir, ran)+"'\n")
				if err := os.Chmod(file, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			reports := map[string]string{}
			for _, at := range []string{"c2", "c1", "c3"} {
				// As a checkout without running what is set up above.
				gitIn(t, dir, "-c", "core.hooksPath="+os.DevNull, "-c", "filter.evil.smudge=", "-c", "filter.evil.clean=", "-c", "filter.evil.process=", "checkout", "-q", "-f", at)
				out, stderr, _ := specgraftIn(t, dir, "review", "--from", "c1", "--to", "c2", "--format", "json")
				if stderr != "" {
					t.Errorf("at %s: %s", at, stderr)
				}
				reports[at] = out
			}
			for at, report := range reports {
				if d := cmp.Diff(strings.Split(reports["c2"], "\n"), strings.Split(report, "\n")); d != "" {
					t.Errorf("with %s checked out (-c2 +%s)\n%s", at, at, d)
				}
			}
			want := []string{`"failing": 1`, `"drift": 2`, "release_number = 3;", "- Change 2", `+$Id$ $Format:%H$ 2`, "leads outside the project through a symbolic link"}
			for _, w := range want {
				if !strings.Contains(reports["c1"], w) {
					t.Errorf("the report does not say %q:\n%s", w, reports["c1"])
				}
			}
			for _, without := range []string{"release_number = 4;", "Uncommitted", "root:", "not for reports", os.TempDir()} {
				if strings.Contains(reports["c1"], without) {
					t.Errorf("the report says %q:\n%s", without, reports["c1"])
				}
			}
			if _, err := os.Lstat(filepath.Join(dir, ran)); err == nil {
				t.Error("a filter or a hook ran")
			}
		})
	}
}
