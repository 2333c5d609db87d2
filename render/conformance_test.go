package render_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ulikunitz/xz"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/render"
)

// The corpus is a real distribution: its configuration, upstream packaging and
// what the reference tool rendered. It is not part of this repository. Tests
// look for it beside the repository or in $SPECGRAFT_CORPUS. $SPECGRAFT_DISTGIT
// may name a directory that the corpus' make-distgit has filled already.

// corpusDir returns the corpus, or skips loudly.
func corpusDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SPECGRAFT_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "make-distgit")); err != nil {
		t.Skipf("NOT CHECKED: no corpus at %s; set SPECGRAFT_CORPUS", dir)
	}
	return dir
}

// distgit returns a directory with a project and its upstream repositories as
// the corpus' own tool makes them.
func distgit(t testing.TB, corpus string) string {
	t.Helper()
	if dir := os.Getenv("SPECGRAFT_DISTGIT"); dir != "" {
		return dir
	}
	if testing.Short() {
		t.Skip("NOT CHECKED: the corpus takes too long for -short")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("NOT CHECKED: the corpus needs python3 to make its repositories")
	}
	out := filepath.Join(t.TempDir(), "out")
	cmd := exec.Command(python, filepath.Join(corpus, "make-distgit"), out,
		"--project", filepath.Join(out, "project"), filepath.Join(corpus, "dev", "upstream.tar.xz"))
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make-distgit: %v\n%s", err, msg)
	}
	return out
}

// unpack reads a tar.xz archive of the corpus into memory.
func unpack(t testing.TB, name string) map[string][]byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x, err := xz.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(x); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[path.Clean(h.Name)] = data
	}
}

// A manifest is what the corpus says about one rendered component.
type manifest struct {
	Name  string
	Files map[string][4]any // git mode, size, blob, status
}

// corpus is what there is to compare with.
type corpus struct {
	kind      map[string]string // "plain", "custom exact", ... by component
	manifests map[string]*manifest
	expected  map[string][]byte // by component/file
	reference map[string][]byte
	full      map[string]bool   // components for which the full rule holds
	refused   map[string]string // components the reference tool could not render, and why
	locks     map[string][]byte
}

func readCorpus(t testing.TB, dir string) *corpus {
	t.Helper()
	dev := filepath.Join(dir, "dev")
	c := &corpus{kind: map[string]string{}, manifests: map[string]*manifest{}, full: map[string]bool{}, refused: map[string]string{}}
	var wg sync.WaitGroup
	wg.Go(func() { c.expected = unpack(t, filepath.Join(dev, "expected.tar.xz")) })
	wg.Go(func() { c.reference = unpack(t, filepath.Join(dev, "reference.tar.xz")) })
	wg.Go(func() { c.locks = unpack(t, filepath.Join(dev, "locks.tar.xz")) })
	wg.Wait()
	var list []struct{ Name, Category, Quality string }
	b, err := os.ReadFile(filepath.Join(dev, "components.json"))
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		c.kind[e.Name] = strings.TrimSpace(e.Category + " " + e.Quality)
	}
	for name, data := range c.expected {
		if path.Base(name) != "MANIFEST.jsonl" {
			continue
		}
		for line := range bytes.Lines(data) {
			m := &manifest{}
			if err := json.Unmarshal(line, m); err != nil {
				t.Fatal(err)
			}
			c.manifests[m.Name] = m
		}
	}
	c.expected, c.reference = byComponent(c.expected), byComponent(c.reference)
	lines := func(name string) []string {
		b, err := os.ReadFile(filepath.Join(dev, name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(b)), "\n")
	}
	for _, name := range lines("reproduced.txt") {
		c.full[name] = true
	}
	for name := range c.reference {
		c.full[path.Dir(name)] = true
	}
	for _, l := range lines("unrendered.txt") {
		name, why, _ := strings.Cut(l, "\t")
		c.refused[name] = why
	}
	return c
}

// byComponent keeps the last two elements of each path, component and file.
func byComponent(files map[string][]byte) map[string][]byte {
	out := make(map[string][]byte, len(files))
	for name, data := range files {
		parts := strings.Split(name, "/")
		for i, p := range parts {
			if i > 0 && i+1 < len(parts) && p == parts[i-1] {
				parts = parts[i:]
				break
			}
		}
		if len(parts) > 2 {
			parts = parts[1:]
		}
		out[strings.Join(parts, "/")] = data
	}
	return out
}

// strip is the masked rule of the corpus: what rpmautospec writes is taken out.
func strip(text []byte) []byte {
	var out bytes.Buffer
	skip, blank := false, false
	for line := range bytes.Lines(text) {
		s := strings.TrimRight(string(line), "\n")
		switch {
		case s == "## START: Set by rpmautospec" || s == "## START: Generated by rpmautospec":
			skip = true
			if strings.HasPrefix(s, "## START: Gen") {
				out.WriteString("%autochangelog\n")
			}
		case s == "## END: Set by rpmautospec" && skip:
			skip, blank = false, true
		case s == "## END: Generated by rpmautospec" && skip:
			skip = false
		case skip:
		case blank && s == "":
			blank = false
		default:
			blank = false
			out.Write(line)
		}
	}
	return out.Bytes()
}

// withoutRelease takes the Release lines out.
func withoutRelease(text []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		if len(line) >= 8 && strings.EqualFold(string(line[:8]), "release:") {
			continue
		}
		out.Write(line)
	}
	return out.Bytes()
}

// firstDifference returns the first lines in which two texts differ.
func firstDifference(want, got []byte) string {
	w, g := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := 0; i < len(w) || i < len(g); i++ {
		a, b := "(end)", "(end)"
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d: want %.120q, got %.120q", i+1, a, b)
		}
	}
	return ""
}

// sidecars compares the files beside the spec with the manifest.
func (m *manifest) sidecars(res *render.Result) (right, wrong int, problem string) {
	say := func(format string, args ...any) {
		wrong++
		if problem == "" {
			problem = fmt.Sprintf(format, args...)
		}
	}
	specName := m.Name + ".spec"
	have := map[string]bool{}
	for _, f := range res.Files {
		have[f.Path] = true
		want, ok := m.Files[f.Path]
		if !ok {
			say("extra file %s", f.Path)
			continue
		}
		// The corpus lost the permissions of upstream's specs.
		if f.Path != specName && want[0] != fmt.Sprintf("100%o", f.Mode.Perm()) {
			say("%s has mode %o, want %v", f.Path, f.Mode.Perm(), want[0])
			continue
		}
		status := want[3].(string)
		if f.Path == specName || strings.Contains(status, "omitted-large") || status == "missing-in-store" {
			continue
		}
		data, err := f.Bytes()
		if err != nil {
			say("%s: %v", f.Path, err)
			continue
		}
		if id := fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(data), data))); id != want[2] {
			say("%s has other content", f.Path)
			continue
		}
		right++
	}
	for _, p := range slices.Sorted(maps.Keys(m.Files)) {
		status := m.Files[p][3].(string)
		if !have[p] && !strings.Contains(status, "omitted-large") && status != "missing-in-store" {
			say("missing file %s", p)
		}
	}
	return right, wrong, problem
}

// A tally counts components of one category and groups causes.
type tally struct {
	components, identical, different, failed int
	filesRight, filesWrong                   int
	causes                                   map[string][]string
}

func (c *tally) cause(why, component string) {
	// The same cause in many specs differs by line number and values only.
	key := why
	if i := strings.LastIndex(key, "["); i >= 0 && strings.HasPrefix(key, "failed: ") {
		key = key[i:]
	}
	if i := strings.Index(key, "want "); i >= 0 {
		key = strings.TrimSpace(key[i:])
		if w := strings.Fields(key); len(w) > 2 {
			key = strings.Join(w[:2], " ")
		}
	}
	if c.causes == nil {
		c.causes = map[string][]string{}
	}
	c.causes[key] = append(c.causes[key], component+": "+why)
}

// report prints one line per category and the largest groups of causes.
func report(t *testing.T, title string, tallies map[string]*tally) {
	t.Helper()
	causes := map[string][]string{}
	for _, kind := range slices.Sorted(maps.Keys(tallies)) {
		c := tallies[kind]
		t.Logf("%s %-22s components %4d  identical %4d  different %3d  failed %3d  sidecars right %5d wrong %d",
			title, kind, c.components, c.identical, c.different, c.failed, c.filesRight, c.filesWrong)
		for k, v := range c.causes {
			causes[k] = append(causes[k], v...)
		}
	}
	keys := slices.SortedFunc(maps.Keys(causes), func(a, b string) int {
		if d := len(causes[b]) - len(causes[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, k := range keys[:min(10, len(keys))] {
		list := causes[k]
		slices.Sort(list)
		t.Logf("%s %4d components such as %s", title, len(list), list[0])
	}
	if out := os.Getenv("SPECGRAFT_CAUSES"); out != "" {
		var b strings.Builder
		for _, k := range keys {
			for _, v := range causes[k] {
				b.WriteString(v + "\n")
			}
		}
		os.WriteFile(filepath.Join(out, title+".txt"), []byte(b.String()), 0o644)
	}
}

// load opens a project of the corpus with a cache.
func load(t testing.TB, project, cache string) *render.Renderer {
	t.Helper()
	p, problems := components.Load(components.Options{Dir: project})
	for _, d := range problems {
		t.Errorf("%v", d.Error())
	}
	if p == nil {
		t.FailNow()
	}
	store, err := fedora.Open(fedora.Options{CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	r := &render.Renderer{Project: p, Store: store, CacheDir: cache}
	t.Cleanup(func() { r.Close(); store.Close() })
	return r
}

// renderAll renders components in parallel and hands the results to check, one
// after the other.
func renderAll(t testing.TB, r *render.Renderer, names []string, check func(string, *render.Result)) {
	t.Helper()
	for _, d := range r.Prepare(t.Context(), names, false) {
		t.Fatal(d.Error())
	}
	var mu sync.Mutex
	work := make(chan string)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for name := range work {
				res := r.Render(t.Context(), name)
				mu.Lock()
				check(name, res)
				mu.Unlock()
			}
		})
	}
	for _, name := range names {
		work <- name
	}
	close(work)
	wg.Wait()
}

// covered are the components with an expected spec, sorted.
func (c *corpus) covered(r *render.Renderer) []string {
	var names []string
	for _, name := range r.Project.Names() {
		if _, ok := c.expected[name+"/"+name+".spec"]; ok && c.kind[name] != "local" {
			names = append(names, name)
		}
	}
	return names
}

// TestConformance renders the real distribution without locks and compares
// under the corpus' masked rule, the Release line aside.
func TestConformance(t *testing.T) {
	dir := corpusDir(t)
	out := distgit(t, dir)
	c := readCorpus(t, dir)
	t.Run("Masked", func(t *testing.T) { c.masked(t, filepath.Join(out, "project")) })
	t.Run("Full", func(t *testing.T) { c.fullRule(t, filepath.Join(out, "project")) })
}

func (c *corpus) masked(t *testing.T, project string) {
	r := load(t, project, t.TempDir())
	tallies := map[string]*tally{}
	renderAll(t, r, c.covered(r), func(name string, res *render.Result) {
		k := tallies[c.kind[name]]
		if k == nil {
			k = &tally{}
			tallies[c.kind[name]] = k
		}
		k.components++
		if res.Failed() {
			k.failed++
			k.cause("failed: "+res.Diags.Err().Error(), name)
			return
		}
		want := withoutRelease(strip(c.expected[name+"/"+name+".spec"]))
		got := withoutRelease(strip(res.Text()))
		if d := firstDifference(want, got); d == "" {
			k.identical++
		} else {
			k.different++
			k.cause(d, name)
		}
		right, wrong, problem := c.manifests[name].sidecars(res)
		k.filesRight += right
		k.filesWrong += wrong
		if problem != "" {
			k.cause(problem, name)
		}
	})
	report(t, "masked", tallies)
	for kind, k := range tallies {
		if k.identical < k.components {
			t.Errorf("%s: %d of %d are identical", kind, k.identical, k.components)
		}
		if k.filesWrong > 0 {
			t.Errorf("%s: %d sidecar files are wrong", kind, k.filesWrong)
		}
	}
	if k := tallies["plain exact"]; k == nil || k.components < 4500 {
		t.Error("the corpus has fewer than 4500 plain components: it cannot have been read right")
	}
}

// fullRule commits the reference tool's locks and compares with nothing
// stripped.
func (c *corpus) fullRule(t *testing.T, project string) {
	dir := filepath.Join(t.TempDir(), "project")
	if err := os.CopyFS(dir, os.DirFS(project)); err != nil {
		t.Fatal(err)
	}
	commit := func(name, email, date, subject string) {
		for _, args := range [][]string{{"add", "-A"}, {"commit", "-q", "-m", subject}} {
			cmd := exec.Command("git", args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
				"GIT_AUTHOR_NAME="+name, "GIT_AUTHOR_EMAIL="+email, "GIT_AUTHOR_DATE="+date,
				"GIT_COMMITTER_NAME="+name, "GIT_COMMITTER_EMAIL="+email, "GIT_COMMITTER_DATE="+date)
			if msg, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("git %v: %v\n%s", args, err, msg)
			}
		}
	}
	if msg, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, msg)
	}
	commit("Config", "config@example.com", "2026-04-29T12:00:00Z", "config")
	for name, data := range c.locks {
		p := filepath.Join(dir, "locks", path.Base(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	commit("Daniel McIlvaney", "damcilva@microsoft.com", "2026-04-30T12:00:00Z", "test: add initial lock files")

	r := load(t, dir, t.TempDir())
	var names []string
	for _, name := range c.covered(r) {
		if c.locks["locks/"+name+".lock"] != nil || c.locks[name+".lock"] != nil {
			names = append(names, name)
		}
	}
	tallies := map[string]*tally{}
	releases, staticReleases := 0, 0
	renderAll(t, r, names, func(name string, res *render.Result) {
		kind := "reproduced"
		want, masked := c.expected[name+"/"+name+".spec"], false
		if ref, ok := c.reference[name+"/"+name+".spec"]; ok {
			kind, want = "reference", ref
		}
		if !c.full[name] {
			kind, masked = "unrendered", true
		}
		k := tallies[kind]
		if k == nil {
			k = &tally{}
			tallies[kind] = k
		}
		k.components++
		if res.Failed() {
			k.failed++
			k.cause("failed: "+res.Diags.Err().Error(), name)
			return
		}
		got := res.Text()
		if masked {
			want, got = strip(want), strip(got)
		}
		if d := firstDifference(want, got); d == "" {
			k.identical++
		} else {
			k.different++
			k.cause(d, name)
		}
		if !bytes.Contains(want, []byte("utorelease")) {
			staticReleases++
			if bytes.Equal(releaseLines(want), releaseLines(got)) {
				releases++
			}
		}
		right, wrong, problem := c.manifests[name].sidecars(res)
		k.filesRight += right
		k.filesWrong += wrong
		if problem != "" {
			k.cause(problem, name)
		}
	})
	report(t, "full", tallies)
	t.Logf("full static releases: %d of %d right", releases, staticReleases)
	if releases < staticReleases {
		t.Errorf("%d static releases are wrong", staticReleases-releases)
	}
	total := 0
	for kind, k := range tallies {
		if kind != "unrendered" {
			total += k.components
		}
		if k.identical < k.components {
			t.Errorf("%s: %d of %d are identical", kind, k.identical, k.components)
		}
		if k.filesWrong > 0 {
			t.Errorf("%s: %d sidecar files are wrong", kind, k.filesWrong)
		}
	}
	if total < 4500 {
		t.Errorf("only %d components are under the full rule: the corpus cannot have been read right", total)
	}
}

func releaseLines(text []byte) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		if len(line) >= 8 && strings.EqualFold(string(line[:8]), "release:") {
			out = append(out, line...)
		}
	}
	return out
}
