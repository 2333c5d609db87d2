package editor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/render"
	"specgraft/render/editor"
	"specgraft/render/editor/buffer"
	"specgraft/testdata/corpus"
)

// realProject returns a session of the real project, whose specs are in local
// repositories, and its directory.
func realProject(b *testing.B) (*editor.Session, string) {
	b.Helper()
	dir := filepath.Join(corpus.Distgit(b), "project")
	cache := os.Getenv("SPECGRAFT_EDIT_CACHE")
	if cache == "" {
		cache = b.TempDir()
	}
	store, err := fedora.Open(fedora.Options{CacheDir: cache, Offline: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	return editor.NewSession(dir, editor.Options{Renderer: func(p *components.Project) (*render.Renderer, error) {
		return &render.Renderer{Project: p, Store: store, CacheDir: cache}, nil
	}}), dir
}

// BenchmarkReady is the time from nothing to the problems of the whole project.
func BenchmarkReady(b *testing.B) {
	s, _ := realProject(b)
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n := 0
	for b.Loop() {
		s.Changed(nil)
		snap := s.Snapshot()
		snap.CheckDiagnostics()
		n = len(snap.Project.Names())
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc)/(1<<20), "heap-MiB")
	b.ReportMetric(float64(n), "components")
	runtime.KeepAlive(s)
}

// BenchmarkKeystroke types into the file with the most components of the real
// project, until its problems are known.
func BenchmarkKeystroke(b *testing.B) {
	s, dir := realProject(b)
	path, text := "", ""
	p, _ := components.Load(components.Options{Dir: dir})
	for _, f := range p.Files() {
		if t, err := os.ReadFile(f); err == nil && len(t) > len(text) {
			path, text = f, string(t)
		}
	}
	s.SetText(path, buffer.New(text))
	s.Snapshot().CheckDiagnostics()
	i := 0
	for b.Loop() {
		i++
		s.SetText(path, buffer.New(text+strings.Repeat("# x\n", i%2)))
		s.Snapshot().CheckDiagnostics()
	}
	b.ReportMetric(float64(len(text)), "bytes")
}

// big writes a project with a local spec of 500 KB and 20 overlays.
func big(b *testing.B) (s *editor.Session, path, text string) {
	b.Helper()
	dir := b.TempDir()
	var spec strings.Builder
	spec.WriteString("Name: big\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\n")
	for i := range 20 {
		fmt.Fprintf(&spec, "Patch%d: fix-%d.patch\n", i, i)
	}
	spec.WriteString("\n%description\nx\n\n%prep\n%autosetup\n\n%build\n")
	for i := 0; spec.Len() < 480<<10; i++ {
		fmt.Fprintf(&spec, "%%make_build target-%d PREFIX=%%{_prefix} LIBDIR=%%{_libdir}\n", i)
		if i%50 == 0 {
			fmt.Fprintf(&spec, "%%if 0%%{?fedora} > %d\necho yes\n%%endif\n", i)
		}
	}
	spec.WriteString("\n%files\n%license COPYING\n\n%changelog\n")
	var toml strings.Builder
	toml.WriteString("[components.big]\nspec = { type = \"local\", path = \"big.spec\" }\n")
	for i := range 20 {
		fmt.Fprintf(&toml, "\n[[components.big.overlays]]\ntype = \"spec-search-replace\"\ndescription = \"d\"\nsection = \"%%build\"\nregex = 'target-%d PREFIX'\nreplacement = \"goal-%d PREFIX\"\n", i*7, i)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	write("big.spec", spec.String())
	write("azldev.toml", "includes = [\"big.comp.toml\"]\n[project]\ndefault-distro = { name = \"d\" }\n[distros.d]\ndefault-version = \"1\"\n[distros.d.versions.1]\nrelease-ver = \"1\"\n")
	write("big.comp.toml", toml.String())
	cache := b.TempDir()
	store, err := fedora.Open(fedora.Options{CacheDir: cache, Offline: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	s = editor.NewSession(dir, editor.Options{Renderer: func(p *components.Project) (*render.Renderer, error) {
		return &render.Renderer{Project: p, Store: store, CacheDir: cache}, nil
	}})
	return s, filepath.Join(dir, "big.comp.toml"), toml.String()
}

// BenchmarkDiagnostics is the time from a key to the problems of a component
// with a spec of 500 KB and 20 overlays, all of which are applied.
func BenchmarkDiagnostics(b *testing.B) {
	s, path, text := big(b)
	i := 0
	for b.Loop() {
		i++
		s.SetText(path, buffer.New(strings.Replace(text, "goal-3 ", fmt.Sprintf("goal-%d ", 100+i), 1)))
		if l := s.Snapshot().Diagnostics(b.Context(), path, false); l.HasErrors() {
			b.Fatal(l.Err())
		}
	}
}

// BenchmarkDeepDiagnostics is that with everything that lint says.
func BenchmarkDeepDiagnostics(b *testing.B) {
	s, path, text := big(b)
	i := 0
	for b.Loop() {
		i++
		s.SetText(path, buffer.New(strings.Replace(text, "goal-3 ", fmt.Sprintf("goal-%d ", 100+i), 1)))
		s.Snapshot().Diagnostics(b.Context(), path, true)
	}
}

// BenchmarkHover explains one of the 20 overlays after its diagnostics are there.
func BenchmarkHover(b *testing.B) {
	s, path, text := big(b)
	s.SetText(path, buffer.New(text))
	s.Snapshot().Diagnostics(b.Context(), path, false)
	t := buffer.New(text)
	at := t.Point(strings.Index(text, "target-70 ") + 2)
	for b.Loop() {
		if h := s.Snapshot().Hover(b.Context(), path, at); h == nil || !strings.Contains(h.Text, "goal-10 ") {
			b.Fatal("nothing to hover")
		}
	}
}
