package macro

import (
	"bufio"
	"go/token"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestEvalOracle holds the expansion against what `rpm --eval` prints. The
// expected texts in testdata/eval.txt are committed; where rpm is installed
// they are checked, too. An expected text of "!" means that rpm reports an
// error and prints nothing. Lines marked "rpm6" are about things that an rpm
// before 4.20 does not have or does otherwise: an empty %{dirname:} and
// %{basename:}, the traces of %{quote:}. Short tests start no rpm, which takes
// most of the time.
func TestEvalOracle(t *testing.T) {
	t.Parallel()
	base := evalBase()
	rpm, newer := "", false
	if !testing.Short() {
		if rpm, _ = exec.LookPath("rpm"); rpm != "" {
			newer = newRPM(t)
		}
	}
	for _, c := range readCases(t, "testdata/eval.txt") {
		if got := evalCase(base, c.in); got != c.want {
			t.Errorf("eval.txt:%d: %q\n got %q\nwant %q", c.line, c.in, got, c.want)
		}
		if rpm != "" && (newer || !c.new) {
			// A new rpm prints no line end behind nothing.
			if got := rpmEval(rpm, c.in); strings.TrimSuffix(got, "\n") != strings.TrimSuffix(c.want, "\n") {
				t.Errorf("eval.txt:%d: %q\n rpm gives %q\nexpected  %q", c.line, c.in, got, c.want)
			}
		}
	}
}

// evalBase is the little of rpm's own macros that the cases refer to.
func evalBase() *Set {
	return Load("test", `
%nil %{!?nil}
%_prefix /usr
%_exec_prefix %{_prefix}
%_bindir %{_exec_prefix}/bin
%_libdir %{_exec_prefix}/%{_lib}
%_lib lib
%__rpmuncompress /usr/lib/rpm/rpmuncompress
`, nil)
}

func evalCase(base *Set, in string) string {
	e := New(Config{Set: base})
	v := e.Expand(token.Position{}, in)
	if e.problems.HasErrors() {
		return "!"
	}
	if !v.Known {
		return "?"
	}
	return v.Text + "\n"
}

func rpmEval(rpm, in string) string {
	cmd := exec.Command(rpm, "--define", "_prefix /usr", "--define", "_lib lib", "--define", "__rpmuncompress /usr/lib/rpm/rpmuncompress", "--eval", in)
	out, err := cmd.Output()
	if err != nil {
		return "!"
	}
	return string(out)
}

type evalLine struct {
	line     int
	in, want string
	new      bool
}

// readCases reads lines of the form: quoted input, tab, quoted output.
func readCases(t *testing.T, name string) []evalLine {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []evalLine
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		line := sc.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		c := evalLine{line: n}
		line, c.new = strings.CutPrefix(line, "rpm6 ")
		in, want, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("%s:%d: no tab", name, n)
		}
		unq := strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`)
		c.in, c.want = unq.Replace(in), unq.Replace(want)
		out = append(out, c)
	}
	return out
}
