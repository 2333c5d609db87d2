package macro

import (
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"specgraft/fedora/evr"

	"github.com/google/go-cmp/cmp"
)

// A nativeCase is one case of testdata/native.txt.
type nativeCase struct{ name, in, want string }

func readNativeCases(t *testing.T) (head string, cases []nativeCase) {
	t.Helper()
	text, err := os.ReadFile("testdata/native.txt")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "\n== ")
	for _, b := range blocks[1:] {
		name, rest, ok := strings.Cut(b, "\n")
		in, want, ok2 := strings.Cut(rest, "\n--\n")
		if !ok || !ok2 {
			t.Fatalf("native.txt: %q is no case", name)
		}
		cases = append(cases, nativeCase{name, in, strings.TrimSuffix(want, "\n")})
	}
	return blocks[0], cases
}

// nativeSet is the built-in set with macros that print what a call has defined:
// the numbered ones for the number they are given.
func nativeSet() *Set {
	var b strings.Builder
	show := func(name string, names ...string) {
		b.WriteString("%" + name + "() %{expand:" + name + " %{?1}")
		for _, n := range names {
			b.WriteString("\\\n  " + n + "=%%{?" + n + "%{?1}}")
		}
		b.WriteString("}\n")
	}
	show("forge", "forgeurl", "forgesource", "forgesetupargs", "archivename", "archiveext", "archiveurl", "topdir", "extractdir",
		"repo", "owner", "namespace", "scm", "ref", "fileref", "tag", "commit", "shortcommit", "branch", "version", "date", "distprefix", "_forgeversionsuffix")
	show("go", "goipath", "gocid", "goname", "gourl", "gosource", "forgeurl", "forgesource")
	show("font", "foundry", "fontfamily", "fontlicense", "fontsummary", "fontdescription", "fontpkgname", "fonthumanname", "fontpkgheader", "fontdir",
		"currentfoundry", "currentfontpkgname", "currentfonthumanname", "currentfontpkgheader", "currentfontdir", "currentfontfamily",
		"currentfontlicense", "currentfontsummary", "currentfontdescription")
	return Load("test", b.String(), Builtin())
}

// TestNativeOracle holds the macros that are computed in Go against what rpm
// gives with their stand-ins. What is expected is committed, so that Go's part
// is tested without rpm, too.
func TestNativeOracle(t *testing.T) {
	t.Parallel()
	head, cases := readNativeCases(t)
	set := nativeSet()
	eval := func(in string) string {
		e := New(Config{Set: set})
		v := e.Expand(token.Position{}, in)
		if e.problems.HasErrors() {
			return "!"
		}
		return v.Text
	}
	if *update {
		out := head
		for _, c := range cases {
			out += "\n== " + c.name + "\n" + c.in + "\n--\n" + eval(c.in) + "\n"
		}
		if err := os.WriteFile("testdata/native.txt", []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
		_, cases = readNativeCases(t)
	}
	calls := map[string]int{}
	call := regexp.MustCompile(`%\{?(\w+)`)
	for _, c := range cases {
		for _, m := range call.FindAllStringSubmatch(c.in, -1) {
			calls[m[1]]++
		}
		if d := cmp.Diff(c.want, eval(c.in)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	for _, n := range natives {
		if calls[n.name] < 3 && n.name != "autopatch" { // TestPrep has it, in specs
			t.Errorf("%%%s is called %d times in native.txt, 3 are wanted", n.name, calls[n.name])
		}
	}

	rpm, err := exec.LookPath("rpm")
	if err != nil || testing.Short() {
		t.Skip("rpm is not installed or the test is to be short: the stand-ins were not compared")
	}
	dir := t.TempDir()
	macros := filepath.Join(dir, "macros")
	if err := os.WriteFile(macros, []byte(set.RPM(rpmVersion(t))), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (out, talk string, err error) {
		cmd := exec.CommandContext(t.Context(), rpm, append([]string{"--macros", macros}, args...)...)
		cmd.Env = append(os.Environ(), "HOME="+dir, "LC_ALL=C.UTF-8")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		stdout, err := cmd.Output()
		return strings.TrimSuffix(string(stdout), "\n"), stderr.String(), err
	}
	for _, c := range cases {
		got, talk, err := run("--eval", c.in)
		switch {
		case c.want == "!":
			if err == nil {
				t.Errorf("%s: rpm accepts it and gives %q", c.name, got)
			}
			continue
		case talk != "":
			t.Errorf("%s: rpm says %s", c.name, talk)
		}
		if d := cmp.Diff(c.want, got); d != "" && !fits(c.want, got) {
			t.Errorf("%s (-want +rpm):\n%s", c.name, d)
		}
	}

	missing := ""
	for name := range builtins {
		missing += "%{!?" + name + ":" + name + " }"
	}
	if got, _, _ := run("--eval", missing); got != "" {
		t.Errorf("rpm has no %s", got)
	}

	// The day of an archive that is there is that of the file.
	archive := filepath.Join(dir, "repo-0123456789abcdef.tar.gz")
	if err := os.WriteFile(archive, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	day := time.Date(2024, 3, 4, 23, 59, 0, 0, time.UTC)
	if err := os.Chtimes(archive, day, day); err != nil {
		t.Fatal(err)
	}
	const undated = "%global version 1\n%global commit 0123456789abcdef\n%global forgeurl https://github.com/owner/repo\n%forgemeta\n%distprefix"
	got, _, err := run("--define", "_sourcedir "+dir, "--eval", undated)
	if got = strings.TrimSpace(got); err != nil || got != ".20240304git0123456" {
		t.Errorf("the prefix with the day of the file is %q, %v", got, err)
	}
	if got := strings.TrimSpace(eval(undated)); got != ".<?>git0123456" {
		t.Errorf("the prefix without a day is %q", got)
	}
}

// rpmVersion is the version of the rpm that is installed.
func rpmVersion(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("rpm", "--version").Output()
	words := strings.Fields(string(out))
	if err != nil || len(words) == 0 {
		t.Fatalf("rpm --version: %v", err)
	}
	return words[len(words)-1]
}

// newRPM tells whether the rpm that is installed is 4.20 or later.
func newRPM(t *testing.T) bool {
	t.Helper()
	return evr.CompareVersions(rpmVersion(t), "4.20") >= 0
}

// fits tells whether a text is the expected one where that is known.
func fits(want, got string) bool {
	if !strings.Contains(want, "<?>") {
		return want == got
	}
	re := strings.ReplaceAll(regexp.QuoteMeta(want), regexp.QuoteMeta("<?>"), "(?s:.*)")
	return regexp.MustCompile("^" + re + "$").MatchString(got)
}

// TestNativesHaveStandIns holds the file of stand-ins to the table of macros that
// are computed in Go.
func TestNativesHaveStandIns(t *testing.T) {
	t.Parallel()
	have := map[string]*def{}
	for text := standIns("4.18"); text != ""; {
		line := text[:logicalLine(text)]
		text = text[len(line):]
		d, ok := standIn(line)
		switch {
		case !ok && strings.TrimSpace(line) != "" && line[0] != '#':
			t.Errorf("no macro among the stand-ins: %s", excerpt(line))
		case ok && have[d.name] != nil:
			t.Errorf("%%%s has two stand-ins", d.name)
		case ok:
			have[d.name] = d
		}
	}
	for _, n := range natives {
		d := have[n.name]
		delete(have, n.name)
		if d == nil {
			t.Errorf("%%%s is computed in Go and has no stand-in in native.macros", n.name)
		} else if d.param != n.param || d.opts != n.opts {
			t.Errorf("%%%s(%s) stands in for a macro with other options (%s)", n.name, d.opts, n.opts)
		}
	}
	for name := range have {
		if builtins[name] == nil && !strings.HasPrefix(name, standInPrefix) {
			t.Errorf("%%%s stands in for nothing", name)
		}
	}
}

// TestRPMFile: a macro that a set has a body for needs no stand-in, and what pins
// a set has none at all.
func TestRPMFile(t *testing.T) {
	t.Parallel()
	set := Load("test", "%version_no_tilde() mine\n%bcond_with() mine\n%forgemeta() %{lua:print(1)}\n", nil)
	text := set.RPM("")
	for _, c := range []struct {
		line string
		want int
	}{
		{"\n%version_no_tilde", 1},
		{"%version_no_tilde() mine\n", 1},
		{"\n%bcond_with(", 1},
		{"\n%bcond_without(", 1},
		{"\n%forgemeta(", 1},
		{"\n%fedora 43\n", 1},
	} {
		if n := strings.Count("\n"+text, c.line); n != c.want {
			t.Errorf("%q is %d times in the file for rpm, %d wanted", c.line, n, c.want)
		}
	}
	for text := Builtin().RPM("4.19"); text != ""; {
		line := text[:logicalLine(text)]
		text = text[len(line):]
		if d, ok := standIn(line); ok && builtins[d.name] != nil && !strings.HasPrefix(d.name, "bcond") && !strings.HasSuffix(d.name, "defined") &&
			!strings.HasPrefix(d.name, "with") {
			t.Errorf("%%%s is a built-in of rpm, which will not load the file", d.name)
		}
	}
	if !strings.Contains(Builtin().RPM("4.18.2"), "\n%sub(-) ") {
		t.Error("rpm 4.18 is not given its functions on strings")
	}
	for _, s := range []*Set{set, Builtin(), SRPM()} {
		if strings.Contains(s.Text(), standInPrefix) || strings.Contains(s.Text(), "%forgemeta") {
			t.Errorf("%s: the text of the set has stand-ins", s.Name())
		}
	}
	rhel := Load("test", "%rhel 10\n%dist .el10\n", nil).RPM("")
	if strings.Contains(rhel, "%fedora") || !strings.Contains(rhel, "%rhel 10\n") {
		t.Error("a set for RHEL becomes one for Fedora")
	}
}
