package fedora

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"specgraft/overlay/diag"
)

// TestCodes holds that each code in the source is documented, and each
// documented code is in use.
func TestCodes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	code := regexp.MustCompile(`"fedora/[a-z-]+"`)
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") || f == "codes.go" {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range code.FindAllString(string(text), -1) {
			used[strings.Trim(c, `"`)] = true
		}
	}
	documented := slices.Concat(Codes, LookasideCodes, SourcesCodes)
	for c := range used {
		if !slices.ContainsFunc(documented, func(d diag.Code) bool { return d.ID == c }) {
			t.Errorf("%s is not documented", c)
		}
	}
	for _, d := range Codes {
		if !used[d.ID] {
			t.Errorf("%s is not in use", d.ID)
		}
		if d.Summary == "" || d.Doc == "" {
			t.Errorf("%s is not explained", d.ID)
		}
	}
}
