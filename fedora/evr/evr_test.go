package evr

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// versionOrder holds pairs with the answer of rpm.vercmp (rpm 4.18);
// TestCompareVersionsAgainstRPM asks the installed rpm for the same pairs.
var versionOrder = []struct {
	a, b string
	want int
}{
	{"1.0", "1.0", 0},
	{"1.0", "2.0", -1},
	{"2.0.1", "2.0.1a", -1},
	{"5.5p1", "5.5p2", -1},
	{"5.5p10", "5.5p1", 1},
	{"10xyz", "10.1xyz", -1},
	{"xyz10", "xyz10.1", -1},
	{"xyz.4", "8", -1},
	{"xyz.4", "2", -1},
	{"5.5p2", "5.6p1", -1},
	{"6.5p1", "5.6p1", 1},
	{"6.0.rc1", "6.0", 1},
	{"10b2", "10a1", 1},
	{"1.0aa", "1.0a", 1},
	{"10.0001", "10.1", 0},
	{"10.0001", "10.0039", -1},
	{"4.999.9", "5.0", -1},
	{"20101121", "20101122", -1},
	{"2_0", "2.0", 0},
	{"2__0", "2_0", 0},
	{"a+", "a_", 0},
	{"+a", "_a", 0},
	{"1.", "1", 0},
	{"1..2", "1.2", 0},
	{"", "a", -1},
	{"", "0", -1},
	{"00", "0", 0},
	{"0", "", 1},
	{"1.0~rc1", "1.0", -1},
	{"1.0", "1.0~rc1", 1},
	{"1.0~rc1", "1.0~rc2", -1},
	{"1.0~rc1~git123", "1.0~rc1", -1},
	{"1.0~~", "1.0~", -1},
	{"1.0^", "1.0", 1},
	{"1.0", "1.0^", -1},
	{"0^", "0", 1},
	{"1.0^git1", "1.0^git2", -1},
	{"1.0^git1", "1.01", -1},
	{"1.0^20160101", "1.0.1", -1},
	{"1.0^20160102", "1.0^20160101^git1", 1},
	{"1.0~rc1^git1", "1.0~rc1", 1},
	{"1.0^git1~pre", "1.0^git1", -1},
	{"1.0^", "1.0~", 1},
	{"1^.1", "1.^1", 0},
	{"1.0^a", "1.0.^a", 0},
	{"99999999999999999999999999", "100000000000000000000000000", -1},
	{"1\xff2", "1.2", 0},
	{"\u00e91", "1", 0},
}

func TestCompareVersions(t *testing.T) {
	t.Parallel()
	for _, c := range versionOrder {
		if got := CompareVersions(c.a, c.b); got != c.want {
			t.Errorf("CompareVersions(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := CompareVersions(c.b, c.a); got != -c.want {
			t.Errorf("CompareVersions(%q, %q) = %d, want %d", c.b, c.a, got, -c.want)
		}
	}
}

// rpmCompare asks rpm for the order of pairs, all in one process.
func rpmCompare(t *testing.T, pairs [][2]string) []int {
	t.Helper()
	rpm, err := exec.LookPath("rpm")
	if err != nil {
		t.Skip("rpm is not installed")
	}
	quote := func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			b.WriteString(`\x`)
			b.WriteString(strconv.FormatUint(uint64(s[i])|0x100, 16)[1:])
		}
		return b.String()
	}
	var script strings.Builder
	script.WriteString("%{lua:\n")
	for _, p := range pairs {
		script.WriteString("print(rpm.vercmp(\"" + quote(p[0]) + "\", \"" + quote(p[1]) + "\") .. \" \")\n")
	}
	script.WriteString("}")
	cmd := exec.CommandContext(t.Context(), rpm, "--eval", script.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	fields := strings.Fields(string(out))
	if len(fields) != len(pairs) {
		t.Fatalf("rpm answered %d of %d comparisons: %.200s", len(fields), len(pairs), out)
	}
	answers := make([]int, len(fields))
	for i, f := range fields {
		if answers[i], err = strconv.Atoi(f); err != nil {
			t.Fatal(err)
		}
	}
	return answers
}

func TestCompareVersionsAgainstRPM(t *testing.T) {
	t.Parallel()
	var pairs [][2]string
	for _, c := range versionOrder {
		if c.a != "" && c.b != "" { // rpm does not parse an empty version
			pairs = append(pairs, [2]string{c.a, c.b})
		}
	}
	// All pairs of short strings over one of each class of characters.
	letters := []byte("01aZ.~^")
	var words []string
	for _, x := range letters {
		words = append(words, string(x))
		for _, y := range letters {
			words = append(words, string([]byte{x, y}))
		}
	}
	for _, a := range words {
		for _, b := range words {
			pairs = append(pairs, [2]string{a, b}, [2]string{"1" + a, "1" + b})
		}
	}
	const batch = 1000 // keeps the command line below the limit of one argument
	for start := 0; start < len(pairs); start += batch {
		part := pairs[start:min(start+batch, len(pairs))]
		for i, want := range rpmCompare(t, part) {
			if got := CompareVersions(part[i][0], part[i][1]); got != want {
				t.Errorf("CompareVersions(%q, %q) = %d, rpm says %d", part[i][0], part[i][1], got, want)
			}
		}
	}
}

func TestEVR(t *testing.T) {
	t.Parallel()
	order := []string{ // ascending in rpm's order
		"1.0~rc1-1", "1.0", "1.0-0", "1.0-1.fc42", "1.0-1.fc43", "1.0-2", "1.0^git1-1", "1.0.1-1", "1:0.1-1", "2:0-1", "10:0",
	}
	var pairs [][2]string
	var wants []int
	for i, a := range order {
		for j, b := range order {
			x, err := Parse(a)
			if err != nil {
				t.Fatal(err)
			}
			y, err := Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := x.Compare(y); got != want {
				t.Errorf("%s compared with %s: %d, want %d", a, b, got, want)
			}
			pairs, wants = append(pairs, [2]string{a, b}), append(wants, want)
		}
	}
	t.Run("rpm", func(t *testing.T) {
		for i, got := range rpmCompare(t, pairs) {
			if got != wants[i] {
				t.Errorf("rpm compares %v as %d, the table says %d", pairs[i], got, wants[i])
			}
		}
	})

	parse := []struct {
		in   string
		want EVR
		text string
	}{
		{"1", EVR{"", "1", ""}, "1"},
		{"0:1-2", EVR{"", "1", "2"}, "1-2"},
		{"007:1-2", EVR{"7", "1", "2"}, "7:1-2"},
		{":1-2", EVR{"", "1", "2"}, "1-2"},
		{"1-2-3", EVR{"", "1-2", "3"}, "1-2-3"},
		{"a:1-2", EVR{"", "a:1", "2"}, "a:1-2"},
		{"1:2:3-4", EVR{"1", "2:3", "4"}, "1:2:3-4"},
	}
	for _, c := range parse {
		got, err := Parse(c.in)
		if err != nil || got != c.want || got.String() != c.text {
			t.Errorf("Parse(%q) = %+v (%s), %v, want %+v (%s)", c.in, got, got, err, c.want, c.text)
		}
	}
	for _, bad := range []string{"", "1:", "1-", "-", "1:-1", "-1"} {
		if got, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %+v, want an error", bad, got)
		}
	}
}

// FuzzCompare checks that the order is one: reflexive, antisymmetric and
// transitive.
func FuzzCompare(f *testing.F) {
	for i, c := range versionOrder {
		f.Add(c.a, c.b, versionOrder[(i+7)%len(versionOrder)].a)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		ab, bc, ac := CompareVersions(a, b), CompareVersions(b, c), CompareVersions(a, c)
		if CompareVersions(a, a) != 0 {
			t.Errorf("%q differs from itself", a)
		}
		if CompareVersions(b, a) != -ab {
			t.Errorf("%q and %q: the order depends on the side", a, b)
		}
		if ab <= 0 && bc <= 0 && ac > 0 {
			t.Errorf("%q <= %q <= %q, but the first is newer than the last", a, b, c)
		}
	})
}
