package overlay_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/spec"
	"specgraft/testdata/corpus"
)

// A customised component is one with overlays and its upstream files.
type customised struct {
	name  string
	ops   []overlay.Op
	spec  corpusFile
	files map[string][]byte
}

func (c *customised) tree() *overlay.Tree {
	t := &overlay.Tree{Name: c.name, Spec: spec.Parse(path.Base(c.spec.name), c.spec.data), Files: map[string]*overlay.File{}}
	for p, data := range c.files {
		t.Files[p] = overlay.NewFile(p, 0o644, data, nil)
	}
	return t
}

// customisedComponents reads the components of the corpus that have overlays.
func customisedComponents(t *testing.T) []customised {
	t.Helper()
	if testing.Short() {
		t.Skip("NOT CHECKED: corpus tests are left out by -short")
	}
	p, list := components.Load(components.Options{Dir: corpus.Config(t), AllowOutside: true})
	if list.HasErrors() {
		t.Fatal(list.Err())
	}
	found := map[string]*customised{}
	var all []*customised
	for _, name := range p.Names() {
		c, list := p.Component(name)
		if list.HasErrors() {
			t.Fatal(list.Err())
		}
		if len(c.Overlays) > 0 {
			all = append(all, &customised{name: name, ops: c.Overlays, files: map[string][]byte{}})
		}
	}
	repos := map[string]string{} // component by repository
	files := corpusFiles(t, "upstream.tar.xz", func(component, _ string, _ int64) bool {
		return component == "" || slices.ContainsFunc(all, func(c *customised) bool { return component == c.name })
	})
	for _, f := range files {
		if f.name != "META.jsonl" {
			continue
		}
		for line := range bytes.Lines(f.data) {
			var meta struct{ Name, Repo string }
			if err := json.Unmarshal(line, &meta); err != nil {
				t.Fatal(err)
			}
			repos[meta.Repo] = meta.Name
		}
	}
	for _, c := range all {
		found[c.name] = c
	}
	for _, f := range files {
		dir, rel, ok := strings.Cut(f.name, "/")
		c := found[repos[dir]]
		if !ok || c == nil {
			continue
		}
		if rel == dir+".spec" {
			c.spec = f
		} else {
			c.files[rel] = f.data
		}
	}
	var complete []customised
	for _, c := range all {
		if c.spec.data != nil {
			complete = append(complete, *c)
		}
	}
	return complete
}

func openSource(p string) ([]byte, fs.FileMode, error) {
	data, err := os.ReadFile(p)
	return data, 0o644, err
}

// without rebuilds the spec as if the operation with the index had not been
// there, from nothing but what is attributed to it. ok is false when a later
// operation changed the same line, so that the two do not commute.
func without(f *spec.File, index int) (lines []string, ok bool) {
	mine := func(o *spec.Origin) bool { return o != nil && o.Index == index }
	before := map[int]string{} // text of upstream lines before the operation
	for _, e := range f.Log() {
		if e.Split || !mine(e.Origin) {
			for _, l := range e.Old {
				if mine(l.Origin) && !e.Split {
					return nil, false
				}
			}
			continue
		}
		for _, l := range e.Old {
			if l.Num == 0 {
				return nil, false // it changed another operation's line
			}
			if _, done := before[l.Num]; !done {
				before[l.Num] = l.Text
			}
		}
	}
	gone := f.Removed()
	put := func(at int) {
		for _, r := range gone {
			if r.Before == at && mine(r.By) {
				lines = append(lines, before[r.Num])
			}
		}
	}
	for i := range f.Len() {
		put(i)
		l := f.Line(i)
		switch {
		case !mine(l.Origin):
			lines = append(lines, l.Text)
		case l.Num > 0:
			lines = append(lines, before[l.Num])
		}
	}
	put(f.Len())
	return lines, true
}

// TestTakingOneOverlayOut holds over the real components with overlays that
// taking one of them out removes exactly the lines attributed to it.
func TestTakingOneOverlayOut(t *testing.T) {
	t.Parallel()
	checked, skipped := 0, 0
	list := customisedComponents(t)
	for _, c := range list {
		tree := c.tree()
		if _, diags := overlay.Apply(tree, c.ops, overlay.Options{Source: openSource}); diags.HasErrors() {
			t.Errorf("%s: %v", c.name, diags.Err())
			continue
		}
		for i := range c.ops {
			rest := slices.Concat(c.ops[:i], c.ops[i+1:])
			other := c.tree()
			if _, diags := overlay.Apply(other, rest, overlay.Options{Source: openSource}); diags.HasErrors() {
				skipped++ // a later one needs it
				continue
			}
			want := other.Spec.Normalized()
			last := c.tree()
			if _, diags := overlay.Apply(last, append(slices.Clone(rest), c.ops[i]), overlay.Options{Source: openSource}); diags.HasErrors() ||
				!bytes.Equal(last.Spec.Normalized(), tree.Spec.Normalized()) {
				skipped++ // the order matters
				continue
			}
			lines, ok := without(tree.Spec, i)
			if !ok {
				skipped++
				continue
			}
			checked++
			if got := strings.Join(lines, "\n") + "\n"; got != string(want) {
				t.Errorf("%s: without overlay %d (%s) the rest is not what its lines say", c.name, i, c.ops[i].Type)
			}
			for p, f := range tree.Files {
				mine := f.Origin != nil && f.Origin.Index == i
				g := other.Files[p]
				if !mine && g == nil {
					t.Errorf("%s: file %q depends on overlay %d, which is not its origin", c.name, p, i)
				}
			}
		}
	}
	t.Logf("%d components, %d overlays checked, %d do not commute", len(list), checked, skipped)
	if checked < 5*skipped || checked < 50 {
		t.Errorf("only %d overlays checked, %d skipped", checked, skipped)
	}
}
