package macro

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readerCases are the parts of a spec behind its head with what they expand to,
// or "!" when rpm rejects the spec.
var readerCases = []struct{ name, text, want string }{
	{"continued condition", "%if 1 && \\\n 0\nURL: a\n%else\nURL: b\n%endif\n%description\n", "\n\n\nURL: b\n\n%description\n"},
	{"continued elif", "%if 0\n%elif \\\n\\\n1\nURL: a\n%endif\n%description\n", "\n\nURL: a\n\n%description\n"},
	{"continued ifarch", "%ifarch i386 \\\n X86_64\nURL: a\n%endif\n%description\n", "\nURL: a\n\n%description\n"},
	{"ifos", "%ifos LINUX\nURL: a\n%endif\n%description\n", "\nURL: a\n\n%description\n"},
	{"lone if is text", "%description\ncat <<EOF\n%if\n%elif\n%include\nEOF\n", "%description\ncat <<EOF\n%if\n%elif\n%include\nEOF\n"},
	{"blank condition", "%if \n%endif\n%description\n", "!"},
	{"skipped lone if", "%description\n%if 0\n%if\n%endif\nx\n", "%description\n\n\n\nx\n"},
	{"lines of scripts", "%description\n%build\na\n%if 1\nb\n%endif\n%if 0\nc\n%endif\nd\n", "%description\n%build\na\nb\nd\n"},
	{"dnl joins", "%description\n%post\na %dnl gone\nb\n", "%description\n%post\na b\n"},
	{"dnl joins nothing where blanks go", "%description\na %dnl gone\nb\n", "%description\na\nb\n"},
	{"define joins", "%description\n%post\n# %define x 1\nb %x\n", "%description\n%post\n# b 1\n"},
	{"comments of files", "%description\n%files\n# c\n/a\n", "%description\n%files\n/a\n"},
	{"no line end", "%description\nx", "%description\nx\n"},
	{"no line end in a script", "%description\n%post\nx", "%description\n%post\nx"},
	{"backslash at the end", "%description\nx \\\n", "!"},
	{"backslash at the very end", "%description\n%post\nx \\", "%description\n%post\nx \\"},
	{"open bracket in a skipped part", "%if 0\n%{x\n%endif\n%description\n", "!"},
	{"behind end", "%description\n%post -p <lua>\nx=1\n%end\n# a %{_bindir}\n%global x 1\n%files\n%x\n", "%description\n%post -p <lua>\nx=1\n%end\n\n\n%files\n1\n"},
	{"empty body", "%define x\n%description\n", "!"},
	{"skipped empty body", "%if 0\n%define x\n%endif\n%description\n", "\n\n\n%description\n"},
	{"two files", "%description\n%files\n/a\n%files\n/b\n", "%description\n%files\n/a\n%files\n/b\n"},
	{"noarch alone", "%package a\nSummary: a\nBuildArch: aarch64\n%description a\n%description\n", "!"},
	{"numbers behind blanks", "Source 5: a\nSource 5: b\n%description\n%{SOURCE1}\n", "Source 5: a\nSource 5: b\n%description\n/builddir/build/SOURCES/b\n"},
}

// TestReader holds how lines are joined, left out and refused; where rpmspec is
// installed, it is asked, too.
func TestReader(t *testing.T) {
	t.Parallel()
	tool, home := "", t.TempDir()
	macros := filepath.Join(home, "macros")
	if !testing.Short() {
		if tool, _ = exec.LookPath("rpmspec"); tool != "" {
			if err := os.WriteFile(macros, []byte(Builtin().RPM(rpmVersion(t))), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range readerCases {
		s := Eval("x.spec", []byte(head+c.text), Config{Lines: true})
		got := "!"
		if s.Rejected() == nil {
			got = strings.TrimPrefix(s.Expanded.Text, head)
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q (%v)", c.name, got, c.want, s.Rejected())
		}
		if tool == "" {
			continue
		}
		file := filepath.Join(home, "x.spec")
		if err := os.WriteFile(file, []byte(head+c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), tool, "--macros", macros, "-P", file)
		cmd.Env = append(os.Environ(), "HOME="+home, "LC_ALL=C.UTF-8")
		out, err := cmd.Output()
		theirs := []string{"!"}
		if err == nil {
			theirs = rpmLines(strings.TrimPrefix(string(out), head))
		}
		if d := cmp.Diff(theirs, rpmLines(c.want)); d != "" {
			t.Errorf("%s: rpm has something else (-rpm +expected):\n%s", c.name, d)
		}
	}
}
