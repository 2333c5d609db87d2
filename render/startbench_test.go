//go:build unix

package render_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"specgraft/testdata/corpus"
)

// startRounds is how often each command is measured, one after the other.
const startRounds = 21

// BenchmarkStart runs commands that say something of one component of the corpus,
// and one that only starts. Each run alternates with a Go program that prints a
// line, which is the least that a command can take. What it prints is a table of
// the README. One iteration is enough:
//
//	go test -run '^$' -bench Start -benchtime 1x ./render
func BenchmarkStart(b *testing.B) {
	project := filepath.Join(corpus.MakeDistgit(b), "project")
	dir := scratch(b)
	hello := filepath.Join(dir, "hello.go")
	if err := os.WriteFile(hello, []byte("package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n"), 0o666); err != nil {
		b.Fatal(err)
	}
	line := buildProgram(b, filepath.Join(dir, "hello"), hello)
	bin := buildProgram(b, filepath.Join(dir, "specgraft"), "specgraft/cmd/specgraft")
	kinds := []struct {
		title string
		args  []string
	}{
		{"a Go program that prints a line", []string{line}},
		{"version", []string{bin, "version"}},
		{"query bash", []string{bin, "query", "bash"}},
		{"show bash", []string{bin, "show", "bash"}},
		{"diff bash", []string{bin, "diff", "bash"}},
		{"render bash --check", []string{bin, "render", "bash", "--check", "-o", filepath.Join(dir, "tree")}},
	}
	for i := range kinds[2:] {
		kinds[i+2].args = append(kinds[i+2].args, "--project", project, "--cache-dir", filepath.Join(dir, "cache"))
	}
	whole := []string{bin, "render", "bash", "-o", filepath.Join(dir, "tree"), "--project", project, "--cache-dir", filepath.Join(dir, "cache")}
	measure(b, whole)
	time.Sleep(100 * time.Millisecond) // what was just written is not believed
	measure(b, whole)

	runs := make([][]run, len(kinds))
	for b.Loop() {
		for range startRounds {
			for i, k := range kinds {
				runs[i] = append(runs[i], measure(b, k.args))
			}
		}
	}
	var table strings.Builder
	fmt.Fprintf(&table, "medians of %d\n\n| command | time | processor time | relative to printing a line | peak memory |\n|---|---|---|---|---|\n", len(runs[0]))
	least := median(runs[0], func(r run) float64 { return r.wall })
	for i, k := range kinds {
		wall := median(runs[i], func(r run) float64 { return r.wall })
		fmt.Fprintf(&table, "| %s | %.1f ms | %.1f ms | %.1f | %.0f MiB |\n", k.title, 1000*wall, 1000*median(runs[i], func(r run) float64 { return r.cpu }),
			wall/least, median(runs[i], func(r run) float64 { return r.memory }))
	}
	fmt.Printf("\n\n%s\n", table.String()) // a log would be cut off
}
