package plan

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"specgraft/fedora/evr"
	"specgraft/fedora/macro"
	"specgraft/render/facts"
	"specgraft/testdata/corpus"
)

const (
	// oracleSample is how many components rpmspec lists the build requirements of,
	// and oraclePool with how many, these among them, they are joined to a graph.
	oracleSample = 100
	oraclePool   = 260
)

var (
	// runsCode are specs that have rpm start programs or look at the machine;
	// newSyntax is newer than rpm 4.18.
	runsCode  = regexp.MustCompile(`%\(|\bos\.|\bio\.|\bposix\.|<const>`)
	newSyntax = regexp.MustCompile(`(?m:^Build(System|Option))|%(auto)?setup.* -C|%(prep|build|install|check|conf|generate_buildrequires)\s+-[ap]`)
	// says finds in the text of a spec what it may provide, to choose the pool by.
	says = regexp.MustCompile(`(?m)^(?:Provides:\s*|%package\s+-n\s+)(\S+)`)
)

// An rpmspecRunner lets rpm's own parser say what a spec needs and provides, with
// the macros that the evaluator has.
type rpmspecRunner struct{ macros, optflags, home string }

func newRpmspec(t *testing.T) *rpmspecRunner {
	t.Helper()
	if _, err := exec.LookPath("rpmspec"); err != nil {
		t.Skip("NOT CHECKED: rpmspec is not installed: its build requirements were not compared with the graph's")
	}
	version, err := exec.Command("rpmspec", "--version").Output()
	if err != nil || !strings.Contains(string(version), " 4.18.") {
		t.Skipf("NOT CHECKED: the macros are written for rpm 4.18, not for %s", version)
	}
	r := &rpmspecRunner{macros: filepath.Join(t.TempDir(), "macros"), home: t.TempDir()}
	if err := os.WriteFile(r.macros, []byte(macro.Builtin().RPM("4.18.0")), 0o644); err != nil {
		t.Fatal(err)
	}
	r.optflags = macro.Eval("probe.spec", nil, macro.Config{After: []string{"%{optflags}"}}).After[0].Text
	return r
}

// query returns the sorted lines that a query of a spec prints, each once.
func (r *rpmspecRunner) query(ctx context.Context, dir, spec string, args ...string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "rpmspec", append([]string{"--macros", r.macros, "--define", "_sourcedir " + dir,
		"--define", "optflags " + r.optflags + "%{nil}", "--define", "_topdir /builddir/build", "-q"}, append(args, filepath.Join(dir, spec))...)...)
	cmd.Env = append(os.Environ(), "HOME="+r.home, "LC_ALL=C.UTF-8")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("rpmspec: %w\n%s", err, stderr.Bytes())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	return slices.DeleteFunc(slices.Compact(lines), func(s string) bool {
		return s == "" || strings.HasPrefix(s, "rpmlib(") // what the source package needs of rpm itself
	}), nil
}

// An oracleProvide is one provide as rpmspec prints it.
type oracleProvide struct{ component, pkg, version string }

// satisfies reports by rpm's rules whether a provided version is one that is wanted.
func satisfies(compare, want, have string) bool {
	if compare == "" {
		return true
	}
	a, errA := evr.Parse(have)
	b, errB := evr.Parse(want)
	if have == "" || errA != nil || errB != nil {
		return false
	}
	if a.Release == "" || b.Release == "" {
		a.Release, b.Release = "", ""
	}
	c := a.Compare(b)
	return c == 0 && strings.Contains(compare, "=") || c < 0 && compare[0] == '<' || c > 0 && compare[0] == '>'
}

// oracleEdges joins what rpmspec says that a component build-requires to what it
// says that others provide: component, package and requirement of each edge. Rich
// dependencies and files are left out: rpmspec knows no files, and rpm's rules for
// rich ones are those of its solver.
func oracleEdges(name string, requires []string, provides map[string][]oracleProvide) []string {
	var edges []string
	for _, text := range requires {
		if strings.HasPrefix(text, "(") || strings.HasPrefix(text, "/") {
			continue
		}
		fields := strings.Fields(text)
		compare, version := "", ""
		if len(fields) == 3 {
			compare, version = fields[1], fields[2]
		}
		all := provides[fields[0]]
		fit := slices.DeleteFunc(slices.Clone(all), func(p oracleProvide) bool { return !satisfies(compare, version, p.version) })
		if len(fit) == 0 {
			fit = all // of another version, which the graph marks as unsatisfied
		}
		for _, p := range fit {
			if p.component != name {
				edges = append(edges, fmt.Sprintf("%s: %s of %s", text, p.pkg, p.component))
			}
		}
	}
	slices.Sort(edges)
	return slices.Compact(edges)
}

// graphEdges returns the edges of the graph in the form of oracleEdges.
func graphEdges(g *Graph, name string) []string {
	var edges []string
	for _, e := range g.Dependencies(name) {
		for _, n := range e.Needs {
			if !strings.HasPrefix(n.Requirement, "(") && !strings.HasPrefix(n.Requirement, "/") {
				edges = append(edges, fmt.Sprintf("%s: %s of %s", n.Requirement, n.Package, e.To))
			}
		}
	}
	slices.Sort(edges)
	return slices.Compact(edges)
}

// TestCorpusRpmspec compares the build requirements of 100 real components with
// those of rpmspec -q --buildrequires, and the edges of their graph with what these
// come to by the provides that rpmspec lists.
func TestCorpusRpmspec(t *testing.T) {
	t.Parallel()
	rpm := newRpmspec(t)
	trees := map[string]fstest.MapFS{}
	for _, f := range corpus.Archive(t, "expected.tar.xz", func(component, file string, size int64) bool {
		return component != "" && size <= 1<<20 && !strings.Contains(file, "/")
	}) {
		if trees[f.Component] == nil {
			trees[f.Component] = fstest.MapFS{}
		}
		trees[f.Component][f.Path] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
	}
	var names []string
	sayers := map[string][]string{}
	for name, tree := range trees {
		f := tree[name+".spec"]
		if f == nil || runsCode.Match(f.Data) || newSyntax.Match(f.Data) {
			continue
		}
		names = append(names, name)
		for _, m := range says.FindAllSubmatch(f.Data, -1) {
			sayers[string(m[1])] = append(sayers[string(m[1])], name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
		return cmp.Or(slices.Compare(x[:], y[:]), strings.Compare(a, b))
	})
	sample := names[:min(len(names), oracleSample)]
	known := map[string]*facts.Facts{}
	evaluate := func(name string) {
		if known[name] == nil && slices.Contains(names, name) && len(known) < oraclePool {
			cfg := macro.Config{FS: trees[name]}
			known[name] = facts.NewFacts(macro.Eval(name+".spec", trees[name][name+".spec"].Data, cfg), "x86_64")
		}
	}
	for _, name := range sample {
		evaluate(name)
	}
	// The pool are components that the sample may need, going by names alone.
	for _, name := range sample {
		for _, text := range known[name].BuildRequires {
			need, _, _ := strings.Cut(text, " ")
			for _, suffix := range []string{"", "-devel", "-libs", "-static"} {
				evaluate(strings.TrimSuffix(need, suffix))
			}
			slices.Sort(sayers[need])
			for _, s := range sayers[need] {
				evaluate(s)
			}
		}
	}
	requires, provides := map[string][]string{}, map[string][]oracleProvide{}
	var list []facts.Component
	for _, name := range sortedKeys(known) {
		dir := t.TempDir()
		for file, f := range trees[name] {
			if err := os.WriteFile(filepath.Join(dir, file), f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if slices.Contains(sample, name) {
			lines, err := rpm.query(t.Context(), dir, name+".spec", "--buildrequires")
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			requires[name] = lines
			got := slices.Sorted(slices.Values(known[name].BuildRequires))
			if d := gocmp.Diff(strings.Join(lines, "\n"), strings.Join(got, "\n")); d != "" {
				t.Errorf("%s: build requirements (-rpmspec +ours):\n%s", name, d)
			}
		}
		lines, err := rpm.query(t.Context(), dir, name+".spec", "--qf", `[%{=NAME}\t%{PROVIDENAME}\t%{PROVIDEVERSION}\n]`)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		list = append(list, facts.Component{Name: name, Facts: known[name]})
		for _, l := range lines {
			if f := strings.Split(l, "\t"); len(f) == 3 && !known[name].Excluded {
				provides[f[1]] = append(provides[f[1]], oracleProvide{name, f[0], f[2]})
			}
		}
	}
	g := NewGraph(list, nil)
	edges, needed := 0, 0
	for _, name := range sortedKeys(requires) {
		needed += len(requires[name])
		want := oracleEdges(name, requires[name], provides)
		if known[name].Excluded {
			want = nil
		}
		edges += len(want)
		if d := gocmp.Diff(want, graphEdges(g, name)); d != "" {
			t.Errorf("%s: edges (-rpmspec +ours):\n%s", name, d)
		}
	}
	t.Logf("%d build requirements of %d components and %d edges of theirs in a pool of %d are those of rpmspec", needed, len(requires), edges, len(list))
	if len(requires) < oracleSample || edges < oracleSample {
		t.Errorf("only %d components with %d edges were compared", len(requires), edges)
	}
}
