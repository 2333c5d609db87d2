package overlay_test

import (
	"path"
	"strings"
	"testing"

	"specgraft/overlay"
	"specgraft/overlay/spec"
)

func BenchmarkParse(b *testing.B) {
	files := upstreamSpecs(b)
	b.SetBytes(totalSize(files))
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range files {
			spec.Parse(f.name, f.data)
		}
	}
}

func totalSize(files []corpusFile) int64 {
	var n int64
	for _, f := range files {
		n += int64(len(f.data))
	}
	return n
}

// typical are three overlays as projects write them, which fit nearly every
// spec: an expression, a new tag, lines for a section.
var typical = []overlay.Op{
	{Type: overlay.SearchReplace, Regex: `^Name:\s*`, Replacement: "Name:  "},
	{Type: overlay.AddTag, Tag: "BuildRequires", Value: "gcc"},
	{Type: overlay.AppendLines, Section: "%install", Lines: []string{"rm -f %{buildroot}%{_libdir}/*.la"}},
}

// benchmarkOps parses every spec of the corpus and applies the operations.
func benchmarkOps(b *testing.B, ops []overlay.Op) {
	files := upstreamSpecs(b)
	b.SetBytes(totalSize(files))
	b.ReportAllocs()
	applied := 0
	for b.Loop() {
		applied = 0
		for _, f := range files {
			tree := &overlay.Tree{Name: strings.TrimSuffix(path.Base(f.name), ".spec"), Spec: spec.Parse(f.name, f.data)}
			rep, _ := overlay.Apply(tree, ops, overlay.Options{})
			applied += len(rep.Applied)
		}
	}
	b.ReportMetric(float64(applied)/float64(len(files)), "applied/spec")
}

func BenchmarkTypicalOverlays(b *testing.B) { benchmarkOps(b, typical) }

// BenchmarkFamilies has one operation of each family, parsing included.
func BenchmarkFamilies(b *testing.B) {
	for _, f := range []struct {
		name string
		op   overlay.Op
	}{
		{"none", overlay.Op{}},
		{"add-tag", typical[1]},
		{"insert-tag", overlay.Op{Type: overlay.InsertTag, Tag: "Source9999", Value: "macros"}},
		{"update-tag", overlay.Op{Type: overlay.UpdateTag, Tag: "Release", Value: "2"}},
		{"remove-tag", overlay.Op{Type: overlay.RemoveTag, Tag: "URL"}},
		{"lines", typical[2]},
		{"replace-literal", overlay.Op{Type: overlay.SearchReplace, Regex: `%\{_libdir\}`, Replacement: "/lib"}},
		{"replace-anchored", overlay.Op{Type: overlay.SearchReplace, Regex: `^\s*#.*$`}},
		{"replace-classes", overlay.Op{Type: overlay.SearchReplace, Regex: `[a-z]+\s*=\s*[0-9]+`}},
		{"replace-multiline", overlay.Op{Type: overlay.SearchReplace, Regex: `(?m)^Version:.*\n`, Multiline: true}},
		{"remove-section", overlay.Op{Type: overlay.RemoveSection, Section: "%check"}},
		{"patch-add", overlay.Op{Type: overlay.PatchAdd, Source: "/x/fix.patch", Data: []byte("x")}},
	} {
		b.Run(f.name, func(b *testing.B) {
			if f.op.Type == "" {
				benchmarkOps(b, nil)
				return
			}
			benchmarkOps(b, []overlay.Op{f.op})
		})
	}
}
