package macro

import (
	"bytes"
	"strings"
	"testing"
)

// TestSetFile writes sets and reads them again, and refuses what was changed.
func TestSetFile(t *testing.T) {
	t.Parallel()
	mine := Load("mine", "%one 1\n%two() \\\n  a \\\\\n  b\n%three %{nil}  \n%four {x\n", nil)
	for _, set := range []*Set{mine, Builtin(), SRPM()} {
		file := set.File()
		again, err := ParseSet("x.macros", file)
		if err != nil {
			t.Fatalf("%s: %v", set.Name(), err)
		}
		if again.Name() != set.Name() || !bytes.Equal(again.File(), file) {
			t.Errorf("%s: written again, the file differs", set.Name())
		}
	}
	file := string(mine.File())
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "x.macros:1:1: not a macro set [macro/set]"},
		{"a macro file", "%one 1\n", "x.macros:1:1: not a macro set [macro/set]"},
		{"no hash", "# specgraft macro set x\n%one 1\n", `x.macros:2:1: macro set without the line "# sha256 ..." [macro/set]`},
		{"changed", strings.Replace(file, "%one 1", "%one 2", 1), "x.macros:2:1: the macro set was changed since it was made: the content is not what its hash says [macro/set]"},
		{"cut off", file[:len(file)-1], "x.macros:2:1: the macro set was changed since it was made: the content is not what its hash says [macro/set]"},
	} {
		if _, err := ParseSet("x.macros", []byte(test.text)); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}
