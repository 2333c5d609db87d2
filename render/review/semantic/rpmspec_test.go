package semantic_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"specgraft/fedora/macro"
	"specgraft/render/review/semantic"
)

// runsCode are specs that have rpm start programs or look at the machine, or
// that an old rpm does not take; they are not shown to it.
var runsCode = regexp.MustCompile(`%\(|\bos\.|\bio\.|\bposix\.|<const>|%\{lua|%lua|%include|%\{load|(?m:^Build(System|Option))|%(auto)?setup.* -C|%(prep|build|install|check|conf|generate_buildrequires)\s+-[ap]`)

// kinds of dependencies that rpm and we are compared by.
var queriedKinds = map[string]string{"requires": "REQUIRE", "provides": "PROVIDE", "conflicts": "CONFLICT", "recommends": "RECOMMEND"}

// TestRPMSpec compares, for pairs of a real spec and an edit of it, what differs
// between the outputs of rpmspec -q with the semantic diff: dependencies, build
// requirements, names of packages, EVRs.
func TestRPMSpec(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("rpmspec")
	if err != nil {
		t.Skip("NOT CHECKED: rpmspec is not installed")
	}
	out, err := exec.Command(tool, "--version").Output()
	if err != nil {
		t.Skipf("NOT CHECKED: rpmspec does not run: %v", err)
	}
	version := strings.TrimSpace(strings.TrimPrefix(string(out), "RPM version "))
	specs := corpusSpecs(t)
	home := t.TempDir()
	macros := filepath.Join(home, "macros")
	if err := os.WriteFile(macros, []byte(macro.Builtin().RPM(version)), 0o644); err != nil {
		t.Fatal(err)
	}
	optflags := macro.New(macro.Config{}).Expand(macro.Value{}.Pos, "%{optflags}").Text
	query := func(text string) (rpmFacts, bool) {
		file := filepath.Join(home, "x.spec")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		format := `P %{NAME} %{EVR}\n`
		for _, k := range slices.Sorted(maps.Keys(queriedKinds)) {
			format += "[D " + k + " %{" + queriedKinds[k] + "NEVRS}\\n]"
		}
		run := func(args ...string) (string, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, tool, append([]string{"--macros", macros, "--define", "_sourcedir " + home, "--define", "optflags " + optflags, "-q"}, append(args, file)...)...)
			cmd.Env = append(os.Environ(), "HOME="+home, "LC_ALL=C.UTF-8")
			b, err := cmd.Output()
			return string(b), err
		}
		binary, err := run("--qf", format)
		if err != nil {
			return rpmFacts{}, false
		}
		source, err := run("--srpm", "--qf", `P %{NAME} %{EVR}\n[D buildrequires %{REQUIRENEVRS}\n]`)
		if err != nil {
			return rpmFacts{}, false
		}
		return readFacts(binary, source), true
	}
	edits := slices.DeleteFunc(slices.Clone(seededEdits), func(e seededEdit) bool {
		return !slices.Contains([]string{"add a build requirement", "remove a build requirement", "change a version bound", "a requirement of a sub-package", "version", "release", "sub-package", "condition"}, e.name)
	})
	edits = append(edits, seededEdit{"provide and conflict", func(d *draft) (semantic.Class, string, bool) {
		at, ok := d.pick(d.tags("License", true))
		if ok {
			d.insert(at+1, "Provides: seeded = 1:2", "Conflicts: seeded < 3", "Recommends: (seeded-a if seeded-b)")
		}
		return semantic.Dependency, d.eval.Name.Text, ok
	}})
	pairs := 0
	for i, name := range sample(t, specs, 4) {
		if pairs == 108 {
			break
		}
		text := specs[name]
		if runsCode.MatchString(text) {
			continue
		}
		d := draftOf(text, rand.New(rand.NewPCG(uint64(i), 9)))
		if d.eval.Rejected() != nil || len(d.eval.Unknown) > 0 {
			continue
		}
		e := edits[pairs%len(edits)]
		if _, _, ok := e.do(d); !ok || macro.Eval("x.spec", []byte(d.text()), macro.Config{}).Rejected() != nil {
			continue
		}
		before, ok := query(text)
		if !ok {
			continue // an older rpm
		}
		after, ok := query(d.text())
		if !ok {
			continue
		}
		pairs++
		diff := semantic.Compare(semantic.Packaging{Name: "x.spec", Spec: []byte(text)}, semantic.Packaging{Name: "x.spec", Spec: []byte(d.text())}, semantic.Options{Archs: []string{"x86_64"}})
		if x := cmp.Diff(differences(before, after), ours(diff)); x != "" {
			t.Errorf("%s: %s (-rpm +ours):\n%s", name, e.name, x)
		}
		zero := func(s string) string { return strings.TrimPrefix(s, "0:") }
		if v := zero(before.evr[before.main]); v != "" && diff.OldEVR != "" && (v != diff.OldEVR || zero(after.evr[after.main]) != diff.NewEVR) {
			t.Errorf("%s: EVR %s -> %s, ours %s -> %s", name, v, after.evr[after.main], diff.OldEVR, diff.NewEVR)
		}
	}
	if pairs < 100 {
		t.Errorf("%d pairs are too few", pairs)
	}
	t.Logf("%d pairs agree with rpm %s", pairs, version)
}

// rpmFacts is what rpmspec -q says of a spec.
type rpmFacts struct {
	main string
	evr  map[string]string
	deps map[string]int // "package tag dependency"
}

func readFacts(binary, source string) rpmFacts {
	f := rpmFacts{evr: map[string]string{}, deps: map[string]int{}}
	for k, text := range []string{binary, source} {
		pkg := ""
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			switch kind, rest, _ := strings.Cut(line, " "); kind {
			case "P":
				n, v, _ := strings.Cut(rest, " ")
				if pkg = n; k == 1 {
					f.main = n
				} else {
					f.evr[n] = v
				}
			case "D":
				tag, dep, _ := strings.Cut(rest, " ")
				own, _, _ := strings.Cut(dep, " ")
				// what rpm adds
				if strings.HasPrefix(dep, "rpmlib(") || tag == "provides" && (own == pkg || own == pkg+"(x86-64)") || strings.HasPrefix(dep, "/bin/sh") || strings.HasPrefix(dep, "config(") {
					continue
				}
				f.deps[pkg+" "+tag+" "+dep]++
			}
		}
	}
	return f
}

// differences lists what two outputs do not share.
func differences(a, b rpmFacts) []string {
	out := []string{}
	for n := range a.evr {
		if _, ok := b.evr[n]; !ok {
			out = append(out, "- package "+n)
		}
	}
	for n := range b.evr {
		if _, ok := a.evr[n]; !ok {
			out = append(out, "+ package "+n)
		}
	}
	for d, n := range a.deps {
		for range n - min(n, b.deps[d]) {
			out = append(out, "- "+d)
		}
	}
	for d, n := range b.deps {
		for range n - min(n, a.deps[d]) {
			out = append(out, "+ "+d)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ours lists the same of a semantic diff.
func ours(d *semantic.Diff) []string {
	out := []string{}
	for _, c := range d.Changes {
		tag, _, _ := strings.Cut(c.What, "(")
		_, asked := queriedKinds[tag]
		switch {
		case len(c.Arch) == 0:
		case c.Class == semantic.Package && c.Op == semantic.Removed:
			out = append(out, "- package "+c.Package)
		case c.Class == semantic.Package && c.Op == semantic.Added:
			out = append(out, "+ package "+c.Package)
		case c.Class == semantic.Dependency && (asked || tag == "buildrequires"):
			if c.Old != nil {
				out = append(out, "- "+c.Package+" "+tag+" "+*c.Old)
			}
			if c.New != nil {
				out = append(out, "+ "+c.Package+" "+tag+" "+*c.New)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
