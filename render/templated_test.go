package render_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"specgraft/testdata/corpus"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/fedora/macro"
	"specgraft/render"
)

// TestReleasePackages writes the three local packages of a real distribution
// from TOML and compares what they build with what their own specs build.
func TestReleasePackages(t *testing.T) {
	t.Parallel()
	local := filepath.Join(corpus.Config(t), "base", "comps")
	r := openExample(t, "testdata/release")
	for _, name := range r.Project.Names() {
		res := r.Render(t.Context(), name)
		if err := res.Diags.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		theirs, err := os.ReadFile(filepath.Join(local, name, name+".spec"))
		if err != nil {
			t.Fatal(err)
		}
		want := builds(macro.Eval(name+".spec", theirs, macro.Config{}))
		got := builds(macro.Eval(name+".spec", res.Spec.Normalized(), macro.Config{}))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s builds something else (-want +got):\n%s", name, d)
		}
	}
}

// builds lists what matters to those who install the packages of a spec.
func builds(s *macro.Spec) []string {
	out := []string{fmt.Sprintf("%s-%s-%s", s.Name.Text, s.Version.Text, s.Release.Text)}
	for _, p := range s.Packages {
		out = append(out, "package "+p.Name.Text)
		for _, t := range p.Tags {
			switch t.Name {
			case "Requires", "Provides", "Recommends", "Suggests", "Conflicts", "Obsoletes", "BuildArch", "License", "URL", "RemovePathPostfixes":
				out = append(out, fmt.Sprintf("%s %s(%s): %s", p.Name.Text, t.Name, t.Arg, t.Value.Text))
			case "BuildRequires":
				for w := range strings.FieldsSeq(t.Value.Text) {
					out = append(out, p.Name.Text+" BuildRequires: "+w)
				}
			}
		}
	}
	for _, sec := range s.Sections {
		if sec.Name != "files" {
			continue
		}
		for line := range strings.Lines(sec.Text.Text) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				out = append(out, sec.Package.Text+" files: "+line)
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestTemplatedSpecsPassTheTools runs the tools of packagers over the example's
// templated components, with macros for what the tools' own set lacks.
func TestTemplatedSpecsPassTheTools(t *testing.T) {
	t.Parallel()
	p, problems := components.Load(components.Options{Dir: example})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	tools := map[string]bool{}
	for _, tool := range []string{"rpmspec", "rpmlint"} {
		_, err := exec.LookPath(tool)
		tools[tool] = err == nil
		if err != nil {
			t.Logf("%s is not installed: the specs were not shown to it", tool)
		}
	}
	if !tools["rpmspec"] && !tools["rpmlint"] {
		t.Skip("neither rpmspec nor rpmlint is here")
	}
	if out, err := exec.Command("rpmlint", "--version").Output(); err == nil {
		t.Logf("rpmlint %s", strings.TrimSpace(string(out)))
	}
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".rpmmacros"), macrosForRPM(t), 0o644); err != nil {
		t.Fatal(err)
	}
	r := &render.Renderer{Project: p}
	n := 0
	for _, name := range p.Names() {
		c, _ := p.Component(name)
		if c == nil || c.Spec.Type != "template" {
			continue
		}
		n++
		res := r.Render(t.Context(), name)
		if err := res.Diags.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		file := filepath.Join(home, name+".spec")
		if err := os.WriteFile(file, res.Spec.Normalized(), 0o644); err != nil {
			t.Fatal(err)
		}
		run := func(args ...string) (string, error) {
			cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
			cmd.Env = append(os.Environ(), "HOME="+home, "LC_ALL=C.UTF-8")
			out, err := cmd.CombinedOutput()
			return string(out), err
		}
		if tools["rpmspec"] {
			if out, err := run("rpmspec", "-P", file); err != nil || strings.Contains(out, "error:") {
				t.Errorf("%s: rpmspec -P: %v\n%s", name, err, out)
			}
		}
		if tools["rpmlint"] {
			out, _ := run("rpmlint", file)
			for line := range strings.Lines(out) {
				if strings.Contains(line, ": E: ") {
					t.Errorf("%s", line)
				}
			}
		}
	}
	if n < 11 {
		t.Errorf("the example has %d templated components, one for each template is wanted", n)
	}
}

// macrosForRPM is our macro set as the rpm that is installed can load it.
func macrosForRPM(t *testing.T) []byte {
	t.Helper()
	out, err := exec.Command("rpm", "--version").Output()
	words := strings.Fields(string(out))
	if err != nil || len(words) == 0 {
		t.Fatalf("rpm --version: %v", err)
	}
	return []byte(macro.Builtin().RPM(words[len(words)-1]))
}

// buildScript is a header that rpmspec -P of rpm 4.18 does not print.
var buildScript = regexp.MustCompile(`^%(prep|build|install|check|generate_buildrequires)$`)

// newPaths are what an rpm since 4.20 writes in another way: archives are in
// quotes, and each package has a build directory of its own.
var newPaths = []struct {
	old *regexp.Regexp
	new string
}{
	{regexp.MustCompile(`(rpmuncompress -x )'([^']*)'`), "$1$2"},
	{regexp.MustCompile(`/BUILDROOT/[^/\s]*?\.x86_64`), "/BUILDROOT"},
	{regexp.MustCompile(`/BUILD/[^/\s']*-build/BUILDROOT`), "/BUILDROOT"},
	{regexp.MustCompile(`/BUILD/[^/\s']*-build(['/])`), "/BUILD$1"},
}

// TestExpandEqualsRpmspec compares the expanded text of every spec of the example
// with what rpm prints when it has loaded our macros.
func TestExpandEqualsRpmspec(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("rpmspec"); err != nil {
		t.Skip("rpmspec is not installed: the expanded specs were not compared")
	}
	macros := filepath.Join(t.TempDir(), "macros")
	if err := os.WriteFile(macros, macrosForRPM(t), 0o644); err != nil {
		t.Fatal(err)
	}
	specs, err := filepath.Glob(filepath.Join(example, "specs", "*", "*", "*.spec"))
	if err != nil || len(specs) == 0 {
		t.Fatalf("no specs: %v", err)
	}
	// Where there is a build directory for each package, %{builddir} is built in.
	built, err := exec.CommandContext(t.Context(), "rpm", "--eval", "%{?__spec_builddir_template:new}").Output()
	newRPM := err == nil && len(strings.TrimSpace(string(built))) > 0
	for _, file := range specs {
		name := strings.TrimSuffix(filepath.Base(file), ".spec")
		dir, err := filepath.Abs(filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(dir) != name {
			continue // an alias
		}
		cmd := exec.CommandContext(t.Context(), "rpmspec", "--load", macros, "--define", "_sourcedir "+dir, "-P", file)
		cmd.Env = append(os.Environ(), "HOME="+filepath.Dir(macros), "LC_ALL=C.UTF-8")
		var talk strings.Builder
		cmd.Stderr = &talk
		theirs, rpmErr := cmd.Output()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		ours := macro.Eval(name+".spec", text, macro.Config{FS: os.DirFS(dir), Lines: true}).Expanded
		lines := func(s string) []string {
			var out []string
			if newRPM {
				for _, p := range newPaths {
					s = p.old.ReplaceAllString(s, p.new)
				}
			}
			for l := range strings.Lines(s) {
				if l = strings.TrimSpace(l); l != "" && !buildScript.MatchString(l) {
					out = append(out, l)
				}
			}
			return out
		}
		want := lines(strings.ReplaceAll(string(theirs), dir, "/builddir/build/SOURCES"))
		d := cmp.Diff(want, lines(ours.Text))
		if rpmErr != nil || talk.Len() > 0 {
			t.Errorf("%s: rpmspec: %v\n%s", name, rpmErr, talk.String())
		} else if d != "" {
			t.Errorf("%s expands to something else (-rpm +ours):\n%s", name, d)
		}
	}
}

func BenchmarkTemplated(b *testing.B) {
	p, problems := components.Load(components.Options{Dir: example})
	if err := problems.Err(); err != nil {
		b.Fatal(err)
	}
	r := &render.Renderer{Project: p}
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range []string{"tidepool", "harbor-motd", "python-buoy", "barnacle"} {
			if err := r.Render(b.Context(), name).Diags.Err(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
