//go:build unix

package render_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"specgraft/testdata/corpus"
)

// programRounds is how often each kind of run is measured, one after the other.
const programRounds = 7

// BenchmarkProgram runs the whole program over the corpus: into an empty directory,
// with nothing to do, with --check, and with empty caches. Each run alternates with
// "cp -r" of the tree that is rendered. What it prints is the table of the README,
// and how many system calls a file costs, where strace is installed. One iteration
// is enough:
//
//	go test -run '^$' -bench Program -benchtime 1x ./render
func BenchmarkProgram(b *testing.B) {
	project := filepath.Join(corpus.MakeDistgit(b), "project")
	dir := scratch(b)
	bin := buildProgram(b, filepath.Join(dir, "specgraft"), "specgraft/cmd/specgraft")
	in := func(name string) string { return filepath.Join(dir, name) }
	renders := func(cache, out string, flags ...string) []string {
		return append([]string{bin, "render", "-a", "--project", project, "--cache-dir", in(cache), "-o", in(out)}, flags...)
	}
	measure(b, renders("cache", "tree"))
	time.Sleep(100 * time.Millisecond) // what was just written is not believed
	measure(b, renders("cache", "tree"))

	kinds := []struct {
		title string
		args  []string
		limit string
		fresh []string // made anew by each run
	}{
		{"cp -r", []string{"cp", "-r", in("tree"), in("copy")}, "", []string{"copy"}},
		{"warm caches, into an empty directory", renders("cache", "fresh"), "2.0", []string{"fresh"}},
		{"warm caches, nothing changed", renders("cache", "tree"), "0.7", nil},
		{"warm caches, --check", renders("cache", "tree", "--check"), "0.7", nil},
		{"empty caches, local repositories", renders("cold", "fresh"), "22", []string{"fresh", "cold"}},
	}
	runs := make([][]run, len(kinds))
	for b.Loop() {
		for range programRounds {
			for i, k := range kinds {
				for _, name := range k.fresh {
					os.RemoveAll(in(name))
				}
				runs[i] = append(runs[i], measure(b, k.args))
				for _, name := range k.fresh {
					os.RemoveAll(in(name))
				}
			}
		}
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%d files, %d processors, medians of %d\n\n", countFiles(b, in("tree")), runtime.GOMAXPROCS(0), len(runs[0]))
	fmt.Fprintf(&table, "| run | time | processor time | relative to `cp -r` | limit | peak memory |\n|---|---|---|---|---|---|\n")
	cp := median(runs[0], func(r run) float64 { return r.wall })
	for i, k := range kinds {
		wall := median(runs[i], func(r run) float64 { return r.wall })
		fmt.Fprintf(&table, "| %s | %.2f s | %.2f s | %.2f | %s | %.0f MiB |\n", k.title, wall, median(runs[i], func(r run) float64 { return r.cpu }),
			wall/cp, k.limit, median(runs[i], func(r run) float64 { return r.memory }))
	}
	if strace, err := exec.LookPath("strace"); err == nil {
		files := float64(countFiles(b, in("tree")))
		fmt.Fprintf(&table, "\n| calls for each file written | openat | openat2 | fcntl | execve in all |\n|---|---|---|---|---|\n")
		for _, i := range []int{1, 4} {
			counts := in("counts")
			measure(b, append([]string{strace, "-f", "-c", "-o", counts}, kinds[i].args...))
			n := readCounts(b, counts)
			fmt.Fprintf(&table, "| %s | %.2f | %.2f | %.2f | %.0f |\n", kinds[i].title, n["openat"]/files, n["openat2"]/files, n["fcntl"]/files, n["execve"])
			for _, name := range kinds[i].fresh {
				os.RemoveAll(in(name))
			}
		}
	} else {
		table.WriteString("\nNOT COUNTED: system calls, as there is no strace\n")
	}
	fmt.Printf("\n\n%s\n", table.String()) // a log would be cut off
}

// buildProgram builds a package, or a file of Go, as it is released and returns the
// path of the program.
func buildProgram(b *testing.B, bin, source string) string {
	b.Helper()
	if msg, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, source).CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, msg)
	}
	return bin
}

// A run is what a program took.
type run struct{ wall, cpu, memory float64 } // seconds, seconds, MiB

func measure(b *testing.B, args []string) run {
	b.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	var said bytes.Buffer
	cmd.Stderr = &said
	start := time.Now()
	err := cmd.Run()
	r := run{wall: time.Since(start).Seconds()}
	// 1 is the code for components that fail, which a real distribution has.
	if err != nil && cmd.ProcessState.ExitCode() != 1 || cmd.ProcessState == nil {
		b.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, said.String())
	}
	r.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.memory = float64(u.Maxrss) / 1024
	}
	return r
}

func median(runs []run, of func(run) float64) float64 {
	var all []float64
	for _, r := range runs {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func countFiles(b *testing.B, dir string) int {
	b.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// readCounts reads how often each call was made from the table of "strace -c".
func readCounts(b *testing.B, path string) map[string]float64 {
	b.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	counts := map[string]float64{}
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		f := strings.Fields(s.Text())
		if len(f) < 5 {
			continue
		}
		if n, err := strconv.ParseFloat(f[3], 64); err == nil {
			counts[f[len(f)-1]] = n
		}
	}
	return counts
}
