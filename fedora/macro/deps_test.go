package macro

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dependencyCases are values of dependency tags with what they come to, one
// dependency per "; ", or "!" for values that rpm rejects.
var dependencyCases = []struct{ tag, value, want string }{
	{"Requires", "a", "a"},
	{"Requires", "a b,c,,d", "a; b; c; d"},
	{"Requires", "a >= 1 b", "a >= 1; b"},
	{"Requires", "a => 1, b =< 2 c == 3", "a >= 1; b <= 2; c = 3"},
	{"Requires", "a >= ,b", "a >= b"},
	{"Requires", "a>=1", "a>=1"},
	{"Requires", "a= 1", "1; a="},
	{"Requires", "a = 1,2", "2; a = 1"},
	{"Requires", "a >=1", "!"},
	{"Requires", "a >=", "!"},
	{"Requires", "a < 2 = 3", "!"},
	{"Requires", "a != 1", "!"},
	{"Requires", "-a", "!"},
	{"Requires", "%{undefined_here}", "!"},
	{"Requires", "a-%{undefined_here}", "a-%{undefined_here}"},
	{"Requires", `"a"`, "!"},
	{"Requires", "/a", "/a"},
	{"Requires", "/a >= 1", "!"},
	{"Requires", "a = 1:2~3^4-5_6+7", "a = 1:2~3^4-5_6+7"},
	{"Requires", "a = 1/2", "!"},
	{"Requires", "a = (1)", "!"},
	{"Requires", "a = *", "!"},
	{"Requires", "a(b c) d(e)(f)", "a(b; c); d(e)(f)"},
	{"Requires", "ä a;b a$b", "a$b; a;b; ä"},
	{"Obsoletes", "a+b._c-d < 1", "a+b._c-d < 1"},
	{"Obsoletes", "a(b) < 1", "!"},
	{"Obsoletes", "/a", "!"},
	{"Conflicts", "/a", "/a"},
	{"Provides", "a(b) = 1", "a(b) = 1"},

	{"Requires", "(a)", "(a)"},
	{"Requires", "( a>=1   and,b)", "!"},
	{"Requires", "( a>=1   and b =>  2 )", "(a>=1 and b >= 2)"},
	{"Requires", "a,(b or c),d", "(b or c); a; d"},
	{"Requires", "(a or b)c (d)", "(a or b); (d); c"},
	{"Requires", "(a(b(c)) or d(e) = 1)", "(a(b(c)) or d(e) = 1)"},
	{"Requires", "a(b (c) d)", "(c); a(b; d)"},
	{"Requires", "((a and b) and c >= 1)", "((a and b) and c >= 1)"},
	{"Requires", "(a and b)) c", "!"},
	{"Requires", "(a and b) >= 1", "!"},
	{"Requires", "()", "!"},
	{"Requires", "(a", "!"},
	{"Requires", "(a and (b)", "!"},
	{"Requires", "(a and)", "!"},
	{"Requires", "(a b)", "!"},
	{"Requires", "(a AND b)", "!"},
	{"Requires", "(a >=1 and b)", "!"},
	{"Requires", "(a >= )", "!"},
	{"Requires", "(a and -b)", "!"},
	{"Requires", "(/a >= 1 and b)", "!"},
	{"Requires", "(a and b = 1;2)", "!"},
	{"Requires", "(a and b and c)", "(a and b and c)"},
	{"Requires", "(a and b or c)", "!"},
	{"Requires", "(a if b if c)", "!"},
	{"Requires", "(a if b else c)", "(a if b else c)"},
	{"Requires", "(a if b else c else d)", "!"},
	{"Requires", "(a else b)", "(a else b)"},
	{"Requires", "(a without b without c)", "!"},

	{"Requires", "(a unless b)", "!"},
	{"Recommends", "(a unless b)", "!"},
	{"Suggests", "(a unless b)", "!"},
	{"Supplements", "(a if b)", "!"},
	{"Enhances", "(a if b)", "!"},
	{"Conflicts", "(a if b)", "!"},
	{"Supplements", "(a unless b)", "(a unless b)"},
	{"Provides", "(a or b)", "!"},
	{"Obsoletes", "(a or b)", "!"},
	{"OrderWithRequires", "(a or b)", "!"},
	{"Requires", "((a if b) or c)", "!"},
	{"Requires", "(((a if b)) or c)", "!"},
	{"Requires", "((a unless b) or c)", "((a unless b) or c)"},
	{"Supplements", "((a if b) and c)", "((a if b) and c)"},
	{"Requires", "((a and (b if c)) or d)", "((a and (b if c)) or d)"},
	{"Requires", "(a if (b unless c))", "(a if (b unless c))"},
	{"Requires", "(a if (b if c))", "(a if (b if c))"},
	{"Requires", "((a unless b) if c)", "!"},
	{"Requires", "(a if b else (c unless d))", "!"},
	{"Conflicts", "(a unless b else (c unless d))", "(a unless b else (c unless d))"},
	{"Conflicts", "(a unless b else (c if d))", "!"},
	{"Requires", "((a unless b) else c)", "!"},
	{"Requires", "(a if ((b unless c) else d))", "(a if ((b unless c) else d))"},
	{"Requires", "(a with (b or c))", "(a with (b or c))"},
	{"Requires", "(a with (b or (c and d)))", "!"},
	{"Requires", "(a without (b if c))", "!"},
}

// TestDependencies splits dependencies and rejects what rpm rejects; where
// rpmspec is installed, it is asked, too.
func TestDependencies(t *testing.T) {
	t.Parallel()
	tool := ""
	if !testing.Short() {
		tool, _ = exec.LookPath("rpmspec")
	}
	file := filepath.Join(t.TempDir(), "x.spec")
	query := map[string]string{"Requires": "REQUIRE", "Provides": "PROVIDE", "Conflicts": "CONFLICT", "Obsoletes": "OBSOLETE",
		"Recommends": "RECOMMEND", "Suggests": "SUGGEST", "Supplements": "SUPPLEMENT", "Enhances": "ENHANCE", "OrderWithRequires": "ORDER"}
	for _, c := range dependencyCases {
		text := head + c.tag + ": " + c.value + "\n%description\n%files\n"
		s := Eval("x.spec", []byte(text), Config{})
		got := "!"
		if s.Rejected() == nil {
			var list []string
			for _, t := range s.Packages[0].Tags {
				if IsDependency(t.Name) && t.Name != "BuildRequires" {
					list = append(list, Dependencies(t.Value.Text)...)
				}
			}
			slices.Sort(list)
			got = strings.Join(list, "; ")
		}
		if got != c.want {
			t.Errorf("%s: %s\n got %q, %v\nwant %q", c.tag, c.value, got, s.Rejected(), c.want)
		}
		if tool == "" {
			continue
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		q := query[c.tag]
		cmd := exec.CommandContext(t.Context(), tool, "-q", "--qf", "[%{"+q+"NAME} %{"+q+"FLAGS:depflags} %{"+q+"VERSION}\n]", file)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		out, err := cmd.Output()
		theirs := "!"
		if err == nil {
			var list []string
			for line := range strings.Lines(string(out)) {
				if d := strings.TrimSpace(line); !strings.HasPrefix(d, "rpmlib(") && d != "x = 1-1" && !strings.HasPrefix(d, "x(") {
					list = append(list, d)
				}
			}
			slices.Sort(list)
			theirs = strings.Join(list, "; ")
		}
		if theirs != c.want {
			t.Errorf("%s: %s\nrpm has %q\nwant    %q", c.tag, c.value, theirs, c.want)
		}
	}
}
