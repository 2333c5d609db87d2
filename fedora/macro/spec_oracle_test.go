package macro

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rpmspec runs rpm's own parser with our macros instead of its own.
func rpmspec(t *testing.T, args ...string) string {
	t.Helper()
	tool, err := exec.LookPath("rpmspec")
	if err != nil {
		t.Skip("rpmspec is not installed")
	}
	macros := filepath.Join(t.TempDir(), "macros")
	target := "%fedora 43\n%dist .fc43\n%_lib lib64\n%_arch x86_64\n%_host_cpu x86_64\n%__isa x86-64\n%_target_cpu x86_64\n" +
		// what is built in here and a macro in rpm 4.18
		"%defined() %{expand:%%{?%{1}:1}%%{!?%{1}:0}}\n%undefined() %{expand:%%{?%{1}:0}%%{!?%{1}:1}}\n" +
		"%bcond() %[ (%2) ? \"%{expand:%%{!?_without_%{1}:%%global with_%{1} 1}}\" : \"%{expand:%%{?_with_%{1}:%%global with_%{1} 1}}\" ]\n" +
		"%bcond_with() %bcond %{1} 0\n%bcond_without() %bcond %{1} 1\n" +
		"%with() %{expand:%%{?with_%{1}:1}%%{!?with_%{1}:0}}\n%without() %{expand:%%{?with_%{1}:0}%%{!?with_%{1}:1}}\n"
	if err := os.WriteFile(macros, []byte(Builtin().Text()+target), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, append([]string{"--macros", macros}, args...)...).Output()
	if err != nil {
		if e, ok := err.(*exec.ExitError); ok {
			t.Fatalf("rpmspec: %v\n%s", err, e.Stderr)
		}
		t.Fatal(err)
	}
	return string(out)
}

// TestSpecOracle compares what rpm says about a spec with what we say.
func TestSpecOracle(t *testing.T) {
	t.Parallel()
	const file = "testdata/spec/sample.spec"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := Eval("sample.spec", text, Config{})
	if s.Rejected() != nil || len(s.Unknown) > 0 {
		t.Fatalf("rejected %v, unknown %v", s.Rejected(), s.Unknown)
	}
	var got strings.Builder
	got.WriteString(s.Name.Text + " " + s.Epoch.Text + " " + s.Version.Text + " " + s.Release.Text + "\n")
	want := rpmspec(t, "-q", "--srpm", "--qf", `%{NAME} %{EPOCH} %{VERSION} %{RELEASE}\n[source %{SOURCE}\n][patch %{PATCH}\n]`, file)
	sources, patches := slices.Clone(s.Sources), slices.Clone(s.Patches)
	if !newRPM(t) { // it prints the last one first
		slices.Reverse(sources)
		slices.Reverse(patches)
	}
	for _, s := range sources {
		got.WriteString("source " + s.Name + "\n")
	}
	for _, p := range patches {
		got.WriteString("patch " + p.Name + "\n")
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("the source package (-rpm +ours)\n%s", diff)
	}

	got.Reset()
	for _, p := range s.Packages {
		got.WriteString(p.Name.Text)
		for _, tag := range p.Tags {
			if tag.Name == "Summary" {
				got.WriteString(" " + strconv.Quote(tag.Value.Text))
			}
		}
		got.WriteByte('\n')
	}
	want = rpmspec(t, "-q", "--qf", `%{NAME} "%{SUMMARY}"\n`, file)
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("the packages (-rpm +ours)\n%s", diff)
	}
}

// TestExpandOracle compares the expanded spec with that of rpmspec -P. Blank
// lines do not count, nor do the headers of build scripts, which rpm 4.18
// leaves out.
func TestExpandOracle(t *testing.T) {
	t.Parallel()
	const file = "testdata/spec/sample.spec"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := Eval("sample.spec", text, Config{Lines: true})
	if diff := cmp.Diff(rpmLines(rpmspec(t, "-P", file)), rpmLines(s.Expanded.Text)); diff != "" {
		t.Errorf("(-rpm +ours)\n%s", diff)
	}
}
