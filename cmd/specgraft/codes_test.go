package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"specgraft/cmd/specgraft/cli"
)

// TestCodes holds that every code a diagnostic can have is explained by `help
// codes`, and that every code explained there can be met.
func TestCodes(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	groups := map[string]bool{}
	for _, c := range cli.AllCodes() {
		if documented[c.ID] {
			t.Errorf("%s is explained twice", c.ID)
		}
		if c.Summary == "" {
			t.Errorf("%s has no summary", c.ID)
		}
		documented[c.ID] = true
		group, _, _ := strings.Cut(c.ID, "/")
		groups[group] = true
	}
	met := map[string]int{} // how often the code stands in the sources, the table included
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != "../..") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if _, ok := n.(*ast.ImportSpec); ok {
				return false
			}
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			s, err := strconv.Unquote(lit.Value)
			if err != nil {
				return true
			}
			group, rest, ok := strings.Cut(s, "/")
			if ok && groups[group] && rest != "" && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" {
				met[s]++
				if !documented[s] {
					t.Errorf("%s: code %s is not explained by help codes", path, s)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for code := range documented {
		if met[code] < 2 {
			t.Errorf("%s is explained by help codes, but nothing reports it", code)
		}
	}
}
