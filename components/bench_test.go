package components

import (
	"os"
	"path/filepath"
	"testing"

	gotoml "github.com/pelletier/go-toml/v2"
)

// BenchmarkLoadOne loads the real configuration and resolves one component,
// what a command for a single component does.
func BenchmarkLoadOne(b *testing.B) {
	dir := corpus(b)
	b.ReportAllocs()
	for b.Loop() {
		p, diags := Load(Options{Dir: dir})
		if diags.HasErrors() {
			b.Fatal(diags.Err())
		}
		if _, diags := p.Component("kernel"); diags.HasErrors() {
			b.Fatal(diags.Err())
		}
	}
}

// BenchmarkResolveAll resolves every component of a loaded project.
func BenchmarkResolveAll(b *testing.B) {
	dir := corpus(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		p, _ := Load(Options{Dir: dir})
		b.StartTimer()
		for _, name := range p.Names() {
			p.Component(name)
		}
	}
}

// BenchmarkPlainDecode decodes the one file components.toml with go-toml, to
// compare with.
func BenchmarkPlainDecode(b *testing.B) {
	data, err := os.ReadFile(filepath.Join(corpus(b), "base", "comps", "components.toml"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var v map[string]any
		if err := gotoml.Unmarshal(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}
