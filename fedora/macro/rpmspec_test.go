package macro

import (
	"cmp"
	"context"
	"crypto/sha256"
	"maps"
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

	"specgraft/overlay/diag"
)

const (
	// rpmspecSample is how many specs of the corpus are shown to rpm. All of them
	// are when SPECGRAFT_RPMSPEC is set to "all", which takes some minutes.
	rpmspecSample = 200

	// theirs are fields of a binary package as rpm knows them, one per line.
	theirs = `P %{NAME} %{VERSION}-%{RELEASE} %{ARCH}\nSummary %{SUMMARY}\nLicense %{LICENSE}\n` +
		`[Requires %{REQUIRENAME} %{REQUIREFLAGS:depflags} %{REQUIREVERSION}\n][Conflicts %{CONFLICTNAME} %{CONFLICTFLAGS:depflags} %{CONFLICTVERSION}\n]` +
		`[Obsoletes %{OBSOLETENAME} %{OBSOLETEFLAGS:depflags} %{OBSOLETEVERSION}\n][Recommends %{RECOMMENDNAME} %{RECOMMENDFLAGS:depflags} %{RECOMMENDVERSION}\n]` +
		`[Provides %{PROVIDENAME} %{PROVIDEFLAGS:depflags} %{PROVIDEVERSION}\n][Supplements %{SUPPLEMENTNAME} %{SUPPLEMENTFLAGS:depflags} %{SUPPLEMENTVERSION}\n]`
)

var (
	// runsCode are specs that have rpm start programs or look at the machine; they
	// are not shown to it, nor are those with constants in Lua, for rpm may come
	// with an older Lua.
	runsCode = regexp.MustCompile(`%\(|\bos\.|\bio\.|\bposix\.|<const>`)

	// newSyntax is newer than rpm 4.18: autosetup -C, BuildSystem, and sections that
	// are given more than once.
	newSyntax = regexp.MustCompile(`(?m:^Build(System|Option))|%(auto)?setup.* -C|%(prep|build|install|check|conf|generate_buildrequires)\s+-[ap]`)
)

// TestCorpusRpmspec shows specs of a real distribution to rpm with our macros in
// place of its own, and compares the expanded text (rpmspec -P) and the packages
// (rpmspec -q) with ours. What is left out of the comparison: blank lines and
// white space around lines; the headers of build scripts, which rpm 4.18 does
// not print; the dependencies that rpm adds (on rpmlib, on interpreters of
// scripts, a package's own name).
func TestCorpusRpmspec(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("rpmspec")
	if err != nil {
		t.Skip("rpmspec is not installed: no spec of the corpus was shown to it")
	}
	newer := newRPM(t)
	upstream := corpusTrees(t, upstreamTrees)
	trees := map[string]*corpusTree{}
	var names []string
	for name, tree := range corpusTrees(t, expectedTrees) {
		files := fstest.MapFS{} // a rendered spec reads the files of both
		if up := upstream[name]; up != nil {
			maps.Copy(files, up.files)
		}
		maps.Copy(files, tree.files)
		tree = &corpusTree{spec: tree.spec, files: files}
		trees[name] = tree
		shown := tree.spec != ""
		for file, f := range files {
			if file == tree.spec || strings.HasSuffix(file, ".macros") {
				shown = shown && !runsCode.Match(f.Data) && (newer || !newSyntax.Match(f.Data))
			}
		}
		if shown {
			names = append(names, name)
		}
	}
	// the same ones in every run, from all parts of the alphabet
	slices.SortFunc(names, func(a, b string) int {
		x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
		return cmp.Or(slices.Compare(x[:], y[:]), strings.Compare(a, b))
	})
	if os.Getenv("SPECGRAFT_RPMSPEC") != "all" {
		names = names[:min(len(names), rpmspecSample)]
	}
	home := t.TempDir()
	macros := filepath.Join(home, "macros")
	if err := os.WriteFile(macros, []byte(Builtin().RPM(rpmVersion(t))), 0o644); err != nil {
		t.Fatal(err)
	}
	texts, packages, open, rejected := 0, 0, 0, 0
	for _, name := range names {
		tree := trees[name]
		dir := filepath.Join(home, "SOURCES")
		for file, f := range tree.files {
			if err := writeFile(filepath.Join(dir, file), f.Data); err != nil {
				t.Fatal(err)
			}
		}
		rpm := func(args ...string) (string, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			// rpm takes %optflags from its rpmrc, whatever the macro files say
			cmd := exec.CommandContext(ctx, tool, append([]string{"--macros", macros, "--define", "_sourcedir " + dir,
				"--define", "optflags " + Builtin().macros["optflags"].body}, append(args, filepath.Join(dir, tree.spec))...)...)
			cmd.Env = append(os.Environ(), "HOME="+home, "LC_ALL=C.UTF-8")
			out, err := cmd.Output()
			return strings.ReplaceAll(string(out), dir, sourceDir), err
		}
		s := Eval(tree.spec, tree.files[tree.spec].Data, Config{FS: tree.files, Lines: true})
		text, err := rpm("-P")
		switch {
		case err != nil && slices.ContainsFunc(s.Problems, func(d diag.Diagnostic) bool {
			return d.Code == "macro/build-system" || d.Code == "macro/no-file" // what rpm 6.1 does not take
		}):
			rejected++
		case err != nil && s.Rejected() == nil:
			t.Errorf("%s: rpm rejects it, we do not", name)
		case err == nil && s.Rejected() != nil:
			t.Errorf("%s: rpm takes it, we do not: %v", name, s.Rejected())
		case err != nil:
			rejected++
		case !s.Expanded.Known:
			open++
		default:
			texts++
			if d := gocmp.Diff(rpmLines(text), rpmLines(s.Expanded.Text)); d != "" {
				t.Errorf("%s expands to something else (-rpm +ours):\n%s", name, d)
			}
		}
		if err == nil && len(s.Unknown) == 0 && s.Rejected() == nil {
			packages++
			query, err := rpm("-q", "--qf", theirs)
			if err != nil {
				t.Errorf("%s: rpmspec -q: %v", name, err)
			} else if d := gocmp.Diff(queried(query), reported(s)); d != "" {
				t.Errorf("%s has other packages (-rpm +ours):\n%s", name, d)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d specs: %d texts and the packages of %d compared, %d with unknown text, %d that both reject", len(names), texts, packages, open, rejected)
	if texts < len(names)*9/10 {
		t.Errorf("only %d texts of %d were compared", texts, len(names))
	}
}

func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

var buildHeader = regexp.MustCompile(`^%(prep|build|install|check|conf|clean|generate_buildrequires)$`)

var (
	unpacked     = regexp.MustCompile(`(rpmuncompress -x (?:-v )?(?:-C \S+ )?)'([^']*)'`)
	newBuildRoot = regexp.MustCompile(topDir + `/BUILD/[^/\s'"]*-build/BUILDROOT`)
	oldBuildRoot = regexp.MustCompile(topDir + `/BUILDROOT/[^/\s]*?\.(?:x86_64|noarch)`)
	buildRoots   = regexp.MustCompile(topDir + `/BUILDROOT(['"\s]|$)`)
	newBuildDir  = regexp.MustCompile(`(` + topDir + `/BUILD)/[^/\s'"]*-build(/|'|"|\s|$)`)
)

// samePaths takes away in what the versions of rpm differ on purpose: since 4.20
// archives are in quotes and each package has a build directory of its own.
func samePaths(text string) string {
	text = unpacked.ReplaceAllString(text, "$1$2")
	text = newBuildRoot.ReplaceAllString(text, "/buildroot")
	text = oldBuildRoot.ReplaceAllString(text, "/buildroot")
	text = newBuildDir.ReplaceAllString(text, "$1$2")
	return buildRoots.ReplaceAllString(text, topDir+"/BUILD$1")
}

// rpmLines returns the lines of an expanded spec that count.
func rpmLines(text string) []string {
	var out []string
	for line := range strings.Lines(samePaths(text)) {
		if line = strings.TrimSpace(line); line != "" && !buildHeader.MatchString(line) {
			out = append(out, line)
		}
	}
	return out
}

// queried sorts what rpm says about the packages of a spec into one list per
// package, without the dependencies that rpm adds itself.
func queried(text string) map[string][]string {
	out := map[string][]string{}
	var name, self string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "P "); ok {
			words := strings.Fields(rest)
			name = words[0]
			self = "Provides " + name + " = "
		}
		kind, d, _ := strings.Cut(line, " ")
		switch {
		case kind == "Requires" && (strings.HasPrefix(d, "rpmlib(") || strings.HasPrefix(d, "/")):
		case strings.HasPrefix(line, self), kind == "Provides" && strings.HasPrefix(d, name+"(x86-64) = "):
		default:
			out[name] = append(out[name], line)
		}
	}
	for name, list := range out {
		slices.Sort(list)
		out[name] = slices.Compact(list)
	}
	return out
}

// reported does the same with our report.
func reported(s *Spec) map[string][]string {
	out := map[string][]string{}
	tag := func(p *Package, names ...string) string {
		for _, p := range []*Package{p, &s.Packages[0]} {
			for _, t := range p.Tags {
				if slices.Contains(names, t.Name) && t.Arg == "" {
					return t.Value.Text
				}
			}
		}
		return ""
	}
	own := func(p *Package, name string, main Value) string {
		for _, t := range p.Tags {
			if t.Name == name && p != &s.Packages[0] {
				return t.Value.Text
			}
		}
		return main.Text
	}
	for i := range s.Packages {
		p := &s.Packages[i]
		version := own(p, "Version", s.Version) + "-" + own(p, "Release", s.Release)
		arch := cmp.Or(tag(p, "BuildArch", "BuildArchitectures"), "x86_64")
		list := []string{"P " + p.Name.Text + " " + version + " " + strings.Fields(arch)[0],
			"Summary " + tag(p, "Summary"), "License " + tag(p, "License")}
		for _, t := range p.Tags {
			kind := t.Name
			if kind == "PreReq" {
				kind = "Requires"
			}
			switch kind {
			case "Requires", "Provides", "Conflicts", "Obsoletes", "Recommends", "Supplements":
			default:
				continue
			}
			for _, d := range Dependencies(t.Value.Text) {
				line := kind + " " + d
				if kind == "Requires" && strings.HasPrefix(d, "/") ||
					strings.HasPrefix(line, "Provides "+p.Name.Text+" = ") || strings.HasPrefix(line, "Provides "+p.Name.Text+"(x86-64) = ") {
					continue
				}
				list = append(list, line)
			}
		}
		slices.Sort(list)
		out[p.Name.Text] = slices.Compact(list)
	}
	return out
}
